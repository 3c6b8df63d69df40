"""Where torch.optim puts weights, and how far off rounding of the gradients may put them."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.findings import Mismatch, Undecided
from backproof.comparisons.check.battery.grid import OPTIMIZERS, generic_problem, trainings
from backproof.comparisons.check.battery.training import (
    REPLICAS,
    Course,
    _require_repeated,
    course_of,
    describe,
    predicted_steps,
    torch_steps,
)
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.optimizers import make_optimizer
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student

N, STEPS = 40, 3


def course(error: float = 0.0) -> Course:
    """Three steps of forty weights with their own gradients, which rounding may move by `error`."""
    rng = np.random.default_rng(0)
    weights, gradients = rng.normal(size=(STEPS + 1, N)), rng.normal(size=(STEPS, N))
    zeros = np.zeros(STEPS)
    return Course(weights, zeros, gradients, zeros, np.full((STEPS, N), error), zeros)


def steps_of_scratch(one: Course, spec: OptimizerSpec) -> Array:
    theta = one.weights[0].copy()
    rule, reached = make_optimizer(spec, theta), []
    for weights, gradient in zip(one.weights, one.gradients, strict=False):
        theta[:] = weights
        rule.step(theta, rule.loss_factor * gradient)
        reached.append(theta.copy())
    return np.array(reached)


@pytest.mark.parametrize("spec", OPTIMIZERS, ids=describe)
def test_each_step_is_taken_from_the_weights_before_it_by_the_same_rule(spec: OptimizerSpec) -> None:
    one = course()
    np.testing.assert_allclose(torch_steps(one, spec, one.gradients), steps_of_scratch(one, spec), rtol=1e-12)


def test_several_runs_at_once_are_as_each_alone() -> None:
    one, spec = course(), OptimizerSpec("adam", 0.01)
    runs = np.array([one.gradients, 2 * one.gradients, -one.gradients])
    together = torch_steps(one, spec, runs)
    for run, found in zip(runs, together, strict=True):
        np.testing.assert_array_equal(found, torch_steps(one, spec, run))


@pytest.mark.parametrize("error", [1e-3, 1e-6])
def test_the_bound_of_plain_descent_is_twice_what_moved_gradients_make_of_a_step(error: float) -> None:
    plain, bound = predicted_steps(course(error), OptimizerSpec(learning_rate=0.5))
    assert plain.shape == (STEPS, N)
    # Every entry is moved by its whole error to one side: 0.5 error.
    np.testing.assert_allclose(bound, 2 * 0.5 * error, rtol=1e-4)


def test_a_single_weight_is_moved_to_both_sides() -> None:
    """Where all three replicas move it to the same side, too: in some of forty steps they do."""
    rng, zeros = np.random.default_rng(0), np.zeros(40)
    gradients = rng.normal(size=(40, 1))
    one = Course(rng.normal(size=(41, 1)), zeros, gradients, zeros, np.full((40, 1), 1e-3), zeros)
    _, bound = predicted_steps(one, OptimizerSpec(learning_rate=0.5))
    np.testing.assert_allclose(bound, 2 * 0.5 * 1e-3, rtol=1e-6)


def test_without_an_error_of_the_gradients_a_few_roundings_are_left() -> None:
    _, bound = predicted_steps(course(), OptimizerSpec(learning_rate=0.5))
    assert 0 < bound.max() < 64 * np.finfo(float).eps * (1 + np.abs(course().weights).max())


def test_momentum_remembers_the_errors_of_the_steps_before() -> None:
    """All three errors to one side add up to 1 + 0.9 + 0.81; of forty weights and three draws some do."""
    _, bound = predicted_steps(course(1e-3), OptimizerSpec(learning_rate=1.0, momentum=0.9))
    expected = 2e-3 * np.array([1.0, 1.9, 2.71])
    np.testing.assert_allclose(bound[:, 0], expected, rtol=1e-6)


def test_sides_are_drawn_anew_for_every_replica(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Array] = []

    def recording(one: Course, spec: OptimizerSpec, gradients: Array) -> Array:
        seen.append(gradients)
        return torch_steps(one, spec, gradients)

    monkeypatch.setattr("backproof.comparisons.check.battery.training.torch_steps", recording)
    predicted_steps(course(1.0), OptimizerSpec())
    sides = [np.sign(run - seen[0][0]) for run in seen[0][1:]]
    assert len(sides) == REPLICAS
    assert len({side.tobytes() for side in sides}) == REPLICAS
    for side in sides:
        assert set(np.unique(side)) == {-1.0, 1.0}
        assert abs(side.mean()) < 0.5


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        (OptimizerSpec(learning_rate=0.3), "sgd()"),
        (OptimizerSpec(momentum=0.9, nesterov=True), "sgd(momentum=0.9, nesterov=True)"),
        (OptimizerSpec("adam", eps=1e-2, weight_decay=0.1), "adam(eps=0.01, weight_decay=0.1)"),
    ],
)
def test_a_rule_is_described_by_what_differs_from_its_defaults(spec: OptimizerSpec, words: str) -> None:
    assert sorted(describe(spec)) == sorted(words)
    assert describe(spec).startswith(words.partition("(")[0])


# --- the checks --------------------------------------------------------------------------------------------

OF_TRAINING = ("trajectory", "fresh optimiser", "checkpoints", "float32 training", "integer training")
SPACE = Space((("tanh", "mse", 1),))


def run(name: str, kind: type, training: TrainingProblem, **form: Any) -> Candidate:
    (check,) = (one for one in CHECKS if one.name == name)
    candidate = Candidate(Here(kind), Form(**form))
    check.run(candidate, training)
    return candidate


def wrong(**methods: Any) -> type:
    return type("Wrong", (Student,), methods)


def given_to(name: str, spec: OptimizerSpec | None = None) -> TrainingProblem:
    dtype: DtypeName = "float32" if name == "float32 training" else "float64"
    one = trainings(0, SPACE, dtype)[2]  # momentum
    return replace(one, optimizer=spec or one.optimizer)


@pytest.mark.parametrize("name", OF_TRAINING)
@pytest.mark.parametrize("spec", OPTIMIZERS, ids=describe)
def test_a_right_class_passes(name: str, spec: OptimizerSpec) -> None:
    run(name, Student, given_to(name, spec))


def test_in_single_precision_a_right_class_passes_too() -> None:
    for one in trainings(0, SPACE, "float32"):
        run("trajectory", Student, one)
        run("fresh optimiser", Student, one)


def after(change: Any) -> Any:
    """Training, and then something that is done to the network or to its losses."""

    def train(self: Any, *given: Any, **also: Any) -> Any:
        losses = Student.train(self, *given, **also)
        return change(self, losses) or losses

    return train


def nudged(layer: int, size: float, at_step: int = 1) -> Any:
    def update(self: Any, gradient: Any, optimizer: Any) -> None:
        Student.update(self, gradient, optimizer)
        if self.n_steps == at_step:
            self.W[layer][0, 0] += size

    return update


class Remembers(Student):
    """Its velocity outlives training."""

    def start_optimizer(self, optimizer: Any) -> None:
        if not hasattr(self, "state"):
            super().start_optimizer(optimizer)


class Rounded(Student):
    """Integer weights stay integers."""

    def load(self, architecture: Any, weights: Any) -> None:
        super().load(architecture, weights)
        if weights[0][0].dtype.kind == "i":
            self.W = [W + 1e-6 for W in self.W]


class Refuses(Student):
    def load(self, architecture: Any, weights: Any) -> None:
        if weights[0][0].dtype.kind == "i":
            raise TypeError("no integers")
        super().load(architecture, weights)


class InDouble(Student):
    def train_step(self, x: Array, targets: Array, optimizer: Any) -> Any:
        loss = super().train_step(x, targets, optimizer)
        self.b = [self.b[0], self.b[1].astype(float)]
        return loss


def late(self: Any, x: Any, targets: Any, batches: Any, optimizer: Any, checkpoints: Any = None) -> Any:
    moved = {step + 1 if step == 0 else step: call for step, call in (checkpoints or {}).items()}
    return Student.train(self, x, targets, batches, optimizer, moved)


def dropped(self: Any, x: Any, targets: Any, batches: Any, optimizer: Any, checkpoints: Any = None) -> Any:
    return Student.train(self, x, targets, batches, optimizer, {0: (checkpoints or {}).get(0, int)})


@pytest.mark.parametrize(
    ("name", "kind", "said"),
    [
        ("trajectory", wrong(update=nudged(0, 1e-9)), r"^weights after 1 step of sgd\(momentum=0.9\): .*W1"),
        ("trajectory", wrong(update=nudged(1, 1e-9, 3)),
         r"^weights after 3 steps of sgd\(momentum=0.9\): .*W2\[0, 0\]"),
        ("trajectory", wrong(train=after(lambda self, losses: [loss * (1 + 1e-9) for loss in losses])),
         r"^losses of train beside those of loss_and_gradient, sgd\(momentum=0.9\): .*loss of step"),
        ("fresh optimiser", Remembers, "^weights after train, train and train, load, train"),
        ("checkpoints", wrong(train=late), "^weights at checkpoint 0|called at"),
        ("checkpoints", wrong(train=dropped), r"^checkpoints: asked for steps 0 and 4, called at \[0\]"),
        ("checkpoints", wrong(train=after(lambda self, losses: self.W[0].__iadd__(1e-9) is None)),
         "^weights at checkpoint 4"),
        ("float32 training", InDouble, "^b2 after train: expected dtype float32, got float64"),
        ("integer training", Rounded, "^training from integer weights: "),
    ],
)  # fmt: skip
def test_a_class_that_trains_wrongly_is_told(name: str, kind: type, said: str) -> None:
    with pytest.raises(Mismatch, match=said):
        run(name, kind, given_to(name))


def test_integers_that_are_refused_are_declined() -> None:
    with pytest.raises(Misbehaviour, match=r"^integer weights are refused: load raised TypeError") as found:
        run("integer training", Refuses, given_to("integer training"))
    assert found.value.kind == "declined"


@pytest.mark.parametrize(("dtype", "repeated"), [("float64", 1e-10), ("float32", 1e-5)])
@pytest.mark.parametrize("sign", [1, -1])
def test_training_done_again_may_differ_by_rounding_and_by_no_more(
    dtype: DtypeName, repeated: float, sign: int
) -> None:
    architecture = Architecture((3, 4, 2), "tanh", "mse", dtype)
    once = generic_problem(replace(architecture, dtype="float64"), 4, 0).flat()
    unit = (1 + np.abs(once).max()) * np.eye(once.size)[3]
    _require_repeated("again", once + sign * 0.9 * repeated * unit, once, architecture)
    with pytest.raises(Mismatch, match=r"^again: "):
        _require_repeated("again", once + sign * 1.1 * repeated * unit, once, architecture)
    with pytest.raises(Undecided, match="ran away"):
        _require_repeated("again", once, np.inf * once, architecture)


@pytest.mark.parametrize(("dtype", "beside"), [("float64", 1e-6), ("float32", 1e-2)])
@pytest.mark.parametrize("travelled", [0.1, 1e-9])
def test_where_rounding_may_move_weights_far_beside_their_way_nothing_is_decided(
    dtype: DtypeName, beside: float, travelled: float, monkeypatch: pytest.MonkeyPatch
) -> None:
    for share, decided in ((0.9, True), (1.1, False)):

        def predicted(one: Course, spec: OptimizerSpec, share: float = share) -> tuple[Array, Array]:
            reached = one.weights[:-1] + travelled * np.eye(1, one.weights.shape[1])
            return reached, np.full(reached.shape, share * beside * max(travelled, 1e-6))

        monkeypatch.setattr("backproof.comparisons.check.battery.training.predicted_steps", predicted)
        training = trainings(0, SPACE, dtype)[0]
        with pytest.raises(Mismatch if decided else Undecided):
            run("trajectory", Student, training)


def test_a_gradient_that_is_not_finite_decides_nothing_of_training() -> None:
    endless = wrong(bias_gradient=lambda self, delta, layer: delta.sum(axis=0) * np.inf)
    for name in ("trajectory", "fresh optimiser"):
        with pytest.raises(Undecided):
            run(name, endless, given_to(name))


def test_a_training_that_runs_away_decides_nothing() -> None:
    away = given_to("fresh optimiser", OptimizerSpec(learning_rate=1e6))
    for name in ("fresh optimiser", "trajectory"):
        with pytest.raises(Undecided):
            run(name, Student, away)


def test_losses_that_are_not_told_by_the_gradient_are_not_compared() -> None:
    silent = wrong(
        loss_and_gradient=lambda self, x, t: (np.nan, Student.loss_and_gradient(self, x, t)[1]),
        train_step=lambda self, x, t, o: (self.update(Student.loss_and_gradient(self, x, t)[1], o), 0.5)[1],
    )
    run("trajectory", silent, given_to("trajectory"))


@pytest.mark.parametrize("shift", [-7.0, 7.0])
@pytest.mark.parametrize(("off", "right"), [(0.0, True), (0.9e-12, True), (1.2e-12, False)])
def test_losses_of_training_may_be_off_by_rounding_of_their_size(
    shift: float, off: float, right: bool
) -> None:
    """A loss that is wrong by a constant, and then negative, is not training's matter."""
    kind = wrong(
        loss_value=lambda self, z, t: Student.loss_value(self, z, t) + shift,
        train=after(lambda self, losses: [loss * (1 + off) for loss in losses]),
    )
    if right:
        run("trajectory", kind, given_to("trajectory"))
    else:
        with pytest.raises(Mismatch, match=r"^losses of train beside"):
            run("trajectory", kind, given_to("trajectory"))


