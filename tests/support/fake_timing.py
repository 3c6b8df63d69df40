"""Contenders whose time is known: they move a clock of their own instead of training."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, Entrant
from backproof.comparisons.speed.messages import Reply, Request
from backproof.comparisons.speed.result import Division, ThreadReport
from backproof.comparisons.speed.worker import Bench, answer
from backproof.scratch.architecture import Architecture, Array, Weights

CASE = SpeedCase((4, 3), 5, "sgd")


@dataclass
class Clock:
    """Seconds that pass when somebody says so; by `drift` per second the machine grows slower."""

    rng: np.random.Generator
    noise: float = 0.0
    drift: float = 0.0
    now: float = 0.0

    def __call__(self) -> float:
        return self.now

    def pass_by(self, seconds: float) -> None:
        self.now += seconds * (1.0 + self.drift * self.now)


class Delayed:
    """Trains by letting `delay` seconds pass per step, times a factor drawn per call.

    Its losses are those of the first weights.
    """

    def __init__(self, clock: Clock, delay: float) -> None:
        self.clock, self.delay = clock, delay
        self.network = ScratchMLP()

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.network.load(architecture, weights)

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: object,
        checkpoints: Mapping[int, Callable[[], None]],
    ) -> Sequence[float]:
        factor = np.exp(self.clock.noise * self.clock.rng.standard_normal())
        for step in range(len(batches) + 1):
            if step in checkpoints:
                checkpoints[step]()
            self.clock.pass_by(self.delay * factor)
        return [self.network.loss_and_gradient(x[rows], targets[rows])[0] for rows in batches]


@dataclass
class Workers:
    """`launch` for the protocol: in-process workers on one clock. `threads(entry)` is what they report."""

    delays: Mapping[str, float]
    clock: Clock
    threads: Callable[[str, int], int] = field(default=lambda name, expected: expected)

    def __call__(self, entry: Entrant, n_threads: int) -> "InProcess":
        found = self.threads(entry.name, n_threads)
        report = ThreadReport({"cores": found}, {})
        contender: Any = Delayed(self.clock, self.delays[entry.name])
        return InProcess(Bench(contender, self.clock, self.clock, lambda: report))


class InProcess:
    """Answers at once."""

    def __init__(self, bench: Bench) -> None:
        self.bench = bench

    def ask(self, request: Request, timeout: float) -> Reply:
        return Reply(answer(self.bench, request))

    def close(self) -> None:
        pass


def entries(*names: str) -> list[Entrant]:
    divisions: dict[str, Division] = {CONTROL: "control", FLOOR: "floor"}
    return [Entrant(name, "", divisions.get(name, "matched"), "", "") for name in (SCRATCH, CONTROL, *names)]


def data_file(folder: Path) -> Callable[[SpeedCase], Path]:
    """Fifty examples for CASE."""
    path = folder / "data.npz"
    rng = np.random.default_rng(0)
    np.savez(path, x=rng.random((50, 4), dtype=np.float32), labels=rng.integers(0, 3, 50))
    return lambda case: path
