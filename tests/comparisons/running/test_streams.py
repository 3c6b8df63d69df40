"""Whatever its streams are, a command ends with a sentence and the exit code that says what happened."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from backproof.comparisons.running import processes

posix = pytest.mark.skipif(sys.platform == "win32", reason="signals and devices of POSIX")


# Whoever started the tests may have had hang-ups ignored (nohup), which a process inherits.
HANG_UP = "if hasattr(signal, 'SIGHUP'): signal.signal(signal.SIGHUP, signal.SIG_DFL)"


def script(body: str) -> list[str]:
    """A process whose command is this code; what it returns is its exit code."""
    lines = "\n".join(f"    {line}" for line in body.splitlines())
    code = (
        f"import os, signal, sys, time\n{HANG_UP}\nfrom backproof.comparisons.running import streams\n"
        f"def command():\n{lines}\n"
    )
    return processes.python("-c", code + "sys.exit(streams.to_the_end(command))")


def run(body: str, **options: object) -> "subprocess.CompletedProcess[bytes]":
    return subprocess.run(script(body), capture_output=True, timeout=60, **options)  # type: ignore[call-overload,no-any-return]  # its options are many


def test_an_ordinary_end_has_the_commands_code() -> None:
    found = run("print('done')\nreturn 3")
    assert (found.returncode, found.stdout, found.stderr) == (3, b"done\n", b"")


@pytest.mark.parametrize("encoding", ["ascii", "cp949", "latin-1", "cp1252"])
def test_every_encoding_takes_every_text(encoding: str) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"}
    found = run("print('손실 ±0.2 → PASS ✓ \\U0001f600')\nreturn 0", env=environment)
    assert (found.returncode, found.stderr) == (0, b"")
    assert b"PASS" in found.stdout


@posix
def test_a_full_output_is_one_sentence_and_no_failure_of_what_was_checked() -> None:
    with open("/dev/full", "wb") as full:
        command = script("print('x' * 100)\nreturn 0")
        found = subprocess.run(command, stdout=full, stderr=subprocess.PIPE, timeout=60)
    assert found.returncode == 2
    assert found.stderr == b"backproof: the output could not be written: No space left on device\n"


@posix
def test_an_output_that_nobody_reads_ends_as_other_tools_do() -> None:
    command = script("for _ in range(10**5): print('line')\nreturn 0")
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.stdout.close()
    assert process.wait(60) == 141
    assert process.stderr is not None
    assert process.stderr.read() == b""
    process.stderr.close()


@pytest.mark.parametrize(
    ("raised", "code", "said"),
    [
        ("KeyboardInterrupt", 130, "backproof: interrupted"),
        ("MemoryError", 2, "backproof: not enough memory"),
        ("SystemExit(0)", 2, "backproof: a contender ended the program (SystemExit: 0)"),
        ("OSError(30, 'Read-only file system', '/mnt/x')", 2, "backproof: /mnt/x: Read-only file system"),
        ("FileNotFoundError(2, 'No such file or directory')", 2, "backproof: the system says: No such file"),
    ],
)
def test_what_the_system_does_is_a_sentence(raised: str, code: int, said: str) -> None:
    found = run(f"raise {raised}")
    assert found.returncode == code
    assert found.stderr.decode().startswith(said)
    assert found.stderr.count(b"\n") == 1


def test_a_mistake_of_ours_still_shows_its_traceback() -> None:
    found = run("raise RuntimeError('a bug')")
    assert found.returncode == 1
    assert b"Traceback" in found.stderr


@posix
@pytest.mark.parametrize(("name", "code"), [("SIGTERM", 143), ("SIGHUP", 129)])
def test_a_signal_lets_it_clean_up(tmp_path: Path, name: str, code: int) -> None:
    body = f"""
try:
    print("ready", flush=True)
    time.sleep(60)
finally:
    open({str(tmp_path / "cleaned")!r}, "w").close()
return 0"""
    process = subprocess.Popen(script(body), stdout=subprocess.PIPE)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(getattr(signal, name))
    assert process.wait(30) == code
    process.stdout.close()
    assert (tmp_path / "cleaned").exists()


@posix
def test_a_signal_keeps_what_ctrl_c_keeps_and_the_code_is_its_own() -> None:
    body = """
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:  # as every command does that keeps its finished results
    print("kept", flush=True)
    return 130"""
    process = subprocess.Popen(script(body), stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    process.stdout.readline()
    process.send_signal(signal.SIGTERM)
    said, _ = process.communicate(timeout=30)
    assert (process.returncode, said) == (143, "kept\n")


@posix
@pytest.mark.parametrize("delay", [0.05, 0.15, 0.3, 0.6, 1.0])
def test_ctrl_c_at_any_moment_of_the_start_is_130_and_one_line(tmp_path: Path, delay: float) -> None:
    """Once Python itself has started: before, it is Python's."""
    code = (
        "import sys, os; print('up', flush=True); sys.argv = ['backproof', 'data', '--help']; "
        "from backproof.comparisons.__main__ import main; main()"
    )
    process = subprocess.Popen(
        processes.python("-c", code), stdout=subprocess.PIPE, stderr=subprocess.PIPE, cwd=tmp_path
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(delay)
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode in (0, 130, -signal.SIGINT)
    assert said in (b"", b"backproof: interrupted\n") or b"Traceback" not in said
