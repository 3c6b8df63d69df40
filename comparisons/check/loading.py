"""From ``my_mlp.py:MyMLP`` or ``pkg.mod:Class`` to a class.

Loading executes the file. That happens in the subject's own process; the parent only splits the text.
"""

import importlib
import importlib.util
import inspect
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from comparisons.errors import UsageError


@dataclass(frozen=True)
class Target:
    """Where the class lies: `place` is a file or a module, `name` a class in it (empty: the only one)."""

    place: str
    name: str

    @property
    def is_file(self) -> bool:
        return self.place.endswith(".py")

    def __str__(self) -> str:
        return f"{self.place}:{self.name}" if self.name else self.place


def parse_target(text: str) -> Target:
    """Split ``place:Class``. Raises UsageError for a missing file or a text of another form."""
    place, _, name = text.rpartition(":") if ":" in text else (text, "", "")
    target = Target(place, name)
    if target.is_file and not Path(place).is_file():
        raise UsageError(f"target: no file {place!r}; expected a path like my_mlp.py:MyMLP")
    if not target.is_file and not name:
        raise UsageError(f"target: expected file.py:Class or package.module:Class, got {text!r}")
    return target


def load_class(target: Target) -> type:
    """Import the place and find the class. Raises LookupError with a sentence where it is not there."""
    module = _import(target)
    if target.name:
        if not hasattr(module, target.name):
            raise LookupError(f"{target.place} has no {target.name!r}; it has {', '.join(_classes(module))}")
        found = getattr(module, target.name)
        if not inspect.isclass(found):
            raise LookupError(f"{target}: expected a class, found {type(found).__name__}")
        return found
    names = [name for name in _classes(module) if hasattr(getattr(module, name), "load")]
    if len(names) != 1:
        raise LookupError(
            f"{target.place}: expected one class with a load method, found {', '.join(names) or 'none'}; "
            f"name it as {target.place}:Class"
        )
    chosen: type = getattr(module, names[0])
    return chosen


def _classes(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]


def _import(target: Target) -> ModuleType:
    if not target.is_file:
        sys.path.insert(0, "")  # a module of the folder one stands in, as `python -m` finds it
        return importlib.import_module(target.place)
    path = Path(target.place).resolve()
    sys.path.insert(0, str(path.parent))  # its neighbours, as `python my_mlp.py` finds them
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise LookupError(f"{target.place}: not a Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[path.stem] = module
    spec.loader.exec_module(module)
    return module
