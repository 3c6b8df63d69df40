"""Places nobody may write to, and places that are full: real mounts, made by bubblewrap around the command.

Each is a check of a right class that passes, or one sentence and exit code 2; never a traceback.
"""

import os
import shutil
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from backproof.comparisons.zoo.catalogue import default_folder

PROGRAM = (sys.executable, "-P", "-m", "backproof.comparisons")
AROUND = ("bwrap", "--bind", "/", "/", "--dev-bind", "/dev", "/dev", "--proc", "/proc")
PAGE = "4096"  # bytes: the smallest file system there is


@cache
def mounts_are_allowed() -> bool:
    """Whether a file system can be put into place here, for one command."""
    if shutil.which("bwrap") is None:
        return False
    return subprocess.run([*AROUND, "true"], capture_output=True, timeout=60).returncode == 0


pytestmark = pytest.mark.skipif(not mounts_are_allowed(), reason="no mounts here: bubblewrap is missing")


def around(place: Path, kind: str) -> list[str]:
    """What the command is run by, so that `place` is read-only or full."""
    if kind == "read-only":
        return [*AROUND, "--tmpfs", str(place), "--remount-ro", str(place), "--"]
    fill = f'head -c {PAGE} /dev/zero > "{place}/filled"; exec "$@"'
    return [*AROUND, "--size", PAGE, "--tmpfs", str(place), "--", "sh", "-c", fill, "sh"]


def ran(
    folder: Path, before: list[str], *options: str, **variables: str
) -> "subprocess.CompletedProcess[str]":
    (folder / "student.py").write_text((default_folder() / "student.py").read_text(encoding="utf-8"))
    return subprocess.run(
        [*before, *PROGRAM, "check", "student.py", "--only", "logits", "--quick", *options],
        cwd=folder,
        env={**os.environ, **variables},
        capture_output=True,
        text=True,
        timeout=300,
    )


@pytest.mark.parametrize("kind", ["read-only", "full"])
@pytest.mark.parametrize("variable", ["HOME", "XDG_CACHE_HOME", "TMPDIR"])
def test_where_it_keeps_its_own_things_nothing_can_be_written(
    tmp_path: Path, variable: str, kind: str
) -> None:
    place = tmp_path / "place"
    place.mkdir()
    found = ran(tmp_path, around(place, kind), "--csv", "grades.csv", **{variable: str(place)})
    assert found.returncode in (0, 2), found.stderr
    assert "Traceback" not in found.stderr
    grades = (tmp_path / "grades.csv").read_text(encoding="utf-8")
    assert (found.returncode == 0) == ("PASS" in grades)


@pytest.mark.parametrize("kind", ["read-only", "full"])
@pytest.mark.parametrize("option", ["--csv", "--json", "--report", "--out"])
def test_where_it_is_told_to_write_nothing_can_be_written(tmp_path: Path, option: str, kind: str) -> None:
    place = tmp_path / "place"
    place.mkdir()
    found = ran(tmp_path, around(place, kind), option, str(place / "asked"))
    assert found.returncode == 2, (found.stdout, found.stderr)
    assert "Traceback" not in found.stderr
    last = found.stderr.strip().splitlines()[-1]
    assert last.startswith("backproof: ")
    assert "Read-only file system" in last or "No space left on device" in last or "Permission denied" in last
