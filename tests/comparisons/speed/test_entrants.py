"""Who is timed: every known contender in its divisions, scratch with its companions, and what is missing."""

import pytest

from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.speed.entrants import (
    CONTROL,
    FLOOR,
    PARTS,
    Entrant,
    for_growth,
    held,
    known_entrants,
    own_entrant,
)


def test_growth_is_drawn_for_scratch_and_the_matched_contenders() -> None:
    names = [entrant.name for entrant in for_growth(known_entrants())]
    assert names == ["scratch", "torch", "jax", "tensorflow", "sklearn"]


def test_every_entrant_belongs_to_a_contender() -> None:
    families = {entrant.name: entrant.family for entrant in known_entrants()}
    assert {families[name] for name in (SCRATCH, CONTROL, FLOOR, PARTS)} == {"scratch"}
    assert families["torch compile"] == "torch"
    assert families["sklearn fit"] == "sklearn"
    assert set(families.values()) == set(KNOWN)


def test_scratch_and_its_control_are_the_same_program() -> None:
    targets = {entrant.name: entrant.target for entrant in known_entrants()}
    assert targets[SCRATCH] == targets[CONTROL]


def test_every_target_lies_in_the_project() -> None:
    assert all(entrant.target.startswith("backproof.") for entrant in known_entrants())


def test_a_missing_package_is_named_with_the_command_that_installs_it() -> None:
    absent = Entrant("mine", "mine:Mine", "matched", "no_such_package", "")
    assert absent.missing == "no_such_package not installed; run: python -m pip install no_such_package"
    assert own_entrant("mine.py:Mine").missing is None
    assert absent.absence == Failed(absent.missing)
    assert own_entrant("mine.py:Mine").absence is None


def test_where_libraries_are_held_to_older_kernels_who_cannot_be_held_is_left_out_with_the_reason() -> None:
    entrants = {entrant.name: held(entrant) for entrant in known_entrants()}
    for name in ("jax", "jax scan"):
        absence = entrants[name].absence
        assert isinstance(absence, Absent)
        assert "nothing holds them to AVX2" in absence.not_offered
    assert {entrants[name].left_out for name in (SCRATCH, CONTROL, FLOOR, "torch", "sklearn")} == {""}
    assert held(own_entrant("mine.py:Mine")) == own_entrant("mine.py:Mine")


def test_a_known_package_that_is_missing_is_named_with_its_own_way_to_install_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    missing = {entrant.name: entrant.missing for entrant in known_entrants()}
    for name, contender in KNOWN.items():
        assert missing[name] == f"{contender.package} not installed; run: {contender.how_to_install}"
    assert own_entrant("mine.py:Mine").missing is None
