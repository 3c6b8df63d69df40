"""One unit of work of the accuracy comparison: one contender trained from one seed.

Seed s fixes everything a contender may not choose: the initial weights (he_normal from s) and the batches of
every epoch (generator [s, 1]). What differs between contenders is then the contender alone. After every
epoch, in a checkpoint, the test images are classified; the clock stands still there.

Proof of equal starts (level 0): SHA-256 of the data and of the batches as the contender has left them after
training, and of the initial weights as it gives them back after `load`.
"""

import base64
import hashlib
import time
from collections.abc import Callable, Sequence

import numpy as np

from backproof.comparisons.accuracy.result import Hashes, Setup, TrainedRun
from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.apart import FaultError
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.experiment import Experiment
from backproof.comparisons.results.cells import Absent, Failed
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import Architecture, Array, Weights
from backproof.scratch.initializers import initialize
from backproof.scratch.training import epoch_batches

EVALUATION_ROWS = 1000  # test images per call of logits


def setup_of(experiment: Experiment) -> Setup:
    """What all units of this experiment share."""
    plan, dataset = experiment.plan, experiment.dataset
    return Setup(
        architecture=experiment.architecture,
        optimizer=plan.optimizer,
        epochs=experiment.epochs,
        batch_size=plan.batch_size,
        margin_points=plan.margin_points,
        dataset=dataset.name,
        dataset_sha256=dataset.sha256,
    )


def initial_weights(architecture: Architecture, seed: int) -> Weights:
    """The start that every contender of this seed is given."""
    return initialize(architecture, seed).weights()


def all_batches(n_examples: int, batch_size: int, epochs: int, seed: int) -> list[Array]:
    """The index arrays of all epochs, in order, read-only."""
    rng = np.random.default_rng([seed, 1])
    batches = [batch for _ in range(epochs) for batch in epoch_batches(n_examples, batch_size, rng)]
    for batch in batches:
        batch.flags.writeable = False
    return batches


def train_unit(
    setup: Setup, dataset: Dataset, name: str, seed: int, advance: Callable[[], None] = lambda: None
) -> TrainedRun | Absent | Failed:
    """Train contender `name` from `seed`; `advance` is called after every epoch.

    A unit's record is the same, bit for bit, whenever it is run again with the same code, library and thread
    count; only its seconds are not.
    """
    batches = all_batches(len(dataset.train_labels), setup.batch_size, setup.epochs, seed)
    per_epoch = len(batches) // setup.epochs
    try:
        contender = registry.create(name)
        evaluation = _Evaluation(contender, dataset, advance)
        checkpoints = {per_epoch * epoch: evaluation for epoch in range(1, setup.epochs + 1)}
        contender.load(setup.architecture, initial_weights(setup.architecture, seed))
        start_hash = _weights_hash(contender)
        evaluation.start_clock()
        losses = contender.train(
            dataset.train_images, dataset.train_labels, batches, setup.optimizer, checkpoints
        )
    except NotOffered as reason:
        return Absent(str(reason))
    except FaultError as fault:
        return Failed(str(fault))
    return TrainedRun(
        test_accuracy=tuple(evaluation.accuracies),
        train_loss=_epoch_losses(losses, batches, setup.epochs),
        seconds=evaluation.seconds,
        correct=packed(evaluation.correct),
        hashes=Hashes(
            data=sha256(dataset.train_images, dataset.train_labels),
            initial_weights=start_hash,
            batches=sha256(*batches),
        ),
    )


class _Evaluation:
    """A checkpoint: classify the test images. Its own time is not counted."""

    def __init__(self, contender: Contender, dataset: Dataset, advance: Callable[[], None]) -> None:
        self.contender, self.dataset, self.advance = contender, dataset, advance
        self.accuracies: list[float] = []
        self.correct: Array = np.zeros(0, bool)
        self.seconds = 0.0

    def start_clock(self) -> None:
        self._started = time.perf_counter()

    def __call__(self) -> None:
        self.seconds += time.perf_counter() - self._started
        images = self.dataset.test_images
        rows = range(0, len(images), EVALUATION_ROWS)
        logits = [self.contender.logits(images[row : row + EVALUATION_ROWS]) for row in rows]
        self.correct = np.concatenate(logits).argmax(axis=1) == self.dataset.test_labels
        self.accuracies.append(float(self.correct.mean()))
        self.advance()
        self.start_clock()


def _epoch_losses(losses: Sequence[float], batches: list[Array], epochs: int) -> tuple[float, ...]:
    """The mean loss per example of every epoch: a short last batch counts for what it holds."""
    sizes = np.array([len(batch) for batch in batches], np.float64).reshape(epochs, -1)
    step_losses = np.asarray(losses, np.float64).reshape(epochs, -1)
    return tuple(np.average(step_losses, axis=1, weights=sizes[0]).tolist())


def _weights_hash(contender: Contender) -> str | None:
    try:
        weights = contender.weights()
    except NotOffered:
        return None
    return sha256(*(array for layer in weights for array in layer))


def sha256(*arrays: Array) -> str:
    """Of dtype, shape and content of the arrays, in order."""
    digest = hashlib.sha256()
    for array in arrays:
        array = np.ascontiguousarray(array)
        digest.update(f"{array.dtype.str}{array.shape}".encode())
        digest.update(array.view(np.uint8).reshape(-1).data if array.size else b"")
    return digest.hexdigest()


def packed(bits: Array) -> str:
    """A boolean vector as base64 text: 10,000 test images in 1.7 kB."""
    return base64.b64encode(np.packbits(bits).tobytes()).decode()


def unpacked(text: str, n: int) -> Array:
    """The boolean vector (n,) of `packed`."""
    return np.unpackbits(np.frombuffer(base64.b64decode(text), np.uint8), count=n).astype(bool)
