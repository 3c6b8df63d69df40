"""A process that has imported what takes long and forks a child for every set of tests.

Started by its path, so that it has nothing of the project: each child imports the project from the tree that
it is told. One order a line on standard input, one answer a line on standard output, both JSON.
"""

import importlib
import json
import os
import resource
import select
import signal
import sys
import time
from pathlib import Path
from types import CodeType, FrameType
from typing import Any, NoReturn, TypedDict

import pytest

MEMORY = 12 * 2**30  # a mistake in a size must not take the whole machine
SLOWEST = 8  # seconds that may pass for one of the CPU


class Order(TypedDict):
    """Tests to run in a tree."""

    tree: str
    tests: list[str]
    profile: str  # of Hypothesis
    seconds: int  # of the CPU
    log: str  # a file for what pytest says
    recording: bool  # whether every test says which functions it touches


class Answer(TypedDict):
    """What came of it."""

    code: int  # pytest's exit code; -1 where the child did not come to its end
    failed: str  # the first test that failed
    cpu: float  # seconds
    tests: dict[str, float]  # of each test that passed, its seconds of the CPU
    touched: dict[str, list[str]]  # of each test that passed, "path::function", where recording


def main() -> None:
    for name in sys.argv[1:]:
        importlib.import_module(name)
    for line in sys.stdin:
        print(json.dumps(_answer(json.loads(line))), flush=True)


def _answer(order: Order) -> Answer:
    read, write = os.pipe()
    pid = os.fork()
    if pid == 0:
        _child(order, write)
    os.close(write)
    told = b""
    deadline = time.monotonic() + SLOWEST * order["seconds"] + 60
    while not told.endswith(b"\n") and time.monotonic() < deadline:
        if select.select([read], [], [], 0.2)[0]:
            more = os.read(read, 1 << 16)
            told += more
            if not more:
                break
        elif os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            break  # ended without a word, and its own children keep the pipe open
    os.close(read)
    _end(pid)
    _, _, usage = os.wait4(pid, 0)
    cpu = usage.ru_utime + usage.ru_stime
    if not told.endswith(b"\n"):
        return Answer(code=-1, failed="", cpu=cpu, tests={}, touched={})
    answer: Answer = json.loads(told)
    return Answer(**{**answer, "cpu": cpu})


def _end(group: int) -> None:
    try:
        os.killpg(group, signal.SIGKILL)
    except ProcessLookupError:  # it died before it could make a group of its own
        os.kill(group, signal.SIGKILL)


def _child(order: Order, write: int) -> NoReturn:
    try:
        os.setsid()
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        nothing = os.open(os.devnull, os.O_RDONLY)
        for here, there in ((nothing, 0), (log, 1), (log, 2)):
            os.dup2(here, there)
        os.set_inheritable(write, False)
        _move_into(Path(order["tree"]), order)
        told = _Told(order["tree"], order["recording"])
        quietly = ["-x", "-q", "--no-header", "-p", "no:cacheprovider", "-p", "no:xdist"]
        # What is imported already cannot be given pytest's longer assertions: no matter here.
        rewriting = ["-W", "ignore::pytest.PytestAssertRewriteWarning"]
        recording = ["--maxfail=1000000"] if order["recording"] else []
        code = pytest.main([*quietly, *rewriting, *recording, *order["tests"]], plugins=[told])
        answer = Answer(code=int(code), failed=told.failed, cpu=0.0, tests=told.tests, touched=told.touched)
        sys.stdout.flush()
        _write(write, json.dumps(answer).encode() + b"\n")
    finally:
        os._exit(0)


def _write(to: int, data: bytes) -> None:
    while data:
        data = data[os.write(to, data) :]


def _move_into(tree: Path, order: Order) -> None:
    """The project is imported from this tree, here and in every process that the tests start."""
    os.chdir(tree)
    paths = [str(tree / ".typing"), str(tree)]
    sys.path[:0] = paths
    os.environ["PYTHONPATH"] = os.pathsep.join(paths)
    os.environ["HYPOTHESIS_PROFILE"] = order["profile"]
    os.environ["PYTHONDONTWRITEBYTECODE"] = "1"
    sys.dont_write_bytecode = True
    resource.setrlimit(resource.RLIMIT_CPU, (order["seconds"], order["seconds"] + 5))
    resource.setrlimit(resource.RLIMIT_DATA, (MEMORY, MEMORY))


class _Told:
    """A plug-in of pytest: what failed first, and what each test took and touched."""

    def __init__(self, tree: str, recording: bool) -> None:
        self.tree, self.recording = tree, recording
        self.failed = ""
        self.tests: dict[str, float] = {}
        self.touched: dict[str, list[str]] = {}

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            self.failed = self.failed or report.nodeid
            self.tests.pop(report.nodeid, None)
        elif report.when == "call" and report.passed:
            self.tests[report.nodeid] = 0.0

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self, item: pytest.Item) -> Any:
        codes: set[CodeType] = set()

        def tracer(frame: FrameType, event: str, argument: object) -> None:
            codes.add(frame.f_code)

        began = sum(os.times()[:4])
        if self.recording:
            sys.settrace(tracer)
        try:
            return (yield)
        finally:
            sys.settrace(None)
            if item.nodeid in self.tests:
                self.tests[item.nodeid] = round(sum(os.times()[:4]) - began, 3)
                if self.recording:
                    self.touched[item.nodeid] = sorted(set(self._functions(codes)))

    def _functions(self, codes: set[CodeType]) -> list[str]:
        """Of the tree's own code, the outermost functions."""
        own = f"{self.tree}{os.sep}"
        found = []
        for code in codes:
            if code.co_filename.startswith(own):
                path = code.co_filename.removeprefix(own).removeprefix(f".typing{os.sep}backproof{os.sep}")
                if path.partition(os.sep)[0] in {"scratch", "reference", "comparisons"}:
                    found.append(f"{path}::{code.co_qualname.partition('.<locals>')[0]}")
        return found


if __name__ == "__main__":
    main()
