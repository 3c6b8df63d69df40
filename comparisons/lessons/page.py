"""The lessons' own page: one file that needs no network, one lesson at a time, in two languages.

What a lesson found when it was run in Python (claims, corrections, figures, code) is written into the page;
what a reader moves is computed by the page itself (`templates/network.js`, held to the vectors of
`backproof vectors`). A lesson that was not run yet is there with its text and its controls.

The scripts that may run are named by their SHA-256 in the page's content policy, so that no text of a result
can become code.
"""

import base64
import hashlib
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from backproof.comparisons.drawing.figures import (
    BAD,
    GOOD,
    INK,
    JAX,
    REFERENCE,
    SCRATCH,
    SKLEARN,
    TENSORFLOW,
    TORCH,
    inside_script,
)
from backproof.comparisons.drawing.python_code import highlighted
from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.catalogue import LANGUAGES, Text
from backproof.comparisons.lessons.chapter import both, chapter_title, rich, word
from backproof.comparisons.lessons.course import CHAPTERS, LESSONS, Lesson
from backproof.comparisons.lessons.lab_data import lab_data
from backproof.comparisons.lessons.lab_digits import lab_digits
from backproof.comparisons.lessons.mathml import to_mathml
from backproof.comparisons.lessons.pictures import AMOUNT, CLASSES, SIGNED
from backproof.comparisons.lessons.result import Hint, ToldFigure, ToldLesson
from backproof.comparisons.results.codec import Foreign, Json, encode
from backproof.comparisons.results.files import prepare_folder, write_atomically

SCRIPTS = ("network.js", "chart.js", "frame.js")  # then every labs_*.js by name, then the start
NAMES = {"en": "English", "ko": "한국어"}
INKS = {
    INK: "ink", GOOD: "good", BAD: "bad", REFERENCE: "reference", SCRATCH: "scratch", TORCH: "torch",
    JAX: "jax", TENSORFLOW: "tensorflow", SKLEARN: "sklearn",
}  # fmt: skip
_POLICY = (
    "default-src 'none'; script-src {hashes}; style-src 'unsafe-inline'; img-src data:; "
    "connect-src 'none'; form-action 'none'; base-uri 'none'"
)


@dataclass(frozen=True)
class Scene:
    """One picture with its controls: what is asked, what to do, what is seen."""

    key: str
    question: Text
    how: Text | None
    takeaway: Text


@dataclass(frozen=True)
class Page:
    """One lesson of the page; `told` is what its run found, if it was run."""

    name: str
    title: Text
    intent: Text
    formulas: tuple[str, ...]
    sources: tuple[str, ...]
    hints: tuple[Hint, ...]
    scenes: tuple[Scene, ...]
    told: ToldLesson | None


def render(lessons: Sequence[ToldLesson], language: str = "en") -> str:
    """The whole page as text; the same lessons always give the same text."""
    told = {lesson.name: lesson for lesson in lessons}
    pages = [_page(lesson, told.get(lesson.name)) for lesson in LESSONS]
    chapters = [
        (name, [page for page, lesson in zip(pages, LESSONS, strict=True) if lesson.chapter == name])
        for name in CHAPTERS
    ]
    scripts = _scripts()
    hashes = " ".join(f"'sha256-{_digest(script)}'" for script in scripts)
    text = _environment().get_template("classroom.html.j2").render(
        chapters=chapters,
        data=inside_script(json.dumps(_data(pages, language), ensure_ascii=False, separators=(",", ":"))),
        language=language,
        names=NAMES,
        policy=Markup(_POLICY.format(hashes=hashes)),
        scripts=[Markup(script) for script in scripts],
        style=Markup(_template("classroom.css")),
        terms=list(catalogue.texts("frame")["terms"].values()),
        title=catalogue.text("frame", "title"),
    )  # fmt: skip
    return str(text)


def write(file: str | Path, lessons: Sequence[ToldLesson], language: str = "en") -> Path:
    """Write the page. Raises InputError where the folder cannot be written."""
    path = Path(file)
    prepare_folder(path.parent)
    write_atomically(path, render(lessons, language))
    return path


def _page(lesson: Lesson, told: ToldLesson | None) -> Page:
    key = lesson.key
    texts = catalogue.texts(key)
    hints = tuple(Hint(h["command"], {code: h[code] for code in LANGUAGES}) for h in texts.get("try", []))
    return Page(
        name=lesson.name,
        title=catalogue.text(key, "title"),
        intent=told.intent if told else _without_figures(catalogue.text(key, "intent")),
        formulas=tuple(texts["formulas"]),
        sources=lesson.sources,
        hints=hints,
        scenes=tuple(_scene(key, name) for name, part in texts.get("lab", {}).items() if "question" in part),
        told=told,
    )


