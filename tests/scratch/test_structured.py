"""The structured quotients are the textbook's quotients, computed with less work and less rounding."""

import tracemalloc
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference import textbook
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    LossName,
    OptimizerSpec,
)
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.gradients import CentralDifference, MethodName, gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.losses import LOSS_FUNCTIONS, Loss
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.structured import structured_difference
from backproof.scratch.training import EpochPlan, Recipe, fit
from tests.support.quotient_bounds import structured_rounding, textbook_rounding
from tests.support.strategies import Case, cases, random_case

CENTRAL = SCHEMES["central_difference"]
REAL_SCHEMES = [name for name, scheme in SCHEMES.items() if not scheme.is_complex]


def assert_passes(case: Case, found: Array, expected: Array, bound: Array) -> None:
    verdict = compare(found, expected, bound, case.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


def by(evaluation: str, case: Case, method: MethodName = "central_difference", **options: object) -> Array:
    return gradient(case.network(), case.x, case.targets, method, evaluation=evaluation, **options)


def oracle_rounding(case: Case, steps: Array) -> Array:
    """The textbook's own bound with the extended type's roundoff, doubled: its sums run in another order."""
    return textbook_rounding(case, CENTRAL, steps) * (2 * textbook.EPS / np.finfo(np.float64).eps)


# Every pre-activation is exactly zero: the relu stands on its kink, in both layers.
ON_THE_KINK = Case(
    Architecture((1, 2, 2, 2), "relu", "cross_entropy"),
    "integer",
    np.array([0.0, 0, 0, 0, 1, -1, 2, 1, 0, 0, 1, 2, -1, 1, 0, 0]),
    np.ones((1, 1)),
    np.zeros(1, np.intp),
)


@pytest.mark.parametrize("method", REAL_SCHEMES)
@given(cases(dtypes=DTYPES))
@example(ON_THE_KINK)
def test_structured_and_textbook_quotients_differ_by_rounding_alone(method: MethodName, case: Case) -> None:
    scheme = SCHEMES[method]
    bound = 2 * textbook_rounding(case, scheme, step_sizes(case.flat, scheme))
    assert_passes(case, by("structured", case, method), by("naive", case, method), bound)


@given(cases())
@example(ON_THE_KINK)
def test_the_structured_quotient_is_the_exact_one_but_for_relative_rounding(case: Case) -> None:
    steps = step_sizes(case.flat, CENTRAL)
    exact = textbook.central_difference(case.architecture, case.flat, case.x, case.targets, steps)
    bound = structured_rounding(case, CENTRAL, steps) + oracle_rounding(case, steps)
    assert_passes(case, by("structured", case), exact, bound)


@given(cases())
@example(ON_THE_KINK)
def test_the_textbook_quotient_is_the_exact_one_but_for_the_rounding_of_the_loss(case: Case) -> None:
    steps = step_sizes(case.flat, CENTRAL)
    exact = textbook.central_difference(case.architecture, case.flat, case.x, case.targets, steps)
    bound = textbook_rounding(case, CENTRAL, steps) + oracle_rounding(case, steps)
    assert_passes(case, by("naive", case), exact, bound)


@given(cases())
def test_a_structured_complex_step_differs_from_the_textbook_s_by_rounding_alone(case: Case) -> None:
    scheme = SCHEMES["complex_step"]
    bound = 2 * structured_rounding(case, scheme, step_sizes(case.flat, scheme))
    assert_passes(case, by("structured", case, "complex_step"), by("naive", case, "complex_step"), bound)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_structured_quotient_is_never_farther_from_the_exact_one(
    activation: ActivationName, loss: LossName
) -> None:
    case = random_case(Architecture((12, 8, 6, 4), activation, loss), "normal", 10, seed=3)
    steps = step_sizes(case.flat, CENTRAL)
    exact = textbook.central_difference(case.architecture, case.flat, case.x, case.targets, steps)
    structured, naive = (np.abs(by(way, case) - exact) for way in ("structured", "naive"))
    for pair in case.architecture.layer_slices():
        for entries in pair:
            assert structured[entries].max() <= naive[entries].max()
    # And not by luck: less than a hundredth, taken over all entries.
    assert structured.max() < naive.max() / 100


@settings(max_examples=20)
@given(cases(), st.integers(0, 4000))
def test_a_smaller_memory_changes_nothing_but_the_order_of_sums(case: Case, spare: int) -> None:
    widest = max(case.architecture.layer_sizes[1:])
    small = by("structured", case, memory=10 * 8 * widest + spare)
    bound = 2 * structured_rounding(case, CENTRAL, step_sizes(case.flat, CENTRAL))
    assert_passes(case, small, by("structured", case), bound)


def test_too_little_memory_is_refused_with_the_least_that_will_do() -> None:
    case = random_case(Architecture((3, 7, 2)), "normal", 4, seed=0)
    with pytest.raises(ValueError, match="memory: expected at least 560 bytes here, got 559"):
        by("structured", case, memory=559)


@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_temporary_arrays_stay_within_the_memory_allowed(activation: ActivationName) -> None:
    architecture = Architecture((784, 512, 512, 10), activation)
    network = Network(architecture, initialize(architecture, 0))
    rng = np.random.default_rng(0)
    x = rng.random((2, 784)) * (rng.random((2, 784)) < 0.1)
    labels = rng.integers(0, 10, 2)
    steps = step_sizes(network.parameters.flat, CENTRAL)
    memory = 4 * 2**20
    tracemalloc.start()
    structured_difference(network, x, labels, CENTRAL, steps, memory=memory)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    # Beside them the result, one layer's steps and sums, and what their quotient takes.
    assert peak <= memory + 8 * steps.nbytes


@given(cases(dtypes=DTYPES))
def test_the_network_and_the_batch_stay_as_they_were(case: Case) -> None:
    network, x, targets = case.network(), case.x.copy(), case.targets.copy()
    gradient(network, x, targets, "central_difference", evaluation="structured")
    np.testing.assert_array_equal(network.parameters.flat, case.flat)
    np.testing.assert_array_equal(x, case.x)
    np.testing.assert_array_equal(targets, case.targets)


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_weights_of_an_input_that_is_always_zero_have_a_quotient_of_exactly_zero(
    activation: ActivationName,
) -> None:
    case = random_case(Architecture((4, 5, 3), activation), "normal", 6, seed=1)
    x = case.x.copy()
    x[:, 2] = 0.0
    weights = Parameters(case.architecture, by("structured", replace(case, x=x))).layers[0][0]
    np.testing.assert_array_equal(weights[2], 0.0)
    assert np.all(weights[[0, 1, 3]].any(axis=1))


def test_parameters_of_a_relu_that_stays_off_have_a_quotient_of_exactly_zero() -> None:
    case = random_case(Architecture((4, 5, 3)), "normal", 6, seed=1)
    parameters = Parameters(case.architecture, case.flat.copy())
    parameters.layers[0][1][1] = -100.0
    found = Parameters(case.architecture, by("structured", replace(case, flat=parameters.flat)))
    (W1, b1), (W2, _) = found.layers
    np.testing.assert_array_equal(np.concatenate([W1[:, 1], b1[1:2], W2[1]]), 0.0)


def test_a_relu_on_its_kink_gets_half_the_slope_as_in_the_textbook() -> None:
    architecture = Architecture((1, 1, 1), "relu", "sum_of_squares")
    case = Case(architecture, "integer", np.array([0.0, 0.0, 1.0, 0.0]), np.ones((1, 1)), np.ones((1, 1)))
    # L(b) = (max(b, 0) - 1)^2 at b = 0: (L(h) - L(-h)) / 2h = (h^2 - 2h) / 2h = h/2 - 1
    h = step_sizes(case.flat, CENTRAL)[1]
    found = by("structured", case)[1]
    np.testing.assert_allclose(found, h / 2 - 1, rtol=4 * np.finfo(float).eps, atol=0)


@given(cases(losses=["mse"]))
def test_a_loss_without_a_formula_is_subtracted_example_by_example(case: Case) -> None:
    known = LOSS_FUNCTIONS["mse"]
    other = Loss(lambda *batch: known.terms_and_delta(*batch) * 1.0, known.scale)
    network = Network(case.architecture, Parameters(case.architecture, case.flat.copy()), other)
    steps = step_sizes(case.flat, CENTRAL)
    found = structured_difference(network, case.x, case.targets, CENTRAL, steps)
    assert_passes(case, found, by("naive", case), 2 * textbook_rounding(case, CENTRAL, steps))


def test_a_network_trained_by_structured_differences_learns_what_backprop_teaches() -> None:
    case = random_case(Architecture((6, 5, 3), "tanh"), "normal", 24, seed=5)
    by_differences, by_backprop = case.network(), case.network()
    spec, plan = OptimizerSpec(learning_rate=0.1), EpochPlan(epochs=3, batch_size=8, seed=0)
    structured = CentralDifference(evaluation="structured", step=1e-6)
    fit(by_differences, case.x, case.targets, Recipe(spec, structured), plan)
    fit(by_backprop, case.x, case.targets, Recipe(spec), plan)
    moved = np.abs(by_backprop.parameters.flat - case.flat).max()
    # Nine steps, each off by h^2 M_3 / 6 of order 1e-13 and rounding far below; errors grow at most tenfold.
    np.testing.assert_allclose(
        by_differences.parameters.flat, by_backprop.parameters.flat, rtol=0, atol=1e-11
    )
    assert moved > 1e-2
