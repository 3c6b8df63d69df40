"""Known ways to be wrong in one step of backpropagation, each as a formula for what comes out instead.

The textbook's backward pass has five steps, and a mistake replaces one:

    output   delta_L = dL/dz_L                        of one loss
    weight   dW_l = a_(l-1)^T delta_l
    bias     db_l = sum of delta_l over the examples
    pull     u = delta_l W_l^T
    slope    delta_(l-1) = u f'(z_(l-1))              of one activation

Mistakes in different steps can hold at once: the first three show in the last layer, the others behind it.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import expit, log_softmax, softmax

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.expected import kept
from backproof.comparisons.check.forms.laws import LAWS, Law
from backproof.scratch.architecture import Array

STEPS = ("output", "weight", "bias", "pull", "slope")
PENALTY = "penalty"
Rule = Callable[..., Array]


@dataclass(frozen=True)
class Mistake:
    """`rule` by step: output (o) -> delta; weight, bias, pull (o, layer, delta) -> array; slope (z, a) -> f'.

    `only` is the loss or the activation it speaks of, empty for every one; `family` one name for mistakes
    that are one where they happen for every loss or activation.
    """

    step: str
    sentence: str
    rule: Rule
    only: str = ""
    family: str = ""
    loss: Callable[[Observation], float] | None = None  # the loss that goes with it, where that is wrong too

    @property
    def is_right(self) -> bool:
        return not self.sentence


def right_delta(o: Observation) -> Array:
    """dL/dz of the last layer, the loss's law applied."""
    z, t = o.zs[-1], o.problem.targets
    loss, cross = o.loss_name, o.loss_name == "cross_entropy"
    if cross or loss == "binary_cross_entropy":
        p = softmax(z, axis=1) if cross else expit(z)
        labels = np.eye(z.shape[1])[t] if cross else t
        delta: Array = (p - labels) / t.size
        if o.convention.exact:
            delta = delta * kept(p, labels, o.convention, cross)
    else:
        out = o.right.outputs.value
        delta = 2 * (out - t) / (z.size if loss == "mse" else 1)
        delta = through_output(o.output_activation, out, delta)
    return delta * o.factor


def through_output(name: str, out: Array, pull: Array) -> Array:
    """dL/dz of dL/dout."""
    if name == "softmax":
        delta: Array = out * (pull - (pull * out).sum(axis=1, keepdims=True))
    else:
        slopes = {"sigmoid": out * (1 - out), "tanh": 1 - out**2}
        delta = pull * slopes.get(name, np.ones_like(out))
    return delta


def right_weight(o: Observation, layer: int, delta: Array) -> Array:
    dW: Array = o.activations[layer].T @ delta
    return dW + o.penalty * o.problem.weights[layer][0]


def right_bias(o: Observation, layer: int, delta: Array) -> Array:
    db: Array = delta.sum(axis=0)
    return db + o.bias_penalty * o.problem.weights[layer][1]


def right_pull(o: Observation, layer: int, delta: Array) -> Array:
    return delta @ o.problem.weights[layer][0].T


RIGHT = {
    "output": Mistake("output", "", right_delta),
    "weight": Mistake("weight", "", right_weight),
    "bias": Mistake("bias", "", right_bias),
    "pull": Mistake("pull", "", right_pull),
}


def right_slope(activation: str) -> Mistake:
    slope = ACTIVATION_FUNCTIONS[activation].slope
    return Mistake("slope", "", lambda z, a: slope(z), activation)


# -- the output


def _onehot(o: Observation) -> Array:
    rows: Array = np.eye(o.k)[o.problem.targets]
    return rows


def _cross_entropy(sentence: str, rule: Callable[[Array, Array], Array], p: Rule | None = None) -> Mistake:
    """`rule(z, onehot)` without 1/N; `p(z)` where the loss takes its probabilities from the same mistake."""

    def delta(o: Observation) -> Array:
        return rule(o.zs[-1], _onehot(o)) / o.n * o.factor

    def loss(o: Observation) -> float:
        assert p is not None
        with np.errstate(all="ignore"):
            return float(-np.log((p(o.zs[-1]) * _onehot(o)).sum(axis=1)).mean() * o.factor)

    return Mistake("output", sentence, delta, "cross_entropy", loss=loss if p else None)


