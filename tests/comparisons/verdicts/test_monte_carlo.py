"""The estimate: it leaves no room out that is certain, and knows when more samples cannot help."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
from scipy.special import erfcinv, expit, gammaincinv

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts import monte_carlo
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.verdict import Tier
from backproof.scratch.architecture import Architecture

TINY = float(np.finfo(np.float32).smallest_normal)
ARCHITECTURE = Architecture((2, 3, 1), "identity", "sum_of_squares", "float32")


def test_an_estimate_leaves_room_for_the_steps_between_subnormal_numbers() -> None:
    """Gradients near 1e-42 lie on a grid of 1.4e-45: no random rounding of theirs is as coarse."""
    rng = np.random.default_rng(0)
    weights = [
        (rng.standard_normal(shape).astype(np.float32), np.zeros(shape[1], np.float32))
        for shape in ((2, 3), (3, 1))
    ]
    x, targets = np.full((1, 2), 1e-4 * TINY, np.float32), np.ones((1, 1), np.float32)
    estimate = estimated_reference(backprop_reference(ARCHITECTURE, weights, x, targets))
    contender = ScratchMLP()
    contender.load(ARCHITECTURE, weights)
    found = flat_gradient(contender.loss_and_gradient(x, targets)[1]).astype(np.float64)
    error = np.abs(found - estimate.gradient.value)
    assert (error <= estimate.gradient.error).all()
    assert estimate.gradient.error[0] >= 1.4e-45


def test_a_tensor_that_is_nothing_but_rounding_ends_the_sampling_early() -> None:
    """Two opposite examples: db is zero but for what the sums round, and stays what the bounds say."""
    weights = [
        (np.full((2, 3), 0.1, np.float32), np.zeros(3, np.float32)),
        (np.full((3, 1), 0.3, np.float32), np.zeros(1, np.float32)),
    ]
    x, targets = np.array([[0.1, 0.7], [-0.1, -0.7]], np.float32), np.array([[0.3], [-0.3]], np.float32)
    reference = backprop_reference(ARCHITECTURE, weights, x, targets)
    assert estimated_reference(reference).tier in (Tier.PROBABILISTIC, Tier.ESTIMATE)
    assert (estimated_reference(reference).gradient.error <= reference.gradient.error).all()


# --- what is drawn ------------------------------------------------------------------------------------------

SINGLE = Arithmetic.of("float32", shadow=False, random=True)
MANY = 4000


def test_the_factor_is_that_of_a_normal_error_whose_deviation_is_itself_estimated() -> None:
    """Either fails with 1e-16: the error beyond both sides, and 64 squares that are far too small."""
    beyond, too_small = np.sqrt(2) * erfcinv(1e-16), 2 * gammaincinv(64 / 2, 1e-16) / 64
    expected = beyond / np.sqrt(too_small)
    assert expected == pytest.approx(monte_carlo.FACTOR, rel=1e-6)


def test_noise_has_the_variance_that_is_asked_for() -> None:
    noise = monte_carlo._noise(np.random.default_rng(0), np.array([[4.0, 0.0, 1e-4]]).repeat(MANY, axis=0))
    np.testing.assert_allclose(noise.std(axis=0), [2.0, 0.0, 1e-2], rtol=0.05)
    np.testing.assert_allclose(noise.mean(axis=0), 0.0, atol=0.1)


def state(activation: str, mask: Any = None) -> Any:
    return SimpleNamespace(
        architecture=SimpleNamespace(activation=activation), masks=[mask], arithmetic=SINGLE
    )


@pytest.mark.parametrize(
    ("activation", "f", "slope"),
    [
        ("identity", lambda z: z, np.ones_like),
        ("relu", lambda z: np.maximum(z, 0), lambda z: (z > 0) * 1.0),
        ("tanh", np.tanh, lambda z: 1 - np.tanh(z) ** 2),
        ("sigmoid", expit, lambda z: expit(z) * expit(-z)),
    ],
)
def test_an_activation_is_off_by_up_to_its_own_error_half_of_it_alike_in_all_units(
    activation: str, f: Any, slope: Any
) -> None:
    z = np.full((1, MANY), 0.7)
    a, d = monte_carlo._activated(state(activation), 0, z, np.random.default_rng(0))
    if activation in ("identity", "relu"):
        np.testing.assert_array_equal(a, f(z))
        np.testing.assert_array_equal(d, slope(z))
    else:
        own = {
            "tanh": SINGLE.tanh_error(np.tanh(np.array(0.7))),
            "sigmoid": SINGLE.unit * (SINGLE.exponential * expit(-0.7) + 3.0) * expit(0.7),
        }[activation]
        off = (a - f(z)) / own
        assert np.abs(off).max() <= 1.0
        assert off.max() - off.min() == pytest.approx(1.0, abs=0.01)
        means = [
            np.mean(monte_carlo._activated(state(activation), 0, z, np.random.default_rng(k))[0] - f(z)) / own
            for k in range(60)
        ]
        assert np.std(means) == pytest.approx(0.5 / np.sqrt(3), rel=0.25)
        np.testing.assert_allclose(d, slope(z), rtol=1e-5)
        assert (d != slope(z)).any()
    masked, below = monte_carlo._activated(
        state(activation, np.array([[0.0, 2.0]])), 0, z[:, :2], np.random.default_rng(0)
    )
    assert masked[0, 0] == below[0, 0] == 0.0
    assert masked[0, 1] == pytest.approx(2 * f(z)[0, 1], rel=1e-5)
    assert below[0, 1] == pytest.approx(2 * slope(z)[0, 1], rel=1e-5)


def test_the_last_delta_is_off_by_up_to_what_the_loss_rounds() -> None:
    exact = np.linspace(-1, 1, MANY)[None]
    rounded = np.full((1, MANY), 1e-3)
    given: Any = SimpleNamespace(
        function=lambda z, targets, arithmetic: SimpleNamespace(delta=Bounded.exact(z.value - targets)),
        targets=1.0,
        arithmetic=SINGLE,
        loss=SimpleNamespace(rounded=rounded),
    )
    off = monte_carlo._delta(given, exact, np.random.default_rng(1)) - (exact - 1.0)
    assert np.abs(off).max() <= 1e-3
    assert off.max() - off.min() == pytest.approx(1e-3, rel=0.01)


@pytest.mark.parametrize(("share", "hopeless"), [(3.9, False), (4.1, True)])
def test_more_samples_cannot_help_a_tensor_that_is_far_below_its_rounding(
    share: float, hopeless: bool
) -> None:
    """Every entry of one tensor; a tensor of zeros is no such one."""
    value = np.array([1.0, -1.0, 0.5, 0.0, 1.0])
    reference: Any = SimpleNamespace(
        gradient=Bounded.exact(value),
        architecture=SimpleNamespace(
            layer_slices=lambda: [(slice(0, 3), slice(3, 4)), (slice(4, 5), slice(5, 5))]
        ),
    )
    error = np.array([share, share, 0.5 * share, 9.0, 0.0])
    assert monte_carlo._hopeless(reference, error) == hopeless
    error[1] = 0.0
    assert not monte_carlo._hopeless(reference, error)


def test_the_gradient_of_a_run_varies_as_its_sums_round() -> None:
    """One layer, identity: db = 2 sum_n (z_n - t_n), of which z, delta and the sum round."""
    n = 6
    rng = np.random.default_rng(3)
    x, targets = rng.normal(size=(n, 2)).astype(np.float32), rng.normal(size=(n, 1)).astype(np.float32)
    weights = [(rng.normal(size=(2, 1)).astype(np.float32), np.zeros(1, np.float32))]
    architecture = Architecture((2, 1), "identity", "sum_of_squares", "float32")
    reference = backprop_reference(architecture, weights, x, targets).probabilistic
    state_, variances = reference.state, monte_carlo._backward_variances(reference.state)
    runs = np.array([
        monte_carlo._disturbed(state_, variances, np.random.default_rng(k)) - reference.gradient.value
        for k in range(600)
    ])  # fmt: skip
    rounded, inputs = state_.loss.rounded[:, 0], state_.local[0][:, 0]
    # Uniform halves: one alike in all examples, one of each; then z doubled, and the sums.
    for column, factors, own in ((2, np.ones(n), variances[0][1][0, 0]), (0, x[:, 0], variances[0][0][0, 0])):
        alike = (factors @ rounded) ** 2 / 12
        expected = alike + (factors**2 @ rounded**2) / 12 + 4 * (factors**2 @ inputs) + own
        assert np.mean(runs[:, column] ** 2) == pytest.approx(expected, rel=0.2)
