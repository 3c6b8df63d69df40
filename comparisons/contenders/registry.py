"""Contenders by name. A framework is imported when its contender is created, not before.

`known.KNOWN` says which there are. A class of your own needs no line there: name it as
``package.module:Class`` or ``path/to/file.py:Class``.
"""

import importlib
import os
from collections.abc import Callable
from typing import Any, cast

from backproof.comparisons.contenders import loading
from backproof.comparisons.contenders.apart import Apart
from backproof.comparisons.contenders.known import KNOWN, names
from backproof.comparisons.running.outside_text import cleaned
from backproof.reference.contender import Contender
from backproof.scratch.errors import InputError, did_you_mean

# Read by the frameworks when they are imported: no search for GPUs that nobody uses, no log lines of theirs.
QUIET = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def check(name: str) -> None:
    """Raise InputError unless `name` can be created; imports no framework to find out."""
    if ":" in name:
        return
    if name not in KNOWN:
        raise InputError(
            f"contender: expected one of {', '.join(names())}, or your own as module:Class or file.py:Class; "
            f"got {name!r}{did_you_mean(name, names())}"
        )
    if not KNOWN[name].installed:
        raise InputError(f"contender: {name} is not installed here; run: {KNOWN[name].how_to_install}")


def installed(name: str) -> bool:
    """Whether the package that a known contender needs can be found; it is not imported."""
    return KNOWN[name].installed


def create(name: str) -> Contender:
    """A fresh contender; one of your own in a process of its own.

    Raises InputError for an unknown name or a framework that is not installed.
    """
    check(name)
    if ":" in name:
        return Apart(name)
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    module, _, class_name = KNOWN[name].target.partition(":")
    return cast(Contender, getattr(importlib.import_module(module), class_name)())


def here(name: str) -> Contender:
    """The same in this process, also one of your own: for tests that watch what it does to its arguments."""
    return cast(Contender, load_class(name)()) if ":" in name else create(name)


def load_class(reference: str) -> type[Any]:
    """The class that ``package.module:Class`` or ``path/to/file.py:Class`` names.

    Raises InputError where the module, the file or the class is not there, or it cannot be imported: a
    mistake in its syntax, a package that is missing, an exit. Other errors of its own code are not touched.
    """
    return cast(type[Any], _found(reference, loading.load_class))


def load_object(reference: str) -> object:
    """What ``package.module:name`` or ``path/to/file.py:name`` names, a class or not; raises as above."""
    return _found(reference, loading.load_object)


def _found(reference: str, load: Callable[[loading.Target], object]) -> object:
    if ":" not in reference:
        raise InputError(f"contender: expected module:Class or file.py:Class, got {reference!r}")
    try:
        return load(loading.parse_target(reference, "contender"))
    except loading.NotThere as error:
        raise InputError(f"contender: {error}") from error
    except (SyntaxError, ImportError, SystemExit) as error:
        what = f"{type(error).__name__}: {cleaned(str(error))}"
        raise InputError(f"contender: {reference} cannot be imported ({what}); mend it first") from error
