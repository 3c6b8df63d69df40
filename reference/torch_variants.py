"""Mistakes of porting, made on purpose in a torch module: a sentence, and a context in which it is made."""

import math
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from types import MethodType
from typing import Any

import torch
from torch import nn
from torch.nn import functional

Variant = tuple[str, AbstractContextManager[None]]
EPS = (1e-3, 1e-5, 1e-6, 1e-7, 1e-8, 1e-12, 0.0)


def variants(model: nn.Module, path: str, known: Collection[str]) -> Iterator[Variant]:
    """Of the module at this path, or of the one that the parameter at this path belongs to.

    Then of the layers that are not `known`, those that have no counterpart on the other side.

    Parameters
    ----------
    model
        Is changed while a context lasts.
    path
        Of a module or of a parameter.
    known
        The names of the calls that have a counterpart.
    Yields
    ------
    tuple
        A sentence, and the context in which the mistake is made.
    """
    modules = dict(model.named_modules())
    yield from _of(modules.get(path, modules.get(path.rpartition(".")[0], model)))
    yield from _functions()
    for name, module in modules.items():
        if name not in known and not list(module.children()):
            yield from ((f"{name}: {text}", wrong) for text, wrong in _of(module))


def _of(module: Any) -> Iterator[Variant]:
    if isinstance(module, nn.modules.batchnorm._BatchNorm):
        yield from _batch_norm(module)
    if isinstance(module, nn.LayerNorm | nn.GroupNorm | nn.modules.batchnorm._BatchNorm):
        yield from _normalised(module)
    if isinstance(module, nn.Conv1d | nn.Conv2d | nn.Conv3d):
        yield from _convolution(module)
    if isinstance(module, nn.Linear):
        yield from _weight(module, {"the weights are transposed": lambda w: w.mT})
    if isinstance(module, nn.MultiheadAttention):
        yield from _attention(module)
    if isinstance(module, nn.MaxPool2d | nn.AvgPool2d):
        yield from _pooling(module)
    if getattr(module, "bias", None) is not None:
        yield "the bias is left out", _with(module, bias=None)
        yield "the bias is added twice", _data(module.bias, lambda b: 2 * b)
    if isinstance(module, nn.GELU):
        other = "none" if module.approximate == "tanh" else "tanh"
        yield f"it is gelu by {'erf' if other == 'none' else 'tanh'}", _with(module, approximate=other)
    if isinstance(module, nn.LeakyReLU):
        for slope in (0.01, 0.1, 0.2, 0.3):
            yield f"the negative slope is {slope:g}", _with(module, negative_slope=slope)
    if len(list(module.children())) == 0 and not list(module.parameters(recurse=False)):
        yield from _replaced(module)


@contextmanager
def _with(module: Any, **values: Any) -> Iterator[None]:
    before = {name: getattr(module, name) for name in values}
    for name, value in values.items():
        setattr(module, name, value)
    try:
        yield
    finally:
        for name, value in before.items():
            setattr(module, name, value)


@contextmanager
def _data(parameter: torch.Tensor, change: Callable[[torch.Tensor], torch.Tensor]) -> Iterator[None]:
    before = parameter.detach().clone()
    with torch.no_grad():
        parameter.copy_(change(before))
    try:
        yield
    finally:
        with torch.no_grad():
            parameter.copy_(before)


@contextmanager
def _as(module: nn.Module, forward: Callable[..., Any]) -> Iterator[None]:
    """Another method `forward`; bound, so that a copy of the module has its own."""
    setattr(module, "forward", MethodType(forward, module))  # noqa: B010 - no method may be assigned
    try:
        yield
    finally:
        del module.forward


def _weight(module: Any, changes: Mapping[str, Callable[[torch.Tensor], torch.Tensor]]) -> Iterator[Variant]:
    for text, change in changes.items():
        if change(module.weight.detach()).shape == module.weight.shape:
            yield text, _data(module.weight, change)


