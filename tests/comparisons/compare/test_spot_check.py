import logging
from collections.abc import Callable

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional

from backproof import testing
from backproof.comparisons.compare import spot_check
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


# --- the bound and the verdict, worked out by hand ----------------------------------------------------------

SLOPES = torch.tensor([3.0, -4.0], dtype=torch.float64)  # |g| = 5


def a_shadow(
    loss: Callable[[torch.Tensor], torch.Tensor],
    claimed: torch.Tensor = SLOPES,
    fresh: torch.Tensor = SLOPES,
    own: torch.Tensor = SLOPES,
    noise: float = 0.0,
) -> spot_check._Shadow:
    """One parameter (1, 2), of mean size 1.5."""
    theta = torch.tensor([1.0, 2.0], dtype=torch.float64)
    value = float(loss(theta))
    return spot_check._Shadow(
        [theta], [theta.clone()], [claimed], [fresh], [own], value, noise, lambda: loss(theta)
    )


def straight(theta: torch.Tensor) -> torch.Tensor:
    return SLOPES @ theta


def directions(seed: int) -> list[torch.Tensor]:
    generator = torch.Generator().manual_seed(seed)
    return [
        1.5 * torch.randn(2, generator=generator, dtype=torch.float32).double()
        for _ in range(spot_check.DIRECTIONS)
    ]


def test_the_bound_is_the_noise_over_the_step_and_what_rounding_may_do_along_the_direction() -> None:
    """L is a line: both quotients are right to within the rounding of the losses."""
    rounding = torch.tensor([0.3, 0.4], dtype=torch.float64) * 1e-3  # of length 5e-4
    shadow = a_shadow(straight, own=SLOPES + rounding, noise=1e-9)
    found = spot_check._judged(shadow, step=7, seed=4)
    assert found.outcome is Outcome.PASS
    bounds = [1e-9 / spot_check.STEP + 4 * 5e-4 * float(v.norm()) for v in directions(11)]
    assert min(abs(found.bound - bound) for bound in bounds) < 1e-7
    shares = [bound / (5.0 * float(v.norm())) for bound, v in zip(bounds, directions(11), strict=True)]
    assert f"an error of {min(shares):.1e} of the gradient would have been seen" in found.reason
    assert (found.step, found.reason[:19]) == (7, "2 directions agree;")


def test_a_curve_is_as_uncertain_as_its_two_quotients_differ_and_as_its_two_sides_do() -> None:
    """L = theta^3: D(h) - D(h/2) = (3/4) h^2 v^3, and D+ - D- = h f'' v^2 / 2 at h / 2, summed over both."""

    def cubes(theta: torch.Tensor) -> torch.Tensor:
        return (theta**3).sum()

    right = 3 * torch.tensor([1.0, 4.0], dtype=torch.float64)
    shadow = a_shadow(cubes, right, right, right)
    found = spot_check._judged(shadow, step=1, seed=0)
    h = spot_check.STEP
    theta = torch.tensor([1.0, 2.0], dtype=torch.float64)
    expected = [
        float(0.75 * h**2 * (v**3).sum().abs() + (h / 2 * 6 * theta * v**2).sum()) for v in directions(1)
    ]
    assert min(abs(found.bound / bound - 1) for bound in expected) < 1e-3


def test_beside_an_untouched_copy_a_gradient_may_differ_by_four_roundings_and_as_two_runs_do() -> None:
    def off(by: float, rounded: float) -> Spot:
        along = torch.tensor([0.0, by], dtype=torch.float64)
        shadow = a_shadow(
            straight, SLOPES + along, SLOPES, SLOPES + torch.tensor([rounded, 0.0], dtype=torch.float64), 1.0
        )
        return spot_check._judged(shadow, step=1, seed=0)

    same = 5.0 * 2.0**-20
    assert "untouched" not in off(0.9 * same, 0.0).reason
    assert "untouched" in off(1.1 * same, 0.0).reason
    assert "untouched" not in off(3.9, 1.0).reason
    failed = off(4.1, 1.0)
    assert failed.outcome is Outcome.FAIL
    assert failed.slope == pytest.approx(np.hypot(3.0, 0.1))
    assert failed.error == pytest.approx(4.1)
    assert f"{4.1 / np.hypot(3.0, 0.1):.1%} different on an untouched copy" in failed.reason
    assert (
        "100.0% different"
        in spot_check._judged(a_shadow(straight, 0 * SLOPES, SLOPES, SLOPES), step=1, seed=0).reason
    )


