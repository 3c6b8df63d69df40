"""The record: the test set stays out of every choice, and what is reported agrees with itself."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.record import part as record
from backproof.comparisons.record.recipes import BOARDS, CANDIDATES, GOALS
from backproof.comparisons.record.result import RecordResult
from backproof.comparisons.record.training import Budget, train_members
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support import small_records
from tests.support.small_records import SMALL, TWO_EPOCHS, board, dataset


@pytest.fixture(autouse=True)
def small() -> Iterator[None]:
    with small_records.small_recipes():
        yield


# --- protocol ----------------------------------------------------------------------------------------------


def test_the_validation_split_takes_its_images_from_training_alone_and_each_once() -> None:
    data = dataset()
    split = record.validation_split(data)
    together = np.concatenate([split.images, split.validation_images])
    assert len(split.validation_labels) == 100
    np.testing.assert_array_equal(np.unique(together, axis=0), np.unique(data.train_images, axis=0))


def test_images_keep_their_labels_through_the_split() -> None:
    data = dataset()
    split = record.validation_split(data)
    for images, labels in ((split.images, split.labels), (split.validation_images, split.validation_labels)):
        np.testing.assert_array_equal(images.reshape(-1, 28, 28)[:, ::2, 10][:, :10].argmax(axis=1), labels)


def test_the_test_images_have_no_influence_on_training() -> None:
    """Every test image and label replaced: the trained networks do not change by a bit."""
    data, seen = dataset(), []
    other = replace(data, test_images=1 - data.test_images, test_labels=9 - data.test_labels)
    for chosen in (data, other):
        found = board(data=chosen)
        seen.append(found.history)
    assert seen[0] == seen[1]


def test_choosing_a_recipe_works_without_any_test_images(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(CANDIDATES, "distortion", {"small": SMALL, "tiny": replace(SMALL, hidden=(2,))})
    data = dataset()
    blind = replace(data, test_images=data.test_images[:0], test_labels=data.test_labels[:0])
    rows = record.choose(blind, "distortion", Budget(epochs=4), 0, Silent())
    assert [row.name for row in rows] == ["small", "tiny"]
    assert rows[0].validation_accuracy > rows[1].validation_accuracy


def test_other_data_than_mnist_is_refused() -> None:
    with pytest.raises(InputError, match=r"^dataset: expected mnist, got digits"):
        board(data=replace(dataset(), name="digits"))


def test_a_record_learns_from_all_training_images_and_keeps_none_apart() -> None:
    split = record.all_images(dataset())
    np.testing.assert_array_equal(split.images, dataset().train_images)
    np.testing.assert_array_equal(split.labels, dataset().train_labels)
    assert board().validation_images == 0
    assert {end.accuracy for network in board().history for end in network} == {None}


# --- seeds -------------------------------------------------------------------------------------------------


def over(seeds: Sequence[int], kept: list[RecordResult]) -> RecordResult:
    """Both boards, from every seed."""
    return record.run(dataset(), BOARDS, TWO_EPOCHS, seeds, Silent(), None, kept.append)


def test_every_seed_is_a_training_of_its_own_and_the_mean_is_theirs() -> None:
    found = over((3, 4), []).boards["distortion"]
    alone = [record.run(dataset(), ("distortion",), TWO_EPOCHS, (seed,), Silent()) for seed in (3, 4)]
    runs = [one.boards["distortion"].runs[0] for one in alone]
    assert [run.seed for run in found.runs] == [3, 4]
    assert [run.accuracy for run in found.runs] == [run.accuracy for run in runs]
    assert found.mean == pytest.approx(np.mean([run.accuracy for run in runs]))
    assert found.deviation == pytest.approx(np.std([run.accuracy for run in runs], ddof=1))
    assert found.test == alone[0].boards["distortion"].test  # the details are the first seed's


def test_what_is_finished_is_kept_after_every_training() -> None:
    kept: list[RecordResult] = []
    found = over((0, 1), kept)
    seen = [[len(board.runs) for board in one.boards.values()] for one in kept]
    assert seen == [[1], [1, 1], [2, 1], [2, 2]]
    assert kept[-1] is found


def test_ctrl_c_leaves_what_was_kept_before_it(monkeypatch: pytest.MonkeyPatch) -> None:
    kept: list[RecordResult] = []
    calls: list[Any] = []

    def interrupted(*arguments: Any) -> Any:
        calls.append(arguments)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return train_members(*arguments)

    monkeypatch.setattr("backproof.comparisons.record.part.train_members", interrupted)
    with pytest.raises(KeyboardInterrupt):
        over((0, 1), kept)
    assert [len(board.runs) for board in kept[-1].boards.values()] == [1, 1]


def test_the_verdict_is_on_the_mean_not_on_the_best_seed() -> None:
    first = board()
    goal = GOALS["distortion"].accuracy
    better, worse = (replace(first.runs[0], accuracy=goal + change) for change in (0.001, -0.002))
    good, bad = (replace(first, runs=(run,), verdict=Outcome.PASS) for run in (better, worse))
    five_minutes = Budget(seconds=300.0)
    assert record.joined(good, bad, five_minutes).verdict == Outcome.FAIL
    assert record.joined(good, good, five_minutes).verdict == Outcome.PASS


# --- what is reported --------------------------------------------------------------------------------------


def test_an_easy_problem_is_learned_and_its_figures_agree_with_each_other() -> None:
    test = board(Budget(epochs=25)).test
    confusion = np.array(test.confusion)
    assert test.accuracy > 0.9
    assert confusion.sum() == test.images == 120
    assert np.trace(confusion) == test.images - test.errors == round(test.accuracy * test.images)


def test_rows_of_the_confusion_matrix_are_labels() -> None:
    data = dataset()
    confusion = np.array(board(data=data).test.confusion)
    np.testing.assert_array_equal(confusion.sum(axis=1), np.bincount(data.test_labels, minlength=10))


def test_the_hardest_images_come_with_their_own_pixels_and_label_the_hardest_first() -> None:
    data = dataset()
    hardest = board(data=data).test.hardest
    assert len(hardest) == record.N_HARDEST
    shares = [row.probability_of_label for row in hardest]
    assert shares == sorted(shares)
    for row in hardest:
        assert row.label == data.test_labels[row.index]
        np.testing.assert_array_equal(row.pixels, np.rint(255 * data.test_images[row.index]))


@pytest.mark.parametrize(
    ("accuracy", "budget", "verdict"),
    [
        (0.9946, Budget(seconds=300.0), Outcome.PASS),
        (0.9946, Budget(seconds=10.0), Outcome.PASS),
        (0.99, Budget(seconds=300.0), Outcome.FAIL),
        (0.99, Budget(seconds=10.0), Outcome.INCONCLUSIVE),
        (0.99, Budget(epochs=5), Outcome.INCONCLUSIVE),
    ],
)
def test_a_missed_goal_is_a_failure_only_in_the_time_it_is_meant_for(
    accuracy: float, budget: Budget, verdict: Outcome
) -> None:
    assert record.judged(accuracy, "distortion", budget) == verdict
