"""A rule of training: (theta, g) and its own memory become the new theta; what plain descent and momentum do.

v_t = mu v_(t-1) + g_t          theta_(t+1) = theta_t - rate v_t             with momentum
                                theta_(t+1) = theta_t - rate (g_t + mu v_t)  with Nesterov's look-ahead
"""

from collections.abc import Callable
from dataclasses import dataclass, field

import numpy as np

from backproof.scratch.architecture import Array, OptimizerSpec


@dataclass
class Memory:
    """What a rule may look at, and what it keeps between steps."""

    spec: OptimizerSpec
    is_bias: Array
    n_tensors: int
    tensor: Array  # (n,) each parameter's tensor, counted from 0
    batch_size: int = 1
    t: int = 0  # steps so far, this one counted
    kept: dict[str, Array] = field(default_factory=dict)

    def get(self, name: str, like: Array) -> Array:
        return self.kept.get(name, np.zeros_like(like))


Rule = Callable[[Array, Array, Memory], Array]  # (theta, g, memory) -> the new theta


def sgd(theta: Array, g: Array, m: Memory) -> Array:
    spec = m.spec
    if not spec.momentum:
        return theta - spec.learning_rate * g
    v = m.kept["v"] = spec.momentum * m.get("v", g) + g
    return theta - spec.learning_rate * (g + spec.momentum * v if spec.nesterov else v)
