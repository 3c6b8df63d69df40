"""Batches cut, padded and jittered, in NumPy, torch and JAX alike."""

from typing import Any

import jax.numpy as jnp
import numpy as np
import pytest
import torch

from backproof.comparisons.batches.examples import Examples, examples_of

MAKE: dict[str, Any] = {"numpy": np.asarray, "torch": torch.tensor, "jax": jnp.asarray}
MASK = np.array([[1, 1, 0], [1, 0, 0], [1, 1, 1]], dtype=np.float32)


@pytest.fixture(params=MAKE)
def batch(request: pytest.FixtureRequest) -> Any:
    make = MAKE[request.param]
    x = np.arange(18, dtype=np.float32).reshape(3, 3, 2) + 0.5
    return {"x": make(x), "inner": (make(MASK), make(np.arange(3))), "name": "kept", "mask": make(MASK)}


def test_some_examples_are_taken_from_every_array_and_the_rest_goes_along(batch: Any) -> None:
    taken = Examples(batch, "mask").take([2, 0]).batch
    np.testing.assert_array_equal(np.asarray(taken["x"]), np.asarray(batch["x"])[[2, 0]])
    np.testing.assert_array_equal(np.asarray(taken["inner"][1]), [2, 0])
    assert taken["name"] == "kept"
    assert taken["x"].dtype == batch["x"].dtype


def test_tokens_and_positions_are_counted(batch: Any) -> None:
    examples = Examples(batch, "mask")
    assert (examples.n, examples.positions, list(examples.tokens)) == (3, 3, [2, 1, 3])


def test_padding_is_copied_to_the_end_of_every_example(batch: Any) -> None:
    padded = Examples(batch, "mask").padded(2)
    assert padded is not None
    np.testing.assert_array_equal(np.asarray(padded.batch["mask"])[:, 3:], 0)
    np.testing.assert_array_equal(np.asarray(padded.batch["mask"])[:, :3], MASK)
    x = np.asarray(batch["x"])
    np.testing.assert_array_equal(np.asarray(padded.batch["x"])[:, 3:], np.broadcast_to(x[0, 2], (3, 2, 2)))
    np.testing.assert_array_equal(np.asarray(padded.batch["x"])[:, :3], x)


def test_a_mask_of_examples_is_padded_with_examples_that_do_not_count() -> None:
    padded = Examples({"x": np.arange(3.0), "on": np.array([1, 0, 1])}, "on").padded(2)
    assert padded is not None
    assert list(padded.batch["x"]) == [0, 1, 2, 1, 1]
    assert list(padded.tokens) == [1, 0, 1, 0, 0]


def test_without_padding_there_is_none_to_copy() -> None:
    assert Examples({"x": np.arange(3.0)}).padded(2) is None


def test_real_numbers_are_moved_by_a_rounding_and_masks_are_not(batch: Any) -> None:
    other = Examples(batch, "mask").jittered(np.random.default_rng(0))
    assert other is not None
    x, moved = np.asarray(batch["x"]), np.asarray(other.batch["x"])
    assert moved.dtype == x.dtype
    assert 0 < np.abs(moved / x - 1).max() <= 2.0**-22
    np.testing.assert_array_equal(np.asarray(other.batch["mask"]), MASK)


def test_a_batch_of_integers_is_not_moved() -> None:
    assert Examples(np.arange(4)).jittered(np.random.default_rng(0)) is None


def test_one_example_that_counts_is_too_few() -> None:
    with pytest.raises(ValueError, match="expected at least 2 examples that count, got 1"):
        examples_of({"x": np.arange(3.0), "on": np.array([1, 0, 0])}, "on")
