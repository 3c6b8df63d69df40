"""A trace: the tensors of one pass through a network and of a few training steps, by name.

    z1 a1 z2 a2 ... logits loss           forward: pre-activations, activations, the last of them the logits
    delta3 dW3 db3 delta2 dW2 db2 ...     backward: delta_l = dL/dz_l, then that layer's gradients
    sgd, step 1: W1 ...                   the weights after each step of an update rule

Layers count from 1; shapes are those of `scratch`: z, a and delta (batch, n_l), dW (fan_in, fan_out),
db (fan_out,). An implementation records what it can: the five methods of a contender show the logits, the
loss, the gradients and the steps; one with a method

    trace(x, targets) -> {name: array}

shows as many of the others as it likes.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.problem import Problem

N_STEPS = 3

# One of every kind of update, each with a name for its steps.
UPDATES: Mapping[str, OptimizerSpec] = {
    "sgd": OptimizerSpec("sgd", learning_rate=0.01),
    "sgd with weight decay": OptimizerSpec("sgd", learning_rate=0.01, weight_decay=0.05),
    "momentum": OptimizerSpec("sgd", learning_rate=0.01, momentum=0.9),
    "nesterov": OptimizerSpec("sgd", learning_rate=0.01, momentum=0.9, nesterov=True),
    "adam": OptimizerSpec("adam", learning_rate=0.01),
    "adam with weight decay": OptimizerSpec("adam", learning_rate=0.01, weight_decay=0.05),
    "adam with a large eps": OptimizerSpec("adam", learning_rate=0.01, eps=0.1),
}


@dataclass(frozen=True)
class Trace:
    """What one implementation recorded on one problem."""

    tensors: Mapping[str, Array]
    # Per update rule, the gradient at the weights before each step, as the implementation itself gives it.
    gradients: Mapping[str, Sequence[Weights]] = field(default_factory=dict)
    not_offered: tuple[str, ...] = ()


def layer_names(architecture: Architecture) -> list[str]:
    """z1 .. z_{L-1}, logits."""
    n_layers = len(architecture.layer_shapes)
    return [f"z{layer}" for layer in range(1, n_layers)] + ["logits"]


def named(weights: Weights, prefix: str = "") -> Iterator[tuple[str, Array]]:
    """(name, array) of every weight and bias: W1, b1, W2, ... with the prefix before each."""
    for layer, (W, b) in enumerate(weights, start=1):
        yield f"{prefix}W{layer}", W
        yield f"{prefix}b{layer}", b


def step_name(rule: str, step: int, tensor: str) -> str:
    return f"{rule}, step {step}: {tensor}"


def record(contender: Contender, problem: Problem) -> Trace:
    """What this contender shows of one pass: inner tensors, logits, loss and gradients."""
    tensors: dict[str, Array] = {}
    refused: list[str] = []
    for what, part in (("trace", _inner), ("logits", _logits), ("loss and gradient", _gradient)):
        with _offered(what, refused):
            tensors.update(part(contender, problem))
    return Trace(tensors, {}, tuple(refused))


def record_steps(contender: Contender, problem: Problem, rule: str, spec: OptimizerSpec) -> Trace:
    """Three steps of one update rule over the whole batch, with the gradient before each."""
    tensors: dict[str, Array] = {}
    gradients: dict[str, Sequence[Weights]] = {}
    refused: list[str] = []
    with _offered(rule, refused):
        _steps(contender, problem, rule, spec, tensors, gradients)
    return Trace(tensors, gradients, tuple(refused))


@contextmanager
def _offered(what: str, refused: list[str]) -> Iterator[None]:
    try:
        yield
    except (NotOffered, NotImplementedError) as reason:
        refused.append(f"{what}: {reason}")


def _loaded(contender: Contender, problem: Problem) -> Contender:
    contender.load(problem.architecture, problem.weights)
    return contender


def _inner(contender: Contender, problem: Problem) -> Iterable[tuple[str, Array]]:
    trace = getattr(contender, "trace", None)
    if trace is None:
        return {}
    _loaded(contender, problem)
    return {name: np.asarray(value) for name, value in trace(problem.x, problem.targets).items()}.items()


def _logits(contender: Contender, problem: Problem) -> Iterable[tuple[str, Array]]:
    return [("logits", np.asarray(_loaded(contender, problem).logits(problem.x)))]


def _gradient(contender: Contender, problem: Problem) -> Iterable[tuple[str, Array]]:
    loss, gradient = _loaded(contender, problem).loss_and_gradient(problem.x, problem.targets)
    return [("loss", np.asarray(loss)), *named(gradient, "d")]


def _steps(
    contender: Contender,
    problem: Problem,
    rule: str,
    spec: OptimizerSpec,
    tensors: dict[str, Array],
    gradients: dict[str, Sequence[Weights]],
) -> None:
    """Three steps over the whole batch, the weights after each, and the gradient before each."""
    seen: list[Weights] = []
    checkpoints = {step: lambda: seen.append(contender.weights()) for step in range(1, N_STEPS + 1)}
    batch = np.arange(problem.batch_size)
    _loaded(contender, problem).train(problem.x, problem.targets, [batch] * N_STEPS, spec, checkpoints)
    for step, weights in enumerate(seen, start=1):
        tensors.update((step_name(rule, step, name), array) for name, array in named(weights))
    taken = []
    for weights in (problem.weights, *seen[:-1]):
        if not all(np.isfinite(array).all() for _, array in named(weights)):
            break  # diverged: there is no gradient there, and no step to judge
        contender.load(problem.architecture, weights)
        taken.append(contender.loss_and_gradient(problem.x, problem.targets)[1])
    gradients[rule] = taken
