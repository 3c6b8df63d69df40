"""All that was seen of one tensor: the worst of it is the verdict."""

from dataclasses import replace

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


def one(bound: float, claimed: float = 1.0, steepness: float = 0.0, *, still: bool = False) -> Judged:
    finding = LineFinding(claimed, 0.0, bound, steepness=steepness, still=still, resolved=True)
    return Judged(0, finding, Outcome.PASS, bound)


def test_the_resolution_is_that_of_the_entry_that_is_known_best_beside_its_own_size() -> None:
    assert looks(one(1e-9, -4.0), one(1e-6, 2.0)).resolution == pytest.approx(2e-9 / (4.0 - 1e-9))
    assert looks(one(0.25, 1.0), one(0.5, 1.0)).resolution == pytest.approx(0.5 / 0.75)
    assert looks(one(1e-9, np.nan), one(1e-6, 2.0)).resolution == pytest.approx(1e-6, rel=1e-3)


def test_a_tensor_of_zeros_is_resolved_beside_how_steep_f_is_nearby_where_that_is_worst() -> None:
    assert looks(one(1e-9, 0.0, 2.0), one(1e-8, 0.0, 4.0)).resolution == pytest.approx(5e-9)
    assert looks(one(1e-9, 0.0, 2.0), one(1e-8, 0.0, 0.0)).resolution == np.inf
    assert looks(one(1e-9, 0.0, 2.0), one(1e-6, 0.0, still=True)).resolution == pytest.approx(1e-9)


def test_what_f_does_not_depend_on_is_resolved_beside_the_whole_gradient() -> None:
    none = looks(one(1e-9, 0.0, still=True), one(3e-9, 0.0, still=True))
    assert none.resolution == pytest.approx(6e-9 / 1.0)
    larger = replace(none, claim=replace(none.claim, largest_of_all=10.0))
    assert larger.resolution == pytest.approx(6e-10)
    nothing = replace(none, claim=replace(none.claim, largest_of_all=0.0))
    assert nothing.resolution == pytest.approx(6e-9)
    assert looks().resolution == np.inf
    assert none.still
    assert not looks().still
    assert not looks(one(1e-9, 0.0, still=True), one(1e-9)).still


def test_decided_and_undecided_entries_are_counted_and_figures_are_those_of_the_worst() -> None:
    seen = looks(
        judged(0, Outcome.PASS),
        judged(1, Outcome.FAIL, off=-0.5, bound=0.25),
        judged(2, Outcome.INCONCLUSIVE),
    )
    verdict = tensor_verdict(seen, NO_DIRECTIONS)
    assert (verdict.n_compared, verdict.n_inconclusive) == (2, 1)
    assert (verdict.error, verdict.bound, verdict.found, verdict.expected) == (0.5, 0.25, 1.0, 0.5)
    assert (verdict.required, verdict.tier) == (1e-6, "estimated")


def test_a_function_that_gave_two_values_at_one_point_is_told_so() -> None:
    answers = iter([1.0, 1.5, *[1.0] * 9])
    params = np.array([0.3, -1.2, 2.0])
    drawn_anew = Point(lambda t: next(answers), params, tensors(params), in_place=False)
    seen = looks(judged(0, Outcome.PASS))
    seen = replace(seen, claim=replace(seen.claim, point=drawn_anew))
    assert "f gave 1 and 1.5 at one point: fix its random seed" in tensor_verdict(seen, NO_DIRECTIONS).reason
    assert "at one point" not in tensor_verdict(looks(judged(0, Outcome.PASS)), NO_DIRECTIONS).reason


@pytest.mark.parametrize(
    ("claimed", "steepness", "flat"),
    [
        (1e-10, 0.9e-3, True),
        (-1e-10, 0.9e-3, True),
        (0.0, 1e-9, True),
        (1e-10, 1.1e-3, False),
        (1e-8, 0.9e-3, False),
        (1e-10, 0.0, False),
    ],
)
def test_an_entry_with_which_f_hardly_moves_is_told_as_such(
    claimed: float, steepness: float, flat: bool
) -> None:
    """Zero is claimed of it, to within its bound of 1e-9, and f is not a thousandth as steep as in others."""
    finding = LineFinding(claimed, 0.0, 1e-9, steepness=steepness)
    seen = looks(Judged(0, finding, Outcome.INCONCLUSIVE, 1e-9))
    assert ("too little to tell a slope of zero" in tensor_verdict(seen, NO_DIRECTIONS).reason) == flat
