"""What Python says that the lessons' page must show, for any state of a lesson's controls.

Each function takes the state of the page's controls and gives the readings by scene and name. They are
computed by scratch, by the lessons themselves or by the zoo's classes, never as the page's script does it.
"""

import importlib
import math
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np

from backproof.comparisons import zoo
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.lessons import (
    activations,
    descent,
    lab_data,
    neuron,
    sparse_cross_entropy,
    text_network,
    two_ways,
    xor,
)
from backproof.comparisons.lessons.lab_digits import ARCHITECTURE, fresh, lab_digits, pixels
from backproof.comparisons.lessons.learning_rule import Perceptron
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.optimizers import make_optimizer
from backproof.scratch.parameters import Parameters

State = Mapping[str, Any]
EPS = {"float64": float(np.finfo(np.float64).eps), "float32": float(np.finfo(np.float32).eps)}
MUTANTS = Path(zoo.__file__).parent / "mutants"


@dataclass(frozen=True)
class Reading:
    """A number of the page, and how far the one shown may lie from it: its digits, and rounding errors."""

    value: float | tuple[float, ...]
    digits: int = 4
    error: float = 0.0  # absolute

    def agrees(self, shown: Sequence[float]) -> bool:
        values = self.value if isinstance(self.value, tuple) else (self.value,)
        return len(values) == len(shown) and all(map(self._near, values, shown))

    def _near(self, value: float, shown: float) -> bool:
        if not math.isfinite(value):
            return value == shown or (math.isnan(value) and math.isnan(shown))
        small = value != 0 and not 1e-3 <= abs(value) < 1e6  # shown with three digits at most
        digits = min(self.digits, 3) if small else self.digits
        return abs(value - shown) <= 0.51 * 10.0 ** (1 - digits) * abs(value) + self.error + 1e-12


def percent(fraction: float) -> Reading:
    """92.4%: one digit after the point."""
    return Reading(100 * fraction, digits=17, error=0.0501)


def network_at(sizes: tuple[int, ...], theta: Sequence[float] | Array, activation: Any, loss: Any) -> Network:
    architecture = Architecture(sizes, activation=activation, loss=loss)
    return Network(architecture, Parameters(architecture, np.array(theta, float)))


@cache
def sample(n: int | None = None) -> tuple[Array, Array, Array, Array]:
    """The page's digits: the first n images and labels, and those to test on."""
    digits = lab_digits()
    x, labels = pixels(digits.images), np.array(digits.labels)
    n = digits.train if n is None else n
    return x[:n], labels[:n], x[digits.test :], labels[digits.test :]


def right(network: Network) -> float:
    """The part of the test digits that it reads."""
    _, _, test, labels = sample()
    return float((network.forward(test)[-1].argmax(axis=1) == labels).mean())


