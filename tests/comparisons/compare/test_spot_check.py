import logging
from collections.abc import Callable

import pytest
import torch
from torch import nn
from torch.nn import functional

from backproof import testing
from backproof.comparisons.compare.spot_check import Spot, SpotCheck
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


class Doubled(torch.autograd.Function):
    """The identity, whose gradient is said to be twice itself."""

    @staticmethod
    def forward(context: object, x: torch.Tensor) -> torch.Tensor:
        return x.clone()

    @staticmethod
    def backward(context: object, *slopes: torch.Tensor) -> torch.Tensor:
        return 2 * slopes[0]


class Wrong(nn.Module):
    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return torch.as_tensor(Doubled.apply(x))  # type: ignore[no-untyped-call]  # torch types it so


def loss(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
    return functional.cross_entropy(model(x), y)


def network(*between: nn.Module, seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(
        nn.Linear(20, 32), nn.Tanh(), nn.Linear(32, 16), *between, nn.Tanh(), nn.Linear(16, 5)
    )


def trained(
    model: nn.Module, check: SpotCheck, n_steps: int, after: Callable[[nn.Module], object] = bool
) -> list[Spot]:
    """A training loop as people write it; `after` spoils the gradient."""
    optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
    generator = torch.Generator().manual_seed(1)
    spots = []
    for _ in range(n_steps):
        x = torch.randn(64, 20, generator=generator)
        y = torch.randint(0, 5, (64,), generator=generator)
        optimizer.zero_grad()
        torch.autograd.backward(loss(model, x, y))
        after(model)
        spots.append(check(x, y))
        optimizer.step()
    return [spot for spot in spots if spot is not None]


def doubled_gradient(model: nn.Module) -> None:
    for p in model.parameters():
        assert p.grad is not None
        p.grad *= 2


def no_layer_gradient(model: nn.Module) -> None:
    first = next(iter(model.parameters()))
    assert first.grad is not None
    first.grad *= 0


@pytest.mark.parametrize("seed", range(3))
def test_a_right_training_passes_at_every_look_and_is_logged(
    seed: int, caplog: pytest.LogCaptureFixture
) -> None:
    model = network(seed=seed)
    with caplog.at_level(logging.INFO, "backproof"):
        spots = trained(model, testing.spot_check(model, loss, every=5, seed=seed), 20)
    assert [spot.step for spot in spots] == [5, 10, 15, 20]
    assert all(spots), spots
    assert "step 5: PASS: 2 directions agree" in caplog.text


def test_a_wrong_backward_pass_is_found_at_the_first_look() -> None:
    model = network(Wrong())
    with pytest.raises(AssertionError, match="step 3: FAIL: along a random direction"):
        trained(model, testing.spot_check(model, loss, every=3), 6)


@pytest.mark.parametrize("spoiled", [doubled_gradient, no_layer_gradient])
def test_a_gradient_spoiled_by_the_loop_is_found(spoiled: Callable[[nn.Module], object]) -> None:
    model = network()
    found: list[Spot] = []
    trained(model, testing.spot_check(model, loss, every=2, on_fail=found.append), 2, spoiled)
    assert [spot.outcome for spot in found] == [Outcome.FAIL]


def test_the_model_is_not_touched() -> None:
    model, other = network(), network()
    trained(model, testing.spot_check(model, loss, every=1), 5)
    trained(other, testing.spot_check(other, loss, every=100), 5)
    assert all(torch.equal(p, q) for p, q in zip(model.parameters(), other.parameters(), strict=True))


def test_a_look_costs_ten_losses_in_double_precision_and_one_in_single() -> None:
    """Its time is that of these: sixteen steps of training; with more it would soon be twenty."""
    model, seen = network(), list[torch.dtype]()

    def counted(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        seen.append(x.dtype)
        return loss(model, x, y)

    trained(model, testing.spot_check(model, counted, every=1), 1)
    assert (seen.count(torch.float64), seen.count(torch.float32)) == (10, 1)


def test_dropout_is_undecided_with_the_reason() -> None:
    model = network(nn.Dropout(0.5))
    [spot] = trained(model, testing.spot_check(model, loss, every=2), 2)
    assert (spot.outcome, "two losses of the same batch differ" in spot.reason) == (
        Outcome.INCONCLUSIVE,
        True,
    )


def test_without_a_gradient_it_says_when_to_call_it() -> None:
    model = network()
    spot = testing.spot_check(model, loss, every=1)(torch.zeros(2, 20), torch.zeros(2, dtype=torch.long))
    assert spot is not None
    assert "after loss.backward()" in spot.reason


def test_nan_in_a_gradient_fails() -> None:
    model = network()

    def spoil(model: nn.Module) -> None:
        first = next(iter(model.parameters()))
        assert first.grad is not None
        first.grad[0, 0] = torch.nan

    with pytest.raises(AssertionError, match="NaN or infinity"):
        trained(model, testing.spot_check(model, loss, every=1), 1, spoil)


def test_a_loss_that_is_nan_fails_as_what_it_is() -> None:
    model = network()
    x, y = torch.full((2, 20), torch.nan), torch.zeros(2, dtype=torch.long)
    torch.autograd.backward(loss(model, x, y))
    with pytest.raises(AssertionError, match="the loss of the batch is nan"):
        testing.spot_check(model, loss, every=1)(x, y)


def test_a_gradient_that_has_all_but_vanished_raises_no_alarm() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Linear(20, 64), nn.ReLU(), nn.Linear(64, 5))
    x, y = torch.rand(10, 20), torch.randint(0, 5, (10,))
    check, optimizer = testing.spot_check(model, loss, every=50), torch.optim.SGD(model.parameters(), lr=0.5)
    for _ in range(1000):  # one batch, learnt by heart: rounding becomes a large part of the gradient
        optimizer.zero_grad()
        torch.autograd.backward(loss(model, x, y))
        check(x, y)
        optimizer.step()


def test_a_count_below_one_is_refused() -> None:
    with pytest.raises(InputError, match="every: expected at least 1, got 0"):
        testing.spot_check(network(), loss, every=0)


def test_the_training_draws_the_same_random_numbers_whether_or_not_anybody_looks() -> None:
    model, x, y = network(nn.Dropout(0.5)), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(loss(model, x, y))
    torch.manual_seed(3)
    expected = torch.rand(2)
    torch.manual_seed(3)
    spot = SpotCheck(model, loss, every=1)(x, y)
    assert spot is not None
    assert spot.outcome == Outcome.INCONCLUSIVE
    assert torch.equal(torch.rand(2), expected)


def test_autocast_inside_the_loss_fails_nothing() -> None:
    def rounded(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return functional.cross_entropy(model(x), y)

    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(rounded(model, x, y))
    spot = SpotCheck(model, rounded, every=1)(x, y)
    assert spot is not None
    assert spot.outcome != Outcome.FAIL


def test_a_sparse_gradient_is_looked_at() -> None:
    torch.manual_seed(0)
    model = nn.Sequential(nn.Embedding(9, 20, sparse=True), nn.Linear(20, 5))
    words, y = torch.arange(40) % 9, torch.arange(40) % 5
    torch.autograd.backward(loss(model, words, y))
    assert SpotCheck(model, loss, every=1)(words, y)
    for p in model.parameters():
        assert p.grad is not None
        p.grad = p.grad * 2
    with pytest.raises(AssertionError, match="different on an untouched copy"):
        SpotCheck(model, loss, every=1)(words, y)


def test_a_loss_that_is_added_in_another_order_each_time_is_no_chance() -> None:
    def shuffled(model: nn.Module, x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        order = torch.randperm(len(x))
        return functional.cross_entropy(model(x[order]), y[order], reduction="none").cumsum(0)[-1] / len(x)

    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(shuffled(model, x, y))
    assert SpotCheck(model, shuffled, every=1)(x, y)
