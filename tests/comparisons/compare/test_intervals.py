"""Intervals hold what rounding in any order may give, and little more; every habit is its formula."""

import math
import operator
from collections.abc import Callable
from dataclasses import replace
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.compare import intervals
from backproof.comparisons.compare.intervals import Habits, Interval, bounded, constant, rule
from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.scratch.architecture import Array, DtypeName, OptimizerSpec
from tests.support.leaving_out import leaving_out

WIDE = Arithmetic.of("float64")
ends = st.tuples(st.floats(-100, 100), st.floats(-100, 100)).map(sorted)
shares = st.floats(0, 1)
OPERATIONS = {"+": operator.add, "-": operator.sub, "*": operator.mul}


def interval(low: float, high: float) -> Interval:
    return Interval(np.array([low]), np.array([high]), WIDE)


def inside(a: list[float], share: float) -> float:
    low, high = a
    return min(max(low + share * (high - low), low), high)


@given(st.sampled_from(sorted(OPERATIONS)), ends, ends, shares, shares)
def test_the_result_of_any_two_numbers_inside_is_inside(
    name: str, a: list[float], b: list[float], i: float, j: float
) -> None:
    found = OPERATIONS[name](interval(*a), interval(*b))
    exact = OPERATIONS[name](Fraction(inside(a, i)), Fraction(inside(b, j)))
    assert Fraction(float(found.low[0])) <= exact <= Fraction(float(found.high[0]))


@given(st.sampled_from(sorted(OPERATIONS)), ends, ends)
def test_an_interval_is_as_narrow_as_its_ends_and_a_few_roundings(
    name: str, a: list[float], b: list[float]
) -> None:
    found = OPERATIONS[name](interval(*a), interval(*b))
    corners = [OPERATIONS[name](x, y) for x in a for y in b]
    largest = max(map(abs, a)) * max(map(abs, b)) if name == "*" else max(map(abs, a)) + max(map(abs, b))
    slack = 4 * WIDE.unit * largest + 2 * WIDE.tiny
    assert min(corners) - slack <= found.low[0]
    assert found.high[0] <= max(corners) + slack


@given(ends, st.tuples(st.floats(0.01, 100), st.floats(0.01, 100)).map(sorted), shares, shares)
def test_a_quotient_by_positive_numbers_is_inside_and_narrow(
    a: list[float], b: list[float], i: float, j: float
) -> None:
    found = interval(*a) / interval(*b)
    exact = Fraction(inside(a, i)) / Fraction(inside(b, j))
    assert Fraction(float(found.low[0])) <= exact <= Fraction(float(found.high[0]))
    corners = [x / y for x in a for y in b]
    slack = 4 * WIDE.unit * max(map(abs, a)) / b[0] + 2 * WIDE.tiny
    assert min(corners) - slack <= found.low[0]
    assert found.high[0] <= max(corners) + slack


@given(ends, shares)
def test_a_square_is_never_negative_and_narrow(a: list[float], i: float) -> None:
    found = interval(*a).squared()
    exact = Fraction(inside(a, i)) ** 2
    assert 0 <= Fraction(float(found.low[0])) <= exact <= Fraction(float(found.high[0]))
    least = 0.0 if a[0] < 0 < a[1] else min(abs(a[0]), abs(a[1])) ** 2
    largest = max(map(abs, a)) ** 2
    slack = 4 * WIDE.unit * largest + 2 * WIDE.tiny
    assert least - slack <= found.low[0]
    assert found.high[0] <= largest + slack


@given(st.tuples(st.floats(0, 100), st.floats(0, 100)).map(sorted), shares)
def test_a_root_is_inside_and_narrow(a: list[float], i: float) -> None:
    found = interval(*a).root()
    value = Fraction(inside(a, i))
    assert 0 <= Fraction(float(found.low[0])) ** 2 <= value <= Fraction(float(found.high[0])) ** 2
    slack = 4 * WIDE.unit * np.sqrt(a[1]) + 2 * WIDE.tiny
    assert np.sqrt(a[0]) - slack <= found.low[0]
    assert found.high[0] <= np.sqrt(a[1]) + slack


