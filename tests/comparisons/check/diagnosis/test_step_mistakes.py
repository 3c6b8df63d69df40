"""Every sentence about one step of backpropagation is its formula; right steps give the right gradient."""

from collections.abc import Callable, Iterable
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import (
    Mistake,
    right_bias,
    right_delta,
    right_error,
    right_pull,
    right_slope,
    right_weight,
)
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.scale_mistakes import _times, constants, scale_laws, scaled_too
from backproof.comparisons.check.diagnosis.slope_mistakes import slope_mistakes
from backproof.comparisons.check.diagnosis.tensor_mistakes import (
    _rates,
    bias_mistakes,
    penalties,
    pull_mistakes,
    weight_mistakes,
)
from backproof.comparisons.check.forms.expected import Convention
from backproof.comparisons.check.forms.laws import Law
from backproof.scratch.architecture import Array, DtypeName
from tests.support.observations import Asked, answering, observed

LOSSES = ("mse", "sum_of_squares", "cross_entropy", "binary_cross_entropy")


def backward(o: Observation) -> Array:
    """The gradient, put together from the right steps."""
    delta, parts = right_delta(o), []
    for layer in reversed(range(o.depth)):
        parts += [right_bias(o, layer, delta), right_weight(o, layer, delta).ravel()]
        if layer:
            slope = right_slope(o.activation).rule(o.zs[layer - 1], o.activations[layer])
            delta = right_pull(o, layer, delta) * slope
    return np.concatenate(parts[::-1])


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ["tanh", "relu", "sigmoid", "identity"])
def test_the_right_steps_make_the_right_gradient(loss: str, activation: str) -> None:
    o = observed(Asked(loss=loss, activation=activation))  # type: ignore[arg-type]  # the names above
    np.testing.assert_allclose(backward(o), o.right.gradient.value, rtol=1e-11, atol=1e-14)


@pytest.mark.parametrize("loss", LOSSES)
def test_a_loss_by_another_law_has_a_gradient_by_the_same_law(loss: str) -> None:
    ours = observed(Asked(loss=loss))  # type: ignore[arg-type]  # the names above
    other = observed(Asked(loss=loss, convention=Convention(factor=Law(1, -1, 0.5))))  # type: ignore[arg-type]
    np.testing.assert_allclose(right_delta(other), right_delta(ours) * 5 / 2 * 0.5, rtol=1e-13)


def test_a_penalty_belongs_to_the_weights_and_where_it_is_stated_to_the_biases() -> None:
    plain = observed(Asked())
    delta = right_delta(plain)
    for on_biases in (False, True):
        o = observed(Asked(convention=Convention(penalty=0.3, penalty_on_biases=on_biases)))
        (W, b), share = o.problem.weights[1], 0.3 * on_biases
        dW, db = right_weight(plain, 2, delta), right_bias(plain, 2, delta)
        np.testing.assert_allclose(right_weight(o, 2, delta), dW + 0.3 * o.problem.weights[2][0])
        np.testing.assert_allclose(right_bias(o, 2, delta), db + share * o.problem.weights[2][1])
        assert W.shape == (4, 4)
        assert b.any()


def slope_by_difference(o: Observation, loss: Callable[[Array], float]) -> Array:
    """dL/dz of the last layer by central differences; loss(z)."""
    z, h = o.zs[-1], 1e-5
    found = np.zeros_like(z)
    for place in np.ndindex(*z.shape):
        moved = h * np.eye(z.size)[np.ravel_multi_index(place, z.shape)].reshape(z.shape)
        found[place] = (loss(z + moved) - loss(z - moved)) / (2 * h)
    return found


OUTPUTS: dict[str, Callable[[Array], Array]] = {
    "identity": lambda z: z,
    "sigmoid": lambda z: 1 / (1 + np.exp(-z)),
    "tanh": np.tanh,
    "softmax": lambda z: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True),
}


