"""What a class of another form should answer: held to differences of the same loss, and against ours."""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms import expected as module
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.expected import Convention, Conventions, expected, forward_logits
from backproof.comparisons.check.forms.form import WORDS, Form
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import LOSSES, ActivationName, Architecture, Array, LossName
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

H = 1e-5
NONE = Conventions()


def a_problem(loss: LossName = "mse", activation: ActivationName = "tanh") -> Problem:
    return generic_problem(Architecture((3, 4, 3), activation, loss), 5, 3)


def differences(problem: Problem, form: Form, conventions: Conventions) -> Array:
    """Central differences of the expected loss."""
    theta = problem.flat()

    def loss(point: Array) -> float:
        weights = Parameters(problem.architecture, point).weights()
        return float(expected(replace(problem, weights=weights), form, conventions).loss.value)

    found = np.empty_like(theta)
    for i in range(theta.size):
        ahead, behind = theta.copy(), theta.copy()
        ahead[i] += H
        behind[i] -= H
        found[i] = (loss(ahead) - loss(behind)) / (2 * H)
    return found


@pytest.mark.parametrize("activation", ACTIVATION_FUNCTIONS)
@pytest.mark.parametrize("loss", LOSSES)
def test_the_gradient_is_that_of_the_loss_for_every_activation(activation: str, loss: LossName) -> None:
    problem, form = a_problem(loss), Form(activation=activation)
    right = expected(problem, form, NONE)
    np.testing.assert_allclose(right.gradient.value, differences(problem, form, NONE), rtol=0, atol=1e-7)


@pytest.mark.parametrize("output", WORDS["output_activation"])
@pytest.mark.parametrize("loss", ["mse", "sum_of_squares"])
def test_the_gradient_is_that_of_the_loss_for_every_output(output: str, loss: LossName) -> None:
    problem, form = a_problem(loss), Form(output_activation=output)
    right = expected(problem, form, NONE)
    np.testing.assert_allclose(right.gradient.value, differences(problem, form, NONE), rtol=0, atol=1e-7)


CONVENTIONS = {
    "a sum": Convention(Law(1)),
    "a shift, followed": Convention(shift=1e-2, exact=True),
    "a penalty": Convention(penalty=0.3),
    "a penalty over N on everything": Convention(
        Law(1), penalty=0.3, penalty_per_example=True, penalty_on_biases=True
    ),
}


@pytest.mark.parametrize("name", CONVENTIONS)
def test_the_gradient_is_that_of_the_loss_for_every_convention(name: str) -> None:
    problem = a_problem("cross_entropy")
    conventions = Conventions({"cross_entropy": CONVENTIONS[name]})
    right = expected(problem, Form(), conventions)
    wanted = differences(problem, Form(), conventions)
    np.testing.assert_allclose(right.gradient.value, wanted, rtol=0, atol=1e-7)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["identity", "tanh", "sigmoid"])
def test_the_general_analysis_agrees_with_ours_within_its_bounds(
    loss: LossName, activation: ActivationName
) -> None:
    problem = a_problem(loss, activation)
    ours, general = module._ours(problem), module._general(problem, Form(), Convention())
    for name in ("outputs", "loss", "gradient"):
        left, right = getattr(ours, name), getattr(general, name)
        assert (np.abs(left.value - right.value) <= right.error).all()
        assert (right.error <= 1e-11).all()


def test_a_gradient_a_little_off_fails() -> None:
    problem, form = a_problem(), Form(activation="gelu")
    right = expected(problem, form, NONE)
    assert right.judge(right.gradient.value).outcome == Outcome.PASS
    assert right.judge(right.gradient.value * (1 + 1e-9)).outcome == Outcome.FAIL


def test_a_convention_is_told_in_words() -> None:
    conventions = Conventions(
        {"mse": Convention(Law(0, 0, 0.5)), "sum_of_squares": Convention(Law(0, 0, 0.5))}
    )
    (sentence,) = conventions.sentences()
    assert "mse and sum of squares" in sentence
    assert "half the square" in sentence


