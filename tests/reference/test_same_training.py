"""Scratch and torch train alike: `==` where arithmetic is exact, else as close as torch is to itself."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.data.dataset import Dataset, load
from backproof.reference.contender import Contender
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.initializers import initialize
from backproof.scratch.training import epoch_batches
from tests.support.strategies import Case, cases, layer_sizes

STEPS = 100
EXAMPLES = STEPS * 100  # no example is needed twice; all of MNIST in float64 would be 376 MB
SPECS = (OptimizerSpec("sgd", 0.1, momentum=0.9), OptimizerSpec("adam", 0.001))
# How much farther from torch scratch may be than torch from itself with the rows of each batch reordered:
# both differ by rounding alone, but one pair may be luckier than the other.
ALLOWED_RATIO = 10.0


# --- exact arithmetic: no rounding anywhere, so nothing but the right formulas can give equal numbers


def by_integers(case: Case) -> tuple[int, list[tuple[Array, Array]]]:
    """Loss and gradient of sum_of_squares with relu, in Python's unbounded integers."""
    layers = [(W.astype(int).astype(object), b.astype(int).astype(object)) for W, b in case.weights]
    activations = [case.x.astype(int).astype(object)]
    for number, (W, b) in enumerate(layers):
        z = activations[-1] @ W + b
        activations.append(z if number == len(layers) - 1 else np.where(z > 0, z, 0))
    difference = activations[-1] - case.targets.astype(int).astype(object)
    loss, delta, gradient = (difference**2).sum(), 2 * difference, []
    for a, (W, _) in zip(reversed(activations[:-1]), reversed(layers), strict=True):
        gradient.append((a.T @ delta, delta.sum(axis=0)))
        delta = (delta @ W.T) * (a > 0)
    return int(loss), gradient[::-1]


def integer_cases(dtype: str, max_layers: int) -> st.SearchStrategy[Case]:
    """Weights up to 2, inputs up to 3, widths up to 5: every partial sum fits the significand of `dtype`."""
    small = cases(
        families=("integer",), activations=("relu",), losses=("sum_of_squares",), dtypes=(dtype,),
        sizes=layer_sizes(max_layers=max_layers),
    )  # fmt: skip
    # A dead unit's bias of -10,000 is too large for float32 where that unit is an output.
    return small.filter(lambda case: dtype == "float64" or np.abs(case.flat).max() <= 2)


# float32 holds integers up to 2^24: two layers stay below 5 * 5 * (2 * 2 * 325 * 3) < 2^17.
exact_cases = st.one_of(integer_cases("float64", 4), integer_cases("float32", 2))


def loaded(contender: Contender, case: Case) -> Contender:
    contender.load(case.architecture, case.weights)
    return contender


@pytest.mark.parametrize("contender", [ScratchMLP, TorchMLP])
@given(case=exact_cases)
def test_on_small_integers_the_loss_is_exact(contender: type[Contender], case: Case) -> None:
    loss, _ = loaded(contender(), case).loss_and_gradient(case.x, case.targets)
    assert loss == by_integers(case)[0]


@pytest.mark.parametrize("contender", [ScratchMLP, TorchMLP])
@given(case=exact_cases)
def test_on_small_integers_every_gradient_is_exact(contender: type[Contender], case: Case) -> None:
    _, gradient = loaded(contender(), case).loss_and_gradient(case.x, case.targets)
    for found, expected in zip(gradient, by_integers(case)[1], strict=True):
        np.testing.assert_array_equal(found[0], expected[0].astype(case.flat.dtype))
        np.testing.assert_array_equal(found[1], expected[1].astype(case.flat.dtype))


@given(case=integer_cases("float64", 2))
def test_on_small_integers_a_step_of_descent_is_exact(case: Case) -> None:
    # A power of two as the rate: scratch may fold it in anywhere without rounding.
    spec, batches = OptimizerSpec("sgd", 2.0**-8), [np.arange(len(case.x))]
    after = []
    for contender in (ScratchMLP(), TorchMLP()):
        loaded(contender, case).train(case.x, case.targets, batches, spec)
        after.append(contender.weights())
    for ours, theirs in zip(*after, strict=True):
        np.testing.assert_array_equal(ours[0], theirs[0])
        np.testing.assert_array_equal(ours[1], theirs[1])


# --- the float64 trajectory over a hundred steps of real training


def distance(left: Weights, right: Weights) -> float:
    """The largest difference of two sets of weights, per tensor on the scale of that tensor."""
    pairs = zip((a for layer in left for a in layer), (b for layer in right for b in layer), strict=True)
    return max(float(np.abs(a - b).max() / np.abs(b).max()) for a, b in pairs)


def trained(contender: Contender, dataset: Dataset, batches: list[Array], spec: OptimizerSpec) -> Weights:
    architecture = Architecture((dataset.n_features, 32, 10), dtype="float64")
    contender.load(architecture, initialize(architecture, 0).weights())
    contender.train(dataset.train_images[:EXAMPLES], dataset.train_labels[:EXAMPLES], batches, spec)
    return contender.weights()


def distances(dataset: Dataset, spec: OptimizerSpec, ours: OptimizerSpec) -> tuple[float, float]:
    """How far scratch, trained with `ours`, ends from torch; and torch from itself, rows reordered."""
    rng = np.random.default_rng(0)
    n = min(len(dataset.train_labels), EXAMPLES)
    epochs = -(-STEPS * 100 // n)
    batches = [batch for _ in range(epochs) for batch in epoch_batches(n, 100, rng)][:STEPS]
    reordered = [rng.permutation(batch) for batch in batches]
    torchs = trained(TorchMLP(), dataset, batches, spec)
    control = distance(trained(TorchMLP(), dataset, reordered, spec), torchs)
    return distance(trained(ScratchMLP(), dataset, batches, ours), torchs), control


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_hundred_steps_on_the_digits_end_where_torch_ends(spec: OptimizerSpec) -> None:
    found, control = distances(load("digits"), spec, spec)
    assert found <= ALLOWED_RATIO * control


@pytest.mark.mnist
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: spec.name)
def test_a_hundred_steps_on_mnist_end_where_torch_ends(spec: OptimizerSpec) -> None:
    found, control = distances(load("mnist"), spec, spec)
    assert found <= ALLOWED_RATIO * control


def test_a_rate_that_is_wrong_in_the_tenth_digit_is_seen() -> None:
    wrong = OptimizerSpec("sgd", 0.1 + 1e-11, momentum=0.9)
    found, control = distances(load("digits"), SPECS[0], wrong)
    assert found > ALLOWED_RATIO * control


def test_the_weights_compared_are_far_from_the_first_ones() -> None:
    # The trajectories would agree as well if nobody moved.
    dataset = load("digits")
    first = initialize(Architecture((64, 32, 10)), 0).weights()
    learned = trained(ScratchMLP(), dataset, [np.arange(100)] * 20, SPECS[0])
    assert distance(first, learned) > 0.1