def test_without_a_gradient_training_is_held_to_ours() -> None:
    class Hidden(Student):
        own = Student.loss_and_gradient
        loss_and_gradient = None

        def train_step(self, x: Array, targets: Array, optimizer: Any) -> Any:
            loss, gradient = self.own(x, targets)
            self.update(gradient, optimizer)
            return loss

    run("trajectory", Hidden, given_to("trajectory"))
    with pytest.raises(Mismatch, match=r"^weights after 1 step"):
        run("trajectory", type("Off", (Hidden,), {"update": nudged(0, 1e-6)}), given_to("trajectory"))


def test_the_course_of_a_class_has_its_own_answers_at_every_step() -> None:
    training = given_to("trajectory")
    one = course_of(Candidate(Here(Student)), training)
    net = Student()
    problem = training.problem
    net.load(problem.architecture, problem.weights)
    losses = net.train(problem.x, problem.targets, training.batches, training.optimizer)
    np.testing.assert_allclose(one.losses, losses, rtol=1e-14)
    np.testing.assert_allclose(one.own_losses, losses, rtol=1e-12)
    np.testing.assert_array_equal(one.weights[0], problem.flat())
    np.testing.assert_allclose(one.weights[-1], flat_gradient(net.weights()), rtol=1e-14)
    assert one.weights.shape == (5, problem.architecture.n_parameters)
    assert one.gradients.shape == one.errors.shape == (4, problem.architecture.n_parameters)
    assert (one.errors > 0).all()
    assert (one.errors < 1e-10).all()
    assert one.loss_errors.shape == (4,)
    assert [call.method for call in one.calls] == ["load", "train", "weights"]
    assert course().calls == ()
    rows = problem.rows(training.batches[1])
    net.load(problem.architecture, Parameters(problem.architecture, one.weights[1].copy()).weights())
    np.testing.assert_allclose(
        one.gradients[1], flat_gradient(net.loss_and_gradient(rows.x, rows.targets)[1]), rtol=1e-13
    )


def test_every_training_is_that_of_a_fresh_instance() -> None:
    class Once(Student):
        trained = False

        def train(self, *given: Any) -> Any:
            if self.trained:
                raise ValueError("trained already")
            self.trained = True
            return super().train(*given)

    assert course_of(Candidate(Here(Once)), given_to("trajectory")).losses.shape == (4,)


def test_a_training_that_makes_every_parameter_smaller_is_judged() -> None:
    """How far it went is asked without its sign."""
    architecture = Architecture((3, 2), "identity", "mse", "float32")
    weights = [(np.full((3, 2), 0.5), np.full(2, 0.5))]
    problem = Problem(architecture, weights, np.ones((4, 3)), np.full((4, 2), -10.0))
    batches = [np.array([0, 1]), np.array([2, 3])]
    training = TrainingProblem(problem, OptimizerSpec(learning_rate=0.01), batches)
    assert (np.diff(course_of(Candidate(Here(Student)), training).weights, axis=0) < 0).all()
    run("trajectory", Student, training)
    with pytest.raises(Mismatch, match=r"^weights after 1 step"):
        run("trajectory", wrong(update=nudged(0, 1e-3)), training)
