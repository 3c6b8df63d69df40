"""Bounds between differences and gradients, term by term: cases that come close, and need every term.

Truncation is largest where a variable on two points has its largest third cumulant, p = (1 - 1 / sqrt 3) / 2;
a kink inside the stencil, sums in a hostile order, logits off by half a unit of their largest summand.
"""

import numpy as np
import pytest

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.numerical.unit_differences import UnitDifferences
from backproof.comparisons.verdicts import certified_differences, difference_bounds, relu_kinks, shared_deltas
from backproof.comparisons.verdicts.certified_differences import central_differences
from backproof.comparisons.verdicts.difference_bounds import central_difference_bound, unit_difference_bound
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import (
    _Selections,
    expected_gradient,
    flat_gradient,
    judge_gradient,
)
from backproof.comparisons.verdicts.relu_selections import selected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.shared_deltas import scale_of_error
from backproof.scratch.architecture import ActivationName, Architecture, Array, LossName
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.problem import Problem
from tests.comparisons.verdicts.test_hostile_rounding import Term, largest_share
from tests.comparisons.verdicts.test_relu_kinks import many_near_zeros, near_reference
from tests.support.leaving_out import leaving_out
from tests.support.strategies import random_case

U = 2.0**-53
WORST = np.log((3 + np.sqrt(3)) / (3 - np.sqrt(3)))  # the logit of the p with the largest third cumulant
H = 1e-2

Layers = list[tuple[Array, Array]]


def two_classes(W1: float, b1: float, W2: float, b2: float, x: Array) -> Network:
    """One relu unit and two classes, of which the second has the logit 0."""
    layers = [
        (np.full((x.shape[1], 1), W1), np.full(1, b1)),
        (np.array([[W2, 0.0]]), np.array([b2, 0.0])),
    ]
    architecture = Architecture((x.shape[1], 1, 2), "relu", "cross_entropy")
    return Network.at(Problem(architecture, layers, x, np.ones(len(x), dtype=int)))


def stepped(network: Network, x: Array, step: float) -> Array:
    labels = np.ones(len(x), dtype=int)
    return gradient(network, x, labels, "central_difference", evaluation="structured", step=step)


def differences_share(network: Network, x: Array, entry: int, step: float) -> float:
    """|difference - backprop| over its bound, of one entry."""
    error = stepped(network, x, step) - gradient(network, x, np.ones(len(x), dtype=int))
    steps = np.maximum(1.0, np.abs(network.parameters.flat)) * step
    return largest_share(error[entry], central_difference_bound(network, x, steps)[entry])


def truncation() -> float:
    x = np.ones((1, 1))
    return differences_share(two_classes(1.0, 0.0, 1.0, WORST - 1.0, x), x, 0, H)


def truncation_above() -> float:
    x = np.ones((1, 1))
    return differences_share(two_classes(1.0, 0.0, 1.0, WORST - 1.0, x), x, 2, H)


def kink_in_the_stencil() -> float:
    """z = 1e-9: half of the stencil lies where the unit is off."""
    x = np.ones((1, 1))
    return differences_share(two_classes(1e-9, 0.0, 1.0, 9.0, x), x, 0, H)


def sign_by_rounding() -> float:
    """z = 1 + 20 * 2^-53 - 1 summed from left to right is 0: one gradient has the unit off, the other on."""
    x = np.array([[1.0] + [U] * 20])
    network = two_classes(1.0, -1.0, 1.0, 40.0, x)
    bound = central_difference_bound(network, x, np.full(len(network.parameters.flat), 1e-30))
    return largest_share(1.0, bound[0])


def batch_in_order() -> float:
    """dW_1 = sum_n x_n delta_n with x = 1, then 2^-53 two thousand times: all of them are lost."""
    n = 2000
    x = np.concatenate([[[1.0]], np.full((n, 1), U)])
    network = two_classes(0.0, 1.0, 1.0, 40.0, x)
    bound = central_difference_bound(network, x, np.full(len(network.parameters.flat), 1e-30))
    return largest_share(n * U / (n + 1), bound[0])


