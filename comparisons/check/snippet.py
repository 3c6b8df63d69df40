"""The smallest failing case as a short program: paste it beside the class and run it."""

from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path
from typing import Any

import numpy as np

from comparisons.check.cases import Case, TrainingCase
from comparisons.check.loading import Target
from comparisons.check.state_checks import Story
from comparisons.check.trial import Outcome
from scratch.architecture import Architecture, OptimizerSpec, Weights


def snippet(target: Target, outcome: Outcome) -> str:
    """Code that repeats the failing call and prints what came; empty where there is no case to show."""
    if not outcome.failing:
        return ""
    return "\n".join([*_imports(target), "", *_body(target, outcome)])


def _imports(target: Target) -> Iterator[str]:
    module = target.place
    if target.is_file:
        path = Path(target.place).resolve()
        module = path.stem
        yield "import sys"
        yield f"sys.path.insert(0, {str(path.parent)!r})"
    yield "import numpy as np"
    yield "from numpy import array, float32, float64"
    yield "from scratch.architecture import Architecture, OptimizerSpec"
    yield f"from {module} import {target.name}"


def _body(target: Target, outcome: Outcome) -> Iterator[str]:
    drawn = outcome.failing or ()
    yield f"subject = {target.name}()"
    first = drawn[0]
    if isinstance(first, Story):
        yield from _story(first)
    elif isinstance(first, TrainingCase):
        yield from _training(first)
    elif isinstance(first, Case):
        yield from _evaluation(first, outcome, drawn)
    else:
        yield f"# {outcome.check.name} with {', '.join(map(repr, drawn))}"
        yield f"print(subject.{outcome.check.needs[-1]})"
    yield from _comparison(outcome)


def _evaluation(case: Case, outcome: Outcome, drawn: tuple[Any, ...]) -> Iterator[str]:
    yield from _setup(case)
    if outcome.check.name in ("logits", "independence", "repeatable"):
        yield "print(subject.logits(x))"
    elif outcome.check.name == "epoch loss":
        yield f"print(subject.train_epoch(x, targets, {drawn[1]}, OptimizerSpec(learning_rate=0.0), 0))"
    elif outcome.check.name == "weights":
        yield "print(subject.weights())"
    else:
        yield "loss, gradient = subject.loss_and_gradient(x, targets)"
        yield "print(loss)"
        yield "print(gradient)"


def _training(trial: TrainingCase) -> Iterator[str]:
    yield from _setup(trial.case)
    yield f"batches = [{', '.join(f'np.array({batch.tolist()})' for batch in trial.batches)}]"
    yield f"optimizer = {optimizer_code(trial.optimizer)}"
    yield "print(subject.train(x, targets, batches, optimizer))"
    yield "print(subject.weights())"


def _story(story: Story) -> Iterator[str]:
    yield from _setup(story.case)
    yield f"other_x = {_array(story.other.x)}"
    yield f"other_targets = {_array(story.other.targets)}"
    rows = f"[np.arange({story.case.batch_size})]"
    calls = {
        "gradient": "print(subject.loss_and_gradient(x, targets))",
        "gradient of another batch": "print(subject.loss_and_gradient(other_x, other_targets))",
        "logits": "print(subject.logits(x))",
        "logits of another batch": "print(subject.logits(other_x))",
        "train": f"print(subject.train(x, targets, {rows}, OptimizerSpec(learning_rate=0.05, momentum=0.5)))",
        "load again": "subject.load(architecture, weights)",
    }
    for call in story.calls:
        yield calls[call]
    yield "print(subject.weights())"


def _setup(case: Case) -> Iterator[str]:
    yield f"architecture = {architecture_code(case.architecture)}"
    yield f"weights = {_weights(case.weights)}"
    yield f"x = {_array(case.x)}"
    yield f"targets = {_array(case.targets)}"
    yield "subject.load(architecture, weights)"


def _comparison(outcome: Outcome) -> Iterator[str]:
    found = outcome.comparison
    if found is not None and found.worst:
        yield f"# {found.worst}: expected {found.expected!r}, found {found.found!r} (bound {found.bound:.2g})"
    else:
        yield f"# {outcome.text}"


def architecture_code(architecture: Architecture) -> str:
    a = architecture
    return f"Architecture({a.layer_sizes}, {a.activation!r}, {a.loss!r}, {a.dtype!r})"


def optimizer_code(optimizer: OptimizerSpec) -> str:
    """Only what differs from the defaults."""
    plain = OptimizerSpec()
    settings = [
        f"{field.name}={getattr(optimizer, field.name)!r}"
        for field in fields(optimizer)
        if getattr(optimizer, field.name) != getattr(plain, field.name)
    ]
    return f"OptimizerSpec({', '.join(settings)})"


def _weights(weights: Weights) -> str:
    return "[" + ", ".join(f"({_array(W)}, {_array(b)})" for W, b in weights) + "]"


def _array(array: Any) -> str:
    kind = "" if array.dtype in (np.float64, np.intp) else f", {array.dtype}"
    return f"array({array.tolist()}{kind})"