@pytest.mark.parametrize("output", OUTPUTS)
@pytest.mark.parametrize("loss", ["mse", "sum_of_squares"])
def test_squares_are_passed_through_the_activation_of_the_output(output: str, loss: str) -> None:
    o = observed(Asked(loss=loss, output_activation=output))  # type: ignore[arg-type]  # the names above
    t, n = o.problem.targets, o.zs[-1].size if loss == "mse" else 1

    def squares(z: Array) -> float:
        return float(((OUTPUTS[output](z) - t) ** 2).sum()) / n

    np.testing.assert_allclose(right_delta(o), slope_by_difference(o, squares), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("output", ["sigmoid", "tanh"])
def test_an_entropy_is_passed_through_an_activation_before_its_softmax(output: str) -> None:
    o = observed(Asked(loss="cross_entropy", output_activation=output))

    def entropy(z: Array) -> float:
        p = OUTPUTS["softmax"](OUTPUTS[output](z))
        return float(-np.log(p[np.arange(o.n), o.problem.targets]).mean())

    np.testing.assert_allclose(right_delta(o), slope_by_difference(o, entropy), rtol=1e-6, atol=1e-9)


@pytest.mark.parametrize("cross", [True, False])
@pytest.mark.parametrize("convention", [Convention(shift=0.2, exact=True), Convention(clip=0.3, exact=True)])
def test_a_logarithm_that_is_shifted_or_clipped_is_differentiated_where_that_is_exact(
    cross: bool, convention: Convention
) -> None:
    o = observed(Asked(loss="cross_entropy" if cross else "binary_cross_entropy", convention=convention))
    shift, clip, t = convention.shift, convention.clip, o.problem.targets

    def log(p: Array) -> Array:
        return np.asarray(np.log(np.clip(p, clip, 1 - clip) + shift))

    def loss(z: Array) -> float:
        if cross:
            return float(-log(OUTPUTS["softmax"](z))[np.arange(o.n), t].mean())
        p = OUTPUTS["sigmoid"](z)
        return float((-t * log(p) - (1 - t) * log(1 - p)).mean())

    np.testing.assert_allclose(right_delta(o), slope_by_difference(o, loss), rtol=1e-5, atol=1e-9)


# --- the mistakes -------------------------------------------------------------------------------------------


def by_sentence(mistakes: Iterable[Mistake], only: str = "") -> dict[str, Mistake]:
    found: dict[str, Mistake] = {}
    for mistake in mistakes:
        if mistake.only in ("", only):
            found.setdefault(mistake.sentence, mistake)
    return found


def softmax(z: Array, axis: int | None = 1) -> Array:
    e = np.exp(z)
    return np.asarray(e / e.sum(axis=axis, keepdims=True))


def test_the_mistakes_at_a_softmax() -> None:
    o = observed(Asked((3, 4, 3), loss="cross_entropy"))
    z, t, p = o.zs[-1], np.eye(3)[o.problem.targets], softmax(o.zs[-1])
    found = by_sentence(output_mistakes(), "cross_entropy")
    by_hand = {
        "the softmax is normalised over the whole batch instead of each row": softmax(z, None) - t,
        "the softmax is taken over the samples (axis 0) instead of the outputs": softmax(z, 0) - t,
        "exp(-z) stands in the softmax where exp(z) belongs": softmax(-z) - t,
        "the softmax is not normalised": np.exp(z - z.max()) - t,
        "only the diagonal p (1 - p) of the softmax Jacobian is used": -t / p * p * (1 - p),
        "softmax minus one-hot is multiplied by p (1 - p) once more": (p - t) * p * (1 - p),
        "the sigmoid stands where the softmax belongs": 1 / (1 + np.exp(-z)) - t,
        "log-probabilities stand where probabilities belong": np.log(p) - t,
        "the raw logits stand where the softmax belongs": z - t,
        "the one-hot labels are left out of softmax minus one-hot": p,
        "labels are smoothed by 0.1 in the gradient, and in the loss they are not": p - 0.9 * t - 0.1 / 3,
        "labels are smoothed by 0.05 in the gradient, and in the loss they are not": p - 0.95 * t - 0.05 / 3,
        "dL/dp = -1/p stands where softmax minus one-hot belongs": -t / p,
    }
    for sentence, delta in by_hand.items():
        np.testing.assert_allclose(
            found[sentence].rule(o), delta / 5, rtol=1e-11, atol=1e-15, err_msg=sentence
        )
    losses = {
        "the softmax is normalised over the whole batch instead of each row": softmax(z, None),
        "the softmax is taken over the samples (axis 0) instead of the outputs": softmax(z, 0),
        "exp(-z) stands in the softmax where exp(z) belongs": softmax(-z),
        "the softmax is not normalised": np.exp(z - z.max()),
    }
    for sentence, probabilities in losses.items():
        loss = found[sentence].loss
        assert loss is not None
        assert loss(o) == pytest.approx(-np.log(probabilities[t == 1]).mean())


def test_the_mistakes_at_squares_and_at_a_sigmoid() -> None:
    for loss, n in (("mse", 10), ("sum_of_squares", 1)):
        o = observed(Asked(loss=loss, output_activation="softmax"))  # type: ignore[arg-type]
        out, t = o.right.outputs.value, o.problem.targets
        found = by_sentence(output_mistakes(), loss)
        by_hand = {
            "the derivative of the output activation is missing": 2 * (out - t) / n,
            "the output's softmax is passed through its diagonal p (1 - p) alone": (
                2 * (out - t) / n * (out - out**2)
            ),
        }
        for sentence, delta in by_hand.items():
            np.testing.assert_allclose(found[sentence].rule(o), delta, rtol=1e-12, err_msg=sentence)
        plain = observed(Asked(loss=loss))  # type: ignore[arg-type]
        sign = found["the absolute value's derivative sign(z - t) stands where 2 (z - t) belongs"]
        np.testing.assert_allclose(sign.rule(plain), np.sign(plain.zs[-1] - t) / n)
    o = observed(Asked(loss="binary_cross_entropy"))
    p = 1 / (1 + np.exp(-o.zs[-1]))
    found = by_sentence(output_mistakes(), "binary_cross_entropy")
    twice = found["the derivative of the sigmoid is multiplied in although p - t holds it already"]
    np.testing.assert_allclose(twice.rule(o), (p - o.problem.targets) / 10 * p * (1 - p), rtol=1e-12)


@pytest.mark.parametrize(
    ("sentence", "row", "factor"),
    [
        ("the last example of a batch is left out of the gradient", 4, 1.0),
        ("the first example of a batch is left out of the gradient", 0, 1.0),
        ("the last example of a batch is left out of the gradient, and the mean is over N - 1", 4, 5 / 4),
        ("the first example of a batch is left out of the gradient, and the mean is over N - 1", 0, 5 / 4),
    ],
)
def test_an_example_that_is_left_out(sentence: str, row: int, factor: float) -> None:
    o, alone = observed(Asked()), observed(Asked(n=1))
    expected = right_delta(o) * factor
    expected[row] = 0.0
    both = [mistake for mistake in output_mistakes() if mistake.sentence == sentence]
    for mistake in both:
        np.testing.assert_allclose(mistake.rule(o), expected, rtol=1e-13)
    spared, lost = (mistake.rule(alone) for mistake in both)
    np.testing.assert_array_equal(spared, right_delta(alone))
    assert not lost.any()


def test_the_laws_by_which_a_gradient_may_be_too_large_or_too_small() -> None:
    o, laws = observed(Asked()), dict(scale_laws())  # N = 5, K = 2, three inputs
    expected = {
        "N times too small: averaged twice?": 1 / 5,
        "N times too large: not divided by N?": 5.0,
        "K times too large: not averaged over the outputs?": 2.0,
        "K times too small: averaged over the outputs twice?": 1 / 2,
        "N K times too large: a sum where a mean belongs?": 10.0,
        "N K times too small: a mean where a sum belongs?": 1 / 10,
        "twice too large": 2.0,
        "half too small: the factor 2 of the square?": 0.5,
        "N / K times what its own loss asks": 5 / 2,
        "divided by the number of inputs instead of N": 5 / 3,
        "divided by the number of inputs too": 1 / 3,
        "N - 1 stands where N belongs": 5 / 4,
        "of the wrong sign": -1.0,
        "always zero": 0.0,
    }
    for words, factor in expected.items():
        assert laws[words](o) == pytest.approx(factor), words
    assert np.isnan(laws["N - 1 stands where N belongs"](observed(Asked(n=1))))
    outputs = by_sentence(output_mistakes(), "mse")
    for words in expected:
        np.testing.assert_allclose(
            outputs[f"the gradient is {words}"].rule(o), right_delta(o) * laws[words](o), err_msg=words
        )


def test_a_constant_is_read_from_the_last_layer_and_told_only_where_it_fits() -> None:
    o = observed(Asked())
    (told,) = constants([answering(o, 0.3 * o.gradient)])
    assert told.sentence == "the gradient is 0.3 times what it should be"
    np.testing.assert_allclose(told.rule(o), 0.3 * right_delta(o), rtol=1e-12)
    assert not [*constants([o])]
    other = 0.3 * o.gradient
    other[o.parts[-1][0].start] *= 1.001
    assert not [*constants([answering(o, other)])]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("dtype", "close"), [("float64", 1e-9), ("float32", 1e-5)])
