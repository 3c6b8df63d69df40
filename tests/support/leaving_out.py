"""A module with one term left out, for as long as a test needs it: the test must then fail."""

import inspect
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import CodeType, FunctionType, ModuleType
from typing import Any


@contextmanager
def leaving_out(module: ModuleType, term: str, instead: str) -> Iterator[None]:
    """`module` with the text `term`, which occurs once, replaced by `instead`.

    The functions stay the same objects and get the changed code, so that whoever has imported them runs it
    too. Raises AssertionError where the text does not occur exactly once: the term has been reworded.
    """
    source = inspect.getsource(module)
    assert source.count(term) == 1, f"{module.__name__} has {source.count(term)} times {term!r}"
    changed = compile(source.replace(term, instead), str(module.__file__), "exec")
    new = _codes(changed)
    functions = [function for function in _functions(module) if function.__code__.co_qualname in new]
    before = [function.__code__ for function in functions]
    for function in functions:
        function.__code__ = new[function.__code__.co_qualname]
    try:
        yield
    finally:
        for function, code in zip(functions, before, strict=True):
            function.__code__ = code


def _codes(code: CodeType) -> dict[str, CodeType]:
    """Every function's code, however deeply nested, by its qualified name."""
    found: dict[str, CodeType] = {}
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found[constant.co_qualname] = constant
            found |= _codes(constant)
    return found


def _functions(module: ModuleType) -> list[FunctionType]:
    """The module's own functions, those of its classes, and those its dictionaries hold."""
    values: list[Any] = []
    for value in vars(module).values():
        values += value.values() if isinstance(value, dict) else [value]
        values += vars(value).values() if inspect.isclass(value) else []
    plain = [value.__func__ if isinstance(value, classmethod) else value for value in values]
    plain = [value.fget if isinstance(value, property) else value for value in plain]
    # Each under the check of its shapes, or under a cache, if it has one.
    plain = [inspect.unwrap(value) if callable(value) else value for value in plain]
    return [f for f in plain if isinstance(f, FunctionType) and f.__module__ == module.__name__]


Hostile = Callable[[], float]  # error / bound of a legal implementation that does its worst
