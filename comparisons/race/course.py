"""One run: everything between the first touch of the training images and the weights that count.

The images lie in memory as MNIST's bytes. Inside the clock: their conversion to float32, weights and batches
drawn from the seed, what the contender makes of both, every distortion and every step. Outside: the import of
the libraries, the reading of the files, the first steps of the process (compilation), evaluation.

    rate of step t of T    the optimiser's own times one_cycle(T)(t)

Distortions are made ahead, by a thread of their own, while the step before them is taken: NumPy lets go of
Python's lock in array operations. Every contender is fed by the same one, and its library has a thread less.
"""

import itertools
import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from backproof.comparisons.data.dataset import N_CLASSES
from backproof.comparisons.race.recipes import RaceRecipe
from backproof.comparisons.race.result import CurvePoint, RaceRun
from backproof.comparisons.record.distortion import Distorter
from backproof.reference.recipe import Recipe, RecipeContender
from backproof.scratch.architecture import Architecture, Array, Batch, Inputs, Labels, Rows
from backproof.scratch.initializers import initialize
from backproof.scratch.schedules import one_cycle
from backproof.scratch.training import epoch_batches

POINTS = 10  # of a curve
AHEAD = 4  # batches that may wait, distorted


@dataclass(frozen=True)
class Images:
    """Byte images (n, pixels) and labels (n,) to learn from; float32 images in [0, 1], labels to test on."""

    train: Array
    train_labels: Labels
    test: Inputs
    test_labels: Labels
    image_shape: tuple[int, int]

    @property
    def n_features(self) -> int:
        return int(self.train.shape[1])


def as_floats(images: Array) -> Inputs:
    """Bytes as float32 in [0, 1]."""
    return np.divide(images, np.float32(255), dtype=np.float32)


def batches_of(recipe: RaceRecipe, n_examples: int, rng: np.random.Generator) -> list[Rows]:
    """Those of all epochs, one after another."""
    epochs = (epoch_batches(n_examples, recipe.batch_size, rng) for _ in range(recipe.epochs))
    return list(itertools.chain.from_iterable(epochs))


def steps_of(recipe: RaceRecipe, n_steps: int) -> Recipe:
    """The recipe with the rate of every step."""
    peak = recipe.optimizer.learning_rate
    factor = one_cycle(n_steps, warm_up=recipe.warm_up) if n_steps > 1 else lambda step: 1.0
    rates = tuple(peak * factor(step) for step in range(n_steps))
    return Recipe(recipe.optimizer, rates, recipe.label_smoothing, recipe.adversarial)


class Clock:
    """Seconds on the wall and of the processor since it was made, but for those in which it stood still."""

    def __init__(self) -> None:
        self._started, self._cpu_started = time.perf_counter(), time.process_time()
        self._stood = self._cpu_stood = 0.0

    def read(self) -> tuple[float, float]:
        now, cpu = time.perf_counter(), time.process_time()
        return now - self._started - self._stood, cpu - self._cpu_started - self._cpu_stood

    def stand_still(self, work: Callable[[float], None]) -> None:
        """Do this work off the clock; it is given what the clock shows."""
        before, cpu_before = time.perf_counter(), time.process_time()
        work(before - self._started - self._stood)
        self._stood += time.perf_counter() - before
        self._cpu_stood += time.process_time() - cpu_before


class MadeAhead:
    """The batches of a run, distorted by a thread that stays ahead: a context manager, called once a step."""

    def __init__(self, make: Iterator[Batch]) -> None:
        self._make, self._stop = make, threading.Event()
        self._waiting: queue.Queue[Batch] = queue.Queue(AHEAD)
        self._thread = threading.Thread(target=self._run, daemon=True)

    def __enter__(self) -> "MadeAhead":
        self._thread.start()
        return self

    def __exit__(self, *exception: object) -> None:
        self._stop.set()
        self._thread.join()

    def __call__(self, batch: Batch) -> None:
        """Write the next one over `batch`."""
        np.copyto(batch, self._waiting.get())

    def _run(self) -> None:
        for batch in self._make:
            while not self._stop.is_set():
                try:
                    self._waiting.put(batch, timeout=0.1)
                    break
                except queue.Full:
                    continue
            if self._stop.is_set():
                return


def _distorted(
    recipe: RaceRecipe, x: Inputs, batches: Sequence[Rows], images: Images, seed: int
) -> Iterator[Batch]:
    assert recipe.distortion is not None
    distorter = Distorter(recipe.distortion, images.image_shape, seed)
    rng = np.random.default_rng([seed, 1])
    for rows in batches:
        yield distorter(x[rows], rng)


def run(contender: RecipeContender, recipe: RaceRecipe, images: Images, seed: int) -> RaceRun:
    """Train once from fresh weights."""
    clock = Clock()
    x, labels = as_floats(images.train), images.train_labels
    architecture = Architecture((images.n_features, *recipe.hidden, N_CLASSES), dtype="float32")
    weights = initialize(architecture, seed).weights()
    batches = batches_of(recipe, len(x), np.random.default_rng([seed, 0]))
    contender.load(architecture, weights)
    curve: list[CurvePoint] = []

    def look(step: int, seconds: float) -> None:
        accuracy = _accuracy(contender, images)
        curve.append(CurvePoint(seconds, step * recipe.epochs / len(batches), accuracy))

    def at(step: int) -> Callable[[], None]:
        return lambda: clock.stand_still(partial(look, step))

    marks = sorted({round(len(batches) * part / POINTS) for part in range(1, POINTS)} - {0, len(batches)})
    steps, points = steps_of(recipe, len(batches)), {step: at(step) for step in marks}
    if recipe.distortion is None:
        contender.follow(x, labels, batches, steps, None, points)
    else:
        with MadeAhead(_distorted(recipe, x, batches, images, seed)) as change:
            contender.follow(x, labels, batches, steps, change, points)
    seconds, cpu_seconds = clock.read()
    clock.stand_still(partial(look, len(batches)))
    return RaceRun(seed, seconds, cpu_seconds, curve[-1].accuracy, tuple(curve))


def warm_up(contender: RecipeContender, recipe: RaceRecipe, images: Images) -> float:
    """A step in every batch size that will come, and one evaluation; the seconds that took."""
    started = time.perf_counter()
    n, size = len(images.train), recipe.batch_size
    short = [np.arange(n % size)] if n % size else []
    batches = [np.arange(min(size, n)), *short]
    architecture = Architecture((images.n_features, *recipe.hidden, N_CLASSES), dtype="float32")
    contender.load(architecture, initialize(architecture, 0).weights())
    x = as_floats(images.train)
    change = None if recipe.distortion is None else _unchanged
    contender.follow(x, images.train_labels, batches, steps_of(recipe, len(batches)), change)
    _accuracy(contender, images)
    return time.perf_counter() - started


def _unchanged(batch: Batch) -> None:
    """A change that changes nothing."""


def _accuracy(contender: RecipeContender, images: Images) -> float:
    return float(np.mean(contender.logits(images.test).argmax(axis=1) == images.test_labels))
