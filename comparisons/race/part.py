"""The race: seconds to a test accuracy, by recipes that were fixed beforehand.

For every target, one process per contender is started and warmed up. Then, seed by seed, every contender
trains once from the weights of that seed on its batches, in an order that turns, so that drift of the machine
falls on everybody alike; while one runs, the others wait on an empty pipe. A target is reached where the mean
of the final test accuracies over all runs reaches it: PASS or FAIL from ten runs on, INCONCLUSIVE below.
Seconds neither pass nor fail.

    ratio_s = seconds of a contender / seconds of scratch, with the same seed s
"""

import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import log
from pathlib import Path
from statistics import median

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.drawing import formats
from backproof.comparisons.race import course
from backproof.comparisons.race.course import Images
from backproof.comparisons.race.data_file import as_bytes, images_of, write
from backproof.comparisons.race.messages import Ready, Request, RunSeed, WarmUp
from backproof.comparisons.race.recipes import CANDIDATES, RaceRecipe, Target
from backproof.comparisons.race.result import (
    Candidate,
    Cell,
    RaceResult,
    RaceRun,
    Runner,
    TargetResult,
)
from backproof.comparisons.race.runners import RaceEntrant, RunnerFailedError, RunnerProcess
from backproof.comparisons.race.runners import Runner as Process
from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.comparisons.record.part import validation_split
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running.environment import processor
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.speed import statistics
from backproof.comparisons.speed.result import Comparison
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.scratch.errors import InputError

ENOUGH_RUNS = 10
TIMEOUT = 1800.0  # seconds for one answer
NO_RECIPE = "takes no learning rate for each step and no adversarial inputs here"
NOISE = 1.02  # a ratio closer to 1 than this is no difference: a clock on a quiet machine wanders as far
KEEP_EVERY = 30.0  # seconds between two writings of what is finished

Keep = Callable[[RaceResult], object]
Start = Callable[[RaceEntrant, int, int], RunnerProcess]  # of the entrant, on cores, with library threads


@dataclass(frozen=True)
class RacePlan:
    """What `backproof race` runs."""

    targets: tuple[Target, ...]
    entrants: tuple[RaceEntrant, ...]
    runs: int = ENOUGH_RUNS
    threads: int = 2
    command: str = "backproof race"


def run(
    plan: RacePlan,
    dataset: Dataset,
    progress: Progress,
    before: RaceResult | None,
    keep: Keep,
    start: Start = Process,
) -> RaceResult:
    """Race for every target; `keep` is given what is finished, also before Ctrl-C is raised again.

    `before` is an earlier result: its other targets stay. Raises InputError for other data than MNIST.
    """
    if dataset.name != "mnist":
        raise InputError(f"dataset: expected mnist, got {dataset.name}; the targets are MNIST's")
    found = dict(before.targets) if before is not None else {}
    with tempfile.TemporaryDirectory(prefix="backproof-race-") as folder:
        path = Path(folder) / "images.npz"
        write(images_of(dataset), path)
        total = len(plan.targets) * len(plan.entrants) * plan.runs
        with progress.task("race: runs", total=total) as advance:
            for target in plan.targets:
                heat = _Heat(plan, target, start, progress.say)
                saved = time.monotonic()
                try:
                    for said in heat.run(str(path)):
                        advance()
                        progress.say(said)
                        if time.monotonic() - saved > KEEP_EVERY:
                            keep(together({**found, target.name: heat.result()}))
                            saved = time.monotonic()
                finally:
                    heat.close()
                    if heat.has_runs:
                        found[target.name] = heat.result()
                        keep(together(found))
    return together(found)


def together(targets: Mapping[str, TargetResult]) -> RaceResult:
    """In the order of their accuracies."""
    ordered = dict(sorted(targets.items(), key=lambda item: item[1].target.accuracy))
    return RaceResult(ordered, worst(result.verdict for result in ordered.values()))


