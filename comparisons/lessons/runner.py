"""Running a lesson: its result, filled into its texts, as results.json holds it."""

import ast
import inspect
import math
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.catalogue import LANGUAGES, Text
from backproof.comparisons.lessons.course import LESSONS, Lesson
from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Slider,
    Table,
)
from backproof.comparisons.lessons.result import (
    Hint,
    Source,
    ToldClaim,
    ToldCorrection,
    ToldFigure,
    ToldLesson,
    ToldSlider,
    ToldTable,
)
from backproof.scratch.errors import InputError


def run(lesson: Lesson, setting: Setting, changes: Mapping[str, str] | None = None) -> ToldLesson:
    """Compute the lesson; `changes` gives other values to its constants for this run."""
    module = lesson.load()
    started = time.perf_counter()
    with changed(module, changes or {}):
        found = module.run(setting)
    return told(lesson, found, time.perf_counter() - started)


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


def told(lesson: Lesson, found: LessonResult, seconds: float) -> ToldLesson:
    """The result with its sentences."""
    key, values, texts = lesson.key, found.values, catalogue.texts(lesson.key)
    return ToldLesson(
        name=lesson.name,
        row=lesson.row,
        chapter=lesson.chapter,
        sources=lesson.sources,
        verdict=found.verdict,
        seconds=round(seconds, 3),
        title=_said(key, values, "title"),
        intent=_said(key, values, "intent"),
        formulas=tuple(texts["formulas"]),
        claims=tuple(_claim(key, claim, values) for claim in found.claims),
        corrections=tuple(_correction(key, correction, values) for correction in found.corrections),
        unjudged=tuple(_said(key, values, "claims", name) for name in found.unjudged),
        tables=tuple(_table(key, table, values) for table in found.tables),
        figures=tuple(_figure(key, figure, values) for figure in found.figures),
        code=tuple(_source(function) for function in found.core),
        hints=tuple(
            Hint(hint["command"], {language: hint[language] for language in LANGUAGES})
            for hint in texts.get("try", [])
        ),
    )


def _said(key: str, values: Mapping[str, str], *path: str) -> Text:
    return catalogue.filled(catalogue.text(key, *path), values)


def _claim(key: str, claim: Claim, values: Mapping[str, str]) -> ToldClaim:
    return ToldClaim(_said(key, values, "claims", claim.text), claim.holds, claim.expected, claim.found)


def _correction(key: str, correction: Correction, values: Mapping[str, str]) -> ToldCorrection:
    return ToldCorrection(
        key=correction.text,
        source=str(catalogue.texts(key)["corrections"][correction.text]["source"]),
        says=_said(key, values, "corrections", correction.text),
        holds=correction.holds,
        as_written=_claim(key, correction.as_written, values),
        right=_claim(key, correction.right, values),
    )


def _label(key: str, cell: str, values: Mapping[str, str]) -> Text:
    """A cell or a label: a key of the catalogue if it begins with @, else the same in every language."""
    if cell.startswith("@"):
        return _said(key, values, "labels", cell[1:])
    return dict.fromkeys(LANGUAGES, cell)


def _table(key: str, table: Table, values: Mapping[str, str]) -> ToldTable:
    return ToldTable(
        caption=_said(key, values, "tables", table.key),
        header=tuple(_label(key, cell, values) for cell in table.header),
        rows=tuple(tuple(_label(key, cell, values) for cell in row) for row in table.rows),
    )


def _figure(key: str, figure: Figure, values: Mapping[str, str]) -> ToldFigure:
    data, layout = tuple(figure.data), dict(figure.layout)
    keys = {label for label in _strings((data, layout)) if label.startswith("@")}
    return ToldFigure(
        key=figure.key,
        caption=_said(key, values, "figures", figure.key, "caption"),
        alt=_said(key, values, "figures", figure.key, "alt"),
        data=data,
        layout=layout,
        labels={label: _label(key, label, values) for label in sorted(keys)},
        slider=_slider(key, figure.slider, values) if figure.slider else None,
    )


def _slider(key: str, slider: Slider, values: Mapping[str, str]) -> ToldSlider:
    return ToldSlider(
        title=_label(key, slider.title, values),
        labels=tuple(slider.labels),
        frames=tuple({str(trace): new for trace, new in frame.items()} for frame in slider.frames),
        start=slider.start,
    )


def _strings(node: Any) -> Iterator[str]:
    if isinstance(node, str):
        yield node
    elif isinstance(node, Mapping):
        for value in node.values():
            yield from _strings(value)
    elif isinstance(node, Sequence):
        for value in node:
            yield from _strings(value)


def _source(function: Callable[..., object]) -> Source:
    return Source(
        f"{function.__module__.replace('.', '/')}.py: {function.__qualname__}",
        inspect.cleandoc("\n" + inspect.getsource(function)),
    )


def in_course_order(
    lessons: Sequence[ToldLesson], before: Sequence[ToldLesson] = ()
) -> tuple[ToldLesson, ...]:
    """The new ones and, where a lesson was not run now, what was there before."""
    by_name = {old.name: old for old in before} | {new.name: new for new in lessons}
    order = {lesson.name: i for i, lesson in enumerate(LESSONS)}
    return tuple(sorted(by_name.values(), key=lambda lesson: order.get(lesson.name, len(order))))
