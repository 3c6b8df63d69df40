"""The campaign for derivatives that frameworks make: what does `check_autodiff` say of right and wrong ones?

Every function of `reference.torch_functions`, `jax_functions` and, where TensorFlow is installed,
`keras_functions` is judged as it is, in float64 and float32, first and second order; then with each of KINDS
of mistakes planted. The frameworks' own checkers judge the same in float64: gradcheck and gradgradcheck,
JAX's check_grads.

    FAIL           a right derivative failed, or a wrong one passed
    INCONCLUSIVE   nothing was judged
    PASS           else
"""

import importlib
import importlib.util
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from time import process_time
from types import ModuleType
from typing import Any

from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.autodiff import check_autodiff
from backproof.comparisons.verdicts.outcome import Outcome

ORDERS = {  # kind of mistake: the order at which it can be seen
    "scaled": 1,  # by 1 + 1e-6
    "scaled in float32": 1,  # by 1.01, in float32 alone
    "sign": 1,
    "one entry": 1,  # halved
    "second derivative": 2,  # by 1.001, the first being right
    "one of two outputs": 1,  # by 1 + 1e-6
}
ONLY_IN_FLOAT32 = "scaled in float32"
HOMES = {"torch": "torch_functions", "jax": "jax_functions", "tensorflow": "keras_functions"}
PACKAGES = {"torch": "torch", "jax": "jax", "tensorflow": "tensorflow"}
REFUSALS = (RuntimeError, TypeError, ValueError, NotImplementedError)  # a checker that raises does not accept


@dataclass(frozen=True)
class Judgements:
    """Verdicts on one kind of derivatives: right ones, or those with one kind of mistake."""

    kind: str  # "" for right ones
    cases: int = 0
    passed: int = 0
    failed: int = 0
    first: str = ""  # what was said of the first that should not have been so
    rivals: int = 0  # of the same, judged by the framework's own checker
    accepted: int = 0
    cpu_seconds: float = 0.0

    @property
    def open(self) -> int:
        return self.cases - self.passed - self.failed


@dataclass(frozen=True)
class AutodiffCampaign:
    """By framework: the right ones first, then every kind of mistake."""

    verdict: Outcome
    frameworks: Mapping[str, tuple[Judgements, ...]]
    seed: int


def installed() -> list[str]:
    return [name for name in HOMES if importlib.util.find_spec(PACKAGES[name])]


def run(
    frameworks: Sequence[str], n: int | None, n_wrong: int, seed: int, progress: Progress
) -> AutodiffCampaign:
    """The first n functions of every framework (None: all of them), `n_wrong` of them with each mistake."""
    found: dict[str, tuple[Judgements, ...]] = {}
    for framework in frameworks:
        home = importlib.import_module(f"backproof.reference.{HOMES[framework]}")
        names = list(home.CASES)[:n]
        with progress.task(f"derivatives made by {framework}"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # frameworks on each other's deprecations
            right = _right(framework, home, names, seed)
            found[framework] = (right, *(_wrong(framework, home, names[:n_wrong], k, seed) for k in ORDERS))
    return AutodiffCampaign(_verdict(found), found, seed)


def _verdict(found: Mapping[str, Sequence[Judgements]]) -> Outcome:
    rows = [row for several in found.values() for row in several]
    if any(row.failed if not row.kind else row.passed for row in rows):
        return Outcome.FAIL
    return Outcome.PASS if sum(row.cases for row in rows) else Outcome.INCONCLUSIVE


def _right(framework: str, home: ModuleType, names: Sequence[str], seed: int) -> Judgements:
    """First and second order in one verdict."""
    tally = Judgements("")
    for name in names:
        f, args = home.case(name, seed)
        tally = _added(tally, f, args, 2, name)
        tally = _rival(tally, framework, home, f, args, (1, 2))
    return tally


def _wrong(framework: str, home: ModuleType, names: Sequence[str], kind: str, seed: int) -> Judgements:
    tally, order = Judgements(kind), ORDERS[kind]
    for name in names:
        f, args = home.case(name, seed)
        wrong = home.mistaken(f, kind)
        tally = _added(tally, wrong, args, order, name)
        if kind != ONLY_IN_FLOAT32:  # the others judge float64 alone
            tally = _rival(tally, framework, home, wrong, args, (order,))
    return tally


def _added(tally: Judgements, f: Any, args: Sequence[Any], order: int, name: str) -> Judgements:
    started = process_time()
    verdict = check_autodiff(f, *args, order=order)
    unexpected = not verdict if not tally.kind else verdict.outcome != Outcome.FAIL
    return replace(
        tally,
        cases=tally.cases + 1,
        passed=tally.passed + verdict.passed,
        failed=tally.failed + (verdict.outcome == Outcome.FAIL),
        first=tally.first or (f"{name}: {verdict.outcome}: {verdict.reason}" if unexpected else ""),
        cpu_seconds=tally.cpu_seconds + process_time() - started,
    )


def _rival(
    tally: Judgements, framework: str, home: ModuleType, f: Any, args: Sequence[Any], orders: Sequence[int]
) -> Judgements:
    """The framework's own checker accepts where it does so at every one of the orders."""
    accepts = {"torch": "gradcheck_accepts", "jax": "check_grads_accepts"}.get(framework)
    if accepts is None:
        return tally
    try:
        accepted = all(getattr(home, accepts)(f, args, order) for order in orders)
    except REFUSALS:
        accepted = False
    return replace(tally, rivals=tally.rivals + 1, accepted=tally.accepted + accepted)
