"""MNIST digits by a network built without a framework, beside the same network in torch.

784-128-10, relu, softmax cross-entropy, SGD with momentum; same start, same batches. Its first
layer's gradient is shown as an image, by backprop and by central differences. Moving W1[i, j] by h changes
z_nj by h x_ni: a kink is crossed where |z_nj| <= h x_ni, and only where none is does the bound hold,

    |D_h - g| <= h^2 mean_n(R_n^3) / (36 sqrt 3) + e / h,    R_n = x_ni (max_k W2[j, k] - min_k W2[j, k])

with R_n the range over classes of the logits' slopes (third cumulant of a bounded variable), and e the
rounding of one loss.
"""

import numpy as np

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.lessons.frame import (
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    number,
    percent,
)
from backproof.comparisons.lessons.images import (
    CLASSES,
    DATA_NAMES,
    batches_of,
    image_architecture,
    trained_epochs,
)
from backproof.comparisons.lessons.pictures import AMOUNT, SCRATCH, SIGNED, TORCH, axes, heatmap, images, line
from backproof.reference.contender import Contender
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.gradients import gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

HIDDEN, EPOCHS, BATCH = 128, 5, 100
SGD = OptimizerSpec("sgd", learning_rate=0.1, momentum=0.9)
GOOD_ACCURACY = 0.97  # seen: 97.5 to 97.6 %; what a start and a summation order may move stays inside
SAME = 0.003
EPS = float(np.finfo(float).eps)
H = EPS ** (1 / 3)


def unit_gradient(network: Network, x: Array, labels: Array, unit: int) -> Array:
    """dL/dW1[:, unit] (features,) by central differences: two forward passes per pixel."""
    W1 = network.parameters.layers[0][0]
    found = np.empty(len(W1))
    for i in range(len(W1)):
        kept = W1[i, unit]
        losses = []
        for moved in (kept + H, kept - H):
            W1[i, unit] = moved
            losses.append(float(network.loss(x, labels)))
        W1[i, unit] = kept
        found[i] = (losses[0] - losses[1]) / ((kept + H) - (kept - H))
    return found


def difference_bound(network: Network, x: Array, unit: int) -> tuple[Array, Array]:
    """(bound (features,), whether a kink lies inside the step (features,)); see the module's head."""
    (W1, b1), (W2, b2) = network.parameters.layers
    span = x * np.ptp(W2[unit])  # R_n for every pixel, (batch, features)
    truncation = H**2 * np.mean(span**3, axis=0) / (36 * np.sqrt(3))
    terms = len(W1) + len(W2) + CLASSES + 4
    size = (np.abs(x) @ np.abs(W1) + np.abs(b1)) @ np.abs(W2) + np.abs(b2)
    rounding = 2 * terms * EPS * float(size.max()) / H
    z = x @ W1[:, unit] + b1[unit]
    crossed = (np.abs(z)[:, None] <= H * (1 + 1e-6) * x).any(axis=0)
    return truncation + rounding, crossed


