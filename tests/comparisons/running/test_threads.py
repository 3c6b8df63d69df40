"""Thread limits: for the libraries that are loaded, and through the environment for those to come."""

import json
import os
import subprocess

import pytest

from backproof.comparisons.running import processes, threads

CODE = """
import json
from backproof.comparisons.running import threads
{before}
threads.limit(1)
{after}
print(json.dumps(threads.pools()))
"""


@pytest.mark.parametrize(
    ("before", "after"), [("", "import numpy"), ("import numpy", "")], ids=["loaded later", "loaded before"]
)
def test_numpy_uses_as_many_threads_as_it_is_let(before: str, after: str) -> None:
    free = {name: value for name, value in os.environ.items() if name not in threads.VARIABLES}
    command = processes.python("-c", CODE.format(before=before, after=after))
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=free)
    found = json.loads(done.stdout)
    assert found
    assert set(found.values()) == {1}


def test_processes_started_later_inherit_the_limit(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in threads.VARIABLES:
        monkeypatch.setenv(name, "7")
    threads.limit(1)
    assert {os.environ[name] for name in threads.VARIABLES} == {"1"}
