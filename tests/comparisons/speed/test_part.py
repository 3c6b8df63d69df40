"""The part of the main job: what the whole finding is about, and what its cells say."""

import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.results.cells import Failed, Invalid
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.environment import processor
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed import part as speed_part
from backproof.comparisons.speed.cases import FIVE_CASES, SpeedCase
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, Entrant
from backproof.comparisons.speed.part import Asked, measure, summarise
from backproof.comparisons.speed.protocol import Failure, Log, Session, StepParts
from backproof.comparisons.speed.result import (
    Cell,
    Comparison,
    Estimate,
    Finding,
    MeanRatios,
    ProcessorKind,
    Settings,
    SpeedResult,
    TimedData,
)
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.errors import InputError
from tests.support.fake_timing import CASE, Clock, InProcess, Workers, data_file, entries

SETTINGS = Settings(launches=5, rounds=4, round_seconds=5.0, warm_up=2)
CLOCK = Clock(np.random.default_rng(0), noise=0.002)


def found(folder: Path, settings: Settings = SETTINGS, **delays: float) -> SpeedResult:
    """Scratch takes a second per step, the others what is said here."""
    names = {"floor": FLOOR}
    others = {names.get(name, name): delay for name, delay in delays.items()}
    clock = Clock(np.random.default_rng(0), noise=0.002)
    workers = Workers({SCRATCH: 1.0, CONTROL: 1.0, **others}, clock)
    chosen = entries(*others)
    log = Session(settings, [CASE, CASE], data_file(folder), chosen, workers, Silent()).run()
    return summarise(log, Asked([CASE, CASE], chosen, lambda case: TimedData("random", "by hand")))


@pytest.mark.parametrize(
    ("delay", "finding"), [(2.0, Finding.FASTER), (0.5, Finding.SLOWER), (1.0, Finding.SAME)]
)
def test_the_finding_is_about_eager_torch(tmp_path: Path, delay: float, finding: Finding) -> None:
    part = found(tmp_path, jax=7.0, torch=delay)
    assert (part.against, part.finding) == ("torch", finding)


def test_without_torch_the_finding_is_about_the_first_that_was_timed(tmp_path: Path) -> None:
    part = found(tmp_path, jax=0.5)
    assert (part.against, part.finding) == ("jax", Finding.SLOWER)


def test_with_scratch_alone_there_is_nothing_to_find(tmp_path: Path) -> None:
    part = found(tmp_path)
    assert (part.against, part.finding) == (None, None)
    assert [dict(case.ratios) for case in part.cases] == [{}, {}]


def test_slower_at_one_number_of_threads_is_slower(tmp_path: Path) -> None:
    class SlowWithOne(Workers):
        """torch takes half of scratch's time on one thread, twice it on two."""

        def __call__(self, entry: Entrant, n_threads: int) -> InProcess:
            delay = {1: 0.5, 2: 2.0}[n_threads] if entry.name == "torch" else 1.0
            return Workers({entry.name: delay}, self.clock)(entry, n_threads)

    settings = Settings(threads=(2, 1), launches=3, rounds=2, round_seconds=5.0, warm_up=2)
    workers = SlowWithOne({}, Clock(np.random.default_rng(0), noise=0.002))
    log = Session(settings, [CASE], data_file(tmp_path), entries("torch"), workers, Silent()).run()
    part = summarise(log, Asked([CASE], entries("torch"), lambda case: TimedData("random", "")))
    assert [mean.ratios["torch"].finding for mean in part.means if mean.ratios["torch"]] == [
        Finding.FASTER,
        Finding.SLOWER,
    ]
    assert part.finding == Finding.SLOWER


def test_a_contender_whose_turns_do_not_count_is_invalid_and_no_subject(tmp_path: Path) -> None:
    def threads(name: str, expected: int) -> int:
        return 3 if name == "torch" else expected

    workers = Workers({SCRATCH: 1.0, CONTROL: 1.0, "torch": 0.1}, Clock(np.random.default_rng(0)), threads)
    log = Session(SETTINGS, [CASE], data_file(tmp_path), entries("torch"), workers, Silent()).run()
    part = summarise(log, Asked([CASE], entries("torch"), lambda case: TimedData("random", "")))
    assert part.cases[0].ratios["torch"] == Invalid("expected 1 thread, found cores: 3")
    assert (part.against, part.finding) == (None, None)


