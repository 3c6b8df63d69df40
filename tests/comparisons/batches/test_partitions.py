"""Partitions: every example once, unequal, something that counts in each micro-batch."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.batches.examples import Examples
from backproof.comparisons.batches.partitions import PARTITIONS, drawn


@given(n=st.integers(2, 40), seed=st.integers(0, 1000))
def test_every_example_is_in_one_micro_batch_and_in_each_something_counts(n: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    on = rng.random(n) < 0.7
    on[:2] = True
    found = drawn(Examples({"x": np.arange(n), "on": on}, "on"), seed)
    assert len(found) == PARTITIONS
    for p in found:
        assert sorted(np.concatenate(p.indices)) == list(range(n))
        assert (p.tokens > 0).all()
        assert p.tokens.sum() == p.alive.sum() == on.sum()
        assert p.positions.sum() == n


def test_the_first_is_a_loaders_with_a_short_last_micro_batch() -> None:
    first, *others = drawn(Examples(np.arange(10)), 0)
    assert [list(one) for one in first.indices] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9]]
    assert len({p.K for p in (first, *others)}) > 1


def test_the_same_seed_draws_the_same_partitions() -> None:
    examples = Examples(np.arange(9))
    one, same, other = ([list(map(list, p.indices)) for p in drawn(examples, seed)] for seed in (1, 1, 2))
    assert one == same != other
