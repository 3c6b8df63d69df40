"""Every sentence about Adam is its formula, worked out here step by step."""

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.adam_mistakes import ADAM, ADAM_RULES, adam_rule
from backproof.comparisons.check.diagnosis.update_rules import Memory, Rule
from backproof.scratch.architecture import Array, OptimizerSpec

N, STEPS = 6, 4
RNG = np.random.default_rng(0)
THETAS, GRADIENTS = RNG.normal(size=(STEPS, N)), RNG.normal(size=(STEPS, N))
PLAIN = RNG.normal(size=(STEPS, N))  # the gradient without the decay
TENSOR = np.array([0, 0, 0, 0, 1, 1])
RATE, B1, B2, EPS = 0.1, 0.8, 0.95, 0.03
SPEC = OptimizerSpec("adam", RATE, beta1=B1, beta2=B2, eps=EPS)
COUNTS = np.arange(1, STEPS + 1)[:, None] * np.ones(N)


def taken(rule: Rule) -> Array:
    memory, found = Memory(SPEC, np.zeros(N, bool), 2, TENSOR), []
    for theta, g, plain in zip(THETAS, GRADIENTS, PLAIN, strict=True):
        memory.t += 1
        memory.kept["plain"] = plain
        found.append(rule(theta, g, memory))
    return np.array(found)


def mean(values: Array, beta: float) -> Array:
    """beta^(t-1) (1 - beta) v_1 + ... + (1 - beta) v_t."""
    return np.array([
        sum(beta ** (t - s) * (1 - beta) * values[s] for s in range(t + 1)) for t in range(len(values))
    ])  # fmt: skip


M, V = mean(GRADIENTS, B1), mean(GRADIENTS**2, B2)


def corrected(t: Array, t2: Array | None = None) -> Array:
    """With counters t of the first and t2 of the second moment."""
    second = t if t2 is None else t2
    return M / (1 - B1**t) / (np.sqrt(V / (1 - B2**second)) + EPS)


def stored_back() -> Array:
    m, v, found = np.zeros(N), np.zeros(N), []
    for t, g in enumerate(GRADIENTS, start=1):
        m, v = (B1 * m + (1 - B1) * g) / (1 - B1**t), (B2 * v + (1 - B2) * g * g) / (1 - B2**t)
        found.append(m / (np.sqrt(v) + EPS))
    return np.array(found)


M_HAT, V_HAT = M / (1 - B1**COUNTS), V / (1 - B2**COUNTS)
ROOT = np.sqrt(V_HAT) + EPS
BY_HAND: dict[str, Array] = {
    "Adam's eps stands inside the square root": M_HAT / np.sqrt(V_HAT + EPS),
    "Adam's eps is added before the bias correction (the eps-hat form)": (
        M_HAT * np.sqrt(1 - B2**COUNTS) / (np.sqrt(V) + EPS)
    ),
    "Adam's eps is left out": M_HAT / np.sqrt(V_HAT),
    "Adam's square root is left out: the step is divided by v + eps": M_HAT / (V_HAT + EPS),
    "Adam's first moment is left out: the gradient itself stands where m belongs": GRADIENTS / ROOT,
    "Adam's bias correction is missing": M / (np.sqrt(V) + EPS),
    "Adam's bias correction of the second moment is missing": M_HAT / (np.sqrt(V) + EPS),
    "Adam's bias correction of the first moment is missing": M / ROOT,
    "Adam's bias correction is one step late: t starts from 2": corrected(COUNTS + 1),
    "Adam's bias correction divides by (1 - beta) where (1 - beta^t) belongs": corrected(np.ones((STEPS, N))),
    "Adam divides by (1 - beta1) where (1 - beta1^t) belongs": corrected(np.ones((STEPS, N)), COUNTS),
    # Two tensors: 1, 3, 5, ... for the first and 2, 4, 6, ... for the second.
    "Adam's step counter t is raised once per tensor": corrected(2 * COUNTS - 1 + TENSOR),
    # 1, 4, 7, ... and 2, 5, 8, ...
    "Adam's step counter t is raised once more with every tensor": corrected(3 * COUNTS - 2 + TENSOR),
    "Adam's step counter t is raised by the number of tensors": corrected(2 * COUNTS),
    "Adam's bias-corrected moments are stored back into the running ones": stored_back(),
    "Adam's second moment leaves out the weight decay": (
        M_HAT / (np.sqrt(mean(PLAIN**2, B2) / (1 - B2**COUNTS)) + EPS)
    ),
    "Adam's beta1 and beta2 are exchanged": (
        mean(GRADIENTS, B2) / (1 - B2**COUNTS) / (np.sqrt(mean(GRADIENTS**2, B1) / (1 - B1**COUNTS)) + EPS)
    ),
}


def test_every_sentence_has_its_formula() -> None:
    assert BY_HAND.keys() == ADAM_RULES.keys()


@pytest.mark.parametrize("sentence", BY_HAND)
def test_a_sentence_is_its_formula(sentence: str) -> None:
    np.testing.assert_allclose(taken(ADAM_RULES[sentence]), THETAS - RATE * BY_HAND[sentence], rtol=1e-12)


def test_the_right_rule_is_its_formula() -> None:
    np.testing.assert_allclose(taken(adam_rule(ADAM)), THETAS - RATE * M_HAT / ROOT, rtol=1e-12)
    np.testing.assert_allclose(corrected(COUNTS), M_HAT / ROOT, rtol=1e-12)