def test_scratch_over_the_bare_products_is_above_one(tmp_path: Path) -> None:
    part = found(tmp_path, floor=0.25)
    floor = part.cases[0].gemm_floor
    assert floor is not None
    assert floor.median == pytest.approx(4.0, rel=0.01)
    assert FLOOR not in part.cases[0].ratios


def test_rates_are_images_over_seconds(tmp_path: Path) -> None:
    # Five images per step; scratch takes a second for it, the other half of one.
    rates = found(tmp_path, jax=0.5).cases[0].images_per_second
    assert rates[SCRATCH] == pytest.approx(5.0, rel=0.01)
    assert rates["jax"] == pytest.approx(10.0, rel=0.01)


def test_every_case_names_its_data(tmp_path: Path) -> None:
    clock = Clock(np.random.default_rng(0))
    delays = {SCRATCH: 1.0, CONTROL: 1.0}
    settings = Settings(launches=1, rounds=2, round_seconds=3.0, warm_up=1, examples=40)
    begin = time.perf_counter()
    part = measure(settings, [SpeedCase((6, 3), 5)], entries(), None, Silent(), Workers(delays, clock))
    assert 0 < part.seconds <= time.perf_counter() - begin
    assert [case.data for case in part.cases] == [TimedData("random", "uniform random numbers, seed 0")]


def over_all(finding: Finding) -> Comparison:
    return Comparison(Estimate(1.0, (0.9, 1.1), 5), finding)


@pytest.mark.parametrize(
    ("at_each", "finding"),
    [
        ([Finding.FASTER, Finding.FASTER], Finding.FASTER),
        ([Finding.FASTER, Finding.SAME], Finding.SAME),
        ([Finding.SAME, Finding.SLOWER], Finding.SLOWER),
        ([Finding.FASTER, Finding.SLOWER], Finding.SLOWER),
        ([Finding.FASTER, None], Finding.SAME),
    ],
)
def test_faster_is_faster_at_every_number_of_threads(at_each: list[Finding | None], finding: Finding) -> None:
    means = [MeanRatios(n, {"torch": over_all(one) if one else None}) for n, one in enumerate(at_each, 1)]
    assert speed_part._finding(means, "torch") == finding
    assert speed_part._finding(means, None) is None


@pytest.mark.parametrize(
    ("quick", "launches", "rounds", "seconds"), [(True, 1, 5, 0.06), (False, 3, 2, 0.08)]
)
def test_what_a_main_job_asks_for_arrives_at_the_protocol(
    monkeypatch: pytest.MonkeyPatch, quick: bool, launches: int, rounds: int, seconds: float
) -> None:
    asked: list[tuple[Settings, Sequence[SpeedCase], list[Entrant]]] = []

    def measured(
        settings: Settings, cases: Sequence[SpeedCase], chosen: list[Entrant], *more: object
    ) -> None:
        asked.append((settings, cases, chosen))

    monkeypatch.setattr(speed_part, "measure", measured)
    names = ("scratch", "torch", "mine.py:Mine")
    plan = SimpleNamespace(
        threads=2,
        quick=quick,
        seed=7,
        layer_sizes=(64, 5, 10),
        batch_size=30,
        optimizer=OptimizerSpec("adam"),
    )
    experiment: Any = SimpleNamespace(plan=plan, contenders=names, dataset=None)
    speed_part.run(experiment, Silent())
    ((settings, cases, chosen),) = asked
    assert settings == Settings(
        threads=(2,), launches=launches, rounds=rounds, round_seconds=seconds, examples=10_000, seed=7
    )
    assert cases == [SpeedCase((64, 5, 10), 30, "adam")]
    assert [one.name for one in chosen] == ["scratch", CONTROL, FLOOR, "torch", "mine.py:Mine"]


