"""One unit: what it reports is what the network answers, and nobody can choose its own start."""

import numpy as np
import pytest

from backproof.comparisons.accuracy.result import TrainedRun
from backproof.comparisons.accuracy.unit import (
    all_batches,
    initial_weights,
    packed,
    setup_of,
    sha256,
    train_unit,
    unpacked,
)
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.scratch.architecture import Array
from tests.support.accuracy_runs import EXPERIMENT


def test_the_reported_figures_are_those_of_the_networks_answers() -> None:
    """Evaluated once more by hand, from the weights a fresh contender has after the same training."""
    setup, data = setup_of(EXPERIMENT), EXPERIMENT.dataset
    record = train_unit(setup, data, "scratch", seed=5)
    assert isinstance(record, TrainedRun)
    network = ScratchMLP()
    network.load(setup.architecture, initial_weights(setup.architecture, 5))
    batches = all_batches(len(data.train_labels), setup.batch_size, setup.epochs, 5)
    losses = network.train(data.train_images, data.train_labels, batches, setup.optimizer)
    answers = network.logits(data.test_images).argmax(axis=1)
    assert record.test_accuracy[-1] == np.mean(answers == data.test_labels)
    np.testing.assert_array_equal(
        unpacked(record.correct, len(data.test_labels)), answers == data.test_labels
    )
    sizes = np.array([len(batch) for batch in batches[: len(batches) // 2]])
    first_epoch = np.array(losses[: len(sizes)]) @ sizes / sizes.sum()
    np.testing.assert_allclose(record.train_loss[0], first_epoch, rtol=1e-12)


def test_every_epoch_is_announced() -> None:
    epochs: list[None] = []
    train_unit(setup_of(EXPERIMENT), EXPERIMENT.dataset, "scratch", 0, advance=lambda: epochs.append(None))
    assert len(epochs) == EXPERIMENT.epochs


@pytest.mark.parametrize("n", [1, 7, 8, 9, 355])
def test_packed_bits_come_back(n: int) -> None:
    bits = np.random.default_rng(n).random(n) < 0.5
    np.testing.assert_array_equal(unpacked(packed(bits), n), bits)


@pytest.mark.parametrize(
    "other",
    [np.array([[1.0, 2.0]]), np.array([1.0, 2.0], np.float32), np.array([2.0, 1.0]), np.array([1.0])],
)
def test_the_hash_sees_values_shape_and_dtype(other: Array) -> None:
    assert sha256(np.array([1.0, 2.0])) != sha256(other)


def test_every_contender_is_given_the_same_batches_and_none_can_change_them() -> None:
    first, second = (all_batches(50, 8, 2, seed=3) for _ in range(2))
    assert sha256(*first) == sha256(*second)
    with pytest.raises(ValueError, match="read-only"):
        first[0][0] = 1


def test_every_epoch_sees_every_example_once() -> None:
    batches = all_batches(50, 8, 2, seed=3)
    for epoch in (batches[:7], batches[7:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(50))


@pytest.mark.parametrize("seed", [1, 2, 17])
def test_another_seed_gives_other_batches_and_other_weights(seed: int) -> None:
    architecture = setup_of(EXPERIMENT).architecture
    assert sha256(*all_batches(50, 8, 1, seed)) != sha256(*all_batches(50, 8, 1, 0))
    (ours, _), *_ = initial_weights(architecture, seed)
    (other, _), *_ = initial_weights(architecture, 0)
    assert not np.array_equal(ours, other)
