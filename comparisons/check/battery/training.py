"""Checks of training: the update rules against torch.optim, step by step.

How far may a correct trajectory drift from torch's? Every gradient on the way may be off by its rounding
bound, and training carries that on. So the tolerance is measured for the very case: the same trajectory is
run with every entry of every gradient moved by its full bound, up or down at random, several times; the
largest deviation seen, twice over, is what rounding can explain. Where this is not small beside the way
that was travelled (a kink was crossed, say), the case is undecided.
"""

from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingCase
from backproof.comparisons.check.battery.findings import Mismatch, Undecided, require, require_same_bits
from backproof.comparisons.check.subject.subject import Subject
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import Array, OptimizerSpec, Weights
from backproof.scratch.optimizers import make_optimizer
from backproof.scratch.parameters import Parameters

REPLICAS = 3


@dataclass(frozen=True)
class Course:
    """Flat weights before each step and after the last, (steps + 1, n), and each step's loss."""

    weights: Array
    losses: Array


def torch_course(trial: TrainingCase) -> Course:
    """torch.autograd and torch.optim on the same batches."""
    from backproof.reference.torch_mlp import TorchMLP

    torch = TorchMLP()
    torch.load(trial.case.architecture, trial.case.weights)
    seen: list[Array] = []

    def note() -> None:
        seen.append(_flat(torch.weights()))

    steps = range(len(trial.batches) + 1)
    losses = torch.train(
        trial.case.x, trial.case.targets, trial.batches, trial.optimizer, dict.fromkeys(steps, note)
    )
    return Course(np.array(seen), np.array(losses))


def replica(trial: TrainingCase, rng: np.random.Generator | None) -> Course:
    """The trajectory with every gradient entry moved by its bound to a random side; not moved without rng."""
    case = trial.case
    parameters = Parameters.from_weights(case.architecture, case.weights)
    optimizer = make_optimizer(trial.optimizer, parameters.flat)
    weights, losses = [parameters.flat.copy()], []
    for batch in trial.batches:
        here = backprop_reference(
            case.architecture, parameters.weights(), case.x[batch], case.targets[batch], order="any"
        )
        if not np.isfinite(here.gradient.error).all():
            raise Undecided("the trajectory runs into overflow")
        gradient, side = here.gradient.value, 0.0
        if rng is not None:
            side = float(rng.choice([-1.0, 1.0]))
            gradient = gradient + rng.choice([-1.0, 1.0], gradient.shape) * here.gradient.error
        losses.append(float(here.loss.value) + side * float(here.loss.error))
        with np.errstate(over="ignore", invalid="ignore"):
            optimizer.step(parameters.flat, optimizer.loss_factor * gradient)
        if not np.isfinite(parameters.flat).all():
            raise Undecided("the trajectory runs into overflow")
        weights.append(parameters.flat.copy())
    return Course(np.array(weights), np.array(losses))


def tolerance(trial: TrainingCase) -> tuple[Array, float]:
    """Per recorded step the deviation that rounding explains, and the same for the losses."""
    plain = replica(trial, None)
    moved = [replica(trial, np.random.default_rng(seed)) for seed in range(REPLICAS)]
    # A few roundings of the update itself, of the size of what is updated.
    own = 8 * np.finfo(float).eps * (1 + np.abs(plain.weights).max(axis=1))
    spread = np.max([np.abs(m.weights - plain.weights).max(axis=1) for m in moved], axis=0)
    losses = np.max([np.abs(m.losses - plain.losses).max() for m in moved])
    return 2 * spread + np.cumsum(own), 2 * float(losses) + 8 * float(
        np.finfo(float).eps * (1 + np.abs(plain.losses)).max()
    )


def trajectory(subject: Subject, trial: TrainingCase) -> None:
    """Losses of every step, and the weights after each number of steps, as torch.optim's."""
    expected = torch_course(trial)
    per_step, for_losses = tolerance(trial)
    travelled = np.abs(expected.weights - expected.weights[0]).max()
    if not np.isfinite(expected.weights).all() or per_step[-1] > 1e-6 * max(float(travelled), 1e-6):
        raise Undecided("rounding alone moves this trajectory too far")
    for n_steps in range(1, len(trial.batches) + 1):
        found_losses, found = _train(subject, trial, n_steps)
        what = f"after {n_steps} step{'s' if n_steps > 1 else ''} of {describe(trial.optimizer)}"
        require(f"loss {what}", compare(np.array(found_losses), expected.losses[:n_steps], for_losses))
        name = trial.case.architecture.parameter_name
        require(f"weights {what}", compare(found, expected.weights[n_steps], per_step[n_steps], name))


