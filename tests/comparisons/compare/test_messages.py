from typing import Any

import numpy as np
import pytest

from backproof.comparisons.compare.messages import checked
from backproof.reference.record import Call, Record


def a_record(**other: Any) -> Record:
    call = Call("model", "model", "Net\x1b[31m", -1, 3, [np.zeros(2)], [np.ones(2)], {0: np.ones(2)})
    return Record(**{"calls": [call], "loss": np.array(1.0), "parameters": {"w": np.ones(3)}, **other})


def test_a_record_passes_with_its_texts_cleaned() -> None:
    found = checked(a_record(raised="no\x07"))
    assert found is not None
    assert "\x1b" not in found.calls[0].kind
    assert "\x07" not in found.raised


WRONG: list[Any] = [["x"]]


@pytest.mark.parametrize(
    "other",
    [
        {"calls": [1]},
        {"calls": [Call("a", "a", "b", 5, 0)]},
        {"calls": [Call("a", "a", "b", -1, 0, *WRONG)]},
        {"parameters": {"w": [1.0]}},
        {"gradients": {1: np.ones(2)}},
        {"loss": 1.0},
    ],
)
def test_what_is_no_record_is_refused(other: Any) -> None:
    assert checked(a_record(**other)) is None
    assert checked("a record") is None