def descended(network: Network, rate: float, steps: int, size: int) -> Network:
    """The page's training: batches in order, again and again."""
    x, labels, _, _ = sample()
    for step in range(steps):
        i = step % (len(x) // size) * size
        rows = slice(i, i + size)
        network.parameters.flat[...] -= rate * gradient(network, x[rows], labels[rows])
    return network


# --- a gradient, two ways


def two_ways_of(state: State) -> dict[str, Reading]:
    return {**_secant(state), **_weight(state), **_all(state), **_wrong(state)}


def _secant(state: State) -> dict[str, Reading]:
    theta, h, scheme, dtype = state["theta"], 10.0 ** state["logh"], state["scheme"], state["dtype"]
    dtype = "float64" if scheme == "complex" else dtype
    exact = two_ways.slope(float(np.dtype(dtype).type(theta)))
    found = two_ways.quotient(theta, h, scheme, dtype)
    size = 1 + float(two_ways.loss(np.array(float(theta))))
    # Each loss may be rounded otherwise by a few units; the quotient divides that by h.
    error = 0.0 if scheme == "complex" else 16 * EPS[dtype] * size / h
    digits = 9 if dtype == "float32" else 13
    return {"secant.quotient": Reading(found, digits, error), "secant.derivative": Reading(exact, 13)}


def _weight(state: State) -> dict[str, Reading]:
    network, x = fresh(lab_digits().weights), pixels(state["digit"])
    label, index, h = np.array([state["label"]]), state["index"], 10.0 ** state["logh2"]
    exact = float(gradient(network, x, label)[index])
    logits = network.forward(x)[-1][0]
    losses = []
    for move in (h, -h, 0.0):
        moved = lab_digits().weights.copy()
        moved[index] += move
        losses.append(float(fresh(moved).loss(x, label)))
    quotient = (losses[0] - losses[1]) / (2 * h)
    error = 64 * EPS["float64"] * (1 + max(losses)) / h
    return {
        "weight.reads": Reading(float(logits.argmax()), 17),
        "weight.loss": Reading(losses[2]),
        "weight.derivative_backprop": Reading(exact, 9),
        "weight.quotient": Reading(quotient, 11 if exact else 4, error),
    }


def _all(state: State) -> dict[str, Reading]:
    return {"all.passes": Reading(2.0 * state["known"], 7), "all.weights_known": Reading(state["known"], 7)}


def _wrong(state: State) -> dict[str, Reading]:
    return {"wrong.accuracy": percent(_curve_with(state["mistake"])[state["epoch"]])}


@cache
def _curve_with(mistake: str) -> tuple[float, ...]:
    """Accuracy before training and after every epoch, by the zoo's own class for the mistake."""
    x, labels, test, test_labels = sample()
    student = _student(mistake)
    start = fresh(lab_digits().start)
    student.load(ARCHITECTURE, start.parameters.layers)
    rate = two_ways.RATE / (20 if mistake == "CrossEntropyNotDividedByBatch" else 1)
    curve = []
    for epoch in range(two_ways.EPOCHS + 1):
        if epoch:
            batches = [np.arange(i, i + 20) for i in range(0, len(x), 20)]
            student.train(x, labels, batches, OptimizerSpec("sgd", learning_rate=rate))
        curve.append(float((student.logits(test).argmax(axis=1) == test_labels).mean()))
    return tuple(curve)


def _student(mistake: str) -> Any:
    """The zoo's class; RoundedConstant is too short by what the page's gradient is too long."""
    sys.path.insert(0, str(MUTANTS))
    try:
        if mistake == "none":
            return importlib.import_module("student").StudentMLP()
        home = "field_mistakes" if mistake == "DeltaWithoutDerivative" else "gradient_mistakes"
        return getattr(importlib.import_module(home), mistake)()
    finally:
        sys.path.remove(str(MUTANTS))


# --- one neuron, descent, lines


def neuron_of(state: State) -> dict[str, Reading]:
    x, w = np.array([state["x1"], state["x2"]]), np.array([state["w1"], state["w2"]])
    z = neuron.neuron_by_hand(x, w, state["b"])
    bend = 1 / (1 + math.exp(-z))
    return {"sum.z": Reading(z, 6), "sum.y": Reading(bend if state["place"] == "applied" else z + bend, 6)}


def activations_of(state: State) -> dict[str, Reading]:
    z, h, kind = np.array([float(state["z"])]), 10.0 ** state["logh"], state["kind"]

    def f(at: Array) -> Array:
        return activations.step(at) if kind == "step" else activations.value_and_derivative(kind, at)[0]

    slope = 0.0 if kind == "step" else float(activations.value_and_derivative(kind, z)[1][0])
    error = 8 * EPS["float64"] * 6 / h
    return {
        "slopes.value": Reading(float(f(z)[0]), 6),
        "slopes.slope": Reading(slope, 6),
        "slopes.quotient": Reading(float(activations.quotient(f, z, h)[0]), 6, error),
    }


def descent_of(state: State) -> dict[str, Reading]:
    def loss(w: Array) -> Array:
        return 2 * np.square(w - 1.2)

    w = float(descent.descend_scalar(loss, state["start"], state["rate"], state["steps"])[-1])
    return {"trail.w": Reading(w, 6), "trail.loss": Reading(float(loss(np.array(w))), 3)}


def linear_regression_of(state: State) -> dict[str, Reading]:
    line = lab_data.lab_data().line
    x, y = np.array(line.x)[:, None], np.array(line.y)[:, None]
    network = network_at((1, 1), (state["W"], state["b"]), "identity", "mse")
    for _ in range(state["steps"]):
        network.parameters.flat[...] -= 0.3 * gradient(network, x, y)
    dW, db = gradient(network, x, y)
    rounding = 1e-9  # of the page's differences, h = 1e-5
    return {
        "fit.mse": Reading(float(network.loss(x, y)), 6),
        "fit.dW": Reading(float(dW), 6, rounding),
        "fit.db": Reading(float(db), 6, rounding),
    }


def logistic_regression_of(state: State) -> dict[str, Reading]:
    clouds = lab_data.lab_data().clouds
    x, t = np.array(clouds.x).reshape(-1, 2), np.array(clouds.t)[:, None]
    theta = (state["w1"], state["w2"], state["b"])
    network = network_at((2, 1), theta, "identity", "binary_cross_entropy")
    for _ in range(state["steps"]):
        network.parameters.flat[...] -= 0.5 * gradient(network, x, t)
    share = float(((network.forward(x)[-1] > 0) == (t == 1)).mean())
    return {
        "separate.loss": Reading(float(network.loss(x, t)), 6),
        "separate.right": percent(share),
        "separate.slope_w1": Reading(float(gradient(network, x, t)[0])),
    }


def perceptron_of(state: State) -> dict[str, Reading]:
    rows = np.array([[i >> 2, i >> 1 & 1, i & 1] for i in range(8)], float)
    weights = np.array([state["weather"], state["companion"], state["nearby"]], float)
    fires = Perceptron(weights, state["bias"]).predict(rows)
    return {
        "decide.answers": Reading(float("".join(str(int(y)) for y in fires)), 17),
        "decide.fires": Reading(float(fires.sum()), 17),
        "decide.sum_110": Reading(float(rows[6] @ weights + state["bias"])),
    }


# --- layers


def xor_of(state: State) -> dict[str, Reading]:
    start = network_at((2, 2, 1), lab_data.lab_data().xor[state["start"]], "tanh", "binary_cross_entropy")
    student = ScratchMLP()
    student.load(start.architecture, start.parameters.layers)
    targets = xor.XOR[:, None].astype(float)
    student.train(xor.PAIRS, targets, [np.arange(4)] * state["steps"], xor.ADAM)
    loss, _ = student.loss_and_gradient(xor.PAIRS, targets)
    answers = (student.logits(xor.PAIRS)[:, 0] > 0).astype(int)
    return {
        "train.loss": Reading(float(loss), 6),
        "train.answers": Reading(float("".join(map(str, answers))), 17),
    }


def shapes_of(state: State) -> dict[str, Reading]:
    inputs, weight = lab_data.small_integers()
    return {"entry.sum": Reading(float((inputs @ weight)[state["i"], state["j"]]), 17)}


def linear_collapse_of(state: State) -> dict[str, Reading]:
    layers = network_at((1, 8, 8, 1), lab_data.lab_data().deep, "relu", "mse").parameters.layers

    def f(x: float) -> float:
        a = np.array([x])
        for weight, bias in layers:
            z = a @ weight + bias
            a = np.maximum(z, state["leak"] * z)
        return float(z[0])

    xs = np.arange(121) / 20 - 3
    bend = max(abs(f(x) - f(0.0) - (f(1.0) - f(0.0)) * x) for x in xs)
    return {"collapse.y": Reading(f(state["x"]), 6), "collapse.bend": Reading(bend, 3, 1e-12)}


def chain_rule_of(state: State) -> dict[str, Reading]:
    theta = (state["w1"], -0.3, state["w2"], 0.4, state["w3"], 0.2)
    network = network_at((1, 1, 1, 1), theta, "sigmoid", "mse")  # twice the page's loss
    slopes = gradient(network, np.array([[float(state["x"])]]), np.array([[0.4]])) / 2
    at = ("w1", "b1", "w2", "b2", "w3", "b3").index(state["which"])
    product = float(slopes[at])
    return {
        "factors.product": Reading(product, 6),
        "factors.difference": Reading(product, 6, 1e-9),
    }


def three_steps_of(state: State) -> dict[str, Reading]:
    """Eleven lines a step: four forward, five backward, two updates."""
    x, y = np.array([[float(state["x"])]]), np.array([[2.0]])
    w1, w2 = np.array([[float(state["u"]), float(state["v"])]]), np.array([[0.9], [-0.7]])
    done, losses = state["done"], []
    for start in range(0, max(1, done), 11):
        made = text_network.forward(x, w1, w2)
        gradients = text_network.backward(x, y, w2, made)
        if state["mask"] != "masked":
            kept = made.h >= 0 if state["mask"] == "at_zero" else np.ones_like(made.h)
            gradients["grad_w1"] = x.T.dot(gradients["grad_h_relu"] * kept)
        if start == 0 or done - start >= 4:
            losses.append(float(np.square(made.y_pred - y).sum()))
        text_network.update(w1, w2, gradients, state["rate"])
    found = {
        "lines.first_loss": Reading(losses[0], 6),
        "lines.grad_w1": Reading(tuple(map(float, gradients["grad_w1"][0])), 5),
    }
    return {**found, "lines.loss": Reading(losses[-1], 6)} if done >= 4 else found


def two_layer_net_of(state: State) -> dict[str, Reading]:
    """One of the 64 equal rows, at 64 times the rate: the same path."""
    network = text_network.scratch_network(*text_network.text_weights(state["start"]))
    x, y = (part[:1] for part in text_network.text_data())
    rate = 64 * 10.0 ** state["lograte"]
    losses, _ = text_network.train_without_biases(network, x, y, rate, state["steps"])
    living = int((text_network.forward(x, *_last(state, rate)).h > 0).sum())
    # The start is written with six digits, and at large rates its rounding grows for some steps.
    return {"rate.loss": Reading(64 * float(losses[-1]), 2, 1e-28), "rate.living": Reading(float(living), 17)}


def _last(state: State, rate: float) -> tuple[Array, Array]:
    """The weights after all steps but the update of the last."""
    network = text_network.scratch_network(*text_network.text_weights(state["start"]))
    x, y = (part[:1] for part in text_network.text_data())
    if state["steps"]:
        text_network.train_without_biases(network, x, y, rate, state["steps"] - 1)
    (w1, _), (w2, _) = network.parameters.layers
    return w1, w2


# --- softmax and digits


def sparse_cross_entropy_of(state: State) -> dict[str, Reading]:
    z = np.array([[state[f"z{k}"] + state["shift"] for k in range(5)]], float)
    label = np.array([state["label"]])
    loss = sparse_cross_entropy.stable_cross_entropy(z, label)
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        naive = -np.log(np.exp(z[0, label[0]]) / np.exp(z[0]).sum())
    error = 8 * EPS["float64"] * (1 + float(np.abs(z).max()))
    return {
        "logits.loss": Reading(loss, 6, error),
        "logits.naive": Reading(float(naive), 6, error),
        "logits.p_label": Reading(math.exp(-loss), 4, error),
    }


def softmax_regression_of(state: State) -> dict[str, Reading]:
    x, labels, _, _ = sample()
    start = network_at((64, 10), np.zeros(650), "identity", "cross_entropy")
    network = descended(start, state["rate"], state["steps"], 100)
    return {
        "weights.loss": Reading(float(network.loss(x, labels)), 5),
        "weights.accuracy": percent(right(network)),
    }


def digits_network_of(state: State) -> dict[str, Reading]:
    activation, logits = fresh(lab_digits().weights).forward(pixels(state["digit"]))[1:]
    p = np.exp(logits[0] - logits[0].max())
    return {
        "layers.activation": Reading(float(activation[0, state["unit"]]), 5),
        "layers.reads": Reading(float(p.argmax()), 17),
        "layers.sure": percent(float(p.max() / p.sum())),
    }


def ninety_five_of(state: State) -> dict[str, Reading]:
    curve = _curve_of(
        *(state[k] for k in ("hidden", "activation", "optimizer", "lograte", "logscale", "count"))
    )
    crossed = [i + 1 for i, accuracy in enumerate(curve) if accuracy >= 0.95]
    found = {"choices.accuracy": percent(curve[state["epoch"] - 1]), "choices.best": percent(max(curve))}
    return {**found, "choices.crosses": Reading(float(crossed[0]), 17)} if crossed else found


@cache
def _curve_of(
    hidden: int, activation: str, optimizer: Any, lograte: float, logscale: float, count: int
) -> tuple[float, ...]:
    x, labels, _, _ = sample(count)
    if hidden:
        network = network_at((64, hidden, 10), np.zeros(75 * hidden + 10), activation, "cross_entropy")
        for into, start in zip(
            network.parameters.layers, fresh(lab_digits().start).parameters.layers, strict=True
        ):
            rows, columns = into[0].shape
            into[0][...] = 10.0**logscale * start[0][:rows, :columns]
    else:
        network = network_at((64, 10), np.zeros(650), "identity", "cross_entropy")
    theta = network.parameters.flat
    rule = make_optimizer(OptimizerSpec(optimizer, learning_rate=10.0**lograte), theta)
    curve = []
    for _ in range(10):
        for i in range(0, count, 20):
            rule.step(theta, rule.loss_factor * gradient(network, x[i : i + 20], labels[i : i + 20]))
        curve.append(right(network))
    return tuple(curve)


def live_of(state: State) -> dict[str, Reading]:
    _, _, test, labels = sample()
    network = descended(fresh(lab_digits().start), 10.0 ** state["lograte"], state["step"], 20)
    loss = float(network.loss(test, labels))
    return {"curves.test_loss": Reading(loss, 5, 1e-6 * loss), "curves.accuracy": percent(right(network))}


def keras_start_of(state: State) -> dict[str, Reading]:
    x, labels, _, _ = sample()
    start = 10.0 ** state["logscale"] * lab_digits().start
    loss = float(network_at((64, 32, 10), start, "relu", "cross_entropy").loss(x[:100], labels[:100]))
    return {"scale.loss": Reading(loss, 5), "scale.ratio": Reading(loss / math.log(10), 3)}


READINGS: dict[str, Callable[[State], dict[str, Reading]]] = {
    "two-ways": two_ways_of,
    "neuron": neuron_of,
    "activations": activations_of,
    "descent": descent_of,
    "linear-regression": linear_regression_of,
    "logistic-regression": logistic_regression_of,
    "perceptron": perceptron_of,
    "xor": xor_of,
    "shapes": shapes_of,
    "linear-collapse": linear_collapse_of,
    "chain-rule": chain_rule_of,
    "three-steps": three_steps_of,
    "two-layer-net": two_layer_net_of,
    "sparse-cross-entropy": sparse_cross_entropy_of,
    "softmax-regression": softmax_regression_of,
    "digits-network": digits_network_of,
    "ninety-five": ninety_five_of,
    "keras-start": keras_start_of,
    "live": live_of,
}
