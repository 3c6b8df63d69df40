"""``python -m tests.faults.killed``: grading that is killed and gone on with ends as if it had not been.

    python -m tests.faults.killed --hand-ins 20 --kills 10
    python -m tests.faults.killed --hand-ins 200 --kills 10 --whole    # every check, not two of them: hours

The same hand-ins are graded once undisturbed. Afterwards nothing may be left: no process of a run, no file
but the table, nothing in the folder for temporary files. By hand, since it takes minutes.
"""

import argparse
import os
import random
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from tests.support.hand_ins import write

CHECK = (sys.executable, "-P", "-m", "backproof.comparisons", "check")
MARK = "PYTHON_OF_A_KILLED_RUN"  # in the environment of all that a run starts, also inside the sandbox


def main() -> int:
    """0 where both tables are equal byte for byte, both runs ended with one code, and nothing is left."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--hand-ins", type=int, default=20)
    parser.add_argument("--kills", type=int, default=10)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--whole", action="store_true")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "tmp").mkdir()
        os.environ["TMPDIR"] = str(folder / "tmp")
        names = write(folder / "pile", asked.hand_ins, n_hostile=asked.hand_ins // 5)
        few = () if asked.whole else ("--only", "loss", "--only", "logits", "--quick", "--call-limit", "2")
        options = ("--workers", "2", "--sandbox", "auto", *few)
        begun = time.monotonic()
        whole = _run([*names, *options, "--csv", str(folder / "whole.csv")])
        whole.wait()
        took = time.monotonic() - begun
        killed, code = _killed(
            [*names, *options, "--csv", str(folder / "killed.csv")], asked.kills, took, asked.seed
        )
        same = (folder / "whole.csv").read_bytes() == (folder / "killed.csv").read_bytes()
        files = sorted(path.name for path in folder.iterdir())
        temporary = sorted(path.name for path in (folder / "tmp").iterdir())
    left = _left()
    codes = " and ".join(map(str, dict.fromkeys([whole.returncode, code])))
    print(f"{len(names)} hand-ins, {took:.0f} s undisturbed, exit code {codes}; {killed} kills")
    print(f"tables {'equal' if same else 'DIFFERENT'}; files {', '.join(files)}; processes left: {len(left)}")
    print(f"left in the folder for temporary files: {', '.join(temporary) or 'nothing'}")
    clean = files == ["killed.csv", "pile", "tmp", "whole.csv"] and not temporary
    return int(not same or code != whole.returncode or bool(left) or not clean)


def _run(arguments: list[str]) -> "subprocess.Popen[bytes]":
    return subprocess.Popen(
        [*CHECK, *arguments],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        env={**os.environ, MARK: "1"},
        start_new_session=True,
    )


def _killed(arguments: list[str], kills: int, took: float, seed: int) -> tuple[int, int]:
    """Kill it so many times, then let it end: how often it was still running, and its exit code."""
    rng, met = random.Random(seed), 0
    for _ in range(kills):
        process = _run(arguments)
        time.sleep(rng.uniform(0.0, 0.5 * took))
        if process.poll() is None:
            os.kill(process.pid, signal.SIGKILL)
            met += 1
        process.wait()
    return met, _run(arguments).wait()


def _left() -> list[int]:
    """Processes that descend from a run, a moment after the last."""
    time.sleep(2.0)
    found = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                environment = (entry / "environ").read_bytes()
            except OSError:  # it has just ended
                continue
            if MARK.encode() in environment:
                found.append(int(entry.name))
    return found


if __name__ == "__main__":
    raise SystemExit(main())
