"""Where a run took place: what is described is what is there, and nothing is imported to find out."""

import json
import platform
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from importlib import metadata

import pytest

from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running import environment, limits, processes


def test_the_description_survives_json() -> None:
    described = environment.describe()
    assert decode(environment.Environment, json.loads(json.dumps(encode(described)))) == described


def test_versions_are_those_that_are_installed() -> None:
    described = environment.describe()
    assert described.packages["numpy"] == metadata.version("numpy")
    assert described.backproof == metadata.version("backproof")
    assert described.python.endswith(platform.python_version())


def test_a_package_that_is_not_installed_has_no_version() -> None:
    assert environment.version("no-such-package-anywhere") is None


def test_the_date_is_now_and_names_its_time_zone() -> None:
    date = datetime.fromisoformat(environment.describe().date)
    assert abs(datetime.now(UTC) - date) < timedelta(minutes=1)


def test_where_the_system_does_not_tell_memory_and_processor_the_rest_is_described(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(limits, "memory_bytes", lambda: None)
    monkeypatch.setattr(limits, "processor_name", lambda: "")
    described = environment.describe()
    assert described.memory_gib is None
    assert described.processor == (platform.processor() or platform.machine())


def test_describing_imports_no_framework() -> None:
    code = (
        "import sys; from backproof.comparisons.running import environment; environment.describe(); "
        "print(*{'torch', 'jax', 'sklearn', 'plotly'} & set(sys.modules))"
    )
    done = subprocess.run(processes.python("-c", code), capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
    assert sys.byteorder == environment.describe().byte_order