def test_the_same_numbers_are_answered_once_and_others_are_not_taken_for_them() -> None:
    problem, form = a_problem(), Form(activation="gelu")
    right = expected(problem, form, NONE)
    assert expected(replace(problem, x=problem.x.copy()), form, NONE) is right
    moved = replace(problem, x=problem.x + 2.0**-40)
    for other in (
        expected(moved, form, NONE),
        expected(problem, Form(activation="silu"), NONE),
        expected(problem, form, Conventions({problem.architecture.loss: Convention(Law(0, 0, 0.5))})),
        expected(problem, form, Conventions({}, slope_at_zero=1.0)),
    ):
        assert other is not right


# --- bounds: what errors of the operands make of a result is inside, and reaches a good part of it ----------

RNG = np.random.default_rng(0)
CORNERS = 400
UNIT = 2.0**-53


def bounded(shape: tuple[int, ...], error: float = 1e-3, size: float = 1.0) -> Bounded:
    """Errors so large that roundings are nothing beside them."""
    return Bounded(size * RNG.normal(size=shape), error * RNG.uniform(0.5, 1.0, shape))


def moved(one: Bounded, rng: np.random.Generator) -> Array:
    """A corner of what it may be."""
    return np.asarray(one.value + one.error * rng.choice([-1.0, 1.0], one.value.shape))


def reached(bound: Bounded, results: Callable[[np.random.Generator], Array]) -> float:
    """How much of the bound the worst of many corners reaches; each is inside."""
    rng = np.random.default_rng(1)
    worst = max(float((np.abs(results(rng) - bound.value) / bound.error).max()) for _ in range(CORNERS))
    assert worst <= 1 + 1e-9
    return worst


def _times(left: Bounded, right: Bounded, rng: np.random.Generator) -> Array:
    return np.asarray(moved(left, rng) * moved(right, rng))


def _through(left: Bounded, right: Bounded, rng: np.random.Generator) -> Array:
    return np.asarray(moved(left, rng) @ moved(right, rng))


def test_the_bound_of_a_product_is_reached() -> None:
    for left_error, right_error in ((1e-3, 1e-3), (0.0, 1e-3), (1e-3, 0.0), (0.5, 0.5)):
        left, right = bounded((3, 2), left_error), bounded((3, 2), right_error)
        bound = module._product(left, right, UNIT)
        np.testing.assert_array_equal(bound.value, left.value * right.value)
        assert reached(bound, partial(_times, left, right)) > 0.999


def test_the_bound_of_a_matrix_product_is_reached() -> None:
    for left_error, right_error in ((1e-3, 1e-3), (0.0, 1e-3), (1e-3, 0.0), (0.5, 0.5)):
        left, right = bounded((3, 2), left_error), bounded((2, 4), right_error)
        bound = module._matrix(left, right, UNIT)
        np.testing.assert_allclose(bound.value, left.value @ right.value, rtol=1e-14)
        assert reached(bound, partial(_through, left, right)) > 0.999


def test_without_errors_roundings_are_left_of_products() -> None:
    left, right = Bounded.exact(RNG.normal(size=(3, 5))), Bounded.exact(RNG.normal(size=(5, 4)))
    sizes = np.abs(left.value) @ np.abs(right.value)
    np.testing.assert_allclose(module._matrix(left, right, UNIT).error, 2.5 * 8 * UNIT * sizes, rtol=1e-12)
    other = Bounded.exact(RNG.normal(size=(3, 5)))
    product = module._product(left, other, UNIT)
    np.testing.assert_allclose(product.error, 2.5 * UNIT * np.abs(left.value * other.value), rtol=1e-12)


OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("name", ["sigmoid", "tanh", "softmax"])
def test_the_bound_of_an_output_is_reached(name: str) -> None:
    z = bounded((4, 3), 1e-3)
    bound = module._output(name, z, UNIT)
    np.testing.assert_allclose(bound.value, OUTPUTS[name](z.value), rtol=1e-12)
    # A softmax is bounded by twice the largest errors of a row, to both sides.
    assert reached(bound, lambda rng: OUTPUTS[name](moved(z, rng))) > (0.2 if name == "softmax" else 0.99)
    exact = module._output(name, Bounded.exact(z.value), UNIT)
    assert (exact.error > UNIT * np.abs(exact.value)).all()
    assert (exact.error < 300 * UNIT).all()


