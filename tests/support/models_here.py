"""A model in this process, with the methods of `model_process.OwnModel`: fast, and without a wall."""

from collections.abc import Mapping, Sequence
from typing import Any

from backproof.comparisons.compare import model_worker
from backproof.comparisons.compare.messages import MESSAGES
from backproof.comparisons.running.plain_data import pack, unpack
from backproof.reference.record import Call, Record, Task
from backproof.scratch.architecture import Array


class Here:
    """`made` is a model, or what makes one. Everything goes through messages as between processes."""

    def __init__(self, name: str, made: Any) -> None:
        self.name, self.not_a_stack = name, "it is none"
        self.model, _ = model_worker.opened(*model_worker.made(made))
        self.framework, self.dtype = self.model.framework, self.model.dtype

    def inputs(self, seed: int) -> list[Array]:
        return list(self.model.inputs(seed))

    def output(self, task: Task) -> Array:
        found: Array = self.model.output(task)
        return found

    def record(self, task: Task) -> Record:
        found = Record()
        try:
            self.model.record(task, found)
        except (RuntimeError, ValueError) as error:
            found.raised = str(error)
        passed: Record = _passed(found)
        return passed

    def expected(self, task: Task, theirs: Mapping[str, Call]) -> dict[str, tuple[Array, Array]]:
        return dict(self.model.expected(task, theirs))

    def explain(
        self, task: Task, theirs: Mapping[str, Call], tensor: str, found: Array, allowed: Array
    ) -> Sequence[str]:
        return list(self.model.explain(task, theirs, tensor, found, allowed))


def _passed(value: Any) -> Any:
    """What arrives of it."""
    message, at = pack(value, MESSAGES), 0

    def read(n: int) -> bytes:
        nonlocal at
        at += n
        return message[at - n : at]

    return unpack(read, MESSAGES)
