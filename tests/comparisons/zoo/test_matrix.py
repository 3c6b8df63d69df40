"""The suite on trial: every mutant is killed, every correct class passes, diagnoses name the cause."""

import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import EXCEPTIONS, Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo import catalogue, matrix
from backproof.comparisons.zoo.catalogue import Specimen
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.matrix import Plan
from backproof.comparisons.zoo.matrix import named as is_named
from backproof.comparisons.zoo.result import RivalCount, Row, Said, Zoo
from tests.support.once import made_once

FOLDER = catalogue.default_folder()
ENTRIES = catalogue.read(FOLDER)
MUTANTS = [entry for entry in ENTRIES if entry.group != "correct"]
CORRECT = [entry for entry in ENTRIES if entry.group == "correct"]
# A quarter of the mutants, the same every time; `backproof zoo` tries them all, and with the other checkers.
SAMPLE = MUTANTS[::4]
IN_FULL = {"student.py:StudentMLP", "correct.py:ColumnsMLP", "other_forms.py:OutInWeights"}
# Checks of every kind; with seed 0 all of them are run.
SOME = ("logits", "loss", "gradient", "large outputs", "layouts", "call order", "reload")


def place_of(entry: Specimen) -> str:
    return entry.place.partition(":")[2]


def target_of(entry: Specimen) -> Target:
    file, _, name = entry.place.partition(":")
    return Target(str(FOLDER / file), name)


def asked_of(entry: Specimen) -> Settings:
    """Of a mutant the check that sees it, of a correct class all of them or some."""
    settings = Settings(quick=True, shrink=False, time_limit=600.0, call_limit=60.0)
    if entry in CORRECT:
        return replace(settings, only=() if entry.place in IN_FULL else SOME)
    checks = [check for check in entry.checks if check != EXCEPTIONS]
    only = checks[:1] + [check for check in checks[1:] if check == "trajectory"]
    return replace(settings, only=only, strict=entry.strict)


@pytest.fixture(scope="module")
def tried(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[Specimen], CheckedClass]]:
    """Trials, two at a time, each once a run: the work is done in the subjects' own processes."""

    def trial(entry: Specimen) -> CheckedClass:
        def make(folder: Path) -> None:
            checked = try_class(target_of(entry), asked_of(entry))
            (folder / "checked.json").write_text(json.dumps(encode(checked)), encoding="utf-8")

        folder = made_once(tmp_path_factory, f"zoo {entry.place.replace(':', ' ')}", make)
        return decode(CheckedClass, json.loads((folder / "checked.json").read_text(encoding="utf-8")))

    with ThreadPoolExecutor(2) as pool:
        found = {entry.place: pool.submit(trial, entry) for entry in (*SAMPLE, *CORRECT)}
        yield lambda entry: found[entry.place].result()


@pytest.mark.parametrize("entry", SAMPLE, ids=place_of)
def test_a_mutant_is_killed_by_the_check_expected_to_see_it(
    entry: Specimen, tried: Callable[[Specimen], CheckedClass]
) -> None:
    failed = {row.check for row in tried(entry).checks if row.verdict == Outcome.FAIL}
    assert failed & set(entry.checks)


def test_the_diagnoses_name_nearly_every_cause_and_no_false_one_explains(
    tried: Callable[[Specimen], CheckedClass],
) -> None:
    told = {entry.name: (entry, tried(entry).causes) for entry in SAMPLE if entry.causes}
    named = {
        name for name, (entry, causes) in told.items() if is_named([c.sentence for c in causes], entry.causes)
    }
    assert len(named) >= 0.9 * len(told), set(told) - named
    assert not [
        name for name in set(told) - named if told[name][1] and told[name][1][0].certainty == "explains"
    ]


@pytest.mark.parametrize("entry", CORRECT, ids=place_of)
def test_a_correct_class_in_an_unusual_style_passes(
    entry: Specimen, tried: Callable[[Specimen], CheckedClass]
) -> None:
    checked = tried(entry)
    assert not [row for row in checked.checks if row.verdict not in (Outcome.PASS, "not offered")]
    assert (checked.outcome, checked.causes) == (Outcome.PASS, ())


def test_the_mutants_are_not_collected_as_tests() -> None:
    assert not [
        path for path in FOLDER.rglob("*.py") if path.name.startswith("test_") or path.name == "conftest.py"
    ]


def a_row(entry: Specimen) -> Row:
    return Row(
        number=entry.number, name=entry.name, place=entry.place, mistake="", group=entry.group, note="",
        blind="", expected=(), verdict=Outcome.PASS, outcomes={}, killed_by=(), as_expected=False,
        diagnosis=(), cause="", cause_named=None, certainty="", seconds=0.0,
        rivals={
            "gradcheck": Said(entry.group == "correct"), "contract": Said(None, "not installed"),
            **{rival.key: Said(True) for rival in RIVALS if rival.key not in ("gradcheck", "contract")},
        },
    )  # fmt: skip


def a_zoo(rows: list[Row], plan: Plan) -> Zoo:
    return Zoo(
        Outcome.FAIL, 0.0, plan.seed, True, (), tuple(rows), matrix.summary(rows), plan.n_seeds
    )  # fmt: skip


def test_a_run_that_was_stopped_goes_on_with_the_rows_of_the_same_seeds() -> None:
    rows, plan = [a_row(entry) for entry in ENTRIES[:3]], Plan(FOLDER, seed=1)
    assert matrix.kept(a_zoo(rows, plan), ENTRIES[1:], plan) == rows[1:]
    assert matrix.kept(a_zoo(rows, plan), ENTRIES, replace(plan, n_seeds=2)) == []
    assert matrix.kept(a_zoo(rows, plan), ENTRIES, replace(plan, seed=2)) == []
    assert matrix.kept(None, ENTRIES, plan) == []


def test_what_a_rival_rejects_is_counted_among_those_it_was_asked_of() -> None:
    counts = matrix.summary([a_row(MUTANTS[0]), a_row(MUTANTS[1]), a_row(CORRECT[0])]).rivals
    assert counts["gradcheck"] == RivalCount(asked=2, killed=2, asked_correct=1, alarms=0)
    assert counts["contract"] == RivalCount(0, 0, 0, 0, "not installed")