def test_the_worst_direction_decides_and_those_that_saw_nothing_do_not_count() -> None:
    """(error, bound, slope, |g| |v|) of each."""

    def verdict(*spots: tuple[float, float, float, float]) -> Spot:
        return spot_check._verdict(spots, 3)

    fine, coarse = (0.0, 0.01, 1.0, 1.0), (0.0, 0.06, 1.0, 1.0)
    assert verdict(fine, fine).reason.startswith("2 directions agree; an error of 1.0e-02")
    assert verdict(coarse, fine).reason.startswith("1 directions agree; an error of 1.0e-02")
    assert verdict(coarse, coarse).outcome is Outcome.INCONCLUSIVE
    # A direction all but at right angles to the gradient is judged beside a tenth of |g| |v|.
    assert verdict((0.0, 0.0049, 0.0, 1.0)).outcome is Outcome.PASS
    assert verdict((0.0, 0.0051, 0.0, 1.0)).outcome is Outcome.INCONCLUSIVE
    assert verdict((0.0, 0.04, -1.0, 1.0)).outcome is Outcome.PASS
    failed = verdict((0.5, 1.0, 1.0, 1.0), (0.03, 0.02, 2.0, 1.0), fine)
    assert (failed.outcome, failed.error, failed.bound, failed.slope) == (Outcome.FAIL, 0.03, 0.02, 2.0)
    assert verdict((1e-9, 0.0, 1.0, 1.0), fine).error == 1e-9


def test_a_loss_below_zero_is_as_uncertain_as_one_above() -> None:
    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    bounds = []
    for sign in (1, -1):

        def signed(model: nn.Module, x: torch.Tensor, y: torch.Tensor, sign: int = sign) -> torch.Tensor:
            return sign * (1e4 + loss(model, x, y))

        model.zero_grad()
        torch.autograd.backward(signed(model, x, y))
        spot = SpotCheck(model, signed, every=1)(x, y)
        assert spot is not None
        bounds.append(spot.bound)
    assert bounds[0] == pytest.approx(bounds[1], rel=1e-6)
    assert bounds[0] > 1e4 * 2.0**-50 / spot_check.STEP


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_what_a_second_call_is_off_by_is_noise_to_either_side(sign: float) -> None:
    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(loss(model, x, y))
    off, bounds = 2.0**-46, []
    for drift in (0.0, sign * off):
        calls = [0]

        def drifting(
            model: nn.Module, x: torch.Tensor, y: torch.Tensor, calls: list[int] = calls, drift: float = drift
        ) -> torch.Tensor:
            calls[0] += 1
            return loss(model, x, y) + drift * (calls[0] == 2)

        spot = SpotCheck(model, drifting, every=1)(x, y)
        assert spot is not None
        bounds.append(spot.bound)
    assert bounds[1] - bounds[0] == pytest.approx(off / spot_check.STEP, rel=0.05)


def test_the_seed_and_the_step_decide_the_directions() -> None:
    def slope(step: int, seed: int) -> float:
        return spot_check._judged(a_shadow(straight), step, seed).slope

    assert slope(3, 1) == slope(3, 1) == slope(1, 3) != slope(3, 2)
    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(loss(model, x, y))
    slopes = [SpotCheck(model, loss, every=1, seed=seed)(x, y) for seed in (0, 0, 5)]
    assert slopes[0] == slopes[1] != slopes[2]


def test_a_direction_is_as_large_as_the_entries_of_its_tensor_or_one_where_all_are_zero() -> None:
    generator = torch.Generator().manual_seed(0)
    for size, expected in ((-3.0, 3.0), (0.0, 1.0)):
        v = spot_check._direction(torch.full((100, 100), size), generator)
        assert float(v.std()) == pytest.approx(expected, rel=0.05)
        assert v.dtype == torch.float64


def test_frozen_parameters_and_those_without_a_gradient_are_left_out() -> None:
    model = network()
    first, *_, last = model.parameters()
    x, y = torch.randn(64, 20), torch.arange(64) % 5
    first.requires_grad_(False)
    torch.autograd.backward(loss(model, x, y))
    last.grad = None
    assert SpotCheck(model, loss, every=1)(x, y)


def test_the_first_look_is_the_every_th_call_and_every_thousandth_by_default() -> None:
    check = SpotCheck(network(), loss)
    assert (check.every, check.seed, check.n_calls) == (1000, 0, 0)
    model, x, y = network(), torch.randn(64, 20), torch.arange(64) % 5
    torch.autograd.backward(loss(model, x, y))
    check = SpotCheck(model, loss, every=2)
    assert [spot is not None for spot in (check(x, y), check(x, y), check(x, y), check(x, y))] == [
        False, True, False, True,
    ]  # fmt: skip
