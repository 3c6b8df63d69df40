"""Models of one's own as sides: what is taken, what is said of the others, and a planted difference."""

import importlib.util
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.compare import models, words
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.part import random_problems, run
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import LOSSES, Architecture, Array
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


# --- piece by piece -----------------------------------------------------------------------------------------


def test_the_first_tensor_that_differs_is_told_by_its_entry_its_shape_or_the_layer_that_is_missing() -> None:
    W, b = np.zeros((2, 3)), np.zeros(3)
    off = b.copy()
    off[1:] = 0.25
    assert models.different_weights([(W, b)], [(W, b)]) == ""
    assert models.different_weights([(W, b)], [(W, off)]) == "b1[1] is 0.25 where 0 belongs"
    assert models.different_weights([(W, b)], [(W.T, b)]) == "W1 has shape (3, 2) where (2, 3) belongs"
    assert models.different_weights([(W, b)] * 2, [(W, b)]) == "1 layers where 2 belong"


def test_a_class_is_told_one_of_its_own_activations_for_all_layers_or_refused() -> None:
    problem = next(random_problems(0))
    assert models.for_class(problem, ("tanh", "tanh"), "it").architecture.activation == "tanh"
    assert models.for_class(problem, (), "it").architecture.activation == "identity"
    for names in (("relu", "tanh"), ("gelu",), ("gelu", "elu")):
        with pytest.raises(
            InputError, match=f"^it: expected .* beside one with {', '.join(sorted(names))}: a"
        ):
            models.for_class(problem, names, "it")


def test_an_activation_is_named_only_where_every_entry_is_what_it_gives() -> None:
    z = np.linspace(-3, 3, 12).reshape(4, 3)
    a = np.tanh(z)
    assert models._named(z, a, "float64", 2) == "tanh"
    a[2, 1] += 1e-9
    for wrong in (a, np.tanh(z)[:, :1], np.tanh(z)[0], np.cos(z)):
        with pytest.raises(InputError, match="between the Linear layers 2 and 3 is none of identity, relu"):
            models._named(z, wrong, "float64", 2)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_probe_is_of_every_activation_s_ordinary_numbers_in_the_models_precision(dtype: str) -> None:
    weights = [(np.eye(3, 4, dtype=dtype), np.zeros(4, dtype)), (np.ones((4, 2), dtype), np.zeros(2, dtype))]
    loaded: list[Architecture] = []

    def trace(x: Array, targets: Array) -> dict[str, Array]:
        assert x.dtype == targets.dtype == dtype
        assert (x.shape, targets.shape) == ((64, 3), (64, 2))
        assert np.std(x) == pytest.approx(1.0, rel=0.2)
        z = x @ weights[0][0]
        return {"z1": z, "a1": np.where(z > 0, z, np.asarray(0.01, dtype) * z)}

    stack: Any = SimpleNamespace(
        weights=lambda: weights, load=lambda architecture, weights: loaded.append(architecture), trace=trace
    )
    assert models.activations(stack) == ("leaky_relu",)
    assert loaded == [Architecture((3, 4, 2), "identity", "mse", dtype)]  # type: ignore[arg-type]  # one of both


def test_a_models_problems_have_seven_examples_and_every_label() -> None:
    weights = [(np.zeros((3, 4)), np.zeros(4))]
    stack: Any = SimpleNamespace(weights=lambda: weights)
    drawn = [one for seed in range(30) for one in models.problems(stack, seed)]
    assert {len(one.x) for one in drawn} == {7}
    labels = [one.targets for one in drawn if one.architecture.loss == "cross_entropy"]
    assert set(np.concatenate(labels)) == {0, 1, 2, 3}
    values = np.concatenate([one.targets.ravel() for one in drawn if one.targets.ndim == 2])
    assert (values.min(), values.max()) == (pytest.approx(0.0, abs=0.01), pytest.approx(1.0, abs=0.01))
    assert np.std([one.x for one in drawn]) == pytest.approx(1.0, rel=0.1)


def test_both_processes_are_ended_also_where_the_second_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[str] = []

    def opened(name: str) -> OwnModel:
        if name == "absent":
            raise InputError("absent")
        model = object.__new__(OwnModel)
        model.name = name
        return model

    monkeypatch.setattr(models, "opened", opened)
    monkeypatch.setattr(OwnModel, "close", lambda self: closed.append(self.name))
    with models.both(("a", "b")):
        assert not closed
    assert sorted(closed) == ["a", "b"]
    with pytest.raises(InputError), models.both(("c", "absent")):
        pass
    assert closed[2:] == ["c"]
