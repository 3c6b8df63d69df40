"""Speed in detail: means of all entrants, where a step goes, growth, and what each process saw."""

from dataclasses import replace

import pytest

from backproof.comparisons.speed import details_chapter
from backproof.comparisons.speed.result import (
    Curve,
    GrowthResult,
    Kernels,
    Library,
    SpeedResult,
    ThreadReport,
)
from backproof.comparisons.speed.step_in_parts import PRODUCTS
from backproof.scratch.training import STEP_PARTS
from tests.support.sample_results import speed, speed_of_two_kinds

MICROSECOND = 1e-6


def html(part: SpeedResult) -> str:
    section = details_chapter.build(part)
    assert section is not None
    return str(section.html)


def test_not_run_no_chapter() -> None:
    assert details_chapter.build(None) is None


def test_means_stand_with_what_each_entrant_runs() -> None:
    text = html(speed())
    assert "1.53× [1.48, 1.59]" in text
    assert "as it comes" in text


def test_the_protocol_is_told_with_its_numbers() -> None:
    text = html(speed())
    assert "5 launches of one process per contender, 4 rounds" in text
    assert "1 runs, none discarded" in text


def test_a_turn_at_fault_is_counted_as_such() -> None:
    part = speed()
    assert "1 runs, 1 discarded" in html(replace(part, log=(replace(part.log[0], fault="other maths"),)))


def test_what_each_process_saw_is_shown() -> None:
    assert "openblas 2, cores 2" in html(speed())
    assert "openblas SkylakeX" in html(speed())


def test_the_libraries_of_each_process_are_shown_with_version_and_threading_layer() -> None:
    library = Library("openblas", "libscipy_openblas.so", "0.3.30", "SkylakeX", "pthreads")
    report = ThreadReport({"openblas": 1}, {"openblas": "SkylakeX"}, (library,))
    text = html(replace(speed(), reports={"scratch, 1": report}))
    assert "openblas 0.3.30, SkylakeX, pthreads (libscipy_openblas.so)" in text


def test_every_kind_of_processor_has_its_own_method_and_processes() -> None:
    text = html(speed_of_two_kinds())
    for kind in ("SkylakeX", "Haswell"):
        assert f"How it was measured on {kind} kernels" in text
    assert text.count("What each process saw; on") == 4  # caption and label of two tables
    assert "openblas 0.3.30, Haswell (lib.so)" in text


@pytest.mark.parametrize(
    ("chosen_by", "verb"),
    [("each library", "left out"), ("the environment", "were kept"), ("this command", "were set")],
)
def test_variables_that_choose_kernels_are_named(chosen_by: str, verb: str) -> None:
    kernels = Kernels(chosen_by, {"MKL_CBWR": "AVX2"})  # type: ignore[arg-type]  # one of its two words
    text = html(replace(speed(), kernels=kernels))
    assert "MKL_CBWR=AVX2" in text
    assert verb in text


def test_the_share_of_the_products_is_of_the_whole_step() -> None:
    # gather 1, forward 4 (3 of it products), loss 1, backward 3 (2 of it), update 1: half of 10 is products.
    seconds = dict(zip(STEP_PARTS + PRODUCTS, (1.0, 4.0, 1.0, 3.0, 1.0, 3.0, 2.0), strict=True))
    part = speed()
    parts = {name: value * MICROSECOND for name, value in seconds.items()}
    cases = tuple(replace(case, parts=parts) for case in part.cases)
    assert "Matrix products take 50% to 50% of a step." in html(replace(part, cases=cases))


def test_growth_is_drawn_with_gaps_where_nothing_ran() -> None:
    curve = Curve((1, 4), {"scratch": (10.0, 40.0), "torch": (None, 20.0)})
    text = html(replace(speed(), growth=GrowthResult(1, 3.0, curve, curve)))
    assert "784-w-10, batch 100, 1 thread" in text
    assert "scratch 40" in text
    assert "PyTorch 20" in text
