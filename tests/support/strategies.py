"""What breaks networks and checkers, as Hypothesis strategies: the only place where test cases are made.

`cases()` draws a network at a point with a batch, as a frozen `Case`. Shapes and properties are drawn by
Hypothesis, so that they shrink; the numbers come from a generator seeded by a drawn integer.

Families of numbers
    normal      weights N(0, 2 / fan_in), biases and inputs N(0, 1)
    integer     small integers everywhere: sums are exact, and pre-activations are often exactly zero
    sparse      normal, with most weights, biases and inputs exactly zero
    wide        every tensor at its own scale, 10^-6 to 10^3
    saturated   logits and pre-activations of tens to hundreds: softmax, sigmoid and tanh at their ends

Drawn apart from the family: batch of one, one output, equal widths, batch == outputs, duplicate rows, dead
units, units without weights, soft and hard targets.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from hypothesis import strategies as st

from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    Architecture,
    Array,
    DtypeName,
    Weights,
)
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

FAMILIES = ("normal", "integer", "sparse", "wide", "saturated")


@dataclass(frozen=True)
class Case:
    """A network at `flat`, and a batch: C-contiguous, read-only arrays of the architecture's dtype."""

    architecture: Architecture
    family: str
    flat: Array  # (n_parameters,)
    x: Array  # (batch, n_inputs)
    targets: Array  # (batch,) labels | (batch, n_outputs)

    def network(self) -> Network:
        """A fresh network at these weights."""
        return Network(self.architecture, Parameters(self.architecture, self.flat.copy()))

    @property
    def problem(self) -> Problem:
        """The same without its family."""
        return Problem(self.architecture, self.weights, self.x, self.targets)

    @property
    def weights(self) -> Weights:
        return Parameters(self.architecture, self.flat.copy()).layers

    def astype(self, dtype: DtypeName) -> "Case":
        """The same numbers, rounded to `dtype`."""
        architecture = replace(self.architecture, dtype=dtype)
        targets = self.targets if self.targets.dtype.kind == "i" else self.targets.astype(dtype)
        return Case(architecture, self.family, self.flat.astype(dtype), self.x.astype(dtype), targets)

    def rows(self, indices: Sequence[int] | Array) -> "Case":
        """The same network with these rows of the batch."""
        return replace(self, x=self.x[np.asarray(indices)], targets=self.targets[np.asarray(indices)])

    def __repr__(self) -> str:
        # Enough to make it again: arrays print in full precision.
        with np.printoptions(precision=17, threshold=1000, linewidth=100):
            return (
                f"Case({self.architecture!r}, {self.family!r},\n  flat={self.flat!r},\n  x={self.x!r},\n"
                f"  targets={self.targets!r})"
            )


@st.composite
def layer_sizes(
    draw: st.DrawFn, max_layers: int = 4, max_width: int = 5, hidden: bool | None = None
) -> tuple[int, ...]:
    """Inputs, hidden..., outputs; equal widths and a single output come up often."""
    n_layers = draw(st.integers(2 if hidden else 1, 1 if hidden is False else max_layers))
    if draw(st.booleans()) and draw(st.booleans()):
        return (draw(st.integers(1, max_width)),) * (n_layers + 1)
    sizes = draw(st.lists(st.integers(1, max_width), min_size=n_layers + 1, max_size=n_layers + 1))
    return tuple(sizes)


@st.composite
def architectures(
    draw: st.DrawFn,
    activations: Sequence[str] = ACTIVATIONS,
    losses: Sequence[str] = LOSSES,
    dtypes: Sequence[str] = DTYPES,
    sizes: st.SearchStrategy[tuple[int, ...]] | None = None,
) -> Architecture:
    return Architecture(
        draw(sizes if sizes is not None else layer_sizes()),
        draw(st.sampled_from(activations)),
        draw(st.sampled_from(losses)),
        draw(st.sampled_from(dtypes)),
    )


