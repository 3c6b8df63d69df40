"""A class's own earlier answers, to hold its later ones against: they need not be right, only the same.

The same question may be rounded otherwise a second time (another memory layout, another path), so answers
are the same within twice the rounding bound of a right class, and REPEATED times their own size.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.battery.findings import REPEATED, Undecided, namer, require
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.subject.subject import Call
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Array
from backproof.scratch.problem import Problem


@dataclass(frozen=True)
class Answers:
    """What a class said of one problem. What was not asked is None."""

    problem: Problem
    logits: Array | None = None
    loss: float | None = None
    gradient: Array | None = None


def ask(candidate: Candidate, problem: Problem, what: Sequence[str] = ("logits", "gradient")) -> Answers:
    """The network is loaded already."""
    logits = loss = gradient = None
    if "logits" in what and candidate.offers("logits"):
        logits = candidate.logits(problem.x)
    if "gradient" in what and candidate.offers("loss_and_gradient"):
        loss, layers = candidate.loss_and_gradient(problem.x, problem.targets)
        gradient = flat_gradient(layers)
    return Answers(problem, logits, loss, gradient)


def ask_afresh(
    candidate: Candidate, problem: Problem, what: Sequence[str] = ("logits", "gradient")
) -> Answers:
    """A fresh instance's answers; `candidate.calls` then holds these calls alone."""
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    return ask(candidate, problem, what)


def require_same_answers(
    candidate: Candidate, found: Answers, own: Answers, when: str, calls: Sequence[Call] = ()
) -> None:
    """Raise Mismatch where `found` is not what the class said before; nothing is asked of NaN."""
    right = candidate.expected(own.problem)
    if right.undecided:
        raise Undecided("a kink can be taken either way")
    name = own.problem.architecture.parameter_name
    if own.logits is not None and found.logits is not None:
        bound = _allowed(own.logits, right.outputs)
        names = namer("logits", own.logits.shape[1])
        require(f"logits {when}", compare(*_finite(found.logits, own.logits), bound, names), calls)
    if own.loss is not None and found.loss is not None and np.isfinite(own.loss):
        losses = np.array([found.loss]), np.array([own.loss])
        bound = _allowed(losses[1], right.loss)
        require(f"loss {when}", compare(*losses, bound, lambda _: "loss"), calls)
    if own.gradient is not None and found.gradient is not None:
        bound = _allowed(own.gradient, right.gradient)
        pair = _finite(found.gradient, own.gradient)
        require(f"gradient {when}", compare(*pair, bound, name, right.tensors), calls)


def _finite(found: Array, own: Array) -> tuple[Array, Array]:
    """Both, with what was not finite before left out of the comparison."""
    known = np.isfinite(own)
    return np.where(known, found, 0.0), np.where(known, own, 0.0)


def _allowed(own: Array, right: Bounded) -> Array:
    size = float(np.abs(own[np.isfinite(own)]).max(initial=0.0))
    scale = max(1.0, size / max(float(np.abs(right.value).max()), 1e-300))
    unit = 1.0 if own.dtype == np.float64 else float(np.finfo(np.float32).eps / np.finfo(np.float64).eps)
    spread = np.where(np.isfinite(right.error), right.error, 0.0).reshape(own.shape)
    allowed: Array = 2 * scale * spread + REPEATED * unit * size
    return allowed
