"""Whatever a class does becomes a finding: never a crash or a hang of the checker, and never a PASS."""

from pathlib import Path

import pytest

from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import NOT_OFFERED, NOT_RUN
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

FINDINGS = {
    "EndlessLoop": ("hang", "loss_and_gradient did not return within"),
    "SysExit": ("raised", "SystemExit"),
    "HardExit": ("crash", "exited with code 0"),
    "Segfault": ("crash", "SIGSEGV"),
    "PrintStorm": ("output", "printed more than 10,000,000 bytes"),
    "ReturnsNone": ("value", "expected a pair (loss, gradient), got None"),
    "ReturnsLists": ("value", "expected a numpy array of shape"),
    "WrongShapes": ("value", "expected shape"),
    "ReturnsNaN": ("mismatch", "found nan"),
    "ObjectArrays": ("value", "dtype object"),
    "MutatesInput": ("mismatch", "wrote to its argument x"),
    "RaisesEverywhere": ("raised", "RuntimeError: not today (hostile.py, line"),
}


@pytest.mark.parametrize("name", FINDINGS)
def test_a_hostile_class_is_a_finding(name: str) -> None:
    check = {"RaisesEverywhere": "logits", "MutatesInput": "arguments"}.get(name, "gradient")
    limits = {"time_limit": 120.0, "call_limit": 2.0 if name == "EndlessLoop" else 60.0}
    trial, causes = try_class(Target(str(HOSTILE), name), only=[check], quick=True, shrink=False, **limits)
    kind, text = FINDINGS[name]
    outcome = trial.outcomes[0]
    assert (outcome.verdict, outcome.kind) == (Outcome.FAIL, kind)
    assert text in outcome.text
    assert causes


def test_a_class_that_cannot_be_made_is_a_finding() -> None:
    trial, _ = try_class(Target(str(HOSTILE), "NoConstructor"))
    assert trial.verdict == Outcome.FAIL
    assert "missing 1 required positional argument" in trial.outcomes[0].text


@pytest.mark.parametrize(
    ("code", "text"), [("import sys\nsys.exit(3)\n", "SystemExit: 3"), ("1 / 0\n", "ZeroDivisionError")]
)
def test_a_file_that_cannot_be_imported_is_a_finding(tmp_path: Path, code: str, text: str) -> None:
    (tmp_path / "own.py").write_text(code)
    trial, _ = try_class(Target(str(tmp_path / "own.py"), "Mine"))
    assert trial.verdict == Outcome.FAIL
    assert text in trial.outcomes[0].text


def test_a_class_that_hangs_again_and_again_is_given_up() -> None:
    only = ["loss", "gradient", "duplication", "extremes"]
    trial, _ = try_class(Target(str(HOSTILE), "HardExit"), only=only, quick=True)
    assert [outcome.verdict for outcome in trial.outcomes] == [
        Outcome.FAIL,
        Outcome.FAIL,
        Outcome.FAIL,
        NOT_RUN,
    ]


def test_a_missing_method_is_not_offered(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(IMPORTS + "class Mine(StudentMLP):\n    train = None\n")
    trial, _ = try_class(Target(str(tmp_path / "own.py"), "Mine"), only=["weights", "trajectory"], quick=True)
    assert [outcome.verdict for outcome in trial.outcomes] == ["PASS", NOT_OFFERED]


def test_train_without_checkpoints_is_checked_all_the_same(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(IMPORTS + WITHOUT_CHECKPOINTS)
    target = Target(str(tmp_path / "own.py"), "Mine")
    trial, _ = try_class(target, only=["fresh optimiser", "checkpoints"], quick=True, time_limit=600.0)
    assert [outcome.verdict for outcome in trial.outcomes] == ["PASS", NOT_OFFERED]


def test_a_class_that_is_not_there_is_an_error_of_the_user() -> None:
    with pytest.raises(InputError, match="has no class Missing"):
        try_class(Target(str(HOSTILE), "Missing"))
