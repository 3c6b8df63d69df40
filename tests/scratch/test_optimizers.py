"""Update rules: step by step what torch.optim does, over a grid of settings."""

from collections.abc import Iterator, Sequence
from itertools import product

import numpy as np
import pytest
import torch
from hypothesis import given, reject
from hypothesis import strategies as st

from backproof.reference.torch_mlp import torch_optimizer
from backproof.scratch import optimizers
from backproof.scratch.architecture import DTYPES, Array, OptimizerSpec
from backproof.scratch.optimizers import make_optimizer
from tests.support.tolerances_optimizers import Exact, NothingToSayError

N, STEPS = 7, 25
SGD = [
    OptimizerSpec("sgd", rate, momentum=momentum, nesterov=nesterov, weight_decay=decay)
    for rate, momentum, nesterov, decay in product((0.1, 1e-3), (0.0, 0.5, 0.9), (False, True), (0.0, 0.01))
    if momentum or not nesterov
]
ADAM = [
    OptimizerSpec("adam", rate, beta1=beta1, beta2=beta2, eps=eps, weight_decay=decay)
    for rate, (beta1, beta2), eps, decay in product(
        (0.1, 1e-3), ((0.9, 0.999), (0.5, 0.9), (0.0, 0.99)), (1e-8, 1e-3), (0.0, 0.01)
    )
]


def label(value: object) -> str:
    if not isinstance(value, OptimizerSpec):
        return str(value)
    momentum = f"{value.momentum}{' nesterov' if value.nesterov else ''}"
    constants = momentum if value.name == "sgd" else f"{value.beta1},{value.beta2},{value.eps}"
    return f"{value.name} {value.learning_rate} {constants} decay {value.weight_decay}"


def start_and_gradients(dtype: str, seed: int = 0, scale: float = 1.0) -> tuple[Array, list[Array]]:
    """theta (N,), and a gradient for each step: noise at several sizes, with exact zeros at the beginning."""
    rng = np.random.default_rng(seed)
    sizes = scale * 10.0 ** rng.uniform(-2, 2, N)
    gradients = [(rng.standard_normal(N) * sizes).astype(dtype) for _ in range(STEPS)]
    for zeros in range(3):
        gradients[zeros][: N - zeros] = 0.0
    return rng.standard_normal(N).astype(dtype), gradients


def ours(spec: OptimizerSpec, theta: Array, gradients: Sequence[Array]) -> Iterator[Array]:
    """theta after each step, given the gradients as the training loop gives them."""
    theta = theta.copy()
    optimizer = make_optimizer(spec, theta)
    for gradient in gradients:
        optimizer.step(theta, (gradient * optimizer.loss_factor).astype(theta.dtype))
        yield theta.copy()


def theirs(spec: OptimizerSpec, theta: Array, gradients: Sequence[Array]) -> Iterator[Array]:
    """theta after each step of torch.optim."""
    parameter = torch.nn.Parameter(torch.tensor(theta))
    optimizer = torch_optimizer([parameter], spec)
    for gradient in gradients:
        parameter.grad = torch.tensor(gradient)
        optimizer.step()
        yield parameter.detach().numpy().copy()


def assert_follows(steps: Iterator[Array], spec: OptimizerSpec, theta: Array, gradients: list[Array]) -> None:
    """Every step within the rounding error of the exact one."""
    exact = Exact(spec, theta, str(theta.dtype))
    for number, (found, gradient) in enumerate(zip(steps, gradients, strict=True), start=1):
        exact.step(gradient)
        excess = np.abs(found - exact.theta) - exact.bound
        np.testing.assert_array_less(excess, np.nextafter(0, 1), err_msg=f"step {number} of {label(spec)}")


def distance(spec: OptimizerSpec, theta: Array, gradients: list[Array]) -> tuple[Array, Array]:
    """|ours - theirs| after the last step, and the bound on it: each may be `bound` from the exact one."""
    exact = Exact(spec, theta, str(theta.dtype))
    for gradient in gradients:
        exact.step(gradient)
    *_, mine = ours(spec, theta, gradients)
    *_, torchs = theirs(spec, theta, gradients)
    return np.abs(mine.astype(np.longdouble) - torchs), 2 * exact.bound


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", SGD + ADAM, ids=label)
def test_every_step_is_that_of_the_formula(spec: OptimizerSpec, dtype: str) -> None:
    theta, gradients = start_and_gradients(dtype)
    assert_follows(ours(spec, theta, gradients), spec, theta, gradients)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("spec", SGD + ADAM, ids=label)
