"""The lessons: a course that a teacher can project, in two languages, with the claims the run has checked.

Everything shown comes from results.json, where each lesson carries its sentences in every language. Both
languages are written into the page; the language chosen decides which one is seen, and the section's script
changes it, moves the sliders and answers the perceptron's question.
"""

import json
import re
from collections.abc import Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

import plotly.graph_objects as go
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.drawing.figures import figure_html, inside_script
from backproof.comparisons.drawing.markup import badge
from backproof.comparisons.drawing.python_code import highlighted
from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.catalogue import LANGUAGES, Text
from backproof.comparisons.lessons.course import CHAPTERS
from backproof.comparisons.lessons.mathml import to_mathml
from backproof.comparisons.lessons.result import ToldFigure, ToldLesson, ToldSlider
from backproof.comparisons.verdicts.outcome import worst


def build(lessons: Sequence[ToldLesson] | None) -> Section | None:
    """The chapter of all lessons that were run; None where none was."""
    if not lessons:
        return None
    language = lessons[-1].language
    chapters = [(name, [lesson for lesson in lessons if lesson.chapter == name]) for name in CHAPTERS]
    html = _environment().get_template("lessons.html.j2").render(
        chapters=[(name, held) for name, held in chapters if held],
        language=language if language in LANGUAGES else "en",
        names=_NAMES,
        style=Markup(_template("lessons.css")),
    )  # fmt: skip
    verdict = worst([lesson.verdict for lesson in lessons])
    title = word("title")
    return Section("lessons", title, Markup(html), verdict, nav="Lessons", script=_template("lessons.js"))


_NAMES = {"en": "English", "ko": "한국어"}


def rich(sentence: str) -> Markup:
    """A sentence with its $formulas$ as MathML and its `code` as code; all else is escaped."""
    parts = re.split(r"(\$[^$]+\$|`[^`]+`)", sentence)
    return Markup("").join(
        to_mathml(part[1:-1]) if part.startswith("$") and len(part) > 2
        else Markup("<code>{}</code>").format(part[1:-1]) if part.startswith("`") and len(part) > 2
        else escape(_kept_together(part))
        for part in parts
    )  # fmt: skip


def _kept_together(words: str) -> str:
    """Short formulas stay on their line (z − h, 64 × 10 = 640, (6, 2, 2)), particles with figures (95%를)."""
    words = re.sub(r"(?<=[%)>”’])(?=[가-힣])", "\u2060", words)
    words = re.sub(r"(?<=[^\s,.]) ([−+=·×<≤≥]) (?=\S)", "\u00a0\\1\u00a0", words)
    return re.sub(r"\([−\d]+(?:, [−\d]+)+\)", lambda found: found[0].replace(" ", "\u00a0"), words)


def both(text: Text) -> Markup:
    """A sentence in every language; the page shows one of them."""
    if len(set(text.values())) == 1:
        return rich(text["en"])
    return Markup("").join(
        Markup('<span class="in-{0}" lang="{0}">{1}</span>').format(language, rich(text[language]))
        for language in LANGUAGES
    )


def word(key: str, **values: str) -> Markup:
    """A word of the frame, in every language."""
    return both(catalogue.filled(catalogue.text("frame", key), values))


def chapter_title(name: str) -> Markup:
    return both(catalogue.text("frame", "chapters", name))


def figure(entry: ToldFigure, language: str) -> Markup:
    """The picture, with its slider if it has one, and what the script needs to change either."""
    drawn = {"data": list(entry.data), "layout": entry.layout}
    labels = [{"path": path, **entry.labels[text]} for path, text in _strings(drawn) if text in entry.labels]
    shown = _translated(drawn, {key: words[language] for key, words in entry.labels.items()})
    slider = entry.slider
    page = {
        "labels": labels,
        "alt": entry.alt,
        "frames": slider.frames if slider else [],
        "readings": slider.labels if slider else [],
    }
    picture = figure_html(go.Figure(shown), both(entry.caption), entry.alt[language])
    return Markup(
        '<div class="lesson-figure">{}{}<script type="application/json" class="more">{}</script></div>'
    ).format(_slider(slider) if slider else "", picture, inside_script(json.dumps(page, ensure_ascii=False)))


def _slider(slider: ToldSlider) -> Markup:
    """A range input: moved by mouse, finger and arrow keys alike."""
    return Markup(
        '<label class="slider"><span>{title}</span> <input type="range" min="0" max="{last}" value="{start}" '
        'step="1"> <output>{reading}</output></label>'
    ).format(
        title=both(slider.title),
        last=len(slider.frames) - 1,
        start=slider.start,
        reading=slider.labels[slider.start],
    )


def _strings(node: Any, path: tuple[str | int, ...] = ()) -> Iterator[tuple[list[str | int], str]]:
    """Every string of a figure with the way to it."""
    if isinstance(node, str):
        yield list(path), node
    elif isinstance(node, dict):
        for key, value in node.items():
            yield from _strings(value, (*path, key))
    elif isinstance(node, list):
        for i, value in enumerate(node):
            yield from _strings(value, (*path, i))


def _translated(node: Any, words: dict[str, str]) -> Any:
    if isinstance(node, str):
        return words.get(node, node)
    if isinstance(node, dict):
        return {key: _translated(value, words) for key, value in node.items()}
    return [_translated(value, words) for value in node] if isinstance(node, list) else node


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=PackageLoader("backproof.comparisons.lessons"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.globals.update(
        badge=badge, both=both, chapter_title=chapter_title, figure=figure, word=word,
        formula=lambda text: to_mathml(text, display=True), highlighted=highlighted,
    )  # fmt: skip
    return environment


def _template(name: str) -> str:
    return files("backproof.comparisons.lessons").joinpath("templates", name).read_text(encoding="utf-8")
