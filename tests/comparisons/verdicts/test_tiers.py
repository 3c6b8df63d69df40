"""Which bound decides, how finely, and that no tier passes what is wrong."""

from functools import cache

import numpy as np
import pytest

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient, tensors
from backproof.comparisons.verdicts.verdict import Tier
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Architecture, Array, DtypeName
from backproof.scratch.initializers import initialize

WIDE = Architecture((784, 128, 10), "relu", "cross_entropy", "float32")
TWO_HIDDEN = Architecture((784, 256, 128, 10), "relu", "cross_entropy", "float32")
TWELVE_LAYERS = Architecture((64, *[32] * 11, 10), "relu", "cross_entropy", "float32")


def twenty_tanh_layers(dtype: DtypeName) -> Architecture:
    return Architecture((64, *[64] * 19, 10), "tanh", "cross_entropy", dtype)


@cache
def problem(architecture: Architecture) -> tuple[Reference, Array, Array]:
    """The bounds, and the gradients of scratch and torch, at He weights; inputs like images, mostly zero."""
    rng = np.random.default_rng(0)
    batch = 100 if architecture.layer_sizes[0] == 784 else 20
    x = np.maximum(rng.random((batch, architecture.layer_sizes[0])) - 0.8, 0) * 5
    x, labels = x.astype(architecture.dtype), rng.integers(0, 10, batch)
    weights = initialize(architecture, 0).weights()
    found = []
    for contender in (ScratchMLP(), TorchMLP()):
        contender.load(architecture, weights)
        found.append(flat_gradient(contender.loss_and_gradient(x, labels)[1]).astype(np.float64))
    return backprop_reference(architecture, weights, x, labels), found[0], found[1]


@pytest.mark.parametrize(
    ("architecture", "tier", "resolution"),
    [
        (WIDE, Tier.PROBABILISTIC, 3e-5),
        (TWO_HIDDEN, Tier.PROBABILISTIC, 1e-4),
        (TWELVE_LAYERS, Tier.PROBABILISTIC, 1e-4),
        (twenty_tanh_layers("float64"), Tier.PROBABILISTIC, 1e-8),
        (twenty_tanh_layers("float32"), Tier.ESTIMATE, 1e-3),
    ],
    ids=lambda value: "-".join(map(str, value.layer_sizes)) if isinstance(value, Architecture) else "",
)
def test_right_gradients_of_wide_and_deep_networks_pass_and_are_resolved(
    architecture: Architecture, tier: Tier, resolution: float
) -> None:
    reference, *both = problem(architecture)
    for found in both:
        verdict = judge_gradient(reference, found)
        assert (verdict.outcome, verdict.tier) == (Outcome.PASS, tier)
        assert verdict.resolution <= resolution


@pytest.mark.parametrize("architecture", [WIDE, TWELVE_LAYERS, twenty_tanh_layers("float32")])
def test_ten_times_the_printed_resolution_is_caught_in_every_tensor(architecture: Architecture) -> None:
    reference, found, _ = problem(architecture)
    seen = judge_gradient(reference, found).resolution
    for part in tensors(architecture):
        wrong = found.copy()
        wrong[part] *= 1 + 10 * seen
        assert judge_gradient(reference, wrong).outcome == Outcome.FAIL


@pytest.mark.parametrize("architecture", [WIDE, TWELVE_LAYERS, twenty_tanh_layers("float32")])
def test_a_gradient_of_zeros_fails_even_in_one_tensor(architecture: Architecture) -> None:
    reference, found, _ = problem(architecture)
    for part in (slice(None), *tensors(architecture)[::5]):
        wrong = found.copy()
        wrong[part] = 0.0
        assert judge_gradient(reference, wrong).outcome == Outcome.FAIL


def test_the_probabilistic_bound_is_never_wider_than_the_worst_case() -> None:
    reference, *_ = problem(TWELVE_LAYERS)
    assert (reference.probabilistic.gradient.error <= reference.gradient.error).all()


def test_an_estimate_is_the_same_whenever_it_is_made() -> None:
    reference, *_ = problem(TWELVE_LAYERS)
    first, second = (estimated_reference.__wrapped__(reference).gradient.error for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_no_correct_gradient_uses_much_of_an_estimate() -> None:
    """It allows for Z sigma of what it draws itself: real roundings stay far below."""
    reference, *both = problem(TWELVE_LAYERS)
    estimate = estimated_reference(reference).gradient
    for found in both:
        used = np.abs(found - estimate.value)[estimate.error > 0] / estimate.error[estimate.error > 0]
        assert 0.01 < used.max() < 0.5


@pytest.mark.parametrize("batch", [2, 64])
def test_equal_examples_and_equal_units_round_equally_and_their_errors_add_up(batch: int) -> None:
    """All weights of a layer are one number, all examples one: the errors do not average out."""
    architecture = Architecture((50, 40, 3), "relu", "mse", "float32")
    rng = np.random.default_rng(1)
    weights = [
        (np.full((50, 40), 0.123, np.float32), np.full(40, 0.0457, np.float32)),
        (np.full((40, 3), 0.0789, np.float32), np.zeros(3, np.float32)),
    ]
    x = np.repeat(rng.random((1, 50)).astype(np.float32), batch, axis=0)
    targets = np.repeat(rng.random((1, 3)).astype(np.float32), batch, axis=0)
    reference = backprop_reference(architecture, weights, x, targets).probabilistic
    contender = ScratchMLP()
    contender.load(architecture, weights)
    found = flat_gradient(contender.loss_and_gradient(x, targets)[1]).astype(np.float64)
    error = np.abs(found - reference.gradient.value)
    assert (error <= reference.gradient.error).all()
    # One pre-activation's standard deviation, counted 40 batch times, is what the hidden layer may be off by.
    spread = reference.state.spreads[1]
    assert reference.state.multiplicities[0].min() == 40 * batch
    assert (spread.std**2 >= 40 * batch * reference.state.arithmetic.random_unit**2 * 0.1).all()
