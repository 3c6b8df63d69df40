"""Tasks in several processes: each result once, whatever the order, and kept when stopped."""

import os

import pytest

from backproof.comparisons.running.parallel import collect
from backproof.comparisons.running.progress import Silent


def square(number: int) -> int:
    return number * number


def interrupted_at_three(number: int) -> int:
    if number == 3:
        raise KeyboardInterrupt
    return number


def process_of(task: int) -> int:
    return os.getpid()


@pytest.mark.parametrize("workers", [1, 2])
def test_every_task_is_kept_once(workers: int) -> None:
    kept: dict[int, int] = {}
    finished = collect(square, range(20), kept.__setitem__, workers, Silent(), "squares")
    assert finished
    assert kept == {number: number * number for number in range(20)}


def test_ctrl_c_keeps_what_was_finished_and_says_so() -> None:
    kept: dict[int, int] = {}
    finished = collect(interrupted_at_three, range(9), kept.__setitem__, 1, Silent(), "numbers")
    assert not finished
    assert sorted(kept) == [0, 1, 2]


def test_an_error_in_a_task_is_not_swallowed() -> None:
    with pytest.raises(ZeroDivisionError):
        collect(lambda number: 1 // number, [1, 0], lambda task, result: None, 1, Silent(), "inverses")


def test_a_thousand_workers_are_no_more_than_there_are_tasks() -> None:
    """Counted where they run: two tasks, at most two processes."""
    kept: dict[int, int] = {}
    assert collect(process_of, [0, 1], kept.__setitem__, 1000, Silent(), "processes")
    assert len(set(kept.values())) <= 2


def test_no_task_is_no_work_for_any_number_of_workers() -> None:
    assert collect(square, [], lambda task, result: None, 1000, Silent(), "nothing")
