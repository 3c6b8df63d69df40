"""results.json: what is written is read back, what is not ours is refused, and nothing is half-written."""

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.report import document as results
from backproof.comparisons.report import write
from backproof.comparisons.report.document import Results
from backproof.comparisons.results import files
from backproof.comparisons.results.codec import encode
from backproof.comparisons.verdicts.outcome import Outcome, exit_code
from backproof.scratch.errors import InputError
from tests.support import sample_results


def a_document(**changes: Any) -> Any:
    document = encode(sample_results.passing())
    assert isinstance(document, dict)
    return document | changes


@pytest.mark.parametrize("make", sample_results.SAMPLES.values())
def test_what_is_saved_is_loaded(tmp_path: Path, make: Callable[[], Results]) -> None:
    results.save(make(), tmp_path / "results.json")
    assert encode(results.load(tmp_path / "results.json")) == encode(make())


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ([], "schema_version"),
        ({}, "schema_version"),
        (a_document(schema_version=1), "expected schema_version 2, found 1"),
        (a_document(schema_version="2"), "expected schema_version 2, found '2'"),
        (a_document(more=1), "unknown more"),
        (a_document(plan={}), "plan: lacks command, dataset"),
        (a_document(plan=[]), "plan: expected an object"),
        (a_document(speed=[]), "speed: expected an object"),
        (a_document(runs={"speed": {"command": "backproof"}}), "runs.speed: lacks finished"),
        (a_document(lessons={}), "lessons: expected a list"),
    ],
)
def test_a_document_of_another_form_is_refused(tmp_path: Path, document: Any, message: str) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps(document))
    with pytest.raises(InputError, match=message):
        results.load(path)


@given(st.integers(0, 10**6))
def test_a_file_cut_anywhere_is_refused(tmp_path_factory: pytest.TempPathFactory, cut: int) -> None:
    path = tmp_path_factory.mktemp("results") / "results.json"
    text = json.dumps(a_document())
    path.write_text(text[: cut % len(text)])
    with pytest.raises(InputError, match="is not JSON"):
        results.load(path)


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    path = tmp_path / "results.json"
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(InputError, match="cannot read"):
        results.load(path)


def test_a_value_without_a_form_in_json_is_not_saved(tmp_path: Path) -> None:
    formless: Any = [{"x": object()}]
    with pytest.raises(TypeError, match="has no form in JSON"):
        results.save(Results(lessons=formless), tmp_path / "results.json")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_write_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "results.json"
    files.write_atomically(path, "old")

    def full_disk(*arguments: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "replace", full_disk)
    with pytest.raises(InputError, match="No space"):
        files.write_atomically(path, "new")
    assert [p.name for p in tmp_path.iterdir()] == ["results.json"]
    assert path.read_text() == "old"


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match=r"cannot write to .*choose another folder"):
        files.prepare_folder(tmp_path / "file" / "out")


def test_checking_a_folder_leaves_no_new_one_and_keeps_an_old_one(tmp_path: Path) -> None:
    assert results.look_into(tmp_path / "new" / "out") is None
    assert list(tmp_path.iterdir()) == []
    write.merge(tmp_path / "out", "backproof", plan=sample_results.PLAN, gradients=sample_results.gradients())
    found = results.look_into(tmp_path / "out")
    assert found == results.load_folder(tmp_path / "out")
    assert found is not None


def test_checking_refuses_what_could_not_be_written_or_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot write to"):
        results.look_into(tmp_path / "file" / "out")
    (tmp_path / "results.json").write_text("{")
    with pytest.raises(InputError, match="is not JSON"):
        results.look_into(tmp_path)


@pytest.mark.parametrize(
    ("verdicts", "code"),
    [
        (["PASS", "PASS"], 0),
        (["PASS", "FAIL", "INCONCLUSIVE"], 1),
        (["INCONCLUSIVE", "PASS"], 3),
        ([], 3),
    ],
)
def test_the_exit_code_is_that_of_the_worst_verdict(verdicts: list[str], code: int) -> None:
    assert exit_code(verdicts) == code


def test_a_lesson_counts_as_a_verdict() -> None:
    lesson = sample_results.a_lesson(Outcome.FAIL)
    assert results.all_outcomes(Results(lessons=(lesson,))) == [Outcome.FAIL]