def _whole(z: Array) -> Array:
    e = np.exp(z - z.max())
    p: Array = e / e.sum()
    return p


def _negated(z: Array) -> Array:
    p: Array = softmax(-z, axis=1)
    return p


def _per_column(z: Array) -> Array:
    p: Array = softmax(z, axis=0)
    return p


def _whole_numerator(z: Array) -> Array:
    numerator: Array = np.exp(z - z.max())
    return numerator


def _smoothed(share: float) -> Callable[[Array, Array], Array]:
    return lambda z, t: softmax(z, axis=1) - ((1 - share) * t + share / t.shape[1])


def output_mistakes() -> Iterator[Mistake]:
    yield _cross_entropy(
        "the softmax is normalised over the whole batch instead of each row",
        lambda z, t: _whole(z) - t,
        _whole,
    )
    over_samples = "the softmax is taken over the samples (axis 0) instead of the outputs"
    yield _cross_entropy(over_samples, lambda z, t: _per_column(z) - t, _per_column)
    yield _cross_entropy(
        "exp(-z) stands in the softmax where exp(z) belongs", lambda z, t: _negated(z) - t, _negated
    )
    yield _cross_entropy(
        "the softmax is not normalised", lambda z, t: _whole_numerator(z) - t, _whole_numerator
    )
    yield _cross_entropy(
        "only the diagonal p (1 - p) of the softmax Jacobian is used",
        lambda z, t: -t * (1 - softmax(z, axis=1)),
    )
    yield _cross_entropy(
        "softmax minus one-hot is multiplied by p (1 - p) once more",
        lambda z, t: (softmax(z, axis=1) - t) * softmax(z, axis=1) * (1 - softmax(z, axis=1)),
    )
    yield _cross_entropy("the sigmoid stands where the softmax belongs", lambda z, t: expit(z) - t)
    yield _cross_entropy(
        "log-probabilities stand where probabilities belong", lambda z, t: log_softmax(z, axis=1) - t
    )
    yield _cross_entropy("the raw logits stand where the softmax belongs", lambda z, t: z - t)
    yield _cross_entropy(
        "the one-hot labels are left out of softmax minus one-hot", lambda z, t: softmax(z, axis=1)
    )
    for share in (0.05, 0.1, 0.2):
        smoothed = f"labels are smoothed by {share:g} in the gradient, and in the loss they are not"
        yield _cross_entropy(smoothed, _smoothed(share))
    yield _cross_entropy(
        "dL/dp = -1/p stands where softmax minus one-hot belongs", lambda z, t: -t / softmax(z, axis=1)
    )
    yield Mistake(
        "output",
        "the derivative of the sigmoid is multiplied in although p - t holds it already",
        lambda o: right_delta(o) * expit(o.zs[-1]) * expit(-o.zs[-1]),
        "binary_cross_entropy",
    )
    for loss in ("mse", "sum_of_squares"):
        yield Mistake(
            "output",
            "the absolute value's derivative sign(z - t) stands where 2 (z - t) belongs",
            lambda o: np.sign(right_delta(o)) / (o.zs[-1].size if o.loss_name == "mse" else 1),
            loss,
            "sign",
        )
        yield Mistake(
            "output",
            "the derivative of the output activation is missing",
            lambda o: (
                2
                * (o.right.outputs.value - o.problem.targets)
                / (o.zs[-1].size if o.loss_name == "mse" else 1)
                * o.factor
            ),
            loss,
            "output slope",
        )
        yield Mistake(
            "output",
            "the output's softmax is passed through its diagonal p (1 - p) alone",
            _diagonal_output,
            loss,
            "diagonal output",
        )
    for sentence, factor in scale_laws():
        yield Mistake(
            "output", f"the gradient is {sentence}", _scaled_delta(factor), family=f"scale {sentence}"
        )


def _diagonal_output(o: Observation) -> Array:
    out = o.right.outputs.value
    pull = 2 * (out - o.problem.targets) / (o.zs[-1].size if o.loss_name == "mse" else 1) * o.factor
    delta: Array = pull * out * (1 - out)
    return delta


Factor = Callable[[Observation], float]


def _scaled_delta(factor: Factor) -> Rule:
    return lambda o: right_delta(o) * factor(o)


