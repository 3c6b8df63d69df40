"""Progress goes to stderr: lines on a pipe, bars on a terminal, and nothing where nobody asked."""

import pytest

from backproof.comparisons.running.progress import EVERY, Silent, Terminal, _left, _Lines


def test_on_a_pipe_a_task_is_one_line_on_stderr(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as progress, progress.task("accuracy: torch, seed 1", total=3) as advance:
        advance()
        advance(2)
    printed = capsys.readouterr()
    assert printed.err.splitlines() == ["accuracy: torch, seed 1"]
    assert printed.out == ""


def test_on_a_pipe_a_long_task_writes_a_line_now_and_then_and_says_what_is_left() -> None:
    lines = _Lines("speed: rounds", 40, started=100.0)
    assert lines.due(1, 100.0 + 0.9 * EVERY) is None
    assert lines.due(10, 100.0 + 2 * EVERY) == "speed: rounds: 10 of 40, about 3 min left"
    assert lines.due(11, 100.0 + 2.9 * EVERY) is None
    assert lines.due(39, 100.0 + 3 * EVERY) == "speed: rounds: 39 of 40, about 5 s left"
    assert lines.due(40, 100.0 + 9 * EVERY) is None  # whoever began the task says that it has ended


def test_what_is_not_counted_is_told_in_percent() -> None:
    lines = _Lines("record: distortion, 2 nets", total=200, started=0.0)
    assert lines.due(20.7389, EVERY) == "record: distortion, 2 nets: 10%, about 4 min left"


def test_on_a_pipe_a_task_of_unknown_length_says_what_is_done() -> None:
    assert _Lines("waiting", None, started=0.0).due(3, EVERY) == "waiting: 3 done"


def test_on_a_pipe_these_lines_are_written(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("backproof.comparisons.running.progress.EVERY", 0.0)
    with Terminal() as progress, progress.task("seeds", total=2) as advance:
        advance()
        advance()
    begun, told = capsys.readouterr().err.splitlines()
    assert begun == "seeds"
    assert told.startswith("seeds: 1 of 2")


def test_what_is_said_is_not_taken_for_markup(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as progress:
        progress.say("[bold]784[/bold] features [red]")
    assert capsys.readouterr().err == "[bold]784[/bold] features [red]\n"


def test_on_a_pipe_nothing_that_is_said_is_broken(capsys: pytest.CaptureFixture[str]) -> None:
    long = f"/{'folder/' * 30}own.py:Mine: in a process of its own"
    with Terminal() as progress:
        progress.say(long)
    assert capsys.readouterr().err == f"{long}\n"


def test_on_a_terminal_the_bar_goes_when_the_task_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    with Terminal() as progress:
        with progress.task("seed 1", total=2) as advance:
            advance()
            assert [(task.completed, task.total) for task in progress._bars.tasks] == [(1, 2)]
        assert progress._bars.tasks == []


def test_the_bar_of_the_whole_run_moves_with_its_stages_and_never_back(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    seen = []
    with Terminal() as progress, progress.stages({"gradients": 1.0, "speed": 3.0}) as enter:
        for stage in ("gradients", "speed"):
            enter(stage)
            for _ in range(2):  # the second task of a stage begins at its beginning again
                with progress.task("work", total=2) as advance:
                    advance()
                    seen.append(progress._bars.tasks[0].completed)
        assert progress._bars.tasks[0].description == "all: speed, 2 of 2"
    assert seen == [0.5, 0.5, 2.5, 2.5]
    assert progress._bars.tasks == []


@pytest.mark.parametrize("width", [80, 120])
def test_nothing_of_a_line_is_cut(monkeypatch: pytest.MonkeyPatch, width: int) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    monkeypatch.setenv("FORCE_COLOR", "1")
    monkeypatch.setenv("TERM", "xterm")
    description = "gradients: against differences and each other"
    with Terminal() as progress, progress.task(description, total=2) as advance:
        advance()
        task = progress._bars.tasks[0]
        progress._bars.update(task.id, left="about 2 min left")
        with progress._console.capture() as drawn:
            progress._console.print(progress._bars.get_renderable())
    shown = drawn.get()
    assert description in shown
    assert "about 2 min left" in shown
    assert "…" not in shown


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(None, ""), (0.2, ""), (7.0, "about 5 s left"), (88.0, "about 90 s left"), (150.0, "about 2 min left")],
)
def test_the_time_left_is_told_no_finer_than_it_is_known(seconds: float | None, words: str) -> None:
    assert _left(seconds) == words


def test_without_a_terminal_the_stages_say_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    with Terminal() as progress, progress.stages({"gradients": 1.0}) as enter:
        enter("gradients")
    assert capsys.readouterr().err == ""


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
