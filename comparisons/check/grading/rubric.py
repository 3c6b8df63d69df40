"""Points for a hand-in. By default mistakes count, not rows: one mistake that fails five checks costs once.

A file in TOML says otherwise:

    total = 20                   # of a right class
    per_cause = 5                # taken off for every cause the diagnosis names (at least one where it fails)

    [checks]                     # or: points per check that passes; then `total` is their sum
    gradient = 10
    loss = 4
"""

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class Rubric:
    """How many points what is worth."""

    total: float = 100.0
    per_cause: float = 25.0
    checks: Mapping[str, float] = field(default_factory=dict)

    @property
    def most(self) -> float:
        """The points of a class in which everything is right."""
        return sum(self.checks.values()) if self.checks else self.total

    def points(self, checked: CheckedClass) -> float:
        """What this class is given; nothing where no check passed, or it could not be judged."""
        passed = {row.check for row in checked.checks if row.verdict == Outcome.PASS}
        if self.checks:
            return sum(points for check, points in self.checks.items() if check in passed)
        if not passed or checked.outcome == Outcome.INCONCLUSIVE:
            return 0.0
        causes = max(1, len(checked.causes)) if checked.outcome == Outcome.FAIL else 0
        return max(0.0, self.total - self.per_cause * causes)


def load_rubric(path: str | None, names: tuple[str, ...]) -> Rubric:
    """The rubric in this file, the default one without. Raises InputError for a file that is none.

    `names` are the checks that there are.
    """
    if path is None:
        return Rubric()
    try:
        document = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise InputError(
            f"rubric: cannot read {path} ({getattr(error, 'strerror', None) or error})"
        ) from error
    known = {"total", "per_cause", "checks"}
    if unknown := sorted(set(document) - known):
        raise InputError(f"rubric: {path}: expected {', '.join(sorted(known))}; got {', '.join(unknown)}")
    checks = document.get("checks", {})
    if not isinstance(checks, dict) or (unknown := sorted(set(checks) - set(names))):
        raise InputError(
            f"rubric: {path}: expected checks among {', '.join(names)}; got {', '.join(unknown)}"
        )
    numbers = {**{k: v for k, v in document.items() if k != "checks"}, **checks}
    for name, value in numbers.items():
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e6:
            raise InputError(f"rubric: {path}: {name}: expected points of 0 or more, got {value!r}")
    default = Rubric()
    return Rubric(
        float(document.get("total", default.total)),
        float(document.get("per_cause", default.per_cause)),
        {name: float(points) for name, points in checks.items()},
    )
