"""check_autodiff: right derivatives pass, wrong ones fail by name, and what cannot be checked is said."""

import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn

from backproof import check_autodiff, check_module
from backproof.comparisons.verdicts import autodiff
from backproof.comparisons.verdicts.derivative_judge import Search
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference import torch_arithmetic, torch_functions
from backproof.scratch.errors import InputError


def sine(factor: float) -> type[torch.autograd.Function]:
    """sin, whose derivative is wrong by this factor."""

    class Sine(torch.autograd.Function):
        @staticmethod
        def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
            ctx.save_for_backward(x)
            return x.sin()

        @staticmethod
        def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
            (x,) = ctx.saved_tensors
            slopes: torch.Tensor = x.cos() * factor
            return upstream * slopes

    return Sine


def applied(function: type[torch.autograd.Function], *tensors: Any) -> Any:
    apply: Any = function.apply
    return apply(*tensors)


class WrongBias(nn.Module):
    """A linear layer; autograd never hears of its bias."""

    def __init__(self) -> None:
        super().__init__()
        self.linear = nn.Linear(3, 2)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return x @ self.linear.weight.T + self.linear.bias.detach()


class Cancelling(torch.autograd.Function):
    """The identity, its derivative wrong, but not where all upstream gradients agree."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        return upstream + 0.1 * (upstream - upstream.flip(0))


@pytest.fixture
def x() -> torch.Tensor:
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(0))


def test_a_right_module_passes_in_every_parameter_and_input(x: torch.Tensor) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    found = check_autodiff(module, x, max_entries=4)
    names = ["0.weight", "0.bias", "2.weight", "2.bias", "input[0]"]
    assert list(found) == [*names, *(f"{name} (float32)" for name in names)]
    assert {verdict.outcome for verdict in found.values()} == {Outcome.PASS}


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, Outcome.PASS), (1.0 + 1e-6, Outcome.FAIL), (-1.0, Outcome.FAIL)]
)
def test_a_function_is_right_or_wrong(x: torch.Tensor, factor: float, outcome: str) -> None:
    assert check_autodiff(sine(factor), x, max_entries=3)["input[0]"].outcome == outcome


def test_only_the_wrong_tensor_fails_and_is_named(x: torch.Tensor) -> None:
    found = check_autodiff(WrongBias(), x)
    assert [name for name, verdict in found.items() if not verdict] == ["linear.bias"]
    assert found["linear.bias"].outcome == Outcome.FAIL
    assert found["linear.bias"].worst.startswith("linear.bias[")


def test_errors_of_both_signs_do_not_cancel(x: torch.Tensor) -> None:
    assert check_autodiff(Cancelling, x, max_entries=3)["input[0]"].outcome == Outcome.FAIL


def test_at_a_kink_autograd_gives_a_valid_subgradient() -> None:
    found = check_autodiff(torch.relu, torch.zeros(2))
    assert found.outcome == Outcome.PASS
    assert "a valid subgradient" in found.reason


class OutsideTheKink(torch.autograd.Function):
    """relu, whose slope at zero is taken to be 2."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.clamp(min=0)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        slopes: torch.Tensor = (x > 0) + 2.0 * (x == 0)
        return upstream * slopes


def test_at_a_kink_what_lies_outside_the_one_sided_slopes_fails() -> None:
    assert check_autodiff(OutsideTheKink, torch.zeros(2)).outcome == Outcome.FAIL


class WrongState(nn.Module):
    """Hands back a state in a nest of its own, with a wrong derivative."""

    def forward(self, x: torch.Tensor) -> dict[str, Any]:
        return {"out": 3 * x, "state": (None, [applied(sine(-3.5), x)])}


def test_outputs_are_looked_at_however_they_are_nested(x: torch.Tensor) -> None:
    assert check_autodiff(WrongState(), x).outcome == Outcome.FAIL
    assert check_autodiff(nn.LSTM(3, 2), x).outcome == Outcome.PASS


