"""Bytes to and from a process that may do anything with its pipes: both kinds move them and wait no more."""

import select
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from backproof.comparisons.running import processes
from backproof.comparisons.running.pipes import KEPT_OUTPUT, Pipes, Polled, Threaded, pipes_of

KINDS = [Polled, Threaded] if hasattr(select, "poll") else [Threaded]
every_kind = pytest.mark.parametrize("kind", KINDS)


@contextmanager
def connected(kind: type[Polled] | type[Threaded], code: str) -> Iterator[tuple[Pipes, list[int]]]:
    """The pipes to a Python that runs this code, and how much it was said to have printed each time."""
    said: list[int] = []
    command = processes.python("-c", code)
    process = subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    pipes = kind(process, said.append)
    try:
        yield pipes, said
    finally:
        process.kill()
        process.wait()
        pipes.finish()


def all_of(pipes: Pipes) -> bytes:
    """Everything it answers, to the end."""
    found, started = b"", time.monotonic()
    while (taken := pipes.take(1 << 20, 0.5)) is not None:
        found += taken
        assert time.monotonic() - started < 60
    return found


@every_kind
def test_a_message_of_many_buffers_comes_back_whole(kind: type[Polled] | type[Threaded]) -> None:
    message = bytes(range(256)) * 4000
    code = "import shutil, sys; shutil.copyfileobj(sys.stdin.buffer, sys.stdout.buffer, 1000)"
    with connected(kind, code) as (pipes, _):
        pipes.send(message[:300_000])
        pipes.send(message[300_000:])
        found = b""
        while len(found) < len(message):
            taken = pipes.take(len(message), 5.0)
            assert taken is not None
            found += taken
    assert found == message


@every_kind
def test_nothing_is_taken_where_nothing_comes_and_the_wait_is_as_long_as_asked(
    kind: type[Polled] | type[Threaded],
) -> None:
    with connected(kind, "import time; time.sleep(60)") as (pipes, _):
        started = time.monotonic()
        assert pipes.take(1, 0.3) == b""
        assert 0.2 < time.monotonic() - started < 10


@every_kind
def test_a_message_that_nobody_reads_holds_nobody(kind: type[Polled] | type[Threaded]) -> None:
    with connected(kind, "import time; time.sleep(60)") as (pipes, _):
        started = time.monotonic()
        pipes.send(bytes(20_000_000))
        assert pipes.take(1, 0.1) == b""
        assert time.monotonic() - started < 10


@every_kind
def test_a_message_to_one_that_has_closed_its_end_is_lost_and_no_error(
    kind: type[Polled] | type[Threaded],
) -> None:
    with connected(kind, "import os; os.close(0); os.write(1, b'x'); os.close(1)") as (pipes, _):
        assert all_of(pipes) == b"x"
        pipes.send(b"hello")
        assert pipes.take(1, 0.1) is None


@every_kind
def test_after_the_last_byte_comes_none(kind: type[Polled] | type[Threaded]) -> None:
    with connected(kind, "print('ab', end='')") as (pipes, _):
        assert all_of(pipes) == b"ab"
        assert pipes.take(1, 0.1) is None


@every_kind
def test_no_more_is_taken_than_asked_for(kind: type[Polled] | type[Threaded]) -> None:
    with connected(kind, "print('abcdef', end='')") as (pipes, _):
        assert pipes.take(4, 20.0) == b"abcd"
        assert pipes.take(4, 20.0) == b"ef"


@every_kind
def test_what_is_printed_is_counted_and_its_beginning_kept(kind: type[Polled] | type[Threaded]) -> None:
    code = "import sys; sys.stderr.write('x' * 100_000); sys.stderr.close(); print('done')"
    with connected(kind, code) as (pipes, said):
        assert all_of(pipes).strip() == b"done"
        pipes.finish()
        assert (pipes.printed, said[-1]) == (100_000, 100_000)
        assert bytes(pipes.output) == b"x" * KEPT_OUTPUT


@pytest.mark.skipif(sys.platform == "win32", reason="pipes that can be polled")
def test_where_pipes_can_be_polled_no_thread_is_started() -> None:
    process = subprocess.Popen(
        processes.python("-c", "pass"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    pipes = pipes_of(process, lambda n: None)
    assert isinstance(pipes, Polled)
    process.wait()
    pipes.finish()
