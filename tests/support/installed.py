"""The project as a user has it: a wheel in an environment with its dependencies and nothing else.

No network: what pip would fetch is linked from the environment of the tests, by distribution, as far
as the dependencies of the wheel reach. What only an extra brings (jax, pytest, mypy) is then not there.
"""

import os
import shutil
import subprocess
import sys
import venv
from collections.abc import Iterable
from importlib import metadata
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[2]
SOURCES = ("scratch", "reference", "comparisons", "pyproject.toml", "README.md", "LICENSE")


def build_wheel(folder: Path) -> Path:
    """The wheel of this project, built from a copy of its sources in `folder`."""
    copy = folder / "sources"
    copy.mkdir()
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / name, copy / name)
    _pip("wheel", "--no-deps", "--no-build-isolation", "--wheel-dir", str(folder), str(copy))
    [wheel] = folder.glob("*.whl")
    return wheel


def dependencies(names: Iterable[str]) -> set[str]:
    """The installed distributions that `names` need, they themselves included, by their canonical names."""
    found: set[str] = set()
    waiting = [(Requirement(name), "") for name in names]
    while waiting:
        requirement, extra = waiting.pop()
        if requirement.marker is not None and not requirement.marker.evaluate({"extra": extra}):
            continue
        name = canonicalize_name(requirement.name)
        wanted = ["", *requirement.extras]
        if name not in found:
            found.add(name)
            needs = metadata.requires(name) or []
            waiting += [(Requirement(text), extra) for text in needs for extra in wanted]
    return found


def make_environment(folder: Path, wheel: Path, extras: Iterable[str] = ()) -> Path:
    """A fresh environment with the wheel, its dependencies and the distributions `extras`: its Python."""
    venv.create(folder, with_pip=False, symlinks=os.name != "nt")
    [site_packages] = [*folder.glob("lib/python*/site-packages"), *folder.glob("Lib/site-packages")]
    needs = [text for text in metadata.requires("backproof") or [] if "extra ==" not in text]
    for name in sorted(dependencies([*needs, *extras])):
        _link(metadata.distribution(name), site_packages)
    python = folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")
    _pip("--python", str(python), "install", "--no-deps", "--no-index", str(wheel))
    return python


def _link(distribution: metadata.Distribution, site_packages: Path) -> None:
    """Link every folder and file that the distribution has directly in its site-packages."""
    tops = {file.parts[0] for file in distribution.files or ()} - {"..", "__pycache__"}
    for top in tops:
        place = Path(str(distribution.locate_file(top)))
        if not (site_packages / top).exists():
            (site_packages / top).symlink_to(place, target_is_directory=place.is_dir())


def _pip(*arguments: str) -> None:
    command = [sys.executable, "-P", "-m", "pip", "--quiet", "--disable-pip-version-check", *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def offline(home: Path) -> dict[str, str]:
    """An environment without MNIST, without a cache and without a network: every connection is refused."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    dropped = ("BACKPROOF_DATA", "NO_PROXY", "no_proxy", "PYTHONPATH")
    kept = {name: value for name, value in os.environ.items() if name not in dropped}
    return {**kept, **nowhere, "XDG_CACHE_HOME": str(home), "COLUMNS": "80"}
