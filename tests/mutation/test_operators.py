import ast

import pytest

from tests.mutation.mutants import mutants, planted
from tests.mutation.operators import OPERATORS

SOURCE = """
def loss(x, y, rng_seed=0, *, smooth=False):
    rng = np.random.default_rng(rng_seed)
    if x.size < 1:
        raise ValueError(f"x: expected {1 + 1} numbers")
    total = x.sum(axis=0) + y.T * 2
    total -= rng.normal()
    if smooth:
        total = max(total, abs(y)) if y else 0.5
    buffer.fill(0)
    return -np.max(total) if x.shape[0] == 1 or smooth else draw(n, seed=rng_seed)
"""


def sources_with(what: str) -> list[str]:
    return [planted(mutant, SOURCE) for mutant in mutants("m.py", SOURCE) if what in mutant.what]


@pytest.mark.parametrize(
    ("what", "line"),
    [
        ("left out: y.T * 2", "total = x.sum(axis=0)"),
        ("left out: x.sum(axis=0)", "total = (y.T * 2)"),
        ("left out: 2", "total = x.sum(axis=0) + y.T"),
        ("sign", "total = (x.sum(axis=0) - y.T * 2)"),
        ("sign", "total += rng.normal()"),
        (
            "sign or negation dropped",
            "return np.max(total) if x.shape[0] == 1 or smooth else draw(n, seed=rng_seed)",
        ),
        ("comparison turned round", "if (x.size > 1):"),
        ("boundary", "if (x.size <= 1):"),
        ("and/or", "return -np.max(total) if (x.shape[0] == 1 and smooth) else draw(n, seed=rng_seed)"),
        (
            "np.min for np.max",
            "return -np.min(total) if x.shape[0] == 1 or smooth else draw(n, seed=rng_seed)",
        ),
        ("left out: abs(y)", "total = total if y else 0.5"),
        ("absolute value not taken", "total = max(total, y) if y else 0.5"),
        ("2 becomes 3", "total = x.sum(axis=0) + y.T * 3"),
        ("0.5 becomes 1.0", "total = max(total, abs(y)) if y else 1.0"),
        ("default 0 becomes 1", "def loss(x, y, rng_seed=1, *, smooth=False):"),
        ("default False becomes True", "def loss(x, y, rng_seed=0, *, smooth=True):"),
        ("axis not passed on", "total = x.sum() + y.T * 2"),
        ("another axis", "total = x.sum(axis=1) + y.T * 2"),
        ("another axis", "return -np.max(total) if x.shape[1] == 1 or smooth else draw(n, seed=rng_seed)"),
        ("not transposed", "total = x.sum(axis=0) + y * 2"),
        ("seed ignored", "rng = np.random.default_rng(0)"),
        ("seed ignored", "return -np.max(total) if x.shape[0] == 1 or smooth else draw(n, seed=0)"),
        ("not done: buffer.fill", "pass"),
        ("not done: total -=", "pass"),
        ("refusal left out", "if False:"),
        ("condition negated", "if (not smooth):"),
        ("always 0.5", "total = 0.5"),
    ],
)
def test_each_kind_of_mistake_is_planted(what: str, line: str) -> None:
    assert any(line in [one.strip() for one in source.splitlines()] for source in sources_with(what))


def test_every_operator_has_its_mistake_in_the_sample() -> None:
    assert {mutant.operator for mutant in mutants("m.py", SOURCE)} == {one.__name__ for one in OPERATORS}


def test_every_mutant_can_be_compiled() -> None:
    for mutant in mutants("m.py", SOURCE):
        ast.parse(planted(mutant, SOURCE))


def test_rounded_numbers_are_not_told_apart_at_their_boundary() -> None:
    assert not [mutant for mutant in mutants("m.py", "found = error < bound\n") if mutant.what == "boundary"]


@pytest.mark.parametrize(
    "source", ["name = 'a' + b\n", "rows = [1.5] * n + more\n", "file = folder / name\n"]
)
def test_texts_lists_and_paths_are_no_sums_and_products(source: str) -> None:
    kinds = {mutant.operator for mutant in mutants("m.py", source)}
    assert not kinds & {"sign"}
    assert "term" not in kinds or "[" in source


def test_a_tolerance_becomes_another_one_by_orders_of_magnitude() -> None:
    (mutant,) = (one for one in mutants("m.py", "close = abs(x) < 1e-9\n") if one.operator == "number")
    assert float(mutant.what.partition("becomes ")[2]) == pytest.approx(1e-6)
