"""results.json: what a run found, in a form that outlives the run. The report is drawn from it alone.

One attribute of `Results` per top-level key. Parts are JSON-ready dictionaries (`lessons` a list), None where
a part was not run. Every part has "verdict" (PASS, FAIL or INCONCLUSIVE) and "seconds", and the keys of
`REQUIRED`; more keys are welcome. A number that is not finite is written as null: JSON has no other word.
"""

import contextlib
import json
import math
import os
import tempfile
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

SCHEMA_VERSION = 1
DEFAULT_OUT = "backproof-results"
PARTS = ("gradients", "accuracy", "speed", "numerical")
REQUIRED: dict[str, tuple[str, ...]] = {
    "gradients": ("verdict", "seconds", "checks"),
    "accuracy": ("verdict", "seconds", "dataset", "seeds", "contenders", "against_scratch"),
    "speed": ("verdict", "seconds", "threads", "cases"),
    "numerical": ("verdict", "seconds", "naive_seconds", "structured_seconds", "backprop_seconds", "speedup"),
}
# What must be a list of objects, and what an object of objects.
LISTS = {"gradients": ("checks",), "speed": ("cases",)}
TABLES = {"accuracy": ("contenders", "against_scratch")}
LESSON_KEYS = ("name", "claims", "figures")

Part = dict[str, Any]


@dataclass(frozen=True)
class Results:
    """The whole of results.json. `plan["runs"]` says for each part which command made it, and when."""

    plan: Part
    environment: Part
    gradients: Part | None = None
    accuracy: Part | None = None
    speed: Part | None = None
    numerical: Part | None = None
    lessons: list[Part] | None = None
    schema_version: int = SCHEMA_VERSION


def all_verdicts(results: Results) -> list[str]:
    """The verdict of every part that was run; a lesson's is whether all its claims hold."""
    parts = [getattr(results, name) for name in PARTS]
    lessons = [
        lesson.get("verdict")
        or (Outcome.PASS if all(claim["holds"] for claim in lesson["claims"]) else Outcome.FAIL)
        for lesson in results.lessons or []
    ]
    return [part["verdict"] for part in parts if part] + lessons


def load(path: str | Path) -> Results:
    """Read results.json. Raises InputError where it is missing, corrupt or of another schema version."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            f"results: cannot read {path} ({_reason(error)}); run backproof to make one"
        ) from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise InputError(
            f"results: {path} is not JSON (line {error.lineno}: {error.msg}); run backproof again"
        ) from error
    try:
        return _from_document(document)
    except ValueError as error:
        raise InputError(f"results: {path}: {error}; run backproof again or choose another folder") from error


def load_folder(out_dir: str | Path) -> Results | None:
    """The results in this folder, None where there are none yet. Raises InputError as `load` does."""
    path = Path(out_dir) / "results.json"
    return load(path) if path.exists() else None


def save(results: Results, path: str | Path) -> None:
    """Write results.json whole or not at all. Raises ValueError for a part that lacks required keys."""
    document = {field.name: json_ready(getattr(results, field.name)) for field in fields(results)}
    document = {"schema_version": document.pop("schema_version"), **document}
    _from_document(document)
    write_atomically(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def prepare_folder(out_dir: str | Path) -> Path:
    """Make the folder and try it. Raises InputError where nothing can be written there."""
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise InputError(
            f"out: cannot write to {folder} ({_reason(error)}); choose another folder"
        ) from error
    return folder


def check_folder(out_dir: str | Path) -> Results | None:
    """What the folder holds already. Raises InputError where one could not write, or read what is there.

    For the beginning of a command: it leaves no new folder, so that bad input found later leaves nothing.
    """
    folder = Path(out_dir)
    new = [path for path in (folder, *Path(folder).parents) if not path.exists()]
    try:
        prepare_folder(folder)
    finally:
        for path in new:
            with contextlib.suppress(OSError):  # it was not made after all
                path.rmdir()
    return load_folder(folder)


def write_atomically(path: str | Path, text: str) -> None:
    """Write a temporary file beside `path`, then rename it: a reader never sees half a file."""
    path = Path(path)
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
        os.chmod(temporary, 0o644)
        os.replace(temporary, path)
    except BaseException:
        os.unlink(temporary)
        raise


def _reason(error: Exception) -> str:
    return getattr(error, "strerror", None) or str(error)


def json_ready(value: Any) -> Any:
    """Plain Python all the way down: NumPy scalars and arrays unpacked, numbers that are not finite None."""
    if hasattr(value, "tolist"):
        value = value.tolist()
    if isinstance(value, dict):
        return {str(key): json_ready(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [json_ready(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return value


def _from_document(document: Any) -> Results:
    """Validate; ValueError names what is wrong."""
    if not isinstance(document, dict) or "schema_version" not in document:
        raise InputError("expected an object with schema_version")
    if document["schema_version"] != SCHEMA_VERSION:
        raise InputError(f"expected schema_version {SCHEMA_VERSION}, found {document['schema_version']!r}")
    names = [field.name for field in fields(Results)]
    if set(document) != set(names):
        raise InputError(f"expected the keys {', '.join(names)}; found {', '.join(document)}")
    for name in ("plan", "environment"):
        if not isinstance(document[name], dict):
            raise InputError(f"{name}: expected an object, found {type(document[name]).__name__}")
    for name in PARTS:
        _check_part(name, document[name])
    _check_lessons(document["lessons"])
    return Results(**document)


def _check_part(name: str, part: Any) -> None:
    if part is None:
        return
    if not isinstance(part, dict):
        raise InputError(f"{name}: expected an object or null, found {type(part).__name__}")
    missing = [key for key in REQUIRED[name] if key not in part]
    if missing:
        raise InputError(f"{name}: lacks {', '.join(missing)}")
    for key in LISTS.get(name, ()):
        if not isinstance(part[key], list) or not all(isinstance(item, dict) for item in part[key]):
            raise InputError(f"{name}: {key}: expected a list of objects")
    for key in TABLES.get(name, ()):
        if not isinstance(part[key], dict) or not all(isinstance(v, dict) for v in part[key].values()):
            raise InputError(f"{name}: {key}: expected an object of objects")
    if part["verdict"] not in list(Outcome):
        raise InputError(f"{name}: verdict: expected one of {', '.join(Outcome)}, found {part['verdict']!r}")


def _check_lessons(lessons: Any) -> None:
    if lessons is None:
        return
    if not isinstance(lessons, list):
        raise InputError(f"lessons: expected a list or null, found {type(lessons).__name__}")
    for lesson in lessons:
        missing = [key for key in LESSON_KEYS if not isinstance(lesson, dict) or key not in lesson]
        if missing:
            raise InputError(f"lessons: an entry lacks {', '.join(missing)}")
