"""Results made by hand in the format of results.json, for everything that reads them."""

import math
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ComparedTrajectories,
    ContenderRuns,
    DifferenceCurve,
    Discordant,
    EqualStarts,
    EquivalenceWord,
    Hashes,
    Setup,
)
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow, SourceLine
from backproof.comparisons.experiment import Data, Planned
from backproof.comparisons.gradients.result import (
    Campaign,
    CampaignRow,
    Check,
    Gradcheck,
    Gradients,
    Judged,
    NotCompared,
)
from backproof.comparisons.lessons.result import ToldClaim, ToldLesson
from backproof.comparisons.numerical.result import NumericalResult, OneGradient
from backproof.comparisons.report.document import Results, Run
from backproof.comparisons.results.cells import Absent, Failed, Invalid, offered
from backproof.comparisons.running.environment import Environment
from backproof.comparisons.speed import statistics
from backproof.comparisons.speed.result import (
    CaseResult,
    Cell,
    Comparison,
    Division,
    EntrantFacts,
    Estimate,
    Finding,
    Kernels,
    Library,
    MeanRatios,
    NoiseFloor,
    ProcessorKind,
    Record,
    Settings,
    SpeedResult,
    ThreadReport,
    TimedData,
)
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict
from backproof.scratch.architecture import Architecture, OptimizerSpec

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)> [bold]{{ 7 * 7 }}"
SEEDS = [0, 1, 2, 3, 4]

COMMAND = "backproof --contender torch --contender jax --contender sklearn"
PLAN = Planned(
    command=COMMAND,
    dataset=Data("mnist", "MNIST from a folder", "c0ffee" * 10),
    architecture=Architecture((784, 128, 10), dtype="float32"),
    own_layers=False,
    contenders=("scratch", "torch", "jax", "sklearn"),
    seeds=tuple(SEEDS),
    epochs=5,
    batch_size=100,
    optimizer=OptimizerSpec("sgd", learning_rate=0.1, momentum=0.9),
    margin_points=0.2,
    threads=2,
    quick=False,
)
RUNS = {name: Run(COMMAND, "2026-01-02T03:04:05+00:00") for name in ("gradients", "accuracy", "speed")}
ENVIRONMENT = Environment(
    backproof="0.1.0",
    python="CPython 3.11.9",
    platform="Linux-6.1-x86_64",
    processor="A processor with a rather long name at 3.10 GHz",
    cores=2,
    memory_gib=7.8,
    packages={"numpy": "2.4.6", "torch": "2.13.0", "jax": "0.10.2"},
    thread_pools={"openblas": 2},
    byte_order="little",
    date="2026-01-02T03:04:05+00:00",
)
DIGITS = replace(PLAN, dataset=Data("digits", "scikit-learn's digits", "d161" * 16))


def check(contender: str, against: str, architecture: str, error: float, bound: float, **more: Any) -> Check:
    """One gradient check, PASS where the error is inside the bound."""
    passed = Check(
        contender=contender,
        against=against,
        architecture=architecture,
        verdict=Outcome.PASS if error <= bound else Outcome.FAIL,
        max_error=error,
        bound=bound,
        resolution=2e-10,
        worst="W2[3, 1]",
    )
    return replace(passed, **more)


def gradients() -> Gradients:
    """All pass, one with an error of exactly zero, one not offered."""
    checks: list[Check | NotCompared] = []
    for i, activation in enumerate(("identity", "sigmoid", "tanh", "relu")):
        for j, loss in enumerate(("cross_entropy", "binary_cross_entropy", "mse", "sum_of_squares")):
            name = f"5-4-3 {activation}, {loss}, float64"
            checks.append(check("scratch", "complex_step", name, 1e-17 * (i + 1), 4e-15 * (j + 1)))
            checks.append(check("torch", "scratch", name, 3e-17 * (j + 1), 6e-15 * (i + 1)))
    checks.append(
        check("scratch", "central_difference", "784-128-10 relu, cross_entropy, MNIST batch", 2e-9, 6e-8)
    )
    checks.append(check("jax", "scratch", "784-128-10 relu, cross_entropy, float32", 0.0, 2.5e-6))
    checks.append(NotCompared("sklearn", "scratch", "784-128-10", "its public interface gives no gradient"))
    return Gradients(Outcome.PASS, 8.25, tuple(checks))


