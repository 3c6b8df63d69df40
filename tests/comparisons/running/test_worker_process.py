"""A worker is bounded: every read ends, whatever the process does, and its time is its own."""

import select
import sys
import time
from collections.abc import Callable

import pytest

from backproof.comparisons.running import limits, pipes, processes, worker_process
from backproof.comparisons.running.worker_process import (
    Ended,
    Flooded,
    Late,
    TimeLimit,
    WorkerProcess,
    environment,
)


@pytest.fixture(
    params=[
        kind for kind in (pipes.Polled, pipes.Threaded) if hasattr(select, "poll") or kind is pipes.Threaded
    ],
    autouse=True,
)
def kind_of_pipes(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """Every test with either kind, whatever this system would take."""
    monkeypatch.setattr(worker_process, "pipes_of", request.param)


def worker(code: str, output_limit: int = 10_000) -> WorkerProcess:
    return WorkerProcess(processes.python("-c", code), environment(), output_limit)


ECHO = "import sys; sys.stdout.buffer.write(sys.stdin.buffer.read(5)); sys.stdout.flush(); sys.stdin.read()"


def test_what_is_sent_arrives_and_what_it_answers_is_read() -> None:
    with worker(ECHO) as process:
        process.send(b"hello")
        assert process.read(5, TimeLimit(process, 20.0)) == b"hello"


def test_a_large_message_to_a_process_that_does_not_read_holds_nobody() -> None:
    with worker("import time; time.sleep(60)") as process:
        started = time.monotonic()
        process.send(b"x" * (50 << 20))
        with pytest.raises(Late):
            process.read(1, TimeLimit(process, 1.0))
        assert time.monotonic() - started < 20


def test_an_answer_larger_than_the_buffer_is_read_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipes, "BUFFERED", 1000)
    with worker("import sys; sys.stdout.buffer.write(b'ab' * 200_000)") as process:
        assert process.read(400_000, TimeLimit(process, 20.0)) == b"ab" * 200_000


def test_a_process_that_ends_is_said_to_have_ended_with_its_code() -> None:
    with worker("import sys; sys.exit(7)") as process, pytest.raises(Ended) as caught:
        process.read(1, TimeLimit(process, 20.0))
    assert caught.value.code == 7


def test_what_it_wrote_before_its_end_is_read() -> None:
    with worker("print('ab', end='')") as process:
        assert process.read(2, TimeLimit(process, 20.0)) == b"ab"


def test_a_flood_of_output_ends_it() -> None:
    with worker("import sys\nwhile True: sys.stderr.write('x' * 1000)") as process, pytest.raises(Flooded):
        process.read(1, TimeLimit(process, 30.0))


def test_the_beginning_of_its_output_is_kept() -> None:
    with worker("import sys; sys.stderr.write('first words'); sys.stderr.flush(); sys.exit(1)") as process:
        with pytest.raises(Ended):
            process.read(1, TimeLimit(process, 20.0))
        process.close()
        assert process.output == "first words"


def test_closing_twice_is_closing_once() -> None:
    process = worker("import time; time.sleep(60)")
    process.close()
    process.close()
    with pytest.raises(Ended):
        process.read(1, TimeLimit(process, 1.0))


def test_a_closed_process_is_gone() -> None:
    process = worker("import time; time.sleep(60)")
    process.close()
    assert process._process.poll() is not None


@pytest.mark.parametrize(("code", "name"), [(-9, "SIGKILL"), (139, "SIGSEGV"), (3, ""), (0, "")])
def test_an_exit_code_names_the_signal_that_caused_it(code: int, name: str) -> None:
    if sys.platform == "win32":
        pytest.skip("signals of POSIX")
    assert limits.signal_name(code) == name


# --- time --------------------------------------------------------------------------------------------------


class Clock:
    """A machine with a wall clock, and a process that gets so much of the processor."""

    def __init__(self, share: Callable[[float], float | None]) -> None:
        self.now, self.share = 0.0, share
        self.used: float | None = 0.0
        self.idle_seconds = 0.0

    def cpu(self, everyone: bool = False) -> float | None:
        return self.used

    def cpu_lately(self, seconds: float) -> float | None:
        return self.used

    def advance(self, seconds: float) -> None:
        self.now += seconds
        share = self.share(self.now)
        self.used = None if share is None or self.used is None else self.used + share * seconds


def seconds_until_late(
    monkeypatch: pytest.MonkeyPatch, limit: float, share: Callable[[float], float | None]
) -> float:
    """When, on the wall, a process that gets this share of the processor is late."""
    clock = Clock(share)
    monkeypatch.setattr("time.monotonic", lambda: clock.now)
    clock.advance(0.0)
    allowed = TimeLimit(clock, limit)  # type: ignore[arg-type]  # as much of a worker as it looks at
    while clock.now < 1000:
        clock.advance(0.5)
        try:
            allowed.look()
        except Late:
            return clock.now
    return clock.now


def test_a_process_that_computes_is_late_after_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_until_late(monkeypatch, 10.0, lambda now: 1.0) == pytest.approx(10.0, abs=1.0)


def test_a_process_that_sleeps_is_late_after_its_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_until_late(monkeypatch, 10.0, lambda now: 0.0) == pytest.approx(10.0, abs=1.0)


def test_a_process_on_a_busy_machine_is_given_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenth of a core: ten times as long on the wall."""
    assert seconds_until_late(monkeypatch, 10.0, lambda now: 0.1) == pytest.approx(100.0, abs=2.0)


def test_a_process_that_hardly_moves_is_late_in_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_until_late(monkeypatch, 10.0, lambda now: 0.03) <= 10.0 * worker_process.PATIENCE + 1.0


def test_where_nobody_tells_the_processor_time_the_wall_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    assert seconds_until_late(monkeypatch, 10.0, lambda now: None) == pytest.approx(10.0, abs=1.0)
