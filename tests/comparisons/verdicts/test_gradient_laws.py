"""Laws of a wrong gradient: asked of anything that was seen, none divides by zero or overflows."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from backproof.comparisons.verdicts import gradient_laws as laws
from backproof.comparisons.verdicts.gradient_causes import causes

SIZES = st.sampled_from([0.0, -1.0, 1e-200, 3.5, -1e200, 1e300])


def seen(claimed: list[float], slopes: list[float], error: float) -> laws.Seen:
    """Every entry of a vector looked at, each slope known to the same error."""
    probes = tuple(laws.Probe(i, slope, error) for i, slope in enumerate(slopes))
    theta = np.linspace(1.0, 2.0, len(claimed))
    return laws.Seen(np.array(claimed), theta, probes, 0.0, 1.0, {})


@given(
    st.lists(st.tuples(SIZES, SIZES), min_size=2, max_size=5),
    st.sampled_from([0.0, 1e-200, 1e-12, 1e100]),
)
@example([(1.0, 0.0), (2.0, 0.0), (3.0, 5.0)], 0.0)
@example([(0.0, -1.0), (1e-200, 0.0)], 1e-12)
@example([(0.0, 0.0), (-1e200, -1.0)], 1e-12)
@example([(0.0, -1.0), (0.0, -1e200), (1e300, 1e300)], 0.0)
def test_causes_are_looked_for_at_any_size_without_a_warning(
    pairs: list[tuple[float, float]], error: float
) -> None:
    claimed, slopes = ([pair[k] for pair in pairs] for k in (0, 1))
    found = seen(claimed, slopes, error)
    wrong = bool((np.abs(np.subtract(claimed, slopes)) > found.errors).any())
    assume(wrong)  # no cause is asked of what is right
    assert all(cause.sentence for cause in causes(found, lambda i, moved: slopes[i] * moved))


def test_a_penalty_is_found_by_its_factor() -> None:
    theta = np.linspace(1.0, 2.0, 3)
    slopes = [0.5, -1.0, 2.0]
    (law,) = laws.penalty(seen((np.array(slopes) + 0.25 * theta).tolist(), slopes, 1e-12))
    assert law.sentence.startswith("0.25 times the parameter itself is in it")


@pytest.mark.parametrize("factor", [-1.0, 2.0])
def test_a_factor_beside_a_penalty_is_found_with_the_rounding_it_makes_larger(factor: float) -> None:
    """g = c (t - lambda theta) + lambda theta, lambda = 0.25."""
    theta, slopes = np.linspace(1.0, 2.0, 5), np.array([0.5, -1.0, 2.0, 3.0, -0.7])
    claimed = factor * (slopes - 0.25 * theta) + 0.25 * theta
    (law,) = laws.factor_beside_penalty(seen(claimed.tolist(), slopes.tolist(), 1e-12))
    np.testing.assert_allclose(law.truth, slopes, rtol=1e-9)
    mu = 0.25 * (1 - factor)
    assert law.grown == pytest.approx((1 + abs(mu)) / abs(factor))
    assert "but for 0.25 times the parameter itself" in law.sentence