@pytest.mark.parametrize("name", ["identity", "sigmoid", "tanh", "softmax"])
def test_the_bound_of_what_is_passed_through_an_output_is_reached(name: str) -> None:
    z, pull = bounded((4, 3), 0.0), bounded((4, 3), 1e-3)
    o = module._output(name, Bounded(z.value, z.error + 1e-9), UNIT) if name != "identity" else z
    bound = module._through_output(name, o, pull, UNIT)

    def through(out: Array, above: Array) -> Array:
        if name == "softmax":
            return np.asarray(out * (above - (above * out).sum(axis=1, keepdims=True)))
        slopes = {"identity": np.ones_like(out), "sigmoid": out * (1 - out), "tanh": 1 - out**2}
        return np.asarray(above * slopes[name])

    np.testing.assert_allclose(bound.value, through(o.value, pull.value), rtol=1e-12)
    assert reached(bound, lambda rng: through(o.value, moved(pull, rng))) > (
        0.5 if name == "softmax" else 0.99
    )
    if name == "identity":
        return
    wide = Bounded(o.value, 1e-4 * RNG.uniform(0.5, 1.0, (4, 3)))
    still = Bounded.exact(pull.value)
    bound = module._through_output(name, wide, still, UNIT)
    assert reached(bound, lambda rng: through(moved(wide, rng), pull.value)) > 0.3


@pytest.mark.parametrize("loss", ["mse", "sum_of_squares"])
@pytest.mark.parametrize("output", ["identity", "sigmoid", "tanh"])
def test_the_bounds_of_squares_are_reached(loss: LossName, output: str) -> None:
    problem, z = a_problem(loss), bounded((5, 3), 1e-3)
    form, n = Form(output_activation=output), 15 if loss == "mse" else 1
    outputs, bound, delta = module._loss(problem, form, Convention(), z)
    function = OUTPUTS[output]

    def squares(at: Array) -> Array:
        return np.asarray(((function(at) - problem.targets) ** 2).sum() / n)

    def slopes(at: Array) -> Array:
        o = function(at)
        slope = {"identity": np.ones_like(o), "sigmoid": o * (1 - o), "tanh": 1 - o**2}[output]
        return np.asarray(2 * (o - problem.targets) * slope / n)

    np.testing.assert_allclose(outputs.value, function(z.value), rtol=1e-12)
    assert float(bound.value) == pytest.approx(float(squares(z.value)))
    np.testing.assert_allclose(delta.value, slopes(z.value), rtol=1e-10)
    towards = np.sign(delta.value)
    assert reached(bound, lambda rng: squares(z.value + z.error * towards * rng.choice([-1, 1]))) > 0.95
    assert reached(delta, lambda rng: slopes(moved(z, rng))) > (0.99 if output == "identity" else 0.2)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
def test_the_bounds_of_an_entropy_are_reached(loss: LossName) -> None:
    problem, z = a_problem(loss), bounded((5, 3), 1e-3)
    bound, delta = module._entropy(problem, Convention(), z)
    t = problem.targets

    def entropy(at: Array) -> Array:
        if loss == "cross_entropy":
            return np.asarray((np.log(np.exp(at).sum(axis=1)) - at[np.arange(5), t]).mean())
        return np.asarray((np.log1p(np.exp(at)) - t * at).mean())

    def slopes(at: Array) -> Array:
        if loss == "cross_entropy":
            return np.asarray((OUTPUTS["softmax"](at) - np.eye(3)[t]) / 5)
        return np.asarray((OUTPUTS["sigmoid"](at) - t) / 15)

    assert float(bound.value) == pytest.approx(float(entropy(z.value)))
    np.testing.assert_allclose(delta.value, slopes(z.value), rtol=1e-10)
    away = np.sign(slopes(z.value))
    assert reached(bound, lambda rng: entropy(z.value + z.error * away * rng.choice([-1, 1]))) > 0.09
    assert reached(delta, lambda rng: slopes(moved(z, rng))) > 0.2
    largest = z.error + (np.abs(z.value) + 24 + 3) * UNIT
    assert float(bound.error) == pytest.approx(2 * largest.max(), rel=1e-6)


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("outputs", ["probabilities", "log_probabilities"])
def test_the_bounds_of_probabilities_are_reached(loss: LossName, outputs: str) -> None:
    problem, z = a_problem(loss), bounded((5, 3), 1e-3)
    bound = module._probabilities(problem, z, Form(outputs=outputs))

    def said(at: Array) -> Array:
        p = OUTPUTS["softmax" if loss == "cross_entropy" else "sigmoid"](at)
        return np.log(p) if outputs == "log_probabilities" else p

    np.testing.assert_allclose(bound.value, said(z.value), rtol=1e-12)
    # 2.5 times, and of a softmax the largest error of the row beside each.
    assert reached(bound, lambda rng: said(moved(z, rng))) > 0.15
    huge = module._probabilities(
        problem, Bounded(z.value, np.full((5, 3), np.inf)), Form(outputs="probabilities")
    )
    assert (huge.error <= 1 + 1e-12).all()


