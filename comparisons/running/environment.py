"""Where a run took place: machine, versions, threads. Frameworks are read from metadata, not imported."""

import os
import platform
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from importlib import metadata
from pathlib import Path

from backproof.comparisons.contenders.known import distributions
from backproof.comparisons.running import threads

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
    return Environment(
        backproof=version("backproof") or "unknown",
        python=f"{platform.python_implementation()} {platform.python_version()}",
        platform=platform.platform(),
        processor=_processor(),
        cores=usable_cores(),
        memory_gib=_memory_gib(),
        packages={name: found for name in (*distributions(), *DRAWING) if (found := version(name))},
        thread_pools=threads.pools(),
        byte_order=sys.byteorder,
        date=datetime.now(UTC).isoformat(timespec="seconds"),
    )


def version(package: str) -> str | None:
    """The installed version, None where it is not installed."""
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        return None


def usable_cores() -> int:
    """The cores this process may run on."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        lines = []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor() or platform.machine()


def _memory_gib() -> float | None:
    try:
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (ValueError, OSError, AttributeError):
        return None
    return round(total / 2**30, 1)
