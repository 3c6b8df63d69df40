"""Generic problems, tried before Hypothesis draws any: every kind of network the class has, every rule.

Drawn problems are good at corners and at becoming small; most of them are degenerate (zeros, repeated
numbers). A mistake that shows for ordinary numbers shows here at once, in every combination of settings.
"""

from collections.abc import Sequence
from dataclasses import replace
from itertools import product

import numpy as np

from backproof.comparisons.check.battery.cases import CALLS, NothingToTryError, Story, TrainingProblem
from backproof.comparisons.check.forms.space import Kind, Space
from backproof.scratch.architecture import Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.problem import Problem

# By hidden layers: unequal and equal widths, batch == outputs, a single unit, one output for several rows,
# more outputs than rows; with a batch size each.
SHAPES: dict[int, tuple[tuple[tuple[int, ...], int], ...]] = {
    0: (((5, 2), 2), ((3, 3), 4), ((4, 1), 3)),
    1: (((3, 4, 2), 5), ((3, 3, 3), 3), ((2, 1, 3), 1), ((3, 4, 1), 5), ((3, 4, 5), 2)),
    2: (((4, 3, 3, 2), 4), ((2, 3, 4, 3), 3), ((3, 3, 3, 3), 1)),
    3: (((3, 4, 3, 2, 2), 4), ((2, 2, 2, 2, 2), 3)),
}
OPTIMIZERS = (
    OptimizerSpec(learning_rate=0.05),
    OptimizerSpec(learning_rate=0.05, weight_decay=0.1),
    OptimizerSpec(learning_rate=0.05, momentum=0.9),
    OptimizerSpec(learning_rate=0.02, momentum=0.9, weight_decay=0.1),
    OptimizerSpec(learning_rate=0.05, momentum=0.8, nesterov=True),
    OptimizerSpec(learning_rate=0.02, momentum=0.9, nesterov=True, weight_decay=0.1),
    OptimizerSpec("adam", 0.01),
    OptimizerSpec("adam", 0.01, beta1=0.8, beta2=0.9, eps=1e-2),
    OptimizerSpec("adam", 0.01, weight_decay=0.1),
)


def generic_problem(architecture: Architecture, batch_size: int, seed: int, biases: bool = True) -> Problem:
    """Normal weights of ordinary size, normal inputs, in full precision."""
    rng = np.random.default_rng(seed)
    weights = [
        (rng.standard_normal(shape) / np.sqrt(shape[0]), 0.5 * biases * rng.standard_normal(shape[1]))
        for shape in architecture.layer_shapes
    ]
    x = rng.standard_normal((batch_size, architecture.n_inputs))
    targets: Array
    if architecture.loss == "cross_entropy":
        targets = rng.integers(0, architecture.n_outputs, batch_size)
    else:
        targets = rng.random((batch_size, architecture.n_outputs))
    return Problem(architecture, weights, x, targets)


def generic_problems(seed: int, space: Space, dtype: DtypeName | None = None) -> list[Problem]:
    """Every activation x loss, the shapes in turn; at least one of every depth, and of every shape."""
    dtype = dtype or space.dtype
    if dtype not in space.dtypes:
        raise NothingToTryError(f"{' and '.join(space.dtypes)} only")
    plans = [(kind, SHAPES[kind[2]][i % len(SHAPES[kind[2]])]) for i, kind in enumerate(_spread(space))]
    deepest = max(space.depths)
    corners = [kind for kind in space.kinds if kind[2] == deepest]
    corners = [next(kind for kind in corners if kind[1] == loss) for loss in {k[1]: 0 for k in corners}]
    plans += [(kind, shape) for kind in corners for shape in SHAPES[deepest][-2:]]
    if len(plans) < 12:  # a class that has few networks is shown each in every shape
        plans = [(kind, shape) for kind in space.kinds for shape in SHAPES[kind[2]]]
    return [
        _without_first_class(
            generic_problem(Architecture(sizes, kind[0], kind[1], dtype), size, seed + i, space.biases)
        )
        for i, (kind, (sizes, size)) in enumerate(plans)
    ]


