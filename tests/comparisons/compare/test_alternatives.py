"""Causes: each sentence is told where its own mistake was made, and none where there is none."""

import re
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.compare.alternatives import (
    Given,
    _alternatives,
    _fits,
    _habits,
    _operations,
    causes_of,
    lost_digits,
    other_updates,
)
from backproof.comparisons.compare.intervals import Habits
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.scratch.architecture import ActivationName, Architecture, Array, LossName, OptimizerSpec

WIDE = Arithmetic.of("float64")
ALWAYS = {
    "the learning rate is applied twice": Habits(rate=0.1),
    "the update has the wrong sign": Habits(rate=-1.0),
    "the learning rate is twice what it should be": Habits(rate=2.0),
    "the learning rate is half of what it should be": Habits(rate=0.5),
    "nothing is updated": Habits(rate=0.0, decay="left out"),
}
DECAY = {
    "the weight decay is decoupled from the gradient, as in AdamW": Habits(decay="decoupled"),
    "the weight decay is left out": Habits(decay="left out"),
    "the weight decay is halved: lambda / 2 theta": Habits(decay="half"),
}
ADAM = {
    "eps stands inside the square root": Habits(eps="inside"),
    "eps is added before the bias correction (the eps-hat form)": Habits(eps="before the correction"),
    "eps is left out": Habits(eps="left out"),
    "the bias corrections are missing": Habits(correction="none"),
    "the second moment's bias correction is missing": Habits(correction="first only"),
    "the first moment's bias correction is missing": Habits(correction="second only"),
    "the corrected moments are stored back": Habits(correction="stored back"),
    "the bias correction is 1 - beta, not raised to the power t": Habits(correction="not raised to t"),
    "the step counter starts at 2": Habits(correction="t from 2"),
    "the step counter starts at 0": Habits(correction="t from 0"),
    "beta1 and beta2 are swapped": Habits(moments_swapped=True),
}
MOMENTUM = {
    "the velocity is mu v + (1 - mu) g": Habits(momentum="mu v + (1 - mu) g"),
    "the velocity is dampened by 1 - mu after the first step": Habits(momentum="dampened"),
    "the velocity is v + mu g": Habits(momentum="v + mu g"),
    "the first velocity is zero": Habits(momentum="zero first"),
    "the old velocity is used": Habits(momentum="old velocity"),
}


@pytest.mark.parametrize(
    ("spec", "habits"),
    [
        (OptimizerSpec("sgd", 0.1), ALWAYS),
        (OptimizerSpec("sgd", 0.1, weight_decay=0.2), {**ALWAYS, **DECAY}),
        (
            OptimizerSpec("sgd", 0.1, 0.9),
            {
                **ALWAYS,
                **MOMENTUM,
                "Nesterov's look-ahead is used although it was not asked for": Habits(nesterov=True),
            },
        ),
        (
            OptimizerSpec("sgd", 0.1, 0.9, nesterov=True),
            {**ALWAYS, **MOMENTUM, "Nesterov's look-ahead is left out": Habits(nesterov=False)},
        ),
        (OptimizerSpec("adam", 0.1, weight_decay=0.2), {**ALWAYS, **DECAY, **ADAM}),
    ],
)
def test_a_sentence_about_an_update_names_its_habit(spec: OptimizerSpec, habits: dict[str, Habits]) -> None:
    assert dict(_habits(spec)) == habits


def test_another_rule_is_told_where_it_is_another() -> None:
    def others(spec: OptimizerSpec) -> set[str]:
        return {text for text, _ in other_updates(spec)} - {text for text, _ in _habits(spec)}

    momentum = "a momentum of 0.9 is used although none was asked for"
    assert others(OptimizerSpec("sgd", 0.1)) == {momentum, "it is Adam's update"}
    assert others(OptimizerSpec("sgd", 0.1, 0.9)) == {"it is Adam's update"}
    assert others(OptimizerSpec("adam", 0.1)) == {"it is plain gradient descent"}


# --- tensors, by formulas of their own ----------------------------------------------------------------------

RNG = np.random.default_rng(0)
N, K = 5, 3


