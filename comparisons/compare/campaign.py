"""How often a right implementation is called wrong: many random problems, and the alarms counted.

Architectures are drawn wide: one layer to six, widths from 1 to 40 and now and then beyond LONG, every
activation, loss and dtype, batches of 1 to 64, weights and inputs of many sizes, whole numbers (whose
pre-activations are often exactly zero) and equal examples; an update rule with constants of its own. Some
problems share an architecture, since frameworks compile for each.

One family in three has activations that `scratch` has not, another one behind each layer: those are asked of
torch and Keras, whose own layers are put together for it. Two models of somebody's own are asked at random
weights and inputs: stacks at their own sizes, others as `whole_models` compares them.
"""

import importlib
import os
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import islice
from typing import cast

import numpy as np

from backproof.comparisons.compare import models, part, whole_models
from backproof.comparisons.compare.activations import WORDS
from backproof.comparisons.compare.model_process import OwnModel, StackApart
from backproof.comparisons.compare.result import Compared, Comparison, Side, Tally
from backproof.comparisons.contenders import registry
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, LOSSES, Architecture, Array, OptimizerSpec
from backproof.scratch.problem import Problem

PER_ARCHITECTURE = 10
MOST_SHOWN = 20  # problems with an alarm that are kept
OTHERS_EVERY = 3  # of the families, the last has activations that `scratch` has not
WIDE = 300  # a width beyond `chain.LONG`


OTHERS = tuple(kind for kind in WORDS if kind not in ACTIVATIONS)
# Who has the other activations, and where its layers are put together.
STACKS: Mapping[str, str] = {
    "torch": "backproof.reference.torch_stack",
    "tensorflow": "backproof.reference.keras_stack",
}


@dataclass(frozen=True)
class Drawn:
    """A problem, the update rule of its steps, and the activations if the architecture says none."""

    problem: Problem
    rule: OptimizerSpec
    activations: tuple[str, ...] = ()


def run(names: tuple[str, str], n_problems: int, seed: int, progress: Progress) -> Comparison:
    """Two contenders or models on so many random problems. Raises InputError for a name that is not there."""
    begun = time.perf_counter()
    tallies: dict[tuple[str, str], Tally] = {}
    kept: list[Compared] = []
    told = f"comparing {names[0]} and {names[1]}"
    with models.both(names) as sides, progress.task(told, total=n_problems) as advance:
        for dtype, one in _compared(names, sides, n_problems, seed):
            for side in one.sides:
                key = side.name, dtype
                tallies[key] = _counted(tallies.get(key, Tally(*key)), side)
            if any(side.first for side in one.sides) and len(kept) < MOST_SHOWN:
                kept.append(one)
            advance()
    found = tuple(tallies[key] for key in sorted(tallies))
    return Comparison(_verdict(found), time.perf_counter() - begun, names, tuple(kept), found)


Opened = Contender | OwnModel


def _compared(
    names: tuple[str, str], sides: tuple[Opened, Opened], n_problems: int, seed: int
) -> Iterator[tuple[str, Compared]]:
    """(dtype, both sides) of every problem."""
    whole = part.whole(*sides, names)
    if whole is not None:
        for task, one in islice(whole_models.random_tasks(whole, seed), n_problems):
            yield task.dtype, one
        return
    first, second = sides
    assert not isinstance(first, OwnModel)
    assert not isinstance(second, OwnModel)
    stack = next((one for one in (first, second) if models.is_stack(one)), None)
    drawn = draw(n_problems, seed) if stack is None else _of_stack(stack, n_problems, seed)
    for asked in drawn:
        question = part.Question(asked.problem, {described_rule(asked.rule): asked.rule}, asked.activations)
        with np.errstate(all="ignore"):  # float32 may overflow in a large problem: counted as undecided
            pair = _answered(names[0], first, question), _answered(names[1], second, question)
        yield (
            asked.problem.architecture.dtype,
            Compared(part.described(asked.problem, asked.activations), pair),
        )


def _answered(name: str, contender: Contender, question: part.Question) -> Side:
    """One side; where it is given activations that a class cannot be told, the layers of its framework."""
    if question.activations and not models.is_stack(contender):
        if name not in STACKS:
            return Side(name, (), ("it has four activations",))
        try:
            contender = _put_together(name, question.problem.architecture, question.activations)
        except NotOffered as reason:
            return Side(name, (), (str(reason),))
    return part.answered(name, contender, question)


@lru_cache(maxsize=4)
def _put_together(name: str, architecture: Architecture, activations: tuple[str, ...]) -> Contender:
    for variable, value in registry.QUIET.items():
        os.environ.setdefault(variable, value)
    module = importlib.import_module(STACKS[name])
    return cast(Contender, module.stack_of(architecture, activations))


def _of_stack(stack: StackApart, n_problems: int, seed: int) -> Iterator[Drawn]:
    """Random weights and inputs of a model's own sizes."""
    kinds = models.activations(stack)
    given = next(models.problems(stack, seed)).architecture
    for index in range(n_problems):
        rng = np.random.default_rng([seed, index])
        architecture = replace(given, loss=LOSSES[rng.integers(len(LOSSES))])
        problem = _problem(architecture, int(2 ** rng.uniform(0, 6)), rng)
        yield Drawn(problem, _rule(rng), kinds)


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
        has_others = family % OTHERS_EVERY == OTHERS_EVERY - 1
        n_others = len(architecture.layer_shapes) - 1 if has_others else 0
        others = tuple(str(kind) for kind in rng.choice(OTHERS, n_others))
        problem = _problem(architecture, batch_size, np.random.default_rng([seed, family, member]))
        yield Drawn(problem, rule, others)


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
    return Problem(architecture, weights, x, labels if architecture.loss == "cross_entropy" else values)