def _spread(space: Space) -> list[Kind]:
    """For every activation x loss one depth, the depths in turn, so that each meets each."""
    chosen = []
    for i, (activation, loss) in enumerate(product(space.activations, space.losses)):
        depths = [kind for kind in space.kinds if kind[:2] == (activation, loss)]
        if depths:
            chosen.append(depths[::-1][(i + i // len(space.losses)) % len(depths)])
    return chosen


def _without_first_class(problem: Problem) -> Problem:
    """A batch need not have an example of every class: label 0 becomes the last, where rows are few."""
    if problem.architecture.loss != "cross_entropy" or problem.batch_size > 2:
        return problem
    last = problem.architecture.n_outputs - 1
    return replace(problem, targets=np.where(problem.targets == 0, last, problem.targets))


def some(seed: int, space: Space) -> Sequence[Problem]:
    """Every third of the generic problems."""
    return generic_problems(seed, space)[::3]


def not_binary(seed: int, space: Space) -> Sequence[Problem]:
    """A target of binary cross-entropy is a probability: it cannot lie beside a logit in the millions."""
    problems = generic_problems(seed, space)
    return [problem for problem in problems if problem.architecture.loss != "binary_cross_entropy"]


def float32_problems(seed: int, space: Space) -> Sequence[Problem]:
    return generic_problems(seed, space, "float32")


def some_float32(seed: int, space: Space) -> Sequence[Problem]:
    return generic_problems(seed, space, "float32")[::3]


def pairs(seed: int, space: Space) -> list[tuple[Problem, Problem, bool]]:
    """Networks of all kinds one after another, of one dtype and of two, with and without training between."""
    ordinary = generic_problems(seed, space)
    following = [*ordinary[5:], *ordinary[:5]]
    found = list(zip(ordinary, following, strict=True))
    if len(space.dtypes) > 1:
        narrow = generic_problems(seed, space, "float32")
        found += [(ordinary[0], narrow[-1]), (narrow[0], ordinary[-1])]
    return [(first, second, bool(i % 2)) for i, (first, second) in enumerate(found)]


def trainings(seed: int, space: Space, dtype: DtypeName | None = None) -> list[TrainingProblem]:
    """Every update rule, four steps, batches of different sizes with a short last one."""
    dtype = dtype or space.dtype
    if dtype not in space.dtypes:
        raise NothingToTryError(f"{' and '.join(space.dtypes)} only")
    deep = [kind for kind in space.kinds if kind[2] == min(1, max(space.depths))] or list(space.kinds)
    curved = [kind for kind in deep if kind[0] != "identity"] or deep
    found = []
    for i, optimizer in enumerate(OPTIMIZERS[:1] * 3 if space.plain_descent else OPTIMIZERS):
        activation, loss, depth = curved[(5 * i) % len(curved)]
        sizes = SHAPES[depth][0][0]
        problem = generic_problem(Architecture(sizes, activation, loss, dtype), 7, seed + i, space.biases)
        order = np.random.default_rng(seed + i).permutation(7)
        found.append(TrainingProblem(problem, optimizer, [order[:3], order[3:6], order[:3][::-1], order[6:]]))
    return found


def float32_trainings(seed: int, space: Space) -> list[TrainingProblem]:
    return trainings(seed, space, "float32")


def story_grid(seed: int, space: Space) -> list[Story]:
    """Every call after every other; weights of all sizes, since what moves one and back may lose bits.

    The other batch has the first one's size, whose buffers might be taken for its own, or is smaller.
    """
    found = []
    for i, (first, second) in enumerate(product(CALLS, CALLS)):
        activation, loss, depth = space.kinds[(7 * i) % len(space.kinds)]
        architecture = Architecture(SHAPES[depth][0][0], activation, loss, space.dtype)
        problem = _of_all_sizes(generic_problem(architecture, 3, seed + i, space.biases), seed + i)
        other = generic_problem(architecture, 3 - i % 2, seed + 1000 + i)
        other = replace(problem, x=other.x, targets=other.targets)
        found.append(Story(problem, other, (first, second, first)))
    return found


def _of_all_sizes(problem: Problem, seed: int) -> Problem:
    rng = np.random.default_rng(seed)
    return replace(
        problem, weights=[(W * 10.0 ** rng.uniform(-8, 0, W.shape), b) for W, b in problem.weights]
    )
