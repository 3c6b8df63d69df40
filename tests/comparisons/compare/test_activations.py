"""Activations with room for rounding, and for numbers that a processor flushes to zero on the way back."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.compare import activations
from backproof.comparisons.compare.activations import STEEPEST, WORDS, active
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded, product
from tests.comparisons.verdicts.test_hostile_rounding import SINGLE, U, largest_share
from tests.support.bound_terms import additions
from tests.support.leaving_out import leaving_out

TINY = np.finfo(np.float32).tiny
C = np.float32(np.sqrt(2 / np.pi))


def arithmetic() -> Arithmetic:
    return Arithmetic.of("float32")


def flushed(value: np.float32) -> np.float32:
    return np.float32(0.0) if abs(value) < TINY else np.float32(value)


def gelu_backwards(z: np.float32, dy: np.float32) -> np.float32:
    """gelu by tanh, differentiated in reverse mode: one factor after another, each product flushed."""
    cube = np.float32(0.044715)
    t = np.tanh(C * (z + cube * z**3), dtype=np.float32)
    outer = flushed(flushed(dy * np.float32(0.5)) * (1 + t))
    inner = flushed(flushed(flushed(flushed(dy * np.float32(0.5)) * z) * (1 - t * t)) * C)
    return flushed(flushed(outer + inner) + flushed(flushed(inner * cube) * flushed(3 * z * z)))


@given(
    st.floats(-4, 4, width=32).map(np.float32),
    st.floats(2.0**-124, 2.0**-100, width=32).map(np.float32),
    st.sampled_from([-1, 1]),
)
@example(np.float32(-2.0148358), np.float32(1.9250845e-36), -1)
def test_a_gradient_near_the_smallest_numbers_may_lose_factors_on_its_way(
    z: np.float32, size: np.float32, sign: int
) -> None:
    dy = np.float32(sign * size)
    point = Bounded.exact(np.array([float(z)]))
    summed = Bounded.exact(np.array([float(dy)]))
    found = active("gelu_tanh", point, arithmetic()).passed_back(summed, arithmetic())
    assert abs(float(gelu_backwards(z, dy)) - found.value[0]) <= found.error[0]


def test_without_the_room_for_underflow_such_a_gradient_would_be_called_wrong() -> None:
    z, dy = np.float32(-2.0148358), np.float32(-1.9250845e-36)
    point, summed = Bounded.exact(np.array([float(z)])), Bounded.exact(np.array([float(dy)]))
    f = active("gelu_tanh", point, arithmetic())
    bare = product(summed, f.slope, arithmetic())
    assert abs(float(gelu_backwards(z, dy)) - bare.value[0]) > bare.error[0]


@pytest.mark.parametrize("kind", sorted(set(WORDS)))
def test_nothing_is_lost_of_a_gradient_of_ordinary_size(kind: str) -> None:
    z = Bounded.exact(np.linspace(-3.0, 3.0, 7))
    f = active(kind, z, arithmetic())
    passed = f.passed_back(Bounded.exact(np.ones(7)), arithmetic())
    slopes = f.slope.value
    assert (passed.error <= 1e-3 * np.maximum(np.abs(slopes), 1.0)).all() or kind in ("relu", "leaky_relu")
    if kind in ACTIVATION_FUNCTIONS:
        np.testing.assert_allclose(passed.value, ACTIVATION_FUNCTIONS[kind].slope(z.value), rtol=1e-12)


@pytest.mark.parametrize("kind", ["silu", "gelu_tanh"])
def test_where_nothing_comes_back_nothing_can_be_lost(kind: str) -> None:
    f = active(kind, Bounded.exact(np.array([1.0])), arithmetic())
    assert f.passed_back(Bounded.exact(np.zeros(1)), arithmetic()).error[0] == 0.0


# --- every term of the bounds, with an implementation that needs it -----------------------------------------

UNITS = 8 * U  # a tanh just below 1, off by all the units in the last place that a library may be


def at(z: float, error: float = 0.0) -> Bounded:
    return Bounded(np.array([z]), np.array([error]))


def shares(
    kind: str, z: Bounded, a: float, slope: float, arithmetic: Arithmetic = SINGLE
) -> tuple[float, float]:
    """error / bound of an implementation's a and f'(z)."""
    found = active(kind, z, arithmetic)
    return (
        largest_share(a - found.a.value, found.a.error),
        largest_share(slope - found.slope.value, found.slope.error),
    )


def value(kind: str, z: float) -> float:
    return float(ACTIVATION_FUNCTIONS[kind].value(np.array([z]))[0])


def steepness(kind: str, z: float) -> float:
    return float(ACTIVATION_FUNCTIONS[kind].slope(np.array([z]))[0])


def moved_value() -> float:
    """gelu where it is steepest, its z at the end of an error."""
    z, e = np.sqrt(2.0), 1e-3
    return shares("gelu", at(z, e), value("gelu", z + e), 0.0)[0]


def moved_slope() -> float:
    """elu just below zero: its slope exp(z) is as steep as it is."""
    return shares("elu", at(-1e-9, 1e-3), 0.0, float(np.exp(-1e-3)))[1]


def rounded_value() -> float:
    """gelu by tanh at -3, where 1 + tanh has next to no digits left."""
    off = 0.5 * 3 * UNITS
    return shares("gelu_tanh", at(-3.0), value("gelu_tanh", -3.0) - off, 0.0)[0]


def rounded_logarithm() -> float:
    """log(1 + exp(19.5)), off by four units in the last place of 19.5."""
    return shares("softplus", at(19.5), value("softplus", 19.5) + 4 * 32 * U, 0.0)[0]


def rounded_beside_one() -> float:
    """exp(z) - 1 next to zero, with an exp off by three units in its last place."""
    return shares("elu", at(-1e-6), value("elu", -1e-6) + 3 * U, 0.0)[0]


def flushed_value() -> float:
    """silu of the smallest normal number: half of it, read as zero."""
    return shares("silu", at(float(TINY)), 0.0, 0.5)[0]


def rounded_slope() -> float:
    """1 - t^2 of a tanh off by all its units, times 0.5 z and what grows as z^2."""
    z = 10.0
    inner = 0.5 * z * float(C) * (1 + 3 * 0.044715 * z * z)
    return shares("gelu_tanh", at(z), 0.0, steepness("gelu_tanh", z) + 2 * UNITS * inner)[1]


WIDE = Arithmetic.of("float64", shadow=False)


def value_left_to_z() -> float:
    """torch's softplus just above 20: z itself."""
    return shares("softplus", at(20.5), 20.5, 0.0, WIDE)[0]


