import numpy as np
import pytest

from backproof.comparisons.compare.glue import missing_pieces
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import Array

RIGHT = np.random.default_rng(0).normal(size=(3, 4))
PIECE = np.random.default_rng(1).normal(size=(3, 4))


@pytest.mark.parametrize(
    ("found", "said"),
    [
        (RIGHT - PIECE, "p is missing from the sum"),
        (RIGHT + PIECE, "p is added to it"),
        (PIECE, "it is p unchanged"),
        (np.maximum(PIECE, 0), "it is the relu of p alone"),
        (3 * RIGHT, "it is 3 times what it should be"),
        (RIGHT[:, ::-1], "the right numbers in another order"),
    ],
)
def test_what_explains_every_entry_is_said_and_nothing_else(found: Array, said: str) -> None:
    (text,) = missing_pieces(found, Bounded(RIGHT, np.full(RIGHT.shape, 1e-9)), {"p": PIECE})
    assert said in text


def test_what_nothing_explains_is_left_alone() -> None:
    bound = Bounded(RIGHT, np.full(RIGHT.shape, 1e-9))
    assert missing_pieces(RIGHT + PIECE**2, bound, {"p": PIECE}) == []
