"""The TensorFlow contender: tf.Variable, tf.GradientTape and one tf.function step per batch, on the CPU.

Nothing is derived by hand. Updates are TensorFlow's own fused kernels, the ones its optimisers call, with the
scalars that make them torch.optim's rules: the Adam kernel adds eps to sqrt(v) without bias correction, so it
is given eps * sqrt(1 - b2^t). The batch is gathered inside the step.
"""

from collections.abc import Callable, Sequence
from typing import Any

import tensorflow as tf

from backproof.reference.contender import Checkpoints, between, checked_training
from backproof.scratch.architecture import (
    Architecture,
    Array,
    Inputs,
    Logits,
    OptimizerSpec,
    Rows,
    Targets,
    Weights,
)
from backproof.scratch.errors import InputError

# A network of another shape is another graph: its tracing is no news.
tf.get_logger().setLevel("ERROR")

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": tf.identity,
    "sigmoid": tf.sigmoid,
    "tanh": tf.tanh,
    "relu": tf.nn.relu,
}


def _cross_entropy(labels: Any, logits: Any) -> Any:
    return tf.reduce_mean(tf.nn.sparse_softmax_cross_entropy_with_logits(labels=labels, logits=logits))


def _binary_cross_entropy(targets: Any, logits: Any) -> Any:
    return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(labels=targets, logits=logits))


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "mse": lambda targets, logits: tf.reduce_mean(tf.math.squared_difference(logits, targets)),
    "sum_of_squares": lambda targets, logits: tf.reduce_sum(tf.math.squared_difference(logits, targets)),
}
N_SLOTS = {"sgd": 0, "momentum": 1, "adam": 2}


class _Rule:
    """An update rule with its slots and its step count, for these variables."""

    def __init__(self, spec: OptimizerSpec, variables: Sequence[Any]) -> None:
        self.spec, self.variables = spec, variables
        self.steps = tf.Variable(0, dtype=tf.int64, trainable=False)
        n_slots = N_SLOTS["momentum" if spec.momentum and spec.name == "sgd" else spec.name]
        self.slots = [
            [tf.Variable(tf.zeros_like(v), trainable=False) for _ in range(n_slots)] for v in variables
        ]

    def restart(self) -> None:
        """As fresh: no steps taken, every slot zero."""
        self.steps.assign(0)
        for slot in (slot for slots in self.slots for slot in slots):
            slot.assign(tf.zeros_like(slot))

    def apply(self, gradients: Sequence[Any]) -> None:
        """Inside a tf.function: one update."""
        scalars = self._scalars(tf.cast(self.steps.assign_add(1), tf.float64))
        for variable, gradient, slots in zip(self.variables, gradients, self.slots, strict=True):
            if self.spec.weight_decay:
                gradient = gradient + tf.constant(self.spec.weight_decay, variable.dtype) * variable
            self._update(variable, gradient, slots, [tf.cast(scalar, variable.dtype) for scalar in scalars])

    def _scalars(self, t: Any) -> tuple[Any, Any]:
        """The rate and the eps of step t, in double precision."""
        spec = self.spec
        rate = tf.constant(spec.learning_rate, tf.float64)
        if spec.name == "sgd":
            return rate, tf.zeros((), tf.float64)
        root = tf.sqrt(1 - tf.constant(spec.beta2, tf.float64) ** t)
        return rate * root / (1 - tf.constant(spec.beta1, tf.float64) ** t), spec.eps * root

    def _update(self, variable: Any, g: Any, slots: Sequence[Any], scalars: Sequence[Any]) -> None:
        spec, (rate, eps), ops = self.spec, scalars, tf.raw_ops

        def number(value: float) -> Any:
            return tf.constant(value, variable.dtype)

        if spec.name == "adam":
            first, second = (slot.handle for slot in slots)
            # The kernel multiplies lr by sqrt(1 - b2_power) / (1 - b1_power): powers of 0 leave it alone.
            ops.ResourceApplyAdam(
                var=variable.handle, m=first, v=second, beta1_power=number(0.0), beta2_power=number(0.0),
                lr=rate, beta1=number(spec.beta1), beta2=number(spec.beta2), epsilon=eps, grad=g,
            )  # fmt: skip
        elif spec.momentum:
            ops.ResourceApplyMomentum(
                var=variable.handle, accum=slots[0].handle, lr=rate, grad=g, momentum=number(spec.momentum),
                use_nesterov=spec.nesterov,
            )  # fmt: skip
        else:
            ops.ResourceApplyGradientDescent(var=variable.handle, alpha=rate, delta=g)


