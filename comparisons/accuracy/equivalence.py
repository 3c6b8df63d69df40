"""Are two accuracies the same? Equivalence of paired differences, and McNemar's test.

With seed i, both contenders start from the same weights and see the same batches; d_i is the difference of
their test accuracies in points (1 point = 1% of the test images), n the number of seeds,

    mean = 1/n sum d_i     s^2 = 1/(n-1) sum (d_i - mean)^2     interval = mean +- t_{0.95, n-1} s / sqrt(n)

the 90% confidence interval. Against a margin fixed beforehand:

    equivalent   the interval lies inside (-margin, margin)
    different    the interval lies outside [-margin, margin]
    undecided    it contains -margin or margin

"Equivalent" is the two one-sided tests procedure at 5% [1, 2]: where the true
difference is at least the margin, it is called equivalent with probability at most 5%; where it is at most
the margin, it is called different with probability at most 5%. Both are 5% where the truth is the margin
itself and s / sqrt(n) is small beside it. Three outcomes, because a wide interval is evidence of nothing.

McNemar's test [3]: of the images that exactly one of the two gets right, b are right here and c there; were
both equally good, b would be binomial(b + c, 1/2). Shown per seed, not decided on: one seed tells two trained
networks apart; that says little about two implementations.

References
----------
[1] Schuirmann 1987.  [2] Lakens 2017.  [3] McNemar 1947. In full: `backproof.scratch.references`.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast

import numpy as np
from scipy import stats

from backproof.comparisons.accuracy.result import EquivalenceWord
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

CONFIDENCE = 0.90  # of the interval: two one-sided tests at 5% each
VERDICTS: dict[EquivalenceWord, Outcome] = {
    "equivalent": Outcome.PASS,
    "different": Outcome.FAIL,
    "undecided": Outcome.INCONCLUSIVE,
}


@dataclass(frozen=True)
class Equivalence:
    """The outcome for one pair, with what it was decided on. Differences and margin in the same unit."""

    outcome: EquivalenceWord
    difference: float  # the mean
    interval: tuple[float, float]  # 90%; infinite where there is one seed only
    margin: float
    p_equivalence: float  # the larger p-value of the two one-sided tests
    n: int

    @property
    def verdict(self) -> Outcome:
        """The outcome as a verdict."""
        return VERDICTS[self.outcome]


def paired_equivalence(differences: Sequence[float] | Array, margin: float) -> Equivalence:
    """Decide on paired differences (n,). One pair decides nothing: its interval is infinite.

    Raises InputError for no differences, differences that are not finite, or a margin that is not positive.
    """
    d = np.asarray(differences, dtype=np.float64)
    if d.ndim != 1 or len(d) == 0 or not np.isfinite(d).all():
        raise InputError(f"differences: expected at least one finite number, got {differences!r}")
    if not 0 < margin < np.inf:
        raise InputError(f"margin: expected a positive number, got {margin!r}")
    mean, low, high = (float(value) for value in intervals(d))
    return Equivalence(
        outcome=cast(EquivalenceWord, str(outcomes(low, high, margin))),
        difference=mean,
        interval=(low, high),
        margin=float(margin),
        p_equivalence=_p_equivalence(d, margin),
        n=len(d),
    )


def intervals(differences: Array) -> tuple[Any, Any, Any]:
    """(mean, low, high) of the 90% interval along the last axis."""
    n = differences.shape[-1]
    mean = differences.mean(axis=-1)
    if n == 1:
        return mean, np.full_like(mean, -np.inf), np.full_like(mean, np.inf)
    half = stats.t.ppf((1 + CONFIDENCE) / 2, n - 1) * differences.std(axis=-1, ddof=1) / np.sqrt(n)
    return mean, mean - half, mean + half


def outcomes(low: Any, high: Any, margin: float) -> Any:
    """The three outcomes, elementwise."""
    inside = (low > -margin) & (high < margin)
    outside = (low > margin) | (high < -margin)
    return np.where(inside, "equivalent", np.where(outside, "different", "undecided"))


def _p_equivalence(d: Array, margin: float) -> float:
    n = len(d)
    if n == 1:
        return 1.0
    distance = margin - abs(d.mean())  # to the nearer end; its one-sided test has the larger p-value
    error = d.std(ddof=1) / np.sqrt(n)
    if error == 0.0:
        return 0.0 if distance > 0 else 1.0
    return float(stats.t.sf(distance / error, n - 1))


def mcnemar(only_here: int, only_there: int) -> float:
    """Two-sided exact p-value of `only_here` against `only_there` discordant images; 1 if there are none."""
    if only_here < 0 or only_there < 0:
        raise InputError(f"counts: expected 0 or more, got {only_here} and {only_there}")
    discordant = only_here + only_there
    return float(stats.binomtest(only_here, discordant).pvalue) if discordant else 1.0


def simulated_outcomes(
    difference: float,
    deviation: float,
    *,
    margin: float,
    n_seeds: int,
    n_trials: int,
    seed: int,
    n_images: int | None = None,
) -> dict[EquivalenceWord, float]:
    """How often each outcome is returned when the truth is known: shares of `n_trials` simulated studies.

    Every study draws `n_seeds` differences (points) with mean `difference` and standard deviation `deviation`
    per seed. With `n_images` they come as they do in life, in whole test images: of those that exactly one
    contender gets right, Poisson numbers go to either side; else they are normal.
    """
    rng = np.random.default_rng(seed)
    shape = (n_trials, n_seeds)
    if n_images is None:
        drawn = rng.normal(difference, deviation, shape)
    else:
        drawn = 100.0 / n_images * _image_differences(rng, difference, deviation, n_images, shape)
    _, low, high = intervals(drawn)
    found = outcomes(low, high, margin)
    return {name: float(np.mean(found == name)) for name in VERDICTS}


def _image_differences(
    rng: np.random.Generator, difference: float, deviation: float, n_images: int, shape: tuple[int, int]
) -> Array:
    """b - c with the wanted mean and variance: b ~ Poisson, c ~ Poisson (rare discordant images)."""
    mean, variance = difference * n_images / 100.0, (deviation * n_images / 100.0) ** 2
    if variance < abs(mean):
        least = 100 * np.sqrt(abs(mean)) / n_images
        raise InputError(f"deviation: expected at least {least:.3g} points with {n_images} images")
    b, c = (variance + mean) / 2, (variance - mean) / 2
    counts: Array = rng.poisson(b, shape) - rng.poisson(c, shape)
    return counts
