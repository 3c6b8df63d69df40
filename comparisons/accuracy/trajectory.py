"""Level 2: is it the same float64 trajectory, or does it only end near the same accuracy?

Two correct implementations of the same training differ by rounding alone: they sum in another order. How
far apart that drives them over an epoch no simple bound says (training amplifies differences), so it is
measured: the *control* is torch against torch with the rows of each batch permuted, the same mathematics in
another summation order. After k steps, with the weights and biases T and the next loss L_k, the scaled
difference is

    D_k = max( max over all T of  max|T - T'| / max|T| ,   |L_k - L'_k| / L_0 ),

and the verdict is PASS where max_k D_k <= 10 x that of the control.

A relu whose pre-activation is zero to rounding may open on one side and stay shut on the other. From such a
flip on, the two are different (equally right) trajectories, in which rounding is no longer what is compared.
So the hidden masks of every step's batch are compared as well, and only the steps up to the first flip count;
where that leaves less than half of them, the verdict is INCONCLUSIVE. The masks of both sides are computed by
one and the same forward pass from their weights, hence a flip says something about the weights.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from backproof.comparisons.accuracy.result import ComparedTrajectories, DifferenceCurve, Flip
from backproof.comparisons.contenders import registry
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.contender import Contender
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

ALLOWED_RATIO = 10.0  # times the control
N_RECORDED = 40  # about as many steps at which the weights are kept
CONTROL = "torch"
EPS = float(np.finfo(np.float64).eps)


@dataclass(frozen=True)
class Course:
    """What is run: the same for every contender."""

    architecture: Architecture  # float64
    optimizer: OptimizerSpec
    weights: Weights
    images: Array
    labels: Array
    batches: Sequence[Array]

    @property
    def recorded_steps(self) -> list[int]:
        """Close together at the start, where differences grow from nothing, then evenly."""
        n = len(self.batches)
        spread = np.concatenate([np.geomspace(1, n, N_RECORDED // 2), np.linspace(0, n, N_RECORDED // 2)])
        return sorted({round(step) for step in spread})


@dataclass
class Trajectory:
    """What was recorded of one run; filled in by its checkpoints."""

    losses: list[float] = field(default_factory=list)  # of every step
    weights: dict[int, list[Array]] = field(default_factory=dict)  # steps taken -> tensors
    masks: list[list[Array]] = field(default_factory=list)  # per step, per hidden layer: packed bits


def record(course: Course, name: str, batches: Sequence[Array] | None = None) -> Trajectory:
    """Train contender `name` along `course`, optionally on `batches` with the same rows in another order."""
    contender = registry.create(name)
    contender.load(course.architecture, course.weights)
    found = Trajectory()
    observer = _Observer(course, contender, found)
    checkpoints = dict.fromkeys(range(len(course.batches) + 1), observer)
    found.losses[:] = contender.train(
        course.images, course.labels, batches or course.batches, course.optimizer, checkpoints
    )
    return found


class _Observer:
    """Before every step: the masks on its batch, and at some steps the weights."""

    def __init__(self, course: Course, contender: Contender, found: Trajectory) -> None:
        self.course, self.contender, self.found = course, contender, found
        self.network = Network(course.architecture, Parameters(course.architecture))
        self.recorded = frozenset(course.recorded_steps)
        self.step = 0

    def __call__(self) -> None:
        tensors = [np.asarray(array) for layer in self.contender.weights() for array in layer]
        if self.step in self.recorded:
            self.found.weights[self.step] = tensors
        if self.course.architecture.activation == "relu" and self.step < len(self.course.batches):
            views = [array for layer in self.network.parameters.layers for array in layer]
            for view, tensor in zip(views, tensors, strict=True):
                view[...] = tensor
            batch = self.course.batches[self.step]
            hidden = self.network.forward(self.course.images[batch])[1:-1]
            self.found.masks.append([np.packbits(a > 0, axis=1) for a in hidden])
        self.step += 1


def permuted(batches: Sequence[Array], seed: int) -> list[Array]:
    """The same rows in every batch, in another order."""
    rng = np.random.default_rng([seed, 2])
    return [rng.permutation(batch) for batch in batches]


def scaled_difference(a: Trajectory, b: Trajectory, step: int) -> float:
    """D_k of the two after `step` steps; infinite where anything is not finite."""
    found = [0.0]
    for ours, theirs in zip(a.weights[step], b.weights[step], strict=True):
        scale, apart = np.abs(ours).max(), np.abs(ours - theirs).max()
        found.append(0.0 if apart == 0 else apart / scale if scale else np.inf)
    if step < len(a.losses):
        found.append(abs(a.losses[step] - b.losses[step]) / abs(a.losses[0]))
    worst = float(np.max(found))  # NaN if any is: Python's max would pass over it
    return worst if np.isfinite(worst) else np.inf


def first_flip(a: Trajectory, b: Trajectory) -> Flip | None:
    """Where a hidden mask first differs."""
    for step, (ours, theirs) in enumerate(zip(a.masks, b.masks, strict=True), start=1):
        for layer, (mine, other) in enumerate(zip(ours, theirs, strict=True), start=1):
            if not np.array_equal(mine, other):
                row, unit = np.argwhere(np.unpackbits(np.bitwise_xor(mine, other), axis=1))[0]
                return Flip(step, layer, int(row), int(unit))
    return None


def compare(
    ours: Trajectory, theirs: Trajectory, controls: Sequence[tuple[Trajectory, Trajectory]]
) -> ComparedTrajectories:
    """The verdict on two trajectories of one course, and the curve it rests on."""
    steps, n_steps = sorted(ours.weights), len(ours.losses)
    curve = [scaled_difference(ours, theirs, step) for step in steps]
    control = [max(scaled_difference(a, b, step) for a, b in controls) for step in steps]
    flip = first_flip(ours, theirs)
    control_flips = [found.step for a, b in controls if (found := first_flip(a, b))]
    # The weights before a step that flips are still comparable; so `step` taken steps count if < flip.
    last = min([flip.step - 1 if flip else n_steps, *(step - 1 for step in control_flips)])
    counted = [i for i, step in enumerate(steps) if step <= last]
    difference, allowance = max(curve[i] for i in counted), max(control[i] for i in counted)
    verdict, reason = _judge(difference, allowance, last, n_steps)
    return ComparedTrajectories(
        max_scaled_difference=difference,
        control=allowance,
        ratio=difference / max(allowance, EPS),
        allowed_ratio=ALLOWED_RATIO,
        steps=n_steps,
        steps_compared=last,
        first_flip=flip,
        control_flip=min(control_flips, default=None),
        curve=DifferenceCurve(tuple(steps), tuple(curve), tuple(control)),
        verdict=verdict,
        reason=reason,
    )


def _judge(difference: float, control: float, last: int, n_steps: int) -> tuple[Outcome, str]:
    # One rounding of the largest entry is always allowed: on tiny networks permuting may change nothing.
    if not difference <= ALLOWED_RATIO * max(control, EPS):
        return Outcome.FAIL, f"apart by more than {ALLOWED_RATIO:g} times what another summation order does"
    if last < n_steps / 2:
        return Outcome.INCONCLUSIVE, f"a relu flipped at step {last + 1}: too few steps before it to judge"
    return Outcome.PASS, ""
