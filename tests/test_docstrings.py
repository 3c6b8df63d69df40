"""What public functions say of themselves: every parameter, what is returned, and what is raised.

Read with `ast`, in the modules whose functions other folders and users call. A section must be true as far as
it can be counted: it names exactly the parameters that there are, and tells of exceptions where the function
raises any by itself.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


def _modules_of(folder: str) -> list[str]:
    paths = sorted((ROOT / folder).glob("*.py"))
    return [
        path.relative_to(ROOT).as_posix() for path in paths if path.stem not in ("__init__", "references")
    ]


SCRATCH, REFERENCE = _modules_of("scratch"), _modules_of("reference")
VERDICTS = _modules_of("comparisons/verdicts")
OTHERS = ["comparisons/api/testing.py", "comparisons/batches/algebra.py", "comparisons/check/session.py"]
COVERED = [*SCRATCH, *REFERENCE, *VERDICTS, *OTHERS]
# Of these classes the methods too.
CLASSES = {
    *("Architecture", "Contender", "Dropout", "Loss", "Mask", "Network", "Optimizer", "Parameters"),
    *("Problem", "Program", "RecipeContender", "Richardson", "Scheme"),
}
# Of the frameworks' classes too, but for what their protocols say of every one of them.
PROTOCOLS = {
    "reference/contender.py": "Contender",
    "reference/program.py": "Program",
    "reference/recipe.py": "RecipeContender",
}
NOTHING_TO_SAY = {"ignore", "no_formula"}  # of arguments that are not looked at
SECTIONS = ("Parameters", "Attributes", "Returns", "Yields", "Raises", "Notes", "References", "Examples")
REFUSING = re.compile(r"expect(_\w+)?$")


def sections(docstring: str) -> dict[str, list[str]]:
    """The lines of each section by its title."""
    found: dict[str, list[str]] = {}
    current: list[str] = []
    lines = docstring.splitlines()
    for title, line in zip(["", *lines], [*lines, ""], strict=True):
        if title in SECTIONS and line == "-" * len(title):
            current = found.setdefault(title, [])
        else:
            current.append(line)
    for title, content in found.items():
        # The title of the next section stands in the lines of this one.
        found[title] = [line for line in content if line.strip() and line not in SECTIONS]
    return found


def named(lines: list[str]) -> list[str]:
    """The names that a section begins its entries with: ``x, targets`` are two."""
    return [name.strip() for line in lines if not line.startswith(" ") for name in line.split(",")]


def parameters(function: ast.FunctionDef) -> list[str]:
    """What a call hands over, with the stars of *args and **options."""
    given = function.args
    plain = [one.arg for one in (*given.posonlyargs, *given.args)]
    plain = plain[1:] if plain[:1] in (["self"], ["cls"]) else plain
    rest = [f"*{given.vararg.arg}"] if given.vararg else []
    rest += [one.arg for one in given.kwonlyargs]
    return [*plain, *rest, *([f"**{given.kwarg.arg}"] if given.kwarg else [])]


def own_nodes(function: ast.FunctionDef) -> Iterator[ast.AST]:
    """The statements and expressions of a function, without those of functions inside it."""
    waiting: list[ast.AST] = list(function.body)
    while waiting:
        node = waiting.pop()
        yield node
        if not isinstance(node, ast.FunctionDef | ast.Lambda):
            waiting += ast.iter_child_nodes(node)


def refuses(function: ast.FunctionDef) -> bool:
    """Whether it raises by itself, or by one of the functions that do so for bad input."""
    return any(
        (isinstance(node, ast.Raise) and node.exc is not None)
        or (isinstance(node, ast.Call) and REFUSING.match(ast.unparse(node.func)))
        for node in own_nodes(function)
    )


def missing(function: ast.FunctionDef) -> list[str]:
    """What the docstring of a function with parameters leaves out, or tells wrongly."""
    found, taken = sections(ast.get_docstring(function) or ""), parameters(function)
    if not taken:
        return []
    told = named(found.get("Parameters", []))
    wrong = [f"parameters {told}, where it takes {taken}"] if sorted(told) != sorted(taken) else []
    gives = function.returns is not None and ast.unparse(function.returns) not in ("None", "Never")
    if gives and not ("Returns" in found or "Yields" in found):
        wrong.append("what it returns")
    if refuses(function) and "Raises" not in found:
        wrong.append("what it raises")
    return wrong


def functions(source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The public functions of a module, and the public methods of CLASSES."""
    for node in ast.parse(source).body:
        if isinstance(node, ast.FunctionDef) and not node.name.startswith("_"):
            yield node.name, node
        if isinstance(node, ast.ClassDef) and node.name in CLASSES:
            for method in node.body:
                if isinstance(method, ast.FunctionDef) and not method.name.startswith("_"):
                    yield f"{node.name}.{method.name}", method


