"""Elementary functions at the ends of their errors, and errors on their way through layers, term by term."""

import numpy as np
import pytest

from backproof.comparisons.verdicts import (
    activation_bounds,
    backward_bounds,
    forward_mode_bounds,
    jacobian_paths,
    loss_bounds,
    rounding,
)
from backproof.comparisons.verdicts.activation_bounds import ACTIVATION_BOUNDS
from backproof.comparisons.verdicts.forward_bounds import forward
from backproof.comparisons.verdicts.forward_mode_bounds import forward_mode_error
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS, sigmoid
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.rounding import EXP_ULPS, FUNCTIONS, Arithmetic, Bounded, product
from backproof.scratch.architecture import Architecture, Array
from tests.comparisons.verdicts.test_hostile_rounding import (
    LOST,
    SINGLE,
    TRUE,
    F,
    Term,
    U,
    largest_share,
    linear,
    summed,
)
from tests.support.leaving_out import leaving_out

OF_NUMPY = Arithmetic.of("float32", shadow=False, functions="numpy")  # a (1 - a), no other formula
EXP = 2 * EXP_ULPS * U  # the relative error of exp, at most

# --- elementary functions ----------------------------------------------------------------------------------


def at(z: float) -> Bounded:
    return Bounded.exact(np.array([[z]]))


def sloppy_exponential() -> float:
    """1 / (1 + exp(-z)) at z = -5 with an exp off by all its ulps: the sigmoid is off by nearly as much."""
    found = 1 / (1 + np.exp(5.0) * (1 - EXP))
    return largest_share(found - 1 / (1 + np.exp(5.0)), sigmoid(at(-5.0), SINGLE).error[0, 0])


def lost_exponential() -> float:
    """At z = 17 the exponential is lost beside 1."""
    z = 17.0
    return largest_share(1.0 - 1 / (1 + np.exp(-z)), sigmoid(at(z), SINGLE).error[0, 0])


def sigmoid_by_softplus() -> float:
    """exp(z - softplus(z)) at z = 9, the softplus off by half a unit in its last place, 8 U."""
    true = 1 / (1 + np.exp(-9.0))
    found = np.exp(-np.log1p(np.exp(-9.0)) - 8 * U)
    return largest_share(found - true, sigmoid(at(9.0), SINGLE, by_softplus=True).error[0, 0])


def moved_sigmoid_derivative() -> float:
    """a (1 - a) with an `a` off by what the sigmoid may be off by, at z = -5."""
    found = ACTIVATION_BOUNDS["sigmoid"](at(-5.0), OF_NUMPY)
    a = found.a.value[0, 0]
    moved = a - 0.9 * found.own[0, 0]
    return largest_share(moved * (1 - moved) - a * (1 - a), found.derivative.error[0, 0])


def other_formula_of_tanh() -> float:
    """sech(z)^2 off by nearly all its roundings, at z = 0.1, where 1 - a^2 rounds next to nothing."""
    found = ACTIVATION_BOUNDS["tanh"](at(0.1), SINGLE)
    return largest_share(0.9 * SINGLE.from_z * U / np.cosh(0.1) ** 2, found.derivative.error[0, 0])


def other_formula_of_a_moved_tanh() -> float:
    """The same at z = 0 to within 1e-3, where sech(z)^2 falls by e^2 to either side."""
    e = 1e-3
    found = ACTIVATION_BOUNDS["tanh"](Bounded(np.zeros(1), np.array([e])), SINGLE)
    return largest_share(
        np.tanh(e) ** 2 + 0.95 * SINGLE.from_z * U / np.cosh(e) ** 2, found.derivative.error[0]
    )


def other_formula_of_a_moved_sigmoid() -> float:
    """The sigmoid's slope of 1/4 falls by e^2 / 16 to either side."""
    e = 2e-3
    found = ACTIVATION_BOUNDS["sigmoid"](Bounded(np.zeros(1), np.array([e])), SINGLE)
    slope = 0.25 / np.cosh(e / 2) ** 2
    return largest_share(0.25 - slope + 0.95 * SINGLE.from_z * U * slope, found.derivative.error[0])


