"""What one contender does wrong becomes its cell, and the others go on; what is inside the clock."""

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import threadpoolctl

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.results.cells import Absent, Failed, reason
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import CONTROL, Entrant
from backproof.comparisons.speed.launch import ProcessWorker
from backproof.comparisons.speed.messages import Prepare, Request, TimeRound
from backproof.comparisons.speed.part import Asked, summarise
from backproof.comparisons.speed.protocol import Log, Session
from backproof.comparisons.speed.result import Settings, ThreadReport, TimedData
from backproof.comparisons.speed.worker import Bench, answer, make, numpy_kernels, thread_report
from backproof.reference.contender import Checkpoints, NotOffered
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from tests.support.fake_timing import data_file

CASE = SpeedCase((4, 6, 3), 5, "sgd")
HERE = "tests.support.fake_contenders"
OURS = [
    Entrant(SCRATCH, "backproof.comparisons.contenders.scratch_mlp:ScratchMLP", "matched", "", ""),
    Entrant(CONTROL, "backproof.comparisons.contenders.scratch_mlp:ScratchMLP", "control", "", ""),
]


def entry(name: str) -> Entrant:
    return Entrant(name, f"{HERE}:{name}", "matched", "", "")


def run(folder: Path, *names: str) -> Log:
    settings = Settings(launches=1, rounds=2, round_seconds=0.001, warm_up=1)
    chosen = [*OURS, *(entry(name) for name in names)]
    return Session(settings, [CASE], data_file(folder), chosen, ProcessWorker, Silent()).run()


def test_whoever_fails_becomes_a_cell_and_leaves_the_rest(tmp_path: Path) -> None:
    log = run(tmp_path, "Crashes", "Dies", "Declines", "Talks", "Works")
    assert {failure.entry: failure.cell for failure in log.failures} == {
        "Crashes": Failed("its process ended (exit code 1): RuntimeError: lost a shoe"),
        "Dies": Failed("its process ended (exit code 3)"),
        "Declines": Absent("no such optimiser"),
    }
    counted = {record.entry for record in log.records if record.fault is None}
    assert counted == {SCRATCH, CONTROL, "Talks", "Works"}


def test_more_threads_fewer_steps_and_other_maths_do_not_count(tmp_path: Path) -> None:
    log = run(tmp_path, "TakesMoreThreads", "Skips", "OtherMaths")
    faults = {record.entry: record.fault for record in log.records if record.fault}
    assert "expected 1 thread, found openblas: 2" in faults["TakesMoreThreads"]
    assert "it returned 1 of " in faults["Skips"]
    assert "not the same maths" in faults["OtherMaths"]
    assert SCRATCH not in faults


def test_a_cell_without_a_figure_says_why(tmp_path: Path) -> None:
    settings = Settings(launches=1, rounds=2, round_seconds=0.001, warm_up=1)
    chosen = [*OURS, entry("Crashes"), Entrant("absent", "nowhere:Class", "matched", "no_such_package", "")]
    log = Session(settings, [CASE], data_file(tmp_path), chosen, ProcessWorker, Silent()).run()
    asked = Asked([CASE], chosen, lambda case: TimedData("random", ""))
    ratios = summarise(log, asked).cases[0].ratios
    assert "lost a shoe" in reason(ratios["Crashes"])
    assert ratios["absent"] == Failed(
        "no_such_package not installed; run: python -m pip install no_such_package"
    )


class Steps:
    """A clock that says how many steps have been taken."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


class OneSecondPerStep(ScratchMLP):
    """Scratch, on that clock."""

    def __init__(self, clock: Steps) -> None:
        self.clock = clock

    def train(
        self,
        x: Array,
        targets: Array,
        batches: Sequence[Array],
        optimizer: OptimizerSpec,
        checkpoints: Checkpoints | None = None,
    ) -> Sequence[float]:
        for step in range(len(batches) + 1):
            if checkpoints and step in checkpoints:
                checkpoints[step]()
            self.clock.now += 1.0
        return super().train(x, targets, batches, optimizer)


def benched(folder: Path, seed: int = 0) -> Bench:
    clock = Steps()
    bench = Bench(OneSecondPerStep(clock), clock, clock, lambda: ThreadReport({"cores": 1}, {}))
    bench.prepare(Prepare(CASE, str(data_file(folder)(CASE)), seed))
    return bench


def test_the_warm_up_is_outside_the_clock(tmp_path: Path) -> None:
    found = benched(tmp_path).round(TimeRound(n_steps=7, warm_up=4))
    assert (found.steps, found.seconds, found.cpu_seconds) == (7, 7.0, 7.0)
    assert found.losses == 11


def test_the_clock_on_the_wall_and_that_of_the_processor_are_each_read_at_both_ends(tmp_path: Path) -> None:
    """The processor's has run for a hundred seconds before, and goes half as fast."""
    clock = Steps()
    bench = Bench(
        OneSecondPerStep(clock), clock, lambda: 100.0 + clock() / 2, lambda: ThreadReport({"cores": 1}, {})
    )
    bench.prepare(Prepare(CASE, str(data_file(tmp_path)(CASE)), 0))
    found = bench.round(TimeRound(n_steps=7, warm_up=4))
    assert (found.seconds, found.cpu_seconds) == (7.0, 3.5)


