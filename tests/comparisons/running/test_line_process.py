"""A process spoken to in lines: it answers, is ended when it hangs, and says how it ended."""

import os

import pytest

from backproof.comparisons.running import processes
from backproof.comparisons.running.line_process import LineProcess, LineProcessError

ECHO = "import sys\nprint(flush=True)\nfor line in sys.stdin: print(line.strip()[::-1], flush=True)"


def started(code: str) -> LineProcess:
    return LineProcess(processes.python("-c", code), dict(os.environ))


def test_every_line_is_answered_in_turn() -> None:
    process = started(ECHO)
    assert process.ask(b"abc\n", 60.0) == b"cba\n"
    assert process.ask(b"de\n", 60.0) == b"ed\n"
    process.close()
    process.close()  # for the second time


def test_whoever_is_silent_is_ended() -> None:
    process = started("import time\nprint(flush=True)\ntime.sleep(600)")
    with pytest.raises(LineProcessError, match="no answer within 1 s; its process was ended"):
        process.ask(b"\n", 1.0)


def test_the_end_of_a_process_is_told_with_the_last_line_of_its_errors() -> None:
    process = started("print(flush=True)\ninput()\nraise RuntimeError('out of luck')")
    with pytest.raises(LineProcessError, match=r"exit code 1\): RuntimeError: out of luck"):
        process.ask(b"\n", 60.0)
    process.close()
