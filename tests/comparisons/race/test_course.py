"""One run: it repeats, its clock counts what it should, and the test images change nothing."""

import time
from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.race import course
from backproof.comparisons.race.course import Clock, Images, MadeAhead
from backproof.comparisons.race.data_file import images_of
from backproof.comparisons.race.recipes import RaceRecipe
from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.comparisons.record import distortion
from backproof.scratch.architecture import Array, Batch
from tests.support.small_races import PLANE, SMALL
from tests.support.small_records import dataset


@pytest.fixture(autouse=True)
def few_fields(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(distortion, "N_FIELDS", 16)


def images() -> Images:
    return images_of(dataset())


def weights_after(recipe: RaceRecipe, seed: int = 0, found: Images | None = None) -> Array:
    contender = ScratchRecipe()
    course.run(contender, recipe, found or images(), seed)
    flat: Array = contender.network.parameters.flat.copy()
    return flat


@pytest.mark.parametrize("recipe", [SMALL, replace(SMALL, adversarial=0.5), PLANE])
def test_a_run_is_the_same_bit_for_bit_although_distortions_are_made_by_another_thread(
    recipe: RaceRecipe,
) -> None:
    np.testing.assert_array_equal(weights_after(recipe), weights_after(recipe))


def test_seeds_differ_and_so_do_recipes() -> None:
    found = [weights_after(SMALL), weights_after(SMALL, 1), weights_after(PLANE)]
    found.append(weights_after(replace(SMALL, adversarial=0.5)))
    assert len(np.unique(np.stack(found), axis=0)) == 4


def test_the_test_images_have_no_influence_on_training() -> None:
    other = replace(images(), test=1 - images().test, test_labels=9 - images().test_labels)
    np.testing.assert_array_equal(weights_after(SMALL), weights_after(SMALL, found=other))


def test_an_easy_problem_is_learned_and_the_last_point_of_the_curve_is_the_end() -> None:
    found = course.run(ScratchRecipe(), replace(SMALL, epochs=25), images(), 0)
    assert found.accuracy > 0.9
    assert found.curve[-1].accuracy == found.accuracy
    assert [point.epoch for point in found.curve] == pytest.approx([2.5 * k for k in range(1, 11)], abs=0.1)
    assert [point.seconds for point in found.curve] == sorted(point.seconds for point in found.curve)


def test_evaluation_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    """With a clock that moves by one second per look only inside an evaluation, nothing has passed."""
    now = [0.0]

    def evaluated(contender: object, found: Images) -> float:
        now[0] += 1.0
        return 0.5

    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(course, "_accuracy", evaluated)
    assert course.run(ScratchRecipe(), SMALL, images(), 0).seconds == 0.0
    assert now[0] >= 10


def test_the_clock_goes_on_after_standing_still(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [5.0]
    monkeypatch.setattr(time, "perf_counter", lambda: now[0])
    monkeypatch.setattr(time, "process_time", lambda: 2 * now[0])

    shown = []

    def work(seconds: float) -> None:
        now[0] += 100.0
        shown.append(seconds)

    clock = Clock()
    for _ in range(2):
        now[0] += 3.0
        clock.stand_still(work)
    now[0] += 4.0
    assert clock.read() == (10.0, 20.0)
    assert shown == [3.0, 6.0]  # however long the work takes


def test_bytes_become_the_numbers_that_the_dataset_has() -> None:
    pixels = np.arange(256, dtype=np.uint8)[None]
    expected = pixels.astype(np.float32)
    expected /= 255
    found = course.as_floats(pixels)
    assert found.dtype == np.float32
    np.testing.assert_array_equal(found, expected)


def test_every_epoch_sees_every_image_once() -> None:
    batches = course.batches_of(replace(SMALL, epochs=2), 100, np.random.default_rng(0))
    assert [len(batch) for batch in batches] == [64, 36, 64, 36]
    for epoch in (batches[:2], batches[2:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(100))


def test_the_rates_go_up_to_the_optimizers_and_down_to_almost_nothing() -> None:
    rates = course.steps_of(SMALL, 50).rates
    assert max(rates) == pytest.approx(SMALL.optimizer.learning_rate)
    assert np.argmax(rates) == 9  # a fifth of the way
    assert rates[-1] < 1e-5 * max(rates)
    assert course.steps_of(SMALL, 1).rates == (SMALL.optimizer.learning_rate,)


def test_what_is_made_ahead_comes_in_order_and_its_thread_ends_early_when_nobody_asks() -> None:
    made = []

    def endless() -> Iterator[Batch]:
        number = 0
        while True:
            made.append(number)
            yield np.full((2, 3), number, np.float32)
            number += 1

    batch = np.empty((2, 3), np.float32)
    with MadeAhead(endless()) as change:
        for number in range(20):
            change(batch)
            assert np.all(batch == number)
    assert len(made) <= 20 + course.AHEAD + 2  # those waiting, one in hand, one begun
    assert not change._thread.is_alive()


def test_the_warm_up_meets_every_size_of_batch_and_leaves_the_run_as_it_is(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    contender, sizes = ScratchRecipe(), []
    real = contender.follow

    def spy(x: Array, labels: Array, batches: list[Array], *rest: object) -> None:
        sizes.append([len(batch) for batch in batches])
        real(x, labels, batches, *rest)  # type: ignore[arg-type] # handed on as they came

    monkeypatch.setattr(contender, "follow", spy)
    course.warm_up(contender, PLANE, images())
    assert sizes == [[64, 16]]  # 400 images
    course.run(contender, PLANE, images(), 0)
    np.testing.assert_array_equal(contender.network.parameters.flat, weights_after(PLANE))