def offset_logits() -> float:
    """2^20 - 2^20: the logit is off by half a unit of its summands, and p (1 - p) of that in every delta."""
    x = np.ones((1, 1))
    network = two_classes(0.0, 1.0, 2.0**20, -(2.0**20), x)
    bound = central_difference_bound(network, x, np.full(len(network.parameters.flat), 1e-30))
    return largest_share(0.25 * 2.0**20 * U, bound[5])


def logits_in_order() -> float:
    """2^20, then 2^-33 two hundred times, all of them lost, and the bias of -2^20."""
    n, size = 200, 2.0**20
    W2 = np.zeros((n + 1, 2))
    W2[:, 0] = size * np.array([1.0] + [U] * n)
    layers = [(np.zeros((1, n + 1)), np.ones(n + 1)), (W2, np.array([-size, 0.0]))]
    architecture = Architecture((1, n + 1, 2), "relu", "cross_entropy")
    network = Network.at(Problem(architecture, layers, np.ones((1, 1)), np.ones(1, dtype=int)))
    bound = central_difference_bound(network, np.ones((1, 1)), np.full(architecture.n_parameters, 1e-30))
    return largest_share(0.25 * n * size * U, bound[-2])


def offset_units() -> float:
    """The same one layer below: a = 1 + 2^20 - 2^20."""
    x = np.ones((1, 1))
    network = two_classes(2.0**20, 1.0 - 2.0**20, 1.0, -1.0, x)
    bound = central_difference_bound(network, x, np.full(len(network.parameters.flat), 1e-30))
    return largest_share(0.25 * 2.0**20 * U, bound[5])


def units_share(network: Network, x: Array, entry: int, step: float) -> float:
    """|difference of units - backprop| over its bound, of one entry."""
    labels = np.ones(len(x), dtype=int)
    error = UnitDifferences(step)(network, x, labels) - gradient(network, x, labels)
    return largest_share(error[entry], unit_difference_bound(network, x, step)[entry])


def unit_truncation() -> float:
    x = np.ones((1, 1))
    return units_share(two_classes(1.0, 0.0, 1.0, WORST - 1.0, x), x, 0, H)


def logit_truncation() -> float:
    x = np.ones((1, 1))
    return units_share(two_classes(1.0, 0.0, 1.0, WORST - 1.0, x), x, 2, H)


def kink_in_a_units_stencil() -> float:
    x = np.ones((1, 1))
    return units_share(two_classes(1e-9, 0.0, 1.0, 9.0, x), x, 0, H)


def sign_by_rounding_of_units() -> float:
    x = np.array([[1.0] + [U] * 20])
    return largest_share(1.0, unit_difference_bound(two_classes(1.0, -1.0, 1.0, 40.0, x), x, 4 * U)[0])


def offset_logits_by_units() -> float:
    x = np.ones((1, 1))
    network = two_classes(0.0, 1.0, 2.0**20, -(2.0**20), x)
    return largest_share(0.25 * 2.0**20 * U, unit_difference_bound(network, x, 4 * U)[5])


# --- certified differences ---------------------------------------------------------------------------------


def certified_share(
    loss: LossName, layers: Layers, x: Array, targets: Array, entry: int, activation: ActivationName
) -> float:
    """|certified difference - gradient| over its bound, of one entry."""
    sizes = (x.shape[1], *(W.shape[1] for W, _ in layers))
    architecture = Architecture(sizes, activation, loss)
    found = central_differences(architecture, layers, x, targets, np.array([entry])).gradient
    true = backprop_reference(architecture, layers, x, targets).gradient
    return largest_share(found.value[0] - true.value[entry], found.error[0])


def coarse(loss: LossName, activation: ActivationName = "identity") -> float:
    """One weight with an input of 2^9, so that the shortest step's truncation is all of the error."""
    x, targets = np.ones((1, 1)), np.zeros(1, dtype=int) if loss == "cross_entropy" else np.zeros((1, 2))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certified_differences, "STEP", 2.0**-5)
        layers = [(np.array([[WORST, 0.0]]), np.zeros(2))]
        return certified_share(loss, layers, x, targets, 0, activation)


def truncated_softmax() -> float:
    return coarse("cross_entropy")


