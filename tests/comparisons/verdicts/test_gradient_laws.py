"""Laws of a wrong gradient: asked of anything that was seen, none divides by zero or overflows."""

import numpy as np
import pytest
from hypothesis import assume, example, given
from hypothesis import strategies as st

from backproof.comparisons.verdicts import gradient_laws as laws
from backproof.comparisons.verdicts.gradient_causes import causes
from backproof.scratch.architecture import Array

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


# --- by how many digits a law tells more --------------------------------------------------------------------


def known(claimed: Array, slopes: Array, error: float = 1e-6, rounding: float = 0.0) -> laws.Seen:
    probes = tuple(laws.Probe(i, float(slope), error) for i, slope in enumerate(np.ravel(slopes)))
    theta = np.linspace(1.0, 2.0, np.size(claimed)).reshape(np.shape(claimed))
    return laws.Seen(np.asarray(claimed, float), theta, probes, rounding, 1.0, {})


def test_a_law_tells_the_digits_between_the_claim_and_the_errors_less_what_it_costs() -> None:
    seen_here = known(np.array([2.0, 4.0, 6.0]), np.array([1.0, 2.0, 3.0]), error=1e-6, rounding=1e-6)
    truth = np.array([1.0, 2.0, 3.0])
    digits = np.log10(np.array([1.0, 2.0, 3.0]) / 3e-6)  # a slope's error, and the claim's rounding twice
    law = laws.Law("it", truth)
    assert law.digits(seen_here) == pytest.approx(digits.sum())
    assert laws.Law("it", truth, cost=1.5).digits(seen_here) == pytest.approx(digits.sum() - 1.5)
    assert laws.Law("it", truth, fitted=1).digits(seen_here) == pytest.approx(digits[:2].sum())
    grown = np.log10(np.array([1.0, 2.0, 3.0]) / 5e-6)
    assert laws.Law("it", truth, grown=3.0).digits(seen_here) == pytest.approx(grown.sum())
    assert laws.Law("it", truth + np.array([2.9e-6, 0, 0])).digits(seen_here) > 0
    assert laws.Law("it", truth - np.array([0, 3.1e-6, 0])).digits(seen_here) == -1.0
    assert laws.Law("it", seen_here.claimed, grown=1e7).digits(seen_here) == 0.0


def test_slopes_along_entries_and_directions_are_those_of_the_array() -> None:
    array, direction = np.arange(6.0).reshape(2, 3), np.array([1.0, 0, 0, 0, 0, -2.0])
    probes = (laws.Probe(4, 0.5, 0.1), laws.Probe(direction, 0.25, 0.2))
    found = laws.Seen(array, array, probes, 0.05, 1.0, {})
    np.testing.assert_array_equal(found.along(array), [4.0, -10.0])
    np.testing.assert_array_equal(found.slopes, [0.5, 0.25])
    np.testing.assert_allclose(found.errors, [0.15, 0.25])
    np.testing.assert_allclose(found.weights, [1 / 0.15, 1 / 0.25])
    assert found.whole is None
    exact = laws.Seen(array, array, (laws.Probe(0, 8.0, 0.0),), 0.0, 1.0, {})
    np.testing.assert_allclose(exact.weights, [1 / (8.0 * laws.SMALLEST)])
    nothing = laws.Seen(0 * array, 0 * array, (laws.Probe(0, 0.0, 0.0),), 0.0, 1.0, {})
    np.testing.assert_allclose(nothing.weights, [1 / laws.SMALLEST])


def test_the_whole_is_known_in_the_order_of_the_entries() -> None:
    probes = tuple(laws.Probe(i, float(i), 0.1 * i) for i in (2, 0, 1))
    found = laws.Seen(np.zeros(3), np.zeros(3), probes, 0.0, 1.0, {}).whole
    assert found is not None
    np.testing.assert_allclose(found, [[0.0, 1.0, 2.0], [0.0, 0.1, 0.2]])


# --- factors ------------------------------------------------------------------------------------------------


def factor_of(c: float, error: float = 1e-9) -> list[laws.Law]:
    slopes = np.array([1.0, -2.0, 3.0])
    return list(laws.factors(known(c * slopes, slopes, error), c * slopes, "before: ", 0.5))


@pytest.mark.parametrize(
    ("c", "value", "fitted", "price"),
    [
        (-1.0, -1.0, 0, 0.0),
        (2.0, 2.0, 0, 0.0),
        (0.5, 0.5, 0, 0.0),
        (7.0, 7.0, 0, 1 + np.log10(7)),
        (1 / 7, 1 / 7, 0, 1 + np.log10(7)),
        (-12.0, -12.0, 0, 1 + np.log10(12)),
        (np.sqrt(6), np.sqrt(6), 0, 1 + np.log10(6)),
        (-1 / np.sqrt(6), -1 / np.sqrt(6), 0, 1 + np.log10(6)),
        (0.7321, 0.7321, 1, 0.0),
    ],
)
def test_a_factor_is_taken_out_by_its_name_and_paid_for(
    c: float, value: float, fitted: int, price: float
) -> None:
    (law,) = factor_of(c)
    np.testing.assert_allclose(law.truth, [1.0, -2.0, 3.0], rtol=1e-12)
    assert law.sentence.startswith("before: every entry")
    assert law.grown == pytest.approx(abs(1 / value))
    assert law.fitted == fitted
    assert law.cost == pytest.approx(0.5 + price)