def _normalised(module: Any) -> Iterator[Variant]:
    for eps in EPS:
        if eps != module.eps:
            yield f"eps is {eps:g}, not {module.eps:g}", _with(module, eps=eps)
    if module.weight is not None:
        yield "the scale is left out", _data(module.weight, torch.ones_like)
    if module.bias is not None:
        yield "the shift is left out", _data(module.bias, torch.zeros_like)
    if isinstance(module, nn.LayerNorm):
        n = len(module.normalized_shape)
        yield (
            "normalised over the batch, not over the features",
            _as(module, lambda m, x: _normal(m, x, (0,), False)),
        )
        yield (
            "normalised over all but the batch",
            _as(module, lambda m, x: _normal(m, x, tuple(range(1, x.ndim)), False)),
        )
        yield (
            "normalised over the axis before the last",
            _as(module, lambda m, x: _normal(m, x, (-2,), False)),
        )
        own = tuple(range(-n, 0))
        yield "the variance is divided by n - 1", _as(module, lambda m, x: _normal(m, x, own, True))
        yield (
            "eps is added to the standard deviation, outside the root",
            _as(module, lambda m, x: _normal(m, x, own, False, outside=True)),
        )
        yield (
            "the variance is divided by n - 1, and eps is added outside the root",
            _as(module, lambda m, x: _normal(m, x, own, True, outside=True)),
        )


def _normal(
    module: Any, x: torch.Tensor, axes: tuple[int, ...], unbiased: bool, outside: bool = False
) -> torch.Tensor:
    mean, variance = x.mean(axes, keepdim=True), x.var(axes, unbiased=unbiased, keepdim=True)
    scale = variance.sqrt() + module.eps if outside else (variance + module.eps).sqrt()
    found: torch.Tensor = (x - mean) / scale
    found = found * module.weight if module.weight is not None else found
    return found + module.bias if module.bias is not None else found


def _batch_norm(module: Any) -> Iterator[Variant]:
    momentum = module.momentum
    if momentum is not None:
        yield (
            f"the momentum is {1 - momentum:g}, 1 minus {momentum:g}: the share that is kept in place of the "
            "new one's",
            _with(module, momentum=1 - momentum),
        )
        yield "the running statistics are not updated", _with(module, momentum=0.0)
        for other in (0.1, 0.01, 0.001):
            if other != momentum:
                yield f"the momentum is {other:g}, not {momentum:g}", _with(module, momentum=other)
    mode = "the running statistics, as in evaluation" if module.training else "those of the batch"
    yield f"it normalises by {mode}", _with(module, training=not module.training)
    yield "the running variance is the batch's divided by n, not by n - 1", _biased(module)


@contextmanager
def _biased(module: Any) -> Iterator[None]:
    """The running variance takes the batch's own."""
    plain = type(module).forward

    def forward(self: Any, x: torch.Tensor) -> torch.Tensor:
        kept = self.running_var.detach() * (1 - (self.momentum or 0.0))
        found: torch.Tensor = plain(self, x)
        n = x.numel() / x.shape[1]
        self.running_var = kept + (self.running_var.detach() - kept) * (n - 1) / n
        return found

    with _as(module, forward):
        yield


def _convolution(module: Any) -> Iterator[Variant]:
    n = len(module.kernel_size)
    spatial = tuple(range(2, 2 + n))
    changes: dict[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "the kernel is flipped: a convolution in place of a correlation": lambda w: w.flip(spatial),
        "the kernel's input and output channels are swapped": lambda w: w.transpose(0, 1),
    }
    if n > 1:
        changes["the kernel is transposed: its height and width are swapped"] = lambda w: w.transpose(-1, -2)
    yield from _weight(module, changes)
    for mode in ("reflect", "replicate", "circular"):
        pad = module._reversed_padding_repeated_twice
        if any(pad):
            yield f"the border is padded by {mode}, not by zeros", _with(module, padding_mode=mode)
    for padding in range(4):
        if (padding,) * n != module.padding:
            yield f"the padding is {padding}, not {module.padding}", _with(module, padding=(padding,) * n)
    if isinstance(module.padding, tuple) and any(p for p in module.padding):
        low = [side for p in reversed(module.padding) for side in (0, 2 * p)]
        high = [side for p in reversed(module.padding) for side in (2 * p, 0)]
        yield "all of the padding stands at the end", _padded(module, low)
        yield "all of the padding stands at the beginning", _padded(module, high)


@contextmanager
def _padded(module: Any, sides: list[int]) -> Iterator[None]:
    plain = type(module).forward
    with (
        _with(module, padding=(0,) * len(module.kernel_size)),
        _as(module, lambda m, x: plain(m, functional.pad(x, sides))),
    ):
        yield


def _pooling(module: Any) -> Iterator[Variant]:
    size = module.kernel_size, module.stride, module.padding
    yield "the mean is taken, not the maximum", _as(module, lambda m, x: functional.avg_pool2d(x, *size))
    yield "the maximum is taken, not the mean", _as(module, lambda m, x: functional.max_pool2d(x, *size))


