"""Known ways to be wrong in one step of backpropagation, each as a formula for what comes out instead.

The textbook's backward pass has five steps, and a mistake replaces one:

    output   delta_L = dL/dz_L                        of one loss
    weight   dW_l = a_(l-1)^T delta_l
    bias     db_l = sum of delta_l over the examples
    pull     u = delta_l W_l^T
    slope    delta_(l-1) = u f'(z_(l-1))              of one activation

Mistakes in different steps can hold at once: the first three show in the last layer, the others behind it.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, softmax

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.expected import kept
from backproof.scratch.architecture import Array

PENALTY = "penalty"
Rule = Callable[..., Array]


@dataclass(frozen=True)
class Mistake:
    """`rule` by step: output (o) -> delta; weight, bias, pull (o, layer, delta) -> array; slope (z, a) -> f'.

    `only` is the loss or the activation it speaks of, empty for every one; `family` one name for mistakes
    that are one where they happen for every loss or activation.
    """

    step: str
    sentence: str
    rule: Rule
    only: str = ""
    family: str = ""
    loss: Callable[[Observation], float] | None = None  # the loss that goes with it, where that is wrong too

    @property
    def is_right(self) -> bool:
        return not self.sentence


def right_error(o: Observation) -> Array:
    """dL/do of the outputs o = f(z) (of the entropies: of what their softmax or sigmoid is given), the
    loss's law applied."""
    loss, t = o.loss_name, o.problem.targets
    if loss not in ("cross_entropy", "binary_cross_entropy"):
        out = o.right.outputs.value
        return 2 * (out - t) / (out.size if loss == "mse" else 1) * o.factor
    cross = loss == "cross_entropy"
    p = softmax(o.logits, axis=1) if cross else expit(o.logits)
    labels = np.eye(p.shape[1])[t] if cross else t
    error: Array = (p - labels) / t.size
    if o.convention.exact:
        error = error * kept(p, labels, o.convention, cross)
    return error * o.factor


def right_delta(o: Observation) -> Array:
    """dL/dz of the last layer, the loss's law applied."""
    out = o.logits if o.loss_name.endswith("cross_entropy") else o.right.outputs.value
    return through_output(o.output_activation, out, right_error(o))


def through_output(name: str, out: Array, pull: Array) -> Array:
    """dL/dz of dL/dout."""
    if name == "softmax":
        delta: Array = out * (pull - (pull * out).sum(axis=1, keepdims=True))
    else:
        slopes = {"sigmoid": out * (1 - out), "tanh": 1 - out**2}
        delta = pull * slopes.get(name, np.ones_like(out))
    return delta


def right_weight(o: Observation, layer: int, delta: Array) -> Array:
    dW: Array = o.activations[layer].T @ delta
    return dW + o.penalty * o.problem.weights[layer][0]


def right_bias(o: Observation, layer: int, delta: Array) -> Array:
    db: Array = delta.sum(axis=0)
    return db + o.bias_penalty * o.problem.weights[layer][1]


def right_pull(o: Observation, layer: int, delta: Array) -> Array:
    return delta @ o.problem.weights[layer][0].T


RIGHT = {
    "output": Mistake("output", "", right_delta),
    "weight": Mistake("weight", "", right_weight),
    "bias": Mistake("bias", "", right_bias),
    "pull": Mistake("pull", "", right_pull),
}


def right_slope(activation: str) -> Mistake:
    slope = ACTIVATION_FUNCTIONS[activation].slope
    return Mistake("slope", "", lambda z, a: slope(z), activation)
