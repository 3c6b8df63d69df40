"""Dropout and label smoothing: exact where arithmetic is, else against torch and complex steps."""

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.gradients import Backprop, gradient, method_named
from backproof.scratch.initializers import initialize
from backproof.scratch.losses import LOSS_FUNCTIONS
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.regularization import Dropout, Mask, Masks, smoothed_cross_entropy
from backproof.scratch.training import EpochPlan, Recipe, fit, train
from tests.support.strategies import Case, cases, random_case
from tests.support.tolerances import smoothed_cross_entropy_bounds

EXACT_RATES = st.sampled_from([0.0, 0.5, 0.75])  # 1 / keep is a power of two: scaling does not round
SEEDS = st.integers(0, 2**32 - 1)


def masked_gradient(case: Case, masks: Masks) -> tuple[float, Array]:
    gradient = Parameters(case.architecture)
    loss = case.network().loss_and_gradient(case.x, case.targets, gradient, masks)
    return loss, gradient.flat


def drawn_masks(case: Case, hidden: float, inputs: float, seed: int) -> list[Mask | None]:
    rng = np.random.default_rng(seed)
    return Dropout(hidden, inputs).masks(rng, case.architecture, len(case.x))


def values_of(masks: Masks) -> list[Array]:
    """Their values; there must be a mask for each layer."""
    assert None not in masks
    return [mask.values for mask in masks if mask is not None]


# --- dropout: the masks ------------------------------------------------------------------------------------


@given(st.floats(0.0, 0.99), SEEDS)
def test_a_mask_holds_zero_and_one_over_the_share_kept(p: float, seed: int) -> None:
    case = random_case(Architecture((4, 6, 3)), "normal", 5, 0)
    for mask in drawn_masks(case, p, p, seed):
        if mask is None:
            assert p == 0.0
            continue
        assert set(np.unique(mask.values)) <= {0.0, 1.0 / (1.0 - p)}


@pytest.mark.parametrize("p", [0.1, 0.5, 0.9])
def test_the_share_dropped_is_p_within_five_standard_errors(p: float) -> None:
    architecture = Architecture((1, 200, 200, 1))
    masks = Dropout(p).masks(np.random.default_rng(0), architecture, 100)
    for values in values_of(masks[1:]):
        share = np.mean(values == 0)
        assert abs(share - p) <= 5 * np.sqrt(p * (1 - p) / values.size)


def test_units_are_dropped_independently_of_each_other_and_of_the_example() -> None:
    architecture = Architecture((1, 50, 1))
    (values,) = values_of(Dropout(0.5).masks(np.random.default_rng(0), architecture, 4000)[1:])
    dropped = values == 0
    correlation = np.corrcoef(dropped, rowvar=False) - np.eye(50)
    # 1,225 pairs, each with standard error 1 / sqrt(4000): five of them are never reached by chance.
    assert np.abs(correlation).max() <= 5 / np.sqrt(4000)


@given(SEEDS)
def test_masks_are_the_same_for_the_same_generator_state(seed: int) -> None:
    case = random_case(Architecture((4, 6, 5, 3)), "normal", 5, 0)
    first, second = drawn_masks(case, 0.5, 0.3, seed), drawn_masks(case, 0.5, 0.3, seed)
    for one, other in zip(values_of(first), values_of(second), strict=True):
        np.testing.assert_array_equal(one, other)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_masks_have_the_networks_dtype_so_that_nothing_is_promoted(dtype: DtypeName) -> None:
    architecture = Architecture((4, 6, 3), dtype=dtype)
    masks = Dropout(0.5, 0.5).masks(np.random.default_rng(0), architecture, 2)
    assert {values.dtype for values in values_of(masks)} == {np.dtype(dtype)}


@pytest.mark.parametrize("p", [-0.1, 1.0, float("nan"), float("inf")])
@pytest.mark.parametrize("name", ["hidden", "inputs"])
def test_a_rate_that_is_no_probability_is_refused(name: str, p: float) -> None:
    with pytest.raises(ValueError, match=f"^{name}: expected a probability"):
        Dropout(hidden=p) if name == "hidden" else Dropout(inputs=p)


