"""What of the project is mutated: the parts, their files that compute, and a draw from their mutants."""

import hashlib
from collections import Counter
from collections.abc import Sequence

from tests.mutation.mutants import Mutant, mutants
from tests.mutation.trees import ROOT

# What each part is made of, as globs below the root.
PARTS = {
    "scratch": ("scratch/*.py",),
    "verdicts": ("comparisons/verdicts/*.py",),
    "statistics": (
        *("comparisons/accuracy/equivalence.py", "comparisons/accuracy/error_rates.py"),
        *("comparisons/speed/statistics.py", "comparisons/speed/ratios.py"),
    ),
    "speed": ("comparisons/speed/*.py",),
    "data": ("comparisons/data/*.py",),
    "check": (
        *("comparisons/check/*.py", "comparisons/check/battery/*.py"),
        *("comparisons/check/diagnosis/*.py", "comparisons/check/forms/*.py"),
    ),
    "compare": ("comparisons/compare/*.py",),
}
# What only writes, carries or shows.
NOT_COMPUTING = {
    *("__init__.py", "chapter.py", "terminal.py", "details_chapter.py", "result.py", "results.py"),
    *("messages.py", "words.py", "gradient_words.py", "shown.py", "template.py", "snippet.py", "glue.py"),
    *("ci_formats.py", "strip.py", "references.py", "model_process.py", "model_worker.py", "outcome.py"),
}


def files(part: str) -> list[str]:
    """The files of a part that compute something; a file belongs to one part."""
    elsewhere = {path for other in ("statistics",) if other != part for path in PARTS[other]}
    found = [
        path.relative_to(ROOT).as_posix() for pattern in PARTS[part] for path in sorted(ROOT.glob(pattern))
    ]
    return [path for path in found if path.rpartition("/")[2] not in NOT_COMPUTING and path not in elsewhere]


def all_mutants(paths: Sequence[str]) -> list[Mutant]:
    return [mutant for path in paths for mutant in mutants(path, (ROOT / path).read_text(encoding="utf-8"))]


def drawn(paths: Sequence[str], n: int | None, seed: int) -> list[Mutant]:
    """All mutants of these files, or `n` of them: files take turns, and so do the kinds of mistake in each.

    The order of a file's mutants is that of a hash of their text, so that a change elsewhere in the file
    leaves the draw as it was.
    """
    if n is None:
        return all_mutants(paths)
    waiting = {path: _shuffled(path, seed) for path in paths}
    kinds: Counter[str] = Counter()
    taken: list[Mutant] = []
    while len(taken) < n and any(waiting.values()):
        for path in sorted(waiting, key=lambda path: _hash(path, seed)):
            if waiting[path] and len(taken) < n:
                rarest = min(waiting[path], key=lambda mutant: kinds[mutant.operator])
                waiting[path].remove(rarest)
                kinds[rarest.operator] += 1
                taken.append(rarest)
    return taken


def _shuffled(path: str, seed: int) -> list[Mutant]:
    return sorted(all_mutants([path]), key=lambda mutant: _hash(mutant.key, seed))


def _hash(text: str, seed: int) -> bytes:
    return hashlib.sha256(f"{seed} {text}".encode()).digest()
