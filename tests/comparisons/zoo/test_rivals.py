"""Other checkers: what each can see is seen, what it cannot is accepted, and who is not asked says why."""

from collections.abc import Mapping

import pytest

from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.zoo import rivals
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.result import Said
from backproof.reference import function_checkers

OF_GRADIENTS = ("gradcheck", "check_grads", "check_grad", "autograd", "numdifftools")
INSTALLED = [name for name in OF_GRADIENTS if name in function_checkers.installed()]


def said_of(place: str, *, train: bool = True) -> Mapping[str, Said]:
    file, _, name = place.partition(":")
    return rivals.ask_all(Target(str(default_folder() / file), name), 0, train=train)


def test_every_rival_answers_or_says_why_not() -> None:
    said = said_of("student.py:StudentMLP")
    assert list(said) == [rival.key for rival in RIVALS]
    assert {name for name, one in said.items() if one.accepts} == {*INSTALLED, "accuracy", "contract"}
    assert all(one.note for one in said.values() if one.accepts is None)


def test_a_wrong_gradient_is_rejected_by_all_that_look_at_gradients() -> None:
    said = said_of("gradient_mistakes.py:CrossEntropyNotDividedByBatch")
    assert {name: said[name].accepts for name in INSTALLED} == dict.fromkeys(INSTALLED, False)
    assert said["contract"].accepts is False


def test_a_mistake_of_the_optimiser_is_beyond_the_checkers_of_gradients() -> None:
    said = said_of("optimizer_mistakes.py:EpsInsideTheRoot")
    assert {said[name].accepts for name in INSTALLED} == {True}


@pytest.mark.parametrize(
    "name", ["ColumnsAndColumnBiases", "StepOnly", "OneActivationOneLoss", "LogProbabilities"]
)
def test_a_class_of_another_form_is_asked_in_its_own(name: str) -> None:
    said = said_of(f"other_forms.py:{name}", train=False)
    assert {said[name].accepts for name in INSTALLED} == {True}
    assert said["contract"] == Said(None, rivals.OTHER_FORM)


def test_a_checker_that_is_not_installed_is_said_to_be_so(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(function_checkers, "installed", lambda: ("gradcheck",))
    said = said_of("student.py:StudentMLP", train=False)
    assert said["gradcheck"].accepts is True
    assert said["numdifftools"] == rivals.NOT_INSTALLED
