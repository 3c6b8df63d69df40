"""The public face: every name it promises is there, comes from its home, and is loaded when it is used."""

import importlib
import subprocess
from pathlib import Path

import pytest

import backproof
from backproof.comparisons.running import processes

ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("name", backproof.__all__)
def test_every_promised_name_is_there(name: str) -> None:
    assert getattr(backproof, name) is not None
    assert name in dir(backproof)


def test_a_name_is_the_object_of_its_home() -> None:
    home = importlib.import_module("backproof.scratch.architecture")
    assert backproof.Architecture is home.Architecture


def test_an_unknown_name_is_refused_with_those_that_are_offered() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'chek_gradient'; it offers .*check_gradient"):
        _ = backproof.chek_gradient
    with pytest.raises(AttributeError, match=r"'assert_gradient'; backproof\.testing has the assertions; it"):
        _ = backproof.assert_gradient


def test_a_name_is_loaded_when_it_is_used_and_no_other_with_it() -> None:
    code = (
        "import sys, backproof; assert 'numpy' not in sys.modules; backproof.Architecture; "
        "assert 'numpy' in sys.modules; print('torch' in sys.modules)"
    )
    done = subprocess.run(processes.python("-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_static_tools_see_the_same_text() -> None:
    ours, seen = ROOT / "comparisons" / "api", ROOT / ".typing" / "backproof"
    for path in (path for path in ours.iterdir() if path.is_file()):
        assert (seen / path.name).resolve() == path
