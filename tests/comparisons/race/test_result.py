"""A race goes through results.json and comes back as it was; its figures are what they are called."""

import math
from dataclasses import replace

from backproof.comparisons.race.result import RaceResult, Runner
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.speed.result import ProcessorKind
from tests.support.race_results import race, runner, without_runs
from tests.support.small_races import REPORT, finished


def test_a_race_comes_back_as_it_was() -> None:
    for found in (race(), race(2), without_runs()):
        assert decode(RaceResult, encode(found)) == found


def test_the_seconds_are_median_least_and_most() -> None:
    runs = tuple(finished(seed, seconds=seconds) for seed, seconds in enumerate((3.0, 1.0, 2.0, 10.0)))
    assert Runner("", 0.0, REPORT, runs).seconds == (2.5, 1.0, 10.0)


def test_one_run_has_a_mean_and_no_deviation_none_has_neither() -> None:
    assert math.isnan(runner(1.0, 0.98, 1).deviation)
    assert runner(1.0, 0.98, 1).mean_accuracy == 0.98
    assert math.isnan(runner(1.0, 0.98, 0).mean_accuracy)


def test_the_kind_of_processor_is_that_of_scratchs_process_where_it_was_kept() -> None:
    (target, *_) = race().targets.values()
    assert target.kind == ProcessorKind("A processor", REPORT.kernels)
    assert replace(target, processor="").kind is None
    (empty,) = without_runs().targets.values()
    assert empty.kind is None


def test_the_finished_are_those_with_a_run() -> None:
    (target, *_) = race().targets.values()
    assert set(target.finished) == {"scratch", "torch"}
    (empty,) = without_runs().targets.values()
    assert empty.finished == {}
