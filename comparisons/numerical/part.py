"""Numerical differentiation alone: how fast, how exact, and does a network learn by it?

1. One gradient, five ways: the textbook's loop, the structured quotients, differences per unit, a forward
   gradient, and backpropagation; the first two are the same quotients, so they are checked against each
   other.
2. MNIST trained by central differences alone, beside backpropagation (`twin_training`).
3. The same by forward gradients, which are one slope in a random direction each (`forward_training`).
4. The ladder: what each way costs as networks grow (`ladder`).

The rounding error of the loss, e, bounds the first comparison: a quotient of whole losses is within
e / h + 2 u h^-1 |t| M of the exact one (Nocedal, Wright 2006, section 8.1), e from running error analysis.
"""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import final, get_args

import numpy as np

from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import ladder
from backproof.comparisons.numerical.forward_gradient import Perturbed
from backproof.comparisons.numerical.forward_training import train_forward
from backproof.comparisons.numerical.result import (
    Differences,
    Evaluation,
    NumericalResult,
    OneGradient,
    TwinResult,
    TwinSetting,
    judged,
)
from backproof.comparisons.numerical.twin_training import (
    CENTRAL,
    Progressed,
    Stored,
    TwinTraining,
    load,
    outcome,
    resumed,
    save,
)
from backproof.comparisons.results.files import DEFAULT_OUT
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts import verdict
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.scratch.architecture import Array
from backproof.scratch.differences import step_sizes
from backproof.scratch.errors import InputError, expect_number, expect_one_of
from backproof.scratch.gradients import gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network

STATE_FILE = "numerical-training.npz"
EVALUATIONS = 18  # of the test images, over a training
EPOCHS = {"mnist": 10, "digits": 20}
# The best of five and of four, on 10,000 of MNIST's training images left out; twice as much may diverge.
FORWARD_RATES: Mapping[Perturbed, float] = {"weights": 0.002, "units": 0.03}
# Structured quotients hardly round, so their step may be far below the textbook's 10^-5. A kink inside a
# stencil spoils the quotient, and is there in proportion to h: 3% of all steps at 10^-5, none at 10^-9.
STEP = 2.0**-30
LONGEST_LOOP = 90.0  # seconds that the textbook's loop may take before only a sample of entries is timed


