"""`backproof.testing`: an assertion that holds for a PASS alone, and a test for each check of a class."""

import re
from pathlib import Path

import numpy as np
import pytest

from backproof import testing
from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.testing import BoundCheck, Found, SharedTrial

STUDENT = Path(testing.__file__).parents[1] / "zoo" / "mutants" / "student.py"
THETA = np.array([0.5, -2.0, 3.0])


def quartic(theta: Array) -> float:
    return float(np.sum(theta**4))


def trial(**found: Found) -> SharedTrial:
    return SharedTrial("own.py:Mine", True, 0, found=found)


def test_a_right_gradient_gives_its_verdict() -> None:
    assert testing.assert_gradient(quartic, 4 * THETA**3, THETA).passed


def test_a_wrong_gradient_fails_with_its_worst_entry() -> None:
    with pytest.raises(AssertionError, match=r"FAIL: .*params\[1\]: found 32, expected -32"):
        testing.assert_gradient(quartic, 4 * THETA**3 * np.array([1.0, -1.0, 1.0]), THETA)


def test_what_could_not_be_decided_fails_too() -> None:
    with pytest.raises(AssertionError, match="INCONCLUSIVE"):
        testing.assert_gradient(quartic, np.zeros(3), np.zeros(3), resolution=1e-12, entries=[])


def test_every_check_of_every_class_is_a_case_with_an_id_of_its_own() -> None:
    mark = testing.parametrize_with_checks([ScratchMLP, f"{STUDENT}:StudentMLP"]).mark
    ids = [mark.kwargs["ids"](check) for check in mark.args[1]]
    assert len(ids) == len(set(ids)) == 2 * len(CHECKS)
    assert {"ScratchMLP-gradient", "StudentMLP-gradient"} <= set(ids)
    assert all(re.fullmatch(r"[\w-]+", name) for name in ids)


def test_only_the_named_checks_are_cases() -> None:
    assert [str(check) for check in testing.checks_of(ScratchMLP, only=["gradient"])] == [
        "ScratchMLP-gradient"
    ]


def test_an_unknown_check_is_refused_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"only: expected some of .*gradient.*; got 'gradiant'"):
        testing.checks_of(ScratchMLP, only=["gradiant"])


def test_a_class_of_a_package_is_named_by_its_module_and_one_of_a_file_by_its_file(tmp_path: Path) -> None:
    assert testing.place_of(ScratchMLP) == "backproof.comparisons.contenders.scratch_mlp:ScratchMLP"
    kind = type("Mine", (), {"__module__": "mine", "__qualname__": "Mine"})
    with pytest.raises(InputError, match="expected a class of a file, got Mine"):
        testing.place_of(kind)


def test_a_class_inside_a_function_is_refused() -> None:
    class Inside:
        pass

    with pytest.raises(InputError, match=r"expected a class at the top of its module, got .*Inside"):
        testing.checks_of(Inside)


def test_a_missing_file_is_refused_when_the_tests_are_made() -> None:
    with pytest.raises(InputError, match=r"no file nowhere\.py"):
        testing.parametrize_with_checks(["nowhere.py:Mine"])


def test_a_pass_returns_and_anything_else_raises_with_its_text() -> None:
    cases = trial(right=Found(True, False, "3 cases"), wrong=Found(False, False, "FAIL: off by 2"))
    BoundCheck(cases, "right")()
    with pytest.raises(AssertionError, match="FAIL: off by 2"):
        BoundCheck(cases, "wrong")()


def test_what_is_not_offered_is_skipped_with_its_reason() -> None:
    with pytest.raises(pytest.skip.Exception, match="no method train"):
        BoundCheck(trial(training=Found(False, True, "not offered: no method train")), "training")()


def test_the_checks_that_were_chosen_run_together_and_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[set[str]] = []

    def tried(trial: SharedTrial, names: set[str]) -> dict[str, Found]:
        asked.append(names)
        return {name: Found(True, False, "") for name in names}

    monkeypatch.setattr(testing, "_tried", tried)
    shared = SharedTrial("own.py:Mine", True, 0, wanted={"gradient", "loss"})
    for name in ("gradient", "loss", "dtypes"):
        BoundCheck(shared, name)()
    assert asked == [{"gradient", "loss"}, {"dtypes", "gradient", "loss"}]
