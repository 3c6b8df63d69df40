"""The protocol on a clock of its own: nothing here depends on how fast this machine is."""

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.results.cells import Absent, Failed, Invalid
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed import statistics
from backproof.comparisons.speed.cases import batches
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, PARTS, Entrant
from backproof.comparisons.speed.launch import WorkerFailedError
from backproof.comparisons.speed.messages import Prepare, Reply, Request, TimeRound
from backproof.comparisons.speed.part import Asked, summarise
from backproof.comparisons.speed.protocol import Log, Session, counterbalanced
from backproof.comparisons.speed.result import Finding, Settings, SpeedResult, ThreadReport, TimedData
from backproof.comparisons.speed.worker import Bench
from backproof.reference.contender import NotOffered
from backproof.scratch.initializers import initialize
from backproof.scratch.network import Network
from tests.support.fake_timing import CASE, Clock, InProcess, Workers, data_file, entries

SETTINGS = Settings(launches=5, rounds=6, round_seconds=5.0, warm_up=2)
SEEDS = range(30)


def run(folder: Path, workers: Workers, *names: str, settings: Settings = SETTINGS) -> Log:
    return Session(settings, [CASE], data_file(folder), entries(*names), workers, Silent()).run()


def noisy(seed: int, noise: float = 0.005, drift: float = 0.0) -> Clock:
    return Clock(np.random.default_rng(seed), noise, drift)


def finding(log: Log, name: str) -> Finding:
    found = statistics.estimate(list(statistics.log_ratios(log.records, name).values()))
    noise = statistics.noise_floor(log.records)
    assert found is not None
    assert noise is not None
    return statistics.finding(found, noise.floor)


def summary(log: Log, *names: str, settings: Settings = SETTINGS) -> SpeedResult:
    return summarise(log, Asked([CASE], entries(*names), lambda case: TimedData("random", "")))


class Interrupting(Workers):
    """Ctrl-C comes when a process is to be started for the `at`-th launch (two entries each)."""

    at = 0
    started = 0

    def __call__(self, entry: Entrant, n_threads: int) -> InProcess:
        self.started += 1
        if self.started > 2 * self.at:
            raise KeyboardInterrupt
        return super().__call__(entry, n_threads)


def interrupted(folder: Path, at: int, settings: Settings) -> Log:
    workers = Interrupting({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0))
    workers.at = at
    return run(folder, workers, settings=settings)


def test_after_ctrl_c_the_launches_that_were_finished_are_counted(tmp_path: Path) -> None:
    log = interrupted(tmp_path, 3, SETTINGS)
    whole = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0)))
    assert log.interrupted
    assert log.settings.launches == 3
    assert log.records == tuple(record for record in whole.records if record.launch < 3)
    part = summary(log)
    assert (part.interrupted, part.unit, part.settings.launches) == (True, "launch", 3)


def test_after_ctrl_c_a_number_of_threads_with_one_launch_is_left_out(tmp_path: Path) -> None:
    log = interrupted(tmp_path, 6, replace(SETTINGS, threads=(1, 2)))
    assert log.settings.threads == (1,)
    assert {record.threads for record in log.records} == {1}


def test_after_ctrl_c_before_the_second_launch_is_done_nothing_is_claimed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, 1, SETTINGS)


@pytest.mark.parametrize("n", range(2, 11))
def test_every_entry_stands_in_every_place_equally_often(n: int) -> None:
    orders = counterbalanced(n)
    counts = Counter((entry, place) for order in orders for place, entry in enumerate(order))
    assert set(counts.values()) == {len(orders) // n}
    assert len(counts) == n * n


@pytest.mark.parametrize("n", range(2, 11))
def test_every_entry_follows_every_other_equally_often(n: int) -> None:
    orders = counterbalanced(n)
    counts = Counter(pair for order in orders for pair in pairwise(order))
    assert len(counts) == n * (n - 1)
    assert len(set(counts.values())) == 1


def test_known_delays_come_out_exactly_where_there_is_no_noise(tmp_path: Path) -> None:
    delays = {SCRATCH: 1.0, CONTROL: 1.0, "twice": 2.0, "half": 0.5}
    log = run(tmp_path, Workers(delays, noisy(0, noise=0.0)), "twice", "half")
    for name in ("twice", "half"):
        found = statistics.estimate(list(statistics.log_ratios(log.records, name).values()))
        assert found is not None
        np.testing.assert_allclose([found.median, found.low, found.high], delays[name], rtol=1e-12)


def test_two_percent_are_told_apart_in_both_directions_under_half_a_percent_of_noise(tmp_path: Path) -> None:
    found = []
    for seed in SEEDS:
        delays = {SCRATCH: 1.0, CONTROL: 1.0, "slower": 1.02, "faster": 1 / 1.02}
        log = run(tmp_path, Workers(delays, noisy(seed)), "slower", "faster")
        found.append((finding(log, "slower"), finding(log, "faster")))
    assert found == [(Finding.FASTER, Finding.SLOWER)] * len(SEEDS)


def test_an_equal_program_is_seldom_called_different(tmp_path: Path) -> None:
    words = []
    for seed in SEEDS:
        delays = {SCRATCH: 1.0, CONTROL: 1.0, "twin": 1.0}
        words.append(finding(run(tmp_path, Workers(delays, noisy(seed)), "twin"), "twin"))
    # Its interval and the floor's would both have to miss: far less than one in twenty; seeds are fixed.
    assert words.count(Finding.SAME) >= len(SEEDS) - 1


def test_scratch_against_itself_lies_inside_the_floor_it_sets(tmp_path: Path) -> None:
    for seed in SEEDS:
        log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(seed)))
        assert finding(log, CONTROL) == Finding.SAME


