"""What a check can say about one case: nothing (it held), a `Mismatch`, or `Undecided`."""

import numpy as np

from backproof.comparisons.check.battery.cases import Case
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.scratch.architecture import Array, Weights


class Mismatch(Exception):  # noqa: N818 - a finding about the subject, not an error of ours
    """One sentence of what does not hold, and where a comparison found it, the comparison."""

    def __init__(self, text: str, verdict: Verdict | None = None) -> None:
        super().__init__(text)
        self.text = text
        self.verdict = verdict


class Undecided(Exception):  # noqa: N818 - an answer, not an error
    """The bound of this case is too wide to tell right from wrong."""


def reference_of(case: Case) -> Reference:
    """What any correct implementation returns, forward mode and loops included, with bounds."""
    return backprop_reference(case.architecture, case.weights, case.x, case.targets, order="any")


def require(what: str, verdict: Verdict) -> None:
    """Raise Mismatch or Undecided unless the verdict is PASS."""
    if verdict.outcome == Outcome.FAIL:
        raise Mismatch(f"{what}: {verdict.reason}", verdict)
    if verdict.outcome == Outcome.INCONCLUSIVE:
        raise Undecided(verdict.reason)


def require_gradient(reference: Reference, gradient: Weights, what: str = "gradient") -> None:
    require(what, judge_gradient(reference, flat_gradient(gradient)))


def require_loss(reference: Reference, loss: float, what: str = "loss") -> None:
    require(what, compare_scalar(loss, reference.loss, what))


def require_logits(reference: Reference, logits: Array, what: str = "logits") -> None:
    expected = reference.logits
    outputs = expected.value.shape[1]

    def name(index: int) -> str:
        return f"{what}[{index // outputs}, {index % outputs}]"

    require(what, compare(logits, expected.value, expected.error, name))


def compare_scalar(found: float, expected: Bounded, what: str) -> Verdict:
    return compare(np.array([found]), expected.value.reshape(1), expected.error.reshape(1), lambda _: what)


def require_same_bits(what: str, found: Weights, expected: Weights) -> None:
    """Every array equal bit for bit."""
    for layer, (ours, theirs) in enumerate(zip(found, expected, strict=True), start=1):
        for kind, a, b in zip("Wb", ours, theirs, strict=True):
            if not (a == b).all():
                index = tuple(int(i) for i in next(zip(*(a != b).nonzero(), strict=True)))
                where = f"{kind}{layer}[{', '.join(map(str, index))}]"
                raise Mismatch(f"{what}: {where} is {float(a[index])!r}, expected {float(b[index])!r}")
