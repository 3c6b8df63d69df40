"""What the structured quotients start from is what an ordinary forward pass gives."""

import numpy as np
import pytest
from hypothesis import given

from backproof.scratch.architecture import ACTIVATIONS, ActivationName
from backproof.scratch.network import product
from backproof.scratch.unmoved import forward_unmoved, to_kink
from tests.support.strategies import Case, cases


@given(cases())
def test_the_unmoved_logits_are_those_of_the_forward_pass(case: Case) -> None:
    unmoved = forward_unmoved(case.network(), case.x, case.targets)
    np.testing.assert_array_equal(unmoved.logits.z, case.network().forward(case.x)[-1])
    np.testing.assert_array_equal(unmoved.layers[-1].z, unmoved.logits.z)


@given(cases())
def test_every_layer_s_inputs_with_the_bias_as_their_last_weight_give_its_z(case: Case) -> None:
    unmoved = forward_unmoved(case.network(), case.x, case.targets)
    for layer, (W, b) in zip(unmoved.layers, case.weights, strict=True):
        np.testing.assert_array_equal(layer.inputs[:, -1], 1.0)
        np.testing.assert_array_equal(product(np.ascontiguousarray(layer.inputs[:, :-1]), W) + b, layer.z)


@given(cases())
def test_rows_are_those_examples_of_everything(case: Case) -> None:
    unmoved = forward_unmoved(case.network(), case.x, case.targets)
    first = unmoved.rows(slice(0, 1))
    for layer, whole in zip(first.layers, unmoved.layers, strict=True):
        for part, array in zip(layer, whole, strict=True):
            np.testing.assert_array_equal(part, array[:1])
    for part, array in zip(first.logits, unmoved.logits, strict=True):
        np.testing.assert_array_equal(part, array[:1])


@given(cases(losses=["cross_entropy"]))
def test_a_move_of_the_logits_is_relative_to_the_label_s(case: Case) -> None:
    unmoved = forward_unmoved(case.network(), case.x, case.targets)
    D = np.arange(2.0 * case.architecture.n_outputs).reshape(2, -1)
    found = unmoved.as_logit_moves(D)
    for example, label in enumerate(case.targets):
        np.testing.assert_array_equal(found[example], D - D[:, label][:, None])


@given(cases(losses=["mse", "binary_cross_entropy"]))
def test_for_other_losses_a_move_is_what_it_is(case: Case) -> None:
    unmoved = forward_unmoved(case.network(), case.x, case.targets)
    D = np.ones((3, case.architecture.n_outputs))
    np.testing.assert_array_equal(unmoved.as_logit_moves(D), D[None])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_within_its_distance_to_the_kink_an_activation_is_straight(activation: ActivationName) -> None:
    z = np.array([[-2.0, -0.0, 0.5, 3.0]])
    distance = to_kink(activation, z)
    expected = {"relu": z, "identity": np.full_like(z, np.inf)}.get(activation, np.zeros_like(z))
    np.testing.assert_array_equal(distance, expected)
