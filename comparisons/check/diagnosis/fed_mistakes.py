"""Known ways to feed a rule of training another gradient, decay, batch or rate than it asks for."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.training import Course
from backproof.comparisons.check.diagnosis.update_rules import Memory
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.scratch.architecture import Array
from backproof.scratch.losses import LOSS_FUNCTIONS
from backproof.scratch.problem import Problem

Decay = Callable[[Array, Array, Memory], Array]  # (theta, g, memory) -> g with the decay
Fed = Callable[[Array, "Step"], Array]


@dataclass(frozen=True)
class Step:
    """One step of a course, as `Fed` may look at it."""

    course: Course
    training: TrainingProblem
    index: int

    @property
    def batch_size(self) -> int:
        return len(self.training.batches[self.index])


# -- weight decay


def _decay(change: Callable[[Array, Memory], Array]) -> Decay:
    return lambda theta, g, m: g + m.spec.weight_decay * change(theta, m)


DECAYS: dict[str, Decay] = {
    "weight decay is halved: lambda/2 where lambda belongs": _decay(lambda w, m: w / 2),
    "weight decay is doubled": _decay(lambda w, m: 2 * w),
    "weight decay is left out": _decay(lambda w, m: 0 * w),
    "weight decay has the wrong sign": _decay(lambda w, m: -w),
    "weight decay leaves out the biases": _decay(lambda w, m: np.where(m.is_bias, 0.0, w)),
    "weight decay is divided by the batch size": _decay(lambda w, m: w / m.batch_size),
    "weight decay is of |w|: sign(w) stands where w belongs": _decay(lambda w, m: np.sign(w)),
}
DECOUPLED = "{} decays the weights apart from the gradient{}"


# -- what stands in place of the gradient


def _accumulated(g: Array, step: Step) -> Array:
    total: Array = step.course.gradients[: step.index + 1].sum(axis=0)
    return total


def _early(g: Array, step: Step) -> Array:
    """Passed back through W_(t+1), which training shows."""
    problem = step.training.problem.rows(step.training.batches[step.index])
    now, after = step.course.weights[step.index], step.course.weights[step.index + 1]
    return passed_through(problem, now, after, g)


FEEDS: dict[str, Fed] = {
    "the gradient is passed back through weights already updated": _early,
    "gradient buffers are never cleared: each step takes the sum of all gradients so far": _accumulated,
    "the step goes uphill: the gradient is added": lambda g, s: -g,
    "the gradient of the step before is used": lambda g, s: s.course.gradients[max(s.index - 1, 0)],
    "the gradient is clipped to norm 1, unasked": lambda g, s: g / max(1.0, float(np.linalg.norm(g))),
}


# What is not moved at all, decay or not.
FROZEN: dict[str, Callable[[Step], Array]] = {
    "biases are never updated": lambda s: is_bias(s.training.problem),
    "weights are never updated": lambda s: ~is_bias(s.training.problem),
    "the last, short batch is skipped": lambda s: np.full(
        s.course.weights[0].size, s.batch_size != len(s.training.batches[0])
    ),
    "nothing is updated": lambda s: np.full(s.course.weights[0].size, True),
    "only the last layer is updated": lambda s: ~_of_last_layer(s.training.problem),
}
# What the whole step is multiplied by, the learning rate in it.
SCALED: dict[str, Callable[[Step], float]] = {
    "the step is divided by the batch size once more": lambda s: 1 / s.batch_size,
    "the step is multiplied by the batch size": lambda s: float(s.batch_size),
    "the step is half of what the learning rate asks": lambda s: 0.5,
    "the step is twice what the learning rate asks": lambda s: 2.0,
}
ALL_FED = ("", *FEEDS, *FROZEN, *SCALED)


def is_bias(problem: Problem) -> Array:
    found = np.zeros(problem.architecture.n_parameters, bool)
    for _, bias in problem.architecture.layer_slices():
        found[bias] = True
    return found


def _of_last_layer(problem: Problem) -> Array:
    found = np.zeros(problem.architecture.n_parameters, bool)
    found[problem.architecture.layer_slices()[-1][0].start :] = True
    return found


def passed_through(problem: Problem, now: Array, after: Array, g: Array) -> Array:
    """The gradient g at `now` with the deltas taken through the weights of `after`, by our own formulas.

    What the class multiplies into g beside that (its loss's law) is taken from its last bias gradient.
    """
    function = ACTIVATION_FUNCTIONS[problem.architecture.activation]
    parts, shapes = problem.architecture.layer_slices(), problem.architecture.layer_shapes
    layers = [(now[W].reshape(shape), now[b]) for (W, b), shape in zip(parts, shapes, strict=True)]
    zs, activations = [], [problem.x]
    for W, b in layers:
        zs.append(activations[-1] @ W + b)
        activations.append(function.value(zs[-1]))
    delta = LOSS_FUNCTIONS[problem.architecture.loss].delta(zs[-1], problem.targets, np.empty_like(zs[-1]))
    ours, last = delta.sum(axis=0), g[parts[-1][1]]
    delta = delta * (float(last @ ours) / float(ours @ ours) if ours.any() and last.any() else 1.0)
    found = g.copy()
    for layer in reversed(range(1, len(layers))):
        moved = after[parts[layer][0]].reshape(shapes[layer])
        delta = (delta @ moved.T) * function.slope(zs[layer - 1])
        weight, bias = parts[layer - 1]
        found[weight] = (activations[layer - 1].T @ delta).ravel()
        found[bias] = delta.sum(axis=0)
    return found
