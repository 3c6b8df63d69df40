"""Ports of `whole_models` with one mistake each, the tensor in which it stands, and words of its cause."""

from dataclasses import dataclass
from functools import partial
from typing import Any

from tests.support.whole_models import Ported, PortedSentences


@dataclass(frozen=True)
class Planted:
    name: str  # of what makes the model, in this module
    right: str  # of the model that it should be
    tensor: str
    cause: str


images, sentences = "images", "sentences"
PLANTED = (
    Planted("eps_of_batch_norm", images, "n1", "eps is 0.001, not 1e-05"),
    Planted("momentum_of_batch_norm", images, "n1.running_mean", "the momentum is 0.9, 1 minus 0.1"),
    Planted("biased_running_variance", images, "stage.n1.running_var", "divided by n, not by n - 1"),
    Planted("no_padding", images, "c1", "shape (6, 4, 6, 6) where (6, 4, 8, 8) belongs"),
    Planted("kernel_transposed", images, "c1", "its height and width are swapped"),
    Planted("residual_missing", images, "into ln", "a term is missing"),
    Planted("residual_twice", images, "into ln", "is added to it"),
    Planted("axis_of_layer_norm", images, "ln", "normalised over the batch"),
    Planted("eps_outside_the_root", images, "ln", "outside the root"),
    Planted("channels_last", images, "into ln", "in another order"),
    Planted("mean_for_maximum", images, "into stage.c1", "the mean is taken, not the maximum"),
    Planted("leaky_for_relu", images, "into stage.c1", "leaky relu with slope 0.01"),
    Planted("detached", images, "d n1", ""),
    Planted("frozen", images, "d ln.gain", "it has no gradient"),
    Planted("mask_missing", sentences, "attention", "the mask is left out"),
    Planted("scale_missing", sentences, "attention", "not divided by the root of the head's size"),
    Planted("scale_of_all_heads", sentences, "attention", "the root of the whole size"),
    Planted("residual_of_sentences", sentences, "into ln2", "a residual that was left out"),
    Planted("axis_of_words", sentences, "ln1", "the axis before the last"),
    Planted("gelu_by_tanh", sentences, "into down", "gelu by tanh"),
    Planted("labels_shifted", sentences, "embed", "holds the numbers of embed.weight in another order"),
    Planted("output_transposed", sentences, "attention", "with its axes in another order"),
)

_IMAGES: dict[str, Any] = {
    "eps_of_batch_norm": {"eps": 1e-3},
    "momentum_of_batch_norm": {"kept": 0.1},
    "biased_running_variance": {"biased": True},
    "no_padding": {"padding": 0},
    "kernel_transposed": {"swapped": True},
    "residual_missing": {"residual": False},
    "residual_twice": {"twice": True},
    "axis_of_layer_norm": {"axis": 0},
    "eps_outside_the_root": {"outside": True},
    "channels_last": {"channels_last": True},
    "mean_for_maximum": {"mean": True},
    "leaky_for_relu": {"leaky": True},
    "detached": {"detached": True},
    "frozen": {"frozen": True},
}
_SENTENCES: dict[str, Any] = {
    "mask_missing": {"masked": False},
    "scale_missing": {"scale": 1.0},
    "scale_of_all_heads": {"scale": 8**-0.5},
    "residual_of_sentences": {"residual": False},
    "axis_of_words": {"axis": 1},
    "gelu_by_tanh": {"gelu": "tanh"},
    "labels_shifted": {"shifted": True},
    "output_transposed": {"transposed": True},
}


def made(name: str) -> Any:
    """The model with this mistake."""
    return Ported(**_IMAGES[name]) if name in _IMAGES else PortedSentences(**_SENTENCES[name])


def __getattr__(name: str) -> Any:
    """Every mistake is an object of this module: a function that makes the model."""
    if name in _IMAGES or name in _SENTENCES:
        return partial(made, name)
    raise AttributeError(name)
