"""One batch in a thousand of a real torch training: its gradient against the loss in double precision.

A gradient that was right when training began can go wrong later: a layer is frozen, a loss is scaled,
gradients are accumulated once too often. So every so often, after `backward` and before the optimiser's step,
the gradient in the parameters is held against the values of the loss on a copy of the model in float64 (the
*shadow*), along a few random directions v through all parameters:

    g . v   against   D(h) = [L(theta + h v) - L(theta - h v)] / 2h,    and D(h/2)

    bound = |D(h) - D(h/2)|                  truncation, and kinks on the way
          + |D+ - D-|                        the slopes to both sides: at a kink any between is right
          + eps64 |L| / h                    rounding of the two losses
          + 4 |r| |v|,  r = g' - g64         what single precision rounds: g' is the gradient of an
                                             untouched copy of the model, g64 that of the shadow

g' and g64 come from the same formulas, so r says nothing of whether they are right, only how well they are
computed. Where g differs from g' by more than that rounding, the loop has spoiled it: that fails by itself.
A look evaluates the loss ten times on the shadow, and once on the copy: it took as
long as 16 steps of a 784-128-10 network with batches of 100, 1.6% of the time with one look in a thousand.
"""

import copy
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    import torch

LOG = logging.getLogger("backproof")
DIRECTIONS = 2
STEP = 2.0**-17  # times v, whose entries are as large as their parameter's tensor
SAME = 2.0**-20  # of a gradient: how far two runs of the same code in single precision may lie apart
REPEATED = 2.0**-45  # of a loss: a device that adds in an order of its own repeats it to this
USEFUL = 0.05  # a bound of more than this of the slope has seen nothing


@dataclass(frozen=True)
class Spot:
    """What one look said."""

    outcome: Outcome
    step: int  # of the training, counted by the calls
    error: float  # of the worst direction: |g . v - D|
    bound: float
    slope: float  # D along it
    reason: str

    def __bool__(self) -> bool:
        return self.outcome is Outcome.PASS

    def __str__(self) -> str:
        return f"step {self.step}: {self.outcome}: {self.reason}"


@dataclass
class SpotCheck:
    """Call it with the batch after `loss.backward()`; it looks at every `every`-th call.

    Parameters
    ----------
    model
        The torch module that is trained. It is copied for each look, never written to.
    loss
        loss(model, *batch) -> scalar tensor, as in the training loop: with autocast inside it, if that has
        it, and without a scaler's factor.
    every
        Calls from one look to the next; the first is the `every`-th.
    on_fail
        Called with the `Spot` of a FAIL. By default AssertionError is raised.
    seed
        Of the directions.

    Raises
    ------
    AssertionError
        On a FAIL, unless `on_fail` is given.
    """

    model: "torch.nn.Module"
    loss: "Callable[..., torch.Tensor]"
    every: int = 1000
    on_fail: Callable[[Spot], object] | None = None
    seed: int = 0
    n_calls: int = field(default=0, init=False)

    def __post_init__(self) -> None:
        if self.every < 1:
            raise InputError(f"every: expected at least 1, got {self.every}")

    def __call__(self, *batch: Any) -> Spot | None:
        """Look at this batch if it is its turn; every look is a line in the log `backproof`."""
        self.n_calls += 1
        if self.n_calls % self.every:
            return None
        spot = look(self.model, self.loss, batch, self.n_calls, self.seed)
        LOG.log(logging.ERROR if spot.outcome is Outcome.FAIL else logging.INFO, "spot check, %s", spot)
        if spot.outcome is Outcome.FAIL:
            if self.on_fail is None:
                raise AssertionError(str(spot))
            self.on_fail(spot)
        return spot


def look(
    model: "torch.nn.Module", loss: "Callable[..., torch.Tensor]", batch: Sequence[Any], step: int, seed: int
) -> Spot:
    """The gradient that stands in the model's parameters, against the loss of this batch."""
    trained = [p for p in model.parameters() if p.requires_grad and p.grad is not None]
    if not trained:
        return _undecided(step, "no parameter has a gradient; call it after loss.backward()")
    from backproof.reference.torch_arithmetic import same_random_numbers

    with same_random_numbers():  # the training goes on as if nobody had looked
        return _looked(model, loss, batch, step, seed)


def _looked(
    model: "torch.nn.Module", loss: "Callable[..., torch.Tensor]", batch: Sequence[Any], step: int, seed: int
) -> Spot:
    from backproof.reference.torch_arithmetic import double, double_module

    trained = [p for p in model.parameters() if p.requires_grad and p.grad is not None]
    claimed = [double(p.grad) for p in trained if p.grad is not None]
    shadow = double_module(copy.deepcopy(model))
    pairs = zip(model.parameters(), shadow.parameters(), strict=True)
    parameters = [q for p, q in pairs if p.requires_grad and p.grad is not None]
    wide = [_widened(part) for part in batch]

    first, again = loss(shadow, *wide), float(loss(shadow, *wide).detach())
    value = float(first.detach())
    if not math.isfinite(value):
        return Spot(Outcome.FAIL, step, float("inf"), 0.0, float("nan"), f"the loss of the batch is {value}")
    if abs(value - again) > REPEATED * abs(value):
        return _undecided(step, "two losses of the same batch differ: fix the seed, or check without dropout")
    if not all(math.isfinite(float(g.sum())) for g in claimed):
        return Spot(Outcome.FAIL, step, float("inf"), 0.0, float("nan"), "the gradient holds NaN or infinity")
    own = _gradient(first, parameters)  # before any of them is moved
    fresh = _own_gradient(model, loss, batch)
    kept = [q.detach().clone() for q in parameters]
    noise = 2.0**-50 * abs(value) + abs(value - again)
    return _judged(
        _Shadow(parameters, kept, claimed, fresh, own, value, noise, lambda: loss(shadow, *wide)), step, seed
    )