def curved_tanh() -> float:
    """z off by 0.2 at 0.6: the derivative at the shadow's z leaves out a part of what a moves by."""
    z, e = 0.6, 0.2
    found = ACTIVATION_BOUNDS["tanh"](Bounded(np.array([z]), np.array([e])), SINGLE)
    linear_part = (1 - np.tanh(z) ** 2) * -e
    return largest_share(np.tanh(z - e) - np.tanh(z) - linear_part, found.own[0])


def curved_sigmoid() -> float:
    z, e = 1.3, 0.3
    found = ACTIVATION_BOUNDS["sigmoid"](Bounded(np.array([z]), np.array([e])), SINGLE)
    true = 1 / (1 + np.exp(-np.array([z, z - e])))
    return largest_share(true[1] - true[0] + true[0] * (1 - true[0]) * e, found.own[0])


def moved_derivative() -> float:
    """z = 0.6 off by 0.2: f' follows it."""
    z, e = 0.6, 0.2
    found = ACTIVATION_BOUNDS["tanh"](Bounded(np.array([z]), np.array([e])), SINGLE)
    return largest_share(np.tanh(z) ** 2 - np.tanh(z - e) ** 2, found.derivative.error[0])


def derivative_after_a_sum_in_order() -> float:
    """z_1 = 0.5 and forty lost halves, in db_1 = delta_2 f'(z_1) with a large delta_2."""
    architecture = Architecture((41, 1, 1), "tanh", "sum_of_squares", "float32")
    weights = [(np.ones((41, 1), F), np.zeros(1, F)), (np.ones((1, 1), F), np.zeros(1, F))]
    x, targets = (LOST[None] / 2).astype(F), np.full((1, 1), -2048.0, F)
    reference = backprop_reference(architecture, weights, x, targets, functions="numpy").gradient
    delta = 2 * (np.tanh(TRUE / 2) + 2048.0)
    return largest_share(delta * (np.tanh(TRUE / 2) ** 2 - np.tanh(0.5) ** 2), float(reference.error[41]))


def lost_product() -> float:
    """(1 + 2^-12)^2, entry by entry."""
    factor = Bounded.exact(np.array([1 + 2.0**-12]))
    rounded = float(F(factor.value[0]) * F(factor.value[0])) - factor.value[0] ** 2
    return largest_share(rounded, product(factor, factor, SINGLE).error[0])


def moved_product() -> float:
    """A factor at the end of its error."""
    left = Bounded(np.array([3.0]), np.array([1e-3]))
    return largest_share(2e-3, product(left, Bounded.exact(np.array([2.0])), SINGLE).error[0])


# --- losses ------------------------------------------------------------------------------------------------


def rounded_difference_of_sigmoid() -> float:
    """p - t with a target of -1000: off by half a unit in the last place of 1000."""
    bound = LOSS_BOUNDS["binary_cross_entropy"](at(0.0), np.array([[-1000.0]]), SINGLE)
    return largest_share(512 * U, bound.delta.error[0, 0])


def rounded_difference_of_squares() -> float:
    """2 (z - t) with z = 2^-24 beside t = -1: z is lost."""
    bound = LOSS_BOUNDS["sum_of_squares"](at(U), np.array([[-1.0]]), SINGLE)
    return largest_share(2 * U, bound.delta.error[0, 0])


def flushed_target() -> float:
    """A target of 1e-39, read as zero."""
    bound = LOSS_BOUNDS["sum_of_squares"](at(0.0), np.array([[1e-39]]), SINGLE)
    with np.errstate(under="ignore"):
        return largest_share(2e-39, bound.delta.error[0, 0] - 2 * SINGLE.tiny)


# --- errors on their way -----------------------------------------------------------------------------------

ONE = np.ones((1, 1))


def three_layers_up() -> float:
    """z_1 = sum_i x_i from left to right, and dW_4 = a_3 = z_1."""
    weights = [np.ones((41, 1)), ONE, ONE, 0 * ONE]
    return largest_share(
        1.0 - TRUE, float(linear((41, 1, 1, 1, 1), weights, LOST[None], -0.5 * ONE).error[46])
    )


