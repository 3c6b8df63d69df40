"""The comparison on the page: each side's chain of tensors as a strip, the first red one told in words."""

from markupsafe import Markup

from backproof.comparisons.compare import strip, words
from backproof.comparisons.compare.result import Compared, Comparison, Link, Side
from backproof.comparisons.drawing import markup
from backproof.comparisons.drawing.chapter import Section

MOST_SHOWN = 5  # problems with a difference, of one side


def build(found: Comparison | None) -> Section | None:
    """None where nothing was compared."""
    if found is None:
        return None
    pieces = [Markup("<p>{}</p>").format(words.answer(found))]
    pieces += [Markup("<p>{}.</p>").format(line) for line in words.tallies(found)]
    pieces += [Markup('<p class="note">{}</p>').format(strip.HOW_TO_READ)] * bool(found.problems)
    pieces += [_side(found, i) for i in (0, 1) if not found.campaign or words.failures(found, i)]
    return Section(
        "compare", "Where do they part?", markup.join(pieces), found.verdict, nav="Two implementations"
    )


def _side(found: Comparison, i: int) -> Markup:
    told = [Markup("<li>Note: {}</li>").format(reason) for reason in words.refused(found.problems, i)]
    causes = words.causes(words.failures(found, i))
    told = [Markup("<li><strong>Cause: {}</strong></li>").format(cause) for cause in causes] + told
    return Markup("<h3>{}</h3><p>{}.</p>{}{}").format(
        found.names[i],
        words.summary(found, i),
        Markup("<ul>{}</ul>").format(markup.join(told)) if told else "",
        markup.join(_problem(one, i, is_open=k == 0) for k, one in enumerate(_shown(found, i))),
    )


def _shown(found: Comparison, i: int) -> list[Compared]:
    """The problems in which this side differs; where it never does, the first that it answered."""
    wrong = [one for one in found.problems if one.sides[i].first]
    return wrong[:MOST_SHOWN] or [one for one in found.problems if one.sides[i].links][:1]


def _problem(one: Compared, i: int, *, is_open: bool) -> Markup:
    """Its strip, and the first difference in numbers. Steps of training are folded where all of them hold."""
    side = one.sides[i]
    first = side.first
    says = f"{one.problem}: {f'the first that differs is {first.tensor}' if first else 'within rounding'}"
    return Markup("<details{}><summary>{}</summary>{}{}{}</details>").format(
        Markup(" open") if is_open else "", says, _details(first) if first else "", _rows(side, steps=False),
        _rows(side, steps=True),
    )  # fmt: skip


def _rows(side: Side, *, steps: bool) -> Markup:
    """The pass forward and backward, or the steps of training."""
    links = [link for link in side.links if (": " in link.tensor) is steps]
    if not links:
        return Markup("")
    pictures = markup.join(strip.picture(title, row, side.first) for title, row in strip.rows(links))
    drawn = Markup('<div class="strips">{}</div>').format(pictures)
    if not steps:
        return drawn
    return Markup("<details{}><summary>{} tensors after steps of training</summary>{}</details>").format(
        Markup(" open") if side.first in links else "", len(links), drawn
    )


def _details(first: Link) -> Markup:
    """The worst entry of the first tensor that differs."""
    facts = [("First that differs", first.tensor)]
    if first.found == first.found:  # a wrong shape has no entry to name
        facts += [
            ("Its worst entry", f"{first.worst}: found {first.found:.9g}, expected {first.expected:.9g}"),
            ("Off by", f"{first.error:.3g}, {words.size(first)}"),
            ("Allowed", f"{first.bound:.3g}"),
        ]
    facts += [("Cause", cause) for cause in first.causes]
    pairs = markup.join(Markup("<dt>{}</dt><dd>{}</dd>").format(*fact) for fact in facts)
    return Markup('<dl class="facts">{}</dl>').format(pairs)
