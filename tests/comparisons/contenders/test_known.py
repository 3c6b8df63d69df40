"""One more contender among the known ones is found in every question, and in the report."""

from pathlib import Path

import pytest

from backproof.comparisons import main_job
from backproof.comparisons.commands import speed as speed_command
from backproof.comparisons.contenders.known import (
    KNOWN,
    Appearance,
    IdiomaticForm,
    KnownContender,
    distributions,
    family,
)
from backproof.comparisons.drawing import figures, formats
from backproof.comparisons.experiment import Plan
from backproof.comparisons.running import environment
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed.ratios import ratio

SOURCE = """
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP

class Mine(ScratchMLP):
    pass
"""
MINE = KnownContender(
    name="mine",
    label="My own network",
    target="a_new_contender:Mine",
    says="scratch under another name",
    package="a_new_contender",
    distribution="pytest",  # any that is installed
    appearance=Appearance("#123456", "#fedcba", "star", "dot"),
    idiomatic=(IdiomaticForm("mine twice", "a_new_contender:Mine", "the same"),),
)


@pytest.fixture
def mine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> KnownContender:
    """A contender that is added in `known` and nowhere else; its package is on the import path."""
    (tmp_path / "a_new_contender.py").write_text(SOURCE)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.setitem(KNOWN, MINE.name, MINE)
    return MINE


def test_a_contender_added_once_is_in_accuracy_speed_and_the_report(
    mine: KnownContender, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(main_job, "PARTS", ("accuracy", "speed"))
    out = tmp_path / "out"
    plan = Plan(
        contenders=(mine.name,), data="digits", layer_sizes=(64, 4, 10), epochs=1, n_seeds=2, quick=True,
        out=str(out),
    )  # fmt: skip
    found = main_job.run(plan, Silent())
    assert found.accuracy is not None
    assert mine.name in found.accuracy.against_scratch
    assert found.speed is not None
    timed = ratio(found.speed.cases[0], mine.name)
    assert timed is not None
    assert timed.median > 0
    assert (out / "report.html").read_text(encoding="utf-8").count(mine.label) >= 4


def test_the_speed_command_times_it_in_both_divisions(mine: KnownContender) -> None:
    matched = [entrant.name for entrant in speed_command._entries(None, "matched")]
    everything = [entrant.name for entrant in speed_command._entries([mine.name], "all")]
    assert mine.name in matched
    assert {mine.name, "mine twice"} <= {*everything}
    assert "torch" not in everything


def test_its_colour_marker_name_and_version_are_known(mine: KnownContender) -> None:
    assert (figures.colour("mine twice"), figures.symbol("mine"), figures.dash("mine")) == (
        "#123456",
        "star",
        "dot",
    )
    assert formats.label("mine") == mine.label
    assert environment.describe().packages["pytest"] == environment.version("pytest")


def test_every_known_contender_has_a_colour_a_marker_and_a_dash_of_its_own() -> None:
    looks = [known.appearance for known in KNOWN.values()]
    for seen in ("light", "dark", "marker", "dash"):
        assert len({getattr(look, seen) for look in looks}) == len(KNOWN)


def test_versions_are_named_for_every_contender_and_what_lies_below_it() -> None:
    assert distributions() == ("numpy", "scipy", "torch", "jax", "jaxlib", "tensorflow", "scikit-learn")


@pytest.mark.parametrize(
    ("name", "expected"),
    [("torch", "torch"), ("torch compile", "torch"), ("sklearn fit", "sklearn"), ("my_mlp.py:MyMLP", None)],
)
def test_a_form_of_a_contender_belongs_to_it(name: str, expected: str | None) -> None:
    found = family(name)
    assert (found.name if found else None) == expected
