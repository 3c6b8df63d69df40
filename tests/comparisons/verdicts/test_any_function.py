"""`check_gradient`: a verdict from values of f alone."""

from collections.abc import Callable
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.nested import leaves
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


def judged(case: Case) -> GradientVerdict:
    f = loss_function(case.network(), case.x, case.targets, np.float64)
    with np.errstate(all="ignore"):
        return check_gradient(f, network_gradient(case), case.flat, name=case.architecture.parameter_name)


def test_a_correct_gradient_over_nine_decades_of_scale_passes() -> None:
    assert check_gradient(smooth, smooth_gradient, THETA).passed


@pytest.mark.parametrize("entry", range(4))
@pytest.mark.parametrize("relative_error", [1e-1, 1e-5, 1e-8])
def test_one_slightly_wrong_entry_fails_and_is_named(entry: int, relative_error: float) -> None:
    wrong = smooth_gradient(THETA)
    wrong[entry] *= 1 + relative_error
    verdict = check_gradient(smooth, wrong, THETA)
    assert (verdict.outcome, verdict.worst) == ("FAIL", f"params[{entry}]")


def test_a_gradient_of_zeros_fails() -> None:
    assert check_gradient(smooth, np.zeros(5), THETA).outcome == "FAIL"


def test_a_gradient_of_nan_fails() -> None:
    assert check_gradient(smooth, np.full(5, np.nan), THETA).outcome == "FAIL"


@pytest.mark.parametrize(
    ("value", "outcome"),
    [
        (0.0, "PASS"),
        (0.5, "PASS"),
        (1.0, "PASS"),
        (1.01, "FAIL"),
        (-1e-6, "FAIL"),
        (np.nan, "FAIL"),
        (np.inf, "FAIL"),
    ],
)
def test_at_a_kink_what_lies_between_the_one_sided_slopes_is_a_subgradient(
    value: float, outcome: str
) -> None:
    verdict = check_gradient(
        lambda t: max(t[0], 0.0) + t[1] ** 2, np.array([value, 2.0]), np.array([0.0, 1.0])
    )
    assert verdict.outcome == outcome
    if outcome == "PASS":
        assert "params[0] at a kink: a valid subgradient, between" in verdict.reason
    elif np.isfinite(value):
        assert "the slopes at the kink are" in verdict.reason


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-5])
@pytest.mark.parametrize(("slope", "outcome"), [(-1.0, "PASS"), (1.0, "FAIL"), (-1.0001, "FAIL")])
def test_a_kink_beside_the_point_is_resolved(distance: float, slope: float, outcome: str) -> None:
    verdict = check_gradient(lambda t: abs(t[0] - distance), np.array([slope]), np.zeros(1))
    assert verdict.outcome == outcome


def test_a_noisy_function_widens_its_bound_rather_than_failing_a_correct_gradient() -> None:
    rng = np.random.default_rng(0)
    verdict = check_gradient(
        lambda t: float(np.sin(t[0])) + 1e-9 * rng.standard_normal(), np.cos(np.array([0.3])), np.array([0.3])
    )
    assert verdict.passed
    assert verdict.resolution > 1e-9


def test_noise_that_drowns_the_gradient_is_inconclusive_and_called_random() -> None:
    rng = np.random.default_rng(0)
    verdict = check_gradient(lambda t: t[0] + rng.standard_normal(), np.ones(1), np.ones(1))
    assert verdict.outcome == "INCONCLUSIVE"
    assert "at one point: fix its random seed" in verdict.reason


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize("rate", [1e-3, 1e-2])
def test_a_mask_that_is_drawn_anew_and_rarely_seen_does_not_fail_the_gradient_without_it(
    seed: int, rate: float
) -> None:
    rng = np.random.default_rng(seed)
    w, theta = rng.standard_normal(24), rng.standard_normal(24)

    def f(t: Array) -> float:
        kept = (rng.random(24) >= rate) / (1 - rate)
        return float(w @ (np.tanh(t) * kept))

    right = w * (1 - np.tanh(theta) ** 2)
    verdict = check_gradient(f, right, theta)
    assert verdict.outcome == "INCONCLUSIVE"
    assert "at one point: fix its random seed" in verdict.reason
    assert not check_gradient(f, -right, theta)


def test_a_little_noise_does_not_save_a_wrong_gradient() -> None:
    rng = np.random.default_rng(0)
    verdict = check_gradient(lambda t: float(np.sin(t[0])) + 1e-9 * rng.standard_normal(), [-0.9], [0.3])
    assert verdict.outcome == "FAIL"


