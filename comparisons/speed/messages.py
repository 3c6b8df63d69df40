"""What a worker is asked and what it answers: dataclasses, each sent as one line of JSON.

Prepare    -> Prepared, or Absent where the contender declines
TimeRound  -> Round, or Absent
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.results.cells import Absent
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.result import ThreadReport


@dataclass(frozen=True)
class Prepare:
    """Read `data` (the path of an .npz of x and labels) and draw the weights of this case."""

    case: SpeedCase
    data: str
    seed: int


@dataclass(frozen=True)
class TimeRound:
    """Train `warm_up` + `n_steps` steps from the first weights; the last `n_steps` of them are timed."""

    n_steps: int
    warm_up: int


@dataclass(frozen=True)
class Prepared:
    """Data and weights are there."""

    report: ThreadReport


@dataclass(frozen=True)
class Round:
    """What the clocks showed, and what the judge holds against what was agreed."""

    steps: int
    images: int
    seconds: float
    cpu_seconds: float
    losses: int  # how many it returned
    first_loss: float  # NaN where it returned none, or one that is no finite number
    last_loss: float
    weights: str  # hash of those it started from
    batches: str  # hash of those it was given
    parts: Mapping[str, float] | None  # seconds per step, from the one with a clock inside
    report: ThreadReport


@dataclass(frozen=True)
class Request:
    """One line to a worker."""

    content: Prepare | TimeRound


@dataclass(frozen=True)
class Reply:
    """One line from a worker."""

    content: Round | Prepared | Absent  # read as the first of them whose fields are all there


def to_line(message: Request | Reply) -> bytes:
    """The message as one line of JSON."""
    return json.dumps(encode(message), allow_nan=False).encode() + b"\n"


def request_from(line: bytes | str) -> Request:
    """Raises InputError for a line of another form."""
    return decode(Request, json.loads(line))


def reply_from(line: bytes | str) -> Reply:
    """Raises InputError, or json.JSONDecodeError, for a line of another form."""
    return decode(Reply, json.loads(line))
