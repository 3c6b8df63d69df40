"""Progress goes to stderr: lines on a pipe, bars on a terminal, and nothing where nobody asked."""

import pytest

from backproof.comparisons.running.progress import Silent, Terminal


def test_on_a_pipe_a_task_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as progress, progress.task("accuracy: torch, seed 1", total=3) as advance:
        advance()
        advance(2)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["accuracy: torch, seed 1"]
    assert printed.out == ""


def test_what_is_said_is_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as progress:
        progress.say("[bold]784[/bold] features [red]")
    assert capsys.readouterr().err == "[bold]784[/bold] features [red]\n"


def test_on_a_terminal_the_bar_goes_when_the_task_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Terminal() as progress:
        with progress.task("seed 1", total=2) as advance:
            advance()
            assert [(task.completed, task.total) for task in progress._bars.tasks] == [(1, 2)]
        assert progress._bars.tasks == []


def test_a_task_that_fails_leaves_no_bar_behind() -> None:
    progress = Terminal()
    with pytest.raises(ZeroDivisionError), progress.task("seed 1"):
        raise ZeroDivisionError
    assert progress._bars.tasks == []


def test_silence_is_silent(capsys: pytest.CaptureFixture[str]) -> None:
    with Silent().task("anything", total=2) as advance:
        advance()
        Silent().say("anything")
    printed = capsys.readouterr()
    assert printed.out + printed.err == ""