@pytest.mark.parametrize("claimed", [0.0, 1e-9])
def test_a_function_that_ignores_its_argument_has_not_been_checked_and_is_told_so(claimed: float) -> None:
    verdict = check_gradient(lambda t: 2.5, np.full(3, claimed), np.ones(3))
    assert verdict.outcome == "INCONCLUSIVE"
    assert "f gives 2.5 wherever params is moved: it ignores its argument" in verdict.reason


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
        ({"params": np.array([np.nan])}, ValueError, "params: expected finite numbers"),
        ({"params": np.arange(5)}, TypeError, "params: expected floating-point numbers, got int64"),
        ({"params": THETA + 0j}, TypeError, "params: expected real numbers, got complex128"),
        ({"gradient": np.ones(3)}, ValueError, r"gradient: expected shape \(5,\)"),
        ({"gradient": np.ones((5, 1))}, ValueError, r"gradient: expected shape \(5,\)"),
        ({"gradient": np.ones(5) + 5j}, TypeError, "gradient: expected real numbers, got complex128"),
        ({"entries": [5]}, ValueError, "entries: expected indices 0 .. 4"),
        ({"entries": [True, False]}, ValueError, r"entries: expected a mask of shape \(5,\)"),
        ({"entries": [0.5]}, TypeError, "entries: expected integers or a boolean mask"),
        ({"f": lambda t: np.nan}, ValueError, "f: expected a finite value"),
        ({"f": lambda t: t}, TypeError, "f: expected a real scalar"),
        ({"f": lambda t: 1j}, TypeError, "f: expected a real scalar"),
        (
            {"f": lambda t: (1.0, t)},
            TypeError,
            "f: expected a real scalar, got a tuple of 2; return the value",
        ),
        ({"resolution": 2.0}, ValueError, "resolution: expected a number in"),
    ],
)
def test_bad_input_is_refused_with_a_sentence(
    changed: dict[str, object], error: type[Exception], words: str
) -> None:
    arguments = {"f": smooth, "gradient": smooth_gradient(THETA), "params": THETA, **changed}
    with pytest.raises(error, match=words):
        check_gradient(**arguments)  # type: ignore[arg-type]  # what is passed is wrong on purpose


def test_of_several_arrays_each_has_its_own_selection() -> None:
    def f(a: Array, b: Array) -> float:
        return float((a**2).sum() + (b**3).sum())

    def wrong_in_the_first(a: Array, b: Array) -> list[Array]:
        return [3 * a, 3 * b**2]

    arrays = [np.array([0.5, 0.7]), np.array([0.2, 0.3, 0.4])]

    def outcome(*entries: list[int]) -> str:
        chosen = [np.array(each, np.intp) for each in entries]
        return check_gradient(
            lambda t: f(*t), lambda t: wrong_in_the_first(*t), arrays, entries=chosen
        ).outcome

    assert outcome([], [0, 2]) != "FAIL"
    assert outcome([1], [0, 2]) == "FAIL"
    for few in ([[0]], [[0], [1], [2]]):
        with pytest.raises(ValueError, match=f"one selection for each of 2 arrays, got {len(few)}"):
            outcome(*few)


def test_a_mask_selects_entries() -> None:
    wrong = smooth_gradient(THETA)
    wrong[0] = 9.0
    assert check_gradient(smooth, wrong, THETA, entries=THETA != 0.3).n_compared == 4
    assert check_gradient(smooth, wrong, THETA, entries=THETA == 0.3).outcome == "FAIL"


# -- how people call it

RNG = np.random.default_rng(0)
X, W, B = RNG.standard_normal(3), RNG.standard_normal((3, 2)), RNG.standard_normal(2)
DELTA = 1 - np.tanh(X @ W + B) ** 2


def layer(w: Any, b: Any) -> float:
    return float(np.tanh(X @ w + b).sum())


@pytest.mark.parametrize("factor", [1.0, 1.001])
@pytest.mark.parametrize(
    "nest", [lambda w, b: {"W": w, "b": b}, lambda w, b: [w, b], lambda w, b: ((w,), {"b": b})]
)
def test_parameters_are_nested_as_they_are_kept_and_judged_by_name(nest: Any, factor: float) -> None:
    verdict = check_gradient(
        lambda p: layer(*[array for _, array in leaves(p)]),
        nest(np.outer(X, DELTA), factor * DELTA),
        nest(W, B),
    )
    assert [one.outcome for one in verdict.values()] == ["PASS", "PASS" if factor == 1 else "FAIL"]
    assert verdict.passed is (factor == 1)
    if factor != 1:
        assert verdict.worst.startswith(list(verdict)[1] + "[")


