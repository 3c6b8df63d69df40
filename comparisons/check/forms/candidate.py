"""`Candidate`: the class on trial as a contender of our form, whatever form it has itself.

Arguments are handed over in the class's form and answers read back in ours; numbers are only moved, never
rounded. A step in place of a gradient, W' = W - rate g, is taken with a rate of 2^500 (2^100 in float32),
beside which W is nothing: (W - W') / rate is then g to its last digit, and zero where g is. What takes one
example at a time is asked for each, and the answers are averaged (summed where the loss is a sum).
"""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from backproof.comparisons.check.forms.expected import Conventions, Expected, expected
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.subject.messages import Answer, Renamed
from backproof.comparisons.check.subject.subject import Call, Misbehaviour, Subject
from backproof.comparisons.running.outside_text import cleaned
from backproof.comparisons.running.plain_data import Opaque
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import ACTIVATIONS, Architecture, Array, DtypeName, OptimizerSpec, Weights
from backproof.scratch.problem import Problem

Layers = list[tuple[Array, Array]]
FOLDED = ("first", "last")  # biases inside W
HUGE_RATE = {"float64": 2.0**500, "float32": 2.0**100}


class Candidate:
    """Methods as `Contender`'s, and what a check wants beside them. `loaded` is what was loaded last."""

    architecture: Architecture

    def __init__(self, subject: Subject, form: Form | None = None) -> None:
        self.subject = subject
        self.form = form or Form()
        self.conventions = Conventions()
        self.dtype: DtypeName = "float64"  # in which it is asked where nothing else is said
        self.loaded: Weights = []
        self.silent = False  # it tells no loss: its step returned none
        self.early = False  # its step updates a layer before it passes the gradient back through it
        self.arrangement = ""  # in which gradients were seen to come, where it was none of pairs

    # -- the contender's methods

    def load(self, architecture: Architecture, weights: Weights) -> None:
        self.architecture, self.loaded = architecture, weights
        self.subject.call("load", architecture=self._named(architecture), weights=self._layers(weights))

    def logits(self, x: Array) -> Array:
        """What the class's `logits` returns, as rows: probabilities where its outputs are these."""
        shape = (len(x), self.architecture.n_outputs)
        if self.form.samples == "single":
            return np.array([self._logits_of(row) for row in x]).reshape(shape)
        if self.form.samples == "columns":
            columns = self.subject.call("logits", x=_turned(x)).value
            return _expect_array("logits", columns, shape[::-1], "(outputs, examples)").T
        return _expect_array("logits", self.subject.call("logits", x=x).value, shape, "(examples, outputs)")

    def _logits_of(self, row: Array) -> Array:
        value, k = self.subject.call("logits", x=row).value, self.architecture.n_outputs
        if k == 1 and _is_number(value):
            return np.array([value])
        if isinstance(value, np.ndarray) and value.shape in ((1, k), (k, 1)):
            return value.reshape(k)
        return _expect_array("logits", value, (k,), "(outputs,)")

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        if self.form.samples != "single":
            given = self._rows(x), self._targets(targets)
            return self._evaluated(*given, len(x))
        rows = zip(x, map(_alone, self._targets(targets)), strict=True)
        answers = [self._evaluated(row, t, 1) for row, t in rows]
        share = 1.0 if self.architecture.loss == "sum_of_squares" else 1.0 / len(x)
        layers = zip(*(gradient for _, gradient in answers), strict=True)
        with np.errstate(all="ignore"):  # an answer may be anything
            gradient = [
                (share * np.sum([W for W, _ in each], axis=0), share * np.sum([b for _, b in each], axis=0))
                for each in layers
            ]
        return share * sum(loss for loss, _ in answers), gradient

    def given(self, x: Array, targets: Array) -> tuple[Array, Array]:
        """Arguments in its own form; of what takes one example at a time, the first."""
        if self.form.samples == "single":
            return x[0], _alone(self._targets(targets)[0])
        return self._rows(x), self._targets(targets)

    def _evaluated(self, x: Array, targets: Array, examples: int) -> tuple[float, Weights]:
        """What it says of arguments in its own form."""
        if self.form.step:
            return self._step(x, targets)
        value = self.subject.call("loss_and_gradient", x=x, targets=targets).value
        if not isinstance(value, list) or len(value) != 2:
            raise _wrong("loss_and_gradient", "a pair (loss, gradient)", value)
        front = examples if self.form.gradients == "per_example" else None
        value[1] = self._in_pairs(value[1], front)
        if self.form.gradient_layout == "out_in":
            value[1] = _transposed(value[1])
        gradient = self._read("gradient", value[1], front)
        self.silent = self.reads_by_name and _name(value[0]) == "None"
        loss = np.nan if self.silent else _expect_number("loss", value[0])
        return loss, self._over_batch(gradient)

    def train(
        self, x: Array, targets: Array, batches: Sequence[Array], optimizer: OptimizerSpec
    ) -> Sequence[float]:
        given = self._rows(x), self._targets(targets)
        answer = self.subject.call(
            "train", x=given[0], targets=given[1], batches=batches, optimizer=optimizer
        )
        return _expect_losses(answer, len(batches))

    def train_recording(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        steps: tuple[int, ...],
    ) -> tuple[Sequence[float], dict[int, Weights]]:
        """Train with checkpoints at `steps`; also the weights seen at each."""
        given = self._rows(x), self._targets(targets)
        answer = self.subject.call(
            "train", steps, x=given[0], targets=given[1], batches=batches, optimizer=optimizer
        )
        recorded: dict[int, Weights] = {
            step: self._read("weights at a checkpoint", value) for step, value in answer.recordings.items()
        }
        return _expect_losses(answer, len(batches)), recorded

    def weights(self) -> Weights:
        return self._read("weights", self.subject.call("weights").value)

    # -- beyond the contender

    def call(self, method: str, **arguments: Any) -> Any:
        """Any other method, by position; its value is not checked here."""
        return self.subject.call(method, **arguments).value

    def weights_from(self, method: str, **arguments: Any) -> Weights:
        """The weights that `method` returns for `arguments["architecture"]`."""
        self.architecture = arguments.get("architecture") or self.architecture
        return self._read(method, self.call(method, **arguments))

    def scribble(self, method: str, **arguments: Any) -> None:
        """Call `method` with its arguments in our form, then overwrite what belongs to the caller."""
        if method == "load":
            self.architecture, self.loaded = arguments["architecture"], arguments["weights"]
            arguments = {
                "architecture": self._named(self.architecture),
                "weights": self._layers(self.loaded),
            }
        else:
            read = {"x": self._rows, "targets": self._targets}
            arguments = {name: read[name](value) for name, value in arguments.items()}
            if self.form.samples == "single":
                arguments = {name: _alone(value[0]) for name, value in arguments.items()}
        self.subject.scribble(method, **arguments)

    def expected(self, problem: Problem) -> Expected:
        """What a right class of this form and these conventions answers.

        Of a step, what is less than half a unit of W beside rate g is lost: W - rate g is W.
        """
        right = expected(problem, self.form, self.conventions)
        if not self.form.step:
            return right
        unit, rate = np.finfo(problem.architecture.dtype).eps, HUGE_RATE[problem.architecture.dtype]
        lost: Array = float(unit) / rate * np.abs(flat_gradient(problem.weights).astype(np.float64))
        return replace(right, lost=lost)

    def renew(self) -> None:
        self.subject.renew()

    @property
    def reads_by_name(self) -> bool:
        """Is it an adapter without methods, whose network need not tell its loss?"""
        return "read_as" in self.subject.attributes

    def offers(self, *methods: str) -> bool:
        there = {*self.methods, *(("loss_and_gradient",) if self.form.step else ())}
        return set(methods) <= there

    @property
    def methods(self) -> dict[str, list[str]]:
        return self.subject.methods

    @property
    def last(self) -> Answer:
        return self.subject.last

    @property
    def calls(self) -> list[Call]:
        return self.subject.calls

    def lay_out(self, layout: str) -> None:
        """Arrays given from now on, until renewed, lie in memory like this."""
        self.subject.layout = layout

    # -- into the class's form

    def _named(self, architecture: Architecture) -> Architecture | Renamed:
        """The architecture with the activation the class has, be it one that ours has not."""
        if not self.form.activation:
            return architecture
        if self.form.activation in ACTIVATIONS:
            return replace(architecture, activation=self.form.activation)
        return Renamed(architecture, self.form.activation)

    def _layers(self, weights: Weights) -> list[Any]:
        """Pairs (W, b); without biases, the W alone."""
        turned = self.form.weight_layout == "out_in"
        pairs = [(_turned(W) if turned else W, self._bias(b)) for W, b in weights]
        if self.form.biases in FOLDED:
            return [self._folded(W, b) for W, b in pairs]
        return [W for W, _ in pairs] if self.form.biases == "none" else pairs

    def _folded(self, W: Array, b: Array) -> Array:
        row, axis = (b[:, None], 1) if self.form.weight_layout == "out_in" else (b[None, :], 0)
        return np.concatenate((row, W) if self.form.biases == "first" else (W, row), axis=axis)

    def _bias(self, b: Array) -> Array:
        if self.form.biases == "row":
            return b[None, :]
        return b[:, None] if self.form.biases == "column" else b

    def _rows(self, x: Array) -> Array:
        return _turned(x) if self.form.samples == "columns" else x

    def _targets(self, targets: Array) -> Array:
        if targets.ndim == 1 and self.form.targets == "one_hot":
            targets = np.eye(self.architecture.n_outputs, dtype=self.architecture.dtype)[targets]
        return self._rows(targets) if targets.ndim == 2 else targets

    # -- and back

    def _step(self, x: Array, targets: Array) -> tuple[float, Weights]:
        """The gradient; of one that updates early, what its readings are a polynomial of the rate to."""
        if not self.early:
            return self.step_at(HUGE_RATE[self.architecture.dtype], x, targets)
        rates = early_rates(len(self.loaded))
        readings = [self.step_at(rate, x, targets) for rate in rates]
        shares = at_zero(rates)
        layers = zip(*(gradient for _, gradient in readings), strict=True)
        gradient = [
            tuple(np.tensordot(shares, np.array(part), 1) for part in zip(*each, strict=True))
            for each in layers
        ]
        return readings[0][0], gradient  # type: ignore[return-value]  # pairs (W, b)

    def step_at(self, rate: float, x: Array, targets: Array) -> tuple[float, Weights]:
        """(W - W') / rate of one step, its arguments in the class's own form; the weights are put back."""
        weights = self.loaded
        value = self.subject.call("step", x=x, targets=targets, rate=rate).value
        moved = self._read("weights after step", self.subject.call("weights").value)
        self.load(self.architecture, weights)
        pairs = zip(weights, moved, strict=True)
        gradient = [((W - W_moved) / rate, (b - b_moved) / rate) for (W, b), (W_moved, b_moved) in pairs]
        self.silent = not _is_number(value)
        return (np.nan if self.silent else _expect_number("step", value)), gradient

    def _in_pairs(self, value: Any, examples: int | None) -> Any:
        """Pairs (W, b) also of [W1, b1, W2, b2, ...] and of ([W1, W2, ...], [b1, b2, ...])."""
        depth = len(self.architecture.layer_shapes)
        if self.form.biases in ("none", *FOLDED) or not isinstance(value, list):
            return value
        if len(value) == 2 * depth and not any(isinstance(item, list) for item in value):
            self.arrangement = "one list, W and b in turn"
            return [list(pair) for pair in zip(value[::2], value[1::2], strict=True)]
        two = len(value) == 2 and all(isinstance(item, list) and len(item) == depth for item in value)
        if two and not self._are_pairs(value, examples):
            self.arrangement = "two lists, of the W and of the b"
            return [list(pair) for pair in zip(*value, strict=True)]
        return value

    def _are_pairs(self, value: list[list[Any]], examples: int | None) -> bool:
        """Of two lists of two: by the shapes of the middle ones; where both fit, as it was seen before."""
        if len(value[0]) != 2:
            return False
        front = 0 if examples is None else 1
        shapes = [
            item.shape[front:] if isinstance(item, np.ndarray) else () for item in (value[0][1], value[1][0])
        ]
        shape, n = self.architecture.layer_shapes[-1], self.architecture.layer_shapes[0][1]
        weight = shape[::-1] if self.form.weight_layout == "out_in" else shape
        biases = ((), (n,), (1, n), (n, 1))
        pairs, lists = (a in biases and b == weight for a, b in (shapes, shapes[::-1]))
        return "two lists" not in self.arrangement if pairs == lists else pairs

    def _read(self, what: str, value: Any, examples: int | None = None) -> Layers:
        """Per layer (W, b) of our shapes; with `examples`, one of each per example, in front."""
        shapes = self.architecture.layer_shapes
        if not isinstance(value, list) or len(value) != len(shapes):
            raise _wrong(what, f"{len(shapes)} pairs (weight, bias)", value)
        layers = []
        for layer, (item, shape) in enumerate(zip(value, shapes, strict=True), start=1):
            pair = [item, None] if isinstance(item, np.ndarray) and self.form.biases == "none" else item
            if self.form.biases in FOLDED and isinstance(item, np.ndarray) and item.ndim > 1:
                pair = self._unfolded(item)
            if not isinstance(pair, list) or len(pair) != 2:
                raise _wrong(f"{what} of layer {layer}", "a pair (weight, bias)", item)
            front = () if examples is None else (examples,)
            weight = self._read_weight(f"{what} W{layer}", pair[0], front, shape)
            layers.append((weight, self._read_bias(f"{what} b{layer}", pair[1], front, shape[1], weight)))
        return layers

    def _unfolded(self, item: Array) -> list[Array]:
        axis, at = -1 if self.form.weight_layout == "out_in" else -2, 0 if self.form.biases == "first" else -1
        return [np.delete(item, at, axis), np.take(item, at, axis)]

    def _read_weight(self, what: str, value: Any, front: tuple[int, ...], shape: tuple[int, int]) -> Array:
        if self.form.weight_layout == "out_in":
            turned = _expect_array(what, value, (*front, *shape[::-1]), "(fan_out, fan_in)")
            return np.swapaxes(turned, -1, -2)
        return _expect_array(what, value, (*front, *shape), "(fan_in, fan_out)")

    def _read_bias(self, what: str, value: Any, front: tuple[int, ...], size: int, weight: Array) -> Array:
        if self.form.biases == "none":
            return np.zeros((*front, size), weight.dtype)
        if what.startswith("gradient") and _is_number(value):  # as b - rate * db takes it
            return np.full((*front, size), value, weight.dtype)
        if isinstance(value, np.ndarray) and value.shape in ((*front, 1, size), (*front, size, 1)):
            value = value.reshape(*front, size)
        return _expect_array(what, value, (*front, size), "(fan_out,)")

    def _over_batch(self, gradient: Layers) -> Layers:
        """Per-example gradients summed, or averaged where the loss is a mean."""
        if self.form.gradients == "batch":
            return gradient
        if self.architecture.loss == "sum_of_squares":
            return [(W.sum(axis=0), b.sum(axis=0)) for W, b in gradient]
        return [(W.mean(axis=0), b.mean(axis=0)) for W, b in gradient]


