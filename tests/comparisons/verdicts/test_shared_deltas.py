"""A layer's dW and db come from one delta: what that adds to the bounds of single entries."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.gradients.campaign import CONTENDERS, Cell, Chunk, run_chunk
from backproof.comparisons.verdicts import relu_kinks, shared_deltas
from backproof.comparisons.verdicts.backward_bounds import deltas
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.shared_deltas import MARGIN, _least_scale, scale_of_error
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION
from backproof.scratch.architecture import Architecture, Array
from tests.support.strategies import Case, cases, random_case

# A tanh unit at z = 7.6: 1 - a^2 = 1e-6 keeps one decimal of seven in float32, in dW1 and db1 alike.
SATURATED = Architecture((3, 1, 1), "tanh", "mse", "float32")
WEIGHTS = [
    (np.array([[1.0], [0.5], [0.25]], np.float32), np.array([5.6], np.float32)),
    (np.array([[1.0]], np.float32), np.array([0.3], np.float32)),
]
X, TARGETS = np.array([[1.3, 0.9, 1.0]], np.float32), np.array([[2.0]], np.float32)


def saturated() -> tuple[Reference, Array]:
    contender = ScratchMLP()
    contender.load(SATURATED, WEIGHTS)
    found = flat_gradient(contender.loss_and_gradient(X, TARGETS)[1]).astype(np.float64)
    return backprop_reference(SATURATED, WEIGHTS, X, TARGETS), found


def spoiled(found: Array, part: slice, factor: float) -> Array:
    wrong = found.copy()
    wrong[part] *= factor
    return wrong


def test_a_wrong_scale_of_one_tensor_hides_in_the_bounds_of_single_entries() -> None:
    reference, found = saturated()
    assert judge_gradient(reference, spoiled(found, slice(0, 3), 1 + 1e-3)).outcome != Outcome.FAIL


@pytest.mark.parametrize("part", [slice(0, 3), slice(3, 4)])
def test_it_is_seen_when_weights_and_biases_are_judged_jointly(part: slice) -> None:
    reference, found = saturated()
    verdict = judge_gradient(reference, spoiled(found, part, 1 + 1e-4), shared_deltas=True)
    assert verdict.outcome == "FAIL"
    assert "same deltas" in verdict.reason


@pytest.mark.parametrize("factor", [1 - 1e-4, 1 + 1e-4])
@pytest.mark.parametrize("sign", [-1.0, 1.0])
@pytest.mark.parametrize("part", [slice(0, 3), slice(3, 4)])
def test_dw_and_db_scaled_apart_are_seen_on_either_side(part: slice, sign: float, factor: float) -> None:
    """Of deltas of either sign, where one tensor is too large or too small for the other."""
    targets = np.array([[sign * 3.0]], np.float32)
    contender = ScratchMLP()
    contender.load(SATURATED, WEIGHTS)
    found = flat_gradient(contender.loss_and_gradient(X, targets)[1]).astype(np.float64)
    assert np.sign(found[0]) == -sign
    reference = backprop_reference(SATURATED, WEIGHTS, X, targets)
    expected = Bounded(reference.gradient.value, np.zeros_like(found))
    assert scale_of_error(reference, found, expected, 0)[0] <= MARGIN
    assert scale_of_error(reference, spoiled(found, part, factor), expected, 0)[0] > 10


def test_the_correct_gradient_does_not_fail_jointly() -> None:
    reference, found = saturated()
    assert judge_gradient(reference, found, shared_deltas=True).outcome != Outcome.FAIL


def test_an_error_that_both_share_does_not_fail_jointly() -> None:
    """Another rounding of delta: dW1 and db1 off by the same factor, inside what delta may have lost."""
    reference, found = saturated()
    wrong = spoiled(found, slice(0, 4), 1 + 1e-4)
    assert judge_gradient(reference, wrong, shared_deltas=True).outcome != Outcome.FAIL


@example(random_case(Architecture((2, 2), "identity", "cross_entropy", "float64"), "saturated", 1, 0))
@given(case=cases(dtypes=("float32", "float64"), families=("saturated", "wide", "normal")))
def test_scratch_never_needs_more_than_the_rounding_there_can_be(case: Case) -> None:
    contender = ScratchMLP()
    contender.load(case.architecture, case.weights)
    with np.errstate(all="ignore"):
        found = flat_gradient(contender.loss_and_gradient(case.x, case.targets)[1]).astype(np.float64)
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    if reference.undecided:
        return
    expected = Bounded(reference.gradient.value, np.zeros_like(found))
    for layer in range(len(case.architecture.layer_shapes)):
        assert scale_of_error(reference, found, expected, layer)[0] <= MARGIN


@pytest.mark.parametrize("coarse", [1, 3])
def test_a_layer_is_judged_jointly_where_only_one_of_its_tensors_is_coarse(
    coarse: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of the saturated unit's layer, whose weight has three entries and whose bias has one."""
    monkeypatch.setattr(
        relu_kinks,
        "group_resolution",
        lambda expected, bounds: float("inf") if len(expected) == coarse else 0.0,
    )
    reference, found = saturated()
    verdict = judge_gradient(reference, spoiled(found, slice(0, 3), 1 + 1e-4), shared_deltas=True)
    assert verdict.outcome == Outcome.FAIL


