"""The JAX contender: jax.numpy, jax.value_and_grad and one jitted step per batch, on the CPU.

Nothing is derived by hand. The update rules are written out, since JAX ships none; they follow torch.optim's
definitions (see `OptimizerSpec`). The batch is gathered inside the jitted step, and the state is donated, so
that XLA may update it in place. float64 is switched on for the calls of a float64 network alone.
"""

import math
from collections.abc import Callable, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

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

State = Any  # (parameters, moments, steps): a pytree of jax.Array
Forward = Callable[[Any, Any], Any]
Step = Callable[..., tuple[State, Any]]

ACTIVATIONS: dict[str, Callable[[Any], Any]] = {
    "identity": lambda z: z,
    "sigmoid": jax.nn.sigmoid,
    "tanh": jnp.tanh,
    "relu": jax.nn.relu,
}


def _cross_entropy(logits: Any, labels: Any) -> Any:
    log_probabilities = jax.nn.log_softmax(logits)
    return -jnp.mean(jnp.take_along_axis(log_probabilities, labels[:, None], axis=1))


def _binary_cross_entropy(logits: Any, targets: Any) -> Any:
    return jnp.mean(jax.nn.softplus(logits) - targets * logits)


LOSSES: dict[str, Callable[[Any, Any], Any]] = {
    "cross_entropy": _cross_entropy,
    "binary_cross_entropy": _binary_cross_entropy,
    "mse": lambda logits, targets: jnp.mean(jnp.square(logits - targets)),
    "sum_of_squares": lambda logits, targets: jnp.sum(jnp.square(logits - targets)),
}


def forward_function(architecture: Architecture) -> Forward:
    """(parameters, x) -> logits, for `parameters` as a list of (W, b).

    Parameters
    ----------
    architecture
        Its layer sizes are those of the parameters; the activation is taken from here.

    Returns
    -------
    function
        Of (W, b) per layer and x (batch, n_inputs): logits (batch, n_outputs), in the parameters' dtype.
    """
    activation = ACTIVATIONS[architecture.activation]

    def forward(parameters: Any, x: Any) -> Any:
        for weight, bias in parameters[:-1]:
            x = activation(x @ weight + bias)
        weight, bias = parameters[-1]
        return x @ weight + bias

    return forward


def loss_function(architecture: Architecture) -> Callable[[Any, Any, Any], Any]:
    """(parameters, x, targets) -> the loss.

    Parameters
    ----------
    architecture
        Names the activation and the loss.

    Returns
    -------
    function
        Of (W, b) per layer, x (batch, n_inputs) and targets, labels (batch,) or numbers (batch, n_outputs):
        the loss, a scalar that `jax.grad` takes.
    """
    forward, loss = forward_function(architecture), LOSSES[architecture.loss]
    return lambda parameters, x, targets: loss(forward(parameters, x), targets)


def _sgd(spec: OptimizerSpec) -> tuple[int, Callable[..., tuple[Any, ...]]]:
    """The number of moments kept, and (theta, gradient, t, *moments) -> (theta, *moments)."""

    def plain(theta: Any, g: Any, t: Any) -> tuple[Any, ...]:
        return (theta - spec.learning_rate * g,)

    def with_momentum(theta: Any, g: Any, t: Any, v: Any) -> tuple[Any, ...]:
        v = spec.momentum * v + g  # v starts at 0, so that the first v is g
        step = g + spec.momentum * v if spec.nesterov else v
        return theta - spec.learning_rate * step, v

    return (1, with_momentum) if spec.momentum else (0, plain)


def _one_minus_power(beta: float, t: Any, like: Any) -> Any:
    """1 - beta^t as -expm1(t log(beta)): in float32 the plain form loses four of seven digits at t = 1."""
    if beta == 0.0:
        return 1.0
    return -jnp.expm1(t.astype(like.dtype) * math.log(beta))


def _adam(spec: OptimizerSpec) -> tuple[int, Callable[..., tuple[Any, ...]]]:
    def update(theta: Any, g: Any, t: Any, m: Any, v: Any) -> tuple[Any, ...]:
        m = spec.beta1 * m + (1 - spec.beta1) * g
        v = spec.beta2 * v + (1 - spec.beta2) * g * g
        denominator = jnp.sqrt(v) / jnp.sqrt(_one_minus_power(spec.beta2, t, theta)) + spec.eps
        return theta - spec.learning_rate / _one_minus_power(spec.beta1, t, theta) * m / denominator, m, v

    return 2, update


UPDATES = {"sgd": _sgd, "adam": _adam}


