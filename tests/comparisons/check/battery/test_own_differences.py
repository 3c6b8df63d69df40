"""What is taken out of a class's own loss before differences are taken, and the calls that are left."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.battery.own_differences import (
    SHOWN_STEP,
    _named_shift,
    _one_per_tensor,
    _show,
)
from backproof.comparisons.check.forms.expected import Convention, Conventions
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import Law
from backproof.scratch.architecture import Architecture, Array, Weights

PROBLEM = generic_problem(Architecture((3, 4), "identity", "cross_entropy"), 5, seed=0)
W, B = PROBLEM.weights[0]
Z = PROBLEM.x @ W + B
P = np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
LABELLED = P[np.arange(5), PROBLEM.targets]


def candidate(convention: Convention, **more: Any) -> Any:
    by_loss: dict[str, Convention] = {"cross_entropy": convention}
    return SimpleNamespace(conventions=Conventions(by_loss), form=Form(), **more)


@pytest.mark.parametrize("convention", [Convention(), Convention(shift=0.1, exact=True), Convention(Law(1))])
def test_nothing_is_taken_out_of_a_loss_whose_gradient_is_its_own(convention: Convention) -> None:
    assert _named_shift(candidate(convention), PROBLEM) == 0.0


@pytest.mark.parametrize(
    ("convention", "capped"),
    [
        (Convention(shift=0.1), LABELLED + 0.1),
        (Convention(clip=0.2), np.clip(LABELLED, 0.2, 0.8)),
    ],
)
@pytest.mark.parametrize("law", [Law(), Law(1, 0, 0.5)])
def test_a_constant_inside_the_logarithm_is_taken_out_of_the_loss(
    convention: Convention, capped: Array, law: Law
) -> None:
    stated = Convention(law, convention.shift, convention.clip)
    expected = law.at(PROBLEM) * (-np.log(capped).mean() + np.log(LABELLED).mean())
    assert _named_shift(candidate(stated), PROBLEM) == pytest.approx(expected, rel=1e-10)


def test_the_calls_that_are_left_are_at_the_point_and_to_both_sides_of_the_worst_entry() -> None:
    loaded: list[Array] = []
    renewed: list[int] = []

    def load(architecture: Architecture, weights: Weights) -> None:
        loaded.append(np.concatenate([part.ravel() for pair in weights for part in pair]))

    some = candidate(
        Convention(),
        renew=lambda: renewed.append(len(loaded)),
        load=load,
        loss_and_gradient=lambda x, t: None,
    )
    _show(some, PROBLEM, "b1[1]")
    assert renewed == [0]
    moved = SHOWN_STEP * np.eye(16)[13]  # after the twelve weights
    np.testing.assert_array_equal(loaded, [PROBLEM.flat(), PROBLEM.flat() + moved, PROBLEM.flat() - moved])


def test_one_entry_of_every_tensor_is_looked_at_and_of_biases_only_where_there_are_any() -> None:
    problem = generic_problem(Architecture((3, 4, 2)), 5, seed=0)
    found = _one_per_tensor(candidate(Convention()), problem)
    assert [0 <= found[0] < 12, 12 <= found[1] < 16, 16 <= found[2] < 24, 24 <= found[3] < 26] == [True] * 4
    none = candidate(Convention())
    none.form = Form(biases="none")
    assert _one_per_tensor(none, problem) == found[::2]
