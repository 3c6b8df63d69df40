"""All that was seen of one tensor: the worst of it is the verdict."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import Noise
from backproof.comparisons.verdicts.line_judge import LineFinding
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import tensors
from backproof.comparisons.verdicts.tensor_judge import Claim, Judged
from backproof.comparisons.verdicts.tensor_verdict import Looks, tensor_verdict

NO_DIRECTIONS = np.empty((0, 3))


def looks(*one_by_one: Judged) -> Looks:
    params = np.array([0.3, -1.2, 2.0])
    point = Point(lambda t: float(t.sum()), params, tensors(params), in_place=False)
    noise = Noise(1e-16, 2.0**-52)
    claim = Claim(point, 0, 0, np.ones((1, 3)), "float64", noise, 1e-6, 1.0, lambda: None)
    return Looks(claim, one_by_one, (), lambda i: f"params[{i}]")


def judged(entry: int, outcome: Outcome, off: float = 0.0, bound: float = 1e-9) -> Judged:
    finding = LineFinding(1.0, off, bound, resolved=outcome == Outcome.PASS)
    return Judged(entry, finding, outcome, bound)


def test_one_entry_that_fails_fails_the_tensor_and_is_named() -> None:
    seen = looks(
        judged(0, Outcome.PASS), judged(1, Outcome.FAIL, off=0.5), judged(2, Outcome.INCONCLUSIVE, bound=1.0)
    )
    verdict = tensor_verdict(seen, NO_DIRECTIONS)
    assert verdict.outcome == Outcome.FAIL
    assert verdict.worst == "params[1]"
    assert (verdict.found, verdict.expected) == (1.0, 1.5)


def test_one_entry_that_is_undecided_keeps_the_tensor_from_passing() -> None:
    seen = looks(judged(0, Outcome.PASS), judged(1, Outcome.INCONCLUSIVE, bound=0.1))
    assert tensor_verdict(seen, NO_DIRECTIONS).outcome == Outcome.INCONCLUSIVE


def test_a_pass_says_how_small_a_mistake_would_have_been_seen() -> None:
    verdict = tensor_verdict(looks(judged(0, Outcome.PASS), judged(1, Outcome.PASS)), NO_DIRECTIONS)
    assert verdict.outcome == Outcome.PASS
    assert verdict.resolution == pytest.approx(2e-9)


def test_of_nothing_there_is_no_verdict_but_that() -> None:
    verdict = tensor_verdict(looks(), NO_DIRECTIONS)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert verdict.reason == "nothing was compared"
