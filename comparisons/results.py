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
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from comparisons.errors import UsageError

SCHEMA_VERSION = 1
DEFAULT_OUT = "backproof-results"
VERDICTS = ("PASS", "FAIL", "INCONCLUSIVE")
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
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}

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


def worst_verdict(verdicts: list[str]) -> str:
    """FAIL before INCONCLUSIVE before PASS; of nothing, INCONCLUSIVE: nothing was compared."""
    for verdict in ("FAIL", "INCONCLUSIVE"):
        if verdict in verdicts:
            return verdict
    return "PASS" if verdicts else "INCONCLUSIVE"


def exit_code(verdicts: list[str]) -> int:
    """0 all PASS, 1 a FAIL, 3 INCONCLUSIVE."""
    return EXIT_CODES[worst_verdict(verdicts)]


def all_verdicts(results: Results) -> list[str]:
    """The verdict of every part that was run; a lesson's is whether all its claims hold."""
    parts = [getattr(results, name) for name in PARTS]
    lessons = [
        lesson.get("verdict") or ("PASS" if all(claim["holds"] for claim in lesson["claims"]) else "FAIL")
        for lesson in results.lessons or []
    ]
    return [part["verdict"] for part in parts if part] + lessons


def load(path: str | Path) -> Results:
    """Read results.json. Raises UsageError where it is missing, corrupt or of another schema version."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise UsageError(
            f"results: cannot read {path} ({_reason(error)}); run backproof to make one"
        ) from error
    try:
        document = json.loads(text)
    except json.JSONDecodeError as error:
        raise UsageError(
            f"results: {path} is not JSON (line {error.lineno}: {error.msg}); run backproof again"
        ) from error
    try:
        return _from_document(document)
    except ValueError as error:
        raise UsageError(f"results: {path}: {error}; run backproof again or choose another folder") from error


def load_folder(out_dir: str | Path) -> Results | None:
    """The results in this folder, None where there are none yet. Raises UsageError as `load` does."""
    path = Path(out_dir) / "results.json"
    return load(path) if path.exists() else None


def save(results: Results, path: str | Path) -> None:
    """Write results.json whole or not at all. Raises ValueError for a part that lacks required keys."""
    document = {field.name: json_ready(getattr(results, field.name)) for field in fields(results)}
    document = {"schema_version": document.pop("schema_version"), **document}
    _from_document(document)
    write_atomically(path, json.dumps(document, indent=1, allow_nan=False) + "\n")


def merge(out_dir: str | Path, command: str, *, plan: Part | None = None, **parts: Any) -> Results:
    """Put `parts` (gradients=..., numerical=..., ...) into out_dir/results.json and draw report.html again.

    Keys of a part replace those of the same part already there, other keys of it stay; a part given as None
    is dropped. `plan` is the main job's. Raises UsageError for a folder that cannot be written or whose
    results.json cannot be read.
    """
    from comparisons import environment

    unknown = set(parts) - {*PARTS, "lessons"}
    if unknown:
        raise TypeError(f"parts: expected {', '.join((*PARTS, 'lessons'))}; got {', '.join(sorted(unknown))}")
    prepare_folder(out_dir)
    before = load_folder(out_dir) or Results(plan={}, environment={})
    new_plan = plan if plan is not None else dict(before.plan) or {"command": command}
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    runs = {
        **before.plan.get("runs", {}),
        **{name: {"command": command, "finished": finished} for name in parts},
    }
    merged = {name: _joined(getattr(before, name), part) for name, part in parts.items()}
    kept = {name: getattr(before, name) for name in (*PARTS, "lessons") if name not in parts}
    results = Results(plan={**new_plan, "runs": runs}, environment=environment.describe(), **kept, **merged)
    path = Path(out_dir) / "results.json"
    save(results, path)
    # Drawn from what was written, so that drawing it again gives the same page.
    written = load(path)
    draw(written, out_dir)
    return written


def draw(results: Results, out_dir: str | Path) -> Path:
    """Write out_dir/report.html from results; returns its path."""
    from comparisons.report import html

    page = html.render(results)
    path = prepare_folder(out_dir) / "report.html"
    write_atomically(path, page)
    return path


def prepare_folder(out_dir: str | Path) -> Path:
    """Make the folder and try it. Raises UsageError where nothing can be written there."""
    folder = Path(out_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise UsageError(
            f"out: cannot write to {folder} ({_reason(error)}); choose another folder"
        ) from error
    return folder


def check_folder(out_dir: str | Path) -> Results | None:
    """What the folder holds already. Raises UsageError where one could not write, or read what is there.

    For the beginning of a command: it leaves no new folder, so that bad input found later leaves nothing.
    """
    folder = Path(out_dir)
    new = [path for path in (folder, *folder.parents) if not path.exists()]
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


def _joined(before: Any, part: Any) -> Any:
    return {**before, **part} if isinstance(before, dict) and isinstance(part, dict) else part


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
        raise ValueError("expected an object with schema_version")
    if document["schema_version"] != SCHEMA_VERSION:
        raise ValueError(f"expected schema_version {SCHEMA_VERSION}, found {document['schema_version']!r}")
    names = [field.name for field in fields(Results)]
    if set(document) != set(names):
        raise ValueError(f"expected the keys {', '.join(names)}; found {', '.join(document)}")
    for name in ("plan", "environment"):
        if not isinstance(document[name], dict):
            raise ValueError(f"{name}: expected an object, found {type(document[name]).__name__}")
    for name in PARTS:
        _check_part(name, document[name])
    _check_lessons(document["lessons"])
    return Results(**document)


def _check_part(name: str, part: Any) -> None:
    if part is None:
        return
    if not isinstance(part, dict):
        raise ValueError(f"{name}: expected an object or null, found {type(part).__name__}")
    missing = [key for key in REQUIRED[name] if key not in part]
    if missing:
        raise ValueError(f"{name}: lacks {', '.join(missing)}")
    for key in LISTS.get(name, ()):
        if not isinstance(part[key], list) or not all(isinstance(item, dict) for item in part[key]):
            raise ValueError(f"{name}: {key}: expected a list of objects")
    for key in TABLES.get(name, ()):
        if not isinstance(part[key], dict) or not all(isinstance(v, dict) for v in part[key].values()):
            raise ValueError(f"{name}: {key}: expected an object of objects")
    if part["verdict"] not in VERDICTS:
        raise ValueError(f"{name}: verdict: expected one of {', '.join(VERDICTS)}, found {part['verdict']!r}")


def _check_lessons(lessons: Any) -> None:
    if lessons is None:
        return
    if not isinstance(lessons, list):
        raise ValueError(f"lessons: expected a list or null, found {type(lessons).__name__}")
    for lesson in lessons:
        missing = [key for key in LESSON_KEYS if not isinstance(lesson, dict) or key not in lesson]
        if missing:
            raise ValueError(f"lessons: an entry lacks {', '.join(missing)}")