def test_a_factor_of_one_within_the_doubt_is_none() -> None:
    """The steepest slope is 3: its doubt is 4 e / 3 (1 + c)."""
    assert factor_of(1 + 2.6e-6, error=1e-6) == []
    assert len(factor_of(1 + 2.8e-6, error=1e-6)) == 1
    assert len(factor_of(1 - 2.8e-6, error=1e-6)) == 1
    assert factor_of(0.0) == []
    slopes = np.zeros(3)
    assert list(laws.factors(known(np.ones(3), slopes), np.ones(3), "", 0.0)) == []
    assert list(laws.factors(known(np.ones(3), np.ones(3)), np.array([np.nan, 1, 1]), "", 0.0)) == []


@pytest.mark.parametrize(
    ("c", "doubt", "many"),
    [
        (7.0, 1e-9, 7),
        (7.0, 0.0071, 7),
        (7.0, 0.0072, None),
        (7.02, 0.005, 7),
        (7.02, 0.0028, None),
        (2.0, 1e-9, None),
        (3.0, 1e-9, 3),
        (1e6, 1e-9, 1_000_000),
        (1_000_001.0, 1e-9, None),
        (1 / 7, 0.9e-3, 7),
        (1 / 7, 1.1e-3, None),
        (1e-6, 1e-15, 1_000_000),
        (0.0, 1e-9, None),
    ],
)
def test_a_count_is_named_where_the_doubt_leaves_no_other(c: float, doubt: float, many: int | None) -> None:
    for sign in (1, -1) if c else (1,):
        found = list(laws._counts(sign * c, doubt))
        if many is None:
            assert found == []
        else:
            ((value, words, fitted, price),) = found
            assert value == pytest.approx(sign * (many if c > 1 else 1 / many))
            assert f"{many} times too {'large' if c > 1 else 'small'}" in words
            assert ("wrong sign" in words) == (sign < 0)
            assert fitted == 0
            assert price == pytest.approx(1 + np.log10(many))
            assert ("a rate of" in words) == (many in (1_000_000,) and c < 1)


@pytest.mark.parametrize(
    ("c", "doubt", "many"),
    [
        (np.sqrt(2), 1e-9, 2),
        (np.sqrt(6), 0.0041, 6),
        (np.sqrt(6), 0.0042, None),
        (np.sqrt(6.03), 0.004, 6),
        (np.sqrt(6.03), 0.0024, None),
        (1 / np.sqrt(6), 1e-9, 6),
        (99.0, 1e-9, 9801),
        (np.sqrt(10_000.0), 1e-9, 10_000),
        (np.sqrt(10_001.0), 1e-9, None),
        (1.0, 1e-9, None),
    ],
)
def test_a_root_is_named_where_the_doubt_leaves_no_other(c: float, doubt: float, many: int | None) -> None:
    for sign in (1, -1):
        found = list(laws._roots(sign * c, doubt))
        if many is None:
            assert found == []
        else:
            ((value, words, fitted, price),) = found
            assert value == pytest.approx(sign * (many**0.5 if c > 1 else many**-0.5))
            assert f"sqrt({many}) = {many**0.5:.6g} times too {'large' if c > 1 else 'small'}" in words
            assert ("wrong sign" in words) == (sign < 0)
            assert fitted == 0
            assert price == pytest.approx(1 + np.log10(many))


def test_losses_are_known_by_the_factor_that_they_would_bring() -> None:
    """L = y^2 / 2, y^2 or -log p, each differentiated by its one output."""
    factors = {words: [] for _, words in laws._of_losses(1.0)}  # type: ignore[var-annotated]  # of floats
    for factor, words in laws._of_losses(0.32):
        factors[words].append(factor)
    assert factors["half a squared error"] == [pytest.approx(1 / 0.8), pytest.approx(-1 / 0.8)]
    assert factors["a squared error"] == [
        pytest.approx(1 / (2 * 0.32**0.5)), pytest.approx(-1 / (2 * 0.32**0.5))
    ]  # fmt: skip
    assert factors["-log p"] == [pytest.approx(-np.exp(-0.32))]
    assert [words for _, words in laws._of_losses(-1.0)] == ["-log p"]
    assert [words for _, words in laws._of_losses(25.0)].count("-log p") == 0
    assert list(laws._of_losses(-25.0)) == []
    ((value, words, fitted, price),) = laws._losses(1 / 0.8 + 1e-7, 1e-6, 0.32)
    assert value == pytest.approx(1 / 0.8)
    assert (fitted, price) == (0, 1.0)
    assert "the factor 0.8 is missing, which half a squared error would bring" in words
    assert list(laws._losses(1 / 0.8 + 1e-5, 1e-6, 0.32)) == []


