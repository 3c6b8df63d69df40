"""What every contender does, scratch and frameworks alike; ``pytest --contender pkg.mod:Class`` asks yours.

A method that is absent or answers `NotOffered` is skipped, with the reason. Exact arithmetic where it can be
had: one linear layer with `sum_of_squares` on small integers and dyadic constants has no rounding in float64,
so a step of descent, momentum or weight decay is right or wrong, with nothing between.
"""

from collections.abc import Callable, Sequence
from fractions import Fraction
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.known import KNOWN
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_selections import any_selection
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    DtypeName,
    LossName,
    OptimizerSpec,
    Weights,
)
from tests.support.strategies import Case, random_case
from tests.support.tolerances import adam_bound, descent_bound

pytestmark = pytest.mark.contract

ARCHITECTURE = Architecture((6, 5, 4), "tanh")
DYADIC = Architecture((3, 2), loss="sum_of_squares")
BATCHES = [np.array([0, 3]), np.array([5, 1]), np.array([2])]  # the last is short
RULES = {
    "descent": OptimizerSpec("sgd", 2.0**-6),
    "momentum": OptimizerSpec("sgd", 2.0**-6, momentum=0.5),
    "nesterov": OptimizerSpec("sgd", 2.0**-6, momentum=0.5, nesterov=True),
    "weight decay": OptimizerSpec("sgd", 2.0**-6, weight_decay=0.25),
    "momentum and weight decay": OptimizerSpec("sgd", 2.0**-6, momentum=0.5, weight_decay=0.25),
}


class Asked:
    """A contender that skips the test, with the reason, where something is not offered."""

    def __init__(self, contender: Contender) -> None:
        self._contender = contender

    def __getattr__(self, name: str) -> Callable[..., Any]:
        method = getattr(self._contender, name, None)
        if method is None:
            pytest.skip(f"no {name}")

        def ask(*arguments: object, **keywords: object) -> object:
            try:
                return method(*arguments, **keywords)
            except NotOffered as reason:
                pytest.skip(f"{name} is not offered: {reason}")

        return ask


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "name" in metafunc.fixturenames:
        asked = metafunc.config.getoption("--contender")
        installed = [name for name, contender in KNOWN.items() if contender.installed]
        metafunc.parametrize("name", [asked] if asked else installed, scope="module")


@pytest.fixture(scope="module")
def contender(name: str) -> Any:
    return Asked(registry.here(name))


@pytest.fixture
def ours(request: pytest.FixtureRequest) -> None:
    if request.config.getoption("--contender"):
        pytest.skip("how bad input is refused is asked of the registered contenders alone")


def case_of(architecture: Architecture = ARCHITECTURE, batch: int = 6, seed: int = 0) -> Case:
    family = "integer" if architecture is DYADIC else "normal"
    return random_case(architecture, family, batch, seed)


def loaded(contender: Any, case: Case) -> Any:
    contender.load(case.architecture, case.weights)
    return contender


def flat(weights: Weights) -> Array:
    return np.concatenate([np.ravel(part) for pair in weights for part in pair])


def assert_within(found: Array, expected: Array, bound: Array) -> None:
    verdict = compare(np.asarray(found), expected, bound)
    assert verdict.outcome == Outcome.PASS, verdict


# --- forward and backward


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_logits_lie_within_the_rounding_bound(
    contender: Any, activation: ActivationName, dtype: DtypeName
) -> None:
    case = case_of(Architecture((6, 5, 5, 4), activation, dtype=dtype))
    expected = backprop_reference(case.architecture, case.weights, case.x, case.targets).logits
    assert_within(loaded(contender, case).logits(case.x), expected.value, expected.error)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_loss_and_gradient_lie_within_the_rounding_bound(
    contender: Any, loss: LossName, dtype: DtypeName
) -> None:
    case = case_of(Architecture((6, 5, 4), "relu", loss, dtype))
    expected = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    gradient = any_selection(expected.state) if expected.undecided else expected.gradient
    found_loss, found = loaded(contender, case).loss_and_gradient(case.x, case.targets)
    assert_within(np.asarray(found_loss), expected.loss.value, expected.loss.error)
    assert_within(flat(found), gradient.value, gradient.error)


def test_a_gradient_has_the_shapes_of_the_weights(contender: Any) -> None:
    case = case_of()
    _, gradient = loaded(contender, case).loss_and_gradient(case.x, case.targets)
    assert [(W.shape, b.shape) for W, b in gradient] == [(W.shape, b.shape) for W, b in case.weights]


