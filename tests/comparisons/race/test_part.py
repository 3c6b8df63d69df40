"""The race: turns, verdicts, ratios, failures as cells, and what is kept when it is stopped."""

from collections.abc import Callable
from dataclasses import replace
from typing import ClassVar

import pytest

from backproof.comparisons.race import part
from backproof.comparisons.race.messages import RunSeed
from backproof.comparisons.race.part import ENOUGH_RUNS, RacePlan
from backproof.comparisons.race.recipes import CANDIDATES, TARGETS, Target
from backproof.comparisons.race.result import RaceResult, RaceRun, Runner
from backproof.comparisons.race.runners import RaceEntrant
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.running.environment import processor
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed.result import Finding, ProcessorKind
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support.small_races import (
    EASY,
    HARD,
    REPORT,
    SCRATCH,
    SMALL,
    TORCH,
    FakeProcess,
    dies,
    finished,
    plan,
)
from tests.support.small_records import dataset

Processes = dict[str, FakeProcess]


def raced(
    asked: RacePlan,
    processes: Processes,
    before: RaceResult | None = None,
    kept: list[RaceResult] | None = None,
) -> RaceResult:
    kept = [] if kept is None else kept
    return part.run(
        asked,
        dataset(),
        Silent(),
        before,
        kept.append,
        lambda entrant, cores, threads: processes[entrant.name],
    )


def two(
    scratch: Callable[[int], RaceRun] = finished,
    torch: Callable[[int], RaceRun] = lambda seed: finished(seed, seconds=1.5),
) -> Processes:
    return {"scratch": FakeProcess(scratch), "torch": FakeProcess(torch)}


def runner(found: RaceResult, name: str, target: str = "97") -> Runner:
    cell = found.targets[target].runners[name]
    assert isinstance(cell, Runner)
    return cell


# --- verdicts and ratios


@pytest.mark.parametrize(
    ("accuracies", "verdict"),
    [
        ([0.971] * 10, Outcome.PASS),
        ([0.975, 0.966] * 5, Outcome.PASS),  # the mean counts, not the worst
        ([0.97] * 9 + [0.969], Outcome.FAIL),
        ([0.99] * 9, Outcome.INCONCLUSIVE),
        ([0.9] * 9, Outcome.INCONCLUSIVE),
    ],
)
def test_the_mean_of_ten_runs_decides(accuracies: list[float], verdict: Outcome) -> None:
    runs = tuple(finished(seed, accuracy) for seed, accuracy in enumerate(accuracies))
    assert part.judged(EASY, Runner("NumPy", 0.1, REPORT, runs)) == verdict


def test_nobody_is_judged_by_others_runs() -> None:
    assert part.judged(EASY, None) == part.judged(EASY, Failed("gone")) == Outcome.INCONCLUSIVE


def test_a_ratio_is_a_contenders_time_over_scratchs_with_the_same_seed() -> None:
    found = raced(
        plan(),
        two(
            lambda seed: finished(seed, seconds=1 + seed), lambda seed: finished(seed, seconds=2 * (1 + seed))
        ),
    )
    ratio = found.targets["97"].ratios["torch"]
    assert ratio.ratio.median == pytest.approx(2.0)
    assert ratio.ratio.ci95 == pytest.approx((2.0, 2.0))
    assert ratio.finding == Finding.FASTER
    assert set(found.targets["97"].ratios) == {"torch"}


def test_equal_times_are_no_difference_and_longer_ones_are_slower() -> None:
    same = raced(plan(), two(torch=lambda seed: finished(seed, seconds=1.0 + 0.001 * seed)))
    slower = raced(plan(), two(torch=lambda seed: finished(seed, seconds=0.8)))
    assert same.targets["97"].ratios["torch"].finding == Finding.SAME
    assert slower.targets["97"].ratios["torch"].finding == Finding.SLOWER


# --- the protocol


def test_everybody_runs_every_seed_once_and_in_turning_order() -> None:
    order: list[tuple[str, int]] = []

    def noting(name: str) -> Callable[[int], RaceRun]:
        def run(seed: int) -> RaceRun:
            order.append((name, seed))
            return finished(seed)

        return run

    raced(plan((EASY,), 3), two(noting("scratch"), noting("torch")))
    assert [name for name, _ in order] == ["scratch", "torch", "torch", "scratch", "scratch", "torch"]
    assert [seed for _, seed in order] == [0, 0, 1, 1, 2, 2]


def test_the_warm_up_comes_before_the_first_run_of_a_target_and_processes_are_closed() -> None:
    processes = two()
    raced(plan((EASY, HARD), 2), processes)
    kinds = [type(content).__name__ for content in processes["scratch"].asked]
    assert kinds == ["WarmUp", "RunSeed", "RunSeed"] * 2
    assert all(process.closed for process in processes.values())


def test_the_processor_is_kept() -> None:
    (found,) = raced(plan((EASY,), 3), two()).targets.values()
    assert found.kind == ProcessorKind(processor(), REPORT.kernels)


def test_every_warm_up_and_every_run_is_told() -> None:
    class Told(Silent):
        said: ClassVar[list[str]] = []

        def say(self, message: str) -> None:
            self.said.append(message)

    processes = two()
    part.run(
        plan((EASY,), 1), dataset(), Told(), None, lambda found: None, lambda who, *_: processes[who.name]
    )
    assert [line.partition(",")[0] for line in Told.said] == [
        "97%: scratch is ready",
        "97%: PyTorch is ready",
        "97%: scratch",
        "97%: PyTorch",
    ]