_LAW_WORDS = {
    Law(-1, 0): "N times too small: averaged twice?",
    Law(1, 0): "N times too large: not divided by N?",
    Law(0, 1): "K times too large: not averaged over the outputs?",
    Law(0, -1): "K times too small: averaged over the outputs once too often?",
    Law(1, 1): "N K times too large: a sum where a mean belongs?",
    Law(-1, -1): "N K times too small: a mean where a sum belongs?",
    Law(0, 0, 2.0): "twice too large",
    Law(0, 0, 0.5): "half too small: the factor 2 of the square?",
}


def _law_factor(law: Law) -> Factor:
    return lambda o: law.at(o.problem)


def scale_laws() -> Iterator[tuple[str, Factor]]:
    """What a gradient may be times what it should be: the sentence's end, and the factor."""
    named = [law for law in LAWS if law in _LAW_WORDS]
    others = [law for law in LAWS if law not in _LAW_WORDS and not law.is_one]
    for law in [*_LAW_WORDS, *(law for law in others if law not in named)]:
        words = _LAW_WORDS.get(law, f"{law} times what its own loss asks")
        yield words, _law_factor(law)
    inputs = "divided by the number of inputs instead of N"
    yield inputs, lambda o: o.n / o.problem.architecture.n_inputs
    yield "divided by the number of inputs too", lambda o: 1 / o.problem.architecture.n_inputs
    yield "N - 1 stands where N belongs", lambda o: o.n / (o.n - 1.0) if o.n > 1 else np.nan
    yield "of the wrong sign", lambda o: -1.0
    yield "always zero", lambda o: 0.0


# -- weights, biases, what is passed back


def _everywhere(layer: int, depth: int) -> bool:
    return True


SCOPES: dict[str, Callable[[int, int], bool]] = {
    "": _everywhere,
    " of the hidden layers": lambda layer, depth: layer < depth - 1,
    " of the first layer": lambda layer, depth: layer == 0,
    " of the last layer": lambda layer, depth: layer == depth - 1,
}


def _scaled(kind: str, sentence: str, factor: Factor, scope: str) -> Mistake:
    right, holds = RIGHT[kind].rule, SCOPES[scope]

    def rule(o: Observation, layer: int, delta: Array) -> Array:
        return right(o, layer, delta) * (factor(o) if holds(layer, o.depth) else 1.0)

    every = "the" if scope in (" of the first layer", " of the last layer") else "every"
    return Mistake(kind, f"{every} {kind} gradient{scope} is {sentence}", rule)


def _of_layer(kind: str, sentence: str, rule: Rule, holds: Callable[[int, int], bool]) -> Mistake:
    right = RIGHT[kind].rule

    def chosen(o: Observation, layer: int, delta: Array) -> Array:
        return rule(o, layer, delta) if holds(layer, o.depth) else right(o, layer, delta)

    return Mistake(kind, sentence, chosen)


def weight_mistakes() -> Iterator[Mistake]:
    for scope in SCOPES:
        for sentence, factor in scale_laws():
            yield _scaled("weight", sentence, factor, scope)

    def of_input(offset: int) -> Rule:
        def rule(o: Observation, layer: int, delta: Array) -> Array:
            other = o.activations[min(max(layer + offset, 0), o.depth - 1)]
            here = o.activations[layer]
            dW: Array = (other if other.shape == here.shape else here).T @ delta
            return dW

        return rule

    def copied_rows(o: Observation, layer: int, delta: Array) -> Array:
        dW = right_weight(o, layer, delta)
        for row in np.flatnonzero(~o.activations[layer].any(axis=0)):
            dW[row] = dW[row - 1]
        return dW

    def of_z(o: Observation, layer: int, delta: Array) -> Array:
        dW: Array = (o.zs[layer - 1] if layer else o.activations[0]).T @ delta
        return dW

    def turned_if_square(o: Observation, layer: int, delta: Array) -> Array:
        dW = right_weight(o, layer, delta)
        return dW.T if dW.shape[0] == dW.shape[1] else dW

    yield _of_layer(
        "weight",
        "the gradient of the first layer uses the second layer's input",
        of_input(1),
        lambda layer, depth: layer == 0,
    )
    yield Mistake("weight", "a weight gradient uses the next layer's input", of_input(1))
    yield Mistake("weight", "a weight gradient uses the input of the layer before", of_input(-1))
    yield Mistake("weight", "a weight gradient uses the pre-activation z where a belongs", of_z)
    yield Mistake(
        "weight", "gradient rows of inputs that are always zero are copied from their neighbour", copied_rows
    )
    yield Mistake("weight", "dW is transposed; square layers let it through", turned_if_square)
    yield Mistake(
        "weight",
        "the weight gradient is that of the first example only",
        lambda o, layer, delta: o.activations[layer][:1].T @ delta[:1],
    )
    yield Mistake(
        "weight",
        "the weight gradient is that of the last example only",
        lambda o, layer, delta: o.activations[layer][-1:].T @ delta[-1:],
    )