@pytest.mark.parametrize("activation", ["tanh", "sigmoid", "gelu", "relu", "elu", "identity"])
def test_the_bounds_of_a_forward_pass_hold_and_are_of_a_few_roundings(activation: str) -> None:
    problem, form = a_problem(), Form(activation=activation)
    single = problem.astype("float32")
    run = module._forward(single, form, 2.0**-24)
    function, a = ACTIVATION_FUNCTIONS[activation], single.x
    for layer, (W, b) in enumerate(single.weights):
        z = (a @ W + b).astype(np.float32)
        if layer + 1 < len(single.weights):
            a = function.value(z).astype(np.float32)
            for found, bound in ((a, run.activations[layer + 1]), (function.slope(z), run.slopes[layer])):
                assert (np.abs(found - bound.value) <= bound.error).all()
                assert (bound.error < 1e-4).all()
    assert (np.abs(z - run.z.value) <= run.z.error).all()
    assert (run.z.error < 1e-4).all()
    assert len(run.activations) == len(problem.weights)
    assert not run.undecided


def test_inputs_that_are_off_move_a_forward_pass_within_its_bounds(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if they had an error of a thousandth: what that makes of the rest is inside, and reached."""
    problem, form = a_problem(), Form(activation="tanh")
    x = Bounded(problem.x, np.full(problem.x.shape, 1e-3))
    exact = Bounded.exact
    monkeypatch.setattr(
        Bounded, "exact", staticmethod(lambda value: x if value is problem.x else exact(value))
    )
    run = module._forward(problem, form, UNIT)
    (W1, b1), (W2, b2) = problem.weights

    def hidden(rng: np.random.Generator) -> Array:
        return np.asarray(np.tanh(moved(x, rng) @ W1 + b1))

    assert reached(run.activations[1], hidden) > 0.8
    assert reached(run.slopes[0], lambda rng: 1 - hidden(rng) ** 2) > 0.5
    assert reached(run.z, lambda rng: hidden(rng) @ W2 + b2) > 0.3


@pytest.mark.parametrize(("off", "undecided"), [(0.0, True), (1e-13, True), (1e-6, False), (-1e-6, False)])
@pytest.mark.parametrize("activation", ["relu", "leaky_relu"])
def test_a_kink_within_rounding_is_undecided(off: float, undecided: bool, activation: str) -> None:
    """The biases take away what the first example brings, but for a little."""
    problem = a_problem("mse", "relu")
    W = problem.weights[0][0]
    near = replace(problem, weights=[(W, off - problem.x[0] @ W), problem.weights[1]])
    form = Form(activation=activation)
    assert module._forward(near, form, 1e-12).undecided == undecided
    assert not module._forward(problem, form, 1e-12).undecided
    assert not module._forward(near, Form(activation="tanh"), 1e-12).undecided


@pytest.mark.parametrize("penalty", [0.0, 0.3])
@pytest.mark.parametrize("law", [Law(), Law(1), Law(0, 0, 0.5)])
def test_a_law_and_a_penalty_scale_the_bounds_with_the_values(penalty: float, law: Law) -> None:
    problem = a_problem("cross_entropy")
    ours = expected(problem, Form(), NONE)
    convention = Convention(law, penalty=penalty, penalty_on_biases=True)
    own = expected(problem, Form(), Conventions({"cross_entropy": convention}))
    factor, theta = law.at(problem), problem.flat()
    assert float(own.loss.value) == pytest.approx(
        factor * float(ours.loss.value) + penalty / 2 * theta @ theta
    )
    np.testing.assert_allclose(own.gradient.value, factor * ours.gradient.value + penalty * theta, rtol=1e-12)
    added = 6 * UNIT * (np.abs(factor * ours.gradient.value) + np.abs(penalty * theta))
    changed = factor != 1 or penalty > 0
    np.testing.assert_allclose(own.gradient.error, factor * ours.gradient.error + changed * added, rtol=1e-9)
    spread = 8 * abs(factor * float(ours.loss.value)) + (theta.size + 8) * penalty / 2 * float(theta @ theta)
    if changed:
        assert float(own.loss.error) == pytest.approx(
            factor * float(ours.loss.error) + UNIT * spread, rel=1e-9
        )
    assert (own.scale == 1.0) == (not changed)


def test_a_penalty_on_weights_leaves_the_biases_alone() -> None:
    problem = a_problem("cross_entropy")
    ours = expected(problem, Form(), NONE)
    own = expected(problem, Form(), Conventions({"cross_entropy": Convention(penalty=0.3)}))
    W, b = problem.architecture.layer_slices()[0]
    np.testing.assert_allclose(own.gradient.value[b], ours.gradient.value[b], rtol=1e-13)
    assert not np.isclose(own.gradient.value[W], ours.gradient.value[W]).any()


@pytest.mark.parametrize("cross", [True, False])
@pytest.mark.parametrize(("shift", "clip"), [(0.1, 0.0), (0.0, 0.2), (0.0, 0.0), (1e-9, 0.0)])
def test_a_capped_loss_is_its_formula(cross: bool, shift: float, clip: float) -> None:
    problem = a_problem("cross_entropy" if cross else "binary_cross_entropy")
    z, t = forward_logits(problem), problem.targets

    def log(p: Array) -> Array:
        return np.asarray(np.log(np.clip(p, clip, 1 - clip) + shift))

    p = OUTPUTS["softmax" if cross else "sigmoid"](z)
    by_hand = -log(p)[np.arange(5), t].mean() if cross else -(t * log(p) + (1 - t) * log(1 - p)).mean()
    assert module.capped_loss(problem, z, shift, clip) == pytest.approx(float(by_hand), rel=1e-10)


def test_a_capped_loss_is_finite_for_probabilities_that_are_zero() -> None:
    problem = a_problem("cross_entropy")
    z = np.zeros((5, 3))
    z[np.arange(5), problem.targets] = -2000.0
    assert module.capped_loss(problem, z, 1e-7, 0.0) == pytest.approx(-np.log(1e-7))
    assert module.capped_loss(problem, z, 0.0, 1e-7) == pytest.approx(-np.log(1e-7))
    binary = replace(a_problem("binary_cross_entropy"), targets=np.ones((5, 3)))
    assert module.capped_loss(binary, np.full((5, 3), 2000.0), 0.0, 0.0) == 0.0


def test_the_bound_of_a_capped_loss_has_the_clip_in_it() -> None:
    problem = a_problem("cross_entropy")
    for clip in (0.0, 1e-3):
        convention = Convention(clip=clip, shift=0.0 if clip else 1e-3)
        own = expected(problem, Form(), Conventions({"cross_entropy": convention}))
        assert float(own.loss.error) == pytest.approx(1.1 * clip, rel=1e-6, abs=1e-12)
        assert float(own.loss.error) > 64 * UNIT


def test_what_is_lost_of_a_complement_is_in_the_bound() -> None:
    problem = replace(a_problem("binary_cross_entropy"), targets=np.zeros((5, 3)))
    z = forward_logits(problem)
    p = OUTPUTS["sigmoid"](z)
    plain, own = (expected(problem, Form(outputs=outputs), NONE) for outputs in ("logits", "probabilities"))
    lost = 4 * UNIT * float((1 / (1 - p)).mean())
    assert float(own.loss.error) == pytest.approx(float(plain.loss.error) + lost, rel=1e-9)
    assert float(own.loss.value) == float(plain.loss.value)


def test_of_a_class_without_biases_their_gradient_is_nothing() -> None:
    problem = a_problem()
    ours, own = expected(problem, Form(), NONE), expected(problem, Form(biases="none"), NONE)
    biases = np.zeros(problem.architecture.n_parameters, bool)
    for _, bias in problem.architecture.layer_slices():
        biases[bias] = True
    np.testing.assert_array_equal(own.gradient.value, np.where(biases, 0.0, ours.gradient.value))
    np.testing.assert_array_equal(own.gradient.error, np.where(biases, 0.0, ours.gradient.error))
    assert np.isnan(own.scale)


@pytest.mark.parametrize("own", ["relu", "sigmoid"])
def test_a_class_of_one_activation_is_expected_to_have_it_whatever_is_asked(own: ActivationName) -> None:
    asked, right = a_problem("mse", "tanh"), a_problem("mse", own)
    found, ours = expected(asked, Form(activation=own), NONE), expected(right, Form(), NONE)
    np.testing.assert_array_equal(found.gradient.value, ours.gradient.value)
    assert found.reference is not None


def test_a_slope_at_zero_leaves_kinks_open_and_nothing_else() -> None:
    problem = a_problem("mse", "relu")
    zero = replace(
        problem, weights=[(0 * problem.weights[0][0], 0 * problem.weights[0][1]), problem.weights[1]]
    )
    slope = Conventions({}, slope_at_zero=1.0)
    assert expected(zero, Form(), slope).undecided
    assert np.isnan(expected(zero, Form(), slope).scale)
    assert not expected(problem, Form(), slope).undecided
    assert expected(problem, Form(), slope).scale == 1.0
    tanh = a_problem("mse", "tanh")
    assert not expected(tanh, Form(), slope).undecided


def test_a_gradient_at_an_open_kink_is_not_judged_wrong() -> None:
    problem = a_problem("mse", "relu")
    zero = replace(
        problem, weights=[(0 * problem.weights[0][0], 0 * problem.weights[0][1]), problem.weights[1]]
    )
    right = expected(zero, Form(), Conventions({}, slope_at_zero=1.0))
    assert right.judge(right.gradient.value + 1.0).outcome == Outcome.INCONCLUSIVE
    assert "kink" in right.judge(right.gradient.value + 1.0).reason
    sure = replace(right, undecided=False)
    assert sure.judge(right.gradient.value + 1.0).outcome == Outcome.FAIL


def test_what_a_step_cannot_show_is_not_held_against_it() -> None:
    problem = a_problem()
    right = expected(problem, Form(activation="gelu"), NONE)
    lost = replace(right, lost=np.full(right.gradient.value.size, 1e-3))
    for sign in (1, -1):
        assert lost.judge(right.gradient.value + sign * 0.9e-3).outcome == Outcome.PASS
        assert lost.judge(right.gradient.value + sign * 1.1e-3).outcome == Outcome.FAIL
        assert right.judge(right.gradient.value + sign * 0.9e-3).outcome == Outcome.FAIL


@pytest.mark.parametrize(
    ("convention", "words"),
    [
        (Convention(Law(1)),
         ["its mse is N times ours: a sum over the examples where ours is a mean; the gradient belongs "
          "to it"]),
        (Convention(Law(1, 1, 2.0)), ["its mse is 2 N K times ours; the gradient belongs to it"]),
        (Convention(shift=1e-7), ["its mse takes log(p + 1e-07); the gradient is that of log(p)"]),
        (Convention(shift=1e-7, exact=True), ["its mse takes log(p + 1e-07); the gradient is its own"]),
        (Convention(clip=1e-12), ["its mse clips probabilities at 1e-12"]),
        (Convention(penalty=0.1, penalty_per_example=True, penalty_on_biases=True),
         ["its mse holds a penalty lambda/2 |all parameters|^2, lambda = 0.1/N, which its gradient is held "
          "to"]),
        (Convention(penalty=0.1),
         ["its mse holds a penalty lambda/2 |W|^2, lambda = 0.1, which its gradient is held to"]),
        (Convention(), []),
    ],
)  # fmt: skip
def test_each_convention_is_told_in_a_sentence(convention: Convention, words: list[str]) -> None:
    assert convention.sentences("mse") == words
    assert convention.is_ours == (not words)


def test_a_convention_is_told_once_for_all_losses_that_have_it() -> None:
    one = Convention(Law(1))
    said = Conventions({"mse": one, "cross_entropy": one, "sum_of_squares": Convention()}, 0.5).sentences()
    assert said[0].startswith("its mse and cross entropy each is N times ours")
    assert said[1].startswith("the slope of relu at exactly 0 is 0.5")
    assert len(said) == 2


@pytest.mark.parametrize("per_example", [True, False])
def test_a_penalty_over_n_is_divided_by_the_batch(per_example: bool) -> None:
    convention = Convention(penalty=0.3, penalty_per_example=per_example)
    assert convention.penalty_at(a_problem()) == pytest.approx(0.06 if per_example else 0.3)