def test_distortions_have_one_of_the_threads() -> None:
    seen: list[tuple[int, int]] = []

    def start(entrant: RaceEntrant, cores: int, threads: int) -> FakeProcess:
        seen.append((cores, threads))
        return FakeProcess(finished)

    part.run(plan((EASY, HARD), 1, SCRATCH), dataset(), Silent(), None, lambda found: None, start)
    assert seen == [(2, 2), (2, 1)]
    assert part.library_threads(HARD.recipe, 1) == 1


def test_whoever_fails_has_the_reason_in_its_cell_and_the_others_go_on() -> None:
    found = raced(plan(), two(torch=dies))
    assert found.targets["97"].runners["torch"] == Failed("its process ended (exit code 1)")
    assert len(runner(found, "scratch").runs) == ENOUGH_RUNS


def test_whoever_declines_or_is_not_there_has_a_cell_too() -> None:
    processes = {"scratch": FakeProcess(finished), "torch": FakeProcess(finished, declines="no such rate")}
    others = (RaceEntrant("sklearn", "", "fit"), RaceEntrant("jax", "m:J", "jit", missing="not installed"))
    cells = raced(plan((EASY,), 1, SCRATCH, TORCH, *others), processes).targets["97"].runners
    assert cells["torch"] == Absent("no such rate")
    assert cells["sklearn"] == Absent(part.NO_RECIPE)
    assert cells["jax"] == Failed("not installed")


# --- what is kept


def test_ctrl_c_keeps_the_runs_that_are_finished() -> None:
    def stopped(seed: int) -> RaceRun:
        if seed == 2:
            raise KeyboardInterrupt
        return finished(seed)

    kept: list[RaceResult] = []
    processes = two(torch=stopped)
    with pytest.raises(KeyboardInterrupt):
        raced(plan(), processes, kept=kept)
    assert len(runner(kept[-1], "scratch").runs) == 3
    assert len(runner(kept[-1], "torch").runs) == 2
    assert kept[-1].verdict == Outcome.INCONCLUSIVE
    assert all(process.closed for process in processes.values())


def test_stopped_before_the_first_run_nothing_is_written() -> None:
    def stopped(seed: int) -> RaceRun:
        raise KeyboardInterrupt

    kept: list[RaceResult] = []
    with pytest.raises(KeyboardInterrupt):
        raced(plan(), two(scratch=stopped), kept=kept)
    assert kept == []


def test_long_targets_are_kept_on_the_way(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(part, "KEEP_EVERY", -1.0)
    kept: list[RaceResult] = []
    raced(plan((EASY,), 2), two(), kept=kept)
    assert [len(runner(found, "scratch").runs) for found in kept[:2]] == [1, 1]
    assert len(kept) == 5  # after each of four runs, and at the end


def test_targets_of_an_earlier_command_stay_until_they_are_run_again() -> None:
    first = raced(plan((EASY, HARD), 2), two())
    second = raced(plan((EASY,), 3), two(), before=first)
    assert list(second.targets) == ["97", "99"]
    assert second.targets["99"] == first.targets["99"]
    assert second.targets["97"].asked == 3


def test_a_race_is_as_good_as_its_worst_target() -> None:
    found = raced(plan((EASY, HARD)), two())
    assert found.targets["97"].verdict == Outcome.PASS
    assert found.targets["99"].verdict == found.verdict == Outcome.FAIL


# --- what is asked


def test_other_data_than_mnist_is_refused() -> None:
    with pytest.raises(InputError, match=r"^dataset: expected mnist, got digits"):
        part.run(plan(), replace(dataset(), name="digits"), Silent(), None, lambda found: None)


def test_targets_are_found_by_name_all_of_them_where_none_is_named() -> None:
    assert part.names((), TARGETS) == tuple(TARGETS.values())
    assert part.names(("98", "97", "98"), TARGETS) == (TARGETS["98"], TARGETS["97"])
    with pytest.raises(InputError, match=r"^target: expected one of 97, 98, 98.5, 99; got '96'"):
        part.names(("96",), TARGETS)


def test_choosing_works_without_any_test_images_and_finds_the_better(monkeypatch: pytest.MonkeyPatch) -> None:
    few = {"small": replace(SMALL, epochs=12), "tiny": replace(SMALL, hidden=(2,), epochs=1)}
    monkeypatch.setitem(CANDIDATES, "97", few)
    monkeypatch.setattr("backproof.comparisons.record.part.N_VALIDATION", 100)
    data = dataset()
    blind = replace(data, test_images=data.test_images[:0], test_labels=data.test_labels[:0])
    rows = part.choose(blind, Target("97", 0.97, 1.5, SMALL), 2, Silent())
    assert [row.name for row in rows] == ["small", "tiny"]
    assert rows[0].mean > rows[1].mean
    assert len(rows[0].accuracies) == 2


def test_the_seeds_are_those_that_were_asked_for() -> None:
    processes = two()
    raced(plan((EASY,), 4), processes)
    asked = [content.seed for content in processes["torch"].asked if isinstance(content, RunSeed)]
    assert asked == [0, 1, 2, 3]