def three_layers_down() -> float:
    """delta_3 = sum_k W_4k from left to right, and db_1 = delta_1 = delta_3."""
    found = linear((1, 1, 1, 1, 41), [ONE, ONE, ONE, LOST[None]], ONE, (LOST - 0.5)[None])
    return largest_share(1.0 - TRUE, float(found.error[1]))


def far_up() -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jacobian_paths, "MOST_WORK", -1.0)
        return three_layers_up()


def far_down() -> float:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(jacobian_paths, "MOST_WORK", -1.0)
        return three_layers_down()


# --- forward mode -----------------------------------------------------------------------------------------


def forward_mode(sizes: tuple[int, ...], weights: list[Array], x: Array, targets: Array) -> Array:
    architecture = Architecture(sizes, "identity", "sum_of_squares", "float32")
    layers = [(W.astype(F), np.zeros(W.shape[1], F)) for W in weights]
    return forward_mode_error(forward(architecture, layers, x.astype(F), targets.astype(F), SINGLE))


def examples_summed_in_order() -> float:
    error = forward_mode((1, 1), [0 * ONE], np.ones((41, 1)), -LOST[:, None] / 2)
    return largest_share(1.0 - TRUE, error[1])


MANY_LOST = np.array([1.0] + [U] * 400)


def tangents_in_two_orders() -> float:
    """W_3 alike in both outputs and delta_3 = (1, -1): backpropagation has delta_2 = 0, and no sum.

    The tangents of b_1 are z_3' = sum_k W_2k W_3k in both outputs: one of them summed from left to right,
    the other from right to left.
    """
    weights = [0 * ONE, MANY_LOST[None], np.ones((len(MANY_LOST), 2))]
    error = forward_mode((1, 1, len(MANY_LOST), 2), weights, 0 * ONE, np.array([[-0.5, 0.5]]))
    return largest_share(summed(list(MANY_LOST)) - summed(list(MANY_LOST[::-1])), error[1])


def tangents_of_a_loss_in_order() -> float:
    """The same with two outputs for each unit: delta_2 = 0 again, and each output's tangent is a product.

    L' = sum_m delta_m z_m' sums them all, those of delta_m = 1 first, from left to right.
    """
    n = len(MANY_LOST)
    weights = [0 * ONE, MANY_LOST[None], np.repeat(np.eye(n), 2, axis=1)]
    error = forward_mode((1, 1, n, 2 * n), weights, 0 * ONE, np.tile([[-0.5, 0.5]], n))
    return largest_share(summed([*MANY_LOST, *-MANY_LOST]), error[1])


def both_factors_moved() -> float:
    """3 and 2, both off by one: 12 is as legal as 6."""
    left, right = (Bounded(np.array([size]), np.ones(1)) for size in (3.0, 2.0))
    return largest_share(12.0 - 6.0, product(left, right, SINGLE).error)