def test_a_root_of_what_may_be_negative_begins_at_zero() -> None:
    assert interval(-1.0, 4.0).root().low[0] == 0.0


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_constant_may_have_been_rounded_once(dtype: DtypeName) -> None:
    arithmetic = Arithmetic.of(dtype)
    found = Interval(np.ones(1), np.ones(1), arithmetic) * 0.1
    rounded = float(np.dtype(dtype).type(0.1))
    assert found.low[0] < min(0.1, rounded)
    assert max(0.1, rounded) < found.high[0]
    assert found.high[0] - found.low[0] < 1.2 * arithmetic.unit


def test_what_may_overflow_says_nothing() -> None:
    large = Interval(np.array([1e200]), np.array([1e200]), WIDE)
    with np.errstate(all="ignore"):
        assert (large * large).high[0] == np.inf


def test_every_entry_and_both_ends_count() -> None:
    some = Interval(np.array([0.0, 1.0]), np.array([1.0, 2.0]), WIDE)
    assert some.holds(np.array([0.0, 2.0]))
    for outside in ([-1e-9, 1.5], [0.5, 2.1], [1.1, 1.5], [0.5, 0.9], [np.nan, 1.5]):
        assert not some.holds(np.array(outside))


def test_the_middle_and_the_radius_reach_to_both_ends() -> None:
    some = Interval(np.array([1.0]), np.array([4.0]), WIDE)
    assert (some.middle[0], some.radius[0], some.size[0]) == (2.5, 1.5, 4.0)
    found = bounded(some)
    assert found.value[0] == 2.5
    assert 1.5 <= found.error[0] < 1.5 * (1 + 1e-5)
    around = Interval.around(np.array([2.0]), 0.5, WIDE)
    assert (around.low[0], around.high[0]) == (1.5, 2.5)
    assert interval(-3.0, 1.0).size[0] == 3.0
    assert constant(2.0, 0.5, some).low[0] == 1.5


# --- the rules, by their formulas ---------------------------------------------------------------------------

N, STEPS = 30, 4
RNG = np.random.default_rng(0)
THETAS, GRADIENTS = RNG.normal(size=(STEPS, N)), RNG.normal(size=(STEPS, N))
SGD = OptimizerSpec("sgd", 0.1, momentum=0.9, weight_decay=0.2)
ADAM = OptimizerSpec("adam", 0.1, beta1=0.8, beta2=0.95, eps=0.03, weight_decay=0.2)
ByHand = Callable[[OptimizerSpec, list[Array], list[Array]], list[Array]]


def sgd(spec: OptimizerSpec, *, first: float = 1.0, share: float = 1.0, kept: float | None = None,
        ahead: bool = False, decay: float = 1.0, decoupled: bool = False, late: bool = False
) -> list[Array]:  # fmt: skip
    """v <- kept v + share g, at first v = first g; theta <- theta - rate (g + mu v if ahead else v)."""
    kept, found = spec.momentum if kept is None else kept, list[Array]()
    v: Array | None = None
    for theta, gradient in zip(THETAS, GRADIENTS, strict=True):
        g = gradient + decay * spec.weight_decay * theta
        theta = theta * (1 - spec.learning_rate * spec.weight_decay) if decoupled else theta
        before = v
        v = first * g if v is None else kept * v + share * g
        step = g + spec.momentum * v if ahead else v
        if late:
            step = np.zeros(N) if before is None else before
        found.append(theta - spec.learning_rate * step)
    return found


def adam(spec: OptimizerSpec, *, swapped: bool = False, correct: str = "both", eps: str = "outside",
         decay: float = 1.0, decoupled: bool = False) -> list[Array]:  # fmt: skip
    """m and v are the running means of g and g^2, corrected by 1 - b^t."""
    b1, b2 = (spec.beta2, spec.beta1) if swapped else (spec.beta1, spec.beta2)
    m, v, found = np.zeros(N), np.zeros(N), []
    for t, (theta, gradient) in enumerate(zip(THETAS, GRADIENTS, strict=True), start=1):
        g = gradient + decay * spec.weight_decay * theta
        theta = theta * (1 - spec.learning_rate * spec.weight_decay) if decoupled else theta
        m, v = b1 * m + (1 - b1) * g, b2 * v + (1 - b2) * g**2
        power = {"not raised to t": 1, "t from 0": t - 1, "t from 2": t + 1}.get(correct, t)
        first = 1.0 if correct in ("none", "second only") or not power else 1 - b1**power
        second = 1.0 if correct in ("none", "first only") or not power else 1 - b2**power
        m_hat, v_hat = m / first, v / second
        if correct == "stored back":
            m, v = m_hat, v_hat
        divisor = {
            "outside": np.sqrt(v_hat) + spec.eps,
            "inside": np.sqrt(v_hat + spec.eps),
            "before the correction": (np.sqrt(v) + spec.eps) / np.sqrt(second),
            "left out": np.sqrt(v_hat),
        }[eps]
        found.append(theta - spec.learning_rate * m_hat / divisor)
    return found