@dataclass
class _Heat:
    """One target: its processes, and what they have run."""

    plan: RacePlan
    target: Target
    start: Start
    say: Callable[[str], None]
    cells: dict[str, Cell] = field(default_factory=dict)
    processes: dict[str, RunnerProcess] = field(default_factory=dict)

    @property
    def has_runs(self) -> bool:
        return any(isinstance(cell, Runner) and cell.runs for cell in self.cells.values())

    def run(self, data: str) -> Iterable[str]:
        """Warm everybody up, then seed by seed; a sentence after every run."""
        for entrant in self.plan.entrants:
            self._warm_up(entrant, data)
        for seed in range(self.plan.runs):
            turn = seed % len(self.plan.entrants)
            for entrant in (*self.plan.entrants[turn:], *self.plan.entrants[:turn]):
                if entrant.name in self.processes:
                    yield self._run(entrant, seed)

    def _warm_up(self, entrant: RaceEntrant, data: str) -> None:
        if entrant.missing is not None or not entrant.target:
            self.cells[entrant.name] = Failed(entrant.missing) if entrant.missing else Absent(NO_RECIPE)
            return
        cores, threads = self.plan.threads, library_threads(self.target.recipe, self.plan.threads)
        self.processes[entrant.name] = self.start(entrant, cores, threads)
        answer = self._ask(entrant, Request(WarmUp(self.target.recipe, data)))
        if isinstance(answer, Ready):
            self.cells[entrant.name] = Runner(entrant.says, answer.warm_up_seconds, answer.report, ())
            seconds = formats.seconds(answer.warm_up_seconds)
            self.say(f"{self.target.name}%: {formats.label(entrant.name)} is ready, first steps {seconds}")

    def _run(self, entrant: RaceEntrant, seed: int) -> str:
        answer = self._ask(entrant, Request(RunSeed(seed)))
        cell = self.cells[entrant.name]
        who = f"{self.target.name}%: {formats.label(entrant.name)}, seed {seed}"
        if not isinstance(answer, RaceRun) or not isinstance(cell, Runner):
            return f"{who}: no run"
        self.cells[entrant.name] = replace(cell, runs=(*cell.runs, answer))
        return f"{who}: {formats.percent(answer.accuracy)} in {formats.seconds(answer.seconds)}"

    def _ask(self, entrant: RaceEntrant, request: Request) -> RaceRun | Ready | None:
        """The answer, or None after its cell says why there is none: the others go on."""
        try:
            content = self.processes[entrant.name].ask(request, TIMEOUT).content
        except RunnerFailedError as error:
            self.cells[entrant.name] = Failed(str(error))
            self.processes.pop(entrant.name).close()
            return None
        if isinstance(content, Absent):
            self.cells[entrant.name] = content
            self.processes.pop(entrant.name).close()
            return None
        return content

    def close(self) -> None:
        for process in self.processes.values():
            process.close()

    def result(self) -> TargetResult:
        """As far as it came."""
        cells = dict(self.cells)
        return TargetResult(
            target=self.target,
            threads=self.plan.threads,
            asked=self.plan.runs,
            runners=cells,
            ratios=ratios(cells),
            verdict=judged(self.target, cells.get(SCRATCH)),
            command=self.plan.command,
            processor=processor(),
        )


def library_threads(recipe: RaceRecipe, threads: int) -> int:
    """One less where distortions have a thread of their own: three on two cores would wait for each other."""
    return max(1, threads - (recipe.distortion is not None))


def judged(target: Target, scratch: Cell | None) -> Outcome:
    """Whether scratch's mean accuracy reaches the target; undecided with fewer runs than `ENOUGH_RUNS`."""
    if not isinstance(scratch, Runner) or len(scratch.runs) < ENOUGH_RUNS:
        return Outcome.INCONCLUSIVE
    return Outcome.PASS if scratch.mean_accuracy >= target.accuracy else Outcome.FAIL


def ratios(cells: Mapping[str, Cell]) -> dict[str, Comparison]:
    """Of everybody beside scratch, over the seeds that both have run."""
    scratch = cells.get(SCRATCH)
    if not isinstance(scratch, Runner):
        return {}
    own = {run.seed: run.seconds for run in scratch.runs}
    found = {}
    for name, cell in cells.items():
        if name == SCRATCH or not isinstance(cell, Runner):
            continue
        logs = [log(run.seconds / own[run.seed]) for run in cell.runs if run.seed in own]
        if (estimate := statistics.estimate(logs)) is not None:
            found[name] = Comparison(estimate, statistics.finding(estimate, NOISE))
    return found


def choose(dataset: Dataset, target: Target, runs: int, progress: Progress) -> list[Candidate]:
    """The candidates of a target on held-out training images, best first. The test images stay out of it."""
    split = validation_split(dataset)
    images = Images(
        as_bytes(split.images),
        split.labels,
        split.validation_images,
        split.validation_labels,
        split.image_shape,
    )
    rows = []
    for name, recipe in CANDIDATES[target.name].items():
        found = [course.run(ScratchRecipe(), recipe, images, seed) for seed in range(runs)]
        seconds = median(run.seconds for run in found)
        rows.append(Candidate(name, tuple(run.accuracy for run in found), seconds))
        progress.say(
            f"{target.name}%, {name}: {100 * rows[-1].mean:.2f}% of the held-out images, "
            f"{formats.seconds(seconds)}"
        )
    return sorted(rows, key=lambda row: -row.mean)


def names(targets: Sequence[str], known: Mapping[str, Target]) -> tuple[Target, ...]:
    """The targets of these names, without repetition; all where none is named. Raises InputError."""
    for name in targets:
        if name not in known:
            raise InputError(f"target: expected one of {', '.join(known)}; got {name!r}")
    return tuple(known[name] for name in (dict.fromkeys(targets) if targets else known))
