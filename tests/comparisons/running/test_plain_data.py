"""Plain data comes back as it was sent; what is no message is garbage, whatever it is, and nothing else."""

import contextlib
import io
import json
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from backproof.comparisons.running import plain_data
from backproof.comparisons.running.plain_data import Garbage, Opaque, Read, pack, unpack
from backproof.scratch.architecture import Architecture, Array


def reading(content: bytes) -> Read:
    """Exactly as many bytes as asked for; EOFError where there are fewer."""
    stream = io.BytesIO(content)

    def read(n: int) -> bytes:
        found = stream.read(n)
        if len(found) < n:
            raise EOFError
        return found

    return read


def sent(header: object, rest: bytes = b"") -> Read:
    text = json.dumps(header).encode()
    return reading(len(text).to_bytes(8, "big") + text + rest)


arrays = hnp.arrays(
    st.sampled_from(["<f4", "<f8", "<i8", "|b1", "|u1", ">f8"]),
    hnp.array_shapes(min_dims=0, max_dims=3, min_side=0),
)
leaves = (
    st.none()
    | st.booleans()
    | st.integers(-(1 << 63), (1 << 63) - 1)
    | st.floats(allow_nan=False)
    | st.text(max_size=20)
    | st.builds(Opaque, st.text(max_size=5), st.text(max_size=5))
)
values = st.recursive(
    leaves,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=10,
)


@given(values)
def test_a_value_comes_back(value: Any) -> None:
    assert unpack(reading(pack(value))) == value


@given(st.lists(arrays, max_size=4))
def test_arrays_come_back_bit_for_bit_and_can_be_written_to(given_arrays: list[Array]) -> None:
    found = unpack(reading(pack({"arrays": given_arrays})))["arrays"]
    for left, right in zip(given_arrays, found, strict=True):
        assert (left.dtype, left.shape, left.tobytes()) == (right.dtype, right.shape, right.tobytes())
        assert right.flags.writeable


@pytest.mark.parametrize("value", [float("nan"), float("inf"), float("-inf")])
def test_numbers_that_json_has_no_word_for_come_back(value: float) -> None:
    assert repr(unpack(reading(pack([value])))) == repr([value])


def test_a_strided_array_is_sent_in_its_order() -> None:
    array = np.arange(12.0).reshape(3, 4).T[::2]
    np.testing.assert_array_equal(unpack(reading(pack(array))), array)


def test_records_are_known_by_name_to_those_who_agreed_on_them() -> None:
    records: dict[str, type] = {"Architecture": Architecture}
    message = pack(Architecture((3, 2)), records)
    assert unpack(reading(message), records) == Architecture((3, 2))
    with pytest.raises(Garbage):
        unpack(reading(message))


def test_two_messages_follow_each_other() -> None:
    read = reading(pack([1, np.ones(2)]) + pack("two"))
    unpack(read)
    assert unpack(read) == "two"


@dataclass
class Stranger:
    x: int = 0


@pytest.mark.parametrize("value", [Stranger(), {1, 2}, object(), 1j])
def test_what_is_no_plain_data_is_not_sent(value: object) -> None:
    with pytest.raises(TypeError, match="is no plain data"):
        pack(value)


@pytest.mark.parametrize(
    "header",
    [
        {"a": ["|O8", [1]]},
        {"a": ["<f3", [1]]},
        {"a": ["<M8", [1]]},
        {"a": ["<f8", [-1]]},
        {"a": ["<f8", [1.5]]},
        {"a": ["<f8", [True]]},
        {"a": ["<f8", [1 << 40]]},
        {"a": ["<f8", [1 << 70, 0]]},
        {"a": ["<f8", [1] * 40]},
        {"a": ["<f8"]},
        {"a": 3},
        {"f": "1.0"},
        {"f": 1},
        {"d": [[1]]},
        {"d": [[[1], 2]]},
        {"o": ["x"]},
        {"r": ["Architecture", {}]},
        {"x": 1},
        {},
        {"f": "nan", "o": 1},
        10**400,
        -(10**30),
    ],
)
def test_a_header_of_another_kind_is_garbage(header: object) -> None:
    with pytest.raises(Garbage):
        unpack(sent(header, b"\0" * 64))


@pytest.mark.parametrize(
    "content",
    [
        b"\xff" * 8,
        (1 << 25).to_bytes(8, "big"),
        (2).to_bytes(8, "big") + b"{]",
        (2).to_bytes(8, "big") + b"\xff\xfe",
        (200_000).to_bytes(8, "big") + b"[" * 200_000,
        (5000).to_bytes(8, "big") + b"1" * 5000,
        (8).to_bytes(8, "big") + b"Infinity",
        (5).to_bytes(8, "big") + b"1e999",
    ],
)
def test_bytes_that_are_no_header_are_garbage(content: bytes) -> None:
    with pytest.raises(Garbage):
        unpack(reading(content))


def test_arrays_are_not_read_beyond_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plain_data, "ARRAYS_LIMIT", 64)
    assert len(unpack(reading(pack([np.ones(4), np.ones(4)])))) == 2
    with pytest.raises(Garbage, match="arrays of more than 64 bytes"):
        unpack(reading(pack([np.ones(4), np.ones(5)])))


@given(st.binary(max_size=200), st.integers(0, 200))
def test_random_bytes_are_a_message_or_garbage_or_an_end(content: bytes, cut: int) -> None:
    torn = pack([content.hex(), np.ones(3)])[:cut]
    for text in (content, torn, len(content).to_bytes(8, "big") + content):
        with contextlib.suppress(Garbage, EOFError):
            unpack(reading(text))
