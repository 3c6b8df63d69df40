"""One figure for the code a unit of work runs through: the sources that it really imports, and the libraries.

From the module of the unit and that of the contender, imports are followed in the source text, those inside
functions too: through backproof's own modules, and from a contender of one's own through the modules of its
package or beside its file. What else they import is a library, and counts by its version. So whatever could
change a unit's record changes the figure; a comment does too, which costs a run and no mistake.
"""

import ast
import hashlib
import importlib.util
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache, lru_cache
from importlib import metadata
from pathlib import Path

from backproof.comparisons.contenders.known import KNOWN
from backproof.comparisons.running import environment

UNIT = "backproof.comparisons.accuracy.unit"
OURS = "backproof"


def code_version(contender: str) -> str:
    """Of a unit with this contender: 16 hexadecimal digits, the same on every machine with the same code."""
    found = sources(contender)
    digest = hashlib.sha256()
    for name in sorted(found.texts):
        digest.update(f"{name} {hashlib.sha256(found.texts[name]).hexdigest()}\n".encode())
    for distribution in sorted({"numpy", *found.distributions}):
        digest.update(f"{distribution} {environment.version(distribution)}\n".encode())
    return digest.hexdigest()[:16]


@dataclass(frozen=True)
class Sources:
    """What a unit runs through: the source of every module by name, and the libraries it imports."""

    texts: dict[str, bytes]
    distributions: frozenset[str]


def sources(contender: str) -> Sources:
    """Follow the imports of the unit and of this contender (a name, module:Class or file.py:Class)."""
    texts: dict[str, bytes] = {}
    libraries: set[str] = set()
    for place in (_Place(UNIT), _place_of(contender)):
        _follow(place, texts, libraries)
    distributions = {name for library in libraries for name in _distributions(library)}
    if contender in KNOWN:
        distributions |= {KNOWN[contender].distribution, *KNOWN[contender].distributions_below}
    return Sources(texts, frozenset(distributions))


@dataclass(frozen=True)
class _Place:
    """Where names are looked up: a module by its name, and for a file of one's own its folder."""

    module: str
    folder: Path | None = None

    def path(self) -> Path | None:
        """The source file, None where there is none (a library in C, a module that is not installed)."""
        if self.folder is not None:
            stem = self.folder / self.module.replace(".", "/")
            candidates = (stem.with_suffix(".py"), stem / "__init__.py")
            return next((path for path in candidates if path.is_file()), None)
        try:
            spec = importlib.util.find_spec(self.module)
        except (ImportError, ValueError):
            return None
        return Path(spec.origin) if spec and spec.origin and spec.origin.endswith(".py") else None


def _place_of(contender: str) -> _Place:
    where = KNOWN[contender].module if contender in KNOWN else contender.rpartition(":")[0]
    return _Place(Path(where).stem, Path(where).resolve().parent) if where.endswith(".py") else _Place(where)


def _follow(start: _Place, texts: dict[str, bytes], libraries: set[str]) -> None:
    """Read `start` and whatever it imports of ours or of its own, once each; other names are `libraries`."""
    waiting = [start]
    while waiting:
        place = waiting.pop()
        path = place.path()
        if path is None or place.module in texts:
            continue
        texts[place.module] = path.read_bytes()
        for name in _imported(texts[place.module], place.module, path.name == "__init__.py"):
            top = name.partition(".")[0]
            if top == OURS:
                waiting.append(_Place(name))
            elif (own := _own(place, name, start)) is not None:
                waiting.append(own)
            elif top not in sys.stdlib_module_names:
                libraries.add(top)


def _own(place: _Place, name: str, start: _Place) -> _Place | None:
    """The place of `name` where it belongs to the contender: beside its file, or in its package."""
    if place.folder is not None:
        beside = _Place(name, place.folder)
        return beside if beside.path() is not None else None
    return _Place(name) if name.partition(".")[0] == start.module.partition(".")[0] else None


@lru_cache(maxsize=512)
def _imported(text: bytes, module: str, is_package: bool) -> tuple[str, ...]:
    """Every module that this source may import, `from a import b` as a and a.b; () for what is no Python."""
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError):
        return ()
    return tuple(dict.fromkeys(name for node in ast.walk(tree) for name in _names(node, module, is_package)))


def _names(node: ast.AST, module: str, is_package: bool) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        package = module.split(".") if is_package else module.split(".")[:-1]
        above = package[: len(package) - node.level + 1] if node.level else []
        base = ".".join([*above, *([node.module] if node.module else [])])
        yield from ([base] if base else [])
        yield from (f"{base}.{alias.name}" if base else alias.name for alias in node.names)


@cache
def _distributions_by_package() -> dict[str, list[str]]:
    return dict(metadata.packages_distributions())


def _distributions(package: str) -> list[str]:
    return _distributions_by_package().get(package, [])
