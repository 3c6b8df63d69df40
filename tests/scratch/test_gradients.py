"""Every method of METHODS against backpropagation, inside its own derived bound, on every strategy."""

import re
from collections.abc import Callable
from inspect import signature
from typing import Any

import numpy as np
import pytest
from hypothesis import event, example, given

from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.reference import textbook
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    Array,
    DtypeName,
    LossName,
)
from backproof.scratch.differences import CENTRAL, SCHEMES, ridders, step_sizes
from backproof.scratch.gradients import (
    EVALUATIONS,
    METHODS,
    Backprop,
    CentralDifference,
    ComplexStep,
    FivePoint,
    ForwardDifference,
    Method,
    MethodName,
    Richardson,
    UnitwiseDifference,
    gradient,
    loss_function,
    method_named,
)
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from backproof.scratch.regularization import Dropout
from tests.support.quotient_bounds import difference_bound, unitwise_bound
from tests.support.stencils import evaluation_noise, kinks_within, pre_activations
from tests.support.strategies import Case, cases, layouts, random_case
from tests.support.tolerances import backprop_bound

REAL_SCHEMES = [name for name, scheme in SCHEMES.items() if not scheme.is_complex]
WIDTH = 4


def assert_passes(case: Case, found: Array, expected: Array, bound: Array) -> None:
    verdict = compare(found, expected, bound, case.architecture.parameter_name)
    assert verdict.outcome == Outcome.PASS, verdict


def by_richardson(case: Case, step: float = 0.125) -> tuple[Array, Array]:
    reach = step * np.maximum(1.0, np.abs(case.flat.astype(float)))
    noise = evaluation_noise(case, reach)
    return Richardson(step=step, noise=noise).with_estimate(case.network(), case.x, case.targets)


# An exact kink at the point itself: z = 0 with relu'(0) = 0, where a central difference finds half the slope.
KINK = Case(
    architecture=Architecture((1, 1, 1), "relu", "mse"),
    family="integer",
    flat=np.array([1.0, 0.0, 1.0, 0.0]),
    x=np.zeros((1, 1)),
    targets=np.ones((1, 1)),
)


@pytest.mark.parametrize("method", REAL_SCHEMES)
@pytest.mark.parametrize("evaluation", EVALUATIONS)
@given(cases(dtypes=DTYPES))
@example(KINK)
def test_a_difference_scheme_agrees_with_backprop_within_its_derived_bound(
    method: MethodName, evaluation: str, case: Case
) -> None:
    backprop = backprop_bound(case)
    steps = step_sizes(case.flat, SCHEMES[method])
    bound = difference_bound(case, SCHEMES[method], steps) + backprop.bound
    found = gradient(case.network(), case.x, case.targets, method, evaluation=evaluation)
    assert_passes(case, found, backprop.gradient, bound)


@given(cases(dtypes=DTYPES))
@example(KINK)
def test_unitwise_differences_agree_with_backprop_within_their_derived_bound(case: Case) -> None:
    backprop = backprop_bound(case)
    steps = [step_sizes(z.astype(case.flat.dtype), CENTRAL) for z in pre_activations(case)]
    bound = unitwise_bound(case, CENTRAL, steps) + backprop.bound
    found = gradient(case.network(), case.x, case.targets, "unitwise_difference")
    assert_passes(case, found, backprop.gradient, bound)


@pytest.mark.parametrize("evaluation", EVALUATIONS)
@given(cases())
@example(KINK)
def test_the_complex_step_agrees_with_backprop_within_rounding(evaluation: str, case: Case) -> None:
    backprop = backprop_bound(case)
    bound = backprop.bound + complex_step_bound(case.architecture, case.weights, case.x, case.targets)
    found = gradient(case.network(), case.x, case.targets, "complex_step", evaluation=evaluation)
    assert_passes(case, found, backprop.gradient, bound)


