"""The optional methods: right ones pass, and each way to get one wrong is a finding of its own."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.battery.optional import (
    epoch_coverage,
    initialization,
    schedules,
    shuffling,
)
from backproof.scratch.architecture import Architecture, Array, Weights
from backproof.scratch.initializers import initialize


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


def test_layers_that_are_drawn_from_their_seed_are_right() -> None:
    initialization(candidate(initialize=drawn), 3)


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
