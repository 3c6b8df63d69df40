"""`Cause`: what may be behind a wrong answer, and how much of what was seen it accounts for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

EXPLAINS, FITS, DESCRIBES = "explains", "fits", "describes"
MOST = 3  # causes that are told


@dataclass(frozen=True)
class SourceLine:
    """A line of the class's own source. Where a name led to it and no traceback did, it is a guess."""

    file: str  # its name without folders
    number: int
    text: str  # without its indentation

    def __str__(self) -> str:
        return f"line {self.number}: {self.text}"


@dataclass(frozen=True)
class Cause:
    """A sentence, and how much of what was seen it accounts for.

    explains    it predicts every answer seen, right and wrong, entry for entry
    fits        it predicts every wrong answer of the kind it speaks of
    describes   it says what was seen, and no more
    """

    sentence: str
    certainty: str  # explains | fits | describes
    line: SourceLine | None = None  # of the class's source, where names in it lead to one
    about: str = ""  # what of a class it speaks of: loss mse, weight, bias, slope relu, adam, ...

    def __str__(self) -> str:
        return f"{self.sentence} ({self.certainty})"


def told(causes: Sequence[Cause]) -> str:
    """The causes after a reason: ``; every entry has the wrong sign (explains)``.

    Parameters
    ----------
    causes
        The best first.

    Returns
    -------
    str
        Empty without any.
    """
    return "".join(f"; {cause}" for cause in causes)


def shared(causes: Iterable[tuple[str, Sequence[Cause]]], n: int) -> tuple[Cause, ...]:
    """Of the causes of several tensors, by name, those for all: the ones most often given come first.

    A cause that not all n of them have is told with the names of those that do.

    Parameters
    ----------
    causes
        The name of every tensor that has causes, with them.
    n
        How many tensors there are.

    Returns
    -------
    tuple of Cause
        At most MOST.
    """
    having: dict[Cause, list[str]] = {}
    for name, found in causes:
        for cause in found:
            having.setdefault(cause, []).append(name)
    most_first = sorted(having.items(), key=lambda item: -len(item[1]))
    return tuple(
        cause if len(names) == n else Cause(f"{', '.join(names)}: {cause.sentence}", cause.certainty)
        for cause, names in most_first[:MOST]
    )