def softmax(z: Array, axis: int | None = 1) -> Array:
    e = np.exp(z)
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def given_logits(loss: LossName) -> tuple[Given, Array, Array]:
    """What is known of a loss, its logits, and its targets as numbers."""
    problem = generic_problem(Architecture((4, K), "identity", loss), N, seed=1)
    z = RNG.normal(size=(N, K))
    t = np.eye(K)[problem.targets] if loss == "cross_entropy" else problem.targets
    return Given(problem, logits=z), z, t


def told(name: str, given: Given, right: Array) -> dict[str, Array]:
    """Every sentence with its tensor."""
    return dict(_alternatives(name, right, given))


def holds(found: dict[str, Array], by_hand: dict[str, Array | float]) -> None:
    """Each sentence is there, with this tensor."""
    for text, value in by_hand.items():
        np.testing.assert_allclose(found[text], value, rtol=1e-12, atol=1e-15, err_msg=text)


def test_the_alternatives_of_cross_entropy() -> None:
    given, z, t = given_logits("cross_entropy")
    labels, rows = given.problem.targets, range(N)
    p = softmax(z)
    holds(
        told("loss", given, np.array(1.0)),
        {
            "the labels are one too high": -np.mean([np.log(p[i, (labels[i] + 1) % K]) for i in rows]),
            "the labels are one too low": -np.mean([np.log(p[i, labels[i] - 1]) for i in rows]),
            "the softmax is taken over the batch": -np.mean(np.log(softmax(z, 0)[t == 1])),
            "the softmax is taken over the whole array": -np.mean(np.log(softmax(z, None)[t == 1])),
            "the logarithm is taken of p + 1e-07": -np.mean(np.log(p[t == 1] + 1e-7)),
            "the logarithm is taken of p + 1e-12": -np.mean(np.log(p[t == 1] + 1e-12)),
            "the softmax is taken twice": -np.mean(np.log(softmax(p)[t == 1])),
            "the softmax is missing: -z of the label": -np.mean(z[t == 1]),
            "the softmax is taken of -z": -np.mean(np.log(softmax(-z)[t == 1])),
        },
    )
    high, low = np.eye(K)[(labels + 1) % K], np.eye(K)[(labels - 1) % K]
    holds(
        told("delta1", given, p),
        {
            "the labels are one too high": (p - high) / N,
            "the labels are one too low": (p - low) / N,
            "the target is not subtracted": p / N,
            "the softmax is taken over the batch": (softmax(z, 0) - t) / N,
            "the softmax is taken over the whole array": (softmax(z, None) - t) / N,
            "it is multiplied by p (1 - p) once more": (p - t) * p * (1 - p) / N,
            "the derivative is that of the diagonal of the softmax alone": -t * (1 - p) / N,
        },
    )


def test_the_alternatives_of_squares_and_of_binary_cross_entropy() -> None:
    for loss, n in (("mse", N * K), ("sum_of_squares", 1)):
        given, z, t = given_logits(loss)  # type: ignore[arg-type]  # the two names above
        sigmoid = 1 / (1 + np.exp(-z))
        holds(
            told("loss", given, np.array(1.0)),
            {
                "the squares are of the sigmoid of the logits": ((sigmoid - t) ** 2).sum() / n,
                "absolute values stand where squares belong": np.abs(z - t).sum() / n,
            },
        )
        holds(
            told("delta1", given, z),
            {
                "the target is not subtracted": 2 * z / n,
                "it is multiplied by z (1 - z), a sigmoid's slope": 2 * (z - t) * z * (1 - z) / n,
            },
        )
    given, z, t = given_logits("binary_cross_entropy")
    holds(told("delta1", given, z), {"the target is not subtracted": 1 / (1 + np.exp(-z)) / (N * K)})


def a_layer(activation: ActivationName = "tanh", width: int = 4) -> Given:
    """The second of three layers, of four units into four; the last gives three."""
    problem = generic_problem(Architecture((4, 4, width, 3), activation, "mse"), N, seed=2)
    z = RNG.normal(size=(N, 4))
    a = np.tanh(z) if activation == "tanh" else np.maximum(z, 0)
    slope = 1 - a**2 if activation == "tanh" else (z > 0) * 1.0
    delta = RNG.normal(size=(N, width))
    summed = delta @ problem.weights[1][0].T
    return Given(problem, 1, a, z, None, delta, summed, slope, activation)