def test_a_batch_of_one_is_a_batch(contender: Any) -> None:
    case = case_of(batch=1)
    expected = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    found_loss, _ = loaded(contender, case).loss_and_gradient(case.x, case.targets)
    assert_within(np.asarray(found_loss), expected.loss.value, expected.loss.error)


# --- weights


@pytest.mark.parametrize("dtype", DTYPES)
def test_weights_come_back_as_they_were_loaded(contender: Any, dtype: DtypeName) -> None:
    case = case_of(Architecture((6, 5, 4), dtype=dtype))
    np.testing.assert_array_equal(flat(loaded(contender, case).weights()), case.flat)


def test_loading_again_replaces_everything(contender: Any) -> None:
    loaded(contender, case_of(seed=1))
    case = case_of(Architecture((6, 3, 3, 4), "relu"), seed=2)
    np.testing.assert_array_equal(flat(loaded(contender, case).weights()), case.flat)


def test_loaded_weights_are_a_copy(contender: Any) -> None:
    case = case_of()
    given = [(weight.copy(), bias.copy()) for weight, bias in case.weights]
    contender.load(case.architecture, given)
    for weight, bias in given:
        weight += 1.0
        bias += 1.0
    np.testing.assert_array_equal(flat(contender.weights()), case.flat)


def test_returned_weights_belong_to_the_caller(contender: Any) -> None:
    case = case_of()
    for weight, bias in loaded(contender, case).weights():
        weight += 1.0
        bias += 1.0
    np.testing.assert_array_equal(flat(contender.weights()), case.flat)


def test_loss_and_gradient_leave_the_weights_alone(contender: Any) -> None:
    case = case_of()
    loaded(contender, case).loss_and_gradient(case.x, case.targets)
    np.testing.assert_array_equal(flat(contender.weights()), case.flat)


# --- ownership and layout of arrays


def test_logits_belong_to_the_caller(contender: Any) -> None:
    case = case_of()
    first = loaded(contender, case).logits(case.x)
    kept = first.copy()
    first += 1.0
    np.testing.assert_array_equal(contender.logits(case.x), kept)


def test_a_later_call_does_not_change_logits_returned_before(contender: Any) -> None:
    case = case_of()
    first = loaded(contender, case).logits(case.x)
    kept = first.copy()
    contender.logits(-case.x)
    np.testing.assert_array_equal(first, kept)


def test_a_later_call_does_not_change_a_gradient_returned_before(contender: Any) -> None:
    case = case_of()
    _, first = loaded(contender, case).loss_and_gradient(case.x, case.targets)
    kept = flat(first)
    contender.loss_and_gradient(-case.x, case.targets)
    np.testing.assert_array_equal(flat(first), kept)


def strided(array: Array) -> Array:
    return np.repeat(array, 2, axis=0)[::2]


@pytest.mark.parametrize("layout", [np.asfortranarray, strided, np.copy])
def test_the_layout_of_the_inputs_changes_nothing(contender: Any, layout: Callable[[Array], Array]) -> None:
    case = case_of()
    expected = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    _, found = loaded(contender, case).loss_and_gradient(layout(case.x), layout(case.targets))
    assert_within(flat(found), expected.gradient.value, expected.gradient.error)


def test_given_arrays_are_not_written_to(contender: Any) -> None:
    case = case_of(DYADIC)
    x, targets, batches = case.x.copy(), case.targets.copy(), [batch.copy() for batch in BATCHES]
    loaded(contender, case).train(x, targets, batches, RULES["descent"])
    np.testing.assert_array_equal(x, case.x)
    np.testing.assert_array_equal(targets, case.targets)
    for found, expected in zip(batches, BATCHES, strict=True):
        np.testing.assert_array_equal(found, expected)


def test_read_only_arrays_can_be_trained_on(contender: Any) -> None:
    case = case_of(Architecture((6, 5, 3), "tanh"))
    assert not case.x.flags.writeable
    frozen = [np.arange(6)]
    frozen[0].flags.writeable = False
    targets = np.array([0, 1, 2, 0, 1, 2])  # every class: scikit-learn asks for it
    targets.flags.writeable = False
    assert len(loaded(contender, case).train(case.x, targets, frozen, OptimizerSpec("sgd", 0.5))) == 1


