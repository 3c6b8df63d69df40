"""The main job: plan -> gradients, accuracy, speed -> results.json -> report.

After every part the results are written and the report is drawn, so that an interrupted run keeps what it
finished. Parts and keys that other commands added to the same folder stay.
"""

import importlib
from collections.abc import Callable
from pathlib import Path
from time import perf_counter

from backproof.comparisons.experiment import Plan
from backproof.comparisons.report import document as results
from backproof.comparisons.report import write
from backproof.comparisons.report.document import Results, outcome_of
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.outcome import Outcome

# In this order, with the share of the time that each takes, roughly; each is `comparisons.<part>.part.run`.
PARTS = {"gradients": 0.1, "accuracy": 0.6, "speed": 0.3}

Run = Callable[[Plan, Progress], object]  # one of the slots of `Results`


def run(plan: Plan, progress: Progress) -> Results:
    """Run every part of the main job and return the results, which are then also in plan.out.

    Raises InputError for bad input before anything is computed, and Interrupted on Ctrl-C, with the finished
    parts kept.
    """
    before = _prepare(plan, progress)
    finished: dict[str, object] = {}
    try:
        with progress.stages(PARTS) as enter:
            for name in PARTS:
                enter(name)
                started = perf_counter()
                finished[name] = _runner_of(name)(plan, progress)
                current = _write(plan, before, finished)
                outcome = outcome_of(finished[name]) or "measured"
                progress.say(f"{name}: {outcome} ({perf_counter() - started:.0f} s)")
    except KeyboardInterrupt as interrupt:
        raise Interrupted(_what_was_kept(plan, finished)) from interrupt
    return current


def outcomes(found: Results) -> list[Outcome]:
    """The outcome of each part of the main job that was run and has one."""
    parts = [getattr(found, name) for name in PARTS]
    return [outcome for part in parts if part is not None and (outcome := outcome_of(part)) is not None]


def _prepare(plan: Plan, progress: Progress) -> Results | None:
    """Find out what could stop the run, before it costs any time: the data, the layers, the folder."""
    dataset = plan.dataset(progress)
    architecture = plan.architecture()
    before = results.look_into(plan.out)
    sizes = "-".join(map(str, architecture.layer_sizes))
    progress.say(
        f"{dataset.name}: {len(dataset.train_images)} training and {len(dataset.test_images)} test images; "
        f"{sizes} {architecture.activation}; {', '.join(plan.contenders)}"
    )
    return before


def _runner_of(name: str) -> Run:
    """Imported only now: the first words are on the screen before the frameworks are loaded."""
    runner: Run = importlib.import_module(f"backproof.comparisons.{name}.part").run
    return runner


def _write(plan: Plan, before: Results | None, finished: dict[str, object]) -> Results:
    """Merge what is finished. Parts of an earlier run stay beside it only where their plan was this one."""
    planned = plan.planned()
    same = before is not None and before.plan is not None and before.plan.same_work(planned)
    parts: dict[str, object] = {name: None for name in PARTS if not same}
    return write.merge(plan.out, plan.command, plan=planned, **{**parts, **finished})


def _what_was_kept(plan: Plan, finished: dict[str, object]) -> str:
    if not finished:
        return "nothing was finished, nothing was written"
    kept = f"finished and kept in {plan.out}: {', '.join(finished)}"
    return f"{kept}; the report so far: {Path(plan.out) / 'report.html'}"
