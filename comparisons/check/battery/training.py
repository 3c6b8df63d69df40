"""Checks of training: the update rules against torch.optim, step by step.

Each step is judged by itself. The class is trained for 1, 2, ... steps, and asked for its own gradient g_t
at the weights theta_t it had reached; torch.optim, given g_t, says where theta_(t+1) belongs. So a wrong
gradient is not training's matter, nor is anything that happened at earlier steps, but for the rule's own
memory.

How far may a right step lie from torch's? By a few roundings of its own, and by what the gradient's rounding
makes of it: the rule is run again with every entry of every gradient moved by its bound to a random side; the
largest deviation, twice over, is what rounding can explain. Where this is not small beside the way that
was travelled, the problem is undecided.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingProblem, training_problems
from backproof.comparisons.check.battery.check import check
from backproof.comparisons.check.battery.findings import (
    Mismatch,
    Undecided,
    only_refused,
    require,
    require_same_bits,
)
from backproof.comparisons.check.battery.grid import float32_trainings, trainings
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.subject.subject import Call
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

REPLICAS = 3
RAN_AWAY = 1e3
BESIDE_THE_WAY = {"float64": 1e-6, "float32": 1e-2}  # of the way travelled that rounding may explain
REPEATED = {"float64": 1e-10, "float32": 1e-5}  # of its size: the same training, done again
NEEDS = "load train weights"


@dataclass(frozen=True)
class Course:
    """What training did: steps are rows.

    weights (steps + 1, n) before each step and after the last, and what train said each step's loss was;
    gradients (steps, n) and own_losses (steps,) the class's own answers there, errors (steps, n) what
    rounding may make of these gradients.
    """

    weights: Array
    losses: Array
    gradients: Array
    own_losses: Array
    errors: Array
    loss_errors: Array
    calls: Sequence[Call] = ()  # the last training's


def course_of(candidate: Candidate, training: TrainingProblem) -> Course:
    """Train for 1, 2, ... steps, each on a fresh instance, and ask for the gradients on the way."""
    problem = training.problem
    weights, losses = [flat_gradient(problem.weights)], np.zeros(0)
    calls: Sequence[Call] = ()
    for n_steps in range(1, len(training.batches) + 1):
        candidate.renew()
        losses, reached = _trained(candidate, training, n_steps)
        weights.append(reached)
        calls = candidate.calls
    rows = [
        _asked(candidate, _at(problem, theta).rows(batch))
        for theta, batch in zip(weights[:-1], training.batches, strict=True)
    ]
    own_losses, gradients, errors, loss_errors = (np.array(column) for column in zip(*rows, strict=True))
    return Course(np.array(weights), losses, gradients, own_losses, errors, loss_errors, calls)


def _at(problem: Problem, theta: Array) -> Problem:
    if not np.isfinite(theta).all():
        raise Undecided("the weights run into overflow")
    weights = Parameters(problem.architecture, theta.copy()).weights()
    return replace(problem, weights=weights)


def _asked(candidate: Candidate, problem: Problem) -> tuple[float, Array, Array, float]:
    """Own loss and gradient, and how far rounding may move either; ours, where none is offered."""
    right = candidate.expected(problem)
    if not np.isfinite(right.gradient.error).all():
        raise Undecided("the trajectory runs into overflow")
    if not candidate.offers("loss_and_gradient"):
        return float(right.loss.value), right.gradient.value, right.gradient.error, float(right.loss.error)
    candidate.renew()
    candidate.load(problem.architecture, problem.weights)
    loss, gradient = candidate.loss_and_gradient(problem.x, problem.targets)
    return loss, flat_gradient(gradient), right.gradient.error, float(right.loss.error)


def torch_steps(course: Course, optimizer: OptimizerSpec, gradients: Array) -> Array:
    """Where torch.optim puts the weights after each step, each from the class's own weights before it.

    gradients (steps, n), or (runs, steps, n) for several runs at once; the answer has the same shape. The
    rules work entry by entry, so that runs side by side do not meet. In double precision, whatever the class
    computes in.
    """
    import torch

    start = np.broadcast_to(course.weights[0], gradients[..., 0, :].shape)
    theta = torch.from_numpy(np.array(start, np.float64)).requires_grad_()
    rule: torch.optim.Optimizer
    if optimizer.name == "adam":
        betas = (optimizer.beta1, optimizer.beta2)
        rule = torch.optim.Adam(
            [theta], optimizer.learning_rate, betas, optimizer.eps, optimizer.weight_decay
        )
    else:
        rule = torch.optim.SGD(
            [theta],
            optimizer.learning_rate,
            momentum=optimizer.momentum,
            nesterov=optimizer.nesterov,
            weight_decay=optimizer.weight_decay,
        )
    reached = []
    for step, weights in enumerate(course.weights[:-1]):
        with torch.no_grad():
            theta.copy_(torch.from_numpy(weights))
        theta.grad = torch.from_numpy(gradients[..., step, :].astype(np.float64))
        rule.step()
        reached.append(theta.detach().numpy().copy())
    return np.stack(reached, axis=-2)


def predicted_steps(course: Course, optimizer: OptimizerSpec) -> tuple[Array, Array]:
    """(steps, n) each: torch's weights after each step, and how far off rounding may put a right one."""
    shape = course.gradients.shape
    sides = (np.random.default_rng(seed).choice([-1.0, 1.0], shape) for seed in range(REPLICAS))
    moved = np.array([course.gradients, *(course.gradients + side * course.errors for side in sides)])
    plain, *replicas = torch_steps(course, optimizer, moved)
    spread = np.zeros_like(plain)
    for replica in replicas:
        spread = np.maximum(spread, np.abs(replica - plain).max(axis=1, keepdims=True))
    own = 16 * float(np.finfo(course.weights.dtype).eps) * (1 + np.abs(course.weights).max())
    return plain, 2 * spread + own