# --- training


def by_fractions(case: Case, batches: Sequence[Array], spec: OptimizerSpec) -> list[Fraction]:
    """The flat vector after descent on sum (x W + b - t)^2, in exact arithmetic, by the definitions."""
    n_in, n_out = case.architecture.layer_sizes
    theta = [Fraction(float(value)) for value in case.flat]
    velocity: list[Fraction] | None = None
    rate, mu, decay = (Fraction(value) for value in (spec.learning_rate, spec.momentum, spec.weight_decay))
    for batch in batches:
        gradient = [decay * value for value in theta]
        for row in batch:
            x = [*(Fraction(float(value)) for value in case.x[row]), Fraction(1)]
            for k in range(n_out):
                delta = 2 * (
                    sum(x[i] * theta[i * n_out + k] for i in range(n_in + 1))
                    - Fraction(float(case.targets[row, k]))
                )
                for i in range(n_in + 1):
                    gradient[i * n_out + k] += x[i] * delta
        velocity = (
            gradient if velocity is None else [mu * v + g for v, g in zip(velocity, gradient, strict=True)]
        )
        ahead = [g + mu * v for g, v in zip(gradient, velocity, strict=True)] if spec.nesterov else velocity
        theta = [value - rate * step for value, step in zip(theta, ahead, strict=True)]
    return theta


@pytest.mark.parametrize("rule", RULES)
def test_three_steps_are_exact_where_arithmetic_is(contender: Any, rule: str) -> None:
    case = case_of(DYADIC)
    loaded(contender, case).train(case.x, case.targets, BATCHES, RULES[rule])
    expected = [float(value) for value in by_fractions(case, BATCHES, RULES[rule])]
    np.testing.assert_array_equal(flat(contender.weights()), expected)


def test_adam_takes_the_steps_of_its_definition(contender: Any) -> None:
    case, spec = case_of(DYADIC), OptimizerSpec("adam", 2.0**-6, eps=0.5)
    loaded(contender, case).train(case.x, case.targets, BATCHES, spec)
    x = np.hstack([case.x, np.ones((len(case.x), 1))]).astype(np.longdouble)
    theta = case.flat.astype(np.longdouble).reshape(4, 2)
    m = v = moment = np.longdouble(0.0)
    for t, batch in enumerate(BATCHES, start=1):
        g = 2 * x[batch].T @ (x[batch] @ theta - case.targets[batch])
        m, v = spec.beta1 * m + (1 - spec.beta1) * g, spec.beta2 * v + (1 - spec.beta2) * g * g
        m_hat, v_hat = m / (1 - np.longdouble(spec.beta1) ** t), v / (1 - np.longdouble(spec.beta2) ** t)
        theta = theta - spec.learning_rate * m_hat / (np.sqrt(v_hat) + spec.eps)
        moment = max(moment, np.abs(m_hat).max(), np.abs(g).max())
    bound = adam_bound(spec.learning_rate, spec.eps, x.astype(float), case.flat, float(moment), len(BATCHES))
    found = flat(contender.weights())
    assert_within(found, theta.astype(float).ravel(), np.full(found.shape, bound))


@pytest.mark.parametrize("dtype", DTYPES)
def test_one_step_of_descent_moves_against_the_gradient(contender: Any, dtype: DtypeName) -> None:
    drawn, rate = case_of(Architecture((6, 5, 3), "tanh", dtype=dtype)), 0.125
    case = Case(drawn.architecture, drawn.family, drawn.flat, drawn.x, np.array([0, 1, 2, 0, 1, 2]))
    expected = backprop_reference(case.architecture, case.weights, case.x, case.targets).gradient
    loaded(contender, case).train(case.x, case.targets, [np.arange(6)], OptimizerSpec("sgd", rate))
    target = case.flat.astype(float) - rate * expected.value
    assert_within(flat(contender.weights()), target, descent_bound(case, rate, expected.error))


def test_train_returns_the_loss_of_each_step_before_its_update(contender: Any) -> None:
    case = case_of(DYADIC)
    losses = loaded(contender, case).train(case.x, case.targets, BATCHES, RULES["momentum"])
    expected = []
    for number, batch in enumerate(BATCHES):
        theta = np.array([float(v) for v in by_fractions(case, BATCHES[:number], RULES["momentum"])])
        z = case.x[batch] @ theta[:6].reshape(3, 2) + theta[6:]
        expected.append(float(((z - case.targets[batch]) ** 2).sum()))
    np.testing.assert_array_equal(losses, expected)