def penalties(observations: list[Observation]) -> Iterator[Mistake]:
    """lambda W in the gradient and not in the loss, lambda read from the last layer of one observation."""
    for over_n in (False, True):
        rates = {round(rate * (o.n if over_n else 1), 9) for o in observations for rate in _rates(o)}
        for rate in sorted(rates)[:40]:
            yield _penalty(rate, over_n)


def _penalty(rate: float, over_n: bool) -> Mistake:
    def rule(o: Observation, layer: int, delta: Array) -> Array:
        return right_weight(o, layer, delta) + rate / (o.n if over_n else 1) * o.problem.weights[layer][0]

    written = f"lambda = {rate:.6g}{'/N' if over_n else ''}"
    sentence = f"lambda W ({written}) is in the weight gradient and missing from the loss"
    return Mistake("weight", sentence, rule, family=PENALTY)


def _rates(o: Observation) -> list[float]:
    layer = o.depth - 1
    W = o.problem.weights[layer][0]
    rest = o.weight(layer) - right_weight(o, layer, right_delta(o))
    rate = float((rest * W).sum() / (W * W).sum())
    fits = np.abs(rest - rate * W).max() <= 1e-7 * np.abs(rest).max(initial=1e-300)
    return [rate] if fits and abs(rate) > 1e-9 else []


def constants(observations: Sequence[Observation]) -> Iterator[Mistake]:
    """The gradient of this loss times a constant that is read from the last layer of one observation."""
    for o in observations:
        right = right_delta(o)
        dW, found = right_weight(o, o.depth - 1, right), o.weight(o.depth - 1)
        size = float((dW * dW).sum())
        factor = float((found * dW).sum()) / size if size else 1.0
        if size and np.abs(found - factor * dW).max() <= 1e-9 * np.abs(found).max(initial=1e-300):
            if abs(factor - 1) > 1e-9:
                sentence = f"the gradient is {factor:.6g} times what it should be"
                yield Mistake("output", sentence, _scaled_delta(_constant_factor(factor)), family=sentence)
            return


def _constant_factor(factor: float) -> Factor:
    return lambda o: factor


def bias_mistakes() -> Iterator[Mistake]:
    for scope in SCOPES:
        for sentence, factor in scale_laws():
            yield _scaled("bias", sentence, factor, scope)
    rules: dict[str, Rule] = {
        "the bias gradient is summed over all axes": lambda o, layer, d: np.full(d.shape[1], d.sum()),
        "the bias gradient is that of the first example only": lambda o, layer, d: d[0],
        "the bias gradient is that of the last example only": lambda o, layer, d: d[-1],
        "the bias gradient is summed over the outputs instead of the examples": lambda o, layer, d: d.sum(
            axis=1
        ),
    }
    for sentence, rule in rules.items():
        yield Mistake("bias", sentence, rule)


def pull_mistakes() -> Iterator[Mistake]:
    def square_only(o: Observation, layer: int, delta: Array) -> Array:
        W = o.problem.weights[layer][0]
        return delta @ (W if W.shape[0] == W.shape[1] else W.T)

    def no_weight(o: Observation, layer: int, delta: Array) -> Array:
        return np.repeat(delta.sum(axis=1, keepdims=True), len(o.problem.weights[layer][0]), axis=1)

    rules: dict[str, Rule] = {
        "W stands where W^T belongs; square layers let it through": square_only,
        "the upstream gradient is ignored: ones stand in its place": (
            lambda o, layer, d: np.ones_like(d) @ o.problem.weights[layer][0].T
        ),
        "only the sign of the upstream gradient is used": (
            lambda o, layer, d: np.sign(d) @ o.problem.weights[layer][0].T
        ),
        "the weights are left out when the gradient is passed back": no_weight,
        "the delta of the last layer is passed to every layer below": right_pull,
        "delta is divided by N again in every layer": (
            lambda o, layer, d: d @ o.problem.weights[layer][0].T / o.n
        ),
        "no gradient reaches the hidden layers": (
            lambda o, layer, d: 0 * (d @ o.problem.weights[layer][0].T)
        ),
    }
    del rules["the delta of the last layer is passed to every layer below"]
    for sentence, rule in rules.items():
        yield Mistake("pull", sentence, rule)


