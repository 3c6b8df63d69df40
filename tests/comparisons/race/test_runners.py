"""Who races, and in which process: one of its own, told its threads, failing alone."""

from pathlib import Path

import pytest

from backproof.comparisons.race.data_file import images_of, write
from backproof.comparisons.race.messages import Ready, Request, RunSeed, WarmUp
from backproof.comparisons.race.result import RaceRun
from backproof.comparisons.race.runners import RaceEntrant, Runner, RunnerFailedError, entrants
from tests.support.small_races import SCRATCH, SMALL
from tests.support.small_records import dataset


def test_scratch_is_always_there_and_first() -> None:
    assert [one.name for one in entrants(["torch", "sklearn"], "matched")] == ["scratch", "torch", "sklearn"]
    assert [one.name for one in entrants(["torch"], "idiomatic")] == [
        "scratch",
        "torch fused",
        "torch compile",
    ]
    assert [one.name for one in entrants(["torch"], "all")][1:] == ["torch", "torch fused", "torch compile"]


def test_what_follows_no_recipe_has_no_target_to_start() -> None:
    found = {one.name: one.target for one in entrants(["torch", "sklearn"], "matched")}
    assert found["sklearn"] == ""
    assert found["torch"].startswith("backproof.reference.")


def test_a_process_warms_up_and_runs_a_seed_with_its_threads(tmp_path: Path) -> None:
    write(images_of(dataset()), tmp_path / "images.npz")
    process = Runner(SCRATCH, 1, 1)
    try:
        ready = process.ask(Request(WarmUp(SMALL, str(tmp_path / "images.npz"))), 120.0).content
        run = process.ask(Request(RunSeed(3)), 120.0).content
    finally:
        process.close()
        process.close()  # for the second time
    assert isinstance(ready, Ready)
    assert {threads for name, threads in ready.report.threads.items() if name != "cores"} == {1}
    assert isinstance(run, RaceRun)
    assert run.seed == 3
    assert 0 < run.seconds < 120


def test_a_process_that_ends_is_said_to_have_ended() -> None:
    process = Runner(RaceEntrant("gone", "backproof.comparisons.race.scratch_recipe:NoSuchClass", ""), 1, 1)
    with pytest.raises(RunnerFailedError, match=r"its process ended \(exit code 1\): .*NoSuchClass"):
        process.ask(Request(RunSeed(0)), 60.0)
    process.close()
