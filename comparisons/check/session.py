"""One class from target to causes: the trial, then the diagnosis in a fresh process."""

from collections.abc import Callable, Sequence

from backproof.comparisons.check.battery.battery import Check
from backproof.comparisons.check.diagnosis.diagnosis import Cause, diagnose
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.check.trial import Trial, run_trial
from backproof.comparisons.contenders.loading import Target


def try_class(
    target: Target,
    *,
    only: Sequence[str] = (),
    seed: int = 0,
    quick: bool = False,
    shrink: bool = True,
    time_limit: float = 60.0,
    call_limit: float = 10.0,
    on_check: Callable[[Check], None] = lambda check: None,
) -> tuple[Trial, list[Cause]]:
    """The outcomes of all checks and, where any failed, what may be the cause; see `run_trial`."""
    trial = run_trial(
        target,
        only=only,
        seed=seed,
        quick=quick,
        shrink=shrink,
        time_limit=time_limit,
        call_limit=call_limit,
        on_check=on_check,
    )
    if not trial.failed():
        return trial, []
    try:
        subject = Subject(trial.target, call_limit)
    except Misbehaviour as finding:
        return trial, [Cause(finding.text, "describes")]
    try:
        return trial, diagnose(subject, trial, seed)
    finally:
        subject.close()