class SinglePrecisionInside(torch.autograd.Function):
    """tanh(x @ w), computed in float32 whatever it is given; its derivative is wrong by a factor."""

    factor = 1.0

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor, w: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x, w)
        return torch.tanh(x.float() @ w.float())

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        x, w = (tensor.float() for tensor in ctx.saved_tensors)
        d = SinglePrecisionInside.factor * upstream.float() * (1 - torch.tanh(x @ w) ** 2)
        return (d @ w.T).double(), (x.T @ d).double()


@pytest.mark.parametrize("cast", [False, True])
@pytest.mark.parametrize("factor", [1.0, 1.01, -1.0])
def test_a_kernel_in_single_precision_is_judged_by_its_own_noise(
    factor: float, cast: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(SinglePrecisionInside, "factor", factor)
    generator = torch.Generator().manual_seed(0)
    tensors = torch.randn(5, 4, generator=generator), torch.randn(4, 3, generator=generator)

    def module(x: torch.Tensor, w: torch.Tensor) -> Any:
        y = applied(SinglePrecisionInside, x, w)
        return y.double() if cast else y

    outcome = check_autodiff(module, *tensors).outcome
    assert (outcome == Outcome.FAIL) is (factor != 1.0)


class OnlySinglePrecision(nn.Module):
    """A kernel that refuses float64."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if x.dtype != torch.float32:
            raise RuntimeError("expected scalar type Float but found Double")
        return x.sin()


def test_a_module_that_takes_no_float64_is_judged_as_it_is(x: torch.Tensor) -> None:
    assert check_autodiff(OnlySinglePrecision(), x).outcome != Outcome.FAIL


class EmbeddingThatOverwrites(torch.autograd.Function):
    """Rows that are asked for twice get the gradient of the last one only."""

    @staticmethod
    def forward(ctx: Any, w: torch.Tensor, rows: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(rows)
        ctx.shape = w.shape
        return w[rows]

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, None]:
        found = torch.zeros(ctx.shape, dtype=upstream.dtype)
        found[ctx.saved_tensors[0]] = upstream
        return found, None


@pytest.mark.parametrize("seed", range(3))
def test_sixteen_wrong_entries_of_sixteen_thousand_are_found(seed: int) -> None:
    generator = torch.Generator().manual_seed(seed)
    rows = torch.randperm(1000, generator=generator)[:50]
    rows[7] = rows[3]
    found = check_autodiff(
        EmbeddingThatOverwrites, torch.randn(1000, 16, generator=generator), rows, seed=seed
    )
    assert found.outcome == Outcome.FAIL
    assert found.worst.startswith(f"input[0][{int(rows[3])}, ")


def test_a_function_of_several_tensors_is_checked_in_each(x: torch.Tensor) -> None:
    found = check_autodiff(lambda a, b: (a * b, a.sum()), x, x.double() + 1, max_entries=2)
    assert found.outcome == Outcome.PASS
    assert list(found)[:2] == ["a", "b"]


def test_the_module_is_left_as_it_was(x: torch.Tensor) -> None:
    module = nn.Linear(3, 2)
    before = module.weight.detach().clone()
    check_autodiff(module, x, max_entries=2)
    torch.testing.assert_close(module.weight.detach(), before, rtol=0, atol=0)


def test_a_random_module_is_refused_with_the_remedy(x: torch.Tensor) -> None:
    with pytest.raises(ValueError, match=r"module\.eval\(\) first"):
        check_autodiff(nn.Dropout(), x)


def test_nothing_to_check_is_refused() -> None:
    with pytest.raises(ValueError, match="nothing to check"):
        check_autodiff(torch.abs, torch.tensor([1, 2]))


def test_a_module_without_floating_point_output_is_refused(x: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="expected it to return floating-point tensors"):
        check_autodiff(torch.argmax, x)


def test_check_gradient_is_had_without_torch() -> None:
    code = "import sys; from backproof import check_gradient; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_batch_norm_in_training_passes_and_keeps_its_running_statistics(x: torch.Tensor) -> None:
    norm = nn.BatchNorm1d(4)
    net = nn.Sequential(nn.Linear(3, 4), norm, nn.Tanh())
    assert check_autodiff(net, x).outcome == Outcome.PASS
    # Reached through a closure it stays in float32, in which differences say less.
    assert check_autodiff(lambda batch: net(batch), x).outcome != Outcome.FAIL
    assert norm.num_batches_tracked == 0
    assert not dict(norm.named_buffers())["running_mean"].any()


def test_what_is_wrong_in_single_precision_alone_is_found_there(x: torch.Tensor) -> None:
    found = check_autodiff(OnlyWrongInFloat32(), x)
    assert found["input[0]"].outcome == Outcome.PASS
    assert found["input[0] (float32)"].outcome == Outcome.FAIL


class OnlyWrongInFloat32(nn.Module):
    """Takes its wrong kernel in single precision."""

    def forward(self, x: torch.Tensor) -> Any:
        return applied(sine(1.0 if x.dtype == torch.float64 else 1.01), x)


def test_a_mistake_in_a_small_output_is_not_hidden_by_a_large_one(x: torch.Tensor) -> None:
    found = check_autodiff(lambda x: {"large": 1e6 * x.cos(), "small": applied(sine(1.001), x)}, x)
    assert found.outcome == Outcome.FAIL
    assert "output['small']" in found["x"].reason


def test_half_precision_is_judged_in_double_and_as_it_is(x: torch.Tensor) -> None:
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh()).to(torch.bfloat16)
    found = check_autodiff(module, x.bfloat16())
    assert found.outcome == Outcome.PASS
    assert list(found)[3:] == ["0.weight (bfloat16)", "0.bias (bfloat16)", "input[0] (bfloat16)"]


def test_the_random_state_is_left_as_it_was(x: torch.Tensor) -> None:
    before = torch.get_rng_state()

    def dropped(x: torch.Tensor) -> torch.Tensor:
        torch.manual_seed(3)
        return nn.functional.dropout(x.sin())

    assert check_autodiff(dropped, x).outcome == Outcome.PASS
    assert torch.equal(before, torch.get_rng_state())


def sine_in_jax(factor: float) -> Any:
    """sin, its own rule wrong by a factor."""

    @jax.custom_vjp
    def sine(x: Any) -> Any:
        return jnp.sin(x)

    sine.defvjp(lambda x: (jnp.sin(x), x), lambda x, upstream: (factor * upstream * jnp.cos(x),))
    return sine


@pytest.mark.parametrize(
    ("factor", "outcome"), [(1.0, Outcome.PASS), (1.0 + 1e-6, Outcome.FAIL), (-1.0, Outcome.FAIL)]
)
@pytest.mark.parametrize("wrapped", [False, True])
def test_a_rule_in_jax_is_right_or_wrong(factor: float, outcome: Outcome, wrapped: bool) -> None:
    function = jax.jit(sine_in_jax(factor)) if wrapped else sine_in_jax(factor)
    assert check_autodiff(function, jnp.arange(3.0)).outcome == outcome


def test_pytrees_are_named_as_they_are_written() -> None:
    def loss(params: Any, x: Any, n: int) -> Any:
        return {"loss": ((x @ params["w"][0] + params["b"]) ** n).sum(), "n": n}

    params = {"w": [jnp.ones((3, 2))], "b": jnp.zeros(2)}
    found = check_autodiff(loss, params, jnp.arange(6.0).reshape(2, 3) / 5, 2)
    assert found.outcome == Outcome.PASS
    assert list(found)[:3] == ["params['b']", "params['w'][0]", "x"]
    assert found["params['w'][0]"].worst.startswith("params['w'][0][")


def test_arrays_of_no_framework_are_referred_to_check_gradient() -> None:
    with pytest.raises(TypeError, match="use check_gradient"):
        check_autodiff(lambda x: 2 * x, np.ones(3))


def test_its_former_name_is_the_same_check(x: torch.Tensor) -> None:
    found = check_module(sine(1.1), x, resolution=1e-3)
    assert found.outcome == Outcome.FAIL


@pytest.mark.parametrize(
    ("options", "named"),
    [({"order": 3}, "order"), ({"required": 2.0}, "required"), ({"max_entries": 0}, "max")],
)
def test_options_out_of_range_are_refused_by_name(
    options: dict[str, Any], named: str, x: torch.Tensor
) -> None:
    with pytest.raises(InputError, match=named):
        check_autodiff(torch.sin, x, **options)


class Product(torch.autograd.Function):
    """a @ b as a device with loose products makes it: operands of float32 are cut off to 10 bits."""

    loose, factor = False, 1.0

    @staticmethod
    def cut(x: torch.Tensor) -> torch.Tensor:
        if not Product.loose or x.dtype != torch.float32:
            return x
        return (x.detach().view(torch.int32) & ~0x1FFF).view(torch.float32)

    @staticmethod
    def forward(ctx: Any, a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(a, b)
        return Product.cut(a) @ Product.cut(b)

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        a, b = (Product.cut(tensor) for tensor in ctx.saved_tensors)
        wrong = Product.factor if Product.loose and a.dtype == torch.float32 else 1.0
        return wrong * (Product.cut(upstream) @ b.T), a.T @ Product.cut(upstream)


@dataclass(frozen=True)
class Switch:
    """In place of torch's own, which this machine's products do not follow."""

    loose: bool

    @property
    def full(self) -> "Switch":
        return Switch(False)

    def format(self, devices: Any) -> str:
        return "tf32" if self.loose else ""

    def set(self) -> None:
        Product.loose = self.loose


@pytest.fixture
def allow_tf32(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(torch_arithmetic.Switches, "found", lambda: Switch(True))
    yield
    Product.loose = False


@pytest.mark.usefixtures("allow_tf32")
@pytest.mark.parametrize(("factor", "outcome"), [(1.0, Outcome.PASS), (1.3, Outcome.FAIL)])
def test_loose_products_are_judged_as_what_they_are(
    factor: float, outcome: Outcome, x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Product, "factor", factor)
    found = check_autodiff(Product, x, torch.linspace(-1, 2, 15).reshape(3, 5), max_entries=4)
    assert found["input[0]"].outcome == Outcome.PASS
    assert found["input[0] (float32)"].outcome == Outcome.PASS
    assert found["input[0] (float32, tf32 inside)"].outcome == outcome
    assert Product.loose  # as it was set


@pytest.mark.usefixtures("allow_tf32")
def test_what_has_no_loose_product_is_judged_once(x: torch.Tensor) -> None:
    assert list(check_autodiff(sine(1.0), x)) == ["input[0]", "input[0] (float32)"]


class Autocast(nn.Module):
    """Rounded inside, float32 outside; what flows back is off by a factor."""

    def __init__(self, factor: float) -> None:
        super().__init__()
        self.inner = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
        self.factor = factor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            wide: torch.Tensor = self.inner(x).to(x.dtype)
        scaled = wide * self.factor if x.dtype == torch.float32 else wide
        return wide.detach() + (scaled - scaled.detach())


@pytest.mark.parametrize(("factor", "outcome"), [(1.0, Outcome.PASS), (1.5, Outcome.FAIL)])
def test_what_autocast_rounds_inside_is_judged_as_that(
    factor: float, outcome: Outcome, x: torch.Tensor
) -> None:
    torch.manual_seed(0)
    found = check_autodiff(Autocast(factor), x)
    assert found["inner.0.weight"].outcome == Outcome.PASS
    assert found["inner.0.weight (float32, bfloat16 inside)"].outcome == outcome


def test_autocast_around_the_check_keeps_no_weights_that_were_moved(x: torch.Tensor) -> None:
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 2))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = check_autodiff(module, x)
    assert found.outcome == Outcome.PASS
    assert "0.weight (bfloat16)" in found


class Turned(nn.Module):
    """Pairs of numbers turned by fixed angles, which are kept as complex numbers."""

    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("turns", torch.polar(torch.ones(3), torch.arange(3.0)))

    turns: torch.Tensor

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        pairs = torch.view_as_complex(x.reshape(4, 3, 2))
        return torch.view_as_real(pairs * self.turns).reshape(4, 6)


def test_complex_buffers_keep_both_halves(x: torch.Tensor) -> None:
    assert check_autodiff(Turned(), torch.cat([x, x.cos()], 1)).outcome == Outcome.PASS


class Complex(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.w = nn.Parameter(torch.ones(3, dtype=torch.complex64))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return (x * self.w).real


def test_complex_parameters_are_refused_by_name(x: torch.Tensor) -> None:
    with pytest.raises(TypeError, match="w: expected real numbers"):
        check_autodiff(Complex(), x)


def test_sparse_gradients_are_gradients() -> None:
    found = check_autodiff(nn.Embedding(5, 2, sparse=True), torch.tensor([0, 3, 3]))
    assert found.outcome == Outcome.PASS


class Strided(torch.autograd.Function):
    """The sine; its kernel reads memory as it lies, and so is right for contiguous arguments alone."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        ctx.save_for_backward(x)
        return x.sin()

    @staticmethod
    def backward(ctx: Any, upstream: torch.Tensor) -> torch.Tensor:
        (x,) = ctx.saved_tensors
        slopes: torch.Tensor = x.as_strided((x.numel(),), (1,)).reshape(x.shape).cos()
        return upstream * slopes


def test_arguments_keep_their_strides(x: torch.Tensor) -> None:
    assert check_autodiff(Strided, x).outcome == Outcome.PASS
    assert check_autodiff(Strided, x.T).outcome == Outcome.FAIL
    assert check_autodiff(sine(1.0), x.T).outcome == Outcome.PASS


def test_sums_in_an_order_of_their_own_are_not_taken_for_chance(x: torch.Tensor) -> None:
    draw = np.random.default_rng(0)

    def summed(x: torch.Tensor) -> torch.Tensor:
        terms = (x[:, None] * torch.linspace(1, 2, 50, dtype=x.dtype)[:, None]).sin().reshape(-1)
        shuffled = terms[torch.from_numpy(draw.permutation(len(terms)))]
        return shuffled.cumsum(0)[-1]  # one after the other, in another order at each call

    assert check_autodiff(summed, x).outcome == Outcome.PASS


def test_on_a_device_without_double_precision_the_cpu_has_the_shadow(
    x: torch.Tensor, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(torch_arithmetic, "holds_double", lambda device: False)
    module = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    assert check_autodiff(module, x).outcome == Outcome.PASS
    assert check_autodiff(nn.CrossEntropyLoss(), x, torch.tensor([0, 1, 2, 0])).outcome == Outcome.PASS


@pytest.mark.parametrize("factor", [1.0, 1.5], ids=["right", "wrong"])
def test_a_function_that_is_another_one_in_float64_is_not_failed_for_it(factor: float) -> None:
    """As dropout with a fixed seed on a GPU, whose mask depends on the dtype."""
    masks = {
        torch.float32: torch.tensor([0.0, 2.0, 0.0]),
        torch.float64: torch.tensor([2.0, 0.0, 0.0]).double(),
    }

    def masked(a: torch.Tensor) -> torch.Tensor:
        apply: Callable[[torch.Tensor], torch.Tensor] = sine(
            factor if a.dtype == torch.float32 else 1.0
        ).apply
        return apply(a) * masks[a.dtype]

    found = check_autodiff(masked, torch.tensor([0.3, 0.7, 1.1]))
    assert found["a"].outcome == Outcome.PASS
    assert found["a (float32)"].outcome == Outcome.INCONCLUSIVE
    assert "computes other numbers in float64 than in float32" in found["a (float32)"].reason


def test_a_function_that_returns_its_own_argument_is_read_before_it_is_moved_again() -> None:
    assert check_autodiff(lambda x: x, torch.arange(1.0, 4.0, dtype=torch.float64))


def test_a_function_that_empties_the_list_it_is_given_has_a_new_one_at_each_call() -> None:
    def product(pair: list[torch.Tensor]) -> torch.Tensor:
        return pair.pop() * pair.pop()

    assert check_autodiff(product, [torch.arange(1.0, 4.0), torch.arange(2.0, 5.0)])


def test_a_second_derivative_that_jumps_nearby_is_open_with_the_place_of_the_jump() -> None:
    """A relu unit switches 1.5e-4 from where one of its weights is."""
    f, args = torch_functions.case("relu network", 0)
    verdict = check_autodiff(f, *args, order=2)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "claimed 0, but f jumps nearby, where this entry is 0.15292626 (here 0.152774" in verdict.reason


class Counted(nn.Module):
    """A module, and how often it is called; copies count too."""

    calls = 0

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, *args: Any) -> Any:
        Counted.calls += 1
        return self.module(*args)


@pytest.mark.parametrize("name", ["attention", "embedding bag", "linear"])
def test_a_module_is_called_at_most_two_and_a_half_times_as_often_as_two_sided_differences_would(
    name: str,
) -> None:
    torch.manual_seed(0)
    q = torch.randn(3, 2, 8, dtype=torch.float64)
    module, args = {
        "attention": (nn.MultiheadAttention(8, 2), (q, q, q)),  # a quarter of its entries move no weights
        "embedding bag": (nn.EmbeddingBag(10, 4), (torch.tensor([[0, 1, 2, 2], [3, 3, 5, 8]]),)),
        "linear": (nn.Linear(8, 6), (q[0],)),
    }[name]
    tensors = [*module.parameters(), *args]
    n = sum(t.numel() for t in tensors if t.is_floating_point())
    Counted.calls = 0
    assert check_autodiff(Counted(module.double()), *args)
    assert Counted.calls <= 2.5 * 2 * n


def test_zeros_of_a_clipped_loss_are_held_against_the_slopes_where_it_begins() -> None:
    f, args = torch_functions.case("cosine embedding", 1)
    assert check_autodiff(f, *args, order=2)


@pytest.fixture
def searches(monkeypatch: pytest.MonkeyPatch) -> dict[str, Search]:
    """What is asked of every kind of judge."""
    found: dict[str, Search] = {}
    answers: dict[str, Any] = {
        "judge_program": {},
        "judge_precision": {},
        "judge_forward": ({}, ()),
        "judge_second": {},
        "judge_second_precision": {},
    }
    for name, answer in answers.items():

        def judged(*given: Any, name: str = name, answer: Any = answer) -> Any:
            (found[name],) = [one for one in given if isinstance(one, Search)]
            return answer

        monkeypatch.setattr(autodiff, name, judged)
    return found


def test_what_is_asked_for_arrives_at_every_judge(searches: dict[str, Search], x: torch.Tensor) -> None:
    check_autodiff(nn.Tanh(), x)
    assert searches == dict.fromkeys(("judge_program", "judge_precision"), Search(None, None, 0))
    check_autodiff(nn.Tanh(), x, order=2, required=0.25, max_entries=5, seed=7)
    assert len(searches) == 5
    assert set(searches.values()) == {Search(0.25, 5, 7)}
    check_module(nn.Tanh(), x, resolution=0.125, max_entries=3, seed=2)
    assert searches["judge_program"] == Search(0.125, 3, 2)
    check_module(nn.Tanh(), x)
    assert searches["judge_program"] == Search(None, None, 0)


def test_so_many_entries_as_are_asked_for_are_looked_at(x: torch.Tensor) -> None:
    few = check_autodiff(nn.Tanh(), x, max_entries=5)["input[0]"]
    assert few.n_compared == 5
    assert "5 of 12 entries one by one, all through 8 directions" in few.reason
    assert check_autodiff(nn.Tanh(), x, max_entries=12)["input[0]"].n_compared == 12
