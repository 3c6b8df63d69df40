"""How often is the equivalence verdict wrong? Simulated studies whose truth is known.

A study of n seeds is wrong when it says "equivalent" although the true difference is at least the margin, or
"different" although it is at most the margin. Each may happen in 5% of the studies (`equivalence`); at
a true difference equal to the margin both errors are possible, and each happens in 5% where the interval is
short beside the margin. A case holds when each error's share among N studies is no more than 5% plus four
binomial standard errors, 4 sqrt(0.05 0.95 / N), and, at the margin with short intervals, no less than 5%
minus that (four, because dozens of shares are held at once). Differences are drawn normal, and once more as
they come in life: in whole test images.
"""

import math
from itertools import product

from backproof.comparisons.accuracy.equivalence import CONFIDENCE, simulated_outcomes
from backproof.comparisons.accuracy.result import EquivalenceWord, ErrorRates, SimulatedCase
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError

NOMINAL = (1 - CONFIDENCE) / 2
TRUTHS = (0.0, 0.5, 1.0, 1.5)  # true difference / margin
DEVIATIONS = (0.06, 0.15)  # points per seed: about what plain SGD shows, and SGD with momentum 0.9
SEEDS = (5, 20)
N_IMAGES = 10_000


def run(n_trials: int, margin: float, seed: int) -> ErrorRates:
    """Simulate `n_trials` studies per case.

    Raises InputError for fewer than 100 studies.
    """
    if n_trials < 100:
        raise InputError(f"error_rates: expected at least 100 studies per case, got {n_trials}")
    cases = [
        _case(n_trials, margin, seed + index, *chosen)
        for index, chosen in enumerate(product(TRUTHS, DEVIATIONS, SEEDS, (None, N_IMAGES)))
    ]
    return ErrorRates(
        margin_points=margin,
        n_trials=n_trials,
        nominal=NOMINAL,
        cases=tuple(cases),
        verdict=Outcome.PASS if all(case.holds for case in cases) else Outcome.FAIL,
    )


def _case(
    n_trials: int,
    margin: float,
    seed: int,
    truth: float,
    deviation: float,
    n_seeds: int,
    n_images: int | None,
) -> SimulatedCase:
    shares = simulated_outcomes(
        truth * margin,
        deviation,
        margin=margin,
        n_seeds=n_seeds,
        n_trials=n_trials,
        seed=seed,
        n_images=n_images,
    )
    wrong: dict[EquivalenceWord, float] = {}
    if truth >= 1:
        wrong["equivalent"] = shares["equivalent"]
    if truth <= 1:
        wrong["different"] = shares["different"]
    # The interval's half width is near 1.7 s / sqrt(n): short when it is less than half the margin.
    exact = truth == 1 and 1.7 * deviation / math.sqrt(n_seeds) < margin / 2
    return SimulatedCase(
        true_difference=truth * margin,
        deviation=deviation,
        n_seeds=n_seeds,
        images=n_images,
        shares=shares,
        wrong=wrong,
        holds=all(_holds(share, n_trials, exact) for share in wrong.values()),
    )


def _holds(share: float, n_trials: int, exact: bool) -> bool:
    slack = 4 * math.sqrt(NOMINAL * (1 - NOMINAL) / n_trials)
    return share <= NOMINAL + slack and (not exact or share >= NOMINAL - slack)