def test_a_constant_fits_within_roundings_of_the_largest_entry(
    dtype: DtypeName, close: float, sign: int
) -> None:
    plain = observed(Asked())
    o = replace(plain, problem=plain.problem.astype(dtype))
    right = right_weight(o, o.depth - 1, right_delta(o))
    largest = np.abs(right).max()
    row, column = map(int, np.argwhere(np.abs(right) == np.abs(right).min())[0])
    for off, fits in ((0.8 * close, True), (1.3 * close, False)):
        found = -3.0 * right
        found[row, column] += sign * off * 3.0 * largest
        other = o.gradient.copy()
        other[o.parts[-1][0]] = found.ravel()
        assert bool([*constants([answering(o, other)])]) == fits
        assert np.isfinite(_times(answering(o, other), right_delta(o))) == fits
    for factor, told in ((1 + 0.8 * close, False), (1 + 1.2 * close, True), (1 - 1.2 * close, True)):
        assert bool([*constants([answering(o, factor * o.gradient)])]) == told


def test_a_gradient_of_zeros_is_no_times_and_of_a_delta_of_zeros_nothing_is_known() -> None:
    o = observed(Asked())
    assert _times(answering(o, 0 * o.gradient), right_delta(o)) == 0.0
    assert np.isnan(_times(o, 0 * right_delta(o)))
    assert _times(answering(o, 2 * o.gradient), right_delta(o)) == pytest.approx(2.0)
    assert _times(answering(o, o.gradient + 1), right_delta(o)) == np.inf


