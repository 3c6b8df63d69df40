"""Training against the clock: several networks at once, each in a thread of its own, on one core each.

Progress p runs from 0 to 1, with the clock (`seconds`) or with the steps (`epochs`); the learning rate
follows the one-cycle schedule in p, so that a run ends when its time is up with the rate at its lowest, on a
fast and on a slow machine. NumPy lets go of Python's lock in products and array operations, so that two
networks train on two cores in the time of one. A run with `epochs` gives the same weights for the same seed,
bit for bit; one with `seconds` takes as many steps as fit.

    moving average of the weights   avg <- r avg + (1 - r) theta, every `EVERY` steps, r = averaging^EVERY
    max-norm                        w <- w min(1, c / |w|_2), the weights w into each hidden unit, each step

A batch is distorted, then moved towards a larger loss (`adversary`), then noise is added, as far as the
recipe asks for each.
"""

import itertools
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.data.dataset import N_CLASSES
from backproof.comparisons.record.adversary import Adversary
from backproof.comparisons.record.distortion import Distorter
from backproof.comparisons.record.recipes import Recipe
from backproof.comparisons.record.result import EpochEnd
from backproof.scratch.architecture import Architecture, Array, Batch, Rows
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import Backprop
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.schedules import one_cycle
from backproof.scratch.training import Augmentation, epoch_batches, train
from backproof.scratch.training import Recipe as TrainingRecipe

EVERY = 16  # steps between updates of the moving average
EVALUATION_ROWS = 1000
RESOLUTION = 10_000  # of the schedule, in which p is its step divided by RESOLUTION - 1


@dataclass(frozen=True)
class Budget:
    """How long to train: exactly one of `seconds` and `epochs`."""

    seconds: float | None = None
    epochs: int | None = None

    def __post_init__(self) -> None:
        if (self.seconds is None) == (self.epochs is None):
            raise InputError("budget: expected either seconds or epochs")


@dataclass(frozen=True)
class Split:
    """Images (n, pixels) float32 and labels (n,): what is learned from, and what the recipe is chosen on."""

    images: Array
    labels: Array
    validation_images: Array
    validation_labels: Array
    image_shape: tuple[int, int]


