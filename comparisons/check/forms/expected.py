"""What a right class of this form returns: outputs, loss and gradient with bounds, its conventions applied.

Where the form is ours, the derived bounds of `verdicts.network_bounds`, scaled by the loss's law. For other
activations and outputs a running error analysis on absolute values, wider and of the same kind:

    z = a W + b           e_z <= e_a |W| + gamma(k + 2) (|a| |W| + |b|)
    a = f(z)              e_a <= (|f'| + C e_z) e_z + E u (|a| + |z f'|)       C = sup |f''|, E ulps
    delta' = (delta W^T) f'(z), and so on, every product's error by the product rule

The values are taken in float64 by the same formulas, so each bound counts its own rounding twice.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache

import numpy as np
from scipy.special import expit, log_softmax, softmax

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.form import OURS, Form
from backproof.comparisons.check.forms.laws import ONE, Law
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import judge_gradient, tensors
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.scratch.architecture import ACTIVATIONS, Architecture, Array, Flat
from backproof.scratch.problem import Problem

ELEMENTARY = 24.0  # ulps of an elementary function, ours and the class's together
KEPT = 3000  # answers: what is asked of two or three classes
TWICE = 2.5  # our own rounding beside the class's, and a little


@dataclass(frozen=True)
class Convention:
    """How a class's loss differs from ours by a law; its gradient belongs to it.

    factor (mean of -log(p + shift), p clipped to [clip, 1 - clip]) + penalty/2 |W|^2
    """

    factor: Law = ONE
    shift: float = 0.0
    clip: float = 0.0
    exact: bool = False  # the gradient is that of the shifted or clipped loss; else p - t as without it
    penalty: float = 0.0
    penalty_per_example: bool = False  # the penalty is divided by N
    penalty_on_biases: bool = False

    @property
    def is_ours(self) -> bool:
        return self == Convention()

    def penalty_at(self, problem: Problem) -> float:
        return self.penalty / (problem.batch_size if self.penalty_per_example else 1)

    def sentences(self, loss: str) -> list[str]:
        """``the loss is N times ours: a sum where ours is a mean``"""
        name, said = loss, []
        if not self.factor.is_one:
            meaning = _MEANINGS.get((self.factor.examples, self.factor.outputs, self.factor.constant), "")
            said.append(f"its {name} is {self.factor} times ours{meaning}; the gradient belongs to it")
        if self.shift:
            follows = "its own" if self.exact else "that of log(p)"
            said.append(f"its {name} takes log(p + {self.shift:.3g}); the gradient is {follows}")
        if self.clip:
            said.append(f"its {name} clips probabilities at {self.clip:.3g}")
        if self.penalty:
            over = "/N" if self.penalty_per_example else ""
            what = "all parameters" if self.penalty_on_biases else "W"
            said.append(
                f"its {name} holds a penalty lambda/2 |{what}|^2, lambda = {self.penalty:.6g}{over}, "
                "which its gradient is held to"
            )
        return said


def _named(losses: Sequence[str]) -> str:
    *others, last = [loss.replace("_", " ") for loss in losses]
    return f"{', '.join(others)} and {last} each" if others else last


_MEANINGS = {
    (1, 0, 1.0): ": a sum over the examples where ours is a mean",
    (0, 1, 1.0): ": a sum over the outputs where ours is a mean",
    (1, 1, 1.0): ": a sum where ours is a mean",
    (-1, 0, 1.0): ": a mean over the examples where ours is a sum",
    (-1, -1, 1.0): ": a mean where ours is a sum",
    (0, 0, 0.5): ": half the square",
    (0, 1, 0.5): ": half the square, summed over the outputs",
    (1, 1, 0.5): ": half the square, summed",
    (-1, 0, 0.5): ": half the square, averaged over the examples",
}


@dataclass(frozen=True)
class Conventions:
    """One per loss; and the slope of relu at exactly zero, ours being 0."""

    by_loss: Mapping[str, Convention] = field(default_factory=dict)
    slope_at_zero: float = 0.0

    def of(self, problem: Problem) -> Convention:
        return self.by_loss.get(problem.architecture.loss, Convention())

    def sentences(self) -> list[str]:
        said = [
            line
            for convention in dict.fromkeys(self.by_loss.values())
            for line in convention.sentences(_named([n for n, c in self.by_loss.items() if c == convention]))
        ]
        if self.slope_at_zero:
            said.append(
                f"the slope of relu at exactly 0 is {self.slope_at_zero:g}: valid as any in [0, 1]; "
                "ours and torch's is 0"
            )
        return said


@dataclass(frozen=True)
class Expected:
    """What a right class answers; `reference` knows the other sides of kinks where the form is ours."""

    problem: Problem
    outputs: Bounded
    loss: Bounded
    gradient: Bounded
    undecided: bool  # rounding, or a convention, may take a kink either way
    reference: Reference | None = None
    scale: float = 1.0
    lost: Array | None = None  # (n_parameters,) how much of each entry the way it is read cannot show

    def judge(self, found: Flat) -> Verdict:
        """Is `found` this gradient, or one for another side of a kink that rounding may take?"""
        if self.lost is not None:
            right = self.gradient.value
            found = np.where(np.abs(found - right) <= self.lost, right, found)
        if self.reference is not None and self.scale == 1.0:
            return judge_gradient(self.reference, found)
        name = self.problem.architecture.parameter_name
        verdict = compare(found, self.gradient.value, self.gradient.error, name, self.tensors)
        if verdict.outcome != Outcome.FAIL or not self.undecided:
            return verdict
        return replace(verdict, outcome=Outcome.INCONCLUSIVE, reason="a kink can be taken either way")

    @cached_property
    def tensors(self) -> list[slice]:
        return tensors(self.problem.architecture)


@dataclass(frozen=True)
class _Asked:
    """What was asked; equal where the answer is: `numbers` are the bytes of all arrays of the problem."""

    problem: Problem = field(compare=False)
    architecture: Architecture
    numbers: tuple[bytes, ...]
    shape: tuple[int, ...]  # of x
    form: Form
    convention: Convention
    slope_at_zero: float


def expected(problem: Problem, form: Form, conventions: Conventions) -> Expected:
    """For a class of this form with these conventions. Bounds are infinite where overflow is possible.

    Classes of one form are asked the same problems: what was answered once in a process is kept.
    """
    arrays = (problem.x, problem.targets, *(part for pair in problem.weights for part in pair))
    numbers = tuple(array.tobytes() for array in arrays)
    convention, slope = conventions.of(problem), conventions.slope_at_zero
    return _answer(_Asked(problem, problem.architecture, numbers, problem.x.shape, form, convention, slope))


@lru_cache(KEPT)
def _answer(asked: _Asked) -> Expected:
    problem, form, convention = asked.problem, asked.form, asked.convention
    if form.activation in ACTIVATIONS and form.activation != problem.architecture.activation:
        own = replace(problem.architecture, activation=form.activation)
        problem = replace(problem, architecture=own)
    ours = form.is_ours and not convention.exact
    right = _ours(problem) if ours else _general(problem, form, convention)
    if asked.slope_at_zero and problem.architecture.activation == "relu" and right.reference:
        zeros = any((np.abs(z.value) <= z.error).any() for z in right.reference.state.pre_activations)
        right = replace(right, undecided=right.undecided or zeros, scale=np.nan if zeros else right.scale)
    if convention.shift or convention.clip:
        right = replace(right, loss=_capped(problem, right, convention))
    if form.outputs == "probabilities" and problem.architecture.loss == "binary_cross_entropy":
        right = replace(right, loss=_of_complements(problem, right))
    if form.outputs != "logits" and problem.architecture.loss in ("cross_entropy", "binary_cross_entropy"):
        right = replace(right, outputs=_probabilities(problem, right.outputs, form))
    if not convention.is_ours:
        right = _scaled(problem, right, convention)
    return right if form.biases != "none" else _without_biases(problem, right)


def _without_biases(problem: Problem, right: Expected) -> Expected:
    there = np.ones(right.gradient.value.size)
    for _, bias in problem.architecture.layer_slices():
        there[bias] = 0.0
    gradient = Bounded(right.gradient.value * there, right.gradient.error * there)
    return replace(right, gradient=gradient, scale=np.nan)


def _ours(problem: Problem) -> Expected:
    reference = backprop_reference(
        problem.architecture, problem.weights, problem.x, problem.targets, order="any"
    )
    loss = Bounded(np.asarray(reference.loss.value), np.asarray(reference.loss.error))
    undecided = bool(reference.undecided)
    return Expected(problem, reference.logits, loss, reference.gradient, undecided, reference)


def _scaled(problem: Problem, right: Expected, convention: Convention) -> Expected:
    unit = _unit(problem)
    factor, rate = convention.factor.at(problem), convention.penalty_at(problem)
    flat = np.concatenate(
        [
            part.ravel() * keep
            for pair in problem.weights
            for part, keep in zip(pair, (1, convention.penalty_on_biases), strict=True)
        ]
    ).astype(np.float64)
    penalty = rate / 2 * float(flat @ flat)
    value = right.loss.value * factor + penalty
    error = right.loss.error * abs(factor) + unit * (
        8 * abs(right.loss.value * factor) + (flat.size + 8) * penalty
    )
    gradient = right.gradient.value * factor + rate * flat
    spread = right.gradient.error * abs(factor)
    if factor != 1.0 or rate:
        spread = spread + 6 * unit * (np.abs(right.gradient.value * factor) + np.abs(rate * flat))
    return replace(
        right,
        loss=Bounded(value, error),
        gradient=Bounded(gradient, spread),
        scale=right.scale if factor == 1.0 and not rate else np.nan,
    )


def _unit(problem: Problem) -> float:
    return float(np.finfo(problem.architecture.dtype).eps) / 2


def log_probabilities(problem: Problem, z: Array) -> tuple[Array, Array]:
    """(log p, weight) of every term -weight log p of the two entropies; both of one shape."""
    if problem.architecture.loss == "cross_entropy":
        terms = log_softmax(z, axis=1)[np.arange(len(z)), problem.targets]
        return terms, np.ones_like(terms)
    t = problem.targets
    return np.array([-np.logaddexp(0.0, -z), -np.logaddexp(0.0, z)]), np.array([t, 1 - t], np.float64)


def capped_loss(problem: Problem, z: Array, shift: float, clip: float) -> float:
    """The mean of -log(p + shift), p clipped to [clip, 1 - clip]."""
    logs, weight = log_probabilities(problem, z)
    with np.errstate(divide="ignore", under="ignore"):
        p = np.exp(logs)
        terms = -np.log1p(shift / p) - logs if shift and (p > shift).all() else -np.log(p + shift)
        if clip:
            terms = -np.clip(logs, np.log(clip), np.log1p(-clip))
    weighted = np.multiply(weight, terms, out=np.zeros_like(terms), where=weight != 0)
    return float(weighted.sum() / problem.targets.size)


def forward_logits(problem: Problem, form: Form = OURS) -> Array:
    """The forward pass in float64, without bounds: what the entropies are taken of."""
    function = ACTIVATION_FUNCTIONS[form.activation or problem.architecture.activation]
    a: Array = problem.x.astype(np.float64)
    for layer, (W, b) in enumerate(problem.weights):
        z = a @ W + b
        a = function.value(z) if layer + 1 < len(problem.weights) else z
    if problem.architecture.loss.endswith("cross_entropy") and form.output_activation in ("sigmoid", "tanh"):
        a = ACTIVATION_FUNCTIONS[form.output_activation].value(a)
    return a


def _capped(problem: Problem, right: Expected, convention: Convention) -> Bounded:
    z = right.reference.logits.value if right.reference else right.outputs.value
    value = capped_loss(problem, z, convention.shift, convention.clip)
    size = 1 + abs(value) + float(np.abs(z).max()) + z.shape[1]
    # Of a clip, only the lower end may be there: the upper one is worth log(1 - clip).
    error = float(right.loss.error) + 64 * _unit(problem) * size + 1.1 * convention.clip
    return Bounded(np.asarray(value), np.asarray(error))


def _of_complements(problem: Problem, right: Expected) -> Bounded:
    """1 - p is off by a unit of 1, and so log(1 - p) by u / (1 - p)."""
    z = right.reference.logits.value if right.reference else right.outputs.value
    logs, weight = log_probabilities(problem, z)
    with np.errstate(over="ignore"):
        lost = 4 * _unit(problem) * float((weight * np.exp(-logs)).sum()) / problem.targets.size
    return Bounded(right.loss.value, right.loss.error + lost)


def _probabilities(problem: Problem, z: Bounded, form: Form) -> Bounded:
    unit, cross = _unit(problem), problem.architecture.loss == "cross_entropy"
    p = softmax(z.value, axis=1) if cross else expit(z.value)
    # Each exponent may be off by its z's error and by |z| u; a quotient of sums by as much again.
    off = z.error + (np.abs(z.value) + ELEMENTARY + z.value.shape[1]) * unit
    if cross:
        off = off + off.max(axis=1, keepdims=True)
    tiny = float(np.finfo(problem.architecture.dtype).tiny)
    with np.errstate(over="ignore"):
        spread = np.minimum(TWICE * p * np.expm1(np.minimum(off, 700.0)), 1.0) + tiny
    if form.outputs == "probabilities":
        return Bounded(p, spread)
    logs = log_softmax(z.value, axis=1) if cross else -np.logaddexp(0.0, -z.value)
    return Bounded(logs, TWICE * off + ELEMENTARY * unit * np.abs(logs))


# -- other activations, outputs, and losses with their own gradient


@dataclass(frozen=True)
class _Pass:
    activations: list[Bounded]
    slopes: list[Bounded]
    z: Bounded
    undecided: bool


def _product(left: Bounded, right: Bounded, unit: float) -> Bounded:
    error = left.error * (np.abs(right.value) + right.error) + np.abs(left.value) * right.error
    return Bounded(left.value * right.value, error + TWICE * unit * np.abs(left.value * right.value))


def _matrix(left: Bounded, right: Bounded, unit: float) -> Bounded:
    size = np.abs(left.value) @ np.abs(right.value)
    carried = left.error @ (np.abs(right.value) + right.error) + np.abs(left.value) @ right.error
    return Bounded(left.value @ right.value, carried + TWICE * unit * (left.value.shape[1] + 3) * size)


def _forward(problem: Problem, form: Form, unit: float) -> _Pass:
    function = ACTIVATION_FUNCTIONS[form.activation or problem.architecture.activation]
    activations, slopes, undecided = [Bounded.exact(problem.x)], [], False
    for layer, (W, b) in enumerate(problem.weights):
        z = _matrix(activations[-1], Bounded.exact(W), unit)
        z = Bounded(z.value + b, z.error + TWICE * unit * (np.abs(z.value) + np.abs(b)))
        if layer + 1 == len(problem.weights):
            break
        a, slope = function.value(z.value), function.slope(z.value)
        moved = (np.abs(slope) + function.curvature * z.error) * z.error
        # 0.1: two units of 1, for a sigmoid that is taken as (1 + tanh) / 2
        rounded = ELEMENTARY * unit * (np.abs(a) + np.abs(z.value * slope) + 0.1)
        if function.kink:
            undecided |= bool((np.abs(z.value) <= z.error).any())
            moved = z.error
        activations.append(Bounded(a, moved + rounded))
        bend = function.curvature * z.error + ELEMENTARY * unit * (1 + np.abs(slope) + np.abs(z.value))
        slopes.append(Bounded(slope, bend if function.curvature else unit * np.abs(slope)))
    return _Pass(activations, slopes, z, undecided)


def _general(problem: Problem, form: Form, convention: Convention) -> Expected:
    unit = _unit(problem)
    run = _forward(problem, form, unit)
    outputs, loss, delta = _loss(problem, form, convention, run.z)
    parts: list[Bounded] = []
    for layer in reversed(range(len(problem.weights))):
        summed = delta.value.sum(axis=0)
        spread = delta.error.sum(axis=0) + TWICE * unit * len(problem.x) * np.abs(delta.value).sum(axis=0)
        parts = [_matrix(run.activations[layer].T, delta, unit), Bounded(summed, spread), *parts]
        if layer:
            upstream = _matrix(delta, Bounded.exact(problem.weights[layer][0].T), unit)
            delta = _product(upstream, run.slopes[layer - 1], unit)
    tiny = float(np.finfo(problem.architecture.dtype).tiny)
    value = np.concatenate([part.value.ravel() for part in parts])
    error = np.concatenate([part.error.ravel() for part in parts]) + tiny
    return Expected(problem, outputs, loss, Bounded(value, error), run.undecided)


def _loss(
    problem: Problem, form: Form, convention: Convention, z: Bounded
) -> tuple[Bounded, Bounded, Bounded]:
    """Outputs, loss and dL/dz."""
    if problem.architecture.loss in ("cross_entropy", "binary_cross_entropy"):
        return _entropy_of_outputs(problem, form, convention, z)
    unit, t = _unit(problem), problem.targets.astype(np.float64)
    o = _output(form.output_activation, z, unit)
    if form.output_activation != "identity":  # which may underflow
        o = Bounded(o.value, o.error + float(np.finfo(problem.architecture.dtype).tiny))
    count = o.value.size if problem.architecture.loss == "mse" else 1
    gap = Bounded(o.value - t, o.error + TWICE * unit * np.abs(o.value - t))
    squares = gap.value**2
    error = (2 * np.abs(gap.value) + gap.error) * gap.error + TWICE * unit * (squares.size + 4) * squares
    loss = Bounded(np.asarray(squares.sum() / count), np.asarray(error.sum() / count))
    pull = Bounded(2 * gap.value / count, (2 * gap.error + 4 * unit * np.abs(gap.value)) / count)
    return o, loss, _through_output(form.output_activation, o, pull, unit)


def _entropy_of_outputs(
    problem: Problem, form: Form, convention: Convention, z: Bounded
) -> tuple[Bounded, Bounded, Bounded]:
    """The logits are o = f(z) where the last layer has an activation f as well."""
    if form.output_activation == "identity":
        return z, *_entropy(problem, convention, z)
    unit = _unit(problem)
    o = _output(form.output_activation, z, unit)
    loss, pull = _entropy(problem, convention, o)
    return o, loss, _through_output(form.output_activation, o, pull, unit)


def _entropy(problem: Problem, convention: Convention, z: Bounded) -> tuple[Bounded, Bounded]:
    unit, cross = _unit(problem), problem.architecture.loss == "cross_entropy"
    value = capped_loss(problem, z.value, 0.0, 0.0)
    off = z.error + (np.abs(z.value) + ELEMENTARY + z.value.shape[1]) * unit
    loss = Bounded(np.asarray(value), np.asarray(2 * float(off.max()) + ELEMENTARY * unit * (1 + abs(value))))
    p = softmax(z.value, axis=1) if cross else expit(z.value)
    t = np.eye(p.shape[1])[problem.targets] if cross else problem.targets.astype(np.float64)
    keep = np.ones_like(p)
    if convention.exact:
        keep = kept(p, t, convention, cross)
    spread = 2 * (off + (off.max(axis=1, keepdims=True) if cross else 0.0)) * (p * (1 - p) + unit)
    count = problem.targets.size
    delta = Bounded(keep * (p - t) / count, keep * (spread + 8 * unit * (p + np.abs(p - t))) / count)
    return loss, delta


def kept(p: Array, t: Array, convention: Convention, cross: bool) -> Array:
    """What is left of p - t once the shift or the clip inside the logarithm is differentiated too."""
    if cross:
        label = (p * t).sum(axis=1, keepdims=True)
        if convention.clip:
            inside: Array = (label > convention.clip) & (label < 1 - convention.clip)
            return inside * np.ones_like(p)
        return np.broadcast_to(label / (label + convention.shift), p.shape)
    if convention.clip:
        within: Array = (p > convention.clip) & (p < 1 - convention.clip)
        return within.astype(np.float64)
    e = convention.shift
    exact = -t * p * (1 - p) / (p + e) + (1 - t) * p * (1 - p) / (1 - p + e)
    share: Array = np.divide(exact, p - t, out=np.ones_like(p), where=p != t)
    return share


def _output(name: str, z: Bounded, unit: float) -> Bounded:
    if name == "softmax":
        p = softmax(z.value, axis=1)
        off = z.error.max(axis=1, keepdims=True) + (np.abs(z.value) + ELEMENTARY + p.shape[1]) * unit
        return Bounded(p, 2 * p * (off + off.max(axis=1, keepdims=True)))
    function = ACTIVATION_FUNCTIONS[name]
    slope = function.slope(z.value)
    error = (np.abs(slope) + function.curvature * z.error) * z.error
    a = function.value(z.value)
    return Bounded(a, error + ELEMENTARY * unit * (np.abs(a) + np.abs(z.value * slope) + 0.1))


def _through_output(name: str, o: Bounded, pull: Bounded, unit: float) -> Bounded:
    """dL/dz of dL/do."""
    if name == "identity":
        return pull
    if name == "softmax":  # p (e - e.p)
        mean = (pull.value * o.value).sum(axis=1, keepdims=True)
        size = np.abs(pull.value) + (np.abs(pull.value) * o.value).sum(axis=1, keepdims=True)
        spread = pull.error + (pull.error * o.value + np.abs(pull.value) * o.error).sum(axis=1, keepdims=True)
        error = o.value * spread + o.error * size + ELEMENTARY * unit * o.value * size
        return Bounded(o.value * (pull.value - mean), error)
    slope = o.value * (1 - o.value) if name == "sigmoid" else 1 - o.value**2
    bend = Bounded(slope, 2 * o.error + ELEMENTARY * unit)
    return _product(pull, bend, unit)
