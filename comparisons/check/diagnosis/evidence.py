"""What a class answers on a set of telling problems: the evidence that a diagnosis may rest on.

The set varies one thing at a time, so that rival conditions are told apart: a batch of one with several
outputs and one output with several rows; equal widths, and unequal ones with more than two outputs; exact
kinks, inputs that are always zero, saturated logits.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import Convention, Expected, forward_logits
from backproof.comparisons.check.forms.space import Kind
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import Architecture, Array, DtypeName
from backproof.scratch.problem import Problem

# By hidden layers; with a batch size each.
SHAPES: dict[int, tuple[tuple[tuple[int, ...], int], ...]] = {
    0: (((3, 2), 4), ((3, 3), 1), ((4, 1), 3)),
    1: (((3, 4, 2), 5), ((4, 3, 3), 1), ((2, 5, 1), 4), ((3, 3, 3), 2), ((2, 4, 5), 3)),
    2: (((2, 3, 4, 3), 3), ((3, 3, 3, 3), 2), ((2, 4, 3, 2), 1)),
    3: (((3, 4, 2, 3, 2), 3), ((3, 3, 3, 3, 3), 2)),
}
ROUNDING = {"float64": 1e-11, "float32": 1e-5}  # of the gradient's size, beside the bounds


@dataclass(frozen=True)
class Observation:
    """One evaluation: what came (`loss`, flat `gradient`), what belongs there, and the forward pass."""

    problem: Problem
    right: Expected
    loss: float
    gradient: Array
    activation: str
    output_activation: str
    convention: Convention
    family: str = "generic"  # generic | kinks | idle input | saturated
    biases: bool = True  # the class has them

    @cached_property
    def zs(self) -> list[Array]:
        return self._passed[0]

    @cached_property
    def logits(self) -> Array:
        """What the entropies are taken of: z of the last layer, or its activation where it has one."""
        z, name = self.zs[-1], self.output_activation
        return ACTIVATION_FUNCTIONS[name].value(z) if name in ("sigmoid", "tanh") else z

    @cached_property
    def activations(self) -> list[Array]:
        """x, a_1, ..., a_{L-1}"""
        return self._passed[1]

    @cached_property
    def _passed(self) -> tuple[list[Array], list[Array]]:
        function, zs = ACTIVATION_FUNCTIONS[self.activation], []
        activations: list[Array] = [self.problem.x]
        for W, b in self.problem.weights:
            zs.append(activations[-1] @ W + b)
            activations.append(function.value(zs[-1]))
        return zs, activations[:-1]

    @cached_property
    def gradient_wrong(self) -> bool:
        return self.right.judge(self.gradient).outcome == Outcome.FAIL

    @cached_property
    def loss_wrong(self) -> bool:
        off = abs(self.loss - float(self.right.loss.value))
        return not off <= float(self.right.loss.error) + self.rounding

    @property
    def rounding(self) -> float:
        return ROUNDING[self.problem.architecture.dtype]

    @cached_property
    def parts(self) -> list[tuple[slice, slice]]:
        return self.problem.architecture.layer_slices()

    def weight(self, layer: int) -> Array:
        """The found dW of this layer, in its shape."""
        found: Array = self.gradient[self.parts[layer][0]]
        return found.reshape(self.problem.weights[layer][0].shape)

    def bias(self, layer: int) -> Array:
        found: Array = self.gradient[self.parts[layer][1]]
        return found

    @cached_property
    def _errors(self) -> list[tuple[Array, Array]]:
        error = self.right.gradient.error
        return [
            (error[W].reshape(self.problem.weights[i][0].shape), error[b])
            for i, (W, b) in enumerate(self.parts)
        ]

    def is_weight(self, layer: int, predicted: Array) -> bool:
        """Is the found dW this one, up to rounding?"""
        return self._is(self.weight(layer), predicted, self._errors[layer][0])

    def is_bias(self, layer: int, predicted: Array) -> bool:
        return not self.biases or self._is(self.bias(layer), predicted, self._errors[layer][1])

    def _is(self, found: Array, predicted: Array, error: Array) -> bool:
        if predicted.shape != found.shape:
            return False
        largest = float(np.abs(predicted).max())
        grown = max(1.0, largest / max(self._size, 1e-300))
        slack = 4 * grown * error + self.rounding * (self._size + largest)
        return bool((np.abs(found - predicted) <= slack).all())

    @cached_property
    def _size(self) -> float:
        return float(np.abs(self.right.gradient.value).max())

    @property
    def factor(self) -> float:
        """The law of the class's own loss."""
        return self.convention.factor.at(self.problem)

    @property
    def penalty(self) -> float:
        """lambda of the penalty in the class's own loss."""
        return self.convention.penalty_at(self.problem)

    @property
    def bias_penalty(self) -> float:
        return self.penalty if self.convention.penalty_on_biases else 0.0

    @property
    def n(self) -> int:
        return self.problem.batch_size

    @property
    def k(self) -> int:
        return self.problem.architecture.n_outputs

    @property
    def loss_name(self) -> str:
        return self.problem.architecture.loss

    @property
    def depth(self) -> int:
        return len(self.problem.weights)