def test_a_round_tells_its_first_and_its_last_loss_and_none_where_there_is_none(tmp_path: Path) -> None:
    class Silent(OneSecondPerStep):
        def train(self, *given: Any) -> Sequence[float]:
            super().train(*given)
            return []

    losses = [3.0, 2.0, 1.5, 1.0]

    class Saying(OneSecondPerStep):
        def train(self, *given: Any) -> Sequence[float]:
            super().train(*given)
            return losses

    bench = benched(tmp_path)
    for kind, first, last in ((Silent, np.nan, np.nan), (Saying, 3.0, 1.0)):
        bench.contender = kind(bench.clock)  # type: ignore[arg-type]  # the clock it was made with
        found = bench.round(TimeRound(3, 1))
        np.testing.assert_equal([found.first_loss, found.last_loss], [first, last])
        assert found.losses == (0 if kind is Silent else 4)
        assert found.parts is None


def test_data_are_read_anew_where_they_or_their_precision_are_others(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    bench = Bench(ScratchMLP(), report=lambda: ThreadReport({}, {}))
    bench.prepare(Prepare(CASE, str(data_file(tmp_path / "a")(CASE)), 0))
    x = bench.x
    assert x.dtype == np.float32
    bench.prepare(Prepare(CASE, str(data_file(tmp_path / "a")(CASE)), 1))
    assert bench.x is x
    wide = replace(CASE, dtype="float64")
    bench.prepare(Prepare(wide, str(data_file(tmp_path / "a")(wide)), 0))
    assert bench.x.dtype == np.float64
    bench.prepare(Prepare(wide, str(data_file(tmp_path / "b")(wide)), 0))
    assert bench.x is not x


def test_images_are_counted_with_the_short_last_batch(tmp_path: Path) -> None:
    bench = benched(tmp_path)
    bench.case = SpeedCase((4, 6, 3), 20, "sgd")  # of 50 examples: 20, 20, 10, 20, 20, 10
    assert bench.round(TimeRound(n_steps=4, warm_up=2)).images == 10 + 20 + 20 + 10


def test_every_round_starts_from_the_same_weights(tmp_path: Path) -> None:
    bench = benched(tmp_path)
    first, second = (bench.round(TimeRound(3, 1)) for _ in range(2))
    assert (first.first_loss, first.last_loss) == (second.first_loss, second.last_loss)
    assert first.weights == second.weights


def test_another_seed_is_another_start(tmp_path: Path) -> None:
    zero, one = (benched(tmp_path, seed).round(TimeRound(3, 1)) for seed in (0, 1))
    assert zero.weights != one.weights
    assert zero.batches != one.batches
    assert zero.first_loss != one.first_loss


def test_whoever_declines_is_answered_for_with_its_reason(tmp_path: Path) -> None:
    class Declines(ScratchMLP):
        def load(self, architecture: Architecture, weights: Weights) -> None:
            raise NotOffered("no relu")

    bench = benched(tmp_path)
    bench.contender = Declines()
    assert answer(bench, Request(TimeRound(1, 0))) == Absent("no relu")


def test_of_several_pools_of_one_library_the_largest_counts(monkeypatch: pytest.MonkeyPatch) -> None:
    sizes = {"openblas": (1, 3, 2), "openmp": (4,)}
    pools = [{"internal_api": name, "num_threads": n} for name, found in sizes.items() for n in found]
    monkeypatch.setattr(threadpoolctl, "threadpool_info", lambda: pools)
    found = thread_report().threads
    assert (found["openblas"], found["openmp"]) == (3, 4)


def test_a_process_says_which_libraries_it_has_loaded_and_their_kernels() -> None:
    report, pools = thread_report(), threadpoolctl.threadpool_info()
    assert [(one.name, one.version, one.architecture, one.threading) for one in report.libraries] == [
        (
            pool["internal_api"],
            pool["version"] or "",
            pool.get("architecture", ""),
            pool.get("threading_layer", ""),
        )
        for pool in pools
    ]
    assert all(pool["filepath"].endswith(one.file) for one, pool in zip(report.libraries, pools, strict=True))
    assert report.kernels["numpy"]


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"SIMD Extensions": {"baseline": ["X86_V2"], "found": ["X86_V3", "X86_V4"]}}, "X86_V4"),
        ({"SIMD Extensions": {"baseline": ["X86_V2"], "not found": ["X86_V3"]}}, "X86_V2"),
        ({}, ""),
    ],
)
def test_numpys_own_kernels_are_those_of_the_newest_instructions_it_uses(
    config: dict[str, Any], said: str
) -> None:
    assert numpy_kernels(config) == said


def test_only_classes_of_the_project_are_imported_by_name_and_all_others_as_a_users(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text("class Mine:\n    def load(self): ...\n")
    assert type(make("backproof.comparisons.contenders.scratch_mlp:ScratchMLP")) is ScratchMLP
    assert type(make(f"{tmp_path / 'own.py'}:Mine")).__name__ == "Mine"
