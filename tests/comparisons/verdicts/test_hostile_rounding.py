"""Every bound from both sides: legal implementations that do their worst stay inside it, and come close.

Each term of a bound is named here with an implementation for which that very term is needed: sums in the most
hostile order, a tanh off by all the ulps allowed, logits at the ends of their errors, flushed numbers. The
error stays below the bound, and leaving the term out of the bound makes the same test fail.
"""

from collections.abc import Callable
from dataclasses import dataclass
from types import ModuleType

import numpy as np
import pytest

from backproof.comparisons.verdicts import (
    activation_bounds,
    backward_bounds,
    forward_bounds,
    forward_mode_bounds,
    loss_bounds,
    rounding,
)
from backproof.comparisons.verdicts.activation_bounds import undecided_signs
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.rounding import FUNCTIONS, Arithmetic, Bounded, inner_products
from backproof.scratch.architecture import ActivationName, Architecture, Array, LossName
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.problem import Problem
from tests.support.leaving_out import leaving_out

SINGLE = Arithmetic.of("float32", shadow=False)
U = 2.0**-24
F = np.float32


def largest_share(error: Array | float, bound: Array | float) -> float:
    """The largest error / bound; an error where the bound is zero counts as infinite."""
    error, bound = np.broadcast_arrays(np.abs(error), bound)
    with np.errstate(divide="ignore", invalid="ignore"):
        return float(np.where(error == 0, 0.0, error / bound).max())


def summed(terms: list[float]) -> float:
    """In float32, from left to right."""
    total = F(terms[0])
    for term in terms[1:]:
        total = F(total + F(term))
    return float(total)


# --- inner products ----------------------------------------------------------------------------------------


def of_sum(terms: list[float], exact: bool = False) -> float:
    """1 times each term, from left to right."""
    left, right = Bounded.exact(np.ones((1, len(terms)))), Bounded.exact(np.array(terms)[:, None])
    bound = inner_products(left, right, SINGLE, recognise_exact=exact)
    return largest_share(summed(terms) - sum(terms), bound.error[0, 0])


def lost_in_order() -> float:
    """After 1, each of 40 halves of its last place is lost."""
    return of_sum([1.0] + [U] * 40)


def rounded_product() -> float:
    """(1 + 2^-12)^2 = 1 + 2^-11 + 2^-24: the last term is lost, in a sum of one term."""
    factor = np.array([[1 + 2.0**-12]])
    bound = inner_products(Bounded.exact(factor), Bounded.exact(factor), SINGLE).error[0, 0]
    return largest_share(float(F(factor[0, 0]) * F(factor[0, 0])) - factor[0, 0] ** 2, bound)


def rounded_result() -> float:
    """A product of 2^-24 is lost beside a bias of 1."""
    left, right = Bounded.exact(np.array([[U]])), Bounded.exact(np.ones((1, 1)))
    bound = inner_products(left, right, SINGLE, bias=np.ones(1)).error[0, 0]
    return largest_share(summed([1.0, U]) - (1 + U), bound)


def flushed_product(left: float, right: float, exact: bool = False) -> float:
    """A product below the smallest normal number, read as zero."""
    factors = Bounded.exact(np.array([[left]])), Bounded.exact(np.array([[right]]))
    return largest_share(left * right, inner_products(*factors, SINGLE, recognise_exact=exact).error[0, 0])


def underflow() -> float:
    """Just below the smallest normal number of float32, and 1e-30 times 1e-20, far below it."""
    return max(flushed_product(2.0**-63, (1 - U) * 2.0**-63), flushed_product(1e-30, 1e-20))


def exact_underflow() -> float:
    """2^-63 times 2^-64 has one bit, as 2^-100 times 2^-100 has, and may be zero all the same."""
    return max(flushed_product(2.0**-63, 2.0**-64, True), flushed_product(2.0**-100, 2.0**-100, True))


def flushed_operand() -> float:
    """An input of 1e-39, read as zero, times 1e10."""
    x = SINGLE.given(np.array([[1e-39]]))
    return largest_share(1e-29, inner_products(x, SINGLE.given(np.array([[1e10]])), SINGLE).error[0, 0])


def shifted_operand() -> float:
    """An operand at the end of its error."""
    left = Bounded(np.array([[3.0]]), np.array([[1e-3]]))
    bound = inner_products(left, Bounded.exact(np.array([[2.0]])), SINGLE).error[0, 0]
    return largest_share(2e-3, bound)


