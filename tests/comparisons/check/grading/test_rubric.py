"""Points: mistakes count, not rows; a file says otherwise; a file that is none is named."""

from pathlib import Path

import pytest

from backproof.comparisons.check.grading.rubric import Rubric, load_rubric
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow
from backproof.comparisons.verdicts.outcome import worst
from backproof.scratch.errors import InputError

NAMES = ("loss", "gradient")


def checked(verdicts: dict[str, str], n_causes: int = 0) -> CheckedClass:
    rows = tuple(CheckRow(name, "?", verdict, "", 1, 0, 0.0, None) for name, verdict in verdicts.items())
    outcome = worst(verdicts.values())
    causes = tuple(Cause(f"cause {i}", "explains") for i in range(n_causes))
    return CheckedClass("a.py:A", outcome, 1.0, rows, causes, (), "")


@pytest.mark.parametrize(
    ("verdicts", "n_causes", "points"),
    [
        ({"loss": "PASS", "gradient": "PASS"}, 0, 100.0),
        ({"loss": "PASS", "gradient": "FAIL"}, 1, 75.0),
        ({"loss": "PASS", "gradient": "FAIL", "training": "FAIL"}, 1, 75.0),  # one mistake, two rows
        ({"loss": "PASS", "gradient": "FAIL"}, 2, 50.0),
        ({"loss": "PASS", "gradient": "FAIL"}, 0, 75.0),  # a failure without a cause is one
        ({"loss": "PASS", "gradient": "FAIL"}, 9, 0.0),
        ({"exceptions": "FAIL"}, 1, 0.0),  # nothing passed: nothing works
        ({}, 1, 0.0),
    ],
)
def test_by_default_causes_are_taken_off(verdicts: dict[str, str], n_causes: int, points: float) -> None:
    assert Rubric().points(checked(verdicts, n_causes)) == points


def test_a_table_gives_points_per_check(tmp_path: Path) -> None:
    file = tmp_path / "rubric.toml"
    file.write_text("[checks]\ngradient = 10\nloss = 4.5\n")
    rubric = load_rubric(str(file), NAMES)
    assert rubric.most == 14.5
    assert rubric.points(checked({"loss": "PASS", "gradient": "FAIL"}, 1)) == 4.5


def test_total_and_price_of_a_cause_can_be_set(tmp_path: Path) -> None:
    file = tmp_path / "rubric.toml"
    file.write_text("total = 20\nper_cause = 5\n")
    assert load_rubric(str(file), NAMES).points(checked({"loss": "PASS", "gradient": "FAIL"}, 1)) == 15.0


def test_without_a_file_it_is_the_default() -> None:
    assert load_rubric(None, NAMES) == Rubric()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("total = ", "cannot read"),
        ("all = 3", "expected checks, per_cause, total; got all"),
        ("checks = 3", "expected checks among loss, gradient"),
        ("[checks]\ngradients = 3", "got gradients"),
        ("total = -1", "total: expected points of 0 or more, got -1"),
        ("total = nan", "total: expected points"),
        ("[checks]\nloss = true", "loss: expected points"),
        ("[checks]\nloss = '4'", "loss: expected points"),
    ],
)
def test_a_file_that_is_no_rubric_is_named(tmp_path: Path, text: str, said: str) -> None:
    file = tmp_path / "rubric.toml"
    file.write_text(text)
    with pytest.raises(InputError, match=f"^rubric: .*{said}"):
        load_rubric(str(file), NAMES)


def test_a_file_that_is_not_there_is_named() -> None:
    with pytest.raises(InputError, match=r"^rubric: cannot read nothing\.toml \(No such file"):
        load_rubric("nothing.toml", NAMES)