@pytest.mark.parametrize(("dtype", "close"), [("float64", 1e-9), ("float32", 1e-5)])
@pytest.mark.parametrize("scale", [1.0, 3.0])
@pytest.mark.parametrize("rate", [0.07, -0.07])
def test_a_penalty_is_read_beside_any_scale_within_roundings(
    dtype: DtypeName, close: float, scale: float, rate: float
) -> None:
    plain = observed(Asked())
    o = replace(plain, problem=plain.problem.astype(dtype))
    W = plain.problem.weights[-1][0]
    right = right_weight(o, o.depth - 1, right_delta(o))
    for off, fits in ((20 * close, True), (300 * close, False)):
        other = o.gradient.copy()
        noise = off * abs(rate) * np.abs(W).max() * np.eye(*W.shape)
        other[o.parts[-1][0]] = (scale * right + rate * W + noise).ravel()
        rates = _rates("weight", answering(o, other))
        assert bool(rates) == fits
        assert all(found == pytest.approx(rate, rel=1e-2) for found in rates)
    assert _rates("weight", o) == []


def test_a_law_beside_a_known_mistake_is_told_with_it() -> None:
    known = by_sentence(output_mistakes(), "mse")["the derivative of the output activation is missing"]
    many = [observed(Asked(output_activation="sigmoid", n=n, seed=n)) for n in (2, 3, 5)]

    def gradient(o: Observation, factor: float) -> Array:
        found = np.zeros_like(o.gradient)
        W, b = o.parts[-1]
        found[W] = factor * right_weight(o, o.depth - 1, known.rule(o)).ravel()
        found[b] = factor * known.rule(o).sum(axis=0)
        return found

    (told,) = scaled_too([known], [answering(o, gradient(o, o.n)) for o in many])
    assert told.sentence.endswith("; beside that the gradient is N times too large: not divided by N?")
    np.testing.assert_allclose(told.rule(many[1]), 3 * known.rule(many[1]), rtol=1e-12)
    assert not [*scaled_too([known], [answering(o, gradient(o, 1.0)) for o in many])]
    assert not [*scaled_too([known], [answering(o, o.gradient + 1) for o in many])]


def decayed(o: Observation, kind: str, rate: float) -> Observation:
    """With rate W or rate b on top of its gradient."""
    found = o.gradient.copy()
    for parts, arrays in zip(o.parts, o.problem.weights, strict=True):
        i = ("weight", "bias").index(kind)
        found[parts[i]] += rate * arrays[i].ravel()
    return answering(o, found)