def _attention(module: Any) -> Iterator[Variant]:
    d, heads = module.head_dim, module.num_heads
    factors = {
        "the scores are not divided by the root of the head's size": math.sqrt(d),
        "the scores are divided by the head's size, not by its root": 1 / math.sqrt(d),
        "the scores are divided by the root of the whole size, not of the head's": 1 / math.sqrt(heads),
    }
    for text, factor in factors.items():
        if module.in_proj_weight is not None and factor != 1:
            yield text, _scores(module, factor)
    yield "the mask is left out", _unmasked(module)


@contextmanager
def _scores(module: Any, factor: float) -> Iterator[None]:
    rows = torch.ones(3 * module.embed_dim, 1, dtype=module.in_proj_weight.dtype)
    rows[: module.embed_dim] = factor
    with _data(module.in_proj_weight, lambda w: w * rows):
        if module.in_proj_bias is None:
            yield
            return
        with _data(module.in_proj_bias, lambda b: b * rows[:, 0]):
            yield


@contextmanager
def _unmasked(module: Any) -> Iterator[None]:
    plain = type(module).forward

    def forward(self: Any, *args: Any, **kwargs: Any) -> Any:
        names = ("attn_mask", "key_padding_mask", "is_causal")
        return plain(self, *args[:3], **{k: v for k, v in kwargs.items() if k not in names})

    with _as(module, forward):
        yield


def _replaced(module: nn.Module) -> Iterator[Variant]:
    """Of a layer without parameters: other activations, and nothing at all."""
    others: Mapping[str, Callable[[torch.Tensor], torch.Tensor]] = {
        "it is left out": lambda x: x.clone(),
        "relu": functional.relu,
        "gelu by erf": functional.gelu,
        "gelu by tanh": lambda x: functional.gelu(x, approximate="tanh"),
        "silu": functional.silu,
        "tanh": torch.tanh,
        "sigmoid": torch.sigmoid,
        "elu": functional.elu,
        "softplus": functional.softplus,
        "leaky relu with slope 0.01": functional.leaky_relu,
        "leaky relu with slope 0.2": lambda x: functional.leaky_relu(x, 0.2),
        "leaky relu with slope 0.3": lambda x: functional.leaky_relu(x, 0.3),
        "softmax over the batch": lambda x: x.softmax(0),
        "softmax over axis 1": lambda x: x.softmax(1),
        "log softmax": lambda x: x.log_softmax(-1),
    }
    for text, function in others.items():
        said = text if text.startswith("it is") else f"it is {text}"
        yield said, _as(module, lambda m, x, function=function: function(x))
    if isinstance(module, nn.Flatten):
        yield (
            "flattened with the channels last",
            _as(module, lambda m, x: x.movedim(1, -1).flatten(1)),
        )


def _functions() -> Iterator[Variant]:
    """Functions that stand between layers: scaled dot-product attention, gelu."""
    plain, gelu = functional.scaled_dot_product_attention, functional.gelu

    def scaled(factor: Callable[[int], float]) -> Callable[..., torch.Tensor]:
        def attention(q: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
            return plain(q, *args, **{**kwargs, "scale": factor(q.shape[-1])})

        return attention

    def unmasked(
        q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *args: Any, **kwargs: Any
    ) -> torch.Tensor:
        return plain(q, k, v, scale=kwargs.get("scale"))

    def causal(q: torch.Tensor, k: torch.Tensor, v: torch.Tensor, *args: Any, **kwargs: Any) -> torch.Tensor:
        return plain(q, k, v, is_causal=True, scale=kwargs.get("scale"))

    name = "scaled_dot_product_attention"
    yield (
        "the scores are not divided by the root of the head's size",
        _with(functional, **{name: scaled(lambda d: 1.0)}),
    )
    yield (
        "the scores are divided by the head's size, not by its root",
        _with(functional, **{name: scaled(lambda d: 1 / d)}),
    )
    yield "the mask is left out", _with(functional, **{name: unmasked})
    yield "a causal mask is applied", _with(functional, **{name: causal})
    for kind in ("none", "tanh"):
        yield (
            f"it is gelu by {'erf' if kind == 'none' else 'tanh'}",
            _with(functional, gelu=lambda x, approximate="none", kind=kind: gelu(x, approximate=kind)),
        )
