"""Known ways to be wrong with momentum: what becomes of the velocity v, and which velocity the step takes."""

from collections.abc import Callable

from backproof.comparisons.check.diagnosis.update_rules import Memory, Rule
from backproof.scratch.architecture import Array


def _with_momentum(rule: Callable[[Array, Array, Array, Memory], Array]) -> Rule:
    """`rule(theta, g, velocity before, memory)` where there is momentum."""

    def step(theta: Array, g: Array, m: Memory) -> Array:
        if not m.spec.momentum:
            return theta - m.spec.learning_rate * g
        return rule(theta, g, m.get("v", g), m)

    return step


def _swapped(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = before + m.spec.momentum * g if m.t > 1 else g.copy()
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _no_look_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    # As with the velocity of the step before: g + mu v_(t-1) is v_t.
    v = m.kept["v"] = m.spec.momentum * before + g
    return theta - m.spec.learning_rate * v


def _always_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v)


def _twice_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    ahead = m.spec.momentum * v + g
    return theta - m.spec.learning_rate * (m.spec.momentum * ahead + g if m.spec.nesterov else v)


def _old_velocity(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    step = g + m.spec.momentum * v if m.spec.nesterov else before
    return theta - m.spec.learning_rate * step


def _dampened(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + (1 - m.spec.momentum) * g
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _dampened_later(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + (1 - m.spec.momentum) * g if m.t > 1 else g.copy()
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _first_without_rate(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    rate = m.spec.learning_rate
    v = m.kept["v"] = m.spec.momentum * before + rate * g if m.t > 1 else g.copy()
    return theta - (rate * g + m.spec.momentum * v if m.spec.nesterov else v)


def _forgotten(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    ahead = 1 + m.spec.momentum if m.spec.nesterov else 1
    return theta - m.spec.learning_rate * g * ahead


def _aliased(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    """v is the gradient's own buffer: v <- mu v, v <- v + g gives 2 mu g; with decay it is another array."""
    mu = m.spec.momentum
    if m.spec.weight_decay:
        v = m.kept["v"] = mu * before + g
        return theta - m.spec.learning_rate * (g + mu * v if m.spec.nesterov else v)
    v = 2 * mu * g if m.t > 1 else g
    return theta - m.spec.learning_rate * (v * (1 + mu) if m.spec.nesterov else v)


SGD_RULES: dict[str, Rule] = {
    "v + mu g stands where mu v + g belongs": _with_momentum(_swapped),
    "Nesterov's look-ahead is missing, or uses the velocity of the step before: the same": (
        _with_momentum(_no_look_ahead)
    ),
    "Nesterov's look-ahead is taken although nesterov is off": _with_momentum(_always_ahead),
    "Nesterov's look-ahead is taken after the velocity was moved ahead already: mu is applied twice": (
        _with_momentum(_twice_ahead)
    ),
    "the step uses the old velocity, of the step before": _with_momentum(_old_velocity),
    "the velocity is dampened: (1 - mu) g stands where g belongs": _with_momentum(_dampened),
    "the velocity is dampened by (1 - mu) from the second step on": _with_momentum(_dampened_later),
    "the first velocity is taken without the learning rate": _with_momentum(_first_without_rate),
    "the velocity is forgotten between steps: momentum does nothing": _with_momentum(_forgotten),
    "the velocity shares its buffer with the gradient, which overwrites it: momentum is lost": (
        _with_momentum(_aliased)
    ),
}