@st.composite
def cases(
    draw: st.DrawFn,
    activations: Sequence[str] = ACTIVATIONS,
    losses: Sequence[str] = LOSSES,
    dtypes: Sequence[str] = ("float64",),
    families: Sequence[str] = FAMILIES,
    sizes: st.SearchStrategy[tuple[int, ...]] | None = None,
    max_batch: int = 5,
) -> Case:
    """A network at a point with a batch; see the head of this module."""
    architecture = draw(architectures(activations, losses, dtypes, sizes))
    family = draw(st.sampled_from(families))
    batch = architecture.n_outputs if draw(st.booleans()) else draw(st.integers(1, max_batch))
    case = random_case(architecture, family, batch, draw(st.integers(0, 2**32 - 1)))
    oddities = draw(st.lists(st.sampled_from(ODDITIES), max_size=2))
    for oddity in oddities:
        case = oddity(case)
    return case


def random_case(architecture: Architecture, family: str, batch: int, seed: int) -> Case:
    """A case of `family`, the same for the same arguments."""
    rng = np.random.default_rng(seed)
    parameters = Parameters(architecture, dtype="float64")
    for layer, (weight, bias) in enumerate(parameters.layers):
        last = layer == len(parameters.layers) - 1
        weight[...], bias[...] = _layer_numbers(family, rng, weight.shape, last)
    x = _input_numbers(family, rng, (batch, architecture.n_inputs))
    targets = _target_numbers(architecture, family, rng, batch)
    case = Case(architecture, family, parameters.flat, x, targets).astype(architecture.dtype)
    return _read_only(case)


def _layer_numbers(
    family: str, rng: np.random.Generator, shape: tuple[int, int], last: bool
) -> tuple[Array, Array]:
    fan_in, fan_out = shape
    if family == "integer":
        return rng.integers(-2, 3, shape).astype(float), rng.integers(-2, 3, fan_out).astype(float)
    weight = rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
    bias = rng.standard_normal(fan_out)
    if family == "sparse":
        return weight * (rng.random(shape) < 0.4), bias * (rng.random(fan_out) < 0.4)
    if family == "wide":
        return weight * 10.0 ** rng.uniform(-6, 3), bias * 10.0 ** rng.uniform(-6, 3)
    if family == "saturated":
        return weight * rng.choice([10.0, 100.0] if last else [3.0, 30.0]), bias
    return weight, bias


