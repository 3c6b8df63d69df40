"""The worked examples in scratch's docstrings come out as they stand there."""

import doctest
import importlib
from pathlib import Path

import pytest

MODULES = sorted(path.stem for path in (Path(__file__).parents[2] / "scratch").glob("*.py"))
# The modules that are hard to read without one.
WITH_EXAMPLE = ("changes", "gradients", "loss_changes", "series", "structured", "tiling", "unmoved")


@pytest.mark.parametrize("name", [name for name in MODULES if name != "__init__"])
def test_every_example_in_a_docstring_gives_what_it_says(name: str) -> None:
    found = doctest.testmod(importlib.import_module(f"backproof.scratch.{name}"))
    assert found.failed == 0
    assert found.attempted > 0 or name not in WITH_EXAMPLE


def test_the_hard_modules_are_all_there() -> None:
    assert set(WITH_EXAMPLE) <= set(MODULES)
