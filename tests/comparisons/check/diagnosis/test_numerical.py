"""A numerical gradient gives itself away by its error, whose direction and length tell its step."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.numerical import (
    _constant,
    _loss,
    _relative,
    _scattered,
    numerical_cause,
)
from backproof.comparisons.check.forms.expected import Convention
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import LOSSES, ActivationName, Array, LossName
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.observations import Asked, answering, observed

MANY = [
    Asked(sizes, "tanh", loss, n, seed=seed)
    for seed, (sizes, n) in enumerate([((3, 4, 2), 5), ((3, 2), 4), ((2, 3, 3), 3)])
    for loss in LOSSES
]


def loss_at(o: Observation, theta: Array) -> float:
    """By the network from scratch."""
    parameters = Parameters(o.problem.architecture, theta.copy())
    return float(Network(o.problem.architecture, parameters).loss(o.problem.x, o.problem.targets))


def by_differences(o: Observation, h: float, central: bool) -> Observation:
    theta = o.problem.flat()
    found = np.empty_like(theta)
    for i, step in enumerate(h * np.eye(theta.size)):
        behind = theta - step if central else theta
        found[i] = (loss_at(o, theta + step) - loss_at(o, behind)) / (2 * h if central else h)
    return answering(o, found)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "identity"])
def test_the_loss_of_which_differences_are_taken_is_that_of_the_network(
    loss: LossName, activation: ActivationName
) -> None:
    o = observed(Asked((3, 4, 3), activation, loss, convention=Convention(Law(1, 0, 0.5))))
    theta = o.problem.flat() + 0.1
    assert _loss(o, theta) == pytest.approx(2.5 * loss_at(o, theta), rel=1e-12)


@pytest.mark.parametrize(("central", "name"), [(True, "central"), (False, "forward")])
@pytest.mark.parametrize("h", [1e-3, 1e-4])
def test_a_numerical_gradient_is_told_with_its_step(central: bool, name: str, h: float) -> None:
    told = numerical_cause([by_differences(observed(asked), h, central) for asked in MANY])
    assert told is not None
    assert f"a numerical gradient, {name}, with h about {h:.0e}" in told.sentence
    assert told.certainty == "fits"


def noisy(size: float, share: float = 1.0) -> list[Observation]:
    """Right but for noise of this relative size in so many of the entries."""
    rng, found = np.random.default_rng(0), []
    for asked in MANY:
        o = observed(asked)
        noise = rng.normal(size=o.gradient.size) * (rng.random(o.gradient.size) < share)
        found.append(answering(o, o.gradient + size * np.abs(o.gradient).max() * noise))
    return found


@pytest.mark.parametrize("size", [1e-6, 1e-8, 1e-11])
def test_noise_in_all_entries_is_told_by_its_digits(size: float) -> None:
    told = numerical_cause(noisy(size))
    assert told is not None
    assert told.sentence.endswith("digits and no more: a numerical gradient, or float32 inside?")
    assert told.sentence.startswith(f"it agrees to {int(-np.log10(max(map(_relative, noisy(size)))))} digits")
    assert told.certainty == "describes"


@pytest.mark.parametrize("size", [1e-3, 3e-2])
def test_what_is_off_by_more_is_no_matter_of_digits(size: float) -> None:
    assert numerical_cause(noisy(size)) is None


def test_where_few_entries_are_wrong_it_is_something_else() -> None:
    assert numerical_cause(noisy(1e-6, share=0.2)) is None


def test_an_error_by_one_factor_is_something_else() -> None:
    assert numerical_cause([answering(o, o.gradient * (1 + 1e-6)) for o in map(observed, MANY)]) is None


def test_only_ordinary_problems_with_a_gradient_are_looked_at() -> None:
    special = [replace(o, family="saturated") for o in noisy(1e-6)]
    assert numerical_cause(special) is None
    assert numerical_cause([]) is None
    one_saturated = replace(observed(MANY[0]), family="saturated", gradient=observed(MANY[0]).gradient + 1.0)
    assert numerical_cause([*noisy(1e-6), one_saturated]) is not None


def test_an_error_is_relative_to_the_largest_entry() -> None:
    o = observed(Asked())
    largest = np.abs(o.gradient).max()
    for sign in (1.0, -1.0):
        assert _relative(answering(o, o.gradient + sign * 0.01 * largest * np.eye(o.gradient.size)[3])) == (
            pytest.approx(0.01)
        )


def test_the_share_of_wrong_entries_is_counted() -> None:
    o = observed(Asked())
    wrong = np.arange(o.gradient.size) < 10
    for sign in (1.0, -1.0):
        assert _scattered(answering(o, o.gradient + sign * wrong)) == pytest.approx(10 / o.gradient.size)


def test_a_factor_is_one_only_where_every_problem_has_one() -> None:
    one, other = (observed(asked) for asked in MANY[:2])
    assert _constant([answering(one, 0.3 * one.gradient), answering(other, -2 * other.gradient)])
    bent = answering(other, 2 * other.gradient + 0.01 * np.eye(other.gradient.size)[0])
    assert not _constant([answering(one, 0.3 * one.gradient), bent])


@pytest.mark.parametrize(("largest", "worth"), [(1e-5, True), (1e-7, False)])
def test_a_gradient_of_nearly_nothing_is_not_worth_a_word(largest: float, worth: bool) -> None:
    def small(o: Observation) -> Observation:
        share = largest / float(np.abs(o.right.gradient.value).max())
        right = Bounded(share * o.right.gradient.value, share * o.right.gradient.error)
        return replace(o, gradient=share * o.gradient, right=replace(o.right, gradient=right))

    assert (numerical_cause([*map(small, noisy(1e-6))]) is not None) == worth
