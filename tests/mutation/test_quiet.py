import pytest

from tests.mutation.mutants import mutants

QUIET = {
    "what is raised": 'def f(x):\n    raise ValueError(f"x: {x + 1}")\n',
    "a message": 'def f(x):\n    show("rows", f"{x * 2} of them")\n',
    "a docstring": 'def f(x):\n    """Give x + 1."""\n    return x\n',
    "an annotation": 'x: Annotated[Array, "n", 3] = y\n',
    "a decorator": "@cache(maxsize=3)\ndef f(x):\n    return x\n",
    "an assertion": "def f(x):\n    assert x > 1\n",
    "a text": 'def f(x) -> str:\n    return f"{x - 1}" if x > 1 else "none"\n',
    "a representation": "def __repr__(self):\n    return name(self, 1 + 1)\n",
    "a plural": 'word = "examples" if n != 1 else "one example"\n',
    "what is expected": 'expect(usable, "at least", 2)\n',
    "a size of blocks": "BLOCK_ROWS = 64\n",
    "a deadline": "done = run(command, timeout=10 + 5)\n",
    "what only types see": "if TYPE_CHECKING:\n    x = 1\n",
    "progress": "say(n)\n",
}


@pytest.mark.parametrize("source", QUIET.values(), ids=QUIET)
def test_what_is_no_computation_is_left_alone(source: str) -> None:
    assert [mutant for mutant in mutants("m.py", source) if mutant.operator != "step"] == []


def test_what_only_tells_is_no_step_that_could_be_missed() -> None:
    assert mutants("m.py", "say(n)\n") == []
    assert [mutant.what for mutant in mutants("m.py", "fill(n)\n")] == ["not done: fill(n)"]


def test_a_function_that_computes_a_text_is_no_message() -> None:
    source = "def checksum(x) -> str:\n    return sha256(x[1:]).hexdigest()\n"
    assert [mutant.what for mutant in mutants("m.py", source)] == ["1 becomes 2"]
