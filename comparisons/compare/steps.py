"""Steps of training judged from the weights before them and the gradient recorded there.

    theta_{t+1} = update(theta_t, g_t)

The gradient that training takes may round otherwise than the recorded one: each by its own bound at the most.
A tensor is walked through all of its steps block by block, so that the state of the rule (velocity, moments)
exists for one block at a time; what else the update might be is asked only where a step is off.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.compare.alternatives import MOST_CAUSES, other_updates
from backproof.comparisons.compare.chain import Gradient, arithmetic_of, gradients, hidden_activations
from backproof.comparisons.compare.intervals import Interval, Rule, State, bounded, rule
from backproof.comparisons.compare.judging import Judged, blocks, wrong_shape
from backproof.comparisons.compare.result import Link
from backproof.comparisons.compare.trace import Trace, named, step_name
from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.scratch.architecture import Array, OptimizerSpec, Weights
from backproof.scratch.problem import Problem


def steps(
    problem: Problem, trace: Trace, name: str, spec: OptimizerSpec, activations: Sequence[str] = ()
) -> tuple[Link, ...]:
    """One link per tensor and recorded step of the rule of this name; () where there are none."""
    if name not in trace.gradients:
        return ()
    with np.errstate(all="ignore"):
        walk = _Walk.along(problem, trace, name, spec, hidden_activations(problem, activations))
        by_tensor = [walk.links(tensor) for tensor, _ in named(problem.weights)]
    return tuple(links[step] for step in range(walk.n_steps) for links in by_tensor)


@dataclass(frozen=True)
class _Walk:
    """The recorded steps of one update rule."""

    arithmetic: Arithmetic
    name: str
    spec: OptimizerSpec
    weights: Sequence[Mapping[str, Array]]  # before the first step, after it, ...
    taken: Sequence[Mapping[str, Array]]  # the gradient before each step
    bounds: Sequence[Mapping[str, Gradient]]  # what bounds that gradient

    @classmethod
    def along(
        cls, problem: Problem, trace: Trace, name: str, spec: OptimizerSpec, activations: Sequence[str]
    ) -> "_Walk":
        start = dict(named(problem.weights))
        weights = [start]
        for step in range(1, len(trace.gradients[name]) + 1):
            after = {key: np.asarray(trace.tensors[step_name(name, step, key)]) for key in start}
            weights.append(after)
            if any(after[k].shape != start[k].shape or not np.isfinite(after[k]).all() for k in start):
                break  # that step is off, and none can be judged from it
        bounds = [_bounds(problem, before, activations) for before in weights[:-1]]
        taken = [dict(named(gradient)) for gradient in trace.gradients[name][: len(bounds)]]
        return cls(arithmetic_of(problem.architecture), name, spec, weights, taken, bounds)

    @property
    def n_steps(self) -> int:
        return len(self.taken)

    def links(self, tensor: str) -> list[Link]:
        """Of one tensor, step by step."""
        shape = self.weights[0][tensor].shape
        names = [step_name(self.name, step, tensor) for step in range(1, self.n_steps + 1)]
        judged = [Judged(name, shape) for name in names]
        last = self.weights[-1][tensor].shape
        for step, rows, expected in self._moved(tensor, rule(self.spec)):
            found = self.weights[step + 1][tensor]
            if found.shape == shape:
                judged[step].add(found[rows], rows, bounded(expected))
        failed = [step for step, one in enumerate(judged) if one.failed]
        causes = self._causes(tensor, failed) if failed else {}
        seen = judged if last == shape else judged[:-1]
        links = [one.link(self.arithmetic, causes.get(step, ())) for step, one in enumerate(seen)]
        return links if last == shape else [*links, wrong_shape(names[-1], last, shape)]

    def _moved(self, tensor: str, update: Rule) -> Iterator[tuple[int, slice, Interval]]:
        """(step from 0, rows, what the rule makes of them)."""
        for rows in blocks(self.weights[0][tensor].shape):
            state: State = {}
            for step in range(self.n_steps):
                theta = Interval.around(self.weights[step][tensor][rows], 0.0, self.arithmetic)
                yield step, rows, update(theta, self._gradient(step, tensor, rows), step + 1, state)

    def _gradient(self, step: int, tensor: str, rows: slice) -> Interval:
        bound = self.bounds[step][tensor]
        expected = bound.weight_rows(rows) if tensor.startswith("W") else bound.bias_rows(rows)
        return Interval.around(self.taken[step][tensor][rows], 2 * expected.error, self.arithmetic)

    def _causes(self, tensor: str, failed: Sequence[int]) -> dict[int, tuple[str, ...]]:
        """Per step that is off, the other updates that explain all of its entries."""
        fits: dict[int, list[str]] = {step: [] for step in failed}
        for text, update in other_updates(self.spec):
            holds = dict.fromkeys(failed, True)
            for step, rows, expected in self._moved(tensor, update):
                if step in holds:
                    holds[step] &= expected.holds(self.weights[step + 1][tensor][rows])
            for step in failed:
                fits[step] += [text] * holds[step]
        return {step: tuple(texts[:MOST_CAUSES]) for step, texts in fits.items()}


def _bounds(
    problem: Problem, weights: Mapping[str, Array], activations: Sequence[str]
) -> dict[str, Gradient]:
    """What the gradient at these weights is made of, under the names of the tensors it belongs to."""
    layers = range(1, len(problem.weights) + 1)
    pairs: Weights = [(weights[f"W{i}"], weights[f"b{i}"]) for i in layers]
    found = gradients(replace(problem, weights=pairs), activations)
    return {f"{kind}{i}": gradient for i, gradient in zip(layers, found, strict=True) for kind in "Wb"}
