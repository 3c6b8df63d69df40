"""Why a loss is wrong: a law, a constant in the logarithm, a penalty, another softmax, an overflow."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType

import numpy as np
from scipy.special import log_softmax

from backproof.comparisons.check.conditions import only_where
from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import Mistake
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.forms.laws import PENALTY, fitting
from backproof.comparisons.check.results import Cause

IN_LOSS_ONLY = "is in the loss and missing from the gradient"
IN_BOTH = "is in the loss, and so in its gradient: ours has no penalty"
CONSTANT = 1e-2  # of a loss: more than a constant in the logarithm explains in ordinary cases


@dataclass(frozen=True)
class LossFindings:
    """Causes by loss; and of the softmax's mistakes those that explain a loss as well as its gradient."""

    causes: dict[str, Cause]
    shared: dict[str, Mistake]


def loss_findings(
    observations: Sequence[Observation], wrong: bool, overflows: Mapping[str, Cause] = MappingProxyType({})
) -> LossFindings:
    """One cause per loss that is wrong; `wrong`: the check of the loss has failed.

    What of a loss that overflows is finite is looked at as if it did not; its overflow is told where there
    is nothing else.
    """
    found = LossFindings({}, {})
    for loss in dict.fromkeys(o.loss_name for o in observations):
        mine = [o for o in observations if o.loss_name == loss]
        if loss in overflows:
            mine = [o for o in mine if np.isfinite(o.loss)]
            found.causes[loss] = (_cause(mine, found) if wrong else None) or overflows[loss]
            continue
        cause = _cause(mine, found) if wrong or _endless(mine) else None
        if cause is not None:
            found.causes[loss] = cause
    for loss, cause in found.causes.items():
        about = "softmax" if loss in found.shared else cause.about or f"loss {loss}"
        found.causes[loss] = replace(cause, about=about)
    return _merged(found, observations)


def _endless(observations: Sequence[Observation]) -> list[Observation]:
    return [o for o in observations if not np.isfinite(o.loss)]


def _cause(mine: Sequence[Observation], found: LossFindings) -> Cause | None:
    loss, endless = mine[0].loss_name, _endless(mine)
    if mine and all(np.isnan(o.loss) for o in mine):
        return Cause("the loss is NaN in every case", "fits")
    if endless:
        rest = [o.problem for o in mine if np.isfinite(o.loss)]
        where = only_where([o.problem for o in endless], rest)
        return Cause(_overflow(endless, where), "fits" if where else "describes")
    wrong = [o for o in mine if o.loss_wrong]
    if not wrong:
        return None
    for mistake in output_mistakes():
        if mistake.only == loss and mistake.loss is not None and _explains(mistake, mine):
            found.shared[loss] = mistake
            return Cause(mistake.sentence, "explains")
    ratios = [
        (o.loss / float(o.right.loss.value), o.problem) for o in mine if float(o.right.loss.value) > 1e-6
    ]
    law = fitting(ratios)
    if law is not None and not law.is_one:
        return Cause(f"the loss is {law} times ours, and its gradient does not follow", "explains")
    told = _penalty(mine) or _with_the_others(mine)
    if told:
        return Cause(told, "explains")
    return _described(mine, wrong)


def _overflow(endless: Sequence[Observation], where: str) -> str:
    loss = endless[0].loss_name
    logits = max(float(np.abs(o.zs[-1]).max()) for o in endless)
    what = {
        "cross_entropy": "exp(z) overflows, or log(0) is taken: shift the softmax by the largest logit",
        "binary_cross_entropy": "exp overflows, or log(0) is taken: use the loss on logits",
    }.get(loss, "an overflow")
    return f"the loss is not finite for logits of {logits:.3g}: {what}{f' ({where})' if where else ''}"


def _explains(mistake: Mistake, mine: Sequence[Observation]) -> bool:
    """Up to a constant inside the logarithm, which may stand beside it; and ours does not explain as much."""
    assert mistake.loss is not None
    calm = [o for o in mine if o.family != "saturated" and o.n > 1]
    predicted = [mistake.loss(o) for o in calm]
    close = [
        abs(o.loss - p) <= 1e-4 * (1 + abs(p)) for o, p in zip(calm, predicted, strict=True) if np.isfinite(p)
    ]
    ours = [abs(o.loss - float(o.right.loss.value)) <= 1e-4 * (1 + abs(o.loss)) for o in calm]
    return len(close) == len(calm) > 0 and all(close) and not all(ours)


