"""Training: every example once per epoch, with its own target, and the same run from the same seed."""

from dataclasses import fields, replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.architecture import Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import (
    Backprop,
    CentralDifference,
    Method,
    MethodName,
    gradient,
    method_named,
)
from backproof.scratch.initializers import initialize
from backproof.scratch.losses import LOSS_FUNCTIONS
from backproof.scratch.network import Network
from backproof.scratch.regularization import Dropout, smoothed_cross_entropy
from backproof.scratch.schedules import step_decay
from backproof.scratch.training import (
    STEP_PARTS,
    Epoch,
    EpochPlan,
    Recipe,
    TrainingStep,
    epoch_batches,
    fit,
    train,
)
from tests.support.strategies import Case, cases, random_case, short_last_batches

STILL = OptimizerSpec("sgd", learning_rate=0.0)
SETTINGS = Architecture((4, 5, 3), activation="tanh")


def a_problem(n: int = 23, architecture: Architecture = SETTINGS) -> tuple[Network, Array, Array]:
    case = random_case(architecture, "normal", n, seed=1)
    return case.network(), case.x, case.targets


@given(short_last_batches(), st.integers(0, 2**32 - 1))
def test_an_epoch_visits_every_example_exactly_once(sizes: tuple[int, int], seed: int) -> None:
    n_examples, batch_size = sizes
    batches = list(epoch_batches(n_examples, batch_size, np.random.default_rng(seed)))
    np.testing.assert_array_equal(np.sort(np.concatenate(batches)), np.arange(n_examples))


