"""The same question, the same answer: what a second answer may differ by, and what it is told."""

from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import Mismatch, Undecided
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.battery.own_answers import Answers, ask, ask_afresh, require_same_answers
from backproof.comparisons.check.forms.expected import Expected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import Architecture, Array

PROBLEM = generic_problem(Architecture((2, 3)), 4, seed=0)
ERROR = 1e-9  # of every entry of a right class
SHAPES = {"logits": (4, 3), "gradient": (9,)}


def bounded(shape: tuple[int, ...]) -> Bounded:
    return Bounded(np.ones(shape), np.full(shape, ERROR))


def candidate(undecided: bool = False, **answers: Any) -> Any:
    """A class of which only what is expected of it matters."""
    right = Expected(PROBLEM, bounded((4, 3)), bounded(()), bounded((9,)), undecided)
    return SimpleNamespace(expected=lambda problem: right, **answers)


def answers(**changed: Any) -> Answers:
    return replace(Answers(PROBLEM, np.ones((4, 3)), 1.0, np.ones(9)), **changed)


def off_by(what: str, size: float) -> Any:
    if what == "loss":
        return 1.0 + size
    found: Array = np.ones(SHAPES[what])
    found.flat[-1] += size
    return found


@pytest.mark.parametrize("what", ["logits", "loss", "gradient"])
def test_an_answer_may_move_by_twice_its_bound(what: str) -> None:
    require_same_answers(candidate(), answers(**{what: off_by(what, 1.99 * ERROR)}), answers(), "again")


@pytest.mark.parametrize(
    ("what", "said"),
    [
        ("logits", r"^logits again: .*logits\[3, 2\]"),
        ("loss", "^loss again"),
        ("gradient", "^gradient again: .*b1"),
    ],
)
def test_an_answer_that_moves_by_more_is_told_with_its_place(what: str, said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        require_same_answers(candidate(), answers(**{what: off_by(what, 2.02 * ERROR)}), answers(), "again")


def test_a_class_whose_answers_are_a_thousand_times_as_large_may_move_by_as_much_more() -> None:
    own = answers(gradient=1000 * np.ones(9))
    for size, same in ((1990 * ERROR, True), (2030 * ERROR, False)):
        moved = own.gradient + size * np.eye(9)[4]
        if same:
            require_same_answers(candidate(), replace(own, gradient=moved), own, "again")
        else:
            with pytest.raises(Mismatch):
                require_same_answers(candidate(), replace(own, gradient=moved), own, "again")


def test_a_class_whose_answers_are_small_may_move_by_as_much_as_a_right_one() -> None:
    own = answers(gradient=1e-3 * np.ones(9))
    for size, same in ((1.99 * ERROR, True), (2.02 * ERROR, False)):
        for sign in (1, -1):
            again = replace(own, gradient=own.gradient + sign * size * np.eye(9)[4])
            if same:
                require_same_answers(candidate(), again, own, "again")
            else:
                with pytest.raises(Mismatch):
                    require_same_answers(candidate(), again, own, "again")


@pytest.mark.parametrize(("off", "same"), [(0.9e-12, True), (1.2e-12, False)])
@pytest.mark.parametrize("what", ["logits", "loss", "gradient"])
def test_without_any_rounding_an_answer_may_move_by_a_millionth_of_a_millionth(
    off: float, same: bool, what: str
) -> None:
    exact = Expected(
        PROBLEM,
        Bounded.exact(np.ones((4, 3))),
        Bounded.exact(np.array(1.0)),
        Bounded.exact(np.ones(9)),
        False,
    )
    some: Any = SimpleNamespace(expected=lambda problem: exact)
    again = answers(**{what: off_by(what, off)})
    if same:
        require_same_answers(some, again, answers(), "again")
    else:
        with pytest.raises(Mismatch):
            require_same_answers(some, again, answers(), "again")


def test_in_single_precision_an_answer_may_move_by_single_roundings() -> None:
    own = answers(gradient=np.ones(9, np.float32))
    moved = (np.ones(9) + 4e-4 * np.eye(9)[0]).astype(np.float32)
    require_same_answers(candidate(), replace(own, gradient=moved), own, "again")
    further = (np.ones(9) + 7e-4 * np.eye(9)[0]).astype(np.float32)
    with pytest.raises(Mismatch):
        require_same_answers(candidate(), replace(own, gradient=further), own, "again")


def test_of_what_was_not_finite_before_nothing_is_asked_and_of_the_rest_all() -> None:
    own = off_by("gradient", float("nan"))
    require_same_answers(candidate(), answers(gradient=np.ones(9)), answers(gradient=own), "again")
    with pytest.raises(Mismatch):
        require_same_answers(candidate(), answers(gradient=2 * np.ones(9)), answers(gradient=own), "again")
    require_same_answers(candidate(), answers(loss=5.0), answers(loss=float("nan")), "again")


def test_what_becomes_nan_is_not_the_same() -> None:
    with pytest.raises(Mismatch):
        require_same_answers(
            candidate(), answers(gradient=off_by("gradient", float("nan"))), answers(), "again"
        )


@pytest.mark.parametrize("what", ["logits", "loss", "gradient"])
def test_what_was_asked_only_once_is_not_compared(what: str) -> None:
    wrong = answers(**{what: off_by(what, 1.0)})
    require_same_answers(candidate(), wrong, answers(**{what: None}), "again")
    require_same_answers(candidate(), answers(**{what: None}), wrong, "again")


def test_where_a_kink_decides_nothing_is_said() -> None:
    with pytest.raises(Undecided):
        require_same_answers(candidate(undecided=True), answers(loss=off_by("loss", 1.0)), answers(), "again")


@pytest.mark.parametrize(
    ("what", "offered", "given"),
    [
        (("logits", "gradient"), {"logits", "loss_and_gradient"}, (True, True)),
        (("logits",), {"logits", "loss_and_gradient"}, (True, False)),
        (("gradient",), {"logits", "loss_and_gradient"}, (False, True)),
        (("logits", "gradient"), {"logits"}, (True, False)),
        (("logits", "gradient"), {"loss_and_gradient"}, (False, True)),
    ],
)
def test_only_what_is_wanted_and_offered_is_asked(
    what: tuple[str, ...], offered: set[str], given: tuple[bool, bool]
) -> None:
    some: Any = candidate(
        offers=lambda name: name in offered,
        logits=lambda x: np.ones((4, 3)),
        loss_and_gradient=lambda x, t: (2.0, [(np.zeros((2, 3)), np.ones(3))]),
    )
    found = ask(some, PROBLEM, what)
    assert (found.logits is not None, found.gradient is not None, found.loss == 2.0) == (*given, given[1])
    if found.gradient is not None:
        np.testing.assert_array_equal(found.gradient, [0] * 6 + [1] * 3)


def test_a_fresh_answer_is_one_of_a_new_instance_with_these_weights() -> None:
    called: list[object] = []
    some = candidate(
        renew=lambda: called.append("renew"),
        load=lambda architecture, weights: called.append((architecture, weights)),
        offers=lambda name: called.append(name),
    )
    ask_afresh(some, PROBLEM)
    assert called == ["renew", (PROBLEM.architecture, PROBLEM.weights), "logits", "loss_and_gradient"]