def _penalty(mine: Sequence[Observation]) -> str:
    """lambda/2 |W|^2 in the loss alone."""
    calm = [o for o in mine if o.family == "generic"]
    for biases in (False, True):
        rates = []
        for o in calm:
            arrays = [a for W, b in o.problem.weights for a in ((W, b) if biases else (W,))]
            rates.append(
                (o.loss - float(o.right.loss.value)) / (sum(float((a**2).sum()) for a in arrays) / 2)
            )
        for over_n in (False, True):
            scaled = [rate * (o.n if over_n else 1) for rate, o in zip(rates, calm, strict=True)]
            least, rtol = PENALTY[calm[0].problem.architecture.dtype] if calm else (0.0, 0.0)
            if scaled and abs(scaled[0]) > least and np.allclose(scaled, scaled[0], rtol=rtol, atol=0):
                written = f"lambda = {scaled[0]:.6g}{'/N' if over_n else ''}"
                what = "all parameters" if biases else "W"
                return f"lambda/2 |{what}|^2 ({written}) {IN_LOSS_ONLY}"
    return ""


def _with_the_others(mine: Sequence[Observation]) -> str:
    """The binary cross-entropy of every probability of a softmax, by some law."""
    calm = [o for o in mine if o.family == "generic" and o.k > 1]
    if not calm or calm[0].loss_name != "cross_entropy":
        return ""
    ratios = []
    for o in calm:
        logs = log_softmax(o.logits, axis=1)
        label = np.eye(o.k, dtype=bool)[o.problem.targets]
        terms = np.where(label, -logs, -np.log(-np.expm1(logs)))
        ratios.append((o.loss / float(terms.sum(axis=1).mean()), o.problem))
    law = fitting(ratios)
    if law is None:
        return ""
    times = "" if law.is_one else f", {law} times as large as a mean over the examples"
    return (
        "the loss adds -log(1 - p) of the other outputs to -log p of the label: a binary cross-entropy of "
        f"the softmax's probabilities{times}"
    )


def _described(mine: Sequence[Observation], wrong: Sequence[Observation]) -> Cause:
    right = [o for o in mine if not o.loss_wrong]
    where = only_where([o.problem for o in wrong], [o.problem for o in right])
    tail = f" ({where})" if where else ""
    smaller = all(o.loss < float(o.right.loss.value) for o in wrong)
    if smaller and all(o.family == "saturated" for o in wrong):
        return Cause("large logits are clipped or capped: the loss is too small there" + tail, "fits")
    if smaller and mine[0].loss_name in ("cross_entropy", "binary_cross_entropy"):
        ordinary = [o for o in wrong if o.family == "generic" and float(o.right.loss.value) > 1e-9]
        off = max((abs(o.loss / float(o.right.loss.value) - 1) for o in ordinary), default=0.0)
        if off < CONSTANT:
            return Cause(
                "the loss is a little too small: a constant inside the logarithm, log(p + eps)?" + tail,
                "fits",
            )
    return Cause(f"the {mine[0].loss_name.replace('_', ' ')} loss is wrong" + tail, "describes")


def _merged(found: LossFindings, observations: Sequence[Observation]) -> LossFindings:
    """A cause that only some losses have is told with their names."""
    losses = list(dict.fromkeys(o.loss_name for o in observations))
    texts: dict[str, list[str]] = {}
    for loss, cause in found.causes.items():
        texts.setdefault(cause.sentence, []).append(loss)
    named = {}
    for loss, cause in found.causes.items():
        mine = texts[cause.sentence]
        tail = "" if len(mine) == len(losses) or loss in found.shared else f" (with {_names(mine)})"
        named[loss] = replace(cause, sentence=cause.sentence + tail)
    return LossFindings(named, found.shared)


def _names(losses: Sequence[str]) -> str:
    return " and ".join(f"loss={loss!r}" for loss in losses)
