import ast

import pytest

from tests.mutation.mutants import MovedError, line_of, mutants, planted

SOURCE = '''"""Größe × Maß."""

def f(x, y):
    # × and γ take more than one byte
    γ = {"größe": x}; total = x + y
    return total * (
        2
        + γ
    )

class A:
    limit: float = 1.0

    def g(self):
        def inside(z):
            return z - 1
        return inside(2)


def g(x, y):
    total = x - y
    total = x - y
    return total
'''


def test_a_mutant_differs_from_the_source_in_its_own_lines_alone() -> None:
    lines = SOURCE.splitlines()
    for mutant in mutants("m.py", SOURCE):
        changed, start = planted(mutant, SOURCE).splitlines(), line_of(mutant, SOURCE) - 1
        after = len(lines) - start - len(mutant.old.splitlines())
        assert changed[:start] == lines[:start]
        assert changed[len(changed) - after :] == lines[len(lines) - after :]
        assert changed != lines


def test_every_mutant_can_be_compiled_and_differs_from_all_others() -> None:
    sources = [planted(mutant, SOURCE) for mutant in mutants("m.py", SOURCE)]
    assert len({ast.dump(ast.parse(source)) for source in sources}) == len(sources)


def test_letters_of_several_bytes_before_the_mistake_do_not_move_it() -> None:
    assert any('    γ = {"größe": x}; total = (x - y)' in planted(m, SOURCE) for m in mutants("m.py", SOURCE))


def test_an_expression_over_several_lines_is_replaced_as_a_whole() -> None:
    assert any(
        "    return total * (\n        2\n    )" in planted(m, SOURCE) for m in mutants("m.py", SOURCE)
    )


def test_a_mutant_knows_its_outermost_function() -> None:
    functions = {mutant.old.strip(): mutant.function for mutant in mutants("m.py", SOURCE)}
    assert functions["return z - 1"] == "A.g"
    assert functions["limit: float = 1.0"] == "A"
    assert functions["total = x - y"] == "g"


def test_equal_lines_are_told_apart_by_their_order() -> None:
    both = [mutant for mutant in mutants("m.py", SOURCE) if mutant.new.strip() == "total = (x + y)"]
    assert [mutant.nth for mutant in both] == [0, 1]
    assert [line_of(mutant, SOURCE) for mutant in both] == [21, 22]
    assert len({mutant.key for mutant in both}) == 2


def test_the_key_of_a_mutant_does_not_move_with_the_lines_above_it() -> None:
    moved = "import numpy as np\n\n" + SOURCE
    assert {one.key for one in mutants("m.py", SOURCE)} == {one.key for one in mutants("m.py", moved)}


def test_a_mutant_whose_lines_have_changed_is_noticed() -> None:
    mutant = next(one for one in mutants("m.py", SOURCE) if "z - 1" in one.old)
    with pytest.raises(MovedError, match="return z - 1"):
        planted(mutant, SOURCE.replace("z - 1", "z - 3"))
