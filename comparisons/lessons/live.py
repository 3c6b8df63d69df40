"""Training watched live: loss and accuracy while a network learns, for scratch and for the frameworks alike.

A contender calls its checkpoints between two steps, when all work up to there is done. There the curve gets
its next point: the cross-entropy and the accuracy on a fixed part of the test images. The same points go to
the terminal, to the picture and, where asked for, to TensorBoard through torch's own writer.
"""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.lessons.frame import (
    Claim,
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    equal,
    number,
    percent,
)
from backproof.comparisons.lessons.images import DATA_NAMES, accuracy, batches_of, image_architecture
from backproof.comparisons.lessons.keras_network import quiet_imports
from backproof.comparisons.lessons.pictures import COLOURS, DASHES, axes, line
from backproof.reference.contender import Contender
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.errors import InputError
from backproof.scratch.initializers import initialize
from backproof.scratch.losses import LOSS_FUNCTIONS

HIDDEN, BATCH, STEPS, EVERY = 64, 100, 600, 20
HELD_OUT = 1000
SGD = OptimizerSpec("sgd", learning_rate=0.1)
SAME = 1e-3  # of the two loss curves in float32

AddScalar = Callable[[str, float, int], None]


@dataclass(frozen=True)
class Point:
    step: int
    loss: float
    accuracy: float


def watched(
    contender: Contender, data: Dataset, batches: list[Array], report: Callable[[Point], None]
) -> list[Point]:
    """Train, and report a point every EVERY steps, while the training waits; returns all points."""
    images, labels = data.test_images[:HELD_OUT], data.test_labels[:HELD_OUT]
    points: list[Point] = []

    def measure() -> None:
        logits = contender.logits(images).astype(float)
        loss = float(LOSS_FUNCTIONS["cross_entropy"].value(logits, labels))
        points.append(Point(len(points) * EVERY, loss, accuracy(logits, labels)))
        report(points[-1])

    checkpoints = dict.fromkeys(range(0, len(batches) + 1, EVERY), measure)
    contender.train(data.train_images, data.train_labels, batches, SGD, checkpoints)
    return points


@contextmanager
def tensorboard_writer(folder: Path) -> Iterator[AddScalar]:
    """torch.utils.tensorboard's writer. Raises InputError, with the remedy, where tensorboard is missing."""
    try:
        with quiet_imports():
            from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise InputError(
            "tensorboard: torch's writer needs this package, which is not installed; "
            "pip install 'backproof[tensorboard]'"
        ) from error
    try:
        writer = SummaryWriter(str(folder))
    except OSError as error:
        raise InputError(
            f"tensorboard: cannot write to {folder} ({error.strerror}); choose another folder"
        ) from error
    try:
        yield writer.add_scalar
    finally:
        writer.close()


def run(setting: Setting) -> LessonResult:
    data = setting.dataset()
    architecture = image_architecture(data, (HIDDEN,), "relu")
    start = initialize(architecture, setting.seed)
    batches = batches_of(data, STEPS, BATCH, setting.seed)
    curves: dict[str, list[Point]] = {}
    in_time: dict[str, int] = {}
    for name, contender in (("scratch", ScratchMLP()), ("torch", TorchMLP())):
        contender.load(architecture, start.layers)
        curves[name], in_time[name] = _observed(name, contender, data, batches, setting)
    expected = STEPS // EVERY + 1
    losses = {name: np.array([point.loss for point in points]) for name, points in curves.items()}
    last = curves["scratch"][-1]
    claims: list[Claim] = [equal(f"live_{name}", in_time[name], expected) for name in curves]
    claims += [
        at_most("same_curve", float(np.abs(losses["scratch"] - losses["torch"]).max()), SAME),
        at_least("learned", last.accuracy, 0.85, percent),
    ]
    if setting.tensorboard is not None:
        claims += [_read_back(setting.tensorboard / name, points) for name, points in curves.items()]
    values = {
        "steps": number(STEPS),
        "every": number(EVERY),
        "data": DATA_NAMES[data.name],
        "reached": percent(last.accuracy),
        "held_out": number(min(HELD_OUT, len(data.test_labels))),
    }
    return LessonResult(
        claims,
        (_curve(curves, "loss"), _curve(curves, "accuracy")),
        (watched, tensorboard_writer),
        values=values,
    )


def _observed(
    name: str, contender: Contender, data: Dataset, batches: list[Array], setting: Setting
) -> tuple[list[Point], int]:
    """The curve, and how many of its points came each with other weights than all before."""
    arrivals: list[Array] = []
    with ExitStack() as stack:
        folder: AbstractContextManager[AddScalar | None] = (
            tensorboard_writer(setting.tensorboard / name) if setting.tensorboard else nullcontext()
        )
        add_scalar = stack.enter_context(folder)

        def report(point: Point) -> None:
            arrivals.append(contender.weights()[-1][1])
            if setting.watch is not None:
                setting.watch(name, point.step, point.loss, point.accuracy)
            if add_scalar is not None:
                add_scalar("loss/held_out", point.loss, point.step)
                add_scalar("accuracy/held_out", point.accuracy, point.step)

        points = watched(contender, data, batches, report)
    # Reported live means: with the weights of that step, so that no two reports saw the same ones.
    return points, len({bias.tobytes() for bias in arrivals})


def _read_back(folder: Path, points: list[Point]) -> Claim:
    """The event file, read by TensorBoard's own reader, holds every point of the loss curve."""
    with quiet_imports():
        from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(folder))
    events.Reload()
    read = {event.step: event.value for event in events.Scalars("loss/held_out")}
    same = sum(bool(np.float32(point.loss) == np.float32(read.get(point.step, np.nan))) for point in points)
    return equal(f"tensorboard_{folder.name}", same, len(points))


def _curve(curves: dict[str, list[Point]], what: str) -> Figure:
    data = [
        line(name, [p.step for p in points], [getattr(p, what) for p in points], COLOURS[i], DASHES[i])
        for i, (name, points) in enumerate(curves.items())
    ]
    return Figure(what, data, axes("@step", f"@{what}", height=360))
