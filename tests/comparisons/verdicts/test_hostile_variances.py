"""The probabilistic bounds, term by term: aligned roundings of a few terms stay inside, and need every term.

Roundings that all have the worst sign are no matter of chance; yet T of them, each of half a unit, add up to
T u, and the bound of LAMBDA sqrt(T / 2) u is larger as long as T is below LAMBDA^2 / 2, which is 40. So a
hostile order of a few terms is legal here as well, and comes close. Every term of a variance is left out in
turn, and the same implementation must then be outside.
"""

import numpy as np
import pytest

from backproof.comparisons.verdicts import backward_bounds, forward_bounds, rounding
from backproof.comparisons.verdicts.forward_bounds import Regularized
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, sum_rounding
from backproof.scratch.architecture import ActivationName, Architecture, Array
from tests.comparisons.verdicts.test_hostile_rounding import F, Term, U, largest_share, summed
from tests.support.leaving_out import leaving_out

RANDOM = Arithmetic.of("float32", shadow=False, random=True)
FEW = 16
LOST = np.array([1.0] + [U] * FEW)  # summed from left to right, that is 1
TRUE = 1.0 + FEW * U


def of_products(left: Array, right: Array, error: float) -> float:
    bound = sum_rounding(Bounded.exact(left), Bounded.exact(right), RANDOM)
    return largest_share(error, bound.total[0, 0])


def lost_in_order() -> float:
    return of_products(np.ones((1, FEW + 1)), LOST[:, None], summed(list(LOST)) - TRUE)


