"""What the worker of a race is asked and what it answers: dataclasses, each sent as one line of JSON.

WarmUp   -> Ready, or Absent where the contender declines
RunSeed  -> RaceRun
"""

import json
from dataclasses import dataclass

from backproof.comparisons.race.recipes import RaceRecipe
from backproof.comparisons.race.result import RaceRun
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.speed.result import ThreadReport


@dataclass(frozen=True)
class WarmUp:
    """Read `data` (an .npz of byte images and labels), and take a step by this recipe in every batch size."""

    recipe: RaceRecipe
    data: str


@dataclass(frozen=True)
class RunSeed:
    """Train once by the recipe of the warm-up; weights, batches and distortions follow from the seed."""

    seed: int


@dataclass(frozen=True)
class Ready:
    """What no clock counts is done."""

    warm_up_seconds: float
    report: ThreadReport


@dataclass(frozen=True)
class Request:
    """One line to a worker."""

    content: WarmUp | RunSeed


@dataclass(frozen=True)
class Reply:
    """One line from a worker."""

    content: RaceRun | Ready | Absent


def to_line(message: Request | Reply) -> bytes:
    """The message as one line of JSON."""
    return json.dumps(encode(message), allow_nan=False).encode() + b"\n"


def request_from(line: bytes | str) -> Request:
    """Raises InputError for a line of another form."""
    return decode(Request, json.loads(line))


def reply_from(line: bytes | str) -> Reply:
    """Raises InputError, or json.JSONDecodeError, for a line of another form."""
    return decode(Reply, json.loads(line))
