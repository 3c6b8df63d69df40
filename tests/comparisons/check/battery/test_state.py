"""Checks of what a class remembers and changes: a right one passes each, and each way to go wrong is told."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery import state
from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import CALLS, Story
from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.battery.grid import generic_problem, story_grid
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student
from tests.support.stepping import stepping

PROBLEM = generic_problem(Architecture((3, 4, 2), "tanh", "mse"), 4, 0)
OTHER = generic_problem(Architecture((3, 4, 2), "tanh", "mse"), 4, 1)
ANOTHER_NETWORK = generic_problem(Architecture((2, 3), "relu", "cross_entropy"), 3, 2)
SPACE = Space((("tanh", "mse", 1),), ("float64",))
Body = Callable[..., Any]


def run(name: str, kind: type, *arguments: Any, form: Form | None = None) -> Candidate:
    (check,) = (one for one in CHECKS if one.name == name)
    candidate = Candidate(Here(kind), form)
    check.run(candidate, *arguments)
    return candidate


def wrong(**methods: Body) -> type:
    return type("Wrong", (Student,), methods)


def story(*calls: str) -> Story:
    return Story(PROBLEM, replace(PROBLEM, x=OTHER.x, targets=OTHER.targets), calls)


def of(name: str) -> list[tuple[Any, ...]]:
    """What the check is tried on here."""
    given: dict[str, list[tuple[Any, ...]]] = {
        "call order": [(one,) for one in story_grid(0, SPACE)],
        "reload": [(PROBLEM, ANOTHER_NETWORK, True), (ANOTHER_NETWORK, PROBLEM, False)],
    }
    return given.get(name, [(PROBLEM,), (ANOTHER_NETWORK,)])


@pytest.mark.parametrize(
    "name", ["call order", "reload", "repeatable", "arguments", "results", "given weights"]
)
def test_a_right_class_passes(name: str) -> None:
    for arguments in of(name):
        run(name, Student, *arguments)


@pytest.mark.parametrize("name", ["call order", "reload", "arguments", "results"])
def test_what_has_no_training_is_not_trained(name: str) -> None:
    for arguments in of(name):
        run(name, wrong(train=None), *arguments)  # type: ignore[arg-type]  # none is offered


# --- calls in any order ------------------------------------------------------------------------------------


def remembering(method: str) -> type:
    """After this method has been called, logits and losses are off by a little."""

    class Remembering(Student):
        seen = 0

        def load(self, architecture: Any, weights: Any) -> None:
            super().load(architecture, weights)
            self.seen = self.seen + 1 if method == "load" else 0

        def logits(self, x: Array) -> Any:
            found = super().logits(x) * (1 + 1e-6 * (self.seen > (method == "load")))
            self.seen += method == "logits"
            return found

        def loss_and_gradient(self, x: Array, targets: Array) -> Any:
            loss, gradient = super().loss_and_gradient(x, targets)
            loss = loss * (1 + 1e-6 * (self.seen > (method == "load")))
            self.seen += method == "loss_and_gradient"
            return loss, gradient

        def train(self, *given: Any) -> Any:
            found = super().train(*given)
            self.seen += method == "train"
            return found

    return Remembering


@pytest.mark.parametrize(
    ("method", "calls", "said"),
    [
        ("logits", ("logits", "logits"), "^logits of logits as the second call"),
        ("logits", ("logits", "gradient"), "^loss of gradient as the second call"),
        (
            "loss_and_gradient",
            ("gradient", "gradient of another batch"),
            "^loss of gradient of another batch as",
        ),
        ("train", ("train", "load again", "logits"), ""),
        ("train", ("train", "logits"), "^logits of logits as the second call"),
        ("load", ("logits", "load again", "logits"), "^logits of logits as the third call"),
    ],
)
def test_an_answer_that_depends_on_the_calls_before_is_told(
    method: str, calls: tuple[str, ...], said: str
) -> None:
    if not said:
        run("call order", remembering(method), story(*calls))
        return
    with pytest.raises(Mismatch, match=said) as found:
        run("call order", remembering(method), story(*calls))
    assert found.value.calls[0].method == "load"


@pytest.mark.parametrize("call", [call for call in CALLS if call != "load again"])
def test_weights_that_a_call_moves_are_told_with_the_call(call: str) -> None:
    class Moving(Student):
        def logits(self, x: Array) -> Any:
            self.W[0] = self.W[0] + 1e-300 + 1e-12 * (call.startswith("logits"))
            return super().logits(x)

        def loss_and_gradient(self, x: Array, targets: Array) -> Any:
            found = super().loss_and_gradient(x, targets)
            self.W[0] = self.W[0] + 1e-12 * (call.startswith("gradient"))
            return found

        def weights(self) -> Any:
            found = super().weights()
            self.W[0] = self.W[0] + 1e-12 * (call == "train")
            return found

    with pytest.raises(Mismatch, match=f"^weights after {call} as the first call: W1"):
        run("call order", Moving, story(call, "logits"))


def test_the_other_batch_is_the_one_asked_and_the_weights_are_those_of_training() -> None:
    asked: list[Any] = []

    class Noting(Student):
        def logits(self, x: Array) -> Any:
            asked.append((x.copy(), self.W[0].copy()))
            return super().logits(x)

    run(
        "call order",
        Noting,
        story("logits", "logits of another batch", "train", "logits", "load again", "logits"),
    )
    (x1, W1), (x2, W2), (x3, W3), (x4, W4) = asked[:4]
    for x, expected in ((x1, PROBLEM.x), (x2, OTHER.x), (x3, PROBLEM.x), (x4, PROBLEM.x)):
        np.testing.assert_array_equal(x, expected)
    for W in (W1, W2, W4):
        np.testing.assert_array_equal(W, PROBLEM.weights[0][0])
    assert not np.array_equal(W3, W1)
    assert len(asked) == 8


def test_the_loss_of_training_is_that_of_its_weights() -> None:
    off = wrong(train=lambda self, *given: [loss + 1e-6 for loss in Student.train(self, *given)])
    with pytest.raises(Mismatch, match=r"^loss of train as the first call"):
        run("call order", off, story("train"))


# --- another network after one -----------------------------------------------------------------------------


def kept(what: str, only_if_trained: bool = False) -> type:
    """Of the first network loaded something is kept for the next ones."""

    class Kept(Student):
        first: Any = None
        trained = False

        def load(self, architecture: Any, weights: Any) -> None:
            before = self.__dict__.get("W"), self.__dict__.get("architecture")
            super().load(architecture, weights)
            if before[1] is None or (only_if_trained and not self.trained):
                return
            if what == "weights":
                self.W[0] = self.W[0] + 1e-9
            if what == "activation":
                object.__setattr__(self.architecture, "activation", before[1].activation)

        def train(self, *given: Any) -> Any:
            self.trained = True
            return super().train(*given)

    return Kept


RELU = generic_problem(Architecture((3, 4, 2), "relu", "mse"), 4, 3)


def test_what_is_left_of_the_network_before_is_told_with_what_it_was() -> None:
    said = r"after load of another network \(before it \(3, 4, 2\), relu, mse, float64\)"
    with pytest.raises(Mismatch, match=f"^weights {said}"):
        run("reload", kept("weights"), RELU, PROBLEM, False)
    with pytest.raises(Mismatch, match=f"^logits {said}"):
        run("reload", kept("activation"), RELU, PROBLEM, False)


def test_the_network_before_is_trained_where_that_is_asked() -> None:
    run("reload", kept("weights", only_if_trained=True), RELU, PROBLEM, False)
    with pytest.raises(Mismatch):
        run("reload", kept("weights", only_if_trained=True), RELU, PROBLEM, True)


# --- the rest ----------------------------------------------------------------------------------------------


def test_a_prediction_that_draws_lots_is_told_and_one_that_is_never_a_number_is_not() -> None:
    rng = np.random.default_rng(0)
    lots = wrong(logits=lambda self, x: Student.logits(self, x) + 1e-9 * rng.random())
    with pytest.raises(Mismatch, match="the same input gave two different answers"):
        run("repeatable", lots, PROBLEM)
    run("repeatable", wrong(logits=lambda self, x: Student.logits(self, x) * np.nan), PROBLEM)


@pytest.mark.parametrize(
    ("method", "argument"),
    [("load", "weights"), ("logits", "x"), ("loss_and_gradient", "x"), ("loss_and_gradient", "targets"),
     ("train", "x"), ("train", "targets")],
)  # fmt: skip
def test_what_is_written_to_is_told_with_the_method(method: str, argument: str) -> None:
    right = getattr(Student, method)

    def writing(self: Any, *given: Any) -> Any:
        found = right(self, *given)
        target = given[{"x": 0, "targets": 1, "weights": 1}[argument]]
        target = target[0][0] if argument == "weights" else target
        target[0] += 1
        return found

    with pytest.raises(Mismatch, match=f"^{method} wrote to its argument {argument}$"):
        run("arguments", wrong(**{method: writing}), PROBLEM)


def test_a_step_may_change_what_it_is_given_to_change() -> None:
    for name in ("arguments", "results"):
        run(name, stepping("loss"), PROBLEM, form=Form(step=True))


@pytest.mark.parametrize(
    ("methods", "said"),
    [
        ({"weights": lambda self: list(zip(self.W, self.b, strict=True))}, "^weights after overwriting what"),
        ({"logits": lambda self, x: self.__dict__.setdefault("z", Student.logits(self, x))},
         "^logits after overwriting earlier results"),
        ({"loss_and_gradient": lambda self, x, t: self.__dict__.setdefault(
            "g", Student.loss_and_gradient(self, x, t))}, "after overwriting earlier results"),
    ],
)  # fmt: skip
def test_what_is_returned_and_kept_is_told(methods: dict[str, Body], said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        run("results", wrong(**methods), PROBLEM)


def buffered(method: str) -> type:
    """One buffer for all its results, written anew at every call."""
    right = getattr(Student, method)

    def into_buffer(self: Any, *given: Any) -> Any:
        found = right(self, *given)
        if method == "logits":
            buffer = self.__dict__.setdefault("z", np.zeros_like(found))
            buffer[...] = found
            return buffer
        loss, gradient = found
        buffers = self.__dict__.setdefault("g", [(np.zeros_like(W), np.zeros_like(b)) for W, b in gradient])
        for pair, own in zip(gradient, buffers, strict=True):
            for part, buffer in zip(pair, own, strict=True):
                buffer[...] = part
        return loss, buffers

    return wrong(**{method: into_buffer})


@pytest.mark.parametrize("method", ["logits", "loss_and_gradient"])
def test_a_result_that_changes_in_a_later_call_is_told(method: str) -> None:
    with pytest.raises(
        Mismatch, match=f"^what {method} had returned changed in a later call: it was no copy"
    ):
        run("results", buffered(method), PROBLEM)


def test_weights_that_are_changed_by_training_are_told() -> None:
    def in_place(self: Any) -> Any:
        pairs = list(zip(self.W, self.b, strict=True))
        count = self.__dict__["n"] = self.__dict__.get("n", 0) + 1
        return [(W.copy(), b.copy()) for W, b in pairs] if count != 2 else pairs

    with pytest.raises(Mismatch, match=r"^what weights had returned changed in a later call"):
        run("results", wrong(weights=in_place), PROBLEM)


def test_weights_that_are_kept_as_they_were_given_are_told() -> None:
    def keeping(self: Any, architecture: Any, weights: Any) -> None:
        Student.load(self, architecture, weights)
        self.W = [W for W, _ in weights]

    with pytest.raises(Mismatch, match=r"^weights after overwriting the arrays that load was given: W1"):
        run("given weights", wrong(load=keeping), PROBLEM)


def test_training_between_is_of_two_batches_of_which_one_is_short() -> None:
    given: list[Any] = []

    class Noting(Student):
        def train(self, x: Array, targets: Array, batches: Any, optimizer: Any) -> Any:
            given.append((batches, optimizer))
            return super().train(x, targets, batches, optimizer)

    run("arguments", Noting, PROBLEM)
    ((batches, optimizer),) = given
    assert [list(batch) for batch in batches] == [[0, 1, 2, 3], [0]]
    assert (optimizer.name, optimizer.learning_rate, optimizer.momentum) == ("sgd", 0.05, 0.0)
    given.clear()
    run("call order", Noting, story("train"))
    ((batches, optimizer),) = given
    assert [list(batch) for batch in batches] == [[0, 1, 2, 3]]
    assert optimizer == state.RULE
    assert (optimizer.learning_rate, optimizer.momentum) == (0.05, 0.5)


def test_every_problem_here_may_be_asked() -> None:
    assert isinstance(PROBLEM, Problem)
    assert len(story_grid(0, SPACE)) == len(CALLS) ** 2