def lost_in_blocks() -> float:
    """The same as a part of a product that is too large to be sorted."""
    right = np.tile(LOST[:, None], (1, rounding.FEW_PRODUCTS // FEW))
    return of_products(np.ones((1, FEW + 1)), right, summed(list(LOST)) - TRUE)


def rounded_products() -> float:
    """Each (1 + 2^-12)^2 loses 2^-24; the sums of eight of them, as large as they are, lose nothing."""
    factor = 1 + 2.0**-12
    return of_products(np.array([[factor]]), np.array([[factor]]), float(F(factor) * F(factor)) - factor**2)


def rounded_result() -> float:
    bound = sum_rounding(
        Bounded.exact(np.array([[U]])), Bounded.exact(np.ones((1, 1))), RANDOM, Bounded.exact(np.ones(1))
    )
    return largest_share(summed([1.0, U]) - (1 + U), bound.total[0, 0])


def probabilistic(
    sizes: tuple[int, ...], weights: list[Array], x: Array, targets: Array, activation: ActivationName
) -> Reference:
    """A network without biases under sum_of_squares, in float32."""
    architecture = Architecture(sizes, activation, "sum_of_squares", "float32")
    layers = [(W.astype(F), np.zeros(W.shape[1], F)) for W in weights]
    return backprop_reference(architecture, layers, x.astype(F), targets.astype(F)).probabilistic


def error_of(reference: Reference) -> Array:
    """What the probabilistic tier alone allows, even where the worst case is narrower."""
    return backward_bounds.backward(reference.state).error


def linear(sizes: tuple[int, ...], weights: list[Array], x: Array, targets: Array) -> Array:
    return error_of(probabilistic(sizes, weights, x, targets, "identity"))


def backward_sum() -> float:
    """delta_1 = sum_k W_2k delta_2k, from left to right."""
    error = linear((1, 1, FEW + 1), [np.ones((1, 1)), LOST[None]], np.ones((1, 1)), (LOST - 0.5)[None])
    return largest_share(1.0 - TRUE, error[0])


def backward_sum_far_below() -> float:
    """The same rounding seen one layer further down."""
    weights = [np.ones((1, 1)), np.ones((1, 1)), LOST[None]]
    error = linear((1, 1, 1, FEW + 1), weights, np.ones((1, 1)), (LOST - 0.5)[None])
    return largest_share(1.0 - TRUE, error[0])


def batch_sum() -> float:
    error = linear((1, 1), [np.zeros((1, 1))], np.ones((FEW + 1, 1)), -LOST[:, None] / 2)
    return largest_share(1.0 - TRUE, error[-1])


def activation_sum() -> float:
    """a_1 = sum_i x_i from left to right, delta_2 = 1: dW_2 = a_1."""
    weights = [np.ones((FEW + 1, 1)), np.zeros((1, 1))]
    error = linear((FEW + 1, 1, 1), weights, LOST[None], np.full((1, 1), -0.5))
    return largest_share(1.0 - TRUE, error[FEW + 2])


def activation_far_above() -> float:
    """The same rounding of z_1 in a_2 = a_1: dW_3 = a_2."""
    weights = [np.ones((FEW + 1, 1)), np.ones((1, 1)), np.zeros((1, 1))]
    error = linear((FEW + 1, 1, 1, 1), weights, LOST[None], np.full((1, 1), -0.5))
    return largest_share(1.0 - TRUE, error[FEW + 4])


def logit_sum() -> float:
    """z = sum_i x_i from left to right: db = 2 (z - t)."""
    error = linear((FEW + 1, 1), [np.ones((FEW + 1, 1))], LOST[None], np.full((1, 1), 0.5))
    return largest_share(2 * (1.0 - TRUE), error[-1])


def logit_sum_from_below() -> float:
    """The rounding of z_1, in delta_2 = 2 (z_2 - t) with z_2 = z_1."""
    weights = [np.ones((FEW + 1, 1)), np.ones((1, 1))]
    error = linear((FEW + 1, 1, 1), weights, LOST[None], np.full((1, 1), 0.5))
    return largest_share(2 * (1.0 - TRUE), error[-1])


def delta_from_logits_below() -> float:
    """The same, in db_1 = delta_2 W_2: the logits' errors travel down with their covariance."""
    weights = [np.ones((FEW + 1, 1)), np.ones((1, 1))]
    error = linear((FEW + 1, 1, 1), weights, LOST[None], np.full((1, 1), 0.5))
    return largest_share(2 * (1.0 - TRUE), error[FEW + 1])


def equal_units() -> float:
    """Six equal units round alike, and the next layer adds the six errors up."""
    weights = [np.tile(np.ones((FEW + 1, 1)), (1, 6)), np.ones((6, 1)), np.zeros((1, 1))]
    error = linear((FEW + 1, 6, 1, 1), weights, LOST[None], np.full((1, 1), -0.5))
    return largest_share(6 * (1.0 - TRUE), error[-2])


def masked_delta() -> float:
    """Through twelve layers delta is multiplied by masks, each chosen so that the product is rounded down."""
    depth, delta, exact = 12, F(1.0), 1.0
    masks: list[Array | None] = []
    candidates = 1 + np.arange(1, 2000) * 2.0**-22
    for _ in range(depth):
        products = float(delta) * candidates
        lost = products - (candidates.astype(F) * delta).astype(np.float64)
        best = int(np.argmax(lost))
        masks.insert(0, np.full((1, 1), candidates[best]))
        delta, exact = F(delta * F(candidates[best])), exact * candidates[best]
    architecture = Architecture((1, *[1] * depth, 1), "identity", "sum_of_squares", "float32")
    weights = [(np.ones((1, 1), F), np.zeros(1, F))] * (depth + 1)
    given = weights, np.zeros((1, 1), F), np.full((1, 1), -0.5, F)
    reference = backprop_reference(architecture, *given, regularized=Regularized((None, *masks)))
    return largest_share(float(delta) - exact, error_of(reference.probabilistic)[1])


TERMS = {
    "partial sums": Term(
        rounding,
        "np.where(counted, binade(reach) ** power, 0.0).sum(axis=1)",
        "0.0 * reach.sum(axis=1)",
        lost_in_order,
    ),
    "partial sums in blocks": Term(
        rounding, "self._squares(largest, carried))", "0.0 * self._squares(largest, carried))", lost_in_blocks
    ),
    "each block": Term(
        rounding, "squares += count * binade(reach * SAFETY) ** 2", "squares += 0 * count", lost_in_blocks
    ),
    "products": Term(
        rounding,
        "        products = np.where(exact, 0.0, ",
        "        products = 0.0 * np.where(exact, 0.0, ",
        rounded_products,
        0.15,
    ),
    "the result": Term(
        rounding,
        "np.where(terms > 1, binade((total + grown) * SAFETY) ** power, 0.0)",
        "0.0 * total",
        rounded_result,
        0.15,
    ),
    "the backward sum": Term(
        backward_bounds, "variance = d**2 * rounded.variance", "variance = 0 * rounded.variance", backward_sum
    ),
    "the backward sum, further down": Term(
        backward_bounds,
        "numbers(variance + from_hidden + source.variance)",
        "numbers(variance + source.variance)",
        backward_sum_far_below,
    ),
    "the source's own variance": Term(
        backward_bounds,
        "numbers(variance + from_hidden + source.variance)",
        "numbers(variance + from_hidden)",
        backward_sum,
    ),
    "the sum over the batch": Term(
        backward_bounds, "variance + rounded.variance).total", "variance).total", batch_sum
    ),
    "the activation in dW": Term(
        backward_bounds, "np.sqrt(own.variance.T @ value**2) + ", "", activation_sum
    ),
    "the delta in dW": Term(backward_bounds, " + np.sqrt((size**2) @ spread.variance)", "", logit_sum),
    "the activation, further up": Term(
        forward_bounds,
        "Spread(came.sure + sources[-1].sure, came.variance + variance)",
        "Spread(came.sure + sources[-1].sure, variance)",
        activation_far_above,
    ),
    "the activation's own sum": Term(
        forward_bounds,
        "Spread(came.sure + sources[-1].sure, came.variance + variance)",
        "Spread(came.sure + sources[-1].sure, came.variance)",
        activation_sum,
    ),
    "the logits in delta": Term(
        forward_bounds,
        "root = M * np.sqrt(sources[-1].variance)[:, None, :]",
        "root = 0 * M * np.sqrt(sources[-1].variance)[:, None, :]",
        logit_sum,
    ),
    "what reaches the logits from below": Term(
        forward_bounds,
        "covariance += root.transpose(0, 2, 1) @ root",
        "covariance += 0 * root.transpose(0, 2, 1) @ root",
        logit_sum_from_below,
    ),
    "the logits' covariance on its way down": Term(
        backward_bounds,
        'variance = np.einsum("njk,nkc,njc->nj", J, state.covariance[rows], J, optimize=True)',
        "variance = 0 * sure",
        delta_from_logits_below,
    ),
    "equal units": Term(
        forward_bounds,
        "variance = rounded.variance * self.multiplicities[layer][rows]",
        "variance = rounded.variance",
        equal_units,
    ),
    "the mask's product": Term(
        backward_bounds,
        "variance + roundings * (arithmetic.random_unit * size * (np.abs(d) + d_error)) ** 2",
        "variance",
        masked_delta,
        0.4,
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_aligned_roundings_of_a_few_terms_stay_inside_and_come_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_variance_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0
