"""Training by central differences alone, beside backpropagation from the same weights on the same batches.

theta is trained by the quotients g(theta), phi by backpropagation's gradient f(phi), both by descent at the
rate r_t with momentum mu; p and q are their velocities:

    p' = mu p + g(theta),   theta' = theta - r_t p';        q' = mu q + f(phi),   phi' = phi - r_t q'

The distance D = |(theta - phi, rho (p - q))|, Euclidean with rho the first rate (0 without momentum: then
nothing is remembered), has a bound B that goes on from step to step as

    B' = A B + |(r_t, rho)| |E| + 2 u (|theta| + |phi| + (r_t + rho) (|p| + |q| + |p'| + |q'|))

    A = |(theta - phi - r_t w, rho w)| / D,    w = mu (p - q) + f(theta) - f(phi)

E bounds g - f entry by entry (`difference_bounds`, derived). The amplification A is measured, by one more
backpropagation at theta, since no useful constant is known for it; the last term is the rounding of the
update. |theta - phi| <= D, and so <= B.
"""

import io
import json
import time
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import final

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.numerical.result import Curves, Evaluation, TwinResult, TwinSetting
from backproof.comparisons.numerical.unit_differences import UnitDifferences
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.results.files import write_atomically
from backproof.comparisons.running.progress import Advance
from backproof.comparisons.verdicts.difference_bounds import central_difference_bound, unit_difference_bound
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.differences import SCHEMES, step_sizes
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import CentralDifference, Method, gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import epoch_batches

CENTRAL = SCHEMES["central_difference"]
CURVES = ("numerical_loss", "backprop_loss", "distance", "bound", "numerical_seconds", "backprop_seconds")
USEFUL = 0.01  # a bound beyond this part of the way that the weights went says nothing


@dataclass(frozen=True)
class Point:
    """Both weight vectors and velocities, (n_parameters,) each, after `step` steps."""

    step: int
    theta: Array
    phi: Array
    p: Array
    q: Array


@dataclass
class Progressed:
    """What a stopped run needs to go on; `curves` (len(CURVES), n_steps) are filled up to `point.step`."""

    point: Point
    curves: Array
    evaluations: list[Evaluation] = field(default_factory=list)

    @classmethod
    def start(cls, setting: TwinSetting, initial: Array) -> "Progressed":
        """Nothing done: both at the same `initial` weights (n_parameters,)."""
        n = len(initial)
        point = Point(0, initial.copy(), initial.copy(), np.zeros(n), np.zeros(n))
        return cls(point, np.zeros((len(CURVES), setting.n_steps)))

    def curve(self, name: str) -> Array:
        """One value per finished step."""
        return self.curves[CURVES.index(name), : self.point.step]

    def last(self, name: str) -> float:
        curve = self.curve(name)
        return float(curve[-1]) if len(curve) else 0.0