def test_the_alternatives_of_a_layer() -> None:
    given = a_layer()
    assert given.inputs is not None
    (W1, b1), (W, b) = given.problem.weights[:2]
    a = given.inputs
    found = told("z2", given, a)
    holds(
        found,
        {
            "the bias is left out": a @ W,
            "the bias is added twice": a @ W + 2 * b,
            "the weights are transposed": np.einsum("ni,ji->nj", a, W) + b,
            "it has the weights of layer 1": a @ W1 + b,
            "it has the weights and the bias of layer 1": a @ W1 + b1,
        },
    )
    assert "these are log-probabilities" not in found
    assert "it has the weights of layer 2" not in found
    z = a @ W + b
    holds(
        told("logits", given, a),
        {
            "these are probabilities, the softmax of the logits": softmax(z),
            "these are log-probabilities": np.log(softmax(z)),
            "these are probabilities, the sigmoid of the logits": 1 / (1 + np.exp(-z)),
            "the softmax is taken over the batch": softmax(z, 0),
            "an activation is applied to the output: relu": np.where(z > 0, z, 0),
            "an activation is applied to the output: tanh": np.tanh(z),
        },
    )


def test_the_alternatives_of_an_activation() -> None:
    given = a_layer()
    assert given.z is not None
    holds(
        told("a1", given, given.z),
        {
            "the activation is relu, not tanh": np.where(given.z > 0, given.z, 0),
            "the activation is identity, not tanh": given.z,
            "the activation is hard sigmoid, not tanh": np.clip((given.z + 3) / 6, 0, 1),
            "the activation is relu cut at 6, not tanh": np.clip(given.z, 0, 6),
            "the activation is the step function, not tanh": np.where(given.z > 0, 1.0, 0.0),
            "the activation is taken of -z": -np.tanh(given.z),
        },
    )


def test_the_alternatives_of_what_is_passed_back() -> None:
    given = a_layer()
    assert given.summed is not None
    assert given.slope is not None
    assert given.inputs is not None
    assert given.delta is not None
    summed, slope, a = given.summed, given.slope, given.inputs
    (W1, _), (W, _) = given.problem.weights[:2]
    found = told("delta1", given, summed)
    holds(
        found,
        {
            "the activation's derivative is missing": summed,
            "the activation's derivative is taken twice": summed * slope * slope,
            "the activation stands in place of its derivative": summed * a,
            "only the derivative is passed back": slope,
            "the derivative is taken at the activation a, not at z": summed * (1 - np.tanh(a) ** 2),
            "the derivative is that of sigmoid, a (1 - a), not of tanh": summed * (a - a * a),
            "the derivative is that of relu, not of tanh": np.where(a > 0, summed, 0),
            "the weights are not transposed on the way back": np.einsum("nj,ji->ni", given.delta, W) * slope,
            "it comes back through the weights of layer 1": np.einsum("nj,ij->ni", given.delta, W1) * slope,
        },
    )
    assert "the relu's mask is inverted" not in found
    relu = a_layer("relu")
    assert relu.summed is not None
    assert relu.slope is not None
    assert relu.inputs is not None
    holds(
        told("delta1", relu, summed),
        {
            "the relu's mask is inverted": np.where(relu.slope == 0, relu.summed, 0),
            "the relu's derivative is 1 at zero": relu.summed,
            "the derivative is that of tanh, 1 - a^2, not of relu": relu.summed * (1 - relu.inputs**2),
        },
    )