@dataclass(frozen=True)
class NumericalPlan:
    """What `backproof numerical` runs: one hidden layer of relus, cross-entropy, float64, SGD with momentum.

    The learning rate is the first; it falls linearly to zero.
    """

    data: str = "auto"
    data_dir: str | None = None
    hidden: int = 128
    batch_size: int = 100
    epochs: int | None = None  # by default as EPOCHS has it
    n_steps: int | None = None  # instead of whole epochs
    learning_rate: float = 0.1
    momentum: float = 0.9
    differences: Differences = "units"
    seed: int = 0
    step: float = STEP  # of the training's differences, relative to max(1, |t|)
    restart: bool = False
    forward: bool = True
    ladder: bool = True
    out: str = DEFAULT_OUT
    command: str = "backproof numerical"

    def __post_init__(self) -> None:
        for name in ("hidden", "batch_size", "epochs", "n_steps"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise InputError(f"{_option(name)}: expected at least 1, got {value}")
        for name in ("learning_rate", "step"):
            value = getattr(self, name)
            if not 0 < value < np.inf:
                raise InputError(f"{_option(name)}: expected a number > 0, got {value}")
        expect_number("momentum", self.momentum, 0.0, 1.0)
        expect_one_of("differences", self.differences, get_args(Differences))
        if self.seed < 0:
            raise InputError(f"seed: expected at least 0, got {self.seed}")


def _option(name: str) -> str:
    """What the command line calls a field of the plan."""
    return name.removeprefix("n_").replace("_", "-")


Keep = Callable[[NumericalResult], object]  # writes the part as far as it is finished


def run(
    plan: NumericalPlan, progress: Progress, before: NumericalResult | None, keep: Keep
) -> NumericalResult:
    """All of it, given to `keep` as each is finished; `before` is an earlier run's. Returns the part.

    Raises InputError for bad input before anything is computed, and Interrupted on Ctrl-C: what was
    finished is then in results.json, the finished steps of the training too.
    """
    dataset = data.load(plan.data, plan.data_dir, progress.say)
    session = _Session(plan, dataset, before, progress, keep)
    try:
        found = session.gradient()
        found = session.training(found)
        if plan.forward:
            found = session.forward(found)
        return session.ladder(found) if plan.ladder else found
    except KeyboardInterrupt as interrupt:
        raise Interrupted(session.keep()) from interrupt


@final
class _Session:
    """One run of the command: what is finished, and the training as far as it came."""

    def __init__(
        self,
        plan: NumericalPlan,
        dataset: data.Dataset,
        before: NumericalResult | None,
        progress: Progress,
        keep: Keep,
    ) -> None:
        self.write = keep
        self.plan, self.dataset, self.progress = plan, dataset, progress
        self.begun = time.perf_counter()
        self.setting = _setting(plan, dataset)
        self.state_path = Path(plan.out) / STATE_FILE
        self.initial = initialize(self.setting.architecture, plan.seed).flat
        self.progressed, self.said = self._starting_point()
        # A training that goes on keeps the comparison that it began with.
        self.found = before if self.progressed.point.step > 0 else None

    def gradient(self) -> NumericalResult:
        """One gradient by every method, unless an interrupted run has done it."""
        if self.found is not None:
            return self.found
        architecture = self.setting.architecture
        network = Network(architecture, initialize(architecture, self.plan.seed))
        found = one_gradient(network, self.dataset, self.plan, self.progress)
        return self._keep(NumericalResult(found.same.outcome, 0.0, found))

    def training(self, found: NumericalResult) -> NumericalResult:
        """From where the state file says to the end."""
        self.progress.say(self.said)
        twins = TwinTraining(self.setting, self.dataset, self.progressed)
        left = self.setting.n_steps - self.progressed.point.step
        with self.progress.task("training by central differences, beside backprop", total=left) as advance:
            twins.run(advance, self._tell)
        kept = self._keep(replace(found, training=self._trained()))
        self.state_path.unlink(missing_ok=True)
        return kept

    def forward(self, found: NumericalResult) -> NumericalResult:
        """The same network trained by forward gradients, of the weights and of the units."""
        trained = []
        for perturbed, rate in FORWARD_RATES.items():
            what = f"training by forward gradients of the {perturbed}"
            with self.progress.task(what, total=self.setting.n_steps) as advance:
                trained.append(
                    train_forward(self.setting, self.dataset, self.initial, perturbed, rate, advance)
                )
        return self._keep(replace(found, forward=tuple(trained)))

    def ladder(self, found: NumericalResult) -> NumericalResult:
        """What every method costs as networks grow."""
        return self._keep(replace(found, ladder=ladder.run(self.dataset, self.plan.seed, self.progress)))

    def keep(self) -> str:
        """After Ctrl-C: write what is finished, and say what that is."""
        done, total = self.progressed.point.step, self.setting.n_steps
        if self.found is None:
            return "nothing was finished, nothing was written"
        if done == total:
            return f"the training by differences is finished and kept in {self.plan.out}; the rest is not"
        self._keep(replace(self.found, training=self._trained()))
        save(self.state_path, Stored(self.setting, self.progressed))
        return f"{done} of {total} training steps are kept in {self.plan.out}; run it again to go on"

    def _trained(self) -> TwinResult:
        return outcome(self.setting, self.progressed, self.initial)

    def _keep(self, found: NumericalResult) -> NumericalResult:
        now = time.perf_counter()
        seconds = (self.found.seconds if self.found else 0.0) + now - self.begun
        self.begun, self.found = now, judged(replace(found, seconds=seconds))
        self.write(self.found)
        return self.found

    def _tell(self, evaluation: Evaluation) -> None:
        progressed = self.progressed
        self.progress.say(
            f"step {evaluation.step} of {self.setting.n_steps}: test accuracy "
            f"{100 * evaluation.numerical:.2f}% by numerical differentiation, "
            f"{100 * evaluation.backprop:.2f}% by backprop; weights {progressed.last('distance'):.1e} apart "
            f"(bound {progressed.last('bound'):.1e}); {progressed.last('numerical_seconds'):.1f} s "
            f"against {progressed.last('backprop_seconds'):.1f} s"
        )

    def _starting_point(self) -> tuple[Progressed, str]:
        """Where the training begins, and a sentence that says so."""
        fresh = Progressed.start(self.setting, self.initial)
        steps = f"{self.setting.n_steps} steps"
        if not self.state_path.exists():
            return fresh, f"training: starting from the initial weights, {steps}"
        if self.plan.restart:
            return fresh, f"training: starting anew as asked, {steps}; the earlier steps are dropped"
        going_on = resumed(self.setting, load(self.state_path))
        if going_on is None:
            return fresh, f"training: starting anew, {steps}; the earlier steps had other settings"
        return going_on, f"training: going on after step {going_on.point.step} of {self.setting.n_steps}"


def _setting(plan: NumericalPlan, dataset: data.Dataset) -> TwinSetting:
    per_epoch = -(-len(dataset.train_labels) // plan.batch_size)
    n_steps = plan.n_steps or (plan.epochs or EPOCHS[dataset.name]) * per_epoch
    return TwinSetting(
        (dataset.n_features, plan.hidden, data.N_CLASSES),
        n_steps,
        plan.batch_size,
        plan.learning_rate,
        plan.seed,
        plan.step,
        evaluate_every=max(1, n_steps // EVALUATIONS),
        dataset=dataset.sha256,
        momentum=plan.momentum,
        schedule="linear",
        differences=plan.differences,
    )


def one_gradient(
    network: Network, dataset: data.Dataset, plan: NumericalPlan, progress: Progress
) -> OneGradient:
    """One gradient of a batch by every method: seconds each, and the two central differences compared."""
    x = dataset.train_images[: plan.batch_size].astype(np.float64)
    labels = dataset.train_labels[: plan.batch_size]
    steps = step_sizes(network.parameters.flat, CENTRAL)
    entries = _affordable_entries(network, x, labels, plan.seed)
    naive, naive_seconds = _by_textbook(network, x, labels, steps, entries, progress)

    found = {rung: gradient(network, x, labels, method) for rung, method in ladder.methods().items()}
    structured, backprop = found["structured"], found["backprop"]
    n_parameters = network.architecture.n_parameters
    seconds = ladder.seconds_of_methods(network, x, labels)
    seconds["naive"] = naive_seconds * n_parameters / len(entries)
    return OneGradient(
        dataset=dataset.name,
        layer_sizes=network.architecture.layer_sizes,
        batch_size=len(x),
        n_parameters=n_parameters,
        naive_entries=len(entries),
        seconds=seconds,
        naive_from_backprop=_relative(naive, backprop[entries]),
        structured_from_backprop=_relative(structured[entries], backprop[entries]),
        same=_same(network, x, labels, steps, entries, structured, naive),
        unitwise_from_backprop=_relative(found["unitwise"], backprop),
        forward_from_backprop=_relative(found["forward"], backprop),
    )


def _affordable_entries(network: Network, x: Array, labels: Array, seed: int) -> Array:
    """All entries, or where the textbook's loop would take too long a sample drawn from the seed."""
    n = network.architecture.n_parameters
    per_entry = 2 * ladder.typical_seconds(lambda: network.loss(x, labels))
    if n * per_entry <= LONGEST_LOOP:
        return np.arange(n)
    sample = np.random.default_rng(seed).choice(n, int(LONGEST_LOOP / 3 / per_entry) + 1, replace=False)
    return np.sort(sample)


def _by_textbook(
    network: Network, x: Array, labels: Array, steps: Array, entries: Array, progress: Progress
) -> tuple[Array, float]:
    """The quotients of these entries, and the seconds that the loop took."""
    quotients, seconds = [], 0.0
    with progress.task("the textbook's loop over every parameter", total=len(entries)) as advance:
        for part in np.array_split(entries, min(100, len(entries))):
            begun = time.perf_counter()
            quotients.append(ladder.textbook_loop(network, x, labels, steps, part))
            seconds += time.perf_counter() - begun
            advance(len(part))
    return np.concatenate(quotients), seconds


def _same(
    network: Network, x: Array, labels: Array, steps: Array, entries: Array, found: Array, naive: Array
) -> verdict.Verdict:
    """Structured against textbook: they may differ by the rounding of both and by nothing else."""
    architecture, weights = network.architecture, network.parameters.weights()
    e = float(backprop_reference(architecture, weights, x, labels).loss.error)
    # At t + h and t - h the loss is as uncertain as at t, to within a percent: h is some 10^-5.
    naive_bound = 1.01 * e / steps
    # Slopes summed in any order, and as many roundings again in the series and the quotient.
    structured_bound = 2 * complex_step_bound(architecture, weights, x, labels)
    bound = (naive_bound + structured_bound)[entries]

    def name(k: int) -> str:
        return architecture.parameter_name(int(entries[k]))

    return verdict.compare(found[entries], naive, bound, name)


def _relative(found: Array, expected: Array) -> float:
    return float(np.abs(found - expected).max() / np.abs(expected).max())
