"""Who is timed: `Entrant`, a class that offers `load` and `train`, in one of the divisions.

matched     the same index batches, one step at a time, nothing but the framework's plain way
idiomatic   what that framework's users write
control     scratch a second time: how far apart two equal programs come out
floor       the matrix products alone: what no program that uses them can undercut
parts       scratch with a clock around each part of its step
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass, replace

from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.results.cells import Absent, Failed
from backproof.comparisons.speed.result import Division

DIVISIONS = ("matched", "idiomatic")
CONTROL, FLOOR, PARTS = "scratch again", "bare products", "scratch in parts"


@dataclass(frozen=True)
class Entrant:
    """A line of the comparison, and the package it needs."""

    name: str
    target: str  # "package.module:Class" or "file.py:Class", imported in the entry's own process alone
    division: Division
    requires: str  # the package that it imports; empty: none that is known
    says: str  # in one line, what it runs
    left_out: str = ""  # why it is not timed this time

    @property
    def family(self) -> str:
        """The contender it belongs to: ``torch compile`` is torch's; control, floor, parts are scratch's."""
        return SCRATCH if self.division in ("control", "floor", "parts") else self.name.split(" ")[0]

    @property
    def is_own(self) -> bool:
        """Whether it is a user's class, which nobody has read."""
        return ":" in self.name

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None where it can."""
        if not self.requires or importlib.util.find_spec(self.requires) is not None:
            return None
        known = [contender for contender in KNOWN.values() if contender.package == self.requires]
        install = known[0].how_to_install if known else f"python -m pip install {self.requires}"
        return f"{self.requires} not installed; run: {install}"

    @property
    def absence(self) -> Absent | Failed | None:
        """The cell of one that is not timed here, with the reason; None where it is."""
        if self.left_out:
            return Absent(self.left_out)
        return Failed(self.missing) if self.missing is not None else None


_OURS = (
    Entrant(CONTROL, KNOWN[SCRATCH].target, "control", "numpy", "the same again: the noise floor"),
    Entrant(
        FLOOR,
        "backproof.comparisons.speed.bare_products:BareProducts",
        "floor",
        "numpy",
        "the matrix products of a step alone",
    ),
    Entrant(
        PARTS,
        "backproof.comparisons.speed.step_in_parts:ScratchInParts",
        "parts",
        "numpy",
        "a clock around each part",
    ),
)


def known_entrants() -> tuple[Entrant, ...]:
    """Scratch with its control, floor and parts, every other known contender, their idiomatic forms."""
    matched = [Entrant(k.name, k.target, "matched", k.package, k.says) for k in KNOWN.values()]
    idiomatic = [
        Entrant(form.name, form.target, "idiomatic", k.package, form.says)
        for k in KNOWN.values()
        for form in k.idiomatic
    ]
    return (matched[0], *_OURS, *matched[1:], *idiomatic)


def held(entry: Entrant) -> Entrant:
    """As it takes part where every library is held to older kernels: left out where nothing holds it."""
    known = KNOWN.get(entry.family)
    return replace(entry, left_out=known.unheld) if known is not None else entry


def own_entrant(name: str) -> Entrant:
    """For a user's own class, named ``module:Class`` or ``file.py:Class``."""
    return Entrant(name, name, "matched", "", "a class of your own")


def for_growth(entries: Sequence[Entrant]) -> list[Entrant]:
    """Who is drawn against batch size and width: scratch and every matched contender."""
    return [entry for entry in entries if entry.division == "matched"]
