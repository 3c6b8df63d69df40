"""torch's folder among the temporary files: gone after a command where it is empty, else left alone."""

import os
import subprocess
from pathlib import Path

import pytest

from backproof.comparisons.running import processes, torch_folder

pytest.importorskip("torch")

# An optimiser's first step makes the folder, as it does in `check`; then a command comes to its end.
CODE = """
import sys
from pathlib import Path
import torch
torch.optim.SGD([torch.zeros(1, requires_grad=True)], 0.1).step()
made = list(Path(sys.argv[1]).iterdir())
for folder in made:
    for name in sys.argv[2:]:
        (folder / name).touch()
from backproof.comparisons import cli
assert cli.run(["lessons"]) == 0
print(len(made))
"""


def left_in(folder: Path, *content: str, **environment: str) -> list[str]:
    """What lies there after a command of a process in which torch has made its folder, with this in it."""
    kept = {name: value for name, value in os.environ.items() if name != torch_folder.VARIABLE}
    made = subprocess.run(
        processes.python("-c", CODE, str(folder), *content),
        env={**kept, "TMPDIR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=True,
    )
    assert made.stdout.split()[-1] == "1"  # torch still makes one
    return sorted(path.name for path in folder.rglob("*"))


def test_an_empty_folder_is_gone_after_the_command(tmp_path: Path) -> None:
    assert left_in(tmp_path) == []


def test_what_somebody_compiled_stays(tmp_path: Path) -> None:
    kernel, folder = left_in(tmp_path, "kernel")
    assert kernel == "kernel"
    assert folder.startswith("torchinductor_")


def test_a_folder_of_the_users_own_choice_stays(tmp_path: Path) -> None:
    own = tmp_path / "own"
    assert left_in(tmp_path, **{torch_folder.VARIABLE: str(own)}) == ["own"]
