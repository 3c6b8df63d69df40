"""Update rules on intervals: every value that a correct implementation may come to, however it rounds.

An `Interval` is a pair low <= high, entry by entry. Each operation takes the hull of what its operands allow
and widens it by what one rounding, and a second one for another order of the same operations, can move it.
Constants (the rate, mu, the betas, eps) are numbers of the dtype, rounded once:

    [a, b] + [c, d]  =  [a + c, b + d]  -+  2 u (|.|_1 + |.|_2)
    [a, b] * [c, d]  =  hull of the four products  -+  2 u |.|

with |.| the largest magnitudes. So an update written once, as torch.optim documents it, holds all the usual
ways of computing it: the rate folded into the gradient, moments without their factors, eps scaled by the bias
correction.
"""

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce

import numpy as np

from backproof.comparisons.verdicts.rounding import SAFETY, Arithmetic, Bounded
from backproof.scratch.architecture import Array, OptimizerSpec


@dataclass(frozen=True)
class Interval:
    """low <= value <= high, entry by entry, in float64."""

    low: Array
    high: Array
    arithmetic: Arithmetic

    @classmethod
    def around(cls, value: Array, error: Array | float, arithmetic: Arithmetic) -> "Interval":
        value = np.asarray(value, dtype=np.float64)
        return cls(value - error, value + error, arithmetic)

    @property
    def size(self) -> Array:
        size: Array = np.maximum(np.abs(self.low), np.abs(self.high))
        return size

    @property
    def middle(self) -> Array:
        return self.low + (self.high - self.low) / 2

    @property
    def radius(self) -> Array:
        return (self.high - self.low) / 2

    def holds(self, value: Array) -> bool:
        """Whether every entry lies in its interval."""
        return bool((np.isfinite(value) & (value >= self.low) & (value <= self.high)).all())

    def _widened(self, low: Array, high: Array, size: Array) -> "Interval":
        slack = 2 * self.arithmetic.unit * size + self.arithmetic.tiny
        slack = np.where(size < self.arithmetic.largest / 2, slack, np.inf)  # it may overflow
        return Interval(low - slack, high + slack, self.arithmetic)

    def _like(self, other: "Interval | float") -> "Interval":
        if isinstance(other, Interval):
            return other
        return constant(other, self.arithmetic.unit * abs(other), self)

    def __add__(self, other: "Interval | float") -> "Interval":
        other = self._like(other)
        return self._widened(self.low + other.low, self.high + other.high, self.size + other.size)

    def __sub__(self, other: "Interval | float") -> "Interval":
        other = self._like(other)
        return self._widened(self.low - other.high, self.high - other.low, self.size + other.size)

    def __mul__(self, other: "Interval | float") -> "Interval":
        other = self._like(other)
        ends = [a * b for a in (self.low, self.high) for b in (other.low, other.high)]
        return self._widened(reduce(np.minimum, ends), reduce(np.maximum, ends), self.size * other.size)

    def __truediv__(self, other: "Interval | float") -> "Interval":
        """By an interval of positive numbers."""
        other = self._like(other)
        with np.errstate(divide="ignore", invalid="ignore"):
            ends = [a / b for a in (self.low, self.high) for b in (other.low, other.high)]
            return self._widened(reduce(np.minimum, ends), reduce(np.maximum, ends), self.size / other.low)

    def squared(self) -> "Interval":
        """No square is negative, also where the interval holds 0."""
        smallest = np.where(
            (self.low < 0) & (self.high > 0), 0.0, np.minimum(np.abs(self.low), np.abs(self.high))
        )
        square = self._widened(smallest**2, self.size**2, self.size**2)
        return Interval(np.maximum(square.low, 0.0), square.high, self.arithmetic)

    def root(self) -> "Interval":
        high = np.sqrt(self.high)
        root = self._widened(np.sqrt(np.maximum(self.low, 0.0)), high, high)
        return Interval(np.maximum(root.low, 0.0), root.high, self.arithmetic)


def constant(value: float, error: float, like: Interval) -> Interval:
    """A number of the rule, as an implementation may have rounded it."""
    full = np.full_like(like.low, value)
    return Interval(full - error, full + error, like.arithmetic)


def bounded(interval: Interval) -> Bounded:
    """The middle, and how far the ends lie from it."""
    return Bounded(interval.middle, interval.radius * SAFETY + interval.arithmetic.tiny)


# A rule: (theta, gradient, t from 1, state) -> new theta; `state` is its own, empty at first.
State = dict[str, Interval]
Rule = Callable[[Interval, Interval, int, State], Interval]


