"""What other checkers in everyday use say of the same class.

gradcheck    torch.autograd.gradcheck at its defaults (central differences of step 1e-6 under
             |a - n| <= 1e-5 + 1e-3 |n|): the class's loss as an autograd function of its parameters
check_grads  jax.test_util.check_grads at its defaults, reverse mode (a numerical directional derivative)
check_grad   scipy.optimize.check_grad: the 2-norm of the gradient minus forward differences; it gives a
             number and no verdict, the customary reading being that less than 1e-5 is right
threshold    trained on the 8x8 digits, is its accuracy on the test set above 95 %?
"""

import importlib.util
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
from scipy.optimize import check_grad

from backproof.comparisons.check.battery.grid import generic_problems
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.data.dataset import Dataset, load
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.reference import torch_gradcheck
from backproof.reference.contender import Contender
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

CUSTOMARY = 1e-5  # below which check_grad's number is usually called right
THRESHOLD = 0.95
N_CASES = 8
EPOCHS, BATCH_SIZE = 15, 32
DIGITS = Architecture((64, 32, 10))
OPTIMIZER = OptimizerSpec("sgd", 0.05, momentum=0.9)


def generic(seed: int) -> list[Problem]:
    """Random networks of ordinary size, each activation and each loss twice: what a user would try."""
    return generic_problems(seed, Space.full())[::2][:N_CASES]


class _Network:
    """The class's loss and gradient as functions of one vector."""

    def __init__(self, contender: Contender, problem: Problem) -> None:
        self.contender, self.problem = contender, problem
        self.theta = flat_gradient(problem.weights)

    def evaluate(self, theta: Array) -> tuple[float, Array]:
        weights = Parameters(self.problem.architecture, theta.copy()).weights()
        self.contender.load(self.problem.architecture, weights)
        loss, gradient = self.contender.loss_and_gradient(self.problem.x.copy(), self.problem.targets.copy())
        return float(loss), flat_gradient(gradient)

    def loss(self, theta: Array) -> float:
        return self.evaluate(theta)[0]

    def gradient(self, theta: Array) -> Array:
        return self.evaluate(theta)[1]


def gradcheck_accepts(kind: type, seed: int) -> bool:
    """Whether gradcheck finds nothing on any of the generic networks."""
    networks = [_Network(kind(), problem) for problem in generic(seed)]
    return all(torch_gradcheck.accepts(network.evaluate, network.theta) for network in networks)


def check_grad_accepts(kind: type, seed: int) -> bool:
    """Whether check_grad's number is below CUSTOMARY on all the generic networks."""
    return all(_check_grad(_Network(kind(), problem)) < CUSTOMARY for problem in generic(seed))


def _check_grad(network: _Network) -> float:
    return float(check_grad(network.loss, network.gradient, network.theta))


def check_grads_accepts(kind: type, seed: int) -> bool | None:
    """Whether JAX's check_grads finds nothing on any of the generic networks; None without JAX."""
    if importlib.util.find_spec("jax") is None:
        return None
    from backproof.reference import jax_check_grads

    networks = [_Network(kind(), problem) for problem in generic(seed)]
    return all(jax_check_grads.accepts(network.evaluate, network.theta) for network in networks)


def accuracy_on_digits(kind: type, seed: int) -> float:
    """Share of the test digits that the class gets right after its own training; 0 where it ran away."""
    data, contender = _digits(), kind()
    rng = np.random.default_rng(seed)
    contender.load(DIGITS, _start(contender, rng, seed))
    x, labels = data.train_images.astype(np.float64), data.train_labels
    with np.errstate(all="ignore"):
        for epoch in range(EPOCHS):
            contender.train(x, labels, _batches(contender, len(x), seed + epoch), OPTIMIZER)
        logits = contender.logits(data.test_images.astype(np.float64))
    return float((np.nan_to_num(logits, nan=-np.inf).argmax(axis=1) == data.test_labels).mean())


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits")


def _start(contender: Any, rng: np.random.Generator, seed: int) -> Weights:
    if hasattr(contender, "initialize"):
        weights: Weights = contender.initialize(DIGITS, seed)
        return weights
    return [
        (rng.standard_normal(shape) * np.sqrt(2 / shape[0]), np.zeros(shape[1]))
        for shape in DIGITS.layer_shapes
    ]


def _batches(contender: Any, n_examples: int, seed: int) -> Sequence[Array]:
    if hasattr(contender, "epoch_batches"):
        batches: Sequence[Array] = contender.epoch_batches(n_examples, BATCH_SIZE, seed)
        return batches
    order = np.random.default_rng(seed).permutation(n_examples)
    return [order[start : start + BATCH_SIZE] for start in range(0, n_examples, BATCH_SIZE)]
