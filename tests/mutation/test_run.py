from pathlib import Path

import pytest

from tests.mutation import run
from tests.mutation.operators import mutants

FILE = "scratch/schedules.py"


def test_every_part_has_files_and_every_file_its_tests() -> None:
    for part in run.PARTS:
        assert run.files(part)
        for path in run.files(part):
            assert all((run.ROOT / test).exists() for test in run.covering(path))


def test_a_sample_takes_from_every_file_and_depends_on_the_seed_alone() -> None:
    paths = run.files("data")
    first = run.drawn(paths, 2 * len(paths), seed=1)
    assert {mutant.path for mutant in first} == set(paths)
    assert first == run.drawn(paths, 2 * len(paths), seed=1)
    assert first != run.drawn(paths, 2 * len(paths), seed=2)


def test_a_planted_mistake_is_killed_by_a_test_and_the_checkout_is_not_touched() -> None:
    before = (run.ROOT / FILE).read_text(encoding="utf-8")
    mutant = next(one for one in mutants(FILE, before) if one.operator == "sign")
    (fate,) = run.judged([mutant], workers=1)
    assert fate.outcome == "killed"
    assert fate.by.startswith("tests/scratch/test_schedules.py::")
    assert (run.ROOT / FILE).read_text(encoding="utf-8") == before


def test_a_mistake_that_no_test_looks_at_survives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    test = tmp_path / "test_nothing.py"
    test.write_text("def test_nothing(): pass\n")
    monkeypatch.setattr(run, "covering", lambda path: [str(test)])
    mutant = mutants(FILE, (run.ROOT / FILE).read_text(encoding="utf-8"))[0]
    assert [fate.outcome for fate in run.judged([mutant], workers=1)] == ["survived"]


def test_a_known_equivalent_is_not_run(monkeypatch: pytest.MonkeyPatch) -> None:
    mutant = mutants(FILE, (run.ROOT / FILE).read_text(encoding="utf-8"))[0]
    monkeypatch.setattr(run, "known_equivalent", lambda: {mutant.key: "because"})
    monkeypatch.setattr(run, "_fate", lambda mutant, tree: pytest.fail("it was run"))
    assert [(fate.outcome, fate.by) for fate in run.judged([mutant], workers=1)] == [
        ("equivalent", "because")
    ]
