"""What a check of the battery may find: a comparison that fails or compares nothing is never silent."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import (
    Mismatch,
    Undecided,
    compare_scalar,
    namer,
    only_refused,
    require,
    require_a_loss,
    require_logits,
    require_same_bits,
    told,
)
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import compare


def test_a_comparison_that_fails_is_never_silent() -> None:
    with pytest.raises(Mismatch, match="worst"):
        require("what", compare(np.array([1.0]), np.array([2.0]), 0.5))


def test_a_comparison_of_nothing_decides_nothing() -> None:
    with pytest.raises(Undecided):
        require("what", compare(np.zeros(0), np.zeros(0), 0.0))


def test_an_entry_of_logits_is_named_by_its_row_and_its_column() -> None:
    names = namer("logits", 3)
    assert [names(index) for index in (0, 2, 3, 7)] == [
        "logits[0, 0]",
        "logits[0, 2]",
        "logits[1, 0]",
        "logits[2, 1]",
    ]


def test_a_wrong_logit_is_named_where_it_stands() -> None:
    right, found = np.zeros((2, 4)), np.zeros((2, 4))
    found[1, 2] = 1.0
    expected: Any = SimpleNamespace(outputs=Bounded(right, np.full((2, 4), 1e-9)))
    require_logits(expected, right)
    with pytest.raises(Mismatch, match=r"logits\[1, 2\]"):
        require_logits(expected, found)


@pytest.mark.parametrize(("layer", "kind", "place"), [(1, "W", (2, 1)), (2, "b", (1,))])
def test_a_bit_that_differs_is_named_with_its_layer(layer: int, kind: str, place: tuple[int, ...]) -> None:
    expected = [(np.ones((3, 2)), np.ones(2)), (np.ones((2, 2)), np.ones(2))]
    found = [(W.copy(), b.copy()) for W, b in expected]
    require_same_bits("weights", found, expected)
    found[layer - 1]["Wb".index(kind)][place] += 2.0**-52
    where = ", ".join(map(str, place))
    with pytest.raises(Mismatch, match=rf"^weights: {kind}{layer}\[{where}\] is 1.0000000000000002"):
        require_same_bits("weights", found, expected)


@pytest.mark.parametrize("kind", ["raised", "value", "crash"])
def test_what_is_refused_by_raising_is_declined_and_nothing_else_is(kind: str) -> None:
    with pytest.raises(Misbehaviour) as found, only_refused("integer weights"):
        raise Misbehaviour(kind, "load raised TypeError")
    refused = ("declined", "integer weights are refused: load raised TypeError")
    assert (found.value.kind, found.value.text) == (
        refused if kind == "raised" else (kind, "load raised TypeError")
    )
    with only_refused("integer weights"):
        pass


@pytest.mark.parametrize(("step", "text"), [(True, "step returns no loss"), (False, "no cost is named")])
def test_a_loss_that_is_not_told_is_not_offered(step: bool, text: str) -> None:
    some: Any = SimpleNamespace(silent=True, form=SimpleNamespace(step=step))
    with pytest.raises(Misbehaviour, match=text) as found:
        require_a_loss(some)
    assert found.value.kind == "declined"
    some.silent = False
    require_a_loss(some)


def test_two_numbers_are_told_with_as_many_digits_as_it_takes_to_see_that_they_differ() -> None:
    near = compare(np.array([1.0 + 2.0**-40]), np.array([1.0]), 0.0)
    assert told(near).count("1.0000000000009095") == 1
    assert "expected 1.0" in told(near)
    far = compare(np.array([1.5]), np.array([1.0]), 0.0)
    assert told(far) == far.reason
    assert "found 1.5, expected 1" in told(far)
    nan = compare(np.array([float("nan")]), np.array([1.0]), 0.0)
    assert told(nan) == nan.reason


def test_a_mismatch_keeps_the_comparison_and_the_calls_that_show_it() -> None:
    verdict = compare(np.array([1.0]), np.array([2.0]), 0.5)
    calls: Any = ["load", "logits"]
    with pytest.raises(Mismatch) as found:
        require("what", verdict, calls)
    assert (found.value.verdict, found.value.calls) == (verdict, calls)
    assert (Mismatch("plain").verdict, Mismatch("plain").calls) == (None, ())


@pytest.mark.parametrize("off", [0.9e-9, 1.1e-9, -1.1e-9])
def test_one_number_is_compared_with_its_bound_and_named(off: float) -> None:
    verdict = compare_scalar(2.0 + off, Bounded(np.array(2.0), np.array(1e-9)), "loss")
    assert (verdict.outcome == Outcome.PASS) == (abs(off) < 1e-9)
    assert verdict.worst == "loss"
