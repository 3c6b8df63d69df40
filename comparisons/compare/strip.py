"""The chain of tensors as a strip: a bar a tensor, its error over its bound on a logarithmic axis.

A strip is cut into rows that fit a telephone's screen and stand side by side on a wide one: the pass forward
and backward, then each step of training. Every row has its own axis.
"""

import math
from collections.abc import Sequence
from itertools import groupby

from markupsafe import Markup

from backproof.comparisons.compare.result import Link
from backproof.comparisons.drawing import markup
from backproof.comparisons.verdicts.outcome import Outcome

PER_ROW = 16  # tensors: a row of them is 284 pixels wide
PITCH, BAR = 15, 10  # from one bar to the next, and its width
LEFT, TOP, BOTTOM = 40, 22, 52  # room for the axis, the mark of the first difference, short names of tensors
LONGEST = 24  # characters
LETTER = 6.2  # of a name: its width
DECADES = 4  # shown below the bound and above it
DECADE = 12  # its height
HEIGHT = 2 * DECADES * DECADE

PASS_NAME = "forward and backward"
COLOURS = {Outcome.PASS: "var(--good)", Outcome.FAIL: "var(--bad)", Outcome.INCONCLUSIVE: "var(--unsure)"}
TICKS = ((-DECADES, "10⁻⁴"), (0, "1"), (DECADES, "10⁴"))

HOW_TO_READ = (
    "One bar a tensor, in the order in which they are computed. Axis: error / bound, logarithmic, from "
    "1/10,000 of the bound to 10,000 times it. A bar above the line at 1 is a tensor that its own inputs do "
    "not explain; one with an arrow goes on beyond the axis."
)


def rows(links: Sequence[Link]) -> list[tuple[str, list[Link]]]:
    """(what it is, its tensors): the pass, then step by step, none longer than PER_ROW."""
    found = []
    for name, members in groupby(links, key=_part):
        group = list(members)
        n_rows = math.ceil(len(group) / PER_ROW)
        size = math.ceil(len(group) / n_rows)
        parts = [group[i * size : (i + 1) * size] for i in range(n_rows)]
        numbers = [""] if n_rows == 1 else [f", {i} of {n_rows}" for i in range(1, n_rows + 1)]
        found += [(name + number, part) for number, part in zip(numbers, parts, strict=True)]
    return found


def _part(link: Link) -> str:
    return link.tensor.rpartition(": ")[0] or PASS_NAME


def share(link: Link) -> float:
    """Error / bound; infinity where a shape is wrong or a number is none."""
    if math.isnan(link.error) or math.isnan(link.bound):
        return math.inf
    if link.bound > 0:
        return link.error / link.bound
    return math.inf if link.error > 0 else 0.0


def picture(title: str, links: Sequence[Link], first: Link | None) -> Markup:
    """One row. The first tensor that differs is marked where it stands in it."""
    longest = max(len(_name(link)) for link in links)
    width, height = LEFT + PITCH * len(links) + 4, TOP + HEIGHT + max(BOTTOM, round(LETTER * longest) + 12)
    off = [link.tensor for link in links if link.outcome is Outcome.FAIL]
    says = (
        f"Error / bound, {title}: {', '.join(off)} above 1" if off else f"Error / bound, {title}: all below 1"
    )
    bars = markup.join(_bar(k, link, link is first) for k, link in enumerate(links))
    return Markup(
        '<figure><figcaption>{title}</figcaption><svg role="img" aria-label="{says}" '
        'viewBox="0 0 {w} {h}" width="{w}" height="{h}">{axis}{bars}</svg></figure>'
    ).format(title=title, says=says, w=width, h=height, axis=_axis(width), bars=bars)


def _axis(width: int) -> Markup:
    """Three ticks with their numbers; the line at 1 is drawn through."""
    return markup.join(
        Markup(
            '<line x1="{}" x2="{}" y1="{y}" y2="{y}" stroke="{}"{}/>'
            '<text x="{}" y="{}" text-anchor="end">{}</text>'
        ).format(
            LEFT - 4, width, "var(--ink)" if not decade else "var(--line)",
            Markup(' stroke-width="1.5"') if not decade else "", LEFT - 7, _height(decade) + 4, label,
            y=_height(decade),
        )
        for decade, label in TICKS
    )  # fmt: skip


def _height(decade: float) -> float:
    """Where on the page 10^decade stands; what is beyond the axis stands at its end."""
    inside = max(-DECADES, min(DECADES, decade))
    return TOP + HEIGHT / 2 - inside * DECADE


def _bar(k: int, link: Link, is_first: bool) -> Markup:
    x, size = LEFT + k * PITCH, share(link)
    decade = math.log10(size) if size > 0 else -math.inf
    top = min(_height(decade), TOP + HEIGHT - 1.5)  # an error of zero is seen as a line
    middle, colour = x + BAR / 2, COLOURS[link.outcome]
    arrow = Markup('<path d="M{} {}h{}l{} -6z" fill="{}"/>').format(x, TOP, BAR, -BAR / 2, colour)
    mark = Markup('<text x="{}" y="{}" text-anchor="middle" class="off">✗ first</text>').format(
        middle, TOP - 9
    )
    return Markup(
        '<g><title>{told}</title><rect x="{x}" y="{top:.1f}" width="{w}" height="{h:.1f}" fill="{colour}"/>'
        '{arrow}{mark}<text transform="translate({along:.1f} {below}) rotate(-90)" text-anchor="end"{kind}>'
        "{name}</text></g>"
    ).format(
        told=_told(link), x=x, top=top, w=BAR, h=TOP + HEIGHT - top, colour=colour,
        arrow=arrow if decade > DECADES else "", mark=mark if is_first else "", along=middle + 4,
        below=TOP + HEIGHT + 6, kind=Markup(' class="off"') if link.outcome is Outcome.FAIL else "",
        name=_name(link),
    )  # fmt: skip


def _name(link: Link) -> str:
    """Without the step that it belongs to; the end of one that is too long for a strip."""
    name = link.tensor.rpartition(": ")[2]
    return name if len(name) <= LONGEST else f"…{name[-LONGEST + 1 :]}"


def _told(link: Link) -> str:
    if link.outcome is Outcome.FAIL:
        return f"{link.tensor}: off by {link.roundings:.3g} roundings"
    if link.outcome is Outcome.INCONCLUSIVE:
        return f"{link.tensor}: undecided"
    return f"{link.tensor}: {share(link):.1%} of its bound"
