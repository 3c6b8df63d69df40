"""Ways to build a network from its sizes: by names, in a list, one by one; the weights decide."""

from typing import Any

import pytest

from backproof.comparisons.contenders.named.building import ways_to_build


def told(function: Any) -> list[str]:
    return [words for words, _ in ways_to_build(function)][:-2]


LAST = ["all sizes in a list", "the sizes one by one"]


@pytest.mark.parametrize(
    ("function", "words"),
    [
        (lambda sizes: 0, ["sizes=all sizes", "sizes=all sizes"]),
        (lambda layer_dims, activation="relu": 0, ["layer_dims=all sizes", "layer_dims=all sizes"]),
        (lambda sizes, device: 0, []),
        (lambda *sizes: 0, []),
        (
            lambda n_in=784, n_out=10, dropout=0.5: 0,
            ["n_in=inputs, n_out=outputs"],
        ),
        (
            lambda inodes, hnodes, onodes, learningrate: 0,
            [
                "inodes=inputs, hnodes=the hidden size, onodes=outputs, learningrate=1.0",
                "inodes=inputs, hnodes=the hidden sizes, onodes=outputs, learningrate=1.0",
            ]
            * 2,
        ),
    ],
)
def test_sizes_are_given_by_the_names_of_parameters(function: Any, words: list[str]) -> None:
    assert told(function) == words
    assert [text for text, _ in ways_to_build(function)][-2:] == LAST


def test_every_way_gives_the_sizes_it_says() -> None:
    def make(input_size: int, hidden: Any, output_size: int) -> tuple[int, Any, int]:
        return input_size, hidden, output_size

    one, several, *_ = [way for _, way in ways_to_build(make)]
    assert one((3, 5, 8)) == (3, 5, 8)
    assert several((3, 5, 8, 12)) == (3, [5, 8], 12)
    with pytest.raises(ValueError, match="3 sizes"):
        one((3, 5))


def test_what_has_no_signature_is_given_all_sizes() -> None:
    assert [words for words, _ in ways_to_build(dict)] == LAST
