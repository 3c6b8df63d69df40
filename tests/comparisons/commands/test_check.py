"""`backproof check` and `backproof zoo` on the command line: exit codes, files, the skeleton."""

import csv
import json
import subprocess
import sys
from functools import partial
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.report import document as results
from backproof.comparisons.zoo import matrix
from backproof.comparisons.zoo.catalogue import default_folder

FOLDER = default_folder()
STUDENT = f"{FOLDER / 'student.py'}:StudentMLP"
WRONG = f"{FOLDER / 'gradient_mistakes.py'}:BiasAveragedTwice"


def check(*arguments: str) -> int:
    return cli.run(["check", "--quick", *arguments])


def test_a_correct_class_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(STUDENT, "--only", "gradient") == 0
    assert "PASS: 1 PASS" in capsys.readouterr().out


def test_a_wrong_class_exits_with_1_and_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(WRONG, "--only", "gradient") == 1
    said = " ".join(capsys.readouterr().out.split())
    assert "1. every bias gradient is N times too small: averaged twice?" in said
    assert "from gradient_mistakes import BiasAveragedTwice" in said


@pytest.mark.parametrize(
    ("shown", "made_small"),
    [("--csv", False), ("--json", True), ("--junit", True), ("--markdown", True), ("--report", True)],
)
def test_of_many_classes_cases_are_made_small_where_something_shows_them(
    shown: str, made_small: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[bool] = []

    def check_all(targets: list[str], settings: Settings, *others: object) -> None:
        asked.append(settings.shrink)

    monkeypatch.setattr("backproof.comparisons.check.grading.crew.check_all", check_all)
    check(STUDENT, WRONG, shown, str(tmp_path / "shown"))
    assert asked == [made_small]


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nothing.py:Mine"], "no file nothing.py"),
        ([f"{FOLDER / 'student.py'}:Missing"], "has no class Missing"),
        (["no_such_module:Mine"], "no module no_such_module"),
        (["my_mlp"], "expected module:Class or file.py:Class"),
        ([], "got nothing"),
        ([STUDENT, "--only", "nonsense"], "expected some of weights, logits"),
        ([STUDENT, "--from", "homework.py"], "--from: goes with --init FILE"),
        (["--init", "mine.py", "--from", "homework.py:Net"], "--from: no file homework.py"),
        (
            ["--init", "mine.py", "--from", f"{FOLDER / 'student.py'}:Net"],
            "has no class Net; its classes: Stu",
        ),
        ([STUDENT, "--time-limit", "0"], "--time-limit: expected seconds > 0"),
        ([STUDENT, "--json", "no/such/folder/x.json"], "no folder"),
    ],
)
def test_bad_input_exits_with_2_and_one_sentence(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert check(*arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("backproof: ")
    assert message in said
    assert said.count("\n") == 1


def test_an_absent_class_does_not_stop_the_grading_of_the_others(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grades = tmp_path / "grades.csv"
    absent = f"{FOLDER / 'student.py'}:Missing"
    assert check(WRONG, absent, STUDENT, "--only", "gradient", "--csv", str(grades)) == 2
    assert "3 hand-ins: 1 PASS, 1 FAIL, 1 INCONCLUSIVE" in capsys.readouterr().out
    rows = list(csv.DictReader(grades.read_text().splitlines()))
    assert [row["verdict"] for row in rows] == ["FAIL", "INCONCLUSIVE", "PASS"]
    assert "averaged twice" in rows[0]["diagnosis"]
    assert "not judged" in rows[1]["diagnosis"]
    assert "has no class Missing" in rows[1]["diagnosis"]


def test_a_run_that_is_repeated_checks_nothing_twice_unless_it_is_told_to(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    grades = tmp_path / "grades.csv"
    arguments = (STUDENT, f"{FOLDER / 'student.py'}:Missing", "--only", "loss", "--csv", str(grades))
    assert check(*arguments) == 2
    first = grades.read_text()
    assert check(*arguments) == 2  # of all that were named, whether or not they were tried now
    assert "2 are in" in capsys.readouterr().err
    assert grades.read_text() == first
    assert check(*arguments, "--again") == 2
    assert grades.read_text() == first


def test_a_run_that_is_resumed_ends_with_the_exit_code_of_one_that_was_never_stopped(tmp_path: Path) -> None:
    absent, more = f"{FOLDER / 'student.py'}:Missing", ("--only", "gradient", "--csv")
    kept = str(tmp_path / "kept.csv")
    assert check(absent, STUDENT, *more, kept) == 2  # as far as it came before it was stopped
    assert check(absent, STUDENT, WRONG, *more, kept) == 2
    assert check(STUDENT, WRONG, *more, kept) == 1
    assert check(STUDENT, "--only", "gradient", "--csv", kept) == 0


def test_a_page_per_hand_in_and_an_index_are_written_and_asked_for_again_where_one_is_gone(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pages = tmp_path / "pages"
    arguments = (WRONG, STUDENT, "--only", "loss", "--csv", str(tmp_path / "grades.csv"))
    assert check(*arguments, "--report", str(pages), "--language", "ko") == 0
    names = sorted(path.name for path in pages.iterdir())
    assert len(names) == 3
    assert "제출물 2개 가운데 2개가 통과했고" in (pages / "index.html").read_text(encoding="utf-8")
    kept = next(name for name in names if name != "index.html")
    (pages / kept).unlink()
    assert check(*arguments, "--report", str(pages), "--language", "ko") == 0
    assert "1 are in" in capsys.readouterr().err
    assert sorted(path.name for path in pages.iterdir()) == names


def test_gradescopes_file_is_written_for_one_class(tmp_path: Path) -> None:
    file = tmp_path / "results.json"
    assert check(STUDENT, "--only", "loss", "--gradescope", str(file)) == 0
    assert json.loads(file.read_text())["score"] == 100.0


def test_gradescopes_file_is_refused_for_several(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert check(STUDENT, WRONG, "--gradescope", str(tmp_path / "results.json")) == 2
    assert "one submission at a time" in capsys.readouterr().err


@pytest.mark.parametrize("mode", ["none", "auto"])
def test_it_is_said_what_stands_around_the_class(mode: str, capsys: pytest.CaptureFixture[str]) -> None:
    check(STUDENT, "--only", "loss", "--sandbox", mode)
    said = capsys.readouterr().err
    assert ("no sandbox: the code ran with your rights" in said) or ("bubblewrap" in said and mode == "auto")


def test_an_unknown_sandbox_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert check(STUDENT, "--sandbox", "maybe") == 2
    assert "--sandbox: expected one of auto, none, require; got 'maybe'" in capsys.readouterr().err


def test_the_same_seed_gives_the_same_document(tmp_path: Path) -> None:
    documents = []
    for name in ("first.json", "second.json"):
        check(WRONG, "--only", "loss", "--only", "gradient", "--seed", "7", "--json", str(tmp_path / name))
        (document,) = json.loads((tmp_path / name).read_text())["classes"]
        document.pop("seconds")
        for row in document["checks"]:
            row.pop("seconds")
        documents.append(document)
    assert documents[0] == documents[1]
    assert [entry["verdict"] for entry in documents[0]["checks"]] == ["PASS", "FAIL"]


def test_the_skeleton_runs_and_says_what_is_missing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "my_mlp.py"
    assert cli.run(["check", "--init", str(file)]) == 0
    assert check(f"{file}:MyMLP", "--only", "weights") == 0
    assert check(f"{file}:MyMLP", "--only", "logits") == 3
    assert "logits not offered" in " ".join(capsys.readouterr().out.replace("│", " ").split())


def test_the_skeleton_overwrites_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "my_mlp.py"
    file.write_text("mine")
    assert cli.run(["check", "--init", str(file)]) == 2
    assert "is there already" in capsys.readouterr().err
    assert file.read_text() == "mine"


@pytest.mark.parametrize(("target", "passed"), [(STUDENT, True), (WRONG, False)])
def test_pytest_holds_a_class_to_the_contract(target: str, passed: bool) -> None:
    root = Path(__file__).parents[3]
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", "-k", "gradient", "-p", "no:cacheprovider",
         "tests/reference/test_contract.py", "--contender", target],
        cwd=root, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.returncode == 0) == passed, done.stdout + done.stderr
    assert (" passed" in done.stdout) or not passed


def test_the_zoo_says_who_killed_whom_and_keeps_it(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(matrix, "Settings", partial(Settings, only=("weights", "schedules")))
    out = str(tmp_path / "out")
    assert cli.run(["zoo", "--only", "ScheduleOneStepLate", "--workers", "1", "--out", out]) == 0
    assert "Killed by a check expected to see it: 1 of 1 mutants." in capsys.readouterr().out
    part = results.load(f"{out}/results.json").zoo
    assert part is not None
    (row,) = part.rows
    assert row.killed_by == ("schedules",)
    # No gradient checker sees a schedule, and the digits are learnt all the same.
    assert {row.rivals[name].accepts for name in ("gradcheck", "check_grad", "accuracy")} == {True}
    assert "Would a mistake be seen?" in Path(out, "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--only", "Nobody"], "expected a class of the zoo"),
        (["--workers", "0"], "expected at least 1"),
        (["--mutants", "nowhere"], "no catalogue.toml in nowhere"),
        (["--seed", "-1"], "expected at least 0"),
        (["--seeds", "0"], "expected at least 1"),
    ],
)
def test_bad_input_to_the_zoo_is_refused(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["zoo", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_what_was_found_is_written_for_a_ci(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit, page = tmp_path / "checks.xml", tmp_path / "checks.md"
    assert check(WRONG, "--only", "gradient", "--github", "--junit", str(junit), "--markdown", str(page)) == 1
    assert "::error file=" in capsys.readouterr().out
    assert 'failures="1"' in junit.read_text(encoding="utf-8")
    assert "| FAIL | 0 | 1 | every bias gradient" in page.read_text(encoding="utf-8")


def test_a_folder_gets_the_slot_and_the_page(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert check(WRONG, "--only", "gradient", "--out", str(tmp_path / "out")) == 1
    part = results.load(tmp_path / "out" / results.FILE).check
    assert part is not None
    page = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    assert part.classes[0].causes[0].sentence in page
    assert capsys.readouterr().out.rstrip().endswith("report.html#check")
