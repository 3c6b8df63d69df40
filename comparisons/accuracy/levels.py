"""Levels 0, 1 and 2 of the accuracy comparison: is it the same training at all?

Level 0 compares hashes: every contender's data, batches and initial weights are those of scratch. Level 1
takes one batch in float64 and holds logits, loss and gradient of each contender against the bound derived for
it. Level 2 follows the float64 trajectory (`trajectory`).
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.accuracy import trajectory
from backproof.comparisons.accuracy.result import (
    ComparedTrajectories,
    EqualStarts,
    Hashes,
    OneStep,
    Setup,
)
from backproof.comparisons.accuracy.unit import all_batches, initial_weights
from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.apart import FaultError
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import Verdict, compare
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import Array

N_CONTROLS = 2  # permutations of the control; the larger difference counts
QUICK_STEPS = 100
HASHED = ("data", "initial_weights", "batches")


@dataclass(frozen=True)
class StepAndCourse:
    """Levels 1 and 2 of one contender."""

    one_step: OneStep
    trajectory: ComparedTrajectories | Absent | Failed


def equal_hashes(ours: Sequence[Hashes], theirs: Sequence[Hashes]) -> EqualStarts:
    """Level 0: per seed, the hashes of scratch and of a contender; those it does not offer are named."""
    unequal, not_offered = [], []
    for key in HASHED:
        pairs = [(getattr(a, key), getattr(b, key)) for a, b in zip(ours, theirs, strict=True)]
        if any(None in pair for pair in pairs):
            not_offered.append(key)
        elif any(a != b for a, b in pairs):
            unequal.append(key)
    verdict = Outcome.FAIL if unequal else Outcome.PASS
    return EqualStarts(verdict, tuple(unequal), tuple(not_offered), ours[0])


def run(
    setup: Setup, dataset: Dataset, names: Sequence[str], seed: int, progress: Progress, quick: bool
) -> dict[str, StepAndCourse]:
    """Levels 1 and 2 of every contender but scratch, by name."""
    course = make_course(setup, dataset, seed, QUICK_STEPS if quick else None)
    batch = course.batches[0]
    inputs, labels = course.images[batch], course.labels[batch]
    reference = backprop_reference(course.architecture, course.weights, inputs, labels)
    with progress.task("accuracy: float64 trajectories", total=len(names) + N_CONTROLS + 2) as advance:
        ours = trajectory.record(course, "scratch")
        advance()
        plain = trajectory.record(course, trajectory.CONTROL)
        advance()
        controls = []
        for index in range(N_CONTROLS):
            other_order = trajectory.permuted(course.batches, seed + index)
            controls.append((plain, trajectory.record(course, trajectory.CONTROL, other_order)))
            advance()
        found: dict[str, StepAndCourse] = {}
        for name in names:
            step, theirs = one_step(reference, course, name), _their_trajectory(course, name, plain)
            compared = (
                theirs if isinstance(theirs, Absent | Failed) else trajectory.compare(ours, theirs, controls)
            )
            found[name] = StepAndCourse(step, compared)
            advance()
    return found


def one_step(reference: Reference, course: trajectory.Course, name: str) -> OneStep:
    """Level 1 on the course's first batch: logits, loss and gradient inside their derived bounds."""
    batch = course.batches[0]
    inputs, labels = course.images[batch], course.labels[batch]
    checks: dict[str, Verdict] = {}
    absent: dict[str, str] = {}
    for quantity, judge in (("logits", _logits), ("loss and gradient", _gradient)):
        try:
            contender = registry.create(name)
            contender.load(course.architecture, course.weights)
            checks |= judge(contender, reference, inputs, labels)
        except NotOffered as reason:
            absent[quantity] = str(reason)
        except FaultError as fault:
            return OneStep(Outcome.FAIL, checks, {**absent, quantity: str(fault)})
    return OneStep(worst([check.outcome for check in checks.values()]), checks, absent)


def _logits(contender: Contender, reference: Reference, inputs: Array, labels: Array) -> dict[str, Verdict]:
    n_outputs = reference.architecture.n_outputs
    return {"logits": _within(contender.logits(inputs), reference.logits, n_outputs)}


def _gradient(contender: Contender, reference: Reference, inputs: Array, labels: Array) -> dict[str, Verdict]:
    loss, gradient = contender.loss_and_gradient(inputs, labels)
    return {
        "loss": _within(np.asarray(loss), reference.loss, 1),
        "gradient": judge_gradient(reference, flat_gradient(gradient)),
    }


def _within(found: Array, expected: Bounded, n_columns: int) -> Verdict:
    def name(index: int) -> str:
        row, column = divmod(index, n_columns)
        return f"logits[{row}, {column}]" if n_columns > 1 else "loss"

    return compare(np.asarray(found, np.float64), expected.value, expected.error, name)


def make_course(setup: Setup, dataset: Dataset, seed: int, steps: int | None) -> trajectory.Course:
    """One epoch (its first `steps` steps) of the setup, in float64."""
    architecture = replace(setup.architecture, dtype="float64")
    return trajectory.Course(
        architecture=architecture,
        optimizer=setup.optimizer,
        weights=initial_weights(architecture, seed),
        images=dataset.train_images.astype("float64"),
        labels=dataset.train_labels,
        batches=all_batches(len(dataset.train_labels), setup.batch_size, 1, seed)[:steps],
    )


def _their_trajectory(
    course: trajectory.Course, name: str, control: trajectory.Trajectory
) -> trajectory.Trajectory | Absent | Failed:
    if name == trajectory.CONTROL:
        return control
    try:
        return trajectory.record(course, name)
    except NotOffered as reason:
        return Absent(str(reason))
    except FaultError as fault:
        return Failed(str(fault))
