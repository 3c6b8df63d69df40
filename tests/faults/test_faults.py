"""After every fault: no traceback, no half file, nothing left behind, an exit code that says what it was."""

from pathlib import Path

import pytest

from backproof.comparisons.accuracy.journal import Journal
from tests.faults.harness import CALLS, ERRORS, Fault, Subject, faults, injected
from tests.faults.subjects import DRAWING, SUBJECTS

QUICK = [subject for subject in SUBJECTS if subject.name not in DRAWING]


@pytest.mark.parametrize("error", [*ERRORS, 0], ids=["full", "io", "access", "interrupted", "killed"])
@pytest.mark.parametrize("subject", QUICK, ids=lambda subject: subject.name)
def test_every_call_of_the_system_may_fail(
    tmp_path: Path, subject: Subject, error: int, capsys: pytest.CaptureFixture[str]
) -> None:
    for call in CALLS:
        for fault, wrong in faults(subject, tmp_path, call, error):
            assert wrong == [], f"{subject.name}, {fault}"
            assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("subject", [s for s in SUBJECTS if s not in QUICK], ids=lambda subject: subject.name)
def test_a_full_disk_at_every_call_of_a_command_that_draws(
    tmp_path: Path, subject: Subject, capsys: pytest.CaptureFixture[str]
) -> None:
    for call in ("os.fsync", "os.replace"):
        for fault, wrong in faults(subject, tmp_path, call, ERRORS[0]):
            assert wrong == [], f"{subject.name}, {fault}"
            assert "Traceback" not in capsys.readouterr().err


@pytest.mark.parametrize("call", CALLS)
def test_what_a_killed_command_left_in_the_results_is_removed_by_the_next(tmp_path: Path, call: str) -> None:
    subject = SUBJECTS[1]
    for fault, _ in faults(subject, tmp_path, call, 0):
        place = tmp_path / f"{call.replace('.', '-')}-0-{fault.k}"
        assert subject.run(place) == 0
        assert [path.name for path in place.iterdir()] == ["results.json"]


@pytest.mark.parametrize("call", CALLS)
def test_a_journal_that_met_a_fault_is_readable_afterwards(tmp_path: Path, call: str) -> None:
    subject = next(subject for subject in SUBJECTS if "journal" in subject.name)
    for fault, _ in faults(subject, tmp_path, call, 0):
        path = tmp_path / f"{call.replace('.', '-')}-0-{fault.k}" / "accuracy.jsonl"
        assert len(Journal(path)) <= 3


def test_a_fault_is_seen_by_who_does_not_expect_it(tmp_path: Path) -> None:
    """The harness itself: the second opening fails, and only that of this folder."""
    (tmp_path / "x").write_text("1")
    fault = Fault("open", 2, 5)
    with injected(fault, tmp_path):
        (tmp_path / "x").read_text()
        with pytest.raises(OSError, match="Input/output error"):
            (tmp_path / "x").read_text()
        Path(__file__).read_text()
    assert fault.met


def test_a_command_that_writes_in_place_is_found_out(tmp_path: Path) -> None:
    """What the harness is for: a file opened for writing and a disk that is full leave half of it."""

    def in_place(folder: Path) -> int:
        with (folder / "a.json").open("w") as file:
            file.write('{"half": ')
            file.flush()
            file.write("1}")
        return 0

    subject = Subject("in place", lambda folder: None, in_place)
    wrong = [trouble for _, found in faults(subject, tmp_path, "write", ERRORS[0]) for trouble in found]
    assert any("a.json cannot be read" in trouble for trouble in wrong)


def test_numbers_that_are_written_in_place_are_found_out(tmp_path: Path) -> None:
    """The same of bytes: half of them below an index that says they are all there."""

    def in_place(folder: Path) -> int:
        numbers = next((folder / "vectors").glob("*.bin"))
        content = numbers.read_bytes()
        with numbers.open("wb") as file:
            file.write(content[:100])
            file.flush()
            file.write(content[100:])
        return 0

    once_more = next(subject for subject in SUBJECTS if subject.name == "vectors, once more")
    subject = Subject("in place", once_more.prepare, in_place)
    wrong = [trouble for _, found in faults(subject, tmp_path, "write", 0) for trouble in found]
    assert any("found the file's end" in trouble for trouble in wrong)
