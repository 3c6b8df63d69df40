"""Every sentence about momentum is its formula, worked out here step by step."""

from collections.abc import Callable

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.momentum_mistakes import SGD_RULES
from backproof.comparisons.check.diagnosis.update_rules import Memory, Rule, sgd
from backproof.scratch.architecture import Array, OptimizerSpec

N, STEPS = 6, 4
RNG = np.random.default_rng(0)
THETAS, GRADIENTS = RNG.normal(size=(STEPS, N)), RNG.normal(size=(STEPS, N))
RATE, MU = 0.1, 0.9
PLAIN = OptimizerSpec("sgd", RATE, MU)
NESTEROV = OptimizerSpec("sgd", RATE, MU, nesterov=True)
DECAYING = OptimizerSpec("sgd", RATE, MU, weight_decay=0.1)


def taken(rule: Rule, spec: OptimizerSpec) -> Array:
    """Four steps, each from weights of its own."""
    memory, found = Memory(spec, np.zeros(N, bool), 2, np.array([0, 0, 0, 0, 1, 1])), []
    for theta, g in zip(THETAS, GRADIENTS, strict=True):
        memory.t += 1
        found.append(rule(theta, g, memory))
    return np.array(found)


def velocities(first: float = 1.0, kept: float = MU, share: float = 1.0) -> Array:
    """v_1 = first g_1, v_t = kept v_(t-1) + share g_t."""
    found = [first * GRADIENTS[0]]
    for g in GRADIENTS[1:]:
        found.append(kept * found[-1] + share * g)
    return np.array(found)


def before(v: Array) -> Array:
    return np.array([np.zeros(N), *v[:-1]])


V = velocities()
PLAIN_STEP = RATE * V
AHEAD = RATE * (GRADIENTS + MU * V)


def ahead(v: Array) -> Array:
    return RATE * (GRADIENTS + MU * v)


def with_rate_later() -> Array:
    found = [GRADIENTS[0]]
    for g in GRADIENTS[1:]:
        found.append(MU * found[-1] + RATE * g)
    return np.array(found)


ALIASED = np.array([GRADIENTS[0], *(2 * MU * GRADIENTS[1:])])
# By sentence: what is subtracted without and with Nesterov's look-ahead.
BY_HAND: dict[str, tuple[Array, Array]] = {
    "v + mu g stands where mu v + g belongs": (
        RATE * velocities(kept=1.0, share=MU),
        ahead(velocities(kept=1.0, share=MU)),
    ),
    "Nesterov's look-ahead is missing, or uses the velocity of the step before: the same": (
        PLAIN_STEP,
        ahead(before(V)),
    ),
    "Nesterov's look-ahead is taken although nesterov is off": (AHEAD, AHEAD),
    "Nesterov's look-ahead is taken after the velocity was moved ahead already: mu is applied twice": (
        PLAIN_STEP,
        RATE * (MU * (MU * V + GRADIENTS) + GRADIENTS),
    ),
    "the step uses the old velocity, of the step before": (RATE * before(V), AHEAD),
    "the velocity is dampened: (1 - mu) g stands where g belongs": (
        RATE * velocities(first=0.1, share=0.1),
        ahead(velocities(first=0.1, share=0.1)),
    ),
    "the velocity is dampened by (1 - mu) from the second step on": (
        RATE * velocities(share=0.1),
        ahead(velocities(share=0.1)),
    ),
    "the first velocity is taken without the learning rate": (
        with_rate_later(),
        RATE * GRADIENTS + MU * with_rate_later(),
    ),
    "the velocity is forgotten between steps: momentum does nothing": (
        RATE * GRADIENTS,
        RATE * GRADIENTS * (1 + MU),
    ),
    "the velocity shares its buffer with the gradient, which overwrites it: momentum is lost": (
        RATE * ALIASED,
        RATE * ALIASED * (1 + MU),
    ),
}


def test_every_sentence_has_its_formula() -> None:
    assert BY_HAND.keys() == SGD_RULES.keys()


@pytest.mark.parametrize("sentence", BY_HAND)
@pytest.mark.parametrize("spec", [PLAIN, NESTEROV], ids=["plain", "nesterov"])
def test_a_sentence_is_its_formula(sentence: str, spec: OptimizerSpec) -> None:
    expected = BY_HAND[sentence][int(spec.nesterov)]
    np.testing.assert_allclose(taken(SGD_RULES[sentence], spec), THETAS - expected, rtol=1e-13)


def test_a_buffer_is_shared_with_the_gradient_only_where_no_decay_makes_another_array() -> None:
    rule = SGD_RULES[
        "the velocity shares its buffer with the gradient, which overwrites it: momentum is lost"
    ]
    np.testing.assert_allclose(taken(rule, DECAYING), THETAS - PLAIN_STEP, rtol=1e-13)
    both = OptimizerSpec("sgd", RATE, MU, nesterov=True, weight_decay=0.1)
    np.testing.assert_allclose(taken(rule, both), THETAS - AHEAD, rtol=1e-13)


@pytest.mark.parametrize("sentence", SGD_RULES)
def test_without_momentum_nothing_can_be_wrong_with_it(sentence: str) -> None:
    found = taken(SGD_RULES[sentence], OptimizerSpec("sgd", RATE))
    np.testing.assert_allclose(found, THETAS - RATE * GRADIENTS, rtol=1e-13)


@pytest.mark.parametrize(
    ("spec", "step"),
    [(PLAIN, PLAIN_STEP), (NESTEROV, AHEAD), (OptimizerSpec("sgd", RATE), RATE * GRADIENTS)],
)
def test_the_right_rule_is_its_formula(spec: OptimizerSpec, step: Array) -> None:
    np.testing.assert_allclose(taken(sgd, spec), THETAS - step, rtol=1e-13)


def test_no_wrong_rule_is_the_right_one() -> None:
    rules: dict[str, Callable[..., Array]] = {"": sgd, **SGD_RULES}
    both = {
        name: np.concatenate([taken(rule, PLAIN), taken(rule, NESTEROV)]).tobytes()
        for name, rule in rules.items()
    }
    assert len(set(both.values())) == len(both)