def fresh_optimizer(subject: Subject, trial: TrainingCase) -> None:
    """train starts with a fresh optimiser: training on from the same weights repeats itself."""
    case = trial.case
    expected = replica(trial, None).weights[-1]
    _, reached = _train(subject, trial, len(trial.batches))
    # Where the first leg has run away (or went wrong, which is another check's matter) there is no second.
    if not np.abs(reached - expected).max() < 1 or np.abs(expected).max() > 1e3:
        raise Undecided("the first training ran away")
    middle = subject.weights()
    subject.train(case.x, case.targets, trial.batches, trial.optimizer)
    on = _flat(subject.weights())
    subject.load(case.architecture, middle)
    subject.train(case.x, case.targets, trial.batches, trial.optimizer)
    per_step, _ = tolerance(TrainingCase(case.with_weights(middle), trial.optimizer, trial.batches))
    name = case.architecture.parameter_name
    require(
        "weights after train, train and train, load, train",
        compare(on, _flat(subject.weights()), per_step[-1], name),
    )


def float32_training(subject: Subject, trial: TrainingCase) -> None:
    """Training in float32 leaves float32 weights."""
    _train(subject, trial, len(trial.batches))
    for layer, pair in enumerate(subject.weights(), start=1):
        for kind, array in zip("Wb", pair, strict=True):
            if array.dtype != trial.case.architecture.dtype:
                expected = trial.case.architecture.dtype
                raise Mismatch(f"{kind}{layer} after train: expected dtype {expected}, got {array.dtype}")


def integer_training(subject: Subject, trial: TrainingCase) -> None:
    """Weights that were given as integers are trained like any others."""
    case = trial.case
    rounded = case.with_weights([(np.rint(W), np.rint(b)) for W, b in case.weights])
    whole = [(W.astype(np.int64), b.astype(np.int64)) for W, b in rounded.weights]
    same = TrainingCase(rounded, trial.optimizer, trial.batches)
    per_step, _ = tolerance(same)
    _train(subject, same, len(trial.batches))
    expected = _flat(subject.weights())
    subject.load(case.architecture, whole)
    subject.train(case.x, case.targets, trial.batches, trial.optimizer)
    name = case.architecture.parameter_name
    require("training from integer weights", compare(_flat(subject.weights()), expected, per_step[-1], name))


def checkpoints(subject: Subject, trial: TrainingCase) -> None:
    """A checkpoint sees exactly the steps before it; the last one sees the final weights."""
    case, n = trial.case, len(trial.batches)
    subject.load(case.architecture, case.weights)
    _, seen = subject.train_recording(case.x, case.targets, trial.batches, trial.optimizer, (0, n))
    if sorted(seen) != [0, n]:
        raise Mismatch(f"checkpoints: asked for steps 0 and {n}, called at {sorted(seen)}")
    require_same_bits("weights at checkpoint 0", seen[0], case.weights)
    require_same_bits(f"weights at checkpoint {n}", seen[n], subject.weights())


def describe(optimizer: OptimizerSpec) -> str:
    """``sgd(momentum=0.9)``: the settings that differ from the defaults."""
    plain = OptimizerSpec(optimizer.name)
    settings = [
        f"{name}={value}"
        for name, value in vars(optimizer).items()
        if name not in ("name", "learning_rate") and value != getattr(plain, name)
    ]
    return f"{optimizer.name}({', '.join(settings)})"


def _train(subject: Subject, trial: TrainingCase, n_steps: int) -> tuple[Array, Array]:
    case = trial.case
    subject.load(case.architecture, case.weights)
    losses = subject.train(case.x, case.targets, trial.batches[:n_steps], trial.optimizer)
    return np.array(losses), _flat(subject.weights())


def _flat(weights: Weights) -> Array:
    flat: Array = np.concatenate([np.ravel(array) for pair in weights for array in pair])
    return flat
