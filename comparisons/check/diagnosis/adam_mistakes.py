"""Known ways to be wrong in Adam, each as one part of it replaced.

m_t = beta1 m_(t-1) + (1 - beta1) g_t          v_t = beta2 v_(t-1) + (1 - beta2) g_t^2
theta_(t+1) = theta_t - rate (m_t / (1 - beta1^t)) / (sqrt(v_t / (1 - beta2^t)) + eps)
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.diagnosis.update_rules import Memory, Rule
from backproof.scratch.architecture import Array, OptimizerSpec


@dataclass(frozen=True)
class AdamParts:
    """The places in which Adam goes wrong."""

    t: Callable[[Memory], Array | float] = lambda m: m.t
    first: Callable[[OptimizerSpec, Array | float], Array | float] = lambda s, t: 1 - s.beta1**t
    second: Callable[[OptimizerSpec, Array | float], Array | float] = lambda s, t: 1 - s.beta2**t
    root: str = "sqrt(v) + eps"
    first_moment: bool = True  # else the gradient itself stands where m belongs
    stored: bool = False  # corrected moments are kept
    plain_second: bool = False  # the second moment of the gradient without the decay
    betas: Callable[[OptimizerSpec], tuple[float, float]] = lambda s: (s.beta1, s.beta2)


def _adam(parts: AdamParts, theta: Array, g: Array, m: Memory) -> Array:
    spec, t = m.spec, parts.t(m)
    b1, b2 = parts.betas(spec)
    squared = m.kept.get("plain", g) if parts.plain_second else g
    first = m.kept["m"] = b1 * m.get("m", g) + (1 - b1) * g
    second = m.kept["v"] = b2 * m.get("v", g) + (1 - b2) * squared**2
    m_hat, v_hat = first / parts.first(spec, t), second / parts.second(spec, t)
    m_hat = m_hat if parts.first_moment else g
    if parts.stored:
        m.kept["m"], m.kept["v"] = m_hat, v_hat
    if parts.root == "sqrt(v + eps)":
        root = np.sqrt(v_hat + spec.eps)
    elif parts.root == "eps-hat":  # rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
        root = (np.sqrt(second) + spec.eps) / np.sqrt(parts.second(spec, t))
    elif parts.root == "v + eps":
        root = v_hat + spec.eps
    else:
        root = np.sqrt(v_hat) + (0.0 if parts.root == "sqrt(v)" else spec.eps)
    new: Array = theta - spec.learning_rate * m_hat / root
    return new


def _one(spec: OptimizerSpec, t: Array | float) -> float:
    return 1.0


def adam_rule(parts: AdamParts) -> Rule:
    return lambda theta, g, m: _adam(parts, theta, g, m)


ADAM = AdamParts()
ADAM_RULES: dict[str, Rule] = {
    "Adam's eps stands inside the square root": adam_rule(AdamParts(root="sqrt(v + eps)")),
    "Adam's eps is added before the bias correction (the eps-hat form)": adam_rule(AdamParts(root="eps-hat")),
    "Adam's eps is left out": adam_rule(AdamParts(root="sqrt(v)")),
    "Adam's square root is left out: the step is divided by v + eps": adam_rule(AdamParts(root="v + eps")),
    "Adam's first moment is left out: the gradient itself stands where m belongs": adam_rule(
        AdamParts(first_moment=False)
    ),
    "Adam's bias correction is missing": adam_rule(AdamParts(first=_one, second=_one)),
    "Adam's bias correction of the second moment is missing": adam_rule(AdamParts(second=_one)),
    "Adam's bias correction of the first moment is missing": adam_rule(AdamParts(first=_one)),
    "Adam's bias correction is one step late: t starts from 2": adam_rule(AdamParts(t=lambda m: m.t + 1)),
    "Adam's bias correction divides by (1 - beta) where (1 - beta^t) belongs": adam_rule(
        AdamParts(first=lambda s, t: 1 - s.beta1, second=lambda s, t: 1 - s.beta2)
    ),
    "Adam divides by (1 - beta1) where (1 - beta1^t) belongs": adam_rule(
        AdamParts(first=lambda s, t: 1 - s.beta1)
    ),
    "Adam's step counter t is raised once per tensor": adam_rule(
        AdamParts(t=lambda m: (m.t - 1) * m.n_tensors + m.tensor + 1)
    ),
    "Adam's step counter t is raised once more with every tensor": adam_rule(
        AdamParts(t=lambda m: (m.t - 1) * (m.n_tensors + 1) + m.tensor + 1)
    ),
    "Adam's step counter t is raised by the number of tensors": adam_rule(
        AdamParts(t=lambda m: m.t * m.n_tensors)
    ),
    "Adam's bias-corrected moments are stored back into the running ones": adam_rule(AdamParts(stored=True)),
    "Adam's second moment leaves out the weight decay": adam_rule(AdamParts(plain_second=True)),
    "Adam's beta1 and beta2 are exchanged": adam_rule(
        AdamParts(
            betas=lambda s: (s.beta2, s.beta1),
            first=lambda s, t: 1 - s.beta2**t,
            second=lambda s, t: 1 - s.beta1**t,
        )
    ),
}
