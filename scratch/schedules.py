"""Learning-rate schedules: the rate of step t (from 0) is the optimiser's own rate times factor(t).

    step_decay   gamma^floor(t / every)
    cosine       f + (1 - f) (1 + cos(pi t / T)) / 2        Loshchilov, Hutter 2017, eq. 5, one period
    one_cycle    up from 1/d to 1, then down to 1/(d e), on half cosines       Smith, Topin 2018

T is the number of steps. The factors are those of torch.optim.lr_scheduler: StepLR, CosineAnnealingLR, and
OneCycleLR with its cosines and a fixed momentum. t may be fractional: a schedule can follow the clock.
"""

import math
from collections.abc import Callable

from .errors import expect

Schedule = Callable[[float], float]  # steps already taken -> factor on the learning rate


def step_decay(every: int, gamma: float = 0.1) -> Schedule:
    """A factor that falls by steps.

    Parameters
    ----------
    every
        After so many steps, at least 1, it falls.
    gamma
        By this factor in (0, 1].

    Returns
    -------
    Schedule
        gamma^floor(t / every).

    Raises
    ------
    InputError
        For an argument out of its range.
    """
    expect(every >= 1, f"every: expected at least 1, got {every!r}")
    expect(0.0 < gamma <= 1.0, f"gamma: expected a number in (0, 1], got {gamma!r}")
    return lambda t: gamma ** (t // every)


def cosine(n_steps: int, final: float = 0.0) -> Schedule:
    """A factor that falls along half a cosine, and stays where it ends.

    Parameters
    ----------
    n_steps
        At which step, at least 1, it ends.
    final
        Where it ends, in [0, 1]; it starts at 1.

    Returns
    -------
    Schedule
        final + (1 - final) (1 + cos(pi t / n_steps)) / 2.

    Raises
    ------
    InputError
        For an argument out of its range.

    References
    ----------
    Loshchilov, Hutter 2017, equation 5.
    """
    expect(n_steps >= 1, f"n_steps: expected at least 1, got {n_steps!r}")
    expect(0.0 <= final <= 1.0, f"final: expected a number in [0, 1], got {final!r}")
    return lambda t: _half_cosine(1.0, final, t / n_steps)


def one_cycle(
    n_steps: int, warm_up: float = 0.3, start_divisor: float = 25.0, final_divisor: float = 1e4
) -> Schedule:
    """Up to 1 and down again.

    Parameters
    ----------
    n_steps
        At least 2. The last, n_steps - 1, has the lowest factor; so have steps after it.
    warm_up
        The share in (0, 1) of the steps that go up.
    start_divisor, final_divisor
        The factor starts at 1/start_divisor and ends at 1/(start_divisor * final_divisor); at least 1 each.

    Returns
    -------
    Schedule
        Two halves of cosines, the steps of both being taken.

    Raises
    ------
    InputError
        For an argument out of its range.

    References
    ----------
    Smith, Topin 2018.
    """
    expect(n_steps >= 2, f"n_steps: expected at least 2, got {n_steps!r}")
    expect(0.0 < warm_up < 1.0, f"warm_up: expected a share in (0, 1), got {warm_up!r}")
    expect(start_divisor >= 1.0, f"start_divisor: expected at least 1, got {start_divisor!r}")
    expect(final_divisor >= 1.0, f"final_divisor: expected at least 1, got {final_divisor!r}")
    low, lowest = 1.0 / start_divisor, 1.0 / (start_divisor * final_divisor)
    # Both phases end on a step that is taken. A warm-up shorter than one step is none.
    top, last = max(warm_up * n_steps - 1.0, 0.0), n_steps - 1.0

    def factor(t: float) -> float:
        if t < top:
            return _half_cosine(low, 1.0, t / top)
        return _half_cosine(1.0, lowest, (t - top) / (last - top))

    return factor


def _half_cosine(start: float, stop: float, share: float) -> float:
    """stop + (start - stop) (1 + cos(pi share)) / 2, with share held in [0, 1]."""
    return stop + (start - stop) * (1.0 + math.cos(math.pi * min(max(share, 0.0), 1.0))) / 2.0
