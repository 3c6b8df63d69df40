"""Conventions of a loss, found by its numbers: a law of N and K, a constant in the logarithm, a penalty.

A law is the class's own only where its gradient follows it; where the last layer's gradient is exactly ours,
the loss alone is out of step, and that is a mistake.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy.optimize import brentq

from backproof.comparisons.check.forms.expected import (
    Convention,
    Conventions,
    Expected,
    capped_loss,
    forward_logits,
)
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import CLOSE, LAWS, PENALTY, Law, fitting
from backproof.scratch.architecture import Array
from backproof.scratch.problem import Problem

SMALLEST, LARGEST = 1e-30, 1e-2  # constants that people put inside a logarithm
# Relative difference up to which two gradients are taken for one.
SAME = {"float64": 1e-6, "float32": 1e-4}


@dataclass(frozen=True)
class Answered:
    """One evaluation, and what ours would have been. `loud`: logits so large that a constant shows."""

    problem: Problem
    loss: float
    gradient: Array
    right: Expected
    loud: bool
    form: Form

    @property
    def last_weight(self) -> slice:
        return self.problem.architecture.layer_slices()[-1][0]


def find_conventions(answers: Sequence[Answered], held: set[str], slope_at_zero: float) -> Conventions:
    """Per loss, except those `held` to our definition."""
    losses = dict.fromkeys(answer.problem.architecture.loss for answer in answers)
    found: dict[str, Convention] = {
        loss: convention
        for loss in losses
        if loss not in held
        for convention in [_of([a for a in answers if a.problem.architecture.loss == loss])]
        if not convention.is_ours
    }
    return Conventions(found, slope_at_zero)


def _of(answers: Sequence[Answered]) -> Convention:
    for search in (_law, _capped, _penalised):
        convention = search(answers)
        if convention is not None:
            return convention
    return Convention()


def _ratio(answer: Answered) -> float:
    return answer.loss / float(answer.right.loss.value)


def _quiet(answers: Sequence[Answered]) -> list[Answered]:
    return [a for a in answers if not a.loud and float(a.right.loss.value)]


def _law(answers: Sequence[Answered]) -> Convention | None:
    """Every loss is ours by one law; where it is ours itself, there is nothing to find."""
    law = fitting([(_ratio(a), a.problem) for a in _quiet(answers) if float(a.right.loss.value) > 1e-6])
    if law is None:
        return None
    if _is_ours(answers) and not law.is_one:
        return Convention()
    # A constant in the logarithm may be too small to show but where the logits are large.
    capped = _capped(answers) if any(not _explains_law(a, law) for a in answers) else None
    if capped and not _is_written(capped.shift + capped.clip) and all(_may_be(a, law) for a in answers):
        return Convention(law)
    return capped or Convention(law)


def _explains_law(answer: Answered, law: Law) -> bool:
    value = law.at(answer.problem) * float(answer.right.loss.value)
    return abs(answer.loss - value) <= CLOSE[answer.problem.architecture.dtype] * (1 + abs(value))


def _may_be(answer: Answered, law: Law) -> bool:
    """By this law alone, up to the rounding that a right loss may have: of 1 - p it loses every digit."""
    off = abs(answer.loss - law.at(answer.problem) * float(answer.right.loss.value))
    return off <= 4 * law.at(answer.problem) * float(answer.right.loss.error) or _explains_law(answer, law)


def _is_written(constant: float) -> bool:
    """A power of ten, as people write such a constant."""
    return constant == float(10.0 ** round(np.log10(constant)))


def _is_ours(answers: Sequence[Answered]) -> bool:
    """Is the last layer's gradient exactly ours, while the loss is not?"""
    return bool(answers) and all(_same(a, 1.0) for a in _quiet(answers))


def _same(answer: Answered, factor: float, added: float = 0.0) -> bool:
    part = answer.last_weight
    W = answer.problem.weights[-1][0].ravel()
    right = factor * answer.right.gradient.value[part] + added * W
    slack = SAME[answer.problem.architecture.dtype] * np.abs(right).max()
    return bool(np.abs(answer.gradient[part] - right).max() <= slack)


def _capped(answers: Sequence[Answered]) -> Convention | None:
    """log(p + shift) or a clip, times a plain law; told by the loud answers, held by all."""
    if not answers or answers[0].problem.architecture.loss not in ("cross_entropy", "binary_cross_entropy"):
        return None
    if answers[0].right.reference is None and answers[0].right.scale != 1.0:
        return None
    for law in LAWS:
        for name in ("shift", "clip"):
            constant = _constant(answers, law, name)
            if constant is None:
                continue
            convention = Convention(law, **{name: constant})  # type: ignore[arg-type]  # shift or clip
            if all(_explains(a, convention) for a in answers):
                return _with_gradient(convention, answers)
    return None


