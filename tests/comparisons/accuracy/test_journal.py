"""The journal: what was finished stays, what was torn is done again, foreign and changed lines are named."""

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.accuracy.journal import Journal, Key
from backproof.comparisons.accuracy.result import Hashes, Setup, TrainedRun
from backproof.comparisons.results.cells import Absent
from backproof.scratch.architecture import Architecture, OptimizerSpec
from backproof.scratch.errors import InputError

SETUP = Setup(
    architecture=Architecture((64, 8, 10), dtype="float32"),
    optimizer=OptimizerSpec("sgd", 0.1),
    epochs=2,
    batch_size=100,
    margin_points=0.2,
    dataset="digits",
    dataset_sha256="0" * 64,
)
KEY = Key(SETUP, seed=0, contender="scratch", code="abc", machine="here")
OTHER = replace(KEY, seed=1)
RUN = TrainedRun((0.9, 0.97), (0.5, 0.25), None, "AAAA", Hashes("a", None, "b"))


def test_a_journal_without_a_file_is_empty_and_makes_none(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    assert len(Journal(path)) == 0
    assert not path.exists()


@pytest.mark.parametrize("record", [RUN, Absent("no training")])
def test_a_record_is_found_again_in_this_process_and_the_next(
    tmp_path: Path, record: TrainedRun | Absent
) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    assert journal.add(KEY, record) == record
    assert journal.get(KEY) == Journal(journal.path).get(KEY) == record


@given(st.lists(st.floats(allow_nan=False, allow_infinity=False), max_size=4).map(tuple))
def test_figures_come_back_bit_for_bit(
    tmp_path_factory: pytest.TempPathFactory, figures: tuple[float, ...]
) -> None:
    journal, record = Journal(tmp_path_factory.mktemp("j") / "j.jsonl"), replace(RUN, train_loss=figures)
    journal.add(KEY, record)
    assert Journal(journal.path).get(KEY) == record


def test_a_diverged_run_is_kept_and_is_the_same_now_and_later(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    kept = journal.add(KEY, replace(RUN, train_loss=(float("inf"), float("nan"))))
    assert repr(kept) == repr(Journal(journal.path).get(KEY))
    assert "(nan, nan)" in repr(kept)


@pytest.mark.parametrize(
    "changed",
    [
        {"seed": 1},
        {"contender": "torch"},
        {"code": "other"},
        {"machine": "there"},
        {"setup": replace(SETUP, epochs=3)},
    ],
)
def test_a_record_of_another_key_is_never_taken(tmp_path: Path, changed: dict[str, Any]) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, RUN)
    assert journal.get(replace(KEY, **changed)) is None
    assert Journal(journal.path).get(replace(KEY, **changed)) is None


def test_a_line_torn_anywhere_is_dropped_and_those_before_it_stay(tmp_path: Path) -> None:
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, RUN)
    whole = journal.path.read_bytes()
    journal.add(OTHER, RUN)
    both = journal.path.read_bytes()
    for length in range(len(whole), len(both)):
        journal.path.write_bytes(both[:length])
        found = Journal(journal.path)
        assert (found.get(KEY), found.get(OTHER)) == (RUN, None)
        assert journal.path.read_bytes() == whole


def test_after_a_torn_line_the_journal_goes_on_cleanly(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"key": {"seed"')
    journal = Journal(path)
    journal.add(KEY, RUN)
    assert (len(path.read_text().splitlines()), Journal(path).get(KEY)) == (1, RUN)


@pytest.mark.parametrize(
    "line",
    ["not json", "[]", '{"key": {}}', '{"key": 1, "record": {}}', "", "null", "[" * 100_000, '{"a": 1e999}'],
)
def test_a_whole_line_that_is_no_unit_is_named(tmp_path: Path, line: str) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add(KEY, RUN)
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2 is not a finished unit; delete that line"):
        Journal(path)


def changed_line(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    """Change the file's only line, and leave its checksum."""
    document = json.loads(path.read_text())
    change(document)
    path.write_text(json.dumps(document) + "\n")


@pytest.mark.parametrize(
    "change",
    [
        lambda line: line["record"].update(test_accuracy=[0.9, 7.5]),
        lambda line: line["key"].update(seed=2),
        lambda line: line.update(sha256="0" * 64),
    ],
)
def test_a_line_changed_by_hand_is_named(tmp_path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add(KEY, RUN)
    changed_line(path, change)
    with pytest.raises(InputError, match=r"line 1 was changed after it was written; delete that line"):
        Journal(path)


def test_two_lines_that_contradict_each_other_are_named(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add(KEY, RUN)
    first = path.read_bytes()
    path.unlink()
    Journal(path).add(KEY, replace(RUN, train_loss=(0.5, 0.125)))
    path.write_bytes(path.read_bytes() + first)
    with pytest.raises(InputError, match=r"line 2 says something else of a unit than a line above it"):
        Journal(path)


def test_the_same_line_twice_is_one_unit(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    Journal(path).add(KEY, RUN)
    path.write_bytes(2 * path.read_bytes())
    assert len(Journal(path)) == 1


def test_a_file_that_cannot_be_opened_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"^journal: cannot open"):
        Journal(tmp_path)