def test_a_machine_that_slows_down_favours_nobody(tmp_path: Path) -> None:
    # A fifth slower by the end; entries that always kept their places would differ by a percent and more.
    delays = {SCRATCH: 1.0, CONTROL: 1.0, "twin": 1.0, "other": 1.0}
    settings = Settings(launches=4, rounds=4, round_seconds=5.0, warm_up=2)
    clock = noisy(0, noise=0.0, drift=4e-4)
    log = run(tmp_path, Workers(delays, clock), "twin", "other", settings=settings)
    first, last = log.records[0], log.records[-1]
    assert last.seconds / last.steps > 1.15 * first.seconds / first.steps
    assert finding(log, "twin") == Finding.SAME


def test_all_train_the_same_steps_and_the_fastest_takes_the_seconds_asked_for(tmp_path: Path) -> None:
    delays = {SCRATCH: 1.0, CONTROL: 1.0, FLOOR: 0.1, "slow": 3.0}
    log = run(tmp_path, Workers(delays, noisy(0, noise=0.0)), FLOOR, "slow")
    assert {record.steps for record in log.records} == {5}
    assert min(r.seconds for r in log.records if r.entry == SCRATCH) == pytest.approx(5.0)


def test_every_round_holds_every_entry_once(tmp_path: Path) -> None:
    log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0, "other": 1.0}, noisy(0)), "other")
    turns = Counter((record.launch, record.round, record.entry) for record in log.records)
    assert len(turns) == SETTINGS.launches * SETTINGS.rounds * 3
    assert set(turns.values()) == {1}


def test_turns_with_a_wrong_number_of_threads_do_not_count(tmp_path: Path) -> None:
    def threads(name: str, expected: int) -> int:
        return 2 if name == "greedy" else expected

    delays = {SCRATCH: 1.0, CONTROL: 1.0, "greedy": 0.5}
    log = run(tmp_path, Workers(delays, noisy(0), threads), "greedy")
    assert statistics.log_ratios(log.records, "greedy") == {}
    assert summary(log, "greedy").cases[0].ratios["greedy"] == Invalid("expected 1 thread, found cores: 2")


def test_who_is_left_out_has_no_turn_and_its_reason_stands_in_every_case(tmp_path: Path) -> None:
    chosen = [*entries(), replace(entries("jax")[-1], left_out="not held")]
    workers = Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0))
    log = Session(SETTINGS, [CASE], data_file(tmp_path), chosen, workers, Silent()).run()
    assert {record.entry for record in log.records} == {SCRATCH, CONTROL}
    part = summarise(log, Asked([CASE], chosen, lambda case: TimedData("random", "")))
    assert [case.ratios["jax"] for case in part.cases] == [Absent("not held")]


def test_turns_with_other_kernels_than_the_first_do_not_count(tmp_path: Path) -> None:
    class Changing(Workers):
        """From its second process on, scratch finds kernels of another processor."""

        started = 0

        def __call__(self, entry: Entrant, n_threads: int) -> InProcess:
            worker = super().__call__(entry, n_threads)
            self.started += entry.name == SCRATCH
            word = "SkylakeX" if self.started < 2 else "Haswell"
            worker.bench.report = lambda: ThreadReport({"cores": n_threads}, {"openblas": word})
            return worker

    log = run(tmp_path, Changing({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0)))
    faults = {record.launch: record.fault for record in log.records if record.entry == SCRATCH}
    said = "its kernels are others than in the first round: openblas Haswell in place of SkylakeX"
    assert faults == {0: None, **dict.fromkeys(range(1, 5), said)}


