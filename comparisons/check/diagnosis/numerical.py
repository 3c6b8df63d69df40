"""Is a gradient that agrees to a few digits only a numerical one? Then its error is that of a difference.

A forward difference is off by h/2 f'', a central one by h^2/6 f''': errors along a direction that is known
once one other step has been tried. Where the class's errors lie along it, their length gives the step h.
"""

from collections.abc import Sequence

import numpy as np
from scipy.special import logsumexp

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.results import Cause
from backproof.comparisons.verdicts.truncation import ALONG, MOST, STEP, along_truncation
from backproof.scratch.architecture import Array

SOME = 1e-6  # largest entry of a gradient that is worth comparing in digits


def numerical_cause(wrong: Sequence[Observation]) -> Cause | None:
    """Told where every wrong gradient is nearly right, and wrong all over."""
    ordinary = [o for o in wrong if o.family == "generic" and np.abs(o.right.gradient.value).max() > SOME]
    offs = [_relative(o) for o in ordinary]
    if not offs or max(offs) > MOST:
        return None
    if np.mean([_scattered(o) for o in ordinary]) < 0.5:
        return None
    # Rounding hides the truncation where that is small, as in a quadratic loss of a linear network.
    telling = sorted(ordinary, key=_relative)[-6:]
    digits = int(-np.log10(max(offs)))
    for order, name in ((2, "central"), (1, "forward")):
        fits = [_step(o, order) for o in telling]
        if all(cosine > ALONG for cosine, _ in fits):
            h = float(np.median([step for _, step in fits]))
            return Cause(
                f"it agrees to {digits} digits: a numerical gradient, {name}, with h about {h:.0e}",
                "fits",
            )
    if max(offs) > 1e-4 or min(offs) < 1e-13 or _constant(ordinary):
        return None
    text = f"it agrees to {digits} digits and no more: a numerical gradient, or float32 inside?"
    return Cause(text, "describes")


def _relative(o: Observation) -> float:
    right = o.right.gradient.value
    return float(np.abs(o.gradient - right).max() / max(np.abs(right).max(), 1e-300))


def _scattered(o: Observation) -> float:
    """The share of entries that are wrong."""
    return float((np.abs(o.gradient - o.right.gradient.value) > o.right.gradient.error).mean())


def _constant(observations: Sequence[Observation]) -> bool:
    """Wrong by one factor: a law, no noise."""
    for o in observations:
        right = o.right.gradient.value
        factor = float(o.gradient @ right / (right @ right))
        if np.abs(o.gradient - factor * right).max() > 1e-3 * np.abs(o.gradient - right).max():
            return False
    return True


def _step(o: Observation, order: int) -> tuple[float, float]:
    """(cosine between the error and the direction of a difference's, the step that its length means)."""
    h, right = STEP[order], o.right.gradient.value
    theta = np.concatenate([a.ravel() for pair in o.problem.weights for a in pair])
    quotients = np.empty_like(theta)
    for i in range(theta.size):
        ahead, behind = theta.copy(), theta.copy()
        ahead[i] += h
        behind[i] -= h
        if order == 2:
            quotients[i] = (_loss(o, ahead) - _loss(o, behind)) / (2 * h)
        else:
            quotients[i] = (_loss(o, ahead) - _loss(o, theta)) / h
    cosine, step = along_truncation(quotients, right, o.gradient, h, order)
    return cosine, abs(step)


def _loss(o: Observation, theta: Array) -> float:
    """Ours, at other weights; of squares of the logits only where the output has no activation."""
    function = ACTIVATION_FUNCTIONS[o.activation]
    a: Array = o.problem.x
    for layer, (W, b) in enumerate(o.parts):
        shape = o.problem.weights[layer][0].shape
        z = a @ theta[W].reshape(shape) + theta[b]
        a = function.value(z)
    t = o.problem.targets
    if o.loss_name == "cross_entropy":
        value = float((logsumexp(z, axis=1) - z[np.arange(len(z)), t]).mean())
    elif o.loss_name == "binary_cross_entropy":
        value = float((np.logaddexp(0, z) - t * z).mean())
    else:
        value = float(((z - t) ** 2).sum()) / (z.size if o.loss_name == "mse" else 1)
    return value * o.factor
