"""`check_gradient`: a verdict from values of f alone."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.any_function import check_gradient, estimate_noise
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.gradients import gradient, loss_function
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.strategies import Case, cases, random_case

THETA = np.array([0.3, -2.0, 1e3, 1e-6, 0.0])


def smooth(theta: Array) -> float:
    a, b, c, d, e = theta
    return float(np.sin(a) + np.exp(b) + np.sqrt(c) + 1e6 * d**2 + np.cos(e))


def smooth_gradient(theta: Array) -> Array:
    a, b, c, d, e = theta
    return np.array([np.cos(a), np.exp(b), 0.5 / np.sqrt(c), 2e6 * d, -np.sin(e)])


def network_gradient(case: Case) -> Callable[[Array], Array]:
    def of(theta: Array) -> Array:
        network = Network(case.architecture, Parameters(case.architecture, theta.copy()))
        return gradient(network, case.x, case.targets)

    return of


def judged(case: Case) -> Verdict:
    f = loss_function(case.network(), case.x, case.targets, np.float64)
    with np.errstate(all="ignore"):
        return check_gradient(f, network_gradient(case), case.flat, name=case.architecture.parameter_name)


def test_a_correct_gradient_over_nine_decades_of_scale_passes() -> None:
    assert check_gradient(smooth, smooth_gradient, THETA).passed


@pytest.mark.parametrize("entry", range(4))
@pytest.mark.parametrize("relative_error", [1e-1, 1e-5, 1e-9])
def test_one_slightly_wrong_entry_fails_and_is_named(entry: int, relative_error: float) -> None:
    wrong = smooth_gradient(THETA)
    wrong[entry] *= 1 + relative_error
    verdict = check_gradient(smooth, wrong, THETA)
    assert (verdict.outcome, verdict.worst) == ("FAIL", f"theta[{entry}]")


def test_a_gradient_of_zeros_fails() -> None:
    assert check_gradient(smooth, np.zeros(5), THETA).outcome == "FAIL"


def test_a_gradient_of_nan_fails() -> None:
    assert check_gradient(smooth, np.full(5, np.nan), THETA).outcome == "FAIL"


@pytest.mark.parametrize("value", [0.0, 1.0, 0.5])
def test_at_a_kink_no_value_passes_and_none_fails(value: float) -> None:
    verdict = check_gradient(
        lambda t: max(t[0], 0.0) + t[1] ** 2, np.array([value, 2.0]), np.array([0.0, 1.0])
    )
    assert (verdict.outcome, verdict.n_inconclusive, verdict.n_compared) == ("INCONCLUSIVE", 1, 1)
    assert "kink" in verdict.reason


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize(("slope", "outcome"), [(-1.0, "PASS"), (1.0, "FAIL"), (-1.0001, "FAIL")])
def test_a_kink_beside_the_point_is_resolved(distance: float, slope: float, outcome: str) -> None:
    verdict = check_gradient(lambda t: abs(t[0] - distance), np.array([slope]), np.zeros(1))
    assert verdict.outcome == outcome


def test_noise_of_single_precision_is_found_from_double_precision_values() -> None:
    def f(theta: Array) -> float:
        return float(np.sin(np.float32(theta[0])) + np.float32(1))

    assert 1e-9 < estimate_noise(f, np.array([0.3])) < 1e-6


def test_a_noisy_function_widens_its_bound_rather_than_failing_a_correct_gradient() -> None:
    rng = np.random.default_rng(0)
    verdict = check_gradient(
        lambda t: float(np.sin(t[0])) + 1e-9 * rng.standard_normal(), np.cos(np.array([0.3])), np.array([0.3])
    )
    assert verdict.passed
    assert verdict.resolution > 1e-9


def test_noise_that_drowns_the_gradient_is_inconclusive() -> None:
    rng = np.random.default_rng(0)
    verdict = check_gradient(lambda t: t[0] + rng.standard_normal(), np.ones(1), np.ones(1))
    assert verdict.outcome == "INCONCLUSIVE"


def test_the_gradient_of_a_constant_is_zero() -> None:
    assert check_gradient(lambda t: 0.0, np.zeros(3), np.ones(3)).passed
    assert check_gradient(lambda t: 0.0, np.full(3, 1e-9), np.ones(3)).outcome == "FAIL"


def test_points_outside_the_domain_are_left_out() -> None:
    assert check_gradient(lambda t: np.log(t[0] - 1) if t[0] > 1 else np.nan, [1e2], [1.01]).passed


def test_only_the_entries_asked_for_are_judged() -> None:
    wrong = smooth_gradient(THETA)
    wrong[0] = 9.0
    verdict = check_gradient(smooth, wrong, THETA, entries=[1, 2])
    assert (verdict.outcome, verdict.n_compared) == ("PASS", 2)


def test_no_entries_are_no_pass() -> None:
    assert check_gradient(smooth, smooth_gradient, THETA, entries=[]).outcome == "INCONCLUSIVE"


def test_a_function_that_writes_into_its_argument_does_no_harm() -> None:
    theta = THETA.copy()

    def f(t: Array) -> float:
        value = smooth(t)
        t[:] = 0.0
        return value

    assert check_gradient(f, smooth_gradient, theta).passed
    np.testing.assert_array_equal(theta, THETA)


@given(case=cases(families=("normal", "integer", "saturated"), max_batch=3))
def test_no_correct_network_fails(case: Case) -> None:
    assert judged(case).outcome != "FAIL"


@given(seed=st.integers(0, 2**32 - 1))
def test_smooth_networks_pass(seed: int) -> None:
    assert judged(random_case(Architecture((3, 4, 2), "tanh", "cross_entropy"), "normal", 3, seed)).passed


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"theta": np.ones((2, 2))}, ValueError, "theta: expected a vector"),
        ({"theta": np.array([np.nan])}, ValueError, "theta: expected a vector of finite"),
        ({"gradient": np.ones(3)}, ValueError, r"gradient: expected shape \(5,\)"),
        ({"entries": [5]}, ValueError, "entries: expected indices 0 .. 4"),
        ({"f": lambda t: np.nan}, ValueError, "f: expected a finite value"),
        ({"f": lambda t: t}, TypeError, "f: expected a real scalar"),
        ({"f": lambda t: 1j}, TypeError, "f: expected a real scalar"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(
    changed: dict[str, object], error: type[Exception], words: str
) -> None:
    arguments = {"f": smooth, "gradient": smooth_gradient(THETA), "theta": THETA, **changed}
    with pytest.raises(error, match=words):
        check_gradient(**arguments)
