"""`backproof compare A B`: two implementations, tensor by tensor, with every activation and loss."""

import time
from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from backproof.comparisons.compare.chain import forward_and_backward
from backproof.comparisons.compare.result import Compared, Comparison, Side
from backproof.comparisons.compare.steps import steps
from backproof.comparisons.compare.trace import UPDATES, record, record_steps
from backproof.comparisons.contenders import registry
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, OptimizerSpec
from backproof.scratch.problem import Problem

SIZES = (5, 4, 4, 4, 3)  # two square layers, so that a transposed matrix fits; no two other numbers are equal
BATCH_SIZE = 7


def run(names: tuple[str, str], seed: int, progress: Progress) -> Comparison:
    """Compare two contenders by name. Raises InputError for a name that is not there."""
    begun = time.perf_counter()
    sides = [registry.create(name) for name in names]
    problems = list(random_problems(seed))
    found = []
    with progress.task(f"comparing {names[0]} and {names[1]}", total=len(problems)) as advance:
        for index, problem in enumerate(problems):
            # The steps do not depend on activation and loss beyond the gradient: one problem of each dtype.
            updates = UPDATES if index in (0, len(problems) - 1) else {}
            pair = tuple(side(name, one, problem, updates) for name, one in zip(names, sides, strict=True))
            found.append(Compared(described(problem), (pair[0], pair[1])))
            advance()
    return Comparison(_verdict(found), time.perf_counter() - begun, names, tuple(found))


def side(name: str, contender: Contender, problem: Problem, updates: Mapping[str, OptimizerSpec]) -> Side:
    """One implementation on one problem; nothing where it refuses the architecture."""
    try:
        trace = record(contender, problem)
    except NotOffered as reason:
        return Side(name, (), (str(reason),))
    links, refused = list(forward_and_backward(problem, trace)), list(trace.not_offered)
    for rule, spec in updates.items():  # one after the other: the weights of no two are held at once
        trained = record_steps(contender, problem, rule, spec)
        links += steps(problem, trained, rule, spec)
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
    wide = replace(architecture, dtype="float64")
    targets = labels if architecture.loss == "cross_entropy" else values
    return Problem(wide, weights, x, targets).astype(architecture.dtype)


def described(problem: Problem) -> str:
    """``5-4-4-4-3 tanh, mse, float64, batch of 7``."""
    architecture = problem.architecture
    sizes = "-".join(map(str, architecture.layer_sizes))
    return (
        f"{sizes} {architecture.activation}, {architecture.loss}, {architecture.dtype}, "
        f"batch of {problem.batch_size}"
    )


def _verdict(found: list[Compared]) -> Outcome:
    """FAIL where any tensor is off; PASS takes a gradient of both sides."""
    outcomes = [link.outcome for one in found for side in one.sides for link in side.links]
    compared = [
        any(link.tensor.startswith("dW") for one in found for link in one.sides[i].links) for i in (0, 1)
    ]
    return worst([*outcomes, Outcome.PASS if all(compared) else Outcome.INCONCLUSIVE])
