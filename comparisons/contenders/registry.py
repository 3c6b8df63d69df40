"""Contenders by name. A framework is imported when its contender is created, not before.

To add one: write a class that satisfies `reference.contender.Contender`, add a line to `ENTRIES`, and run
`pytest tests/reference/test_contract.py --contender NAME`. A class of your own needs no line: name it as
``package.module:Class`` or ``path/to/file.py:Class``.
"""

import importlib
import importlib.util
import os
from dataclasses import dataclass
from typing import Any, cast

from backproof.comparisons.contenders import loading
from backproof.reference.contender import Contender
from backproof.scratch.errors import InputError


@dataclass(frozen=True)
class Entry:
    """Where a contender's class is, and which installed package it needs."""

    module: str
    class_name: str
    requires: str  # the package to import
    install: str  # what to tell pip


ENTRIES: dict[str, Entry] = {
    "scratch": Entry("backproof.comparisons.contenders.scratch_mlp", "ScratchMLP", "numpy", "numpy"),
    "torch": Entry("backproof.reference.torch_mlp", "TorchMLP", "torch", "torch"),
    "jax": Entry("backproof.reference.jax_mlp", "JaxMLP", "jax", "jax"),
    "tensorflow": Entry("backproof.reference.tensorflow_mlp", "TensorFlowMLP", "tensorflow", "tensorflow"),
    "sklearn": Entry("backproof.reference.sklearn_mlp", "SklearnMLP", "sklearn", "scikit-learn"),
}
NAMES = tuple(ENTRIES)
# Read by the frameworks when they are imported: no search for GPUs that nobody uses, no log lines of theirs.
QUIET = {"JAX_PLATFORMS": "cpu", "CUDA_VISIBLE_DEVICES": "", "TF_CPP_MIN_LOG_LEVEL": "3"}


def check(name: str) -> None:
    """Raise InputError unless `name` can be created; imports no framework to find out."""
    if ":" in name:
        return
    if name not in ENTRIES:
        raise InputError(
            f"contender: expected one of {', '.join(NAMES)}, or your own as module:Class or file.py:Class; "
            f"got {name!r}"
        )
    if not installed(name):
        raise InputError(
            f"contender: {name} is not installed here; run: python -m pip install {ENTRIES[name].install}"
        )


def installed(name: str) -> bool:
    """Whether the package that a registered contender needs can be found; it is not imported."""
    return importlib.util.find_spec(ENTRIES[name].requires) is not None


def create(name: str) -> Contender:
    """A fresh contender. Raises InputError for an unknown name or a framework that is not installed."""
    check(name)
    if ":" in name:
        return cast(Contender, load_class(name)())
    entry = ENTRIES[name]
    for variable, value in QUIET.items():
        os.environ.setdefault(variable, value)
    contender = getattr(importlib.import_module(entry.module), entry.class_name)()
    return cast(Contender, contender)


def load_class(reference: str) -> type[Any]:
    """The class that ``package.module:Class`` or ``path/to/file.py:Class`` names.

    Raises InputError where the module, the file or the class is not there; an error inside the module's own
    code is not touched.
    """
    if ":" not in reference:
        raise InputError(f"contender: expected module:Class or file.py:Class, got {reference!r}")
    try:
        return loading.load_class(loading.parse_target(reference, "contender"))
    except LookupError as error:
        raise InputError(f"contender: {error}") from error