@pytest.mark.parametrize("resolution", [REQUIRED_RESOLUTION["float32"], 1e-9, None])
def test_a_layer_that_is_resolved_as_finely_as_required_is_not_judged_jointly(
    resolution: float | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    reference, found = saturated()
    wrong = spoiled(found, slice(0, 3), 1 + 1e-4)
    monkeypatch.setattr(relu_kinks, "group_resolution", lambda expected, bounds: resolution)
    assert judge_gradient(reference, wrong, shared_deltas=True).outcome == Outcome.INCONCLUSIVE
    finer = judge_gradient(reference, wrong, shared_deltas=True, required=1e-10).outcome
    assert finer == (Outcome.INCONCLUSIVE if resolution is None else Outcome.FAIL)


def float32_products(a: Array, delta: Array) -> Array:
    """(dW, then db) of these deltas, each product and each sum rounded to float32."""
    columns = np.hstack([a, np.ones((len(a), 1), np.float32)]).astype(np.float32)
    found: Array = (columns.T @ delta.astype(np.float32)).astype(np.float64)
    return found


@example(seed=5)
@given(seed=st.integers(0, 10_000))
def test_deltas_of_both_signs_need_no_more_than_the_rounding_there_can_be(seed: int) -> None:
    """The sums of a right implementation round as sums of sizes do, whatever cancels."""
    rng = np.random.default_rng(seed)
    architecture = Architecture((10, 24, 2), "tanh", "cross_entropy", "float32")
    weights = [
        (rng.normal(size=s).astype(np.float32), rng.normal(size=s[1]).astype(np.float32))
        for s in architecture.layer_shapes
    ]
    x, targets = rng.normal(size=(2, 10)).astype(np.float32), rng.integers(0, 2, 2)
    reference = backprop_reference(architecture, weights, x, targets)
    delta, part = deltas(reference.state)[0], slice(0, 11 * 24)
    moved = (delta.value + delta.error * rng.uniform(-1, 1, delta.value.shape)).astype(np.float32)
    found = reference.gradient.value.copy()
    found[part] = float32_products(x, moved).ravel()
    expected = Bounded(reference.gradient.value, np.zeros_like(found))
    assert scale_of_error(reference, found, expected, 0)[0] <= MARGIN


def test_the_campaign_s_network_that_failed_for_its_signs_does_not() -> None:
    cell: Cell = ("broad", "tanh", "float32")
    tally = run_chunk(Chunk(cell, 693, 1, seed=0, gradcheck_cases=0))
    assert [tally.contenders[name].failed for name in CONTENDERS] == [0, 0]


# --- the least scale, by hand -------------------------------------------------------------------------------

A = np.array([[2.0, 1.0], [4.0, 1.0]])  # two examples: inputs 2 and 4, and the constant


@pytest.mark.parametrize(
    ("difference", "rounding", "delta_error", "least"),
    [
        ([0.0, 0.0], [1.0, 1.0], [1.0, 1.0], 0.0),
        ([0.5, -0.25], [1.0, 1.0], [9.0, 9.0], 0.5),  # rounding explains it: no program is solved
        ([6.0, 2.0], [1e-3, 1e-3], [1.0, 1.0], 1.0),  # d = (1, 1), and next to nothing is left to rounding
        ([12.0, 4.0], [1e-3, 1e-3], [1.0, 1.0], 2.0),
        ([1.5, 0.5], [1.0, 1.0], [1.0, 1.0], 1.5 / 7),  # d = (t, t) takes 6 t of it, rounding t
        ([-6.0, -2.0], [1e-3, 1e-3], [1.0, 1.0], 1.0),
        ([4.0, 1.0], [1e-3, 1e-3], [0.0, 0.5], 2.0),  # the second example's alone
        ([2.0, 0.0], [1.0, 1.0], [0.0, 0.0], 2.0),  # no delta may be off: all is rounding
        ([1.0, 0.0], [0.0, 1.0], [9.0, 9.0], np.inf),  # what nothing rounds is exact
        ([0.0, 0.0], [0.0, 0.0], [9.0, 9.0], 0.0),
    ],
)
def test_the_least_scale_explains_the_difference_by_deltas_and_rounding(
    difference: list[float], rounding: list[float], delta_error: list[float], least: float
) -> None:
    found = _least_scale(A, np.array(difference), np.array(rounding), np.array(delta_error))
    assert found == pytest.approx(least, rel=2e-3)


def test_a_layer_too_large_or_without_finite_bounds_is_left_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    reference, found = saturated()
    wrong = spoiled(found, slice(0, 3), 1 + 1e-3)
    expected = Bounded(reference.gradient.value, np.zeros_like(found))
    assert scale_of_error(reference, wrong, expected, 0)[0] > 1
    unknown = Bounded(expected.value, np.full_like(found, np.inf))
    assert scale_of_error(reference, wrong, unknown, 0) == (0.0, 0)
    monkeypatch.setattr(shared_deltas, "LARGEST_PROGRAM", 3)
    assert scale_of_error(reference, wrong, expected, 0)[0] > 1
    monkeypatch.setattr(shared_deltas, "LARGEST_PROGRAM", 2)
    assert scale_of_error(reference, wrong, expected, 0) == (0.0, 0)


def test_what_is_expected_may_be_off_itself() -> None:
    reference, found = saturated()
    wrong = spoiled(found, slice(0, 3), 1 + 1e-3)
    exact = Bounded(reference.gradient.value, np.zeros_like(found))
    rough = Bounded(exact.value, 2e-3 * np.abs(exact.value))
    assert scale_of_error(reference, wrong, exact, 0)[0] > MARGIN
    assert scale_of_error(reference, wrong, rough, 0)[0] <= MARGIN
