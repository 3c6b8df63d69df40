"""Every tensor of a trace judged given what it was computed from.

A mistake in one tensor changes all that follow; rounding grows on its way. So a tensor is not compared with
the exact one but with what its own inputs, as the implementation recorded them, make of it:

    z_l = a_{l-1} W_l + b_l        from the a_{l-1} of the trace
    a_l = f(z_l)                   from its z_l
    delta_{l-1} = (delta_l W_l^T) f'(z_{l-1})        dW_l = a_{l-1}^T delta_l        db_l = 1^T delta_l
    theta_{t+1} = update(theta_t, g_t)               from its theta_t, and the gradient it gives there

within the bound of running error analysis (`verdicts.rounding`) for these few operations. Where the trace
lacks a tensor, the bounded value goes on in its place, and its bound with it. A right implementation is
inside every bound, however deep it is, and the first tensor outside one is where it parts.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.compare.alternatives import MOST_CAUSES, Given, causes_of, other_updates
from backproof.comparisons.compare.intervals import Interval, Rule, State, rule
from backproof.comparisons.compare.result import Link
from backproof.comparisons.compare.trace import Trace, layer_names, named, per_tensor, step_name
from backproof.comparisons.verdicts.activation_bounds import ACTIVATION_BOUNDS, undecided_signs
from backproof.comparisons.verdicts.loss_bounds import LOSS_BOUNDS
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded, inner_products, product
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.problem import Problem


def judged(problem: Problem, trace: Trace, updates: Mapping[str, OptimizerSpec]) -> tuple[Link, ...]:
    """One link per tensor of the trace, in the order in which they are computed."""
    chain = _Chain(problem, trace, Arithmetic.of(problem.architecture.dtype))
    with np.errstate(all="ignore"):
        links = [*chain.forward_and_backward()]
        for name, spec in updates.items():
            links += chain.steps(name, spec)
    return tuple(links)


def expected_tensors(problem: Problem, updates: Mapping[str, OptimizerSpec]) -> dict[str, Bounded]:
    """Every tensor in double precision with the room that a right implementation has for its rounding.

    All of it from the given numbers alone, the first step of each update rule included.
    """
    chain = _Chain(problem, Trace({}), Arithmetic.of(problem.architecture.dtype))
    with np.errstate(all="ignore"):
        chain.forward_and_backward()
        for name, spec in updates.items():
            update = rule(spec)
            for tensor, theta in named(problem.weights):
                g = chain.expected[f"d{tensor}"]
                moved = update(
                    Interval.around(theta, 0.0, chain.arithmetic),
                    Interval.around(g.value, g.error, chain.arithmetic),
                    1,
                    {},
                )
                chain.expected[step_name(name, 1, tensor)] = _bounded(moved, chain.arithmetic)
    return chain.expected


def _bounded(interval: Interval, arithmetic: Arithmetic) -> Bounded:
    return Bounded(interval.middle, interval.radius * SAFETY + arithmetic.tiny)


@dataclass
class _Chain:
    """One walk along a trace. `links` are the tensors judged so far."""

    problem: Problem
    trace: Trace
    arithmetic: Arithmetic

    def __post_init__(self) -> None:
        self.links: list[Link] = []
        self.expected: dict[str, Bounded] = {}
        self.layers = [(self.arithmetic.given(W), b) for W, b in self.problem.weights]

    def forward_and_backward(self) -> list[Link]:
        inputs, derivatives, logits = self._forward()
        loss = LOSS_BOUNDS[self.problem.architecture.loss](logits, self.problem.targets, self.arithmetic)
        given = Given(self.problem, logits=logits.value)
        self._take("loss", loss.total(self.arithmetic), given)
        self._backward(inputs, derivatives, loss.delta, given)
        return self.links

    def _forward(self) -> tuple[list[Bounded], list[Bounded], Bounded]:
        """x, a_1 .. a_{L-1}; f'(z_1) .. f'(z_{L-1}); the logits."""
        a = self.arithmetic.given(self.problem.x)
        inputs: list[Bounded] = []
        derivatives: list[Bounded] = []
        names = layer_names(self.problem.architecture)
        for layer, (name, (W, b)) in enumerate(zip(names, self.layers, strict=True)):
            inputs.append(a)
            given = Given(self.problem, layer=layer, inputs=a.value)
            z = self._take(name, inner_products(a, W, self.arithmetic, bias=b), given)
            if name == "logits":
                return inputs, derivatives, z
            found = ACTIVATION_BOUNDS[self.problem.architecture.activation](z, self.arithmetic)
            derivatives.append(self._decided(z, found.derivative))
            a = self._take(f"a{layer + 1}", found.a, Given(self.problem, layer=layer, z=z.value))
        raise AssertionError("a network has a layer")

    def _decided(self, z: Bounded, derivative: Bounded) -> Bounded:
        """A relu whose sign is a matter of rounding may have either slope."""
        if self.problem.architecture.activation != "relu":
            return derivative
        return Bounded(derivative.value, np.where(undecided_signs(z), 1.0, derivative.error))

    def _backward(
        self, inputs: Sequence[Bounded], derivatives: Sequence[Bounded], delta: Bounded, given: Given
    ) -> None:
        n_layers = len(self.layers)
        ones = Bounded.exact(np.ones((1, len(delta.value))))
        delta = self._take(f"delta{n_layers}", delta, given)
        for layer in reversed(range(n_layers)):
            given = Given(self.problem, layer=layer, inputs=inputs[layer].value, delta=delta.value)
            dW = self._summed(inputs[layer].T, delta)
            db = self._summed(ones, delta)
            self._take(f"dW{layer + 1}", dW, given)
            self._take(f"db{layer + 1}", Bounded(db.value[0], db.error[0]), given)
            if layer:
                summed = inner_products(delta, self.layers[layer][0].T, self.arithmetic)
                given = Given(
                    self.problem,
                    layer,
                    inputs=inputs[layer].value,
                    delta=delta.value,
                    summed=summed.value,
                    slope=derivatives[layer - 1].value,
                )
                expected = product(summed, derivatives[layer - 1], self.arithmetic)
                delta = self._take(f"delta{layer}", expected, given)

    def _summed(self, left: Bounded, delta: Bounded) -> Bounded:
        """A sum over the batch, whose mean may also be taken after it: two more roundings of every term."""
        total = inner_products(left, delta, self.arithmetic)
        late = self.arithmetic.gamma(2) * (left.magnitude @ delta.magnitude)
        return Bounded(total.value, total.error + late + 2 * self.arithmetic.tiny)

    def _take(self, name: str, expected: Bounded, given: Given) -> Bounded:
        """Judge the recorded tensor, if there is one, and go on from it."""
        self.expected[name] = expected
        recorded = self.trace.tensors.get(name)
        if recorded is None:
            return expected
        link = judge(
            name,
            recorded,
            expected,
            self.arithmetic,
            lambda found: causes_of(name, found, expected, given, self.arithmetic),
        )
        self.links.append(link)
        found = np.asarray(recorded)
        if found.shape != expected.value.shape or not np.isfinite(found).all():
            return expected
        return Bounded.exact(found)

    def steps(self, name: str, spec: OptimizerSpec) -> Iterator[Link]:
        """The weights after each step, from those before it and the gradient recorded there."""
        if name not in self.trace.gradients:
            return
        walk = _Steps(self.problem, self.trace, self.arithmetic, name, spec)
        right = _Rule(rule(spec))
        others = {text: _Rule(update) for text, update in other_updates(spec)}
        for step in range(1, len(self.trace.gradients[name]) + 1):
            moved = walk.step(step)
            expected = right.after(moved, step)
            also = {text: other.after(moved, step) for text, other in others.items()}
            for tensor, after in moved.after.items():
                fits = {text: values[tensor] for text, values in also.items()}
                yield self._step_link(step_name(name, step, tensor), after, expected[tensor], fits)

    def _step_link(self, name: str, after: Array, expected: Interval, others: Mapping[str, Interval]) -> Link:
        def causes(found: Array) -> tuple[str, ...]:
            return tuple(text for text, other in others.items() if other.holds(found))[:MOST_CAUSES]

        return judge(name, after, _bounded(expected, self.arithmetic), self.arithmetic, causes)


@dataclass(frozen=True)
class _Moved:
    """One step of training, tensor by tensor."""

    before: Mapping[str, Interval]
    gradient: Mapping[str, Interval]
    after: Mapping[str, Array]


@dataclass(frozen=True)
class _Steps:
    """The recorded steps of one update rule."""

    problem: Problem
    trace: Trace
    arithmetic: Arithmetic
    name: str
    spec: OptimizerSpec

    def weights(self, step: int) -> dict[str, Array]:
        """After so many steps."""
        start = dict(named(self.problem.weights))
        return (
            start if not step else {key: self.trace.tensors[step_name(self.name, step, key)] for key in start}
        )

    def step(self, number: int) -> _Moved:
        """The gradient in training rounds otherwise than the recorded one: each by its bound, at the most."""
        before, taken = self.weights(number - 1), dict(named(self.trace.gradients[self.name][number - 1]))
        pairs = [(before[f"W{i}"], before[f"b{i}"]) for i in range(1, len(self.problem.weights) + 1)]
        at = replace(self.problem, weights=pairs)
        state = backprop_reference(at.architecture, at.weights, at.x, at.targets).state
        slack = per_tensor(at.architecture, 2 * any_selection(state).error)
        return _Moved(
            {key: Interval.around(value, 0.0, self.arithmetic) for key, value in before.items()},
            {key: Interval.around(value, slack[key], self.arithmetic) for key, value in taken.items()},
            self.weights(number),
        )


class _Rule:
    """An update rule with the state of every tensor."""

    def __init__(self, update: Rule) -> None:
        self.update = update
        self.states: dict[str, State] = {}

    def after(self, moved: _Moved, step: int) -> dict[str, Interval]:
        return {
            key: self.update(theta, moved.gradient[key], step, self.states.setdefault(key, {}))
            for key, theta in moved.before.items()
        }


def judge(
    name: str,
    recorded: Array,
    expected: Bounded,
    arithmetic: Arithmetic,
    causes: Callable[[Array], tuple[str, ...]],
) -> Link:
    """One tensor as a link; causes are looked for only where it is off by more than rounding."""
    found = np.asarray(recorded)
    shape = expected.value.shape
    if found.shape != shape:
        text = f"shape {found.shape} where {shape} belongs"
        causes_found = (f"{text}: transposed?",) if found.shape == shape[::-1] else (text,)
        return Link(name, Outcome.FAIL, np.nan, np.nan, name, np.nan, np.nan, np.nan, causes_found)

    def entry(index: int) -> str:
        return name + (f"[{', '.join(map(str, np.unravel_index(index, shape)))}]" if shape else "")

    verdict = compare(found, expected.value, expected.error, entry)
    size = float(np.max(np.abs(expected.value), initial=0.0))
    roundings = verdict.error / (arithmetic.unit * size) if size else np.inf
    why = causes(found.astype(np.float64)) if verdict.outcome is Outcome.FAIL else ()
    return Link(
        name, verdict.outcome, verdict.error, verdict.bound, verdict.worst, verdict.found, verdict.expected,
        roundings, why,
    )  # fmt: skip