def _turned(array: Array) -> Array:
    return np.ascontiguousarray(array.T)


def early_rates(depth: int) -> list[float]:
    """At as many rates as determine what a step of `depth` layers that updates early changes.

    A layer's change times the rate, of degree d + 1, is in the weights through which delta, of degree d, is
    passed: below it the degree is 2 d + 1, and 2^(depth - 1) - 1 in the first layer.
    """
    return [i / 16 for i in range(1, 2 ** (depth - 1) + 1)]


def at_zero(rates: Sequence[float]) -> Array:
    """The shares in which values at these rates are added to give their polynomial's at 0 (Lagrange)."""
    nodes = np.array(rates)
    return np.array([np.prod([b / (b - a) for b in nodes if b != a]) for a in nodes])


def _alone(target: Any) -> Any:
    """The target of one example: a row, or a label as a plain number."""
    return target if isinstance(target, np.ndarray) else int(target)


def _transposed(gradient: Any) -> Any:
    """Every weight of a gradient of pairs turned; anything else is left for `_read` to refuse."""
    if not isinstance(gradient, list):
        return gradient
    return [
        [np.swapaxes(pair[0], -1, -2), *pair[1:]]
        if isinstance(pair, list) and pair and isinstance(pair[0], np.ndarray) and pair[0].ndim > 1
        else pair
        for pair in gradient
    ]


