"""Training: which examples make which batch, and one optimiser step per batch.

An epoch visits every example exactly once, in an order drawn from the seed; the last batch may be short
and is kept. `train` takes the batches as index arrays, so that several implementations can be given
the very same ones; `fit` draws them. Both take every step by `TrainingStep`.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

import numpy as np

from .architecture import Batch, Inputs, OptimizerSpec, Rows, Targets
from .errors import expect
from .gradients import Backprop, Method
from .network import Network, ignore
from .optimizers import make_optimizer
from .parameters import Parameters
from .regularization import Masks, smoothed_cross_entropy
from .schedules import Schedule

Augmentation = Callable[[Inputs], None]  # changes a batch of inputs in place
StepCallback = Callable[[int, float], None]  # (steps done, that step's loss)
STEP_PARTS = ("gather", "forward", "loss", "backward", "update")


@dataclass(frozen=True)
class Recipe:
    """How a network is trained: the update rule, the way to the gradient, and what is done to data and loss.

    Parameters
    ----------
    optimizer
        The update rule and its constants.
    method
        The way to the gradient, a value of `gradients`: Backprop(dropout=Dropout(0.5)) draws fresh masks for
        every step, CentralDifference(evaluation="structured") trains by numerical differentiation alone.
    schedule
        schedule(t) multiplies the learning rate of the step that t others went before.
    augmentation
        May change each batch of inputs (batch, n_inputs) in place, before the forward pass.
    label_smoothing
        The share in [0, 1) of every target that is spread evenly over the outputs; cross_entropy only.

    Raises
    ------
    InputError
        For a share that is not in [0, 1).
    """

    optimizer: OptimizerSpec = field(default_factory=OptimizerSpec)
    method: Method = field(default_factory=Backprop)
    schedule: Schedule | None = None
    augmentation: Augmentation | None = None
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        share = self.label_smoothing
        expect(0.0 <= share < 1.0, f"label_smoothing: expected a share in [0, 1), got {share!r}")


@dataclass(frozen=True)
class EpochPlan:
    """How often, in which batches and in which order the examples are visited.

    Parameters
    ----------
    epochs
        At least 1.
    batch_size
        At least 1; the last batch of an epoch may be shorter.
    seed
        Of the order, which follows from it alone.

    Raises
    ------
    InputError
        For a number below 1.
    """

    epochs: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        found = f"got {self.epochs} and {self.batch_size}"
        least = min(self.epochs, self.batch_size)
        expect(least >= 1, f"epochs and batch_size: expected at least 1 each, {found}")


@dataclass(frozen=True)
class Epoch:
    """What `fit` reports after each epoch: its number from 1, and the mean loss over its examples."""

    number: int
    mean_loss: float


def epoch_batches(n_examples: int, batch_size: int, rng: np.random.Generator) -> Iterator[Rows]:
    """A random partition of 0 .. n_examples - 1 into index arrays of `batch_size`, the last maybe shorter.

    Parameters
    ----------
    n_examples
        At least 1.
    batch_size
        At least 1; more than the examples are makes one batch.
    rng
        One permutation is drawn from it.

    Yields
    ------
    array (batch,)
        Row indices; each row comes once.

    Raises
    ------
    InputError
        For fewer than one example, or an empty batch.
    """
    found = f"got {n_examples} and {batch_size}"
    least = min(n_examples, batch_size)
    expect(least >= 1, f"n_examples and batch_size: expected at least 1 each, {found}")
    order = rng.permutation(n_examples)
    for start in range(0, n_examples, batch_size):
        yield order[start : start + batch_size]


def gather(x: Inputs, batch: Rows, out: Batch) -> Batch:
    """The rows `batch` of x, written to `out` (batch, n_inputs), which is returned.

    Parameters
    ----------
    x
        All examples (examples, n_inputs).
    batch
        Row indices (batch,); trusted, and so not looked at for being in range.
    out
        (batch, n_inputs), contiguous and of x's dtype.

    Returns
    -------
    array (batch, n_inputs)
        `out` itself.
    """
    # mode="clip" writes straight into the buffer (9 us against 25 us for 100 x 784 float32);
    # the default mode copies twice so as to leave `out` whole on a bad index.
    return x.take(batch, axis=0, out=out, mode="clip")


class TrainingStep:
    """One step of training: gather the batch, take the loss and its gradient, update the parameters.

    It holds what outlives a step: the optimiser, the buffers and the generator of the masks. The network's
    parameters change in place; x (examples, n_inputs) and targets are trusted.
    """

    def __init__(self, network: Network, x: Inputs, targets: Targets, recipe: Recipe) -> None:
        self.network = _with_recipe_loss(network, recipe)
        self.x, self.targets, self.recipe = x, targets, recipe
        self.optimizer = make_optimizer(recipe.optimizer, network.parameters.flat)
        self.gradient = Parameters(network.architecture, dtype=network.dtype)
        self.n_steps = 0
        method = recipe.method
        self._dropout = method.dropout if isinstance(method, Backprop) else None
        self._masks_rng = np.random.default_rng(self._dropout.seed if self._dropout else None)
        self._buffer = x[:0]

    def __call__(self, batch: Rows, finished: Callable[[str], object] = ignore) -> float:
        """Take a step on these rows; return the loss before it. `finished(part)` after each of STEP_PARTS.

        (Other methods than Backprop have no parts between "gather" and "update".)
        """
        recipe, optimizer = self.recipe, self.optimizer
        inputs = self._inputs(batch)
        targets = self.targets[batch]
        if recipe.augmentation is not None:
            recipe.augmentation(inputs)
        if recipe.schedule is not None:
            optimizer.learning_rate = recipe.optimizer.learning_rate * recipe.schedule(self.n_steps)
        finished("gather")
        if isinstance(recipe.method, Backprop):
            # Everything behind delta is linear in it: a factor there is a factor on the whole gradient.
            factor, masks = optimizer.loss_factor, self._masks(len(batch))
            loss = self.network.loss_and_gradient(inputs, targets, self.gradient, masks, factor, finished)
        else:
            self.gradient.flat[...] = recipe.method(self.network, inputs, targets)
            self.gradient.flat *= optimizer.loss_factor
            loss = float(self.network.loss(inputs, targets))
        optimizer.step(self.network.parameters.flat, self.gradient.flat)
        finished("update")
        self.n_steps += 1
        return loss

    def _inputs(self, batch: Rows) -> Inputs:
        """The batch's inputs, in a buffer made for the largest batch seen."""
        if len(batch) > len(self._buffer):
            self._buffer = np.empty((len(batch), self.x.shape[1]), self.x.dtype)
        return gather(self.x, batch, self._buffer[: len(batch)])

    def _masks(self, n_examples: int) -> Masks | None:
        if self._dropout is None:
            return None
        return self._dropout.masks(self._masks_rng, self.network.architecture, n_examples)


