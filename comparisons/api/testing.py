"""backproof in a test suite of your own: gradients asserted, whole classes checked, a test for each check.

    from backproof.testing import assert_gradient, parametrize_with_checks
    from my_mlp import MyMLP, loss, gradient, params

    def test_my_gradient():
        assert_gradient(loss, gradient, params)

    @parametrize_with_checks([MyMLP])
    def test_my_network(check):
        check()

A check that the class offers no method for is skipped with that reason; everything else that is not a PASS
fails, with the smallest case as code and what may be the cause. Nothing is done to warnings: those of your
code are yours.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

    import pytest
    import torch

    from backproof.comparisons.compare.spot_check import Spot, SpotCheck
    from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict

TIME_LIMIT = 600.0  # seconds for all checks of one class; a CI machine may be slow


def assert_gradient(f: Callable[..., Any], gradient: Any, params: Any, **options: Any) -> GradientVerdict:
    """Fail unless `gradient` is the derivative of f at `params`; arguments as `backproof.check_gradient`.

    Parameters
    ----------
    f, gradient, params
        Those of `backproof.check_gradient`.
    **options
        Its options, such as `resolution` and `seed`.

    Returns
    -------
    GradientVerdict
        The verdict, which is a PASS.

    Raises
    ------
    AssertionError
        For FAIL and for INCONCLUSIVE, with the reason, and a line for every tensor, the worst first.
    """
    __tracebackhide__ = True
    from backproof.comparisons.verdicts.any_function import check_gradient

    verdict = check_gradient(f, gradient, params, **options)
    verdict.raise_if_failed()
    return verdict


def spot_check(
    model: torch.nn.Module,
    loss: Callable[..., torch.Tensor],
    every: int = 1000,
    on_fail: Callable[[Spot], object] | None = None,
    seed: int = 0,
) -> SpotCheck:
    """Look at the gradient of one batch in `every` of a torch training loop.

        check = backproof.testing.spot_check(model, lambda model, x, y: loss(model(x), y))
        for x, y in loader:
            optimizer.zero_grad()
            loss(model(x), y).backward()
            check(x, y)
            optimizer.step()

    Arguments and what is raised: `comparisons.compare.spot_check.SpotCheck`.

    Parameters
    ----------
    model
        The torch module that is trained. It is copied for each look, never written to.
    loss
        loss(model, *batch) -> scalar tensor, as in the training loop.
    every
        Calls from one look to the next; the first is the `every`-th.
    on_fail
        Called with what was seen where a look fails; without it AssertionError is raised.
    seed
        Of the directions.

    Returns
    -------
    SpotCheck
        To be called with the batch after each backward pass.

    Raises
    ------
    InputError
        For an `every` below 1.
    """
    from backproof.comparisons.compare.spot_check import SpotCheck

    return SpotCheck(model, loss, every, on_fail, seed)


def parametrize_with_checks(
    classes: Iterable[type | str], *, only: Sequence[str] = (), quick: bool = True, seed: int = 0
) -> pytest.MarkDecorator:
    """Make one test for each check of `backproof check` and each class; the test takes `check` and calls it.

    Parameters
    ----------
    classes
        Classes at the top of a module, or texts such as ``my_mlp.py:MyMLP``. They run in a process of their
        own.
    only
        Names of checks; all of them by default.
    quick
        A quarter of the cases.
    seed
        Of the cases.

    Returns
    -------
    pytest.MarkDecorator
        A test of its own for each class and check.

    Raises
    ------
    InputError
        For a class inside a function, a file that is not there, or an unknown check.
    """
    import pytest

    checks = [check for target in classes for check in checks_of(target, only=only, quick=quick, seed=seed)]
    return pytest.mark.parametrize("check", checks, ids=str)


def checks_of(
    target: type | str, *, only: Sequence[str] = (), quick: bool = True, seed: int = 0
) -> list[BoundCheck]:
    """Every check, bound to the class; they share one trial, which runs when the first of them is called.

    Parameters
    ----------
    target
        A class at the top of a module, or a text such as ``my_mlp.py:MyMLP``.
    only
        Names of checks; all of them by default.
    quick
        A quarter of the cases.
    seed
        Of the cases.

    Returns
    -------
    list of BoundCheck
        In the order of the battery.

    Raises
    ------
    InputError
        For a class inside a function, a file that is not there, or an unknown check.
    """
    from backproof.comparisons.check.battery.battery import CHECKS
    from backproof.comparisons.contenders.loading import parse_target

    known = [check.name for check in CHECKS]
    for name in only:
        if name not in known:
            raise InputError(f"only: expected some of {', '.join(known)}; got {name!r}")
    text = target if isinstance(target, str) else place_of(target)
    parse_target(text)
    trial = SharedTrial(text, quick, seed)
    return [BoundCheck(trial, name) for name in known if not only or name in only]


def place_of(kind: type) -> str:
    """``file.py:Class`` of a class, or ``package.module:Class`` where its module is part of a package.

    Parameters
    ----------
    kind
        A class at the top of a module that is a file.

    Returns
    -------
    str
        As `check_class` takes it.

    Raises
    ------
    InputError
        For a class inside a function, and one that was typed into a session.
    """
    if "." in kind.__qualname__:
        raise InputError(f"classes: expected a class at the top of its module, got {kind.__qualname__}")
    if "." in kind.__module__:
        return f"{kind.__module__}:{kind.__name__}"
    try:
        return f"{inspect.getfile(kind)}:{kind.__name__}"
    except (TypeError, OSError) as error:
        raise InputError(f"classes: expected a class of a file, got {kind.__name__} ({error})") from error


@dataclass
class SharedTrial:
    """One class on trial, once, with those of its checks that were asked for."""

    target: str
    quick: bool
    seed: int
    wanted: set[str] = field(default_factory=set)  # empty: all
    found: dict[str, Found] = field(default_factory=dict, repr=False)

    @property
    def name(self) -> str:
        return self.target.rpartition(":")[2]

    def result(self, name: str) -> Found:
        """What the check of this name came to; the first call runs them all."""
        if name not in self.found:
            self.found.update(_tried(self, {name, *self.wanted}))
        return self.found[name]


@dataclass(frozen=True, repr=False)
class BoundCheck:
    """One check of one class; its text is the id of its test."""

    trial: SharedTrial
    name: str

    def __call__(self) -> None:
        """Raise AssertionError unless it is a PASS; skip the test where the class offers nothing to check."""
        __tracebackhide__ = True
        import pytest

        found = self.trial.result(self.name)
        if found.skipped:
            # What a class does not offer is an answer, neither passed nor failed: pytest shows the reason.
            pytest.skip(found.text)
        if not found.passed:
            raise AssertionError(found.text)

    def __str__(self) -> str:
        return f"{self.trial.name}-{self.name.replace(' ', '-')}"

    def __repr__(self) -> str:
        return f"<{self.name} of {self.trial.target}>"


@dataclass(frozen=True)
class Found:
    """What one check came to: passed, skipped (not offered, or not judged), or neither."""

    passed: bool
    skipped: bool
    text: str


def _tried(trial: SharedTrial, names: set[str]) -> dict[str, Found]:
    """Run the checks of these names."""
    from backproof.comparisons.check.session import try_class
    from backproof.comparisons.check.trial import NOT_JUDGED, NOT_OFFERED, Settings
    from backproof.comparisons.contenders.loading import parse_target
    from backproof.comparisons.verdicts.outcome import Outcome

    settings = Settings(only=sorted(names), quick=trial.quick, seed=trial.seed, time_limit=TIME_LIMIT)
    checked = try_class(parse_target(trial.target), settings)
    because = [f"{rank}. {cause.sentence}" for rank, cause in enumerate(checked.causes, start=1)]
    more = [*because, f"\n{checked.code_shows}:\n\n{checked.code}"] if checked.code else because
    found = {}
    for row in checked.checks:
        text = "\n".join([f"{row.verdict}: {row.text}", *(more if row.verdict == Outcome.FAIL else [])])
        skipped = row.verdict in (NOT_OFFERED, NOT_JUDGED)
        found[row.check] = Found(row.verdict == Outcome.PASS, skipped, text)
    # A class that could not even be made is one finding, and every check's.
    [first, *_] = found.values()
    return {name: found.get(name, first) for name in names}
