"""Many hand-ins: each has its answer whatever it is, and none changes another's."""

import os
from pathlib import Path

import pytest

from backproof.comparisons.check.grading import crew
from backproof.comparisons.check.grading.crew import check_all
from backproof.comparisons.check.grading.worker import as_message
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import default_folder

GOOD = f"{default_folder() / 'student.py'}:StudentMLP"
SETTINGS = Settings(only=["loss"], quick=True, shrink=False, time_limit=60.0, call_limit=20.0)
HAND_INS = {
    "syntax.py": ("class Mine(:\n", Outcome.FAIL, "SyntaxError"),
    "missing.py": ("import not_there\n", Outcome.FAIL, "No module named 'not_there'"),
    "no_class.py": ("x = 1\n", Outcome.INCONCLUSIVE, "not judged: .*expected one class with a load method"),
    "exits.py": ("import sys\nsys.exit(0)\n", Outcome.FAIL, "SystemExit"),
    "dies.py": ("import os\nos._exit(0)\n", Outcome.FAIL, "exited with code 0 in import"),
    "binary.py": ("\0\0\0", Outcome.FAIL, "the class could not be made"),
}


def answers(hand_ins: list[str], n_workers: int = 1) -> dict[str, CheckedClass]:
    found: dict[str, CheckedClass] = {}
    check_all(hand_ins, SETTINGS, n_workers, lambda name, checked: found.update({name: checked}))
    return found


def test_every_hand_in_has_its_answer(tmp_path: Path) -> None:
    for name, (text, _, _) in HAND_INS.items():
        (tmp_path / name).write_text(text)
    named = [GOOD, *(str(tmp_path / name) for name in HAND_INS), str(tmp_path / "absent.py")]
    found = answers(named, n_workers=2)
    assert set(found) == set(named)
    assert found[GOOD].outcome == Outcome.PASS
    for name, (_, outcome, said) in HAND_INS.items():
        checked = found[str(tmp_path / name)]
        assert checked.outcome == outcome
        assert checked.causes
        with pytest.raises(AssertionError, match=f"(?s){said}"):
            raise AssertionError(checked.causes[0].sentence)
    assert "no file" in found[str(tmp_path / "absent.py")].causes[0].sentence


def test_a_checker_that_is_killed_costs_one_hand_in_and_is_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    killed: list[str] = []

    def kills_once(hand_in: str, settings: Settings) -> bytes:
        if not killed:
            killed.append(hand_in)
            return b"\xff" * 8  # no message: the worker ends over it
        return as_message(hand_in, settings)

    monkeypatch.setattr(crew, "as_message", kills_once)
    found = answers([f"{GOOD[: -len('StudentMLP')]}Missing", GOOD])
    assert "not judged: the checker itself ended" in found[killed[0]].causes[0].sentence
    assert found[GOOD].outcome == Outcome.PASS


def test_ctrl_c_ends_all_workers_and_is_raised_again() -> None:
    def interrupted(name: str, checked: CheckedClass) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        check_all([GOOD, GOOD + "X"], SETTINGS, 2, interrupted)
    assert not _children()


def _children() -> list[str]:
    """Workers of ours that still run, as /proc tells."""
    if not Path("/proc").exists():
        return []
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "stat").read_text().rpartition(")")[2].split()
            except OSError:
                continue
            if int(words[1]) == os.getpid() and words[0] != "Z":
                command = (entry / "cmdline").read_bytes()
                if b"grading.worker" in command:
                    found.append(entry.name)
    return found
