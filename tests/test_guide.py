"""The guide is so: every block runs, in order, and prints what stands below it."""

import re
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

GUIDE = (Path(__file__).parents[1] / ".github" / "GUIDE.md").read_text(encoding="utf-8")
BLOCK = re.compile(r"^```(python|text)\n(.*?)^```$", flags=re.MULTILINE | re.DOTALL)
# Rounding differs from machine to machine: digits after a point, powers of ten, and which entry is the worst.
ROUNDED = re.compile(r"-?\d+\.\d+(e[-+]\d+)?|\d+e[-+]\d+|(?<=\])\[[\d, ]+\](?=:)|\d+(,\d{3})+")
MAYBE = {"tensorflow", "keras", "jax", "torch"}


def sections(text: str = GUIDE) -> dict[str, list[tuple[str, str]]]:
    """By title: the blocks of Python and of what they print, in order."""
    parts = re.split(r"^## (.+)$", text, flags=re.MULTILINE)[1:]
    return {title: BLOCK.findall(body) for title, body in zip(parts[::2], parts[1::2], strict=True)}


def printed(section: list[tuple[str, str]]) -> str:
    return "".join(block for kind, block in section if kind == "text")


def program(section: list[tuple[str, str]]) -> str:
    return "\n".join(block for kind, block in section if kind == "python")


def without_rounding(text: str) -> list[str]:
    return [ROUNDED.sub("#", line.rstrip()) for line in text.strip().splitlines()]


def run(code: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-P", "-W", "ignore", "-c", code]
    return subprocess.run(command, capture_output=True, text=True, encoding="utf-8", timeout=300, check=False)


def test_the_reader_finds_blocks_and_looks_past_rounding_alone() -> None:
    text = "## A\n```python\nx = 1\n```\nwords\n```text\nFAIL 1\n```\n"
    assert sections(text) == {"A": [("python", "x = 1\n"), ("text", "FAIL 1\n")]}
    same = without_rounding("worst W['a'][5, 0]: found 0.93, bound 1e-12, 1 part in 19,000")
    assert same == without_rounding("worst W['a'][1, 2]: found 0.94, bound 3e-13, 1 part in 20,000")
    assert without_rounding("every entry is 8 times") != without_rounding("every entry is 7 times")


@pytest.mark.parametrize("title", sections())
def test_every_example_is_wrong_as_it_says_and_then_right(title: str) -> None:
    section = sections()[title]
    missing = [name for name in MAYBE if f"import {name}" in program(section) and find_spec(name) is None]
    if missing:
        pytest.skip(f"needs {', '.join(missing)}")
    assert [kind for kind, _ in section] == ["python", "text", "python"]
    done = run(program(section))
    assert done.returncode == 0, done.stderr[-2000:]
    assert without_rounding(done.stdout) == without_rounding(printed(section))
