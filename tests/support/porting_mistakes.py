"""What goes wrong when a network is ported from one library to another: the mistake, where it shows first,
and the words in which it should be named."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.scratch.architecture import Array, OptimizerSpec
from tests.support import ported
from tests.support.ported import Formulas, Pass

State = dict[str, Array]


@dataclass(frozen=True)
class Mistake:
    """One of them. `tensors`: where it may show first; `activation`, `loss`: the problem that shows it."""

    name: str
    formulas: Formulas
    tensors: tuple[str, ...]
    words: str
    activation: str = "tanh"
    loss: str = "cross_entropy"
    rule: str = ""  # the update rule that shows it
    size: float = 1.0  # of the inputs


def _f(**changes: Any) -> Formulas:
    return replace(Formulas(), **changes)


def _only(layer: int, formula: Callable[..., Array], otherwise: Callable[..., Array]) -> Callable[..., Array]:
    """The mistake in one layer (from 0), the right formula in the others."""
    return lambda p, i, *rest: formula(p, i, *rest) if i == layer else otherwise(p, i, *rest)


RIGHT = Formulas()


def _float16(p: Pass, i: int, a: Array) -> Array:
    return (a.astype(np.float16) @ p.W(i).astype(np.float16)).astype(a.dtype) + p.b(i)


def _shifted(function: Callable[..., Any], by: int) -> Callable[..., Any]:
    return lambda kind, z, t: function(kind, z, (t + by) % z.shape[1])


def _leaky(kind: str, z: Array) -> Array:
    return np.where(z > 0, z, 0.01 * z)


def _loss_with_eps(kind: str, z: Array, t: Array) -> Any:
    return -np.log(ported.softmax(z)[np.arange(len(z)), t] + 1e-7).mean()


FORWARD = [
    Mistake(
        "transposed weights",
        _f(layer=_only(1, lambda p, i, a: a @ p.W(i).T + p.b(i), RIGHT.layer)),
        ("z2",),
        "transposed",
    ),
    Mistake("no bias", _f(layer=lambda p, i, a: a @ p.W(i)), ("z1",), "bias is left out"),
    Mistake(
        "no output bias",
        _f(layer=_only(3, lambda p, i, a: a @ p.W(i), RIGHT.layer)),
        ("logits",),
        "bias is left out",
    ),
    Mistake("bias twice", _f(layer=lambda p, i, a: a @ p.W(i) + 2 * p.b(i)), ("z1",), "bias is added twice"),
    Mistake(
        "wrong layer tied",
        _f(layer=_only(2, lambda p, i, a: a @ p.W(1) + p.b(2), RIGHT.layer)),
        ("z3",),
        "weights of layer 2",
    ),
    Mistake(
        "layer used twice",
        _f(layer=_only(2, lambda p, i, a: a @ p.W(1) + p.b(1), RIGHT.layer)),
        ("z3",),
        "the bias of layer 2",
    ),
    Mistake("float16 accumulation", _f(layer=_float16), ("z1",), "float16"),
    Mistake("relu for tanh", _f(activation=lambda k, z: np.maximum(z, 0)), ("a1",), "activation is relu"),
    Mistake(
        "sigmoid for tanh", _f(activation=lambda k, z: 1 / (1 + np.exp(-z))), ("a1",), "activation is sigmoid"
    ),
    Mistake("leaky relu for relu", _f(activation=_leaky), ("a1",), "leaky relu", "relu"),
    Mistake(
        "relu6 for relu", _f(activation=lambda k, z: np.clip(z, 0, 6)), ("a1",), "cut at 6", "relu", size=8.0
    ),
    Mistake(
        "gelu for relu",
        _f(activation=lambda k, z: z * (1 + np.tanh(np.sqrt(2 / np.pi) * (z + 0.044715 * z**3))) / 2),
        ("a1",),
        "gelu by tanh",
        "relu",
    ),
    Mistake("silu for relu", _f(activation=lambda k, z: z / (1 + np.exp(-z))), ("a1",), "silu", "relu"),
    Mistake("no activation", _f(activation=lambda k, z: z), ("a1",), "activation is identity"),
    Mistake("dropout scaling left on", _f(activation=lambda k, z: np.tanh(z) / 0.5), ("a1",), "twice"),
    Mistake("softmax returned", _f(logits=ported.softmax), ("logits",), "probabilities, the softmax"),
    Mistake(
        "sigmoid returned", _f(logits=lambda z: 1 / (1 + np.exp(-z))), ("logits",), "sigmoid of the logits"
    ),
    Mistake(
        "log softmax returned",
        _f(logits=lambda z: np.log(ported.softmax(z))),
        ("logits",),
        "log-probabilities",
    ),
    Mistake("relu on the output", _f(logits=lambda z: np.maximum(z, 0)), ("logits",), "output: relu"),
    Mistake(
        "softmax over the batch returned",
        _f(logits=lambda z: ported.softmax(z, 0)),
        ("logits",),
        "over the batch",
    ),
]
LOSS = [
    Mistake(
        "loss summed",
        _f(loss=lambda k, z, t: ported.loss(k, z, t) * len(z)),
        ("loss",),
        "summed where the mean",
    ),
    Mistake(
        "loss summed over all",
        _f(loss=lambda k, z, t: ported.loss(k, z, t) * z.size),
        ("loss",),
        "all entries",
        loss="mse",
    ),
    Mistake(
        "loss averaged twice",
        _f(loss=lambda k, z, t: ported.loss(k, z, t) / len(z)),
        ("loss",),
        "averaged twice",
    ),
    Mistake(
        "loss halved", _f(loss=lambda k, z, t: ported.loss(k, z, t) / 2), ("loss",), "factor 1/2", loss="mse"
    ),
    Mistake(
        "mse over examples only",
        _f(loss=lambda k, z, t: ported.loss(k, z, t) * z.shape[1]),
        ("loss",),
        "number of outputs",
        loss="mse",
    ),
    Mistake("label one too high", _f(loss=_shifted(ported.loss, 1)), ("loss",), "one too high"),
    Mistake("label one too low", _f(loss=_shifted(ported.loss, -1)), ("loss",), "one too low"),
    Mistake("log(p + 1e-7)", _f(loss=_loss_with_eps), ("loss",), "p + 1e-07"),
    Mistake(
        "softmax over the batch in the loss",
        _f(loss=lambda k, z, t: -np.log(ported.softmax(z, 0)[np.arange(len(z)), t]).mean()),
        ("loss",),
        "over the batch",
    ),
    Mistake(
        "softmax over everything",
        _f(loss=lambda k, z, t: -np.log(ported.softmax(z, None)[np.arange(len(z)), t]).mean()),
        ("loss",),
        "whole array",
    ),
    Mistake(
        "softmax twice",
        _f(loss=lambda k, z, t: ported.loss(k, ported.softmax(z), t)),
        ("loss",),
        "taken twice",
    ),
    Mistake(
        "absolute error",
        _f(loss=lambda k, z, t: np.abs(z - t).mean()),
        ("loss",),
        "absolute values",
        loss="mse",
    ),
]
BACKWARD = [
    Mistake(
        "delta summed",
        _f(last_delta=lambda k, z, t: ported.last_delta(k, z, t) * len(z)),
        ("delta4",),
        "summed where the mean",
    ),
    Mistake(
        "delta averaged twice",
        _f(last_delta=lambda k, z, t: ported.last_delta(k, z, t) / len(z)),
        ("delta4",),
        "averaged twice",
    ),
    Mistake(
        "factor two forgotten",
        _f(last_delta=lambda k, z, t: ported.last_delta(k, z, t) / 2),
        ("delta4",),
        "factor 2 of the square",
        loss="mse",
    ),
    Mistake(
        "delta of the wrong sign",
        _f(last_delta=lambda k, z, t: -ported.last_delta(k, z, t)),
        ("delta4",),
        "wrong sign",
    ),
    Mistake(
        "labels off in the delta", _f(last_delta=_shifted(ported.last_delta, 1)), ("delta4",), "one too high"
    ),
    Mistake(
        "softmax axis in the delta",
        _f(last_delta=lambda k, z, t: (ported.softmax(z, 0) - np.eye(z.shape[1])[t]) / len(z)),
        ("delta4",),
        "over the batch",
    ),
    Mistake(
        "p (1 - p) once more",
        _f(
            last_delta=lambda k, z, t: (
                ported.last_delta(k, z, t) * ported.softmax(z) * (1 - ported.softmax(z))
            )
        ),
        ("delta4",),
        "p (1 - p)",
    ),
    Mistake(
        "target not subtracted",
        _f(last_delta=lambda k, z, t: ported.softmax(z) / len(z)),
        ("delta4",),
        "not subtracted",
    ),
    Mistake("slope missing", _f(back=lambda p, i, d, s: d @ p.W(i).T), ("delta3",), "derivative is missing"),
    Mistake(
        "slope missing in one layer",
        _f(back=_only(1, lambda p, i, d, s: d @ p.W(i).T, RIGHT.back)),
        ("delta1",),
        "derivative is missing",
    ),
    Mistake("slope at a", _f(slope=lambda k, z, a: ported.slope(k, a)), ("delta3",), "at the activation a"),
    Mistake("activation for its slope", _f(slope=lambda k, z, a: a), ("delta3",), "stands in place"),
    Mistake(
        "slope of sigmoid",
        _f(slope=lambda k, z, a: ported.slope("sigmoid", a)),
        ("delta3",),
        "that of sigmoid",
    ),
    Mistake(
        "mask inverted", _f(slope=lambda k, z, a: (z <= 0).astype(z.dtype)), ("delta3",), "inverted", "relu"
    ),
    Mistake(
        "weights not transposed",
        _f(back=_only(1, lambda p, i, d, s: (d @ p.W(i)) * s, RIGHT.back)),
        ("delta1",),
        "not transposed",
    ),
    Mistake(
        "back through another layer",
        _f(back=_only(2, lambda p, i, d, s: (d @ p.W(1).T) * s, RIGHT.back)),
        ("delta2",),
        "weights of layer 2",
    ),
    Mistake("dW transposed", _f(dW=_only(1, lambda p, i, a, d: d.T @ a, RIGHT.dW)), ("dW2",), "transposed"),
    Mistake("dW averaged again", _f(dW=lambda p, i, a, d: a.T @ d / len(a)), ("dW4",), "averaged twice"),
    Mistake(
        "dW of the last example", _f(dW=lambda p, i, a, d: a[-1:].T @ d[-1:]), ("dW4",), "last example alone"
    ),
    Mistake("dW accumulated", _f(dW=lambda p, i, a, d: 3 * (a.T @ d)), ("dW4",), "accumulated"),
    Mistake(
        "penalty in dW", _f(dW=lambda p, i, a, d: a.T @ d + 0.01 * p.W(i)), ("dW4",), "0.01 times the weights"
    ),
    Mistake("rows against targets", _f(dW=lambda p, i, a, d: a[::-1].T @ d), ("dW4",), "different order"),
    Mistake("db averaged", _f(db=lambda p, i, d: d.mean(axis=0)), ("db4",), "averaged twice"),
    Mistake("db zero", _f(db=lambda p, i, d: 0 * d[0]), ("db4",), "zero"),
    Mistake(
        "db over all outputs",
        _f(db=lambda p, i, d: np.full(d.shape[1], d.sum())),
        ("db4",),
        "over all outputs",
    ),
    Mistake("db of the first example", _f(db=lambda p, i, d: d[0]), ("db4",), "first example alone"),
]


def _adam(
    m_share: float | None = None, **habits: Any
) -> Callable[[OptimizerSpec, Array, Array, int, State], Array]:
    """Adam with other habits: `eps`, `t`, `correction`, `decoupled`, `stored`."""

    def step(spec: OptimizerSpec, theta: Array, g: Array, t: int, s: State) -> Array:
        decay = spec.weight_decay
        g = g if habits.get("decoupled") else g + decay * theta
        theta = theta * (1 - spec.learning_rate * decay) if habits.get("decoupled") else theta
        b1, b2 = spec.beta1, spec.beta2
        m = b1 * s.get("m", 0 * g) + (1 - b1) * g
        v = b2 * s.get("v", 0 * g) + (1 - b2) * g * g
        t += habits.get("t", 0)
        first, second = habits.get("correction", lambda b1, b2, t: (1 - b1**t, 1 - b2**t))(b1, b2, t)
        m_hat, v_hat = m / first, v / second
        s["m"], s["v"] = (m_hat, v_hat) if habits.get("stored") else (m, v)
        if habits.get("eps") == "inside":
            return np.asarray(theta - spec.learning_rate * m_hat / np.sqrt(v_hat + spec.eps))
        if habits.get("eps") == "hat":
            return np.asarray(
                theta - spec.learning_rate * np.sqrt(second) / first * m / (np.sqrt(v) + spec.eps)
            )
        return np.asarray(theta - spec.learning_rate * m_hat / (np.sqrt(v_hat) + spec.eps))

    return step


def _momentum(
    velocity: Callable[[float, Array | None, Array], Array], nesterov: bool | None = None, old: bool = False
) -> Callable[[OptimizerSpec, Array, Array, int, State], Array]:
    def step(spec: OptimizerSpec, theta: Array, g: Array, t: int, s: State) -> Array:
        if not spec.momentum:
            return ported.update(spec, theta, g, t, s)
        before = s.get("v")
        v = s["v"] = velocity(spec.momentum, before, g)
        if old:
            return np.asarray(theta if before is None else theta - spec.learning_rate * before)
        ahead = spec.nesterov if nesterov is None else nesterov
        return np.asarray(theta - spec.learning_rate * (g + spec.momentum * v if ahead else v))

    return step


def _torch_velocity(mu: float, v: Array | None, g: Array) -> Array:
    return g if v is None else mu * v + g


def _decay(
    share: float, decoupled: bool = False
) -> Callable[[OptimizerSpec, Array, Array, int, State], Array]:
    def step(spec: OptimizerSpec, theta: Array, g: Array, t: int, s: State) -> Array:
        plain = replace(spec, weight_decay=share * spec.weight_decay)
        if not decoupled:
            return ported.update(plain, theta, g, t, s)
        shrunk = theta * (1 - spec.learning_rate * spec.weight_decay)
        return ported.update(replace(spec, weight_decay=0.0), shrunk, g, t, s)

    return step


def _after(rule: str, step: int) -> tuple[str, ...]:
    return tuple(f"{rule}, step {step}: {kind}{layer}" for layer in range(1, 5) for kind in "Wb")


STEPS = [
    Mistake(
        "AdamW for Adam",
        _f(update=_adam(decoupled=True)),
        _after("adam with weight decay", 1),
        "AdamW",
        rule="adam with weight decay",
    ),
    Mistake(
        "eps inside",
        _f(update=_adam(eps="inside")),
        _after("adam with a large eps", 1),
        "inside",
        rule="adam with a large eps",
    ),
    Mistake(
        "eps hat",
        _f(update=_adam(eps="hat")),
        _after("adam with a large eps", 1),
        "eps-hat",
        rule="adam with a large eps",
    ),
    Mistake(
        "no bias correction",
        _f(update=_adam(correction=lambda b1, b2, t: (1, 1))),
        _after("adam", 1),
        "corrections are missing",
        rule="adam",
    ),
    Mistake(
        "second correction missing",
        _f(update=_adam(correction=lambda b1, b2, t: (1 - b1**t, 1))),
        _after("adam", 1),
        "second moment",
        rule="adam",
    ),
    Mistake(
        "correction not raised",
        _f(update=_adam(correction=lambda b1, b2, t: (1 - b1, 1 - b2))),
        _after("adam", 2),
        "not raised",
        rule="adam",
    ),
    Mistake("t from 2", _f(update=_adam(t=1)), _after("adam", 1), "starts at 2", rule="adam"),
    Mistake(
        "moments stored corrected",
        _f(update=_adam(stored=True)),
        _after("adam", 2),
        "stored back",
        rule="adam",
    ),
    Mistake(
        "momentum 1 - mu",
        _f(update=_momentum(lambda mu, v, g: (1 - mu) * g if v is None else mu * v + (1 - mu) * g)),
        _after("momentum", 1),
        "(1 - mu) g",
        rule="momentum",
    ),
    Mistake(
        "dampened later",
        _f(update=_momentum(lambda mu, v, g: g if v is None else mu * v + (1 - mu) * g)),
        _after("momentum", 2),
        "dampened",
        rule="momentum",
    ),
    Mistake(
        "v + mu g",
        _f(update=_momentum(lambda mu, v, g: mu * g if v is None else v + mu * g)),
        _after("momentum", 1),
        "v + mu g",
        rule="momentum",
    ),
    Mistake(
        "first velocity zero",
        _f(update=_momentum(lambda mu, v, g: 0 * g if v is None else mu * v + g)),
        _after("momentum", 1),
        "first velocity is zero",
        rule="momentum",
    ),
    Mistake(
        "old velocity",
        _f(update=_momentum(_torch_velocity, old=True)),
        _after("momentum", 1),
        "old velocity",
        rule="momentum",
    ),
    Mistake(
        "Nesterov unasked",
        _f(update=_momentum(_torch_velocity, nesterov=True)),
        _after("momentum", 1),
        "Nesterov",
        rule="momentum",
    ),
    Mistake(
        "Nesterov left out",
        _f(update=_momentum(_torch_velocity, nesterov=False)),
        _after("nesterov", 1),
        "left out",
        rule="nesterov",
    ),
    Mistake(
        "decay halved",
        _f(update=_decay(0.5)),
        _after("sgd with weight decay", 1),
        "halved",
        rule="sgd with weight decay",
    ),
    Mistake(
        "decay left out",
        _f(update=_decay(0.0)),
        _after("sgd with weight decay", 1),
        "left out",
        rule="sgd with weight decay",
    ),
    Mistake(
        "rate twice",
        _f(update=lambda spec, theta, g, t, s: ported.update(spec, theta, g * spec.learning_rate, t, s)),
        _after("sgd", 1),
        "rate",
        rule="sgd",
    ),
    Mistake(
        "ascent",
        _f(update=lambda spec, theta, g, t, s: ported.update(spec, theta, -g, t, s)),
        _after("sgd", 1),
        "wrong sign",
        rule="sgd",
    ),
    Mistake(
        "nothing updated",
        _f(update=lambda spec, theta, g, t, s: theta),
        _after("sgd", 1),
        "nothing is updated",
        rule="sgd",
    ),
]
MISTAKES = [*FORWARD, *LOSS, *BACKWARD, *STEPS]
