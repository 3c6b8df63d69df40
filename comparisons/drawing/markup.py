"""Small pieces of the page, each of them escaped: badges, tables, commands."""

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from backproof.comparisons.verdicts.outcome import Outcome

MARKS: dict[str, str] = {Outcome.PASS: "✓", Outcome.FAIL: "✗", Outcome.INCONCLUSIVE: "?"}


@lru_cache
def _environment(package: str) -> Environment:
    return Environment(
        loader=PackageLoader(package),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )


def from_template(package: str, name: str, **values: Any) -> Markup:
    """`templates/<name>` of this package with these values, escaped unless Markup.

    It may call `badge` and `command`.
    """
    return Markup(_environment(package).get_template(name).render(badge=badge, command=command, **values))


def badge(verdict: str | None) -> Markup:
    """PASS, FAIL or INCONCLUSIVE as a word with a mark, never as a colour alone; nothing for None."""
    if verdict is None:
        return Markup("")
    kind = verdict.lower() if verdict in MARKS else "other"
    mark = MARKS.get(verdict, "–")
    return Markup('<span class="badge {}"><span aria-hidden="true">{}</span> {}</span>').format(
        kind, mark, verdict
    )


def command(line: str) -> Markup:
    """A command line to copy."""
    return Markup('<code class="command">{}</code>').format(line)


def absent(reason: object) -> Markup:
    """The cell of something that is not there, with the reason: never an empty one."""
    return Markup('<span class="absent">{}</span>').format(str(reason))


def join(pieces: Iterable[Any], separator: str = "") -> Markup:
    """The pieces one after another; whatever is not Markup is escaped."""
    return Markup(separator).join(pieces)


def table(
    columns: Sequence[str], rows: Iterable[Sequence[Any]], caption: str, text_columns: Iterable[int] = (0,)
) -> Markup:
    """A table that scrolls sideways by itself when the screen is narrow.

    Cells that are not Markup are escaped. Columns are numbers, aligned right, except `text_columns`. A
    column called Verdict is shown first, wherever it stands in the rows: a narrow screen shows that one.
    """
    text = frozenset(text_columns)
    order = sorted(range(len(columns)), key=lambda i: columns[i] != "Verdict")

    def cell(tag: str, column: int, value: Any) -> Markup:
        kind = Markup("") if column in text else Markup(' class="number"')
        scope = Markup(' scope="col"') if tag == "th" else Markup("")
        return Markup("<{0}{1}{2}>{3}</{0}>").format(Markup(tag), scope, kind, value)

    head = join(cell("th", i, columns[i]) for i in order)
    body = join(Markup("<tr>{}</tr>").format(join(cell("td", i, row[i]) for i in order)) for row in rows)
    return Markup(
        '<div class="scroll" role="region" tabindex="0" aria-label="{caption}"><table>'
        "<caption>{caption}</caption><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    ).format(caption=escape(caption), head=head, body=body)
