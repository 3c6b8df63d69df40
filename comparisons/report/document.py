"""`Results`: the whole of results.json, one slot for what each question found. The report is drawn from it.

A slot holds its question's own dataclass, None where that was not asked; `results.codec` writes and reads all
of them by their annotations.

The format's history, by `schema_version`:

    1   parts as free dictionaries; the campaign, the sensitivity, the step sizes and the zoo inside the part
        of the gradients, the record and the error rates inside that of the accuracy
    2   a slot for every question, each with fields of its own; `runs` beside the plan. Slots that joined it
        later are None in older files: compare, check, autodiff, race; so is the speed's kind of processor
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from backproof.comparisons.accuracy.result import AccuracyResult, ErrorRates
from backproof.comparisons.check.results import CheckPart
from backproof.comparisons.compare.result import Comparison
from backproof.comparisons.experiment import Planned
from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign
from backproof.comparisons.gradients.black_box_result import FunctionCampaign
from backproof.comparisons.gradients.result import Campaign, Gradients, Sensitivity, StepSizes
from backproof.comparisons.lessons.result import ToldLesson
from backproof.comparisons.numerical.result import NumericalResult
from backproof.comparisons.race.result import RaceResult
from backproof.comparisons.record.result import RecordResult
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.results.files import check_folder, reason_of, write_atomically
from backproof.comparisons.running.environment import Environment
from backproof.comparisons.speed.result import SpeedResult
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.result import Zoo
from backproof.scratch.errors import InputError

SCHEMA_VERSION = 2
FILE = "results.json"


@dataclass(frozen=True)
class Run:
    """Which command filled a slot, and when it had finished (ISO 8601, UTC)."""

    command: str
    finished: str


@dataclass(frozen=True)
class Results:
    """What the commands run into one folder have found."""

    plan: Planned | None = None  # of the main job, where that was run
    environment: Environment | None = None
    runs: Mapping[str, Run] = field(default_factory=dict)  # by slot
    gradients: Gradients | None = None
    campaign: Campaign | None = None
    sensitivity: Sensitivity | None = None
    functions: FunctionCampaign | None = None
    autodiff: AutodiffCampaign | None = None
    step_sizes: StepSizes | None = None
    zoo: Zoo | None = None
    accuracy: AccuracyResult | None = None
    error_rates: ErrorRates | None = None
    record: RecordResult | None = None
    race: RaceResult | None = None
    speed: SpeedResult | None = None
    numerical: NumericalResult | None = None
    compare: Comparison | None = None
    check: CheckPart | None = None
    lessons: tuple[ToldLesson, ...] | None = None
    schema_version: int = SCHEMA_VERSION


SLOTS = tuple(
    field.name
    for field in fields(Results)
    if field.name not in ("plan", "environment", "runs", "schema_version")
)


def all_outcomes(results: Results) -> list[Outcome]:
    """The outcome of everything that has one."""
    parts = [getattr(results, name) for name in SLOTS if name != "lessons"]
    found = [outcome_of(part) for part in [*parts, *(results.lessons or ())] if part is not None]
    return [outcome for outcome in found if outcome is not None]


def outcome_of(part: Any) -> Outcome | None:
    """A part's own outcome; None where it has none: step sizes and speed are measured, not judged."""
    found = part.get("verdict") if isinstance(part, Mapping) else getattr(part, "verdict", None)
    return None if found is None else Outcome(found)


def load(path: str | Path) -> Results:
    """Read results.json. Raises InputError where it is missing, corrupt or of another schema version."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"results: cannot read {path} ({reason_of(error)}); run backproof to make one"
        ) from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"results: {path} is not JSON (line {error.lineno}: {error.msg}); run backproof again"
        ) from error
    try:
        return _from_document(document)
    except InputError as error:
        raise InputError(f"results: {path}: {error}; run backproof again or choose another folder") from error


def load_folder(out_dir: str | Path) -> Results | None:
    """The results in this folder, None where there are none yet. Raises InputError as `load` does."""
    path = Path(out_dir) / FILE
    return load(path) if path.exists() else None


def look_into(out_dir: str | Path) -> Results | None:
    """What the folder holds already. Raises InputError where one could not write, or read what is there.

    For the beginning of a command: it leaves no new folder, so that bad input found later leaves nothing.
    """
    check_folder(out_dir)
    return load_folder(out_dir)


def save(results: Results, path: str | Path) -> None:
    """Write results.json whole or not at all."""
    document = encode(results)
    assert isinstance(document, dict)
    document = {"schema_version": document.pop("schema_version"), **document}
    write_atomically(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def _from_document(document: object) -> Results:
    """Validate; InputError names what is wrong."""
    if not isinstance(document, dict) or "schema_version" not in document:
        raise InputError("expected an object with schema_version")
    if document["schema_version"] != SCHEMA_VERSION:
        raise InputError(
            f"expected schema_version {SCHEMA_VERSION}, found {document['schema_version']!r}, which another "
            "version of backproof wrote"
        )
    return decode(Results, document)
