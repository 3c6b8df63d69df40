"""The noise of a black box: its level by hand, its grid, and which line it is read from."""

import math

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_noise import (
    EPS,
    Noise,
    column_levels,
    grid,
    line_noise,
    moves,
    quantum_level,
    settled_level,
)
from backproof.scratch.architecture import Array


def column(*values: float) -> Array:
    return np.array(values)[:, None]


def test_the_level_of_the_worked_example_is_that_of_the_docstring() -> None:
    levels, changes = column_levels(column(1, 3, 2, 4, 1, 3, 2, 4, 1))
    assert levels[0, 0] == pytest.approx(1.5)
    assert changes[0, 0]


@pytest.mark.parametrize("sigma", [1e-9, 1.0])
def test_the_level_of_normal_noise_is_its_standard_deviation(sigma: float) -> None:
    values = sigma * np.random.default_rng(0).standard_normal((9, 4000))
    level = settled_level(values)
    assert np.isfinite(level).mean() > 0.8
    assert np.nanmedian(level) == pytest.approx(sigma, rel=0.1)


def test_a_smooth_trend_adds_nothing_to_the_level() -> None:
    rng = np.random.default_rng(1)
    values = 1e-9 * rng.standard_normal((9, 2000)) + 1e-3 * np.arange(9.0)[:, None] ** 2
    assert np.nanmedian(settled_level(values)) == pytest.approx(1e-9, rel=0.15)


def test_an_exact_parabola_has_no_settled_level() -> None:
    assert np.isnan(settled_level(column(*(np.arange(9.0) ** 2)))).all()


def test_a_staircase_is_off_by_its_quantum_over_the_root_of_twelve() -> None:
    assert quantum_level(column(0, 0, 3, 3, 3, 6, 6, 6, 6))[0] == pytest.approx(3 / np.sqrt(12))


@pytest.mark.parametrize("values", [(0, 0, 0, 0, 0, 0, 0, 1, 1), (0, 0, 0, 0, 0, 0, 1, 2, 3)])
def test_a_jump_and_a_kink_are_no_quantum(values: tuple[float, ...]) -> None:
    assert quantum_level(column(*values))[0] == 0


@pytest.mark.parametrize("name", ["float16", "float32"])
def test_the_grid_of_values_is_seen_in_float64(name: str) -> None:
    values = np.random.default_rng(0).standard_normal(50).astype(name).astype(np.float64)
    assert grid(values) == name


@pytest.mark.parametrize("values", [np.arange(1.0, 100), np.linspace(0, 1, 9), np.ones(20), np.zeros(0)])
def test_round_numbers_are_on_no_coarse_grid(values: Array) -> None:
    assert grid(values) == "float64"


def test_a_float32_function_is_read_from_a_line_on_which_it_moves() -> None:
    level, seen = line_noise(lambda s: np.array([float(np.float32(10) + np.sin(np.float32(0.3 + s)))]))
    assert 0.1 * EPS["float32"] * 10 < level[0] < EPS["float32"] * 10
    assert grid(seen) == "float32"


def test_a_double_precision_function_is_read_from_its_first_line() -> None:
    calls = []

    def at(s: float) -> Array:
        calls.append(s)
        return np.array([np.sin(0.3 + 1e2 * s) * np.exp(s)])

    level, _ = line_noise(at)
    assert len(calls) <= 20
    assert level[0] < 10 * EPS["float64"]


def test_a_kink_beside_the_point_is_not_noise() -> None:
    level, _ = line_noise(lambda s: np.array([abs(np.sin(1.0 + s) - np.sin(1.0) - 1e-5) + s]))
    assert level[0] < 1e-14


def test_a_constant_has_no_level() -> None:
    level, _ = line_noise(lambda s: np.array([2.0]))
    assert level[0] == 0


def test_only_the_functions_wanted_are_waited_for() -> None:
    calls = []

    def at(s: float) -> Array:
        calls.append(s)
        return np.array([np.sin(1 + s) * np.pi, 1.0])

    line_noise(at, np.array([True, False]))
    assert len(calls) < 40