@final
class Batches:
    """x and labels of a step, from the seed and the step alone: a stopped run goes on with the same."""

    def __init__(self, dataset: Dataset, batch_size: int, seed: int) -> None:
        self.dataset, self.batch_size, self.seed = dataset, batch_size, seed
        self._epoch, self._batches = -1, list[Array]()

    def __call__(self, step: int) -> tuple[Array, Array]:
        n = len(self.dataset.train_labels)
        epoch, place = divmod(step, -(-n // self.batch_size))
        if epoch != self._epoch:
            rng = np.random.default_rng([self.seed, epoch])
            self._epoch, self._batches = epoch, list(epoch_batches(n, self.batch_size, rng))
        rows = self._batches[place]
        return self.dataset.train_images[rows].astype(np.float64), self.dataset.train_labels[rows]


def is_evaluated(setting: TwinSetting, step: int) -> bool:
    """Whether the test images are looked at after so many steps."""
    return step % setting.evaluate_every == 0 or step == setting.n_steps


def test_accuracy(network: Network, dataset: Dataset) -> float:
    """The share of the test images that the network has right."""
    hits, n = 0, len(dataset.test_labels)
    for rows in _chunks(n):
        logits = network.forward(dataset.test_images[rows].astype(np.float64))[-1]
        hits += int((logits.argmax(axis=1) == dataset.test_labels[rows]).sum())
    return hits / n


@final
class TwinTraining:
    """Steps both networks; everything learned is in `progressed`, whole after every step."""

    def __init__(self, setting: TwinSetting, dataset: Dataset, progressed: Progressed) -> None:
        self.setting, self.dataset, self.progressed = setting, dataset, progressed
        self.network = Network(setting.architecture, Parameters(setting.architecture))
        self.batches = Batches(dataset, setting.batch_size, setting.seed)
        self._found = Parameters(setting.architecture)

    def run(self, advance: Advance, told: Callable[[Evaluation], None]) -> None:
        """Train to the end. A KeyboardInterrupt leaves `progressed` after the last whole step."""
        while True:
            self._evaluate_if_due(told)
            if self.progressed.point.step == self.setting.n_steps:
                return
            self._step()
            advance()

    def _step(self) -> None:
        setting, point = self.setting, self.progressed.point
        x, labels = self.batches(point.step)
        rate, mu = setting.rate(point.step), setting.momentum
        begun = time.perf_counter()
        p = mu * point.p + gradient(self._at(point.theta), x, labels, method_of(setting))
        theta = point.theta - rate * p
        numerical_seconds = time.perf_counter() - begun
        loss_theta, f_theta = self._backprop(point.theta, x, labels)
        begun = time.perf_counter()
        loss_phi, f_phi = self._backprop(point.phi, x, labels)
        q = mu * point.q + f_phi
        phi = point.phi - rate * q
        backprop_seconds = time.perf_counter() - begun
        after = Point(point.step + 1, theta, phi, p, q)
        E = _gradient_bound(setting, self._at(point.theta), x)
        B = _propagated(setting, self.progressed.last("bound"), (point, after), f_theta - f_phi, E)
        values = (
            loss_theta,
            loss_phi,
            np.linalg.norm(theta - phi),
            B,
            self.progressed.last("numerical_seconds") + numerical_seconds,
            self.progressed.last("backprop_seconds") + backprop_seconds,
        )
        self.progressed.curves[:, point.step] = values
        self.progressed.point = after  # from here on the step is done

    def _evaluate_if_due(self, told: Callable[[Evaluation], None]) -> None:
        point, done = self.progressed.point, self.progressed.evaluations
        if not is_evaluated(self.setting, point.step) or (done and done[-1].step == point.step):
            return
        accuracies = (test_accuracy(self._at(flat), self.dataset) for flat in (point.theta, point.phi))
        done.append(Evaluation(point.step, *accuracies))
        told(done[-1])

    def _at(self, flat: Array) -> Network:
        self.network.parameters.flat[...] = flat
        return self.network

    def _backprop(self, flat: Array, x: Array, labels: Array) -> tuple[float, Array]:
        loss = self._at(flat).loss_and_gradient(x, labels, self._found)
        return loss, self._found.flat.copy()


def method_of(setting: TwinSetting) -> Method:
    """The central differences that the setting asks for."""
    if setting.differences == "units":
        return UnitDifferences(setting.step)
    return CentralDifference(setting.step, evaluation="structured")


def _gradient_bound(setting: TwinSetting, network: Network, x: Array) -> Array:
    """E: how far these differences may be from backpropagation, at the network's parameters."""
    if setting.differences == "units":
        return unit_difference_bound(network, x, setting.step)
    return central_difference_bound(network, x, step_sizes(network.parameters.flat, CENTRAL, setting.step))


def _propagated(
    setting: TwinSetting, bound: float, step: tuple[Point, Point], gradients_apart: Array, error: Array
) -> float:
    """B' from B over a step: see the head of this module; `gradients_apart` = f(theta) - f(phi)."""
    before, after = step
    rate, rho = setting.rate(before.step), setting.learning_rate if setting.momentum else 0.0
    apart, velocities_apart = before.theta - before.phi, before.p - before.q
    w = setting.momentum * velocities_apart + gradients_apart
    distance = _length(apart, rho * velocities_apart)
    amplification = _length(apart - rate * w, rho * w) / distance if distance else 1.0
    weights, velocities = _length(before.theta) + _length(before.phi), 0.0
    for velocity in (before.p, before.q, after.p, after.q):
        velocities += _length(velocity)
    rounding = 2.0**-52 * (weights + (rate + rho) * velocities)
    return amplification * bound + float(np.hypot(rate, rho)) * _length(error) + rounding


def _length(*parts: Array) -> float:
    """The Euclidean norm of all parts together."""
    return float(np.sqrt(sum(float(part @ part) for part in parts)))


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
    """Write the file whole or not at all. Raises InputError where it cannot be written."""
    point, evaluations = stored.progressed.point, stored.progressed.evaluations
    content = io.BytesIO()
    np.savez(
        content,
        setting=json.dumps(encode(stored.setting)),
        step=point.step,
        theta=point.theta,
        phi=point.phi,
        p=point.p,
        q=point.q,
        curves=stored.progressed.curves,
        evaluations=np.array([(e.step, e.numerical, e.backprop) for e in evaluations]).reshape(-1, 3),
    )
    write_atomically(path, content.getvalue())


def load(path: Path) -> Stored:
    """Raises InputError where the file cannot be read."""
    try:
        # Opened here: np.load leaves a damaged file open.
        with path.open("rb") as file, np.load(file, allow_pickle=False) as archive:
            setting = decode(TwinSetting, json.loads(str(archive["setting"])))
            point = Point(int(archive["step"]), *(archive[name] for name in ("theta", "phi", "p", "q")))
            rows = archive["evaluations"].tolist()
            evaluations = [Evaluation(int(step), numerical, backprop) for step, numerical, backprop in rows]
            return Stored(setting, Progressed(point, archive["curves"], evaluations))
    except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
        raise InputError(f"numerical: cannot read {path} ({error}); delete it, or use --restart") from error
