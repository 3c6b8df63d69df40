"""Whoever does other work, or less, does not count: each fault is named, and a right turn has none."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.speed.cases import SpeedCase, batches, digest
from backproof.comparisons.speed.judge import Judge, thread_fault
from backproof.comparisons.speed.messages import Prepare, Round, TimeRound
from backproof.comparisons.speed.result import ThreadReport
from backproof.comparisons.speed.worker import Bench
from backproof.scratch.initializers import initialize
from tests.support.fake_timing import CASE, data_file

WARM_UP, STEPS, SEED = 2, 5, 3
REPORT = ThreadReport({"openblas": 1, "cores": 1}, {})


@pytest.fixture
def judge(tmp_path: Path) -> Judge:
    return Judge(CASE, data_file(tmp_path)(CASE), SEED, WARM_UP)


@pytest.fixture
def right(tmp_path: Path) -> Round:
    """What scratch itself answers."""
    bench = Bench(ScratchMLP(), report=lambda: REPORT)
    bench.prepare(Prepare(CASE, str(data_file(tmp_path)(CASE)), SEED))
    return bench.round(TimeRound(STEPS, WARM_UP))


def test_a_right_turn_has_no_fault(judge: Judge, right: Round) -> None:
    assert judge.fault(right, 1, every_loss=True) is None


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"weights": "0123456789abcdef"}, "it started from other weights"),
        ({"batches": "0123456789abcdef"}, "it was given other batches"),
        ({"losses": STEPS + WARM_UP - 1}, "it returned 6 of 7 losses; one per step is due"),
        ({"first_loss": float("nan")}, "not the same maths"),
        ({"first_loss": 0.0}, "not the same maths"),
        ({"report": ThreadReport({"openblas": 2}, {})}, "expected 1 thread, found openblas: 2"),
    ],
)
def test_each_fault_is_named(judge: Judge, right: Round, changes: dict[str, object], said: str) -> None:
    fault = judge.fault(replace(right, **changes), 1, every_loss=True)  # type: ignore[arg-type]  # one field each
    assert fault is not None
    assert said in fault


def test_a_first_loss_off_by_one_part_in_ten_thousand_is_other_maths(judge: Judge, right: Round) -> None:
    fault = judge.fault(replace(right, first_loss=right.first_loss * 1.0001), 1, every_loss=True)
    assert fault is not None
    assert "not the same maths" in fault


def test_whoever_draws_batches_of_its_own_owes_no_loss(judge: Judge, right: Round) -> None:
    silent = replace(right, losses=0, first_loss=float("nan"))
    assert judge.fault(silent, 1, every_loss=False) is None
    assert judge.fault(silent, 1, every_loss=True) == "it returned 0 of 7 losses; one per step is due"


def test_the_seed_decides_weights_and_batches(tmp_path: Path, right: Round) -> None:
    other = Judge(CASE, data_file(tmp_path)(CASE), SEED + 1, WARM_UP)
    assert other.fault(right, 1, every_loss=True) == "it started from other weights"
    weights = [array for pair in initialize(CASE.architecture, SEED).weights() for array in pair]
    assert right.weights == digest(weights)
    assert right.batches == digest(batches(50, CASE.batch_size, STEPS + WARM_UP, SEED))


def test_a_float64_case_is_judged_in_float64(tmp_path: Path) -> None:
    case = SpeedCase((4, 3), 5, "sgd", "float64")
    judge = Judge(case, data_file(tmp_path)(case), SEED, WARM_UP)
    bench = Bench(ScratchMLP(), report=lambda: REPORT)
    bench.prepare(Prepare(case, str(data_file(tmp_path)(case)), SEED))
    found = bench.round(TimeRound(STEPS, WARM_UP))
    assert judge.fault(found, 1, every_loss=True) is None
    off = replace(found, first_loss=float(np.float32(found.first_loss)) + 1e-7)
    assert judge.fault(off, 1, every_loss=True) is not None


@pytest.mark.parametrize(
    ("report", "expected", "fault"),
    [
        ({"openblas": 1, "cores": 1}, 1, None),
        ({}, 1, None),
        ({"openblas": 2, "cores": 1, "torch": 4}, 1, "expected 1 thread, found openblas: 2, torch: 4"),
        ({"cores": 1}, 2, "expected 2 threads, found cores: 1"),
    ],
)
def test_another_number_of_threads_is_named(report: dict[str, int], expected: int, fault: str | None) -> None:
    assert thread_fault(report, expected) == fault