CORRECTIONS = ("none", "first only", "second only", "stored back", "not raised to t", "t from 0", "t from 2")
FAST = replace(SGD, learning_rate=0.2)
BY_HAND = {
    "sgd": (SGD, Habits(), sgd(SGD)),
    "plain": (replace(SGD, momentum=0.0), Habits(), sgd(replace(SGD, momentum=0.0))),
    "nesterov": (replace(SGD, nesterov=True), Habits(), sgd(SGD, ahead=True)),
    "nesterov asked for": (SGD, Habits(nesterov=True), sgd(SGD, ahead=True)),
    "nesterov left out": (replace(SGD, nesterov=True), Habits(nesterov=False), sgd(SGD)),
    "twice the rate": (SGD, Habits(rate=2.0), sgd(FAST)),
    "a mean": (SGD, Habits(momentum="mu v + (1 - mu) g"), sgd(SGD, first=0.1, share=0.1)),
    "dampened": (SGD, Habits(momentum="dampened"), sgd(SGD, share=0.1)),
    "v + mu g": (SGD, Habits(momentum="v + mu g"), sgd(SGD, first=0.9, share=0.9, kept=1.0)),
    "zero first": (SGD, Habits(momentum="zero first"), sgd(SGD, first=0.0)),
    "old velocity": (SGD, Habits(momentum="old velocity"), sgd(SGD, late=True)),
    "sgd, half the decay": (SGD, Habits(decay="half"), sgd(SGD, decay=0.5)),
    "sgd, no decay": (SGD, Habits(decay="left out"), sgd(SGD, decay=0.0)),
    "sgd, decoupled": (SGD, Habits(decay="decoupled"), sgd(SGD, decay=0.0, decoupled=True)),
    "adam": (ADAM, Habits(), adam(ADAM)),
    "adam, twice the rate": (ADAM, Habits(rate=2.0), adam(replace(ADAM, learning_rate=0.2), decay=1.0)),
    "moments swapped": (ADAM, Habits(moments_swapped=True), adam(ADAM, swapped=True)),
    "adam, half the decay": (ADAM, Habits(decay="half"), adam(ADAM, decay=0.5)),
    "adam, decoupled": (ADAM, Habits(decay="decoupled"), adam(ADAM, decay=0.0, decoupled=True)),
    **{
        f"adam, correction: {word}": (ADAM, Habits(correction=word), adam(ADAM, correct=word))
        for word in CORRECTIONS
    },
    **{
        f"adam, eps: {word}": (ADAM, Habits(eps=word), adam(ADAM, eps=word))
        for word in ("inside", "before the correction", "left out")
    },
}  # fmt: skip


def taken(spec: OptimizerSpec, habits: Habits) -> list[Interval]:
    update, state = rule(spec, habits), dict[str, Interval]()
    return [
        update(Interval.around(theta, 0.0, WIDE), Interval.around(g, 0.0, WIDE), t, state)
        for t, (theta, g) in enumerate(zip(THETAS, GRADIENTS, strict=True), start=1)
    ]


@pytest.mark.parametrize("name", BY_HAND)
def test_each_habit_is_its_formula_within_a_few_roundings(name: str) -> None:
    spec, habits, expected = BY_HAND[name]
    for found, right in zip(taken(spec, habits), expected, strict=True):
        assert found.holds(right)
        assert (found.radius <= 1000 * WIDE.unit * (1 + np.abs(right))).all()


def test_no_two_habits_are_the_same() -> None:
    ends = {name: taken(spec, habits)[-1] for name, (spec, habits, _) in BY_HAND.items()}
    same = {
        (one, other)
        for one in BY_HAND
        for other in BY_HAND
        if one < other and ends[one].holds(BY_HAND[other][2][-1])
    }
    assert same == {("nesterov", "nesterov asked for"), ("nesterov left out", "sgd")}


