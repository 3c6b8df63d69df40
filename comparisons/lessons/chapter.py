"""The lessons in the report: a table of what was run, each lesson with the way to all of it.

A lesson's pictures, code and controls stand on the lessons' own page, which `page` writes; `rich`, `both` and
`word` make its sentences, too.
"""

import re
from collections.abc import Sequence

from markupsafe import Markup, escape

from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.catalogue import LANGUAGES, Text
from backproof.comparisons.lessons.mathml import to_mathml
from backproof.comparisons.lessons.result import ToldCorrection, ToldLesson
from backproof.comparisons.verdicts.outcome import worst

PAGE_FILE = "lessons.html"  # the lessons' own page, beside the report
_COLUMNS = ("Lesson", "Verdict", "Claims that hold", "Corrected")
_LINKED = "Each title leads to the lesson itself: its pictures, its code, and controls to move."
_TO_RUN = "The command below a title runs that lesson; with --html it opens the lesson's page, too."
_MISCONCEPTION = "belief"  # a correction's source where no text says it


def build(lessons: Sequence[ToldLesson] | None, page: str | None = None) -> Section | None:
    """The chapter of all lessons that were run; None where none was.

    `page` is the address of the lessons' own page as seen from the report, None where there is none.
    """
    if not lessons:
        return None
    text = Markup("<p>{} {}</p>").format(catalogue.text("frame", "about")["en"], _LINKED if page else _TO_RUN)
    table = markup.table(
        _COLUMNS,
        [_row(lesson, page) for lesson in lessons],
        "The lessons that were run. Corrected: what a text or a common misconception has wrong",
        text_columns=(0, 1, 3),
    )
    verdict = worst([lesson.verdict for lesson in lessons])
    return Section("lessons", catalogue.text("frame", "title")["en"], text + table, verdict, nav="Lessons")


def _row(lesson: ToldLesson, page: str | None) -> tuple[Markup, Markup, str, Markup]:
    holds = sum(claim.holds for claim in lesson.claims)
    open_ = f", {len(lesson.unjudged)} not judged" if lesson.unjudged else ""
    return (
        _name(lesson, page),
        markup.badge(lesson.verdict),
        f"{holds} of {len(lesson.claims)}{open_}",
        markup.join(_correction(one) for one in lesson.corrections) or markup.absent("none"),
    )


def _name(lesson: ToldLesson, page: str | None) -> Markup:
    title = rich(lesson.title["en"])
    if page is not None:
        return Markup('<a href="{}#{}">{}</a>').format(page, lesson.name, title)
    return Markup("{}<br>{}").format(title, markup.command(f"backproof lessons {lesson.name}"))


def _correction(correction: ToldCorrection) -> Markup:
    """Whose sentence it is, and what is wrong with it; said where the corrected sentences did not behave."""
    texts = catalogue.texts("frame")["texts"]
    source = correction.source
    if source in texts:  # by its author or, where nobody signed it, its title
        source = re.split(r":| \(", texts[source]["en"])[0]
    elif source == _MISCONCEPTION:
        source = catalogue.text("frame", "belief")["en"]
    failed = Markup("") if correction.holds else Markup(" <strong>{}.</strong>").format("Does not hold here")
    return Markup('<p class="correction"><strong>{}.</strong> {}{}</p>').format(
        source, rich(correction.says["en"]), failed
    )


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
