"""Every tensor of a trace judged given what it was computed from.

A mistake in one tensor changes all that follow; rounding grows on its way. So a tensor is not compared with
the exact one but with what its own inputs, as the implementation recorded them, make of it:

    z_l = a_{l-1} W_l + b_l        from the a_{l-1} of the trace
    a_l = f(z_l)                   from its z_l
    delta_{l-1} = (delta_l W_l^T) f'(z_{l-1})        dW_l = a_{l-1}^T delta_l        db_l = 1^T delta_l

within the bound of running error analysis (`verdicts.rounding`) for these few operations. Where the trace
lacks a tensor, the bounded value goes on in its place, and its bound with it. A right implementation is
inside every bound, however deep it is, and the first tensor outside one is where it parts. Steps of training
are judged in the same way, by `steps`.

In layers of more than LONG units the bounds are the probabilistic ones of `verdicts.rounding`: n roundings
that all add up would hide, in three thousand terms, a tensor of zeros behind the worst case.

Nothing of the size of the weights is kept: products with them, and their gradients, are taken in blocks.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from backproof.comparisons.compare.activations import Active, active
from backproof.comparisons.compare.alternatives import Given, causes_of
from backproof.comparisons.compare.intervals import Interval, bounded, rule
from backproof.comparisons.compare.judging import Block, blocks, judge, whole
from backproof.comparisons.compare.result import Link
from backproof.comparisons.compare.trace import Trace, layer_names, named, step_name
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, inner_products
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.problem import Problem

LONG = 256


def arithmetic_of(architecture: Architecture) -> Arithmetic:
    """The rounding that is allowed in a network of this size."""
    return Arithmetic.of(architecture.dtype, random=max(architecture.layer_sizes) > LONG)


def hidden_activations(problem: Problem, names: Sequence[str] = ()) -> tuple[str, ...]:
    """One per hidden layer: the architecture's own, unless they are named."""
    n_hidden = len(problem.weights) - 1
    return tuple(names) or (problem.architecture.activation,) * n_hidden


def forward_and_backward(problem: Problem, trace: Trace, activations: Sequence[str] = ()) -> tuple[Link, ...]:
    """One link per tensor of the trace up to the gradients, in the order in which they are computed.

    `activations` names that of each hidden layer, where it is not the architecture's.
    """
    chain = Chain(problem, trace, hidden_activations(problem, activations))
    chain.walk()
    return tuple(chain.links)


def expected_tensors(problem: Problem, updates: Mapping[str, OptimizerSpec]) -> dict[str, Bounded]:
    """Every tensor in double precision with the room that a right implementation has for its rounding.

    All of it from the given numbers alone, the first step of each update rule included.
    """
    chain = Chain(problem, Trace({}), hidden_activations(problem))
    chain.walk()
    found = {name: whole(parts()) for name, parts in chain.expected.items()}
    with np.errstate(all="ignore"):
        for name, spec in updates.items():
            for tensor, theta in named(problem.weights):
                g = found[f"d{tensor}"]
                start = Interval.around(theta, 0.0, chain.arithmetic)
                moved = rule(spec)(start, Interval.around(g.value, g.error, chain.arithmetic), 1, {})
                found[step_name(name, 1, tensor)] = bounded(moved)
    return found


