"""The campaign's functions: their gradients are right, their mistakes are mistakes."""

import numpy as np
import pytest

from backproof.comparisons.gradients.black_box_campaign import judged
from backproof.comparisons.gradients.black_box_families import DOUBLE, GROUPS, BlackBox, Family, families
from backproof.comparisons.gradients.black_box_mistakes import CHANGES, mistaken

RNG = np.random.default_rng(0)
EACH = pytest.mark.parametrize("family", families().values(), ids=families())


def drawn(family: Family, seed: int = 0) -> BlackBox:
    with np.errstate(all="ignore"):
        return family.draw(np.random.default_rng([seed, len(family.name)]))


def test_there_are_kinds_enough_in_every_group() -> None:
    assert len(families()) >= 60
    assert {family.group for family in families().values()} == set(GROUPS)
    assert set(GROUPS) > DOUBLE


@EACH
def test_a_right_gradient_does_not_fail(family: Family) -> None:
    box = drawn(family)
    assert np.shape(box.gradient) == box.theta.shape
    with np.errstate(all="ignore"):
        verdict = judged(box, box.gradient)
    assert verdict.outcome != "FAIL", str(verdict)


@EACH
@pytest.mark.parametrize("kind", ["sign", "zero"])
def test_a_gradient_of_the_wrong_sign_or_of_zeros_does_not_pass(family: Family, kind: str) -> None:
    box = drawn(family)
    wrong = mistaken(box, kind, np.random.default_rng(0))
    if wrong is None:
        assert box.is_right(CHANGES[kind](box.gradient, RNG))
        return
    with np.errstate(all="ignore"):
        assert not judged(box, wrong).passed


@pytest.mark.parametrize("name", [name for name, family in families().items() if family.group == "smooth"])
@pytest.mark.parametrize("seed", range(3))
def test_right_gradients_of_smooth_functions_pass(name: str, seed: int) -> None:
    box = drawn(families()[name], seed + 1)
    verdict = judged(box, box.gradient)
    assert verdict.passed, str(verdict)