def observe(explored: Explored, seed: int) -> list[Observation]:
    """The class's answers, each of a fresh instance; problems on which it misbehaves are left out."""
    found = []
    for problem, family in telling_problems(explored, seed):
        try:
            found.append(observed(explored.candidate, problem, family))
        except Misbehaviour as finding:
            if finding.fatal:
                break
    return found


def observed(candidate: Candidate, problem: Problem, family: str = "generic") -> Observation:
    """Raises Misbehaviour."""
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    loss, gradient = candidate.loss_and_gradient(problem.x, problem.targets)
    form, right = candidate.form, candidate.expected(problem)
    activation = form.activation or problem.architecture.activation
    convention = candidate.conventions.of(problem)
    flat, biases = flat_gradient(gradient), form.biases != "none"
    loss = float(right.loss.value) if candidate.silent else loss  # nothing is known against it
    return Observation(
        problem, right, loss, flat, activation, form.output_activation, convention, family, biases
    )


def telling_problems(explored: Explored, seed: int) -> list[tuple[Problem, str]]:
    """See above; in float64 where the class has it."""
    space, found = explored.space, []
    for i, kind in enumerate(space.kinds):
        for j, (sizes, size) in enumerate(SHAPES[kind[2]]):
            architecture = Architecture(sizes, kind[0], kind[1], space.dtype)
            found.append((generic_problem(architecture, size, seed + 10 * i + j, space.biases), "generic"))
    for i, kind in enumerate(_deepest(space.kinds)):
        problem = generic_problem(_architecture(kind, space.dtype), 4, seed + 50 + i, space.biases)
        found += [
            (_at_kinks(problem, seed + i, space.biases), "kinks"),
            (_with_idle_input(problem), "idle input"),
        ]
    for i, loss in enumerate(space.losses[:2]):
        kind = next(kind for kind in reversed(space.kinds) if kind[1] == loss)
        problem = generic_problem(_architecture(kind, space.dtype), 4, seed + i, space.biases)
        found += [(saturated(problem, factor), "saturated") for factor in (40.0, 600.0, 3000.0, -3000.0)]
    return found


def _deepest(kinds: Sequence[Kind]) -> list[Kind]:
    """The deepest kind of every activation, the losses in turn."""
    chosen = []
    for i, name in enumerate(dict.fromkeys(kind[0] for kind in kinds)):
        mine = [kind for kind in kinds if kind[0] == name]
        deepest = [kind for kind in mine if kind[2] == max(k[2] for k in mine)]
        chosen.append(deepest[i % len(deepest)])
    return chosen


def _architecture(kind: Kind, dtype: DtypeName) -> Architecture:
    sizes = {0: (3, 3), 1: (3, 4, 3), 2: (3, 3, 3, 2), 3: (3, 3, 3, 3, 2)}[kind[2]]
    return Architecture(sizes, kind[0], kind[1], dtype)


def _at_kinks(problem: Problem, seed: int, biases: bool) -> Problem:
    """Small integers everywhere: pre-activations are often exactly zero."""
    rng = np.random.default_rng(seed)
    weights = [
        (rng.integers(-1, 2, W.shape).astype(float), biases * rng.integers(-1, 2, b.shape).astype(float))
        for W, b in problem.weights
    ]
    return replace(problem, weights=weights, x=rng.integers(-1, 2, problem.x.shape).astype(float))


def _with_idle_input(problem: Problem) -> Problem:
    x = problem.x.copy()
    x[:, 1] = 0.0
    return replace(problem, x=x)


def saturated(problem: Problem, size: float) -> Problem:
    """The last layer scaled until the largest logit is of this size; turned about where that is negative."""
    W, b = problem.weights[-1]
    factor = size / max(float(np.abs(forward_logits(problem)).max()), 1e-3)
    return replace(problem, weights=[*problem.weights[:-1], (factor * W, factor * b)])
