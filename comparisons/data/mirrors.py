"""The cache of MNIST's files, and the mirrors that fill it: short timeouts, every byte verified."""

import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from backproof.comparisons.data import idx
from backproof.scratch.errors import InputError

URLS = (
    "https://ossci-datasets.s3.amazonaws.com/mnist/",
    "https://storage.googleapis.com/cvdf-datasets/mnist/",
    "https://raw.githubusercontent.com/fgnt/mnist/master/",
)
TIMEOUT = (3.0, 15.0)  # seconds: to connect, between two packets
GIVE_UP_AFTER = 10.0  # seconds without a single file: there is no network, do not try the other mirrors


class Unreachable(Exception):  # noqa: N818 - the caller decides whether this is an error
    """No mirror gave the files; the message says why."""


def cache_folder() -> Path:
    """Where fetched files are kept: the operating system's cache folder."""
    import pooch

    return Path(pooch.os_cache("backproof")).resolve()


def fetch(say: Callable[[str], None]) -> Path:
    """The cache folder with four verified files in it; what is missing or damaged there is fetched.

    Raises Unreachable where that does not succeed; the cache then holds nothing half-written.
    """
    folder = cache_folder()
    missing = [name for name in idx.SHA256 if not _is_good(folder, name)]
    if not missing:
        return folder
    say(f"Fetching MNIST (11 MB) into {folder} ...")
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unreachable(f"the cache folder {folder} cannot be made: {error.strerror}") from error
    try:
        for name in missing:
            _fetch_one(folder, name)
    except OSError as error:
        raise Unreachable(f"the cache folder {folder} cannot be written to: {error.strerror}") from error
    return folder


def _is_good(folder: Path, name: str) -> bool:
    try:
        idx.check_content(idx.unpacked(folder, name), name, idx.SHA256[name])
    except InputError:
        return False
    return True


def _fetch_one(folder: Path, name: str) -> None:
    """Try the mirrors in turn; verify the unpacked bytes; only then rename the file into place."""
    started = time.monotonic()
    failures: dict[str, list[str]] = {}  # what went wrong -> with which hosts
    for url in URLS:
        if time.monotonic() - started > GIVE_UP_AFTER:
            break
        with tempfile.TemporaryDirectory(dir=folder) as temporary:
            path = Path(temporary) / f"{name}.gz"
            try:
                _download(f"{url}{name}.gz", path)
                idx.check_content(idx.unpacked(path.parent, name), name, idx.SHA256[name])
            except (OSError, InputError) as error:  # requests' errors are OSErrors
                failures.setdefault(_short(error), []).append(url.split("/")[2])
                continue
            try:
                os.replace(path, folder / path.name)
            except OSError:
                if not _is_good(folder, name):  # else another command has just put it there, and reads it
                    raise
            return
    tried = "; ".join(f"{what} from {', '.join(hosts)}" for what, hosts in failures.items())
    raise Unreachable(f"no mirror gave {name}: {tried}")


def _download(url: str, path: Path) -> None:
    import pooch

    pooch.HTTPDownloader(timeout=TIMEOUT)(url, str(path), None)


def _short(error: Exception) -> str:
    return type(error).__name__ if isinstance(error, OSError) else str(error)
