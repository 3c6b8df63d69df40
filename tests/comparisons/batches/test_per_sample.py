"""Per-sample gradients: right ones pass however they were made, and each way to go wrong is named."""

import re
from collections.abc import Callable
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from backproof import InputError, Outcome, check_per_sample
from backproof.comparisons.verdicts.cause import EXPLAINS
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict

Arrays = dict[str, Any]
Rows = Callable[[Any], Arrays]
N = 7


def batch_of(n: int, dtype: str = "float64", seed: int = 0) -> Arrays:
    rng = np.random.default_rng(seed)
    return {"x": rng.standard_normal((n, 4)).astype(dtype), "y": rng.integers(0, 3, n)}


def parameters(dtype: str = "float64") -> Arrays:
    rng = np.random.default_rng(9)
    shapes = {"V": (4, 5), "b": (5,), "W": (5, 3)}
    return {name: (rng.standard_normal(shape) / 2).astype(dtype) for name, shape in shapes.items()}


def by_hand(batch: Arrays, p: Arrays) -> Arrays:
    """Softmax cross-entropy of a tanh network: (n, ...) for every parameter."""
    x, y = batch["x"], batch["y"]
    a = np.tanh(x @ p["V"] + p["b"])
    z = a @ p["W"]
    delta = np.exp(z - z.max(axis=1, keepdims=True))
    delta /= delta.sum(axis=1, keepdims=True)
    delta[np.arange(len(x)), y] -= 1
    back = (delta @ p["W"].T) * (1 - a**2)
    return {"V": x[:, :, None] * back[:, None], "b": back, "W": a[:, :, None] * delta[:, None]}


def rows_of(dtype: str = "float64") -> Rows:
    p = parameters(dtype)
    return lambda batch: by_hand(batch, p)


def mean_of(rows: Rows) -> Rows:
    return lambda batch: {name: array.mean(axis=0) for name, array in rows(batch).items()}


def sentence(verdict: GradientVerdict) -> str:
    """What explains the samples' law."""
    causes = verdict["samples"].causes
    assert causes[0].certainty == EXPLAINS, causes
    return causes[0].sentence


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("n", [3, 40, 100])
def test_right_ones_pass_of_any_number(n: int, dtype: str) -> None:
    rows = rows_of(dtype)
    verdict = check_per_sample(mean_of(rows), rows, batch_of(n, dtype))
    assert verdict, str(verdict)
    assert list(verdict) == ["twice", "parts", "samples", "together"]
    assert ("64 of 100 samples" in verdict["samples"].reason) is (n == 100)
    assert verdict.resolution < (1e-3 if dtype == "float32" else 1e-11)


def test_no_right_one_fails_over_many_seeds() -> None:
    for seed in range(40):
        rows = rows_of("float32")
        verdict = check_per_sample(mean_of(rows), rows, batch_of(9, "float32", seed), seed=seed)
        assert verdict.outcome == Outcome.PASS, f"seed {seed}: {verdict}"


def test_those_of_a_sum_are_the_same_rows() -> None:
    rows = rows_of()
    verdict = check_per_sample(
        lambda batch: {name: array.sum(axis=0) for name, array in rows(batch).items()}, rows, batch_of(N)
    )
    assert verdict
    assert "the sum of the samples' gradients" in verdict["together"].reason


def test_arrays_that_were_computed_before_are_taken_as_they_are() -> None:
    rows, batch = rows_of(), batch_of(N)
    assert check_per_sample(mean_of(rows), rows(batch), batch)
    wrong = {name: array[::-1] for name, array in rows(batch).items()}
    assert sentence(check_per_sample(mean_of(rows), wrong, batch)) == "the samples are in reverse order"


def network(dtype: torch.dtype) -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.Tanh(), nn.Linear(5, 3)).to(dtype)


def torch_batch(dtype: torch.dtype) -> tuple[torch.Tensor, torch.Tensor]:
    batch = batch_of(N)
    return torch.tensor(batch["x"], dtype=dtype), torch.tensor(batch["y"])


