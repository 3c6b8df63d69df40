"""Parameters in any nesting: their names, their shapes, and what makes others like them."""

from collections import namedtuple
from typing import Any

import jax
import numpy as np
import pytest
import torch

from backproof.comparisons.verdicts.parameter_tree import (
    InPlace,
    as_numpy,
    like,
    matching,
    tensors,
)
from backproof.reference.nested import leaves, rebuilt
from backproof.scratch.errors import InputError, InputTypeError

Pair = namedtuple("Pair", ["w", "b"])
W, B = np.arange(6.0).reshape(3, 2), np.array([7.0, 8.0])
TREES: list[tuple[Any, list[str]]] = [
    (W, ["params"]),
    ([1.5, 2.5], ["params"]),
    (0.3, ["params"]),
    ({"W1": W, "b1": B}, ["params['W1']", "params['b1']"]),
    ([W, B], ["params[0]", "params[1]"]),
    ([(W, B), {"g": B}], ["params[0][0]", "params[0][1]", "params[1]['g']"]),
    (Pair(W, B), ["params[0]", "params[1]"]),
]


@pytest.mark.parametrize(("tree", "names"), TREES)
def test_arrays_go_by_the_names_people_use(tree: Any, names: list[str]) -> None:
    assert [name for name, _ in leaves(tree)] == names


@pytest.mark.parametrize("tree", [tree for tree, _ in TREES])
def test_a_tree_is_rebuilt_as_it_was(tree: Any) -> None:
    again = rebuilt(tree, iter([array for _, array in leaves(tree)]))
    assert type(again) is type(tree)
    assert [name for name, _ in leaves(again)] == [name for name, _ in leaves(tree)]


def test_entries_are_named_with_their_place() -> None:
    assert tensors({"W1": W})[0].entry(5) == "params['W1'][2, 1]"
    assert tensors(0.3)[0].entry(0) == "params"


@pytest.mark.parametrize(
    ("framework", "dtype"),
    [
        *[("torch", dtype) for dtype in ("float64", "float32", "float16", "bfloat16")],
        *[
            ("jax", dtype) for dtype in ("float32", "float16", "bfloat16")
        ],  # float64 only where it is asked to
    ],
)
def test_framework_arrays_keep_their_dtype_and_round_as_it_does(framework: str, dtype: str) -> None:
    model: Any = (
        torch.zeros(2, dtype=getattr(torch, dtype)) if framework == "torch" else jax.numpy.zeros(2, dtype)
    )
    made = like(model, np.array([1 / 3, 2.0]))
    assert type(made) is type(model)
    assert made.dtype == model.dtype
    assert as_numpy(made)[0] == pytest.approx(1 / 3, rel={"float64": 0, "float32": 1e-7}.get(dtype, 1e-2))


def test_numpy_arrays_are_handed_on_in_double_precision() -> None:
    assert like(np.zeros(2, np.float32), np.array([1 / 3, 2.0])).dtype == np.float64


@pytest.mark.parametrize(
    ("tree", "error", "words"),
    [
        (np.array([1, 2]), InputTypeError, "expected floating-point numbers, got int64"),
        (
            {"n": np.array([True])},
            InputTypeError,
            r"params\['n'\]: expected floating-point numbers, got bool",
        ),
        (np.array([1j]), InputTypeError, "expected real numbers, got complex128"),
        (np.array([np.nan]), InputError, "expected finite numbers"),
        (np.zeros(0), InputError, "expected at least one number"),
        ({"a": object()}, InputTypeError, r"params\['a'\]"),
        ("text", InputTypeError, "params"),
    ],
)
def test_what_cannot_be_moved_is_refused_in_a_sentence(tree: Any, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        tensors(tree)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"W": W.T, "b": B}, r"gradient\['W'\]: expected shape \(3, 2\)"),
        ({"W": W}, "gradient: expected 2 arrays as in params, got 1"),
        ({"W": W, "c": B}, r"expected gradient\['b'\] as in params, got .*gradient\['c'\]"),
        ({"W": W, "b": None}, r"gradient\['b'\]: expected an array of shape \(2,\), got None"),
        ({"W": W * 1j, "b": B}, r"gradient\['W'\]: expected real numbers, got complex128"),
    ],
)
def test_a_gradient_that_does_not_match_is_refused_in_a_sentence(given: Any, words: str) -> None:
    with pytest.raises(InputError, match=words):
        matching(given, tensors({"W": W, "b": B}), "gradient")


