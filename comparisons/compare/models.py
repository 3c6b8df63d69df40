"""Torch modules and Keras models as sides of a comparison: `file.py:model`, or a function that makes one.

What is taken: Linear (Dense) layers with biases and an activation between each two, which gives logits. The
first such side gives the weights, the sizes and the activations, each found by what it makes of z: whichever
of the known activations gives the a of a probe to within rounding. The other side is judged by the same.
"""

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Protocol, TypeGuard, cast

import numpy as np

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.compare.activations import WORDS, active
from backproof.comparisons.compare.trace import named
from backproof.comparisons.contenders import apart, registry
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.reference.contender import Contender
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, Array, Inputs, Targets, Weights
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

BATCH_SIZE = 7
PROBE = 64  # examples, by which activations are told apart


class Stack(Contender, Protocol):
    """A model of somebody's own: it has weights before any are loaded, and shows its inner tensors."""

    def trace(self, x: Inputs, targets: Targets) -> Mapping[str, Array]: ...


def opened(name: str) -> Contender:
    """The contender of this name, or the model. Raises InputError for one that is not there or not taken."""
    if ":" not in name:
        return registry.create(name)
    registry.check(name)
    if "loss_and_gradient" in apart.methods_of(name):
        return registry.create(name)
    found: Any = registry.load_object(name)  # a model, which nobody can look into from outside
    if isinstance(found, type) and not _is_torch(found):
        return registry.create(name)
    try:
        made = found if _is_model(found) else found()
    except TypeError as error:
        raise InputError(
            f"{name}: expected a model, or what makes one without arguments ({error})"
        ) from error
    stack = _stack(made)
    if stack is None:
        raise InputError(
            f"{name}: expected a class, a torch module or a Keras model, or a function that makes one; "
            f"got {type(made).__name__}"
        )
    return stack


def _loaded(module: str) -> Any:
    """A framework that somebody's file has imported; it is not imported to find out."""
    return sys.modules.get(module)


def _is_torch(found: Any) -> bool:
    torch = _loaded("torch")
    return torch is not None and isinstance(found, type) and issubclass(found, torch.nn.Module)


def _is_model(found: Any) -> bool:
    torch, keras = _loaded("torch"), _loaded("keras")
    kinds = ([torch.nn.Module] if torch else []) + ([keras.Model] if keras else [])
    return isinstance(found, tuple(kinds))


def _stack(made: Any) -> Stack | None:
    torch, keras = _loaded("torch"), _loaded("keras")
    if torch and isinstance(made, torch.nn.Module):
        from backproof.reference.torch_stack import TorchStack

        return TorchStack(made)
    if keras and isinstance(made, keras.Model):
        from backproof.reference.keras_stack import KerasStack

        return cast(Stack, KerasStack(made))
    return None


def is_stack(contender: Contender) -> TypeGuard[Stack]:
    """Whether it is a model of somebody's own, which has a shape and weights already."""
    return type(contender).__name__ in ("TorchStack", "KerasStack")


def activations(stack: Stack) -> tuple[str, ...]:
    """The activation of every hidden layer. Raises InputError where it is none that is known."""
    weights = stack.weights()
    sizes = (*(len(W) for W, _ in weights), len(weights[-1][1]))
    rng = np.random.default_rng(0)
    dtype = str(weights[0][0].dtype)
    architecture = Architecture(sizes, "identity", "mse", "float32" if dtype == "float32" else "float64")
    stack.load(architecture, weights)
    targets = np.zeros((PROBE, sizes[-1]))
    shown = stack.trace(rng.normal(size=(PROBE, sizes[0])).astype(dtype), targets.astype(dtype))
    return tuple(
        _named(shown[f"z{layer}"], shown[f"a{layer}"], dtype, layer) for layer in range(1, len(weights))
    )


def _named(z: Array, a: Array, dtype: str, layer: int) -> str:
    arithmetic = Arithmetic.of(dtype)
    for kind in ACTIVATION_FUNCTIONS:
        right = active(kind, Bounded.exact(z), arithmetic).a
        if a.shape == z.shape and (np.abs(a - right.value) <= right.error).all():
            return kind
    raise InputError(
        f"model: what stands between the Linear layers {layer} and {layer + 1} is none of "
        f"{', '.join(WORDS.values())}; such a model is not compared"
    )


def problems(stack: Stack, seed: int) -> Iterator[Problem]:
    """The model at its own weights, with every loss."""
    weights = stack.weights()
    sizes, dtype = (*(len(W) for W, _ in weights), len(weights[-1][1])), weights[0][0].dtype
    rng = np.random.default_rng(seed)
    for loss in LOSSES:
        architecture = Architecture(sizes, "identity", loss, "float32" if dtype == np.float32 else "float64")
        x = rng.normal(size=(BATCH_SIZE, sizes[0]))
        labels, values = rng.integers(0, sizes[-1], BATCH_SIZE), rng.uniform(size=(BATCH_SIZE, sizes[-1]))
        yield Problem(architecture, weights, x, labels if loss == "cross_entropy" else values)


def for_class(problem: Problem, names: tuple[str, ...], other: str) -> Problem:
    """The same for a contender that takes an Architecture. Raises InputError where none says it."""
    kinds = set(names) or {"identity"}
    kind = next(iter(kinds))
    if len(kinds) > 1 or kind not in ACTIVATIONS:
        raise InputError(
            f"{other}: expected a torch module or a Keras model beside one with {', '.join(sorted(kinds))}: "
            f"a class is given one activation of {', '.join(ACTIVATIONS)} for all hidden layers"
        )
    own = next(name for name in ACTIVATIONS if name == kind)
    return replace(problem, architecture=replace(problem.architecture, activation=own))


def different_weights(first: Weights, second: Weights) -> str:
    """The first tensor in which two models' own weights differ, in words; empty where none does."""
    for (name, a), (_, b) in zip(named(first), named(second), strict=False):
        if a.shape != b.shape:
            return f"{name} has shape {b.shape} where {a.shape} belongs"
        apart = np.argwhere(a != b)
        if len(apart):
            place = tuple(int(i) for i in apart[0])
            return f"{name}{list(place)} is {b[place]:.9g} where {a[place]:.9g} belongs"
    return "" if len(first) == len(second) else f"{len(second)} layers where {len(first)} belong"