def test_the_alternatives_of_gradients() -> None:
    given = a_layer()
    assert given.inputs is not None
    assert given.delta is not None
    a, delta, x = given.inputs, given.delta, given.problem.x
    W, b = given.problem.weights[1]
    dW = np.einsum("ni,nj->ij", a, delta)
    backwards = sum(np.outer(a[N - 1 - i], delta[i]) for i in range(N))
    holds(
        told("dW2", given, dW),
        {
            "it is transposed": np.einsum("ni,nj->ji", a, delta),
            "it is that of the first example alone": np.outer(a[0], delta[0]),
            "it is that of the last example alone": np.outer(a[N - 1], delta[N - 1]),
            "the last example of the batch is left out": dW - np.outer(a[N - 1], delta[N - 1]),
            "rows and their targets are in different order": backwards,
            "it is the sum of absolute values": np.einsum("ni,nj->ij", np.abs(a), delta),
            "the inputs stand for their derivative: a (1 - a)": np.einsum("ni,nj->ij", a - a * a, delta),
            "0.01 times the weights is added: a penalty?": dW + W / 100,
            "it has the inputs x where this layer's belong": np.einsum("ni,nj->ij", x, delta),
        },
    )  # fmt: skip
    db = np.einsum("nj->j", delta)
    holds(
        told("db2", given, db),
        {
            "it is the sum over all outputs": np.full(4, delta.sum()),
            "it is the mean over all outputs": np.full(4, delta.sum() / delta.size),
            "it is that of the first example alone": delta[0],
            "it is that of the last example alone": delta[N - 1],
            "0.01 times the bias is added: a penalty on biases?": db + b / 100,
        },
    )
    square = a_layer(width=N)
    assert square.delta is not None
    holds(told("db2", square, db), {"it is summed over the wrong axis": np.einsum("nj->n", square.delta)})


def test_the_alternatives_of_scale() -> None:
    found = told("db2", a_layer(), np.array([2.0]))
    holds(
        found,
        {
            "5 times too large, the batch size: summed where the mean belongs?": 10.0,
            "5 times too small, the batch size: averaged twice?": 0.4,
            "15 times too large, all entries of the batch: summed where the mean belongs?": 30.0,
            "15 times too small, all entries of the batch: averaged twice?": 2 / 15,
            "averaged over the batch where the outputs belong: 3/5 of what it should be": 1.2,
            "4 times too large, the number of inputs": 8.0,
            "4 times too small, the number of inputs": 0.5,
            "3 times too small, the number of outputs": 2 / 3,
            "3 times too large, the number of outputs; or three times what it should be: accumulated?": 6.0,
            "twice what it should be": 4.0,
            "half of what it should be: the factor 2 of the square?": 1.0,
            "of the wrong sign": -2.0,
            "zero": 0.0,
            "10 times too large: the learning rate in it?": 20.0,
            "10 times too small: the learning rate in it?": 0.2,
            "scaled by 1 / (1 - 0.2): dropout's factor without its mask?": 2.5,
            "scaled by 1 - 0.2: dropout's factor at prediction?": 1.6,
        },
    )
    given, _, _ = given_logits("mse")
    one_layer = told("loss", given, np.array(2.0))
    assert one_layer["twice what it should be: without the factor 1/2?"] == 4.0
    assert not any("dropout" in text for text in one_layer)


# --- which of them are told --------------------------------------------------------------------------------


def exact(value: Array) -> Bounded:
    return Bounded(value, np.full(value.shape, 1e-13))


def test_every_sentence_is_told_where_its_mistake_was_made() -> None:
    given = a_layer()
    assert given.inputs is not None
    assert given.delta is not None
    right = given.inputs.T @ given.delta
    for text, value in told("dW2", given, right).items():
        found = causes_of("dW2", value, exact(right), given, WIDE)
        assert text in found, text
        assert len(found) <= 3


def test_one_entry_that_does_not_fit_refutes_a_cause() -> None:
    given = a_layer()
    assert given.inputs is not None
    assert given.delta is not None
    right = given.inputs.T @ given.delta
    found = 2 * right
    assert causes_of("dW2", found, exact(right), given, WIDE)[0] == "twice what it should be"
    found[1, 1] += 1e-9
    assert causes_of("dW2", found, exact(right), given, WIDE) == ()
    found[1, 1] = np.nan
    assert causes_of("dW2", found, exact(right), given, WIDE) == ()


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (2.0**-11, "right to 3.3 digits and no further: computed or summed in float16?"),
        (2.0**-8, "right to 2.4 digits and no further: computed or summed in bfloat16?"),
        (2.0**-24, "right to 7.2 digits and no further: computed or summed in float32?"),
        (2.0**-15, "right to 4.5 digits and no further"),
        (0.03, ""),
        (0.0, ""),
    ],
)
def test_digits_that_are_lost_are_described(share: float, said: str) -> None:
    right = np.array([0.5, -4.0, 1.0])
    assert lost_digits(right + 4 * share * np.eye(3)[2], right, WIDE) == said


