"""The answers of a class of the contract to the vectors, and what of the zoo they give away.

`python -m tests.support.vector_answers` counts over every mutant of the gradient, the loss and the optimiser.
"""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from backproof.comparisons.compare import vectors
from backproof.comparisons.compare.trace import N_STEPS, UPDATES, named, record, record_steps, step_name
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import Specimen, default_folder, read
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Array
from backproof.scratch.problem import Problem

RAISED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
GROUPS = ("gradient", "optimizer", "field")


def answer(contender: Any, problem: Problem) -> Mapping[str, Array]:
    """Logits, loss, gradients, and the steps of every rule with the gradients before them."""
    tensors = dict(record(contender, problem).tensors)
    for rule, spec in UPDATES.items():
        trained = record_steps(contender, problem, rule, spec)
        tensors |= trained.tensors
        for step, gradient in enumerate(trained.gradients.get(rule, ()), start=1):
            if step > 1:
                tensors |= {step_name(rule, step, f"d{key}"): array for key, array in named(gradient)}
    return tensors


def first_failure(kind: type, problems: Mapping[str, Problem]) -> str:
    """The first problem and tensor that give this class away, or what it raised; empty where nothing does."""
    with np.errstate(all="ignore"):
        for name, problem in problems.items():
            try:
                trace = vectors.as_trace(problem, answer(kind(), problem))
            except (NotOffered, NotImplementedError):
                continue
            except RAISED as error:  # an answer that it did not give
                return f"{name}: {type(error).__name__}"
            for link in vectors.judged(problem, trace):
                if link.outcome is Outcome.FAIL:
                    return f"{name}: {link.tensor}"
    return ""


def mutants() -> Iterator[Specimen]:
    """Those of the zoo whose mistake is in a gradient, a loss or an update rule."""
    return (entry for entry in read(default_folder()) if entry.group in GROUPS)


def load(entry: Specimen) -> type:
    file, _, name = entry.place.partition(":")
    return load_class(Target(str(default_folder() / file), name))


def main() -> None:
    problems, entries = dict(vectors.problems()), list(mutants())
    found = {entry.name: first_failure(load(entry), problems) for entry in entries}
    survivors = [entry for entry in entries if not found[entry.name]]
    for entry in survivors:
        print(f"survived: {entry.number} {entry.place}: {entry.mistake}")
    n, n_killed = len(entries), len(entries) - len(survivors)
    print(f"{n_killed} of {n} killed by {len(problems)} problems and {N_STEPS} steps")
    sys.exit(len(survivors) > 0.05 * n)


if __name__ == "__main__":
    main()