# --- losses ------------------------------------------------------------------------------------------------


def at_the_ends(
    loss: LossName, z: list[float], e: list[float], target: float
) -> tuple[Array, loss_bounds.LossBound]:
    """What delta moves by when every logit goes to an end of its error, the worst over all ends."""
    logits, errors = np.array([z]), np.array([e])
    targets = np.array([int(target)]) if loss == "cross_entropy" else np.full(logits.shape, target)
    bound = LOSS_BOUNDS[loss](Bounded(logits, errors), targets, SINGLE)
    moved = np.zeros(logits.shape)
    for corner in range(2 ** len(z)):
        signs = np.array([[1.0 if corner >> k & 1 else -1.0 for k in range(len(z))]])
        there = LOSS_BOUNDS[loss](Bounded.exact(logits + signs * errors), targets, SINGLE)
        moved = np.maximum(moved, np.abs(there.delta.value - bound.delta.value))
    return moved, bound


def one_uncertain_logit() -> float:
    """z = (0, 0), of which only the second is off: both probabilities move."""
    moved, bound = at_the_ends("cross_entropy", [0.0, 0.0], [0.0, 1e-3], 0)
    return largest_share(moved, bound.delta.error)


def curved_softmax() -> float:
    """What the Jacobian at the shadow's logits leaves out."""
    z, e = np.array([[2.0, 0.0]]), np.array([[0.4, 0.4]])
    bound = LOSS_BOUNDS["cross_entropy"](Bounded(z, e), np.array([0]), SINGLE)
    there = LOSS_BOUNDS["cross_entropy"](Bounded.exact(z + e * [-1, 1]), np.array([0]), SINGLE)
    linear = (bound.jacobian @ (e * [-1, 1])[:, :, None])[:, :, 0]
    return largest_share(there.delta.value - bound.delta.value - linear, bound.rounded + bound.remainder)


def square_logits() -> float:
    moved, bound = at_the_ends("mse", [0.5, 2.0], [1e-3, 1e-4], 1.0)
    return largest_share(moved, bound.delta.error)


def uncertain_sigmoid() -> float:
    moved, bound = at_the_ends("binary_cross_entropy", [5.0], [1e-3], 1.0)
    return largest_share(moved, bound.delta.error)


def curved_sigmoid() -> float:
    z, e = np.array([[1.3]]), np.array([[0.3]])
    function, t = LOSS_BOUNDS["binary_cross_entropy"], np.zeros((1, 1))
    bound, there = function(Bounded(z, e), t, SINGLE), function(Bounded.exact(z - e), t, SINGLE)
    linear = bound.jacobian[0] @ -e
    return largest_share(there.delta.value - bound.delta.value - linear, bound.rounded + bound.remainder)


def sloppy_exponentials() -> float:
    """log-softmax of two nearly equal logits; every exp and the log off by the ulps allowed, downwards."""
    z = np.array([[0.0, -1e-6]])
    bound = LOSS_BOUNDS["cross_entropy"](Bounded.exact(z), np.array([0]), SINGLE)
    off = 2 * rounding.EXP_ULPS * U
    # The largest exponential is exactly 1, the sum is below 2, and the logarithm and the differences below 1.
    log_sum = np.log(1.0 + np.exp(z[0, 1]) * (1 + off) + U) + rounding.ELEMENTARY_ULPS * U
    p = np.exp(z - log_sum - U / 2) * (1 - off)
    return largest_share(p - [[1, 0]] - bound.delta.value, bound.delta.error)


def losses_in_order() -> float:
    """A loss of 1, then four hundred halves of its last place: summed from left to right all are lost."""
    losses = np.array([1.0] + [U] * 400)
    z = Bounded.exact(np.sqrt(losses)[:, None])
    bound = LOSS_BOUNDS["sum_of_squares"](z, np.zeros((len(losses), 1)), SINGLE).total(SINGLE)
    return largest_share(summed([*losses]) - losses.sum(), float(bound.error))


# --- activations and whole networks ------------------------------------------------------------------------


def one_tanh_unit(z: float) -> tuple[Architecture, list[tuple[Array, Array]], Array, Array]:
    architecture = Architecture((1, 1, 1), "tanh", "sum_of_squares", "float32")
    weights = [(np.full((1, 1), z, F), np.zeros(1, F)), (np.ones((1, 1), F), np.zeros(1, F))]
    return architecture, weights, np.ones((1, 1), F), np.full((1, 1), -3.0, F)


