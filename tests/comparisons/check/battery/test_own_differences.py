"""What is taken out of a class's own loss before differences are taken, and the calls that are left."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.battery.own_differences import (
    SHOWN_STEP,
    _named_shift,
    _one_per_tensor,
    _show,
)
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import Convention, Conventions
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.architecture import LOSSES, Architecture, Array, LossName, Weights
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student
from tests.support.stepping import stepping

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
    assert pytest.approx(1e-3, rel=0.05) == SHOWN_STEP
    moved = SHOWN_STEP * np.eye(16)[13]  # after the twelve weights
    np.testing.assert_array_equal(loaded, [PROBLEM.flat(), PROBLEM.flat() + moved, PROBLEM.flat() - moved])


def test_one_entry_of_every_tensor_is_looked_at_and_of_biases_only_where_there_are_any() -> None:
    problem = generic_problem(Architecture((3, 4, 2)), 5, seed=0)
    found = _one_per_tensor(candidate(Convention()), problem)
    assert [0 <= found[0] < 12, 12 <= found[1] < 16, 16 <= found[2] < 24, 24 <= found[3] < 26] == [True] * 4
    none = candidate(Convention())
    none.form = Form(biases="none")
    assert _one_per_tensor(none, problem) == found[::2]


# --- the check ---------------------------------------------------------------------------------------------


def differences(kind: type, problem: Problem, form: Form | None = None) -> Candidate:
    (check,) = (one for one in CHECKS if one.name == "differences")
    some = Candidate(Here(kind), form)
    check.run(some, problem)
    return some


def changed(method: str, by: Any) -> type:
    right = getattr(Student, method)
    return type("Changed", (Student,), {method: lambda self, *given: by(right(self, *given))})


@pytest.mark.parametrize("loss", LOSSES)
def test_a_gradient_of_its_own_loss_passes(loss: LossName) -> None:
    problem = generic_problem(Architecture((3, 4, 2), "tanh", loss), 3, seed=1)
    differences(Student, problem)
    differences(changed("loss_value", lambda found: found + 7.0), problem)


@pytest.mark.parametrize(
    ("method", "by"),
    [
        ("bias_gradient", lambda found: found * 1.001),
        ("weight_gradient", lambda found: found * 1.001),
        ("output_delta", lambda found: -found),
        ("loss_value", lambda found: 2 * found),
    ],
)
def test_a_gradient_that_belongs_to_another_loss_fails_with_the_calls_that_show_it(
    method: str, by: Any
) -> None:
    problem = generic_problem(Architecture((3, 4, 2), "tanh", "mse"), 3, seed=1)
    (check,) = (one for one in CHECKS if one.name == "differences")
    some = Candidate(Here(changed(method, by)))
    with pytest.raises(Mismatch, match=r"^gradient against differences of its own loss.*[Wb][12]\[") as found:
        check.run(some, problem)
    assert found.value.verdict is not None
    assert [call.method for call in some.calls] == ["load", "loss_and_gradient"] * 3


@pytest.mark.parametrize("value", [np.nan, np.inf])
def test_of_a_loss_that_is_no_number_no_difference_is_taken(value: float) -> None:
    problem = generic_problem(Architecture((3, 2), "tanh", "mse"), 3, seed=1)
    with pytest.raises(Mismatch, match=f"^loss: {value} at finite weights") as found:
        differences(changed("loss_value", lambda found: value), problem)
    assert [call.method for call in found.value.calls] == ["load", "loss_and_gradient"]


def test_of_a_step_that_tells_no_loss_no_difference_is_taken() -> None:
    problem = generic_problem(Architecture((3, 2), "tanh", "mse"), 3, seed=1)
    with pytest.raises(Misbehaviour, match="step returns no loss"):
        differences(stepping(None), problem, Form(step=True))


def test_the_entries_looked_at_are_others_for_another_batch_size_and_the_same_again() -> None:
    chosen = [
        _one_per_tensor(candidate(Convention()), generic_problem(Architecture((9, 9, 9)), n, seed=0))
        for n in (1, 2, 3, 4, 4)
    ]
    assert len({tuple(one) for one in chosen}) == 4
    assert chosen[3] == chosen[4]
