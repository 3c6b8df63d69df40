"""`Section`: one chapter of the page, as every part of the project hands it in.

A chapter is a module `chapter` in the folder of its question, with

    def build(part: ... | None) -> Section | None: ...     # None: that part was not run

and it stands in `report.chapters`, in reading order. The page runs no script but its own: the
content policy names them by hash, so a ``<script>`` inside `html` never runs.
"""

from dataclasses import dataclass

from markupsafe import Markup


@dataclass(frozen=True)
class Section:
    """One chapter: `html` stands below its heading (h3 downwards); figures are `figures.figure_html`."""

    key: str  # its anchor: letters, digits and hyphens, unique in the page
    title: str
    html: Markup  # made with Markup.format or a template, so that every value is escaped
    verdict: str | None = None  # an `Outcome`: a badge beside the title
    nav: str | None = None  # a shorter title for the contents list
    under: str | None = None  # key of the chapter it belongs to: indented below it in the contents list
