"""axe-core, the accessibility checker, fetched from the npm registry for the tests where npm is at hand.

It is no part of this project and is kept nowhere in it: the tests unpack it into a temporary folder.
"""

import json
import shutil
import subprocess
import tarfile
from pathlib import Path
from typing import Any

from tests.support.browser import Browser

PACKAGE = "axe-core@4.14.1"
PATIENCE = 60.0  # seconds for the download
MISSING = f"{PACKAGE} could not be fetched by npm"

# What is wrong, where: rule, and the elements that break it. A figure's own drawing is left out: it is one
# picture with one description, and thousands of elements.
RUN = """
axe.run({...WITHIN, exclude: [[".plot svg"], [".picture svg"]]}, OPTIONS).then(({violations}) =>
  violations.map((rule) => [rule.id, rule.help,
    ...rule.nodes.slice(0, 3).map((node) => node.html.slice(0, 160))]))
"""


def source(folder: Path) -> str | None:
    """The checker's script; None where there is no npm, or the package cannot be had."""
    npm = shutil.which("npm")
    if npm is None:
        return None
    fetch = [npm, "pack", "--silent", PACKAGE, "--pack-destination", str(folder)]
    try:
        subprocess.run(fetch, capture_output=True, timeout=PATIENCE, check=True)
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        return None
    with tarfile.open(next(folder.glob("*.tgz"))) as packed:
        file = packed.extractfile("package/axe.min.js")
        assert file is not None
        return file.read().decode("utf-8")


def load(tab: Browser, script: str) -> None:
    """Give the checker to the page that is shown; it stays until the next page."""
    tab.evaluate(f"{script}; 0")


def found(tab: Browser, within: str = "", *, contrast: bool = True) -> list[Any]:
    """What axe, once loaded, finds wrong: on the whole page, or within what a selector names.

    Judging the contrast of every text takes most of its time; who tries a page many times may leave it out.
    """
    context = json.dumps({"include": [[within]]} if within else {})
    options = json.dumps({} if contrast else {"rules": {"color-contrast": {"enabled": False}}})
    wrong: list[Any] = tab.evaluate(RUN.replace("WITHIN", context).replace("OPTIONS", options))
    return wrong


def violations(tab: Browser, script: str) -> list[Any]:
    """What axe finds wrong on the page that is shown."""
    load(tab, script)
    return found(tab)
