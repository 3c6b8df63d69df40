"""Every message goes over a line and comes back as it was."""

import pytest

from backproof.comparisons.race.messages import (
    Ready,
    Reply,
    Request,
    RunSeed,
    WarmUp,
    reply_from,
    request_from,
    to_line,
)
from backproof.comparisons.race.recipes import TARGETS
from backproof.comparisons.race.result import RaceRun
from backproof.comparisons.results.cells import Absent
from backproof.scratch.errors import InputError
from tests.support.small_races import REPORT, finished


@pytest.mark.parametrize("name", TARGETS)
def test_a_warm_up_comes_back_with_its_recipe(name: str) -> None:
    request = Request(WarmUp(TARGETS[name].recipe, "images.npz"))
    line = to_line(request)
    assert line.count(b"\n") == 1
    assert request_from(line) == request


def test_a_seed_comes_back() -> None:
    assert request_from(to_line(Request(RunSeed(7)))) == Request(RunSeed(7))


@pytest.mark.parametrize("content", [finished(3), Ready(0.5, REPORT), Absent("no")])
def test_a_reply_comes_back_as_what_it_was(content: RaceRun | Ready | Absent) -> None:
    assert reply_from(to_line(Reply(content))) == Reply(content)


def test_a_line_of_another_form_is_refused() -> None:
    with pytest.raises(InputError):
        reply_from(b'{"content": {"seed": 1}}\n')