def test_noise_of_values_is_at_least_a_rounding_of_the_largest() -> None:
    noise = Noise(1e-12, EPS["float64"])
    assert noise.of(1.0, -2.0) == 1e-12
    assert noise.of(1.0, -1e6) == EPS["float64"] * 1e6


# --- by hand ------------------------------------------------------------------------------------------------


def test_every_column_has_its_own_share_of_the_binomials() -> None:
    """Alternating 1 and -1: the k-th differences are 2^k, and sigma_k^2 = 4^k (k!)^2 / (2k)!."""
    levels, changes = column_levels(column(*[1.0, -1.0] * 4, 1.0))
    expected = [2.0**k * math.factorial(k) / math.sqrt(math.factorial(2 * k)) for k in range(1, 7)]
    np.testing.assert_allclose(levels[:, 0], expected)
    assert changes.all()
    assert not column_levels(column(*range(9)))[1].any()


@pytest.mark.parametrize(("n", "name"), [(4, "float64"), (5, "float32")])
def test_five_numbers_tell_a_grid_and_four_do_not(n: int, name: str) -> None:
    values = np.random.default_rng(0).standard_normal(n).astype(np.float32).astype(np.float64)
    assert grid(values) == grid(-values) == grid(np.tile(values, 3)) == name
    assert grid(np.append(values, [np.nan, np.inf, 0.0])) == name
    assert grid(np.append(values, np.pi)) == "float64"


def test_half_of_the_numbers_must_use_the_last_five_bits() -> None:
    rng = np.random.default_rng(1)
    full = rng.standard_normal(8).astype(np.float32).astype(np.float64)
    short = np.ldexp(np.rint(np.ldexp(rng.uniform(0.5, 1.0, 8), 19)), -19)  # 19 bits of 24
    assert grid(np.concatenate([full, short])) == "float32"
    assert grid(np.concatenate([full[:7], short])) == "float64"


def test_a_line_moves_where_five_of_its_eight_steps_change_the_value() -> None:
    values = np.array([[0, 1, 2, 3, 4, 5, 5, 5, 5], [0, 1, 2, 3, 4, 4, 4, 4, 4]], float).T
    assert moves(values).tolist() == [True, False]


def test_columns_agree_within_a_factor_of_four() -> None:
    rng = np.random.default_rng(0)
    noise = rng.standard_normal((9, 400))
    levels, changes = column_levels(noise)
    found = settled_level(noise)
    for k in range(400):
        agreeing = [
            levels[i, k]
            for i in range(len(levels) - 2)
            if levels[i : i + 3, k].max() <= 4 * levels[i : i + 3, k].min() and changes[i, k]
        ]
        assert found[k] == agreeing[0] if agreeing else np.isnan(found[k])


@pytest.mark.parametrize(
    ("values", "quantum"),
    [
        ((0, 0, 3, 3, 3, 6, 6, 6, 6), 3.0),
        ((0, 0, 3, 3, 3, 1, 1, 1, 1), 3.0),
        ((0, 0, 1, 1, 2, 2, 5, 5, 5), 3.0),
        ((0, 0, 1, 1, 2, 2, 3, 3, 4), 0.0),
        ((0, 0, 1, 2, 2, 2, 3, 3, 3), 0.0),
        ((5, 5, 5, 5, 5, 5, 5, 5, 5), 0.0),
    ],
)
def test_two_or_three_steps_apart_are_a_staircase(values: tuple[float, ...], quantum: float) -> None:
    assert quantum_level(column(*values))[0] == pytest.approx(quantum / np.sqrt(12))


def test_noise_of_values_is_that_of_the_largest_of_either_sign() -> None:
    noise = Noise(1e-3, 0.25)
    assert (noise.of(1.0, -8.0), noise.of(1e-9)) == (2.0, 1e-3)
    assert (noise.hidden, noise.steep) == (0.0, 0.0)
