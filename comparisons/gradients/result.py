"""What `backproof gradients` finds: the checks, the campaign, the sensitivity, the step sizes."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Check:
    """One gradient compared with another; the figures are those of the entry that uses most of its bound."""

    contender: str
    against: str  # a method of differentiation, or another contender
    architecture: str
    verdict: Outcome
    max_error: float
    bound: float
    resolution: float  # the smallest relative error of a tensor that would have been seen
    worst: str  # the entry's name, as W2[3, 1]; "" where nothing was compared
    n_compared: int = 0
    n_inconclusive: int = 0
    found: float = math.nan
    expected: float = math.nan
    loss_error: float | None = None
    loss_bound: float | None = None
    logits_error: float | None = None
    logits_bound: float | None = None
    reason: str = ""  # one sentence, where it did not pass

    @property
    def used(self) -> float | None:
        """error / bound: the part of the bound that the error uses; None where it is not known."""
        if not math.isfinite(self.max_error) or math.isnan(self.bound):
            return None
        return self.max_error / self.bound if self.bound else (0.0 if self.max_error == 0 else math.inf)


@dataclass(frozen=True)
class NotCompared:
    """A check that a contender's interface gives no way to make."""

    contender: str
    against: str
    architecture: str
    not_offered: str  # why


@dataclass(frozen=True)
class Gradients:
    """Every check of the main job."""

    verdict: Outcome
    seconds: float
    checks: tuple[Check | NotCompared, ...]

    @property
    def compared(self) -> list[Check]:
        """The checks that were made."""
        return [check for check in self.checks if isinstance(check, Check)]

    @property
    def absent(self) -> list[NotCompared]:
        """Those that could not be made."""
        return [check for check in self.checks if isinstance(check, NotCompared)]


# --- the campaign ------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Judged:
    """What the verdicts on one contender's correct gradients came to."""

    cases: int
    false_alarms: int
    inconclusive_cases: int
    entries: int
    inconclusive_entries: int
    exact_entries: int
    largest_error_over_bound: float
    median_bound_over_error: float  # of the networks' medians
    median_resolution: float
    first_failure: str
    spoiled: int = 0  # gradients of which one tensor was made wrong by ten times the printed resolution
    missed: int = 0  # of those, not failed
    zeros: int = 0  # all-zero gradients in place of others
    zeros_passed: int = 0
    worst_resolution: float = 0.0
    seconds: float = 0.0
    first_miss: str = ""
    median_over_entries: float = 0.0  # of bound / error, over all entries alike


@dataclass(frozen=True)
class Gradcheck:
    """What torch's gradcheck said of the same networks."""

    cases: int
    failed: int


@dataclass(frozen=True)
class CampaignRow:
    """Some of the networks: a cell, a family in one dtype, or all of them."""

    contenders: Mapping[str, Judged]
    gradcheck: Gradcheck
    family: str = "all"
    dtype: str = ""
    activation: str = ""


@dataclass(frozen=True)
class Campaign:
    """Random networks whose gradients are correct: how often is one of them failed?"""

    verdict: Outcome
    n_cases: int
    totals: CampaignRow
    families: tuple[CampaignRow, ...]
    cells: tuple[CampaignRow, ...]
    n_per_cell: int
    seed: int
    workers: int
    gradcheck_per_cell: int
    seconds: float
    interrupted: bool
    command: str = ""
    dtypes: tuple[CampaignRow, ...] = ()  # all families of float64, and of float32


# --- the sensitivity ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class SensitivityRow:
    """One family of networks in one dtype; shares are per relative error, in the order of those."""

    dtype: str
    family: str
    verdict: Outcome
    draws: int
    zero_gradients: int
    caught: tuple[float, ...]
    target: float
    caught_at_target: float
    smallest_caught: float | None
    gradcheck_draws: int
    gradcheck_rejected_correct: int
    gradcheck_caught: tuple[float, ...]
    gradcheck_smallest_caught: float | None


@dataclass(frozen=True)
class Sensitivity:
    """Correct gradients with one tensor made slightly wrong: how wrong must it be to be caught?"""

    verdict: Outcome
    relative_errors: tuple[float, ...]
    target_share: float
    rows: tuple[SensitivityRow, ...]
    n_per_cell: int
    seed: int
    workers: int
    gradcheck_per_cell: int
    seconds: float
    interrupted: bool
    command: str = ""


# --- the step sizes ----------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Optimum:
    """A method's default step and its error there."""

    step: float
    error: float


@dataclass(frozen=True)
class Slope:
    """Of log error over log step: derived, and fitted where there are points enough."""

    predicted: float
    measured: float | None


@dataclass(frozen=True)
class Slopes:
    """On both sides of the optimum."""

    truncation: Slope | None = None
    rounding: Slope | None = None


@dataclass(frozen=True)
class Curve:
    """One method in one dtype: relative errors by relative step, beside the derived terms."""

    method: str
    dtype: str
    order: int
    steps: tuple[float, ...]
    errors: tuple[float | None, ...]  # None: no error at all, which has no logarithm
    truncation: tuple[float, ...] | None
    rounding: tuple[float, ...] | None
    optimum: Optimum
    slopes: Slopes  # of none where a tableau of steps is taken


@dataclass(frozen=True)
class StepSizes:
    """Every difference scheme on one small network."""

    layer_sizes: tuple[int, ...]
    activation: str
    loss: str
    batch_size: int
    rows: int  # of Richardson's tableau
    seed: int
    curves: tuple[Curve, ...]
    backprop: Mapping[str, float]  # the error of backpropagation, by dtype
    seconds: float
