"""From ``my_mlp.py:MyMLP`` or ``pkg.mod:Class`` to a class.

Loading executes the file. That happens in the subject's own process; the parent only splits the text.
"""

import importlib
import importlib.util
import inspect
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from backproof.comparisons.contenders.named.adapters import is_adapter, with_methods
from backproof.comparisons.contenders.own_network import NotTold
from backproof.scratch.errors import InputError


class NotThere(LookupError):  # noqa: N818 - what was found, told to a user
    """No such file, module or class: told in one sentence."""


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


def parse_target(text: str, what: str = "target") -> Target:
    """Split ``place:Class``. Raises InputError for a missing file or a text of another form."""
    place, _, name = text.rpartition(":") if ":" in text else (text, "", "")
    target = Target(place, name)
    if not place or (":" in text and not name.isidentifier()) or not (target.is_file or name):
        raise InputError(f"{what}: expected module:Class or file.py:Class, got {text!r}")
    if target.is_file and not Path(place).is_file():
        raise InputError(f"{what}: no file {place}; expected a path like my_mlp.py:MyMLP")
    return target


def readable(target: Target) -> list[Path]:
    """What may be read beside the libraries: its folder; the file alone where that is the home folder."""
    if not target.is_file:
        return [Path.cwd()]
    file = Path(target.place).resolve()
    return [file if file.parent in (Path.home(), Path("/")) else file.parent]


def stands_in(target: Target) -> Path | None:
    """The folder in which its process stands: a module is looked for in the one that we stand in.

    None, any, where it is a file.
    """
    return None if target.is_file else Path.cwd()


def load_class(target: Target) -> type:
    """Import the place and find the class; without a name, the only one there that has a `load`.

    Raises NotThere with a sentence where it is not there. What the imported code raises is not touched.
    """
    module = _module(target)
    name = target.name or _only_contender(target, module)
    found = getattr(module, name, None)
    if not inspect.isclass(found):
        classes = ", ".join(_classes(module)) or "none"
        raise NotThere(f"{target.place} has no class {name}; its classes: {classes}")
    if not is_adapter(found) and _is_made_with_arguments(found):
        raise NotThere(f"{target} has no load and is made with arguments; {_adapter_of(target)}")
    try:
        return with_methods(found)
    except NotTold as reason:
        raise NotThere(f"{target}: {reason}") from reason


def load_object(target: Target) -> object:
    """Import the place and find what has this name there, a class or not. Raises NotThere as above."""
    module = _module(target)
    if not hasattr(module, target.name):
        raise NotThere(f"{target.place} has no {target.name}")
    found: object = getattr(module, target.name)
    return found


def _module(target: Target) -> ModuleType:
    return _file_module(Path(target.place)) if target.is_file else _named_module(target.place)


def _only_contender(target: Target, module: ModuleType) -> str:
    names = [name for name in _classes(module) if is_adapter(getattr(module, name))]
    if len(names) != 1:
        remedy = f"name it as {target.place}:Class" if names else _adapter_of(target)
        found = ", ".join(names) or "none"
        raise NotThere(f"{target.place}: expected one class with a load method, found {found}; {remedy}")
    return names[0]


def _adapter_of(target: Target) -> str:
    """What to do with a network that has other methods."""
    if not target.is_file:
        return "a network with other methods needs an adapter: backproof check --init adapter.py"
    return f"an adapter for what it has: backproof check --init adapter.py --from {target.place}"


def _is_made_with_arguments(kind: type) -> bool:
    """Is there an argument that it cannot be made without?"""
    try:
        given = inspect.signature(kind).parameters.values()
    except (TypeError, ValueError):  # it does not say
        return False
    return any(
        one.default is one.empty and one.kind not in (one.VAR_POSITIONAL, one.VAR_KEYWORD) for one in given
    )


def _classes(module: ModuleType) -> list[str]:
    return [
        name
        for name, value in vars(module).items()
        if inspect.isclass(value) and value.__module__ == module.__name__
    ]


def _file_module(path: Path) -> ModuleType:
    if not path.is_file():
        raise NotThere(f"no file {path}")
    path = path.resolve()
    spec = importlib.util.spec_from_file_location(path.stem, path)
    if spec is None or spec.loader is None:
        raise NotThere(f"{path} cannot be imported as a Python module")
    module = importlib.util.module_from_spec(spec)
    # Dataclasses look their module up; a file that is called like a module in use must not take its place.
    sys.modules.setdefault(path.stem, module)
    with _neighbours_in(str(path.parent)):  # as `python my_mlp.py` finds them
        spec.loader.exec_module(module)
    return module


def _named_module(name: str) -> ModuleType:
    try:
        with _neighbours_in(str(Path.cwd())):  # a module of the folder one stands in, as `python -m` finds it
            return importlib.import_module(name)
    except ModuleNotFoundError as error:
        # Only the module asked for: one missing inside it is that module's own trouble.
        if error.name is None or not f"{name}.".startswith(f"{error.name}."):
            raise
        raise NotThere(f"no module {name} on the import path") from error


@contextmanager
def _neighbours_in(folder: str) -> Iterator[None]:
    """Put `folder` first on the import path; afterwards last, for what is imported later.

    Behind everything that is installed: a numpy.py beside a class must not be taken for NumPy by others.
    """
    sys.path.insert(0, folder)
    try:
        yield
    finally:
        sys.path.remove(folder)
        if folder not in sys.path:
            sys.path.append(folder)