def test_the_order_of_a_dict_is_not_asked_for() -> None:
    flat, _ = matching({"b": B, "W": W}, tensors({"W": W, "b": B}), "gradient")
    np.testing.assert_array_equal(flat[0], W.ravel())


def test_a_float32_gradient_is_known_as_one_in_whatever_dtype_it_comes() -> None:
    rounded = np.random.default_rng(0).standard_normal(20).astype(np.float32).astype(np.float64)
    assert matching(rounded, tensors(np.zeros(20)), "gradient")[1] == "float32"


def test_moved_arrays_are_put_back_bit_for_bit() -> None:
    arrays: list[Any] = [np.array([0.1, -0.0]), torch.tensor([0.1, 0.2], requires_grad=True)]
    found = tensors(arrays)
    moved = InPlace(found)
    moved.write(0, np.array([5.0, 6.0]))
    moved.write(1, np.array([5.0, 6.0]))
    moved.restore([0, 1])
    assert arrays[0].tobytes() == np.array([0.1, -0.0]).tobytes()
    assert arrays[1].tolist() == torch.tensor([0.1, 0.2]).tolist()


@pytest.mark.parametrize(
    "tensor",
    [
        torch.tensor([[0.1, -0.0], [0.2, 0.3]], dtype=torch.float64),
        torch.tensor([[0.1, -0.0], [0.2, 0.3]], dtype=torch.float64).T,
        torch.nn.Parameter(torch.tensor([[0.1, -0.0], [0.2, 0.3]], dtype=torch.float64)),
        torch.tensor([[0.1, -0.0], [0.2, 0.3]], dtype=torch.bfloat16),
    ],
    ids=["contiguous", "transposed", "parameter", "bfloat16"],
)
def test_tensors_are_moved_where_they_are_however_they_lie_there(tensor: torch.Tensor) -> None:
    as_it_was = tensor.detach().double().numpy().tobytes()
    moved = InPlace(tensors(tensor))
    assert moved.write(0, np.arange(4.0)).tolist() == [0, 1, 2, 3]
    assert tensor.tolist() == [[0, 1], [2, 3]]
    moved.restore([0])
    assert tensor.detach().double().numpy().tobytes() == as_it_was


def test_a_tensor_that_has_been_given_other_memory_is_moved_there() -> None:
    w = torch.zeros(2, dtype=torch.float64, requires_grad=True)
    moved = InPlace(tensors(w))
    w.data = torch.ones(2, dtype=torch.float64)
    moved.write(0, np.array([5.0, 6.0]))
    assert w.tolist() == [5, 6]
    moved.restore([0])
    assert w.tolist() == [0, 0]


def test_what_a_float32_array_made_of_a_move_is_told() -> None:
    moved = InPlace(tensors([np.array([1.0], np.float32)]))
    assert moved.write(0, np.array([1.0 + 1e-12]))[0] == 1.0


def test_arrays_that_cannot_be_written_to_are_refused_in_a_sentence() -> None:
    with pytest.raises(InputTypeError, match="let the function take them"):
        InPlace(tensors([jax.numpy.zeros(2)]))


def test_what_is_moved_in_place_is_moved_under_autocast_too() -> None:
    w = torch.ones(2, 2, requires_grad=True)
    x = torch.ones(1, 2)
    place = InPlace(tensors(w))
    with torch.autocast("cpu", dtype=torch.bfloat16):
        before = (x @ w).sum().item()  # a rounded copy of w is kept
        place.write(0, np.full(4, 2.0))
        assert (x @ w).sum().item() == 2 * before