@given(cases(dtypes=("float32",)))
@example(KINK.astype("float32"))
def test_the_complex_step_of_a_float32_network_is_taken_in_double_precision(case: Case) -> None:
    # The same weights in float64: the result may differ by its rounding to float32 alone.
    shadow = case.astype("float64")
    expected = gradient(shadow.network(), shadow.x, shadow.targets, "complex_step")
    found = gradient(case.network(), case.x, case.targets, "complex_step")
    np.testing.assert_array_equal(found, expected.astype(np.float32))


@given(cases())
@example(KINK)
def test_backprop_is_within_its_own_bound(case: Case) -> None:
    backprop = backprop_bound(case)
    assert_passes(case, gradient(case.network(), case.x, case.targets), backprop.gradient, backprop.bound)


@pytest.mark.parametrize("family", ["normal", "sparse"])
def test_complex_step_and_backprop_agree_to_1e_14_where_nothing_cancels(family: str) -> None:
    errors = []
    for seed in range(150):
        rng = np.random.default_rng(seed)
        architecture = Architecture(
            (4, *(int(n) for n in rng.integers(2, 6, rng.integers(0, 3))), 3),
            ACTIVATIONS[seed % 4],
            LOSSES[seed // 4 % 4],
        )
        case = random_case(architecture, family, 4, seed)
        network = case.network()
        analytic = Parameters(architecture, gradient(network, case.x, case.targets))
        numeric = Parameters(architecture, gradient(network, case.x, case.targets, "complex_step"))
        for pair in zip(analytic.layers, numeric.layers, strict=True):
            errors += [np.abs(a - b).max() / np.abs(a).max() for a, b in zip(*pair, strict=True) if a.any()]
    assert len(errors) > 300
    # Relative to the largest entry of its tensor; a mean over few examples may cancel by chance.
    assert np.quantile(errors, 0.99) <= 1e-14
    assert np.median(errors) <= 1e-15


@pytest.mark.parametrize("activation", ["identity", "sigmoid", "tanh"])
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(6))
def test_richardsons_estimate_covers_its_distance_to_backprop(
    activation: ActivationName, loss: LossName, seed: int
) -> None:
    case = random_case(Architecture((3, 4, 3, 2), activation, loss), "normal", 3, seed)
    found, estimate = by_richardson(case)
    backprop = backprop_bound(case)
    assert_passes(case, found, backprop.gradient, estimate + backprop.bound)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("seed", range(6))
def test_richardsons_estimate_covers_its_distance_to_backprop_within_a_linear_piece(
    loss: LossName, seed: int
) -> None:
    case = random_case(Architecture((3, 4, 3, 2), "relu", loss), "normal", 3, seed)
    step = 2.0**-6
    found, estimate = by_richardson(case, step)
    # An estimate, not a bound: it cannot know of a kink closer by than its smallest step.
    smooth = ~kinks_within(case, step * np.maximum(1.0, np.abs(case.flat)) * (1 + 2.0**-20))
    assert smooth.mean() > 0.3
    backprop = backprop_bound(case)
    bound = estimate + backprop.bound
    assert compare(found[smooth], backprop.gradient[smooth], bound[smooth]).outcome == Outcome.PASS


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("n_layers", [1, 2, 3])
@pytest.mark.parametrize("dtype", DTYPES)
def test_backprop_of_every_activation_loss_and_depth_agrees_with_central_differences(
    activation: ActivationName, loss: LossName, n_layers: int, dtype: DtypeName
) -> None:
    architecture = Architecture((3, *(WIDTH,) * (n_layers - 1), 2), activation, loss, dtype)
    case = random_case(architecture, "normal", 5, seed=n_layers)
    # float32 is judged in float64: the same weights, and the bound of a float32 backpropagation.
    shadow = case.astype("float64")
    steps = step_sizes(shadow.flat, CENTRAL)
    expected = gradient(shadow.network(), shadow.x, shadow.targets, "central_difference")
    bound = difference_bound(shadow, CENTRAL, steps) + backprop_bound(case).bound
    found = gradient(case.network(), case.x, case.targets)
    assert_passes(case, found, expected, bound)
    # And the bound sees a thousandth of the gradient's largest entry.
    wrong = found.copy()
    wrong[np.argmax(np.abs(found))] *= 1.001
    assert compare(wrong, expected, bound).outcome == Outcome.FAIL


