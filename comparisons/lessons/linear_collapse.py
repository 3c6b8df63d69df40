"""Why activations are not linear: layers without them collapse into one.

    h(z) = c z:           h(h(h(x))) = c^3 x
    a W1 W2 W3 with biases:   x W + b,  W = W1 W2 W3,  b = (b1 W2 + b2) W3 + b3

A product of p matrices with inner sizes n_1 .. n_p is exact up to gamma_n |x| |W1| |W2| |W3| entry by entry,
gamma_n = n eps / (1 - n eps), n = sum of the inner sizes (Higham 2002, section 3.5); both orders of
multiplication carry that error.
"""

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    number,
    percent,
)
from backproof.comparisons.lessons.images import evaluated, image_network
from backproof.comparisons.lessons.pictures import COLOURS, DASHES, SCRATCH, TORCH, axes, line
from backproof.scratch.architecture import ActivationName, Array, Weights
from backproof.scratch.network import Network

C = 0.7
ROUNDINGS = 6  # three in h(h(h(x))), three in c^3 x
HIDDEN = (64, 64)
EPOCHS = 3
SAME_ACCURACY = 0.01  # deep linear against softmax regression; both end near the same optimum
MARGIN = 0.02  # what relu wins on MNIST at least


def collapse(weights: Weights) -> tuple[Array, Array]:
    """The single (W, b) that equals a stack of linear layers."""
    W, b = weights[0]
    for weight, bias in weights[1:]:
        W, b = W @ weight, b @ weight + bias
    return W, b


def rounding_bound(x: Array, weights: Weights) -> Array:
    """2 gamma_n (|x| |W1| ... + |b| parts), per logit: what the two orders may differ by."""
    n = sum(weight.shape[0] + 1 for weight, _ in weights)
    eps = float(np.finfo(weights[0][0].dtype).eps)
    size = np.abs(x)
    for weight, bias in weights:
        size = size @ np.abs(weight) + np.abs(bias)
    bound: Array = 2 * n * eps / (1 - n * eps) * size
    return bound


def run(setting: Setting) -> LessonResult:
    data = setting.dataset()
    test = data.test_images.astype(float)
    kinds: dict[str, tuple[tuple[int, ...], ActivationName]] = {
        "softmax": ((), "identity"),
        "linear": (HIDDEN, "identity"),
        "relu": (HIDDEN, "relu"),
    }
    curves: dict[str, list[float]] = {}
    networks: dict[str, Network] = {}
    for name, (hidden, activation) in kinds.items():
        networks[name] = image_network(data, hidden, activation, setting.seed)
        curves[name] = evaluated(networks[name], data, 0.1, EPOCHS, setting, name)
    weights = [(w.astype(float), b.astype(float)) for w, b in networks["linear"].parameters.layers]
    deep = networks["linear"].astype(float).forward(test)[-1]
    W, b = collapse(weights)
    single = test @ W + b
    excess = float((np.abs(deep - single) / rounding_bound(test, weights)).max())
    last = {name: curve[-1] for name, curve in curves.items()}
    differing = int((deep.argmax(axis=1) != single.argmax(axis=1)).sum())
    claims = [
        _c_cubed(setting.seed),
        at_most("one_matrix", excess, 1.0),
        at_most("same_answers", differing, 0),
    ]
    if data.name == "mnist":
        claims.append(at_most("same_accuracy", abs(last["linear"] - last["softmax"]), SAME_ACCURACY, percent))
        claims.append(at_least("relu_wins", last["relu"] - last["softmax"], MARGIN, percent))
    depth = float(np.abs(deep - networks["relu"].astype(float).forward(test)[-1]).max())
    correction = Correction(
        "depth",
        at_least("depth_without", excess, 1.0),
        at_least("depth_with", _relu_excess(networks["relu"], test), 1.0),
    )
    values = {name: percent(value) for name, value in last.items()}
    values |= {"epochs": number(EPOCHS), "c": number(C), "depth": number(depth), "images": number(len(test))}
    unjudged = () if data.name == "mnist" else ("same_accuracy", "relu_wins")
    return LessonResult(claims, (_curves(curves), _functions()), (collapse, rounding_bound), (correction,),
                   values=values, unjudged=unjudged)  # fmt: skip


def _c_cubed(seed: int) -> Claim:
    x = np.random.default_rng(seed).standard_normal(100)
    thrice = C * (C * (C * x))
    rounding = ROUNDINGS * float(np.finfo(float).eps)
    return at_most("c_cubed", float(np.abs(thrice / (C**3 * x) - 1).max()), rounding)


def _relu_excess(network: Network, x: Array) -> float:
    """The same comparison with relu between the layers: how far from one matrix, in bounds."""
    weights = [(w.astype(float), b.astype(float)) for w, b in network.parameters.layers]
    W, b = collapse(weights)
    deep = network.astype(float).forward(x)[-1]
    return float((np.abs(deep - (x @ W + b)) / rounding_bound(x, weights)).max())


def _curves(curves: dict[str, list[float]]) -> Figure:
    data = [
        line(f"@{name}", np.arange(1, EPOCHS + 1), 100 * np.array(curve), COLOURS[i], DASHES[i], markers=True)
        for i, (name, curve) in enumerate(curves.items())
    ]
    return Figure("accuracy", data, axes("@epoch", "@test_accuracy", xaxis={"dtick": 1}))


def _functions() -> Figure:
    """A random 1-16-16-1 network as a function: identity gives a line, relu bends."""
    rng = np.random.default_rng(3)
    W1, W2, W3 = rng.normal(size=(1, 16)), rng.normal(size=(16, 16)) / 4, rng.normal(size=(16, 1)) / 4
    b1, b2 = rng.normal(size=16), rng.normal(size=16)
    x = np.linspace(-3, 3, 121)[:, None]
    bent = np.maximum(np.maximum(x @ W1 + b1, 0) @ W2 + b2, 0) @ W3
    straight = ((x @ W1 + b1) @ W2 + b2) @ W3
    return Figure(
        "functions",
        (
            line("@linear", x[:, 0], straight[:, 0], TORCH, "dash"),
            line("@relu", x[:, 0], bent[:, 0], SCRATCH),
        ),
        axes("x", "y"),
    )