@pytest.mark.parametrize("kind", ["weight", "bias"])
@pytest.mark.parametrize("over_n", [False, True])
def test_a_penalty_is_read_from_the_last_layer(kind: str, over_n: bool) -> None:
    o, share = observed(Asked()), 0.07 / (5 if over_n else 1)
    told = by_sentence(penalties([decayed(o, kind, share)]))
    written = f"(lambda = 0.07{'/N' if over_n else ''}) is in the {kind} gradient and missing from the loss"
    (sentence,) = (one for one in told if written in one)
    delta = right_pull(o, 2, right_delta(o))
    right, i = (right_weight, right_bias)[kind == "bias"](o, 1, delta), int(kind == "bias")
    np.testing.assert_allclose(told[sentence].rule(o, 1, delta) - right, share * o.problem.weights[1][i])
    assert told[sentence].family == "penalty"


@pytest.mark.parametrize(("kind", "letter"), [("weight", "W"), ("bias", "b")])
@pytest.mark.parametrize(
    ("rate", "said"),
    [
        (0.6, "the {kind} gradient holds 0.6 {letter}, and {own} of the loss has lambda {letter}"),
        (0.3 / 5, "the {kind} gradient holds 0.3/N {letter}, and {own} of the loss has lambda {letter}"),
        (-0.3, "the {kind} gradient holds -0.3 {letter}, and {own} of the loss has lambda {letter}"),
        (0.0, "{own} is in the loss and missing from the {kind} gradient"),
    ],
)
def test_a_penalty_of_the_loss_that_is_another_in_the_gradient_is_told_with_both(
    kind: str, letter: str, rate: float, said: str
) -> None:
    o = observed(Asked(convention=Convention(penalty=0.3, penalty_on_biases=True)))
    told = by_sentence(penalties([decayed(o, kind, rate)]))
    sentence = said.format(kind=kind, letter=letter, own=f"lambda/2 |{letter}|^2 (lambda = 0.3)")
    assert sentence in told
    delta = right_pull(o, 2, right_delta(o))
    right, i = (right_weight, right_bias)[kind == "bias"](o, 1, delta), int(kind == "bias")
    difference = told[sentence].rule(o, 1, delta) - right
    np.testing.assert_allclose(difference, (rate - 0.3) * o.problem.weights[1][i], atol=1e-15)
    assert not told[sentence].family  # it is no penalty that the loss lacks


def test_parameters_that_are_given_back_are_no_penalty() -> None:
    o = observed(Asked())
    given = np.concatenate([part.ravel() for pair in o.problem.weights for part in pair])
    assert not list(penalties([answering(o, given)]))
    assert list(penalties([decayed(o, "weight", 1.0)]))


def test_the_penalty_of_the_loss_itself_is_no_mistake() -> None:
    o = observed(Asked(convention=Convention(penalty=0.3, penalty_on_biases=True)))
    right = decayed(decayed(o, "weight", 0.3), "bias", 0.3)
    assert all("missing from" in sentence for sentence in by_sentence(penalties([right])))


def test_the_mistakes_of_a_weight_gradient() -> None:
    o, found = observed(Asked((4, 4, 4, 2))), by_sentence(weight_mistakes())
    rng = np.random.default_rng(1)
    delta, a, z = rng.normal(size=(5, 4)), o.activations, o.zs
    by_hand = {
        "a weight gradient uses the next layer's input": a[2].T @ delta,
        "a weight gradient uses the input of the layer before": a[0].T @ delta,
        "a weight gradient uses the pre-activation z where a belongs": z[0].T @ delta,
        "dW is transposed; square layers let it through": delta.T @ a[1],
        "the weight gradient is that of the first example only": np.outer(a[1][0], delta[0]),
        "the weight gradient is that of the last example only": np.outer(a[1][4], delta[4]),
        "every weight gradient is of the wrong sign": -a[1].T @ delta,
        "every weight gradient of the hidden layers is of the wrong sign": -a[1].T @ delta,
        "the weight gradient of the first layer is of the wrong sign": a[1].T @ delta,
        "the weight gradient of the last layer is of the wrong sign": a[1].T @ delta,
        "the gradient of the first layer uses the second layer's input": a[1].T @ delta,
    }
    for sentence, dW in by_hand.items():
        np.testing.assert_allclose(found[sentence].rule(o, 1, delta), dW, rtol=1e-12, err_msg=sentence)
    at_first = {
        "a weight gradient uses the next layer's input": a[1].T @ delta,
        "a weight gradient uses the input of the layer before": a[0].T @ delta,
        "a weight gradient uses the pre-activation z where a belongs": a[0].T @ delta,
        "the weight gradient of the first layer is of the wrong sign": -a[0].T @ delta,
        "every weight gradient of the hidden layers is of the wrong sign": -a[0].T @ delta,
        "the gradient of the first layer uses the second layer's input": a[1].T @ delta,
    }
    for sentence, dW in at_first.items():
        np.testing.assert_allclose(found[sentence].rule(o, 0, delta), dW, rtol=1e-12, err_msg=sentence)
    last = rng.normal(size=(5, 2))
    at_last = {
        "a weight gradient uses the next layer's input": a[2].T @ last,
        "dW is transposed; square layers let it through": a[2].T @ last,
        "the weight gradient of the last layer is of the wrong sign": -a[2].T @ last,
        "every weight gradient of the hidden layers is of the wrong sign": a[2].T @ last,
    }
    for sentence, dW in at_last.items():
        np.testing.assert_allclose(found[sentence].rule(o, 2, last), dW, rtol=1e-12, err_msg=sentence)


