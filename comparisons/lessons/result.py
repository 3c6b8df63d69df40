"""What a lesson leaves in results.json: every sentence in every language, so that it can be drawn again.

Neither the run nor the catalogue is needed for that, and the reader may change the language of the page.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.results.codec import Foreign
from backproof.comparisons.verdicts.outcome import Outcome

Words = Mapping[str, str]  # language -> sentence


@dataclass(frozen=True)
class ToldClaim:
    """A sentence, the figures expected and found, and whether it holds."""

    says: Words
    holds: bool
    expected: str
    found: str


@dataclass(frozen=True)
class ToldCorrection:
    """The sentence of a text, which must fail, and the right one, which must hold."""

    key: str
    source: str
    says: Words
    holds: bool
    as_written: ToldClaim
    right: ToldClaim


@dataclass(frozen=True)
class ToldTable:
    """A table with its caption."""

    caption: Words
    header: tuple[Words, ...]
    rows: tuple[tuple[Words, ...], ...]


@dataclass(frozen=True)
class ToldSlider:
    """At position i the traces named in `frames[i]` take the values given there; `labels[i]` is read then."""

    title: Words
    labels: tuple[str, ...]
    frames: tuple[Foreign, ...]
    start: int


@dataclass(frozen=True)
class ToldFigure:
    """Plotly's own JSON, its labels still as keys, and what the keys say."""

    key: str
    caption: Words
    alt: Words
    data: tuple[Foreign, ...]
    layout: Foreign
    labels: Mapping[str, Words]
    slider: ToldSlider | None


@dataclass(frozen=True)
class Source:
    """Where a function stands, and the very text that ran."""

    where: str
    text: str


@dataclass(frozen=True)
class Hint:
    """A command to try, and what it shows."""

    command: str
    says: Words


@dataclass(frozen=True)
class ToldLesson:
    """One lesson that was run."""

    name: str
    row: int
    chapter: str
    sources: tuple[str, ...]
    verdict: Outcome
    seconds: float
    title: Words
    intent: Words
    formulas: tuple[str, ...]
    claims: tuple[ToldClaim, ...]
    corrections: tuple[ToldCorrection, ...]
    unjudged: tuple[Words, ...]
    tables: tuple[ToldTable, ...]
    figures: tuple[ToldFigure, ...]
    code: tuple[Source, ...]
    hints: tuple[Hint, ...]
    language: str = "en"  # that the page opens in
