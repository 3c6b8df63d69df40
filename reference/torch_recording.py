"""What a torch module does call by call, and the same module walked along somebody else's record.

Hooks at every module show the tensors that go into a call and those that come out of it. Each passes an
identity whose backward pass shows the gradient there: of what goes in, the part that came through this call.

A walk runs the module once more, in double precision say, and puts what somebody else recorded in place of
each tensor that it has a counterpart for, forward and backward:

    into l      what the module makes of the outputs recorded before, then replaced by the recorded input
    l           what layer l makes of the recorded input, then replaced by the recorded output
    d l         the gradient that flows back from what was recorded behind l, then replaced
    d into l    what layer l makes of the recorded gradient of its output, then replaced

so that each is a function of what was recorded just before it, and of nothing else.
"""

import copy
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import torch
from torch import nn

from backproof.reference.nested import leaves, rebuilt
from backproof.reference.record import RATE, WHOLE, Call, Record, Task
from backproof.scratch.architecture import Array

Tensors = list[torch.Tensor]


class _Visitor(Protocol):
    """What is done with the tensors of every call; it gives those to go on with."""

    def enter(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors: ...

    def leave(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors: ...


class _Through(torch.autograd.Function):
    """Another tensor in place of `value`, and another gradient in place of the one that flows back."""

    @staticmethod
    def forward(ctx: Any, value: torch.Tensor, other: torch.Tensor, back: Any) -> torch.Tensor:
        ctx.back = back
        return other.detach().clone()

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> tuple[torch.Tensor, None, None]:
        return ctx.back(gradient), None, None


def _through(
    value: torch.Tensor, other: torch.Tensor, back: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """`other` in place of value; `back` gives the gradient to go on with."""
    apply: Any = _Through.apply
    found: torch.Tensor = apply(value, other, back) if value.is_floating_point() else other.clone()
    return found


@contextmanager
def _visited(model: nn.Module, visitor: _Visitor) -> Iterator[None]:
    """Every call of a module in `model` goes past the visitor."""
    counts: dict[str, int] = {}
    open_calls: list[str] = []
    handles: list[Any] = []

    def enter(path: str, module: nn.Module, args: Any, kwargs: Any) -> Any:
        counts[path] = counts.get(path, 0) + 1
        name = path if counts[path] == 1 else f"{path}#{counts[path]}"
        open_calls.append(name)
        return _replaced((args, kwargs), lambda found: visitor.enter(name, module, found))

    def leave(module: nn.Module, args: Any, output: Any) -> Any:
        name = open_calls.pop()
        return _replaced(output, lambda found: visitor.leave(name, module, found))

    for path, module in model.named_modules():
        before: Any = lambda module, args, kwargs, path=path or WHOLE: enter(path, module, args, kwargs)  # noqa: E731 - it binds the path
        handles += [
            module.register_forward_pre_hook(before, with_kwargs=True),
            module.register_forward_hook(leave),
        ]
    try:
        yield
    finally:
        for handle in handles:
            handle.remove()


def _replaced(nest: Any, change: Callable[[Tensors], Tensors]) -> Any:
    """The same nest with other tensors; what else is in it stays."""
    values = [value for _, value in leaves(nest, "")]
    places = [i for i, value in enumerate(values) if isinstance(value, torch.Tensor)]
    for place, tensor in zip(places, change([values[i] for i in places]), strict=True):
        values[place] = tensor
    return rebuilt(nest, iter(values))


def array(tensor: torch.Tensor) -> Array:
    """A copy that nobody else writes to.

    Parameters
    ----------
    tensor
        Of any shape.

    Returns
    -------
    array
        Of the same shape and dtype.
    """
    found: Array = tensor.detach().cpu().numpy().copy()
    return found


@dataclass
class _Recorder:
    calls: list[Call] = field(default_factory=list)
    open: list[int] = field(default_factory=list)

    def enter(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors:
        path, size = name.partition("#")[0], sum(p.numel() for p in module.parameters())
        parent = self.open[-1] if self.open else -1
        call = Call(name, path, type(module).__name__, parent, size, [array(one) for one in tensors])
        self.open.append(len(self.calls))
        self.calls.append(call)
        return [_kept(one, call.input_gradients, i) for i, one in enumerate(tensors)]

    def leave(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors:
        call = self.calls[self.open.pop()]
        call.outputs = [array(one) for one in tensors]
        return [_kept(one, call.output_gradients, i) for i, one in enumerate(tensors)]


def _kept(tensor: torch.Tensor, gradients: dict[int, Array], i: int) -> torch.Tensor:
    def back(gradient: torch.Tensor) -> torch.Tensor:
        gradients[i] = array(gradient)
        return gradient

    return _through(tensor, tensor, back)


def first(output: Any) -> torch.Tensor:
    """The first tensor of numbers in what came out.

    Parameters
    ----------
    output
        A tensor, or tensors in dicts, lists and tuples.

    Returns
    -------
    tensor
        Of its own shape.
    """
    found: torch.Tensor = next(
        v for _, v in leaves(output, "") if isinstance(v, torch.Tensor) and v.is_floating_point()
    )
    return found


def loss_of(output: Any, targets: Array) -> torch.Tensor:
    """Cross entropy for labels, else the mean squared error; of the first tensor that came out.

    Parameters
    ----------
    output
        What the model gave.
    targets
        Whole numbers, (batch,), are labels; else numbers of the shape of the output.

    Returns
    -------
    tensor
        The mean, ().
    """
    output = first(output)
    if targets.dtype.kind == "i":
        return nn.functional.cross_entropy(output, torch.tensor(targets, dtype=torch.int64))
    return nn.functional.mse_loss(output, torch.tensor(targets, dtype=output.dtype))


def prepared(model: nn.Module, task: Task) -> nn.Module:
    """A copy in this mode and dtype. Dropout is off in both: no two models have the same masks.

    Parameters
    ----------
    model
        Is left as it is.
    task
        Its mode, dtype, inputs, targets, and parameters to take first.

    Returns
    -------
    module
        On the CPU.
    """
    found = copy.deepcopy(model).cpu().to(getattr(torch, task.dtype)).train(task.training)
    with torch.no_grad():
        for name, p in found.named_parameters():
            if name in task.parameters:
                p.copy_(torch.tensor(task.parameters[name]))
    for module in found.modules():
        if isinstance(module, nn.modules.dropout._DropoutNd):
            module.eval()
        if isinstance(module, nn.MultiheadAttention | nn.RNNBase):
            module.dropout = 0.0
    return found


def tensors_of(inputs: Sequence[Array], dtype: torch.dtype) -> Tensors:
    """The arrays as a model of this dtype takes them; those of whole numbers stay as they are.

    Parameters
    ----------
    inputs
        Of any shapes.
    dtype
        Of the model.

    Returns
    -------
    tensors
        Those of numbers take part in the backward pass.
    """
    given = [torch.tensor(one) for one in inputs]
    return [one.to(dtype).requires_grad_() if one.is_floating_point() else one for one in given]


def record(module: nn.Module, task: Task, into: Record) -> None:
    """Fill `into`, as far as an exception of the model's own lets it.

    Parameters
    ----------
    module
        Is left as it is.
    task
        Its mode, dtype, inputs, targets, and parameters to take first.
    into
        Where the calls, gradients and statistics go.
    """
    model = prepared(module, task)
    into.parameters = {name: array(p) for name, p in model.named_parameters()}
    recorder = _Recorder(into.calls)
    with _visited(model, recorder):
        output = model(*tensors_of(task.inputs, _dtype(model)))
    loss = loss_of(output, task.targets)
    into.loss = array(loss)
    torch.autograd.backward(loss)
    into.buffers = {n: array(b) for n, b in model.named_buffers() if b.is_floating_point()}
    into.gradients = {n: array(p.grad) for n, p in model.named_parameters() if p.grad is not None}
    if into.gradients:
        torch.optim.SGD([p for p in model.parameters() if p.grad is not None], RATE).step()
    into.stepped = {name: array(p) for name, p in model.named_parameters()}


def _dtype(model: nn.Module) -> torch.dtype:
    return next((p.dtype for p in model.parameters() if p.is_floating_point()), torch.get_default_dtype())


class EndOfRecordError(Exception):
    """What comes next was not recorded, or has another shape: nothing can be put in its place."""


@dataclass
class _Walk:
    """One walk: the tensors in the order in which they were computed, by name."""

    theirs: Mapping[str, Call]  # by the name of the call here
    jitter: Callable[[torch.Tensor], torch.Tensor]  # of what is put in place of the tensors
    found: dict[str, Array] = field(default_factory=dict)

    def enter(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors:
        call = self.theirs.get(name)
        if call is None or len(call.inputs) != len(tensors):
            return tensors
        return self._put(f"into {name}", tensors, call.inputs, call.input_gradients)

    def leave(self, name: str, module: nn.Module, tensors: Tensors) -> Tensors:
        call = self.theirs.get(name)
        if call is None:
            return tensors
        if not call.outputs:
            raise EndOfRecordError
        if len(call.outputs) != len(tensors):  # of several, the first is what both have
            taken = self._put(name, tensors[:1], call.outputs[:1], call.output_gradients)
            return [*taken, *tensors[1:]]
        return self._put(name, tensors, call.outputs, call.output_gradients)

    def _put(
        self, name: str, tensors: Tensors, others: Sequence[Array], gradients: Mapping[int, Array]
    ) -> Tensors:
        result = []
        for i, (tensor, other) in enumerate(zip(tensors, others, strict=True)):
            label = f"{name}[{i}]" if len(tensors) > 1 else name
            self.found[label] = array(tensor.double())
            if tuple(tensor.shape) != other.shape:
                raise EndOfRecordError
            put = torch.tensor(other).to(tensor.dtype)
            back = self._back(f"d {label}", gradients.get(i))
            result.append(_through(tensor, self.jitter(put), back))
        return result

    def _back(self, label: str, recorded: Array | None) -> Callable[[torch.Tensor], torch.Tensor]:
        def back(gradient: torch.Tensor) -> torch.Tensor:
            self.found[label] = array(gradient.double())
            if recorded is None or recorded.shape != tuple(gradient.shape):
                return gradient
            return self.jitter(torch.tensor(recorded).to(gradient.dtype))

        return back


def walk(
    model: nn.Module,
    task: Task,
    theirs: Mapping[str, Call],
    unit: float = 0.0,
    seed: int = 0,
    *,
    backward: bool = True,
) -> dict[str, Array]:
    """What `model` makes of the record, tensor by tensor.

    Parameters
    ----------
    model
        In the precision to walk in; is left as it is.
    task
        Its mode, dtype, inputs, targets, and parameters to take first.
    theirs
        The recorded calls, by the names of their counterparts here.
    unit
        All numbers are jittered by so much of their size.
    seed
        Of the jitter.
    backward
        Whether gradients are asked for too.

    Returns
    -------
    dict
        By name; gradients of parameters under ``d name``, running statistics under their own.
    """
    generator = torch.Generator().manual_seed(seed)

    def jitter(tensor: torch.Tensor) -> torch.Tensor:
        if not unit or not tensor.is_floating_point():
            return tensor
        signs = 2 * torch.randint(2, tensor.shape, generator=generator) - 1
        return tensor * (1 + unit * signs)

    model = copy.deepcopy(model)
    with torch.no_grad():
        for p in [*model.parameters(), *(b for b in model.buffers() if b.is_floating_point())]:
            p.copy_(jitter(p.detach()))
            p.grad = None
    found = _Walk(theirs, jitter)
    try:
        with _visited(model, found):
            output = model(*tensors_of(task.inputs, _dtype(model)))
    except EndOfRecordError:
        return found.found
    loss = loss_of(output, task.targets)
    found.found["loss"] = array(loss)
    if backward:
        torch.autograd.backward(loss)
    found.found |= {f"d {n}": array(p.grad) for n, p in model.named_parameters() if p.grad is not None}
    return found.found | {n: array(b) for n, b in model.named_buffers() if b.is_floating_point()}


SAMPLES = 3


def expected(module: nn.Module, task: Task, theirs: Mapping[str, Call]) -> dict[str, tuple[Array, Array]]:
    """Per tensor its value in double precision, and an estimate of what rounding in the dtype does to it.

    The estimate is the largest change under SAMPLES random changes of all numbers by half a unit in their
    last place, and the error of a walk in single precision, scaled to the dtype. It is no bound.

    Parameters
    ----------
    module
        Is left as it is.
    task
        Its mode, dtype, inputs, targets, and parameters to take first.
    theirs
        The recorded calls, by the names of their counterparts here.

    Returns
    -------
    dict
        By name, the value and the estimate, of one shape.
    """
    unit, single = float(torch.finfo(getattr(torch, task.dtype)).eps) / 2, 2.0**-24
    model = prepared(module, task)
    wide = copy.deepcopy(model).double()
    exact = walk(wide, task, theirs)
    spread = {name: np.zeros(value.shape) for name, value in exact.items()}
    for seed in range(SAMPLES):
        for name, value in walk(wide, task, theirs, unit, seed).items():
            spread[name] = np.maximum(spread[name], np.abs(value - exact[name]))
    for name, value in walk(model.float(), task, theirs).items():
        if name in exact and value.shape == exact[name].shape:
            off = np.abs(value.astype(np.float64) - exact[name]) * (unit / single)
            spread[name] = spread[name] + np.where(np.isfinite(off), off, 0.0)
    return {name: (value, np.asarray(spread[name])) for name, value in exact.items()}
