"""Losses and their deltas: the textbook's values, no overflow, and each other's derivative."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS, LossBound
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference import textbook
from backproof.scratch.architecture import DTYPES, Architecture, Array, LossName
from backproof.scratch.architecture import LOSSES as NAMES
from backproof.scratch.losses import LOSS_FUNCTIONS, softplus
from tests.support.tolerances import ulp_distance, unit_roundoff

every_loss = pytest.mark.parametrize("name", NAMES)
every_dtype = pytest.mark.parametrize("dtype", DTYPES)


@st.composite
def logits_and_targets(draw: st.DrawFn, name: LossName, dtype: str = "float64") -> tuple[Array, Array]:
    """(batch, outputs) at scales from 1e-6 to 1e3, ties included, and targets that fit."""
    batch, outputs = draw(st.integers(1, 5)), draw(st.integers(1, 5))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    z = rng.standard_normal((batch, outputs)) * draw(st.sampled_from([1e-6, 1.0, 30.0, 1e3]))
    if draw(st.booleans()):
        z = np.round(z)
    if name == "cross_entropy":
        return z.astype(dtype), rng.integers(0, outputs, batch)
    targets = rng.random((batch, outputs))
    return z.astype(dtype), (np.round(targets) if draw(st.booleans()) else targets).astype(dtype)


def rounding(name: LossName, z: Array, targets: Array) -> LossBound:
    """What rounding may do to this loss and delta, with z as it is."""
    return LOSS_BOUNDS[name](Bounded.exact(z), targets, Arithmetic.of(str(z.dtype)))


def delta_of(name: LossName, z: Array, targets: Array) -> Array:
    return LOSS_FUNCTIONS[name].delta(z, targets, np.empty_like(z))


def test_every_loss_of_an_architecture_exists() -> None:
    assert tuple(LOSS_FUNCTIONS) == NAMES


@every_loss
@every_dtype
@given(st.data())
def test_a_loss_is_the_textbooks_within_its_rounding_bound(
    name: LossName, dtype: str, data: st.DataObject
) -> None:
    z, targets = data.draw(logits_and_targets(name, dtype))
    bound = rounding(name, z, targets).total(Arithmetic.of(dtype)).error
    # One layer of weight 1 and bias 0, so that the textbook's logits are z.
    outputs = z.shape[1]
    architecture = Architecture((outputs, outputs), loss=name)
    theta = np.concatenate([np.eye(outputs).ravel(), np.zeros(outputs)])
    expected = textbook.loss(architecture, theta, z, targets)
    verdict = compare(np.array([LOSS_FUNCTIONS[name].value(z, targets)]), np.array([expected]), bound)
    assert verdict.outcome == Outcome.PASS, verdict


@every_loss
@every_dtype
@given(st.data())
def test_delta_is_the_complex_step_of_the_loss_within_its_rounding_bound(
    name: LossName, dtype: str, data: st.DataObject
) -> None:
    z, targets = data.draw(logits_and_targets(name, dtype))
    expected = np.empty(z.shape, np.longdouble)
    for index in np.ndindex(z.shape):
        moved = z.astype(np.clongdouble)
        moved[index] += 1e-30j
        expected[index] = LOSS_FUNCTIONS[name].value(moved, targets).imag / 1e-30
    bound = rounding(name, z, targets).delta.error
    verdict = compare(delta_of(name, z, targets), expected, bound)
    assert verdict.outcome == Outcome.PASS, verdict


@every_loss
@given(st.data())
def test_the_loss_is_its_scale_times_the_sum_over_examples(name: LossName, data: st.DataObject) -> None:
    z, targets = data.draw(logits_and_targets(name))
    terms = LOSS_FUNCTIONS[name].per_example(z, targets)
    assert terms.shape == (len(z),)
    whole = terms.sum() * LOSS_FUNCTIONS[name].scale(*z.shape)
    np.testing.assert_allclose(LOSS_FUNCTIONS[name].value(z, targets), whole, rtol=4 * np.finfo(float).eps)


@every_loss
@given(st.data())
def test_an_examples_term_depends_on_that_example_alone(name: LossName, data: st.DataObject) -> None:
    z, targets = data.draw(logits_and_targets(name))
    one_by_one = [
        LOSS_FUNCTIONS[name].per_example(z[n : n + 1], targets[n : n + 1])[0] for n in range(len(z))
    ]
    bound = 2 * rounding(name, z, targets).per_example.error
    verdict = compare(LOSS_FUNCTIONS[name].per_example(z, targets), np.array(one_by_one), bound)
    assert verdict.outcome == Outcome.PASS, verdict


@every_loss
@given(st.data())
def test_value_and_delta_together_are_the_same_numbers_as_apart(name: LossName, data: st.DataObject) -> None:
    z, targets = data.draw(logits_and_targets(name))
    out = np.empty_like(z)
    value = LOSS_FUNCTIONS[name].value_and_delta(z, targets, out)
    np.testing.assert_array_equal(value, LOSS_FUNCTIONS[name].value(z, targets))
    np.testing.assert_array_equal(out, delta_of(name, z, targets))


@every_loss
@given(st.data())
def test_logits_and_targets_are_only_read(name: LossName, data: st.DataObject) -> None:
    z, targets = data.draw(logits_and_targets(name))
    z.flags.writeable = targets.flags.writeable = False
    LOSS_FUNCTIONS[name].value_and_delta(z, targets, np.empty_like(z))
    LOSS_FUNCTIONS[name].value(z, targets)


@every_loss
@every_dtype
def test_confident_logits_overflow_nowhere(name: LossName, dtype: str) -> None:
    z = np.array([[1e4, -1e4], [-1e4, 1e4], [0.0, 0.0]], dtype)
    targets = np.array([0, 0, 0]) if name == "cross_entropy" else np.array([[1, 0], [1, 0], [1, 0]], dtype)
    assert np.isfinite(LOSS_FUNCTIONS[name].value(z, targets))
    assert np.isfinite(delta_of(name, z, targets)).all()


def test_cross_entropy_of_one_output_is_zero_with_its_delta() -> None:
    z, labels = np.array([[-3.0], [0.1], [700.0]]), np.zeros(3, int)
    np.testing.assert_array_equal(LOSS_FUNCTIONS["cross_entropy"].per_example(z, labels), np.zeros(3))
    np.testing.assert_array_equal(delta_of("cross_entropy", z, labels), np.zeros((3, 1)))


def test_equal_logits_cost_the_log_of_the_number_of_classes() -> None:
    z = np.full((2, 10), 7.25)
    value = LOSS_FUNCTIONS["cross_entropy"].value(z, np.array([3, 9]))
    np.testing.assert_allclose(value, np.log(10), rtol=2 * np.finfo(float).eps)


@given(st.integers(-1000, 1000), st.integers(0, 2**32 - 1))
def test_cross_entropy_does_not_see_a_constant_added_to_all_logits(shift: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    # Multiples of 2^-10: adding an integer is exact, so that the very same numbers must come out.
    z = rng.integers(-(2**14), 2**14, (4, 5)) / 2.0**10
    labels = rng.integers(0, 5, 4)
    np.testing.assert_array_equal(
        LOSS_FUNCTIONS["cross_entropy"].per_example(z + shift, labels),
        LOSS_FUNCTIONS["cross_entropy"].per_example(z, labels),
    )
    np.testing.assert_array_equal(
        delta_of("cross_entropy", z + shift, labels), delta_of("cross_entropy", z, labels)
    )


@every_dtype
@given(st.data())
def test_cross_entropy_deltas_of_an_example_sum_to_zero(dtype: str, data: st.DataObject) -> None:
    z, labels = data.draw(logits_and_targets("cross_entropy", dtype))
    delta = delta_of("cross_entropy", z, labels).astype(float)
    bound = rounding("cross_entropy", z, labels).delta.error
    excess = np.abs(delta.sum(axis=1)) - bound.sum(axis=1) - unit_roundoff("float64") * z.shape[1]
    np.testing.assert_array_less(excess, 0.0)


@every_dtype
@given(st.data())
def test_softplus_is_within_four_units_in_the_last_place(dtype: str, data: st.DataObject) -> None:
    z, _ = data.draw(logits_and_targets("mse", dtype))
    wide = z.astype(np.longdouble)
    larger = np.maximum(wide, 0)
    expected = larger + np.log1p(np.exp(-np.abs(wide)))
    assert ulp_distance(softplus(z), expected, dtype) <= 4