def test_a_round_in_which_scratch_itself_does_not_count_gives_no_ratio(tmp_path: Path) -> None:
    calls = iter(range(1000))

    def threads(name: str, expected: int) -> int:
        return 2 if name == SCRATCH and next(calls) == 0 else expected  # its first launch

    log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0, "other": 2.0}, noisy(0), threads), "other")
    assert sorted(statistics.log_ratios(log.records, "other")) == [1, 2, 3, 4]


def test_one_launch_has_its_rounds_as_units(tmp_path: Path) -> None:
    settings = Settings(launches=1, rounds=6, round_seconds=5.0, warm_up=2)
    log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0)), settings=settings)
    assert sorted(statistics.log_ratios(log.records, CONTROL)) == list(range(6))
    assert summary(log, settings=settings).unit == "round"


def test_the_log_in_the_results_has_a_row_for_every_turn(tmp_path: Path) -> None:
    log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0)))
    assert len(summary(log).log) == SETTINGS.launches * SETTINGS.rounds * 2


def test_every_order_is_used_before_any_comes_again_over_all_launches(tmp_path: Path) -> None:
    # Eight entrants in 2 launches of 4 rounds: each stands once in each of the eight places.
    others = [f"other {number}" for number in range(6)]
    settings = Settings(launches=2, rounds=4, round_seconds=5.0, warm_up=2)
    delays = dict.fromkeys((SCRATCH, CONTROL, *others), 1.0)
    log = run(tmp_path, Workers(delays, noisy(0)), *others, settings=settings)
    places = Counter((record.entry, record.position) for record in log.records)
    assert len(places) == 64
    assert set(places.values()) == {1}


def test_the_seed_of_the_settings_decides_the_first_weights(tmp_path: Path) -> None:
    losses = []
    for seed in (0, 1):
        settings = Settings(launches=1, rounds=2, round_seconds=5.0, warm_up=2, seed=seed)
        log = run(tmp_path, Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0)), settings=settings)
        assert {record.fault for record in log.records} == {None}
        losses.append({record.first_loss for record in log.records})
        with np.load(data_file(tmp_path)(CASE)) as arrays:
            rows = batches(50, CASE.batch_size, 1, seed)[0]
            network = Network(CASE.architecture, initialize(CASE.architecture, seed))
            assert losses[-1] == {network.loss(arrays["x"][rows], arrays["labels"][rows])}
    assert losses[0] != losses[1]


def test_who_declines_is_left_out_of_the_rounds_and_the_rest_is_still_counterbalanced(tmp_path: Path) -> None:
    absent = Entrant("absent", "", "matched", "no_such_package", "")
    settings = Settings(launches=1, rounds=4, round_seconds=5.0, warm_up=2)
    workers = Workers(dict.fromkeys((SCRATCH, CONTROL, "a", "b"), 1.0), noisy(0))
    chosen = [*entries("a", "b"), absent]
    log = Session(settings, [CASE], data_file(tmp_path), chosen, workers, Silent()).run()
    assert {record.position for record in log.records} == {0, 1, 2, 3}
    assert [(failure.entry, failure.case) for failure in log.failures] == [("absent", 0)]


# --- what every worker is asked, and when ------------------------------------------------------------------


class NotingWorker(InProcess):
    """Notes every request with its timeout, and dies at some of them."""

    dies_at: frozenset[int] = frozenset()

    def __init__(self, bench: Bench, notes: list[tuple[str, object]], name: str) -> None:
        super().__init__(bench)
        self.notes, self.name, self.n_asked, self.n_closed = notes, name, 0, 0

    def ask(self, request: Request, timeout: float) -> Reply:
        self.notes.append((self.name, (request.content, timeout)))
        self.n_asked += 1
        if self.n_asked in self.dies_at:
            raise WorkerFailedError("it died")
        return super().ask(request, timeout)

    def close(self) -> None:
        self.n_closed += 1


class Noting(Workers):
    """Launches such workers: `dies` says at which of its requests one dies."""

    def __init__(self, delays: dict[str, float], clock: Clock) -> None:
        super().__init__(delays, clock)
        self.notes: list[tuple[str, object]] = []
        self.started: list[tuple[str, int, NotingWorker]] = []
        self.dies: dict[str, frozenset[int]] = {}

    def __call__(self, entry: Entrant, n_threads: int) -> NotingWorker:
        found = NotingWorker(super().__call__(entry, n_threads).bench, self.notes, entry.name)
        found.dies_at = self.dies.get(entry.name, frozenset())
        self.started.append((entry.name, n_threads, found))
        return found


