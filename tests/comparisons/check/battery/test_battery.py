"""Every check can fail: for each there is a class that it rejects; and what a check compares it also says."""

from pathlib import Path

import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import EXCEPTIONS, Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo import catalogue

FOLDER = catalogue.default_folder()
HEAD = (
    f"import sys\nsys.path.insert(0, {str(FOLDER)!r})\nimport numpy as np\nfrom student import StudentMLP\n"
)

# What the mutants do not need a check for, each wrong in one line.
WRONG = {
    "weights": "def weights(self):\n        return [(W + 1e-300, b) for W, b in super().weights()]",
    "logits": "def logits(self, x):\n        return super().logits(x) * (1 + 1e-12)",
    "differences": "def weight_gradient(self, a, delta, layer):\n        return a[layer].T @ delta * 1.0001",
    "duplication": "def output_delta(self, z, t):\n        return super().output_delta(z, t) * len(z)",
    "float32": "def logits(self, x):\n        return super().logits(x).astype(float)",
    "integers": "def logits(self, x):\n        z = super().logits(x)\n"
    "        return z + 1 if x.dtype.kind == 'i' else z",
    "given weights": "def load(self, architecture, weights):\n        super().load(architecture, weights)\n"
    "        self.W = [W for W, _ in weights]",
}


@pytest.mark.parametrize("check", WRONG)
def test_a_check_rejects_what_it_asks_about(check: str, tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(f"{HEAD}\nclass Mine(StudentMLP):\n    {WRONG[check]}\n")
    target = Target(str(tmp_path / "own.py"), "Mine")
    checked = try_class(target, Settings(only=[check], quick=True, shrink=False))
    assert [row.verdict for row in checked.checks] == [Outcome.FAIL], checked.checks


def test_every_check_has_a_class_that_it_rejects() -> None:
    by_mutants = {entry.checks[0] for entry in catalogue.read(FOLDER) if entry.checks}
    assert {check.name for check in CHECKS} | {EXCEPTIONS} == by_mutants | set(WRONG)