def truncated_sigmoid() -> float:
    return coarse("binary_cross_entropy")


def smooth(loss: LossName) -> float:
    """tanh below a loss, at steps of 2^-5: nothing but truncation."""
    x, targets = np.ones((1, 1)), np.zeros(1, dtype=int) if loss == "cross_entropy" else np.full((1, 2), -1.0)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(certified_differences, "STEP", 2.0**-5)
        layers = [(np.full((1, 1), 0.1), np.zeros(1)), (np.array([[1.0, -1.0]]), np.zeros(2))]
        return certified_share(loss, layers, x, targets, 0, "tanh")


def smooth_softmax() -> float:
    return smooth("cross_entropy")


def smooth_squares() -> float:
    return smooth("mse")


def subtracted_losses() -> float:
    """Losses near 2^20: x w, z - t and the square all round one way at t + h, and the other at t - h.

    z is off by u z, z - t by twice that, and the loss by five u.
    """
    architecture = Architecture((1, 1), "identity", "sum_of_squares")
    layers = [(np.array([[1024.3 / 1.0001]]), np.zeros(1))]
    arguments = architecture, layers, np.full((1, 1), 1.0001), np.full((1, 1), 1e-3)
    found = central_differences(*arguments, np.array([0])).gradient
    h = certified_differences.STEP * 1024
    return largest_share(5 * 2.0**20 * U / h, found.error[0])


def uncertain_signs() -> float:
    """Beyond the bound's 1.0 where a unit that rounding may have switched at an end is called certain."""
    plus = Bounded(np.array([[1e-17]]), np.array([[1e-16]]))
    minus = Bounded(np.array([[2e-17]]), np.array([[1e-16]]))
    return 2.0 if certified_differences._equal_signs(plus, minus, 1)[0] else 0.5


def rounded_shift() -> float:
    """z = x, exactly; x h lies half a unit in the last place of z from it, at both ends inwards."""
    x, difference = np.array([[1 + (2**13 - 1) * 2.0**-52]]), 2.0**-10
    layers = [(np.ones((1, 1)), np.zeros(1))]
    architecture = Architecture((1, 1), "identity", "sum_of_squares")
    found = central_differences(architecture, layers, x, x - difference, np.array([0])).gradient
    return largest_share(found.value[0] - 2 * difference * x[0, 0], found.error[0])


def shifted_by_an_uncertain_input() -> float:
    """dW_2 = -2 a_1 at W_2 = 0, so that z_2 is exact; a_1 = x W_1 - 2^20, of which a tie rounds 2^-33 off."""
    x, w = np.array([[1 + 2.0**-26]]), np.array([[2.0**20 * (1 + 2.0**-27)]])
    layers = [(w, np.array([-(2.0**20)])), (np.zeros((1, 1)), np.zeros(1))]
    architecture = Architecture((1, 1, 1), "identity", "sum_of_squares")
    found = central_differences(architecture, layers, x, np.ones((1, 1)), np.array([2])).gradient
    true = -2 * (2.0**20 * (2.0**-26 + 2.0**-27) + 2.0**-33)
    return largest_share(found.value[0] - true, found.error[0])


# --- shared deltas and selections --------------------------------------------------------------------------

F = np.float32


def shared(scale: float, layers: Layers, x: Array, targets: Array) -> float:
    """The least t for a gradient of an identity layer whose deltas are off by `scale` of their error."""
    architecture = Architecture((x.shape[1], 1), "identity", "sum_of_squares", "float32")
    reference = backprop_reference(architecture, layers, x, targets)
    delta = reference.state.loss.delta
    A = np.hstack([x, np.ones((len(x), 1))]).astype(np.float64)
    found = reference.gradient.value + (A.T @ (scale * delta.error)).ravel()
    expected = Bounded(reference.gradient.value, np.zeros_like(found))
    return scale_of_error(reference, found, expected, 0)[0]


def deltas_at_their_ends() -> float:
    """Both examples' deltas are off by nearly all that they may be, in dW and db alike."""
    x, targets = np.array([[1.5], [0.7]], F), np.array([[0.3], [-0.4]], F)
    return shared(0.9, [(np.full((1, 1), 1e3, F), np.full(1, -1e3, F))], x, targets)


