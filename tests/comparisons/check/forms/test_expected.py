"""What a class of another form should answer: held to differences of the same loss, and against ours."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms import expected as module
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.expected import Convention, Conventions, expected
from backproof.comparisons.check.forms.form import WORDS, Form
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, LossName
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

H = 1e-5
NONE = Conventions()


def a_problem(loss: LossName = "mse", activation: ActivationName = "tanh") -> Problem:
    return generic_problem(Architecture((3, 4, 3), activation, loss), 5, 3)


def differences(problem: Problem, form: Form, conventions: Conventions) -> Array:
    """Central differences of the expected loss."""
    theta = problem.flat()

    def loss(point: Array) -> float:
        weights = Parameters(problem.architecture, point).weights()
        return float(expected(replace(problem, weights=weights), form, conventions).loss.value)

    found = np.empty_like(theta)
    for i in range(theta.size):
        ahead, behind = theta.copy(), theta.copy()
        ahead[i] += H
        behind[i] -= H
        found[i] = (loss(ahead) - loss(behind)) / (2 * H)
    return found


@pytest.mark.parametrize("activation", ACTIVATION_FUNCTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_the_loss_for_every_activation(activation: str, loss: LossName) -> None:
    problem, form = a_problem(loss), Form(activation=activation)
    right = expected(problem, form, NONE)
    np.testing.assert_allclose(right.gradient.value, differences(problem, form, NONE), rtol=0, atol=1e-7)


@pytest.mark.parametrize("output", WORDS["output_activation"])
@pytest.mark.parametrize("loss", ["mse", "sum_of_squares"])
def test_the_gradient_is_that_of_the_loss_for_every_output(output: str, loss: LossName) -> None:
    problem, form = a_problem(loss), Form(output_activation=output)
    right = expected(problem, form, NONE)
    np.testing.assert_allclose(right.gradient.value, differences(problem, form, NONE), rtol=0, atol=1e-7)


CONVENTIONS = {
    "a sum": Convention(Law(1)),
    "a shift, followed": Convention(shift=1e-2, exact=True),
    "a penalty": Convention(penalty=0.3),
    "a penalty over N on everything": Convention(
        Law(1), penalty=0.3, penalty_per_example=True, penalty_on_biases=True
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_gradient_is_that_of_the_loss_for_every_convention(name: str) -> None:
    problem = a_problem("cross_entropy")
    conventions = Conventions({"cross_entropy": CONVENTIONS[name]})
    right = expected(problem, Form(), conventions)
    wanted = differences(problem, Form(), conventions)
    np.testing.assert_allclose(right.gradient.value, wanted, rtol=0, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["identity", "tanh", "sigmoid"])
def test_the_general_analysis_agrees_with_ours_within_its_bounds(
    loss: LossName, activation: ActivationName
) -> None:
    problem = a_problem(loss, activation)
    ours, general = module._ours(problem), module._general(problem, Form(), Convention())
    for name in ("outputs", "loss", "gradient"):
        left, right = getattr(ours, name), getattr(general, name)
        assert (np.abs(left.value - right.value) <= right.error).all()
        assert (right.error <= 1e-11).all()


def test_a_gradient_a_little_off_fails() -> None:
    problem, form = a_problem(), Form(activation="gelu")
    right = expected(problem, form, NONE)
    assert right.judge(right.gradient.value).outcome == Outcome.PASS
    assert right.judge(right.gradient.value * (1 + 1e-9)).outcome == Outcome.FAIL


def test_a_convention_is_told_in_words() -> None:
    conventions = Conventions(
        {"mse": Convention(Law(0, 0, 0.5)), "sum_of_squares": Convention(Law(0, 0, 0.5))}
    )
    (sentence,) = conventions.sentences()
    assert "mse and sum of squares" in sentence
    assert "half the square" in sentence


def test_the_same_numbers_are_answered_once_and_others_are_not_taken_for_them() -> None:
    problem, form = a_problem(), Form(activation="gelu")
    right = expected(problem, form, NONE)
    assert expected(replace(problem, x=problem.x.copy()), form, NONE) is right
    moved = replace(problem, x=problem.x + 2.0**-40)
    for other in (
        expected(moved, form, NONE),
        expected(problem, Form(activation="silu"), NONE),
        expected(problem, form, Conventions({problem.architecture.loss: Convention(Law(0, 0, 0.5))})),
        expected(problem, form, Conventions({}, slope_at_zero=1.0)),
    ):
        assert other is not right
