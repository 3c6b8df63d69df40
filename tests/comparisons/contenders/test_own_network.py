"""Weights are found inside a network by their shapes, put there and read back; else it is refused."""

from itertools import pairwise
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders.own_network import with_load
from backproof.scratch.architecture import Architecture

SIZES = (3, 4, 4, 2)
WEIGHTS = [
    (np.arange(m * n, dtype=float).reshape(m, n), -np.arange(n, dtype=float))
    for m, n in [(3, 4), (4, 4), (4, 2)]
]


def pairs(sizes: tuple[int, ...]) -> list[tuple[int, int]]:
    return list(pairwise(sizes))


def in_attributes(sizes: tuple[int, ...]) -> Any:
    net = SimpleNamespace()
    for i, (m, n) in enumerate(pairs(sizes), start=1):
        setattr(net, f"W{i}", np.ones((m, n)))
        setattr(net, f"b{i}", np.ones((1, n)))
        setattr(net, f"dW{i}", np.ones((m, n)))
    return net


def in_a_dictionary(sizes: tuple[int, ...]) -> Any:
    shapes = enumerate(pairs(sizes), start=1)
    return SimpleNamespace(
        params={f"{k}{i}": np.ones(s) for i, (m, n) in shapes for k, s in (("W", (m, n)), ("b", n))}
    )


def in_lists_turned(sizes: tuple[int, ...]) -> Any:
    return SimpleNamespace(
        w=[np.ones((n, m)) for m, n in pairs(sizes)], b=[np.ones((n, 1)) for n in sizes[1:]]
    )


def in_a_dictionary_and_in_layers(sizes: tuple[int, ...]) -> Any:
    """The very same arrays in both: what is put in one must be in the other."""
    net = in_a_dictionary(sizes)
    numbers = range(1, len(sizes))
    net.layers = [SimpleNamespace(W=net.params[f"W{i}"], b=net.params[f"b{i}"]) for i in numbers]
    return net


def in_layers(sizes: tuple[int, ...]) -> Any:
    layers = [
        SimpleNamespace(kernel=np.ones(p), bias=np.ones(p[1]), velocity=np.ones(p)) for p in pairs(sizes)
    ]
    return SimpleNamespace(layers=tuple(layers), parent=layers[0])


KINDS = [in_attributes, in_a_dictionary, in_lists_turned, in_layers, in_a_dictionary_and_in_layers]


def adapter(build: Any, **attributes: Any) -> Any:
    methods = {"network": lambda self, architecture: build(architecture.layer_sizes), **attributes}
    return with_load(type("Adapter", (), methods))()


def loaded(build: Any, **attributes: Any) -> Any:
    made = adapter(build, **attributes)
    made.load(Architecture(SIZES), WEIGHTS)
    return made


@pytest.mark.parametrize("build", KINDS)
def test_what_is_loaded_is_what_lies_there(build: Any) -> None:
    made = loaded(build)
    for (W, b), (kept_W, kept_b) in zip(WEIGHTS, made.weights(), strict=True):
        np.testing.assert_array_equal(kept_W, W)
        np.testing.assert_array_equal(kept_b, b)


@pytest.mark.parametrize("build", KINDS)
def test_nothing_is_shared_with_the_caller(build: Any) -> None:
    made = loaded(build)
    made.weights()[1][0][...] = 7.0
    np.testing.assert_array_equal(made.weights()[1][0], WEIGHTS[1][0])


def test_an_array_that_lies_in_two_places_is_put_in_both() -> None:
    net = loaded(in_a_dictionary_and_in_layers).net
    assert net.params["W2"] is net.layers[1].W
    np.testing.assert_array_equal(net.layers[1].W, WEIGHTS[1][0])


def test_a_square_layer_lies_the_way_the_others_do() -> None:
    np.testing.assert_array_equal(loaded(in_lists_turned).net.w[1], WEIGHTS[1][0].T)
    np.testing.assert_array_equal(loaded(in_attributes).net.W2, WEIGHTS[1][0])


def test_what_is_kept_beside_the_weights_stays_as_it_is() -> None:
    assert (loaded(in_attributes).net.dW1 == 1).all()
    assert (loaded(in_layers).net.layers[0].velocity == 1).all()


def test_biases_inside_the_weights_are_one_row_more() -> None:
    made = adapter(
        lambda sizes: [np.ones((n, m + 1)) for m, n in pairs(sizes)], biases="last", weight_layout="out_in"
    )
    folded = [np.hstack([W.T, b[:, None]]) for W, b in WEIGHTS]
    made.load(Architecture(SIZES), folded)
    for given, kept in zip(folded, made.weights(), strict=True):
        np.testing.assert_array_equal(kept, given)


@pytest.mark.parametrize(
    ("build", "words"),
    [
        (lambda sizes: SimpleNamespace(W=[np.ones(p) for p in pairs(sizes)], b=[]), "b1.*found none"),
        (
            lambda sizes: SimpleNamespace(one=np.ones(sizes[:2]), two=np.ones(sizes[:2])),
            "W1.*net.one, net.two",
        ),
    ],
)
def test_what_is_not_told_apart_is_refused(build: Any, words: str) -> None:
    with pytest.raises(LookupError, match=words):
        loaded(build)


def test_a_class_with_its_own_load_is_left_alone() -> None:
    class Own:
        def network(self) -> None: ...

        def load(self) -> None: ...

    assert with_load(Own) is Own
