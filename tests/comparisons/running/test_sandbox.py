"""The sandbox: used where it is there, refused in one sentence where it must be and is not."""

import sys
from pathlib import Path

import pytest

from backproof.comparisons.running import sandbox
from backproof.scratch.errors import InputError


@pytest.fixture
def without(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which bubblewrap is not installed."""
    monkeypatch.setattr(sandbox, "why_not", lambda: "no program bwrap here")


def test_none_is_none() -> None:
    assert sandbox.used("none") is False


def test_auto_does_without_where_there_is_none(without: None) -> None:
    assert sandbox.used("auto") is False


def test_require_is_refused_where_there_is_none_and_says_why(without: None) -> None:
    with pytest.raises(InputError, match=r"^sandbox: no program bwrap here; install bubblewrap"):
        sandbox.used("require")


def test_an_unknown_mode_is_refused() -> None:
    with pytest.raises(InputError, match=r"^sandbox: expected one of auto, none, require; got 'yes'"):
        sandbox.used("yes")  # type: ignore[arg-type]  # what the command line may hand over


def test_a_program_that_may_not_be_used_is_said_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    program = tmp_path / "bwrap"
    program.write_text("#!/bin/sh\necho 'bwrap: No permissions to create new namespace' >&2\nexit 1\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    sandbox.why_not.cache_clear()
    try:
        assert "No permissions to create new namespace" in sandbox.why_not()
    finally:
        sandbox.why_not.cache_clear()


def test_without_the_program_that_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    sandbox.why_not.cache_clear()
    try:
        assert sandbox.why_not() == "no program bwrap here"
    finally:
        sandbox.why_not.cache_clear()


def test_packages_that_are_links_into_a_hidden_folder_are_shown(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    elsewhere = tmp_path / "store" / "package"
    elsewhere.mkdir(parents=True)
    packages = tmp_path / "site-packages"
    packages.mkdir()
    (packages / "package").symlink_to(elsewhere)
    monkeypatch.setattr(sandbox, "_hidden", lambda: [tmp_path])
    monkeypatch.setattr(sys, "path", [*sys.path, str(packages)])
    command = sandbox.wrapped(["true"], [])
    shown = [command[i + 1] for i, word in enumerate(command) if word == "--ro-bind"]
    assert str(elsewhere) in shown


def test_the_home_folder_itself_is_never_shown() -> None:
    command = sandbox.wrapped(["true"], [Path.home(), Path("/tmp")])
    shown = [command[i + 1] for i, word in enumerate(command) if word == "--ro-bind"]
    assert str(Path.home()) not in shown
    assert "/tmp" not in shown


def test_python_and_the_folder_of_the_class_are_shown(tmp_path: Path) -> None:
    command = sandbox.wrapped(["true"], [tmp_path])
    hidden = [Path(command[i + 1]) for i, word in enumerate(command) if word == "--tmpfs"]
    shown = [Path(command[i + 1]) for i, word in enumerate(command) if word == "--ro-bind"]
    for needed in (tmp_path, Path(sys.prefix)):
        is_hidden = any(folder in needed.parents for folder in hidden)
        assert not is_hidden or any(path == needed or path in needed.parents for path in shown[1:])


def test_the_environment_passes_on_what_python_needs_and_no_more() -> None:
    kept = sandbox.environment({"PATH": "/bin", "OMP_NUM_THREADS": "1", "TOKEN": "x", "HOME": "/home/me"})
    assert kept == {"PATH": "/bin", "OMP_NUM_THREADS": "1", "HOME": "/tmp", "TMPDIR": "/tmp"}