def test_without_layers_of_ones_own_the_published_networks_are_timed_two_of_them_in_a_quick_run() -> None:
    def cases(quick: bool) -> Sequence[SpeedCase]:
        plan: Any = SimpleNamespace(layer_sizes=None, quick=quick)
        return speed_part._cases(plan)

    assert cases(quick=False) == FIVE_CASES
    assert cases(quick=True) == FIVE_CASES[:2]


def test_more_threads_than_cores_are_refused() -> None:
    with pytest.raises(InputError, match=r"threads: expected at most \d+, the cores.*; got 4096"):
        measure(Settings(threads=(4096,)), [CASE], entries(), None, Silent())


def test_what_is_written_is_read_again(tmp_path: Path) -> None:
    part = found(tmp_path, torch=2.0)
    assert decode(SpeedResult, encode(part)) == part


def test_the_kind_of_processor_is_kept(tmp_path: Path) -> None:
    assert found(tmp_path).kind == ProcessorKind(processor(), {})


NOTHING = Log((), (), {}, (), SETTINGS, interrupted=False)


def test_a_cell_without_a_ratio_is_that_of_its_own_case_threads_and_entrant() -> None:
    def cell(**place: object) -> Cell:
        failure = replace(Failure(1, 0, "torch", Failed("why")), **place)  # type: ignore[arg-type]  # one field
        return speed_part._why_not(replace(NOTHING, failures=(failure,)), 1, 0, "torch")

    none = Invalid("no round in which scratch counted too")
    assert cell() == Failed("why")
    assert cell(threads=2) == cell(case=1) == cell(entry="jax") == none


def test_the_first_fault_of_a_contender_s_own_turns_stands_where_it_has_no_ratio(tmp_path: Path) -> None:
    def threads(name: str, expected: int) -> int:
        return {"torch": 3, "jax": 5}.get(name, expected)

    workers = Workers(dict.fromkeys((SCRATCH, CONTROL, "jax", "torch"), 1.0), CLOCK, threads)
    log = Session(SETTINGS, [CASE], data_file(tmp_path), entries("jax", "torch"), workers, Silent()).run()
    part = summarise(log, Asked([CASE], entries("jax", "torch"), lambda case: TimedData("random", "")))
    assert part.cases[0].ratios == {
        "jax": Invalid("expected 1 thread, found cores: 5"),
        "torch": Invalid("expected 1 thread, found cores: 3"),
    }
    assert part.cases[0].images_per_second["torch"] is None
    assert part.means[0].ratios["torch"] is None


def test_the_parts_of_a_step_are_medians_over_rounds_of_their_own_case_and_threads() -> None:
    turns = [StepParts(1, 0, {"loss": float(n), "update": 10.0 * n}) for n in (1, 9, 2)]
    others = [
        StepParts(2, 0, {"loss": 77.0, "update": 77.0}),
        StepParts(1, 1, {"loss": 88.0, "update": 88.0}),
    ]
    log = replace(NOTHING, parts=(*others, *turns))
    assert speed_part._parts(log, 1, 0) == {"loss": 2.0, "update": 20.0}
    assert speed_part._parts(log, 2, 1) is None


def test_a_case_tells_what_was_timed(tmp_path: Path) -> None:
    part = found(tmp_path, torch=2.0)
    case = part.cases[1]
    assert (case.layer_sizes, case.batch_size, case.optimizer, case.dtype) == ((4, 3), 5, "sgd", "float32")
    assert (case.label, case.threads, case.data) == (CASE.label, 1, TimedData("random", "by hand"))
    assert set(case.ratios) == {"torch"}
    assert set(case.images_per_second) == {SCRATCH, CONTROL, "torch"}
    assert (part.unit, part.kernels.chosen_by, part.interrupted) == ("launch", "each library", False)
    assert part.entrants["torch"].division == "matched"
    assert set(part.means[0].ratios) == {CONTROL, "torch"}
    assert case.noise is not None
    assert case.noise.floor == pytest.approx(1.0, abs=0.01)
    assert len(part.cases) == 2
