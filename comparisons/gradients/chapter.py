"""Same maths: every gradient check with its error, the bound derived for it, and the worst entry by name."""

import math
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.gradients.result import Check, Gradients, NotCompared
from backproof.comparisons.gradients.words import compared, ordered, share
from backproof.comparisons.verdicts.outcome import Outcome

SHOWN = 5  # rows of the table before the rest folds away, more where some did not pass:
SHOWN_TROUBLED = 12
COLUMNS = ("Verdict", "Compared", "Largest error", "Bound", "Of the bound", "Resolution", "Worst entry")


def build(part: Gradients | None) -> Section | None:
    """None where no gradient was checked."""
    if part is None or not part.checks:
        return None
    checks = ordered(part.compared)
    html = markup.join([_introduction(part), _figure(checks), _tables(checks, part.absent)])
    return Section("gradients", "Same maths?", html, part.verdict)


def _introduction(part: Gradients) -> Markup:
    verdicts = [check.verdict for check in part.compared]
    counts = formats.listed(
        [
            f"{verdicts.count(word)} {word}"
            for word in (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE)
            if word in verdicts
        ]
    )
    entries = sum(check.n_compared for check in part.compared)
    of_entries = f" of {formats.count(entries)} gradient entries" if entries else ""
    return Markup(
        "<p>{} checks{}: {}. Each entry of each gradient is checked against a bound derived for that very "
        "case from the rounding and truncation of both sides, not against a fixed tolerance. PASS: inside. "
        "FAIL: outside. INCONCLUSIVE: the bound is too wide to say. The resolution is the smallest relative "
        "error that the check could have seen.</p>"
    ).format(formats.count(len(verdicts)), of_entries, counts or "none")


def _figure(checks: list[Check]) -> Markup:
    drawn = [c for c in checks if c.bound > 0 and math.isfinite(c.max_error)]
    if not drawn:
        return Markup('<p class="note">No check gave both an error and a bound to draw.</p>')
    errors, bounds = [c.max_error for c in drawn if c.max_error > 0], [c.bound for c in drawn]
    left, right = min(bounds) / 5, max(bounds) * 5
    low, high = min([*errors, left]) / 5, max([*errors, right]) * 5
    fig = go.Figure(layout={"height": 440})
    fig.add_scatter(
        x=[left, right], y=[left, right], mode="lines", name="error = bound",
        line={"color": figures.REFERENCE, "dash": "dash", "width": 1.5}, hoverinfo="skip",
    )  # fmt: skip
    for contender in dict.fromkeys(check.contender for check in drawn):
        fig.add_trace(_dots([c for c in drawn if c.contender == contender], contender, low))
    fig.update_xaxes(
        type="log", range=[math.log10(left), math.log10(right)], title="bound derived for the check"
    )
    fig.update_yaxes(type="log", range=[math.log10(low), math.log10(high)], title="largest error found")
    over = sum(check.max_error > check.bound for check in drawn)
    return figures.figure_html(
        fig,
        "One point per check: the largest error of its entries against the bound derived for it. Below the "
        "dashed line a check passes. An error of exactly zero is drawn hollow at the lower edge.",
        f"Scatter of error against bound for {len(drawn)} checks; {over} lie above the line "
        "where the error equals the bound.",
        title=_takeaway(drawn, over),
    )


def _takeaway(drawn: list[Check], over: int) -> str:
    n = formats.count(len(drawn))
    if over:
        return f"{formats.count(over)} of {n} errors lie above their bound"
    closest = max(used for check in drawn if (used := check.used) is not None)
    return f"All {n} errors lie below their bound; the closest uses {share(closest)} of it"


def _dots(checks: list[Check], contender: str, low: float) -> go.Scatter:
    symbol = figures.symbol(contender)
    return go.Scatter(
        x=[check.bound for check in checks],
        y=[check.max_error or low * 1.3 for check in checks],
        mode="markers",
        name=figures.plain(formats.label(contender)),
        marker={
            "color": figures.colour(contender),
            "size": 9,
            "symbol": [symbol if check.max_error else f"{symbol}-open" for check in checks],
        },
        text=[_hover(check) for check in checks],
        hovertemplate="%{text}<br>error %{y:.2g}, bound %{x:.2g}<extra></extra>",
    )


def _hover(check: Check) -> str:
    what = f"{compared(check)}, {check.architecture}"
    return figures.plain(f"{what}, worst {check.worst}" if check.worst else what)


def _tables(checks: list[Check], absent: list[NotCompared]) -> Markup:
    """What did not pass, or what came closest to that; the rest is folded away."""
    rows = [*map(_row, checks), *map(_absent_row, absent)]
    troubled = sum(check.verdict != Outcome.PASS for check in checks)
    shown = min(troubled, SHOWN_TROUBLED) or SHOWN
    text = (0, 1, 6)
    if len(rows) <= shown + 3:
        return markup.table(COLUMNS, rows, "Every check", text)
    caption = f"The {shown} checks that come closest to their bound"
    if troubled:
        caption = f"{troubled} check{'s' * (troubled != 1)} that did not pass"
        caption += f", the worst {shown}" if shown < troubled else ""
    return Markup("{}<details><summary>All {} checks</summary>{}</details>").format(
        markup.table(COLUMNS, rows[:shown], caption, text),
        formats.count(len(rows)),
        markup.table(
            COLUMNS, rows, "Every check: failed, undecided, then the closest to its bound first", text
        ),
    )


def _absent_row(check: NotCompared) -> list[Any]:
    why = markup.absent(f"not offered: {check.not_offered}")
    return [why, _pair(check), *[formats.ABSENT] * 5]


def _pair(check: Check | NotCompared, reason: str = "") -> Markup:
    """Who was compared with whom, on which network, and what was wrong there."""
    pair = Markup('{}<br><span class="note">{}</span>').format(compared(check), check.architecture)
    return pair + Markup('<br><strong class="reason">{}</strong>').format(reason) if reason else pair


def _row(check: Check) -> list[Any]:
    return [
        markup.badge(check.verdict),
        _pair(check, check.reason),
        *(formats.known(value) for value in (check.max_error, check.bound)),
        share(check.used),
        formats.known(check.resolution),
        Markup("<code>{}</code>").format(check.worst) if check.worst else formats.ABSENT,
    ]
