"""Gradescope's file: its fields, and the rubric's points."""

from backproof.comparisons.check.grading.gradescope import document
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow
from backproof.comparisons.verdicts.outcome import Outcome

CHECKED = CheckedClass(
    "a.py:A",
    Outcome.FAIL,
    1.0,
    (
        CheckRow("loss", "Is it the loss?", "PASS", "60 cases", 60, 0, 1.0, None),
        CheckRow("gradient", "Is it the gradient?", "FAIL", "off", 60, 0, 1.0, None),
        CheckRow("weights", "?", "not offered", "no method weights", 0, 0, 0.0, None),
    ),
    (Cause("a sign is wrong", "explains"),),
    (),
    "",
)


def test_the_score_is_the_rubrics_and_every_judged_check_is_a_test() -> None:
    found = document(CHECKED, Rubric())
    assert found["score"] == 75.0
    assert found["output"] == "FAIL\n1. a sign is wrong"
    assert found["tests"] == [
        {"name": "loss", "status": "passed", "output": "Is it the loss? PASS: 60 cases"},
        {"name": "gradient", "status": "failed", "output": "Is it the gradient? FAIL: off"},
    ]


def test_points_per_check_stand_at_the_check() -> None:
    found = document(CHECKED, Rubric(checks={"loss": 4.0, "gradient": 6.0}))
    assert found["score"] == 4.0
    tests = found["tests"]
    assert isinstance(tests, list)
    assert [(test["score"], test["max_score"]) for test in tests if isinstance(test, dict)] == [
        (4.0, 4.0),
        (0.0, 6.0),
    ]
