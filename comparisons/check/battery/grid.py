"""Generic cases, tried before Hypothesis draws any: every activation x loss, every update rule.

Drawn cases are good at corners and at becoming small; most of them are degenerate (zeros, repeated
numbers). A mistake that shows for ordinary numbers shows here at once, in every combination of settings.
"""

from dataclasses import replace
from itertools import product

import numpy as np

from backproof.comparisons.check.battery.cases import Case, TrainingCase
from backproof.comparisons.check.battery.state import CALLS, Story
from backproof.scratch.architecture import (
    ACTIVATIONS,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    DtypeName,
    OptimizerSpec,
)

# Unequal and equal widths, batch == outputs, a single unit, no hidden layer; with a batch size each.
SHAPES = (((3, 4, 2), 5), ((3, 3, 3), 3), ((4, 3, 3, 2), 4), ((2, 1, 3), 1), ((5, 2), 2))
# One output for several rows, and more outputs than rows.
CORNERS = (((3, 4, 1), 5), ((3, 4, 5), 2))

CURVED_AND_RELU: tuple[ActivationName, ...] = ("tanh", "sigmoid", "relu")
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


def generic_case(architecture: Architecture, batch_size: int, seed: int) -> Case:
    """Normal weights of ordinary size, normal inputs, in full precision."""
    rng = np.random.default_rng(seed)
    weights = [
        (rng.standard_normal(shape) / np.sqrt(shape[0]), 0.5 * rng.standard_normal(shape[1]))
        for shape in architecture.layer_shapes
    ]
    x = rng.standard_normal((batch_size, architecture.n_inputs))
    targets: Array
    if architecture.loss == "cross_entropy":
        targets = rng.integers(0, architecture.n_outputs, batch_size)
    else:
        targets = rng.random((batch_size, architecture.n_outputs)).astype(architecture.dtype)
    dtype = architecture.dtype
    typed = [(W.astype(dtype), b.astype(dtype)) for W, b in weights]
    return Case(architecture, typed, x.astype(dtype), targets, "generic")


def generic_cases(seed: int, dtype: DtypeName = "float64") -> list[Case]:
    """Every activation x loss, on shapes in turn; then every loss with one output and with more than rows."""
    combinations = product(ACTIVATIONS, LOSSES)
    ordinary = [
        generic_case(Architecture(sizes, activation, loss, dtype), batch_size, seed + i)
        for i, (activation, loss) in enumerate(combinations)
        for sizes, batch_size in [SHAPES[(i + i // len(SHAPES)) % len(SHAPES)]]
    ]
    corners = [
        generic_case(Architecture(sizes, "tanh", loss, dtype), batch_size, seed + 100 + i)
        for i, loss in enumerate(LOSSES)
        for sizes, batch_size in CORNERS
    ]
    return ordinary + [_without_first_class(case) for case in corners]


def _without_first_class(case: Case) -> Case:
    """A batch need not have an example of every class: label 0 becomes the last."""
    if case.architecture.loss != "cross_entropy":
        return case
    last = case.architecture.n_outputs - 1
    return replace(case, targets=np.where(case.targets == 0, last, case.targets))


def training_grid(seed: int, dtype: DtypeName = "float64") -> list[TrainingCase]:
    """Every update rule, four steps, batches of different sizes with a short last one."""
    trials = []
    for i, optimizer in enumerate(OPTIMIZERS):
        activation, loss = CURVED_AND_RELU[i % 3], LOSSES[i % 3]
        case = generic_case(Architecture((3, 4, 2), activation, loss, dtype), 7, seed + i)
        order = np.random.default_rng(seed + i).permutation(7)
        trials.append(TrainingCase(case, optimizer, [order[:3], order[3:6], order[:3][::-1], order[6:]]))
    return trials


def story_grid(seed: int) -> list[Story]:
    """Every call after every other; weights of all sizes, since what moves one and back may lose bits."""
    stories = []
    for i, (first, second) in enumerate(product(CALLS, CALLS)):
        loss = LOSSES[i % len(LOSSES)]
        architecture = Architecture(SHAPES[i % 3][0], ACTIVATIONS[i % len(ACTIVATIONS)], loss)
        case = _of_all_sizes(generic_case(architecture, 3, seed + i), seed + i)
        other = generic_case(architecture, 3, seed + 1000 + i)
        stories.append(
            Story(case, Case(architecture, case.weights, other.x, other.targets), (first, second, first))
        )
    return stories


def _of_all_sizes(case: Case, seed: int) -> Case:
    rng = np.random.default_rng(seed)
    return case.with_weights([(W * 10.0 ** rng.uniform(-8, 0, W.shape), b) for W, b in case.weights])
