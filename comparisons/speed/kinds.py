"""Kinds of processors: figures of speed hold on one of them, and those of several are never mixed.

A kind is the processor's model and the kernels that the libraries in the process of scratch have chosen for
it: OpenBLAS has others for AVX-512 than for AVX2, and so do NumPy's element-wise operations. A measurement
replaces that of its own kind in a folder of results; those of other kinds stay beside it, as
`SpeedResult.others`.
"""

from collections.abc import Iterator, Mapping
from dataclasses import replace

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.running.environment import processor
from backproof.comparisons.speed.result import Kernels, ProcessorKind, SpeedResult, ThreadReport

BLAS = ("openblas", "mkl", "blis", "flexiblas")
# Names under which libraries know AVX-512: OpenBLAS's architectures, then parts of torch's and NumPy's words.
AVX512 = ("SkylakeX", "Cooperlake", "SapphireRapids")
AVX512_PARTS = ("AVX512", "X86_V4")


def this_one(reports: Mapping[str, ThreadReport]) -> ProcessorKind:
    """That of this machine, with the kernels that a process of scratch has reported."""
    found = [report for name, report in reports.items() if name.startswith(f"{SCRATCH}, ")]
    return ProcessorKind(processor(), found[0].kernels if found else {})


def beside(now: SpeedResult, before: SpeedResult | None) -> SpeedResult:
    """What has just been measured, with what was measured before it on other kinds of processors.

    The newest comes first, and what this command has held to other kernels after what libraries chose.
    """
    earlier = (before, *before.others) if before is not None else ()
    kept = [one for one in earlier if one.kind is not None and one.kind != now.kind]
    first, *others = sorted([now, *kept], key=lambda one: one.kernels.chosen_by == "this command")
    return replace(first, others=tuple(replace(one, others=()) for one in others))


def each(part: SpeedResult) -> Iterator[SpeedResult]:
    """One result a kind, in their order, each with all the others beside it: so it knows of them."""
    every = [replace(one, others=()) for one in (part, *part.others)]
    for one in every:
        yield replace(one, others=tuple(other for other in every if other is not one))


def words(kind: ProcessorKind | None) -> str:
    """``Intel(R) Xeon(R) Processor, kernels: openblas SkylakeX, numpy X86_V4``."""
    if kind is None:
        return "a processor that was not noted"
    return f"{kind.processor}, kernels: {pairs(kind.kernels) or 'not told'}"


def where(part: SpeedResult) -> str:
    """`` on KIND``, as short as it tells it from the others; nothing where there are none."""
    if not part.others:
        return ""
    mine, others = part.kind, [other.kind for other in part.others]
    for say in (_products, _processor):
        said = say(mine)
        if said and all(say(other) not in (said, "") for other in others):
            return f" on {said}"
    return f" on {words(mine)}"


def _products(kind: ProcessorKind | None) -> str:
    """``SkylakeX kernels``: those of the library of matrix products."""
    found = [kind.kernels[name] for name in BLAS if name in kind.kernels] if kind else []
    return f"{found[0]} kernels" if found else ""


def _processor(kind: ProcessorKind | None) -> str:
    return kind.processor if kind else ""


def pairs(found: Mapping[str, object]) -> str:
    """``openblas 2, cores 2``."""
    return ", ".join(f"{name} {value}" for name, value in found.items())


def not_held(kernels: Kernels, reports: Mapping[str, ThreadReport]) -> list[str]:
    """Libraries that chose kernels of AVX-512 although this command told them not to."""
    if kernels.chosen_by != "this command":
        return []
    chosen = {(name, word) for report in reports.values() for name, word in report.kernels.items()}
    return sorted(f"{name} {word}" for name, word in chosen if of_avx512(word))


def of_avx512(word: str) -> bool:
    """Whether a library's word for its kernels means AVX-512."""
    return word in AVX512 or any(part in word.upper() for part in AVX512_PARTS)
