"""`Form`: how a class writes what ours writes otherwise. Every value but the first of each is a convention.

A class states its form in plain class attributes of these names, without importing anything:

    outputs            what `logits` returns: "logits", "probabilities" or "log_probabilities"
    targets            labels of cross-entropy as "labels" (N,) or "one_hot" (N, K)
    weight_layout      W as "in_out" (fan_in, fan_out) or "out_in"
    samples            in "rows" (N, features) or in "columns"; "single": one at a time, x (features,)
    biases             "vector" (n,), "row" (1, n), "column" (n, 1) or "none": weights are then W, no pairs;
                       "first" or "last": folded into W as that row (column where W is (out, in)), no pairs
    gradients          of the "batch", or "per_example": one more axis, in front
    activation         of the hidden layers, where it is always the same: one of ACTIVATION_FUNCTIONS
    output_activation  of the last layer, under squared error: "identity", "sigmoid", "tanh" or "softmax";
                       "sigmoid" or "tanh" under an entropy: before its softmax or sigmoid
    loss               the one loss it has, to be held to its definition strictly
    hidden_layers      how many, where that is fixed
    dtype              "float64" where nothing else is computed
    supports           any of the last as lists: {"activation": ["relu"], "hidden_layers": [1, 2]}

A class may also name what a network calls its things, and write no methods: `contenders.named.adapters`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, get_args

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.scratch.architecture import DTYPES, LOSSES, ActivationName
from backproof.scratch.errors import InputError

WORDS: dict[str, tuple[str, ...]] = {
    "outputs": ("logits", "probabilities", "log_probabilities"),
    "targets": ("labels", "one_hot"),
    "weight_layout": ("in_out", "out_in"),
    "samples": ("rows", "columns", "single"),
    "biases": ("vector", "row", "column", "none", "first", "last"),
    "gradients": ("batch", "per_example"),
    "output_activation": ("identity", "sigmoid", "tanh", "softmax"),
}
# Never recognised: what is right for one example may be wrong for several; a folded bias changes every shape.
DECLARED_ONLY = ("single", "first", "last")
SPACE: dict[str, tuple[str | int, ...]] = {
    "activation": tuple(ACTIVATION_FUNCTIONS),
    "loss": LOSSES,
    "hidden_layers": (0, 1, 2, 3),
    "dtype": DTYPES,
}


@dataclass(frozen=True)
class Form:
    """See the module. The defaults are ours."""

    outputs: str = "logits"
    targets: str = "labels"
    weight_layout: str = "in_out"
    samples: str = "rows"
    biases: str = "vector"
    gradients: str = "batch"
    output_activation: str = "identity"
    activation: str = ""  # the one it has; empty: the architecture's
    gradient_layout: str = "as_weights"  # "out_in" where dW is transposed and W is not
    step: bool = False  # it offers a step in place of a gradient

    @property
    def is_ours(self) -> bool:
        """Are outputs, loss and gradient those of the contract, whatever their layout?"""
        same = not self.activation or self.activation in get_args(ActivationName)
        return same and self.output_activation == "identity"

    def sentences(self) -> list[str]:
        """What is not ours, in words."""
        plain = Form()
        said = [
            _PHRASES[field.name].format(_told(getattr(self, field.name)))
            for field in fields(self)
            if field.name in _PHRASES and getattr(self, field.name) != getattr(plain, field.name)
        ]
        return said + (["a step in place of a gradient: it is read from the weights"] if self.step else [])


OURS = Form()
_WORDS_TOLD = {
    "single": "given one at a time",
    "first": "in W, as its first row or column",
    "last": "in W, as its last row or column",
}


def _told(word: str) -> str:
    return _WORDS_TOLD.get(word, word.replace("_", " "))


_PHRASES = {
    "outputs": "outputs are {}",
    "targets": "targets are {}",
    "weight_layout": "W is (out, in)",
    "gradient_layout": "dW is (out, in), transposed to W: read so",
    "samples": "samples are {}",
    "biases": "biases: {}",
    "gradients": "gradients are {}",
    "output_activation": "the output activation is {}",
    "activation": "the activation is {} whatever is asked",
}


def declared(attributes: Mapping[str, Any]) -> dict[str, str]:
    """The form's fields that the class states itself. Raises InputError for a word that is none of them."""
    found = {}
    for name, words in {**WORDS, "activation": tuple(ACTIVATION_FUNCTIONS)}.items():
        value = attributes.get(name)
        if not isinstance(value, str):
            continue
        if value not in words:
            raise InputError(f"{name}: expected one of {', '.join(words)} as class attribute; got {value!r}")
        found[name] = value
    return found


def declared_space(attributes: Mapping[str, Any]) -> dict[str, tuple[str | int, ...]]:
    """What the class says it has, by the names of SPACE. Raises InputError as above."""
    said = attributes.get("supports")
    supports = said if isinstance(said, Mapping) else {}
    stated = {**supports}
    stated.update({name: attributes[name] for name in SPACE if name in attributes})
    found: dict[str, tuple[str | int, ...]] = {}
    for name, value in stated.items():
        values = (
            tuple(value) if isinstance(value, Sequence | set) and not isinstance(value, str) else (value,)
        )
        wrong = [item for item in values if item not in SPACE.get(name, ())]
        if name not in SPACE or (wrong and name in supports):
            expected = ", ".join(map(str, SPACE.get(name, tuple(SPACE))))
            raise InputError(f"supports: {name}: expected some of {expected}; got {value!r}")
        if not wrong:
            found[name] = values
    return found
