"""Where a run took place: machine, versions, threads. Frameworks are read from metadata, not imported."""

import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata

from backproof.comparisons.contenders.known import distributions
from backproof.comparisons.running import limits, threads

DRAWING = ("plotly", "rich")


@dataclass(frozen=True)
class Environment:
    """The machine and what is installed on it."""

    backproof: str
    python: str
    platform: str
    processor: str
    cores: int
    memory_gib: float | None
    packages: Mapping[str, str]  # name: version
    thread_pools: Mapping[str, int]  # library: threads
    byte_order: str
    date: str  # ISO 8601, UTC


def describe() -> Environment:
    """This machine, now."""
    memory = limits.memory_bytes()
    return Environment(
        backproof=version("backproof") or "unknown",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        processor=processor(),
        cores=limits.usable_cores(),
        memory_gib=round(memory / 2**30, 1) if memory else None,
        packages={name: found for name in (*distributions(), *DRAWING) if (found := version(name))},
        thread_pools=threads.pools(),
        byte_order=sys.byteorder,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def processor() -> str:
    """Its name, and the numbers by which its maker tells apart processors of one name."""
    name, model = limits.processor_name(), limits.processor_model()
    if not name:
        return platform.processor() or platform.machine()
    return f"{name} ({model})" if model else name


def version(package: str) -> str | None:
    """The installed version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None