def slope_left_at_one() -> float:
    return shares("softplus", at(20.5), 0.0, 1.0, WIDE)[1]


ERROR = "error = STEEPEST * z.error + unit * size + ROUNDINGS * arithmetic.tiny * np.maximum(size, 1.0)"
TERMS = {
    "z's error in the value": (
        (ERROR, ERROR.replace("STEEPEST * z.error + ", "")), moved_value, 0.99
    ),
    "z's error in the slope": (
        ("function.curvature * z.error + unit * slope_size", "unit * slope_size"), moved_slope, 0.99
    ),
    "the rounding of the value": (
        (ERROR, ERROR.replace("unit * size + ", "")), rounded_value, 0.09
    ),
    "its rounding by the size of z": (
        ("return 1.0 + size, np.ones_like(size)", "return 0 * size + 1.0, np.ones_like(size)"),
        rounded_logarithm, 0.15,
    ),
    "its rounding beside one": (
        ("return 1.0 + size, np.ones_like(size)", "return size, np.ones_like(size)"),
        rounded_beside_one, 0.07,
    ),
    "what is flushed of the value": (
        (ERROR, "error = STEEPEST * z.error + unit * size"), flushed_value, 0.012
    ),
    "the rounding of the slope": (
        ("function.curvature * z.error + unit * slope_size", "function.curvature * z.error"),
        rounded_slope, 0.022,
    ),
    "its rounding by the cube of z": (
        ("return size, 1.0 + size**3", "return size, 1.0 + size"), rounded_slope, 0.022
    ),
    "a softplus that is z": (
        ("error, slope_error = error + left_out,", "error, slope_error = error,"), value_left_to_z, 0.9
    ),
    "a softplus whose slope is 1": (
        ("slope_error + left_out", "slope_error"), slope_left_at_one, 0.9
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", TERMS)
def test_a_legal_activation_that_does_its_worst_is_inside_and_without_the_term_outside(name: str) -> None:
    (term, instead), hostile, close = TERMS[name]
    assert close <= hostile() <= 1.0
    with leaving_out(activations, term, instead):
        assert hostile() > 1.0


def test_every_addition_in_the_bounds_is_one_that_was_left_out_or_is_none_of_terms() -> None:
    """After a change: a new addition is a new term, and needs an implementation above that needs it."""
    assert additions(activations) == {
        "_beside_one": 1,
        "_cubic": 1,
        "Active.passed_back": 1,  # left out by `product` in the test of underflow above
        "active": 7,
    }


def test_sizes_are_those_of_the_largest_z_that_its_error_allows() -> None:
    """What rounds at z = 3 that may be 4 is what rounds at 4."""
    for kind in ("silu", "softplus", "gelu_tanh"):
        near, far = (active(kind, at(*z), SINGLE) for z in ((3.0, 1.0), (4.0, 0.0)))
        curvature = ACTIVATION_FUNCTIONS[kind].curvature
        assert near.a.error[0] - STEEPEST == pytest.approx(far.a.error[0], rel=1e-6)
        assert near.slope.error[0] - curvature == pytest.approx(far.slope.error[0], rel=1e-6)
        assert near.lost[0] == pytest.approx(far.lost[0], rel=1e-12)


def test_softplus_is_no_more_uncertain_below_torchs_threshold_than_it_rounds() -> None:
    below, above = (active("softplus", at(z), WIDE).a.error[0] for z in (19.5, 20.5))
    assert above > 1e4 * below
    assert active("softplus", at(19.5, 0.6), WIDE).a.error[0] - STEEPEST * 0.6 > 1e4 * below  # it may be 20.1


@pytest.mark.parametrize(("kind", "low"), [("relu", 0.0), ("leaky_relu", 0.01)])
def test_a_kink_whose_side_is_a_matter_of_rounding_may_have_either_slope_and_no_other(
    kind: str, low: float
) -> None:
    undecided, decided = (
        active(kind, at(1e-9, 1e-8), SINGLE).slope,
        active(kind, at(1e-7, 1e-8), SINGLE).slope,
    )
    assert (undecided.value[0], undecided.error[0]) == (1.0, 1.0)
    assert abs(low - undecided.value[0]) <= undecided.error[0]
    assert decided.value[0] == 1.0
    assert decided.error[0] <= 1e-5
    assert active("gelu", at(1e-9, 1e-8), SINGLE).slope.error[0] < 1e-5  # it has no kink