def with_checks(outcome: Outcome, *more: Check) -> Gradients:
    """The same with these checks beside the others."""
    return replace(gradients(), verdict=outcome, checks=(*gradients().checks, *more))


def campaign() -> Campaign:
    """One network of each kind; too few to decide anything."""
    judged = Judged(1, 0, 0, 36, 0, 4, 0.16, 94.0, 9e-13, "")
    row = CampaignRow({"scratch": judged, "torch": judged}, Gradcheck(1, 0), "normal", "float64", "relu")
    return Campaign(
        verdict=Outcome.INCONCLUSIVE, n_cases=1, totals=replace(row, family="all", dtype="", activation=""),
        families=(replace(row, activation=""),), cells=(row,), n_per_cell=1, seed=0, workers=1,
        gradcheck_per_cell=1, seconds=2.5, interrupted=False, command="backproof gradients --campaign 1",
    )  # fmt: skip


def _trained(start: float, seconds: float) -> ContenderRuns:
    first = [0.93 + start + 0.0004 * seed for seed in SEEDS]
    accuracy = [tuple(round(a + 0.012 * epoch - 0.001 * epoch**2, 4) for epoch in range(5)) for a in first]
    return ContenderRuns(
        test_accuracy=tuple(run[-1] for run in accuracy),
        test_accuracy_epochs=tuple(accuracy),
        train_loss=tuple(
            tuple(0.31 / (1 + epoch) + 0.002 * seed - start for epoch in range(5)) for seed in SEEDS
        ),
        seconds=tuple(seconds + 0.01 * seed for seed in SEEDS),
    )


WORDS: dict[Outcome, EquivalenceWord] = {
    Outcome.PASS: "equivalent",
    Outcome.FAIL: "different",
    Outcome.INCONCLUSIVE: "undecided",
}
HASHES = Hashes(data="0" * 64, initial_weights="1" * 64, batches="2" * 64)
COURSE = ComparedTrajectories(
    max_scaled_difference=3.1e-13,
    control=2.8e-13,
    ratio=1.1,
    allowed_ratio=10.0,
    steps=4,
    steps_compared=4,
    first_flip=None,
    control_flip=None,
    curve=DifferenceCurve((0, 2, 4), (0.0, 1e-13, 3.1e-13), (0.0, 9e-14, 2.8e-13)),
    verdict=Outcome.PASS,
    reason="",
)
NO_MOMENTUM = Absent("momentum differs from torch.optim's by its first step")


def _compared(difference: float, half_width: float, verdict: Outcome) -> AgainstScratch:
    return AgainstScratch(
        difference_points=difference,
        differences_points=(difference,) * len(SEEDS),
        ci90=(difference - half_width, difference + half_width),
        margin_points=0.2,
        outcome=WORDS[verdict],
        p_equivalence=0.01,
        mcnemar=(Discordant(12, 14, 0.85),) * len(SEEDS),
        hashes=EqualStarts(Outcome.PASS, (), (), HASHES),
        verdict=verdict,
        trajectory=COURSE,
    )


def accuracy() -> AccuracyResult:
    """Two equal contenders, one that cannot take the weights."""
    return AccuracyResult(
        verdict=Outcome.PASS,
        seconds=61.5,
        dataset="mnist",
        n_train=60_000,
        n_test=10_000,
        resolution_points=0.01,
        margin_points=0.2,
        seeds=tuple(SEEDS),
        setting=Setup(
            architecture=Architecture((784, 128, 10), dtype="float32"),
            optimizer=OptimizerSpec("sgd", learning_rate=0.1, momentum=0.9),
            epochs=5,
            batch_size=100,
            margin_points=0.2,
            dataset="mnist",
            dataset_sha256="3" * 64,
        ),
        timed=True,
        contenders={
            "scratch": _trained(0.0, 1.9),
            "torch": _trained(0.0003, 3.8),
            "jax": _trained(-0.0002, 2.2),
            "sklearn": NO_MOMENTUM,
        },
        against_scratch={
            "torch": _compared(0.03, 0.06, Outcome.PASS),
            "jax": _compared(-0.02, 0.05, Outcome.PASS),
            "sklearn": NO_MOMENTUM,
        },
    )