def _input_numbers(family: str, rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    if family == "integer":
        return rng.integers(-3, 4, shape).astype(float)
    x = rng.standard_normal(shape)
    if family == "sparse":
        return x * (rng.random(shape) < 0.4)
    if family == "wide":
        x *= 10.0 ** rng.uniform(-6, 3)
    return x


def _target_numbers(architecture: Architecture, family: str, rng: np.random.Generator, batch: int) -> Array:
    shape = (batch, architecture.n_outputs)
    if architecture.loss == "cross_entropy":
        return rng.integers(0, architecture.n_outputs, batch).astype(np.intp)
    if family == "integer":
        high = 2 if architecture.loss == "binary_cross_entropy" else 4
        return rng.integers(0, high, shape).astype(float)
    return rng.random(shape)


def _read_only(case: Case) -> Case:
    for array in (case.flat, case.x, case.targets):
        array.flags.writeable = False
    return case


def duplicate_rows(case: Case) -> Case:
    """The second half of the batch repeats the first."""
    batch = len(case.x)
    return _read_only(case.rows(np.arange(batch) % max(1, batch // 2)))


def dead_unit(case: Case) -> Case:
    """The first unit of the first layer gets a bias of -10,000: a relu that is off for every example."""
    return _with_parameters(case, lambda p: p.layers[0][1].__setitem__(0, -1e4))


def cut_unit(case: Case) -> Case:
    """The first unit of the first layer has neither weights nor bias: its pre-activation is exactly zero."""

    def cut(parameters: Parameters) -> None:
        weight, bias = parameters.layers[0]
        weight[:, 0] = 0.0
        bias[0] = 0.0

    return _with_parameters(case, cut)


def zero_input(case: Case) -> Case:
    """The first feature is zero in every example, as a border pixel is."""
    x = case.x.copy()
    x[:, 0] = 0.0
    return _read_only(replace(case, x=x))


ODDITIES: tuple[Callable[[Case], Case], ...] = (duplicate_rows, dead_unit, cut_unit, zero_input)


def _with_parameters(case: Case, change: Callable[[Parameters], None]) -> Case:
    parameters = Parameters(case.architecture, case.flat.copy())
    change(parameters)
    return _read_only(replace(case, flat=parameters.flat))


def layouts() -> st.SearchStrategy[Callable[[Array], Array]]:
    """Functions that keep the values but not the layout: strided, Fortran, reversed, read-only."""
    return st.sampled_from((_strided, _fortran, _negative_strides, _frozen))


def _strided(array: Array) -> Array:
    spaced = np.zeros(tuple(2 * size for size in array.shape), array.dtype)
    view = spaced[tuple(slice(None, None, 2) for _ in array.shape)]
    view[...] = array
    return view


def _fortran(array: Array) -> Array:
    return np.asfortranarray(array)


def _negative_strides(array: Array) -> Array:
    return np.ascontiguousarray(array[::-1])[::-1]


def _frozen(array: Array) -> Array:
    copy = array.copy()
    copy.flags.writeable = False
    return copy


@st.composite
def short_last_batches(draw: st.DrawFn, max_batch: int = 5) -> tuple[int, int]:
    """(n_examples, batch_size) such that the last batch of an epoch is shorter than the others."""
    batch_size = draw(st.integers(2, max_batch))
    whole = draw(st.integers(0, 3))
    return whole * batch_size + draw(st.integers(1, batch_size - 1)), batch_size


@dataclass(frozen=True)
class KnownFunction:
    """A scalar function of a vector and bounds on its derivatives, within a radius r of theta's entries."""

    name: str
    f: Callable[[Array], Array]
    theta: Array
    gradient: Array  # float64
    derivative_bound: Callable[[int, float], float]  # (k, r) -> sup |d^k f / dt^k|, k >= 2
    size: Callable[[float], float]  # r -> the sum of the sizes of all numbers that f adds up


def _sine(theta: Array, c: Array) -> KnownFunction:
    """sin(c . theta), |c| <= 1"""

    def size(r: float) -> float:
        return 1.0 + float(np.abs(theta) @ np.abs(c)) + r * len(c)

    gradient = np.cos(c.astype(float) @ theta.astype(float)) * c
    return KnownFunction("sine", lambda t: np.sin(t @ c), theta, gradient, lambda k, r: 1.0, size)


def _exponential(theta: Array, c: Array) -> KnownFunction:
    """sum_i exp(theta_i)"""
    exp = np.exp(theta.astype(float))
    return KnownFunction(
        "exponential",
        lambda t: np.asarray(np.exp(t).sum())[()],
        theta,
        exp,
        lambda k, r: float(exp.max() * np.exp(r)),
        lambda r: float(exp.sum() * np.exp(r)),
    )


def _square(theta: Array, c: Array) -> KnownFunction:
    """theta . theta"""

    def size(r: float) -> float:
        return float(((np.abs(theta.astype(float)) + r) ** 2).sum())

    return KnownFunction(
        "square", lambda t: t @ t, theta, 2.0 * theta.astype(float), lambda k, r: 2.0 * (k == 2), size
    )


def _linear(theta: Array, c: Array) -> KnownFunction:
    """c . theta"""

    def size(r: float) -> float:
        return float((np.abs(theta.astype(float)) + r) @ np.abs(c))

    return KnownFunction("linear", lambda t: t @ c, theta, c.astype(float), lambda k, r: 0.0, size)


KNOWN_FUNCTIONS = (_sine, _exponential, _square, _linear)


@st.composite
def known_functions(draw: st.DrawFn, dtypes: Sequence[str] = DTYPES, max_size: int = 4) -> KnownFunction:
    """Scalar functions whose derivatives of every order are known in closed form."""
    dtype = draw(st.sampled_from(dtypes))
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    size = draw(st.integers(1, max_size))
    theta, c = rng.uniform(-2, 2, size).astype(dtype), rng.uniform(-1, 1, size).astype(dtype)
    return draw(st.sampled_from(KNOWN_FUNCTIONS))(theta, c)
