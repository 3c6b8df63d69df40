"""Forward gradients: the slope is exact, the guess is right on average, and its error is what theory says."""

import doctest

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.numerical import forward_gradient
from backproof.comparisons.numerical.forward_gradient import (
    PERTURBED,
    ForwardGradient,
    Perturbed,
    directional_derivative,
    unit_derivatives,
)
from backproof.scratch.architecture import (
    ACTIVATIONS,
    LOSSES,
    ActivationName,
    Architecture,
    LossName,
    OptimizerSpec,
)
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import Recipe, train
from tests.support.numerical_runs import digits_batch
from tests.support.strategies import Case, random_case


def a_case(activation: ActivationName, loss: LossName, seed: int) -> Case:
    return random_case(Architecture((4, 5, 3, 2), activation, loss), "normal", 6, seed)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(st.integers(0, 2**32 - 1))
def test_the_slope_in_a_direction_is_its_product_with_the_gradient(
    activation: ActivationName, loss: LossName, seed: int
) -> None:
    case = a_case(activation, loss, seed)
    v = np.random.default_rng(seed).standard_normal(case.architecture.n_parameters)
    found = directional_derivative(case.network(), case.x, case.targets, Parameters(case.architecture, v))
    g = gradient(case.network(), case.x, case.targets)
    # Some hundred roundings of terms that may be larger than their sum.
    assert abs(found - g @ v) < 1e-11 * (np.abs(g) @ np.abs(v) + 1e-3)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@given(st.integers(0, 2**32 - 1))
def test_the_slopes_of_units_sum_to_the_slope_where_all_biases_move_alike(
    activation: ActivationName, seed: int
) -> None:
    case = a_case(activation, "cross_entropy", seed)
    v = Parameters(case.architecture)
    for _, bias in v.layers:
        bias[...] = np.random.default_rng(seed).standard_normal(bias.shape)
    u = [np.tile(bias, (len(case.x), 1)) for _, bias in v.layers]
    slopes = unit_derivatives(case.network(), case.x, case.targets, u)
    expected = directional_derivative(case.network(), case.x, case.targets, v)
    np.testing.assert_allclose(slopes.sum(), expected, rtol=0, atol=1e-11 * (np.abs(slopes).sum() + 1e-3))


@pytest.mark.parametrize("perturbed", PERTURBED)
def test_the_mean_of_many_guesses_comes_to_the_gradient_as_one_over_the_root_of_their_number(
    perturbed: Perturbed,
) -> None:
    case = a_case("tanh", "cross_entropy", 0)
    g, n = gradient(case.network(), case.x, case.targets), case.architecture.n_parameters
    guess = gradient(case.network(), case.x, case.targets, ForwardGradient(perturbed, 0, 4000))
    # E |guess - g|^2 = (n + 1) |g|^2 / 4000 for weights, of which one seed is within a factor of two; units
    # are fewer numbers, and the examples' guesses average.
    off, expected = np.linalg.norm(guess - g) / np.linalg.norm(g), np.sqrt((n + 1) / 4000)
    assert off < 2 * expected
    if perturbed == "weights":
        assert off > expected / 2
    else:
        assert off < expected


def test_one_guess_is_the_slope_along_its_direction_times_the_direction() -> None:
    network, x, labels, _ = digits_batch(0, 1e-9)
    guess = gradient(network, x, labels, ForwardGradient(seed=5))
    v = np.random.default_rng(5).standard_normal(len(guess))
    np.testing.assert_allclose(guess, (gradient(network, x, labels) @ v) * v, rtol=0, atol=1e-12)


@pytest.mark.parametrize("perturbed", PERTURBED)
def test_every_call_draws_anew_and_the_same_seed_draws_the_same(perturbed: Perturbed) -> None:
    network, x, labels, _ = digits_batch(0, 1e-9)
    first, second = ForwardGradient(perturbed, 1), ForwardGradient(perturbed, 1)
    once, again = first(network, x, labels), first(network, x, labels)
    assert not np.array_equal(once, again)
    np.testing.assert_array_equal(second(network, x, labels), once)


@pytest.mark.parametrize("perturbed", PERTURBED)
def test_a_network_is_trained_by_it_through_a_recipe(perturbed: Perturbed) -> None:
    network, x, labels, _ = digits_batch(0, 1e-9)
    recipe = Recipe(OptimizerSpec(learning_rate=0.01), ForwardGradient(perturbed))
    losses = train(network, x, labels, [np.arange(20)] * 300, recipe)
    assert np.mean(losses[-10:]) < 0.8 * np.mean(losses[:10])


def test_what_it_cannot_perturb_and_no_direction_are_refused() -> None:
    with pytest.raises(InputError, match="perturbed: expected one of weights, units"):
        ForwardGradient("layers")  # type: ignore[arg-type] # that is what is refused
    with pytest.raises(InputError, match="directions: expected at least 1"):
        ForwardGradient(directions=0)


def test_the_worked_example_gives_what_it_says() -> None:
    found = doctest.testmod(forward_gradient)
    assert (found.failed, found.attempted > 0) == (0, True)
