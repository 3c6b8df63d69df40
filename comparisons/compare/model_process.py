"""A model of somebody's own in a process of its own, behind the wall that contenders have.

`OwnModel` is asked as a whole; `StackApart` is a contender with a trace, for a stack of Linear layers. What
the model does wrong becomes a `FaultError` with one sentence, as with `contenders.apart`.
"""

import weakref
from collections.abc import Mapping, Sequence
from typing import Any, cast

import numpy as np

from backproof.comparisons.compare.messages import MESSAGES, checked, is_array
from backproof.comparisons.contenders.apart import Process
from backproof.comparisons.running.outside_text import cleaned
from backproof.reference.contender import Checkpoints, checked_batches
from backproof.reference.record import Call, Record, Task
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

WORKER = "backproof.comparisons.compare.model_worker"


class OwnModel:
    """The model of this name. Raises InputError where there is none."""

    def __init__(self, name: str) -> None:
        self.name, self.process = name, Process(name, WORKER, MESSAGES, MESSAGES)
        weakref.finalize(self, self.process.close)
        self.process.start()
        self.is_class = "class" in self.process.methods
        self.framework = self.dtype = self.not_a_stack = ""
        if self.is_class:
            return
        found = self._ask("describe")
        if not (isinstance(found, list) and len(found) == 3 and all(isinstance(one, str) for one in found)):
            raise self._wrong("describe")
        self.framework, self.dtype, self.not_a_stack = map(cleaned, found)

    def close(self) -> None:
        """End its process."""
        self.process.close()

    def inputs(self, seed: int) -> list[Array]:
        """What it takes. Raises NotOffered where that is not known."""
        found = self._ask("inputs", seed)
        if not (isinstance(found, list) and found and all(map(is_array, found))):
            raise self._wrong("inputs")
        return found

    def output(self, task: Task) -> Array:
        """What comes out."""
        return self._array("output", self._ask("output", task))

    def record(self, task: Task) -> Record:
        """One pass and one step, as far as it came."""
        found = checked(self._ask("record", task))
        if found is None:
            raise self._wrong("record")
        return found

    def expected(self, task: Task, theirs: Mapping[str, Call]) -> dict[str, tuple[Array, Array]]:
        """Per tensor its value in double precision and what rounding may do to it, along their record."""
        found = self._ask("expected", task, list(theirs), list(theirs.values()))
        if not isinstance(found, list):
            raise self._wrong("expected")
        result = {}
        for entry in found:
            match entry:
                case [str() as name, np.ndarray() as value, np.ndarray() as spread] if (
                    value.shape == spread.shape
                ):
                    result[cleaned(name)] = value, spread
                case _:
                    raise self._wrong("expected")
        return result

    def explain(
        self, task: Task, theirs: Mapping[str, Call], tensor: str, found: Array, allowed: Array
    ) -> list[str]:
        """Which mistake of porting, made in it, gives what was found in this tensor."""
        texts = self._ask("explain", task, list(theirs), list(theirs.values()), tensor, found, allowed)
        return [cleaned(text) for text in texts if isinstance(text, str)] if isinstance(texts, list) else []

    def _ask(self, verb: str, *arguments: Any) -> Any:
        return self.process.ask(verb, 0, *arguments)

    def _wrong(self, verb: str) -> Exception:
        return self.process.fault(f"{verb} sent a message of another form in place of an answer", fatal=True)

    def _array(self, verb: str, found: Any) -> Array:
        if not is_array(found):
            raise self._wrong(verb)
        return cast(Array, found)


class StackApart:
    """A model that is a stack of Linear or Dense layers, as a contender."""

    def __init__(self, model: OwnModel) -> None:
        self.model = model
        self._checkpoint: Weights | None = None

    def load(self, architecture: Architecture, weights: Weights) -> None:
        """As `Contender.load`."""
        self._ask("load", architecture, [list(pair) for pair in weights])

    def logits(self, x: Inputs) -> Logits:
        """As `Contender.logits`."""
        return self.model._array("logits", self._ask("logits", x))

    def loss_and_gradient(self, x: Inputs, targets: Targets) -> tuple[float, Weights]:
        """As `Contender.loss_and_gradient`."""
        found = self._ask("loss_and_gradient", x, targets)
        if not (isinstance(found, list) and len(found) == 2 and isinstance(found[0], int | float)):
            raise self.model._wrong("loss_and_gradient")
        return float(found[0]), self._layers("loss_and_gradient", found[1])

    def train(
        self,
        x: Inputs,
        targets: Targets,
        batches: Sequence[Rows],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        """As `Contender.train`; checkpoints are called afterwards, with the weights that there were."""
        rows, marks = checked_batches(batches, len(x)), sorted(checkpoints or {})
        found = self._ask("train", x, targets, [np.array(one) for one in rows], optimizer, marks)
        if not (isinstance(found, list) and len(found) == 2 and is_array(found[0])):
            raise self.model._wrong("train")
        losses, seen = found
        if not isinstance(seen, list) or len(seen) != len(marks):
            raise self.model._wrong("train")
        for step, weights in zip(marks, seen, strict=True):
            self._checkpoint = self._layers("train", weights)
            assert checkpoints is not None
            checkpoints[step]()
        self._checkpoint = None
        return cast(Sequence[float], losses.tolist())

    def weights(self) -> Weights:
        """As `Contender.weights`; its own before any were loaded."""
        return self._checkpoint or self._layers("weights", self._ask("weights"))

    def trace(self, x: Inputs, targets: Targets) -> Mapping[str, Array]:
        """Its inner tensors."""
        found = self._ask("trace", x, targets)
        pairs = [one for one in found if isinstance(one, list) and len(one) == 2] if found else []
        return {cleaned(str(name)): value for name, value in pairs if is_array(value)}

    def _ask(self, verb: str, *arguments: Any) -> Any:
        return self.model._ask(verb, *arguments)

    def _layers(self, verb: str, found: Any) -> Weights:
        if not isinstance(found, list):
            raise self.model._wrong(verb)
        layers = []
        for pair in found:
            match pair:
                case [np.ndarray() as W, np.ndarray() as b] if W.ndim == 2 and b.ndim == 1:
                    layers.append((W, b))
                case _:
                    raise self.model._wrong(verb)
        return layers