def _without_figures(text: Text) -> Text:
    """A sentence whose figures nobody has computed yet: an ellipsis stands for each."""
    return {code: re.sub(r"<[a-z][a-z0-9_]*>", "…", words) for code, words in text.items()}


def _scene(key: str, name: str) -> Scene:
    part = catalogue.texts(key)["lab"][name]

    def said(what: str) -> Text:
        return catalogue.text(key, "lab", name, what)

    return Scene(name, said("question"), said("how") if "how" in part else None, said("takeaway"))


def _data(pages: Sequence[Page], language: str) -> Json:
    digits = asdict(lab_digits())
    digits |= {"weights": digits["weights"].tolist(), "start": digits["start"].tolist()}
    return {
        "language": language,
        "order": [page.name for page in pages],
        "words": {"frame": _words("frame", ()), **{page.name: _lab_words(page) for page in pages}},
        "figures": {page.name: [_figure(f) for f in page.told.figures] for page in pages if page.told},
        "lab": {**digits, "labels": list(digits["labels"]), **asdict(lab_data())},
    }


def _lab_words(page: Page) -> dict[str, Json]:
    key = page.name.replace("-", "_")
    found: dict[str, Json] = {"title": _rich(catalogue.text(key, "title"))}
    if "lab" in catalogue.texts(key):
        found |= _words(key, ("lab",))
    return found


def _words(key: str, below: tuple[str, ...]) -> dict[str, Json]:
    """Every sentence of a file below a table, by its dotted path, as HTML."""
    node: Mapping[str, Foreign] = catalogue.texts(key)
    for step in below:
        node = node[step]
    return {
        ".".join(path): _rich({code: str(words[code]).strip() for code in LANGUAGES})
        for path, words in catalogue.leaves(node)
    }


def _rich(text: Text) -> Json:
    return {code: str(rich(words)) for code, words in text.items()}


def _figure(figure: ToldFigure) -> Json:
    """The figure for the page's own script: colours by the names that the style sheet knows."""
    drawn = {"data": [_trace(trace) for trace in figure.data], "layout": figure.layout}
    told = encode(figure)
    assert isinstance(told, dict)
    kept = {name: told[name] for name in ("alt", "labels", "slider") if told[name] is not None}
    inked = _inked(drawn)
    return {**kept, "data": inked["data"], "layout": inked["layout"]}


def _trace(trace: Foreign) -> Foreign:
    """A map says which scale it has, for the page shades in its own colours."""
    stops = trace.get("colorscale")
    kinds = {"signed": SIGNED, "classes": CLASSES, "amount": AMOUNT}
    kind = next((name for name, scale in kinds.items() if stops == [list(stop) for stop in scale]), "grey")
    kept = {key: value for key, value in trace.items() if key != "colorscale"}
    return {**kept, "scale": kind} if stops else kept


def _inked(node: Any) -> Any:
    """The same with every colour of the palette by its name."""
    if isinstance(node, str):
        return f"ink-{INKS[node]}" if node in INKS else node
    if isinstance(node, Mapping):
        return {key: _inked(value) for key, value in node.items()}
    return [_inked(value) for value in node] if isinstance(node, list | tuple) else node


def figure_box(told: ToldLesson, index: int, kind: str) -> Markup:
    """An empty place for a figure, its slider if it has one, and its caption."""
    figure = told.figures[index]
    slider = Markup("")
    if figure.slider:
        slider = Markup(
            '<label class="slider"><span>{title}</span><input type="range" min="0" max="{last}" '
            'value="{start}"></label><output></output>'
        ).format(
            title=both(figure.slider.title), last=len(figure.slider.frames) - 1, start=figure.slider.start
        )
    return Markup(
        '<div class="figure-box {kind}" data-figure="{index}">{slider}<figure><div class="picture"></div>'
        "<figcaption>{caption}</figcaption></figure></div>"
    ).format(kind=kind, index=index, slider=slider, caption=both(figure.caption))


def source(name: str) -> Markup:
    """A teaching text by its author and title."""
    return both(catalogue.text("frame", "texts", name))


def _scripts() -> list[str]:
    """One script: so that every part sees the names of the others."""
    folder = files("backproof.comparisons.lessons").joinpath("templates")
    labs = sorted(entry.name for entry in folder.iterdir() if entry.name.startswith("labs_"))
    return ["\n".join([*(_template(name) for name in (*SCRIPTS, *labs)), "frame.start();\n"])]


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()


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
        both=both, chapter_title=chapter_title, figure_box=figure_box, highlighted=highlighted,
        source=source, word=word, formula=lambda text: to_mathml(text, display=True),
    )  # fmt: skip
    return environment


def _template(name: str) -> str:
    return files("backproof.comparisons.lessons").joinpath("templates", name).read_text(encoding="utf-8")
