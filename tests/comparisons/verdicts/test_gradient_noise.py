"""The noise of functions and gradients: read once, along a line through all parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import EPS, Noise
from backproof.comparisons.verdicts.gradient_noise import GradientNoise, function_noises
from backproof.comparisons.verdicts.parameter_tree import tensors
from backproof.scratch.architecture import Array

PARAMS = np.array([0.3, -1.2, 2.0])


def point(f: Callable[[Array], Any]) -> Point:
    return Point(f, PARAMS, tensors(PARAMS), in_place=False, read=np.atleast_1d)


def test_a_function_in_double_precision_has_the_noise_of_its_roundings() -> None:
    (noise,), moved = function_noises(point(lambda t: np.sin(t).sum()), seed=0)
    assert moved
    assert noise.eps == EPS["float64"]
    assert noise.level <= 16 * EPS["float64"]


def test_values_on_the_grid_of_single_precision_have_its_spacing() -> None:
    (noise,), _ = function_noises(point(lambda t: np.float64(np.float32(np.sin(t).sum()))), seed=0)
    assert noise.eps == EPS["float32"]


def test_every_function_has_a_noise_of_its_own() -> None:
    rng = np.random.default_rng(0)
    noises, _ = function_noises(
        point(lambda t: np.array([t.sum(), t.sum() + 1e-6 * rng.standard_normal()])), seed=0
    )
    assert noises[0].level <= 16 * EPS["float64"]
    assert noises[1].level == pytest.approx(1e-6, rel=1)


def test_a_function_that_ignores_its_argument_is_seen_to_stand_still() -> None:
    assert not function_noises(point(lambda _: 2.5), seed=0)[1]


def test_the_noise_of_a_gradient_is_read_when_it_is_first_asked_for_and_once() -> None:
    rng, calls = np.random.default_rng(0), []

    def gradient(t: Array) -> Array:
        calls.append(t)
        return np.cos(t) + 1e-7 * rng.standard_normal(3)

    noise = GradientNoise(point(lambda t: np.sin(t).sum()), gradient, lambda g: [g[None]], seed=0)
    assert not calls
    levels = noise(0)
    n_calls = len(calls)
    assert levels.shape == (1, 3)
    assert np.sqrt(np.square(levels).mean()) == pytest.approx(1e-7, rel=1)
    assert noise(0) is levels
    assert len(calls) == n_calls


def test_the_seed_decides_where_the_noise_of_a_gradient_is_read() -> None:
    def visited(seed: int) -> list[Array]:
        calls: list[Array] = []

        def gradient(t: Array) -> Array:
            calls.append(t.copy())
            return np.cos(t)

        GradientNoise(point(lambda t: np.sin(t).sum()), gradient, lambda g: [g[None]], seed)(0)
        return calls

    first, again, other = visited(5), visited(5), visited(6)
    np.testing.assert_array_equal(first, again)
    assert not np.array_equal(first[-1], other[-1])


def test_the_seed_decides_where_the_noise_of_a_function_is_read() -> None:
    def visited(seed: int) -> list[Array]:
        calls: list[Array] = []

        def f(t: Array) -> float:
            calls.append(t.copy())
            return float(np.sin(t).sum())

        function_noises(point(f), seed)
        return calls

    np.testing.assert_array_equal(visited(5), visited(5))
    assert not np.array_equal(visited(5)[-1], visited(6)[-1])


def visited(params: Array, f: Callable[[Array], Any], seed: int = 0) -> list[Array]:
    """Where f is called, as steps from its parameters."""
    calls: list[Array] = []

    def noted(t: Array) -> Any:
        calls.append(t - params)
        return f(t)

    function_noises(Point(noted, params, tensors(params), in_place=False, read=np.atleast_1d), seed)
    return calls


def test_noise_is_read_along_one_line_of_either_sign_as_long_as_the_entries_are_large() -> None:
    params = np.array([1e-3, -500.0, 2.0, -0.5] * 50)
    far = visited(params, lambda t: float(np.sin(t).sum()))[-2:]
    np.testing.assert_allclose(far[0], -far[1])
    ways = far[0] / 10.0 / np.maximum(1.0, np.abs(params))
    assert (np.abs(ways).min(), np.abs(ways).max()) == (
        pytest.approx(0.5, abs=0.02),
        pytest.approx(1.0, abs=0.02),
    )
    assert 0.35 < (ways > 0).mean() < 0.65
    assert np.abs(ways[ways > 0]).mean() == pytest.approx(0.75, abs=0.05)


def test_far_out_the_steepness_of_f_and_a_rounding_of_its_terms_are_seen() -> None:
    """f = 1e6 t^2 at t = 0, where it is less than a rounding of what it is far out; then one more."""

    def noise(offset: float) -> Noise:
        at = np.zeros(1)
        found = Point(lambda t: 1e6 * float(t[0]) ** 2 + offset, at, tensors(at), in_place=False)
        return function_noises(found, seed=3)[0][0]

    ((far,), _) = visited(np.zeros(1), lambda t: float(t[0]), seed=3)[-2:]
    assert noise(0.0).steep == pytest.approx(1e6 * far**2 / 10.0)
    assert noise(0.0).hidden == pytest.approx(EPS["float64"] * 1e6 * far**2)
    assert noise(1.0).hidden == 0.0


def test_where_f_has_no_value_far_out_it_shows_no_terms() -> None:
    params = np.array([1.0])
    f = lambda t: float(np.sqrt(9.0 - t[0] ** 2)) if abs(t[0]) < 3 else float("nan")  # noqa: E731 - one line
    (noise,), moved = function_noises(Point(f, params, tensors(params), in_place=False), seed=0)
    assert moved
    assert (noise.steep, noise.hidden) == (0.0, 0.0)


def test_noise_is_at_least_what_a_second_call_differs_by_and_what_is_known_of_the_values() -> None:
    params = np.array([1.0])
    answers = iter([5.0, 5.25, *[5.0] * 500])
    (noise,), _ = function_noises(Point(lambda t: next(answers), params, tensors(params), in_place=False), 0)
    assert noise.level == 0.25
    point = Point(lambda t: float(t[0]), params, tensors(params), in_place=False, rounding=np.array([0.5]))
    assert function_noises(point, 0)[0][0].level == 0.5


def test_the_grid_of_every_function_is_its_own() -> None:
    def f(t: Array) -> Array:
        return np.array([np.sin(t).sum(), np.float64(np.float32(np.cos(t).sum()))])

    fine, coarse = function_noises(point(f), seed=0)[0]
    assert (fine.eps, coarse.eps) == (EPS["float64"], EPS["float32"])


@pytest.mark.parametrize("at", [0.1, 0.3])
def test_a_function_that_only_moves_nearby_does_not_ignore_its_argument(at: float) -> None:
    """It is flat on every line that its noise is read from, and to one side of it."""
    ((way, *_),) = visited(PARAMS, lambda t: 0.0, seed=2)[-2:-1]
    for side in (1, -1):

        def f(t: Array, side: int = side) -> float:
            return max(0.0, side * (float(t[0]) - 0.3) - at)

        assert function_noises(point(f), seed=2)[1] == (0.37 * abs(way) / 10.0 > at)


def test_the_noise_of_a_gradient_is_read_along_steps_as_long_as_the_entries_are_large() -> None:
    params = np.array([1e-3, -500.0, 2.0] * 40)
    calls: list[Array] = []

    def gradient(t: Array) -> Array:
        calls.append(t - params)
        return np.cos(t)

    at = Point(lambda t: float(np.sin(t).sum()), params, tensors(params), in_place=False)
    GradientNoise(at, gradient, lambda g: [g[None]], seed=0)(0)
    ways = calls[-1] / np.maximum(1.0, np.abs(params))
    shares = np.abs(ways) / np.abs(ways).max()
    assert shares.min() == pytest.approx(0.5, abs=0.03)
    assert (ways > 0).all() or (ways < 0).all()


def test_every_tensor_and_function_has_the_noise_of_its_own_gradient() -> None:
    params = {"u": np.array([0.3, 0.4]), "v": np.array([0.5])}
    rng = np.random.default_rng(0)
    found = tensors(params)
    at = Point(lambda p: float(p["u"].sum()), params, found, in_place=False)

    def gradient(p: dict[str, Array]) -> dict[str, Array]:
        return {
            "u": np.cos(p["u"]) + 1e-6 * rng.standard_normal(2),
            "v": np.cos(p["v"]) + 1e-3 * rng.standard_normal(1),
        }

    noise = GradientNoise(at, gradient, lambda g: [g["u"][None], g["v"][None]], seed=0)
    assert (noise(0).shape, noise(1).shape) == ((1, 2), (1, 1))
    assert noise(0).max() < 1e-5 < 1e-4 < noise(1)[0, 0]
