"""How small a mistake the campaign sees: planted errors of known size, and what is made of their counts."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.gradients import sensitivity
from backproof.comparisons.gradients.random_problems import ORDINARY
from backproof.comparisons.gradients.result import Sensitivity
from backproof.comparisons.gradients.sensitivity import EXPONENTS, RELATIVE_ERRORS, Caught, made_wrong
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import ACTIVATIONS


@pytest.fixture(scope="module")
def sensed() -> Sensitivity:
    return sensitivity.run(6, seed=0, workers=1, gradcheck_cases=1, progress=Silent())


def test_larger_errors_are_caught_at_least_as_often(sensed: Sensitivity) -> None:
    for row in sensed.rows:
        np.testing.assert_array_equal(row.caught, sorted(row.caught, reverse=True))


def test_a_scale_error_below_the_rounding_of_the_dtype_does_not_exist() -> None:
    tensor = np.random.default_rng(0).standard_normal(100).astype(np.float32)
    spoiled = made_wrong(tensor.astype(np.float64), 1e-9, shifted=False).astype(np.float32)
    np.testing.assert_array_equal(spoiled, tensor)


def test_normal_cases_are_resolved_to_the_target(sensed: Sensitivity) -> None:
    rows = [row for row in sensed.rows if row.family == "normal"]
    assert [row.caught_at_target for row in rows] == [1.0, 1.0]


def test_draws_and_zero_gradients_add_up(sensed: Sensitivity) -> None:
    for row in sensed.rows:
        cells = len(ACTIVATIONS) * (len(ORDINARY) if row.family == "all" else 1)
        assert row.draws + row.zero_gradients == 6 * cells


@pytest.mark.parametrize("shifted", [False, True])
@pytest.mark.parametrize("error", RELATIVE_ERRORS[:6])
def test_a_spoiled_tensor_has_the_relative_error_asked_for(shifted: bool, error: float) -> None:
    tensor = np.array([3.0, -4.0])
    change = np.abs(made_wrong(tensor, error, shifted) - tensor).max()
    np.testing.assert_allclose(change, error * 4.0, rtol=1e-9)


@given(st.integers(0, len(EXPONENTS)))
def test_bisection_finds_the_last_exponent_caught(n_caught: int) -> None:
    caught = sensitivity._caught_at_each(lambda exponent: exponent >= -n_caught)
    np.testing.assert_array_equal(caught, np.arange(len(EXPONENTS)) < n_caught)


@pytest.mark.parametrize(
    ("caught", "draws", "verdict"),
    [
        (0, 0, Outcome.INCONCLUSIVE),
        (99, 100, Outcome.PASS),
        (97, 100, Outcome.INCONCLUSIVE),
        (900, 1000, Outcome.FAIL),
        (1, 1, Outcome.PASS),
    ],
)
def test_few_draws_do_not_decide_against_the_target(caught: int, draws: int, verdict: str) -> None:
    assert sensitivity._verdict(caught, draws) == verdict


def test_results_add_up() -> None:
    total, part = Caught(), Caught(draws=2, zero=1, caught=np.ones(len(EXPONENTS), dtype=np.int64))
    total.add(part)
    total.add(part)
    assert (total.draws, total.zero, int(total.caught[0])) == (4, 2, 2)