def estimate(median: float) -> Estimate:
    """A ratio with an interval of 7% around it."""
    return Estimate(median, (median * 0.97, median * 1.04), 5)


def comparison(median: float) -> Comparison:
    """A contender beside scratch, under a noise floor of 3%."""
    found = estimate(median)
    return Comparison(found, statistics.finding(found, 1.03))


def speed_case(sizes: tuple[int, ...], batch_size: int, optimizer: str, **ratios: Cell) -> CaseResult:
    """One case, timed on MNIST with two threads."""
    return CaseResult(
        layer_sizes=sizes,
        batch_size=batch_size,
        optimizer=optimizer,
        dtype="float32",
        label=f"{'-'.join(map(str, sizes))}, batch {batch_size}, {optimizer}",
        threads=2,
        data=TimedData("mnist", "MNIST"),
        ratios=ratios,
        noise=NoiseFloor(Estimate(1.004, (0.985, 1.03), 5), 1.03),
        gemm_floor=Estimate(1.34, (1.31, 1.36), 5),
        images_per_second={"scratch": 1e5, **{name: 5e4 for name, cell in ratios.items() if offered(cell)}},
    )


def speed() -> SpeedResult:
    """Two cases; jax inside the noise floor of one, sklearn without Adam."""
    cases = (
        speed_case(
            (784, 128, 10), 100, "sgd", torch=comparison(1.92), jax=comparison(1.21), sklearn=comparison(1.6)
        ),
        speed_case(
            (784, 256, 256, 10), 256, "adam",
            torch=comparison(1.22), jax=comparison(0.99), sklearn=Absent("no Adam"),
        ),
    )  # fmt: skip
    return speed_of(cases, torch=comparison(1.530), jax=comparison(1.0945), sklearn=None)


def speed_of(cases: tuple[CaseResult, ...], **means: Comparison | None) -> SpeedResult:
    """The slot with these cases and geometric means; its finding is the first mean's."""
    against, first = next(((name, mean) for name, mean in means.items() if mean), (None, None))
    names = dict.fromkeys(
        ["scratch", "scratch again", "bare products", *(n for c in cases for n in c.ratios)]
    )
    divisions: dict[str, Division] = {"scratch again": "control", "bare products": "floor"}
    return SpeedResult(
        finding=first.finding if first else None,
        against=against,
        seconds=33.0,
        cases=cases,
        means=(MeanRatios(2, means),),
        entrants={name: EntrantFacts(divisions.get(name, "matched"), "as it comes") for name in names},
        settings=Settings(threads=(2,), launches=5, rounds=4),
        unit="launch",
        reports={"scratch, 2": ThreadReport({"openblas": 2, "cores": 2}, {"openblas": "SkylakeX"})},
        kernels=Kernels("each library", {}),
        log=(Record(2, 0, 0, 0, 0, "scratch", 100, 10_000, 0.1, 0.2, 2.3, 0.4, None),),
        kind=ProcessorKind(ENVIRONMENT.processor, {"openblas": "SkylakeX", "numpy": "X86_V4"}),
    )


def speed_of_two_kinds() -> SpeedResult:
    """As `speed`, beside what was measured before on a processor without AVX-512; torch is slower there."""
    slower = replace(speed_case((784, 128, 10), 100, "sgd", torch=comparison(2.5)), threads=1)
    older = speed_of((slower,), torch=comparison(2.5))
    report = ThreadReport(
        {"openblas": 1}, {"openblas": "Haswell"}, (Library("openblas", "lib.so", "0.3.30", "Haswell", ""),)
    )
    other = replace(
        older,
        settings=replace(older.settings, threads=(1,)),
        means=tuple(replace(mean, threads=1) for mean in older.means),
        reports={"scratch, 1": report},
        kernels=Kernels("this command", {"OPENBLAS_CORETYPE": "Haswell"}),
        kind=ProcessorKind("An older processor", {"openblas": "Haswell", "numpy": "X86_V3"}),
    )
    return replace(speed(), others=(other,))


