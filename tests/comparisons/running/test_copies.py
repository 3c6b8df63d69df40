"""Copies that come back from what was called are seen, whatever the machine does; others change nothing."""

import subprocess
import sys

import pytest

from backproof.comparisons.running import processes

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no fork there")

BACK = {
    "one": "os.fork()",
    "many": "[os.fork() for _ in range(5)]",
    "copies of copies alone": "if not os.fork(): os.fork() or os._exit(0)",
    "after an error": "if not os.fork(): raise ValueError",
    "after some work": "if not os.fork(): [None for _ in iter(lambda: time.process_time() < 0.5, False)]",
    "beside one that sleeps": "if not os.fork(): time.sleep(60)\nos.fork()",
}
NOT_BACK = {
    "none": "pass",
    "ended": "if not os.fork(): os._exit(0)",
    "ended after some work": "if not os.fork():\n"
    "    [None for _ in iter(lambda: time.process_time() < 0.5, False)]; os._exit(0)",
    "another program": "if not os.fork(): os.execv('/bin/sleep', ['sleep', '0'])",
    "asleep": "if not os.fork(): time.sleep(60)",
    "a pool that stays": "global pool; pool = multiprocessing.get_context('fork').Pool(2)",
    "no files left": "os.closerange(3, 256)",
    "forked, and no files left": "os.fork() or os._exit(0); os.closerange(3, 256)",
}
PROGRAM = """
import multiprocessing, os, signal, time
from backproof.comparisons.running.copies import Copies

def method():
{body}

os.setsid()
copies = Copies()
for _ in range(2):
    try:
        method()
    except ValueError:
        pass
    print(copies.came_back(), flush=True)
os.killpg(0, signal.SIGKILL)
"""


def said(body: str) -> str:
    """What the one process that was asked says after each of two calls: copies print nothing."""
    indented = "".join(f"    {line}\n" for line in body.splitlines())
    command = processes.python("-c", PROGRAM.format(body=indented))
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=120).stdout


@pytest.mark.parametrize("body", BACK.values(), ids=BACK.keys())
def test_a_copy_that_comes_back_is_seen_and_ends_there(body: str) -> None:
    assert said(body) == "True\nTrue\n"


@pytest.mark.parametrize("body", NOT_BACK.values(), ids=NOT_BACK.keys())
def test_what_does_not_come_back_is_none(body: str) -> None:
    assert said(body) == "False\nFalse\n"
