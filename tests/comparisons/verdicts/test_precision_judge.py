"""Lower precisions beside double: the bound by hand, what is resolved, and what cannot be judged."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts import precision_judge, second_order
from backproof.comparisons.verdicts.derivative_judge import Search
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.precision_judge import NEAR, POINTS, Pairs, _paired, judge_precision
from backproof.reference.program import EPS, Output
from backproof.scratch.architecture import Array

THETA = np.array([0.5, -2.0, 3.0])


class Squares:
    """y = theta^2 entry by entry, each number rounded to `dtype` at `at`; its gradient off by a factor."""

    def __init__(self, dtype: str, inside: str = "", wrong: float = 1.0, other: float = 1.0) -> None:
        self.cells: Mapping[str, Any] = {"theta": THETA.astype(dtype)}
        self.outputs: Sequence[Output] = [Output("y", 3, dtype)]
        self.dtype, self.inside, self.wrong, self.other = dtype, inside, wrong, other
        self.points: list[Array] = []

    def values(self) -> Array:
        found: Array = self.other * (self.cells["theta"] ** 2).astype(np.float64)
        return found

    def pull(self, c: Array) -> list[Array]:
        theta = self.cells["theta"]
        self.points.append(theta.astype(np.float64))
        return [(np.asarray(c, self.dtype) * (2 * self.wrong * theta).astype(self.dtype)).astype(np.float64)]


def judged(coarse: Squares, search: Search | None = None, faint: float = 0.0) -> Any:
    programs: tuple[Any, Any] = Squares("float64"), coarse
    (found,) = judge_precision(*programs, search or Search(), faint).items()
    return found


# --- the bound ----------------------------------------------------------------------------------------------


def test_the_mean_error_may_be_eight_standard_errors_and_a_few_roundings_of_the_largest() -> None:
    """Four points, one function, two entries; errors of standard deviation 1 and 3 about 0.5 and 0."""
    high = np.tile([[[2.0, -8.0]]], (4, 1, 1))
    errors = np.array([[1.5, 3.0], [-0.5, -3.0], [1.5, 3.0], [-0.5, -3.0]])[:, None]
    spread = np.array([np.sqrt(4 / 3), 3 * np.sqrt(4 / 3)])
    typical = np.sqrt((spread**2).mean())
    found = _paired(high + errors, high, np.array([8.0]), "float32")
    bound = 8 / np.sqrt(4) * np.maximum(spread, typical) + 64 * EPS["float32"] * 8.0
    np.testing.assert_allclose(found.bound, [bound], rtol=1e-12)
    np.testing.assert_allclose(found.found, [[2.5, -8.0]])
    np.testing.assert_allclose(found.expected, [[2.0, -8.0]])


def test_a_gradient_that_is_nothing_beside_the_whole_rounds_as_the_whole_does() -> None:
    high = np.full((2, 2, 1), 1.0)
    high[:, 0] = 1e-11
    found = _paired(high, high, np.array([1.0, 1.0]), "float16")
    np.testing.assert_allclose(found.bound, np.full((2, 1), 4 * EPS["float16"]))
    assert found.groups == [slice(1, 2)]
    small = _paired(high * [[1e3], [1.0]], high * [[1e3], [1.0]], np.array([1.0, 1.0]), "float16")
    assert small.groups == [slice(0, 1), slice(1, 2)]
    np.testing.assert_allclose(small.bound[:, 0], [4 * EPS["float16"] * 1e-8, 4 * EPS["float16"]])


def test_infinities_in_the_lower_precision_leave_no_nan_in_the_bound() -> None:
    high = np.ones((2, 1, 2))
    low = high.copy()
    low[:, 0, 1] = np.inf
    assert np.isfinite(_paired(low, high, np.ones(1), "float32").bound).all()


def pairs(found: float, bound: float, size: float = 1.0, of_all: float = 1.0) -> Pairs:
    expected = np.array([[size, size / 2]])
    return Pairs(expected + found, expected, np.full((1, 2), bound), np.array([of_all]))


def test_a_pass_takes_the_resolution_that_is_required_unless_there_is_nothing_to_resolve() -> None:
    passed = pairs(0.0, 1e-4).judged(1e-3, "g[{}]".format)
    assert (passed.outcome, passed.required) == (Outcome.PASS, 1e-3)
    assert "(estimated bounds)" in passed.reason
    coarse = pairs(0.0, 1e-2).judged(1e-3, "g[{}]".format)
    assert coarse.outcome is Outcome.INCONCLUSIVE
    assert "rounding hides errors below 0.02 of the tensor, where 0.001 is required" in coarse.reason
    nothing = pairs(0.0, 1e-2, size=1e-11).judged(1e-3, "g[{}]".format)
    assert nothing.outcome is Outcome.PASS
    assert nothing.reason.endswith("zero but for rounding")
    wrong = pairs(0.5, 1e-2).judged(1e-3, "g[{}]".format)
    assert (wrong.outcome, wrong.worst[:2]) == (Outcome.FAIL, "g[")


def test_entries_of_every_function_go_by_their_own_names() -> None:
    expected = np.ones((2, 3))
    found = expected.copy()
    found[1, 2] = 2.0
    verdict = Pairs(found, expected, np.full((2, 3), 0.1), np.ones(2)).judged(1e-3, "g[{}]".format)
    assert verdict.worst == "g[2]"


# --- programs -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("dtype", "inside", "name"),
    [
        ("float32", "", "theta (float32)"),
        ("float16", "", "theta (float16)"),
        ("float32", "bfloat16", "theta (float32, bfloat16 inside)"),
    ],
)
def test_a_right_gradient_passes_and_one_off_by_more_than_its_precision_fails(
    dtype: str, inside: str, name: str
) -> None:
    label, verdict = judged(Squares(dtype, inside))
    assert (label, verdict.outcome) == (name, Outcome.PASS)
    assert judged(Squares(dtype, inside, wrong=1.2))[1].outcome is Outcome.FAIL


def test_the_points_lie_a_few_roundings_around_and_everything_is_put_back() -> None:
    coarse = Squares("float32")
    judged(coarse)
    assert len(coarse.points) == POINTS["float32"]
    off = np.abs(np.array(coarse.points) / THETA - 1)
    assert 0 < off.max() <= (NEAR + 1) * EPS["float32"]
    np.testing.assert_array_equal(coarse.cells["theta"], THETA.astype("float32"))
    inside = Squares("float32", "bfloat16")
    judged(inside)
    assert len(inside.points) == POINTS["bfloat16"]
    assert np.abs(np.array(inside.points) / THETA - 1).max() > EPS["bfloat16"]


def test_the_seed_decides_the_points() -> None:
    def points(seed: int) -> list[Array]:
        coarse = Squares("float32")
        judged(coarse, Search(seed=seed))
        return coarse.points

    np.testing.assert_array_equal(points(1), points(1))
    assert not np.array_equal(points(1), points(2))


def test_the_required_resolution_is_no_finer_than_the_precision_allows() -> None:
    assert judged(Squares("float32"), Search(required=1e-9))[1].required == 1e-3
    assert judged(Squares("float32"), Search(required=0.25))[1].required == 0.25
    assert judged(Squares("float32"))[1].required == 1e-3


def test_where_f_is_another_function_in_double_precision_its_gradient_proves_nothing() -> None:
    _, verdict = judged(Squares("float32", wrong=1.2, other=1.05))
    assert verdict.outcome is Outcome.INCONCLUSIVE
    assert "f computes other numbers in float64 than in float32" in verdict.reason
    assert judged(Squares("float32", wrong=1.2, other=1.005))[1].outcome is Outcome.FAIL
    assert judged(Squares("float32", other=1.05))[1].outcome is Outcome.PASS


def test_near_the_largest_number_an_overflow_is_possible(monkeypatch: pytest.MonkeyPatch) -> None:
    """The values reach 9, and the gradients no further."""
    monkeypatch.setitem(precision_judge.LARGEST, "float32", 1e6)
    assert judged(Squares("float32"))[1].outcome is Outcome.PASS
    monkeypatch.setitem(precision_judge.LARGEST, "float32", 850.0)
    assert judged(Squares("float32"))[1].outcome is Outcome.INCONCLUSIVE


# --- two ways to the same numbers ---------------------------------------------------------------------------


@pytest.mark.parametrize(("dtype", "required"), [("float64", 1e-6), ("float32", 1e-3)])
def test_dot_products_may_differ_by_a_power_of_eps_of_their_terms_and_rounding_of_the_whole(
    dtype: str, required: float
) -> None:
    program: Any = Squares(dtype)
    eps, one = EPS[dtype], np.ones((1, 2))

    def close(off: float, size: float, of_all: float, search: Search | None = None) -> Any:
        sizes = np.full((1, 2), size)
        return second_order._close(
            one + off, one, sizes, np.array([of_all]), program, search or Search(), "it"
        )

    for size, of_all, room in ((1.0, 1.0, eps**0.6), (1e-9, 1.0, 64 * eps), (3.0, 0.0, 3 * eps**0.6)):
        assert close(0.99 * room, size, of_all).outcome is not Outcome.FAIL
        failed = close(1.01 * room, size, of_all)
        assert (failed.outcome, failed.worst) == (Outcome.FAIL, "it along a random direction")
    assert close(0.0, 1e-3, 1e-3).required == required
    assert close(0.0, 1e-3, 1e-3, Search(required=0.5)).required == 0.5
    assert close(0.0, 1e-3, 1e-3, Search(required=1e-9)).required == required


def test_below_double_the_second_derivative_is_resolved_to_a_tenth(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[Search, float]] = []

    def precision(fine: Any, coarse: Any, search: Search, faint: float) -> dict[str, Any]:
        asked.append((search, faint))
        return {"w (float32)": "verdict"}

    class Twice(Squares):
        def backward(self) -> str:
            return "backward"

    monkeypatch.setattr(second_order, "judge_precision", precision)
    programs: tuple[Any, Any] = Twice("float64"), Twice("float32")
    for search in (Search(seed=3), Search(required=0.5), Search(required=1e-3)):
        found: dict[str, Any] = {**second_order.judge_second_precision(*programs, search)}
        assert found == {"w (second order, float32)": "verdict"}
    assert [search for search, _ in asked] == [
        Search(0.1, None, 3),
        Search(required=0.5),
        replace(Search(), required=0.1),
    ]
    assert {faint for _, faint in asked} == {1e-10}
