"""Growth: a point per size and contender, on a clock of its own."""

import time
from collections.abc import Sequence

import numpy as np
import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.speed import growth as speed_growth
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.entrants import Entrant
from backproof.comparisons.speed.result import Settings
from tests.support.fake_timing import Clock, Workers


def test_growth_has_a_point_per_size_and_contender() -> None:
    delays = {SCRATCH: 1.0, "slow": 4.0}
    entries = [Entrant(name, "", "matched", "", "") for name in delays]
    growth = speed_growth.Growth(batch_sizes=(1, 10), widths=(3, 5, 7))
    workers = Workers(delays, Clock(np.random.default_rng(0)))
    begun = time.perf_counter()
    part = speed_growth.measure(growth, 1, entries, None, Silent(), workers, round_seconds=3.0)
    assert 0 < part.seconds <= time.perf_counter() - begun
    assert part.threads == 1
    # The fake takes as long for every step: ten images per step are ten times the rate.
    assert part.batch.x == (1, 10)
    assert part.batch.images_per_second[SCRATCH] == pytest.approx((1.0, 10.0))
    assert part.width.images_per_second["slow"] == pytest.approx((25.0,) * 3)


def test_who_does_not_run_as_agreed_has_no_point() -> None:
    def threads(name: str, expected: int) -> int:
        return 2 if name == "greedy" else expected

    entrants = [Entrant(name, "", "matched", "", "") for name in (SCRATCH, "greedy")]
    growth = speed_growth.Growth(batch_sizes=(1, 10), widths=(3,))
    workers = Workers({SCRATCH: 1.0, "greedy": 1.0}, Clock(np.random.default_rng(0)), threads)
    found = speed_growth.measure(growth, 1, entrants, None, Silent(), workers, round_seconds=3.0)
    assert found.batch.images_per_second["greedy"] == (None, None)


def test_the_published_sizes_are_powers_from_one_image_to_4096_and_widths_to_2048() -> None:
    labels = [case.label for case in speed_growth.Growth().cases()]
    assert labels[0] == "784-128-10, batch 1, sgd"
    assert labels[6] == "784-128-10, batch 4096, sgd"
    assert (labels[7], labels[-1]) == ("784-16-10, batch 100, sgd", "784-2048-10, batch 100, sgd")


def test_sizes_are_timed_in_three_rounds_of_one_launch_with_the_threads_asked_for(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    class Asked(Exception):  # noqa: N818 - no error: it ends the run where the question is known
        """What a session was to measure."""

    def session(settings: Settings, cases: Sequence[SpeedCase], *others: object) -> None:
        raise Asked(settings, cases)

    monkeypatch.setattr(speed_growth, "Session", session)
    growth = speed_growth.Growth(batch_sizes=(1, 10), widths=(3,))
    with pytest.raises(Asked) as asked:
        speed_growth.measure(growth, 2, [], None, Silent())
    settings, cases = asked.value.args
    assert (settings.threads, settings.launches, settings.rounds, settings.warm_up) == ((2,), 1, 3, 5)
    assert settings.round_seconds == 0.1
    assert cases == growth.cases()
