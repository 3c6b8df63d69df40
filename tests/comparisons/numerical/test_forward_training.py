"""Training by forward gradients: the twins' weights and batches, and what is reached."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical.forward_gradient import PERTURBED, Perturbed
from backproof.comparisons.numerical.forward_training import train_forward
from backproof.comparisons.numerical.result import ForwardTraining
from backproof.scratch.initializers import initialize
from tests.support.numerical_runs import a_plan


def by_forward(perturbed: Perturbed, rate: float, n_steps: int, seed: int = 0) -> tuple[ForwardTraining, int]:
    dataset = data.load("digits")
    setting = numerical._setting(a_plan(Path("unused"), n_steps=n_steps), dataset)
    initial, steps = initialize(setting.architecture, 0).flat, list[int]()
    kept = initial.copy()
    setting = replace(setting, seed=seed)
    found = train_forward(setting, dataset, initial, perturbed, rate, lambda n=1: steps.append(n))
    np.testing.assert_array_equal(initial, kept)
    return found, len(steps)


@pytest.mark.parametrize("perturbed", PERTURBED)
def test_it_learns_in_as_many_steps_as_were_asked(perturbed: Perturbed) -> None:
    found, told = by_forward(perturbed, 0.02 if perturbed == "weights" else 0.2, 400)
    assert (found.last.step, found.n_steps, told) == (400, 400, 400)
    assert found.last.accuracy > found.evaluations[0].accuracy + 0.2


def test_the_test_images_are_looked_at_before_between_and_after() -> None:
    found, _ = by_forward("weights", 0.01, 18)
    assert [one.step for one in found.evaluations] == list(range(19))
    assert all(a.seconds < b.seconds for a, b in zip(found.evaluations, found.evaluations[1:], strict=False))


def test_no_rate_leaves_the_weights_and_so_the_accuracy() -> None:
    found, _ = by_forward("units", 0.0, 5)
    assert len({one.accuracy for one in found.evaluations}) == 1


def test_another_seed_is_another_training() -> None:
    assert by_forward("weights", 0.02, 40, 0)[0].last != by_forward("weights", 0.02, 40, 1)[0].last


def test_a_rate_that_is_too_large_ends_in_a_low_accuracy_and_in_no_warning() -> None:
    found, _ = by_forward("weights", 1e3, 50)
    assert found.last.accuracy < 0.2
