"""Running a lesson: its outcome, filled into its texts, as one entry of results.json.

An entry carries every sentence in every language, so that a page can be drawn again, in either, without
running anything and without the catalogue.
"""

import ast
import inspect
import math
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.catalogue import LANGUAGES, Text
from backproof.comparisons.lessons.course import LESSONS, Lesson
from backproof.comparisons.lessons.frame import Claim, Correction, Figure, Json, LessonResult, Setting, Table
from backproof.scratch.errors import InputError


def run(lesson: Lesson, setting: Setting, changes: Mapping[str, str] | None = None) -> Json:
    """Compute the lesson; `changes` gives other values to its constants for this run."""
    module = lesson.load()
    started = time.perf_counter()
    with changed(module, changes or {}):
        outcome = module.run(setting)
    return entry(lesson, outcome, time.perf_counter() - started)


@contextmanager
def changed(module: Any, changes: Mapping[str, str]) -> Iterator[None]:
    """Give constants of a lesson's module other values, and the old ones back afterwards.

    Raises InputError for a name that is no number among its constants, or a value that is none.
    """
    constants = _constants(module)
    values = {name: _value(name, text, constants) for name, text in changes.items()}
    for name, value in values.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name in values:
            setattr(module, name, constants[name])


def _value(name: str, text: str, constants: Mapping[str, float]) -> float:
    """The text as a number of the constant's own kind: counts stay counts, and at least one."""
    if name not in constants:
        known = ", ".join(constants) or "none"
        raise InputError(f"set: expected one of this lesson's constants ({known}); got {name!r}")
    counts = isinstance(constants[name], int)
    try:
        value = int(text) if counts else float(text)
    except ValueError as error:
        kind = "an integer" if counts else "a number"
        raise InputError(f"set: {name} is {constants[name]!r}; expected {kind}, got {text!r}") from error
    if not math.isfinite(value) or (counts and value < 1):
        raise InputError(f"set: {name}: expected {'at least 1' if counts else 'a finite number'}, got {text}")
    return value


def _constants(module: ModuleType) -> dict[str, float]:
    """The numbers that the lesson's own module names in capitals, not those it imports."""
    assigned = {
        name.id
        for statement in ast.parse(inspect.getsource(module)).body
        if isinstance(statement, ast.Assign)
        for name in ast.walk(statement)
        if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)
    }
    found = {name: value for name, value in vars(module).items() if name.isupper() and name in assigned}
    return {name: value for name, value in found.items() if type(value) in (int, float)}


def entry(lesson: Lesson, outcome: LessonResult, seconds: float) -> Json:
    """The outcome with its sentences, JSON-ready."""
    key, values = lesson.key, outcome.values

    def said(*path: str) -> Text:
        return catalogue.filled(catalogue.text(key, *path), values)

    texts = catalogue.texts(key)
    return {
        "name": lesson.name,
        "row": lesson.row,
        "chapter": lesson.chapter,
        "sources": list(lesson.sources),
        "verdict": outcome.verdict,
        "seconds": round(seconds, 3),
        "title": said("title"),
        "intent": said("intent"),
        "formulas": list(texts["formulas"]),
        "claims": [_claim(key, claim, values) for claim in outcome.claims],
        "corrections": [_correction(key, correction, values) for correction in outcome.corrections],
        "unjudged": [said("claims", name) for name in outcome.unjudged],
        "tables": [_table(key, table, values) for table in outcome.tables],
        "figures": [_figure(key, figure, values) for figure in outcome.figures],
        "code": [_source(function) for function in outcome.core],
        "try": [
            {"command": hint["command"], **{language: hint[language] for language in LANGUAGES}}
            for hint in texts.get("try", [])
        ],
    }


def _claim(key: str, claim: Claim, values: Mapping[str, str]) -> Json:
    said = catalogue.filled(catalogue.text(key, "claims", claim.text), values)
    return {"text": said["en"], "text_ko": said["ko"], "holds": claim.holds, "expected": claim.expected,
            "found": claim.found}  # fmt: skip


def _correction(key: str, correction: Correction, values: Mapping[str, str]) -> Json:
    path = ("corrections", correction.text)
    return {
        "key": correction.text,
        "source": str(catalogue.texts(key)["corrections"][correction.text]["source"]),
        "says": catalogue.filled(catalogue.text(key, *path), values),
        "holds": correction.holds,
        "as_written": _claim(key, correction.as_written, values),
        "right": _claim(key, correction.right, values),
    }


def _label(key: str, cell: str, values: Mapping[str, str]) -> Text:
    """A cell or a label: a key of the catalogue if it begins with @, else the same in every language."""
    if cell.startswith("@"):
        return catalogue.filled(catalogue.text(key, "labels", cell[1:]), values)
    return dict.fromkeys(LANGUAGES, cell)


def _table(key: str, table: Table, values: Mapping[str, str]) -> Json:
    return {
        "caption": catalogue.filled(catalogue.text(key, "tables", table.key), values),
        "header": [_label(key, cell, values) for cell in table.header],
        "rows": [[_label(key, cell, values) for cell in row] for row in table.rows],
    }


def _figure(key: str, figure: Figure, values: Mapping[str, str]) -> Json:
    """Plotly's JSON with its labels still as keys, and what the keys say in every language."""
    slider = figure.slider
    drawn: Json = {"data": list(figure.data), "layout": dict(figure.layout)}
    keys = {label for label in _strings(drawn) if label.startswith("@")}
    return {
        "key": figure.key,
        "caption": catalogue.filled(catalogue.text(key, "figures", figure.key, "caption"), values),
        "alt": catalogue.filled(catalogue.text(key, "figures", figure.key, "alt"), values),
        **drawn,
        "labels": {label: _label(key, label, values) for label in sorted(keys)},
        "slider": None if slider is None else {
            "title": _label(key, slider.title, values),
            "labels": list(slider.labels),
            "frames": [{str(trace): new for trace, new in frame.items()} for frame in slider.frames],
            "start": slider.start,
        },
    }  # fmt: skip


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, Sequence):
        for value in node:
            yield from _strings(value)


def _source(function: Any) -> Json:
    """Where a function stands and how it reads: the very code that ran."""
    return {
        "where": f"{function.__module__.replace('.', '/')}.py: {function.__qualname__}",
        "text": inspect.cleandoc("\n" + inspect.getsource(function)),
    }


def in_course_order(entries: Sequence[Json], before: Sequence[Json] = ()) -> list[Json]:
    """The new entries and, where a lesson was not run now, what was there before."""
    by_name = {old["name"]: old for old in before} | {new["name"]: new for new in entries}
    order = {lesson.name: i for i, lesson in enumerate(LESSONS)}
    return sorted(by_name.values(), key=lambda lesson: order.get(lesson["name"], len(order)))
