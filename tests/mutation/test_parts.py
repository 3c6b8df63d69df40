from collections import Counter

import pytest

from tests.mutation import parts
from tests.mutation.operators import OPERATORS
from tests.mutation.parts import PARTS, drawn, files


@pytest.mark.parametrize("part", PARTS)
def test_every_part_has_files_and_no_file_belongs_to_two(part: str) -> None:
    assert files(part)
    assert not [other for other in PARTS if other != part and set(files(other)) & set(files(part))]


def test_a_draw_takes_from_every_file_and_depends_on_the_seed_alone() -> None:
    paths = files("data")
    first = drawn(paths, 2 * len(paths), seed=1)
    assert Counter(mutant.path for mutant in first) == dict.fromkeys(paths, 2)
    assert first == drawn(paths, 2 * len(paths), seed=1)
    assert first != drawn(paths, 2 * len(paths), seed=2)


def test_a_draw_takes_every_kind_of_mistake_before_one_comes_again_and_again() -> None:
    kinds = Counter(mutant.operator for mutant in drawn(files("scratch"), 36, seed=0))
    assert kinds.keys() == {one.__name__ for one in OPERATORS}
    assert max(kinds.values()) <= 6


def test_a_change_elsewhere_in_a_file_leaves_the_draw_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    before = drawn(["scratch/losses.py"], 10, seed=0)
    whole = parts.all_mutants(["scratch/losses.py"])
    not_drawn = next(mutant for mutant in whole if mutant not in before)
    without = [mutant for mutant in whole if mutant != not_drawn]
    monkeypatch.setattr(parts, "all_mutants", lambda paths: without)
    assert drawn(["scratch/losses.py"], 10, seed=0) == before