@given(short_last_batches())
def test_only_the_last_batch_is_short(sizes: tuple[int, int]) -> None:
    n_examples, batch_size = sizes
    lengths = [len(batch) for batch in epoch_batches(n_examples, batch_size, np.random.default_rng(0))]
    assert lengths == [batch_size] * (n_examples // batch_size) + [n_examples % batch_size]


def test_a_batch_size_above_the_number_of_examples_makes_one_batch() -> None:
    assert [len(batch) for batch in epoch_batches(3, 10, np.random.default_rng(0))] == [3]


@pytest.mark.parametrize("sizes", [(0, 1), (1, 0), (3, -1)])
def test_batches_of_nothing_are_refused(sizes: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="expected at least 1 each"):
        list(epoch_batches(*sizes, np.random.default_rng(0)))


@given(
    case=cases(families=("integer",), activations=("relu",), losses=("sum_of_squares",)),
    seed=st.integers(0, 99),
)
def test_every_example_keeps_its_own_target(case: Case, seed: int) -> None:
    # With a rate of zero the weights stay, and small integers make every loss exact.
    batches = list(epoch_batches(len(case.x), 2, np.random.default_rng(seed)))
    losses = train(case.network(), case.x, case.targets, batches, Recipe(STILL))
    expected = [case.network().loss(case.x[batch], case.targets[batch]) for batch in batches]
    np.testing.assert_array_equal(losses, expected)


def test_each_loss_is_taken_before_its_update() -> None:
    network, x, targets = a_problem()
    first = float(network.loss(x, targets))
    losses = train(network, x, targets, [np.arange(len(x))] * 2, Recipe(OptimizerSpec("sgd", 0.5)))
    assert losses[0] == first
    assert losses[1] < first


def test_one_step_of_plain_descent_goes_along_the_gradient() -> None:
    network, x, targets = a_problem()
    before = network.parameters.flat.copy()
    slope = gradient(network, x, targets)
    train(network, x, targets, [np.arange(len(x))], Recipe(OptimizerSpec("sgd", 0.25)))
    # The rate is a power of two: folding it into the backward pass rounds nothing.
    np.testing.assert_array_equal(network.parameters.flat, before - 0.25 * slope)


def test_the_optimizer_keeps_its_state_over_the_epochs_of_one_fit() -> None:
    spec = OptimizerSpec("sgd", 0.1, momentum=0.9)
    network, x, targets = a_problem()
    fit(network, x, targets, Recipe(spec), EpochPlan(3, 5, seed=7))
    rng = np.random.default_rng(7)
    batches = [batch for _ in range(3) for batch in epoch_batches(len(x), 5, rng)]
    by_hand, _, _ = a_problem()
    train(by_hand, x, targets, batches, Recipe(spec))
    np.testing.assert_array_equal(network.parameters.flat, by_hand.parameters.flat)


@pytest.mark.parametrize(
    "spec", [OptimizerSpec("sgd", 0.1), OptimizerSpec("adam", 0.01)], ids=lambda s: s.name
)
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_same_seed_gives_the_same_run_bit_for_bit(spec: OptimizerSpec, dtype: DtypeName) -> None:
    runs = []
    for _ in range(2):
        network, x, targets = a_problem(architecture=replace(SETTINGS, dtype=dtype))
        history = fit(network, x, targets, Recipe(spec), EpochPlan(2, 5, seed=3))
        runs.append((network.parameters.flat.tobytes(), history))
    assert runs[0] == runs[1]


def test_another_seed_shuffles_otherwise() -> None:
    found = []
    for seed in (0, 1):
        network, x, targets = a_problem()
        fit(network, x, targets, Recipe(), EpochPlan(1, 5, seed))
        found.append(network.parameters.flat)
    first, second = found
    assert not np.array_equal(first, second)


def test_every_epoch_is_shuffled_anew() -> None:
    rng = np.random.default_rng(0)
    first, second = (np.concatenate(list(epoch_batches(50, 7, rng))) for _ in range(2))
    assert not np.array_equal(first, second)


@given(sizes=short_last_batches(), epochs=st.integers(1, 3))
def test_the_callbacks_count_every_step_and_every_epoch(sizes: tuple[int, int], epochs: int) -> None:
    n_examples, batch_size = sizes
    network, x, targets = a_problem(n_examples)
    steps: list[int] = []
    seen: list[Epoch] = []
    history = fit(
        network, x, targets, Recipe(STILL), EpochPlan(epochs, batch_size, seed=0),
        on_step=lambda step, loss: steps.append(step), on_epoch=seen.append,
    )  # fmt: skip
    per_epoch = -(-n_examples // batch_size)
    assert steps == list(range(1, epochs * per_epoch + 1))
    assert [epoch.number for epoch in seen] == list(range(1, epochs + 1))
    assert seen == history


@given(sizes=short_last_batches())
def test_the_mean_loss_of_an_epoch_counts_every_example_alike(sizes: tuple[int, int]) -> None:
    n_examples, batch_size = sizes
    architecture = Architecture((2, 3, 2), loss="sum_of_squares")
    case = random_case(architecture, "integer", n_examples, seed=2)
    losses: list[float] = []
    rng = np.random.default_rng(5)
    lengths = [len(batch) for batch in epoch_batches(n_examples, batch_size, rng)]
    (epoch,) = fit(
        case.network(), case.x, case.targets, Recipe(STILL), EpochPlan(1, batch_size, seed=5),
        on_step=lambda step, loss: losses.append(loss),
    )  # fmt: skip
    # Integer losses times integer lengths: exact sums, one division.
    assert epoch.mean_loss == np.dot(losses, lengths) / n_examples


def test_a_callback_may_stop_the_run_and_what_was_learned_stays() -> None:
    class Enough(Exception):  # noqa: N818 - not an error
        pass

    def stop(step: int, loss: float) -> None:
        if step == 2:
            raise Enough

    network, x, targets = a_problem()
    with pytest.raises(Enough):
        fit(network, x, targets, Recipe(), EpochPlan(9, 5, seed=0), on_step=stop)
    two_steps, _, _ = a_problem()
    batches = list(epoch_batches(len(x), 5, np.random.default_rng(0)))[:2]
    train(two_steps, x, targets, batches, Recipe())
    np.testing.assert_array_equal(network.parameters.flat, two_steps.parameters.flat)


@pytest.mark.parametrize("method", ["forward_difference", "central_difference", "complex_step"])
def test_training_by_numerical_gradients_follows_backpropagation(method: MethodName) -> None:
    found = []
    methods: tuple[MethodName, ...] = ("backprop", method)
    for chosen in methods:
        network, x, targets = a_problem()
        recipe = Recipe(OptimizerSpec("sgd", 0.5), method_named(chosen))
        history = fit(network, x, targets, recipe, EpochPlan(2, 5, seed=0))
        found.append([epoch.mean_loss for epoch in history])
    # The worst of them, h/2 M2 + 2e/h at h = 1.5e-8, is off by 1e-7; ten steps of rate 0.5 along slopes of
    # about one, each amplifying what came before by no more than 1 + 0.5 M2 < 2, stay below 1e-7 * 2^10.
    np.testing.assert_allclose(found[0], found[1], rtol=0, atol=1e-4)


@pytest.mark.parametrize(("epochs", "batch_size"), [(0, 5), (1, 0)])
def test_a_plan_of_nothing_is_refused(epochs: int, batch_size: int) -> None:
    found = f"epochs and batch_size: expected at least 1 each, got {epochs} and {batch_size}"
    with pytest.raises(InputError, match=found):
        EpochPlan(epochs, batch_size, seed=0)


@pytest.mark.parametrize("share", [-0.1, 1.0, float("nan")])
def test_a_recipe_refuses_a_share_of_smoothing_that_is_none(share: float) -> None:
    with pytest.raises(InputError, match=r"^label_smoothing: expected a share in \[0, 1\)"):
        Recipe(label_smoothing=share)


def test_label_smoothing_of_another_loss_than_cross_entropy_is_refused() -> None:
    case = random_case(Architecture((3, 2), loss="mse"), "normal", 4, seed=0)
    with pytest.raises(
        InputError, match="label_smoothing: expected a network with loss cross_entropy, got mse"
    ):
        train(case.network(), case.x, case.targets, [np.arange(4)], Recipe(label_smoothing=0.1))


def test_label_smoothing_trains_on_the_smoothed_loss_and_leaves_the_networks_own() -> None:
    network, x, targets = a_problem()
    smoothed = Network(network.architecture, network.parameters, smoothed_cross_entropy(0.3))
    expected = float(smoothed.loss(x, targets))
    (found,) = train(network, x, targets, [np.arange(len(x))], Recipe(STILL, label_smoothing=0.3))
    assert found == expected
    assert network.loss_function is LOSS_FUNCTIONS["cross_entropy"]


def test_an_augmentation_changes_the_batch_and_not_the_data() -> None:
    network, x, targets = a_problem()
    kept = x.copy()

    def double(batch: Array) -> None:
        batch *= 2.0

    (found,) = train(network, x, targets, [np.arange(len(x))], Recipe(STILL, augmentation=double))
    assert found == float(network.loss(2.0 * x, targets))
    np.testing.assert_array_equal(x, kept)


def halve(batch: Array) -> None:
    batch *= 0.5


# Every part of a recipe, of its optimiser and of a plan, with another value than RECIPE and PLAN have.
ADAM = OptimizerSpec("adam", 0.01)
RECIPE, PLAN = Recipe(OptimizerSpec("sgd", 0.1)), EpochPlan(2, 5, seed=7)
PARTS: dict[str, Recipe] = {
    "optimizer": Recipe(ADAM),
    "method": Recipe(RECIPE.optimizer, Backprop(Dropout(0.5))),
    "schedule": Recipe(RECIPE.optimizer, schedule=step_decay(2)),
    "augmentation": Recipe(RECIPE.optimizer, augmentation=halve),
    "label_smoothing": Recipe(RECIPE.optimizer, label_smoothing=0.2),
}
CONSTANTS: dict[str, tuple[OptimizerSpec, OptimizerSpec]] = {
    "name": (RECIPE.optimizer, replace(RECIPE.optimizer, name="adam")),
    "learning_rate": (RECIPE.optimizer, OptimizerSpec("sgd", 0.2)),
    "momentum": (RECIPE.optimizer, OptimizerSpec("sgd", 0.1, momentum=0.9)),
    "nesterov": (
        OptimizerSpec("sgd", 0.1, momentum=0.9),
        OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True),
    ),
    "weight_decay": (RECIPE.optimizer, OptimizerSpec("sgd", 0.1, weight_decay=0.1)),
    "beta1": (ADAM, replace(ADAM, beta1=0.5)),
    "beta2": (ADAM, replace(ADAM, beta2=0.9)),
    "eps": (ADAM, replace(ADAM, eps=1e-2)),
}
PLANS = {
    "epochs": replace(PLAN, epochs=3),
    "batch_size": replace(PLAN, batch_size=6),
    "seed": EpochPlan(2, 5, 8),
}


def fitted(recipe: Recipe, plan: EpochPlan = PLAN) -> Array:
    network, x, targets = a_problem()
    fit(network, x, targets, recipe, plan)
    return network.parameters.flat


def trained(recipe: Recipe, plan: EpochPlan = PLAN) -> Array:
    """The same by `train`, on the batches that the plan's seed draws."""
    network, x, targets = a_problem()
    rng = np.random.default_rng(plan.seed)
    batches = [batch for _ in range(plan.epochs) for batch in epoch_batches(len(x), plan.batch_size, rng)]
    train(network, x, targets, batches, recipe)
    return network.parameters.flat


@pytest.mark.parametrize("part", PARTS)
def test_every_part_of_a_recipe_reaches_fit(part: str) -> None:
    recipe = PARTS[part]
    assert getattr(recipe, part) != getattr(RECIPE, part)
    assert not np.array_equal(fitted(recipe), fitted(RECIPE))
    np.testing.assert_array_equal(fitted(recipe), trained(recipe))


@pytest.mark.parametrize("constant", CONSTANTS)
def test_every_constant_of_an_optimizer_reaches_fit(constant: str) -> None:
    before, after = CONSTANTS[constant]
    assert replace(after, **{constant: getattr(before, constant)}) == before
    assert not np.array_equal(fitted(Recipe(before)), fitted(Recipe(after)))
    np.testing.assert_array_equal(fitted(Recipe(after)), trained(Recipe(after)))


@pytest.mark.parametrize("part", PLANS)
def test_every_part_of_a_plan_reaches_fit(part: str) -> None:
    assert not np.array_equal(fitted(RECIPE, PLANS[part]), fitted(RECIPE))
    np.testing.assert_array_equal(fitted(RECIPE, PLANS[part]), trained(RECIPE, PLANS[part]))


def test_no_part_is_forgotten_above() -> None:
    for cases_of, kind in ((PARTS, Recipe), (CONSTANTS, OptimizerSpec), (PLANS, EpochPlan)):
        assert set(cases_of) == {field.name for field in fields(kind)}


@pytest.mark.parametrize("method", [Backprop(), CentralDifference()])
def test_a_step_says_in_turn_which_of_its_parts_it_has_finished(method: Method) -> None:
    network, x, targets = a_problem()
    step = TrainingStep(network, x, targets, Recipe(STILL, method))
    seen: list[str] = []
    step(np.arange(5), seen.append)
    expected = list(STEP_PARTS) if isinstance(method, Backprop) else ["gather", "update"]
    assert seen == expected


def test_data_that_do_not_fit_are_refused_before_the_first_step() -> None:
    network, x, targets = a_problem()
    before = network.parameters.flat.copy()
    with pytest.raises(TypeError, match="integer labels"):
        fit(network, x, targets.astype(float), Recipe(), EpochPlan(1, 5, seed=0))
    np.testing.assert_array_equal(network.parameters.flat, before)


def test_the_data_are_left_as_they_were() -> None:
    network, x, targets = a_problem()
    kept = x.copy(), targets.copy()
    fit(network, x, targets, Recipe(), EpochPlan(1, 5, seed=0))
    np.testing.assert_array_equal(x, kept[0])
    np.testing.assert_array_equal(targets, kept[1])


def test_a_network_learns_exclusive_or() -> None:
    x = np.array([[0, 0], [0, 1], [1, 0], [1, 1]], float)
    labels = np.array([0, 1, 1, 0])
    architecture = Architecture((2, 8, 2), activation="tanh")
    network = Network(architecture, initialize(architecture, 0))
    fit(network, x, labels, Recipe(OptimizerSpec("adam", 0.05)), EpochPlan(300, 4, seed=0))
    np.testing.assert_array_equal(network.forward(x)[-1].argmax(axis=1), labels)