def noting(*names: str, **dies: frozenset[int]) -> Noting:
    workers = Noting(dict.fromkeys((SCRATCH, CONTROL, *names), 1.0), noisy(0, noise=0.0))
    workers.dies = dies
    return workers


def test_everybody_reads_then_calibrates_then_takes_its_turns_with_the_settings_of_the_session(
    tmp_path: Path,
) -> None:
    settings = Settings(launches=1, rounds=2, round_seconds=2.5, warm_up=3, timeout_seconds=7.0, seed=4)
    workers = noting()
    run(tmp_path, workers, settings=settings)
    path = str(data_file(tmp_path)(CASE))
    read, calibrate, turn = Prepare(CASE, path, 4), TimeRound(20, 3), TimeRound(3, 3)
    for name in (SCRATCH, CONTROL):
        asked = [content for who, content in workers.notes if who == name]
        assert asked == [(one, 7.0) for one in (read, calibrate, turn, turn)]
    order = [who for who, _ in workers.notes]
    assert order[:4] == [SCRATCH, CONTROL] * 2
    assert [worker.n_closed for _, _, worker in workers.started] == [1, 1]


@pytest.mark.parametrize(
    ("round_seconds", "delays", "steps"),
    [
        (5.0, {SCRATCH: 1.0, CONTROL: 2.0}, 5),
        (5.1, {SCRATCH: 1.0, CONTROL: 2.0}, 6),
        (0.1, {SCRATCH: 1.0, CONTROL: 2.0}, 1),
        (5.0, {SCRATCH: 2.0, CONTROL: 0.5}, 10),
        (5.0, {SCRATCH: 2.0, CONTROL: 2.0, FLOOR: 0.01, PARTS: 0.01}, 3),
    ],
)
def test_there_are_as_many_steps_as_the_fastest_trainer_takes_seconds_for_and_one_at_least(
    tmp_path: Path, round_seconds: float, delays: dict[str, float], steps: int
) -> None:
    settings = Settings(launches=1, rounds=2, round_seconds=round_seconds, warm_up=1)
    others = [name for name in delays if name not in (SCRATCH, CONTROL)]
    log = run(tmp_path, Workers(delays, noisy(0, noise=0.0)), *others, settings=settings)
    assert {record.steps for record in log.records} == {steps}


def test_where_nobody_trains_a_step_counts_as_a_second(tmp_path: Path) -> None:
    settings = Settings(launches=1, rounds=1, round_seconds=4.0, warm_up=1)
    workers = Workers({FLOOR: 0.01}, noisy(0))
    floor = entries(FLOOR)[-1:]
    log = Session(settings, [CASE], data_file(tmp_path), floor, workers, Silent()).run()
    assert {record.steps for record in log.records} == {4}


@pytest.mark.parametrize(("threads", "pauses"), [(1, []), (2, [0.25] * 4), (3, [0.25] * 4)])
def test_between_turns_of_several_threads_there_is_a_pause(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, threads: int, pauses: list[float]
) -> None:
    slept: list[float] = []
    monkeypatch.setattr("time.sleep", slept.append)
    settings = Settings((threads,), launches=1, rounds=2, round_seconds=2.0, warm_up=1, pause_seconds=0.25)
    workers = noting()
    run(tmp_path, workers, settings=settings)
    assert slept == pauses
    assert {n for _, n, _ in workers.started} == {threads}


def test_every_turn_is_written_down_with_its_place(tmp_path: Path) -> None:
    settings = Settings((1, 2), launches=2, rounds=2, round_seconds=2.0, warm_up=1)
    workers = noting()
    cases = [CASE, replace(CASE, batch_size=10)]
    log = Session(settings, cases, data_file(tmp_path), entries(), workers, Silent()).run()
    places = [(r.threads, r.launch, r.case, r.round, r.position) for r in log.records]
    assert places == [
        (t, n, c, k, p) for t in (1, 2) for n in (0, 1) for c in (0, 1) for k in (0, 1) for p in (0, 1)
    ]
    assert {r.images / r.steps for r in log.records if r.case == 0} == {5.0}
    assert {r.images / r.steps for r in log.records if r.case == 1} == {10.0}
    assert {r.cpu_seconds for r in log.records} == {2.0}
    assert all(r.last_loss > 0 and r.first_loss > 0 for r in log.records)
    assert set(log.reports) == {f"{name}, {t}" for name in (SCRATCH, CONTROL) for t in (1, 2)}
    assert len(workers.started) == 2 * 2 * 2  # one for each entry, launch and number of threads