@check("Do losses and weights follow torch.optim?", NEEDS, training_problems, trainings, 0.8)
def trajectory(candidate: Candidate, training: TrainingProblem) -> None:
    """Losses as loss_and_gradient gives them; weights as torch.optim makes them of its gradients."""
    course = course_of(candidate, training)
    if not np.isfinite(course.gradients).all():
        raise Undecided("the gradient is not finite")
    predicted, bound = predicted_steps(course, training.optimizer)
    travelled = np.abs(predicted - course.weights[:-1]).max()
    beside = BESIDE_THE_WAY[training.problem.architecture.dtype]
    if not bound.max() <= beside * max(float(travelled), 1e-6):
        raise Undecided("rounding alone moves this trajectory too far")
    name = training.problem.architecture.parameter_name
    known = np.isfinite(course.own_losses)
    spread = 2 * course.loss_errors + 1e-12 * np.abs(course.own_losses)
    pair = course.losses[known], course.own_losses[known]
    if known.any():
        what = f"losses of train beside those of loss_and_gradient, {describe(training.optimizer)}"
        require(what, compare(*pair, spread[known], "loss of step {}".format), course.calls)
    for step, (found, right) in enumerate(zip(course.weights[1:], predicted, strict=True), start=1):
        what = f"weights after {step} step{'s' if step > 1 else ''} of {describe(training.optimizer)}"
        require(what, compare(found, right, bound[step - 1], name), course.calls)


@check("Does each train start afresh?", NEEDS, training_problems, trainings, 0.3)
def fresh_optimiser(candidate: Candidate, training: TrainingProblem) -> None:
    """train starts with a fresh optimiser: training on from the same weights repeats itself."""
    problem = training.problem
    _, reached = _trained(candidate, training, len(training.batches))
    if not np.abs(reached).max() < RAN_AWAY:
        raise Undecided("the first training ran away")
    middle = candidate.weights()
    candidate.train(problem.x, problem.targets, training.batches, training.optimizer)
    on = flat_gradient(candidate.weights())
    candidate.load(problem.architecture, middle)
    candidate.train(problem.x, problem.targets, training.batches, training.optimizer)
    what = "weights after train, train and train, load, train"
    _require_repeated(what, on, flat_gradient(candidate.weights()), problem.architecture)


