"""A failure is explained: its first wrong entry, its numbers, and a command that shows it again."""

from dataclasses import replace

import pytest

from backproof.comparisons.check.results import Cause, CheckedClass, CheckPart, SourceLine
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.trouble import troubles
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_results import check, failing, passing, undecided


def wrong(name: str) -> Results:
    """One check that fails, with what was found and expected."""
    failed = check(name, "scratch", "5-4-3 tanh, mse, float64", 0.5, 1e-12, worst="W1[2, 0]", found=1.5,
                   expected=1.0, reason="W1[2, 0]: found 1.5, expected 1.0")  # fmt: skip
    return Results(gradients=Gradients(Outcome.FAIL, 1.0, (failed,)))


def test_a_wrong_entry_is_named_with_found_expected_and_ratio() -> None:
    (trouble,) = troubles(wrong("torch"))
    facts = dict(trouble.facts)
    assert trouble.title == "PyTorch: W1[2, 0] is wrong"
    assert (facts["found"], facts["expected"], facts["ratio"]) == ("1.5", "1", "1.5")


@pytest.mark.parametrize(
    ("name", "command"),
    [
        ("torch", "backproof gradients --contender torch"),
        ("scratch", "backproof gradients"),
        ("my.py:Own", "backproof check my.py:Own"),
    ],
)
def test_the_command_shows_that_contender_again(name: str, command: str) -> None:
    (trouble,) = troubles(wrong(name))
    assert trouble.command == command


def test_another_accuracy_is_explained_with_its_interval() -> None:
    found = [trouble for trouble in troubles(failing()) if trouble.key == "accuracy"]
    (trouble,) = found
    assert trouble.title == "PyTorch: accuracy differs from that of the NumPy network"
    assert dict(trouble.facts)["90% interval"] == "[+0.70, +1.10]"


def test_a_training_that_leaves_its_bound_is_explained_although_the_accuracies_agree() -> None:
    part = passing().accuracy
    assert part is not None
    cell = replace(part.compared["torch"], verdict=Outcome.FAIL, reason="the trajectories part at step 7")
    (trouble,) = troubles(replace(passing(), accuracy=replace(part, against_scratch={"torch": cell})))
    assert "the training is another" in trouble.title
    assert "the trajectories part at step 7." in trouble.explanation


@pytest.mark.parametrize("results", [passing(), undecided()])
def test_where_nothing_failed_there_is_nothing_to_explain(results: Results) -> None:
    assert troubles(results) == []


@pytest.mark.parametrize(
    ("certainty", "how"),
    [("explains", "Cause"), ("fits", "Probable cause"), ("describes", "What was seen")],
)
def test_a_cause_is_called_what_it_is_worth_and_stands_first_with_its_line(certainty: str, how: str) -> None:
    cause = Cause("the gradient is a sum", certainty, line=SourceLine("my.py", 12, "dW = a.T @ d"))
    checked = CheckedClass("my.py:Own", Outcome.FAIL, 1.0, (), (cause,), (), "")
    results = replace(wrong("my.py:Own"), check=CheckPart(Outcome.FAIL, (checked,)))
    (trouble,) = troubles(results)
    said = f"{how}: the gradient is a sum. Probably line 12 of my.py: dW = a.T @ d"
    assert trouble.explanation.startswith(said)
    assert trouble.advice == "To see every check"


def test_a_cause_of_another_class_is_not_told_of_this_one() -> None:
    checked = CheckedClass("my.py:Other", Outcome.FAIL, 1.0, (), (Cause("a sum", "explains"),), (), "")
    results = replace(wrong("my.py:Own"), check=CheckPart(Outcome.FAIL, (checked,)))
    (trouble,) = troubles(results)
    assert "a sum" not in trouble.explanation
