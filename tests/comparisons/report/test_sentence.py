"""Every state of the results has its own sentence, whose subject is the contender under test."""

import math
from collections.abc import Callable
from dataclasses import replace

import pytest

from backproof.comparisons.accuracy.result import AgainstScratch
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.sentence import NOTHING, sentences
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.race_results import race, without_runs
from tests.support.sample_comparison import a_comparison
from tests.support.sample_results import (
    DIGITS,
    PLAN,
    a_lesson,
    accuracy,
    campaign,
    check,
    comparison,
    diverged,
    failing,
    gradients,
    nothing_run,
    numerical,
    passing,
    speed,
    speed_case,
    speed_of,
    undecided,
)

OWN = "wrong.py:Wrong"


def said(results: Results) -> str:
    """The whole answer, without the spaces that keep a number and its unit on one line."""
    return " ".join(sentences(results)).replace("\u00a0", " ")


def one_contender() -> Results:
    """PyTorch alone, on MNIST, all well."""
    checks = tuple(c for c in gradients().compared if c.contender in ("scratch", "torch"))
    part = accuracy()
    return replace(
        passing(),
        plan=replace(PLAN, contenders=("scratch", "torch")),
        gradients=replace(gradients(), checks=checks),
        accuracy=replace(part, against_scratch={"torch": part.compared["torch"]}),
        speed=speed_of((speed_case((784, 10), 100, "sgd", torch=comparison(1.5)),), torch=comparison(1.5)),
    )


def with_torch(**changes: object) -> Results:
    """The same, but for how PyTorch's accuracy compares."""
    part = accuracy()
    cell = replace(part.compared["torch"], **changes)  # type: ignore[arg-type]  # any field of it
    assert isinstance(cell, AgainstScratch)
    return replace(one_contender(), accuracy=replace(part, against_scratch={"torch": cell}))


def one_wrong() -> Results:
    """A contender of one's own whose gradients are wrong; the NumPy network's are right."""
    base = one_contender()
    assert base.gradients is not None
    wrong = tuple(check(OWN, "scratch", f"network {i}", 1e-3, 1e-12) for i in range(3))
    mine = tuple(c for c in base.gradients.compared if c.contender == "scratch")
    return replace(
        base,
        plan=replace(PLAN, contenders=("scratch", OWN)),
        gradients=Gradients(Outcome.FAIL, 1.0, (*mine, *wrong)),
        accuracy=None,
        speed=None,
    )


def test_all_well_with_one_contender() -> None:
    assert said(one_contender()) == (
        "On MNIST, PyTorch computes the same gradients as the NumPy network, reaches the same accuracy and "
        "takes 1.50 [1.46, 1.56] times as long to train."
    )


def test_all_well_with_three_contenders() -> None:
    assert said(passing()) == (
        "On MNIST, PyTorch and JAX compute the same gradients as the NumPy network and reach the same "
        "accuracy. PyTorch takes 1.53 [1.48, 1.59] times as long to train as the NumPy network, "
        "JAX 1.09 [1.06, 1.14], scikit-learn 1.60."
    )


def test_one_contender_wrong_is_never_blamed_on_the_numpy_network() -> None:
    assert said(one_wrong()) == "On MNIST, Wrong computes wrong gradients (3 of 3 checks fail)."


def test_the_numpy_network_wrong_comes_first() -> None:
    assert said(failing()).startswith(
        "On MNIST, the NumPy network fails 2 of 19 gradient checks against numerical differentiation. "
    )


def test_accuracy_undecided() -> None:
    assert "reaches an accuracy that 1 seed cannot call equal or different" in said(undecided())


def test_gradients_undecided() -> None:
    assert "PyTorch computes gradients of which 1 of 17 checks could not decide" in said(undecided())


@pytest.mark.parametrize(("points", "words"), [(-0.9, "0.90 points less"), (0.9, "0.90 points more")])
def test_another_accuracy_is_told_with_its_size(points: float, words: str) -> None:
    found = with_torch(difference_points=points, outcome="different", verdict=Outcome.FAIL)
    assert f"is {words} accurate" in said(found)


def test_the_same_accuracy_by_another_way_is_told_as_that() -> None:
    assert "reaches the same accuracy, though not in the same way" in said(with_torch(verdict=Outcome.FAIL))


def test_diverged() -> None:
    assert "JAX computes wrong gradients (1 of 1 checks fail) and diverges in training." in said(diverged())


def test_interrupted_before_the_speed_was_measured() -> None:
    assert said(replace(one_contender(), speed=None)) == (
        "On MNIST, PyTorch computes the same gradients as the NumPy network and reaches the same accuracy."
    )


def test_digits_are_named_and_mnist_is_not() -> None:
    found = said(replace(one_contender(), plan=DIGITS))
    assert found.startswith("On scikit-learn's digits, PyTorch")
    assert "MNIST" not in found


def test_a_quick_run_says_so() -> None:
    found = said(replace(one_contender(), plan=replace(PLAN, quick=True, contenders=("scratch", "torch"))))
    assert found.startswith("In a quick run on MNIST, PyTorch")


def test_only_the_speed() -> None:
    cases = (speed_case((784, 10), 100, "sgd", torch=comparison(0.8)),)
    assert said(Results(speed=speed_of(cases, torch=comparison(0.8)))) == (
        "On MNIST, PyTorch takes 0.800 [0.776, 0.832] times as long to train as the NumPy network."
    )


def test_only_the_numpy_network() -> None:
    checks = tuple(c for c in gradients().compared if c.contender == "scratch")
    found = said(Results(gradients=replace(gradients(), checks=checks)))
    assert found == "The NumPy network passes all 17 gradient checks against numerical differentiation."


def test_only_lessons() -> None:
    told = a_lesson(Outcome.FAIL, (True, False))
    assert said(Results(lessons=(told, told))) == "2 of 4 claims of 2 lessons hold."


def test_only_numerical_training() -> None:
    assert said(Results(numerical=numerical())) == (
        "One gradient by structured numerical differentiation takes 100× less time than by the textbook's "
        "loop."
    )


def test_only_a_race() -> None:
    told = said(Results(race=race()))
    assert told.startswith("The NumPy network reads 97.2")
    assert told.endswith(" (means and medians of 10 runs).")
    assert told.count(" of MNIST's test images right in ") == 1
    assert told.count(" in ") == len(race().targets)
    assert said(Results(race=race(1))).endswith(" (one run).")
    assert said(Results(race=without_runs())) == NOTHING


def test_only_a_campaign() -> None:
    assert said(Results(campaign=campaign())) == "0 of 2 correct gradients of random networks were failed."


def test_nothing() -> None:
    assert said(nothing_run()) == NOTHING


@pytest.mark.parametrize("make", [failing, undecided, diverged, one_wrong])
def test_what_is_not_the_same_is_not_called_so(make: Callable[[], Results]) -> None:
    gradient_checks = make().gradients
    assert gradient_checks is not None
    wrong = {c.contender for c in gradient_checks.compared if c.verdict != Outcome.PASS} - {"scratch"}
    for told in sentences(make()):
        if "same gradients" in told:
            assert not [name for name in wrong if name in told.partition("same gradients")[0].lower()]


def test_a_nan_difference_is_not_written_as_a_number() -> None:
    found = with_torch(difference_points=math.nan, outcome="different", verdict=Outcome.FAIL)
    assert "nan" not in said(found).lower()
    assert speed().against == "torch"


def test_two_implementations_alone_are_the_sentence() -> None:
    (said,) = sentences(Results(compare=a_comparison()))
    assert said == "my_port.py:MyMLP parts from what the formulas give by more than rounding."
