"""What torch computes with where a tensor says float32, and what a device cannot hold.

    switch         by default   float32 products may be rounded to
    matmul         full         tf32 on CUDA; bfloat16 or tf32 on some CPUs    set_float32_matmul_precision
    convolutions   loose        tf32 on CUDA                                   backends.cudnn.allow_tf32
    autocast       off          float16 or bfloat16, on any device             autocast

The first two are turned off while a derivative is judged, so that float32 means float32; what comes of them
as they were set is then judged as the coarser thing it is (`Loosened`). What autocast rounds inside a call
shows in what is kept for the backward pass (`kept_in`).
"""

import functools
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
import torch

from backproof.reference.program import EPS, Program
from backproof.scratch.architecture import Array

FULL = ("ieee", "none")
FORMATS = {"bf16": "bfloat16", "tf32": "tf32"}  # torch's word: the format, the coarsest first
MATMUL = {"medium": "bf16", "high": "tf32"}
CUDA, CPU = "cuda", "cpu"
T = TypeVar("T")


def _places() -> list[tuple[str, Any]]:
    """The single switches of torch 2.9 and later, by kind of device; none before."""
    if not hasattr(torch.backends, "fp32_precision"):
        return []
    backends: Any = torch.backends  # their parts are made at run time
    cuda = [backends.cuda.matmul, backends.cudnn.conv, backends.cudnn.rnn]
    cpu = [backends.mkldnn.matmul, backends.mkldnn.conv, backends.mkldnn.rnn]
    return [*((CUDA, place) for place in cuda), *((CPU, place) for place in cpu)]


@dataclass(frozen=True)
class Switches:
    """Those that let float32 be less than it says, as somebody has set them."""

    matmul: str | None  # None where torch refuses to read it, single switches having been set since
    cudnn: bool | None
    single: tuple[str, ...]  # of `_places`

    @classmethod
    def found(cls) -> "Switches":
        with _quiet():
            matmul = _read(torch.get_float32_matmul_precision)
            cudnn = _read(lambda: torch.backends.cudnn.allow_tf32)
            return cls(matmul, cudnn, tuple(str(place.fp32_precision) for _, place in _places()))

    @property
    def full(self) -> "Switches":
        """float32 is float32."""
        return Switches(
            None if self.matmul is None else "highest",
            None if self.cudnn is None else False,
            tuple(FULL[0] if word in FORMATS else word for word in self.single),
        )

    def format(self, devices: Sequence[str]) -> str:
        """To what float32 may be rounded on these kinds of devices.

        Parameters
        ----------
        devices
            Kinds such as "cuda" and "cpu".

        Returns
        -------
        str
            "bfloat16", "tf32", or "" where float32 it stays.
        """
        words = {word for (kind, _), word in zip(_places(), self.single, strict=False) if kind in devices}
        if not self.single and CUDA in devices:  # before torch 2.9
            words = {MATMUL.get(self.matmul or "", ""), "tf32" if self.cudnn else ""}
        return next((FORMATS[word] for word in FORMATS if word in words), "")

    def set(self) -> None:
        """Those of several kinds first, then single ones that are still otherwise."""
        with _quiet():
            if self.matmul is not None:
                torch.set_float32_matmul_precision(self.matmul)
            if self.cudnn is not None:
                torch.backends.cudnn.allow_tf32 = self.cudnn
            for (_, place), word in zip(_places(), self.single, strict=True):
                found = place.fp32_precision
                if found != word and not (word == FULL[0] and found in FULL):
                    place.fp32_precision = word


@contextmanager
def using(wanted: Switches, afterwards: Switches) -> Iterator[None]:
    """Switches set inside, and others after it.

    Parameters
    ----------
    wanted, afterwards
        Both of what `Switches.found` gave.

    Yields
    ------
    None
    """
    wanted.set()
    try:
        yield
    finally:
        afterwards.set()


@contextmanager
def _quiet() -> Iterator[None]:
    """torch 2.9 and later recommend the single switches."""
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message=".*TF32.*")
        yield


def _read(read: Callable[[], T]) -> T | None:
    try:
        return read()
    except RuntimeError:
        return None


