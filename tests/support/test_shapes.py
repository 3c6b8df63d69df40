"""The check of shapes sees a wrong one, and lets every right one pass."""

import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import pytest

from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch import gradients, losses
from backproof.scratch.architecture import Architecture, Array, Logits, PerExample, Targets, Weights
from backproof.scratch.network import Network
from tests.support.shapes import ShapeError, checked, outline

Matrix = Annotated[Array, "rows columns"]
Vector = Annotated[Array, "columns"]


@checked
def times(a: Matrix, v: Vector) -> Annotated[Array, "rows"]:
    product: Array = a @ v
    return product


@checked
def wrong_result(a: Matrix) -> Annotated[Array, "rows"]:
    sums: Array = a.sum(axis=0)
    return sums


@checked
def scaled(a: Matrix, factor: float | Vector | None = None) -> Matrix:
    return a if factor is None else a * factor


@checked
def pair(point: Annotated[Array, "2"]) -> tuple[Annotated[Array, "2"], str]:
    return point, "named"


@checked
def layers(weights: Weights) -> int:
    return len(weights)


@checked
def moved(arrays: dict[int, Vector], by: Vector) -> dict[int, Vector]:
    return {number: array[: len(by)] for number, array in arrays.items()}


@checked
def per_example(z: Logits, targets: Targets) -> PerExample:
    return np.zeros(len(z))


A = np.ones((3, 2))
RIGHT: dict[str, Callable[[], Any]] = {
    "equal names, equal sizes": lambda: times(A, np.ones(2)),
    "by keyword": lambda: times(v=np.ones(2), a=A),
    "a list": lambda: times([[1.0, 2.0]], np.ones(2)),  # type: ignore[arg-type] # what a user may give
    "None": lambda: scaled(A),
    "a number": lambda: scaled(A, 2.0),
    "an array where a number may stand": lambda: scaled(A, np.ones(2)),
    "a size": lambda: pair(np.ones(2)),
    "layers of different sizes": lambda: layers(
        [(np.ones((3, 4)), np.ones(4)), (np.ones((4, 1)), np.ones(1))]
    ),
    "a dictionary of different sizes": lambda: moved({0: np.ones(2), 1: np.ones(3)}, np.ones(2)),
    "labels": lambda: per_example(A, np.ones(3, int)),
    "targets": lambda: per_example(A, A),
}
WRONG: dict[str, Callable[[], Any]] = {
    "a result of another size": lambda: wrong_result(A),
    "a missing axis": lambda: wrong_result(np.ones((2, 2, 2))),
    "an array of no alternative": lambda: scaled(A, np.ones((1, 1))),
    "an array of another size than the alternative": lambda: scaled(np.ones((3, 1)), np.ones(2)),
    "another size than the number": lambda: pair(np.ones(3)),
    "a bias that does not fit its weight": lambda: layers([(np.ones((3, 4)), np.ones(3))]),
    "a matrix in a dictionary of vectors": lambda: moved({0: np.ones(2), 1: A}, np.ones(2)),
    "a dictionary returned with another size": lambda: moved({0: np.ones(1)}, np.ones(2)),
    "too few targets": lambda: per_example(A, np.ones((2, 2))),
    "targets of too many axes": lambda: per_example(A, np.ones((3, 2, 1))),
}


@pytest.mark.parametrize("case", RIGHT)
def test_a_call_of_the_right_shapes_passes(case: str) -> None:
    RIGHT[case]()


@pytest.mark.parametrize("case", WRONG)
def test_a_call_of_a_wrong_shape_is_seen(case: str) -> None:
    with pytest.raises(ShapeError):
        WRONG[case]()


def test_the_message_names_function_argument_and_shapes() -> None:
    message = r"test_shapes\.pair: point: expected Axes\(names=\('2',\)\).*got shape \(3,\)"
    with pytest.raises(ShapeError, match=message):
        pair(np.ones(3))


def test_what_a_function_refuses_it_refuses_by_itself() -> None:
    @checked
    def refuse(a: Matrix) -> None:
        raise ValueError("not this one")

    with pytest.raises(ValueError, match="not this one"):
        refuse(np.ones(3))


def test_a_function_without_shapes_stays_what_it_is() -> None:
    def plain(names: Sequence[str]) -> int:
        return len(names)

    assert checked(plain) is plain


@pytest.mark.parametrize(
    "function",
    [
        gradients.gradient,
        losses.Loss.value,
        Network.forward,
        Architecture.checked_inputs,
        TorchMLP.logits,
        TorchMLP.train,
    ],
)
def test_the_projects_own_functions_are_checked_while_tests_run(function: Callable[..., Any]) -> None:
    assert function.__code__.co_filename.endswith("shapes.py")


def test_a_wrong_shape_inside_the_project_is_seen() -> None:
    # Kernels trust their arguments: nothing but the check of shapes looks at them.
    loss = losses.LOSS_FUNCTIONS["mse"]
    with pytest.raises(ShapeError, match=r"Loss\.value_and_delta: targets"):
        loss.value(np.ones((3, 2)), np.ones((1, 2)))


def test_outside_the_tests_nothing_is_wrapped(tmp_path: Path) -> None:
    code = "from backproof.scratch.gradients import gradient; print(gradient.__code__.co_filename)"
    found = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    assert found.stdout.strip().endswith("gradients.py")


def test_a_wrong_call_is_seen_after_right_ones() -> None:
    for _ in range(2):
        times(A, np.ones(2))
        times(a=A[:2], v=np.ones(2))
        with pytest.raises(ShapeError):
            times(A, np.ones((2, 1)))
    scaled(A, 2.0)
    scaled(A)
    with pytest.raises(ShapeError):
        scaled(A, np.ones(3)[:, None])


@pytest.mark.parametrize(
    ("one", "other"),
    [
        (A, A.T),
        (A, A[0]),
        (A, [A]),
        ([A], (A,)),
        ([A, A[0]], [A[0], A]),
        ([A], [A, A]),
        ({1: A}, {1: A.T}),
        (np.ones(()), 1.0),
        (1.0, np.float32(1.0)),
        (1, None),
        ([], ()),
    ],
)
def test_what_may_fit_otherwise_has_another_outline(one: Any, other: Any) -> None:
    assert None not in (outline(one), outline(other))
    assert outline(one) != outline(other)


def test_equal_shapes_have_one_outline_and_of_what_is_not_known_there_is_none() -> None:
    assert outline([A, 1]) == outline([2 * A, 2])
    assert outline({1: A}) == outline({2: A})
    assert outline([A, Network]) is None
    assert outline(object()) is None
