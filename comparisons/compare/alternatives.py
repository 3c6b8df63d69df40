"""What else might have been computed: the causes of a tensor that is off by more than rounding.

Each alternative is a tensor computed from the same recorded inputs by a formula with one mistake in it. It is
a cause only where it fits every entry of what was found to within the rounding of its own formula, and not
where the right formula fits as well. Nothing is guessed from the size of an error.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from math import log

import numpy as np
from scipy.special import expit, log_softmax, softmax

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.compare.activations import WORDS
from backproof.comparisons.compare.intervals import Habits, Rule, rule
from backproof.comparisons.verdicts.rounding import ELEMENTARY, Arithmetic, Bounded
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.problem import Problem

MOST_CAUSES = 3
Alternative = tuple[str, Array]


@dataclass(frozen=True)
class Given:
    """What a tensor was computed from, in float64, as far as the kind of tensor has it."""

    problem: Problem
    layer: int = 0  # from 0
    inputs: Array | None = None  # a_{l-1}
    z: Array | None = None
    logits: Array | None = None
    delta: Array | None = None  # of this layer
    summed: Array | None = None  # delta W^T, before the slope
    slope: Array | None = None  # f'(z) of the layer below
    activation: str = "identity"  # where one is taken: the name of f

    @property
    def W(self) -> Array:
        return np.asarray(self.problem.weights[self.layer][0], np.float64)

    @property
    def b(self) -> Array:
        return np.asarray(self.problem.weights[self.layer][1], np.float64)


def causes_of(
    name: str, found: Array, expected: Bounded, given: Given, arithmetic: Arithmetic
) -> tuple[str, ...]:
    """Up to three sentences, each of which explains all entries of `found`."""
    fits = [
        text
        for text, other in _alternatives(name, expected.value, given)
        if _fits(found, other, expected, arithmetic, _operations(given))
    ]
    if not fits and (digits := lost_digits(found, expected.value, arithmetic)):
        fits = [digits]
    return tuple(dict.fromkeys(fits))[:MOST_CAUSES]


def _operations(given: Given) -> float:
    """How many roundings a term of any of the formulas passes through, generously."""
    return float(max(*given.problem.architecture.layer_sizes, given.problem.batch_size)) + 4 * ELEMENTARY


def _fits(found: Array, other: Array, expected: Bounded, arithmetic: Arithmetic, operations: float) -> bool:
    if other.shape != found.shape or not np.isfinite(other).all() or not np.isfinite(found).all():
        return False
    size = np.abs(other) + np.max(np.abs(other), initial=0.0)
    allowed = expected.error + arithmetic.unit * operations * size + arithmetic.tiny
    return bool((np.abs(found - other) <= allowed).all())


def lost_digits(found: Array, expected: Array, arithmetic: Arithmetic) -> str:
    """A description, not a cause: right to so many digits and no further."""
    size = float(np.max(np.abs(expected), initial=0.0))
    error = float(np.max(np.abs(found - expected), initial=0.0))
    if not size or not np.isfinite(error) or not 0.0 < error / size < 0.02:
        return ""
    bits = -log(error / size, 2)
    kinds = ((11, "float16"), (8, "bfloat16"), (24, "float32"))
    near = [kind for digits, kind in kinds if abs(bits - digits) < 2.5 and 2.0**-digits > 4 * arithmetic.unit]
    computed = f": computed or summed in {near[0]}?" if near else ""
    return f"right to {-np.log10(error / size):.1f} digits and no further{computed}"


def _alternatives(name: str, expected: Array, given: Given) -> Iterator[Alternative]:
    if name.startswith(("z", "logits")):
        yield from _layer(given, last=name == "logits")
    elif name.startswith("a"):
        yield from _activation(given)
    elif name == "loss":
        yield from _loss(given)
    elif name.startswith("dW"):
        yield from _weight_gradient(given)
    elif name.startswith("db"):
        yield from _bias_gradient(given)
    elif given.logits is not None:
        yield from _last_delta(given)
    else:
        yield from _delta(given)
    yield from _scales(expected, given, loss=name == "loss")


def _layer(given: Given, last: bool) -> Iterator[Alternative]:
    a, W, b = given.inputs, given.W, given.b
    assert a is not None
    z = a @ W + b
    yield "the bias is left out", a @ W
    yield "the bias is added twice", z + b
    if W.shape[0] == W.shape[1]:
        yield "the weights are transposed", a @ W.T + b
    for layer, (other, bias) in enumerate(given.problem.weights):
        if layer != given.layer and other.shape == W.shape:
            yield f"it has the weights of layer {layer + 1}", a @ np.asarray(other, np.float64) + b
            yield (
                f"it has the weights and the bias of layer {layer + 1}",
                a @ np.asarray(other, np.float64) + bias,
            )
    if last:
        yield "these are probabilities, the softmax of the logits", softmax(z, axis=1)
        yield "these are log-probabilities", log_softmax(z, axis=1)
        yield "these are probabilities, the sigmoid of the logits", expit(z)
        yield "the softmax is taken over the batch", softmax(z, axis=0)
        yield "an activation is applied to the output: relu", np.maximum(z, 0)
        yield "an activation is applied to the output: tanh", np.tanh(z)


def _activations(z: Array) -> Iterator[Alternative]:
    for kind, function in ACTIVATION_FUNCTIONS.items():
        yield WORDS[kind], function.value(z)
    yield "hard sigmoid", np.clip(z / 6 + 0.5, 0, 1)
    yield "relu cut at 6", np.clip(z, 0, 6)
    yield "the step function", (z > 0).astype(np.float64)


def _activation(given: Given) -> Iterator[Alternative]:
    assert given.z is not None
    own = WORDS[given.activation]
    for name, value in _activations(given.z):
        yield f"the activation is {name}, not {own}", value
    yield "the activation is taken of -z", ACTIVATION_FUNCTIONS[given.activation].value(-given.z)


def _onehot(given: Given, shift: int = 0) -> Array:
    """Targets (batch, outputs) as numbers; labels moved by `shift`, round the end."""
    assert given.logits is not None
    targets = given.problem.targets
    if targets.ndim == 2:
        return targets.astype(np.float64)
    rows: Array = np.eye(given.logits.shape[1])[(targets + shift) % given.logits.shape[1]]
    return rows


def _loss_of(kind: str, z: Array, t: Array) -> Array:
    """The four losses, entry by entry and not yet averaged: (batch, outputs)."""
    if kind == "cross_entropy":
        return np.asarray(-t * log_softmax(z, axis=1))
    if kind == "binary_cross_entropy":
        return np.asarray(np.logaddexp(0, z) - t * z)
    return np.asarray((z - t) ** 2)


def _average(kind: str, terms: Array) -> Array:
    n, k = terms.shape
    return np.asarray(terms.sum() / {"cross_entropy": n, "sum_of_squares": 1}.get(kind, n * k))


def _loss(given: Given) -> Iterator[Alternative]:
    assert given.logits is not None
    kind, z = given.problem.architecture.loss, given.logits
    for shift, word in ((1, "one too high"), (-1, "one too low")):
        yield f"the labels are {word}", _average(kind, _loss_of(kind, z, _onehot(given, shift)))
    t = _onehot(given)
    if kind == "cross_entropy":
        n, rows = len(z), np.arange(len(z))
        labels = given.problem.targets
        over_batch = softmax(z, axis=0)[rows, labels]
        yield "the softmax is taken over the batch", -np.log(over_batch).sum() / n
        whole = np.exp(z - z.max())
        yield (
            "the softmax is taken over the whole array",
            -np.log((whole / whole.sum())[rows, labels]).sum() / n,
        )
        p = softmax(z, axis=1)[rows, labels]
        for eps in (1e-7, 1e-8, 1e-10, 1e-12, 1e-15):
            yield f"the logarithm is taken of p + {eps:g}", -np.log(p + eps).sum() / n
        yield "the softmax is taken twice", -log_softmax(softmax(z, axis=1), axis=1)[rows, labels].sum() / n
        yield "the softmax is missing: -z of the label", -z[rows, labels].sum() / n
        yield "the softmax is taken of -z", -log_softmax(-z, axis=1)[rows, labels].sum() / n
    else:
        yield "the squares are of the sigmoid of the logits", _average(kind, _loss_of(kind, expit(z), t))
        yield "absolute values stand where squares belong", _average(kind, np.abs(z - t))


def _last_delta(given: Given) -> Iterator[Alternative]:
    assert given.logits is not None
    kind, z, t, n = given.problem.architecture.loss, given.logits, _onehot(given), len(given.logits)
    scale = {"cross_entropy": 1 / n, "sum_of_squares": 2.0, "mse": 2 / z.size}.get(kind, 1 / z.size)
    output = {"cross_entropy": softmax(z, axis=1), "binary_cross_entropy": expit(z)}.get(kind, z)
    for shift, word in ((1, "one too high"), (-1, "one too low")):
        yield f"the labels are {word}", (output - _onehot(given, shift)) * scale
    yield "the target is not subtracted", output * scale
    if kind == "cross_entropy":
        yield "the softmax is taken over the batch", (softmax(z, axis=0) - t) * scale
        whole = np.exp(z - z.max())
        yield "the softmax is taken over the whole array", (whole / whole.sum() - t) * scale
        yield "it is multiplied by p (1 - p) once more", (output - t) * output * (1 - output) * scale
        yield "the derivative is that of the diagonal of the softmax alone", -t * (1 - output) * scale
    if kind in ("mse", "sum_of_squares"):
        yield "it is multiplied by z (1 - z), a sigmoid's slope", (z - t) * scale * z * (1 - z)


def _other_slopes(given: Given, a: Array) -> Iterator[Alternative]:
    """The right derivative at the wrong place, and derivatives of other activations."""
    own = WORDS[given.activation]
    yield (
        "the derivative is taken at the activation a, not at z",
        ACTIVATION_FUNCTIONS[given.activation].slope(a),
    )
    yield f"the derivative is that of sigmoid, a (1 - a), not of {own}", a * (1 - a)
    yield f"the derivative is that of tanh, 1 - a^2, not of {own}", 1 - a * a
    for kind, function in ACTIVATION_FUNCTIONS.items():
        if kind != given.activation:
            if given.z is not None:
                yield f"the derivative is that of {WORDS[kind]}, not of {own}", function.slope(given.z)
            yield f"the derivative is that of {WORDS[kind]}, not of {own}, and taken at a", function.slope(a)


def _delta(given: Given) -> Iterator[Alternative]:
    """delta of the layer below: `given.layer` is the one whose weights it comes through."""
    assert given.summed is not None
    assert given.slope is not None
    assert given.inputs is not None
    assert given.delta is not None
    summed, slope, a = given.summed, given.slope, given.inputs
    kind = WORDS[given.activation]
    yield "the activation's derivative is missing", summed
    yield "the activation's derivative is taken twice", summed * slope**2
    yield "the activation stands in place of its derivative", summed * a
    yield "only the derivative is passed back", slope
    for name, value in _other_slopes(given, a):
        yield name, summed * value
    if kind == "relu":
        yield "the relu's mask is inverted", summed * (1 - slope)
        yield "the relu's derivative is 1 at zero", summed * (a >= 0)
    if given.W.shape[0] == given.W.shape[1]:
        yield "the weights are not transposed on the way back", (given.delta @ given.W) * slope
    for layer, (tied, _) in enumerate(given.problem.weights):
        if layer != given.layer and tied.shape == given.W.shape:
            yield (
                f"it comes back through the weights of layer {layer + 1}",
                (given.delta @ np.asarray(tied, np.float64).T) * slope,
            )


def _weight_gradient(given: Given) -> Iterator[Alternative]:
    a, delta = given.inputs, given.delta
    assert a is not None
    assert delta is not None
    dW = a.T @ delta
    yield "it is transposed", dW.T
    yield "it is that of the first example alone", a[:1].T @ delta[:1]
    yield "it is that of the last example alone", a[-1:].T @ delta[-1:]
    yield "the last example of the batch is left out", a[:-1].T @ delta[:-1]
    yield "rows and their targets are in different order", a[::-1].T @ delta
    yield "it is the sum of absolute values", np.abs(a).T @ delta
    yield "the inputs stand for their derivative: a (1 - a)", (a * (1 - a)).T @ delta
    for decay in (1e-4, 5e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0):
        yield f"{decay:g} times the weights is added: a penalty?", dW + decay * given.W
    if given.problem.architecture.layer_sizes[0] == a.shape[1] and given.layer:
        yield (
            "it has the inputs x where this layer's belong",
            np.asarray(given.problem.x, np.float64).T @ delta,
        )


def _bias_gradient(given: Given) -> Iterator[Alternative]:
    delta = given.delta
    assert delta is not None
    db = delta.sum(axis=0)
    yield "it is the sum over all outputs", np.full_like(db, delta.sum())
    yield "it is the mean over all outputs", np.full_like(db, delta.mean())
    yield "it is that of the first example alone", delta[0]
    yield "it is that of the last example alone", delta[-1]
    if delta.shape[0] == delta.shape[1]:
        yield "it is summed over the wrong axis", delta.sum(axis=1)
    for decay in (1e-4, 5e-4, 1e-3, 1e-2, 0.1, 0.5, 1.0):
        yield f"{decay:g} times the bias is added: a penalty on biases?", db + decay * given.b


def _scales(expected: Array, given: Given, loss: bool) -> Iterator[Alternative]:
    """One constant factor. Those that this problem cannot tell apart are named together."""
    n, sizes = given.problem.batch_size, given.problem.architecture.layer_sizes
    k = sizes[-1]
    laws: dict[float, list[str]] = {}
    for factor, law in (
        (n, f"{n} times too large, the batch size: summed where the mean belongs?"),
        (1 / n, f"{n} times too small, the batch size: averaged twice?"),
        (k, f"{k} times too large, the number of outputs"),
        (1 / k, f"{k} times too small, the number of outputs"),
        (n * k, f"{n * k} times too large, all entries of the batch: summed where the mean belongs?"),
        (1 / (n * k), f"{n * k} times too small, all entries of the batch: averaged twice?"),
        (k / n, f"averaged over the batch where the outputs belong: {k}/{n} of what it should be"),
        (sizes[0], f"{sizes[0]} times too large, the number of inputs"),
        (1 / sizes[0], f"{sizes[0]} times too small, the number of inputs"),
        (2.0, "twice what it should be" + (": without the factor 1/2?" if loss else "")),
        (0.5, "half of what it should be: " + ("a factor 1/2?" if loss else "the factor 2 of the square?")),
        (-1.0, "of the wrong sign"),
        (0.0, "zero"),
        (3.0, "three times what it should be: accumulated?"),
        (10.0, "10 times too large: the learning rate in it?"),
        (0.1, "10 times too small: the learning rate in it?"),
    ):  # fmt: skip
        if factor != 1:
            laws.setdefault(float(factor), []).append(law)
    for factor, words in laws.items():
        yield "; or ".join(words), factor * expected
    if len(given.problem.weights) > 1:  # dropout's own scaling, left in or left out
        for rate in (0.1, 0.2, 0.25, 0.3, 0.4, 0.5):
            yield f"scaled by 1 / (1 - {rate:g}): dropout's factor without its mask?", expected / (1 - rate)
            yield f"scaled by 1 - {rate:g}: dropout's factor at prediction?", expected * (1 - rate)


def other_updates(spec: OptimizerSpec) -> Iterator[tuple[str, Rule]]:
    """What else the update might be, in words."""
    for text, habits in _habits(spec):
        yield text, rule(spec, habits)
    if spec.name == "sgd" and not spec.momentum:
        yield "a momentum of 0.9 is used although none was asked for", rule(replace(spec, momentum=0.9))
    if spec.name == "sgd":
        adam = replace(spec, name="adam", momentum=0.0, nesterov=False)
        yield "it is Adam's update", rule(adam)
    elif spec.name == "adam":
        yield "it is plain gradient descent", rule(replace(spec, name="sgd"))


def _habits(spec: OptimizerSpec) -> Iterator[tuple[str, Habits]]:
    yield "the learning rate is applied twice", Habits(rate=spec.learning_rate)
    yield "the update has the wrong sign", Habits(rate=-1.0)
    yield "the learning rate is twice what it should be", Habits(rate=2.0)
    yield "the learning rate is half of what it should be", Habits(rate=0.5)
    yield "nothing is updated", Habits(rate=0.0, decay="left out")
    if spec.weight_decay:
        yield "the weight decay is decoupled from the gradient, as in AdamW", Habits(decay="decoupled")
        yield "the weight decay is left out", Habits(decay="left out")
        yield "the weight decay is halved: lambda / 2 theta", Habits(decay="half")
    if spec.name == "adam":
        yield from _adam_habits()
    elif spec.momentum:
        yield from _momentum_habits(spec)


def _adam_habits() -> Iterator[tuple[str, Habits]]:
    yield "eps stands inside the square root", Habits(eps="inside")
    yield "eps is added before the bias correction (the eps-hat form)", Habits(eps="before the correction")
    yield "eps is left out", Habits(eps="left out")
    yield "the bias corrections are missing", Habits(correction="none")
    yield "the second moment's bias correction is missing", Habits(correction="first only")
    yield "the first moment's bias correction is missing", Habits(correction="second only")
    yield "the corrected moments are stored back", Habits(correction="stored back")
    yield "the bias correction is 1 - beta, not raised to the power t", Habits(correction="not raised to t")
    yield "the step counter starts at 2", Habits(correction="t from 2")
    yield "the step counter starts at 0", Habits(correction="t from 0")
    yield "beta1 and beta2 are swapped", Habits(moments_swapped=True)


def _momentum_habits(spec: OptimizerSpec) -> Iterator[tuple[str, Habits]]:
    yield "the velocity is mu v + (1 - mu) g", Habits(momentum="mu v + (1 - mu) g")
    yield "the velocity is dampened by 1 - mu after the first step", Habits(momentum="dampened")
    yield "the velocity is v + mu g", Habits(momentum="v + mu g")
    yield "the first velocity is zero", Habits(momentum="zero first")
    yield "the old velocity is used", Habits(momentum="old velocity")
    word = "is left out" if spec.nesterov else "is used although it was not asked for"
    yield f"Nesterov's look-ahead {word}", Habits(nesterov=not spec.nesterov)
