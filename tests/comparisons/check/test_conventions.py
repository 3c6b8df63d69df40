"""Conventions are found by their numbers, and told apart from mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.conventions import Answered, find_conventions
from backproof.comparisons.check.forms.expected import (
    Convention,
    Conventions,
    expected,
    forward_logits,
)
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import Law
from backproof.scratch.architecture import Architecture, LossName
from backproof.scratch.problem import Problem

SHAPES = (((3, 4, 2), 5), ((4, 3, 3), 1), ((2, 5, 1), 4), ((3, 3, 3), 2), ((2, 4, 5), 3))


def problems(loss: LossName) -> list[tuple[Problem, bool]]:
    """Ordinary ones, then some with large logits."""
    found = [
        (generic_problem(Architecture(sizes, "tanh", loss), n, i), False)
        for i, (sizes, n) in enumerate(SHAPES)
    ]
    for problem, _ in found[:2]:
        W, b = problem.weights[-1]
        found.append((replace(problem, weights=[*problem.weights[:-1], (30 * W, 30 * b)]), True))
    return found


def answers(loss: LossName, convention: Convention) -> list[Answered]:
    """Those of a class that follows this convention."""
    found = []
    for problem, loud in problems(loss):
        own = expected(problem, Form(), Conventions({loss: convention}))
        ours = expected(problem, Form(), Conventions())
        found.append(Answered(problem, float(own.loss.value), own.gradient.value, ours, loud))
    return found


@pytest.mark.parametrize(
    ("loss", "convention"),
    [
        ("cross_entropy", Convention(Law(1))),
        ("mse", Convention(Law(0, 1, 0.5))),
        ("sum_of_squares", Convention(Law(0, 0, 0.5))),
        ("cross_entropy", Convention(shift=1e-7)),
        ("cross_entropy", Convention(Law(1), shift=1e-7)),
        ("cross_entropy", Convention(shift=1e-8, exact=True)),
        ("cross_entropy", Convention(clip=1e-12)),
        ("binary_cross_entropy", Convention(shift=1e-10)),
        ("mse", Convention(penalty=0.25)),
        ("mse", Convention(penalty=0.7, penalty_per_example=True)),
        ("cross_entropy", Convention(shift=1e-7, penalty=0.01)),
    ],
)
def test_a_convention_is_found(loss: LossName, convention: Convention) -> None:
    found = find_conventions(answers(loss, convention), set(), 0.0).by_loss[loss]
    np.testing.assert_allclose(found.penalty, convention.penalty, rtol=1e-6)
    assert replace(found, penalty=convention.penalty) == convention


def test_a_class_of_our_form_has_none() -> None:
    assert not find_conventions(answers("cross_entropy", Convention()), set(), 0.0).by_loss


def test_a_loss_that_is_declared_is_held_to_our_definition() -> None:
    assert not find_conventions(answers("mse", Convention(Law(1))), {"mse"}, 0.0).by_loss


def test_a_loss_whose_gradient_is_ours_is_no_convention() -> None:
    odd = [replace(a, gradient=a.right.gradient.value) for a in answers("mse", Convention(Law(1)))]
    assert not find_conventions(odd, set(), 0.0).by_loss


def test_a_penalty_that_the_gradient_lacks_is_no_convention() -> None:
    odd = [replace(a, gradient=a.right.gradient.value) for a in answers("mse", Convention(penalty=0.25))]
    assert not find_conventions(odd, set(), 0.0).by_loss


@pytest.mark.parametrize("size", [34.0, 35.0, 36.0, 36.5])
def test_digits_lost_in_one_minus_p_are_no_constant_in_the_logarithm(size: float) -> None:
    form, found = Form(outputs="probabilities"), []
    for problem, loud in problems("binary_cross_entropy")[:-1]:
        z, (W, b) = forward_logits(problem), problem.weights[-1]
        factor = size / z.max() if loud else 1.0
        if loud:  # on the side that the logits speak against: 1 - p is a few units of rounding
            weights = [*problem.weights[:-1], (factor * W, factor * b)]
            problem = replace(problem, weights=weights, targets=(z < 0) * 1.0)
        p, t = 1 / (1 + np.exp(-forward_logits(problem))), problem.targets
        loss = -float((t * np.log(p) + (1 - t) * np.log(1 - p)).sum()) / len(t)
        ours = expected(problem, form, Conventions())
        gradient = problem.architecture.n_outputs * ours.gradient.value
        found.append(Answered(problem, loss, gradient, ours, loud, form))
    told = find_conventions(found, set(), 0.0).by_loss["binary_cross_entropy"]
    assert told == Convention(Law(0, 1))
