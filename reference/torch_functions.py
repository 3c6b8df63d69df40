"""Modules, losses and functions of torch whose derivatives are right, and one way to make each wrong.

Every case is made anew: f and its arguments, in float32, away from kinks as random numbers are. `mistaken`
puts an identity behind the first output whose backward pass is not one: all that flows back is wrong.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from torch.nn import functional

from backproof.reference.nested import leaves, rebuilt
from backproof.reference.torch_program import opened

Case = tuple[Any, tuple[Any, ...]]


def _normal(*shape: int) -> torch.Tensor:
    return torch.randn(*shape)


def _labels(n: int, classes: int) -> torch.Tensor:
    return torch.randint(classes, (n,))


def _with(module: Any, *args: Any) -> Callable[[], Case]:
    return lambda: (module(), tuple(a() if callable(a) else a for a in args))


def _x(*shape: int) -> Callable[[], torch.Tensor]:
    return lambda: _normal(*shape)


def _p(*shape: int) -> Callable[[], torch.Tensor]:
    """Probabilities, well inside (0, 1)."""
    return lambda: torch.rand(*shape) * 0.8 + 0.1


def _encoder() -> nn.Module:
    return nn.TransformerEncoderLayer(4, 2, 6, dropout=0.0, batch_first=True)


def _attention(q: Any, k: Any, v: Any) -> Any:
    return functional.scaled_dot_product_attention(q, k, v)


def _gaussian(mean: Any, target: Any, spread: Any) -> Any:
    return functional.gaussian_nll_loss(mean, target, functional.softplus(spread))


_MODULES: dict[str, Callable[[], Case]] = {
    "Linear": _with(lambda: nn.Linear(3, 4), _x(5, 3)),
    "Bilinear": _with(lambda: nn.Bilinear(2, 3, 2), _x(4, 2), _x(4, 3)),
    "Conv1d": _with(lambda: nn.Conv1d(2, 3, 3, padding=1), _x(2, 2, 5)),
    "Conv2d of groups": _with(lambda: nn.Conv2d(2, 4, 2, groups=2, stride=2), _x(1, 2, 4, 4)),
    "Conv3d": _with(lambda: nn.Conv3d(1, 2, 2), _x(1, 1, 3, 3, 3)),
    "ConvTranspose2d": _with(lambda: nn.ConvTranspose2d(2, 1, 2, stride=2), _x(1, 2, 2, 2)),
    "BatchNorm1d in training": _with(lambda: nn.BatchNorm1d(3), _x(6, 3)),
    "BatchNorm2d in evaluation": _with(lambda: nn.BatchNorm2d(2).eval(), _x(2, 2, 3, 3)),
    "Linear, BatchNorm1d": _with(lambda: nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4)), _x(6, 3)),
    "LayerNorm": _with(lambda: nn.LayerNorm(5), _x(3, 5)),
    "GroupNorm": _with(lambda: nn.GroupNorm(2, 4), _x(2, 4, 3)),
    "InstanceNorm1d": _with(lambda: nn.InstanceNorm1d(2, affine=True), _x(2, 2, 5)),
    "RMSNorm": _with(lambda: nn.RMSNorm(4), _x(3, 4)),
    "LocalResponseNorm": _with(lambda: nn.LocalResponseNorm(2), _x(2, 3, 4)),
    "Embedding": _with(lambda: nn.Embedding(6, 3), lambda: _labels(4, 6)),
    "EmbeddingBag": _with(lambda: nn.EmbeddingBag(6, 3), lambda: torch.tensor([[0, 2, 2], [5, 1, 0]])),
    "RNN": _with(lambda: nn.RNN(2, 3), _x(3, 2, 2)),
    "LSTM": _with(lambda: nn.LSTM(2, 2), _x(3, 2, 2)),
    "GRU": _with(lambda: nn.GRU(2, 2), _x(3, 2, 2)),
    "LSTMCell": _with(lambda: nn.LSTMCell(2, 3), _x(2, 2)),
    "MultiheadAttention": _with(lambda: nn.MultiheadAttention(4, 2), _x(3, 1, 4), _x(3, 1, 4), _x(3, 1, 4)),
    "TransformerEncoderLayer": _with(_encoder, _x(1, 3, 4)),
    "relu network": _with(lambda: nn.Sequential(nn.Linear(3, 6), nn.ReLU(), nn.Linear(6, 2)), _x(4, 3)),
    "tanh network": _with(lambda: nn.Sequential(nn.Linear(3, 6), nn.Tanh(), nn.Linear(6, 2)), _x(4, 3)),
    "PReLU": _with(lambda: nn.PReLU(), _x(3, 4)),
    "MaxPool2d": _with(lambda: nn.MaxPool2d(2), _x(1, 2, 4, 4)),
    "AvgPool2d": _with(lambda: nn.AvgPool2d(2), _x(1, 2, 4, 4)),
    "Upsample": _with(lambda: nn.Upsample(scale_factor=2, mode="bilinear"), _x(1, 1, 3, 3)),
    "PixelShuffle": _with(lambda: nn.PixelShuffle(2), _x(1, 4, 2, 2)),
}
_FUNCTIONS: dict[str, Callable[[], Case]] = {
    "gelu": _with(lambda: functional.gelu, _x(3, 4)),
    "silu": _with(lambda: functional.silu, _x(3, 4)),
    "mish": _with(lambda: functional.mish, _x(3, 4)),
    "softplus": _with(lambda: functional.softplus, _x(3, 4)),
    "elu": _with(lambda: functional.elu, _x(3, 4)),
    "glu": _with(lambda: functional.glu, _x(3, 4)),
    "log_softmax": _with(lambda: lambda x: functional.log_softmax(x, 1), _x(3, 4)),
    "scaled dot-product attention": _with(lambda: _attention, _x(1, 3, 2), _x(1, 4, 2), _x(1, 4, 2)),
    "cholesky": _with(lambda: lambda a: torch.linalg.cholesky(a @ a.mT + torch.eye(3).to(a)), _x(3, 3)),
    "slogdet": _with(lambda: lambda a: torch.linalg.slogdet(a)[1], _x(3, 3)),
    "cross entropy": _with(lambda: nn.CrossEntropyLoss(), _x(5, 3), lambda: _labels(5, 3)),
    "cross entropy, smoothed": _with(
        lambda: nn.CrossEntropyLoss(label_smoothing=0.1), _x(5, 3), lambda: _labels(5, 3)
    ),
    "mean squared error": _with(lambda: nn.MSELoss(), _x(4, 3), _x(4, 3)),
    "Huber": _with(lambda: nn.HuberLoss(), _x(4, 3), _x(4, 3)),
    "binary cross entropy": _with(lambda: nn.BCELoss(), _p(4, 3), _p(4, 3)),
    "binary cross entropy on logits": _with(lambda: nn.BCEWithLogitsLoss(), _x(4, 3), _p(4, 3)),
    "KL divergence": _with(lambda: nn.KLDivLoss(reduction="batchmean"), _x(4, 3), _p(4, 3)),
    "Poisson": _with(lambda: nn.PoissonNLLLoss(), _x(4, 3), _p(4, 3)),
    "Gaussian": _with(lambda: _gaussian, _x(4, 3), _x(4, 3), _x(4, 3)),
    "triplet margin": _with(lambda: nn.TripletMarginLoss(), _x(3, 4), _x(3, 4), _x(3, 4)),
    "cosine embedding": _with(
        lambda: nn.CosineEmbeddingLoss(), _x(3, 4), _x(3, 4), lambda: torch.tensor([1, 1, -1])
    ),
}
CASES: Mapping[str, Callable[[], Case]] = {**_MODULES, **_FUNCTIONS}


def case(name: str, seed: int) -> Case:
    """The same numbers for the same seed; the random state is put back.

    Parameters
    ----------
    name
        One of CASES.
    seed
        Of torch's generator.

    Returns
    -------
    tuple (function or module, arguments)
        The arguments are tensors, or nests of them.
    """
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        return CASES[name]()


class Mistaken(nn.Module):
    """f, with a mistake in what flows back through its first output, or through one output more."""

    def __init__(self, f: Any, kind: str) -> None:
        super().__init__()
        self.f, self._kind = f, kind

    def forward(self, *args: Any) -> Any:
        """f's own values; what flows back through them is wrong.

        Parameters
        ----------
        *args
            What f takes.

        Returns
        -------
        tensors
            As f returns them, or with one more output.
        """
        y = self.f(*args)
        values = [value for _, value in leaves(y, "")]
        first = next(i for i, v in enumerate(values) if isinstance(v, torch.Tensor) and v.is_floating_point())
        if self._kind == "one of two outputs":
            return y, wrong(values[first].sin(), "scaled")
        values[first] = wrong(values[first], self._kind)
        return rebuilt(y, iter(values))


def mistaken(f: Any, kind: str) -> nn.Module:
    """f as a module, with a mistake in what flows back through it.

    Parameters
    ----------
    f
        A function or module.
    kind
        Of mistake: "sign", "one entry", "one of two outputs", "second derivative", "scaled in float32"; any
        other name is a factor of 1 + 1e-6.

    Returns
    -------
    Mistaken
        Of f's arguments and values; its derivatives alone differ.
    """
    return Mistaken(f, kind)


def wrong(y: torch.Tensor, kind: str) -> torch.Tensor:
    """The identity, wrong in this way.

    Parameters
    ----------
    y
        Of any shape and floating-point dtype.
    kind
        Of mistake, as `mistaken` takes it.

    Returns
    -------
    tensor
        y's values; what flows back through it is wrong.
    """
    apply: Any = _Wrong.apply
    found: torch.Tensor = apply(y, kind)
    return found


class _Wrong(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, y: torch.Tensor, kind: str) -> torch.Tensor:
        ctx.kind = kind
        ctx.largest = int(y.detach().abs().argmax())  # other entries may be flat
        return y.clone()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[Any, None]:
        second: Any = _WrongSecond.apply
        kind = ctx.kind
        if kind == "second derivative":
            return second(upstream), None
        if kind == "one entry":
            first = torch.zeros_like(upstream).reshape(-1)
            first[ctx.largest] = 1.0
            return upstream - 0.5 * upstream * first.reshape(upstream.shape), None
        if kind == "sign":
            return -upstream, None
        if kind == "scaled in float32":
            return upstream * (1.0 if upstream.dtype == torch.float64 else 1.01), None
        return upstream * (1.0 + 1e-6), None


class _WrongSecond(torch.autograd.Function):
    """The identity once more, its own backward pass scaled."""

    @staticmethod
    def forward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return upstream.clone()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return upstream * 1.001


def gradcheck_accepts(f: Any, args: Sequence[Any], order: int) -> bool:
    """What `torch.autograd.gradcheck`, or `gradgradcheck`, says in float64, at its defaults.

    Parameters
    ----------
    f
        A function or module of tensors.
    args
        What it is called with; floating-point tensors are taken in float64.
    order
        1 for `gradcheck`, else `gradgradcheck`.

    Returns
    -------
    bool
        Its answer, no exception being raised for a wrong derivative.
    """
    program = opened(f, args, [f"input[{i}]" for i in range(len(args))], "float64")
    check = torch.autograd.gradcheck if order == 1 else torch.autograd.gradgradcheck

    def function(*tensors: torch.Tensor) -> tuple[torch.Tensor, ...]:
        return tuple(part for part in program.function(tensors).values() if part.requires_grad)

    return bool(check(function, tuple(program.cells.values()), raise_exception=False))