@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_vmap_of_grad_in_torch_passes(dtype: torch.dtype) -> None:
    net = network(dtype)
    theta = {name: p.detach() for name, p in net.named_parameters()}

    def loss(theta: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return functional.cross_entropy(torch.func.functional_call(net, theta, (x,)), y)

    def one(theta: Any, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        return loss(theta, x[None], y[None])

    each: Any = torch.func.vmap(torch.func.grad(one), (None, 0, 0))
    verdict = check_per_sample(
        lambda batch: torch.func.grad(loss)(theta, *batch),
        lambda batch: each(theta, *batch),
        torch_batch(dtype),
    )
    assert verdict, str(verdict)


class WithSamples:
    """A torch network whose hooks keep a `grad_sample`, of a mean over the batch or of each own loss."""

    def __init__(self, net: nn.Module, own: bool) -> None:
        self.net, self.own, self.kept = net, own, dict[nn.Module, torch.Tensor]()
        for module in net.modules():
            if isinstance(module, nn.Linear):
                module.register_forward_hook(self._keep)

    def _keep(self, module: nn.Module, inputs: Any, output: Any) -> None:
        self.kept[module] = inputs[0].detach()
        output.register_hook(lambda delta: self._sample(module, delta))

    def _sample(self, module: Any, delta: torch.Tensor) -> None:
        scale = len(delta) if self.own else 1
        module.weight.grad_sample = scale * delta[:, :, None] * self.kept[module][:, None]
        module.bias.grad_sample = scale * delta

    def gradient(self, batch: Any) -> list[Any]:
        self.net.zero_grad()
        torch.autograd.backward(functional.cross_entropy(self.net(batch[0]), batch[1]))
        return [p.grad for p in self.net.parameters()]

    def per_sample(self, batch: Any) -> list[Any]:
        self.gradient(batch)
        return [getattr(p, "grad_sample") for p in self.net.parameters()]  # noqa: B009  # torch does not know it


def test_hooks_that_keep_a_grad_sample_pass_where_they_undo_the_mean() -> None:
    right = WithSamples(network(torch.float32), own=True)
    assert check_per_sample(right.gradient, right.per_sample, torch_batch(torch.float32))
    wrong = WithSamples(network(torch.float32), own=False)
    verdict = check_per_sample(wrong.gradient, wrong.per_sample, torch_batch(torch.float32))
    assert sentence(verdict).startswith("every sample's gradient is divided by the number of samples, 7")
    assert verdict["together"].causes[0].sentence.startswith("added up they are the gradient of the batch")


def test_vmap_of_grad_in_jax_passes_and_its_shares_do_not() -> None:
    p = {name: jnp.asarray(array) for name, array in parameters("float32").items()}

    def loss(p: Any, batch: Any) -> Any:
        z = jnp.tanh(batch["x"] @ p["V"] + p["b"]) @ p["W"]
        return -jnp.take_along_axis(jax.nn.log_softmax(z), batch["y"][..., None], -1).mean()

    each = jax.jit(jax.vmap(jax.grad(loss), (None, 0)))
    batch = jax.tree_util.tree_map(jnp.asarray, batch_of(N, "float32"))
    gradient = jax.jit(jax.grad(loss))
    assert check_per_sample(lambda b: gradient(p, b), lambda b: each(p, b), batch)

    def shares(b: Any) -> Any:
        return jax.tree_util.tree_map(lambda array: array / len(b["y"]), each(p, b))

    verdict = check_per_sample(lambda b: gradient(p, b), shares, batch)
    assert "divided by the number of samples, 7" in sentence(verdict)


def _each(change: Callable[[Any], Any]) -> Callable[[Arrays], Arrays]:
    return lambda arrays: {name: change(array) for name, array in arrays.items()}


WRONG: dict[str, tuple[Callable[[Arrays], Arrays], str]] = {
    "divided by N": (
        _each(lambda a: a / len(a)),
        "divided by the number of samples, 7: it is that of the mean",
    ),
    "multiplied by N": (_each(lambda a: a * len(a)), "multiplied by the number of samples, 7"),
    "sign": (_each(lambda a: -a), "has the wrong sign"),
    "twice": (_each(lambda a: 2 * a), "is 2 times what it should be"),
    "zero": (_each(lambda a: 0 * a), "every sample's gradient is zero"),
    "reversed": (_each(lambda a: a[::-1]), "in reverse order"),
    "shifted": (_each(lambda a: np.roll(a, -1, axis=0)), "shifted: the first row is sample 1's"),
    "shuffled": (
        _each(lambda a: a[[3, 0, 2, 1, 6, 4, 5]]),
        "in another order: row 0 is sample 3's",
    ),
    "the mean, broadcast": (
        _each(lambda a: np.broadcast_to(a.mean(axis=0), a.shape)),
        "every row is the mean over the batch: it is broadcast",
    ),
    "the sum, broadcast": (
        _each(lambda a: np.broadcast_to(a.sum(axis=0), a.shape)),
        "every row is the sum over the batch",
    ),
    "the last, kept": (
        _each(lambda a: np.broadcast_to(a[-1], a.shape)),
        "every row is the last sample's: the same array is kept",
    ),
    "never zeroed": (_each(lambda a: a.cumsum(axis=0)), "zero_grad is forgotten between samples"),
    "one tensor": (
        lambda arrays: {**arrays, "b": arrays["b"] / N},
        "of gradient['b']: every sample's gradient is",
    ),
}


@pytest.mark.parametrize("how", WRONG)
def test_each_way_to_go_wrong_fails_and_is_named(how: str) -> None:
    change, words = WRONG[how]
    rows = rows_of()
    verdict = check_per_sample(mean_of(rows), lambda batch: change(rows(batch)), batch_of(N))
    assert verdict["samples"].outcome == Outcome.FAIL
    assert words in sentence(verdict)


def test_what_order_hides_from_the_sum_the_samples_show() -> None:
    rows = rows_of()
    verdict = check_per_sample(mean_of(rows), lambda b: WRONG["shuffled"][0](rows(b)), batch_of(N))
    assert verdict["together"].outcome == Outcome.PASS
    assert verdict.outcome == Outcome.FAIL


def test_samples_that_leak_through_batch_normalisation_are_found() -> None:
    p = parameters()

    def normalised(batch: Arrays) -> Arrays:
        x = batch["x"] - batch["x"].mean(axis=0)
        return by_hand({**batch, "x": x}, p)

    right = rows_of()
    verdict = check_per_sample(mean_of(right), normalised, batch_of(N))
    assert sentence(verdict) == (
        "a sample's gradient changes with the other samples of the batch: examples influence one another, as "
        "in batch normalisation in training"
    )


def test_batch_normalisation_that_refuses_one_example_is_told_what_to_do() -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))
    own = WithSamples(net, own=True)
    verdict = check_per_sample(own.gradient, own.per_sample, torch_batch(torch.float32))
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "as in batch normalisation in training, none has a gradient of its own" in verdict.reason


