"""A class can spoil its own result and nothing else: no code of its runs here, and none outlives it."""

import os
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from textwrap import dedent

import numpy as np
import pytest

from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.subject import subject as module
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.running import limits, sandbox
from backproof.comparisons.running.copies import CAME_BACK
from backproof.comparisons.running.sandbox import Mode
from backproof.comparisons.running.worker_process import TimeLimit, WorkerProcess
from backproof.scratch.architecture import Architecture, Weights
from backproof.scratch.initializers import initialize

ARCHITECTURE = Architecture((3, 2))
X, TARGETS = np.ones((4, 3)), np.array([0, 1, 0, 1])
MODES: tuple[Mode, ...] = ("none", "auto")
posix = pytest.mark.skipif(sys.platform == "win32", reason="processes and signals of POSIX")
boxed = pytest.mark.skipif(bool(sandbox.why_not()), reason="no sandbox here")

# The right answers of a network without hidden layers, in which a test changes one thing.
RIGHT = """
import enum, os, signal, sys, time
import numpy as np

class Mine:
    def load(self, architecture, weights):
        self.pairs = [(W.copy(), b.copy()) for W, b in weights]

    def weights(self):
        return self.pairs

    def logits(self, x):
        (W, b), = self.pairs
        return x @ W + b

    def loss_and_gradient(self, x, targets):
        z = self.logits(x)
        p = np.exp(z - z.max(axis=1, keepdims=True))
        p /= p.sum(axis=1, keepdims=True)
        n = len(x)
        loss = -np.log(p[np.arange(n), targets]).mean()
        p[np.arange(n), targets] -= 1
        return self.told(float(loss)), [(x.T @ p / n, p.sum(axis=0) / n)]

    def told(self, loss):
        return loss
"""


@contextmanager
def subject_of(
    folder: Path, told: str = "return loss", before: str = "", mode: Mode = "auto", seconds: float = 20.0
) -> Iterator[Subject]:
    """The class whose method `told` is this text, with `before` in front of the class."""
    body = RIGHT.replace(
        "        return loss\n", "        " + dedent(told).strip().replace("\n", "\n        ") + "\n"
    )
    file = folder / "hand_in.py"
    file.write_text(dedent(before) + body, encoding="utf-8")
    subject = Subject(Target(str(file), "Mine"), seconds, mode)
    try:
        yield subject
    finally:
        subject.close()


def loss_of(subject: Subject) -> float:
    weights: Weights = initialize(ARCHITECTURE, 0).weights()
    candidate = Candidate(subject)
    candidate.load(ARCHITECTURE, weights)
    return candidate.loss_and_gradient(X, TARGETS)[0]


def finding(
    folder: Path, told: str, before: str = "", mode: Mode = "auto", seconds: float = 20.0
) -> Misbehaviour:
    with (
        subject_of(folder, told, before, mode, seconds) as subject,
        pytest.raises(Misbehaviour) as caught,
    ):
        loss_of(subject)
    return caught.value


def alive(pids: list[int]) -> list[int]:
    """Those of these processes that still run, after a moment in which the system may bury them."""
    for _ in range(50):
        left = [pid for pid in pids if Path(f"/proc/{pid}").exists() and _state(pid) != "Z"]
        if not left:
            return []
        time.sleep(0.1)
    return left


