"""Training by central differences alone, beside backpropagation from the same weights on the same batches.

theta is trained by the quotients g(theta), phi by backpropagation's gradient f(phi), both by plain gradient
descent of rate r. Their distance obeys

    theta' - phi' = [(theta - phi) - r (f(theta) - f(phi))] - r (g(theta) - f(theta))

so that a bound B on |theta - phi| (Euclidean) goes on from step to step as

    B' = A B + r |E| + u (|theta| + |phi|),    A = |(theta - phi) - r (f(theta) - f(phi))| / |theta - phi|

E bounds g - f entry by entry (`difference_bounds`, derived). The amplification A is measured, by one more
backpropagation at theta, since no useful constant is known for it; the last term is the rounding of the
update.
"""

import contextlib
import json
import os
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.numerical.result import Curves, Evaluation, TwinResult, TwinSetting
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Advance
from backproof.comparisons.verdicts.difference_bounds import central_difference_bound
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import epoch_batches

CENTRAL = SCHEMES["central_difference"]
CURVES = ("numerical_loss", "backprop_loss", "distance", "bound", "numerical_seconds", "backprop_seconds")
USEFUL = 0.01  # a bound beyond this part of the way that the weights went says nothing


@dataclass(frozen=True)
class Point:
    """Both weight vectors (n_parameters,) after `step` steps."""

    step: int
    theta: Array
    phi: Array


@dataclass
class Progressed:
    """What a stopped run needs to go on; `curves` (len(CURVES), n_steps) are filled up to `point.step`."""

    point: Point
    curves: Array
    evaluations: list[Evaluation] = field(default_factory=list)

    @classmethod
    def start(cls, setting: TwinSetting, initial: Array) -> "Progressed":
        """Nothing done: both at the same `initial` weights (n_parameters,)."""
        return cls(Point(0, initial.copy(), initial.copy()), np.zeros((len(CURVES), setting.n_steps)))

    def curve(self, name: str) -> Array:
        """One value per finished step."""
        return self.curves[CURVES.index(name), : self.point.step]

    def last(self, name: str) -> float:
        curve = self.curve(name)
        return float(curve[-1]) if len(curve) else 0.0


