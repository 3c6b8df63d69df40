"""Projections of several outputs: every output by itself, all of them together, and from a seed."""

import numpy as np
import pytest

from backproof.comparisons.verdicts.derivative_judge import MOST_OUTPUTS, PROJECTIONS, projections
from backproof.reference.program import Output


def outputs(*sizes: int) -> list[Output]:
    return [Output(f"out{i}", size, "float64") for i, size in enumerate(sizes)]


def test_a_single_output_is_looked_at_along_several_directions() -> None:
    found = projections(outputs(4), seed=0)
    assert found.c.shape == (PROJECTIONS, 4)
    assert found.labels == ("",) * PROJECTIONS
    assert (found.c != 0).all()


def test_of_several_outputs_each_is_looked_at_alone_and_all_of_them_at_last() -> None:
    found = projections(outputs(2, 3, 1), seed=0)
    assert found.labels == ("out0", "out1", "out2", "")
    expected = np.array([[1, 1, 0, 0, 0, 0], [0, 0, 1, 1, 1, 0], [0, 0, 0, 0, 0, 1], [1] * 6], bool)
    np.testing.assert_array_equal(found.c != 0, expected)


def test_more_outputs_than_are_looked_at_alone_share_the_rows_in_turn() -> None:
    found = projections(outputs(*[1] * (MOST_OUTPUTS + 1)), seed=0)
    assert len(found.labels) == MOST_OUTPUTS + 1
    assert found.labels[0] == f"out0, out{MOST_OUTPUTS}"
    assert np.flatnonzero(found.c[0]).tolist() == [0, MOST_OUTPUTS]


@pytest.mark.parametrize("sizes", [(4,), (2, 3)])
def test_the_seed_decides_the_directions(sizes: tuple[int, ...]) -> None:
    first, again, other = (projections(outputs(*sizes), seed).c for seed in (5, 5, 6))
    np.testing.assert_array_equal(first, again)
    assert not np.isclose(first, other)[first != 0].any()