def said_by_protocols() -> set[str]:
    """The methods that `Contender` and `Program` describe for all the classes that have them."""
    return {
        name.removeprefix(f"{protocol}.")
        for path, protocol in PROTOCOLS.items()
        for name, _ in functions((ROOT / path).read_text(encoding="utf-8"))
        if name.startswith(f"{protocol}.")
    }


def own_methods(source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """The public methods of a module's public classes that no protocol describes."""
    described = said_by_protocols()
    for kind in ast.parse(source).body:
        if isinstance(kind, ast.ClassDef) and not kind.name.startswith("_"):
            for node in kind.body:
                public = isinstance(node, ast.FunctionDef) and not node.name.startswith("_")
                if public and isinstance(node, ast.FunctionDef) and node.name not in described:
                    yield f"{kind.name}.{node.name}", node


def made_of(kind: ast.ClassDef) -> set[str]:
    """What an instance is made of: the parameters of __init__, or the fields of a dataclass."""
    for node in kind.body:
        if isinstance(node, ast.FunctionDef) and node.name == "__init__":
            return set(parameters(node))
    fields = [node for node in kind.body if isinstance(node, ast.AnnAssign)]
    return {ast.unparse(field.target) for field in fields}


GOOD = '''
def scaled(x, *more, factor=1.0, **options) -> list[float]:
    """All of them times the factor.

    Parameters
    ----------
    x, *more
        Numbers.
    factor
        Not zero.
    **options
        Of the printer,
        all of them.

    Returns
    -------
    list of float
        In the order given.

    Raises
    ------
    InputError
        For a factor of zero.
    """
    expect(factor, "factor: expected another number")
'''


def only_function(source: str) -> ast.FunctionDef:
    (found,) = [node for _, node in functions(source)]
    return found


def test_a_docstring_that_says_all_lacks_nothing() -> None:
    assert missing(only_function(GOOD)) == []


@pytest.mark.parametrize(
    ("old", "new", "lack"),
    [
        ("    factor\n", "    scale\n", "parameters"),
        ("x, *more\n", "x\n", "parameters"),
        ("    Returns\n    -------", "    ", "what it returns"),
        ("    Raises\n    ------", "    ", "what it raises"),
        ("    Parameters\n    ----------", "    ", "parameters"),
    ],
)
def test_a_docstring_that_leaves_something_out_is_found(old: str, new: str, lack: str) -> None:
    assert GOOD.count(old) == 1
    assert any(lack in one for one in missing(only_function(GOOD.replace(old, new))))


def test_a_function_inside_another_raises_on_its_own_account() -> None:
    source = 'def f() -> None:\n    def g() -> None:\n        raise ValueError("x")\n'
    assert not refuses(only_function(source))
    assert refuses(only_function('def f() -> None:\n    for i in x:\n        raise ValueError("x")\n'))


@pytest.mark.parametrize("path", COVERED)
def test_every_public_function_says_what_it_takes_gives_and_raises(path: str) -> None:
    found = functions((ROOT / path).read_text(encoding="utf-8"))
    lacking = {name: lack for name, node in found if name not in NOTHING_TO_SAY and (lack := missing(node))}
    assert lacking == {}


def test_a_method_beside_those_of_its_protocol_would_be_found() -> None:
    source = (
        "class Ours:\n    def train(self, x): ...\n    def _a(self, x): ...\n    def shown(self, x): ...\n"
    )
    assert [name for name, _ in own_methods(source)] == ["Ours.shown"]


@pytest.mark.parametrize("path", REFERENCE)
def test_what_a_framework_s_class_offers_beyond_its_protocol_says_what_it_takes_and_gives(path: str) -> None:
    found = own_methods((ROOT / path).read_text(encoding="utf-8"))
    assert {name: lack for name, node in found if (lack := missing(node))} == {}


@pytest.mark.parametrize("path", COVERED)
def test_every_public_class_says_what_it_is_and_no_section_names_what_is_not_there(path: str) -> None:
    classes = [
        node
        for node in ast.parse((ROOT / path).read_text(encoding="utf-8")).body
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    ]
    for kind in classes:
        docstring = ast.get_docstring(kind)
        assert docstring, kind.name
        found = sections(docstring)
        for title in {"Parameters", "Attributes"} & set(found):
            told = {name for name in named(found[title]) if name.isidentifier()}
            assert told, (kind.name, title)
            assert told <= made_of(kind), kind.name