def test_the_expectation_of_the_masked_activations_is_the_plain_one() -> None:
    """Inverted dropout: the mean over 4,000 masks is within five standard errors of a, entry by entry."""
    case = random_case(Architecture((4, 6, 3), "tanh"), "normal", 2, 1)
    network = case.network()
    plain = network.forward(case.x)[1].copy()
    rng, n = np.random.default_rng(0), 4000
    total = np.zeros_like(plain)
    for _ in range(n):
        total += network.forward(case.x, Dropout(0.5).masks(rng, case.architecture, 2))[1]
    # Each entry is 2 a or 0 with probability 1/2: standard deviation |a|.
    np.testing.assert_array_less(np.abs(total / n - plain), 5 * np.abs(plain) / np.sqrt(n) + 1e-300)


# --- dropout: the gradient ---------------------------------------------------------------------------------


def thinned(case: Case, masks: Masks) -> Parameters:
    """The plain network that one example under dropout is: every layer's incoming rows times its mask."""
    parameters = Parameters(case.architecture, case.flat.copy())
    for (weight, _), mask in zip(parameters.layers, masks, strict=True):
        if mask is not None:
            weight *= mask.values[0][:, None]
    return parameters


@given(
    case=cases(max_batch=1, families=("normal", "integer", "sparse", "saturated")),
    p=EXACT_RATES,
    q=EXACT_RATES,
    seed=SEEDS,
)
def test_the_gradient_of_one_example_is_that_of_the_thinned_network(
    case: Case, p: float, q: float, seed: int
) -> None:
    """dL/dW = m dL/d(m W), each side of it within the bound derived for the thinned network."""
    case = case.rows([0])
    masks = drawn_masks(case, p, q, seed)
    plain = thinned(case, masks)
    reference = backprop_reference(case.architecture, plain.layers, case.x, case.targets)
    if reference.undecided:
        return  # rounding decides a relu: no one gradient is the right one
    factors = Parameters(case.architecture, np.ones(case.architecture.n_parameters))
    for (weight, _), mask in zip(factors.layers, masks, strict=True):
        if mask is not None:
            weight *= mask.values[0][:, None]
    _, found = masked_gradient(case, masks)
    expected, bound = reference.gradient.value * factors.flat, reference.gradient.error * factors.flat
    assert compare(found, expected, bound, case.architecture.parameter_name).passed


@given(
    case=cases(activations=("relu", "identity"), losses=("sum_of_squares",), families=("integer",)),
    p=EXACT_RATES,
    seed=SEEDS,
)
def test_in_exact_arithmetic_the_gradient_is_the_sum_over_the_thinned_examples(
    case: Case, p: float, seed: int
) -> None:
    masks = drawn_masks(case, p, p, seed)
    _, found = masked_gradient(case, masks)
    total = np.zeros_like(found)
    for i in range(len(case.x)):
        own = [mask and Mask(mask.values[i : i + 1], mask.keep) for mask in masks]
        total += masked_gradient(case.rows([i]), own)[1]
    np.testing.assert_array_equal(found, total)


@given(
    case=cases(activations=("relu", "identity"), losses=("sum_of_squares",), families=("integer",)),
    p=EXACT_RATES,
    seed=SEEDS,
)
def test_in_exact_arithmetic_the_gradient_is_the_complex_steps(case: Case, p: float, seed: int) -> None:
    """h is a power of two: every product and sum of small integers is exact, hence so is the quotient."""
    masks = drawn_masks(case, p, p, seed)
    _, found = masked_gradient(case, masks)
    shadow, h = case.network().astype(np.complex128), 2.0**-400
    expected = np.empty_like(found)
    for i in range(found.size):
        shadow.parameters.flat[i] += 1j * h
        expected[i] = shadow.loss(case.x, case.targets, masks).imag / h
        shadow.parameters.flat[i] = case.flat[i]
    np.testing.assert_array_equal(found, expected)


