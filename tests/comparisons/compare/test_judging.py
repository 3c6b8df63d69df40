"""A tensor judged block by block is the tensor judged at once."""

from collections.abc import Iterator

import numpy as np
import pytest

from backproof.comparisons.compare import judging
from backproof.comparisons.compare.judging import Judged, blocks, judge, whole, wrong_shape
from backproof.comparisons.compare.result import Link
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.scratch.architecture import Array

ARITHMETIC = Arithmetic.of("float64")


@pytest.mark.parametrize(
    ("shape", "sizes"),
    [
        ((), [None]),
        ((10,), [10]),
        ((7, 2), [3, 3, 1]),
        ((7, 6), [1] * 7),
        ((7, 9), [1] * 7),  # a row is never cut
        ((4, 2, 3), [1] * 4),
        ((4, 0), [4]),
        ((0, 3), []),
    ],
)
def test_blocks_are_whole_rows_with_at_most_so_many_entries(
    monkeypatch: pytest.MonkeyPatch, shape: tuple[int, ...], sizes: list[int | None]
) -> None:
    assert judging.MOST_ENTRIES == 2**18  # two megabytes of float64
    monkeypatch.setattr(judging, "MOST_ENTRIES", 6 if shape != (10,) else 10)
    found = blocks(shape)
    assert [None if some.stop is None else some.stop - some.start for some in found] == sizes
    if shape:
        np.testing.assert_array_equal(np.concatenate([[], *(np.arange(shape[0])[some] for some in found)]),
                                      np.arange(shape[0]))  # fmt: skip


def in_blocks(value: Array, error: float) -> Iterator[judging.Block]:
    for rows in blocks(value.shape):
        part = value[rows] if value.ndim else value
        yield rows, Bounded(part, np.full(part.shape, error))


def judged(found: Array, right: Array, error: float = 1e-9) -> Link:
    def causes(found: Array, expected: Bounded) -> tuple[str, ...]:
        assert expected.value.shape == expected.error.shape == right.shape
        return ("a cause",)

    return judge("W", found, right.shape, lambda: in_blocks(right, error), ARITHMETIC, causes)