def _require_repeated(what: str, found: Array, own: Array, architecture: Architecture) -> None:
    if not np.isfinite(own).all():
        raise Undecided("the training ran away")
    bound = REPEATED[architecture.dtype] * (1 + float(np.abs(own).max()))
    require(what, compare(found, own, bound, architecture.parameter_name))


@check(
    "Do checkpoints see the steps before them?",
    "load train(checkpoints) weights",
    training_problems,
    trainings,
    0.2,
)
def checkpoints(candidate: Candidate, training: TrainingProblem) -> None:
    """A checkpoint sees exactly the steps before it; the last one sees the final weights."""
    problem, n = training.problem, len(training.batches)
    candidate.load(problem.architecture, problem.weights)
    given = problem.x, problem.targets, training.batches, training.optimizer
    _, seen = candidate.train_recording(*given, (0, n))
    if sorted(seen) != [0, n]:
        raise Mismatch(f"checkpoints: asked for steps 0 and {n}, called at {sorted(seen)}")
    require_same_bits("weights at checkpoint 0", seen[0], problem.weights)
    require_same_bits(f"weights at checkpoint {n}", seen[n], candidate.weights())


@check(
    "Do float32 weights stay float32?",
    NEEDS,
    lambda space: training_problems(space, "float32"),
    float32_trainings,
    0.2,
    follows=("float32",),
)
def float32_training(candidate: Candidate, training: TrainingProblem) -> None:
    """Training in float32 leaves float32 weights."""
    _trained(candidate, training, len(training.batches))
    for layer, pair in enumerate(candidate.weights(), start=1):
        for kind, array in zip("Wb", pair, strict=True):
            expected = training.problem.architecture.dtype
            if array.dtype != expected:
                raise Mismatch(f"{kind}{layer} after train: expected dtype {expected}, got {array.dtype}")


@check("Do integer weights train like others?", NEEDS, training_problems, trainings, 0.2)
def integer_training(candidate: Candidate, training: TrainingProblem) -> None:
    """Weights that were given as integers are trained as the same numbers in floating point are."""
    problem = training.problem
    rounded = replace(problem, weights=[(np.rint(W), np.rint(b)) for W, b in problem.weights])
    _, own = _trained(candidate, replace(training, problem=rounded), len(training.batches))
    candidate.renew()
    whole = [(W.astype(np.int64), b.astype(np.int64)) for W, b in rounded.weights]
    with only_refused("integer weights"):
        candidate.load(problem.architecture, whole)
        candidate.train(problem.x, problem.targets, training.batches, training.optimizer)
        found = flat_gradient(candidate.weights())
    _require_repeated("training from integer weights", found, own, problem.architecture)


def describe(optimizer: OptimizerSpec) -> str:
    """``sgd(momentum=0.9)``: the settings that differ from the defaults."""
    plain = OptimizerSpec(optimizer.name)
    settings = [
        f"{name}={value}"
        for name, value in vars(optimizer).items()
        if name not in ("name", "learning_rate") and value != getattr(plain, name)
    ]
    return f"{optimizer.name}({', '.join(settings)})"


def _trained(candidate: Candidate, training: TrainingProblem, n_steps: int) -> tuple[Array, Array]:
    """Losses and flat weights after that many steps."""
    problem = training.problem
    candidate.load(problem.architecture, problem.weights)
    losses = candidate.train(problem.x, problem.targets, training.batches[:n_steps], training.optimizer)
    weights: Weights = candidate.weights()
    return np.array(losses), flat_gradient(weights)