def test_without_habits_it_is_the_rule_itself() -> None:
    update, state = rule(ADAM), dict[str, Interval]()
    found = update(Interval.around(THETAS[0], 0.0, WIDE), Interval.around(GRADIENTS[0], 0.0, WIDE), 1, state)
    assert found.holds(adam(ADAM)[0])


# --- what rounds in single precision, and at the ends of the range ------------------------------------------

SINGLE = Arithmetic.of("float32", shadow=False)
U = SINGLE.unit


def single(value: float, error: float = 0.0) -> Interval:
    return Interval.around(np.array([value]), error, SINGLE)


@pytest.mark.parametrize("number", [0.1, -0.1])
@pytest.mark.parametrize("name", sorted(OPERATIONS))
def test_a_constant_of_either_sign_may_have_been_rounded_before_any_operation(
    name: str, number: float
) -> None:
    rounded = float(np.float32(number))
    found = OPERATIONS[name](single(3.0), number)
    for constant_used in (number, rounded):
        assert found.holds(np.array([OPERATIONS[name](3.0, constant_used)]))
    assert (single(3.0) / abs(number)).holds(np.array([3.0 / abs(rounded)]))
    assert found.radius[0] < 10 * U * 3.0


def test_an_exact_number_is_bounded_by_the_smallest_normal_number() -> None:
    assert bounded(single(2.0)).error[0] == SINGLE.tiny
    assert bounded(single(2.0, 0.5)).error[0] == pytest.approx(0.5, rel=1e-5)


def test_beyond_half_of_the_largest_number_nothing_is_known() -> None:
    for share, known in ((0.24, True), (0.26, False)):
        total = single(share * SINGLE.largest) + single(share * SINGLE.largest)
        assert np.isfinite(total.high[0]) == np.isfinite(total.low[0]) == known


def adam_step(first: float, moment: float) -> float:
    """One step from theta = 0 by g = 1 at t = 4, without eps: m / first / sqrt(v / second)."""
    return -0.1 * moment / first / math.sqrt((1 - 0.5) / (1 - 0.5**4))


LATE = OptimizerSpec("adam", 0.1, beta1=0.9999, beta2=0.5, eps=1e-30)


def late_step() -> Interval:
    return rule(LATE)(single(0.0), single(1.0), 4, {})


@pytest.mark.parametrize(
    ("term", "instead"),
    [
        ("g * constant(1.0 - b1, unit, g)", "g * (1.0 - b1)"),
        ("constant(c, (t + 2) * unit, g)", "constant(c, t * unit, g)"),
        ("constant(c, (t + 2) * unit, g)", "constant(c, 2 * unit, g)"),
    ],
)
def test_one_less_a_power_of_beta_is_as_uncertain_as_beta_and_its_power(term: str, instead: str) -> None:
    """beta1 is all but 1: 1 - beta1 has few digits left, and 1 - beta1^4 not many more."""
    moment, first = 1 - LATE.beta1 + 0.98 * U, 1 - LATE.beta1**4 - 0.98 * 6 * U
    found = np.array([adam_step(first, moment)])
    exact = late_step()
    assert exact.holds(found)
    assert exact.radius[0] <= 1.05 * abs(found[0] - exact.middle[0])
    with leaving_out(intervals, term, instead):
        assert not late_step().holds(found)


@pytest.mark.parametrize("correction", ["none", "first only", "not raised to t"])
@pytest.mark.parametrize("eps", ["outside", "inside", "before the correction"])
def test_two_habits_at_once_are_both_in_the_formula(correction: str, eps: str) -> None:
    found = taken(ADAM, Habits(correction=correction, eps=eps))
    for one, right in zip(found, adam(ADAM, correct=correction, eps=eps), strict=True):
        assert one.holds(right)


def test_a_decay_is_decoupled_only_where_there_is_one() -> None:
    spec = OptimizerSpec("sgd", 0.1)
    plain, asked = (
        rule(spec, Habits(decay=word))(single(3.0), single(2.0), 1, {}) for word in ("half", "decoupled")
    )
    assert (plain.low[0], plain.high[0]) == (asked.low[0], asked.high[0])
    assert plain.holds(np.array([3.0 - 0.2]))
