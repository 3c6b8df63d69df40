"""The picture of step sizes: slopes, optima and the section that draws them."""

import io
import json
from dataclasses import replace

import numpy as np
import pytest
from rich.console import Console

from backproof.comparisons.gradients import step_sizes
from backproof.comparisons.gradients import step_sizes_chapter as section
from backproof.comparisons.gradients import step_sizes_terminal as step_size_terminal
from backproof.comparisons.gradients.result import Curve, StepSizes
from backproof.comparisons.results.codec import decode, encode
from backproof.scratch.differences import SCHEMES
from backproof.scratch.gradients import loss_function


@pytest.fixture(scope="module")
def part() -> StepSizes:
    return step_sizes.run()


def curve(part: StepSizes, method: str, dtype: str) -> Curve:
    (found,) = [c for c in part.curves if (c.method, c.dtype) == (method, dtype)]
    return found


def test_the_part_survives_json_unchanged(part: StepSizes) -> None:
    assert decode(StepSizes, json.loads(json.dumps(encode(part), allow_nan=False))) == part


def test_the_same_seed_gives_the_same_curves(part: StepSizes) -> None:
    again = step_sizes.run()
    assert replace(again, seconds=0) == replace(part, seconds=0)


@pytest.mark.parametrize("method", [*SCHEMES, "unitwise_difference"])
@pytest.mark.parametrize("side", ["truncation", "rounding"])
def test_measured_slopes_in_float64_are_the_predicted_ones(part: StepSizes, method: str, side: str) -> None:
    slopes = curve(part, method, "float64").slopes
    slope = getattr(slopes, side)
    # Where one term is ten times the other, the sum's slope is off by a tenth of the difference at most.
    assert abs(slope.measured - slope.predicted) < 0.1


@pytest.mark.parametrize("method", SCHEMES)
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_derived_error_terms_describe_the_measured_error(
    part: StepSizes, method: str, dtype: str
) -> None:
    found = curve(part, method, dtype)
    steps, errors = np.array(found.steps), np.array(found.errors, float)
    model = np.array(found.truncation) + np.array(found.rounding)
    truncated = (np.array(found.truncation) > 10 * np.array(found.rounding)) & (steps < 0.02)
    # Truncation is right to its next Taylor term. Rounding is that of one eps |L| per evaluation, of which a
    # forward pass makes a few.
    np.testing.assert_allclose(errors[truncated], model[truncated], rtol=0.15)
    assert np.nanmax(errors[steps < 0.02] / model[steps < 0.02]) < 3


@pytest.mark.parametrize("method", ["forward_difference", "central_difference", "five_point"])
@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_the_default_step_is_within_a_factor_of_twenty_of_the_best_measured(
    part: StepSizes, method: str, dtype: str
) -> None:
    found = curve(part, method, dtype)
    assert found.optimum.error < 20 * min(e for e in found.errors if e)


def test_higher_orders_have_longer_steps_and_smaller_errors(part: StepSizes) -> None:
    curves = [
        curve(part, m, "float64")
        for m in ("forward_difference", "central_difference", "five_point", "richardson")
    ]
    optima = [c.optimum for c in curves]
    assert sorted(optima, key=lambda o: o.step) == optima
    assert sorted(optima, key=lambda o: -o.error) == optima


def test_the_complex_step_is_as_good_as_backprop(part: StepSizes) -> None:
    assert curve(part, "complex_step", "float64").optimum.error < 4 * np.finfo(float).eps
    assert part.backprop["float64"] < 4 * np.finfo(float).eps
    assert part.backprop["float32"] < 4 * np.finfo(np.float32).eps


@pytest.mark.parametrize("order", [1, 2, 3])
def test_cauchys_formula_gives_the_derivatives_that_differences_find(order: int) -> None:
    batch = step_sizes._batch("float64", seed=0)
    network, x, targets = batch
    f = loss_function(network, x, targets, np.longdouble)
    theta = network.parameters.flat.astype(np.longdouble)
    found = step_sizes._derivative(batch, order)
    for i in (0, 11, 42):
        # f^(k) = sum_j (-1)^j (k over j) f(t + (k/2 - j) h) / h^k, in extended precision
        h, coefficients = 2.0**-9, np.poly1d([1, -1]) ** order
        total = 0.0
        for j, c in enumerate(coefficients.coeffs):
            moved = theta.copy()
            moved[i] += (order / 2 - j) * h
            total += c * f(moved)
        np.testing.assert_allclose(abs(total / h**order), found[i], rtol=1e-3)


def test_the_section_draws_every_curve_and_says_what_it_shows(part: StepSizes) -> None:
    built = section.build(part)
    assert built is not None
    for label in section.LABELS.values():
        assert label in built.html
    assert built.html.count("plot-figure") == 2  # float64, float32


def test_the_terminal_table_fits_eighty_columns_and_names_every_method(part: StepSizes) -> None:
    console = Console(width=80, record=True, file=io.StringIO())
    console.print(step_size_terminal.table(part))
    lines = console.export_text().splitlines()
    assert max(len(line.rstrip()) for line in lines) <= 80
    for method in step_sizes.METHODS:
        assert any(method.startswith(line.split()[0]) for line in lines if line.strip())
    assert not any("…" in line for line in lines)


def test_there_is_no_section_where_no_step_size_was_varied() -> None:
    assert section.build(None) is None
