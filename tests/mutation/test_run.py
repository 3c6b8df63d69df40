from pathlib import Path

import pytest

from tests.mutation import covering, run
from tests.mutation.covering import Covering, Seen
from tests.mutation.mutants import Mutant, mutants
from tests.mutation.run import Fate, Records, fate_in
from tests.mutation.trees import ROOT, Tree

FILE = "scratch/schedules.py"
TESTS = "tests/scratch/test_schedules.py"
NOTHING = Covering(())


def some_mutant(operator: str = "sign") -> Mutant:
    return next(
        one
        for one in mutants(FILE, (ROOT / FILE).read_text(encoding="utf-8"))
        if (one.operator, one.function) == (operator, "_half_cosine")
    )


def test_a_planted_mistake_is_killed_by_a_test_of_its_file(tree: Tree) -> None:
    fate = fate_in(tree, some_mutant(), NOTHING)
    assert fate.outcome == "killed"
    assert fate.by.startswith(f"{TESTS}::")
    assert fate.cpu > 0


def test_a_mistake_that_no_test_looks_at_survives(tree: Tree, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(covering, "mirrored", lambda path: "tests/test_nothing.py")
    (tree.path / "tests" / "test_nothing.py").write_text("def test_nothing(): pass\n", encoding="utf-8")
    looking_away = Covering(
        (Seen("tests/test_nothing.py::test_nothing", 0.1, frozenset({f"{FILE}::_half_cosine"})),)
    )
    assert fate_in(tree, some_mutant(), looking_away).outcome == "survived"


def test_a_known_equivalent_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = some_mutant()
    monkeypatch.setattr(run, "known_equivalent", lambda: {mutant.key: "because"})
    (fate,) = run.judged([mutant], NOTHING, workers=1)
    assert (fate.outcome, fate.by, fate.cpu) == ("equivalent", "because", 0.0)


def test_a_fate_that_was_written_down_is_known_to_the_next_run(tmp_path: Path) -> None:
    kept = tmp_path / "here" / "fates.jsonl"
    fates = [Fate(some_mutant(), "survived", "", 1.5), Fate(some_mutant("factor"), "killed", "a test", 0.5)]
    for fate in fates:
        Records(kept).add(fate)
    assert list(Records(kept).known.values()) == fates
    Records(kept).add(Fate(some_mutant(), "killed", "a new test", 2.0))
    assert Records(kept).known[some_mutant().key].by == "a new test"
    assert Records(kept).first[some_mutant().key] == fates[0]


def test_what_no_test_was_run_for_was_not_judged_first(tmp_path: Path) -> None:
    records = Records(tmp_path / "fates.jsonl")
    for fate in (Fate(some_mutant(), "survived", "", 0.0), Fate(some_mutant(), "killed", "a test", 1.0)):
        records.add(fate)
    assert records.first[some_mutant().key].by == "a test"


def test_every_equivalent_mutant_still_stands_in_its_file_and_has_its_proof() -> None:
    for key, proof in run.known_equivalent().items():
        path = key.partition(":")[0].partition(" #")[0]
        known = {mutant.key for mutant in mutants(path, (ROOT / path).read_text(encoding="utf-8"))}
        assert key in known, f"equivalent.toml: {key} is no longer a mutant"
        assert len(proof.split()) > 3
