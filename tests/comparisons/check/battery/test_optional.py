"""The optional methods: right ones pass, and each way to get one wrong is a finding of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.battery.optional import (
    epoch_coverage,
    epoch_loss,
    initialization,
    schedules,
    shuffling,
)
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import Convention, Conventions
from backproof.comparisons.check.forms.laws import Law
from backproof.scratch.architecture import Architecture, Array, Weights
from backproof.scratch.initializers import initialize
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student


class Answering:
    """A candidate whose optional methods are these functions."""

    def __init__(self, **methods: Callable[..., Any]) -> None:
        self.methods = methods

    def call(self, name: str, **arguments: Any) -> Any:
        return self.methods[name](**arguments)

    weights_from = call


def candidate(**methods: Callable[..., Any]) -> Any:
    return Answering(**methods)


def shuffled(x: Array, targets: Array, seed: int) -> list[Array]:
    order = np.random.default_rng(seed).permutation(len(x))
    return [x[order], targets[order]]


def apart(x: Array, targets: Array, seed: int) -> list[Array]:
    return [shuffled(x, targets, seed)[0], shuffled(x, targets, seed + 1)[1]]


def twice(x: Array, targets: Array, seed: int) -> list[Array]:
    order = np.random.default_rng(seed).integers(0, len(x), len(x))
    return [x[order], targets[order]]


def test_rows_that_keep_their_targets_are_right() -> None:
    shuffling(candidate(shuffle=shuffled), 3, 20)


@pytest.mark.parametrize(
    ("shuffle", "said"),
    [
        (apart, "rows and their targets were separated"),
        (twice, "of 20 rows, .* different ones came back"),
        (lambda x, targets, seed: [x[1:], targets[1:]], "of 20 rows, 19 different ones"),
        (lambda x, targets, seed: x, "expected a pair of arrays"),
        (lambda x, targets, seed: [x], "expected a pair of arrays"),
        (lambda x, targets, seed: [x, 3], "expected a pair of arrays"),
    ],
)
def test_a_wrong_shuffle_is_told(shuffle: Callable[..., Any], said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        shuffling(candidate(shuffle=shuffle), 3, 20)


def in_batches(n_examples: int, batch_size: int, seed: int) -> list[Array]:
    order = np.random.default_rng(seed).permutation(n_examples)
    return [order[start : start + batch_size] for start in range(0, n_examples, batch_size)]


@pytest.mark.parametrize(("n", "batch_size"), [(1, 1), (7, 3), (6, 3), (2, 5)])
def test_an_epoch_in_batches_with_a_short_last_one_is_right(n: int, batch_size: int) -> None:
    epoch_coverage(candidate(epoch_batches=in_batches), 3, n, batch_size)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda batches: batches[:-1], "visits 6 of 7 examples"),
        (lambda batches: [batches[0], *batches], "visits 7 of 7 examples"),
        (lambda batches: batches[::-1], r"sizes \[1, 3, 3\]"),
        (lambda batches: np.concatenate(batches), "expected a list of index arrays"),
        (lambda batches: [batch[:, None] for batch in batches], "expected a list of index arrays"),
    ],
)
def test_a_wrong_epoch_is_told(change: Callable[..., Any], said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        epoch_coverage(candidate(epoch_batches=lambda **given: change(in_batches(**given))), 3, 7, 3)


def cosine(schedule: str, rate: float, n_steps: int) -> Array:
    steps = np.arange(n_steps)
    return (
        rate * (1 + np.cos(np.pi * steps / n_steps)) / 2 if schedule == "cosine" else np.full(n_steps, rate)
    )


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize("n", [1, 2, 9])
def test_a_right_schedule_passes(schedule: str, n: int) -> None:
    schedules(candidate(learning_rates=cosine), schedule, 0.1, n)


@pytest.mark.parametrize(
    "wrong",
    [
        lambda schedule, rate, n_steps: rate * (1 + np.cos(np.pi * np.arange(n_steps) / (n_steps - 1))) / 2,
        lambda schedule, rate, n_steps: rate * (1 + np.cos(np.pi * np.arange(1, n_steps + 1) / n_steps)) / 2,
        lambda schedule, rate, n_steps: cosine(schedule, rate, n_steps) * (1 + 1e-12),
        lambda schedule, rate, n_steps: cosine(schedule, 1.0, n_steps),
        lambda schedule, rate, n_steps: cosine(schedule, rate, n_steps + 1),
        lambda schedule, rate, n_steps: cosine("constant", rate, n_steps),
    ],
)
def test_a_wrong_schedule_is_told(wrong: Callable[..., Any]) -> None:
    with pytest.raises(Mismatch):
        schedules(candidate(learning_rates=wrong), "cosine", 0.1, 9)


def drawn(architecture: Architecture, seed: int) -> Weights:
    return initialize(architecture, seed).weights()


def one_generator_for_each(architecture: Architecture, seed: int) -> Weights:
    return [
        (np.random.default_rng(seed).standard_normal(shape), np.zeros(shape[1]))
        for shape in architecture.layer_shapes
    ]


def equal_units(architecture: Architecture, seed: int) -> Weights:
    return [(np.repeat(W[:, :1], W.shape[1], axis=1), b) for W, b in drawn(architecture, seed)]


class OtherEveryTime:
    """The seed is not used."""

    calls = 0

    def __call__(self, architecture: Architecture, seed: int) -> Weights:
        self.calls += 1
        return drawn(architecture, self.calls)


def one_layer_of_every_seed(architecture: Architecture, seed: int) -> Weights:
    return [drawn(architecture, 0)[0], *drawn(architecture, seed)[1:]]


@pytest.mark.parametrize("right", [drawn, one_layer_of_every_seed])
@pytest.mark.parametrize("seed", [0, 3])
def test_layers_that_are_drawn_from_their_seed_are_right(right: Callable[..., Any], seed: int) -> None:
    initialization(candidate(initialize=right), seed)


def test_layers_that_are_alike_in_part_are_told_from_half_their_numbers_on() -> None:
    """Two layers with a correlation of 0.4 may be drawn like that, with 0.6 they are not."""

    def alike(share: float) -> Callable[..., Weights]:
        def draw(architecture: Architecture, seed: int) -> Weights:
            assert architecture.layer_sizes == (16, 16, 16, 16)  # 256 numbers each
            rng = np.random.default_rng(seed)
            one, two, three = np.linalg.qr(rng.normal(size=(256, 3)))[0].T
            mixed = share * one + np.sqrt(1 - share**2) * two
            centred = [part - part.mean() for part in (one, mixed, three)]
            return [(part.reshape(16, 16), np.zeros(16)) for part in centred]

        return draw

    for sign in (1, -1):
        initialization(candidate(initialize=alike(sign * 0.4)), 3)
        with pytest.raises(Mismatch, match="layers 1 and 2 are not drawn independently"):
            initialization(candidate(initialize=alike(sign * 0.6)), 3)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        (one_generator_for_each, "layers 1 and 2 are not drawn independently"),
        (equal_units, "all units of layer 1 start equal"),
        (OtherEveryTime(), "the same seed again: W1"),
        (lambda architecture, seed: drawn(architecture, 0), "two seeds gave the same weights"),
    ],
)
def test_layers_that_are_drawn_wrongly_are_told(wrong: Callable[..., Any], said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        initialization(candidate(initialize=wrong), 3)


@pytest.mark.parametrize("schedule", ["cosine", "constant"])
@pytest.mark.parametrize(("units", "right"), [(7.0, True), (-7.0, True), (9.5, False), (-9.5, False)])
def test_a_rate_may_be_off_by_eight_units_of_rounding(schedule: str, units: float, right: bool) -> None:
    def rates(schedule: str, rate: float, n_steps: int) -> Array:
        return cosine(schedule, rate, n_steps) + units * rate * np.finfo(float).eps

    if right:
        schedules(candidate(learning_rates=rates), schedule, 1.0, 9)
    else:
        with pytest.raises(Mismatch, match=f"the {schedule} schedule: .*rate of step"):
            schedules(candidate(learning_rates=rates), schedule, 1.0, 9)


# --- the loss of an epoch ----------------------------------------------------------------------------------

PROBLEM = generic_problem(Architecture((3, 4, 2), "tanh", "mse"), 5, 0)


def epoch(
    kind: type, problem: Problem = PROBLEM, batch_size: int = 2, convention: Convention | None = None
) -> Any:
    some = Candidate(Here(kind))
    if convention is not None:
        some.conventions = Conventions({problem.architecture.loss: convention})
    epoch_loss(some, problem, batch_size)
    return some


def telling(change: Callable[[float], Any]) -> type:
    def train_epoch(self: Any, *given: Any) -> Any:
        return change(Student.train_epoch(self, *given))

    return type("Telling", (Student,), {"train_epoch": train_epoch})


def test_the_mean_loss_of_an_epoch_is_that_of_its_examples() -> None:
    some = epoch(Student)
    assert [call.method for call in some.calls] == ["load", "train_epoch"]
    given = some.calls[-1].arguments
    assert (given["batch_size"], given["optimizer"].learning_rate, given["seed"]) == (2, 0.0, 0)
    assert [*given] == ["x", "targets", "batch_size", "optimizer", "seed"]
    for batch_size in (1, 5, 9):
        epoch(Student, batch_size=batch_size)


def test_a_mean_of_batch_means_is_told() -> None:
    def train_epoch(self: Any, x: Array, targets: Array, size: int, optimizer: Any, seed: int) -> float:
        return float(np.mean(self.train(x, targets, self.epoch_batches(len(x), size, seed), optimizer)))

    with pytest.raises(Mismatch, match=r"^mean loss of an epoch"):
        epoch(type("Means", (Student,), {"train_epoch": train_epoch}))


@pytest.mark.parametrize(("off", "right"), [(1e-16, True), (1e-13, False), (-1e-13, False)])
def test_the_mean_loss_of_an_epoch_may_be_off_by_rounding(off: float, right: bool) -> None:
    kind = telling(lambda loss: loss * (1 + off))
    if right:
        epoch(kind)
    else:
        with pytest.raises(Mismatch, match=r"^mean loss of an epoch"):
            epoch(kind)


def test_a_loss_of_an_epoch_that_is_no_float_is_told() -> None:
    with pytest.raises(Mismatch, match="train_epoch: expected the mean loss as a float, got list"):
        epoch(telling(lambda loss: [loss]))


def test_a_sum_has_no_mean_over_an_epoch() -> None:
    sums = generic_problem(Architecture((3, 4, 2), "tanh", "sum_of_squares"), 5, 0)
    wrong = telling(lambda loss: loss + 1)
    assert not epoch(wrong, sums).calls
    assert not epoch(wrong, convention=Convention(Law(1))).calls
    with pytest.raises(Mismatch):
        epoch(wrong, convention=Convention(Law(0, 1)))