def test_the_worst_entry_is_named_by_its_sample() -> None:
    rows = rows_of()

    def wrong(batch: Arrays) -> Arrays:
        found = rows(batch)
        found["W"][2, 4, 1] += 1.0
        return found

    verdict = check_per_sample(mean_of(rows), wrong, batch_of(N))
    assert verdict["samples"].worst == "sample 2: gradient['W'][4, 1]"
    assert "is a sample lost" in verdict["samples"].causes[0].sentence


def test_samples_that_are_all_alike_show_no_order() -> None:
    rows, batch = rows_of(), batch_of(1)
    same = {name: np.repeat(array, 5, axis=0) for name, array in batch.items()}
    verdict = check_per_sample(mean_of(rows), rows, same)
    assert verdict["samples"].outcome == Outcome.INCONCLUSIVE
    assert "all the same" in verdict["samples"].reason


def test_with_a_mask_each_sample_has_its_own_tokens() -> None:
    rng = np.random.default_rng(0)
    batch = {"x": rng.standard_normal((6, 5)), "mask": np.arange(5) < np.array([1, 5, 2, 3, 4, 5])[:, None]}
    w = np.array([0.7])

    def each(b: Arrays) -> Any:
        slopes = np.cos(b["x"] * w) * b["x"] * b["mask"]
        return slopes.sum(axis=1, keepdims=True) / b["mask"].sum(axis=1, keepdims=True)

    def mean(b: Arrays) -> Any:
        return (np.cos(b["x"] * w) * b["x"] * b["mask"]).sum(keepdims=True).reshape(1) / b["mask"].sum()

    assert check_per_sample(mean, each, batch, mask="mask")


@pytest.mark.parametrize(
    ("given", "words"),
    [
        (
            lambda rows: {**rows, "V": np.moveaxis(rows["V"], 0, -1)},
            "per_sample['V']: expected shape (7, 4, 5)",
        ),
        (lambda rows: {"V": rows["V"]}, "expected 3 arrays"),
        (lambda rows: {**rows, "b": None}, "per_sample['b']: expected an array"),
        (lambda rows: {**rows, "b": rows["b"] * np.nan}, "found NaN"),
    ],
)
def test_arrays_of_another_form_are_refused(given: Callable[[Arrays], Any], words: str) -> None:
    rows = rows_of()
    with pytest.raises((InputError, TypeError), match=re.escape(words)):
        check_per_sample(mean_of(rows), given(rows(batch_of(N))), batch_of(N))
