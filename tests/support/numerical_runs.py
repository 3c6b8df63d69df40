"""Small runs of the numerical training on the digits, and what presses Ctrl-C in the middle of one."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical.part import NumericalPlan
from backproof.comparisons.numerical.result import (
    RUNGS,
    Curves,
    Evaluation,
    ForwardTraining,
    Ladder,
    LadderRow,
    NumericalResult,
    OneGradient,
    Reached,
    TwinResult,
    TwinSetting,
)
from backproof.comparisons.numerical.twin_training import Progressed, TwinTraining
from backproof.comparisons.report import write
from backproof.comparisons.report.document import look_into
from backproof.comparisons.running.progress import Advance, Progress, Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

CENTRAL = SCHEMES["central_difference"]


class StopAfter(Silent):
    """Presses Ctrl-C after so many steps of the training."""

    def __init__(self, steps: int) -> None:
        self.left, self.said = steps, list[str]()

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Advance]:
        def advance(steps: int = 1) -> None:
            self.left -= steps
            if self.left == 0:
                raise KeyboardInterrupt

        yield advance if description.startswith("training") else lambda steps=1: None

    def say(self, message: str) -> None:
        self.said.append(message)


def a_plan(out: Path, **settings: Any) -> NumericalPlan:
    defaults = {
        "data": "digits",
        "hidden": 6,
        "batch_size": 50,
        "n_steps": 12,
        "ladder": False,
        "forward": False,
    }
    return NumericalPlan(out=str(out), **{**defaults, **settings})


def run(plan: NumericalPlan, progress: Progress) -> NumericalResult:
    """As the command runs it: what is finished is merged into the folder's results."""

    def keep(found: NumericalResult) -> None:
        write.merge(plan.out, plan.command, numerical=found)

    before = look_into(plan.out)
    return numerical.run(plan, progress, before.numerical if before is not None else None, keep)


def trained_by(plan: NumericalPlan, progress: Progress) -> TwinResult:
    training = run(plan, progress).training
    assert training is not None
    return training


def a_training(**settings: Any) -> tuple[TwinTraining, Array]:
    plan = a_plan(Path("unused"), **settings)
    dataset = data.load("digits")
    setting = numerical._setting(plan, dataset)
    initial = initialize(setting.architecture, plan.seed).flat
    return TwinTraining(setting, dataset, Progressed.start(setting, initial)), initial


def trained(twins: TwinTraining) -> TwinTraining:
    twins.run(lambda: None, lambda evaluation: None)
    return twins


def digits_batch(seed: int, step: float) -> tuple[Network, Array, Array, Array]:
    """A network for the digits, 20 of them, and its steps."""
    dataset, rng = data.load("digits"), np.random.default_rng(seed)
    architecture = Architecture((64, 8, 10))
    network = Network(architecture, initialize(architecture, seed, "normal", deviation=0.3, biases=True))
    rows = rng.integers(0, len(dataset.train_labels), 20)
    x, labels = dataset.train_images[rows].astype(np.float64), dataset.train_labels[rows]
    return network, x, labels, step_sizes(network.parameters.flat, CENTRAL, step)


def one_gradient() -> OneGradient:
    """Of 64-4-10 on the digits; the structured quotients are twenty times as fast as the loop."""
    same = compare(np.ones(3), np.ones(3), 1e-9)
    seconds = {"naive": 2.0, "structured": 0.1, "unitwise": 0.01, "forward": 0.004, "backprop": 0.001}
    return OneGradient("digits", (64, 4, 10), 50, 310, 310, seconds, 1e-9, 1e-10, same, 1e-11, 20.0)


def twins(verdict: Outcome = Outcome.PASS) -> TwinResult:
    """Two steps of a training, evaluated before, between and after."""
    setting = TwinSetting((64, 4, 10), 2, 50, 0.3, 0, 2.0**-30, 1, "0" * 64)
    values = (0.5, 0.25)
    curves = Curves((1, 2), values, values, (0.0, 1e-15), (1e-10, 2e-10), (1.0, 2.0), (0.01, 0.02))
    evaluations = (Evaluation(0, 0.1, 0.1), Evaluation(1, 0.5, 0.5), Evaluation(2, 0.75, 0.75))
    return TwinResult(
        verdict=verdict, reason="the weights stayed within the bound", setting=setting, steps=2,
        finished=True, curves=curves, evaluations=evaluations, distance=1e-15, bound=2e-10, travelled=0.7,
        seconds=2.0, backprop_seconds=0.02,
    )  # fmt: skip


def forward_trainings() -> tuple[ForwardTraining, ...]:
    """Of as many steps as `twins`, by both kinds of directions."""
    by_weights = (Reached(0, 0.0, 0.1), Reached(1, 0.004, 0.2), Reached(2, 0.008, 0.3))
    by_units = (Reached(0, 0.0, 0.1), Reached(1, 0.005, 0.4), Reached(2, 0.01, 0.6))
    return (
        ForwardTraining("weights", 0.01, 2, by_weights),
        ForwardTraining("units", 0.125, 2, by_units),
    )


def a_ladder() -> Ladder:
    """Two networks wide, two deep."""
    seconds = {"naive": 4.0, "structured": 0.5, "unitwise": 0.03, "forward": 0.008, "backprop": 0.002}
    rows = tuple(LadderRow((64, width, 10), 75 * width + 10, seconds) for width in (8, 16))
    slopes = {"naive": 2.0, "structured": 1.5, "unitwise": 1.1, "forward": 0.8, "backprop": 0.7}
    return Ladder(100, 40, RUNGS, rows, rows, slopes)
