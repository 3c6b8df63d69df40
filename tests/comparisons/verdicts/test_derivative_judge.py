"""Projections of several outputs: every output by itself, all of them together, and from a seed."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.verdicts import derivative_judge
from backproof.comparisons.verdicts.derivative_judge import MOST_OUTPUTS, PROJECTIONS, Search, projections
from backproof.reference.program import EPS, Output
from backproof.scratch.architecture import Array


def outputs(*sizes: int) -> list[Output]:
    return [Output(f"out{i}", size, "float64") for i, size in enumerate(sizes)]


def test_a_single_output_is_looked_at_along_several_directions() -> None:
    found = projections(outputs(4), seed=0)
    assert found.c.shape == (PROJECTIONS, 4)
    assert found.labels == ("",) * PROJECTIONS
    assert (found.c != 0).all()


def test_of_several_outputs_each_is_looked_at_alone_and_all_of_them_at_last() -> None:
    found = projections(outputs(2, 3, 1), seed=0)
    assert found.labels == ("out0", "out1", "out2", "")
    expected = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1], [1] * 6], bool)
    np.testing.assert_array_equal(found.c != 0, expected)


def test_more_outputs_than_are_looked_at_alone_share_the_rows_in_turn() -> None:
    found = projections(outputs(*[1] * (MOST_OUTPUTS + 1)), seed=0)
    assert len(found.labels) == MOST_OUTPUTS + 1
    assert found.labels[0] == f"out0, out{MOST_OUTPUTS}"
    assert np.flatnonzero(found.c[0]).tolist() == [0, MOST_OUTPUTS]


@pytest.mark.parametrize("sizes", [(4,), (2, 3)])
def test_the_seed_decides_the_directions(sizes: tuple[int, ...]) -> None:
    first, again, other = (projections(outputs(*sizes), seed).c for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.isclose(first, other)[first != 0].any()


# --- programs -----------------------------------------------------------------------------------------------

THETA = np.array([0.5, -2.0])


class Three:
    """Outputs theta_0^2, 5 and 1e-9 theta_1, each a tensor of its own; `claims` is the Jacobian it gives."""

    def __init__(
        self, sizes: tuple[int, ...] = (1, 1, 1), claims: Any = None, dtype: str = "float64"
    ) -> None:
        self.cells: Mapping[str, Any] = {"theta": THETA.copy()}
        self.outputs = [Output(f"out{i}", size, dtype) for i, size in enumerate(sizes)]
        self.claims = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1e-9]]) if claims is None else claims

    def values(self) -> Array:
        a, b = self.cells["theta"]
        return np.array([a**2, 5.0, 1e-9 * b])

    def pull(self, c: Array) -> list[Array]:
        return [np.asarray(c) @ self.claims]


def moving(program: Any, faint: float = 0.0, seed: int = 0) -> list[bool]:
    c = projections(program.outputs, seed).c
    found = derivative_judge._moving(program, derivative_judge.tensors_of(program), c, seed, faint)
    np.testing.assert_array_equal(program.cells["theta"], THETA)
    return [bool(one) for one in found]


def test_only_outputs_that_move_or_claim_to_are_judged() -> None:
    assert moving(Three()) == [True, False, True, True]
    claiming = np.array([[1.0, 0.0], [0.5, 0.0], [0.0, 1e-9]])
    assert moving(Three(claims=claiming)) == [True, True, True, True]
    assert moving(Three(claims=np.zeros((3, 2)))) == [True, False, True, True]


def test_outputs_far_below_the_largest_are_rounding_where_both_values_and_claims_are() -> None:
    assert moving(Three(), faint=1e-7) == [True, False, False, True]
    assert moving(Three(), faint=1e-12) == [True, False, True, True]
    steep = np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 1.0]])
    assert moving(Three(claims=steep), faint=1e-7) == [True, False, True, True]


def test_an_output_is_as_large_as_it_is_here_or_nearby_whatever_its_sign() -> None:
    class Falling(Three):
        def values(self) -> Array:
            here = bool((self.cells["theta"] == THETA).all())
            return np.array([self.cells["theta"][0] ** 2, 5.0, -1.0 if here else -1e-9])

    assert moving(Falling(claims=np.array([[1.0, 0.0], [0.0, 0.0], [0.0, 0.0]])), faint=1e-6)[2]


def test_where_nothing_moves_all_outputs_are_judged() -> None:
    class Constant(Three):
        def values(self) -> Array:
            return np.array([1.0, 5.0, 2.0])

    assert moving(Constant(claims=np.zeros((3, 2)))) == [True] * 4


def test_the_two_draws_of_a_single_output_are_both_judged() -> None:
    assert moving(Three(sizes=(3,), claims=np.zeros((3, 2)))) == [True, True]


def test_what_is_asked_for_and_known_of_a_program_arrives_at_the_judge(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen: list[tuple[Any, ...]] = []
    monkeypatch.setattr(derivative_judge, "judge", lambda *given: seen.append(given))
    program: Any = Three(dtype="float32")
    derivative_judge.judge_program(program, Search(0.25, 5, 7))
    derivative_judge.judge_program(program, Search())
    (point, claims, choice), (_, _, plain) = seen
    assert (choice.resolution, choice.seed, choice.one_by_one, choice.sampled) == (0.25, 7, 5, 5)
    assert (plain.resolution, plain.seed, plain.one_by_one, plain.sampled) == (None, 0, 64, 20)
    assert choice.entries == [None]
    assert claims.labels == ("out0", "out2", "")
    assert claims.noise._seed == 7
    c = projections(program.outputs, 7).c[[0, 2, 3]]
    np.testing.assert_allclose(claims.gradients[0], c @ program.claims)
    y = program.values()
    np.testing.assert_allclose(point.base, c @ y)
    np.testing.assert_allclose(point.rounding, EPS["float32"] / 2 * np.sqrt((c * y) ** 2 @ np.ones(3)))
    assert point.dtype_at(0.0, [np.zeros(2)]) == "float32"
