"""Under which condition does it happen? Conditions on a problem; the simplest that tells two groups apart."""

from collections.abc import Callable, Sequence
from itertools import pairwise

import numpy as np

from backproof.scratch.architecture import ACTIVATIONS, LOSSES
from backproof.scratch.problem import Problem

Condition = Callable[[Problem], bool]


def _loss_is(loss: str) -> Condition:
    return lambda p: p.architecture.loss == loss


def _activation_is(activation: str) -> Condition:
    return lambda p: p.architecture.activation == activation and len(p.weights) > 1


def _hidden(p: Problem) -> tuple[int, ...]:
    return p.architecture.layer_sizes[1:-1]


def _has_equal_widths(p: Problem) -> bool:
    sizes = p.architecture.layer_sizes
    return len(sizes) > 2 and any(a == b for a, b in pairwise(sizes))


def _lacks_last_label(p: Problem) -> bool:
    if p.architecture.loss != "cross_entropy":
        return False
    return int(p.targets.max()) < p.architecture.n_outputs - 1


def logits_reach(p: Problem, size: float) -> bool:
    """Could a logit be as large as this? An upper estimate by absolute values."""
    a = np.abs(p.x.astype(np.float64))
    for W, b in p.weights:
        bounded = p.architecture.activation in ("sigmoid", "tanh") and a is not None
        a = a @ np.abs(W.astype(np.float64)) + np.abs(b)
        last = a
        a = np.minimum(a, 1.0) if bounded else a
    return bool(last.max() > size)


# The simpler ones first: of several that hold, the first is told.
CONDITIONS: dict[str, Condition] = {
    "where a hidden layer has one unit": lambda p: 1 in _hidden(p),
    "where there is one input": lambda p: p.architecture.n_inputs == 1,
    "where there is one output": lambda p: p.architecture.n_outputs == 1,
    "in a batch of one": lambda p: p.batch_size == 1,
    "without a hidden layer": lambda p: not _hidden(p),
    "with a hidden layer": lambda p: bool(_hidden(p)),
    "with two hidden layers": lambda p: len(_hidden(p)) > 1,
    **{f"with loss={loss!r}": _loss_is(loss) for loss in LOSSES},
    **{f"with activation={name!r}": _activation_is(name) for name in ACTIVATIONS},
    "where there is one output, with loss='cross_entropy'": lambda p: (
        p.architecture.loss == "cross_entropy" and p.architecture.n_outputs == 1
    ),
    "in float32": lambda p: p.architecture.dtype == "float32",
    "where the last label does not occur": _lacks_last_label,
    "in batches of more than one": lambda p: p.batch_size > 1,
    "with more than one output": lambda p: p.architecture.n_outputs > 1,
    "with more than two outputs": lambda p: p.architecture.n_outputs > 2,
    "where logits are large": lambda p: logits_reach(p, 30.0),
    "where an input is always zero": lambda p: bool((~p.x.any(axis=0)).any()),
    "with equal widths": _has_equal_widths,
}


def only_where(wrong: Sequence[Problem], right: Sequence[Problem]) -> str:
    """The first condition that every wrong problem meets and no right one does; else empty.

    Told only where both groups have met its opposite: a condition without a rival has not been seen.
    """
    for text, holds in CONDITIONS.items():
        if wrong and right and all(map(holds, wrong)) and not any(map(holds, right)):
            return text
    return ""
