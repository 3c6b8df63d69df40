"""What is done to whole commands: numbers that nothing can be done with, pipes nobody reads, places nobody
may write to, a pile of hand-ins of which some misbehave. Each ends in one sentence and the right exit code.
"""

import csv
import os
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.report import document
from backproof.comparisons.running import streams
from backproof.comparisons.zoo.catalogue import default_folder
from tests.support import sample_results
from tests.support.hand_ins import hostile

STUDENT = f"{default_folder() / 'student.py'}:StudentMLP"
PROGRAM = (sys.executable, "-P", "-m", "backproof.comparisons")

REFUSED = {
    "--learning-rate 1e308 --data digits": "--learning-rate: expected more than 0 and at most 1e+06",
    "--learning-rate nan --data digits": "--learning-rate",
    "--seed -1": "--seed: expected at least 0",
    "--layers 64,100000000,10 --data digits --quick": "",
    "numerical --step 1e308": "--step: expected more than 0 and at most 1",
    "numerical --learning-rate inf": "--learning-rate",
    "record --seed -1": "seed",
    "record --minutes 1e-9": "minutes: expected at least 0.001",
    "record --minutes 1e308": "minutes: expected at least 0.001 and at most 1440",
    "--threads 100000 --data digits": "threads: expected at most",
    f"check {STUDENT} --call-limit 1e300 --seed -1": "--seed: expected at least 0",
    f"check {STUDENT} --call-limit nan": "--call-limit",
    f"check {STUDENT} --time-limit inf": "--time-limit",
    f"check {STUDENT} --json /": "is a folder; name a file",
    f"check {STUDENT} --csv /no/such/folder/x.csv": "no folder",
    f"check {STUDENT} --report /proc/x": "cannot write to /proc/x",
    f"check {STUDENT} --language xx": "language: expected one of en, ko",
    "compare scratch scratch --seed -1": "--seed: expected at least 0",
    "lessons --seed -1": "--seed: expected at least 0",
}


@pytest.mark.parametrize(("line", "said"), REFUSED.items())
def test_a_value_that_nothing_can_be_done_with_is_one_sentence(
    tmp_path: Path, line: str, said: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert streams.to_the_end(partial(cli.run, line.split())) == 2
    told = capsys.readouterr()
    last = told.err.splitlines()[-1]
    assert last.startswith("backproof: ")
    assert said in last
    assert "Traceback" not in told.err + told.out
    assert list(tmp_path.rglob("results.json")) == []


def test_a_folder_that_is_gone_is_one_sentence(tmp_path: Path) -> None:
    gone = tmp_path / "gone"
    gone.mkdir()
    program = f"import os, sys; os.rmdir({str(gone)!r}); os.execv(sys.executable, sys.argv[1:])"
    command = [sys.executable, "-P", "-c", program, *PROGRAM, "check", "x.py:X", "--csv", "grades.csv"]
    ran = subprocess.run(command, cwd=gone, capture_output=True, text=True, timeout=120)
    assert (ran.returncode, ran.stderr.count("\n")) == (2, 1), ran.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="the shell's pipes")
def test_a_report_that_is_read_by_head_ends_as_other_tools_do(tmp_path: Path) -> None:
    document.save(sample_results.passing(), tmp_path / document.FILE)
    words = " ".join([*PROGRAM, "report", str(tmp_path / document.FILE), "--out", str(tmp_path / "new")])
    line = f"{words} | head -0; exit ${{PIPESTATUS[0]}}"
    ran = subprocess.run(["bash", "-c", line], capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, streams.UNREAD)  # 0 where it had written all before head left
    assert ran.stderr == ""


def test_ctrl_c_before_the_first_step_of_numerical_is_130_and_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def pressed(*given: object, **options: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(numerical, "run", pressed)
    line = ["numerical", "--data", "digits", "--out", str(tmp_path / "out")]
    assert streams.to_the_end(partial(cli.run, line)) == streams.INTERRUPTED
    said = capsys.readouterr().err
    assert "Traceback" not in said
    assert said.splitlines()[-1].startswith("backproof: ")


def _grades(path: Path) -> dict[str, list[str]]:
    rows = list(csv.reader(path.read_text(encoding="utf-8").splitlines()))[1:]
    return {row[0].rpartition("/")[2]: row[1:] for row in rows}


BAD = ("loses_its_number", "exits", "no_python", "no_class", "missing_import", "floods", "wipes_the_terminal")


def test_those_that_misbehave_have_a_row_each_and_change_no_other(tmp_path: Path) -> None:
    right = tmp_path / "student.py"
    right.write_text((default_folder() / "student.py").read_text(encoding="utf-8"), encoding="utf-8")
    for name in BAD:
        (tmp_path / f"{name}.py").write_text(hostile()[name], encoding="utf-8")
    told = ["--only", "loss", "--only", "gradient", "--quick", "--workers", "1000", "--csv"]
    alone, together = tmp_path / "alone.csv", tmp_path / "together.csv"
    names = [str(tmp_path / f"{name}.py") for name in BAD]
    assert cli.run(["check", str(right), *told, str(alone)]) == 0
    cli.run(["check", *names[:3], str(right), *names[3:], *told, str(together)])
    found = _grades(together)
    assert len(found) == len(BAD) + 1
    assert found["student.py:StudentMLP"] == _grades(alone)["student.py:StudentMLP"]
    assert all(row[0] != "PASS" for name, row in found.items() if name != "student.py:StudentMLP")


@pytest.mark.parametrize("place", ["HOME", "XDG_CACHE_HOME", "TMPDIR"])
def test_without_a_place_for_what_it_keeps_a_check_is_a_check_or_a_sentence(
    tmp_path: Path, place: str
) -> None:
    """A file stands where the home, the cache or the folder for temporary files should be."""
    (tmp_path / "file").write_text("")
    (tmp_path / "student.py").write_text((default_folder() / "student.py").read_text(encoding="utf-8"))
    line = [*PROGRAM, "check", "student.py", "--only", "logits", "--quick", "--csv", "grades.csv"]
    environment = {**os.environ, place: str(tmp_path / "file")}
    ran = subprocess.run(line, cwd=tmp_path, env=environment, capture_output=True, text=True, timeout=300)
    assert ran.returncode in (0, 2), ran.stderr
    assert "Traceback" not in ran.stderr
    assert (ran.returncode == 0) == ("PASS" in (tmp_path / "grades.csv").read_text(encoding="utf-8"))
