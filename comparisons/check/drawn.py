"""What every class of a run is tried on, drawn once: Hypothesis draws the same for each of them.

With one seed, what Hypothesis draws depends on the check and on the space of networks alone, up to the first
case that fails. So the cases are drawn once in a process, by a test that always passes, and every class is
tried on them; Hypothesis runs again only for a class that fails, from the same seed, to make its case small.
Their arrays are shared between classes, and cannot be written to.
"""

from collections.abc import Callable, Sequence
from functools import lru_cache

from hypothesis import HealthCheck, Phase, Verbosity, given, settings
from hypothesis import seed as with_seed

from backproof.comparisons.check.battery.cases import Story, TrainingProblem
from backproof.comparisons.check.battery.check import Arguments, Check, as_arguments
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.problem import Problem

KEPT = 256  # lists of cases: some eight spaces of networks, with all checks


def search(
    check: Check, space: Space, seed: int, examples: int, attempt: Callable[[Arguments], None]
) -> None:
    """Call `attempt` for what Hypothesis draws, and for ever smaller cases once it has raised.

    Raises what the last `attempt` raised, or Flaky.
    """
    phases = (Phase.generate, Phase.shrink)
    quietly = settings(
        max_examples=examples,
        deadline=None,
        database=None,
        phases=phases,
        verbosity=Verbosity.quiet,
        suppress_health_check=list(HealthCheck),
        report_multiple_bugs=False,
    )
    quietly(with_seed(seed)(given(check.draw(space).map(as_arguments))(attempt)))()


@lru_cache(KEPT)
def drawn(check: Check, space: Space, seed: int, examples: int) -> Sequence[Arguments]:
    """What Hypothesis draws for this check, in its order. Raises NothingToTryError where nothing can be."""
    found: list[Arguments] = []
    search(check, space, seed, examples, lambda arguments: found.append(_locked(arguments)))
    return tuple(found)


@lru_cache(KEPT)
def grid(check: Check, space: Space, seed: int) -> Sequence[Arguments]:
    """What the check is tried on before anything is drawn. Raises NothingToTryError as `drawn` does."""
    return tuple(_locked(as_arguments(case)) for case in check.grid(seed, space))


def _locked(arguments: Arguments) -> Arguments:
    """The same, its arrays read-only: nobody changes what the next class is tried on."""
    for argument in arguments:
        for problem in _problems_of(argument):
            for array in (problem.x, problem.targets, *(part for pair in problem.weights for part in pair)):
                array.flags.writeable = False
        for batch in argument.batches if isinstance(argument, TrainingProblem) else ():
            batch.flags.writeable = False
    return arguments


def _problems_of(argument: object) -> Sequence[Problem]:
    if isinstance(argument, Problem):
        return (argument,)
    if isinstance(argument, TrainingProblem):
        return (argument.problem,)
    return (argument.problem, argument.other) if isinstance(argument, Story) else ()
