"""One neuron y = f(w . x + b), then a layer of them: the same number by hand, by scratch and by torch.

A layer of k neurons is k such sums at once, z = x W + b with W (inputs, k). If all weights start at zero,
every neuron of a hidden layer computes the same and receives the same gradient: they stay copies of each
other, whatever the data; a random start breaks that symmetry.
"""

import numpy as np
import torch

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    number,
)
from backproof.comparisons.lessons.pictures import BAD, GOOD, REFERENCE, SCRATCH, TORCH, axes, line
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.activations import sigmoid
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import Recipe, train

X = np.array([[1.5, -2.0]])  # X1, X2
W = np.array([[0.8, -0.5, 0.3], [0.25, 1.0, -0.75]])  # one column per neuron
B = np.array([0.1, -0.2, 0.4])
ROUNDING = 4 * np.finfo(float).eps  # two products and two sums, each rounded once
STEPS = 300


def neuron_by_hand(x: Array, weight: Array, bias: float) -> float:
    """X1 * W1 + X2 * W2 + ... + B, one product after the other."""
    total = 0.0
    for x_i, w_i in zip(x, weight, strict=True):
        total += float(x_i) * float(w_i)
    return total + float(bias)


def hidden_spread(start: Parameters, steps: int) -> Array:
    """How far apart the weights of the hidden neurons are after each step of training, (steps + 1,)."""
    network = Network(start.architecture, start)
    x = np.array([[0.0, 0.0], [0.0, 1.0], [1.0, 0.0], [1.0, 1.0]])
    targets = np.array([[0.0], [1.0], [1.0], [0.5]])
    W1 = network.parameters.layers[0][0]  # (inputs, neurons)
    spread = [np.ptp(W1, axis=1).max()]
    whole = [np.arange(len(x))] * steps
    recipe = Recipe(OptimizerSpec(learning_rate=0.2))
    train(network, x, targets, whole, recipe, lambda step, loss: spread.append(np.ptp(W1, axis=1).max()))
    return np.array(spread)


def run(setting: Setting) -> LessonResult:
    architecture = Architecture((2, 3), activation="identity", loss="mse")
    by_hand = np.array([neuron_by_hand(X[0], W[:, k], B[k]) for k in range(3)])
    outputs = []
    for contender in (ScratchMLP(), TorchMLP()):
        contender.load(architecture, [(W, B)])
        outputs.append(contender.logits(X)[0])
    scratch, by_torch = outputs
    deep = Architecture((2, 4, 1), activation="tanh", loss="mse")
    zero = hidden_spread(initialize(deep, setting.seed, "zeros"), STEPS)
    random = hidden_spread(initialize(deep, setting.seed, "normal"), STEPS)
    claims = (
        at_most("one", abs(scratch[0] - by_hand[0]), ROUNDING),
        at_most("layer", float(np.abs(scratch - by_hand).max()), ROUNDING),
        at_most("torch", float(np.abs(by_torch - by_hand).max()), ROUNDING),
        at_least("random_differs", random[-1], 0.1),
    )
    values = {
        "by_hand": number(by_hand[0]), "scratch": number(scratch[0]), "torch": number(by_torch[0]),
        "steps": number(STEPS), "spread": number(random[-1]),
    }  # fmt: skip
    corrections = (_applied_not_added(), _symmetric(zero, random))
    return LessonResult(
        claims, (_curve(), _spread(zero, random)), (neuron_by_hand, hidden_spread), corrections, values=values
    )


def _applied_not_added() -> Correction:
    z = np.linspace(-6, 6, 121)
    with_torch = torch.nn.Sigmoid()(torch.from_numpy(z)).numpy()
    added, applied = z + sigmoid(z), sigmoid(z)
    return Correction(
        "applied",
        at_most("added", float(np.abs(added - with_torch).max()), ROUNDING),
        at_most("applied", float(np.abs(applied - with_torch).max()), ROUNDING),
    )


def _symmetric(zero: Array, random: Array) -> Correction:
    return Correction(
        "symmetry",
        at_least("zero_start", zero[-1], 0.1),
        at_least("random_start", random.min(), 0.1),
    )


def _curve() -> Figure:
    x = np.linspace(-6, 6, 121)
    z = 1.5 * x + 1.0
    return Figure(
        "output",
        (
            line("z = 1.5 x + 1", x, z, REFERENCE, "dot"),
            line("σ(z)", x, sigmoid(z), SCRATCH),
            line("z + σ(z)", x, z + sigmoid(z), BAD, "dash"),
        ),
        axes("x", "@output", yaxis={"range": [-3, 5]}),
    )


def _spread(zero: Array, random: Array) -> Figure:
    steps = np.arange(0, STEPS + 1, 5)
    return Figure(
        "spread",
        (
            line("@zero", steps, zero[steps], TORCH, "dash"),
            line("@random", steps, random[steps], GOOD),
        ),
        axes("@step", "@spread_axis"),
    )
