"""A two-layer network in NumPy, N, D_in, H, D_out = 64, 1000, 100, 10: which learning rate converges?

    x = 0.025, y = 1, loss = sum (y_pred - y)^2,   w ~ N(0, 1), no biases

The loss is a sum over N examples, so its gradient grows with N and the rate must shrink as 1 / N. Too large a
step throws every hidden unit to h < 0 at once: y_pred = 0, all gradients vanish, and the loss stays at
sum (0 - 1)^2 = N * D_out forever.
"""

import numpy as np
import torch

from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    at_most,
    between,
    equal,
    number,
)
from backproof.comparisons.lessons.pictures import BAD, COLOURS, DASHES, REFERENCE, SCRATCH, axes, line
from backproof.comparisons.lessons.text_network import (
    D_OUT,
    N,
    scratch_network,
    text_data,
    text_weights,
    train_without_biases,
)
from backproof.scratch.architecture import Array

STEPS, COMPARED, SHORT = 5000, 300, 300
RATES = (1e-6, 1e-5, 1e-4, 1e-3)
ARRIVED = 1e-10
SEEDS_AT_LARGEST = range(12)  # fixed: which of them die is what the lesson shows
AGREEMENT = 1e-12  # of the two loss curves over COMPARED steps, relative to the start


def torch_losses(w1: Array, w2: Array, rate: float, steps: int) -> Array:
    """The same training with autograd, (steps + 1,)."""
    x, y = (torch.from_numpy(part) for part in text_data())
    t1, t2 = (torch.tensor(w, requires_grad=True) for w in (w1, w2))
    losses = []
    for _ in range(steps + 1):
        loss = ((x @ t1).relu() @ t2 - y).square().sum()
        losses.append(loss.item())
        g1, g2 = torch.autograd.grad(loss, (t1, t2))
        with torch.no_grad():
            t1 -= rate * g1
            t2 -= rate * g2
    return np.array(losses)


def run(setting: Setting) -> LessonResult:
    x, y = text_data()
    w1, w2 = text_weights(setting.seed)
    losses = train_without_biases(scratch_network(w1, w2), x, y, RATES[0], STEPS)[0]
    others = torch_losses(w1, w2, RATES[0], min(COMPARED, STEPS))
    gap = float(np.abs(losses[: len(others)] - others).max() / losses[0])
    curves = {
        rate: train_without_biases(scratch_network(w1, w2), x, y, rate, SHORT)[0] for rate in RATES[1:3]
    }
    largest = {
        s: train_without_biases(scratch_network(*text_weights(s)), x, y, RATES[3], 60)
        for s in SEEDS_AT_LARGEST
    }
    dead = [s for s, (_, living) in largest.items() if living[-1] == 0]
    alive = [s for s in largest if s not in dead]
    frozen = {float(largest[s][0][-1]) for s in dead}
    claims = (
        between("start", losses[0], 1e3, 1e5),
        at_most("arrives", losses[-1], ARRIVED),
        at_most("torch", gap, AGREEMENT),
        at_most("rate_5", curves[RATES[1]].min(), ARRIVED),
        at_most("rate_4", curves[RATES[2]].min(), ARRIVED),
        at_least("some_die", len(dead), 1),
        at_least("some_live", len(alive), 1),
        equal("frozen", " ".join(map(number, sorted(frozen))), number(N * D_OUT)),
    )
    values = {
        "start": number(losses[0]), "end": number(losses[-1]), "steps": number(STEPS), "short": number(SHORT),
        "dead": number(len(dead)), "seeds": number(len(largest)), "frozen": number(N * D_OUT),
        "h": number(text_weights(0)[0].shape[1]),
    }  # fmt: skip
    figures = (_curves(losses, curves), _living(largest, dead, alive))
    corrections = (_constant(x), _ones(y), _scales_with_n(setting.seed))
    return LessonResult(claims, figures, (train_without_biases,), corrections, (_table(largest),), values)


def _constant(x: Array) -> Correction:
    return Correction(
        "constants", at_least("random_x", np.ptp(x), 1e-12), equal("constant_x", len(np.unique(x, axis=0)), 1)
    )


def _ones(y: Array) -> Correction:
    return Correction(
        "ones", equal("zeros_y", np.abs(y).max(), 0.0), equal("ones_y", float(np.ptp(y) + y.max()), 1.0)
    )


def _scales_with_n(seed: int) -> Correction:
    """Ten times the examples: the same rate takes ten times the step. rate / 10 gives the same trajectory."""
    x, y = text_data()
    tenfold = np.tile(x, (10, 1)), np.tile(y, (10, 1))

    def curve(examples: tuple[Array, Array], rate: float) -> Array:
        losses = train_without_biases(scratch_network(*text_weights(seed)), *examples, rate, 40)[0]
        return losses / len(examples[0])

    reference = curve((x, y), RATES[1])
    kept, divided = curve(tenfold, RATES[1]), curve(tenfold, RATES[1] / 10)
    gaps = [float(np.abs(found - reference).max() / reference[0]) for found in (kept, divided)]
    return Correction(
        "per_n", at_most("same_rate", gaps[0], AGREEMENT), at_most("divided_rate", gaps[1], AGREEMENT)
    )


def _table(largest: dict[int, tuple[Array, Array]]) -> Table:
    rows = [
        [number(seed), number(losses[0]), number(living[1]), number(living[-1]), number(losses[-1])]
        for seed, (losses, living) in largest.items()
    ]
    return Table("largest_rate", ("@seed", "@first_loss", "@living_one", "@living_end", "@last_loss"), rows)


def _curves(losses: Array, curves: dict[float, Array]) -> Figure:
    steps = np.unique(np.round(np.logspace(0, np.log10(STEPS), 120)).astype(int))
    data = [line(f"η = {number(RATES[0])}", steps, np.maximum(losses[steps], 1e-30), COLOURS[0])]
    for i, (rate, curve) in enumerate(curves.items(), start=1):
        shown = steps[steps < len(curve)]
        data.append(
            line(
                f"η = {number(rate)}",
                shown,
                np.maximum(curve[shown], 1e-30),
                COLOURS[i],
                DASHES[i],
            )
        )
    data.append(line("@arrived", [1, STEPS], [ARRIVED] * 2, REFERENCE, "dot"))
    return Figure("losses", data, axes("@step", "@loss", x_log=True, y_log=True))


def _living(largest: dict[int, tuple[Array, Array]], dead: list[int], alive: list[int]) -> Figure:
    data = []
    for name, seeds, colour, dash in (("@dies", dead, BAD, "dash"), ("@survives", alive, SCRATCH, "solid")):
        for seed in seeds[:1]:
            living = largest[seed][1][:31]
            data.append(line(name, np.arange(len(living)), living, colour, dash, markers=True))
    return Figure("living", data, axes("@step", "@living", yaxis={"rangemode": "tozero"}))
