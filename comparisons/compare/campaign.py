"""How often a right implementation is called wrong: many random problems, and the alarms counted.

Architectures are drawn wide: one layer to six, widths from 1 to 40 and now and then beyond LONG, every
activation, loss and dtype, batches of 1 to 64, weights and inputs of many sizes, whole numbers (whose
pre-activations are often exactly zero) and equal examples; an update rule with constants of its own. Some
problems share an architecture, since frameworks compile for each.
"""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.compare.part import described, side
from backproof.comparisons.compare.result import Compared, Comparison, Side, Tally
from backproof.comparisons.contenders import registry
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, LOSSES, Architecture, Array, OptimizerSpec
from backproof.scratch.problem import Problem

PER_ARCHITECTURE = 10
MOST_SHOWN = 20  # problems with an alarm that are kept
WIDE = 300  # a width beyond `chain.LONG`


@dataclass(frozen=True)
class Drawn:
    """A problem, and the update rule of its steps."""

    problem: Problem
    rule: OptimizerSpec


def run(names: tuple[str, str], n_problems: int, seed: int, progress: Progress) -> Comparison:
    """Two contenders on so many random problems. Raises InputError for a name that is not there."""
    begun = time.perf_counter()
    sides = [registry.create(name) for name in names]
    tallies: dict[tuple[str, str], Tally] = {}
    kept: list[Compared] = []
    with progress.task(f"comparing {names[0]} and {names[1]}", total=n_problems) as advance:
        for drawn in draw(n_problems, seed):
            dtype, rules = drawn.problem.architecture.dtype, {described_rule(drawn.rule): drawn.rule}
            with np.errstate(all="ignore"):  # float32 may overflow in a large problem: counted as undecided
                pair = tuple(
                    side(name, it, drawn.problem, rules) for name, it in zip(names, sides, strict=True)
                )
            for one in pair:
                key = one.name, dtype
                tallies[key] = _counted(tallies.get(key, Tally(*key)), one)
            if any(one.first for one in pair) and len(kept) < MOST_SHOWN:
                kept.append(Compared(described(drawn.problem), (pair[0], pair[1])))
            advance()
    found = tuple(tallies[key] for key in sorted(tallies))
    return Comparison(_verdict(found), time.perf_counter() - begun, names, tuple(kept), found)


def _counted(tally: Tally, one: Side) -> Tally:
    outcomes = [link.outcome for link in one.links]
    return replace(
        tally,
        problems=tally.problems + bool(outcomes),
        alarms=tally.alarms + (Outcome.FAIL in outcomes),
        tensors=tally.tensors + len(outcomes),
        undecided=tally.undecided + outcomes.count(Outcome.INCONCLUSIVE),
    )


def _verdict(tallies: tuple[Tally, ...]) -> Outcome:
    """A few tensors that may overflow are told, and do not decide."""
    compared = all(tally.problems and tally.undecided < tally.tensors for tally in tallies)
    alarms = [Outcome.FAIL for tally in tallies if tally.alarms]
    return worst([*alarms, Outcome.PASS if compared else Outcome.INCONCLUSIVE])


def described_rule(spec: OptimizerSpec) -> str:
    """``adam``, ``nesterov with weight decay``."""
    name = "adam" if spec.name == "adam" else "nesterov" if spec.nesterov else "momentum"
    name = name if spec.name == "adam" or spec.momentum else "sgd"
    return f"{name} with weight decay" if spec.weight_decay else name


def draw(n_problems: int, seed: int) -> Iterator[Drawn]:
    """The problems of this seed, always the same."""
    for index in range(n_problems):
        family, member = divmod(index, PER_ARCHITECTURE)
        rng = np.random.default_rng([seed, family])
        architecture, rule, batch_size = _architecture(rng), _rule(rng), int(2 ** rng.uniform(0, 6))
        yield Drawn(_problem(architecture, batch_size, np.random.default_rng([seed, family, member])), rule)


def _architecture(rng: np.random.Generator) -> Architecture:
    sizes = [int(size) for size in np.exp(rng.uniform(0, np.log(40), rng.integers(2, 8)))]
    if rng.random() < 0.1:
        sizes[int(rng.integers(len(sizes) - 1))] = WIDE
    return Architecture(
        tuple(sizes),
        ACTIVATIONS[rng.integers(len(ACTIVATIONS))],
        LOSSES[rng.integers(len(LOSSES))],
        DTYPES[rng.integers(len(DTYPES))],
    )


def _rule(rng: np.random.Generator) -> OptimizerSpec:
    rate, decay = 10 ** rng.uniform(-4, 0), float(rng.choice([0.0, 0.0, 10 ** rng.uniform(-4, -1)]))
    if rng.random() < 0.5:
        betas = float(rng.uniform(0.5, 0.95)), float(rng.uniform(0.9, 0.9999))
        return OptimizerSpec(
            "adam", rate, beta1=betas[0], beta2=betas[1], eps=10 ** rng.uniform(-10, -1), weight_decay=decay
        )
    momentum = float(rng.choice([0.0, rng.uniform(0.1, 0.99)]))
    return OptimizerSpec(
        "sgd", rate, momentum, nesterov=bool(momentum and rng.random() < 0.5), weight_decay=decay
    )


def _problem(architecture: Architecture, batch_size: int, rng: np.random.Generator) -> Problem:
    kind = rng.choice(["numbers", "numbers", "whole numbers", "equal examples", "sparse"])
    weight_size, input_size = 10 ** rng.uniform(-2, 0.7), 10 ** rng.uniform(-2, 1.5)

    def array(size: float, *shape: int) -> Array:
        values = rng.normal(size=shape) * size
        return np.rint(3 * values / size) if kind == "whole numbers" else values

    weights = [
        (array(weight_size / np.sqrt(rows), rows, columns), array(0.3 * weight_size, columns))
        for rows, columns in architecture.layer_shapes
    ]
    x = array(input_size, batch_size, architecture.n_inputs)
    if kind == "equal examples":
        x[:] = x[0]
    if kind == "sparse":
        x *= rng.random(x.shape) < 0.3
    labels = rng.integers(0, architecture.n_outputs, batch_size)
    values = rng.uniform(size=(batch_size, architecture.n_outputs))
    wide = replace(architecture, dtype="float64")
    targets = labels if architecture.loss == "cross_entropy" else values
    return Problem(wide, weights, x, targets).astype(architecture.dtype)
