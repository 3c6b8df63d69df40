"""tests/ mirrors the three folders: the test of a/b.py is tests/a/test_b.py.

How complete the mirror is stands below, as the share of modules without a test of their name: they are tested
through others only. It may fall, never rise: a new module comes with its test, and the limit follows.
"""

from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("scratch", "reference", "comparisons")
WITHOUT = {"__init__.py", "__main__.py"}  # a package's face, and the line that starts the program
LARGEST_SHARE_WITHOUT_A_TEST = 104 / 400
SLACK = 0.02  # how far the share may have fallen before the limit is lowered


def modules() -> set[str]:
    """Every module of the three folders, but those that students might have written."""
    paths = (path for folder in FOLDERS for path in (ROOT / folder).rglob("*.py"))
    return {
        path.relative_to(ROOT).as_posix()
        for path in paths
        if path.name not in WITHOUT and "mutants" not in path.parts
    }


def mirrored(module: str) -> str:
    """Where the test of a module stands."""
    folder, _, name = module.rpartition("/")
    return f"tests/{folder}/test_{name}"


def without_a_test() -> list[str]:
    return sorted(module for module in modules() if not (ROOT / mirrored(module)).is_file())


def test_the_mirror_of_a_module_has_its_path_and_its_name() -> None:
    assert mirrored("comparisons/data/idx.py") == "tests/comparisons/data/test_idx.py"


def test_a_module_without_a_test_would_be_found() -> None:
    assert "comparisons/data/idx.py" in modules()
    assert "comparisons/data/idx.py" not in without_a_test()
    assert not (ROOT / mirrored("comparisons/data/no_such_module.py")).is_file()


def test_no_larger_share_of_modules_than_before_is_without_a_test_of_its_name() -> None:
    missing, known = without_a_test(), modules()
    share = len(missing) / len(known)
    assert share <= LARGEST_SHARE_WITHOUT_A_TEST, f"{len(missing)} of {len(known)}: {', '.join(missing)}"
    assert share >= LARGEST_SHARE_WITHOUT_A_TEST - SLACK, f"lower the limit to {len(missing)} / {len(known)}"
