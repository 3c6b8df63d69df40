"""A verdict as people read it: plain text, Markdown, and HTML with a small picture, for notebooks and CI.

The picture is one line of a logarithmic axis, relative to the size of the worst entry:

    ├────────────▇▇▇▇▇▇▇▇▇▇●▇▇▇▇▇▇▇┊──────────────┤      ▇ up to the bound   ● the error   ┊ the resolution
    1e-18                                          1

A dot inside the bar is inside its bound; an error of a whole tensor beyond the dotted line would have been
seen.
"""

from collections.abc import Mapping, Sequence
from html import escape
from math import isfinite, log10
from typing import Protocol

from backproof.comparisons.verdicts.cause import Cause, told
from backproof.comparisons.verdicts.outcome import Outcome

COLOURS = {Outcome.PASS: "#1a7f4e", Outcome.FAIL: "#b42318", Outcome.INCONCLUSIVE: "#8a6100"}
COLUMNS = ("tensor", "verdict", "worst entry", "error", "bound", "resolution")
LEAST, MOST = -18.0, 0.0  # of the axis: powers of ten
WIDTH, HEIGHT = 180, 14  # pixels


class Figures(Protocol):
    """What of a verdict is shown."""

    @property
    def outcome(self) -> Outcome: ...
    @property
    def error(self) -> float: ...
    @property
    def bound(self) -> float: ...
    @property
    def resolution(self) -> float: ...
    @property
    def worst(self) -> str: ...
    @property
    def reason(self) -> str: ...
    @property
    def found(self) -> float: ...
    @property
    def expected(self) -> float: ...
    @property
    def causes(self) -> Sequence[Cause]: ...


def line(verdict: Figures) -> str:
    """The verdict in one line, as ``repr`` shows it.

    Parameters
    ----------
    verdict
        Of a whole gradient or of one tensor.

    Returns
    -------
    str
        Without a line's end.
    """
    return f"<{_said(verdict)}>"


def _said(verdict: Figures) -> str:
    return f"{verdict.outcome}: {verdict.reason}{told(verdict.causes)}"


def text(whole: Figures, tensors: Mapping[str, Figures]) -> str:
    """The reason, then a line for each tensor, the worst first; as an assertion says it.

    Parameters
    ----------
    whole
        The verdict on the whole gradient.
    tensors
        Those on its tensors, by name; left out where there is one alone.

    Returns
    -------
    str
        One line or more, the last without an end.
    """
    lines = [_said(whole)]
    if len(tensors) > 1:
        width = max(map(len, tensors))
        lines += [f"  {name:<{width}}  {_said(verdict)}" for name, verdict in _worst_first(tensors)]
    return "\n".join(lines)


def markdown(whole: Figures, tensors: Mapping[str, Figures]) -> str:
    """A table of the tensors, the worst first, below the reason.

    Parameters
    ----------
    whole
        The verdict on the whole gradient.
    tensors
        Those on its tensors, by name.

    Returns
    -------
    str
        With a line's end; no text in it can break the table.
    """
    rows = [_cells(name, verdict) for name, verdict in _worst_first(tensors)]
    table = [COLUMNS, ("---",) * len(COLUMNS), *rows]
    drawn = ["| " + " | ".join(_plain(cell) for cell in row) + " |" for row in table]
    said = [f"**{whole.outcome}**: {_plain(whole.reason)}", ""]
    if whole.causes:
        said += [*(f"- {_plain(str(cause))}" for cause in whole.causes), ""]
    return "\n".join([*said, *drawn, ""])


def html(whole: Figures, tensors: Mapping[str, Figures]) -> str:
    """The same as HTML, with a picture of every tensor; all of it escaped, nothing fetched.

    Parameters
    ----------
    whole
        The verdict on the whole gradient.
    tensors
        Those on its tensors, by name.

    Returns
    -------
    str
        One div.
    """
    head = "".join(f"<th>{escape(title)}</th>" for title in (*COLUMNS, "on a logarithmic axis"))
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(name, verdict))
        + f"<td>{picture(verdict)}</td></tr>"
        for name, verdict in _worst_first(tensors)
    )
    colour = COLOURS[whole.outcome]
    causes = "".join(f"<li>{escape(str(cause))}</li>" for cause in whole.causes)
    return (
        f'<div><strong style="color: {colour}">{escape(whole.outcome)}</strong>: {escape(whole.reason)}'
        + (f"<ul>{causes}</ul>" if causes else "")
        + f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table></div>"
    )


def picture(verdict: Figures) -> str:
    """Error, bound and resolution of the worst entry as a line of SVG; only what is a number is drawn.

    Parameters
    ----------
    verdict
        Of one tensor.

    Returns
    -------
    str
        One svg element, which says the same in words.
    """
    size = max((abs(x) for x in (verdict.expected, verdict.found) if isfinite(x)), default=0.0)
    bound, error = (_place(x / size) if size else None for x in (verdict.bound, verdict.error))
    resolution, middle = _place(verdict.resolution), HEIGHT / 2
    parts = [f'<line x1="0" x2="{WIDTH}" y1="{middle}" y2="{middle}" stroke="#9aa4b2"/>']
    if bound is not None:
        parts.append(f'<rect x="0" y="{middle - 3}" width="{bound:.1f}" height="6" fill="#9aa4b2"/>')
    if resolution is not None:
        x = f"{resolution:.1f}"
        parts.append(
            f'<line x1="{x}" x2="{x}" y1="0" y2="{HEIGHT}" stroke="#5b6675" stroke-dasharray="2 2"/>'
        )
    if error is not None:
        parts.append(f'<circle cx="{error:.1f}" cy="{middle}" r="3.5" fill="{COLOURS[verdict.outcome]}"/>')
    label = escape(_described(verdict), quote=True)
    return f'<svg width="{WIDTH}" height="{HEIGHT}" role="img" aria-label="{label}">{"".join(parts)}</svg>'


def _described(verdict: Figures) -> str:
    return (
        f"{verdict.outcome}: error {verdict.error:.1e} and bound {verdict.bound:.1e} "
        f"where {verdict.expected:.1e} was expected; resolution {verdict.resolution:.1e}"
    )


def _place(relative: float) -> float | None:
    """Where a relative size stands on the axis, in pixels; None for what is no number."""
    if not isfinite(relative):
        return None
    power = log10(relative) if relative > 0 else LEAST
    return WIDTH * (min(max(power, LEAST), MOST) - LEAST) / (MOST - LEAST)


def _worst_first(tensors: Mapping[str, Figures]) -> list[tuple[str, Figures]]:
    return sorted(tensors.items(), key=lambda item: item[1].outcome.rank)


def _cells(name: str, verdict: Figures) -> tuple[str, ...]:
    figures = (f"{x:.2g}" if isfinite(x) else "–" for x in (verdict.error, verdict.bound, verdict.resolution))
    return (name, str(verdict.outcome), verdict.worst, *figures)


def _plain(cell: str) -> str:
    """Text that Markdown shows as it stands, in one row of a table."""
    for sign in "\\`*_[]<>|":
        cell = cell.replace(sign, f"\\{sign}")
    return " ".join(cell.split())
