"""`backproof compare A B`: two implementations, tensor by tensor, with every activation and loss."""

import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.compare import models, whole_models
from backproof.comparisons.compare.activations import WORDS
from backproof.comparisons.compare.chain import forward_and_backward
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.result import Compared, Comparison, Side
from backproof.comparisons.compare.steps import steps
from backproof.comparisons.compare.trace import UPDATES, record, record_steps
from backproof.comparisons.contenders.apart import walls
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, OptimizerSpec
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

SIZES = (5, 4, 4, 4, 3)  # two square layers, so that a transposed matrix fits; no two other numbers are equal
BATCH_SIZE = 7
LARGE = 10**6  # parameters of a model beyond which one loss and two update rules are enough


@dataclass(frozen=True)
class Question:
    """One problem, the rules of its steps, and the hidden activations if the architecture says none."""

    problem: Problem
    updates: Mapping[str, OptimizerSpec]
    activations: tuple[str, ...] = ()


def run(names: tuple[str, str], seed: int, progress: Progress) -> Comparison:
    """Compare two contenders by name, or two models. Raises InputError for a name that is not there.

    A class or a model of somebody's own runs in a process of its own; what stands around it is said.
    """
    begun = time.perf_counter()
    if said := walls(names):
        progress.say(said)
    with models.both(names) as (first, second):
        found = list(_compared(first, second, names, seed, progress))
    return Comparison(_verdict(found), time.perf_counter() - begun, names, tuple(found))


def _compared(
    first: Contender | OwnModel,
    second: Contender | OwnModel,
    names: tuple[str, str],
    seed: int,
    progress: Progress,
) -> Iterator[Compared]:
    both, told = whole(first, second, names), f"comparing {names[0]} and {names[1]}"
    if both is not None:
        with progress.task(told, total=whole_models.count(both)) as advance:
            for one in whole_models.compare(both, seed):
                yield one
                advance()
        return
    assert not isinstance(first, OwnModel)
    assert not isinstance(second, OwnModel)
    questions, notes = _questions(first, second, names, seed)
    with progress.task(told, total=len(questions)) as advance:
        for asked in questions:
            pair = (answered(names[0], first, asked), answered(names[1], second, asked))
            pair = (pair[0], replace(pair[1], not_offered=(*notes, *pair[1].not_offered)))
            yield Compared(described(asked.problem, asked.activations), pair)
            advance()


def whole(
    first: Contender | OwnModel, second: Contender | OwnModel, names: tuple[str, str]
) -> tuple[OwnModel, OwnModel] | None:
    """Both as models of any layers, if either is no stack. Raises InputError beside a class."""
    sides = [one.model if models.is_stack(one) else one for one in (first, second)]
    if not any(isinstance(one, OwnModel) for one in (first, second)):
        return None
    a, b = sides
    if isinstance(a, OwnModel) and isinstance(b, OwnModel):
        return a, b
    model, other = (a, names[1]) if isinstance(a, OwnModel) else (b, names[0])
    assert isinstance(model, OwnModel)
    reason = model.not_a_stack.removeprefix("model: ")
    raise InputError(
        f"{model.name}: {reason}; {other} is a class, and takes no others: such a model is compared with "
        "another model"
    )


def _questions(
    first: Contender, second: Contender, names: tuple[str, str], seed: int
) -> tuple[list[Question], list[str]]:
    """What is asked of both, and what is to be told of the second side."""
    if models.is_stack(first):
        given, other = first, second
    elif models.is_stack(second):
        given, other, names = second, first, (names[1], names[0])
    else:
        problems = list(random_problems(seed))
        # The steps do not depend on activation and loss beyond the gradient: one problem of each dtype.
        stepped = (problems[0], problems[-1])
        return [Question(one, UPDATES if one in stepped else {}) for one in problems], []
    own, problems, rules = models.activations(given), list(models.problems(given, seed)), UPDATES
    if problems[0].architecture.n_parameters > LARGE:
        problems, rules = problems[:1], {rule: UPDATES[rule] for rule in ("momentum", "adam")}
    notes = []
    if models.is_stack(other):
        apart = models.different_weights(given.weights(), other.weights())
        notes += [f"its own weights: {apart}; it is compared at those of {names[0]}"] * bool(apart)
    else:
        problems = [models.for_class(one, own, names[1]) for one in problems]
    return [Question(one, rules if one is problems[0] else {}, own) for one in problems], notes


def side(name: str, contender: Contender, problem: Problem, updates: Mapping[str, OptimizerSpec]) -> Side:
    """One implementation on one problem; nothing where it refuses the architecture."""
    return answered(name, contender, Question(problem, updates))


def answered(name: str, contender: Contender, asked: Question) -> Side:
    """One implementation on one question; nothing where it refuses the architecture."""
    problem, own = asked.problem, asked.activations
    try:
        trace = record(contender, problem)
    except NotOffered as reason:
        return Side(name, (), (str(reason),))
    links, refused = list(forward_and_backward(problem, trace, own)), list(trace.not_offered)
    for rule, spec in asked.updates.items():  # one after the other: the weights of no two are held at once
        trained = record_steps(contender, problem, rule, spec)
        links += steps(problem, trained, rule, spec, own)
        refused += trained.not_offered
    return Side(name, tuple(links), tuple(refused))


def random_problems(seed: int) -> Iterator[Problem]:
    """Every activation with every loss in float64, and one of each activation in float32."""
    rng = np.random.default_rng(seed)
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            yield _problem(Architecture(SIZES, activation, loss, "float64"), rng)
    for activation in ACTIVATIONS:
        yield _problem(Architecture(SIZES, activation, "cross_entropy", "float32"), rng)


def _problem(architecture: Architecture, rng: np.random.Generator) -> Problem:
    weights = [
        (rng.normal(size=shape) / np.sqrt(shape[0]), 0.3 * rng.normal(size=shape[1]))
        for shape in architecture.layer_shapes
    ]
    x = rng.normal(size=(BATCH_SIZE, architecture.n_inputs))
    labels = rng.integers(0, architecture.n_outputs, BATCH_SIZE)
    values = rng.uniform(size=(BATCH_SIZE, architecture.n_outputs))
    return Problem(architecture, weights, x, labels if architecture.loss == "cross_entropy" else values)


def described(problem: Problem, activations: Sequence[str] = ()) -> str:
    """``5-4-4-4-3 tanh, mse, float64, batch of 7``."""
    architecture = problem.architecture
    kinds = " and ".join(dict.fromkeys(WORDS[kind] for kind in activations)) or architecture.activation
    sizes = "-".join(map(str, architecture.layer_sizes))
    return f"{sizes} {kinds}, {architecture.loss}, {architecture.dtype}, batch of {problem.batch_size}"


def _verdict(found: list[Compared]) -> Outcome:
    """FAIL where any tensor is off; PASS takes a gradient of both sides."""
    outcomes = [link.outcome for one in found for side in one.sides for link in side.links]
    compared = [
        any(link.tensor.startswith(("dW", "d ")) for one in found for link in one.sides[i].links)
        for i in (0, 1)
    ]
    return worst([*outcomes, Outcome.PASS if all(compared) else Outcome.INCONCLUSIVE])
