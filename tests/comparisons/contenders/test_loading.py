"""From a text to a class: what is named is found with its neighbours, and shadows nobody else's modules."""

import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.contenders.loading import NotThere, Target, load_class, parse_target
from backproof.comparisons.running import processes
from backproof.scratch.errors import InputError

ONE = "class Mine:\n    def load(self): pass\n"
NEIGHBOURLY = "import scratch\nclass Mine:\n    where = scratch.__file__\n    def load(self): pass\n"


@pytest.fixture(autouse=True)
def _import_path_as_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "path", [*sys.path])


def written(folder: Path, source: str, name: str = "own.py") -> str:
    (folder / name).write_text(source, encoding="utf-8")
    return str(folder / name)


@given(
    module=st.from_regex(r"[a-z]+(\.[a-z]+)*", fullmatch=True),
    name=st.from_regex("[A-Za-z_]+", fullmatch=True),
)
def test_a_target_is_written_as_it_was_read(module: str, name: str) -> None:
    assert str(parse_target(f"{module}:{name}")) == f"{module}:{name}"


def test_a_file_needs_no_class(tmp_path: Path) -> None:
    place = written(tmp_path, ONE)
    assert parse_target(place) == Target(place, "")


@pytest.mark.parametrize("text", ["", ":Mine", "module:", "module", "module:two words", "own.py:1st"])
def test_a_text_of_another_form_is_refused_with_both_forms(text: str) -> None:
    with pytest.raises(InputError, match=r"expected module:Class or file\.py:Class"):
        parse_target(text)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"contender: no file .*absent\.py"):
        parse_target(f"{tmp_path / 'absent.py'}:Mine", "contender")


def test_the_only_class_that_loads_is_found_without_its_name(tmp_path: Path) -> None:
    place = written(tmp_path, f"from pathlib import Path\nclass Helper: pass\n{ONE}")
    assert load_class(Target(place, "")).__name__ == "Mine"


def test_of_two_that_load_one_must_be_named(tmp_path: Path) -> None:
    place = written(tmp_path, ONE + ONE.replace("Mine", "Other"))
    with pytest.raises(LookupError, match="expected one class with a load method, found Mine, Other"):
        load_class(Target(place, ""))


NEEDY = "class Net:\n    def __init__(self, sizes, *, rate=1.0, **more): pass\n"


def test_where_none_loads_the_command_that_writes_an_adapter_is_told(tmp_path: Path) -> None:
    place = written(tmp_path, NEEDY)
    with pytest.raises(NotThere) as told:
        load_class(Target(place, ""))
    assert "found none; an adapter for what it has" in str(told.value)
    assert str(told.value).endswith(f"backproof check --init adapter.py --from {place}")


def test_a_network_that_is_made_with_arguments_is_told_the_same_and_not_made(tmp_path: Path) -> None:
    with pytest.raises(NotThere, match=r"Net has no load and is made with arguments; .*--from .*own\.py$"):
        load_class(Target(written(tmp_path, NEEDY), "Net"))


@pytest.mark.parametrize("source", [NEEDY.replace("sizes", "sizes=()"), NEEDY + "    def load(self): pass\n"])
def test_what_can_be_made_or_has_a_load_is_not_refused_for_its_arguments(tmp_path: Path, source: str) -> None:
    assert load_class(Target(written(tmp_path, source), "Net")).__name__ == "Net"


def test_what_is_no_class_is_not_found(tmp_path: Path) -> None:
    with pytest.raises(LookupError, match="has no class Yours; its classes: Mine"):
        load_class(Target(written(tmp_path, f"{ONE}Yours = 3\n"), "Yours"))


def test_what_the_file_raises_is_not_touched(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError):
        load_class(Target(written(tmp_path, "1 / 0\n"), "Mine"))


def test_dataclasses_of_a_file_can_be_made(tmp_path: Path) -> None:
    source = (
        "from __future__ import annotations\nfrom dataclasses import dataclass\n"
        "@dataclass\nclass Mine:\n    size: int = 3\n"
    )
    kind = load_class(Target(written(tmp_path, source, "own_dataclass.py"), "Mine"))
    assert vars(kind())["size"] == 3


def test_a_class_that_imports_its_own_scratch_gets_its_own(tmp_path: Path) -> None:
    written(tmp_path, "", "scratch.py")
    code = (
        "import sys, backproof.scratch.losses\n"
        "from backproof.comparisons.contenders.loading import Target, load_class\n"
        "print(load_class(Target(sys.argv[1], 'Mine')).where)"
    )
    command = processes.python("-c", code, written(tmp_path, NEIGHBOURLY))
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert Path(done.stdout.strip()) == tmp_path / "scratch.py"


@pytest.mark.parametrize("target", ["own_place.py:Mine", "own_place:Mine"])
def test_neighbours_of_a_class_stand_behind_everything_installed_once_it_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, target: str
) -> None:
    written(tmp_path, ONE, "own_place.py")
    monkeypatch.chdir(tmp_path)
    before = [*sys.path]
    load_class(parse_target(target))
    assert sys.path == [*before, str(tmp_path)]


def test_a_folder_that_was_on_the_path_stays_where_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(tmp_path)
    before = [*sys.path]
    load_class(Target(written(tmp_path, ONE), "Mine"))
    assert sys.path == before


def test_a_file_called_like_a_module_in_use_does_not_take_its_place(tmp_path: Path) -> None:
    import inspect

    load_class(Target(written(tmp_path, ONE, "inspect.py"), "Mine"))
    assert sys.modules["inspect"] is inspect
