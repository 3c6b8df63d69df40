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
from dataclasses import replace
from textwrap import shorten
from time import perf_counter, process_time
from types import ModuleType
from typing import Any

from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign, Judgements
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.autodiff import check_autodiff
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.second_order import SECOND

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
SAID = 300  # characters of what was said of a case
REFUSALS = (RuntimeError, TypeError, ValueError, NotImplementedError)  # a checker that raises does not accept


def installed() -> list[str]:
    return [name for name in HOMES if importlib.util.find_spec(PACKAGES[name])]


def run(
    frameworks: Sequence[str], n: int | None, n_wrong: int, seed: int, progress: Progress
) -> AutodiffCampaign:
    """The first n functions of every framework (None: all of them), `n_wrong` of them with each mistake."""
    found: dict[str, tuple[Judgements, ...]] = {}
    started = perf_counter()
    for framework in frameworks:
        home = importlib.import_module(f"backproof.reference.{HOMES[framework]}")
        names = list(home.CASES)[:n]
        with progress.task(f"derivatives made by {framework}"), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # frameworks on each other's deprecations
            right = _right(framework, home, names, seed)
            found[framework] = (right, *(_wrong(framework, home, names[:n_wrong], k, seed) for k in ORDERS))
    return AutodiffCampaign(_verdict(found), found, seed, perf_counter() - started)


def _verdict(found: Mapping[str, Sequence[Judgements]]) -> Outcome:
    """A row that fails, else PASS; INCONCLUSIVE where nothing was judged."""
    judged = [row.verdict for several in found.values() for row in several if row.cases]
    return worst(judged) if judged else Outcome.INCONCLUSIVE


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
    said = f"{name}: {verdict.outcome}: {shorten(verdict.reason, SAID, placeholder=' …')}"
    return replace(
        tally,
        cases=tally.cases + 1,
        passed=tally.passed + verdict.passed,
        failed=tally.failed + (verdict.outcome == Outcome.FAIL),
        refused=tally.refused + _is_refused(verdict),
        told=(*tally.told, said) if unexpected else tally.told,
        cpu_seconds=tally.cpu_seconds + process_time() - started,
    )


def _is_refused(verdict: GradientVerdict) -> bool:
    """Whether all that is open is a second derivative that the framework has not."""
    undecided = [name for name, one in verdict.items() if one.outcome != Outcome.PASS]
    return undecided == [SECOND]


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