def _constant(answers: Sequence[Answered], law: Law, name: str) -> float | None:
    """The constant that gives the answer in which it shows most."""
    loud = max(answers, key=lambda a: abs(_ratio(a) / law.at(a.problem) - 1) if a.right.loss.value else 0.0)
    z, wanted = forward_logits(loud.problem, loud.form), loud.loss / law.at(loud.problem)

    def gap(exponent: float) -> float:
        constants = {"shift": 0.0, "clip": 0.0, name: 10.0**exponent}
        return capped_loss(loud.problem, z, constants["shift"], constants["clip"]) - wanted

    low, high = np.log10(SMALLEST), np.log10(LARGEST)
    if not np.isfinite(wanted) or gap(low) * gap(high) > 0:
        return None
    found = 10.0 ** float(brentq(gap, low, high, xtol=1e-13))
    rounded = float(10.0 ** round(np.log10(found)))
    return rounded if abs(found / rounded - 1) < 1e-2 else found


def _explains(answer: Answered, convention: Convention) -> bool:
    z = forward_logits(answer.problem, answer.form)
    value = convention.factor.at(answer.problem) * capped_loss(
        answer.problem, z, convention.shift, convention.clip
    )
    close = CLOSE[answer.problem.architecture.dtype]
    slack = close * (1 + abs(value)) + 1.1 * convention.clip * convention.factor.at(answer.problem)
    return abs(answer.loss - value) <= slack


def _with_gradient(convention: Convention, answers: Sequence[Answered]) -> Convention:
    """Does the gradient follow the constant too? Told where it is nearer to that than to p - t."""
    loud = [a for a in answers if a.loud] or list(answers)
    if convention.clip:
        zeros = [
            not a.gradient[a.last_weight].any() and a.right.gradient.value[a.last_weight].any() for a in loud
        ]
        return replace(convention, exact=bool(zeros) and all(zeros))
    shares = []
    for a in loud:
        part = a.last_weight
        plain = a.right.gradient.value[part] * convention.factor.at(a.problem)
        size = float(plain @ plain)
        shares.append(float(a.gradient[part] @ plain) / size if size else 1.0)
    return replace(convention, exact=bool(shares) and min(shares) < 0.5 and convention.shift > 0)


def _penalised(answers: Sequence[Answered]) -> Convention | None:
    """factor ours + lambda/2 |W|^2, lambda constant or over N, the biases in it or not."""
    for law in LAWS:
        for on_biases in (False, True):
            rates = [
                (a.loss - law.at(a.problem) * float(a.right.loss.value)) / _half_square(a.problem, on_biases)
                for a in answers
                if not a.loud
            ]
            for per_example in (False, True):
                scaled = [
                    rate * (a.problem.batch_size if per_example else 1)
                    for rate, a in zip(rates, [a for a in answers if not a.loud], strict=True)
                ]
                least, rtol = PENALTY[answers[0].problem.architecture.dtype]
                if scaled and scaled[0] > least and np.allclose(scaled, scaled[0], rtol=rtol, atol=0):
                    rate = _written(float(np.median(scaled)), rtol / 1e3)
                    convention = Convention(law, 0.0, 0.0, False, rate, per_example, on_biases)
                    return None if _lacks_penalty(answers, convention) else convention
                if scaled and scaled[0] > 1e-6 and np.allclose(scaled, scaled[0], rtol=1e-2, atol=0):
                    rate = float(f"{np.median(scaled):.3g}")
                    both = _beside_constant(
                        answers, Convention(law, 0.0, 0.0, False, rate, per_example, on_biases)
                    )
                    if both is not None:
                        return both
    return None


def _written(rate: float, rtol: float) -> float:
    """The short number that somebody wrote: a difference of losses has lost the digits behind it."""
    short = float(f"{rate:.{2 if rtol > 1e-6 else 6}g}")
    return short if abs(rate / short - 1) < rtol else rate


def _beside_constant(answers: Sequence[Answered], convention: Convention) -> Convention | None:
    """The penalty with a constant inside the logarithm beside it."""
    bare = [
        replace(
            a,
            loss=a.loss
            - convention.penalty_at(a.problem) * _half_square(a.problem, convention.penalty_on_biases),
        )
        for a in answers
    ]
    capped = _capped(bare)
    if capped is None or capped.factor != convention.factor or _lacks_penalty(answers, convention):
        return None
    return replace(convention, shift=capped.shift, clip=capped.clip)


def _half_square(problem: Problem, biases: bool) -> float:
    arrays = [a for W, b in problem.weights for a in ((W, b) if biases else (W,))]
    return sum(float((a.astype(np.float64) ** 2).sum()) for a in arrays) / 2


def _lacks_penalty(answers: Sequence[Answered], convention: Convention) -> bool:
    return all(_same(a, convention.factor.at(a.problem)) for a in _quiet(answers))
