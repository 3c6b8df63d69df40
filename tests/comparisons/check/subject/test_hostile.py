"""Whatever a class does becomes a finding: never a crash or a hang of the checker, and never a PASS."""

from pathlib import Path

import pytest

from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import EXCEPTIONS, NOT_JUDGED, NOT_OFFERED, NOT_RUN, Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.errors import InputError

HOSTILE = default_folder() / "hostile.py"
IMPORTS = f"import sys\nsys.path.insert(0, {str(HOSTILE.parent)!r})\nfrom student import StudentMLP\n"

WITHOUT_CHECKPOINTS = """
class Mine(StudentMLP):
    def train(self, x, targets, batches, optimizer):
        return super().train(x, targets, batches, optimizer)
"""

RAISING = {"SysExit", "RaisesEverywhere"}
FINDINGS = {
    "EndlessLoop": "loss_and_gradient did not return within",
    "SysExit": "SystemExit",
    "HardExit": "exited with code 0",
    "Segfault": "SIGSEGV",
    "PrintStorm": "printed more than 10,000,000 bytes",
    "ReturnsNone": "expected a pair (loss, gradient), got None",
    "ReturnsLists": "expected a numpy array of shape",
    "WrongShapes": "expected shape",
    "ReturnsNaN": "found nan",
    "ObjectArrays": "dtype object",
    "MutatesInput": "wrote to its argument x",
    "RaisesEverywhere": "RuntimeError: not today (hostile.py, line",
}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_hostile_class_is_a_finding(name: str) -> None:
    check = {"RaisesEverywhere": "logits", "MutatesInput": "arguments"}.get(name, "gradient")
    call_limit = 2.0 if name == "EndlessLoop" else 60.0
    settings = Settings(only=[check], quick=True, shrink=False, time_limit=120.0, call_limit=call_limit)
    checked = try_class(Target(str(HOSTILE), name), settings)
    failed = [row for row in checked.checks if row.verdict == Outcome.FAIL]
    assert [row.check for row in failed] == [EXCEPTIONS if name in RAISING else check]
    assert FINDINGS[name] in failed[0].text
    assert checked.causes


def test_a_class_that_cannot_be_made_is_a_finding() -> None:
    checked = try_class(Target(str(HOSTILE), "NoConstructor"), Settings())
    assert checked.outcome == Outcome.FAIL
    assert "missing 1 required positional argument" in checked.checks[0].text


@pytest.mark.parametrize(
    ("code", "text"), [("import sys\nsys.exit(3)\n", "SystemExit: 3"), ("1 / 0\n", "ZeroDivisionError")]
)
def test_a_file_that_cannot_be_imported_is_a_finding(tmp_path: Path, code: str, text: str) -> None:
    (tmp_path / "own.py").write_text(code)
    checked = try_class(Target(str(tmp_path / "own.py"), "Mine"), Settings())
    assert checked.outcome == Outcome.FAIL
    assert text in checked.checks[0].text


def test_a_class_that_hangs_again_and_again_is_given_up() -> None:
    only = ["loss", "gradient", "duplication", "extremes"]
    checked = try_class(Target(str(HOSTILE), "HardExit"), Settings(only=only, quick=True))
    assert [row.verdict for row in checked.checks] == [
        Outcome.FAIL,
        NOT_JUDGED,  # the same crash over again
        NOT_JUDGED,
        NOT_RUN,
    ]


def test_a_missing_method_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(IMPORTS + "class Mine(StudentMLP):\n    train = None\n")
    settings = Settings(only=["weights", "trajectory"], quick=True)
    checked = try_class(Target(str(tmp_path / "own.py"), "Mine"), settings)
    assert [row.verdict for row in checked.checks] == ["PASS", NOT_OFFERED]


def test_train_without_checkpoints_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(IMPORTS + WITHOUT_CHECKPOINTS)
    target = Target(str(tmp_path / "own.py"), "Mine")
    settings = Settings(only=["fresh optimiser", "checkpoints"], quick=True, time_limit=600.0)
    checked = try_class(target, settings)
    assert [row.verdict for row in checked.checks] == ["PASS", NOT_OFFERED]


def test_a_class_that_is_not_there_is_an_error_of_the_user() -> None:
    with pytest.raises(InputError, match="has no class Missing"):
        try_class(Target(str(HOSTILE), "Missing"), Settings())