def test_in_single_precision_its_own_digits_are_no_loss() -> None:
    right = np.array([1.0])
    assert "float32" not in lost_digits(right * (1 + 2.0**-24), right, Arithmetic.of("float32"))


def of_four_inputs(batch_size: int) -> Given:
    """Four inputs and three outputs."""
    architecture = Architecture((4, 3), "identity", "mse", "float32")
    return Given(generic_problem(architecture, batch_size, seed=0))


SINGLE = Arithmetic.of("float32", shadow=False)


@pytest.mark.parametrize(("batch_size", "operations"), [(5, 5 + 32), (50, 50 + 32)])
def test_an_alternative_may_round_once_for_every_term_of_the_longest_sum_and_four_functions(
    batch_size: int, operations: int
) -> None:
    """Beside its own entry and the largest: here both are 8, and the right one is known to within 1e-5."""
    given, right = of_four_inputs(batch_size), Bounded(np.array([4.0]), np.array([1e-5]))
    room = 1e-5 + SINGLE.unit * operations * 16.0
    for share, told_of in ((0.99, True), (1.01, False)):
        for sign in (1, -1):
            found = causes_of(
                "dW1x", np.array([8.0 + sign * share * room]), right, _with_nothing(given), SINGLE
            )
            assert ("twice what it should be" in found) == told_of


def _with_nothing(given: Given) -> Given:
    """Inputs and delta that explain nothing."""
    n = given.problem.batch_size
    return replace(given, inputs=np.zeros((n, 1)), delta=np.zeros((n, 1)))


def test_small_entries_may_round_as_the_largest_does() -> None:
    given = _with_nothing(of_four_inputs(2))
    right = Bounded(np.array([4.0, 1e-3, 0.0]), np.zeros(3))
    off = 0.9 * SINGLE.unit * 36 * 8.0
    assert _fits(np.array([8.0, 2e-3 + off, off]), 2 * right.value, right, SINGLE, 36.0)
    assert not _fits(np.array([8.0, 2e-3 + off, 1.2 * off]), 2 * right.value, right, SINGLE, 36.0)
    assert _operations(given) == 36.0


def test_what_is_not_finite_or_of_another_shape_fits_nothing() -> None:
    right = Bounded.exact(np.ones(2))
    assert _fits(np.ones(2), np.ones(2), right, WIDE, 1.0)
    for found, other in (
        (np.array([1.0, np.nan]), np.ones(2)),
        (np.ones(2), np.array([1.0, np.inf])),
        (np.ones(2), np.ones((2, 1))),
        (np.ones(2), np.ones(1)),
    ):
        assert not _fits(found, other, right, WIDE, 1.0)
    nothing = Bounded.exact(np.zeros((0, 2)))
    assert _fits(nothing.value, nothing.value, nothing, WIDE, 1.0)


def test_what_underflowed_fits_zero() -> None:
    right = Bounded.exact(np.zeros(2))
    assert _fits(np.full(2, SINGLE.tiny), np.zeros(2), right, SINGLE, 1.0)
    assert not _fits(np.full(2, 1.1 * SINGLE.tiny), np.zeros(2), right, SINGLE, 1.0)


@pytest.mark.parametrize(
    ("bits", "said"),
    [
        (8.4, "bfloat16"),
        (8.6, "float16"),
        (5.9, "bfloat16"),
        (13.4, "float16"),
        (13.6, ""),
        (21.6, "float32"),
    ],
)
def test_a_precision_is_named_within_two_and_a_half_bits(bits: float, said: str) -> None:
    right = np.array([1.0])
    told_of = lost_digits(right + 2.0**-bits, right, WIDE)
    assert told_of.startswith(f"right to {bits * np.log10(2):.1f} digits and no further")
    assert told_of.partition("summed in ")[2] == (f"{said}?" if said else "")