def test_every_step_of_torch_is_that_of_the_same_formula(spec: OptimizerSpec, dtype: str) -> None:
    theta, gradients = start_and_gradients(dtype)
    assert_follows(theirs(spec, theta, gradients), spec, theta, gradients)


@given(
    spec=st.sampled_from(SGD + ADAM),
    dtype=st.sampled_from(DTYPES),
    seed=st.integers(0, 2**32 - 1),
    scale=st.sampled_from([1e-3, 1.0, 1e3]),
)
def test_scratch_and_torch_stay_together(spec: OptimizerSpec, dtype: str, seed: int, scale: float) -> None:
    try:
        found, bound = distance(spec, *start_and_gradients(dtype, seed, scale))
    except NothingToSayError:
        reject()
    np.testing.assert_array_less(found, np.nextafter(bound, np.inf))


@pytest.mark.parametrize(
    ("spec", "mistaken"),
    [
        (OptimizerSpec("sgd", 0.1, momentum=0.9), OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True)),
        (OptimizerSpec("sgd", 0.1, momentum=0.9), OptimizerSpec("sgd", 0.1, momentum=0.9 + 1e-12)),
        (OptimizerSpec("sgd", 0.1), OptimizerSpec("sgd", 0.1, weight_decay=1e-12)),
        (OptimizerSpec("adam", 0.1), OptimizerSpec("adam", 0.1, beta2=0.999 + 1e-10)),
        (OptimizerSpec("adam", 0.1, eps=1e-3), OptimizerSpec("adam", 0.1, eps=1e-3 + 1e-12)),
    ],
    ids=label,
)
def test_the_bound_is_tight_enough_to_see_a_mistake(spec: OptimizerSpec, mistaken: OptimizerSpec) -> None:
    theta, gradients = start_and_gradients("float64")
    with pytest.raises(AssertionError):
        assert_follows(ours(mistaken, theta, gradients), spec, theta, gradients)


@pytest.mark.parametrize("spec", SGD + ADAM, ids=label)
def test_working_in_blocks_changes_nothing(spec: OptimizerSpec, monkeypatch: pytest.MonkeyPatch) -> None:
    theta, gradients = start_and_gradients("float32")
    whole = list(ours(spec, theta, gradients))
    monkeypatch.setattr(optimizers, "BLOCK", 3)
    np.testing.assert_array_equal(list(ours(spec, theta, gradients)), whole)


@pytest.mark.parametrize("spec", [SGD[0], SGD[-1], ADAM[0], ADAM[-1]], ids=label)
def test_the_gradient_is_left_as_it_was(spec: OptimizerSpec) -> None:
    theta, gradients = start_and_gradients("float64")
    kept = [gradient.copy() for gradient in gradients]
    optimizer = make_optimizer(spec, theta)
    for gradient in gradients:
        gradient.flags.writeable = False
        optimizer.step(theta, gradient)
    np.testing.assert_array_equal(gradients, kept)


@pytest.mark.parametrize("spec", SGD + ADAM, ids=label)
def test_a_rate_of_zero_moves_nothing(spec: OptimizerSpec) -> None:
    still = OptimizerSpec(**{**vars(spec), "learning_rate": 0.0})
    theta, gradients = start_and_gradients("float64")
    *_, after = ours(still, theta, gradients)
    np.testing.assert_array_equal(after, theta)


def test_two_optimizers_share_no_state() -> None:
    spec = OptimizerSpec("adam", 0.1)
    theta, gradients = start_and_gradients("float64")
    alone = list(ours(spec, theta, gradients))
    together = list(zip(ours(spec, theta, gradients), ours(spec, theta, gradients[::-1]), strict=True))
    np.testing.assert_array_equal([first for first, _ in together], alone)


@pytest.mark.parametrize("spec", [SGD[0], SGD[2], ADAM[0]], ids=label)
def test_a_changed_rate_holds_from_the_next_step_on(spec: OptimizerSpec) -> None:
    theta, gradients = start_and_gradients("float64")
    optimizer = make_optimizer(spec, theta)
    optimizer.learning_rate = 0.0
    before = theta.copy()
    optimizer.step(theta, optimizer.loss_factor * gradients[-1])
    np.testing.assert_array_equal(theta, before)
