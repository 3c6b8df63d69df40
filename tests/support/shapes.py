"""Shapes are part of the types of public functions; while tests run, every call is held to them.

    def logits(self, x: Annotated[Array, "examples inputs"]) -> Annotated[Array, "examples outputs"]

names the axes of what goes in and of what comes out. Within one call equal names mean equal sizes; a number
is a size itself; in a sequence, and among the values of a dictionary, the names of each element are its own
where they are new. Any alternative of a union may fit.

`install` makes every module of the named packages be imported with its public functions and methods wrapped
by `checked`. It costs the program nothing: outside the tests a shape is a comment beside a type. Arguments
are looked at when the call has come back, so that what a function refuses it refuses by itself.
"""

import functools
import importlib.abc
import importlib.machinery
import inspect
import sys
import types
from collections.abc import Callable, Hashable, Mapping, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from typing import Annotated, Any, ParamSpec, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np

P = ParamSpec("P")
R = TypeVar("R")
Bound = dict[str, int]  # the size of each axis that has been named in this call


class ShapeError(AssertionError):
    """An array has not the axes that its type names."""


@dataclass(frozen=True)
class Axes:
    """An array with these axes."""

    names: tuple[str, ...]

    def fits(self, value: Any, bound: Bound) -> Bound | None:
        shape = np.shape(value)
        if len(shape) != len(self.names):
            return None
        found = dict(bound)
        for name, size in zip(self.names, shape, strict=True):
            expected = int(name) if name.isdigit() else found.setdefault(name, size)
            if size != expected:
                return None
        return found


@dataclass(frozen=True)
class AnyOf:
    """One of several; of the classes without shapes, an instance."""

    shaped: tuple["Shape", ...]
    classes: tuple[type, ...]

    def fits(self, value: Any, bound: Bound) -> Bound | None:
        if isinstance(value, self.classes):
            return bound
        for shape in self.shaped:
            found = shape.fits(value, bound)
            if found is not None:
                return found
        return None


@dataclass(frozen=True)
class Each:
    """A sequence, or the values of a dictionary, of one shape; names that an element brings are its own."""

    element: "Shape"

    def fits(self, value: Any, bound: Bound) -> Bound | None:
        items = value.values() if isinstance(value, Mapping) else value
        if any(self.element.fits(item, bound) is None for item in items):
            return None
        return bound


@dataclass(frozen=True)
class Fixed:
    """A tuple, entry by entry; None where an entry has no shape."""

    entries: tuple["Shape | None", ...]

    def fits(self, value: Any, bound: Bound) -> Bound | None:
        if len(value) != len(self.entries):
            return None
        found: Bound | None = bound
        for entry, item in zip(self.entries, value, strict=True):
            if entry is not None and found is not None:
                found = entry.fits(item, found)
        return found


Shape = Axes | AnyOf | Each | Fixed


def shape_of(hint: Any) -> Shape | None:
    """What a type says about shapes, or None."""
    origin, arguments = get_origin(hint), get_args(hint)
    if origin is Annotated:
        texts = [extra for extra in arguments[1:] if isinstance(extra, str)]
        return Axes(tuple(texts[0].split())) if texts else shape_of(arguments[0])
    if origin in (Union, types.UnionType):
        shapes = [shape_of(argument) for argument in arguments]
        if not any(shapes):
            return None
        plain = [argument for argument, shape in zip(arguments, shapes, strict=True) if shape is None]
        classes = tuple(get_origin(argument) or argument for argument in plain)
        return AnyOf(tuple(shape for shape in shapes if shape), classes)
    if origin in (list, Sequence) and (element := shape_of(arguments[0])):
        return Each(element)
    if origin in (dict, Mapping) and (element := shape_of(arguments[1])):
        return Each(element)
    if origin is tuple and Ellipsis not in arguments and any(map(shape_of, arguments)):
        return Fixed(tuple(map(shape_of, arguments)))
    return None