def test_digits_are_lost_of_the_largest_entry_of_either_sign_and_nothing_is_lost_of_none() -> None:
    right, off = np.array([0.5, -4.0]), np.array([0.0, 0.04])
    assert lost_digits(right - off, right, WIDE) == lost_digits(right + off, right, WIDE)
    assert lost_digits(right + off, right, WIDE).startswith("right to 2.0 digits")
    assert lost_digits(np.zeros(0), np.zeros(0), WIDE) == ""
    assert lost_digits(np.ones(2), np.zeros(2), WIDE) == ""
    assert lost_digits(np.full(2, np.nan), right, WIDE) == ""
    assert lost_digits(right * 1.0199, right, WIDE) != "" == lost_digits(right * 1.0201, right, WIDE)


def test_digits_are_described_only_where_no_cause_fits() -> None:
    given = _with_nothing(of_four_inputs(2))
    right = Bounded(np.array([1.0, 2.0]), np.full(2, 1e-9))
    assert causes_of("dW1", np.array([1.0, 2.001]), right, given, WIDE) == (
        "right to 3.3 digits and no further: computed or summed in float16?",
    )
    assert (
        len(causes_of("dW1", np.array([4.0, 8.0]), replace(right, error=np.full(2, 9.0)), given, WIDE)) == 3
    )


# --- whole families of sentences ----------------------------------------------------------------------------

DECAYS = {1e-4, 5e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0}
RATES = {0.1, 0.2, 0.25, 0.3, 0.4, 0.5}


def numbered(found: dict[str, Array], pattern: str) -> dict[float, Array]:
    """The tensors of the sentences that differ in one number, by that number."""
    matches = {text: re.match(pattern, text) for text in found}
    return {float(match[1]): found[text] for text, match in matches.items() if match}


def test_every_decay_is_tried_of_weights_and_of_biases() -> None:
    given = a_layer()
    assert given.inputs is not None
    assert given.delta is not None
    W, b = given.problem.weights[1]
    for name, right, size in (
        ("dW2", given.inputs.T @ given.delta, W), ("db2", given.delta.sum(axis=0), b)
    ):  # fmt: skip
        found = numbered(told(name, given, right), r"([\d.e-]+) times the (?:weights|bias) is added")
        assert set(found) == DECAYS
        for decay, value in found.items():
            np.testing.assert_allclose(value, right + decay * size, rtol=1e-12)


def test_every_rate_of_dropout_is_tried_with_and_without_its_scaling() -> None:
    found = told("db2", a_layer(), np.array([2.0]))
    scaled = numbered(found, r"scaled by 1 / \(1 - ([\d.]+)\)")
    shrunk = numbered(found, r"scaled by 1 - ([\d.]+):")
    assert set(scaled) == set(shrunk) == RATES
    for rate in RATES:
        np.testing.assert_allclose([scaled[rate][0], shrunk[rate][0]], [2 / (1 - rate), 2 * (1 - rate)])


def test_every_constant_beside_the_probability_is_tried() -> None:
    given, z, t = given_logits("cross_entropy")
    found = numbered(told("loss", given, np.array(1.0)), r"the logarithm is taken of p \+ ([\d.e-]+)")
    assert set(found) == {1e-7, 1e-8, 1e-10, 1e-12, 1e-15}
    for eps, value in found.items():
        np.testing.assert_allclose(value, -np.mean(np.log(softmax(z)[t == 1] + eps)), rtol=1e-12)


def test_of_layers_of_another_shape_nothing_is_said() -> None:
    given = a_layer(width=5)
    assert given.inputs is not None
    found = [*told("z2", given, given.inputs), *told("delta1", given, given.inputs)]
    assert not any("of layer" in text or "transposed" in text for text in found)
    first = replace(a_layer(), layer=0)
    assert not any("inputs x" in text for text in told("dW1", first, given.inputs))


def test_all_sentences_of_one_factor_are_told_together() -> None:
    """A batch of 3 with 3 outputs: a factor of 3 has three causes, and that of 1/3 two."""
    problem = generic_problem(Architecture((4, 3), "identity", "mse"), 3, seed=1)
    found = told("loss", Given(problem, logits=RNG.normal(size=(3, 3))), np.array(1.0))
    assert "averaged over the batch where the outputs belong: 3/3 of what it should be" not in " ".join(found)
    (three,) = [text for text, value in found.items() if np.isclose(value, 3.0) and "times" in text]
    assert three.count("; or ") == 2
    (third,) = [text for text, value in found.items() if np.isclose(value, 1 / 3) and "times" in text]
    assert third.count("; or ") == 1
