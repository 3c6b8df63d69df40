"""The accuracy comparison: right contenders pass all levels, every flaw is seen by the level made for it."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.accuracy.part import Study, guessing_limit, summarize
from backproof.comparisons.accuracy.result import AccuracyResult, Hashes, TrainedRun
from backproof.comparisons.accuracy.unit import packed, setup_of
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.report.document import load
from backproof.comparisons.report.write import merge
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support import accuracy_runs
from tests.support.accuracy_runs import EXPERIMENT, MODULE, PLAN, course_of, only, run, step_of


def test_a_correct_contender_passes_every_level() -> None:
    found = accuracy_runs.faithful()
    levels = (only(found).hashes, step_of(found), course_of(found))
    assert {level.verdict for level in levels} == {Outcome.PASS}


def test_torch_trains_as_scratch_does_on_every_level() -> None:
    found = accuracy_runs.with_torch()
    levels = (only(found).hashes, step_of(found), course_of(found))
    assert {level.verdict for level in levels} == {Outcome.PASS}


def test_other_initial_weights_are_seen_by_the_hashes() -> None:
    hashes = only(run("OtherStart")).hashes
    assert (hashes.verdict, hashes.unequal) == (Outcome.FAIL, ("initial_weights",))


def test_a_gradient_wrong_by_one_part_in_a_billion_is_seen_in_one_step() -> None:
    step = step_of(run("GradientOff"))
    assert step.checks["gradient"].outcome == step.verdict == Outcome.FAIL
    assert step.checks["logits"].outcome == step.checks["loss"].outcome == Outcome.PASS


def test_a_mistake_in_training_alone_is_seen_in_the_trajectory() -> None:
    found = run("DecayInTraining")
    verdicts = [only(found).hashes.verdict, step_of(found).verdict, course_of(found).verdict]
    assert verdicts == [Outcome.PASS, Outcome.PASS, Outcome.FAIL]


def test_wrong_answers_are_a_different_accuracy() -> None:
    cell = only(run("WorseAnswers", n_seeds=5))
    assert (cell.outcome, cell.verdict) == ("different", Outcome.FAIL)
    assert cell.difference_points < -PLAN.margin_points


@pytest.mark.parametrize("flaw", ["OtherStart", "GradientOff", "DecayInTraining", "WorseAnswers"])
def test_the_comparison_fails_when_any_level_of_any_contender_does(flaw: str) -> None:
    assert run("Faithful", flaw, n_seeds=5).verdict == Outcome.FAIL


def test_one_seed_leaves_the_accuracy_undecided() -> None:
    found = run("Faithful", n_seeds=1)
    assert (found.verdict, only(found).outcome, only(found).ci90) == (
        Outcome.INCONCLUSIVE,
        "undecided",
        None,
    )


# --- contenders that lack something ------------------------------------------------------------------------


def test_a_contender_that_cannot_train_becomes_a_cell_with_the_reason() -> None:
    found, name = run("NoTraining"), f"{MODULE}:NoTraining"
    assert found.contenders[name] == found.against_scratch[name] == Absent("it only predicts")


def test_a_contender_that_cannot_train_does_not_spoil_the_others() -> None:
    assert run("Faithful", "NoTraining").verdict == accuracy_runs.faithful().verdict


def test_where_nobody_can_train_nothing_is_decided() -> None:
    assert run("NoTraining").verdict == Outcome.INCONCLUSIVE


def test_a_contender_without_a_gradient_is_compared_on_the_rest() -> None:
    found = run("NoGradient")
    assert step_of(found).verdict == course_of(found).verdict == Outcome.PASS
    assert step_of(found).not_offered_checks == {"loss and gradient": "its gradient is not public"}


def test_an_unknown_contender_is_refused_before_anything_runs() -> None:
    with pytest.raises(InputError, match=r"^contender: expected one of"):
        replace(PLAN, contenders=("caffe",))


# --- the figures -------------------------------------------------------------------------------------------


def without_clock(found: AccuracyResult) -> AccuracyResult:
    untimed = {name: replace(runs, seconds=()) for name, runs in found.trained.items()}
    return replace(found, seconds=0.0, contenders={**found.contenders, **untimed})


def test_the_same_seed_gives_the_same_figures_bit_for_bit() -> None:
    assert without_clock(run("Faithful")) == without_clock(accuracy_runs.faithful())


def test_another_seed_gives_others() -> None:
    other = run("Faithful", seed=10).trained["scratch"]
    assert other.train_loss != accuracy_runs.faithful().trained["scratch"].train_loss


def test_accuracies_and_losses_are_there_for_every_seed_and_epoch() -> None:
    for runs in accuracy_runs.faithful().trained.values():
        for figures in (runs.train_loss, runs.test_accuracy_epochs):
            assert np.shape(figures) == (PLAN.n_seeds, PLAN.epochs)
        assert runs.test_accuracy == tuple(epochs[-1] for epochs in runs.test_accuracy_epochs)
        assert min(seconds for seconds in runs.seconds if seconds is not None) > 0


def test_differences_are_contender_minus_scratch() -> None:
    found = accuracy_runs.with_torch()
    ours, theirs = (np.array(found.trained[name].test_accuracy) for name in ("scratch", "torch"))
    np.testing.assert_allclose(only(found).differences_points, 100 * (theirs - ours), rtol=0, atol=1e-12)


def test_discordant_images_account_for_every_difference() -> None:
    found = accuracy_runs.with_torch()
    expected = [100 * (row.only_contender - row.only_scratch) / found.n_test for row in only(found).mcnemar]
    np.testing.assert_allclose(only(found).differences_points, expected, rtol=0, atol=1e-9)


def test_the_result_goes_through_results_json(tmp_path: Path) -> None:
    merge(tmp_path, "backproof accuracy", accuracy=accuracy_runs.faithful())
    assert load(tmp_path / "results.json").accuracy == accuracy_runs.faithful()


# --- networks that learned nothing -------------------------------------------------------------------------


def a_run(dataset: Dataset, n_correct: int) -> TrainedRun:
    """A run that gets the first `n_correct` test images right."""
    n = len(dataset.test_labels)
    hashes = Hashes(data="0", initial_weights="1", batches="2")
    return TrainedRun((n_correct / n,), (2.3,), 1.0, packed(np.arange(n) < n_correct), hashes)


def judged(ours: Sequence[int], theirs: Sequence[int]) -> AccuracyResult:
    """Level 3 of runs that get so many test images right, seed by seed."""
    dataset, names = EXPERIMENT.dataset, ("scratch", "other")
    records = {
        (seed, name): a_run(dataset, right)
        for name, rights in zip(names, (ours, theirs), strict=True)
        for seed, right in enumerate(rights)
    }
    return summarize(Study(setup_of(EXPERIMENT), dataset, range(len(ours)), names), records)


def test_two_networks_that_learned_nothing_do_not_have_the_same_accuracy() -> None:
    cell = only(judged([36] * 5, [36] * 5))
    assert (cell.outcome, cell.verdict) == ("undecided", Outcome.INCONCLUSIVE)
    assert cell.reason == (
        "neither network has learned anything: 10.1% and 10.1% are no better than guessing"
    )


def test_two_networks_that_learned_nothing_are_not_called_different_either() -> None:
    assert only(judged([30] * 5, [38] * 5)).outcome == "undecided"


def test_networks_that_learned_are_judged_by_their_differences() -> None:
    cell = only(judged([300] * 5, [300] * 5))
    assert (cell.outcome, cell.verdict, cell.reason) == ("equivalent", Outcome.PASS, "")


def test_a_network_that_learned_nothing_beside_one_that_did_is_different() -> None:
    assert only(judged([300] * 5, [36] * 5)).outcome == "different"


def test_guessing_ends_four_standard_errors_above_the_commonest_class() -> None:
    dataset = EXPERIMENT.dataset
    n, largest = len(dataset.test_labels), np.bincount(dataset.test_labels).max()
    share = largest / n
    assert guessing_limit(dataset) == pytest.approx(share + 4 * np.sqrt(share * (1 - share) / n), rel=1e-12)


def test_a_diverged_training_is_an_undecided_comparison() -> None:
    """A learning rate of 1e30 leaves no finite number in any of the networks."""
    with np.errstate(all="ignore"):
        found = run("Faithful", optimizer=replace(PLAN.optimizer, learning_rate=1e30))
    assert only(found).outcome == "undecided"
    assert found.verdict != Outcome.PASS
