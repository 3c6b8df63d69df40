"""Training against a budget: runs repeat, budgets hold, members differ, averages are averages."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.record import part as record
from backproof.comparisons.record.result import EpochEnd
from backproof.comparisons.record.training import Budget, Member, averaged, hold_norms, probabilities
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.network import Network
from backproof.scratch.training import train
from tests.support import small_records
from tests.support.small_records import SMALL, dataset, trained


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    with small_records.small_recipes():
        yield


def test_a_run_of_epochs_is_the_same_bit_for_bit_although_networks_train_side_by_side() -> None:
    first, second = trained(), trained()
    for one, other in zip(first, second, strict=True):
        np.testing.assert_array_equal(one.network.parameters.flat, other.network.parameters.flat)


def test_members_and_seeds_differ_from_each_other() -> None:
    flats = [member.network.parameters.flat for seed in (0, 1) for member in trained(seed=seed)]
    assert len(np.unique(np.stack(flats), axis=0)) == 4


def test_a_run_of_epochs_sees_every_image_once_per_epoch(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Array] = []
    real = train

    def spy(
        network: Network, x: Array, targets: Array, batches: Iterable[Array], *rest: Any, **options: Any
    ) -> Any:
        def noted() -> Iterator[Array]:
            for batch in batches:
                seen.append(batch)
                yield batch

        return real(network, x, targets, noted(), *rest, **options)

    monkeypatch.setattr("backproof.comparisons.record.training.train", spy)
    trained(replace(SMALL, members=1), Budget(epochs=2))
    for epoch in (seen[:6], seen[6:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(300))


def test_a_run_of_epochs_ends_after_them_with_the_learning_rate_at_its_lowest() -> None:
    (member, _) = trained(budget=Budget(epochs=3))
    assert [row.epoch for row in member.history] == [1.0, 2.0, 3.0]
    assert member.history[-1].progress == 1.0


def test_a_budget_in_seconds_is_kept_to_within_one_step(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that moves one second per look, ten seconds are over after ten looks."""
    ticks = iter(range(10**6))
    monkeypatch.setattr("time.perf_counter", lambda: float(next(ticks)))
    (member,) = trained(replace(SMALL, members=1), Budget(seconds=10.0))
    # Each step looks twice: before its batch, and for its learning rate.
    assert member.steps == 5
    assert member.history[-1].progress == 1.0


def test_cancelled_members_stop_after_their_step_and_ctrl_c_is_passed_on() -> None:
    def interrupt(index: int, end: EpochEnd) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        trained(budget=Budget(epochs=10**6), report=interrupt)


def test_a_budget_needs_exactly_one_of_seconds_and_epochs() -> None:
    with pytest.raises(InputError, match=r"^budget: expected either"):
        Budget()
    with pytest.raises(InputError, match=r"^budget: expected either"):
        Budget(seconds=1.0, epochs=1)


def test_the_moving_average_ends_between_the_weights_it_went_along() -> None:
    plain, averaged_run = (trained(replace(SMALL, averaging=r, members=1))[0] for r in (0.0, 0.9))
    assert np.any(plain.network.parameters.flat != averaged_run.network.parameters.flat)
    np.testing.assert_array_equal(averaged_run.network.parameters.flat, averaged_run.average)


@pytest.mark.parametrize("change", [{"adversarial": 0.5}, {"input_noise": 0.2}, {"max_norm": 0.5}])
def test_every_lever_changes_what_is_learned_and_repeats(change: Any) -> None:
    alone = replace(SMALL, members=1, averaging=0.0)
    with_it, again = (trained(replace(alone, **change)) for _ in range(2))
    (plain,) = trained(alone)
    flats = [members[0].network.parameters.flat for members in (with_it, again)]
    np.testing.assert_array_equal(flats[0], flats[1])
    assert np.any(flats[0] != plain.network.parameters.flat)


def test_weights_into_hidden_units_stay_no_longer_than_the_norm_others_as_they_are() -> None:
    (member,) = trained(replace(SMALL, members=1, averaging=0.0, max_norm=0.5))
    first, last = (np.linalg.norm(weight, axis=0) for weight, _ in member.network.layers)
    assert np.all(first <= 0.5 * (1 + 1e-6))
    assert np.any(last > 0.5)


def test_weights_that_are_short_enough_do_not_change() -> None:
    (member,) = trained(replace(SMALL, members=1))
    kept = member.network.parameters.flat.copy()
    hold_norms(member.network, 1e6)
    np.testing.assert_array_equal(member.network.parameters.flat, kept)


def test_a_recipe_without_changes_leaves_the_batches_alone() -> None:
    plain = replace(SMALL, distortion=None, members=1)
    member = Member(plain, record.validation_split(dataset()), Budget(epochs=1), 0, 0)
    assert member._changes(None) is None


def test_probabilities_are_positive_and_sum_to_one_and_averaging_keeps_that() -> None:
    networks = [member.network for member in trained()]
    images = dataset().test_images
    for shares in (probabilities(networks[0], images), averaged(networks, images)):
        assert np.all(shares >= 0)
        np.testing.assert_allclose(shares.sum(axis=1), 1.0, rtol=1e-6)


def test_averaging_is_the_mean_of_the_members_probabilities() -> None:
    networks = [member.network for member in trained()]
    images = dataset().test_images
    expected = np.mean([probabilities(network, images) for network in networks], axis=0)
    np.testing.assert_allclose(averaged(networks, images), expected, rtol=1e-6)


def test_prediction_leaves_the_networks_training_buffers_alone() -> None:
    (member, _) = trained()
    network: Network = member.network
    before = network.forward(dataset().train_images[:50])[-1]
    kept = before.copy()
    probabilities(network, dataset().test_images)
    np.testing.assert_array_equal(before, kept)
