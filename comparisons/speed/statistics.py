"""From the log of rounds to ratios with confidence intervals.

    r_{lk}   = time of the contender / time of scratch, in round k of launch l       (> 1: scratch is faster)
    m_l      = median over k of log r_{lk}                                            one figure per launch
    estimate = exp(mean_l m_l),   95% interval exp(mean_l m_l +- t_{L-1} s / sqrt(L))

Rounds of one launch share memory layout, address randomisation and compiled code, so they are no independent
measurements: launches are (Kalibera, Jones 2013; Georges, Buytaert, Eeckhout 2007). A quick run has one
launch only; its unit is then the round, and its interval says nothing about other launches. The noise floor
is the same interval for scratch against itself: the largest |log ratio| that it holds. A contender's interval
that reaches into [1/floor, floor] is "no difference seen".
"""

import math
from collections.abc import Iterable, Sequence
from statistics import median

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.speed.entrants import CONTROL
from backproof.comparisons.speed.result import Estimate, Finding, NoiseFloor, Record


def log_ratios(records: Sequence[Record], entry: str, against: str = SCRATCH) -> dict[int, float]:
    """log(time of entry / time of `against`) per unit.

    A unit is a launch, with the median over its rounds; or, where there is one launch, each of its rounds.
    Turns at fault are left out, and rounds that lack one of the two.
    """
    launches = _by_launch(records, entry, against)
    if len({r.launch for r in records}) > 1:
        return {launch: median(found.values()) for launch, found in launches.items()}
    return next(iter(launches.values()), {})


def _by_launch(records: Iterable[Record], entry: str, against: str) -> dict[int, dict[int, float]]:
    """launch -> round -> log ratio."""
    seconds = {(r.launch, r.round, r.entry): r.seconds for r in records if r.fault is None}
    ratios: dict[int, dict[int, float]] = {}
    for (launch, number, name), own in seconds.items():
        base = seconds.get((launch, number, against))
        if name == entry and base is not None:
            ratios.setdefault(launch, {})[number] = math.log(own / base)
    return ratios


def estimate(logs: Sequence[float]) -> Estimate | None:
    """From one log ratio per unit; None of nothing. A single unit has every ratio in its interval."""
    if not logs:
        return None
    n, centre = len(logs), math.fsum(logs) / len(logs)
    if n == 1:
        return Estimate(math.exp(centre), (0.0, math.inf), 1)
    from scipy.stats import t

    deviation = math.sqrt(math.fsum((value - centre) ** 2 for value in logs) / (n - 1))
    half = float(t.ppf(0.975, n - 1)) * deviation / math.sqrt(n)
    return Estimate(math.exp(centre), (math.exp(centre - half), math.exp(centre + half)), n)


def noise_floor(records: Sequence[Record]) -> NoiseFloor | None:
    """Scratch against itself, and the ratio that nothing is said inside of."""
    found = estimate(list(log_ratios(records, CONTROL).values()))
    return NoiseFloor(found, floor_ratio(found)) if found is not None else None


def floor_ratio(noise: Estimate | None) -> float:
    """The ratio (>= 1) inside of which nothing is said: the far end of the A/A interval, or infinity."""
    if noise is None or noise.low <= 0.0:
        return math.inf
    return max(noise.high, 1.0 / noise.low)


def finding(found: Estimate, floor: float) -> Finding:
    """Faster or slower only where the whole interval lies outside the noise floor."""
    if found.low > floor:
        return Finding.FASTER
    if found.high < 1.0 / floor:
        return Finding.SLOWER
    return Finding.SAME


def geometric_mean(per_case: Sequence[dict[int, float]]) -> Estimate | None:
    """Over cases: the mean log ratio of each unit that has every case, then as `estimate`."""
    if not per_case:
        return None
    shared = set.intersection(*(set(case) for case in per_case))
    return estimate([math.fsum(case[k] for case in per_case) / len(per_case) for k in sorted(shared)])