@given(case=cases(), seed=SEEDS)
def test_dropping_nothing_changes_nothing(case: Case, seed: int) -> None:
    plain = Parameters(case.architecture)
    loss = case.network().loss_and_gradient(case.x, case.targets, plain)
    masked_loss, found = masked_gradient(case, drawn_masks(case, 0.0, 0.0, seed))
    assert masked_loss == loss
    np.testing.assert_array_equal(found, plain.flat)


@given(case=cases(), seed=SEEDS)
def test_the_batch_is_left_as_it_was(case: Case, seed: int) -> None:
    before = case.x.copy()
    masked_gradient(case, drawn_masks(case, 0.5, 0.5, seed))
    np.testing.assert_array_equal(case.x, before)


@given(seed=SEEDS)
def test_a_dropped_unit_gets_no_gradient(seed: int) -> None:
    case = random_case(Architecture((4, 6, 3), "sigmoid"), "normal", 1, 2)
    masks = drawn_masks(case, 0.5, 0.0, seed)
    gradient = Parameters(case.architecture, masked_gradient(case, masks)[1])
    (values,) = values_of(masks[1:])
    dropped = values[0] == 0
    assert not gradient.layers[0][0][:, dropped].any()
    assert not gradient.layers[0][1][dropped].any()
    assert not gradient.layers[1][0][dropped].any()


# --- dropout: training -------------------------------------------------------------------------------------

ARCHITECTURE = Architecture((6, 32, 3))
X = np.random.default_rng(0).standard_normal((40, 6))
LABELS = np.arange(40) % 3


def fitted(dropout: Dropout, seed: int = 0) -> Network:
    network = Network(ARCHITECTURE, initialize(ARCHITECTURE, 0))
    fit(network, X, LABELS, Recipe(method=Backprop(dropout)), EpochPlan(3, 8, seed))
    return network


def test_units_are_dropped_by_halves_and_inputs_are_kept_from_seed_zero_unless_asked() -> None:
    assert Dropout() == Dropout(hidden=0.5, inputs=0.0, seed=0)


def test_dropout_is_off_at_prediction() -> None:
    network = fitted(Dropout(0.5))
    np.testing.assert_array_equal(network.forward(X)[-1].copy(), network.forward(X)[-1])


def test_training_with_dropout_is_the_same_for_the_same_seed() -> None:
    first, second = fitted(Dropout(0.5, seed=3)), fitted(Dropout(0.5, seed=3))
    np.testing.assert_array_equal(first.parameters.flat, second.parameters.flat)


def test_another_dropout_seed_trains_otherwise() -> None:
    assert np.any(
        fitted(Dropout(0.5, seed=3)).parameters.flat != fitted(Dropout(0.5, seed=4)).parameters.flat
    )


def test_every_step_draws_masks_of_its_own() -> None:
    """The same batch over and over, with a rate of zero: only the masks can change the loss."""
    network = Network(ARCHITECTURE, initialize(ARCHITECTURE, 0))
    still = Recipe(OptimizerSpec("sgd", 0.0), Backprop(Dropout(0.5)))
    losses = train(network, X, LABELS, [np.arange(8)] * 10, still)
    assert len(set(losses)) == 10


def test_dropout_is_no_option_of_numerical_gradients() -> None:
    with pytest.raises(TypeError, match=r"^dropout: no option of central_difference"):
        method_named("central_difference", dropout=Dropout(0.5))


def test_the_gradient_under_dropout_is_that_of_the_masks_its_seed_draws() -> None:
    network, dropout = Network(ARCHITECTURE, initialize(ARCHITECTURE, 0)), Dropout(0.5, 0.2, seed=7)
    masks = dropout.masks(np.random.default_rng(7), ARCHITECTURE, len(X))
    expected = Parameters(ARCHITECTURE)
    network.loss_and_gradient(X, LABELS, expected, masks)
    for found in (
        gradient(network, X, LABELS, Backprop(dropout)),
        gradient(network, X, LABELS, dropout=dropout),
    ):
        np.testing.assert_array_equal(found, expected.flat)
    assert np.any(expected.flat != gradient(network, X, LABELS))