def sloppy_tanh() -> float:
    """A tanh off by all its ulps, and 1 - a^2 made of it."""
    architecture, weights, x, targets = one_tanh_unit(2.0)
    reference = backprop_reference(architecture, weights, x, targets).gradient
    z = float(weights[0][0][0, 0])
    a = np.tanh(z) - FUNCTIONS["any"]["float32"].tanh * U
    delta = 2 * (a + 3)
    hidden = delta * (1 - a * a)
    found = np.array([hidden, hidden, delta * a, delta])
    return largest_share(found - reference.value, reference.error)


def unseen_switch() -> float:
    """z = -4.7e-10 to within 3e-9: a correct implementation may find 1.9e-9, and a relu lets it through."""
    a = activation_bounds.ACTIVATION_BOUNDS["relu"](Bounded(np.array([-4.7e-10]), np.array([3e-9])), SINGLE).a
    return largest_share(1.9e-9, float(a.error[0]))


def flushed_complex_step() -> float:
    """h times the gradient of 1.1e-288 lies just below the smallest normal number, and is read as zero."""
    architecture = Architecture((1, 1), "identity", "sum_of_squares", "float64")
    weights, x, target = [(np.zeros((1, 1)), np.zeros(1))], np.ones((1, 1)), np.full((1, 1), -1.1e-288)
    bound = complex_step_bound(architecture, weights, x, target)
    return largest_share(2.2e-288, float(bound[0]))


def complex_underflow() -> float:
    """Three layers of weights 1e-150: h times the derivative has but a few bits left."""
    architecture = Architecture((1, 1, 1, 1), "identity", "sum_of_squares", "float64")
    small = [(np.full((1, 1), scale), np.zeros(1)) for scale in (1.0, 1.234567e-150, 1.345678e-152)]
    x, targets = np.full((1, 1), 1.7), np.ones((1, 1))
    network = Network.at(Problem(architecture, small, x, targets))
    stepped = gradient(network, x, targets, "complex_step", evaluation="naive")
    true = backprop_reference(architecture, small, x, targets).gradient
    bound = complex_step_bound(architecture, small, x, targets)
    return largest_share((stepped - true.value)[0], (bound + true.error)[0])


def truncated_complex_step() -> float:
    """Inputs of 1e16: h moves the logits by 1e-4, and h^2 is no longer nothing.

    Where p is next to nothing, all its derivatives are p: f^(3) is as large as f'.
    """
    architecture = Architecture((1, 2), "identity", "cross_entropy", "float64")
    weights, x, labels = [(np.array([[0.0, -20e-16]]), np.zeros(2))], np.array([[1e16]]), np.array([0])
    h, p = 1e-20 * 1e16, 1 / (1 + np.exp(20.0))
    stepped = np.log(1.0 + np.exp(-20.0 + 1j * h)).imag / h
    bound = complex_step_bound(architecture, weights, x, labels)
    return largest_share(1e16 * (stepped - p), float(bound[1]))


def linear(sizes: tuple[int, ...], weights: list[Array], x: Array, targets: Array) -> Bounded:
    """The gradient of an identity network without biases under sum_of_squares, with its bound in float32."""
    architecture = Architecture(sizes, "identity", "sum_of_squares", "float32")
    layers = [(W.astype(F), np.zeros(W.shape[1], F)) for W in weights]
    return backprop_reference(architecture, layers, x.astype(F), targets.astype(F)).gradient


LOST = np.array([1.0] + [U] * 40)  # summed from left to right, that is 1
TRUE = 1.0 + 40 * U


def backward_sum_in_order() -> float:
    """delta_2 = 1 in every output: delta_1 = sum_k W_2k, from left to right."""
    weights = [np.ones((1, 1)), LOST[None]]
    found = linear((1, 1, 41), weights, np.ones((1, 1)), (LOST - 0.5)[None])
    return largest_share(1.0 - TRUE, float(found.error[0]))


def batch_in_order() -> float:
    """db = sum_n delta_n, from left to right."""
    found = linear((1, 1), [np.zeros((1, 1))], np.ones((41, 1)), -LOST[:, None] / 2)
    return largest_share(1.0 - TRUE, float(found.error[-1]))


def activation_in_order() -> float:
    """a_1 = sum_i x_i, from left to right, beside delta_2 = 1: dW_2 = a_1."""
    weights = [np.ones((41, 1)), np.zeros((1, 1))]
    found = linear((41, 1, 1), weights, LOST[None], np.full((1, 1), -0.5))
    return largest_share(1.0 - TRUE, float(found.error[42]))