def _state(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return "Z"


@pytest.mark.parametrize("mode", MODES)
def test_a_right_class_is_heard(tmp_path: Path, mode: Mode) -> None:
    with subject_of(tmp_path, mode=mode) as subject:
        assert np.isfinite(loss_of(subject))


# --- what it sends is data ---------------------------------------------------------------------------------


def test_a_number_that_would_run_code_when_unpickled_is_a_number(tmp_path: Path) -> None:
    pwned = tmp_path / "pwned"
    before = f"""
    import os
    class Evil(float):
        def __reduce__(self):
            return (os.mkdir, ({str(pwned)!r},))
    """
    with subject_of(tmp_path, "return Evil(loss)", before, mode="none") as subject:
        assert type(loss_of(subject)) is float
    assert not pwned.exists()


def test_a_metaclass_that_lies_about_names_is_not_asked(tmp_path: Path) -> None:
    before = """
    class Meta(type):
        @property
        def __name__(self):
            raise RuntimeError("asked")
    """
    text = RIGHT.replace("class Mine:", "class Mine(metaclass=Meta):")
    (tmp_path / "hand_in.py").write_text(dedent(before) + text)
    subject = Subject(Target(str(tmp_path / "hand_in.py"), "Mine"))
    subject.close()
    assert subject.target.name == "Mine"


@pytest.mark.parametrize(
    ("told", "loss"),
    [
        ("return enum.IntEnum('E', {'A': 3}).A", 3.0),
        ("return type('F', (float,), {'__float__': lambda self: 1 / 0})(0.25)", 0.25),
        ("return np.float32(0.5)", 0.5),
        ("return True", 1.0),
    ],
)
def test_a_subclass_of_a_number_is_that_number(tmp_path: Path, told: str, loss: float) -> None:
    with subject_of(tmp_path, told) as subject:
        assert loss_of(subject) == loss


@pytest.mark.parametrize(
    ("told", "said"),
    [
        ("return 10**400", "loss: expected a number, got int of 1329 bits"),
        ("return 'a number'", "loss: expected a number"),
        ("return type('M[/x]', (), {})()", "loss: expected a number, got hand_in.M[/x]"),
        (
            "raise ValueError('\\x1b[2J\\x1b[1;1HPASS \\u202e \\ud800')",
            r"ValueError: \x1b[2J\x1b[1;1HPASS \u202e \ud800",
        ),
        ("return type('R', (), {'__repr__': lambda self: 1 / 0})()", "without a repr: ZeroDivisionError"),
        (
            "class E(Exception):\n    def __str__(self): raise OSError\nraise E",
            "an exception without words: OSError",
        ),
    ],
)
def test_what_is_no_number_is_a_finding_in_printable_words(tmp_path: Path, told: str, said: str) -> None:
    text = finding(tmp_path, told).text
    assert said in text
    assert text.isprintable()


def test_a_long_message_is_cut(tmp_path: Path) -> None:
    assert len(finding(tmp_path, "raise ValueError('x' * 10**6)").text) < 500


WRITE_TO_US = """
for fd in range(3, 20):
    try:
        os.write(fd, {bytes})
    except OSError:
        pass
{after}
"""


GARBAGE = (
    "b'nonsense' * 10",
    "b'\\0' * 8 + b'{}'",
    "b'\\xff' * 8",
    "(30).to_bytes(8, 'big') + b'[' * 30",
    "(16).to_bytes(8, 'big') + b'[\"answer\", null]'",
)


@pytest.mark.parametrize("garbage", GARBAGE)
def test_bytes_that_are_no_message_are_a_finding(tmp_path: Path, garbage: str) -> None:
    found = finding(tmp_path, WRITE_TO_US.format(bytes=garbage, after="time.sleep(60)"), seconds=2.0)
    assert found.kind in ("crash", "hang")


def test_a_byte_and_then_silence_is_a_hang(tmp_path: Path) -> None:
    found = finding(tmp_path, WRITE_TO_US.format(bytes="b'\\0'", after="time.sleep(60)"), seconds=1.0)
    assert found.kind == "hang"


def test_bytes_one_by_one_for_ever_are_a_hang(tmp_path: Path) -> None:
    told = """
    while True:
        for fd in range(3, 10):
            try:
                os.write(fd, b"\\0")
            except OSError:
                pass
        time.sleep(0.01)
    """
    assert finding(tmp_path, told, seconds=1.0).kind in ("hang", "crash")


def test_an_answer_written_ahead_is_its_own_loss(tmp_path: Path) -> None:
    """It can forge its own answers, as it can return them; the next class is another process."""
    ahead = "(16).to_bytes(8, 'big') + b'[\"answer\", 12.0]'"
    finding(tmp_path, WRITE_TO_US.format(bytes=ahead, after="return loss"))
    with subject_of(tmp_path) as neighbour:
        assert np.isfinite(loss_of(neighbour))


def test_what_it_prints_is_kept_apart(tmp_path: Path) -> None:
    told = "print('hello'); os.write(1, b'there'); sys.stderr.write('you'); return loss"
    with subject_of(tmp_path, told) as subject:
        assert np.isfinite(loss_of(subject))
        subject.close()
        assert all(word in subject.printed for word in ("hello", "there", "you"))


def test_what_it_reads_is_at_its_end(tmp_path: Path) -> None:
    assert "EOFError" in finding(tmp_path, "return float(input())").text


# --- what it starts ends with it ---------------------------------------------------------------------------


STARTS = {
    "forks": """
        for _ in range(20):
            if os.fork() == 0:
                time.sleep(600)
        return loss
    """,
    "own sessions": """
        for _ in range(6):
            if os.fork() == 0:
                os.setsid()
                time.sleep(600)
        return loss
    """,
    "programs": """
        import subprocess
        for _ in range(6):
            subprocess.Popen(["sleep", "600"], start_new_session=True)
        return loss
    """,
}
SIGNALS = (
    "os.kill(os.getppid(), signal.SIGKILL)",
    "os.kill(os.getppid(), signal.SIGINT)",
    "os.kill(0, signal.SIGINT)",
    "os.killpg(0, signal.SIGKILL)",
)


@posix
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("how", STARTS)
def test_nothing_that_it_started_is_left(tmp_path: Path, how: str, mode: Mode) -> None:
    if mode == "none" and not Path("/proc/self/environ").exists():
        pytest.skip("no /proc")
    with subject_of(tmp_path, STARTS[how], mode=mode) as subject:
        assert np.isfinite(loss_of(subject))
        worker = subject._worker
        assert worker is not None
        started = limits._with_token(worker.token)
        assert len(started) >= 6
    assert alive(started) == []


@posix
@pytest.mark.parametrize("mode", MODES)
def test_a_child_that_holds_the_pipe_does_not_hold_us(tmp_path: Path, mode: Mode) -> None:
    started = time.monotonic()
    told = "if os.fork() == 0:\n    time.sleep(600)\nos._exit(0)"
    assert finding(tmp_path, told, mode=mode).kind in ("crash", "hang")
    assert time.monotonic() - started < 25


@posix
@pytest.mark.parametrize("mode", MODES)
def test_copies_that_come_back_from_its_method_are_found_and_never_heard(tmp_path: Path, mode: Mode) -> None:
    """They would answer with another number, and be asked next: the finding is the same each time."""
    told = "return loss + 100 * sum(os.fork() == 0 for _ in range(2))"
    found = [finding(tmp_path, told, mode=mode).text for _ in range(3)]
    assert found == [f"loss_and_gradient {CAME_BACK}"] * 3


@posix
def test_a_copy_that_comes_back_from_the_import_is_found(tmp_path: Path) -> None:
    with pytest.raises(Misbehaviour) as caught, subject_of(tmp_path, before="import os\nos.fork()"):
        pass
    assert caught.value.text == f"the class could not be made: it {CAME_BACK}"


@posix
@pytest.mark.parametrize("mode", MODES)
def test_copies_that_end_themselves_and_pools_of_workers_change_nothing(tmp_path: Path, mode: Mode) -> None:
    told = """
    import multiprocessing
    if not os.fork():
        os._exit(0)
    with multiprocessing.get_context("fork").Pool(2) as pool:
        return pool.apply(float, (loss,))
    """
    with subject_of(tmp_path, mode=mode) as subject:
        right = loss_of(subject)
    with subject_of(tmp_path, told, mode=mode) as subject:
        assert [loss_of(subject) for _ in range(3)] == [right] * 3


@posix
@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("told", SIGNALS)
def test_signals_to_its_parent_or_its_group_do_not_reach_us(tmp_path: Path, told: str, mode: Mode) -> None:
    """They go into the void, or end it: we are here to see it."""
    kind = ""
    with subject_of(tmp_path, told + "\ntime.sleep(0.2)\nreturn loss", mode=mode) as subject:
        try:
            loss_of(subject)
        except Misbehaviour as found:
            kind = found.kind
    assert kind in ("", "crash")


@pytest.mark.parametrize(
    ("told", "kind", "said"),
    [
        ("sys.exit(0)", "raised", "SystemExit"),
        ("os._exit(0)", "crash", "exited with code 0"),
        ("os._exit(3)", "crash", "exited with code 3"),
        ("os.abort()", "crash", "SIGABRT"),
        ("raise KeyboardInterrupt", "crash", "the process"),
        ("while True: pass", "hang", "did not return within 1 s"),
        ("time.sleep(600)", "hang", "did not return within 1 s"),
        ("os.kill(os.getpid(), signal.SIGSTOP)", "hang", "did not return within 1 s"),
        ("np.ones(10**14)", "raised", "MemoryError"),
        ("bytearray(10**11)", "raised", "MemoryError"),
        ("raise MemoryError", "raised", "MemoryError"),
        ("raise RecursionError", "raised", "RecursionError"),
    ],
)
@pytest.mark.parametrize("mode", MODES)
def test_every_end_of_a_call_is_a_finding(
    tmp_path: Path, told: str, kind: str, said: str, mode: Mode
) -> None:
    found = finding(tmp_path, told, mode=mode, seconds=1.0)
    assert found.kind == kind
    assert said in found.text


def test_it_is_started_again_after_its_end(tmp_path: Path) -> None:
    told = "os._exit(1)"
    with subject_of(tmp_path, told) as subject:
        with pytest.raises(Misbehaviour, match="exited with code 1"):
            loss_of(subject)
        subject.renew()
        candidate = Candidate(subject)
        candidate.load(ARCHITECTURE, initialize(ARCHITECTURE, 0).weights())
        assert np.isfinite(candidate.logits(X)).all()


def test_a_method_that_has_hung_is_waited_for_a_quarter_as_long(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    waited: list[float] = []

    class Noting(TimeLimit):
        def __init__(self, worker: WorkerProcess, seconds: float) -> None:
            waited.append(seconds)
            super().__init__(worker, seconds)

    monkeypatch.setattr(module, "TimeLimit", Noting)
    with subject_of(tmp_path, "while True: pass", seconds=2.0) as subject:
        for _ in range(2):
            subject.renew()
            with pytest.raises(Misbehaviour, match="did not return within 2 s"):
                loss_of(subject)
    starts = module.START_LIMIT
    assert waited == [starts, 2.0, 2.0, starts, 2.0, 0.5]  # load before each, with all its time


@pytest.mark.parametrize("before", ["while True: pass", "import time; time.sleep(600)"])
def test_an_import_without_end_is_a_finding(
    tmp_path: Path, before: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "START_LIMIT", 2.0)
    with (
        pytest.raises(Misbehaviour, match="import did not return within 2 s"),
        subject_of(tmp_path, before=before),
    ):
        pass


@pytest.mark.parametrize(
    "before", ["{}['x']", "[][0]", "raise LookupError('no class')", "import sys; sys.exit(0)"]
)
def test_an_error_at_import_is_the_classs_own(tmp_path: Path, before: str) -> None:
    with (
        pytest.raises(Misbehaviour, match="the class could not be made"),
        subject_of(tmp_path, before=before),
    ):
        pass


def test_nothing_is_written_beside_the_class(tmp_path: Path) -> None:
    (tmp_path / "helper.py").write_text("x = 1\n")
    with subject_of(tmp_path, before="import helper\n", mode="none") as subject:
        loss_of(subject)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["hand_in.py", "helper.py"]


# --- time is its own ---------------------------------------------------------------------------------------


def test_its_own_time_is_counted(tmp_path: Path) -> None:
    if limits.cpu_seconds([os.getpid()]) is None:
        pytest.skip("the system does not tell the processor time")
    told = "end = time.process_time() + 0.5\nwhile time.process_time() < end: pass\nreturn loss"
    with subject_of(tmp_path, told) as subject:
        before = subject.own_seconds
        loss_of(subject)
        assert 0.4 <= subject.own_seconds - before <= 2.0


# --- what it computes with ---------------------------------------------------------------------------------


def test_a_class_that_imports_a_framework_is_noted(tmp_path: Path) -> None:
    (tmp_path / "sklearn.py").write_text("")
    with subject_of(
        tmp_path, "import sklearn\nreturn loss", before="import sys; sys.modules['sklearn'] = sys"
    ) as subject:
        loss_of(subject)
        assert subject.notes == ("computes with sklearn, or imports it",)


def test_a_class_that_subclasses_ours_is_noted(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(
        "from backproof.comparisons.contenders.scratch_mlp import ScratchMLP\nclass Mine(ScratchMLP): pass\n"
    )
    subject = Subject(Target(str(file), "Mine"))
    subject.close()
    assert "subclasses backproof.comparisons.contenders.scratch_mlp.ScratchMLP" in subject.notes


# --- the sandbox -------------------------------------------------------------------------------------------


@boxed
def test_inside_the_sandbox_a_file_of_the_home_folder_cannot_be_read(tmp_path: Path) -> None:
    with tempfile.TemporaryDirectory(dir=Path.home()) as folder:
        secret = Path(folder) / "secret.txt"
        secret.write_text("key")
        assert "FileNotFoundError" in finding(tmp_path, f"open({str(secret)!r})", mode="require").text


@boxed
@pytest.mark.parametrize("place", ["/etc", "/usr", "/var", "FOLDER"])
def test_inside_the_sandbox_nothing_can_be_written_outside_tmp(tmp_path: Path, place: str) -> None:
    folder = str(tmp_path) if place == "FOLDER" else place
    text = finding(tmp_path, f"open({folder + '/written'!r}, 'w')", mode="require").text
    assert "OSError" in text or "PermissionError" in text
    assert not Path(folder, "written").exists()


@boxed
def test_inside_the_sandbox_tmp_is_private(tmp_path: Path) -> None:
    with subject_of(
        tmp_path, "open('/tmp/backproof-was-here', 'w').close()\nreturn loss", mode="require"
    ) as subject:
        assert np.isfinite(loss_of(subject))
    assert not Path("/tmp/backproof-was-here").exists()


@boxed
def test_inside_the_sandbox_no_socket_reaches_out(tmp_path: Path) -> None:
    import socket

    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        listening.listen()
        port = listening.getsockname()[1]
        told = f"import socket\nsocket.create_connection(('127.0.0.1', {port}), 1)\nreturn loss"
        with subject_of(tmp_path, told, mode="none") as subject:  # it can without
            loss_of(subject)
        assert "Error" in finding(tmp_path, told, mode="require").text


@boxed
def test_inside_the_sandbox_no_other_process_is_seen(tmp_path: Path) -> None:
    seen = finding(tmp_path, "raise ValueError(os.listdir('/proc'))", mode="require").text
    assert f"'{os.getpid()}'" not in seen


@boxed
def test_inside_the_sandbox_the_environment_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_TOKEN", "12345")
    assert (
        "12345"
        not in finding(
            tmp_path, "raise ValueError(dict(os.environ).get('SECRET_TOKEN'))", mode="require"
        ).text
    )
