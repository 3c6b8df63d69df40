"""What users of a framework write trains as its plain loop does; with batches of its own it learns."""

import importlib
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.initializers import initialize
from tests.support.strategies import random_case

DYADIC = Architecture((3, 2), loss="sum_of_squares")
BATCHES = [np.array([0, 3]), np.array([5, 1]), np.array([4, 0]), np.array([2])]
LABELLED = Architecture((6, 8, 3), "tanh")
# How much farther from scratch a framework may be than scratch from itself with the rows of each batch
# reordered: both differ by rounding alone, but one pair may be luckier than the other.
ALLOWED_RATIO = 10.0


def make(target: str) -> Any:
    module, _, name = target.partition(":")
    pytest.importorskip({"jax_idiomatic": "jax", "keras_fit": "keras"}.get(module, "numpy"))
    return getattr(importlib.import_module(f"backproof.reference.{module}"), name)()


def flat(weights: Weights) -> Array:
    return np.concatenate([part.ravel() for pair in weights for part in pair])


def labelled(n: int = 60) -> tuple[Array, Array]:
    return np.random.default_rng(0).standard_normal((n, 6)), np.arange(n) % 3


@pytest.mark.parametrize(
    "target",
    ["torch_idiomatic:with_data_loader", "torch_idiomatic:with_fused_optimizer", "jax_idiomatic:JaxScan"],
)
@pytest.mark.parametrize("momentum", [0.0, 0.5])
def test_another_loop_takes_the_same_steps(target: str, momentum: float) -> None:
    # Exact in float64: small integers and powers of two.
    case, spec = random_case(DYADIC, "integer", 6, seed=0), OptimizerSpec("sgd", 2.0**-6, momentum=momentum)
    found: list[Array] = []
    for contender in (ScratchMLP(), make(target)):
        seen: dict[int, Array] = {}
        contender.load(case.architecture, case.weights)
        looks = {k: lambda k=k, c=contender, s=seen: s.update({k: flat(c.weights())}) for k in (0, 2, 4)}
        losses = contender.train(case.x, case.targets, BATCHES, spec, looks)
        assert list(seen) == [0, 2, 4]
        found.append(np.concatenate([losses, *seen.values()]))
    np.testing.assert_array_equal(found[1], found[0])


@pytest.mark.skipif(not registry.installed("sklearn"), reason="scikit-learn is not installed")
@pytest.mark.parametrize(
    "spec",
    [
        OptimizerSpec("sgd", 0.1),
        OptimizerSpec("sgd", 0.1, momentum=0.9),
        OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True),
        # Where eps is nothing, its place does not matter.
        OptimizerSpec("adam", 0.01, eps=1e-30),
    ],
    ids=["descent", "momentum", "nesterov", "adam"],
)
def test_sklearn_takes_the_steps_of_the_definitions(spec: OptimizerSpec) -> None:
    x, labels = labelled()
    weights = initialize(LABELLED, 0).weights()
    batches = np.random.default_rng(1).permutation(60).reshape(4, 15)
    found = []
    for contender, order in (
        (ScratchMLP(), slice(None)),
        (ScratchMLP(), slice(None, None, -1)),
        (registry.create("sklearn"), slice(None)),
    ):
        contender.load(LABELLED, weights)
        contender.train(x, labels, [batch[order] for batch in batches], spec)
        found.append(flat(contender.weights()))
    control, difference = (np.abs(other - found[0]).max() for other in found[1:])
    assert 0 < control < 1e-12
    assert difference <= ALLOWED_RATIO * control


@pytest.mark.parametrize("target", ["sklearn_fit:SklearnFit", "keras_fit:KerasFit"])
def test_a_fit_with_batches_of_its_own_learns_and_stops_at_its_checkpoints(target: str) -> None:
    contender, (x, labels) = make(target), labelled()
    contender.load(LABELLED, initialize(LABELLED, 0).weights())
    before = flat(contender.weights())
    seen: list[float] = []
    batches = [np.arange(start, start + 15) for start in (0, 15, 30, 45)] * 5
    spec = OptimizerSpec("sgd", 0.1)
    contender.train(x, labels, batches, spec, {4: lambda: seen.append(4), 20: lambda: seen.append(20)})
    assert seen == [4, 20]
    after = flat(contender.weights())
    assert np.abs(after - before).max() > 0.01
    scratch = ScratchMLP()
    for theta in (before, after):
        scratch.load(LABELLED, _weights(theta))
        seen.append(scratch.loss_and_gradient(x, labels)[0])
    assert seen[-1] < seen[-2]


def _weights(theta: Array) -> Weights:
    return [
        (theta[weight].reshape(shape), theta[bias])
        for (weight, bias), shape in zip(LABELLED.layer_slices(), LABELLED.layer_shapes, strict=True)
    ]


def test_sklearn_says_what_it_does_not_offer() -> None:
    contender = registry.create("sklearn")
    contender.load(LABELLED, initialize(LABELLED, 0).weights())
    x, labels = labelled()
    with pytest.raises(NotOffered, match="every class"):
        contender.train(x, labels, [np.array([0, 3, 6])], OptimizerSpec("sgd", 0.1, momentum=0.9))
    with pytest.raises(NotOffered, match="alpha"):
        contender.train(x, labels, [np.arange(15)], OptimizerSpec("sgd", 0.1, weight_decay=0.1))