def _own_gradient(
    model: "torch.nn.Module", loss: "Callable[..., torch.Tensor]", batch: Sequence[Any]
) -> "list[torch.Tensor]":
    """The gradient that the same code gives on an untouched copy, of the parameters that have one."""
    fresh = copy.deepcopy(model)
    pairs = zip(model.parameters(), fresh.parameters(), strict=True)
    parameters = [q for p, q in pairs if p.requires_grad and p.grad is not None]
    return _gradient(loss(fresh, *batch), parameters)


def _gradient(value: "torch.Tensor", parameters: "Sequence[torch.Tensor]") -> "list[torch.Tensor]":
    """In double precision; zeros for a parameter that the loss does not use."""
    import torch

    from backproof.reference.torch_arithmetic import double

    found = torch.autograd.grad(value, list(parameters), allow_unused=True)
    return [double(torch.zeros_like(q) if g is None else g) for q, g in zip(parameters, found, strict=True)]


def _undecided(step: int, reason: str) -> Spot:
    return Spot(Outcome.INCONCLUSIVE, step, float("nan"), float("nan"), float("nan"), reason)


def _widened(part: Any) -> Any:
    """Floating-point tensors of the batch in double precision, all else as it is."""
    from backproof.reference.torch_arithmetic import doubled

    return doubled(part) if hasattr(part, "is_floating_point") else part


@dataclass(frozen=True)
class _Shadow:
    """The copy in double precision, and the gradient that is claimed for it."""

    parameters: "Sequence[torch.Tensor]"
    kept: "Sequence[torch.Tensor]"  # theta: their values before they are moved
    claimed: "Sequence[torch.Tensor]"
    fresh: "Sequence[torch.Tensor]"  # g'
    own: "Sequence[torch.Tensor]"  # g64
    value: float  # L(theta)
    noise: float  # of one loss: rounding, and what a second call was off
    loss: "Callable[[], torch.Tensor]"

    def moved(self, v: "Sequence[torch.Tensor]", by: float) -> float:
        """L(theta + by v)."""
        import torch

        with torch.no_grad():
            for p, theta, direction in zip(self.parameters, self.kept, v, strict=True):
                torch.add(theta, direction, alpha=by, out=p)
        return float(self.loss().detach())

    def slopes(self, v: "Sequence[torch.Tensor]", h: float) -> tuple[float, float]:
        """D-(h) and D+(h), the quotients to both sides."""
        return (self.value - self.moved(v, -h)) / h, (self.moved(v, h) - self.value) / h


def _judged(shadow: _Shadow, step: int, seed: int) -> Spot:
    """The worst of a few directions."""
    import torch

    rounded, size = _apart(shadow.fresh, shadow.own), _norm(shadow.claimed)
    spoiled = _apart(shadow.claimed, shadow.fresh)
    allowed = 4 * rounded + SAME * size
    if spoiled > allowed:
        reason = (
            f"the same code gives a gradient that is {spoiled / size if size else 1:.1%} different on an "
            "untouched copy: is it accumulated, scaled, or cut?"
        )
        return Spot(Outcome.FAIL, step, spoiled, allowed, size, reason)
    generator = torch.Generator().manual_seed(seed + step)
    spots = []
    for _ in range(DIRECTIONS):
        v = [_direction(p, generator) for p in shadow.parameters]
        far, near = shadow.slopes(v, STEP), shadow.slopes(v, STEP / 2)
        coarse, fine = sum(far) / 2, sum(near) / 2
        claim = _dot(shadow.claimed, v)
        bound = abs(coarse - fine) + abs(near[1] - near[0])
        bound += shadow.noise / STEP + 4 * rounded * _norm(v)
        spots.append((abs(claim - fine), bound, fine, size * _norm(v)))
    return _verdict(spots, step)


def _direction(p: "torch.Tensor", generator: "torch.Generator") -> "torch.Tensor":
    """Random, and in every tensor as large as that tensor's own entries."""
    import torch

    size = float(p.detach().abs().mean()) or 1.0
    v = torch.randn(p.shape, generator=generator, dtype=torch.float32)  # a fifth of the time of float64
    return v.to(p.device, torch.float64).mul_(size)


def _dot(first: "Sequence[torch.Tensor]", second: "Sequence[torch.Tensor]") -> float:
    return sum(float(g.flatten().dot(v.flatten())) for g, v in zip(first, second, strict=True))


def _norm(parts: "Sequence[torch.Tensor]") -> float:
    return math.sqrt(_dot(parts, parts))


def _apart(first: "Sequence[torch.Tensor]", second: "Sequence[torch.Tensor]") -> float:
    return _norm([g - h for g, h in zip(first, second, strict=True)])


def _verdict(spots: Sequence[tuple[float, float, float, float]], step: int) -> Spot:
    error, bound, slope, _ = max(spots, key=lambda spot: spot[0] / spot[1] if spot[1] else float("inf"))
    if error > bound:
        reason = (
            f"along a random direction the loss has slope {slope:.9g}, the gradient says {error:.3g} else"
        )
        return Spot(Outcome.FAIL, step, error, bound, slope, reason)
    seen = [one for one in spots if one[1] < USEFUL * max(abs(one[2]), one[3] / 10)]
    if not seen:
        return Spot(Outcome.INCONCLUSIVE, step, error, bound, slope, "kinks or rounding hide the slopes")
    share = min(one[1] / one[3] for one in seen if one[3])
    reason = f"{len(seen)} directions agree; an error of {share:.1e} of the gradient would have been seen"
    return Spot(Outcome.PASS, step, error, bound, slope, reason)
