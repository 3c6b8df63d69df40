"""Softmax regression on MNIST: one layer, 784-10, zero start, SGD 0.5, batches of 100, 1,000 steps.

    z = x W + b;   L = mean [logsumexp(z) - z_label];   W <- W - 0.5 dL/dW

The loss is convex, so that zero is as good a start as any: there is no hidden layer whose neurons would have
to become different.
"""

import numpy as np

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    at_most,
    between,
    equal,
    number,
    percent,
)
from backproof.comparisons.lessons.images import CLASSES, DATA_NAMES, accuracy, batches_of, image_architecture
from backproof.comparisons.lessons.keras_network import installed, keras_training
from backproof.comparisons.lessons.pictures import SCRATCH, SIGNED, TORCH, axes, images, line
from backproof.reference.contender import Contender
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.initializers import initialize

STEPS, BATCH = 1000, 100
SGD = OptimizerSpec("sgd", learning_rate=0.5)
CLAIMED = 0.91  # of the code the text links to; "about", taken as one point and a half
ABOUT = 0.015
SAME = 0.002  # scratch and torch on the same batches, float32


def softmax_regression(
    contender: Contender, data: Dataset, batches: list[Array]
) -> tuple[list[float], float]:
    """Each step's loss, and the test accuracy after the last."""
    architecture = image_architecture(data, (), "identity")
    contender.load(architecture, initialize(architecture, 0, "zeros").layers)
    losses = contender.train(data.train_images, data.train_labels, batches, SGD)
    return [float(loss) for loss in losses], accuracy(contender.logits(data.test_images), data.test_labels)


def run(setting: Setting) -> LessonResult:
    data = setting.dataset()
    batches = batches_of(data, STEPS, BATCH, setting.seed)
    scratch, witness = ScratchMLP(), TorchMLP()
    losses, reached = softmax_regression(scratch, data, batches)
    torch_losses, torch_reached = softmax_regression(witness, data, batches)
    claims = [
        at_most("start", abs(losses[0] - np.log(CLASSES)), 1e-6),
        at_most("torch", abs(reached - torch_reached), SAME, percent),
        at_most("curves", float(np.abs(np.subtract(losses, torch_losses)).max()), 1e-3),
    ]
    rows = [["scratch", percent(reached)], ["torch", percent(torch_reached)]]
    if setting.keras and installed():
        by_keras = _keras(data, batches)
        rows.append(["Keras", percent(by_keras)])
        claims.append(at_most("keras", abs(by_keras - reached), SAME, percent))
    if data.name == "mnist":
        claims.insert(0, between("about_91", reached, CLAIMED - ABOUT, CLAIMED + ABOUT, percent))
    values = {"reached": percent(reached), "torch": percent(torch_reached), "data": DATA_NAMES[data.name]}
    return LessonResult(
        claims,
        (_weights(scratch.weights()[0][0], data.image_shape), _losses(losses, torch_losses)),
        (softmax_regression,),
        (_zero_start(data, reached),),
        (Table("reached", ("", "@test_accuracy"), rows),),
        values | _constants(),
        () if data.name == "mnist" else ("about_91",),
    )


def _constants() -> dict[str, str]:
    return {
        "claimed": percent(CLAIMED), "steps": number(STEPS), "batch": number(BATCH),
        "rate": number(SGD.learning_rate),
    }  # fmt: skip


def _zero_start(data: Dataset, reached: float) -> Correction:
    """Against what guessing the first class would give, which is what all-zero logits answer."""
    guess = accuracy(np.zeros((len(data.test_labels), CLASSES)), data.test_labels)
    return Correction(
        "zero_start",
        equal("zero_learns_nothing", percent(reached), percent(guess)),
        at_least("zero_learns", reached - guess, 0.5, percent),
    )


def _keras(data: Dataset, batches: list[Array]) -> float:
    architecture = image_architecture(data, (), "identity")
    start = [(w.copy(), b.copy()) for w, b in initialize(architecture, 0, "zeros").layers]
    return keras_training(architecture, start, data, batches, SGD, len(batches))[1][-1]


def _weights(weight: Array, shape: tuple[int, int]) -> Figure:
    """What each class looks for: its column of W as an image."""
    maps = [weight[:, k].reshape(shape) for k in range(CLASSES)]
    traces, layout = images(maps, [str(k) for k in range(CLASSES)], 5, SIGNED)
    limit = float(np.abs(weight).max())
    for trace in traces:
        trace |= {"zmin": -limit, "zmax": limit, "hoverinfo": "skip"}
    return Figure("weights", traces, layout)


def _losses(losses: list[float], torch_losses: list[float]) -> Figure:
    steps = np.arange(1, STEPS + 1)[::10]
    return Figure(
        "losses",
        (
            line("scratch", steps, losses[::10], SCRATCH),
            line("torch", steps, torch_losses[::10], TORCH, "dash"),
        ),
        axes("@step", "@loss"),
    )
