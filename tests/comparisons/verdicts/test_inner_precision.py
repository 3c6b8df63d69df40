"""Gradients that were computed in fewer digits than they come in, beside an f in float64."""

from collections.abc import Callable
from math import erf, exp, pi, sqrt
from typing import Any

import jax
import numpy as np
import pytest
import torch
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.inner_precision import (
    _shows,
    agreement,
    coarser,
    has_common_factor,
    is_rounding,
    off_by,
)
from backproof.comparisons.verdicts.line_judge import LineFinding
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.tensor_judge import Judged
from backproof.scratch.architecture import Array

BATCH, SIZES = 3, (3, 4, 2)
SINGLE = "digits: computed in single precision inside"
HALF = "digits: computed in half precision inside"

Params = dict[str, Array]
SEEDS = st.integers(0, 2**32 - 1)


class Net:
    """tanh and cross-entropy; its gradient in any dtype, handed out in float64 and divided there."""

    def __init__(self, seed: int) -> None:
        rng = np.random.default_rng(seed)
        n, hidden, k = SIZES
        self.params = {"W": rng.standard_normal((n, hidden)), "b": 0.1 * rng.standard_normal(hidden)}
        self.params |= {"V": rng.standard_normal((hidden, k)), "c": 0.1 * rng.standard_normal(k)}
        self.x, self.labels = rng.standard_normal((BATCH, n)), rng.integers(0, k, BATCH)

    def _forward(self, params: Params, dtype: Any) -> tuple[Any, Any, Any]:
        x, p = self.x.astype(dtype), {name: array.astype(dtype) for name, array in params.items()}
        a = np.tanh(x @ p["W"] + p["b"])
        return x, a, a @ p["V"] + p["c"]

    def loss(self, params: Params) -> float:
        _, _, z = self._forward(params, np.float64)
        return float((np.logaddexp.reduce(z, axis=1) - z[range(BATCH), self.labels]).mean())

    def gradient(self, params: Params, dtype: Any) -> Params:
        x, a, z = self._forward(params, dtype)
        delta = np.exp(z - z.max(axis=1, keepdims=True))
        delta /= delta.sum(axis=1, keepdims=True)
        delta[range(BATCH), self.labels] -= 1
        below = (delta @ params["V"].astype(dtype).T) * (1 - a**2)
        found = {"W": x.T @ below, "b": below.sum(axis=0), "V": a.T @ delta, "c": delta.sum(axis=0)}
        return {name: array.astype(np.float64) / BATCH for name, array in found.items()}


Changed = Callable[[Params], Params]


def judged(
    seed: int, dtype: Any, form: str, change: Changed = lambda g: g, resolution: float | None = None
) -> GradientVerdict:
    net = Net(seed)

    def gradient(params: Params) -> Params:
        return change(net.gradient(params, dtype))

    claimed = gradient if form == "function" else gradient(net.params)
    return check_gradient(net.loss, claimed, net.params, resolution=resolution)


def scaled(factor: float) -> Changed:
    return lambda g: {name: factor * array for name, array in g.items()}


def one_wrong(g: Params) -> Params:
    g["W"].flat[np.argmax(np.abs(g["W"]))] *= 1.0001
    return g


@given(seed=SEEDS)
@settings(max_examples=12)
@pytest.mark.parametrize("form", ["array", "function"])
@pytest.mark.parametrize(("dtype", "words"), [(np.float32, SINGLE), (np.float16, HALF)])
def test_a_gradient_with_fewer_digits_inside_does_not_fail_and_is_told_so(
    seed: int, form: str, dtype: Any, words: str
) -> None:
    net = Net(seed)
    assume(dtype == np.float32 or net.loss(net.params) > 0.05)  # else half precision has no digit of it
    verdict = judged(seed, dtype, form)
    assert verdict.outcome != Outcome.FAIL, str(verdict)
    undecided = [one for one in verdict.values() if one.outcome == Outcome.INCONCLUSIVE]
    assert all("precision inside" in one.reason for one in undecided)
    assert not undecided or any(words in one.reason for one in undecided)


@given(seed=SEEDS)
@settings(max_examples=12)
@pytest.mark.parametrize("form", ["array", "function"])
def test_a_factor_on_top_of_single_precision_fails(seed: int, form: str) -> None:
    assert judged(seed, np.float32, form, scaled(1.001)).outcome == Outcome.FAIL


@given(seed=SEEDS)
@settings(max_examples=12)
@pytest.mark.parametrize("form", ["array", "function"])
def test_a_factor_on_top_of_half_precision_fails(seed: int, form: str) -> None:
    assert judged(seed, np.float16, form, scaled(1.3)).outcome == Outcome.FAIL


