"""Checks of the optional methods: initialize, shuffle, epoch_batches, train_epoch, learning_rates."""

import numpy as np
from hypothesis import strategies as st

from backproof.comparisons.check.battery.cases import problems
from backproof.comparisons.check.battery.check import check
from backproof.comparisons.check.battery.findings import Mismatch, require, require_same_bits
from backproof.comparisons.check.battery.grid import generic_problems
from backproof.comparisons.check.battery.own_answers import ask_afresh
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture, OptimizerSpec
from backproof.scratch.problem import Problem

_SEEDS = st.integers(0, 2**32 - 2)


@check("Are layers drawn independently?", "initialize", lambda space: _SEEDS, weight=0.2)
def initialization(candidate: Candidate, seed: int) -> None:
    """Layers are drawn independently, units differ, and a seed means the same weights every time."""
    architecture = Architecture((16, 16, 16, 16))
    first = candidate.weights_from("initialize", architecture=architecture, seed=seed)
    require_same_bits(
        "the same seed again",
        candidate.weights_from("initialize", architecture=architecture, seed=seed),
        first,
    )
    other = candidate.weights_from("initialize", architecture=architecture, seed=seed + 1)
    if all((a == b).all() for (a, _), (b, _) in zip(first, other, strict=True)):
        raise Mismatch("initialize: two seeds gave the same weights")
    for a in range(len(first)):
        if (np.ptp(first[a][0], axis=1) == 0).all():
            raise Mismatch(f"initialize: all units of layer {a + 1} start equal, so they stay equal")
        for b in range(a):
            # Independent draws of 256 numbers correlate with deviation 1/16: 0.5 is eight of them.
            if abs(np.corrcoef(first[a][0].ravel(), first[b][0].ravel())[0, 1]) > 0.5:
                raise Mismatch(f"initialize: layers {b + 1} and {a + 1} are not drawn independently")


@check(
    "Does shuffling keep rows and pairs?",
    "shuffle",
    lambda space: st.tuples(_SEEDS, st.integers(2, 30)),
    weight=0.3,
)
def shuffling(candidate: Candidate, seed: int, n: int) -> None:
    """Shuffling keeps every row once and every target with its row."""
    x = np.arange(3.0 * n).reshape(n, 3)
    targets = np.arange(n)
    value = candidate.call("shuffle", x=x, targets=targets, seed=seed)
    if not isinstance(value, list) or len(value) != 2 or not all(isinstance(v, np.ndarray) for v in value):
        raise Mismatch("shuffle: expected a pair of arrays (x, targets)")
    rows, labels = value
    if rows.shape != x.shape or not np.array_equal(np.sort(rows[:, 0]), x[:, 0]):
        raise Mismatch(f"shuffle: of {n} rows, {len(np.unique(rows[:, 0]))} different ones came back")
    if not np.array_equal(rows[:, 0], 3.0 * labels):
        raise Mismatch("shuffle: rows and their targets were separated")


@check(
    "Does an epoch visit every example once?",
    "epoch_batches",
    lambda space: st.tuples(_SEEDS, st.integers(1, 40), st.integers(1, 12)),
    weight=0.5,
)
def epoch_coverage(candidate: Candidate, seed: int, n: int, batch_size: int) -> None:
    """An epoch visits every example exactly once; every batch but the last has the size asked for."""
    value = candidate.call("epoch_batches", n_examples=n, batch_size=batch_size, seed=seed)
    if not isinstance(value, list) or not all(isinstance(v, np.ndarray) and v.ndim == 1 for v in value):
        raise Mismatch("epoch_batches: expected a list of index arrays")
    visited = np.concatenate([np.zeros(0, int), *value])
    if not np.array_equal(np.sort(visited), np.arange(n)):
        raise Mismatch(f"epoch_batches({n}, {batch_size}): visits {len(np.unique(visited))} of {n} examples")
    if any(len(batch) != batch_size for batch in value[:-1]):
        raise Mismatch(f"epoch_batches({n}, {batch_size}): sizes {[len(batch) for batch in value]}")


@check(
    "Is the epoch's loss a mean over examples?",
    "load train_epoch loss_and_gradient",
    lambda space: st.tuples(problems(space, families=("eighths", "normal"), max_batch=7), st.integers(1, 4)),
    lambda seed, space: [(problem, 2) for problem in generic_problems(seed, space)],
    weight=0.5,
)
def epoch_loss(candidate: Candidate, problem: Problem, batch_size: int) -> None:
    """With learning rate 0 nothing moves, so the mean loss of the epoch is its own loss of all examples."""
    power = candidate.conventions.of(problem).factor.examples
    if power or problem.architecture.loss == "sum_of_squares":
        return  # a sum over a batch has no mean over examples to agree on
    own = ask_afresh(candidate, problem, ["gradient"])
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    arguments = {"x": problem.x, "targets": problem.targets, "batch_size": batch_size}
    value = candidate.call("train_epoch", **arguments, optimizer=OptimizerSpec(learning_rate=0.0), seed=0)
    if not isinstance(value, float):
        raise Mismatch(f"train_epoch: expected the mean loss as a float, got {type(value).__name__}")
    right, mean = candidate.expected(problem), np.array([own.loss])
    bound = 2 * right.loss.error + 8 * np.finfo(float).eps * np.abs(right.loss.value)
    require("mean loss of an epoch", compare(np.array([value]), mean, bound))


@check(
    "Does the schedule give each step its own rate?",
    "learning_rates",
    lambda space: st.tuples(
        st.sampled_from(["constant", "cosine"]), st.sampled_from([1.0, 0.1]), st.integers(1, 20)
    ),
    weight=0.3,
)
def schedules(candidate: Candidate, schedule: str, rate: float, n: int) -> None:
    """constant; cosine, rate (1 + cos(pi t / n)) / 2 at step t from 0 (Loshchilov, Hutter 2017, eq. 5)."""
    value = candidate.call("learning_rates", schedule=schedule, rate=rate, n_steps=n)
    if not isinstance(value, np.ndarray) or value.shape != (n,):
        raise Mismatch(f"learning_rates: expected an array of {n} rates")
    t = np.arange(n)
    expected = rate * (1 + np.cos(np.pi * t / n)) / 2 if schedule == "cosine" else np.full(n, rate)
    bound = 8 * np.finfo(float).eps * rate
    require(f"the {schedule} schedule", compare(value, expected, bound, "rate of step {}".format))
