"""Rules counted in the source: types of what travels, words of verdicts, lengths of signatures."""

import ast
import tomllib
from collections.abc import Iterable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
FOLDERS = ("scratch", "reference", "comparisons")
# The two codecs: what they write and read is of any kind until it has been checked.
CODECS = {"comparisons/results/codec.py", "comparisons/running/plain_data.py"}
OUTCOME = "comparisons/verdicts/outcome.py"
VERDICTS = {"PASS", "FAIL", "INCONCLUSIVE"}
MOST_PARAMETERS = 7
COMMANDS = "comparisons/commands/"  # whose functions have one parameter for each option


def sources() -> dict[str, str]:
    """The text of every module of the three folders, by its path."""
    paths = (path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")))
    return {path.relative_to(ROOT).as_posix(): path.read_text(encoding="utf-8") for path in paths}


def untyped_dictionaries(source: str) -> list[int]:
    """The lines with a type dict[str, Any], in quotes or not."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if (isinstance(node, ast.Subscript) and ast.unparse(node) == "dict[str, Any]")
        or (isinstance(node, ast.Constant) and "dict[str, Any]" in str(node.value))
    ]


def verdict_words(source: str) -> list[int]:
    """The lines on which a verdict is a text of its own, and no Outcome."""
    return [
        node.lineno
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Constant) and node.value in VERDICTS
    ]


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    """What a call hands over; the instance or class that a method belongs to is not handed over."""
    given = function.args
    found = [*given.posonlyargs, *given.args, given.vararg, *given.kwonlyargs, given.kwarg]
    names = [one.arg for one in found if one is not None]
    return names[1:] if names[:1] in (["self"], ["cls"]) else names


def long_signatures(source: str) -> list[str]:
    """The functions and methods with more than MOST_PARAMETERS."""
    return [
        node.name
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and len(parameters(node)) > MOST_PARAMETERS
    ]


def without(*paths: str) -> Iterable[tuple[str, str]]:
    """The sources, but for those whose path begins like one of these."""
    return ((path, text) for path, text in sources().items() if not path.startswith(paths))


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("x: dict[str, Any] = {}", [1]),
        ("\ndef f() -> list[dict[str, Any]]: ...", [2]),
        ("def f(x: 'dict[str, Any]'): ...", [1]),
        ("x: dict[str, int]; y: Mapping[str, object]", []),
    ],
)
def test_the_search_finds_untyped_dictionaries(source: str, expected: list[int]) -> None:
    assert untyped_dictionaries(source) == expected


def test_the_search_finds_verdicts_written_as_text_and_passes_over_sentences() -> None:
    source = "if row == 'PASS':\n    pass\nwords = 'a PASS means that'\nif x in {'FAIL'}: ..."
    assert verdict_words(source) == [1, 4]


def test_the_search_counts_every_kind_of_parameter_and_leaves_out_the_instance() -> None:
    source = """
def seven(a, b, c, /, d, e, *, f, g): ...
def eight(a, b, c, /, d, *e, f, g, **h): ...
class A:
    def seven_and_itself(self, a, b, c, d, e, f, g): ...
    async def eight_and_itself(self, a, b, c, d, e, f, g, h): ...
"""
    assert long_signatures(source) == ["eight", "eight_and_itself"]


def test_no_untyped_dictionary_travels_outside_the_codecs() -> None:
    assert {path: found for path, text in without(*CODECS) if (found := untyped_dictionaries(text))} == {}


def test_no_verdict_is_written_as_text_outside_its_own_type() -> None:
    assert {path: found for path, text in without(OUTCOME) if (found := verdict_words(text))} == {}


def test_the_words_that_are_searched_for_are_those_of_the_type() -> None:
    assert len(verdict_words(sources()[OUTCOME])) == len(VERDICTS)


def test_no_function_takes_more_than_seven_parameters_but_for_commands() -> None:
    assert {path: found for path, text in without(COMMANDS) if (found := long_signatures(text))} == {}


def test_no_module_is_spared_what_mypy_says() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["mypy"]
    assert settings["strict"] is True
    overrides = settings["overrides"]
    assert not any(
        "ignore_errors" in table or "disable_error_code" in table for table in (settings, *overrides)
    )