# --- label smoothing ---------------------------------------------------------------------------------------


@st.composite
def logits_and_labels(draw: st.DrawFn) -> tuple[Array, Array]:
    n, k = draw(st.integers(1, 5)), draw(st.integers(2, 6))
    rng = np.random.default_rng(draw(SEEDS))
    return rng.standard_normal((n, k)) * draw(st.sampled_from([1.0, 30.0, 1000.0])), rng.integers(0, k, n)


@given(logits_and_labels(), st.floats(0.0, 0.9))
def test_label_smoothing_is_torchs(drawn: tuple[Array, Array], smoothing: float) -> None:
    z, labels = drawn
    tensor = torch.tensor(z, requires_grad=True)
    expected = torch.nn.functional.cross_entropy(tensor, torch.tensor(labels), label_smoothing=smoothing)
    expected.backward()  # type: ignore[no-untyped-call] # torch ships it unannotated
    loss = smoothed_cross_entropy(smoothing)
    value, delta = smoothed_cross_entropy_bounds(z)
    np.testing.assert_allclose(loss.value(z, labels), expected.item(), rtol=0, atol=value)
    found = loss.delta(z, labels, np.empty_like(z))
    np.testing.assert_allclose(found, np.asarray(tensor.grad), rtol=0, atol=delta)


@given(logits_and_labels(), st.floats(0.0, 0.9))
def test_the_smoothed_delta_is_the_complex_steps(drawn: tuple[Array, Array], smoothing: float) -> None:
    z, labels = drawn
    loss, h = smoothed_cross_entropy(smoothing), 2.0**-60
    expected = np.empty_like(z)
    for index in np.ndindex(z.shape):
        moved = z.astype(np.complex128)
        moved[index] += 1j * h
        expected[index] = loss.value(moved, labels).imag / h
    _, delta = smoothed_cross_entropy_bounds(z)
    np.testing.assert_allclose(loss.delta(z, labels, np.empty_like(z)), expected, rtol=0, atol=delta)


@given(logits_and_labels())
def test_no_smoothing_is_the_plain_cross_entropy(drawn: tuple[Array, Array]) -> None:
    z, labels = drawn
    plain, smoothed = LOSS_FUNCTIONS["cross_entropy"], smoothed_cross_entropy(0.0)
    assert smoothed.value(z, labels) == plain.value(z, labels)
    np.testing.assert_array_equal(
        smoothed.delta(z, labels, np.empty_like(z)), plain.delta(z, labels, np.empty_like(z))
    )


@given(logits_and_labels(), st.floats(0.01, 0.9))
def test_the_smoothed_delta_of_an_example_sums_to_zero(drawn: tuple[Array, Array], smoothing: float) -> None:
    z, labels = drawn
    found = smoothed_cross_entropy(smoothing).delta(z, labels, np.empty_like(z))
    _, delta = smoothed_cross_entropy_bounds(z)
    np.testing.assert_allclose(found.sum(axis=1), 0.0, rtol=0, atol=z.shape[1] * delta)


def test_a_network_takes_the_smoothed_loss_and_keeps_it_in_another_dtype() -> None:
    case = random_case(Architecture((4, 6, 3)), "normal", 5, 3)
    network = Network(
        case.architecture, Parameters(case.architecture, case.flat.copy()), smoothed_cross_entropy(0.2)
    )
    assert network.astype(np.complex128).loss(case.x, case.targets) == network.loss(case.x, case.targets)
    assert network.loss(case.x, case.targets) != case.network().loss(case.x, case.targets)


@pytest.mark.parametrize("smoothing", [-0.1, 1.0, float("nan")])
def test_a_share_that_is_none_is_refused(smoothing: float) -> None:
    with pytest.raises(ValueError, match=r"^smoothing: expected a share"):
        smoothed_cross_entropy(smoothing)
