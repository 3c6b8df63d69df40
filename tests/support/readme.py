"""The README as data: its table of commands, its shell lines and its blocks of Python."""

import re
import shlex
from pathlib import Path

TEXT = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = TEXT) -> list[str]:
    """The fenced blocks of one language, in order."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, flags=re.MULTILINE | re.DOTALL)


def commands_in_table(text: str = TEXT) -> list[str]:
    """The sub-commands of the table; "" is `backproof` alone."""
    names = re.findall(r"^\| `backproof( [a-z]+)?(?: [A-Z]+)*` \|", text, flags=re.MULTILINE)
    return [name.strip() for name in names]


def shell_lines(text: str = TEXT) -> list[list[str]]:
    """The arguments of every `backproof` line in the blocks of shell, comments left out."""
    lines = [line for block in blocks("sh", text) for line in block.splitlines()]
    found = [re.fullmatch(r"(?:\.venv/bin/)?backproof(?: (.*))?", line) for line in lines]
    return [shlex.split(match[1] or "", comments=True) for match in found if match]