class TensorFlowMLP:
    """The contender called ``tensorflow``."""

    def __init__(self, jit_compile: bool = False) -> None:
        self._jit_compile = jit_compile  # by XLA: no default of tf.function
        self.architecture: Architecture | None = None
        self.variables: list[Any] = []

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Copy `weights` into the variables; traced functions are kept as long as the architecture is."""
        arrays = [array for pair in architecture.checked_weights(weights) for array in pair]
        if architecture == self.architecture:
            for variable, array in zip(self.variables, arrays, strict=True):
                variable.assign(array)
            return
        self.architecture = architecture
        self.variables = [tf.Variable(array) for array in arrays]
        self._forward = tf.function(self._logits)
        self._gradient = tf.function(self._loss_and_gradient)
        self._steps: dict[OptimizerSpec, tuple[_Rule, Any]] = {}

    def logits(self, x: Inputs) -> Logits:
        outputs: Array = self._forward(tf.constant(self._known.checked_inputs(x))).numpy().copy()
        return outputs

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        x, targets = self._known.checked_batch(x, targets)
        loss, gradients = self._gradient(tf.constant(x), tf.constant(targets))
        arrays = [gradient.numpy().copy() for gradient in gradients]
        return float(loss), list(zip(arrays[::2], arrays[1::2], strict=True))

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        x, targets, checked = checked_training(self._known, x, targets, batches)
        indices = [tf.constant(rows, tf.int32) for rows in checked]
        all_x, all_targets = tf.constant(x), tf.constant(targets)
        rule, step = self._step(optimizer)
        rule.restart()
        losses: list[Any] = []
        for rows in between(indices, checkpoints, finish=lambda: self._finish(losses)):
            loss = step(all_x, all_targets, rows)
            losses.append(loss)
        return [float(loss) for loss in losses]

    def weights(self) -> Weights:
        arrays = [variable.numpy().copy() for variable in self.variables]
        return list(zip(arrays[::2], arrays[1::2], strict=True))

    @property
    def _known(self) -> Architecture:
        if self.architecture is None:
            raise InputError("architecture: none yet; call load first")
        return self.architecture

    def _step(self, spec: OptimizerSpec) -> tuple[_Rule, Any]:
        """The rule and a traced (x, targets, rows) -> loss; traced once per architecture and rule."""
        if spec not in self._steps:
            rule = _Rule(spec, self.variables)

            def step(x: Any, targets: Any, rows: Any) -> Any:
                loss, gradients = self._loss_and_gradient(tf.gather(x, rows), tf.gather(targets, rows))
                rule.apply(gradients)
                return loss

            cross_entropy = self._known.loss == "cross_entropy"
            signature = [
                tf.TensorSpec([None, self._known.n_inputs], self._known.dtype),
                tf.TensorSpec([None], tf.int64)
                if cross_entropy
                else tf.TensorSpec([None, self._known.n_outputs], self._known.dtype),
                tf.TensorSpec([None], tf.int32),
            ]
            traced = tf.function(step, input_signature=signature, jit_compile=self._jit_compile)
            traced.get_concrete_function()  # traced now, not inside somebody's clock
            self._steps[spec] = rule, traced
        return self._steps[spec]

    def _logits(self, x: Any) -> Any:
        *hidden, (weight, bias) = zip(self.variables[::2], self.variables[1::2], strict=True)
        for W, b in hidden:
            x = ACTIVATIONS[self._known.activation](tf.nn.bias_add(tf.matmul(x, W), b))
        return tf.nn.bias_add(tf.matmul(x, weight), bias)

    def _loss_and_gradient(self, x: Any, targets: Any) -> tuple[Any, Sequence[Any]]:
        with tf.GradientTape() as tape:
            loss = LOSSES[self._known.loss](targets, self._logits(x))
        return loss, tape.gradient(loss, self.variables)

    @staticmethod
    def _finish(losses: Sequence[Any]) -> None:
        """Wait for the last step: reading its loss needs it, and eager calls run in order."""
        if losses:
            losses[-1].numpy()


def with_xla() -> TensorFlowMLP:
    """The step compiled by XLA, ``tf.function(jit_compile=True)``."""
    return TensorFlowMLP(jit_compile=True)
