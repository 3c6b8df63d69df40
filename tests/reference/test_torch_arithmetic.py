"""float32 is float32 while a derivative is judged; numbers cross from any device, in any format."""

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch
from torch import nn

from backproof.comparisons.verdicts.parameter_tree import as_numpy, like
from backproof.reference import torch_arithmetic
from backproof.reference.torch_arithmetic import (
    Switches,
    double,
    double_module,
    doubled,
    kept_in,
    same_random_numbers,
    using,
)

BACKENDS: Any = torch.backends


def _single(word: str) -> Callable[[], None]:
    def set_it() -> None:
        BACKENDS.cudnn.conv.fp32_precision = word

    return set_it


SETTINGS: dict[str, Callable[[], object]] = {
    "as torch is": lambda: None,
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
    "no tf32 in convolutions": lambda: setattr(torch.backends.cudnn, "allow_tf32", False),
    "one single switch": _single("ieee"),
    "one single switch, loose": _single("tf32"),
}


@pytest.fixture(autouse=True)
def _switches_as_before() -> Iterator[None]:
    before = Switches.found()
    yield
    before.set()


@pytest.mark.parametrize("setting", SETTINGS)
def test_switches_are_off_inside_and_as_they_were_afterwards(setting: str) -> None:
    SETTINGS[setting]()
    own = Switches.found()
    with using(own.full, own):
        assert Switches.found().format(["cuda", "cpu"]) == ""
        with using(own, own.full):
            assert Switches.found() == own
        assert Switches.found().format(["cuda", "cpu"]) == ""
    assert Switches.found() == own


def test_a_check_of_somebody_elses_still_reads_the_older_switches_inside() -> None:
    torch.set_float32_matmul_precision("high")
    own = Switches.found()
    with using(own.full, own), torch.backends.cudnn.flags(enabled=False):
        assert torch.get_float32_matmul_precision() == "highest"


@pytest.mark.parametrize(
    ("precision", "device", "format"),
    [("highest", "cpu", ""), ("high", "cuda", "tf32"), ("medium", "cpu", "bfloat16"), ("high", "mps", "")],
)
def test_what_float32_may_be_rounded_to_is_said_for_each_kind_of_device(
    precision: str, device: str, format: str
) -> None:
    torch.set_float32_matmul_precision(precision)
    assert Switches.found().format([device]) == format


def test_convolutions_on_cuda_are_loose_unless_somebody_turns_that_off() -> None:
    assert Switches.found().format(["cuda"]) == "tf32"
    torch.backends.cudnn.allow_tf32 = False
    assert Switches.found().format(["cuda"]) == ""


def test_switches_of_torch_before_single_ones_are_read_too() -> None:
    assert Switches("high", False, ()).format(["cuda"]) == "tf32"
    assert Switches("highest", True, ()).format(["cuda"]) == "tf32"
    assert Switches("medium", True, ()).format(["cuda"]) == "bfloat16"
    assert Switches("highest", False, ()).format(["cuda"]) == ""
    assert Switches("high", True, ()).format(["cpu"]) == ""


@pytest.mark.parametrize("kind", [torch.bfloat16, torch.float16, torch.float32, torch.float64])
def test_numbers_of_every_format_cross_unchanged(kind: torch.dtype) -> None:
    tensor = torch.tensor([[1.5, -2.0, 0.25]], dtype=kind, requires_grad=True)
    assert as_numpy(tensor).tolist() == [[1.5, -2.0, 0.25]]
    there = like(tensor, np.array([[1.5, -2.0, 0.25]]))
    assert there.dtype == kind
    assert as_numpy(there).tolist() == [[1.5, -2.0, 0.25]]


@pytest.mark.parametrize(
    "made",
    [
        lambda z: z.real,
        lambda z: z.conj().imag,  # torch marks it as negative and copies nothing
        lambda z: z.real.T,
        lambda z: z.real[:, ::2],
        lambda z: z.real[:1].expand(2, 3),
        lambda z: z.real.to_sparse(),
    ],
)
def test_numbers_cross_whatever_their_layout(made: Callable[[torch.Tensor], torch.Tensor]) -> None:
    z = torch.complex(torch.arange(6.0).reshape(2, 3), torch.ones(2, 3))
    tensor = made(z)
    dense = tensor.to_dense() if tensor.is_sparse else tensor
    assert as_numpy(tensor).tolist() == dense.tolist()
    assert double(tensor).cpu().tolist() == dense.tolist()


class WithoutDouble(torch.Tensor):
    """As a tensor on MPS: it cannot be made float64, nor read by NumPy, before it is on the CPU."""

    @classmethod
    def __torch_function__(cls, function: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        if function is torch.Tensor.cpu:
            return args[0].as_subclass(torch.Tensor)
        wanted = [kind for kind in (*args, *(kwargs or {}).values()) if isinstance(kind, torch.dtype)]
        wants_double = function is torch.Tensor.double or torch.float64 in wanted
        if wants_double or function is torch.Tensor.numpy:
            raise TypeError("Cannot convert a MPS Tensor to float64 dtype")
        usual: Any = super().__torch_function__
        return usual(function, types, args, kwargs or {})


def test_numbers_cross_from_a_device_without_double_precision(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch_arithmetic, "holds_double", lambda device: False)
    tensor = torch.tensor([1.5, -2.0]).as_subclass(WithoutDouble)
    with pytest.raises(TypeError, match="float64"):
        tensor.double()
    assert as_numpy(tensor).tolist() == [1.5, -2.0]
    assert double(tensor).dtype == torch.float64
    assert doubled(tensor).tolist() == [1.5, -2.0]


def test_a_device_that_is_not_there_has_no_double_precision() -> None:
    assert torch_arithmetic.holds_double("cpu")
    assert torch_arithmetic.holds_double("meta")
    assert torch.backends.mps.is_available() or not torch_arithmetic.holds_double("mps")


def test_complex_numbers_of_a_module_keep_both_halves_in_double_precision() -> None:
    module = nn.Module()
    module.register_buffer("turns", torch.tensor([1 + 2j], dtype=torch.complex64))
    module.register_buffer("count", torch.tensor(3))
    found = dict(double_module(module).named_buffers())
    assert found["turns"].dtype == torch.complex128
    assert found["turns"].item() == 1 + 2j
    assert found["count"].dtype == torch.int64


def test_what_autocast_rounds_inside_is_seen() -> None:
    linear, x = nn.Linear(3, 2), torch.ones(4, 3)

    def rounded() -> Any:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return linear(x).float()

    assert kept_in(rounded)[1] == "bfloat16"
    assert kept_in(lambda: linear(x))[1] == "float32"
    assert kept_in(lambda: torch.ones(2))[1] == ""


def test_a_function_that_allows_no_hooks_is_called_without_them() -> None:
    x = torch.ones(3)
    found, kept = kept_in(lambda: torch.func.grad(lambda a: (a**3).sum())(x))
    assert found.tolist() == [3.0, 3.0, 3.0]
    assert kept == ""


def test_random_numbers_go_on_as_if_nothing_had_been_drawn() -> None:
    torch.manual_seed(0)
    expected = torch.rand(3)
    torch.manual_seed(0)
    with same_random_numbers():
        torch.rand(5)
    assert torch.equal(torch.rand(3), expected)
