"""Keras layers and TensorFlow functions through check_autodiff; needs TensorFlow, and is skipped without."""

import functools

import numpy as np
import pytest

from backproof import check_autodiff
from backproof.comparisons.gradients import autodiff_campaign
from backproof.comparisons.verdicts.outcome import Outcome

tf = pytest.importorskip("tensorflow", reason="TensorFlow is not installed")
keras = pytest.importorskip("keras", reason="Keras is not installed")
functions = pytest.importorskip("backproof.reference.keras_functions")
X = np.random.default_rng(0).standard_normal((4, 3))


@pytest.mark.parametrize("name", ["Dense", "BatchNormalization", "GRU", "Sequential", "cross entropy"])
def test_right_layers_pass_in_both_precisions(name: str) -> None:
    f, args = functions.case(name, 0)
    found = check_autodiff(f, *args, order=2)
    assert found.outcome == Outcome.PASS
    assert any("float32" in one for one in found)


@pytest.mark.parametrize("kind", autodiff_campaign.ORDERS)
def test_wrong_derivatives_fail(kind: str) -> None:
    f, args = functions.case("attention", 0)
    order = autodiff_campaign.ORDERS[kind]
    assert check_autodiff(functions.mistaken(f, kind), *args, order=order).outcome == Outcome.FAIL


def test_batch_norm_in_training_is_right_at_first_order_and_keeps_its_statistics() -> None:
    layer = keras.layers.BatchNormalization()
    x = tf.constant(X, tf.float32)
    layer(x)
    before = [variable.numpy().copy() for variable in layer.non_trainable_variables]
    assert check_autodiff(functools.partial(layer, training=True), x).outcome == Outcome.PASS
    for one, other in zip(before, layer.non_trainable_variables, strict=True):
        np.testing.assert_array_equal(one, other.numpy())
