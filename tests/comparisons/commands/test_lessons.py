"""`backproof lessons` as a user has it: what it prints, what it writes, how it ends."""

import json
import sys
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.commands import lessons as command
from backproof.comparisons.lessons import course, runner


def test_without_a_name_every_lesson_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lessons"]) == 0
    printed = capsys.readouterr().out
    assert all(lesson.name in printed for lesson in course.LESSONS)


def test_the_list_speaks_korean(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lessons", "--lang", "ko"]) == 0
    assert "뉴런 하나, 그리고 여럿" in capsys.readouterr().out


def test_a_lesson_prints_its_claims_and_exits_with_0(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lessons", "shapes"]) == 0
    printed = capsys.readouterr().out
    assert "✓" in printed
    assert "refuted, as expected" in printed


def test_a_lesson_speaks_korean_throughout(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lessons", "neuron", "--lang", "ko"]) == 0
    printed = capsys.readouterr().out
    assert "예상값" in printed
    assert "expected" not in printed


def test_a_claim_that_does_not_hold_makes_the_command_exit_with_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["lessons", "linear-regression", "--set", "STEPS=20"]) == 1
    assert "does not hold" in capsys.readouterr().out


def test_what_digits_cannot_judge_exits_with_3() -> None:
    assert cli.run(["lessons", "ninety-five", "--data", "digits", "--set", "EPOCHS=1"]) == 3


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["xnor"], "lesson: expected one of"),
        (["xor", "--lang", "de"], "lang: expected one of en, ko"),
        (["xor", "--all"], "lesson: expected a name or --all, got both"),
        (["page.html"], "to write the page there, add --html"),
        (["--all", "--notebook", "x.ipynb"], "notebook: expected one lesson's name"),
        (["--set", "STEPS=1"], "lesson: expected a name or --all"),
        (["xor", "--set", "STEPS"], "set: expected NAME=VALUE"),
        (["xor", "--set", "NOTHING=1"], "set: expected one of this lesson's constants"),
        (["--all", "--set", "STEPS=1"], "set: expected one lesson's name"),
        (["xor", "--tensorboard", "runs"], "tensorboard: only the lesson live"),
        (["keras-start", "--epochs", "0"], "epochs: expected at least 1"),
        (["xor", "--seed", "-1"], "seed: expected at least 0"),
        (["ninety-five", "--data", "cifar"], "data: expected one of"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["lessons", *arguments]) == 2
    assert message in capsys.readouterr().err


def test_a_missing_tensorboard_is_named_with_the_command_that_installs_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for module in [name for name in sys.modules if name.startswith("torch.utils.tensorboard")]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, "tensorboard", None)
    arguments = ["lessons", "live", "--data", "digits", "--tensorboard", str(tmp_path)]
    assert cli.run(arguments) == 2
    assert "pip install" in capsys.readouterr().err


def test_out_keeps_the_lessons_that_ran_before(tmp_path: Path) -> None:
    for name in ("shapes", "neuron"):
        assert cli.run(["lessons", name, "--out", str(tmp_path)]) == 0
    written = json.loads((tmp_path / "results.json").read_text(encoding="utf-8"))["lessons"]
    assert [lesson["name"] for lesson in written] == ["neuron", "shapes"]
    assert {"name", "claims", "figures", "verdict", "seconds"} <= set(written[0])
    assert {"says", "holds", "expected", "found"} <= set(written[0]["claims"][0])


def test_the_report_links_to_the_page_written_beside_it(tmp_path: Path) -> None:
    assert cli.run(["lessons", "shapes", "--out", str(tmp_path)]) == 0
    report = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert 'href="lessons.html#shapes"' in report
    assert (tmp_path / "lessons.html").is_file()


def test_without_out_or_html_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert cli.run(["lessons", "shapes"]) == 0
    assert list(tmp_path.iterdir()) == []


def test_html_opens_the_page_at_the_lesson(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[str] = []
    monkeypatch.setattr("webbrowser.open", opened.append)
    assert cli.run(["lessons", "shapes", "--html", "--out", str(tmp_path)]) == 0
    assert opened == [(tmp_path / "lessons.html").resolve().as_uri() + "#shapes"]


def test_html_alone_writes_the_page_of_what_was_run_to_the_file_it_is_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("webbrowser.open", lambda address: None)
    assert cli.run(["lessons", "--html", "class/page.html", "--lang", "ko"]) == 0
    assert "19 of 19 lessons have no results yet" in capsys.readouterr().out
    assert '<html lang="ko">' in (tmp_path / "class" / "page.html").read_text(encoding="utf-8")


def test_a_notebook_is_written_beside_the_run(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "class" / "shapes.ipynb"
    assert cli.run(["lessons", "shapes", "--notebook", str(file)]) == 0
    assert json.loads(file.read_text(encoding="utf-8"))["nbformat"] == 4
    assert file.resolve().as_uri() in capsys.readouterr().out


def test_an_interruption_keeps_the_lessons_that_were_done(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    run = runner.run

    def interrupted(lesson, *rest):  # type: ignore[no-untyped-def]
        if lesson.name == "neuron":
            raise KeyboardInterrupt
        return run(lesson, *rest)

    monkeypatch.setattr(runner, "run", interrupted)
    assert cli.run(["lessons", "--all", "--out", str(tmp_path)]) == 130
    assert "1 of 19 lessons kept" in capsys.readouterr().err
    assert [entry["name"] for entry in json.loads((tmp_path / "results.json").read_text())["lessons"]] == [
        "two-ways"
    ]


def test_the_command_module_knows_the_languages_of_the_catalogue() -> None:
    from backproof.comparisons.lessons.catalogue import LANGUAGES

    assert command.LANGUAGES == LANGUAGES