@dataclass(frozen=True)
class Habits:
    """What implementations of update rules do otherwise. The defaults are torch.optim's."""

    # "in the gradient", "decoupled", "left out" or "half"
    decay: str = "in the gradient"
    # "mu v + g", "mu v + (1 - mu) g", "dampened", "v + mu g", "zero first" or "old velocity"
    momentum: str = "mu v + g"
    nesterov: bool | None = None  # None: as the spec says
    # "both", "none", "first only", "second only", "stored back", "not raised to t", "t from 0" or "t from 2"
    correction: str = "both"
    # "outside", "inside", "before the correction" or "left out"
    eps: str = "outside"
    moments_swapped: bool = False  # beta1 and beta2
    rate: float = 1.0  # times the learning rate


def rule(spec: OptimizerSpec, habits: Habits | None = None) -> Rule:
    """The update of this optimiser, as torch.optim defines it or with other habits."""
    habits = habits or Habits()
    return _adam(spec, habits) if spec.name == "adam" else _sgd(spec, habits)


def _with_decay(theta: Interval, g: Interval, spec: OptimizerSpec, habits: Habits) -> Interval:
    share = {"in the gradient": 1.0, "half": 0.5}.get(habits.decay, 0.0) * spec.weight_decay
    return g + theta * share if share else g


def _decoupled(theta: Interval, spec: OptimizerSpec, habits: Habits) -> Interval:
    if habits.decay == "decoupled" and spec.weight_decay:
        return theta * (1.0 - spec.learning_rate * spec.weight_decay)
    return theta


def _sgd(spec: OptimizerSpec, habits: Habits) -> Rule:
    rate, mu = spec.learning_rate * habits.rate, spec.momentum

    def velocity(g: Interval, t: int, state: State) -> Interval:
        # v <- mu v + g, v = g at the first step
        if habits.momentum == "zero first" and t == 1:
            return g * 0.0
        share = {"mu v + (1 - mu) g": 1.0 - mu, "v + mu g": mu, "dampened": 1.0 - mu}.get(
            habits.momentum, 1.0
        )
        if habits.momentum == "dampened" and t == 1:
            share = 1.0
        if "v" not in state:
            return g * share if share != 1.0 else g
        kept = 1.0 if habits.momentum == "v + mu g" else mu
        return state["v"] * kept + g * share

    def update(theta: Interval, g: Interval, t: int, state: State) -> Interval:
        g = _with_decay(theta, g, spec, habits)
        theta = _decoupled(theta, spec, habits)
        if not mu:
            return theta - g * rate
        before = state.get("v")
        v = velocity(g, t, state)
        state["v"] = v
        if habits.momentum == "old velocity":
            return theta if before is None else theta - before * rate
        ahead = spec.nesterov if habits.nesterov is None else habits.nesterov
        return theta - (g + v * mu if ahead else v) * rate

    return update


def _adam(spec: OptimizerSpec, habits: Habits) -> Rule:
    rate = spec.learning_rate * habits.rate
    b1, b2 = (spec.beta2, spec.beta1) if habits.moments_swapped else (spec.beta1, spec.beta2)

    def corrections(t: int) -> tuple[float, float]:
        t = {"t from 0": t - 1, "t from 2": t + 1}.get(habits.correction, t)
        first = 1.0 if habits.correction in ("none", "second only") or t == 0 else 1.0 - b1**t
        second = 1.0 if habits.correction in ("none", "first only") or t == 0 else 1.0 - b2**t
        return (1.0 - b1, 1.0 - b2) if habits.correction == "not raised to t" else (first, second)

    def update(theta: Interval, g: Interval, t: int, state: State) -> Interval:
        g = _with_decay(theta, g, spec, habits)
        theta = _decoupled(theta, spec, habits)
        # m <- b1 m + (1 - b1) g;  v <- b2 v + (1 - b2) g^2
        # 1 - b in the dtype is off by what b itself is rounded by: by much, where b is all but 1.
        unit = g.arithmetic.unit
        m, v = g * constant(1.0 - b1, unit, g), g.squared() * constant(1.0 - b2, unit, g)
        if state:
            m, v = state["m"] * b1 + m, state["v"] * b2 + v
        first, second = (constant(c, (t + 2) * unit, g) if c != 1.0 else c for c in corrections(t))
        m_hat, v_hat = m / first, v / second
        stored = habits.correction == "stored back"
        state["m"], state["v"] = (m_hat, v_hat) if stored else (m, v)
        # The rate may come first: what underflows then is as large after the division as it can be.
        return theta - _quotient(m_hat * rate, v_hat, v, second)

    def _quotient(m_hat: Interval, v_hat: Interval, v: Interval, second: Interval | float) -> Interval:
        v_hat = Interval(np.maximum(v_hat.low, 0.0), v_hat.high, v_hat.arithmetic)
        if habits.eps == "inside":
            return m_hat / (v_hat + spec.eps).root()
        if habits.eps == "before the correction":
            return m_hat / ((v.root() + spec.eps) / (second.root() if isinstance(second, Interval) else 1.0))
        return m_hat / (v_hat.root() + (0.0 if habits.eps == "left out" else spec.eps))

    return update