def passing() -> Results:
    """A good run of the main job on MNIST; no lessons, no numerical training."""
    return Results(
        plan=PLAN,
        environment=ENVIRONMENT,
        runs=RUNS,
        gradients=gradients(),
        accuracy=accuracy(),
        speed=speed(),
    )


def failing() -> Results:
    """A wrong bias gradient, a different accuracy, slower than torch."""
    good = passing()
    wrong = check("scratch", "torch", "784-128-10 relu, cross_entropy, float64", 0.013, 4e-12,
                  worst="b1[17]", reason="b1 is 100 times too small: averaged twice?")  # fmt: skip
    nan = check("scratch", "complex_step", "5-4-3 sigmoid, mse, float64", 1.0, 1e-12, worst="W1[0, 0]",
                max_error=math.nan, reason="NaN in the gradient")  # fmt: skip
    gradient_part = with_checks(Outcome.FAIL, wrong, nan)
    accuracy_part = replace(
        accuracy(),
        verdict=Outcome.FAIL,
        against_scratch={
            "torch": _compared(0.9, 0.2, Outcome.FAIL),
            "jax": _compared(0.15, 0.3, Outcome.INCONCLUSIVE),
        },
    )
    slower = comparison(0.8)
    case = speed_case((784, 128, 10), 100, "sgd", torch=slower, jax=Failed("crashed: exit code -11"))
    speed_part = speed_of((case,), torch=slower)
    return replace(good, gradients=gradient_part, accuracy=accuracy_part, speed=speed_part)


def undecided() -> Results:
    """On the digits, with one seed: nothing can be said, and that is said."""
    lone = {
        name: ContenderRuns(
            runs.test_accuracy[:1], runs.test_accuracy_epochs[:1], runs.train_loss[:1], (None,)
        )
        for name, runs in accuracy().trained.items()
    }
    compared = replace(_compared(0.4, 0.0, Outcome.INCONCLUSIVE), ci90=None)
    compared = replace(compared, differences_points=(0.4,), mcnemar=compared.mcnemar[:1])
    part = replace(
        accuracy(),
        verdict=Outcome.INCONCLUSIVE,
        dataset="digits",
        seeds=(0,),
        contenders=lone,
        against_scratch={"torch": compared, "jax": compared},
    )
    open_check = check("torch", "scratch", "5-4-3 relu, mse, float32", 1e-7, 1e-6,
                       verdict=Outcome.INCONCLUSIVE, reason="a unit sits at its kink")  # fmt: skip
    gradient_part = with_checks(Outcome.INCONCLUSIVE, open_check)
    return replace(passing(), plan=DIGITS, accuracy=part, gradients=gradient_part, speed=None)


def diverged() -> Results:
    """A contender whose training left the numbers: results.json writes null for what is not finite."""
    nan, part = math.nan, accuracy()
    jax = ContenderRuns(
        test_accuracy=(nan,) * len(SEEDS),
        test_accuracy_epochs=part.trained["jax"].test_accuracy_epochs,
        train_loss=((0.3, nan, nan, nan, nan),) * len(SEEDS),
        seconds=(None,),
    )
    compared = replace(
        part.compared["jax"],
        difference_points=nan,
        ci90=(nan, nan),
        outcome="different",
        verdict=Outcome.FAIL,
        trajectory=replace(COURSE, max_scaled_difference=nan, verdict=Outcome.FAIL),
    )
    part = replace(
        part,
        verdict=Outcome.FAIL,
        contenders={**part.contenders, "jax": jax},
        against_scratch={**part.against_scratch, "jax": compared},
    )
    lost = check("jax", "scratch", "5-4-3 relu, mse, float32", math.nan, math.nan, verdict=Outcome.FAIL,
                 resolution=math.nan, worst="", reason="Inf in W1[0, 0]")  # fmt: skip
    lone = Comparison(Estimate(1.1, (0.0, math.inf), 1), Finding.SAME)
    case = replace(
        speed_case((784, 128, 10), 100, "sgd", torch=Invalid("its first loss is nan"), jax=lone),
        noise=None,
        gemm_floor=None,
    )
    return replace(
        passing(),
        gradients=replace(gradients(), verdict=Outcome.FAIL, checks=(lost,)),
        accuracy=part,
        speed=speed_of((case,), torch=None, jax=lone),
    )


