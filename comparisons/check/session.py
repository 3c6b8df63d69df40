"""One class from target to causes: the trial, the diagnosis, and both as plain data."""

from collections.abc import Callable

from backproof.comparisons.check.diagnosis.diagnosis import Diagnosis, diagnose
from backproof.comparisons.check.diagnosis.source_lines import with_lines
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow
from backproof.comparisons.check.snippet import snippet
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.check.template import advice
from backproof.comparisons.check.trial import CheckResult, Settings, Trial, run_trial
from backproof.comparisons.contenders.loading import Target, parse_target


def check_class(target: str, *, quick: bool = False, seed: int = 0, strict: bool = False) -> CheckedClass:
    """Put a class on trial: gradients, loss, training, state, dtypes.

    Parameters
    ----------
    target
        ``my_mlp.py:MyMLP`` or ``package.module:Class``. It is run in a process of its own.
    quick
        A quarter of the cases.
    seed
        Of the cases; the same seed tries the same ones.
    strict
        Conventions of the class's own (a sum where our loss is a mean, say) are mistakes too.

    Returns
    -------
    CheckedClass
        True where every check that could be asked is PASS; `causes` says what may be wrong.

    Raises
    ------
    InputError
        For a target that is not there.
    """
    return try_class(parse_target(target), Settings(quick=quick, seed=seed, strict=strict))


def try_class(
    target: Target, settings: Settings, on_check: Callable[[str], None] = lambda name: None
) -> CheckedClass:
    """The results of all checks and, where any failed, what may be the cause.

    Parameters
    ----------
    target
        Where the class is.
    settings
        How it is tried.
    on_check
        Called with the name of each check as it begins.

    Returns
    -------
    CheckedClass
        Plain data, which can be kept.

    Raises
    ------
    InputError
        For a target that is not there.
    """
    trial = run_trial(target, settings, on_check)
    diagnosis = _diagnosis(trial, settings, on_check)
    shown = diagnosis.example or next(iter(trial.failed()), None)
    explored = trial.explored
    return CheckedClass(
        str(trial.target),
        trial.verdict,
        round(trial.seconds, 3),
        tuple(map(_row, trial.results)),
        with_lines(diagnosis.causes, trial.target, _tensor(shown)),
        (*explored.notes, *trial.limits, *explored.candidate.subject.notes) if explored else (),
        explored.line() if explored else "",
        snippet(trial.target, shown, _by_network(explored)) if shown else "",
        f"The smallest case found for {shown.check}" if shown else "",
        tuple(advice(explored.candidate.methods, trial.target.place)) if explored else (),
    )


def _by_network(explored: Explored | None) -> bool:
    return explored is not None and "network" in explored.candidate.methods


def _tensor(shown: CheckResult | None) -> str:
    """The tensor of the worst entry of the case shown, as ``W2``."""
    worst = shown.comparison.worst if shown and shown.comparison else ""
    return worst.partition("[")[0]


def _row(result: CheckResult) -> CheckRow:
    counts = result.counts
    return CheckRow(
        result.check,
        result.question,
        str(result.verdict),
        result.text,
        counts.tried,
        counts.undecided,
        round(counts.seconds, 3),
        result.comparison,
    )


def _diagnosis(trial: Trial, settings: Settings, on_check: Callable[[str], None]) -> Diagnosis:
    if not trial.failed():
        return Diagnosis()
    if trial.explored is None:
        return Diagnosis([Cause(trial.failed()[0].text, "describes")])
    on_check("what may be the cause")
    subject = trial.explored.candidate.subject
    try:
        return diagnose(trial, settings.seed)
    except Misbehaviour as finding:
        return Diagnosis([Cause(finding.text, "describes")])
    finally:
        subject.close()
