"""XOR: no line separates it, two layers do.

A perceptron solves a truth table exactly if some w, b have  t_n (w . x_n + b) >= 1  for all n, with t_n = +1
for yes and -1 for no: a linear program without objective. For XOR it is infeasible: the sum of the four
inequalities reads 0 >= 4. By layers:  XOR(x) = AND(NAND(x), OR(x)).
"""

import numpy as np
from scipy.optimize import linprog

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    at_least,
    at_most,
    equal,
    number,
)
from backproof.comparisons.lessons.learning_rule import Perceptron, learn
from backproof.comparisons.lessons.pictures import (
    BAD,
    CLASSES,
    GOOD,
    SCRATCH,
    TORCH,
    axes,
    heatmap,
    line,
    points,
)
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.initializers import initialize

PAIRS = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], dtype=float)
AND, XOR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 0])
FEASIBLE, INFEASIBLE = 0, 2  # what SciPy's linprog calls them
STEPS, STARTS = 400, 20
ADAM = OptimizerSpec("adam", learning_rate=0.05)
AGREEMENT = 1e-10  # of the two loss curves, relative to the start; seen: 1e-15


def separable(labels: Array) -> int:
    """linprog's status for: is there a line with every yes on one side and every no on the other?"""
    sign = np.where(labels == 1, 1.0, -1.0)[:, None]
    rows = -sign * np.column_stack([PAIRS, np.ones(len(PAIRS))])  # -t (w . x + b) <= -1
    found = linprog(np.zeros(3), A_ub=rows, b_ub=-np.ones(len(PAIRS)), bounds=(None, None))
    return int(found.status)


def xor_by_layers(x: Array) -> Array:
    """AND(NAND(x), OR(x)): three perceptrons in two layers, weights set by hand."""
    nand = Perceptron(np.array([-1.0, -1.0]), 1.5)
    either = Perceptron(np.array([1.0, 1.0]), -0.5)
    both = Perceptron(np.array([1.0, 1.0]), -1.5)
    hidden = np.column_stack([nand.predict(x), either.predict(x)])
    return both.predict(hidden)


def trained(seed: int, contender: ScratchMLP | TorchMLP) -> Array:
    """Losses (STEPS,) of a 2-2-1 tanh network on XOR, full batches, from the start that `seed` draws."""
    architecture = Architecture((2, 2, 1), activation="tanh", loss="binary_cross_entropy")
    start = initialize(architecture, seed, "normal")
    contender.load(architecture, start.layers)
    batches = [np.arange(len(PAIRS))] * STEPS
    return np.array(contender.train(PAIRS, XOR[:, None].astype(float), batches, ADAM))


def run(setting: Setting) -> LessonResult:
    cycling = learn(PAIRS, XOR)
    network, by_torch = ScratchMLP(), TorchMLP()
    seeds = range(setting.seed, setting.seed + STARTS)
    curves = {seed: trained(seed, ScratchMLP()) for seed in seeds}
    solved = [seed for seed, losses in curves.items() if losses[-1] < 0.05]
    seed = solved[0] if solved else setting.seed
    stuck = next((s for s in seeds if s not in solved), None)
    losses, torch_losses = trained(seed, network), trained(seed, by_torch)
    answers = (network.logits(PAIRS)[:, 0] > 0).astype(int)
    gap = float(np.abs(losses - torch_losses).max() / losses[0])
    claims = (
        equal("and_feasible", separable(AND), FEASIBLE),
        equal("infeasible", separable(XOR), INFEASIBLE),
        at_least("cycles", cycling.cycle or 0, 1),
        equal("by_layers", _word(xor_by_layers(PAIRS)), _word(XOR)),
        equal("trained", _word(answers), _word(XOR)),
        at_most("torch", gap, AGREEMENT),
    )
    single = cycling.perceptron.predict(PAIRS)
    correction = Correction(
        "two_layers",
        equal("one_layer", _word(single), _word(XOR)),
        equal("two_layers", _word(answers), _word(XOR)),
    )
    values = {"cycle": number(cycling.cycle or 0), "solved": number(len(solved)), "starts": number(STARTS),
              "steps": number(STEPS), "loss": number(losses[-1])}  # fmt: skip
    figures = (_regions(network), _losses(losses, torch_losses, curves[stuck] if stuck is not None else None))
    return LessonResult(claims, figures, (separable, xor_by_layers, trained), (correction,), values=values)


def _word(answers: Array) -> str:
    return "".join(str(int(answer)) for answer in answers)


def _regions(network: ScratchMLP) -> Figure:
    """The probability of yes over the square, and the four inputs."""
    axis = np.linspace(-0.5, 1.5, 41)
    grid = np.array([[x1, x2] for x2 in axis for x1 in axis])
    probability = 1 / (1 + np.exp(-np.clip(network.logits(grid)[:, 0], -50, 50)))
    yes, no = PAIRS[XOR == 1], PAIRS[XOR == 0]
    bar = {"title": {"text": "@probability"}}
    return Figure(
        "regions",
        (
            heatmap(
                probability.reshape(41, 41), axis, axis, CLASSES, showscale=True, colorbar=bar, zmin=0, zmax=1
            ),
            points("XOR = 1", yes[:, 0], yes[:, 1], TORCH, "diamond", 14),
            points("XOR = 0", no[:, 0], no[:, 1], SCRATCH, "circle", 14),
        ),
        axes("x₁", "x₂"),
    )


def _losses(losses: Array, torch_losses: Array, stuck: Array | None) -> Figure:
    steps = np.arange(1, STEPS + 1)[::4]
    data = [
        line("scratch", steps, losses[::4], SCRATCH),
        line("torch", steps, torch_losses[::4], TORCH, "dash"),
    ]
    if stuck is not None:
        data.append(line("@stuck", steps, stuck[::4], BAD, "dot"))
    data.append(line("ln 2", [1, STEPS], [np.log(2)] * 2, GOOD, "dashdot"))
    return Figure("losses", data, axes("@step", "@loss", y_log=True))
