"""Models of one's own as sides: what is taken, what is said of the others, and a planted difference."""

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.compare import models, words
from backproof.comparisons.compare.part import run
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import LOSSES
from backproof.scratch.errors import InputError

HERE = "tests.support.own_models"


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (f"{HERE}:gelu", f"{HERE}:gelu"),
        (f"{HERE}:relu", f"{HERE}:Functional"),
        (f"{HERE}:MODEL", f"{HERE}:relu"),
        ("scratch", f"{HERE}:relu"),
        (f"{HERE}:relu", "torch"),
    ],
)
def test_right_models_differ_by_rounding_only(first: str, second: str) -> None:
    found = run((first, second), 0, Silent())
    assert found.verdict is Outcome.PASS
    tensors = {link.tensor for one in found.problems for side in one.sides for link in side.links}
    assert {"z1", "a2", "delta1", "dW3", "adam, step 3: b3"} <= tensors


def test_gelu_by_tanh_for_gelu_by_erf_is_named() -> None:
    found = run((f"{HERE}:gelu", f"{HERE}:gelu_by_tanh"), 0, Silent())
    firsts = words.failures(found, 1)
    assert {link.tensor for _, link in firsts} == {"a1"}
    assert words.causes(firsts) == ["the activation is gelu by tanh, not gelu by erf (4 of 4 problems)"]
    assert not words.failures(found, 0)


def test_weights_that_differ_are_told_and_compared_as_the_first_has_them() -> None:
    found = run((f"{HERE}:gelu", f"{HERE}:other_weights"), 0, Silent())
    assert found.verdict is Outcome.PASS
    assert any("its own weights: W1[2, 1] is" in reason for reason in words.refused(found.problems, 1))


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("normalised", "parameters in Linear layers alone"),
        ("clipped", "what stands between the Linear layers 1 and 2 is none of identity, relu"),
        ("probabilities", "the logits, to be returned"),
        ("number", "a torch module or a Keras model, or a function that makes one; got int"),
        ("nothing", "has no nothing"),
    ],
)
def test_what_is_not_taken_is_refused_in_one_sentence(name: str, said: str) -> None:
    with pytest.raises(InputError, match=said):
        run((f"{HERE}:{name}", "torch"), 0, Silent())


def test_a_class_is_refused_beside_an_activation_that_it_cannot_be_told() -> None:
    with pytest.raises(
        InputError, match="scratch: expected a torch module or a Keras model beside one with gelu"
    ):
        run(("scratch", f"{HERE}:gelu"), 0, Silent())


@pytest.mark.skipif(importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow")
def test_a_keras_model_and_a_torch_module_with_the_same_weights() -> None:
    found = run((f"{HERE}:torch_tanh", f"{HERE}:keras_tanh"), 0, Silent())
    assert found.verdict is Outcome.PASS
    tensors = {link.tensor for one in found.problems for link in one.sides[1].links}
    assert {"z1", "a2", "delta1", "dW3", "sgd, step 3: b3"} <= tensors
    assert any("Keras's Adam" in reason for reason in words.refused(found.problems, 1))


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_models_problems_are_at_its_own_weights_in_its_own_precision(dtype: str) -> None:
    rng = np.random.default_rng(0)
    weights = [(rng.normal(size=(3, 2)).astype(dtype), rng.normal(size=2).astype(dtype))]
    stack: Any = SimpleNamespace(weights=lambda: weights)
    found = [[*models.problems(stack, seed)] for seed in (0, 0, 1)]
    assert [one.architecture.loss for one in found[0]] == list(LOSSES)
    for one, same, other in zip(*found, strict=True):
        assert (one.architecture.dtype, one.x.dtype, one.architecture.layer_sizes) == (dtype, dtype, (3, 2))
        np.testing.assert_array_equal(one.weights[0][0], weights[0][0])
        np.testing.assert_array_equal(one.x, same.x)
        assert not np.isclose(one.x, other.x).any()


def test_the_activations_of_a_module_are_found_by_what_they_compute() -> None:
    stack = models.opened(f"{HERE}:gelu_by_tanh")
    assert models.is_stack(stack)
    assert models.activations(stack) == ("gelu_tanh", "gelu_tanh")
