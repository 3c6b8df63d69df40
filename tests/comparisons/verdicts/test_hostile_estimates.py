"""The Monte Carlo estimate, term by term: aligned roundings of a few terms stay inside, and need every term.

FACTOR standard deviations are more than sixteen roundings that all have the worst sign, as an implementation
that sums in a hostile order makes them: it is legal here as well. Every random error of a run is left out in
turn, and the same implementation must then be outside.
"""

import numpy as np
import pytest

from backproof.comparisons.verdicts import monte_carlo
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.rounding import FUNCTIONS, Bounded
from backproof.scratch.architecture import ActivationName, Architecture, Array
from tests.comparisons.verdicts.test_hostile_rounding import SINGLE, F, Term, U, largest_share
from tests.support.leaving_out import leaving_out

FEW = 16
LOST = np.array([1.0] + [U] * FEW)  # summed from left to right, that is 1
TRUE = 1.0 + FEW * U
ONE = np.ones((1, 1))


def estimated(weights: list[Array], x: Array, targets: Array, activation: ActivationName) -> Bounded:
    """The gradient of a network without biases under sum_of_squares in float32, with its estimate."""
    sizes = (x.shape[1], *(W.shape[1] for W in weights))
    architecture = Architecture(sizes, activation, "sum_of_squares", "float32")
    layers = [(W.astype(F), np.zeros(W.shape[1], F)) for W in weights]
    reference = backprop_reference(architecture, layers, x.astype(F), targets.astype(F))
    return estimated_reference(reference).gradient


def pre_activation_in_order() -> float:
    """z_1 = sum_i x_i, from left to right, beside delta_2 = 1: dW_2 = z_1."""
    error = estimated([np.ones((FEW + 1, 1)), 0 * ONE], LOST[None], -0.5 * ONE, "identity").error
    return largest_share(1.0 - TRUE, error[FEW + 2])


def batch_in_order(entry: int) -> float:
    """dW = db = sum_n delta_n, from left to right."""
    error = estimated([0 * ONE], np.ones((FEW + 1, 1)), -LOST[:, None] / 2, "identity").error
    return largest_share(1.0 - TRUE, error[entry])


def weights_in_order() -> float:
    return batch_in_order(0)


def biases_in_order() -> float:
    return batch_in_order(1)


def descent_in_order() -> float:
    """delta_2 = 1 in every output: delta_1 = sum_k W_2k, from left to right."""
    error = estimated([ONE, LOST[None]], ONE, (LOST - 0.5)[None], "identity").error
    return largest_share(1.0 - TRUE, error[0])


def derivatives_of_eight_layers() -> float:
    """Every f' is off by four roundings to the same side, as sech^2 may be by far more."""
    layers = 8
    found = estimated([ONE] * (layers + 1), 2.0**-10 * ONE, -0.5 * ONE, "tanh")
    return largest_share(found.value[1] * ((1 - 4 * U) ** layers - 1), found.error[1])


def estimate_of_bias(w: float, a: float, scale: float, activation: ActivationName) -> float:
    """The estimate of db_2 = 2 (z_2 - t), of one unit with the activation `a` under a large W_2.

    t is where delta_2 is one, so that its own rounding is far below what the activation is off by.
    """
    return float(estimated([w * ONE, scale * ONE], ONE, (scale * a - 0.5) * ONE, activation).error[-1])


def sloppy_tanh() -> float:
    """Off by all its ulps at z = 1/2, where it lies below 1/2."""
    scale, ulps = 2.0**6, FUNCTIONS["any"]["float32"].tanh
    return largest_share(2 * scale * ulps * U / 2, estimate_of_bias(0.5, np.tanh(0.5), scale, "tanh"))


def sloppy_sigmoid() -> float:
    """1 / (1 + exp(-z)) with an exp off by all its ulps, at z = -5."""
    scale, off = 2.0**12, SINGLE.exponential * U
    a = 1 / (1 + np.exp(5.0))
    return largest_share(
        2 * scale * (1 / (1 + np.exp(5.0) * (1 - off)) - a), estimate_of_bias(-5.0, a, scale, "sigmoid")
    )


def rounded_difference() -> float:
    """2 (z - t) with z = 2^-24 beside t = -1: z is lost."""
    error = estimated([U * ONE], ONE, -ONE, "identity").error
    return largest_share(2 * U, error[1])


def flushed_input() -> float:
    """An input of 1.1e-38, read as zero, beside one of 1: no rounding, and no sample shows it."""
    error = estimated([np.zeros((2, 1))], np.array([[1.0, 1.1e-38]]), -0.5 * ONE, "identity").error
    return largest_share(1.1e-38, error[1])


TERMS = {
    "what z rounds": Term(monte_carlo, " + _noise(rng, state.local[layer])", "", pre_activation_in_order),
    "what dW rounds": Term(monte_carlo, " + _noise(rng, of_W)", "", weights_in_order),
    "what db rounds": Term(monte_carlo, " + _noise(rng, of_b)", "", biases_in_order),
    "what delta W^T rounds": Term(monte_carlo, " + _noise(rng, of_a)", "", descent_in_order),
    "what f' and its product round": Term(
        monte_carlo,
        "delta = delta + state.arithmetic.random_unit * rng.standard_normal(delta.shape) * delta",
        "pass",
        derivatives_of_eight_layers,
    ),
    "tanh": Term(monte_carlo, "a = np.tanh(z) + error", "a = np.tanh(z)", sloppy_tanh),
    "the sigmoid": Term(
        monte_carlo, "a = 1 / (1 + np.exp(-z)) + error", "a = 1 / (1 + np.exp(-z))", sloppy_sigmoid
    ),
    "what delta_L rounds": Term(monte_carlo, "= delta + error", "= delta", rounded_difference),
    "flushed operands": Term(
        monte_carlo, "np.sqrt(squares / SAMPLES) + lost", "np.sqrt(squares / SAMPLES)", flushed_input, 0.3
    ),
}


@pytest.mark.parametrize("name", TERMS)
def test_aligned_roundings_stay_inside_and_come_close(name: str) -> None:
    term = TERMS[name]
    assert term.close <= term.hostile() <= 1.0


@pytest.mark.parametrize("name", TERMS)
def test_a_term_left_out_is_missed(name: str) -> None:
    term = TERMS[name]
    with leaving_out(term.module, term.text, term.instead):
        assert term.hostile() > 1.0
