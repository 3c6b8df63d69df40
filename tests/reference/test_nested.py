"""Arrays in any nesting, by their names."""

from typing import NamedTuple

import numpy as np

from backproof.reference.nested import leaves, rebuilt


class Pair(NamedTuple):
    w: object
    b: object


def test_every_array_has_the_name_that_reaches_it() -> None:
    tree = {"w": [np.ones(2), (3.0, np.zeros(1))], "p": Pair(np.ones(1), None)}
    assert [name for name, _ in leaves(tree, "t")] == [
        "t['w'][0]",
        "t['w'][1][0]",
        "t['w'][1][1]",
        "t['p'][0]",
        "t['p'][1]",
    ]


def test_a_list_of_plain_numbers_is_one_array() -> None:
    assert list(leaves([1.0, 2.0])) == [("params", [1.0, 2.0])]


def test_a_nest_is_rebuilt_in_its_own_kinds() -> None:
    tree = {"w": [1.0, np.ones(2)], "p": Pair("a", "b")}
    again = rebuilt(tree, iter("wxyz"))
    assert again == {"w": ["w", "x"], "p": Pair("y", "z")}
    assert isinstance(again["p"], Pair)