@pytest.mark.parametrize("most", [1, 4, 2**18])
def test_the_worst_entry_of_all_blocks_is_told_by_its_place_in_the_tensor(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(judging, "MOST_ENTRIES", most)
    right = np.arange(12.0).reshape(6, 2)
    found = right.copy()
    found[1, 0] += 2e-9
    found[4, 1] -= 5e-9
    link = judged(found, right)
    assert (link.outcome, link.worst, link.causes) == (Outcome.FAIL, "W[4, 1]", ("a cause",))
    assert link.error == pytest.approx(5e-9)
    assert link.bound == 1e-9
    assert (link.found, link.expected) == (found[4, 1], right[4, 1])
    assert link.roundings == pytest.approx(link.error / (ARITHMETIC.unit * 11.0))


@pytest.mark.parametrize("most", [1, 2**18])
def test_a_tensor_within_its_bounds_passes_without_a_cause(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    monkeypatch.setattr(judging, "MOST_ENTRIES", most)
    right = np.arange(12.0).reshape(6, 2)
    link = judged(right + 0.5e-9, right)
    assert (link.outcome, link.causes) == (Outcome.PASS, ())


def test_a_number_is_one_block() -> None:
    assert judged(np.array(2.0), np.array(2.0)).outcome is Outcome.PASS
    assert judged(np.array(2.1), np.array(2.0)).worst == "W"


def test_nan_is_worse_than_any_number() -> None:
    right = np.ones((3, 1))
    found = np.array([[9.0], [np.nan], [9.0]])
    assert judged(found, right).worst == "W[1, 0]"


def test_a_block_that_is_undecided_is_worse_than_one_that_passes_and_better_than_one_that_fails() -> None:
    def parts(*errors: tuple[float, float]) -> Outcome:
        one = Judged("W", (len(errors),))
        for row, (error, bound) in enumerate(errors):
            one.add(np.array([1.0 + error]), slice(row, row + 1), Bounded(np.ones(1), np.array([bound])))
        return one.link(ARITHMETIC, ()).outcome

    assert parts((0.0, 1e-9), (0.0, np.inf)) is Outcome.INCONCLUSIVE
    assert parts((0.0, np.inf), (0.0, 1e-9)) is Outcome.INCONCLUSIVE
    assert parts((1.0, 1e-9), (0.0, np.inf), (0.0, 1e-9)) is Outcome.FAIL


def test_blocks_put_together_are_the_whole() -> None:
    value = np.arange(6.0).reshape(3, 2)
    halves = [
        (slice(0, 2), Bounded(value[:2], 2 * value[:2])),
        (slice(2, 3), Bounded(value[2:], 2 * value[2:])),
    ]
    found = whole(halves)
    np.testing.assert_array_equal(found.value, value)
    np.testing.assert_array_equal(found.error, 2 * value)
    assert whole(halves[:1]) is halves[0][1]


@pytest.mark.parametrize(
    ("found", "cause"),
    [
        ((3, 2), "shape (3, 2) where (2, 3) belongs: transposed?"),
        ((2, 2), "shape (2, 2) where (2, 3) belongs"),
        ((3, 2, 1), "shape (3, 2, 1) where (2, 3) belongs"),
    ],
)
def test_another_shape_is_told_and_a_transposed_one_as_such(found: tuple[int, ...], cause: str) -> None:
    link = wrong_shape("W1", found, (2, 3))
    assert (link.outcome, link.tensor, link.causes) == (Outcome.FAIL, "W1", (cause,))
    assert judged(np.zeros(found), np.zeros((2, 3))).causes == (cause,)


@pytest.mark.parametrize("shape", [(4, 0), (0, 3), (0,)])
def test_a_tensor_without_entries_has_nothing_that_could_be_off(shape: tuple[int, ...]) -> None:
    one = Judged("W", shape)
    one.add(np.zeros(shape), slice(0, shape[0]), Bounded.exact(np.zeros(shape)))
    assert one.size == 0.0
    assert not one.failed


def test_errors_are_told_in_roundings_of_the_largest_entry_of_any_block_and_sign() -> None:
    one = Judged("W", (2, 1))
    one.add(np.array([[-8.0]]), slice(0, 1), Bounded(np.array([[-8.0]]), np.full((1, 1), 1e-9)))
    one.add(np.array([[1.0 + 1e-6]]), slice(1, 2), Bounded(np.array([[1.0]]), np.full((1, 1), 1e-9)))
    assert one.size == 8.0
    assert one.failed
    link = one.link(ARITHMETIC, ())
    assert link.worst == "W[1, 0]"
    assert link.roundings == pytest.approx(1e-6 / (8 * ARITHMETIC.unit))
    nothing = Judged("W", (1,))
    nothing.add(np.ones(1), slice(0, 1), Bounded.exact(np.zeros(1)))
    assert nothing.link(ARITHMETIC, ()).roundings == np.inf


def test_of_two_blocks_alike_the_first_speaks_and_an_error_beside_a_bound_of_zero_is_the_worst() -> None:
    def worst(*errors_and_bounds: tuple[float, float]) -> str:
        one = Judged("W", (len(errors_and_bounds),))
        for row, (error, bound) in enumerate(errors_and_bounds):
            one.add(np.array([1.0 + error]), slice(row, row + 1), Bounded(np.ones(1), np.array([bound])))
        return one.link(ARITHMETIC, ()).worst

    assert worst((0.25, 0.5), (0.25, 0.5)) == "W[0]"
    assert worst((0.0, 0.0), (0.25, 0.5)) == "W[1]"
    assert worst((8.0, 1.0), (0.5, 0.0), (16.0, 1.0)) == "W[1]"