def _with_recipe_loss(network: Network, recipe: Recipe) -> Network:
    """The network, its parameters shared, with the loss that the recipe asks for."""
    if not recipe.label_smoothing:
        return network
    loss = network.architecture.loss
    message = f"label_smoothing: expected a network with loss cross_entropy, got {loss}; set it to 0"
    expect(loss == "cross_entropy", message)
    smoothed = smoothed_cross_entropy(recipe.label_smoothing)
    return Network(network.architecture, network.parameters, smoothed)


def train(
    network: Network,
    x: Inputs,
    targets: Targets,
    batches: Iterable[Rows],
    recipe: Recipe,
    on_step: StepCallback = ignore,
) -> list[float]:
    """One step of a fresh optimiser per batch of row indices; the network's parameters change in place.

    Parameters
    ----------
    network
        What is trained.
    x, targets
        All examples, (examples, n_inputs) and (examples,) or (examples, outputs); trusted.
    batches
        Row indices (batch,) each, in any number; drawn one by one, so that a generator may act in between.
    recipe
        How.
    on_step
        Called as on_step(steps, loss) after each step; it may raise to stop early.

    Returns
    -------
    list of float
        Each step's loss, taken before its update.
    """
    step = TrainingStep(network, x, targets, recipe)
    losses = []
    for batch in batches:
        loss = step(batch)
        losses.append(loss)
        on_step(step.n_steps, loss)
    return losses


def fit(
    network: Network,
    x: Inputs,
    targets: Targets,
    recipe: Recipe,
    plan: EpochPlan,
    on_step: StepCallback = ignore,
    on_epoch: Callable[[Epoch], None] = ignore,
) -> list[Epoch]:
    """Train for whole epochs; the same seed gives the same parameters, bit for bit.

    Parameters
    ----------
    network
        What is trained, in place.
    x, targets
        All examples, (examples, n_inputs) and (examples,) or (examples, outputs); checked first.
    recipe, plan
        How, and on which batches.
    on_step, on_epoch
        Called as on_step(steps, loss) and on_epoch(epoch). They may raise to stop early; what was learned
        until then stays.

    Returns
    -------
    list of Epoch
        One per epoch.

    Raises
    ------
    InputError
        For examples that do not fit the network.
    """
    x, targets = network.architecture.checked_batch(x, targets)
    rng = np.random.default_rng(plan.seed)
    # One step for the whole run: the optimiser's state outlives the epochs.
    step = TrainingStep(network, x, targets, recipe)
    history = []
    for number in range(1, plan.epochs + 1):
        losses, lengths = [], []
        for batch in epoch_batches(len(x), plan.batch_size, rng):
            loss = step(batch)
            losses.append(loss)
            lengths.append(len(batch))
            on_step(step.n_steps, loss)
        # Weighted by examples, not by batches: the short last batch counts for what it holds.
        mean_loss = float(np.dot(losses, lengths)) / len(x)
        history.append(Epoch(number, mean_loss))
        on_epoch(history[-1])
    return history
