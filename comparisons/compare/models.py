"""Torch modules and Keras models as sides of a comparison: `file.py:model`, or a function that makes one.

Each lives in a process of its own (`model_process`). A stack is compared as a contender is: Linear (Dense)
layers with biases and an activation between each two, which gives logits. The first such side gives
the weights, the sizes and the activations, each found by what it makes of z: whichever of the known
activations gives the a of a probe to within rounding. Other models are for `whole_models`.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import TypeGuard

import numpy as np

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.compare.activations import WORDS, active
from backproof.comparisons.compare.model_process import OwnModel, StackApart
from backproof.comparisons.compare.trace import named
from backproof.comparisons.contenders import apart, registry
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.reference.contender import Contender
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, Array, Weights
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

BATCH_SIZE = 7
PROBE = 64  # examples, by which activations are told apart


def opened(name: str) -> Contender | OwnModel:
    """The contender of this name, a stack as one, or a model of other layers.

    Raises InputError for one that is not there or not taken.
    """
    registry.check(name)
    if ":" not in name:
        return registry.create(name)
    if "loss_and_gradient" in apart.methods_of(name):
        return registry.create(name)
    model = OwnModel(name)
    if model.is_class:
        model.close()
        return registry.create(name)
    return model if model.not_a_stack else StackApart(model)


@contextmanager
def both(names: tuple[str, str]) -> Iterator[tuple[Contender | OwnModel, Contender | OwnModel]]:
    """The two sides; processes of models are ended afterwards."""
    first = opened(names[0])
    try:
        second = opened(names[1])
        try:
            yield first, second
        finally:
            _close(second)
    finally:
        _close(first)


def _close(side: Contender | OwnModel) -> None:
    model = side.model if is_stack(side) else side
    if isinstance(model, OwnModel):
        model.close()


def is_stack(contender: Contender | OwnModel) -> TypeGuard[StackApart]:
    """Whether it is a model of somebody's own, which has a shape and weights already."""
    return isinstance(contender, StackApart)


def activations(stack: StackApart) -> tuple[str, ...]:
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


def problems(stack: StackApart, seed: int) -> Iterator[Problem]:
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