@pytest.mark.parametrize("framework", ["numpy", "torch"])
def test_a_function_of_nothing_is_checked_by_moving_its_parameters_in_place(framework: str) -> None:
    w: Any = W.copy() if framework == "numpy" else torch.tensor(W, requires_grad=True)
    b: Any = B.copy() if framework == "numpy" else torch.tensor(B)

    def loss() -> float:
        return layer(*(array if framework == "numpy" else array.detach().numpy() for array in (w, b)))

    assert check_gradient(loss, {"W": np.outer(X, DELTA), "b": DELTA}, {"W": w, "b": b})
    assert not check_gradient(loss, lambda: {"W": np.outer(X, DELTA), "b": -DELTA}, {"W": w, "b": b})
    np.testing.assert_array_equal(w if framework == "numpy" else w.detach().numpy(), W)


def test_what_is_moved_in_place_is_put_back_where_the_function_raises() -> None:
    w = W.copy()

    def loss() -> float:
        if (w != W).any():
            raise RuntimeError("moved")
        return layer(w, B)

    with pytest.raises(RuntimeError, match="moved"):
        check_gradient(loss, np.outer(X, DELTA), w)
    np.testing.assert_array_equal(w, W)


def test_torch_and_jax_functions_are_judged_in_their_own_dtype() -> None:
    single = torch.tensor([0.3, 0.8])
    assert check_gradient(lambda t: torch.sin(t).sum(), torch.cos(single), single)
    assert not check_gradient(lambda t: torch.sin(t).sum(), 1.01 * torch.cos(single), single)
    array = jax.numpy.array([0.3, 0.8])
    assert check_gradient(lambda t: jax.numpy.sin(t).sum(), jax.grad(lambda t: jax.numpy.sin(t).sum()), array)
    assert not check_gradient(lambda t: jax.numpy.sin(t).sum(), -jax.numpy.cos(array), array)


def test_a_scalar_is_a_parameter_too() -> None:
    assert check_gradient(lambda v: float(np.sin(v)), np.cos, 0.3)


# -- many entries

WEIGHTS = RNG.standard_normal(5000)


@pytest.mark.parametrize("wrong", [17, 4999])
def test_one_wrong_entry_of_thousands_is_found_by_name_through_random_directions(wrong: int) -> None:
    theta = RNG.standard_normal(5000)
    claimed = WEIGHTS * np.cos(theta)
    claimed[wrong] += 1e-4
    verdict = check_gradient(lambda t: float(WEIGHTS @ np.sin(t)), claimed, theta)
    assert verdict.outcome == "FAIL"
    assert verdict.worst == f"params[{wrong}]"


def test_where_kinks_meet_along_a_random_direction_a_valid_subgradient_does_not_fail() -> None:
    signs = np.where(np.arange(100) % 2, 1.0, -1.0)
    verdict = check_gradient(lambda t: float(signs @ np.maximum(t, 0)), np.zeros(100), np.zeros(100))
    assert verdict.outcome != "FAIL"


def test_what_was_looked_at_one_by_one_and_through_directions_is_said() -> None:
    theta = RNG.standard_normal(5000)
    verdict = check_gradient(lambda t: float(WEIGHTS @ np.sin(t)), WEIGHTS * np.cos(theta), theta)
    assert verdict.passed
    assert "20 of 5,000 entries one by one, all through 8 directions: a mistake of" in verdict.reason
    assert "anywhere is missed with probability < 1e-09" in verdict.reason


# -- each entry against its own size


@pytest.mark.parametrize("claimed", [0.0, -np.cos(0.3), 2.0])
def test_an_offset_that_drowns_the_function_lets_nothing_pass(claimed: float) -> None:
    assert not check_gradient(lambda t: 1e14 + np.sin(t[0]), np.array([claimed]), np.array([0.3]))


@pytest.mark.parametrize("claimed", [-3e-6, 0.0, 1.1e-6])
def test_an_entry_a_trillion_times_smaller_does_not_pass_unseen(claimed: float) -> None:
    verdict = check_gradient(lambda t: 1e12 * t[0] + 1e-6 * t[1], np.array([1e12, claimed]), [0.3, 0.4])
    assert not verdict.passed


def test_a_zero_gradient_passes_only_where_the_function_is_seen_to_turn() -> None:
    assert check_gradient(lambda t: float(np.cos(t[0])), np.zeros(1), np.zeros(1))
    assert not check_gradient(lambda t: 1e16 + float(np.sin(t[0])), np.zeros(1), np.array([0.3]))


