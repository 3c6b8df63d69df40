"""Where outputs and gradients lie in an answer: by shapes, by names, beside each other; else refused."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders.named.gradient_places import find_gradient, find_outputs
from backproof.comparisons.contenders.own_network import NotTold, Place, TwoFit

W1, W2, B1, B2 = np.ones((3, 5)), np.ones((5, 8)), np.ones((1, 5)), np.ones((1, 8))
NET = SimpleNamespace(W=[W1, W2], b=[B1, B2])


def at(name: str, i: int, array: Any) -> Place:
    return Place((("attribute", name), ("item", i)), array.shape)


WEIGHTS = [(at("W", 0, W1), at("b", 0, B1)), (at("W", 1, W2), at("b", 1, B2))]


def paths(answer: Any, net: Any = NET, any_shape: bool = False) -> list[str]:
    places, in_network = find_gradient(answer, net, WEIGHTS, any_shape)
    return [("net" if in_network else "") + place.path for place in places]


@pytest.mark.parametrize(
    ("answer", "found"),
    [
        ([(W1, B1), (W2, B2)], ["[0][0]", "[0][1]", "[1][0]", "[1][1]"]),
        ([(B1[0], W1), (B2[0], W2)], ["[0][1]", "[0][0]", "[1][1]", "[1][0]"]),
        (([B1, B2], [W1.T, W2.T]), ["[1][0]", "[0][0]", "[1][1]", "[0][1]"]),
        ({"dW2": W2, "db2": B2.T, "dW1": W1, "db1": B1}, ["['dW1']", "['db1']", "['dW2']", "['db2']"]),
        (([W1, W2], [1.5, 2.5]), ["[0][0]", "[1][0]", "[0][1]", "[1][1]"]),
        ((W1, B1, W2, B2, np.ones((20, 5))), ["[0]", "[1]", "[2]", "[3]"]),
    ],
)  # fmt: skip
def test_it_is_found_in_any_container(answer: Any, found: list[str]) -> None:
    assert paths(answer) == found


def test_it_is_found_in_the_network_by_names_of_gradients() -> None:
    net = SimpleNamespace(**vars(NET), velocity=[W1, W2], dW=[W1, W2], db=[B1, B2], last=np.ones((20, 8)))
    assert paths(np.ones((20, 3)), net) == ["net.dW[0]", "net.db[0]", "net.dW[1]", "net.db[1]"]


def test_numbers_are_told_by_the_names_of_their_biases() -> None:
    net = SimpleNamespace(W_h=W1, b_h=B1, W_o=W2, b_o=B2)
    names = ("W_h", "b_h", "W_o", "b_o")
    places = [Place((("attribute", name),), getattr(net, name).shape) for name in names]
    answer = {"dW_o": W2, "db_o": 1.0, "dW_h": W1, "db_h": 2.0}
    found, _ = find_gradient(answer, net, [(places[0], places[1]), (places[2], places[3])], False)
    assert [place.path for place in found] == ["['dW_h']", "['db_h']", "['dW_o']", "['db_o']"]


def test_a_bias_gradient_of_another_shape_is_taken_where_samples_are_declared_alone() -> None:
    answer = ([W1, W2], [np.ones((20, 5)), np.ones((20, 8))])
    with pytest.raises(NotTold, match=r"db1, of shape \(5,\), is not told among .*\(20, 5\)"):
        paths(answer)
    assert paths(answer, any_shape=True) == ["[0][0]", "[1][0]", "[0][1]", "[1][1]"]


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (None, "dW1, of shape .* no array"),
        ([(W1, B1)], "dW2"),
        ([(W1, B1), (W2, B2), (W2, B2)], r"dW2, .* among \[1\]\[0\] \(5, 8\), \[2\]\[0\]"),
    ],
)
def test_what_is_not_there_or_there_twice_is_refused(answer: Any, words: str) -> None:
    with pytest.raises(NotTold, match=words):
        paths(answer)


def outputs(answer: Any, *keys: Any, row: tuple[str, ...] = ()) -> str:
    return find_outputs(answer, keys, row, lambda shape: shape == (20, 8)).path


def test_outputs_are_the_array_of_their_shape_that_lies_least_deep() -> None:
    z = np.ones((20, 8))
    assert outputs(z) == ""
    assert outputs((z, [z, z])) == "[0]"
    assert outputs({"a": z, "b": z}, "b") == "['b']"
    assert outputs((np.ones(3), z, z), "probs", row=("loss", "z", "probs")) == "[2]"


def test_two_arrays_of_the_outputs_shape_are_refused_and_none_is() -> None:
    z = np.ones((20, 8))
    with pytest.raises(TwoFit, match="2 arrays of the outputs' shape, a, b: which"):
        outputs({"a": z, "b": z})
    with pytest.raises(NotTold, match="no array"):
        outputs(z.T)
