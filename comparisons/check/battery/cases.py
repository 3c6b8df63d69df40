"""What a class is tried on: small networks, weights and batches that Hypothesis can shrink.

All are drawn from the `Space` of what the class has. Numbers come from families that break people: small
integers (exact zeros and exact kinks), multiples of 1/8, ordinary reals, scales from 1e-6 to 1e3, and
saturated logits. Sizes include a batch of one, one output, equal widths, batch == outputs, rows that repeat
and inputs that are always zero.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import LOSSES, Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.problem import Problem

FAMILIES = ("integer", "eighths", "normal", "wide", "saturated")
CALM = ("integer", "eighths", "normal")  # where nothing is large or small
CALLS = ("gradient", "gradient of another batch", "logits", "logits of another batch", "train", "load again")


class NothingToTryError(Exception):
    """The class has no network of this kind; the message says what it lacks."""


@dataclass(frozen=True)
class TrainingProblem:
    """A problem, an update rule and the batches to train on."""

    problem: Problem
    optimizer: OptimizerSpec
    batches: Sequence[Array]


@dataclass(frozen=True)
class Story:
    """A network, two batches, of one size or of two, and the calls to make, in order."""

    problem: Problem
    other: Problem
    calls: tuple[str, ...]


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


def _require_dtype(space: Space, dtype: DtypeName) -> None:
    if dtype not in space.dtypes:
        raise NothingToTryError(f"{' and '.join(space.dtypes)} only")


@st.composite
def architectures(draw: st.DrawFn, space: Space, dtype: DtypeName, max_width: int = 4) -> Architecture:
    activation, loss, depth = draw(st.sampled_from(space.kinds))
    widths = st.integers(1, max_width)
    equal = draw(st.booleans())
    sizes = [draw(widths), *(draw(widths) for _ in range(depth)), draw(widths)]
    if equal:
        sizes = [sizes[0]] * len(sizes)
    return Architecture(tuple(sizes), activation, loss, dtype)


def problems(
    space: Space,
    dtype: DtypeName | None = None,
    families: Sequence[str] = FAMILIES,
    max_batch: int = 4,
    losses: Sequence[str] = LOSSES,
) -> st.SearchStrategy[Problem]:
    """A `Problem` with numbers of one of `families`. Raises NothingToTryError for what it lacks."""
    dtype = dtype or space.dtype
    _require_dtype(space, dtype)
    kinds = space.where(losses)
    if not kinds.kinds:
        raise NothingToTryError(f"its losses: {', '.join(space.losses)}")
    return _problems(kinds, dtype, families, max_batch)


@st.composite
def _problems(
    draw: st.DrawFn, space: Space, dtype: DtypeName, families: Sequence[str], max_batch: int
) -> Problem:
    architecture = draw(architectures(space, dtype))
    family = draw(st.sampled_from(families))
    numbers = _numbers(family)
    weights = [
        (_array(draw, numbers, shape), _array(draw, numbers, shape[1:]) * space.biases)
        for shape in architecture.layer_shapes
    ]
    if family == "saturated":
        factor = draw(st.sampled_from([4.0, 16.0, 64.0]))
        weights[-1] = (weights[-1][0] * factor, weights[-1][1] * factor)
    x, targets = draw(batches_of(architecture, numbers, max_batch))
    return Problem(architecture, weights, x, targets)


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
    if architecture.loss == "binary_cross_entropy":
        numbers = st.integers(0, 8).map(lambda k: k / 8)
    return x, _array(draw, numbers, (size, architecture.n_outputs))


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


def _plain(rate: float) -> OptimizerSpec:
    return OptimizerSpec(learning_rate=rate)


def training_problems(space: Space, dtype: DtypeName | None = None) -> st.SearchStrategy[TrainingProblem]:
    """A few steps on batches of different sizes, a short one at the end, rows in any order."""
    dtype = dtype or space.dtype
    _require_dtype(space, dtype)
    return _training_problems(space, dtype)


@st.composite
def _training_problems(draw: st.DrawFn, space: Space, dtype: DtypeName) -> TrainingProblem:
    problem = draw(_problems(space, dtype, ("eighths", "normal"), 5))
    size = problem.batch_size
    rows = st.lists(st.integers(0, size - 1), min_size=1, max_size=size, unique=True)
    chosen = draw(st.lists(rows, min_size=1, max_size=5))
    rule = draw(st.sampled_from([0.05, 0.01]).map(_plain) if space.plain_descent else optimizers())
    return TrainingProblem(problem, rule, [np.array(batch, np.intp) for batch in chosen])


def stories(space: Space) -> st.SearchStrategy[Story]:
    """Two to five calls in any order."""
    return _stories(space)


@st.composite
def _stories(draw: st.DrawFn, space: Space) -> Story:
    problem = draw(problems(space, families=("eighths", "normal", "wide")))
    numbers = st.integers(-16, 16).map(lambda k: k / 8)
    x = _array(draw, numbers, problem.x.shape)
    other = replace(problem, x=x, targets=problem.targets[::-1].copy())
    calls = draw(st.lists(st.sampled_from(CALLS), min_size=2, max_size=5))
    return Story(problem, other, tuple(calls))