# -- slopes


def _leaking(leak: float) -> Rule:
    return lambda z, a: np.where(z > 0, 1.0, leak)


def _again(function: Callable[[Array], Array]) -> Rule:
    return lambda z, a: function(a)


def slope_mistakes(activation: str) -> Iterator[Mistake]:
    """Of this activation; the same family is one mistake where every activation has it."""
    function = ACTIVATION_FUNCTIONS[activation]

    def mistake(sentence: str, rule: Rule, family: str = "") -> Mistake:
        return Mistake("slope", sentence, rule, activation, family)

    if activation == "sigmoid":
        yield mistake(
            "sigmoid' is evaluated at a instead of z: the sigmoid is applied twice",
            _again(function.slope),
            "slope at a",
        )
        yield mistake("sigmoid' reads z where a belongs: z (1 - z)", lambda z, a: z * (1 - z), "z for a")
        yield mistake("sigmoid' is taken as a (1 + a)", lambda z, a: a * (1 + a))
    if activation == "tanh":
        yield mistake("tanh' reads z where tanh(z) belongs: 1 - z^2", lambda z, a: 1 - z * z, "z for a")
        yield mistake(
            "tanh' is evaluated at a instead of z: tanh is applied twice",
            _again(function.slope),
            "slope at a",
        )
        yield mistake("tanh' is taken as 1 - a: the square is missing", lambda z, a: 1 - a)
        yield mistake("sigmoid' = a (1 - a) stands where tanh' = 1 - a^2 belongs", lambda z, a: a * (1 - a))
        yield mistake("tanh' is taken as 1 + a^2: the sign is wrong", lambda z, a: 1 + a * a)
    if activation in ("relu", "leaky_relu"):
        yield mistake(
            "relu's mask is true everywhere, as a >= 0 after relu is: the derivative of relu is missing",
            lambda z, a: np.ones_like(z),
            "missing",
        )
        yield mistake("relu' is 1 at z = 0, where the convention says 0", lambda z, a: (z >= 0) * 1.0)
        for leak in (0.01, 0.1, 0.2):
            leaky = f"leaky relu's derivative, {leak:g} below 0, stands where relu' belongs"
            yield mistake(leaky, _leaking(leak))
        yield mistake("relu's mask is turned round", lambda z, a: (z <= 0) * 1.0)
        yield mistake("relu's mask is a > 1", lambda z, a: (a > 1) * 1.0)
    if activation == "leaky_relu":
        yield mistake("relu' stands where leaky relu's belongs: 0 below 0", lambda z, a: (z > 0) * 1.0)
    if activation not in ("relu", "leaky_relu", "identity"):
        yield mistake(f"the derivative of {activation} is missing", lambda z, a: np.ones_like(z), "missing")
        yield mistake(f"{activation}' is evaluated at a instead of z", _again(function.slope), "slope at a")
    if activation != "identity":
        yield mistake(f"{activation} itself stands where its derivative belongs", lambda z, a: a, "itself")
        yield mistake(f"z stands where the derivative of {activation} belongs", lambda z, a: z)
        yield mistake(
            f"the square of {activation}' stands where {activation}' belongs: it is multiplied in twice",
            lambda z, a: function.slope(z) ** 2,
            "twice",
        )


FAMILIES = {
    "missing": "the derivative of the activation is missing: delta is passed back without f'",
    "slope at a": "the activation has overwritten z: its derivative is evaluated at a",
    "itself": "the activation itself stands where its derivative belongs",
    "z for a": "the derivative, written for a, is given z",
    "twice": "the derivative of the activation is multiplied in twice",
}