@final
class TwinTraining:
    """Steps both networks; everything learned is in `progressed`, whole after every step."""

    def __init__(self, setting: TwinSetting, dataset: Dataset, progressed: Progressed) -> None:
        self.setting, self.dataset, self.progressed = setting, dataset, progressed
        self.network = Network(setting.architecture, Parameters(setting.architecture))
        self._found = Parameters(setting.architecture)
        self._epoch, self._batches = -1, list[Array]()

    def run(self, advance: Advance, told: Callable[[Evaluation], None]) -> None:
        """Train to the end. A KeyboardInterrupt leaves `progressed` after the last whole step."""
        while True:
            self._evaluate_if_due(told)
            if self.progressed.point.step == self.setting.n_steps:
                return
            self._step()
            advance()

    def _step(self) -> None:
        point, rate = self.progressed.point, self.setting.learning_rate
        x, labels = self._batch(point.step)
        begun = time.perf_counter()
        g = gradient(
            self._at(point.theta),
            x,
            labels,
            "central_difference",
            evaluation="structured",
            step=self.setting.step,
        )
        theta = point.theta - rate * g
        numerical_seconds = time.perf_counter() - begun
        loss_theta, f_theta = self._backprop(point.theta, x, labels)
        begun = time.perf_counter()
        loss_phi, f_phi = self._backprop(point.phi, x, labels)
        phi = point.phi - rate * f_phi
        backprop_seconds = time.perf_counter() - begun
        steps = step_sizes(point.theta, CENTRAL, self.setting.step)
        E = central_difference_bound(self._at(point.theta), x, steps)
        B = _propagated(self.progressed.last("bound"), point, rate * (f_theta - f_phi), rate * E)
        values = (
            loss_theta,
            loss_phi,
            np.linalg.norm(theta - phi),
            B,
            self.progressed.last("numerical_seconds") + numerical_seconds,
            self.progressed.last("backprop_seconds") + backprop_seconds,
        )
        self.progressed.curves[:, point.step] = values
        self.progressed.point = Point(point.step + 1, theta, phi)  # from here on the step is done

    def _evaluate_if_due(self, told: Callable[[Evaluation], None]) -> None:
        step, done = self.progressed.point.step, self.progressed.evaluations
        due = step % self.setting.evaluate_every == 0 or step == self.setting.n_steps
        if not due or (done and done[-1].step == step):
            return
        point = self.progressed.point
        done.append(Evaluation(step, self._accuracy(point.theta), self._accuracy(point.phi)))
        told(done[-1])

    def _at(self, flat: Array) -> Network:
        self.network.parameters.flat[...] = flat
        return self.network

    def _backprop(self, flat: Array, x: Array, labels: Array) -> tuple[float, Array]:
        loss = self._at(flat).loss_and_gradient(x, labels, self._found)
        return loss, self._found.flat.copy()

    def _accuracy(self, flat: Array) -> float:
        network, hits = self._at(flat), 0
        for rows in _chunks(len(self.dataset.test_labels)):
            logits = network.forward(self.dataset.test_images[rows].astype(np.float64))[-1]
            hits += int((logits.argmax(axis=1) == self.dataset.test_labels[rows]).sum())
        return hits / len(self.dataset.test_labels)

    def _batch(self, step: int) -> tuple[Array, Array]:
        """x and labels, from the seed and the step alone: a stopped run goes on with the same batches."""
        n = len(self.dataset.train_labels)
        epoch, place = divmod(step, -(-n // self.setting.batch_size))
        if epoch != self._epoch:
            rng = np.random.default_rng([self.setting.seed, epoch])
            self._epoch, self._batches = epoch, list(epoch_batches(n, self.setting.batch_size, rng))
        rows = self._batches[place]
        return self.dataset.train_images[rows].astype(np.float64), self.dataset.train_labels[rows]


def _propagated(bound: float, point: Point, moved: Array, error: Array) -> float:
    """B' from B: see the head of this module; `moved` = r (f(theta) - f(phi)), `error` = r E."""
    apart = point.theta - point.phi
    distance = np.linalg.norm(apart)
    amplification = np.linalg.norm(apart - moved) / distance if distance else 1.0
    # theta - r g rounds twice, by u |r g| and by u of the result; r |g| is far below |theta|.
    rounding = 2.0**-52 * (np.linalg.norm(point.theta) + np.linalg.norm(point.phi))
    return float(amplification * bound + np.linalg.norm(error) + rounding)


def _chunks(n: int, size: int = 1000) -> Iterator[slice]:
    for start in range(0, n, size):
        yield slice(start, start + size)


def outcome(setting: TwinSetting, progressed: Progressed, initial: Array) -> TwinResult:
    """Curves, clock, and whether the weights stayed together."""
    point = progressed.point
    distance, bound = progressed.curve("distance"), progressed.curve("bound")
    travelled = float(np.linalg.norm(point.phi - initial))
    verdict, reason = _judged(setting, distance, bound, travelled)
    shown = np.unique(np.linspace(0, max(point.step - 1, 0), min(point.step, 2000)).astype(int))
    curves = {name: _rounded(progressed.curve(name)[shown]) for name in CURVES}
    return TwinResult(
        verdict=verdict,
        reason=reason,
        setting=setting,
        steps=point.step,
        finished=point.step == setting.n_steps,
        curves=Curves(tuple((shown + 1).tolist()), **curves),
        evaluations=tuple(progressed.evaluations),
        distance=progressed.last("distance"),
        bound=progressed.last("bound"),
        travelled=travelled,
        seconds=progressed.last("numerical_seconds"),
        backprop_seconds=progressed.last("backprop_seconds"),
    )


def _judged(setting: TwinSetting, distance: Array, bound: Array, travelled: float) -> tuple[Outcome, str]:
    outside = np.flatnonzero(~(distance <= bound))
    if outside.size:
        k = int(outside[0])
        return (
            Outcome.FAIL,
            f"after step {k + 1} the weights are {distance[k]:.3g} apart, bound {bound[k]:.3g}",
        )
    if len(distance) < setting.n_steps:
        return Outcome.INCONCLUSIVE, f"stopped after {len(distance)} of {setting.n_steps} steps"
    if bound[-1] > USEFUL * travelled:
        return (
            Outcome.INCONCLUSIVE,
            f"the bound {bound[-1]:.3g} is too wide beside the way gone, {travelled:.3g}",
        )
    return Outcome.PASS, f"the weights stayed within the bound at each of {len(distance)} steps"


def _rounded(values: Array) -> tuple[float, ...]:
    return tuple(float(f"{value:.5g}") for value in values)


@dataclass(frozen=True)
class Stored:
    """A stopped training as its file holds it: the setting it belongs to, and how far it came."""

    setting: TwinSetting
    progressed: Progressed


def resumed(setting: TwinSetting, stored: Stored) -> Progressed | None:
    """The progress of a stopped training, None where it belongs to another setting or was finished."""
    if stored.setting != setting or stored.progressed.point.step >= setting.n_steps:
        return None
    return stored.progressed


def save(path: Path, stored: Stored) -> None:
    """Write the file whole or not at all."""
    point, evaluations = stored.progressed.point, stored.progressed.evaluations
    handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
    try:
        with os.fdopen(handle, "wb") as file:
            np.savez(
                file,
                setting=json.dumps(encode(stored.setting)),
                step=point.step,
                theta=point.theta,
                phi=point.phi,
                curves=stored.progressed.curves,
                evaluations=np.array([(e.step, e.numerical, e.backprop) for e in evaluations]).reshape(-1, 3),
            )
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def load(path: Path) -> Stored:
    """Raises InputError where the file cannot be read."""
    try:
        # Opened here: np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            setting = decode(TwinSetting, json.loads(str(archive["setting"])))
            point = Point(int(archive["step"]), archive["theta"], archive["phi"])
            rows = archive["evaluations"].tolist()
            evaluations = [Evaluation(int(step), numerical, backprop) for step, numerical, backprop in rows]
            return Stored(setting, Progressed(point, archive["curves"], evaluations))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"numerical: cannot read {path} ({error}); delete it, or use --restart") from error
