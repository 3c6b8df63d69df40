"""The table: how many mistakes of each part were seen, which were not, and which cannot be."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from tests.mutation.operators import OPERATORS
from tests.mutation.run import WIDE, Fate
from tests.mutation.trees import ROOT

TABLE = ROOT / ".github" / "MUTATION.md"
Fates = Mapping[str, Sequence[Fate]]  # of each part


def row(name: str, fates: Sequence[Fate]) -> str:
    """A line of counts; the share is of those that are not equivalent."""
    counts = Counter(fate.outcome for fate in fates)
    real = counts["killed"] + counts["survived"]
    share = f"{100 * counts['killed'] / real:.1f} %" if real else "-"
    return _line(name, len(fates), counts["killed"], counts["survived"], counts["equivalent"], share)


def text(fates: Fates, fresh: Fates, settings: str, terms: int) -> str:
    """The page; `fresh` is a second draw, made after the tests had been written for the first."""
    every = [fate for found in fates.values() for fate in found]
    again = [fate for found in fresh.values() for fate in found]
    minutes = sum(fate.cpu for fate in [*every, *again]) / 60
    parts = [*(row(part, found) for part, found in fates.items()), row("all", every)]
    kinds_of = {one.__name__: [f for f in every if f.mutant.operator == one.__name__] for one in OPERATORS}
    kinds = [row(kind, found) for kind, found in kinds_of.items() if found]
    lines = [
        *_head(settings, minutes),
        *_table(("part", *_COUNTS), parts),
        "",
        "By kind of mistake (`tests/mutation/operators.py` says what each is):",
        "",
        *_table(("kind", *_COUNTS), kinds),
        "",
        *_fresh(fresh, again),
        *_TERMS.format(terms=terms).split("\n"),
        *_those(
            [*every, *again],
            "survived",
            "Survivors",
            "No test failed with these planted; for some there is one since.",
        ),
        *_those([*every, *again], "equivalent", "Equivalent", "Nothing can differ, for the reason given."),
    ]
    return "\n".join(lines)


_COUNTS = ("mutants", "killed", "survived", "equivalent", "killed of the others")
_HEAD = """# Would the suite notice?

Mistakes planted in the project's own source, one at a time, and the tests that run the changed function.
Made on {today} by `python -m tests.mutation {settings}`, in {minutes:.0f} minutes
of one core. Files take turns in the draw, and so do the kinds of mistake. A mutant meets the quick tests near
it and then, but for a run with `--quick`, every test of the files that run its function, up to {wide:.0f}
seconds' worth. Every run of the suite plants forty mistakes (`tests/mutation/sample.toml`).
"""
_FRESH = """Survivors of that draw were given tests of their kind, so its shares flatter the suite. A second
draw, judged once, before any test was written for it:
"""
_TERMS = """The terms of every bound of rounding and truncation are left out or halved one at a time besides,
by tests of their own: {terms} cases, each with an implementation that then exceeds its bound
(`tests/comparisons/verdicts/test_bound_terms.py` holds the register).
"""


def _head(settings: str, minutes: float) -> Iterable[str]:
    today = f"{date.today():%d %B %Y}"
    return _HEAD.format(today=today, settings=settings, minutes=minutes, wide=WIDE).split("\n")


def _fresh(fresh: Fates, every: Sequence[Fate]) -> Iterable[str]:
    if not every:
        return ()
    parts = [*(row(part, found) for part, found in fresh.items()), row("all", every)]
    return (*_FRESH.split("\n"), *_table(("part", *_COUNTS), parts), "")


def _table(columns: Sequence[object], rows: Sequence[str]) -> Iterable[str]:
    return (_line(*columns), _line(*("---" for _ in columns)), *rows)


def _those(fates: Sequence[Fate], outcome: str, title: str, sentence: str) -> Iterable[str]:
    found = [fate for fate in fates if fate.outcome == outcome]
    if not found:
        return ()
    lines = [
        _line(f"`{fate.mutant.path}`", _code(fate.mutant.function or "-"), _change(fate), fate.by)
        for fate in found
    ]
    return (f"## {title}", "", sentence, "", *_table(("file", "function", "mistake", ""), lines), "")


def _change(fate: Fate) -> str:
    return f"{_code(fate.mutant.old)} → {_code(fate.mutant.new)}"


def _code(lines: str) -> str:
    flat = " ".join(line.strip() for line in lines.split("\n"))
    return f"`{flat.replace('|', chr(92) + '|')}`"


def _line(*cells: object) -> str:
    return f"| {' | '.join(map(str, cells))} |"
