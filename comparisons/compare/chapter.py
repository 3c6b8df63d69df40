"""The comparison on the page: each side's chain of tensors as a strip, the first red one told in words."""

import math

from markupsafe import Markup

from backproof.comparisons.compare import words
from backproof.comparisons.compare.result import Comparison, Link, Side
from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.verdicts.outcome import Outcome

WIDTH, HEIGHT, TOP = 10, 60, 8  # of one tensor, in units of the strip's own
DECADES = 6  # shown below the bound


def build(found: Comparison | None) -> Section | None:
    """None where nothing was compared."""
    if found is None:
        return None
    pieces = [Markup("<p>{}</p>").format(words.answer(found))]
    pieces += [Markup("<p>{}.</p>").format(line) for line in words.tallies(found)]
    pieces += [_side(found, i) for i in (0, 1) if not found.campaign or words.failures(found, i)]
    return Section(
        "compare", "Where do they part?", markup.join(pieces), found.verdict, nav="Two implementations"
    )


def _side(found: Comparison, i: int) -> Markup:
    firsts = words.failures(found, i)
    shown = next(
        (one for one in found.problems if one.sides[i].first), found.problems[0] if found.problems else None
    )
    strip = _strip(shown.sides[i], shown.problem) if shown and shown.sides[i].links else Markup("")
    told = [
        Markup("<li>First difference: {}</li>").format(words.first_difference(*first)) for first in firsts[:3]
    ]
    told += [Markup("<li><strong>Cause: {}</strong></li>").format(cause) for cause in words.causes(firsts)]
    told += [Markup("<li>Not offered: {}</li>").format(reason) for reason in words.refused(found.problems, i)]
    return Markup("<h3>{}</h3><p>{}.</p><ul>{}</ul>{}").format(
        found.names[i], words.summary(found, i), markup.join(told), strip
    )


def _strip(side: Side, problem: str) -> Markup:
    """One bar a tensor, in the order in which they are computed: the error on a log scale below its bound."""
    bars = markup.join(_bar(k, link) for k, link in enumerate(side.links))
    width = WIDTH * len(side.links)
    label = f"Error of each tensor of {side.name} against its bound, {problem}"
    frame = Markup('viewBox="0 0 {w} {h}" width="{w}" height="{h}"').format(w=width, h=HEIGHT)
    bound = Markup(
        '<line x1="0" x2="{}" y1="{}" y2="{}" stroke="currentColor" stroke-dasharray="3 2"/>'
    ).format(width, TOP, TOP)
    return Markup(
        '<figure><div class="scroll" role="region" tabindex="0" aria-label="{label}">'
        '<svg role="img" aria-label="{label}" {frame}>{bound}{bars}</svg></div><figcaption>{caption}'
        "</figcaption></figure>"
    ).format(label=label, frame=frame, bound=bound, bars=bars, caption=f"{problem}: {_HOW_TO_READ}")


_HOW_TO_READ = (
    "one bar a tensor, from the first pre-activation to the last step of training. The height is the error "
    "on a logarithmic scale; the dashed line is the bound. A bar that crosses it is a tensor that its own "
    "inputs do not explain."
)


def _bar(k: int, link: Link) -> Markup:
    failed = link.outcome is Outcome.FAIL
    share = link.error / link.bound if link.bound > 0 else (math.inf if link.error > 0 else 0.0)
    decades = (
        max(0.0, DECADES + math.log10(share)) if 0 < share < math.inf else (0.0 if not failed else DECADES)
    )
    height = HEIGHT if failed else min(decades / DECADES, 1.0) * (HEIGHT - TOP)
    colour = "var(--bad)" if failed else "var(--good)"
    return Markup(
        '<rect x="{}" y="{:.1f}" width="{}" height="{:.1f}" fill="{}"><title>{}: {}</title></rect>'
    ).format(
        k * WIDTH, HEIGHT - height, WIDTH - 2, height, colour, link.tensor,
        f"off by {link.roundings:.3g} roundings" if failed else f"{share:.1%} of its bound",
    )  # fmt: skip