def rounded_products() -> float:
    """x delta rounds down by half a unit in dW alone."""
    architecture = Architecture((1, 1), "identity", "sum_of_squares", "float32")
    factor = 1 + 2.0**-12
    layers = [(np.zeros((1, 1), F), np.zeros(1, F))]
    x, targets = np.full((1, 1), factor, F), np.full((1, 1), -factor / 2, F)
    reference = backprop_reference(architecture, layers, x, targets)
    found = reference.gradient.value.copy()
    found[0] = float(F(factor) * F(factor)) + 0.0
    return scale_of_error(reference, found, Bounded(reference.gradient.value, 0 * found), 0)[0]


def witness_at_its_end() -> float:
    """A witness that is off by nearly its whole error, in float32, where it is far finer than the result."""
    architecture = Architecture((1, 1), "identity", "sum_of_squares", "float32")
    layers = [(np.ones((1, 1), F), np.zeros(1, F))]
    reference = backprop_reference(architecture, layers, np.ones((1, 1), F), np.zeros((1, 1), F))
    own = reference.gradient
    witness = Bounded(own.value + 1e-3, np.full(2, 1.01e-3))
    held = expected_gradient(reference, Bounded(witness.value + 1e-3, witness.error))  # does not confirm
    return largest_share(own.value - (held.value - 1e-3), held.error)


def own_error_beside_a_witness() -> float:
    """An exact witness; the result is off by nearly all that its own bound allows."""
    architecture = Architecture((1, 1), "identity", "sum_of_squares", "float32")
    layers = [(np.ones((1, 1), F), np.zeros(1, F))]
    reference = backprop_reference(architecture, layers, np.full((1, 1), 1.3, F), np.zeros((1, 1), F))
    own = reference.gradient
    held = expected_gradient(reference, Bounded.exact(own.value))
    return largest_share(0.9 * own.error, held.error)


def stored_gradient() -> float:
    """One example in float64: each entry of the shadow's longdouble gradient was rounded by itself."""
    case = random_case(Architecture((2, 2), "identity", "cross_entropy", "float64"), "saturated", 1, 0)
    contender = ScratchMLP()
    contender.load(case.architecture, case.weights)
    found = flat_gradient(contender.loss_and_gradient(case.x, case.targets)[1])
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    return scale_of_error(reference, found, Bounded(reference.gradient.value, 0 * found), 0)[0]


def many_switched_units() -> float:
    """Thirty undecided units, half of them on: outside, were a bound for one selection asked."""
    reference, found = many_near_zeros(30)
    return 0.5 if judge_gradient(reference, found).outcome == Outcome.INCONCLUSIVE else 2.0


def witness_on_the_other_side() -> float:
    """The witness has the unit off and is off by nearly its error; the result has it on."""
    reference = near_reference()
    on, off = selected(reference.state, ()).value, selected(reference.state, ((0, 0, 0),)).value
    witness = Bounded(off + 0.9e-6, np.full(4, 1e-6))
    return 0.5 if judge_gradient(reference, on, witness, required=1.0).outcome == Outcome.PASS else 2.0


def on_for_some() -> Reference:
    """One example with z = 0.3 - 0.1 * 3 < 0 within its rounding: dW_1 and db_1 are zero, or not."""
    architecture = Architecture((1, 1, 1), "relu", "sum_of_squares", "float64")
    layers = [(np.full((1, 1), -0.1), np.full(1, 0.3)), (np.full((1, 1), 2.0), np.full(1, 0.5))]
    return backprop_reference(architecture, layers, np.full((1, 1), 3.0), np.full((1, 1), 0.3))


def fitting_share(reference: Reference, found: Array) -> float:
    """The error over the bound at the selection that fits; 2 where none does, and the verdict is FAIL."""
    candidate = next(_Selections(reference).fitting(found, reference.gradient), None)
    return 2.0 if candidate is None else largest_share(found - candidate.value, candidate.error)


