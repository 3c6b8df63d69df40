"""`Contender`: what scratch, every framework and a user's own class offer, so that they can be compared.

Arrays in and out are NumPy arrays. What a contender returns belongs to the caller (a later call does not
change it) and what it is given is never written to. A contender that does not offer something raises
`NotOffered` with the reason; the comparison then shows a cell, not a gap.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar, runtime_checkable

import numpy as np

from backproof.scratch.architecture import Architecture, Inputs, Logits, OptimizerSpec, Rows, Targets, Weights
from backproof.scratch.errors import expect, expect_range

Checkpoints = Mapping[int, Callable[[], None]]  # number of finished steps -> what to call there


Item = TypeVar("Item")


class NotOffered(Exception):  # noqa: N818 - an answer, not an error
    """This contender has no such thing; the message says why."""


@runtime_checkable
class Contender(Protocol):
    """A network in some framework: given weights, it says what logits, gradients and training make of them.

    Arrays are NumPy arrays in the dtype of the architecture. A method that is not offered raises
    `NotOffered`, or NotImplementedError, with the reason.
    """

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """Take these weights (copied), for this architecture. May be called again.

        Parameters
        ----------
        architecture
            Layer sizes, activation, loss and dtype.
        weights
            Per layer W (fan_in, fan_out) and b (fan_out,).
        """

    def logits(self, x: Inputs) -> Logits:
        """The outputs of the last layer, before any softmax or sigmoid.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs).

        Returns
        -------
        array (batch, n_outputs)
            One row for each example.
        """

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        """The loss of this batch and its gradient per layer. The weights do not change.

        Parameters
        ----------
        x
            Inputs (batch, n_inputs).
        targets
            Integer labels (batch,) for cross_entropy, else (batch, n_outputs).

        Returns
        -------
        tuple
            The loss, and per layer dL/dW (fan_in, fan_out) and dL/db (fan_out,).
        """

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """Take one step of a fresh optimiser on each batch.

        Parameters
        ----------
        x
            All examples (examples, n_inputs).
        targets
            Integer labels (examples,) for cross_entropy, else (examples, n_outputs).
        batches
            Row indices (batch,) each; one step on each, in this order.
        optimizer
            The update rule and its constants.
        checkpoints
            From a number of finished steps (0: before the first) to a function: all work up to there is
            finished, then it is called. Evaluation happens there, and clocks start and stop there.

        Returns
        -------
        sequence of float
            Each step's loss, taken before its update.
        """

    def weights(self) -> Weights:
        """Copies of the weights as they are now, per layer W (fan_in, fan_out) and b (fan_out,)."""


def checked_batches(batches: Sequence[Rows], n_examples: int) -> list[Rows]:
    """Every batch as row indices (batch,) in 0 .. n_examples - 1; copies nothing that already fits.

    Parameters
    ----------
    batches
        Row indices, integers of any kind.
    n_examples
        How many rows there are.

    Returns
    -------
    list of arrays (batch,)
        As intp.

    Raises
    ------
    InputError
        For an empty batch, what holds no integers, or a row that is not there.
    """
    checked = [np.asarray(batch) for batch in batches]
    for number, batch in enumerate(checked):
        expected = f"expected row indices (batch >= 1,), got shape {batch.shape}, dtype {batch.dtype}"
        indices = batch.ndim == 1 and len(batch) and batch.dtype.kind in "iu"
        expect(indices, f"batches[{number}]: {expected}")
        expect_range(f"batches[{number}]", "rows", batch, n_examples)
    return [batch.astype(np.intp, copy=False) for batch in checked]


def checked_training(
    architecture: Architecture, x: Inputs, targets: Targets, batches: Sequence[Rows]
) -> tuple[Inputs, Targets, list[Rows]]:
    """What `Contender.train` is given, checked: examples that fit the network, and rows that they have.

    Parameters
    ----------
    architecture
        The network that is trained.
    x
        All examples (examples, n_inputs).
    targets
        As the loss wants them.
    batches
        Row indices (batch,) each.

    Returns
    -------
    tuple
        x and targets in the network's dtype (labels as intp), and the batches as intp.

    Raises
    ------
    InputError
        For arrays that do not fit, or a row that is not there.
    InputTypeError
        For arrays of a wrong kind.
    """
    x, targets = architecture.checked_batch(x, targets)
    return x, targets, checked_batches(batches, len(x))


def _nothing() -> None:
    """No work is left to finish."""


def _one_step(item: object) -> int:
    return 1


def stretches_of(batches: Sequence[Item], checkpoints: Checkpoints | None) -> list[Sequence[Item]]:
    """The batches in runs that end where a checkpoint stands: for those who train on many in one call.

    >>> stretches_of(["a", "b", "c"], {0: print, 2: print})
    [['a', 'b'], ['c']]

    Parameters
    ----------
    batches
        Anything that is trained on in turn.
    checkpoints
        As in `Contender.train`; those at step 0 and after the last batch cut nothing.

    Returns
    -------
    list of sequences
        All batches in order; no run is empty.
    """
    n = len(batches)
    marks = {0, n, *(step for step in checkpoints or {} if 0 < step < n)}
    return [batches[start:stop] for start, stop in pairwise(sorted(marks))]


def between(
    batches: Iterable[Item],
    checkpoints: Checkpoints | None,
    finish: Callable[[], None] = _nothing,
    steps: Callable[[Item], int] = _one_step,
) -> Iterator[Item]:
    """The batches one by one, with the checkpoints called between the steps that are taken on them.

    Parameters
    ----------
    batches
        Anything that is trained on in turn: the caller takes its steps on each before asking for the next.
    checkpoints
        A number of finished steps, and what to call there; see `Contender.train`.
    finish
        Called before each checkpoint: what has to be waited for, or shown, to make the state of that moment
        the contender's own.
    steps
        How many steps are taken on one of `batches`.

    Yields
    ------
    item
        The next of `batches`.

    Examples
    --------
    >>> for batch in between(["first", "second"], {0: lambda: print("before"), 2: lambda: print("after")}):
    ...     print(batch)
    before
    first
    second
    after
    """
    checkpoints = checkpoints or {}
    done = 0

    def visit() -> None:
        if done in checkpoints:
            finish()
            checkpoints[done]()

    for batch in batches:
        visit()
        yield batch
        done += steps(batch)
    visit()
