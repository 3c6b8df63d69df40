"""The small pictures of the first screen: errors on a strip, differences in their band, ratios in theirs.

Scalable vector graphics, drawn here because they are a few circles and lines each: they are on the screen
with the words, need no script, and change their colours with the reader's screen by CSS.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

from markupsafe import Markup

from backproof.comparisons.accuracy.result import AccuracyResult
from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.drawing import figures, formats
from backproof.comparisons.drawing.markup import join
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.speed import ratios
from backproof.comparisons.speed.result import SpeedResult

WIDTH = 300.0
MARGIN = 12.0
LETTERS = 11  # size of the labels


def _paint(colour: str) -> str:
    """The colour on light paper and its partner on dark."""
    return f"light-dark({colour},{figures.DARK.get(colour, colour)})"


def _svg(height: float, says: str, pieces: Iterable[Markup]) -> Markup:
    return Markup(
        '<svg class="picture" viewBox="0 0 {width:g} {height:g}" role="img" aria-label="{says}">{body}</svg>'
    ).format(width=WIDTH, height=height, says=says, body=join(pieces))


def _line(
    x: tuple[float, float], y: tuple[float, float], colour: str, width: float, dash: str = ""
) -> Markup:
    dashed = Markup(' stroke-dasharray="{}"').format(dash) if dash else ""
    return Markup(
        '<line x1="{:.1f}" x2="{:.1f}" y1="{:.1f}" y2="{:.1f}" style="stroke:{}" stroke-width="{:g}"{}/>'
    ).format(*x, *y, _paint(colour), width, dashed)


def _dot(x: float, y: float, contender: str, says: str) -> Markup:
    """The contender's own marker, as in every figure."""
    paint, shape = _paint(figures.colour(contender)), figures.symbol(contender)
    title = Markup("<title>{}</title>").format(says) if says else Markup("")
    if shape == "circle":
        return Markup('<circle cx="{:.1f}" cy="{:.1f}" r="4" style="fill:{}">{}</circle>').format(
            x, y, paint, title
        )
    corners = {
        "diamond": ((0, -5), (5, 0), (0, 5), (-5, 0)),
        "square": ((-4, -4), (4, -4), (4, 4), (-4, 4)),
        "triangle-up": ((0, -5), (5, 4), (-5, 4)),
    }.get(shape, ((-5, -3), (-3, -5), (5, 3), (3, 5)))
    points = " ".join(f"{x + dx:.1f},{y + dy:.1f}" for dx, dy in corners)
    return Markup('<polygon points="{}" style="fill:{}">{}</polygon>').format(points, paint, title)


def _band(x1: float, x2: float, height: float, colour: str) -> Markup:
    left, width = min(x1, x2), abs(x2 - x1)
    return Markup(
        '<rect x="{:.1f}" y="0" width="{:.1f}" height="{:.1f}" style="fill:{}" opacity="0.16"/>'
    ).format(left, width, height, _paint(colour))


def _label(x: float, y: float, text: str, anchor: str = "middle") -> Markup:
    return Markup(
        '<text x="{:.1f}" y="{:.1f}" text-anchor="{}" font-size="{}" style="fill:{}">{}</text>'
    ).format(x, y, anchor, LETTERS, _paint(figures.MUTED), text)


class _Axis:
    """A horizontal axis from low to high; what lies beyond is drawn at its end."""

    def __init__(self, low: float, high: float) -> None:
        self.low, self.high = low, high

    def __call__(self, value: float) -> float:
        share = (min(max(value, self.low), self.high) - self.low) / (self.high - self.low)
        return MARGIN + share * (WIDTH - 2 * MARGIN)


# --- same maths: every error on a strip that ends at its bound ---------------------------------------------


def errors_strip(part: Gradients) -> Markup:
    """One dot per check, at error / bound on a logarithmic axis; right of the line at 1 a check fails."""
    used = [(check.contender, check.used) for check in part.compared if check.used is not None]
    if not used:
        return Markup("")
    axis, base = _Axis(-4.0, 2.0), 46.0
    stacks: dict[int, list[Markup]] = {}
    placed = [(axis(math.log10(share) if share > 0 else -math.inf), who, share) for who, share in used]
    tallest = max(Counter(round(x / 8) for x, _, _ in placed).values())
    step = min(9.0, (base - 9) / max(1, tallest - 1))  # as far apart as the tallest stack allows
    for x, contender, share in sorted(placed, key=lambda dot: dot[2]):
        stack = stacks.setdefault(round(x / 8), [])
        says = f"{formats.label(contender)}: {share:.2g} of the bound"
        stack.append(_dot(x, base - 5 - len(stack) * step, contender, says))
    dots = [dot for stack in stacks.values() for dot in stack]
    over = sum(share > 1 for _, share in used)
    return _svg(
        62,
        f"Errors as shares of their bounds: {over} of {len(used)} lie beyond it.",
        [
            _band(axis(0.0), WIDTH, base, figures.BAD),
            _line((0, WIDTH), (base, base), figures.GRID, 1),
            _line((axis(0.0), axis(0.0)), (0, base), figures.BAD, 2, "4 3"),
            *dots,
            _label(0, base + 13, "≤ 0.01%", "start"),
            _label(axis(-2.0), base + 13, "1%"),
            _label(axis(0.0), base + 13, "the bound"),
            _label(WIDTH, base + 13, "≥ 100 ×", "end"),
        ],
    )