def logit_in_order() -> float:
    """z = sum_i x_i, from left to right: db = 2 (z - t)."""
    found = linear((41, 1), [np.ones((41, 1))], LOST[None], np.full((1, 1), 0.5))
    return largest_share(2 * (1.0 - TRUE), float(found.error[-1]))


@dataclass(frozen=True)
class Term:
    """One term of a bound: the text that holds it, and the implementation that needs it."""

    module: ModuleType
    text: str
    instead: str
    hostile: Callable[[], float]
    close: float = 0.5  # it uses at least this share of the bound


TERMS = {
    "partial sums": Term(
        rounding,
        "np.where(counted, binade(reach) ** power, 0.0).sum(axis=1)",
        "0.0 * reach.sum(axis=1)",
        lost_in_order,
    ),
    "products": Term(
        rounding,
        "        products = np.where(exact, 0.0, ",
        "        products = 0.0 * np.where(exact, 0.0, ",
        rounded_product,
    ),
    "the result": Term(
        rounding,
        "np.where(terms > 1, binade((total + grown) * SAFETY) ** power, 0.0)",
        "0.0 * total",
        rounded_result,
    ),
    "underflow": Term(
        rounding, "underflow = 2 * terms * arithmetic.tiny", "underflow = 0.0 * terms", underflow, 0.49
    ),
    "exact sums in range": Term(rounding, "certain & in_range & (", "certain & (", exact_underflow, 0.2),
    "flushed operands": Term(
        rounding, "np.where(size < self.tiny, size, 0.0)", "np.zeros_like(size)", flushed_operand
    ),
    "operands' errors": Term(
        rounding,
        "carried = left.error @ right.magnitude + ",
        "carried = 0 * left.error @ right.magnitude + ",
        shifted_operand,
    ),
    "logits under softmax": Term(
        loss_bounds, "else _shifted(p, z.error, D)", "else np.zeros_like(p)", one_uncertain_logit
    ),
    "the other logits under softmax": Term(
        loss_bounds,
        " + np.maximum((top * x).sum(axis=1, keepdims=True) - top * x, 0.0)",
        "",
        one_uncertain_logit,
    ),
    "the largest error": Term(
        loss_bounds,
        "D = z.error + z.error.max(axis=1, keepdims=True)\n        rho",
        "D = z.error * 1.0\n        rho",
        curved_softmax,
        0.3,
    ),
    "curvature of softmax": Term(
        loss_bounds, "p * D**2 * np.exp(np.minimum(D, 1.0)) / 2", "0 * D", curved_softmax, 0.3
    ),
    "logits under squares": Term(
        loss_bounds, "(2 * scale * z.error + rounded)", "(scale * z.error + rounded)", square_logits
    ),
    "slope of the sigmoid": Term(
        loss_bounds,
        "moved = np.minimum(z.error * expit(nearest) * expit(-nearest), 1.0)",
        "moved = 0 * z.error",
        uncertain_sigmoid,
    ),
    "curvature of the sigmoid": Term(loss_bounds, "steepest * z.error**2 / 2", "0 * z.error", curved_sigmoid),
    "exponentials": Term(
        loss_bounds,
        "np.where((z.value < m) | beaten, arithmetic.exponential, 0.0)",
        "0.0",
        sloppy_exponentials,
    ),
    "summing the batch": Term(
        loss_bounds, "arithmetic.gamma(self.n_terms + 2.0) * size", "0 * size", losses_in_order
    ),
    "the backward sum": Term(
        backward_bounds, "np.abs(d) * rounded.sure", "np.abs(d) * 0", backward_sum_in_order
    ),
    "the sum over the batch": Term(
        backward_bounds,
        "Spread(carried + rounded.sure, variance + rounded.variance)",
        "Spread(carried, variance)",
        batch_in_order,
    ),
    "the activation's error": Term(
        backward_bounds, "own.sure.T @ np.abs(value)", "0 * own.sure.T @ np.abs(value)", activation_in_order
    ),
    "the delta's error": Term(
        backward_bounds, "size @ spread.sure + own", "0 * size @ spread.sure + own", logit_in_order
    ),
    "the logits' effect on delta": Term(
        forward_bounds,
        "linear + loss.rounded + loss.remainder",
        "loss.rounded + loss.remainder",
        logit_in_order,
    ),
    "tanh's own error": Term(activation_bounds, "2 * np.abs(value) * own", "0 * own", sloppy_tanh),
    "a relu that may be on": Term(
        activation_bounds, "off = z.value + z.error <= 0", "off = z.value <= 0", unseen_switch
    ),
    "underflow times the step": Term(
        forward_mode_bounds, "arithmetic.tiny / step)", "arithmetic.tiny)", complex_underflow, 0.0
    ),
    "what is flushed times the step": Term(
        forward_mode_bounds, "arithmetic.tiny / step)", "arithmetic.tiny)", flushed_complex_step, 0.2
    ),
    "the complex step's truncation": Term(
        forward_mode_bounds, "len(state.weights) * y**2 if", "0.0 * y if", truncated_complex_step, 0.08
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_a_legal_implementation_that_does_its_worst_stays_inside_and_comes_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_term_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0
    assert term.hostile() <= 1.0  # and the bound is what it was


def test_leaving_out_what_is_not_there_is_refused() -> None:
    with pytest.raises(AssertionError, match="has 0 times"), leaving_out(rounding, "no such term", ""):
        pass


# --- signs, and bounds that must be small ------------------------------------------------------------------


def test_a_sign_that_some_order_of_summation_changes_is_undecided() -> None:
    """Inputs 1, then 2^-24 twenty times, bias -1: from left to right that is 0, and 20 * 2^-24 in truth."""
    x = np.array([[1.0] + [U] * 20])
    z = inner_products(Bounded.exact(x), Bounded.exact(np.ones((21, 1))), SINGLE, bias=np.array([-1.0]))
    assert summed([*x[0], -1.0]) == 0.0 < z.value[0, 0]
    assert undecided_signs(z)[0, 0]


@pytest.mark.parametrize("activation", ["tanh", "sigmoid"])
@pytest.mark.parametrize("z", [30.0, -40.0, 200.0])
def test_a_saturated_unit_has_a_small_bound(activation: str, z: float) -> None:
    """Its value is known to a few roundings and its derivative is nothing, whatever its error of 1e-3."""
    found = activation_bounds.ACTIVATION_BOUNDS[activation](Bounded(np.array([z]), np.array([1e-3])), SINGLE)
    assert found.a.error[0] <= 32 * U
    assert found.derivative.error[0] <= 64 * U


def test_the_weights_of_a_dead_tanh_unit_have_a_small_bound() -> None:
    """z = 20: dW1 is zero to within rounding, and 0.5 in its place FAILs."""
    architecture, weights, x, targets = one_tanh_unit(20.0)
    reference = backprop_reference(architecture, weights, x, targets).gradient
    assert reference.error[0] <= 1e-5


def test_dead_relu_units_have_no_error_at_all() -> None:
    architecture = Architecture((2, 2, 1), "relu", "mse", "float32")
    weights = [(np.ones((2, 2), F), np.full(2, -9.0, F)), (np.ones((2, 1), F), np.zeros(1, F))]
    reference = backprop_reference(architecture, weights, np.ones((3, 2), F), np.ones((3, 1), F)).gradient
    np.testing.assert_array_equal(reference.error[:8], 0.0)
    assert reference.error[8] > 0


def test_sums_of_integers_have_no_error_in_the_loss_of_one_layer() -> None:
    architecture = Architecture((2, 1), "identity", "sum_of_squares", "float32")
    weights = [(np.array([[2.0], [3.0]], F), np.ones(1, F))]
    reference = backprop_reference(architecture, weights, np.ones((1, 2), F), np.zeros((1, 1), F))
    assert reference.logits.error.max() == 0.0


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "relu", "identity"])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
def test_no_bounded_function_makes_a_number_of_an_infinite_bound(
    activation: ActivationName, loss: LossName
) -> None:
    """1e38 times 10 minus the same: infinity minus infinity in float32, whatever comes after."""
    architecture = Architecture((2, 1, 2), activation, loss, "float32")
    weights = [(np.array([[1e38], [-1e38]], F), np.zeros(1, F)), (np.ones((1, 2), F), np.zeros(2, F))]
    targets = np.array([0]) if loss == "cross_entropy" else np.zeros((1, 2), F)
    reference = backprop_reference(architecture, weights, np.full((1, 2), 10, F), targets)
    assert not np.isfinite(reference.gradient.error).any()
    assert not np.isfinite(float(reference.loss.error))
