"""The ladder from the textbook's loop to backpropagation: seconds per gradient as networks grow.

Each rung leaves out work that the one below does again and again (`result.RUNGS` says which). Two families of
relu networks are timed on the same batch: one hidden layer of 8 .. 512 units, and 1 .. 4 hidden layers of 64.
A slope is that of log seconds against log parameters, fitted by least squares: 2 means that twice the
parameters take four times as long.

The textbook's loop does the same for every entry, two whole forward passes; it is timed on a sample of
entries, drawn from the seed, and scaled to all of them. All the other times are whole gradients.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.numerical.forward_gradient import ForwardGradient
from backproof.comparisons.numerical.result import RUNGS, Ladder, LadderRow
from backproof.comparisons.numerical.unit_differences import UnitDifferences
from backproof.comparisons.running.progress import Progress
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.gradients import Backprop, CentralDifference, Method, gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

WIDTHS = (8, 16, 32, 64, 128, 256, 512)
DEPTHS = (1, 2, 3, 4)
DEPTH_WIDTH = 64
BATCH = 100
SAMPLE = 40  # entries of the textbook's loop that are timed
LEAST = 0.2  # seconds of repetitions behind each figure, and at least 3 of them


def run(
    dataset: Dataset,
    seed: int,
    progress: Progress,
    widths: Sequence[int] = WIDTHS,
    depths: Sequence[int] = DEPTHS,
) -> Ladder:
    """Seconds per gradient for every rung and network, and the slopes."""
    x, labels = dataset.train_images[:BATCH].astype(np.float64), dataset.train_labels[:BATCH]
    wide = [(dataset.n_features, width, 10) for width in widths]
    deep = [(dataset.n_features, *(DEPTH_WIDTH,) * depth, 10) for depth in depths]
    rows = []
    with progress.task("ladder", total=len(wide) + len(deep)) as advance:
        for layer_sizes in [*wide, *deep]:
            rows.append(_row(layer_sizes, x, labels, seed))
            advance()
    by_width, by_depth = tuple(rows[: len(wide)]), tuple(rows[len(wide) :])
    slopes = {rung.key: slope(by_width, rung.key) for rung in RUNGS}
    return Ladder(len(x), SAMPLE, RUNGS, by_width, by_depth, slopes)


def slope(rows: Sequence[LadderRow], rung: str) -> float:
    """d log(seconds) / d log(parameters) by least squares."""
    parameters = np.log([row.n_parameters for row in rows])
    seconds = np.log([row.seconds[rung] for row in rows])
    return float(np.polyfit(parameters, seconds, 1)[0])


def _row(layer_sizes: tuple[int, ...], x: Array, labels: Array, seed: int) -> LadderRow:
    architecture = Architecture(layer_sizes)
    network = Network(architecture, initialize(architecture, seed))
    steps = step_sizes(network.parameters.flat, SCHEMES["central_difference"])
    entries = np.random.default_rng(seed).choice(architecture.n_parameters, SAMPLE, replace=False)
    per_entry = typical_seconds(lambda: textbook_loop(network, x, labels, steps, entries)) / SAMPLE
    seconds = {"naive": per_entry * architecture.n_parameters, **seconds_of_methods(network, x, labels)}
    return LadderRow(layer_sizes, architecture.n_parameters, seconds)


def methods() -> Mapping[str, Method]:
    """The rungs below the textbook's loop, fresh ones."""
    return {
        "structured": CentralDifference(evaluation="structured"),
        "unitwise": UnitDifferences(),
        "forward": ForwardGradient(),
        "backprop": Backprop(),
    }


def seconds_of_methods(network: Network, x: Array, labels: Array) -> dict[str, float]:
    """The typical time of one whole gradient by each of `methods`."""
    return {
        rung: typical_seconds(partial(gradient, network, x, labels, method))
        for rung, method in methods().items()
    }


def textbook_loop(network: Network, x: Array, targets: Array, steps: Array, entries: Array) -> Array:
    """(L(t + h) - L(t - h)) / 2h for these entries of the flat vector, in place, as textbooks print it.

    The plainest and fastest form of the loop: `gradient(..., evaluation="naive")` also copies and checks.
    Every entry is put back as it was.
    """
    theta, quotients = network.parameters.flat, np.empty(len(entries))
    for k, i in enumerate(entries):
        kept, h = theta[i], steps[i]
        try:
            theta[i] = kept + h
            above = network.loss(x, targets)
            theta[i] = kept - h
            below = network.loss(x, targets)
        finally:
            theta[i] = kept
        quotients[k] = (above - below) / (2 * h)
    return quotients


def typical_seconds(work: Callable[[], object]) -> float:
    """The median time of several runs, after one that only warms up."""
    work()
    times: list[float] = []
    while len(times) < 3 or sum(times) < LEAST:
        begun = time.perf_counter()
        work()
        times.append(time.perf_counter() - begun)
    return float(np.median(times))
