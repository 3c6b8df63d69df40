"""What a check can say about one problem: nothing (it held), a `Mismatch`, or `Undecided`."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import numpy as np

from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import Expected
from backproof.comparisons.check.subject.subject import Call, Misbehaviour
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.scratch.architecture import Array, Weights

REPEATED = 1e-12  # of its size an answer may differ from the class's own to the same question


class Mismatch(Exception):  # noqa: N818 - a finding about the class, not an error of ours
    """One sentence of what does not hold; where one was made, the comparison; and the calls that show it."""

    def __init__(self, text: str, verdict: Verdict | None = None, calls: Sequence[Call] = ()) -> None:
        super().__init__(text)
        self.text = text
        self.verdict = verdict
        self.calls = calls


class Undecided(Exception):  # noqa: N818 - an answer, not an error
    """The bound of this problem is too wide to tell right from wrong."""


@contextmanager
def only_refused(what: str) -> Iterator[None]:
    """A class that raises here refuses what it is given: nothing was computed wrongly, and that is said."""
    try:
        yield
    except Misbehaviour as finding:
        if finding.kind != "raised":
            raise
        raise Misbehaviour("declined", f"{what} are refused: {finding.text}") from finding


def require_a_loss(candidate: Candidate) -> None:
    """A step that returns no loss offers none; neither does a network of which no cost is named."""
    if candidate.silent:
        told = "step returns no loss" if candidate.form.step else "no cost is named that tells its loss"
        raise Misbehaviour("declined", told)


def require(what: str, verdict: Verdict, calls: Sequence[Call] = ()) -> None:
    """Raise Mismatch or Undecided unless the verdict is PASS."""
    if verdict.outcome == Outcome.FAIL:
        raise Mismatch(f"{what}: {told(verdict)}", verdict, calls)
    if verdict.outcome == Outcome.INCONCLUSIVE:
        raise Undecided(verdict.reason)


def told(verdict: Verdict) -> str:
    """The verdict's reason, with as many digits as it takes to see that two numbers differ."""
    found, expected = verdict.found, verdict.expected
    short = f"found {found:.9g}, expected {expected:.9g}"
    if f"{found:.9g}" != f"{expected:.9g}" or found == expected:
        return verdict.reason
    return verdict.reason.replace(short, f"found {found!r}, expected {expected!r}")


def require_gradient(expected: Expected, gradient: Weights, what: str = "gradient") -> None:
    require(what, expected.judge(flat_gradient(gradient)))


def require_loss(expected: Expected, loss: float, what: str = "loss") -> None:
    require(what, compare_scalar(loss, expected.loss, what))


def require_logits(expected: Expected, logits: Array, what: str = "logits") -> None:
    names = namer(what, logits.shape[1])
    require(what, compare(logits, expected.outputs.value, expected.outputs.error, names))


def namer(what: str, columns: int) -> Callable[[int], str]:
    """Names of the entries of a matrix, by their place in C order."""
    return lambda index: f"{what}[{index // columns}, {index % columns}]"


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