@given(cases(dtypes=("float64",), max_batch=3))
@example(KINK)
def test_naive_central_differences_are_the_textbooks_in_extended_precision_but_for_rounding(
    case: Case,
) -> None:
    steps = step_sizes(case.flat, CENTRAL)
    found = gradient(case.network(), case.x, case.targets, "central_difference")
    expected = textbook.central_difference(case.architecture, case.flat, case.x, case.targets, steps)
    # Same quotient: truncation is the same, what is left is A e / h of both.
    noise = evaluation_noise(case, steps * (1 + 2.0**-20))
    bound = 2 * CENTRAL.amplification * noise / steps + 4 * np.finfo(float).eps * np.abs(
        expected.astype(float)
    )
    assert_passes(case, found, expected, bound)


@given(cases(families=("normal", "wide", "saturated")))
def test_backprop_agrees_with_the_textbooks_complex_step_in_extended_precision(case: Case) -> None:
    backprop = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    if backprop.undecided:
        event("a relu's sign is a matter of rounding")
        return
    expected = textbook.complex_step(case.architecture, case.flat, case.x, case.targets)
    found = gradient(case.network(), case.x, case.targets)
    assert_passes(case, found, expected, backprop.gradient.error * (1 + textbook.EPS))


@given(cases(dtypes=DTYPES))
def test_the_loss_is_the_textbooks_within_its_bound(case: Case) -> None:
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    found = case.network().loss(case.x, case.targets)
    expected = textbook.loss(case.architecture, case.flat, case.x, case.targets)
    verdict = compare(np.array([found]), np.array([expected]), reference.loss.error)
    assert verdict.outcome == Outcome.PASS, verdict


@pytest.mark.parametrize("method", METHODS)
@given(cases(dtypes=DTYPES, max_batch=3))
def test_the_network_stays_as_it_was_and_the_result_is_the_callers(method: MethodName, case: Case) -> None:
    network = case.network()
    before = network.parameters.flat.tobytes()
    with np.errstate(all="ignore"):  # Richardson's first steps are long: saturated losses overflow in float32
        first = gradient(network, case.x, case.targets, method)
        kept = first.copy()
        second = gradient(network, case.x, case.targets, method)
    assert network.parameters.flat.tobytes() == before
    np.testing.assert_array_equal(first, kept)
    np.testing.assert_array_equal(first, second)
    assert not np.shares_memory(first, second)
    assert not np.shares_memory(first, network.parameters.flat)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_the_gradient_has_the_networks_dtype(method: MethodName, dtype: DtypeName) -> None:
    case = random_case(Architecture((2, 3, 2), dtype=dtype), "normal", 2, 0)
    assert gradient(case.network(), case.x, case.targets, method).dtype == dtype


@pytest.mark.parametrize("method", METHODS)
@given(cases(max_batch=3, families=("normal", "integer")), layouts())
def test_memory_layout_and_read_only_inputs_change_nothing(
    method: MethodName, case: Case, layout: Callable[[Array], Array]
) -> None:
    network = case.network()
    expected = gradient(network, case.x, case.targets, method)
    found = gradient(network, layout(case.x), layout(case.targets), method)
    np.testing.assert_array_equal(found, expected)


def test_a_step_is_relative_to_the_parameter_and_replaces_the_optimum() -> None:
    case = random_case(Architecture((2, 3, 2), "tanh"), "normal", 2, 0)
    network = case.network()
    coarse = gradient(network, case.x, case.targets, "central_difference", step=0.1)
    fine = gradient(network, case.x, case.targets, "central_difference")
    exact = gradient(network, case.x, case.targets)
    assert np.abs(coarse - exact).max() > 1e4 * np.abs(fine - exact).max()