class Loosened:
    """A program whose every call is made with the switches as somebody has set them."""

    def __init__(self, program: Program, inside: str, around: Callable[[], AbstractContextManager[None]]):
        self._program, self._around = program, around
        self.inside, self.cells, self.outputs = inside, program.cells, program.outputs

    def values(self) -> Array:
        with self._around():
            return self._program.values()

    def pull(self, c: Array) -> list[Array]:
        with self._around():
            return self._program.pull(c)

    def push(self, directions: Sequence[Array]) -> Array:
        with self._around():
            return self._program.push(directions)

    def backward(self) -> "Loosened":
        with self._around():
            return Loosened(self._program.backward(), self.inside, self._around)


def loosened(program: Program, own: Switches) -> Loosened | None:
    """The program as its switches were set.

    Parameters
    ----------
    program
        Of torch, opened with the switches off.
    own
        What `Switches.found` gave before that.

    Returns
    -------
    Loosened or None
        None where they make no difference to it.
    """
    devices = {cell.device.type for cell in program.cells.values()}
    inside = own.format([*devices])
    if not inside:
        return None
    loose = Loosened(program, inside, lambda: using(own, own.full))
    c = np.random.default_rng(0).standard_normal((1, sum(output.size for output in program.outputs)))
    first = [program.values(), *program.pull(c)]
    second = [loose.values(), *loose.pull(c)]
    alike = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(first, second, strict=True))
    return None if alike else loose


def kept_in(function: Callable[[], Any]) -> tuple[Any, str]:
    """What a function gives, and in what it keeps numbers for its backward pass.

    Parameters
    ----------
    function
        Called once, or twice where torch allows no look into it.

    Returns
    -------
    tuple
        What it gives, and the coarsest format among the tensors kept: "" where none are, or none are seen.
    """
    kinds: set[str] = set()

    def seen(tensor: torch.Tensor) -> torch.Tensor:
        kinds.add(str(tensor.dtype).rpartition(".")[2])
        return tensor

    try:
        with torch.autograd.graph.saved_tensors_hooks(seen, lambda tensor: tensor):
            found = function()
    except RuntimeError:  # transforms such as torch.func.grad allow no hooks
        return function(), ""
    return found, max((kind for kind in kinds if kind in EPS), key=lambda kind: EPS[kind], default="")


@functools.cache
def holds_double(device: str) -> bool:
    """Whether a kind of device has double precision: MPS has none, and not every XPU.

    Parameters
    ----------
    device
        Such as "cuda".

    Returns
    -------
    bool
        False also where there is no such device.
    """
    try:
        torch.zeros((), dtype=torch.float64, device=device)
    except (TypeError, RuntimeError):
        return False
    return True


def double(tensor: torch.Tensor) -> torch.Tensor:
    """A tensor's numbers alone, `doubled`, and dense.

    Parameters
    ----------
    tensor
        Of real numbers, on any device, strided or sparse.

    Returns
    -------
    Tensor
        float64, of the same shape, without a history.
    """
    return doubled(tensor.detach() if tensor.layout == torch.strided else tensor.detach().to_dense())


def doubled(tensor: torch.Tensor) -> torch.Tensor:
    """Real numbers in double precision, complex ones of such, integers as they are.

    Parameters
    ----------
    tensor
        Of any numbers, on any device.

    Returns
    -------
    Tensor
        On the CPU where its own device has no double precision; with its history.
    """
    there = tensor if holds_double(tensor.device.type) else tensor.cpu()
    if there.is_complex():
        return there.to(torch.complex128)
    return there.to(torch.float64) if there.is_floating_point() else there


def double_module(module: torch.nn.Module) -> torch.nn.Module:
    """A module with its parameters and buffers `doubled`.

    Parameters
    ----------
    module
        Changed, as by `Module.double`, which leaves complex numbers in single precision.

    Returns
    -------
    Module
        The same one.
    """
    apply: Any = module._apply
    found: torch.nn.Module = apply(doubled)
    return found


@contextmanager
def same_random_numbers() -> Iterator[None]:
    """The random states of all devices in use are put back.

    Yields
    ------
    None
    """
    kind = next((name for name in (CUDA, "xpu") if _in_use(name)), CUDA)
    devices = range(getattr(torch, kind).device_count()) if _in_use(kind) else []
    mps = torch.mps.get_rng_state() if torch.backends.mps.is_available() else None
    with torch.random.fork_rng(devices=list(devices), device_type=kind):
        try:
            yield
        finally:
            if mps is not None:
                torch.mps.set_rng_state(mps)


def _in_use(kind: str) -> bool:
    module = getattr(torch, kind, None)
    return module is not None and bool(module.is_initialized())