@dataclass
class Chain:
    """One walk along a trace: forward, loss, backward."""

    problem: Problem
    trace: Trace
    activations: Sequence[str]
    links: list[Link] = field(default_factory=list)  # the tensors judged so far
    expected: dict[str, Callable[[], Iterator[Block]]] = field(default_factory=dict)
    hidden: list[tuple[Bounded, Active]] = field(default_factory=list)  # z and f at z of each hidden layer
    gradients: list["Gradient"] = field(default_factory=list)  # from the last layer to the first

    def __post_init__(self) -> None:
        self.arithmetic = arithmetic_of(self.problem.architecture)

    def walk(self) -> None:
        with np.errstate(all="ignore"):
            inputs, logits = self._forward()
            loss = LOSS_BOUNDS[self.problem.architecture.loss](logits, self.problem.targets, self.arithmetic)
            given = Given(self.problem, logits=logits.value)
            self._take("loss", loss.total(self.arithmetic), given)
            self._backward(inputs, loss.delta, given)

    def _forward(self) -> tuple[list[Bounded], Bounded]:
        """x, a_1 .. a_{L-1}; the logits."""
        a = self.arithmetic.given(self.problem.x)
        inputs: list[Bounded] = []
        *hidden, _ = layer_names(self.problem.architecture)
        for layer, (name, kind) in enumerate(zip(hidden, self.activations, strict=True)):
            inputs.append(a)
            z = self._take(name, self._layer(a, layer), Given(self.problem, layer, inputs=a.value))
            found = active(kind, z, self.arithmetic)
            self.hidden.append((z, found))
            given = Given(self.problem, layer, z=z.value, activation=kind)
            a = self._take(f"a{layer + 1}", found.a, given)
        last = len(hidden)
        logits = self._take("logits", self._layer(a, last), Given(self.problem, last, inputs=a.value))
        return [*inputs, a], logits

    def _layer(self, a: Bounded, layer: int) -> Bounded:
        """a W + b, some columns of W at a time."""
        W, b = self.problem.weights[layer]
        parts = [
            inner_products(a, self.arithmetic.given(W[:, some]), self.arithmetic, bias=b[some])
            for some in blocks(W.T.shape)
        ]
        return _beside(parts)

    def _back(self, delta: Bounded, layer: int) -> Bounded:
        """delta W^T, some rows of W at a time."""
        (W, _), arithmetic = self.problem.weights[layer], self.arithmetic
        parts = [inner_products(delta, arithmetic.given(W[some]).T, arithmetic) for some in blocks(W.shape)]
        return _beside(parts)

    def _backward(self, inputs: Sequence[Bounded], delta: Bounded, given: Given) -> None:
        n_layers = len(inputs)
        delta = self._take(f"delta{n_layers}", delta, given)
        for layer in reversed(range(n_layers)):
            given = Given(self.problem, layer, inputs=inputs[layer].value, delta=delta.value)
            gradient = Gradient(inputs[layer], delta, self.arithmetic)
            self.gradients.append(gradient)
            self._judge(f"dW{layer + 1}", gradient.weight_shape, gradient.weight, given)
            self._judge(f"db{layer + 1}", gradient.bias_shape, gradient.bias, given)
            if layer:
                summed, (z, f) = self._back(delta, layer), self.hidden[layer - 1]
                given = Given(
                    self.problem, layer, inputs=inputs[layer].value, delta=delta.value,
                    z=z.value, summed=summed.value, slope=f.slope.value,
                    activation=self.activations[layer - 1],
                )  # fmt: skip
                delta = self._take(f"delta{layer}", f.passed_back(summed, self.arithmetic), given)

    def _take(self, name: str, expected: Bounded, given: Given) -> Bounded:
        """Judge the recorded tensor, if there is one, and go on from it."""
        shape = expected.value.shape
        self._judge(name, shape, lambda: iter([(slice(None), expected)]), given)
        recorded = self.trace.tensors.get(name)
        if recorded is None:
            return expected
        found = np.asarray(recorded)
        return Bounded.exact(found) if found.shape == shape and np.isfinite(found).all() else expected

    def _judge(
        self, name: str, shape: tuple[int, ...], expected: Callable[[], Iterator[Block]], given: Given
    ) -> None:
        self.expected[name] = expected
        if name in self.trace.tensors:

            def causes(found: Array, right: Bounded) -> tuple[str, ...]:
                return causes_of(name, found, right, given, self.arithmetic)

            recorded = self.trace.tensors[name]
            self.links.append(judge(name, recorded, shape, expected, self.arithmetic, causes))


def _beside(parts: Sequence[Bounded]) -> Bounded:
    """The columns of all parts."""
    if len(parts) == 1:
        return parts[0]
    return Bounded(
        np.concatenate([p.value for p in parts], axis=1), np.concatenate([p.error for p in parts], axis=1)
    )


@dataclass(frozen=True)
class Gradient:
    """dW = a^T delta and db = 1^T delta of one layer, in blocks of rows.

    The mean over the batch may also be taken after the sum, and not of the recorded deltas: three more
    roundings of every term (of its own mean, of 1 / n, of the product with it), and a delta below the
    smallest normal number may have been flushed to zero where the sum of all was none.
    """

    inputs: Bounded  # a_{l-1}
    delta: Bounded
    arithmetic: Arithmetic

    @property
    def weight_shape(self) -> tuple[int, ...]:
        return self.inputs.value.shape[1], self.delta.value.shape[1]

    @property
    def bias_shape(self) -> tuple[int, ...]:
        return self.delta.value.shape[1:]

    def weight(self) -> Iterator[Block]:
        for rows in blocks(self.weight_shape):
            yield rows, self.weight_rows(rows)

    def weight_rows(self, rows: slice) -> Bounded:
        return self._summed(Bounded(self.inputs.value[:, rows].T, self.inputs.error[:, rows].T))

    def bias(self) -> Iterator[Block]:
        yield slice(None), self.bias_rows(slice(None))

    def bias_rows(self, rows: slice) -> Bounded:
        db = self._summed(Bounded.exact(np.ones(len(self.delta.value))[None]))
        return Bounded(db.value[0, rows], db.error[0, rows])

    def _summed(self, left: Bounded) -> Bounded:
        total = inner_products(left, self.delta, self.arithmetic)
        late = left.magnitude @ (self.arithmetic.gamma(3) * self.delta.magnitude + self.arithmetic.tiny)
        return Bounded(total.value, total.error + late)


def gradients(problem: Problem, activations: Sequence[str]) -> list[Gradient]:
    """Of every layer, from the given numbers alone."""
    chain = Chain(problem, Trace({}), activations)
    chain.walk()
    return chain.gradients[::-1]