def _wrong(what: str, expected: str, value: Any) -> Misbehaviour:
    return Misbehaviour("value", f"{what}: expected {expected}, got {_name(value)}")


def _name(value: Any) -> str:
    if isinstance(value, Opaque):
        return "None" if value.type_name == "NoneType" else cleaned(f"{value.type_name} {value.text}")
    if isinstance(value, np.ndarray):
        return f"an array of shape {value.shape}"
    return (
        f"a list of {len(value)}" if isinstance(value, list) else cleaned(f"{type(value).__name__} {value!r}")
    )


def _expect_array(what: str, value: Any, shape: tuple[int, ...], axes: str = "") -> Array:
    if not isinstance(value, np.ndarray):
        raise _wrong(what, f"a numpy array of shape {shape}", value)
    if value.shape != shape:
        hint = "; transposed?" if value.shape == shape[::-1] and len(shape) == 2 else ""
        raise Misbehaviour("value", f"{what}: expected shape {shape} {axes}, got {value.shape}{hint}")
    return value


def _is_number(value: Any) -> bool:
    if isinstance(value, np.ndarray) and value.shape == ():
        return True
    return isinstance(value, int | float | np.floating | np.integer)


def _expect_number(what: str, value: Any) -> float:
    if not _is_number(value):
        raise _wrong(what, "a number", value)
    return float(value)


def _expect_losses(answer: Answer, n_steps: int) -> Sequence[float]:
    value = answer.value.tolist() if isinstance(answer.value, np.ndarray) else answer.value
    if not isinstance(value, list) or len(value) != n_steps:
        raise _wrong("train", f"{n_steps} losses, one per batch", value)
    return [_expect_number("a loss of train", loss) for loss in value]
