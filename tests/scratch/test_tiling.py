"""Tiles cover everything once, and no temporary array is larger than it may be."""

from itertools import product

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.tiling import Tiling, groups, rectangles

indices = st.lists(st.integers(0, 30), max_size=8, unique=True).map(lambda chosen: np.array(chosen, int))
counts = st.integers(1, 40)


@given(indices, st.integers(0, 10))
def test_groups_hold_every_index_once_in_order(chosen: np.ndarray, most: int) -> None:
    parts = list(groups(chosen, most))
    assert [index for part in parts for index in part] == chosen.tolist()
    assert all(1 <= len(part) <= max(1, most) for part in parts)


@given(indices, indices, st.integers(0, 20))
def test_rectangles_hold_every_pair_once_and_at_most_so_many(
    units: np.ndarray, inputs: np.ndarray, most: int
) -> None:
    found = [pair for some, others in rectangles(units, inputs, most) for pair in product(some, others)]
    assert len(found) == len(set(found))
    assert set(found) == set(product(units.tolist(), inputs.tolist()))
    sizes = [len(some) * len(others) for some, others in rectangles(units, inputs, most)]
    assert all(size <= max(1, most) for size in sizes)


@given(counts, counts, counts, counts)
def test_blocks_hold_every_example_once(elements: int, entries: int, widest: int, n_examples: int) -> None:
    tiling = Tiling.of_layer(elements, entries, widest)
    examples = np.arange(n_examples)
    seen = np.concatenate([examples[block] for block in tiling.example_blocks(n_examples)])
    np.testing.assert_array_equal(seen, examples)


@given(st.integers(1, 10**5), counts, counts, counts)
def test_what_has_room_fits_into_an_array(elements: int, entries: int, widest: int, width: int) -> None:
    tiling = Tiling.of_layer(elements, entries, widest)
    assert tiling.entries(width) * width * tiling.examples <= elements
    # More than one example at once only where all of the layer fits.
    assert tiling.examples == 1 or tiling.examples * entries * widest <= elements