class Member:
    """One network of a recipe: weights, batches, masks and distortions of its own, from (seed, index)."""

    def __init__(self, recipe: Recipe, split: Split, budget: Budget, seed: int, index: int) -> None:
        self.recipe, self.split, self.budget = recipe, split, budget
        weights, batches, distortions = np.random.SeedSequence([seed, index]).spawn(3)
        architecture = Architecture((split.images.shape[1], *recipe.hidden, N_CLASSES), dtype="float32")
        parameters = initialize(architecture, np.random.default_rng(weights))
        self.network = Network(architecture, parameters)
        self.average = parameters.flat.copy()
        self.batches_rng = np.random.default_rng(batches)
        self.distortions_rng = np.random.default_rng(distortions)
        self.dropout = recipe.dropout and replace(recipe.dropout, seed=seed * 1000 + index)
        self.history: list[EpochEnd] = []
        self.steps, self.total_loss = 0, 0.0

    @property
    def steps_per_epoch(self) -> int:
        return -(-len(self.split.labels) // self.recipe.batch_size)

    def train(
        self, distorter: Distorter | None, cancelled: threading.Event, report: Callable[[], None]
    ) -> None:
        """Train until the budget is spent; `report` after every epoch, `cancelled` ends it early."""
        self.started, self.cancelled, self.report = time.perf_counter(), cancelled, report
        cycle = one_cycle(RESOLUTION, warm_up=self.recipe.warm_up)
        training = TrainingRecipe(
            self.recipe.optimizer,
            Backprop(self.dropout),
            schedule=lambda step: cycle(self.progress() * (RESOLUTION - 1)),
            augmentation=self._changes(distorter),
            label_smoothing=self.recipe.label_smoothing,
        )
        images, labels = self.split.images, self.split.labels
        train(self.network, images, labels, self._batches(), training, self._on_step)
        if self.steps % self.steps_per_epoch:
            self._end_epoch(self.steps % self.steps_per_epoch)
        if self.recipe.averaging:
            self.network.parameters.flat[...] = self.average

    def progress(self) -> float:
        """p in [0, 1]."""
        if self.budget.seconds is not None:
            return min((time.perf_counter() - self.started) / self.budget.seconds, 1.0)
        assert self.budget.epochs is not None
        return min(self.steps / (self.budget.epochs * self.steps_per_epoch), 1.0)

    def _changes(self, distorter: Distorter | None) -> Augmentation | None:
        """What is done to every batch; None where nothing is."""
        recipe, rng = self.recipe, self.distortions_rng
        adversary = Adversary(self.network, recipe.adversarial) if recipe.adversarial else None
        if distorter is None and adversary is None and not recipe.input_noise:
            return None

        def change(batch_x: Batch) -> None:
            if distorter is not None:
                distorter(batch_x, rng, out=batch_x)
            if adversary is not None:
                adversary(batch_x, self.split.labels[self._rows])
            if recipe.input_noise:
                batch_x += np.float32(recipe.input_noise) * rng.standard_normal(batch_x.shape, np.float32)

        return change

    def _batches(self) -> Iterator[Rows]:
        while True:
            for batch in epoch_batches(len(self.split.labels), self.recipe.batch_size, self.batches_rng):
                if self.progress() >= 1.0 or self.cancelled.is_set():
                    return
                self._rows = batch
                yield batch

    def _on_step(self, steps: int, loss: float) -> None:
        self.steps, self.total_loss = steps, self.total_loss + loss
        if self.recipe.max_norm:
            hold_norms(self.network, self.recipe.max_norm)
        if self.recipe.averaging and steps % EVERY == 0:
            # The average follows from the start on: r grows to its final value as in Tensorflow's EMA.
            r = min(self.recipe.averaging**EVERY, steps / (steps + 10.0 * EVERY))
            self.average += (1.0 - np.float32(r)) * (self.network.parameters.flat - self.average)
        if steps % self.steps_per_epoch == 0:
            self._end_epoch(self.steps_per_epoch)

    def _end_epoch(self, steps: int) -> None:
        accuracy = None
        if len(self.split.validation_labels):
            shares = probabilities(self.network, self.split.validation_images)
            accuracy = float(np.mean(shares.argmax(axis=1) == self.split.validation_labels))
        self.history.append(
            EpochEnd(
                epoch=self.steps / self.steps_per_epoch,
                progress=self.progress(),
                train_loss=self.total_loss / steps,
                accuracy=accuracy,
            )
        )
        self.total_loss = 0.0
        self.report()


def hold_norms(network: Network, most: float) -> None:
    """Shorten the weights into every hidden unit whose length is more than this."""
    for weight, _ in network.layers[:-1]:
        lengths = np.sqrt(np.einsum("ij,ij->j", weight, weight))
        if (lengths > most).any():
            # w <- w min(1, c / |w|)
            weight *= np.minimum(1.0, most / np.maximum(lengths, most)).astype(weight.dtype)


def probabilities(network: Network, images: Array) -> Array:
    """softmax of the logits (n, classes), without dropout; the network's buffers stay as they are."""
    frozen = Network(network.architecture, network.parameters)
    pieces = []
    for start in range(0, len(images), EVALUATION_ROWS):
        z = frozen.forward(images[start : start + EVALUATION_ROWS])[-1]
        shares = np.exp(z - z.max(axis=1, keepdims=True))
        pieces.append(shares / shares.sum(axis=1, keepdims=True))
    return np.concatenate(pieces)


def train_members(
    recipe: Recipe, split: Split, budget: Budget, seed: int, report: Callable[[int, EpochEnd], None]
) -> list[Member]:
    """Train the recipe's members side by side. `report(index, last entry of history)` after every epoch.

    Ctrl-C ends all of them after their current step and is raised again.
    """
    distorter = Distorter(recipe.distortion, split.image_shape, seed) if recipe.distortion else None
    members = [Member(recipe, split, budget, seed, index) for index in range(recipe.members)]
    cancelled = threading.Event()
    with ThreadPoolExecutor(len(members)) as pool:
        futures = [
            pool.submit(member.train, distorter, cancelled, _reporting(report, index, member))
            for index, member in enumerate(members)
        ]
        try:
            for future in futures:
                future.result()
        except BaseException:
            cancelled.set()
            raise
    return members


def _reporting(report: Callable[[int, EpochEnd], None], index: int, member: Member) -> Callable[[], None]:
    return lambda: report(index, member.history[-1])


def averaged(networks: Sequence[Network], images: Array) -> Array:
    """The mean of the networks' probabilities (n, classes)."""
    total = sum(probabilities(network, images) for network in itertools.islice(networks, None))
    shares: Array = np.asarray(total) / len(networks)
    return shares
