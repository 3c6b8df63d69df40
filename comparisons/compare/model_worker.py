"""The far side of a model given to compare: loads it, runs it, and answers in plain data.

Runs as ``python -m ...compare.model_worker``, with the messages of `contenders.apart_worker`. What it loads
is a class with the five methods, which is only reported, or a torch module or Keras model, or what makes one.
A model is asked as a whole (`describe`, `inputs`, `output`, `record`, `expected`, `explain`), and as a stack
of Linear or Dense layers by the methods of a contender, where it is one.
"""

import sys
from typing import Any

import numpy as np

from backproof.comparisons.compare.messages import MESSAGES
from backproof.comparisons.contenders.loading import NotThere, Target, load_object
from backproof.comparisons.contenders.telling import declines, describe, name_of, plain, said_by
from backproof.comparisons.running import limits
from backproof.comparisons.running.plain_data import pack, unpack
from backproof.comparisons.running.worker_process import own_streams
from backproof.reference.record import Call, Record, Task
from backproof.scratch.errors import InputError

GUARDED = "--guarded"  # a sandbox stands between this process and ours


def _loaded(module: str) -> Any:
    """A framework that somebody's file has imported; it is not imported to find out."""
    return sys.modules.get(module)


def _kinds() -> tuple[type, ...]:
    torch, keras = _loaded("torch"), _loaded("keras")
    return tuple(([torch.nn.Module] if torch else []) + ([keras.Model] if keras else []))


def is_plain_class(found: Any) -> bool:
    """A class, and none of a model."""
    return isinstance(found, type) and not issubclass(found, _kinds())


def made(found: Any) -> tuple[Any, Any]:
    """(model, example inputs or None) of a model, of a class of one, or of a function that makes one."""
    if not isinstance(found, _kinds()):
        try:
            found = found()
        except TypeError as error:
            raise InputError(f"expected a model, or what makes one without arguments ({error})") from error
    if isinstance(found, tuple) and len(found) == 2 and isinstance(found[0], _kinds()):
        return found[0], found[1]
    if isinstance(found, _kinds()):
        return found, None
    raise InputError(
        "expected a class, a torch module or a Keras model, or a function that makes one; "
        f"got {type(found).__name__}"
    )


def opened(model: Any, example: Any) -> tuple[Any, Any]:
    """As a whole, and the class of its stack."""
    if _loaded("torch") and isinstance(model, _loaded("torch").nn.Module):
        from backproof.reference.torch_model import TorchModel
        from backproof.reference.torch_stack import TorchStack

        return TorchModel(model, example), TorchStack
    from backproof.reference.keras_model import KerasModel
    from backproof.reference.keras_stack import KerasStack

    return KerasModel(model, example), KerasStack


class Server:
    """The model, and its stack once it was asked for."""

    def __init__(self, target: Target) -> None:
        self.target = target
        self.requests, self.answers = own_streams()
        self.model: Any = None
        self.stack: Any = None

    def read(self, n: int) -> bytes:
        found = self.requests.read(n)
        if len(found) < n:
            sys.exit(0)  # nobody asks any more
        return found

    def send(self, state: str, content: Any = None) -> None:
        self.answers.write(pack([state, content], MESSAGES))
        self.answers.flush()

    def start(self) -> bool:
        """Whether there is something to ask."""
        try:
            found = load_object(self.target)
            if is_plain_class(found):
                self.send("ready", ["class"])
                return True
            self.model, stack = opened(*made(found))
            self.example_stack = stack
        except (NotThere, InputError) as error:
            self.send("absent", f"{self.target}: {error}" if isinstance(error, InputError) else str(error))
            return False
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever importing it raises is told
            self.send("broken", describe(error, self.target))
            return False
        self.send("ready", ["model"])
        return True

    def serve(self) -> None:
        while True:
            verb, _, *arguments = unpack(self.read, MESSAGES)
            try:
                answer = getattr(self, f"do_{verb}")(*arguments)
            except InputError as error:
                self.send("declined", str(error))
            except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is told
                if declines(error):
                    self.send("declined", said_by(error)[:300] or name_of(type(error)))
                else:
                    self.send("raised", describe(error, self.target))
            else:
                self.send("answer", answer)

    # -- the model as a whole

    def do_describe(self) -> Any:
        try:
            self.stack = self.example_stack(self.model.module)
            reason = ""
        except InputError as error:
            reason = str(error)
        return [self.model.framework, self.model.dtype, reason]

    def do_inputs(self, seed: int) -> Any:
        return self.model.inputs(seed)

    def do_output(self, task: Task) -> Any:
        return self.model.output(task)

    def do_record(self, task: Task) -> Any:
        found = Record()
        try:
            self.model.record(task, found)
        except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever it raises is told
            found.raised = describe(error, self.target)
        return found

    def do_expected(self, task: Task, names: list[str], calls: list[Call]) -> Any:
        found = self.model.expected(task, dict(zip(names, calls, strict=True)))
        return [[name, value, spread] for name, (value, spread) in found.items()]

    def do_explain(
        self, task: Task, names: list[str], calls: list[Call], tensor: str, found: Any, allowed: Any
    ) -> Any:
        return self.model.explain(task, dict(zip(names, calls, strict=True)), tensor, found, allowed)

    # -- as a stack

    def do_load(self, architecture: Any, weights: Any) -> None:
        self.stack.load(architecture, weights)

    def do_weights(self) -> Any:
        return plain(self.stack.weights())

    def do_logits(self, x: Any) -> Any:
        return plain(self.stack.logits(x))

    def do_loss_and_gradient(self, x: Any, targets: Any) -> Any:
        return plain(self.stack.loss_and_gradient(x, targets))

    def do_trace(self, x: Any, targets: Any) -> Any:
        return [[name, np.asarray(value)] for name, value in self.stack.trace(x, targets).items()]

    def do_train(self, x: Any, targets: Any, batches: list[Any], optimizer: Any, marks: list[int]) -> Any:
        """The losses, and the weights after each of these steps."""
        seen: list[Any] = []
        checkpoints = {step: lambda: seen.append(plain(self.stack.weights())) for step in marks}
        for batch in batches:
            batch.flags.writeable = False
        losses = self.stack.train(x, targets, batches, optimizer, checkpoints)
        return [np.array(losses, float), seen]


def main(arguments: list[str]) -> None:
    """Limits first, then a guard between this process and ours, then the model."""
    limits.restrict(limits.Limits())
    if GUARDED not in arguments:
        limits.die_with_parent()
        limits.step_aside()
    server = Server(Target(arguments[0], arguments[1]))
    if server.start():
        server.serve()


if __name__ == "__main__":
    main(sys.argv[1:])