def numerical(outcome: Outcome = Outcome.PASS) -> NumericalResult:
    """One gradient by every method, without training or ladder."""
    same = Verdict(outcome, 1e-12, 1e-9, 1e-6, "W1[0, 0]", "all 310 entries inside their bound", 310, 0)
    seconds = {"naive": 10.0, "structured": 0.1, "unitwise": 0.01, "backprop": 0.001}
    gradient = OneGradient("mnist", (784, 50, 10), 100, 39_760, 39_760, seconds, 1e-9, 1e-10, same)
    return NumericalResult(outcome, 1.0, gradient)


def a_lesson(outcome: Outcome = Outcome.PASS, holds: Sequence[bool] = (True,)) -> ToldLesson:
    """One lesson with a claim for each of `holds`, and nothing else."""
    words = {"en": "a sentence", "ko": "문장"}
    claims = tuple(ToldClaim(words, held, "1", "1") for held in holds)
    return ToldLesson(
        name="xor", row=6, chapter="perceptron-and-xor", sources=("a text",), verdict=outcome, seconds=1.0,
        title=words, intent=words, formulas=("y = x",), claims=claims, corrections=(), unjudged=(),
        tables=(), figures=(), code=(), hints=(),
    )  # fmt: skip


def a_checked_class() -> CheckedClass:
    """A class with one mistake: it FAILs one check, another one cannot be asked."""
    row = CheckRow("loss", "Is the loss right?", Outcome.PASS, "3 cases", 3, 0, 0.25, None)
    question = "Is the gradient right?"
    wrong = replace(row, check="gradient", question=question, verdict=Outcome.FAIL, text="b1[0]: wrong")
    absent = replace(row, check="schedules", verdict="not offered", text="no method learning_rates")
    line = SourceLine("my_mlp.py", 42, "dW = x.T @ delta")
    return CheckedClass(
        "folder/my_mlp.py:MyMLP",
        Outcome.FAIL,
        4.5,
        (row, absent, wrong),
        (Cause("the gradient is not divided by N", "explains", line),),
        ("your samples are columns",),
        "checked with: tanh; mse; 1 hidden layer; float64 only",
        "print(1 < 2)\n",
        "The smallest case found for gradient",
    )


def nothing_run() -> Results:
    """What a first `merge` of another command finds."""
    return Results()


def hostile() -> Results:
    """Every name and reason is markup."""
    base = passing()
    absent = NotCompared(HOSTILE, HOSTILE, HOSTILE, HOSTILE)
    checks = (check(HOSTILE, HOSTILE, HOSTILE, 1e-9, 1e-8, worst=HOSTILE, reason=HOSTILE), absent)
    accuracy_part = replace(
        accuracy(),
        dataset=HOSTILE,
        contenders={"scratch": _trained(0.0, 1.0), HOSTILE: _trained(0.1, 1.0), "b": Absent(HOSTILE)},
        against_scratch={
            HOSTILE: replace(_compared(0.1, 0.05, Outcome.PASS), reason=HOSTILE),
            "b": Absent(HOSTILE),
        },
    )
    cells: dict[str, Cell] = {HOSTILE: comparison(2.0), "b": Failed(HOSTILE)}
    case = replace(
        speed_case((784, 128, 10), 100, HOSTILE, **cells),
        data=TimedData(HOSTILE, HOSTILE),
    )
    return replace(
        base,
        plan=replace(PLAN, command=HOSTILE, dataset=Data(HOSTILE, HOSTILE, HOSTILE), contenders=(HOSTILE,)),
        environment=replace(ENVIRONMENT, processor=HOSTILE, packages={HOSTILE: HOSTILE}),
        runs={HOSTILE: Run(HOSTILE, HOSTILE)},
        gradients=Gradients(Outcome.PASS, 1.0, checks),
        accuracy=accuracy_part,
        speed=replace(
            speed_of((case, case), **{HOSTILE: comparison(2.0)}),
            kind=ProcessorKind(HOSTILE, {HOSTILE: HOSTILE}),
            others=speed_of_two_kinds().others,
        ),
    )


SAMPLES = {make.__name__: make for make in (passing, failing, undecided, diverged, nothing_run, hostile)}
