"""What a check of the battery may find: a comparison that fails or compares nothing is never silent."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.findings import (
    Mismatch,
    Undecided,
    namer,
    require,
    require_logits,
    require_same_bits,
)
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