def test_entries_that_the_function_does_not_use_have_the_gradient_zero() -> None:
    assert check_gradient(lambda t: float(np.sin(t[0])), np.array([np.cos(0.3), 0.0]), np.array([0.3, 0.7]))
    assert not check_gradient(
        lambda t: float(np.sin(t[0])), np.array([np.cos(0.3), 1e-6]), np.array([0.3, 0.7])
    )


def test_a_float32_gradient_function_is_granted_its_own_rounding() -> None:
    a = RNG.standard_normal((30, 30)).astype(np.float32)
    a = (a @ a.T).astype(np.float32)
    theta = RNG.standard_normal(30).astype(np.float32).astype(np.float64)
    wide = a.astype(np.float64)

    def gradient(t: Array) -> Array:
        product: Array = (a.astype(np.float32) @ t.astype(np.float32)).astype(np.float64)
        return product

    assert check_gradient(lambda t: float(0.5 * t @ wide @ t), gradient, theta).outcome != "FAIL"
    assert (
        check_gradient(lambda t: float(0.5 * t @ wide @ t), lambda t: 1.01 * gradient(t), theta).outcome
        == "FAIL"
    )


def test_a_gradient_whose_terms_cancel_below_their_rounding_does_not_fail() -> None:
    """The network's output is certain: softmax - one-hot is 0 where it should be -1e-44."""
    logits = np.array([0.0, 100.0])

    def loss(z: Array) -> float:
        return float(np.log1p(np.exp(2 * z[0] - z[1])) + 0 * z[1])

    computed = np.array([2 * np.exp(-100.0), 0.0])
    assert check_gradient(loss, computed, logits).outcome == "INCONCLUSIVE"
    assert check_gradient(loss, np.array([1e-3, 0.0]), logits).outcome == "FAIL"


def test_a_loss_that_cancels_to_nothing_does_not_fail_a_gradient_smaller_than_its_terms_round() -> None:
    logits = np.array([0.0, 112.0])

    def loss(z: Array) -> float:
        return float(np.logaddexp.reduce(z) - z[1])

    right = np.array([np.exp(-112.0), -np.exp(-112.0)])
    assert check_gradient(loss, right, logits).outcome == "INCONCLUSIVE"
    assert not check_gradient(loss, right + 1e-3, logits)


@pytest.mark.parametrize("digits", range(2, 13))
def test_a_function_rounded_to_decimals_does_not_fail_its_gradient(digits: int) -> None:
    rng = np.random.default_rng(digits)
    for _ in range(20):
        theta = rng.standard_normal(3)

        def f(t: Array) -> float:
            return round(float(np.sin(t).sum()), digits)

        verdict = check_gradient(f, np.cos(theta), theta)
        assert verdict.outcome != "FAIL", str(verdict)
        assert not check_gradient(f, -np.cos(theta), theta)


@pytest.mark.parametrize("distance", [1e-1, 1e-3, 1e-6])
def test_a_relu_that_begins_nearby_has_the_slope_zero(distance: float) -> None:
    def f(t: Array) -> float:
        return max(float(t[0]) - distance, 0.0) + float(np.sin(t[1]))

    right = np.array([0.0, np.cos(0.3)])
    assert check_gradient(f, right, np.array([0.0, 0.3]))
    assert check_gradient(f, right + np.array([0.3, 0.0]), np.array([0.0, 0.3])).outcome == "FAIL"


def test_the_resolution_asked_for_decides_what_passes() -> None:
    f = lambda t: round(float(np.sin(t[0])), 7)  # noqa: E731 (one formula)
    claimed = np.cos(np.array([0.3]))
    assert check_gradient(f, claimed, [0.3]).outcome == "INCONCLUSIVE"
    assert check_gradient(f, claimed, [0.3], resolution=1e-3).outcome == "PASS"
    assert check_gradient(f, 1.01 * claimed, [0.3], resolution=1e-3).outcome == "FAIL"


@pytest.mark.parametrize("seed", range(7))
def test_the_noise_of_the_gradient_function_itself_is_taken(seed: int) -> None:
    """One that computes in float32 inside, beside numbers of 1e4, is not failed for it."""
    rng = np.random.default_rng(seed)
    A, theta = rng.standard_normal((20, 6)), rng.standard_normal(6)

    def gradient(t: Array) -> Array:
        z = (A @ t + 1e4).astype(np.float32) - np.float32(1e4)
        return np.asarray(A.T @ z.astype(np.float64))

    found = check_gradient(lambda t: float(np.square(A @ t).sum() / 2), gradient, theta)
    assert found.outcome != Outcome.FAIL
