"""What the lessons on images share: a network for the data, its training, its accuracy after every epoch.

Everything is float32, as users train. The batches are drawn once per run and handed to every contender.
"""

from collections.abc import Sequence

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.lessons.frame import Setting
from backproof.reference.contender import Contender
from backproof.scratch.architecture import ActivationName, Architecture, Array, OptimizerName, OptimizerSpec
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.training import Epoch, EpochPlan, Recipe, epoch_batches, fit

CLASSES = 10
DATA_NAMES = {"mnist": "MNIST", "digits": "scikit-learn digits, 8 × 8"}  # as texts call them
BATCH_SIZE = 100


def image_architecture(data: Dataset, hidden: Sequence[int], activation: ActivationName) -> Architecture:
    sizes = (data.train_images.shape[1], *hidden, CLASSES)
    return Architecture(sizes, activation=activation, loss="cross_entropy", dtype="float32")


def image_network(
    data: Dataset, hidden: Sequence[int], activation: ActivationName, seed: int, start: str = "he_normal"
) -> Network:
    """A network for these images, started by `start` ("normal" draws the biases too, as the texts do)."""
    architecture = image_architecture(data, hidden, activation)
    return Network(architecture, initialize(architecture, seed, start, biases=start == "normal"))


def accuracy(logits: Array, labels: Array) -> float:
    """The fraction of rows whose largest logit is the label's."""
    return float((logits.argmax(axis=1) == labels).mean())


def evaluated(
    network: Network,
    data: Dataset,
    rate: float,
    epochs: int,
    setting: Setting,
    name: str,
    optimizer: OptimizerName = "sgd",
) -> list[float]:
    """Train for `epochs` and return the test accuracy after each; `setting.watch` hears of every epoch."""
    curve: list[float] = []

    def on_epoch(epoch: Epoch) -> None:
        curve.append(accuracy(network.forward(data.test_images)[-1], data.test_labels))
        if setting.watch is not None:
            setting.watch(name, epoch.number, epoch.mean_loss, curve[-1])

    recipe = Recipe(OptimizerSpec(optimizer, learning_rate=rate))
    plan = EpochPlan(epochs, BATCH_SIZE, setting.seed)
    fit(network, data.train_images, data.train_labels, recipe, plan, on_epoch=on_epoch)
    return curve


def batches_of(data: Dataset, steps: int, batch_size: int, seed: int) -> list[Array]:
    """The first `steps` batches of as many shuffled epochs as that takes."""
    rng = np.random.default_rng(seed)
    batches: list[Array] = []
    while len(batches) < steps:
        batches += epoch_batches(len(data.train_images), batch_size, rng)
    return batches[:steps]


def trained_epochs(
    contender: Contender, data: Dataset, batches: Sequence[Array], spec: OptimizerSpec, per_epoch: int,
    setting: Setting, name: str,
) -> tuple[list[float], list[float]]:  # fmt: skip
    """(each step's loss, test accuracy after every `per_epoch` steps) of a contender that was loaded."""
    curve: list[float] = []

    def evaluate() -> None:
        curve.append(accuracy(contender.logits(data.test_images), data.test_labels))
        if setting.watch is not None:
            setting.watch(name, len(curve), float("nan"), curve[-1])

    checkpoints = dict.fromkeys(range(per_epoch, len(batches) + 1, per_epoch), evaluate)
    losses = contender.train(data.train_images, data.train_labels, batches, spec, checkpoints)
    return [float(loss) for loss in losses], curve
