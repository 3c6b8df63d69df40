"""What the campaign for derivatives that frameworks make finds: right ones that failed, wrong that passed."""

from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.verdicts.outcome import Outcome


@dataclass(frozen=True)
class Judgements:
    """Verdicts on one kind of derivatives: right ones, or those with one kind of mistake."""

    kind: str  # "" for right ones
    cases: int = 0
    passed: int = 0
    failed: int = 0
    refused: int = 0  # the framework has no second derivative of them, which was asked for
    told: tuple[str, ...] = ()  # what was said of those that should not have been so
    rivals: int = 0  # of the same, judged by the framework's own checker
    accepted: int = 0
    cpu_seconds: float = 0.0

    @property
    def open(self) -> int:
        """Neither passed nor failed, nor refused."""
        return self.cases - self.passed - self.failed - self.refused

    @property
    def name(self) -> str:
        return self.kind or "right"

    @property
    def verdict(self) -> Outcome:
        """A right one must not fail, a wrong one must not pass."""
        if not self.cases:
            return Outcome.INCONCLUSIVE
        return Outcome.FAIL if (self.passed if self.kind else self.failed) else Outcome.PASS


@dataclass(frozen=True)
class AutodiffCampaign:
    """By framework: the right ones first, then every kind of mistake."""

    verdict: Outcome
    frameworks: Mapping[str, tuple[Judgements, ...]]
    seed: int
    seconds: float = 0.0
    command: str = ""

    @property
    def rows(self) -> tuple[tuple[str, Judgements], ...]:
        """(framework, judgements) of all."""
        return tuple((name, row) for name, several in self.frameworks.items() for row in several)
