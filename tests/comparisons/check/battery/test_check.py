"""The decorator makes a check of a function, with what is not said left at its plainest."""

from typing import Any

import pytest
from hypothesis import strategies as st

from backproof.comparisons.check.battery import check as module
from backproof.comparisons.check.battery.check import Check, as_arguments, check, nothing_first
from backproof.comparisons.check.forms.space import Space


@pytest.fixture
def registered(monkeypatch: pytest.MonkeyPatch) -> list[Check]:
    """The checks made by a test, which are none of the battery's."""
    made: list[Check] = []
    monkeypatch.setattr(module, "REGISTERED", made)
    return made


def no_numbers(space: Space) -> st.SearchStrategy[int]:
    return st.integers()


@pytest.mark.parametrize(
    ("drawn", "arguments"),
    [(3, (3,)), ((3,), (3,)), ((1, "two"), (1, "two")), ([1, 2], ([1, 2],)), (None, (None,))],
)
def test_a_tuple_is_several_arguments_and_anything_else_is_one(drawn: Any, arguments: Any) -> None:
    assert as_arguments(drawn) == arguments


def test_a_check_has_the_name_of_its_function_in_words(registered: list[Check]) -> None:
    @check("Is it so?", "load train(checkpoints)", no_numbers)
    def so_it_is(candidate: object, number: int) -> None: ...

    (made,) = registered
    assert (made.name, made.question, made.needs) == ("so it is", "Is it so?", ("load", "train(checkpoints)"))
    assert (made.run, made.draw) == (so_it_is, no_numbers)


def test_what_is_not_said_is_no_grid_the_usual_number_of_cases_and_nothing_to_follow(
    registered: list[Check],
) -> None:
    check("Is it so?", "", no_numbers)(lambda candidate: None)
    (made,) = registered
    assert (made.needs, made.weight, made.follows) == ((), 1.0, ())
    assert made.grid is nothing_first
    assert list(made.grid(3, Space.full())) == []


def test_what_is_said_is_taken(registered: list[Check]) -> None:
    def grid(seed: int, space: Space) -> list[int]:
        return [seed]

    check("Is it so?", "load", no_numbers, grid, 0.25, ("loss",))(lambda candidate: None)
    (made,) = registered
    assert (made.grid, made.weight, made.follows) == (grid, 0.25, ("loss",))
