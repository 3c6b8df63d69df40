"""A trial: what is asked, how often, what follows from what, and what the results come to."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import strategies as st

from backproof.comparisons.check import trial as module
from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import NothingToTryError
from backproof.comparisons.check.battery.check import Check
from backproof.comparisons.check.battery.findings import Mismatch, Undecided
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.check.trial import (
    EXAMPLES,
    EXCEPTIONS,
    MAX_FATAL,
    NOT_JUDGED,
    NOT_OFFERED,
    NOT_RUN,
    QUICK_EXAMPLES,
    QUICK_SHRINK,
    SHRINK,
    CheckResult,
    Settings,
    Trial,
    _Run,
    run_trial,
)
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem
from tests.support.in_process import Student, explored_here, tried_here

SPACE = Space((("tanh", "mse", 1),), ("float64",))
NARROW: Any = {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)}
PROBLEM = generic_problem(Architecture((3, 4, 2), "tanh", "mse"), 4, 0)
SMALL = generic_problem(Architecture((2, 1), "tanh", "mse"), 1, 0)
ONE_OUTPUT = generic_problem(Architecture((2, 1), "tanh", "cross_entropy"), 3, 0)


# --- what results come to ----------------------------------------------------------------------------------


def result(check: str, verdict: str, kind: str = "", text: str = "") -> CheckResult:
    return CheckResult(check, "Is it right?", verdict, text, kind=kind)


def trial_of(*verdicts: str, whole: bool = True, gradient: str = Outcome.PASS) -> Trial:
    results = [result(f"check {i}", verdict) for i, verdict in enumerate(verdicts)]
    return Trial(Target("own.py", "Mine"), [*results, result("gradient", gradient)], None, 0.0, whole)


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ([Outcome.PASS], Outcome.PASS),
        ([Outcome.PASS, NOT_OFFERED], Outcome.PASS),
        ([Outcome.PASS, NOT_RUN], Outcome.INCONCLUSIVE),
        ([Outcome.PASS, NOT_JUDGED], Outcome.INCONCLUSIVE),
        ([Outcome.PASS, Outcome.INCONCLUSIVE], Outcome.INCONCLUSIVE),
        ([Outcome.FAIL, Outcome.INCONCLUSIVE, NOT_RUN], Outcome.FAIL),
    ],
)
def test_the_worst_that_was_asked_is_the_verdict(verdicts: list[str], outcome: Outcome) -> None:
    assert trial_of(*verdicts).verdict == outcome


def test_of_a_whole_trial_nothing_passes_without_a_gradient_compared() -> None:
    assert trial_of(Outcome.PASS, gradient=NOT_OFFERED).verdict == Outcome.INCONCLUSIVE
    assert trial_of(Outcome.PASS, gradient=NOT_OFFERED, whole=False).verdict == Outcome.PASS
    plain = Trial(Target("own.py", "Mine"), [], None, 0.0)
    assert (plain.whole, plain.limits, plain.failed()) == (True, (), [])


def test_what_failed_is_what_has_failed() -> None:
    assert [one.check for one in trial_of(Outcome.FAIL, Outcome.PASS, Outcome.FAIL).failed()] == [
        "check 0", "check 2",
    ]  # fmt: skip


def test_what_is_not_set_is_the_whole_battery_with_time_and_a_wall() -> None:
    plain = Settings()
    assert (plain.only, plain.seed, plain.quick, plain.shrink, plain.strict) == ((), 0, False, True, False)
    assert (plain.time_limit, plain.call_limit, plain.narrow, plain.sandbox) == (60.0, 10.0, {}, "auto")
    assert CheckResult("a", "b", "c", "d").counts == module.Counts(0, 0, 0.0)
    assert EXAMPLES == 4 * QUICK_EXAMPLES  # quick is a quarter of the cases
    assert SHRINK > 2 * QUICK_SHRINK


# --- a whole trial -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("only", [(), ("loss",)])
def test_a_class_that_cannot_be_made_has_failed_and_whether_all_was_asked_is_kept(
    only: Sequence[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[Any] = []

    def made(*settings: Any) -> Any:
        given.append(settings)
        raise Misbehaviour("import", "no module named gone", fatal=True)

    monkeypatch.setattr(module, "Subject", made)
    target = Target("own.py", "Mine")
    found = run_trial(target, Settings(only=only, call_limit=3.0, sandbox="none"))
    (only_result,) = found.results
    assert (only_result.check, only_result.verdict) == (EXCEPTIONS, Outcome.FAIL)
    assert (only_result.text, only_result.kind) == ("no module named gone", "import")
    assert (found.verdict, found.whole, found.explored) == (Outcome.FAIL, only == (), None)
    assert given == [(target, 3.0, "none")]
    assert 0 <= found.seconds < 10


def test_checks_are_asked_by_name_in_their_order_and_told_of_as_they_begin() -> None:
    told: list[str] = []
    settings = Settings(only=("gradient", "logits"), quick=True, narrow=NARROW)
    with tried_here(Student) as target:
        found = run_trial(target, settings, told.append)
    assert told == ["what it can do", "logits", "gradient"]
    assert [(one.check, one.verdict) for one in found.results] == [
        ("logits", Outcome.PASS), ("gradient", Outcome.PASS),
    ]  # fmt: skip
    assert not found.whole
    assert found.explored is not None
    assert found.explored.space.kinds == (("tanh", "mse", 1),)
    assert 0 <= found.seconds < 60


def test_a_name_that_no_check_has_is_refused_before_anything_is_tried() -> None:
    with pytest.raises(InputError, match=r"only: expected some of weights, logits.* got 'gradeint'"):
        run_trial(Target("own.py", "Mine"), Settings(only=["gradeint"]))


def test_strict_and_the_seed_arrive_where_the_class_is_explored(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []

    def explore(subject: Any, narrow: Any, strict: bool, seed: int) -> Explored:
        seen.append((narrow, strict, seed))
        return explored_here(Student, SPACE)

    monkeypatch.setattr(module, "explore", explore)
    with tried_here(Student) as target:
        run_trial(target, Settings(only=["weights"], quick=True, strict=True, seed=5, narrow=NARROW))
    assert seen == [(NARROW, True, 5)]


# --- one check after another -------------------------------------------------------------------------------

Body = Callable[..., None]


def check(body: Body, name: str = "own", **changed: Any) -> Check:
    plain = Check(
        name, "Is it so?", (), lambda space: st.just(PROBLEM), body, lambda seed, space: [], 1.0, ()
    )
    return replace(plain, **changed)


def run_of(kind: type = Student, space: Space = SPACE, deadline: float = 60.0, **settings: Any) -> _Run:
    return _Run(explored_here(kind, space), Settings(**{"quick": True, **settings}), deadline)


def holds(candidate: Any, *arguments: Any) -> None:
    """Nothing is wrong."""


def fails(candidate: Any, *arguments: Any) -> None:
    raise Mismatch("it is not so")


def misbehaving(kind: str, text: str = "it did", fatal: bool = False) -> Body:
    def body(candidate: Any, *arguments: Any) -> None:
        raise Misbehaviour(kind, text, fatal=fatal)

    return body


def asked(run: _Run, *checks: Check) -> list[CheckResult]:
    for one in checks:
        run.ask(one)
    return run.finished()


@pytest.mark.parametrize("quick", [True, False])
@pytest.mark.parametrize("weight", [0.5, 1.0, 0.01])
def test_a_check_tries_as_many_cases_as_its_weight_says_and_at_least_three(
    quick: bool, weight: float
) -> None:
    tried: list[int] = []
    counted = check(lambda candidate, n: tried.append(n), draw=lambda space: st.integers(), weight=weight)
    (found,) = asked(run_of(quick=quick), counted)
    expected = max(3, round((QUICK_EXAMPLES if quick else EXAMPLES) * weight))
    assert len(tried) == found.counts.tried == expected
    assert (found.verdict, found.text) == (Outcome.PASS, f"{expected} cases")


def test_the_grid_comes_first_and_the_seed_arrives_in_both() -> None:
    tried: list[Any] = []
    own = check(
        lambda candidate, value: tried.append(value),
        draw=lambda space: st.integers(0, 10**9),
        grid=lambda seed, space: [f"grid {seed}", (f"grid {seed + 1}",)],
        weight=0.4,
    )
    drawn: dict[int, list[Any]] = {}
    for seed in (3, 3, 4):
        tried.clear()
        asked(run_of(seed=seed), own)
        assert tried[:2] == [f"grid {seed}", f"grid {seed + 1}"]
        assert drawn.setdefault(seed, tried[2:]) == tried[2:]
    assert drawn[3] != drawn[4]


def test_every_case_is_tried_on_a_fresh_instance() -> None:
    renewed: list[bool] = []

    def used(candidate: Any, n: int) -> None:
        renewed.append(candidate.subject._used_up)
        candidate.load(PROBLEM.architecture, PROBLEM.weights)

    asked(run_of(), check(used, draw=lambda space: st.integers(), weight=0.01))
    assert renewed == [True] * 3


def test_the_first_that_fails_is_made_small_unless_nobody_reads_it() -> None:
    def above(candidate: Any, n: int) -> None:
        if n > 1000:
            raise Mismatch(f"{n} is too much", compare(np.array([1.0]), np.array([2.0]), 0.5))

    large = check(above, draw=lambda space: st.integers(0, 10**9))
    (small,) = asked(run_of(), large)
    assert (small.verdict, small.text, small.kind) == (Outcome.FAIL, "1001 is too much", "mismatch")
    assert small.comparison is not None
    (first,) = asked(run_of(shrink=False), large)
    assert first.verdict == Outcome.FAIL
    assert int(first.text.split()[0]) > 1001


@pytest.mark.parametrize(("quick", "most"), [(True, QUICK_SHRINK), (False, SHRINK)])
def test_no_more_cases_than_these_are_tried_for_making_one_small(quick: bool, most: int) -> None:
    tried: list[int] = []

    def odd(candidate: Any, numbers: list[int]) -> None:
        tried.append(len(numbers))
        raise Mismatch("it is not so")

    lists = st.lists(st.integers(1, 10**9), min_size=40, max_size=60)
    own = check(odd, draw=lambda space: lists)
    (found,) = asked(run_of(quick=quick), own)
    assert found.counts.tried == 1
    assert len(tried) <= most + 2


def test_a_case_of_the_grid_that_fails_is_enough_where_nothing_is_made_small() -> None:
    tried: list[Any] = []

    def body(candidate: Any, value: Any) -> None:
        tried.append(value)
        raise Mismatch("it is not so")

    own = check(body, grid=lambda seed, space: ["one", "two"], draw=lambda space: st.integers())
    asked(run_of(shrink=False), own)
    assert tried == ["one"]
    asked(run_of(), own)
    assert len(tried) > 2


def test_what_cannot_be_drawn_is_not_offered() -> None:
    def nothing(space: Space) -> st.SearchStrategy[Any]:
        raise NothingToTryError("float64 only")

    (found,) = asked(run_of(), check(holds, draw=nothing))
    assert (found.verdict, found.text) == (NOT_OFFERED, "float64 only")


def test_undecided_cases_are_counted_and_where_none_is_decided_nothing_is_said() -> None:
    seen: list[int] = []

    def every_other(candidate: Any, n: int) -> None:
        seen.append(n)
        if len(seen) % 3 == 0:
            raise Undecided("too near")

    (found,) = asked(run_of(), check(every_other, draw=lambda space: st.integers(), weight=0.4))
    assert (found.verdict, found.text) == (Outcome.PASS, "4 cases")
    assert (found.counts.tried, found.counts.undecided) == (6, 2)

    def never(candidate: Any, *arguments: Any) -> None:
        raise Undecided("too near")

    (found,) = asked(run_of(), check(never))
    assert (found.verdict, found.text) == (Outcome.INCONCLUSIVE, "no case could be decided")


def test_what_is_declined_is_not_offered_with_what_was_said() -> None:
    (found,) = asked(run_of(), check(misbehaving("declined", "no mse here")))
    assert (found.verdict, found.text) == (NOT_OFFERED, "no mse here")


def test_a_value_of_a_wrong_shape_fails_and_whatever_says_the_same_follows_from_it() -> None:
    wrong, other = misbehaving("value", "logits: expected 3"), misbehaving("value", "loss: expected 3")
    found = asked(run_of(), check(wrong, "first"), check(wrong, "second"), check(other, "third"))
    assert [(one.check, one.verdict) for one in found] == [
        ("first", Outcome.FAIL), ("second", NOT_JUDGED), ("third", Outcome.FAIL),
    ]  # fmt: skip
    assert found[1].text == "follows from first: logits: expected 3"
    assert found[0].kind == "value"


def test_of_two_mismatches_of_the_same_words_neither_follows_from_the_other() -> None:
    found = asked(run_of(), check(fails, "first"), check(fails, "second"))
    assert [one.verdict for one in found] == [Outcome.FAIL, Outcome.FAIL]


def test_what_follows_from_a_check_that_failed_is_not_judged_and_not_made_small() -> None:
    tried: list[int] = []

    def body(candidate: Any, n: int) -> None:
        tried.append(n)
        raise Mismatch("it is not so")

    numbers = {"draw": lambda space: st.integers(0, 10**9)}
    found = asked(run_of(), check(fails, "root"), check(body, "leaf", follows=("root",), **numbers))
    assert [one.verdict for one in found] == [Outcome.FAIL, NOT_JUDGED]
    assert found[1].text == "follows from root: it is not so"
    assert len(tried) == 1
    tried.clear()
    found = asked(run_of(), check(holds, "root"), check(body, "leaf", follows=("root",), **numbers))
    assert [one.verdict for one in found] == [Outcome.PASS, Outcome.FAIL]
    assert len(tried) > 1
    found = asked(run_of(), check(fails, "root"), check(holds, "leaf", follows=("root",)))
    assert [one.verdict for one in found] == [Outcome.FAIL, Outcome.PASS]


@pytest.mark.parametrize(
    ("needs", "text"),
    [
        (("fly",), "no method fly"),
        (("fly", "load", "swim"), "no method fly and no method swim"),
        (("train(wings)",), "no method train(wings)"),
        (("train(checkpoints)", "load"), ""),
    ],
)
def test_without_its_methods_a_check_is_not_offered(needs: tuple[str, ...], text: str) -> None:
    (found,) = asked(run_of(), check(holds, needs=needs))
    assert (found.verdict, found.text) == ((NOT_OFFERED, text) if text else (Outcome.PASS, found.text))


def test_without_a_network_to_try_nothing_is_asked() -> None:
    (found,) = asked(run_of(space=Space(())), check(holds))
    assert (found.verdict, found.text) == (NOT_OFFERED, "no network could be tried")


@pytest.mark.parametrize("kind", ["hang", "crash", "output", "copies"])
def test_after_three_hangs_or_crashes_the_rest_is_not_run(kind: str) -> None:
    dead = [check(misbehaving(kind, f"{kind} {i}", fatal=True), f"check {i}") for i in range(MAX_FATAL + 1)]
    found = asked(run_of(), *dead)
    assert [one.verdict for one in found] == [Outcome.FAIL] * 3 + [NOT_RUN]
    assert found[-1].text == "given up after three hangs, crashes, floods or copies"
    assert all(one.counts.tried == 1 for one in found[:3])


def test_other_findings_do_not_make_it_given_up() -> None:
    found = asked(run_of(), *(check(misbehaving("value", f"{i}: wrong"), f"check {i}") for i in range(5)))
    assert [one.verdict for one in found] == [Outcome.FAIL] * 5


def test_past_the_time_limit_nothing_more_is_asked() -> None:
    run = run_of(deadline=5.0)
    run.explored.candidate.subject._spent = 5.1
    (found,) = asked(run, check(holds))
    assert (found.verdict, found.text) == (NOT_RUN, "the time limit was reached before")
    within = run_of(deadline=5.0)
    within.explored.candidate.subject._spent = 4.9
    assert asked(within, check(holds))[0].verdict == Outcome.PASS


def test_a_check_ends_when_the_time_is_over() -> None:
    run = run_of(deadline=5.0)

    def slow(candidate: Any, *arguments: Any) -> None:
        candidate.subject._spent += 3.0

    (found,) = asked(run, check(slow, draw=lambda space: st.integers()))
    assert found.counts.tried == 2


@pytest.mark.parametrize(("deadline", "most"), [(3.5, 4), (60.0, 6)])
def test_making_a_case_small_ends_with_its_own_time_and_with_all_of_it(deadline: float, most: int) -> None:
    tried: list[int] = []

    def slow(candidate: Any, n: int) -> None:
        tried.append(n)
        candidate.subject._spent += 1.0
        raise Mismatch("it is not so")

    asked(run_of(deadline=deadline), check(slow, draw=lambda space: st.integers(0, 10**9)))
    assert most - 2 <= len(tried) <= most


# --- exceptions --------------------------------------------------------------------------------------------


def raising(where: Callable[[Problem], bool], text: str = "loss raised ValueError: no") -> Body:
    def body(candidate: Any, problem: Problem) -> None:
        candidate.load(problem.architecture, problem.weights)
        if where(problem):
            raise Misbehaviour("raised", text)

    return body


def both(first: Problem = PROBLEM, second: Problem = SMALL) -> dict[str, Any]:
    cases = [first, second]
    return {"grid": lambda seed, space: cases, "draw": lambda space: st.just(second), "weight": 0.01}


def test_an_exception_is_one_finding_of_its_own_with_its_condition_and_the_smallest_case() -> None:
    small = replace(SMALL, x=SMALL.x + 1)
    grid = {"grid": lambda seed, space: [PROBLEM, SMALL, small], "draw": lambda space: st.just(PROBLEM)}
    found = asked(run_of(), check(raising(lambda p: p.batch_size == 1), "own", weight=0.01, **grid))
    own, exceptions = found
    assert (own.verdict, own.counts.undecided) == (Outcome.PASS, 2)
    assert (exceptions.check, exceptions.verdict, exceptions.kind) == (EXCEPTIONS, Outcome.FAIL, "raised")
    assert exceptions.text == "loss raised ValueError where there is one output: no"
    assert exceptions.counts == module.Counts(4, 0, 0.0)
    np.testing.assert_array_equal(exceptions.calls[0].arguments["weights"][0][0], SMALL.weights[0][0])


def test_the_commonest_exception_is_told() -> None:
    often = check(raising(lambda p: True, "gradient raised KeyError: a"), "often", **both())
    once = check(raising(lambda p: p is PROBLEM, "loss raised ValueError: no"), "once", **both())
    assert asked(run_of(), once, often)[-1].text == "gradient raised KeyError: a"


def test_of_two_networks_that_are_loaded_in_turn_none_tells_the_condition() -> None:
    reload = check(raising(lambda p: True), "reload", **both(SMALL, SMALL))
    own = check(raising(lambda p: p is PROBLEM), "own", **both())
    assert asked(run_of(), reload, own)[-1].text == "loss raised ValueError with a hidden layer: no"
    assert asked(run_of(), reload)[-1].text == "loss raised ValueError: no"


def test_where_every_case_raises_the_check_follows_from_that() -> None:
    found = asked(run_of(), check(raising(lambda p: True), "own", **both()))
    assert found[0].verdict == NOT_JUDGED
    assert found[0].text == "follows from exceptions: loss raised ValueError: no"


def test_nothing_raised_is_no_finding() -> None:
    assert [one.check for one in asked(run_of(), check(holds))] == ["own"]


# --- one output under a softmax ----------------------------------------------------------------------------


@pytest.fixture
def of_losses() -> dict[str, Any]:
    return both(ONE_OUTPUT, PROBLEM)


@pytest.mark.parametrize(
    ("name", "body", "limit"),
    [
        ("loss", fails, True),
        ("call order", fails, False),
        ("call order", misbehaving("raised", "loss raised"), True),
        ("call order", misbehaving("value", "loss: none"), True),
        ("loss", misbehaving("crash", "it died", fatal=True), False),
    ],
)
@pytest.mark.parametrize("strict", [True, False])
def test_what_is_wrong_with_one_output_alone_is_a_limit(
    of_losses: dict[str, Any], name: str, body: Body, limit: bool, strict: bool
) -> None:
    def there_alone(candidate: Any, problem: Problem) -> None:
        if problem is ONE_OUTPUT:
            body(candidate, problem)

    run = run_of(strict=strict)
    found = asked(run, check(there_alone, name, **of_losses))
    is_limit = limit and not strict
    assert any(one.verdict == Outcome.FAIL for one in found) != is_limit
    assert bool(run.limits()) == is_limit
    if is_limit:
        assert run.limits()[0].startswith("not judged with one output, whose softmax is always 1")


def test_where_a_check_failed_a_limit_is_not_told_of(of_losses: dict[str, Any]) -> None:
    run = run_of()
    asked(run, check(fails, "loss", **of_losses))
    assert run.unjudged
    assert run.limits() == []


def test_a_declared_loss_is_held_to_one_output_too(of_losses: dict[str, Any]) -> None:
    class Declared(Student):
        loss = "cross_entropy"

    found = asked(run_of(Declared), check(fails, "loss", **of_losses))
    assert found[0].verdict == Outcome.FAIL


def test_every_check_of_the_battery_that_compares_losses_is_one_of_these() -> None:
    assert {check.name for check in CHECKS} > module.OF_LOSSES
