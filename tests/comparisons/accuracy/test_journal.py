"""The journal: what was finished stays, what was torn is done again, and foreign lines are named."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.accuracy.journal import Journal
from backproof.scratch.errors import InputError

KEY = {"seed": 0, "contender": "scratch"}
OTHER = {"seed": 1, "contender": "scratch"}


def test_a_journal_without_a_file_is_empty_and_makes_none(tmp_path):
    path = tmp_path / "journal.jsonl"
    assert len(Journal(path)) == 0
    assert not path.exists()


def test_a_record_is_found_again_in_this_process_and_the_next(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, {"accuracy": 0.97})
    assert journal.get(KEY) == Journal(journal.path).get(KEY) == {"accuracy": 0.97}


@given(st.dictionaries(st.text(max_size=3), st.integers() | st.floats(allow_nan=False, allow_infinity=False)))
def test_a_record_comes_back_bit_for_bit(tmp_path_factory, record):
    journal = Journal(tmp_path_factory.mktemp("journal") / "journal.jsonl")
    journal.add(KEY, record)
    assert Journal(journal.path).get(KEY) == record


def test_the_order_in_a_key_does_not_matter(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, {"accuracy": 0.97})
    assert journal.get(dict(reversed(KEY.items()))) == {"accuracy": 0.97}


@pytest.mark.parametrize("changed", [{"seed": 1}, {"contender": "torch"}, {"code": "other"}])
def test_a_record_of_another_key_is_never_taken(tmp_path, changed):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, {"accuracy": 0.97})
    assert journal.get({**KEY, **changed}) is None


def test_a_line_torn_anywhere_is_dropped_and_those_before_it_stay(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    journal.add(KEY, {"accuracy": 0.97})
    whole = journal.path.read_bytes()
    journal.add(OTHER, {"accuracy": 0.98})
    both = journal.path.read_bytes()
    for length in range(len(whole), len(both)):
        journal.path.write_bytes(both[:length])
        found = Journal(journal.path)
        assert (found.get(KEY), found.get(OTHER)) == ({"accuracy": 0.97}, None)
        assert journal.path.read_bytes() == whole


def test_after_a_torn_line_the_journal_goes_on_cleanly(tmp_path):
    path = tmp_path / "journal.jsonl"
    path.write_bytes(b'{"key": {"seed"')
    journal = Journal(path)
    journal.add(KEY, {"accuracy": 0.97})
    assert [json.loads(line) for line in path.read_text().splitlines()] == [
        {"key": KEY, "record": {"accuracy": 0.97}}
    ]


@pytest.mark.parametrize("line", ["not json", "[]", '{"key": {}}', '{"key": 1, "record": {}}', ""])
def test_a_whole_line_that_is_no_unit_is_named(tmp_path, line):
    path = tmp_path / "journal.jsonl"
    Journal(path).add(KEY, {"accuracy": 0.97})
    with path.open("a") as file:
        file.write(line + "\n")
    with pytest.raises(InputError, match=r"journal\.jsonl, line 2 is not a finished unit; delete that line"):
        Journal(path)


def test_a_file_that_cannot_be_opened_is_named(tmp_path):
    with pytest.raises(InputError, match=r"^journal: cannot open"):
        Journal(tmp_path)


def test_a_record_that_json_cannot_hold_is_refused_before_anything_is_written(tmp_path):
    journal = Journal(tmp_path / "journal.jsonl")
    with pytest.raises(ValueError, match="JSON compliant"):
        journal.add(KEY, {"accuracy": float("nan")})
    assert not journal.path.exists()
