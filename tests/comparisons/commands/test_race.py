"""`backproof race`: wrong options are sentences, and what is finished is kept when it is ended."""

import json
import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.running import processes
from tests.support.small_records import dataset

SMALL = """
import sys
from dataclasses import replace
from backproof.comparisons import cli
from backproof.comparisons.data import dataset as data
from backproof.comparisons.race import recipes
from tests.support.small_races import SMALL
from tests.support.small_records import dataset
recipes.TARGETS["97"] = replace(recipes.TARGETS["97"], accuracy=0.5, recipe=replace(SMALL, epochs=25))
data.load = lambda *arguments, **options: dataset()
sys.exit(cli.run(["race", "--target", "97", "--threads", "1", *sys.argv[1:]]))
"""


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--target", "96"], "--target: expected one of 97, 98, 98.5, 99"),
        (["--runs", "0"], "--runs: expected at least 1"),
        (["--threads", "4096"], "--threads: expected at most"),
        (["--division", "best"], "--division: expected one of matched, idiomatic, all"),
        (["--contender", "toch"], "--contender: expected one of"),
        (["--contender", "mine.py:Mine"], "--contender: expected one of"),
    ],
)
def test_a_wrong_option_is_one_sentence_and_exit_code_2(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    assert cli.run(["race", *arguments, "--out", str(tmp_path / "out")]) == 2
    assert said in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def test_stopped_before_the_first_run_it_says_that_nothing_was_finished(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    def stopped(*arguments: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("backproof.comparisons.data.dataset.load", lambda *arguments, **options: dataset())
    monkeypatch.setattr("backproof.comparisons.race.part.run", stopped)
    assert cli.run(["race", "--out", str(tmp_path / "out")]) == 130
    assert "interrupted; no run was finished" in capsys.readouterr().err
    assert not (tmp_path / "out").exists()


def started(folder: Path, *arguments: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        processes.python(
            "-c", f"import sys; sys.path.insert(0, '.')\n{SMALL}", "--out", str(folder), *arguments
        ),
        cwd=Path(__file__).parents[3],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "COLUMNS": "100"},
    )


def test_ten_runs_reach_their_target_and_stand_in_results_and_report(tmp_path: Path) -> None:
    process = started(tmp_path, "--contender", "scratch")
    said, told = process.communicate(timeout=240)
    assert process.returncode == 0, told
    assert "PASS" in said
    assert told.count("97%: scratch, seed") == 10
    found = json.loads((tmp_path / "results.json").read_text())["race"]["targets"]["97"]
    assert [run["seed"] for run in found["runners"]["scratch"]["runs"]] == list(range(10))
    assert 'id="race"' in (tmp_path / "report.html").read_text(encoding="utf-8")


@pytest.mark.skipif(os.name == "nt", reason="a system without signals")
def test_ended_from_outside_it_keeps_what_is_finished(tmp_path: Path) -> None:
    process = started(tmp_path, "--contender", "scratch", "--runs", "100000")
    assert process.stderr is not None
    seen, limit = 0, time.monotonic() + 120
    while seen < 3 and time.monotonic() < limit:
        seen += "97%: scratch, seed" in process.stderr.readline()
    process.send_signal(signal.SIGTERM)
    _, told = process.communicate(timeout=120)
    assert process.returncode == 130, told
    assert "kept in" in told
    found = json.loads((tmp_path / "results.json").read_text())["race"]
    assert len(found["targets"]["97"]["runners"]["scratch"]["runs"]) >= 3
    assert found["verdict"] in ("PASS", "INCONCLUSIVE")
