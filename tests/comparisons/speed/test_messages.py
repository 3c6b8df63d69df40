"""What goes to a worker and back survives its line of JSON."""

import math

import pytest

from backproof.comparisons.results.cells import Absent
from backproof.comparisons.speed.cases import SpeedCase
from backproof.comparisons.speed.messages import (
    Prepare,
    Prepared,
    Reply,
    Request,
    Round,
    TimeRound,
    reply_from,
    request_from,
    to_line,
)
from backproof.comparisons.speed.result import ThreadReport
from backproof.scratch.errors import InputError

REPORT = ThreadReport({"openblas": 1}, {"openblas": "SkylakeX"})
ROUND = Round(5, 500, 0.1, 0.2, 7, 2.3, 1.9, "ab", "cd", {"gather": 1e-6}, REPORT)


@pytest.mark.parametrize(
    "content", [Prepare(SpeedCase((4, 3), 5, "adam", "float64"), "data.npz", 7), TimeRound(20, 10)]
)
def test_a_request_arrives_as_it_was_sent(content: Prepare | TimeRound) -> None:
    assert request_from(to_line(Request(content))) == Request(content)


@pytest.mark.parametrize("content", [Prepared(REPORT), ROUND, Absent("no such optimiser")])
def test_a_reply_arrives_as_it_was_sent(content: Round | Prepared | Absent) -> None:
    assert reply_from(to_line(Reply(content))) == Reply(content)


def test_a_loss_that_is_no_number_arrives_as_nan() -> None:
    lost = Round(5, 500, 0.1, 0.2, 7, math.nan, math.inf, "ab", "cd", None, REPORT)
    found = reply_from(to_line(Reply(lost))).content
    assert isinstance(found, Round)
    assert math.isnan(found.first_loss)
    assert math.isnan(found.last_loss)


def test_a_line_of_another_form_is_refused() -> None:
    with pytest.raises(InputError, match="content"):
        reply_from('{"content": {"seconds": 1.0}}')