def test_rows_of_idle_inputs_are_copied_from_their_neighbour() -> None:
    o = observed(Asked((4, 2)))
    o.problem.x[:, 2] = 0.0
    rule = by_sentence(weight_mistakes())[
        "gradient rows of inputs that are always zero are copied from their neighbour"
    ].rule
    delta = np.random.default_rng(1).normal(size=(5, 2))
    expected = o.problem.x.T @ delta
    expected[2] = expected[1]
    np.testing.assert_allclose(rule(o, 0, delta), expected)


def test_the_mistakes_of_a_bias_gradient() -> None:
    o, found = observed(Asked()), by_sentence(bias_mistakes())
    delta = np.random.default_rng(1).normal(size=(5, 4))
    by_hand = {
        "the bias gradient is summed over all axes": [delta.sum()] * 4,
        "every bias of a layer gets the mean of the layer's bias gradients": [delta.sum() / 4] * 4,
        "the bias gradient is that of the first example only": delta[0],
        "the bias gradient is that of the last example only": delta[4],
        "the bias gradient is summed over the outputs instead of the examples": [row.sum() for row in delta],
        "every bias gradient is twice too large": 2 * delta.sum(axis=0),
    }
    for sentence, db in by_hand.items():
        np.testing.assert_allclose(found[sentence].rule(o, 1, delta), db, rtol=1e-12, err_msg=sentence)


def test_the_mistakes_of_what_is_passed_back() -> None:
    o, found = observed(Asked(output_activation="sigmoid")), by_sentence(pull_mistakes())
    delta = np.random.default_rng(1).normal(size=(5, 4))
    W, last = o.problem.weights[1][0], o.problem.weights[2][0]
    by_hand = {
        "W stands where W^T belongs; square layers let it through": delta @ W,
        "the upstream gradient is ignored: ones stand in its place": np.ones((5, 4)) @ W.T,
        "only the sign of the upstream gradient is used": np.sign(delta) @ W.T,
        "the weights are left out when the gradient is passed back": np.outer(delta.sum(axis=1), np.ones(4)),
        "delta is divided by N again in every layer": delta @ W.T / 5,
        "the derivative of the output activation is left out of what is passed back": delta @ W.T,
        "no gradient reaches the hidden layers": np.zeros((5, 4)),
    }
    for sentence, pull in by_hand.items():
        np.testing.assert_allclose(found[sentence].rule(o, 1, delta), pull, rtol=1e-12, err_msg=sentence)
    # Its last layer's weight gradient is three times the right one, and so is what it passes back.
    tripled = o.gradient.copy()
    tripled[o.parts[2][0]] = 3 * right_weight(o, 2, right_delta(o)).ravel()
    error = 3 * right_error(o)
    wrong = answering(o, tripled)
    at_last = np.random.default_rng(2).normal(size=(5, 2))
    without_slope = found["the derivative of the output activation is left out of what is passed back"].rule
    np.testing.assert_allclose(without_slope(wrong, 2, at_last), error @ last.T, rtol=1e-11)
    without_any = found[
        "the derivatives of the layers above are left out of what is passed back: W^T alone is applied"
    ].rule
    np.testing.assert_allclose(without_any(wrong, 1, delta), error @ last.T @ W.T, rtol=1e-11)
    square = found["W stands where W^T belongs; square layers let it through"].rule
    np.testing.assert_allclose(square(o, 2, at_last), at_last @ last.T, rtol=1e-12)