# --- same accuracy: each difference and its interval in the band of the margin -----------------------------


def difference_band(found: AccuracyResult) -> Markup:
    """One line per contender: the mean difference with its interval, in the band that counts as equal."""
    margin = found.margin_points
    drawn = {
        name: (cell.difference_points, cell.ci90 or (cell.difference_points, cell.difference_points))
        for name, cell in found.compared.items()
        if math.isfinite(cell.difference_points)
    }
    if not drawn:
        return Markup("")
    reach = max(
        [2 * margin, *(min(abs(end), 4 * margin) * 1.15 for _, ends in drawn.values() for end in ends)]
    )
    axis, rows = _Axis(-reach, reach), _rows(len(drawn))
    lines = []
    for y, (name, (middle, (low, high))) in zip(rows, drawn.items(), strict=True):
        colour = figures.colour(name)
        lines.append(_line((axis(low), axis(high)), (y, y), colour, 3))
        lines.append(_dot(axis(middle), y, name, f"{formats.label(name)}: {formats.points(middle)} points"))
    base, narrow = rows[-1] + 12, axis(margin) - axis(0.0) < 45  # pixels, for a label between two others
    return _svg(
        base + 16,
        "Differences of accuracy with their intervals, against the margin that counts as equal.",
        [
            _band(axis(-margin), axis(margin), base, figures.GOOD),
            _line((axis(0.0), axis(0.0)), (0, base), figures.REFERENCE, 1),
            _line((0, WIDTH), (base, base), figures.GRID, 1),
            *lines,
            _label(axis(-margin), base + 13, f"−{margin:g}", "end" if narrow else "middle"),
            *([] if narrow else [_label(axis(0.0), base + 13, "equal")]),
            _label(axis(margin), base + 13, f"+{margin:g} points", "start" if narrow else "middle"),
        ],
    )


def _rows(n: int) -> list[float]:
    return [12.0 + 14 * i for i in range(n)]


# --- how fast: each ratio of each case with its interval, against the noise --------------------------------


def ratio_rows(part: SpeedResult) -> Markup:
    """One row per case and contender: the time ratio with its interval, on a logarithmic axis around 1."""
    found = [
        (name, ratio, case.noise.floor if case.noise else math.nan)
        for case in part.cases
        for name in ratios.names(part)
        if (ratio := ratios.ratio(case, name)) is not None and ratio.median > 0
    ]
    if not found:
        return Markup("")
    ends = [math.log2(end) for _, ratio, _ in found for end in ratios.drawn(ratio)]
    reach = max(0.5, *(min(abs(end), 6.0) for end in ends)) * 1.1
    axis, rows = _Axis(-reach, reach), [8.0 + 9 * i for i in range(len(found))]
    floors = [math.log2(floor) for _, _, floor in found if floor >= 1]
    base = rows[-1] + 9
    lines = []
    for y, (name, ratio, _) in zip(rows, found, strict=True):
        low, high = (math.log2(end) for end in ratios.drawn(ratio))
        says = f"{formats.label(name)}: {ratios.said(ratio)}"
        lines.append(_line((axis(low), axis(high)), (y, y), figures.colour(name), 3))
        lines.append(_dot(axis(math.log2(ratio.median)), y, name, says))
    noise = [_band(axis(-max(floors)), axis(max(floors)), base, figures.REFERENCE)] if floors else []
    return _svg(
        base + 16,
        f"{len(found)} time ratios with their intervals, against the noise floor around 1.",
        [
            *noise,
            _line((axis(0.0), axis(0.0)), (0, base), figures.REFERENCE, 1),
            _line((0, WIDTH), (base, base), figures.GRID, 1),
            *lines,
            *_around_one(axis, base + 13),
        ],
    )


def _around_one(axis: _Axis, y: float) -> Sequence[Markup]:
    """1 and the largest round factor that the axis reaches on both sides."""
    factor = max(f for f in (1.1, 1.2, 1.25, 1.3, 1.5, 2, 3, 4, 8, 16, 32, 64) if math.log2(f) <= axis.high)
    far = math.log2(factor)
    return [
        _label(axis(-far), y, f"÷ {factor:g}"),
        _label(axis(0.0), y, "equal"),
        _label(axis(far), y, f"× {factor:g}"),
    ]


def legend(contenders: Iterable[str]) -> Markup:
    """The markers of the contenders, with their names."""
    return join(
        Markup('<span><svg viewBox="-7 -7 14 14" width="14" height="14">{}</svg> {}</span>').format(
            _dot(0, 0, name, ""), "NumPy network" if name == SCRATCH else formats.label(name)
        )
        for name in contenders
    )
