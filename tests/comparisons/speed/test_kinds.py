"""Kinds of processors: each measurement stands with its own, none is mixed with another's."""

from dataclasses import replace

import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.environment import processor
from backproof.comparisons.speed import kinds
from backproof.comparisons.speed.entrants import CONTROL
from backproof.comparisons.speed.result import Kernels, ProcessorKind, SpeedResult, ThreadReport
from tests.support.sample_results import speed, speed_of_two_kinds

NEW = ProcessorKind("A", {"openblas": "SkylakeX"})
OLD = ProcessorKind("A", {"openblas": "Haswell"})
THIRD = ProcessorKind("B", {"openblas": "Haswell"})


def on(kind: ProcessorKind | None, seconds: float = 1.0) -> SpeedResult:
    return replace(speed(), kind=kind, seconds=seconds)


def test_the_kind_is_this_processor_with_the_kernels_of_scratchs_own_process() -> None:
    reports = {
        f"{CONTROL}, 1": ThreadReport({}, {"openblas": "of another"}),
        f"{SCRATCH}, 1": ThreadReport({}, {"openblas": "Haswell"}),
    }
    assert kinds.this_one(reports) == ProcessorKind(processor(), {"openblas": "Haswell"})
    assert kinds.this_one({}) == ProcessorKind(processor(), {})


def test_a_measurement_replaces_that_of_its_own_kind_and_no_other() -> None:
    held = on(None)
    for kind in (NEW, OLD, THIRD):
        held = kinds.beside(on(kind), held)
    again = kinds.beside(on(OLD, seconds=9.0), held)
    assert [(one.kind, one.seconds) for one in (again, *again.others)] == [
        (OLD, 9.0),
        (THIRD, 1.0),
        (NEW, 1.0),
    ]


def test_what_was_held_to_other_kernels_comes_after_what_libraries_chose() -> None:
    held = replace(on(OLD), kernels=Kernels("this command", {}))
    found = kinds.beside(held, kinds.beside(on(THIRD), on(NEW)))
    assert [one.kind for one in (found, *found.others)] == [THIRD, NEW, OLD]
    assert [one.others for one in found.others] == [(), ()]
    assert kinds.beside(held, None) == held


def test_the_others_stand_beside_the_newest_and_in_no_other() -> None:
    found = kinds.beside(on(THIRD), kinds.beside(on(OLD), on(NEW)))
    assert [one.others for one in found.others] == [(), ()]


def test_what_was_measured_before_kinds_were_noted_is_replaced() -> None:
    assert kinds.beside(on(NEW), on(None)).others == ()


def test_each_kind_is_told_once_and_knows_that_there_are_others() -> None:
    found = list(kinds.each(kinds.beside(on(THIRD), kinds.beside(on(OLD), on(NEW)))))
    assert [one.kind for one in found] == [THIRD, OLD, NEW]
    assert [{other.kind.processor for other in one.others if other.kind} for one in found] == [
        {"A"},
        {"A", "B"},
        {"A", "B"},
    ]
    assert [one.others for one in kinds.each(on(NEW))] == [()]


def test_a_kind_is_named_only_where_there_are_several_and_as_short_as_tells_it_from_them() -> None:
    assert kinds.where(on(NEW)) == ""
    assert kinds.where(replace(on(NEW), others=(on(OLD), on(THIRD)))) == " on SkylakeX kernels"
    assert kinds.where(replace(on(THIRD), others=(on(OLD), on(NEW)))) == " on B"
    assert kinds.where(replace(on(OLD), others=(on(NEW), on(THIRD)))) == " on A, kernels: openblas Haswell"


def test_kinds_that_differ_in_other_kernels_alone_are_told_apart() -> None:
    one, other = (ProcessorKind("A", {"openblas": "Haswell", "numpy": word}) for word in ("X86_V3", "X86_V4"))
    assert (
        kinds.where(replace(on(one), others=(on(other),))) == " on A, kernels: openblas Haswell, numpy X86_V3"
    )


def test_a_processor_without_kernels_and_one_that_was_not_noted_have_words_too() -> None:
    assert kinds.words(ProcessorKind("A", {})) == "A, kernels: not told"
    assert "not noted" in kinds.words(None)
    assert kinds.where(replace(on(NEW), others=(on(None),))) == " on A, kernels: openblas SkylakeX"


def test_all_kinds_are_written_and_read_again() -> None:
    part = speed_of_two_kinds()
    assert decode(SpeedResult, encode(part)) == part


@pytest.mark.parametrize("word", ["SkylakeX", "SapphireRapids", "AVX512_SPR", "avx512", "X86_V4"])
def test_kernels_of_avx512_are_known_by_all_their_names(word: str) -> None:
    assert kinds.of_avx512(word)
    assert not any(map(kinds.of_avx512, ("Haswell", "Zen", "AVX2", "X86_V3", "")))


def test_a_library_that_does_not_obey_is_named_where_this_command_chose() -> None:
    reports = {"torch, 1": ThreadReport({}, {"openblas": "Haswell", "torch": "AVX512"})}
    assert kinds.not_held(Kernels("this command", {}), reports) == ["torch AVX512"]
    assert kinds.not_held(Kernels("each library", {}), reports) == []