TERMS = {
    "tangents on their way": Term(
        forward_mode_bounds,
        "(arithmetic.gamma(terms + TANGENT_ROUNDINGS) + off) * size",
        "off * size",
        tangents_in_two_orders,
        0.4,
    ),
    "tangents in the loss": Term(
        forward_mode_bounds,
        "arithmetic.gamma(2 * arithmetic.logarithm + values[-1].shape[1] + 8) + off",
        "off",
        tangents_of_a_loss_in_order,
        0.2,
    ),
    "both operands' errors at once": Term(
        rounding,
        "magnitude: Array = np.abs(self.value) + self.error",
        "magnitude: Array = np.abs(self.value)",
        both_factors_moved,
    ),
    "f' following z": Term(
        activation_bounds,
        "d_error = curvature * np.where(known, z.error, 0.0) + derivative_own",
        "d_error = derivative_own",
        moved_derivative,
    ),
    "f' following z on the way down": Term(
        backward_bounds,
        "smooth.curvature[rows] * z_error + ",
        "",
        derivative_after_a_sum_in_order,
    ),
    "a product's rounding": Term(
        rounding, "(error + rounded + underflow) * SAFETY", "(error + underflow) * SAFETY", lost_product
    ),
    "a product's operands": Term(
        rounding, "(error + rounded + underflow) * SAFETY", "(rounded + underflow) * SAFETY", moved_product
    ),
    "exp in the sigmoid": Term(loss_bounds, "arithmetic.exponential * complement + ", "", sloppy_exponential),
    "the sum and the quotient of the sigmoid": Term(
        loss_bounds, "(3.0 if arithmetic.functions.other_formulas else 2.0)", "0.0", lost_exponential, 0.2
    ),
    "the sigmoid by softplus": Term(
        loss_bounds, "relative = np.maximum(relative, other)", "pass", sigmoid_by_softplus
    ),
    "the sigmoid in its derivative": Term(
        activation_bounds, "by_a = slope * own + ", "by_a = ", moved_sigmoid_derivative
    ),
    "another formula of the derivative": Term(
        activation_bounds, "np.maximum(from_a, from_z)", "from_a", other_formula_of_tanh
    ),
    "another formula, and z's error in it, of tanh": Term(
        activation_bounds,
        "by_z = z.error**2 + ",
        "by_z = ",
        other_formula_of_a_moved_tanh,
        0.9,
    ),
    "z's error, and another formula of tanh": Term(
        activation_bounds,
        "z.error**2 + arithmetic.gamma(arithmetic.from_z) * nearest",
        "z.error**2",
        other_formula_of_a_moved_tanh,
        0.9,
    ),
    "another formula, and z's error in it, of the sigmoid": Term(
        activation_bounds,
        "by_z = z.error**2 / 8 + ",
        "by_z = ",
        other_formula_of_a_moved_sigmoid,
        0.65,
    ),
    "z's error, and another formula of the sigmoid": Term(
        activation_bounds,
        "z.error**2 / 8 + arithmetic.gamma(arithmetic.from_z) * d",
        "z.error**2 / 16",
        other_formula_of_a_moved_sigmoid,
        0.65,
    ),
    "curvature of tanh": Term(
        activation_bounds,
        "own = remainder + arithmetic.tanh_error(",
        "own = arithmetic.tanh_error(",
        curved_tanh,
        0.9,
    ),
    "curvature of the sigmoid as an activation": Term(
        activation_bounds,
        "own = remainder + sigmoid_rounding(",
        "own = sigmoid_rounding(",
        curved_sigmoid,
        0.9,
    ),
    "p - t": Term(
        loss_bounds, " + np.abs(p.value - targets) + p.error)", " + p.error)", rounded_difference_of_sigmoid
    ),
    "z - t": Term(
        loss_bounds,
        "(arithmetic.gamma(roundings) * size + lost) + underflow",
        "lost + underflow",
        rounded_difference_of_squares,
    ),
    "a flushed target": Term(
        loss_bounds,
        "(arithmetic.gamma(roundings) * size + lost) + underflow",
        "(arithmetic.gamma(roundings) * size) + underflow",
        flushed_target,
    ),
    "from a layer far below": Term(
        jacobian_paths,
        "total += (sources[low][:, None, :] @ ",
        "total += 0 * (sources[low][:, None, :] @ ",
        three_layers_up,
    ),
    "from a layer far above": Term(
        jacobian_paths,
        "total += (np.abs(self.matrices[low, high]) ** power @ ",
        "total += 0 * (np.abs(self.matrices[low, high]) ** power @ ",
        three_layers_down,
    ),
    "far below, without matrices": Term(
        jacobian_paths, "np.asarray(total + (far @ ", "np.asarray(total + 0 * (far @ ", far_up
    ),
    "far above, without matrices": Term(
        jacobian_paths, "np.asarray(total + far**power)", "np.asarray(total)", far_down
    ),
    "sums over examples": Term(
        forward_mode_bounds,
        "carried + summing * size + underflow",
        "carried + underflow",
        examples_summed_in_order,
    ),
}


def test_the_assumed_functions_are_those_of_any_library() -> None:
    assert SINGLE.functions == FUNCTIONS["any"]["float32"]


@pytest.mark.parametrize("name", TERMS)
def test_a_legal_implementation_at_its_worst_stays_inside_and_comes_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_term_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0
