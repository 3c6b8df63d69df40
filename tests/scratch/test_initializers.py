"""Initial weights: the same for the same seed, and drawn from the distribution that the source names."""

import numpy as np
import pytest
from scipy import stats

from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.initializers import INITIALIZERS, initialize

SCHEMES = ("normal", *INITIALIZERS)
WIDE = Architecture((400, 300, 10))
# The draws are fixed by the seed, so a test at this level fails always or never.
LEVEL = 1e-4


@pytest.mark.parametrize("scheme", SCHEMES)
def test_the_same_seed_gives_the_same_numbers(scheme: str) -> None:
    first, second = (initialize(WIDE, 3, scheme).flat for _ in range(2))
    np.testing.assert_array_equal(first, second, strict=True)


@pytest.mark.parametrize("scheme", ["normal", "he_normal", "glorot_uniform"])
def test_another_seed_gives_other_numbers(scheme: str) -> None:
    assert not np.array_equal(initialize(WIDE, 3, scheme).flat, initialize(WIDE, 4, scheme).flat)


@pytest.mark.parametrize("scheme", SCHEMES)
def test_single_precision_starts_from_the_same_numbers_rounded(scheme: str) -> None:
    single = initialize(Architecture(WIDE.layer_sizes, dtype="float32"), 3, scheme)
    np.testing.assert_array_equal(
        single.flat, initialize(WIDE, 3, scheme).flat.astype(np.float32), strict=True
    )


@pytest.mark.parametrize(
    ("scheme", "distribution"),
    [
        ("he_normal", lambda m, n: stats.norm(0, np.sqrt(2 / m))),
        ("glorot_uniform", lambda m, n: stats.uniform(-np.sqrt(6 / (m + n)), 2 * np.sqrt(6 / (m + n)))),
        ("normal", lambda m, n: stats.norm(0, 0.01)),
    ],
)
def test_weights_follow_the_distribution_of_their_scheme(scheme: str, distribution: object) -> None:
    for weight, _ in initialize(WIDE, 0, scheme, deviation=0.01).layers:
        expected = distribution(*weight.shape)  # type: ignore[operator]
        assert stats.kstest(weight.ravel(), expected.cdf).pvalue > LEVEL


def test_the_comparison_of_distributions_sees_a_wrong_deviation() -> None:
    weight = initialize(WIDE, 0, "he_normal").layers[0][0]
    assert stats.kstest(weight.ravel(), stats.norm(0, 1.05 * np.sqrt(2 / 400)).cdf).pvalue < LEVEL


EVEN = Architecture((30, 30, 30, 30))  # layers of one shape, which one generator seeded anew would draw alike


def by_hand(seed: int, scheme: str, deviation: float = 1.0, biases: bool = False) -> list[Array]:
    """W1, b1, W2, ... of EVEN, one draw after another from one generator."""
    rng, found = np.random.default_rng(seed), []
    for fan_in, fan_out in EVEN.layer_shapes:
        limit = np.sqrt(6 / (fan_in + fan_out))
        if scheme == "glorot_uniform":
            found.append(rng.uniform(-limit, limit, (fan_in, fan_out)))
        else:
            size = deviation if scheme == "normal" else np.sqrt(2 / fan_in)
            found.append(rng.standard_normal((fan_in, fan_out)) * size)
        found.append(rng.standard_normal(fan_out) * deviation if biases else np.zeros(fan_out))
    return found


@pytest.mark.parametrize("biases", [False, True])
@pytest.mark.parametrize("scheme", ["normal", "he_normal", "glorot_uniform"])
@pytest.mark.parametrize("seed", [0, 5])
def test_all_draws_come_from_one_generator_in_layer_order(seed: int, scheme: str, biases: bool) -> None:
    drawn = initialize(EVEN, seed, scheme, deviation=0.5, biases=biases)
    expected = by_hand(seed, scheme, 0.5, biases and scheme == "normal")
    for found, array in zip((part for pair in drawn.layers for part in pair), expected, strict=True):
        np.testing.assert_array_equal(found, array)


@pytest.mark.parametrize("scheme", ["normal", "he_normal", "glorot_uniform"])
def test_layers_and_seeds_are_independent_of_each_other(scheme: str) -> None:
    """No correlation between any two tensors beyond five standard errors of 900 pairs (or 30, of biases)."""
    tensors = [
        part.ravel()
        for seed in range(3)
        for pair in initialize(EVEN, seed, scheme, biases=True).layers
        for part in pair
        if part.any()
    ]
    for i, one in enumerate(tensors):
        for other in tensors[:i]:
            n = min(one.size, other.size)
            assert abs(np.corrcoef(one[:n], other[:n])[0, 1]) < 5 / np.sqrt(n)


def test_a_generator_that_is_given_goes_on_where_it_stands() -> None:
    rng = np.random.default_rng(3)
    first, second = initialize(EVEN, rng), initialize(EVEN, rng)
    np.testing.assert_array_equal(first.flat, initialize(EVEN, 3).flat)
    assert not np.isin(second.flat[second.flat != 0], first.flat).any()


@pytest.mark.parametrize("scheme", SCHEMES)
def test_biases_start_at_zero(scheme: str) -> None:
    assert not any(bias.any() for _, bias in initialize(WIDE, 0, scheme).layers)


def test_the_normal_scheme_draws_biases_when_asked() -> None:
    biases = np.concatenate(
        [bias for _, bias in initialize(WIDE, 0, "normal", deviation=2.0, biases=True).layers]
    )
    assert stats.kstest(biases, stats.norm(0, 2.0).cdf).pvalue > LEVEL


def test_zeros_are_zeros() -> None:
    assert not initialize(WIDE, 0, "zeros").flat.any()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"scheme": "xavier"},
            "scheme: expected one of normal, he_normal, glorot_uniform, zeros; got 'xavier'",
        ),
        ({"scheme": "normal", "deviation": -1.0}, "deviation: expected a finite number"),
        ({"scheme": "normal", "deviation": float("nan")}, "deviation: expected a finite number"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        initialize(WIDE, 0, **options)  # type: ignore[arg-type]
