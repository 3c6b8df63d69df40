"""Wrong steps of training: the fewest mistakes that give every step, or where they go wrong."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.grid import OPTIMIZERS, generic_problem
from backproof.comparisons.check.battery.training import Course
from backproof.comparisons.check.diagnosis.adam_mistakes import ADAM_RULES
from backproof.comparisons.check.diagnosis.fed_mistakes import DECAYS, DECOUPLED, FEEDS, FROZEN, SCALED, Step
from backproof.comparisons.check.diagnosis.momentum_mistakes import SGD_RULES
from backproof.comparisons.check.diagnosis.updates import (
    Choice,
    Setting,
    _about,
    _alive,
    _follows,
    _joint,
    _memory,
    _moved,
    _of_wrong,
    _scoped,
    _settings,
    _shares,
    _where,
    update_causes,
)
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from tests.support.in_process import Student, explored_here

SPACE = Space((("tanh", "mse", 1),), ("float64",))
PLAIN = OptimizerSpec(learning_rate=0.05)
MOMENTUM = OptimizerSpec(learning_rate=0.05, momentum=0.9)
DECAY = OptimizerSpec(learning_rate=0.05, weight_decay=0.1)
MOMENTUM_DECAY = OptimizerSpec(learning_rate=0.05, momentum=0.9, weight_decay=0.1)
ADAM = OptimizerSpec("adam", 0.01)
ADAM_DECAY = OptimizerSpec("adam", 0.01, weight_decay=0.1)
SGD_NAME = "v + mu g stands where mu v + g belongs"
ADAM_NAME = "Adam's eps stands inside the square root"
FALLING = "the learning rate is multiplied by 0.5 after every step, unasked"


# --- classes -----------------------------------------------------------------------------------------------


def causes(kind: type) -> list[Any]:
    return update_causes(explored_here(kind, SPACE), 0)


class Decoupled(Student):
    def decayed(self, theta: Array, g: Array, optimizer: Any, index: int) -> Any:
        if optimizer.name == "adam":
            theta *= 1 - optimizer.learning_rate * optimizer.weight_decay
            return g
        return super().decayed(theta, g, optimizer, index)


class EpsInside(Student):
    def adam_step(self, m_hat: Array, v_hat: Array, optimizer: Any) -> Any:
        return optimizer.learning_rate * m_hat / np.sqrt(v_hat + optimizer.eps)


class ShortSkipped(Student):
    def train_step(self, x: Array, targets: Array, optimizer: Any) -> Any:
        if len(x) == 1:
            return self.loss_and_gradient(x, targets)[0]
        return super().train_step(x, targets, optimizer)


class Falling(Student):
    def update(self, gradient: Any, optimizer: Any) -> None:
        super().update(
            gradient, replace(optimizer, learning_rate=optimizer.learning_rate * 0.5**self.n_steps)
        )


class TwoInSgd(Student):
    """Momentum and decay are both wrong, of descent alone, each in a way that is known."""

    def sgd(self, theta: Array, g: Array, optimizer: Any, state: Any) -> None:
        v = state["v"] = optimizer.momentum * state.get("v", 0) + g * 1.37
        theta -= optimizer.learning_rate * v


@pytest.mark.parametrize(
    ("kind", "sentences", "certainty", "about"),
    [
        (Decoupled, ["Adam decays the weights apart from the gradient (that is AdamW)"], "explains", "decay"),
        (EpsInside, [ADAM_NAME], "explains", "adam"),
        (Falling, [FALLING], "explains", "update"),
        (ShortSkipped, ["the last, short batch is skipped"], "explains", "update"),
        (TwoInSgd, ["training differs from torch.optim with sgd, and only then"], "describes", ""),
    ],
)
def test_what_was_planted_is_told(kind: type, sentences: list[str], certainty: str, about: str) -> None:
    found = causes(kind)
    assert [cause.sentence for cause in found] == sentences
    assert {(cause.certainty, cause.about) for cause in found} == {(certainty, about)}


def test_of_a_right_class_nothing_is_told() -> None:
    assert causes(Student) == []


def test_weight_gradients_that_lie_transposed_are_told_without_a_look() -> None:
    explored = explored_here(Student, SPACE, gradient_layout="out_in")
    (cause,) = update_causes(explored, 0)
    assert cause.sentence.startswith("dW is transposed, (out, in)")
    assert cause.certainty == "fits"


def test_every_rule_is_tried_with_the_seed_and_what_is_not_offered_is_left_out() -> None:
    class NoAdam(Student):
        def adam(self, theta: Array, g: Array, optimizer: Any, state: Any) -> None:
            raise NotImplementedError("no adam")

    for seed in (0, 4):
        found = _settings(explored_here(NoAdam, SPACE), seed)
        assert [one.spec for one in found] == [spec for spec in OPTIMIZERS if spec.name == "sgd"]
        assert all(one.right for one in found)
        architecture = Architecture((3, 4, 2), "tanh", "mse")
        np.testing.assert_array_equal(
            found[2].training.problem.flat(), generic_problem(architecture, 7, seed + 2).flat()
        )


def test_a_setting_whose_weights_are_not_finite_is_left_out() -> None:
    class RunsAway(Student):
        def sgd(self, theta: Array, g: Array, optimizer: Any, state: Any) -> None:
            theta -= np.inf if optimizer.momentum else optimizer.learning_rate * g

    found = _settings(explored_here(RunsAway, SPACE), 0)
    assert [one.spec for one in found] == [s for s in OPTIMIZERS if s.name == "adam" or not s.momentum]


# --- settings made by hand ---------------------------------------------------------------------------------

PROBLEM = generic_problem(Architecture((2, 3, 2), "tanh", "mse"), 7, seed=0)
N = PROBLEM.architecture.n_parameters
BATCHES = [np.array([0, 1, 2]), np.array([3, 4, 5]), np.array([6])]
GRADIENTS = np.random.default_rng(1).normal(size=(3, N))


def setting(
    spec: OptimizerSpec, choice: Choice | None = None, right: bool = False, factor: float = 1.0
) -> Setting:
    """Three steps by this choice, from weights of their own; each `factor` times as long."""
    problem, weights = PROBLEM, [PROBLEM.flat()]
    training = TrainingProblem(problem, spec, BATCHES)
    zeros = np.zeros(3)
    for index in range(3):
        # A setting knows the way only by what was reached: that of one step more is tried until it follows.
        course = Course(np.array([*weights, weights[-1]]), zeros, GRADIENTS[: index + 1], zeros, zeros, zeros)
        reached = _reached(spec, choice or Choice(), course, training, index)
        weights.append(weights[-1] + factor * (reached - weights[-1]))
    course = Course(np.array(weights), zeros, GRADIENTS, zeros, 0 * GRADIENTS, zeros)
    return Setting(training, course, right, np.full((3, N), 1e-12))


def _reached(spec: OptimizerSpec, choice: Choice, course: Course, training: Any, last: int) -> Array:
    """By the rules themselves, which have tests of their own."""
    plain = Setting(training, course, False, np.zeros((last + 1, N)))
    memory = _memory(plain)
    for index in range(last + 1):
        memory.t, memory.batch_size = memory.t + 1, len(BATCHES[index])
        theta, g = course.weights[index], course.gradients[index]
        if choice.fed in FEEDS:
            g = FEEDS[choice.fed](g, Step(course, training, index))
        memory.kept["plain"] = g
        reached = _moved(theta, g, memory, choice)
        if choice.fed in SCALED:
            reached = theta + SCALED[choice.fed](Step(course, training, index)) * (reached - theta)
        if choice.fed in FROZEN:
            reached = np.where(FROZEN[choice.fed](Step(course, training, index)), theta, reached)
    return np.asarray(reached)


UPHILL = "the step goes uphill: the gradient is added"
HALVED = "weight decay is halved: lambda/2 where lambda belongs"
CHOICES = [
    (PLAIN, Choice()),
    (PLAIN, Choice(fed=UPHILL)),
    (PLAIN, Choice(fed="the step is multiplied by the batch size")),
    (PLAIN, Choice(fed="biases are never updated")),
    (DECAY, Choice(decay=HALVED)),
    (MOMENTUM_DECAY, Choice(decay=DECOUPLED)),
    (DECAY, Choice(decay="weight decay is divided by the batch size")),
    (MOMENTUM, Choice(sgd=SGD_NAME)),
    (ADAM, Choice(adam=ADAM_NAME)),
    (ADAM_DECAY, Choice(decay=DECOUPLED, adam=ADAM_NAME)),
    (ADAM_DECAY, Choice(adam="Adam's second moment leaves out the weight decay")),
    (ADAM, Choice(adam="Adam's step counter t is raised once per tensor")),
]  # fmt: skip


@pytest.mark.parametrize(("spec", "choice"), CHOICES)
def test_the_choice_that_was_made_follows_and_is_alive(spec: OptimizerSpec, choice: Choice) -> None:
    one = setting(spec, choice)
    assert _follows(one, choice)
    found = _alive(one)
    assert choice in found
    assert (Choice() in found) == (choice == Choice())
    fewest = min(len(other.names()) for other in found)
    assert len(choice.names()) == fewest


def test_a_step_that_is_off_at_the_end_alone_does_not_follow() -> None:
    one = setting(PLAIN)
    for sign in (1.0, -1.0):
        weights = one.course.weights.copy()
        weights[-1, 0] += sign * 1e-9
        assert not _follows(replace(one, course=replace(one.course, weights=weights)), Choice())


def test_parts_that_play_no_role_are_left_right() -> None:
    assert {choice.decay for choice in _alive(setting(PLAIN))} == {""}
    assert {choice.sgd for choice in _alive(setting(PLAIN))} == {""}
    assert {choice.adam for choice in _alive(setting(MOMENTUM))} == {""}
    assert {choice.sgd for choice in _alive(setting(ADAM))} == {""}


def test_the_memory_of_a_rule_knows_its_tensors_and_its_biases() -> None:
    memory = _memory(setting(ADAM))
    assert [*memory.tensor] == [0] * 6 + [1] * 3 + [2] * 6 + [3] * 2
    assert (memory.n_tensors, memory.t, memory.kept) == (4, 0, {})
    assert [*np.flatnonzero(memory.is_bias)] == [6, 7, 8, 15, 16]


@pytest.mark.parametrize("spec", [PLAIN, MOMENTUM, ADAM, DECAY])
@pytest.mark.parametrize("factor", [0.25, 1.0, 3.0])
def test_the_share_of_each_right_step_that_was_taken(spec: OptimizerSpec, factor: float) -> None:
    assert _shares(setting(spec, factor=factor)) == pytest.approx([factor] * 3)


def test_what_is_no_multiple_of_the_right_step_has_no_share() -> None:
    assert _shares(setting(PLAIN, Choice(fed="biases are never updated"))) is None


def joint(*made: tuple[OptimizerSpec, Choice]) -> Choice | None:
    settings = [setting(spec, choice, right=choice == Choice()) for spec, choice in made]
    return _joint(settings, [_alive(one) for one in settings])


def test_one_choice_holds_in_every_setting() -> None:
    assert joint((PLAIN, Choice()), (MOMENTUM, Choice())) == Choice()
    both = Choice(sgd=SGD_NAME, adam=ADAM_NAME)
    assert joint((PLAIN, Choice()), (MOMENTUM, Choice(sgd=SGD_NAME)), (ADAM, Choice(adam=ADAM_NAME))) == both
    assert joint((PLAIN, Choice(fed=UPHILL)), (DECAY, Choice(fed=UPHILL, decay=HALVED))) == Choice(
        UPHILL, HALVED
    )
    assert joint((PLAIN, Choice(fed=UPHILL)), (MOMENTUM, Choice())) is None


def test_where_one_setting_has_no_choice_none_holds_in_all() -> None:
    odd = setting(PLAIN, factor=0.3)
    assert _joint([odd, setting(MOMENTUM)], [_alive(odd), _alive(setting(MOMENTUM))]) is None


def test_a_decay_apart_from_the_gradient_may_be_adams_alone() -> None:
    apart = Choice(decay=DECOUPLED)
    assert joint((MOMENTUM_DECAY, Choice()), (ADAM_DECAY, apart)) == apart
    assert joint((MOMENTUM_DECAY, apart), (ADAM_DECAY, Choice())) is None


def test_what_explains_every_wrong_setting_of_one_optimiser_is_told() -> None:
    right, wrong = setting(PLAIN, right=True), setting(ADAM, Choice(adam=ADAM_NAME))
    assert _of_wrong([right, wrong], [{Choice()}, _alive(wrong)]) == [ADAM_NAME]
    both = [setting(MOMENTUM, Choice(sgd=SGD_NAME)), wrong]
    assert _of_wrong(both, [_alive(one) for one in both]) == []
    other = setting(ADAM_DECAY, Choice(decay=HALVED))
    assert _of_wrong([wrong, other], [_alive(wrong), _alive(other)]) == []
    assert _of_wrong([right], [{Choice()}]) == []


@pytest.mark.parametrize(
    ("settings", "sentence"),
    [
        (
            [(DECAY, True), (ADAM_DECAY, False)],
            "Adam decays the weights apart from the gradient (that is AdamW)",
        ),
        ([(DECAY, False), (ADAM_DECAY, False)], "the step decays the weights apart from the gradient"),
        ([(ADAM_DECAY, False)], "Adam decays the weights apart from the gradient (that is AdamW)"),
        ([(DECAY, False)], "the step decays the weights apart from the gradient"),
    ],
)
def test_a_decay_apart_from_the_gradient_is_told_with_whose_it_is(
    settings: list[tuple[OptimizerSpec, bool]], sentence: str
) -> None:
    assert _scoped(DECOUPLED, [setting(spec, right=right) for spec, right in settings]) == sentence
    assert _scoped(UPHILL, []) == UPHILL


@pytest.mark.parametrize(
    ("name", "about"),
    [(next(iter(ADAM_RULES)), "adam"), (next(iter(SGD_RULES)), "momentum"), (HALVED, "decay"),
     (DECOUPLED, "decay"), (UPHILL, "update"), (next(iter(FROZEN)), "update"), (next(iter(DECAYS)), "decay")],
)  # fmt: skip
def test_what_of_an_update_a_mistake_is_in(name: str, about: str) -> None:
    assert _about(name) == about


NESTEROV = OptimizerSpec(learning_rate=0.05, momentum=0.8, nesterov=True)
EVERY = [PLAIN, DECAY, MOMENTUM, NESTEROV, ADAM]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ([MOMENTUM, NESTEROV], "with momentum, and only then"),
        ([NESTEROV], "with nesterov, and only then"),
        ([DECAY], "with weight decay, and only then"),
        ([ADAM], "with adam, and only then"),
        ([PLAIN, DECAY, MOMENTUM, NESTEROV], "with sgd, and only then"),
        (EVERY, "with every update rule, also plain gradient descent"),
        ([PLAIN, ADAM], "in 2 of 5 settings tried: sgd(), adam()"),
    ],
)
def test_which_settings_go_wrong_is_said(wrong: list[OptimizerSpec], words: str) -> None:
    assert _where(wrong, EVERY) == f"training differs from torch.optim {words}"