@given(seed=SEEDS)
@settings(max_examples=12)
@pytest.mark.parametrize("form", ["array", "function"])
def test_one_wrong_entry_on_top_of_single_precision_fails_and_is_named(seed: int, form: str) -> None:
    verdict = judged(seed, np.float32, form, one_wrong)
    net = Net(seed)
    largest = np.unravel_index(np.argmax(np.abs(net.gradient(net.params, np.float64)["W"])), SIZES[:2])
    assert verdict["params['W']"].outcome == Outcome.FAIL
    assert verdict["params['W']"].worst == f"params['W'][{largest[0]}, {largest[1]}]"
    assert verdict["params['V']"].outcome != Outcome.FAIL


@given(seed=SEEDS)
@settings(max_examples=12)
@pytest.mark.parametrize("factor", [0.0, -1.0, 1.000001, 1.001])
def test_a_factor_in_double_precision_is_no_rounding(seed: int, factor: float) -> None:
    assert judged(seed, np.float64, "array", scaled(factor)).outcome == Outcome.FAIL


@given(seed=SEEDS)
@settings(max_examples=12)
def test_the_digits_that_were_asked_for_decide(seed: int) -> None:
    coarse = judged(seed, np.float32, "array", resolution=0.05)
    assert coarse.outcome != Outcome.FAIL
    fine = judged(seed, np.float32, "array", resolution=1e-10)
    assert fine.outcome == Outcome.FAIL
    assert all(SINGLE in one.causes[0].sentence for one in fine.values() if one.outcome == Outcome.FAIL)


def test_single_precision_passes_where_no_more_is_asked_for() -> None:
    outcomes = [judged(seed, np.float32, "array", resolution=1e-3).outcome for seed in range(20)]
    assert outcomes.count(Outcome.PASS) >= 10
    assert Outcome.FAIL not in outcomes


@pytest.mark.parametrize("seed", range(5))
def test_gelu_by_tanh_instead_of_erf_is_a_mistake_and_no_rounding(seed: int) -> None:
    rng = np.random.default_rng(seed)
    weights, theta = rng.standard_normal(20), rng.standard_normal(20)

    def loss(t: Array) -> float:
        return float(sum(w * z * (1 + erf(z / sqrt(2))) / 2 for w, z in zip(weights, t, strict=True)))

    k = sqrt(2 / pi)
    inner = np.tanh(k * (theta + 0.044715 * theta**3))
    by_tanh = 0.5 * (1 + inner) + 0.5 * theta * (1 - inner**2) * k * (1 + 3 * 0.044715 * theta**2)
    density = np.array([exp(-z * z / 2) / sqrt(2 * pi) for z in theta])
    by_erf = np.array([(1 + erf(z / sqrt(2))) / 2 for z in theta]) + theta * density
    assert check_gradient(loss, weights * by_erf, theta)
    assert check_gradient(loss, weights * by_tanh, theta).outcome == Outcome.FAIL


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.parametrize("framework", ["torch", "jax"])
def test_frameworks_that_compute_in_single_precision_inside_do_not_fail(seed: int, framework: str) -> None:
    rng = np.random.default_rng(seed)
    A, theta = rng.standard_normal((5, 4)), rng.standard_normal(4)

    def loss(t: Array) -> float:
        return float(np.square(np.tanh(A @ t)).sum() / 3)

    def by_torch(t: Array) -> Array:
        leaf = torch.tensor(t, requires_grad=True)
        torch.tanh(torch.tensor(A).float() @ leaf.float()).square().sum().backward()  # type: ignore[no-untyped-call]  # torch
        assert leaf.grad is not None
        return np.asarray(leaf.grad.numpy()) / 3

    def by_jax(t: Array) -> Array:
        total = lambda v: (jax.numpy.tanh(A.astype(np.float32) @ v) ** 2).sum()  # noqa: E731 (one formula)
        return np.asarray(jax.grad(total)(t.astype(np.float32)), dtype=np.float64) / 3

    gradient = {"torch": by_torch, "jax": by_jax}[framework]
    for claimed in (gradient, gradient(theta)):
        assert check_gradient(loss, claimed, theta).outcome != Outcome.FAIL
    for wrong in (lambda t: 1.001 * gradient(t), 1.001 * gradient(theta)):
        assert check_gradient(loss, wrong, theta).outcome == Outcome.FAIL


@given(seed=SEEDS, factor=st.floats(1e-3, 1e3))
def test_numbers_of_half_precision_have_a_common_factor_and_integers_and_others_do_not(
    seed: int, factor: float
) -> None:
    numbers = np.random.default_rng(seed).standard_normal(30)
    assert has_common_factor(factor * numbers.astype(np.float16).astype(np.float64))
    assert not has_common_factor(factor * numbers)
    assert not has_common_factor(factor * numbers.astype(np.float32).astype(np.float64))
    assert not has_common_factor(factor * np.round(40 * numbers))


# --- what shows a rounding ----------------------------------------------------------------------------------

HALF_EPS = 2.0**-10