EVERYWHERE = "relu's mask is true everywhere, as a >= 0 after relu is: the derivative of relu is missing"
LEAKING = "leaky relu's derivative, {:g} below 0, stands where relu' belongs"
Z = np.array([-2.0, -0.3, 0.0, 0.4, 3.0])
TANH, SIGMOID, RELU = np.tanh(Z), 1 / (1 + np.exp(-Z)), np.maximum(Z, 0)


@pytest.mark.parametrize(
    ("activation", "a", "sentence", "slope"),
    [
        ("sigmoid", SIGMOID, "sigmoid' is evaluated at a instead of z: the sigmoid is applied twice",
         1 / (1 + np.exp(-SIGMOID)) / (1 + np.exp(SIGMOID))),
        ("sigmoid", SIGMOID, "sigmoid' reads z where a belongs: z (1 - z)", Z - Z**2),
        ("sigmoid", SIGMOID, "sigmoid' is taken as a (1 + a)", SIGMOID + SIGMOID**2),
        ("tanh", TANH, "tanh' reads z where tanh(z) belongs: 1 - z^2", 1 - Z**2),
        ("tanh", TANH, "tanh' is evaluated at a instead of z: tanh is applied twice", 1 - np.tanh(TANH) ** 2),
        ("tanh", TANH, "tanh' is taken as 1 - a: the square is missing", 1 - TANH),
        ("tanh", TANH, "sigmoid' = a (1 - a) stands where tanh' = 1 - a^2 belongs", TANH - TANH**2),
        ("tanh", TANH, "tanh' is taken as 1 + a^2: the sign is wrong", 1 + TANH**2),
        ("relu", RELU, EVERYWHERE, [1, 1, 1, 1, 1]),
        ("relu", RELU, "relu' is 1 at z = 0, where the convention says 0", [0, 0, 1, 1, 1]),
        ("relu", RELU, LEAKING.format(0.01), [0.01, 0.01, 0.01, 1, 1]),
        ("relu", RELU, LEAKING.format(0.2), [0.2, 0.2, 0.2, 1, 1]),
        ("relu", RELU, "relu's mask is inverted", [1, 1, 1, 0, 0]),
        ("relu", RELU, "relu's mask is a > 1", [0, 0, 0, 0, 1]),
        ("leaky_relu", Z, "relu' stands where leaky relu's belongs: 0 below 0", [0, 0, 0, 1, 1]),
        ("tanh", TANH, "the derivative of tanh is missing", [1, 1, 1, 1, 1]),
        ("sigmoid", SIGMOID, "sigmoid itself stands where its derivative belongs", SIGMOID),
        ("tanh", TANH, "z stands where the derivative of tanh belongs", Z),
        ("tanh", TANH, "the square of tanh' stands where tanh' belongs: it is multiplied in twice",
         (1 - TANH**2) ** 2),
    ],
)  # fmt: skip
def test_the_mistakes_of_a_slope(activation: str, a: Array, sentence: str, slope: Array) -> None:
    found = {mistake.sentence: mistake for mistake in slope_mistakes(activation)}
    np.testing.assert_allclose(found[sentence].rule(Z, a), slope, rtol=1e-12, atol=1e-15)
    assert found[sentence].only == activation


def test_what_every_slope_may_be_is_not_told_of_the_identity() -> None:
    assert not [*slope_mistakes("identity")]
    assert not any("mask" in mistake.sentence for mistake in slope_mistakes("tanh"))
    assert not any("tanh'" in mistake.sentence for mistake in slope_mistakes("gelu"))


def test_no_more_than_forty_penalties_are_tried_of_each_kind() -> None:
    o = observed(Asked())
    part, W = o.parts[-1][0], o.problem.weights[-1][0]

    def decayed(rate: float) -> Observation:
        found = o.gradient.copy()
        found[part] += rate * W.ravel()
        return answering(o, found)

    many = [*penalties([decayed(0.01 * i) for i in range(1, 50)])]
    assert {mistake.step for mistake in many} == {"weight"}
    assert [mistake.sentence.count("/N") for mistake in many] == [0] * 40 + [1] * 40
    assert "lambda = 0.01)" in many[0].sentence
    assert "lambda = 0.05/N)" in many[40].sentence
