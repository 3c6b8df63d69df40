"""Known ways to be wrong in an activation's derivative f'(z)."""

from collections.abc import Callable, Iterator

import numpy as np

from backproof.comparisons.check.diagnosis.mistakes import Mistake, Rule
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.scratch.architecture import Array


def _leaking(leak: float) -> Rule:
    return lambda z, a: np.where(z > 0, 1.0, leak)


def _again(function: Callable[[Array], Array]) -> Rule:
    return lambda z, a: function(a)


Named = tuple[str, Rule, str]  # a sentence, what stands in place of f'(z), its family


def slope_mistakes(activation: str) -> Iterator[Mistake]:
    """Of this activation; the same family is one mistake where every activation has it."""
    for find in (_of_sigmoid, _of_tanh, _of_relu, _of_smooth, _of_any):
        for sentence, rule, family in find(activation):
            yield Mistake("slope", sentence, rule, activation, family)


def _of_sigmoid(activation: str) -> Iterator[Named]:
    if activation == "sigmoid":
        again = _again(ACTIVATION_FUNCTIONS[activation].slope)
        yield "sigmoid' is evaluated at a instead of z: the sigmoid is applied twice", again, "slope at a"
        yield "sigmoid' reads z where a belongs: z (1 - z)", lambda z, a: z * (1 - z), "z for a"
        yield "sigmoid' is taken as a (1 + a)", lambda z, a: a * (1 + a), ""


def _of_tanh(activation: str) -> Iterator[Named]:
    if activation == "tanh":
        again = _again(ACTIVATION_FUNCTIONS[activation].slope)
        yield "tanh' reads z where tanh(z) belongs: 1 - z^2", lambda z, a: 1 - z * z, "z for a"
        yield "tanh' is evaluated at a instead of z: tanh is applied twice", again, "slope at a"
        yield "tanh' is taken as 1 - a: the square is missing", lambda z, a: 1 - a, ""
        yield "sigmoid' = a (1 - a) stands where tanh' = 1 - a^2 belongs", lambda z, a: a * (1 - a), ""
        yield "tanh' is taken as 1 + a^2: the sign is wrong", lambda z, a: 1 + a * a, ""


def _of_relu(activation: str) -> Iterator[Named]:
    if activation in ("relu", "leaky_relu"):
        missing = "relu's mask is true everywhere, as a >= 0 after relu is: the derivative of relu is missing"
        yield missing, lambda z, a: np.ones_like(z), "missing"
        yield "relu' is 1 at z = 0, where the convention says 0", lambda z, a: (z >= 0) * 1.0, ""
        for leak in (0.01, 0.1, 0.2):
            leaky = f"leaky relu's derivative, {leak:g} below 0, stands where relu' belongs"
            yield leaky, _leaking(leak), ""
        yield "relu's mask is inverted", lambda z, a: (z <= 0) * 1.0, ""
        yield "relu's mask is a > 1", lambda z, a: (a > 1) * 1.0, ""
    if activation == "leaky_relu":
        yield "relu' stands where leaky relu's belongs: 0 below 0", lambda z, a: (z > 0) * 1.0, ""


def _of_smooth(activation: str) -> Iterator[Named]:
    if activation not in ("relu", "leaky_relu", "identity"):
        again = _again(ACTIVATION_FUNCTIONS[activation].slope)
        yield f"the derivative of {activation} is missing", lambda z, a: np.ones_like(z), "missing"
        yield f"{activation}' is evaluated at a instead of z", again, "slope at a"


def _of_any(activation: str) -> Iterator[Named]:
    function = ACTIVATION_FUNCTIONS[activation]
    if activation != "identity":
        yield f"{activation} itself stands where its derivative belongs", lambda z, a: a, "itself"
        yield f"z stands where the derivative of {activation} belongs", lambda z, a: z, ""
        twice = f"the square of {activation}' stands where {activation}' belongs: it is multiplied in twice"
        yield twice, lambda z, a: function.slope(z) ** 2, "twice"


FAMILIES = {
    "missing": "the derivative of the activation is missing: delta is passed back without f'",
    "slope at a": "the activation has overwritten z: its derivative is evaluated at a",
    "itself": "the activation itself stands where its derivative belongs",
    "z for a": "the derivative, written for a, is given z",
    "twice": "the derivative of the activation is multiplied in twice",
}
