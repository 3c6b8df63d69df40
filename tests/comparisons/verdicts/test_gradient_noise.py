"""The noise of functions and gradients: read once, along a line through all parameters."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import EPS
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