def rounded_while_on() -> float:
    """The unit on, and off by nearly what rounds where it is on: dW_1 and db_1, exact where it is off."""
    reference = on_for_some()
    on = selected(reference.state, ((0, 0, 0),))
    return fitting_share(reference, on.value + 0.9 * on.error)


def rounded_while_off() -> float:
    """The unit off as in the shadow, and db_2 off by nearly what it rounds."""
    reference = on_for_some()
    return fitting_share(reference, reference.gradient.value + 0.9 * reference.gradient.error)


TERMS = {
    "what a flipped unit's example rounds": Term(relu_kinks, "error + part.error", "error", rounded_while_on),
    "the same in a selection": Term(
        relu_kinks, "expected.error + moved.error + extra", "expected.error + extra", rounded_while_on
    ),
    "the gradient's own error in a selection": Term(
        relu_kinks, "expected.error + moved.error + extra", "moved.error + extra", rounded_while_off
    ),
    "the shift's rounding": Term(
        certified_differences, " + 4 * state.arithmetic.unit * size", "", rounded_shift, 0.1
    ),
    "the shift's input": Term(
        certified_differences, "np.abs(h[:, None]) * errors + ", "", shifted_by_an_uncertain_input
    ),
    "storing in double precision": Term(
        shared_deltas, "(expected.error[rows] + stored)", "expected.error[rows]", stored_gradient
    ),
    "every selection": Term(relu_kinks, "expected.error + 2 * reach", "expected.error", many_switched_units),
    "where the witness stands": Term(
        relu_kinks,
        "both = Bounded(own.value, own.error + witness.error)",
        "both = own",
        witness_on_the_other_side,
    ),
    "majorants": Term(
        certified_differences,
        "b @ self.state.weights[above + 1].magnitude",
        "0 * b @ self.state.weights[above + 1].magnitude",
        smooth_softmax,
        0.06,
    ),
    "truncation": Term(
        difference_bounds,
        "_third(h) * (third.T @ cubed)",
        "0 * (third.T @ cubed)",
        truncation,
    ),
    "truncation of the logits' weights": Term(
        difference_bounds,
        "_terms(state.a, np.ones_like(kappa), ",
        "_terms(state.a, np.zeros_like(kappa), ",
        truncation_above,
    ),
    "kinks": Term(
        difference_bounds,
        "(2 * near + self.kappa * on) * self.spread",
        "self.kappa * on * self.spread",
        kink_in_the_stencil,
        0.2,
    ),
    "the stencil's reach": Term(
        difference_bounds,
        "first.max(axis=0) * state.inputs.max(axis=1)[:, None] + state.e_z",
        "0 * first.max(axis=0) + state.e_z",
        kink_in_the_stencil,
        0.2,
    ),
    "signs that rounding decides": Term(
        difference_bounds,
        "inputs.max(axis=1)[:, None] + state.e_z",
        "inputs.max(axis=1)[:, None] + 0 * state.e_z",
        sign_by_rounding,
        0.4,
    ),
    "truncation of a unit's difference": Term(
        difference_bounds, "_third(first) * cubed + linear", "0 * cubed + linear", unit_truncation
    ),
    "a kink or rounding beside a unit's truncation": Term(
        difference_bounds,
        "_third(first) * cubed + linear",
        "_third(first) * cubed",
        kink_in_a_units_stencil,
        0.2,
    ),
    "truncation of a logit's difference": Term(
        difference_bounds,
        "_third(second) + state.kappa",
        "0 * _third(second) + state.kappa",
        logit_truncation,
    ),
    "the logits' error in a logit's difference": Term(
        difference_bounds,
        "_third(second) + state.kappa",
        "_third(second) + 0 * state.kappa",
        offset_logits_by_units,
        0.005,
    ),
    "the reach of a unit's stencil": Term(
        difference_bounds, "<= first + state.e_z", "<= 0 * first + state.e_z", kink_in_a_units_stencil, 0.2
    ),
    "signs of units that rounding decides": Term(
        difference_bounds, "<= first + state.e_z", "<= first + 0 * state.e_z", sign_by_rounding_of_units, 0.4
    ),
    "rounded sums": Term(
        difference_bounds, "kappa = 2 * _gamma(", "kappa = 0 * _gamma(", batch_in_order, 0.4
    ),
    "the logits' error": Term(
        difference_bounds,
        "+ 4 * e.max(axis=1)[:, None]",
        "+ 0 * e.max(axis=1)[:, None]",
        offset_logits,
        0.006,
    ),
    "the logits' own sums": Term(
        difference_bounds,
        "e = _gamma(len(W2) + 2) * (a @ np.vstack",
        "e = 0 * (a @ np.vstack",
        logits_in_order,
        0.03,
    ),
    "the units' error in the logits": Term(
        difference_bounds, "+ e_z @ np.abs(W2)", "+ 0 * e_z @ np.abs(W2)", offset_units, 0.009
    ),
    "truncation under softmax": Term(
        certified_differences, "np.asarray(THIRD * (spread**3).sum(axis=1))", "np.zeros(m)", truncated_softmax
    ),
    "truncation under the sigmoid": Term(
        certified_differences,
        "np.asarray(THIRD * ((np.abs(slope) + error) ** 3).sum(axis=(1, 2)))",
        "np.zeros(m)",
        truncated_sigmoid,
    ),
    "truncation of tanh under softmax": Term(
        certified_differences,
        "R[2] + R[0] * R[1] / 4 + THIRD * R[0] ** 3 / 6",
        "0 * R[2]",
        smooth_softmax,
        0.06,
    ),
    "truncation of tanh under squares": Term(
        certified_differences,
        "(slope * y[2] + second * y[0] * y[1] + third * y[0] ** 3 / 6).sum(axis=1)",
        "(0 * y[2]).sum(axis=1)",
        smooth_squares,
        0.07,
    ),
    "subtracted losses": Term(
        certified_differences,
        "rounding = scale * (error + summing) / (2 * h)",
        "rounding = scale * summing / (2 * h)",
        subtracted_losses,
        0.3,
    ),
    "signs that are certain": Term(
        certified_differences,
        "(plus.value > plus.error) & (minus.value > minus.error)",
        "(plus.value > 0) & (minus.value > 0)",
        uncertain_signs,
    ),
    "the deltas' errors": Term(
        shared_deltas, "delta.error[:, j])", "0 * delta.error[:, j])", deltas_at_their_ends
    ),
    "what the products round": Term(
        shared_deltas, "rho = np.maximum(rounded.error, least)", "rho = least", rounded_products
    ),
    "the witness's error": Term(
        relu_kinks,
        "np.where(proven, 0.0, own.error + witness.error)",
        "np.where(proven, 0.0, own.error)",
        witness_at_its_end,
    ),
    "the result's own error": Term(
        relu_kinks,
        "np.where(proven, 0.0, own.error + witness.error)",
        "np.where(proven, 0.0, witness.error)",
        own_error_beside_a_witness,
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_a_case_that_needs_the_term_stays_inside_and_comes_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_term_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0


def test_an_error_that_might_switch_a_unit_on_at_one_end_is_in_no_difference_that_is_used() -> None:
    """Equal signs are certain on and certain off alone, and frozen units need no signs of the ends.

    So where `_next` keeps the error of a unit that is off, but might be on, the certificate does not hold,
    and a frozen difference takes its place. Here the second unit is such a one whatever the first one's
    parameters do.
    """
    x = np.array([[1.0] + [U] * 20])
    architecture = Architecture((21, 2, 1), "relu", "sum_of_squares", "float64")
    first = np.tile([[0.7, -1.0]], (21, 1)), np.array([0.2, 1.0])
    arguments = architecture, [first, (np.ones((2, 1)), np.zeros(1))], x, np.full((1, 1), 0.3)
    entries = np.array([0, 42])  # W_1 and b_1 of the first unit
    kept = central_differences(*arguments, entries)
    assert (kept.certified, kept.shrunk, kept.frozen) == (0, 0, 2)
    with leaving_out(certified_differences, "z.value + z.error > 0", "on"):
        left_out = central_differences(*arguments, entries)
    np.testing.assert_array_equal(kept.gradient.value, left_out.gradient.value)
    np.testing.assert_array_equal(kept.gradient.error, left_out.gradient.error)