def test_whoever_dies_is_out_of_its_case_and_started_again_for_the_next(tmp_path: Path) -> None:
    """It dies when it calibrates; in the second case another process of it does too."""
    settings = Settings(launches=1, rounds=2, round_seconds=2.0, warm_up=1)
    workers = noting("mortal", mortal=frozenset({2}))
    cases = [CASE, CASE]
    log = Session(settings, cases, data_file(tmp_path), entries("mortal"), workers, Silent()).run()
    assert [(one.threads, one.case, one.entry, one.cell) for one in log.failures] == [
        (1, case, "mortal", Failed("it died")) for case in (0, 1)
    ]
    assert {record.entry for record in log.records} == {SCRATCH, CONTROL}
    ended = [worker.n_closed for name, _, worker in workers.started if name == "mortal"]
    assert ended == [1, 1]


def test_whoever_dies_in_its_turn_has_no_more_of_them(tmp_path: Path) -> None:
    settings = Settings(launches=1, rounds=4, round_seconds=2.0, warm_up=1)
    workers = noting("mortal", mortal=frozenset({4}))
    log = Session(settings, [CASE], data_file(tmp_path), entries("mortal"), workers, Silent()).run()
    turns = Counter(record.entry for record in log.records)
    assert turns == {SCRATCH: 4, CONTROL: 4, "mortal": 1}


def test_only_matched_entries_owe_a_loss_for_every_step(tmp_path: Path) -> None:
    class Silently(Workers):
        def __call__(self, entry: Entrant, n_threads: int) -> InProcess:
            found = super().__call__(entry, n_threads)
            contender: Any = found.bench.contender
            train = contender.train
            if entry.name == "quiet":
                contender.train = lambda *given: [*train(*given)][:0]
            return found

    settings = Settings(launches=1, rounds=2, round_seconds=2.0, warm_up=1)
    for division in ("matched", "idiomatic"):
        quiet = Entrant("quiet", "", division, "", "")
        workers = Silently({SCRATCH: 1.0, CONTROL: 1.0, "quiet": 1.0}, noisy(0, noise=0.0))
        log = Session(settings, [CASE], data_file(tmp_path), [*entries(), quiet], workers, Silent()).run()
        faults = {record.fault for record in log.records if record.entry == "quiet"}
        assert faults == (
            {"it returned 0 of 3 losses; one per step is due"} if division == "matched" else {None}
        )


def test_after_ctrl_c_in_the_first_launch_nothing_is_claimed(tmp_path: Path) -> None:
    with pytest.raises(KeyboardInterrupt):
        interrupted(tmp_path, 0, SETTINGS)


def test_who_declines_a_case_is_told_with_its_reason_and_has_no_turn(tmp_path: Path) -> None:
    class Declining(Workers):
        def __call__(self, entry: Entrant, n_threads: int) -> InProcess:
            found = super().__call__(entry, n_threads)
            if entry.name == "shy":

                def load(*given: object) -> None:
                    raise NotOffered("no such network")

                contender: Any = found.bench.contender
                contender.load = load
            return found

    settings = Settings(launches=1, rounds=2, round_seconds=2.0, warm_up=1)
    workers = Declining({SCRATCH: 1.0, CONTROL: 1.0, "shy": 1.0}, noisy(0))
    log = Session(settings, [CASE], data_file(tmp_path), entries("shy"), workers, Silent()).run()
    assert [(one.entry, one.cell) for one in log.failures] == [("shy", Absent("no such network"))]
    assert {record.entry for record in log.records} == {SCRATCH, CONTROL}


def test_all_rounds_are_counted_beforehand(tmp_path: Path) -> None:
    class Total(Silent):
        done = 0

        @contextmanager
        def task(self, description: str, total: float | None = None) -> Iterator[Any]:
            assert (description, total) == ("speed: rounds", 2 * 3 * 2 * 4)

            def advance() -> None:
                self.done += 1

            yield advance

    progress = Total()
    settings = Settings((1, 2), launches=3, rounds=4, round_seconds=2.0, warm_up=1)
    workers = Workers({SCRATCH: 1.0, CONTROL: 1.0}, noisy(0))
    Session(settings, [CASE, CASE], data_file(tmp_path), entries(), workers, progress).run()
    assert progress.done == 48