def run(setting: Setting) -> LessonResult:
    data = setting.dataset()
    architecture = image_architecture(data, (HIDDEN,), "relu")
    start = initialize(architecture, setting.seed)
    per_epoch = -(-len(data.train_images) // BATCH)
    batches = batches_of(data, per_epoch * EPOCHS, BATCH, setting.seed)
    contenders: dict[str, Contender] = {"scratch": ScratchMLP(), "torch": TorchMLP()}
    curves = {}
    for name, contender in contenders.items():
        contender.load(architecture, start.layers)
        curves[name] = trained_epochs(contender, data, batches, SGD, per_epoch, setting, name)[1]
    maps, worst, crossing = _gradient_maps(Network(architecture, start).astype(float), data)
    reached = curves["scratch"][-1]
    claims = [
        at_most("gradient", worst, 1.0),
        at_most("torch", abs(reached - curves["torch"][-1]), SAME, percent),
    ]
    if data.name == "mnist":
        claims.insert(0, at_least("accuracy", reached, GOOD_ACCURACY, percent))
    logits = contenders["scratch"].logits(data.test_images)
    values = {
        "torch": percent(curves["torch"][-1]), "epochs": number(EPOCHS), "data": DATA_NAMES[data.name],
        "parameters": number(architecture.n_parameters), "crossing": number(crossing),
        "pixels": number(maps[0].size), "tests": number(len(logits)),
        "wrong": number(int((logits.argmax(axis=1) != data.test_labels).sum())),
    }  # fmt: skip
    figures = (_accuracies(curves), _confusion(logits, data.test_labels), _hardest(logits, data), _maps(maps))
    return LessonResult(
        claims,
        figures,
        (unit_gradient, difference_bound),
        values=values,
        unjudged=() if data.name == "mnist" else ("accuracy",),
    )


def _gradient_maps(network: Network, data: Dataset) -> tuple[list[Array], float, int]:
    """Images of backprop, differences and their gap; the worst gap in bounds; pixels that cross a kink."""
    x, labels = data.train_images[:BATCH].astype(float), data.train_labels[:BATCH]
    n_features = x.shape[1]
    dW1 = gradient(network, x, labels)[: n_features * HIDDEN].reshape(n_features, HIDDEN)
    unit = int(np.abs(dW1).sum(axis=0).argmax())
    numeric = unit_gradient(network, x, labels, unit)
    bound, crossed = difference_bound(network, x, unit)
    gap = np.abs(numeric - dW1[:, unit])
    worst = float((gap / bound)[~crossed].max())
    maps = [part.reshape(data.image_shape) for part in (dW1[:, unit], numeric, numeric - dW1[:, unit])]
    return maps, worst, int(crossed.sum())


def _accuracies(curves: dict[str, list[float]]) -> Figure:
    styles = (("scratch", SCRATCH, "solid"), ("torch", TORCH, "dash"))
    data = [
        line(name, np.arange(1, EPOCHS + 1), 100 * np.array(curves[name]), colour, dash, markers=True)
        for name, colour, dash in styles
    ]
    return Figure("accuracy", data, axes("@epoch", "@test_accuracy", xaxis={"dtick": 1}))


def _confusion(logits: Array, labels: Array) -> Figure:
    """How often digit y (row) is read as digit x (column); colours by the logarithm, numbers as they are."""
    counts = np.zeros((CLASSES, CLASSES))
    np.add.at(counts, (labels, logits.argmax(axis=1)), 1)
    names = [str(k) for k in range(CLASSES)]
    trace = heatmap(np.log1p(counts), names, names, AMOUNT, xgap=1, ygap=1, hoverinfo="skip")
    trace |= {"text": [[str(int(v)) if v else "" for v in row] for row in counts], "texttemplate": "%{text}"}
    layout = axes(
        "@read_as",
        "@label",
        height=460,
        yaxis={"autorange": "reversed", "type": "category"},
        xaxis={"type": "category"},
    )
    return Figure("confusion", [trace], layout)


def _hardest(logits: Array, data: Dataset) -> Figure:
    """The wrongly read test images whose true class was given the least probability."""
    shifted = logits - logits.max(axis=1, keepdims=True)
    log_p = shifted[np.arange(len(logits)), data.test_labels] - np.log(np.exp(shifted).sum(axis=1))
    worst = np.argsort(log_p)[:12]
    maps = [data.test_images[i].reshape(data.image_shape) for i in worst]
    titles = [f"{data.test_labels[i]} → {logits[i].argmax()}" for i in worst]
    traces, layout = images(maps, titles, 6, [[0.0, "#ffffff"], [1.0, "#1b2430"]], hoverinfo="skip")
    return Figure("hardest", traces, layout)


def _maps(maps: list[Array]) -> Figure:
    traces, layout = images(maps, ["@backprop", "@differences", "@gap"], 3, SIGNED)
    for trace, matrix in zip(traces, maps, strict=True):
        limit = float(np.abs(matrix).max()) or 1.0
        trace |= {"zmin": -limit, "zmax": limit}
    return Figure("maps", traces, layout)