def test_each_call_of_train_starts_with_a_fresh_optimiser(contender: Any) -> None:
    case = case_of(DYADIC)
    loaded(contender, case)
    for batch in BATCHES:  # the first step of momentum is one of plain descent
        contender.train(case.x, case.targets, [batch], RULES["momentum"])
    expected = [float(value) for value in by_fractions(case, BATCHES, RULES["descent"])]
    np.testing.assert_array_equal(flat(contender.weights()), expected)


def test_training_the_same_twice_gives_the_same_bits(contender: Any) -> None:
    case, found = case_of(DYADIC), []
    for _ in range(2):
        loaded(contender, case).train(case.x, case.targets, BATCHES, OptimizerSpec("adam", 0.1))
        found.append(flat(contender.weights()))
    np.testing.assert_array_equal(found[0], found[1])


# --- checkpoints


def test_checkpoints_see_the_weights_of_their_moment(contender: Any) -> None:
    case, seen = case_of(DYADIC), {}

    def look(step: int) -> Callable[[], None]:
        return lambda: seen.update({step: flat(contender.weights())})

    steps = {step: look(step) for step in (0, 1, 3)}
    loaded(contender, case).train(case.x, case.targets, BATCHES, RULES["momentum"], steps)
    assert list(seen) == [0, 1, 3]
    for step, found in seen.items():
        expected = [float(value) for value in by_fractions(case, BATCHES[:step], RULES["momentum"])]
        np.testing.assert_array_equal(found, expected)


def test_evaluating_at_a_checkpoint_does_not_disturb_training(contender: Any) -> None:
    case = case_of(DYADIC)
    evaluate = {1: lambda: contender.logits(case.x), 2: lambda: contender.logits(case.x[:1])}
    loaded(contender, case).train(case.x, case.targets, BATCHES, RULES["momentum"], evaluate)
    expected = [float(value) for value in by_fractions(case, BATCHES, RULES["momentum"])]
    np.testing.assert_array_equal(flat(contender.weights()), expected)


class Stopped(Exception):  # noqa: N818 - a decision, not an error
    pass


def test_a_checkpoint_may_stop_training_and_what_was_learned_stays(contender: Any) -> None:
    case = case_of(DYADIC)

    def stop() -> None:
        raise Stopped

    with pytest.raises(Stopped):
        loaded(contender, case).train(case.x, case.targets, BATCHES, RULES["descent"], {2: stop})
    expected = [float(value) for value in by_fractions(case, BATCHES[:2], RULES["descent"])]
    np.testing.assert_array_equal(flat(contender.weights()), expected)


# --- bad input


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize(
    "spoil",
    [
        lambda x, labels: (np.where(np.arange(6) == 3, np.nan, x), labels),
        lambda x, labels: (x[:, :5], labels),
        lambda x, labels: (x[:0], labels[:0]),
        lambda x, labels: (x, labels + 1),
        lambda x, labels: (x, labels[:3]),
    ],
    ids=["NaN", "a feature short", "empty batch", "label out of range", "labels missing"],
)
def test_bad_input_is_refused_with_a_sentence(
    contender: Any, spoil: Callable[..., tuple[Array, Array]]
) -> None:
    case = case_of(Architecture((6, 5, 3)))
    x, labels = spoil(case.x, np.array([0, 1, 2, 0, 1, 2]))
    with pytest.raises(ValueError, match=r"^(x|targets): expected"):
        loaded(contender, case).train(x, labels, [np.arange(6)], OptimizerSpec())


@pytest.mark.usefixtures("ours")
@pytest.mark.parametrize("rows", [[6], [-1], []])
def test_batches_of_rows_that_are_not_there_are_refused(contender: Any, rows: list[int]) -> None:
    case = case_of(Architecture((6, 5, 3)))
    with pytest.raises(ValueError, match=r"^batches\[0\]: expected"):
        loaded(contender, case).train(
            case.x, np.array([0, 1, 2, 0, 1, 2]), [np.array(rows, int)], OptimizerSpec()
        )


@pytest.mark.usefixtures("ours")
def test_weights_of_another_network_are_refused(contender: Any) -> None:
    with pytest.raises(ValueError, match="W1: expected shape"):
        contender.load(Architecture((7, 5, 4)), case_of().weights)
