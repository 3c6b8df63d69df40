"""Levels 0, 1 and 2: hashes seed by seed, one step by its quantities, and the course that all take."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.accuracy import levels
from backproof.comparisons.accuracy.result import Hashes
from backproof.comparisons.accuracy.unit import setup_of
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.accuracy_runs import EXPERIMENT, FAITHFUL, MODULE

HASHES = Hashes(data="a", initial_weights="b", batches="c")


def test_equal_hashes_of_all_seeds_pass() -> None:
    assert levels.equal_hashes([HASHES] * 2, [HASHES] * 2).verdict == Outcome.PASS


@pytest.mark.parametrize("name", ["data", "initial_weights", "batches"])
def test_a_hash_that_differs_in_any_seed_is_named(name: str) -> None:
    other = replace(HASHES, **{name: "other"})
    found = levels.equal_hashes([HASHES] * 2, [HASHES, other])
    assert (found.verdict, found.unequal) == (Outcome.FAIL, (name,))


def test_a_hash_that_cannot_be_read_back_is_named_and_fails_nothing() -> None:
    found = levels.equal_hashes([HASHES], [replace(HASHES, initial_weights=None)])
    assert (found.verdict, found.not_offered) == (Outcome.PASS, ("initial_weights",))


def test_a_course_is_one_epoch_in_float64_with_the_short_last_batch() -> None:
    course = levels.make_course(setup_of(EXPERIMENT), EXPERIMENT.dataset, seed=0, steps=None)
    assert course.images.dtype == np.float64
    assert sorted(np.concatenate(course.batches)) == list(range(len(course.labels)))


def test_a_course_can_be_cut_short() -> None:
    assert len(levels.make_course(setup_of(EXPERIMENT), EXPERIMENT.dataset, seed=0, steps=5).batches) == 5


def test_one_step_judges_logits_loss_and_gradient() -> None:
    course = levels.make_course(setup_of(EXPERIMENT), EXPERIMENT.dataset, seed=0, steps=1)
    batch = course.batches[0]
    reference = backprop_reference(
        course.architecture, course.weights, course.images[batch], course.labels[batch]
    )
    found = levels.one_step(reference, course, FAITHFUL)
    assert {name: check.outcome for name, check in found.checks.items()} == dict.fromkeys(
        ("logits", "loss", "gradient"), Outcome.PASS
    )


def test_a_trajectory_that_is_not_offered_is_a_cell_with_the_reason() -> None:
    name = f"{MODULE}:NoTraining"
    found = levels.run(setup_of(EXPERIMENT), EXPERIMENT.dataset, [name], 0, Silent(), quick=True)
    assert found[name].trajectory == Absent("it only predicts")