def step_function(architecture: Architecture, spec: OptimizerSpec) -> tuple[int, Step]:
    """The number of moments, and a jitted (state, x, targets, rows) -> (state, loss).

    Parameters
    ----------
    architecture
        Names the activation and the loss.
    spec
        The update rule, with weight decay added to the gradient.

    Returns
    -------
    tuple (int, function)
        How many moments the rule keeps for every parameter (0, 1 or 2), and the step; `rows` (batch,) are
        indices into x and targets, and the state it is given is donated.
    """
    value_and_grad = jax.value_and_grad(loss_function(architecture))
    n_moments, update = UPDATES[spec.name](spec)

    def step(state: State, x: Any, targets: Any, rows: Any) -> tuple[State, Any]:
        parameters, moments, t = state
        # The rows were checked: "clip" only spares XLA the masking that its default mode does.
        loss, gradients = value_and_grad(
            parameters, x.at[rows].get(mode="clip"), targets.at[rows].get(mode="clip")
        )
        leaves, shape = jax.tree.flatten(parameters)
        gradient_leaves = jax.tree.leaves(gradients)
        if spec.weight_decay:
            gradient_leaves = [
                g + spec.weight_decay * theta for theta, g in zip(leaves, gradient_leaves, strict=True)
            ]
        new = [
            update(*entry)
            for entry in zip(leaves, gradient_leaves, [t + 1] * len(leaves), *moments, strict=True)
        ]
        thetas, *moments = ([entry[k] for entry in new] for k in range(n_moments + 1))
        return (jax.tree.unflatten(shape, thetas), moments, t + 1), loss

    return n_moments, jax.jit(step, donate_argnums=0)


class JaxMLP:
    """The contender called ``jax``."""

    _compiled_for: Architecture | None = None

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Copy `weights` onto the device; compiled functions are kept as long as the architecture is."""
        weights = architecture.checked_weights(weights)
        self.architecture = architecture
        with self.precision():
            self.parameters = [
                (jnp.array(np.ascontiguousarray(weight)), jnp.array(np.ascontiguousarray(bias)))
                for weight, bias in weights
            ]
            if architecture != self._compiled_for:
                self._forward = jax.jit(forward_function(architecture))
                self._value_and_grad = jax.jit(jax.value_and_grad(loss_function(architecture)))
                self._steps: dict[OptimizerSpec, tuple[int, Step]] = {}
                self._compiled_for = architecture

    def logits(self, x: Inputs) -> Logits:
        x = self.architecture.checked_inputs(x)
        with self.precision():
            return np.array(self._forward(self.parameters, x))

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        x, targets = self.architecture.checked_batch(x, targets)
        with self.precision():
            loss, gradients = self._value_and_grad(self.parameters, x, targets)
            return float(loss), [(np.array(weight), np.array(bias)) for weight, bias in gradients]

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        x, targets, rows = checked_training(self.architecture, x, targets, batches)
        losses: list[Any] = []
        with self.precision():
            all_x, all_targets = jnp.array(x), jnp.array(targets)
            # int32 rows: XLA on the CPU gathers by them without a conversion.
            indices = [row.astype(np.int32) for row in rows]
            if optimizer not in self._steps:
                self._steps[optimizer] = step_function(self.architecture, optimizer)
            n_moments, step = self._steps[optimizer]
            state = self.fresh_state(n_moments)
            self._compile(step, state, all_x, all_targets, indices)

            def finish() -> None:
                self.take_parameters(state)

            try:
                for batch in between(indices, checkpoints, finish):
                    state, loss = step(state, all_x, all_targets, batch)
                    losses.append(loss)
            finally:
                self.parameters = state[0]  # also when a checkpoint raises to stop early
            return [float(loss) for loss in losses]

    def weights(self) -> Weights:
        with self.precision():
            return [(np.array(weight), np.array(bias)) for weight, bias in self.parameters]

    def precision(self) -> Any:
        """float64 where the architecture asks for it, float32 where not, whatever the global setting."""
        return jax.enable_x64(self.architecture.dtype == "float64")

    def fresh_state(self, n_moments: int) -> State:
        """Copies of the parameters, zero moments, no steps: what the first step may overwrite.

        Parameters
        ----------
        n_moments
            How many the rule keeps for every parameter.

        Returns
        -------
        tuple (parameters, moments, steps)
            As the function of `step_function` takes it; it may be donated.
        """
        parameters = jax.tree.map(jnp.copy, self.parameters)
        moments = [[jnp.zeros_like(leaf) for leaf in jax.tree.leaves(parameters)] for _ in range(n_moments)]
        return parameters, moments, jnp.zeros((), jnp.int32)

    @staticmethod
    def _compile(step: Step, state: State, x: Any, targets: Any, batches: Sequence[Array]) -> None:
        """Compile once per batch size, on copies, so that no compilation falls between two checkpoints."""
        for batch in {len(batch): batch for batch in batches}.values():
            step(jax.tree.map(jnp.copy, state), x, targets, batch)[1].block_until_ready()

    def take_parameters(self, state: State) -> None:
        """Finish all work and show the weights of this moment. (The next step donates them.)

        Parameters
        ----------
        state
            As a step gave it.
        """
        self.parameters = jax.block_until_ready(state)[0]  # type: ignore[no-untyped-call] # jax ships it unannotated
