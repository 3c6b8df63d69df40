"""The mistakes that are planted in right gradients: each changes what it says, and gross ones are gross."""

import numpy as np
import pytest

from backproof.comparisons.gradients.black_box_families import BlackBox
from backproof.comparisons.gradients.black_box_mistakes import CHANGES, GROSS, mistaken
from backproof.scratch.architecture import Array

RNG = np.random.default_rng(0)


def box_of(gradient: Array) -> BlackBox:
    return BlackBox(lambda t: 0.0, np.zeros(gradient.shape), gradient)


@pytest.mark.parametrize("kind", CHANGES)
def test_every_kind_of_mistake_changes_what_it_says(kind: str) -> None:
    right = np.array([[1.0, 2.0], [-3.0, 1e-9]])
    wrong = mistaken(box_of(right), kind, np.random.default_rng(3))
    assert wrong is not None
    changed = wrong != right
    if kind.startswith(("one entry", "sign of one")):
        assert changed.sum() == 1
        assert abs(right[changed][0]) >= 1
    elif kind == "transposed":
        np.testing.assert_array_equal(wrong, right.T)
    else:
        assert changed.all()
    if " by 1e-" in kind:
        size = float(kind.rpartition(" ")[2])
        np.testing.assert_allclose(abs(wrong / right - 1)[changed], size, rtol=1e-6)


def test_gross_mistakes_are_those_of_a_hundredth_and_more() -> None:
    assert set(CHANGES) - set(GROSS) == {
        *(f"scaled by 1e-{k}" for k in range(3, 9)),
        "one entry by 1e-4",
    }


def test_what_lies_between_the_slopes_of_a_kink_is_no_mistake() -> None:
    box = BlackBox(lambda t: 0.0, np.zeros(1), np.array([0.5]), np.array([0.0]), np.array([1.0]))
    assert mistaken(box, "zero", RNG) is None
    assert mistaken(box, "sign", RNG) is not None


@pytest.mark.parametrize("gradient", [np.ones((3, 3)), np.array([2.0, 1.0, 2.0])])
def test_a_symmetric_gradient_is_not_wrong_when_transposed(gradient: Array) -> None:
    assert mistaken(box_of(gradient), "transposed", RNG) is None