def test_richardson_returns_its_error_estimate_beside_the_gradient_that_the_method_gives() -> None:
    case = random_case(Architecture((2, 3, 2), "tanh"), "normal", 2, 0)
    network = case.network()
    found, estimate = Richardson().with_estimate(network, case.x, case.targets)
    np.testing.assert_array_equal(found, gradient(network, case.x, case.targets, "richardson"))
    assert estimate.shape == found.shape
    assert (estimate > 0).all()


def test_the_loss_function_is_pure() -> None:
    case = random_case(Architecture((2, 3, 2), "tanh"), "normal", 2, 0)
    network = case.network()
    f = loss_function(network, case.x, case.targets, np.float64)
    first = f(case.flat)
    f(case.flat + 1.0)
    assert f(case.flat) == first == network.loss(case.x, case.targets)


@pytest.mark.parametrize(
    ("method", "options", "error", "message"),
    [
        ("backpropagation", {}, ValueError, "method: expected one of backprop, .* got 'backpropagation'"),
        ("backprop", {"step": 1e-5}, TypeError, "step: no option of backprop, which takes dropout"),
        ("central_difference", {"rows": 3}, TypeError, "rows: no option of central_difference"),
        ("central_difference", {"evaluation": "fast"}, ValueError, "evaluation: expected one of naive"),
        ("five_point", {"step": -1.0}, ValueError, "step: expected a finite number > 0"),
        ("richardson", {"rows": 1}, ValueError, "rows: expected an integer >= 2"),
        ("unitwise_difference", {"memory": 10}, TypeError, "memory: no option of unitwise_difference"),
    ],
)  # fmt: skip
def test_bad_methods_and_options_are_refused_in_a_sentence(
    method: MethodName, options: dict[str, Any], error: type[Exception], message: str
) -> None:
    case = random_case(Architecture((2, 3, 2)), "normal", 2, 0)
    with pytest.raises(error, match=message):
        gradient(case.network(), case.x, case.targets, method, **options)


@pytest.mark.parametrize(
    ("x", "targets", "error", "message"),
    [
        (np.ones((2, 3)), np.array([0, 1]), ValueError, "x: expected shape (batch >= 1, 2), got (2, 3)"),
        (np.full((2, 2), np.nan), np.array([0, 1]), ValueError, "x: expected finite numbers"),
        (np.ones((2, 2)), np.array([0, 2]), ValueError, "targets: expected labels 0 .. 1, found 0 .. 2"),
        (np.ones((2, 2)), np.array([0.0, 1.0]), TypeError, "targets: expected integer labels"),
        (np.ones((0, 2)), np.zeros(0, int), ValueError, "x: expected shape"),
    ],
)
def test_bad_batches_are_refused_in_a_sentence(
    x: Array, targets: Array, error: type[Exception], message: str
) -> None:
    network = random_case(Architecture((2, 3, 2)), "normal", 2, 0).network()
    with pytest.raises(error, match=re.escape(message)):
        gradient(network, x, targets)


def test_a_longdouble_network_is_differenced_in_extended_precision() -> None:
    case = random_case(Architecture((2, 3, 2), "tanh"), "normal", 2, 0)
    network: Network = case.network().astype(np.longdouble)
    steps = step_sizes(network.parameters.flat, CENTRAL)
    found = gradient(network, case.x, case.targets, "central_difference")
    exact = textbook.complex_step(case.architecture, case.flat, case.x, case.targets)
    assert found.dtype == np.longdouble
    # truncation and rounding fall together as eps^(2/3)
    assert np.abs(found - exact).max() < 100 * float(steps.max()) ** 2


def test_richardson_extrapolates_central_differences_at_halved_steps() -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 5, seed=2)
    network, theta = case.network(), case.flat.astype(float)
    steps = np.array([step_sizes(theta, CENTRAL, step) for step in (0.5, 0.25, 0.125)])
    quotients = [gradient(network, case.x, case.targets, CentralDifference(step=h)) for h in steps]
    expected = ridders(np.array(quotients), steps, noise=1e-15)
    found = Richardson(step=0.5, rows=3, noise=1e-15).with_estimate(network, case.x, case.targets)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize("dtype", DTYPES)
