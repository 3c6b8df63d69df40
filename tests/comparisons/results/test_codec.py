import json
import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.results.codec import Foreign, decode, encode
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class Inner:
    outcome: Outcome
    values: tuple[float, ...] = ()


@dataclass(frozen=True)
class Absent:
    not_offered: str


@dataclass(frozen=True)
class Outer:
    name: str
    count: int
    share: float
    kind: Literal["a", "b"]
    cells: Mapping[str, Inner | Absent]
    pair: tuple[int, str] | None = None
    right: bool = True
    more: tuple[Inner, ...] = field(default=())


def outers() -> st.SearchStrategy[Outer]:
    numbers = st.floats(allow_nan=False, allow_infinity=False)
    inner = st.builds(Inner, st.sampled_from(Outcome), st.lists(numbers).map(tuple))
    return st.builds(
        Outer,
        name=st.text(),
        count=st.integers(),
        share=numbers,
        kind=st.sampled_from(["a", "b"]),
        cells=st.dictionaries(st.text(), inner | st.builds(Absent, st.text()), max_size=3),
        pair=st.none() | st.tuples(st.integers(), st.text()),
        right=st.booleans(),
        more=st.lists(inner, max_size=2).map(tuple),
    )


def a_document() -> dict[str, Any]:
    inner = Inner(Outcome.PASS, (1.0, 2.0))
    text = json.dumps(encode(Outer("x", 3, 0.5, "a", {"torch": inner}, (1, "y"), False, (inner,))))
    document: dict[str, Any] = json.loads(text)
    return document


@given(outers())
def test_what_is_written_is_read_back_as_it_was(value: Outer) -> None:
    assert decode(Outer, json.loads(json.dumps(encode(value), allow_nan=False))) == value


@pytest.mark.parametrize("value", [math.nan, math.inf, -math.inf, np.float32("nan")])
def test_numbers_that_are_not_finite_are_null_and_come_back_as_nan(value: float) -> None:
    assert encode(value) is None
    assert math.isnan(decode(float, None))


def test_numpy_values_are_written_as_plain_ones() -> None:
    assert encode({"a": np.float64(0.5), "b": np.arange(2), "c": np.bool_(True)}) == {
        "a": 0.5,
        "b": [0, 1],
        "c": True,
    }


def test_what_json_cannot_say_is_a_mistake_of_the_programmer() -> None:
    with pytest.raises(TypeError, match="object has no form in JSON"):
        encode({"a": object()})


@pytest.mark.parametrize(
    ("path", "value", "said"),
    [
        (["name"], 3, "name: expected text, found 3"),
        (["count"], 1.5, "count: expected a whole number, found 1.5"),
        (["count"], True, "count: expected a whole number, found True"),
        (["share"], "1", "share: expected a number, found '1'"),
        (["share"], True, "share: expected a number, found True"),
        (["kind"], "c", "kind: expected one of a, b, found 'c'"),
        (["right"], 1, "right: expected true or false, found 1"),
        (["pair"], [1], "pair: expected a list of 2, found a list of 1"),
        (["pair", 1], 2, r"pair\[1\]: expected text, found 2"),
        (["cells"], [], "cells: expected an object, found a list of 0"),
        (["cells", "torch", "outcome"], "PASSED", r"cells.torch.outcome: expected one of PASS, FAIL"),
        (["cells", "torch", "values", 1], "x", r"cells.torch.values\[1\]: expected a number"),
        (["cells", "torch", "extra"], 1, "cells.torch: unknown extra"),
        (["more"], None, "more: expected a list, found None"),
        (["more", 0], {}, r"more\[0\]: lacks outcome"),
        (["surplus"], 1, "the document: unknown surplus"),
    ],
)
def test_a_value_that_does_not_fit_is_named_by_its_place(path: list[Any], value: Any, said: str) -> None:
    document = a_document()
    place: Any = document
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    with pytest.raises(InputError, match=said):
        decode(Outer, document)


def test_a_missing_field_is_named_and_one_with_a_default_may_be_missing() -> None:
    document = a_document()
    del document["right"]
    assert decode(Outer, document).right is True
    del document["name"]
    with pytest.raises(InputError, match="the document: lacks name"):
        decode(Outer, document)


def test_an_answer_that_is_absent_is_told_from_one_that_is_there() -> None:
    cell = decode(Outer, {**a_document(), "cells": {"jax": {"not_offered": "no"}}}).cells["jax"]
    assert cell == Absent("no")


@dataclass(frozen=True)
class Drawn:
    """A picture in the form of the program that draws it."""

    traces: tuple[Foreign, ...]


def test_another_programs_object_is_kept_as_it_is() -> None:
    traces: tuple[Foreign, ...] = ({"x": [1, 2.5, None], "line": {"dash": "dot"}, "visible": True}, {})
    assert decode(Drawn, encode(Drawn(traces))) == Drawn(traces)


def test_what_is_no_object_is_refused_in_its_place() -> None:
    with pytest.raises(InputError, match=r"traces\[1\]: expected an object, found 'x'"):
        decode(Drawn, {"traces": [{}, "x"]})