def checked(function: Callable[P, R]) -> Callable[P, R]:
    """The function, each of whose calls is held to the shapes in its types; itself, if there are none."""
    try:
        hints = get_type_hints(function, include_extras=True)
    except NameError:  # a name that is imported for type checkers alone: there are no shapes in such modules
        return function
    shapes = {name: shape for name, hint in hints.items() if (shape := shape_of(hint))}
    if not shapes:
        return function
    returned = shapes.pop("return", None)
    names = list(inspect.signature(function).parameters)
    places = [(names.index(name), name) for name in shapes]
    fitting: set[Hashable] = set()  # the outlines of calls that were held to be right

    @functools.wraps(function)
    def call(*arguments: P.args, **options: P.kwargs) -> R:
        result = function(*arguments, **options)
        found = [arguments[i] if i < len(arguments) else options.get(name, _NOT_GIVEN) for i, name in places]
        seen = outline([*found, result if returned is not None else None])
        if seen is not None and seen in fitting:
            return result
        bound: Bound = {}
        for (name, shape), value in zip(shapes.items(), found, strict=True):
            if value is not _NOT_GIVEN:
                bound = _held(function, name, value, shape, bound)
        if returned is not None:
            _held(function, "return", result, returned, bound)
        if seen is not None:
            fitting.add(seen)
        return result

    return call


class _NotGiven:
    """What stands for an argument that was left to its default."""


_NOT_GIVEN = _NotGiven()
_SCALARS = (int, float, complex, bool, str, type(None), _NotGiven)


def outline(value: Any) -> Any:  # what can be hashed
    """All of a value that a shape looks at: two of one outline both fit or neither. None where none is known.

    That is the types and shapes of arrays and scalars, and of what lists, tuples and dictionaries hold.
    """
    kind = type(value)
    if kind is np.ndarray:
        return value.shape
    if kind in _SCALARS or issubclass(kind, np.generic):
        return kind
    if kind is dict:
        value = value.values()
    elif kind is not list and kind is not tuple:
        return None
    parts = tuple([outline(item) for item in value])
    return None if None in parts else (kind, parts)


def _held(function: Callable[..., Any], name: str, value: Any, shape: Shape, bound: Bound) -> Bound:
    found = shape.fits(value, bound)
    if found is None:
        where = f"{function.__module__}.{function.__qualname__}"
        raise ShapeError(f"{where}: {name}: expected {shape} where {bound}, got {_described(value)}")
    return found


def _described(value: Any) -> str:
    if isinstance(value, list | tuple):
        return f"[{', '.join(map(_described, value))}]"
    return f"shape {np.shape(value)}" if hasattr(value, "shape") else repr(value)


def check_module(module: types.ModuleType) -> None:
    """Replace the module's own public functions, and its classes' public methods, by checked ones."""
    for name, value in _public(vars(module)).items():
        if getattr(value, "__module__", None) != module.__name__:
            continue
        if inspect.isfunction(value):
            setattr(module, name, checked(value))
        elif inspect.isclass(value):
            for attribute, method in _public(vars(value)).items():
                if inspect.isfunction(method):
                    setattr(value, attribute, checked(method))


def _public(names: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in names.items() if name[0] != "_" or name == "__call__"}


class _Loader(importlib.abc.Loader):
    """Another loader, after whose work the module is checked."""

    def __init__(self, loader: importlib.abc.Loader) -> None:
        self.loader = loader

    def create_module(self, spec: ModuleSpec) -> types.ModuleType | None:
        return self.loader.create_module(spec)

    def exec_module(self, module: types.ModuleType) -> None:
        self.loader.exec_module(module)
        check_module(module)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.loader, name)  # get_source and the like, for who shows code


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, packages: tuple[str, ...]) -> None:
        self.packages = packages

    def find_spec(
        self, name: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> ModuleSpec | None:
        if not name.startswith(tuple(f"{package}." for package in self.packages)):
            return None
        for finder in sys.meta_path:
            if finder is not self and (spec := finder.find_spec(name, path, target)):
                if spec.loader is not None:
                    spec.loader = _Loader(spec.loader)
                return spec
        return None


def install(*packages: str) -> None:
    """From now on, import the modules of these packages with their shapes checked."""
    loaded = [name for name in sys.modules if name.startswith(tuple(f"{package}." for package in packages))]
    assert not loaded, f"imported before their shapes could be checked: {', '.join(loaded)}"
    sys.meta_path.insert(0, _Finder(packages))