# --- layouts, orders, penalties -----------------------------------------------------------------------------


def sentences(g: Array) -> dict[str, Array]:
    """Every layout, each at the price of choosing it among all."""
    found = list(laws.layouts(laws.Seen(g, g, (), 0.0, 1.0, {})))
    np.testing.assert_allclose([law.cost for law in found], np.log10(max(1, len(found))))
    return {law.sentence: law.truth for law in found}


def test_a_square_is_laid_out_in_every_way_that_is_one_line_of_numpy() -> None:
    g = np.arange(9.0).reshape(3, 3)
    found = sentences(g)
    np.testing.assert_array_equal(found["it is transposed"], g.T)
    np.testing.assert_array_equal(found["its rows are in reverse order"], g[::-1])
    np.testing.assert_array_equal(found["its columns are in reverse order"], g[:, ::-1])
    np.testing.assert_array_equal(
        found["it is flipped along the last two axes, as a kernel is"], g[::-1, ::-1]
    )
    assert set(found) == {
        "it is transposed", "its rows are in reverse order", "its columns are in reverse order",
        "it is flipped along the last two axes, as a kernel is",
        "its rows are shifted by one", "its columns are shifted by one",
    }  # fmt: skip


def test_of_small_axes_nothing_is_said_that_would_be_another_sentence_too() -> None:
    assert set(sentences(np.arange(2.0))) == {"its entries are in reverse order"}
    assert set(sentences(np.arange(3.0))) == {
        "its entries are in reverse order",
        "its entries are shifted by one",
    }
    assert sentences(np.ones(1)) == {}
    assert set(sentences(np.arange(3.0)[None])) == {
        "its columns are in reverse order",
        "its columns are shifted by one",
    }
    assert set(sentences(np.arange(4.0).reshape(2, 2))) == {
        "it is transposed", "its rows are in reverse order", "its columns are in reverse order",
        "it is flipped along the last two axes, as a kernel is",
    }  # fmt: skip


def test_axes_of_one_length_may_be_swapped() -> None:
    found = sentences(np.arange(18.0).reshape(3, 2, 3))
    assert "axes 0 and 2 are swapped" in found
    assert not any("axes 0 and 1" in text or "axes 1 and 2" in text for text in found)
    assert "its slices of axis 1 are in reverse order" in found


def test_both_shifts_are_tried() -> None:
    g = np.arange(4.0)
    truths = [truth.tolist() for words, truth in laws._shifts(g) if "shifted" in words]
    assert truths == [[3.0, 0.0, 1.0, 2.0], [1.0, 2.0, 3.0, 0.0]]


def test_another_tensor_s_gradient_is_one_of_its_shape_and_costs_as_the_others_do() -> None:
    g, other = np.arange(2.0), np.array([5.0, 6.0])
    found = list(laws.layouts(laws.Seen(g, g, (), 0.0, 1.0, {"v": other, "w": np.ones(3)})))
    assert [law.sentence for law in found][1:] == [
        "it is the gradient of another tensor: what is claimed for v fits"
    ]
    np.testing.assert_array_equal(found[1].truth, other)
    np.testing.assert_allclose([law.cost for law in found], np.log10(3))


def test_another_order_is_read_off_where_each_row_has_one_counterpart_and_costs_the_permutations() -> None:
    t = np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]])
    (law,) = laws.orders(known(t[[2, 0, 1]], t, 1e-9))
    np.testing.assert_array_equal(law.truth, t)
    assert law.sentence == "its rows are in another order"
    assert law.cost == pytest.approx(np.log10(6))
    twice = np.array([[1.0, 2.0], [1.0, 2.0], [5.0, 6.0]])
    assert list(laws.orders(known(twice[[2, 0, 1]], twice, 1e-9))) == []
    assert list(laws.orders(known(t[[2, 0, 1]] + 1e-8, t, 1e-9))) == []
    assert list(laws.orders(known(t[:2][::-1], t[:2], 1e-9))) == []
    columns = t.T @ np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    (law,) = laws.orders(known(columns[:, [1, 2, 0]], columns, 1e-9))
    assert law.sentence == "its columns are in another order"


@pytest.mark.parametrize(("factor", "grown"), [(0.25, 1.0), (-0.25, 1.0), (3.0, 3.0), (-3.0, 3.0)])
def test_a_penalty_is_taken_out_with_the_rounding_that_it_makes_larger(factor: float, grown: float) -> None:
    theta, slopes = np.linspace(1.0, 2.0, 3), np.array([0.5, -1.0, 2.0])
    (law,) = laws.penalty(known(slopes + factor * theta, slopes, 1e-12))
    np.testing.assert_allclose(law.truth, slopes, atol=1e-12)
    assert law.grown == pytest.approx(grown)
    assert (law.fitted, law.cost) == (1, 0.0)
    assert (
        f"{abs(factor):g} times the parameter itself is {'in it' if factor > 0 else 'missing'}"
        in law.sentence
    )
    assert list(laws.penalty(known(slopes, slopes, 1e-12))) == []