def test_richardsons_noise_is_by_default_a_rounding_of_the_loss_in_the_networks_dtype(
    dtype: DtypeName,
) -> None:
    case = random_case(Architecture((3, 4, 2), "tanh", dtype=dtype), "normal", 5, seed=2)
    network = case.network()
    noise = float(np.finfo(dtype).eps * network.loss(case.x, case.targets))
    expected = Richardson(noise=noise).with_estimate(network, case.x, case.targets)
    np.testing.assert_array_equal(Richardson().with_estimate(network, case.x, case.targets), expected)


# An option of every method, and another value of it: what the method gives must change, or what it takes.
CHANGED: dict[MethodName, dict[str, Any]] = {
    "backprop": {"dropout": Dropout(0.5)},
    "forward_difference": {"step": 1e-2, "evaluation": "structured"},
    "central_difference": {"step": 1e-2, "evaluation": "structured"},
    "five_point": {"step": 1e-2, "evaluation": "structured"},
    "complex_step": {"step": 1e-2, "evaluation": "structured"},
    "richardson": {"step": 0.5, "rows": 3, "noise": 1e-3, "evaluation": "structured"},
    "unitwise_difference": {"step": 1e-2},
}
OPTION_VALUES = [(name, option, value) for name in METHODS for option, value in CHANGED[name].items()]


@pytest.mark.parametrize(("name", "option", "value"), OPTION_VALUES)
def test_every_option_of_a_method_reaches_it(name: MethodName, option: str, value: Any) -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 5, seed=2)
    arguments = case.network(), case.x, case.targets
    assert not np.array_equal(gradient(*arguments, name), gradient(*arguments, name, **{option: value}))


@pytest.mark.parametrize("name", METHODS)
def test_the_memory_of_a_structured_method_reaches_it(name: MethodName) -> None:
    """Too little is refused; the others have no such option."""
    case = random_case(Architecture((3, 7, 2)), "normal", 4, seed=0)
    options: dict[str, Any] = {"evaluation": "structured", "memory": 1}
    has_memory = name not in ("backprop", "unitwise_difference")
    with pytest.raises(ValueError if has_memory else TypeError, match=r"memory|evaluation: no option"):
        gradient(case.network(), case.x, case.targets, name, **options)


@pytest.mark.parametrize("name", METHODS)
def test_no_option_of_a_method_is_forgotten_above(name: MethodName) -> None:
    """`scheme` is what its name says."""
    taken = set(signature(METHODS[name]).parameters) - {"scheme", "memory"}
    assert set(CHANGED[name]) == taken


# Every method by name, and the same as a value.
VALUES: dict[MethodName, Method] = {
    "backprop": Backprop(),
    "forward_difference": ForwardDifference(),
    "central_difference": CentralDifference(evaluation="structured", step=1e-5),
    "five_point": FivePoint(),
    "complex_step": ComplexStep(),
    "richardson": Richardson(rows=4),
    "unitwise_difference": UnitwiseDifference(step=1e-4),
}
OPTIONS: dict[MethodName, dict[str, Any]] = {
    "central_difference": {"evaluation": "structured", "step": 1e-5},
    "richardson": {"rows": 4},
    "unitwise_difference": {"step": 1e-4},
}


@pytest.mark.parametrize("name", METHODS)
def test_a_method_is_the_same_by_name_and_as_a_value(name: MethodName) -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 5, seed=2)
    network, value, options = case.network(), VALUES[name], OPTIONS.get(name, {})
    assert method_named(name, **options) == value
    found = gradient(network, case.x, case.targets, value)
    np.testing.assert_array_equal(found, gradient(network, case.x, case.targets, name, **options))


def test_options_beside_a_method_that_has_its_own_are_refused() -> None:
    case = random_case(Architecture((2, 2)), "normal", 3, seed=0)
    with pytest.raises(TypeError, match=r"^step: the method is a value; give it its options"):
        gradient(case.network(), case.x, case.targets, CentralDifference(), step=1e-5)
