"""What is drawn once for all classes is what Hypothesis would draw for each of them."""

import numpy as np
import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import NothingToTryError, Story, TrainingProblem
from backproof.comparisons.check.battery.check import Arguments
from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.drawn import drawn, grid, search
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.problem import Problem

SPACE = Space.full()
GRADIENT = next(check for check in CHECKS if check.name == "gradient")
FLOAT32 = next(check for check in CHECKS if check.name == "float32")
EXAMPLES = 12


def numbers(arguments: Arguments) -> list[bytes]:
    (problem,) = arguments
    assert isinstance(problem, Problem)
    return [problem.x.tobytes(), problem.targets.tobytes(), problem.flat().tobytes()]


def test_hypothesis_comes_to_the_same_cases_again() -> None:
    again: list[list[bytes]] = []

    def pass_it(arguments: Arguments) -> None:
        again.append(numbers(arguments))

    search(GRADIENT, SPACE, 3, EXAMPLES, pass_it)
    assert again == list(map(numbers, drawn(GRADIENT, SPACE, 3, EXAMPLES)))


def test_up_to_the_first_that_fails_it_comes_to_the_same_cases() -> None:
    again: list[list[bytes]] = []

    def fail_at_the_fifth(arguments: Arguments) -> None:
        again.append(numbers(arguments))
        if len(again) >= 5:
            raise Mismatch("the fifth")

    with pytest.raises(Mismatch, match="the fifth"):
        search(GRADIENT, SPACE, 3, EXAMPLES, fail_at_the_fifth)
    assert again[:5] == list(map(numbers, drawn(GRADIENT, SPACE, 3, EXAMPLES)))[:5]


def test_another_seed_draws_other_cases() -> None:
    one, other = (list(map(numbers, drawn(GRADIENT, SPACE, seed, EXAMPLES))) for seed in (3, 4))
    assert one != other


def test_nobody_can_write_to_what_the_next_class_is_tried_on() -> None:
    for check in CHECKS:
        for arguments in (*grid(check, SPACE, 0), *drawn(check, SPACE, 0, 3)):
            for one in arguments:
                problem = one if isinstance(one, Problem) else getattr(one, "problem", None)
                if problem is not None:
                    with pytest.raises(ValueError, match="read-only"):
                        problem.x[...] = 0.0
                if isinstance(one, Story):
                    assert not one.other.x.flags.writeable
                if isinstance(one, TrainingProblem):
                    assert not any(batch.flags.writeable for batch in one.batches)


def test_where_nothing_can_be_drawn_that_is_said_each_time() -> None:
    narrow = Space(SPACE.kinds, ("float64",))
    for _ in range(2):
        with pytest.raises(NothingToTryError, match="float64 only"):
            drawn(FLOAT32, narrow, 0, 3)
        with pytest.raises(NothingToTryError, match="float64 only"):
            grid(FLOAT32, narrow, 0)


def test_a_grid_is_made_once() -> None:
    assert grid(GRADIENT, SPACE, 0) is grid(GRADIENT, SPACE, 0)
    assert np.array_equal(grid(GRADIENT, SPACE, 0)[0][0].x, next(iter(GRADIENT.grid(0, SPACE))).x)