def one(outcome: Outcome, bound: float = 1e-9, claimed: float = 1.0, **more: Any) -> Judged:
    return Judged(0, LineFinding(claimed, more.pop("off", 0.0), bound, **more), outcome, bound)


FAILED, FREED, RIGHT, BLURRED = (
    one(Outcome.FAIL),
    one(Outcome.PASS),
    one(Outcome.PASS),
    one(Outcome.PASS, bound=1.0),
)


@pytest.mark.parametrize(
    ("before", "after", "rounding"),
    [
        ([FAILED], [FREED], True),
        ([FAILED], [FAILED], False),
        ([RIGHT], [RIGHT], False),
        ([FAILED, RIGHT], [FREED, RIGHT], True),
        ([FAILED, RIGHT, RIGHT], [FREED, RIGHT, RIGHT], False),
        ([FAILED, RIGHT, BLURRED, BLURRED], [FREED, RIGHT, BLURRED, BLURRED], True),
        ([FAILED, FAILED], [FREED, FAILED], False),
        ([FAILED, FAILED, FAILED], [FREED, FREED, FAILED], True),
    ],
)
def test_most_must_be_freed_and_half_of_what_can_show_a_rounding_must_show_it(
    before: list[Judged], after: list[Judged], rounding: bool
) -> None:
    assert is_rounding(before, after, "float16") is rounding


@pytest.mark.parametrize(
    ("judged_one", "shows"),
    [
        (one(Outcome.FAIL, bound=0.99 * HALF_EPS / 8), True),
        (one(Outcome.FAIL, bound=1.01 * HALF_EPS / 8), False),
        (one(Outcome.FAIL, bound=0.99 * HALF_EPS / 4, claimed=-2.0), True),
        (one(Outcome.FAIL, bound=0.5 * HALF_EPS / 8, doubt=0.4 * HALF_EPS / 8), True),
        (one(Outcome.FAIL, bound=0.5 * HALF_EPS / 8, doubt=0.6 * HALF_EPS / 8), False),
        (one(Outcome.FAIL, bound=0.0), False),
        (one(Outcome.FAIL, bound=1e-9, kink=(0.0, 1.0)), False),
    ],
)
def test_an_entry_shows_a_rounding_where_it_is_known_to_an_eighth_of_it(
    judged_one: Judged, shows: bool
) -> None:
    assert _shows(judged_one, "float16") is shows


def test_the_largest_error_is_told_beside_the_largest_entry_without_kinks() -> None:
    found = [
        one(Outcome.FAIL, off=0.25),
        one(Outcome.FAIL, off=-0.5),
        one(Outcome.FAIL, off=9.0, kink=(0.0, 1.0)),
    ]
    assert off_by(found, 4.0) == 0.125
    assert off_by(found[2:], 4.0) == off_by([], 4.0) == off_by(found, 0.0) == 0.0


def halves(n: int) -> Array:
    return np.random.default_rng(0).standard_normal(n).astype(np.float16).astype(np.float64)


def test_five_numbers_of_half_precision_have_a_common_factor_and_four_say_nothing() -> None:
    assert has_common_factor(halves(5) / 3)
    assert not has_common_factor(halves(4) / 3)
    assert has_common_factor(np.concatenate([halves(40) / 3, -halves(40) / 3, np.zeros(9), [np.nan, np.inf]]))
    assert not has_common_factor(np.append(halves(40) / 3, np.pi))
    assert not has_common_factor(np.random.default_rng(1).standard_normal(40))
    assert not has_common_factor(np.arange(1.0, 30.0) / 3)  # integers, that need few bits
    assert has_common_factor(halves(1000) / 3)


@pytest.mark.parametrize(
    ("dtype", "claimed", "kinds"),
    [
        ("float64", np.array([1 / 3, 2.0]), ["float32"]),
        ("float64", halves(20) / 3, ["float32", "float16"]),
        ("float32", halves(20) / 3, ["float16"]),
        ("float32", np.array([1 / 3, 2.0]), []),
        ("float16", halves(20) / 3, []),
    ],
)
def test_coarser_precisions_are_asked_the_finest_first_and_half_only_where_there_is_a_trace(
    dtype: str, claimed: Array, kinds: list[str]
) -> None:
    assert coarser(dtype, [np.array([1.0]), claimed]) == kinds


@pytest.mark.parametrize(
    ("off", "said"),
    [
        (3e-8, "agrees to 7 digits: computed in single precision inside"),
        (2.0**-15, "agrees to 4 digits: computed in single precision inside"),
        (1.01 * 2.0**-15, "agrees to 4 digits: computed in half precision inside"),
        (0.0, "agrees to 16 digits: computed in single precision inside"),
    ],
)
def test_so_many_digits_agree(off: float, said: str) -> None:
    assert agreement(off) == said
    assert agreement(off, "float32").endswith(": it comes in float32")
