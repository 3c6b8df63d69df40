"""The main job: plan -> experiment -> gradients, accuracy, speed -> results.json -> report.

After every part the results are written and the report is drawn, so that an interrupted run keeps what it
finished. Parts and keys that other commands added to the same folder stay.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from backproof.comparisons.check.results import CheckPart
from backproof.comparisons.contenders.known import family
from backproof.comparisons.experiment import Experiment, Plan, Planned, resolve
from backproof.comparisons.gradients.result import Gradients
from backproof.comparisons.report import document as results
from backproof.comparisons.report import write
from backproof.comparisons.report.document import Results, outcome_of
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome, worst

# In this order, with the share of the time that each takes, roughly; each is `comparisons.<part>.part.run`.
PARTS = {"gradients": 0.1, "accuracy": 0.6, "speed": 0.3}

Run = Callable[[Experiment, Progress], object]  # one of the slots of `Results`


def run(plan: Plan, progress: Progress) -> Results:
    """Run every part of the main job and return the results, which are then also in plan.out.

    Raises InputError for bad input before anything is computed, and Interrupted on Ctrl-C, with the finished
    parts kept.
    """
    experiment = resolve(plan, progress)
    before = results.look_into(plan.out)
    progress.say(_in_words(experiment))
    planned = experiment.planned()
    finished: dict[str, object] = {}
    try:
        with progress.stages(PARTS) as enter:
            for name in PARTS:
                enter(name)
                started = perf_counter()
                finished[name] = found = _runner_of(name)(experiment, progress)
                if isinstance(found, Gradients):
                    finished.update(_causes(found, progress))
                current = _write(plan.out, planned, before, finished)
                outcome = outcome_of(finished[name]) or "measured"
                progress.say(f"{name}: {outcome} ({perf_counter() - started:.0f} s)")
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_what_was_kept(plan, finished)) from interrupt
    return current


def outcomes(found: Results) -> list[Outcome]:
    """The outcome of each part of the main job that was run and has one."""
    parts = [getattr(found, name) for name in PARTS]
    return [outcome for part in parts if part is not None and (outcome := outcome_of(part)) is not None]


def _in_words(experiment: Experiment) -> str:
    dataset, architecture = experiment.dataset, experiment.architecture
    sizes = "-".join(map(str, architecture.layer_sizes))
    n_train, n_test = len(dataset.train_images), len(dataset.test_images)
    return (
        f"{dataset.name}: {n_train:,} training and {n_test:,} test images; "
        f"{sizes} {architecture.activation}; {', '.join(experiment.contenders)}"
    )


def _runner_of(name: str) -> Run:
    """Imported only now: the first words are on the screen before the frameworks are loaded."""
    runner: Run = importlib.import_module(f"backproof.comparisons.{name}.part").run
    return runner


def _causes(found: Gradients, progress: Progress) -> dict[str, CheckPart]:
    """For the slot of `check`: why a contender of one's own fails, asked while the page is made anyway."""
    failed = [check.contender for check in found.compared if check.verdict == Outcome.FAIL]
    own = [name for name in dict.fromkeys(failed) if family(name) is None]
    if not own:
        return {}
    from backproof.comparisons.check.session import check_class

    classes = []
    for name in own:
        progress.say(f"{name}: its gradients fail; looking for the cause")
        classes.append(check_class(name, quick=True))
    return {"check": CheckPart(worst(checked.outcome for checked in classes), tuple(classes))}


def _write(out: str, planned: Planned, before: Results | None, finished: dict[str, object]) -> Results:
    """Merge what is finished. Parts of an earlier run stay beside it only where their plan was this one."""
    same = before is not None and before.plan is not None and before.plan.same_work(planned)
    parts: dict[str, object] = {name: None for name in PARTS if not same}
    return write.merge(out, planned.command, plan=planned, **{**parts, **finished})


def _what_was_kept(plan: Plan, finished: dict[str, object]) -> str:
    if not finished:
        return "nothing was finished, nothing was written"
    kept = f"finished and kept in {plan.out}: {', '.join(finished)}"
    return f"{kept}; the report so far: {Path(plan.out) / 'report.html'}"
