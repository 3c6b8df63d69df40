"""The chapters of the page, in reading order. Each stands in the folder of its question, as a module with

    build(*parts) -> Section | None

that is given the slots of the results it names here, each None where that question was not asked.
"""

import importlib
from dataclasses import dataclass

from markupsafe import Markup

from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.report import protocol_chapter
from backproof.comparisons.report.document import Results


@dataclass(frozen=True)
class Chapter:
    """One chapter: its module below `comparisons`, what it is drawn from, and what to say without that."""

    module: str
    slots: tuple[str, ...]
    title: str = ""  # of the chapter where there is nothing to draw; without one it is left out
    command: str = ""  # that fills it

    def section(self, results: Results, **more: str | None) -> Section | None:
        """The chapter as far as these results go; `more` is what it takes beside them."""
        build = importlib.import_module(f"backproof.comparisons.{self.module}").build
        drawn: Section | None = build(*(getattr(results, slot) for slot in self.slots), **more)
        return drawn if drawn is not None or not self.title else self._not_run()

    def _not_run(self) -> Section:
        html = Markup('<p class="not-run">Not run. To run it: {}</p>').format(markup.command(self.command))
        return Section(key=self.slots[0], title=self.title, html=html)


CHAPTERS = (
    Chapter("gradients.chapter", ("gradients",), "Same maths?", "backproof gradients"),
    Chapter("gradients.campaign_chapter", ("campaign", "sensitivity")),
    Chapter("gradients.black_box_chapter", ("functions",)),
    Chapter("gradients.autodiff_chapter", ("autodiff",)),
    Chapter("zoo.chapter", ("zoo",)),
    Chapter("gradients.step_sizes_chapter", ("step_sizes",)),
    Chapter("accuracy.chapter", ("accuracy",), "Same accuracy?", "backproof accuracy"),
    Chapter("accuracy.details_chapter", ("accuracy", "error_rates")),
    Chapter("record.chapter", ("record",)),
    Chapter("speed.chapter", ("speed",), "How fast?", "backproof speed"),
    Chapter("speed.details_chapter", ("speed",)),
    Chapter("race.chapter", ("race",)),
    Chapter("compare.chapter", ("compare",)),
    Chapter("check.chapter", ("check",)),
    Chapter(
        "numerical.chapter",
        ("numerical",),
        "Can a network learn by numerical differentiation alone?",
        "backproof numerical",
    ),
)
LESSONS = Chapter("lessons.chapter", ("lessons",), "Lessons", "backproof lessons --all")


def sections(results: Results, lessons_page: str | None = None) -> list[Section]:
    """What there is to show, in reading order; how it was measured comes before the lessons.

    `lessons_page` is the address of the lessons' own page where the report has one beside it.
    """
    drawn = [chapter.section(results) for chapter in CHAPTERS]
    drawn += [protocol_chapter.build(results), LESSONS.section(results, page=lessons_page)]
    return [section for section in drawn if section is not None]
