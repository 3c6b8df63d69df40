"""What every contender checks before it trains, and how it walks from checkpoint to checkpoint."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.reference.contender import between, checked_batches, stretches_of


@pytest.mark.parametrize(
    ("batches", "message"),
    [
        ([np.array([0, 5])], r"batches\[0\]: expected rows 0 \.\. 4, found 0 \.\. 5"),
        ([np.array([0]), np.array([-1])], r"batches\[1\]: expected rows"),
        ([np.array([], int)], "expected row indices"),
        ([np.array([0.0])], "expected row indices"),
        ([np.array([[0, 1]])], "expected row indices"),
    ],
)
def test_batches_that_do_not_fit_are_refused(batches: Any, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        checked_batches(batches, 5)


def noting(called: list[int], marks: Sequence[int] | set[int]) -> dict[int, Callable[[], None]]:
    """Checkpoints that write down their number."""
    return {mark: partial(called.append, mark) for mark in marks}


def order_of(n_steps: int, marks: Sequence[int]) -> list[str]:
    """What happens in which order: the steps 0, 1, ..., and the checkpoints by their number."""
    happened: list[str] = []
    checkpoints = {mark: partial(happened.append, f"checkpoint {mark}") for mark in marks}
    for step in between(range(n_steps), checkpoints):
        happened += [f"step {step}"]
    return happened


def test_checkpoints_are_called_before_between_and_after_the_steps() -> None:
    expected = ["checkpoint 0", "step 0", "checkpoint 1", "step 1", "checkpoint 2"]
    assert order_of(2, [2, 0, 1]) == expected


def test_a_checkpoint_beyond_the_last_step_is_never_called() -> None:
    assert order_of(2, [3]) == ["step 0", "step 1"]


def test_without_batches_the_checkpoint_at_zero_is_called_once() -> None:
    assert order_of(0, [0]) == ["checkpoint 0"]


def test_without_checkpoints_there_are_only_batches() -> None:
    assert list(between("abc", None)) == ["a", "b", "c"]


def test_work_is_finished_before_each_checkpoint_and_at_no_other_time() -> None:
    happened: list[str] = []
    note = happened.append
    for step in between(range(3), {1: partial(note, "checkpoint")}, finish=partial(note, "finish")):
        note(str(step))
    assert happened == ["0", "finish", "checkpoint", "1", "2"]


def test_what_a_checkpoint_raises_ends_the_steps() -> None:
    class EnoughError(Exception):
        pass

    def stop() -> None:
        raise EnoughError

    steps = between(range(5), {2: stop})
    assert [next(steps), next(steps)] == [0, 1]
    with pytest.raises(EnoughError):
        next(steps)


@given(st.lists(st.integers(), max_size=6), st.sets(st.integers(0, 8)))
def test_stretches_are_the_batches_cut_at_the_checkpoints_within(batches: list[int], marks: set[int]) -> None:
    called: list[int] = []
    stretches = stretches_of(batches, noting(called, marks))
    assert [batch for stretch in stretches for batch in stretch] == batches
    assert all(stretches)
    # Walked stretch by stretch, no checkpoint is missed.
    list(between(stretches, noting(called, marks), steps=len))
    assert called == sorted(mark for mark in marks if mark <= len(batches))
