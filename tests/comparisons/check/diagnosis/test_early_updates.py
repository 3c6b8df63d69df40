"""A step that updates a layer before it passes delta back through it is told from one that does not."""

from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis import early_updates
from backproof.comparisons.check.diagnosis.early_updates import EARLY, _through, early_update
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Array, DtypeName
from tests.support.in_process import Student, explored_here
from tests.support.stepping import stepping


def space(depth: int, dtype: DtypeName = "float64") -> Space:
    return Space((("tanh", "mse", depth),), (dtype,))


def told(kind: type, depth: int = 1, dtype: DtypeName = "float64", step: bool = True) -> Any:
    return early_update(explored_here(kind, space(depth, dtype), step=step), 0)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize("depth", [1, 2])
def test_an_early_update_is_told_and_a_right_one_is_not(depth: int, dtype: DtypeName) -> None:
    cause = told(stepping("loss", early=True), depth, dtype)
    assert (cause.sentence, cause.certainty, cause.about) == (EARLY, "explains", "update")
    assert told(stepping("loss"), depth, dtype) is None


def test_three_hidden_layers_are_told_too() -> None:
    assert told(stepping("loss", early=True), 3) is not None


def test_without_a_hidden_layer_nothing_can_be_passed_back_early() -> None:
    assert told(stepping("loss", early=True), 0) is None


def test_of_a_class_that_gives_its_gradient_no_step_is_taken() -> None:
    assert told(Student, step=False) is None


class Fresh(stepping("loss", early=True)):  # type: ignore[misc]  # a class made by the test
    """Takes one step, and then no more."""

    stepped = False

    def step(self, x: Array, targets: Array, rate: float) -> Any:
        if self.stepped:
            raise ValueError("a second step")
        self.stepped = True
        return super().step(x, targets, rate)


def test_every_step_is_that_of_a_fresh_instance() -> None:
    assert told(Fresh) is not None


def test_what_raises_is_no_early_update() -> None:
    class Raises(stepping("loss", early=True)):  # type: ignore[misc]  # a class made by the test
        def step(self, x: Array, targets: Array, rate: float) -> Any:
            raise ValueError("no step")

    assert told(Raises) is None


def changed(how: Any) -> type:
    """Right steps, and then something with the weights."""

    class Changed(stepping("loss")):  # type: ignore[misc]  # a class made by the test
        def step(self, x: Array, targets: Array, rate: float) -> Any:
            before = [W.copy() for W in self.W]
            loss = super().step(x, targets, rate)
            how(self, before, rate)
            return loss

    return Changed


def bend_last(net: Any, before: list[Array], rate: float) -> None:
    net.W[-1] += rate * (net.W[-1] - before[-1])


def bend_first(net: Any, before: list[Array], rate: float) -> None:
    net.W[0] += np.sin(40 * rate) * (net.W[0] - before[0])


def not_finite(net: Any, before: list[Array], rate: float) -> None:
    net.W[0] = net.W[0] * np.nan


@pytest.mark.parametrize("how", [bend_last, bend_first, not_finite])
def test_what_changes_with_the_rate_in_another_way_is_no_early_update(how: Any) -> None:
    assert told(changed(how)) is None


def test_one_deep_problem_that_does_not_show_it_is_enough() -> None:
    early, right = stepping("loss", early=True), vars(stepping("loss"))["step"]

    class Sometimes(early):  # type: ignore[misc,valid-type]  # a class made by the test
        def step(self, x: Array, targets: Array, rate: float) -> Any:
            if len(x) == 1:
                return right(self, x, targets, rate)
            return super().step(x, targets, rate)

    assert told(Sometimes) is None


def test_a_polynomial_of_all_readings_but_the_last_is_taken_at_the_last_rate() -> None:
    rates = [0.1, 0.2, 0.4, 0.5]
    readings = np.array([[3 + 2 * r - r**2, r**3] for r in rates])
    found = _through(rates, readings)
    assert found[0] == pytest.approx(readings[-1][0])
    assert abs(found[1] - readings[-1][1]) > 1e-3


@pytest.mark.parametrize(
    ("dtype", "different", "polynomial"), [("float64", 1e-6, 1e-9), ("float32", 1e-2, 1e-3)]
)
@pytest.mark.parametrize("size", [3.0, -3.0])
def test_how_much_changes_with_the_rate_is_held_to_the_precision(
    dtype: DtypeName, different: float, polynomial: float, size: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Readings at 1/16, 2/16 and 3/16; the largest entry is 3 or -3, in the last layer."""
    shown = {"slope": 0.0, "last": 0.0, "bend": 0.0}

    def reading(candidate: Any, problem: Any, rate: float) -> Array:
        found = np.full(problem.architecture.n_parameters, 0.5)
        found[0] += shown["slope"] * 8 * (rate - 1 / 16) + shown["bend"] * (rate == 3 / 16)
        found[-1] = 1.0 - shown["last"] * 8 * (rate - 1 / 16)
        return size * found

    monkeypatch.setattr(early_updates, "_reading", reading)
    kind = stepping("loss")
    for slope, last, bend, early in (
        (1.2, 0.0, 0.0, True),
        (0.8, 0.0, 0.0, False),
        (1.2, 0.8, 0.0, True),
        (1.2, 1.2, 0.0, False),
        (3.0, 0.0, 0.8, True),
        (3.0, 0.0, 1.2, False),
    ):
        shown.update(slope=slope * different, last=last * polynomial, bend=bend * polynomial)
        assert (told(kind, 1, dtype) is not None) == early
