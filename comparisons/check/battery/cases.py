"""What a class is tried on: small networks, weights and batches that Hypothesis can shrink.

Numbers come from families that break people: small integers (exact zeros and exact kinks), multiples of 1/8,
ordinary reals, scales from 1e-6 to 1e3, and saturated logits. Sizes include a batch of one, one output, equal
widths, batch == outputs, rows that repeat and inputs that are always zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from backproof.scratch.architecture import (
    ACTIVATIONS,
    LOSSES,
    Architecture,
    Array,
    DtypeName,
    OptimizerSpec,
    Weights,
)

FAMILIES = ("integer", "eighths", "normal", "wide", "saturated")


@dataclass(frozen=True)
class Case:
    """One network, its weights and one batch. Arrays have the architecture's dtype; labels are intp."""

    architecture: Architecture
    weights: Weights
    x: Array
    targets: Array
    family: str = "normal"

    @property
    def batch_size(self) -> int:
        return len(self.x)

    def rows(self, index: Array) -> "Case":
        """The same network on these rows of the batch."""
        return replace(self, x=self.x[index], targets=self.targets[index])

    def with_weights(self, weights: Weights) -> "Case":
        return replace(self, weights=weights)


@dataclass(frozen=True)
class TrainingCase:
    """A case, an update rule and the batches to train on."""

    case: Case
    optimizer: OptimizerSpec
    batches: Sequence[Array]


def _numbers(family: str) -> st.SearchStrategy[float]:
    if family == "integer":
        return st.integers(-3, 3).map(float)
    if family == "eighths":
        return st.integers(-16, 16).map(lambda k: k / 8)
    # Reals with seven digits, far from denormals: what shrinks stays readable.
    ordinary = st.integers(-3_000_000, 3_000_000).map(lambda k: k / 1_000_000)
    if family == "wide":
        return st.tuples(ordinary, st.integers(-6, 2)).map(lambda pair: pair[0] * 10.0 ** pair[1])
    return ordinary


def _array(draw: st.DrawFn, numbers: st.SearchStrategy[float], shape: tuple[int, ...]) -> Array:
    count = int(np.prod(shape))
    values = draw(st.lists(numbers, min_size=count, max_size=count))
    return np.array(values, float).reshape(shape)


@st.composite
def architectures(
    draw: st.DrawFn, dtype: DtypeName = "float64", max_width: int = 4, losses: Sequence[str] = LOSSES
) -> Architecture:
    widths = st.integers(1, max_width)
    equal = draw(st.booleans())
    hidden = draw(st.lists(widths, max_size=2))
    sizes = [draw(widths), *hidden, draw(widths)]
    if equal:
        sizes = [sizes[0]] * len(sizes)
    return Architecture(
        tuple(sizes), draw(st.sampled_from(ACTIVATIONS[::-1])), draw(st.sampled_from(losses)), dtype
    )


@st.composite
def cases(
    draw: st.DrawFn,
    dtype: DtypeName = "float64",
    families: Sequence[str] = FAMILIES,
    max_batch: int = 4,
    losses: Sequence[str] = LOSSES,
) -> Case:
    """A `Case` from one of `families`."""
    architecture = draw(architectures(dtype, losses=losses))
    family = draw(st.sampled_from(families))
    numbers = _numbers(family)
    weights = [
        (_array(draw, numbers, shape), _array(draw, numbers, shape[1:]))
        for shape in architecture.layer_shapes
    ]
    if family == "saturated":
        factor = draw(st.sampled_from([4.0, 16.0, 64.0]))
        weights[-1] = (weights[-1][0] * factor, weights[-1][1] * factor)
    x, targets = draw(batches_of(architecture, numbers, max_batch))
    return _typed(Case(architecture, weights, x, targets, family))


@st.composite
def batches_of(
    draw: st.DrawFn, architecture: Architecture, numbers: st.SearchStrategy[float], max_batch: int
) -> tuple[Array, Array]:
    """(x, targets), sometimes with a repeated row, sometimes with an input that is always zero."""
    size = draw(st.integers(1, max_batch))
    x = _array(draw, numbers, (size, architecture.n_inputs))
    if draw(st.integers(0, 3)) == 3:
        x[:, draw(st.integers(0, architecture.n_inputs - 1))] = 0.0
    if size > 1 and draw(st.integers(0, 3)) == 3:
        x[-1] = x[0]
    if architecture.loss == "cross_entropy":
        labels = st.integers(0, architecture.n_outputs - 1)
        return x, np.array(draw(st.lists(labels, min_size=size, max_size=size)), np.intp)
    numbers = (
        st.integers(0, 8).map(lambda k: k / 8) if architecture.loss == "binary_cross_entropy" else numbers
    )
    return x, _array(draw, numbers, (size, architecture.n_outputs))


def _typed(case: Case) -> Case:
    dtype = case.architecture.dtype
    targets = case.targets if case.targets.dtype.kind == "i" else case.targets.astype(dtype)
    return replace(
        case,
        weights=[(weight.astype(dtype), bias.astype(dtype)) for weight, bias in case.weights],
        x=case.x.astype(dtype),
        targets=targets,
    )


@st.composite
def optimizers(draw: st.DrawFn) -> OptimizerSpec:
    """Every setting on and off; eps large enough to matter, decay large enough to be seen."""
    decay = draw(st.sampled_from([0.0, 0.1]))
    rate = draw(st.sampled_from([0.05, 0.01]))
    if draw(st.booleans()):
        eps = draw(st.sampled_from([1e-8, 1e-2]))
        return OptimizerSpec("adam", rate / 10, beta1=0.8, beta2=0.9, eps=eps, weight_decay=decay)
    momentum = draw(st.sampled_from([0.0, 0.9]))
    nesterov = momentum > 0 and draw(st.booleans())
    return OptimizerSpec("sgd", rate, momentum=momentum, nesterov=nesterov, weight_decay=decay)


@st.composite
def training_cases(draw: st.DrawFn, dtype: DtypeName = "float64") -> TrainingCase:
    """A few steps on batches of different sizes, a short one at the end, rows in any order."""
    case = draw(cases(dtype, families=("eighths", "normal"), max_batch=5))
    rows = st.lists(st.integers(0, case.batch_size - 1), min_size=1, max_size=case.batch_size, unique=True)
    chosen = draw(st.lists(rows, min_size=1, max_size=5))
    return TrainingCase(case, draw(optimizers()), [np.array(batch, np.intp) for batch in chosen])
