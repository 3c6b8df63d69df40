"""Why logits are wrong: known mistakes of the forward pass, each as a formula for what comes out instead."""

from collections.abc import Callable

import numpy as np
from scipy.special import expit, softmax

from backproof.comparisons.check.diagnosis.evidence import telling_problems
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.laws import CLOSE
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.architecture import Array
from backproof.scratch.problem import Problem

Forward = Callable[[Problem, str], Array]


def _run(problem: Problem, name: str, bias: float = 1.0, last: bool = False) -> Array:
    function = ACTIVATION_FUNCTIONS[name]
    a: Array = problem.x
    for layer, (W, b) in enumerate(problem.weights):
        z = a @ W + bias * b
        a = function.value(z) if last or layer + 1 < len(problem.weights) else z
    return a


FORWARDS: dict[str, Forward] = {
    "the activation is applied to the output layer too": lambda p, f: _run(p, f, last=True),
    "the biases are left out": lambda p, f: _run(p, f, bias=0.0),
    "the biases are subtracted": lambda p, f: _run(p, f, bias=-1.0),
    "the activation of the hidden layers is missing": lambda p, f: _run(p, "identity"),
    'logits are returned after a softmax: declare outputs = "probabilities" if they are meant to be': (
        lambda p, f: softmax(_run(p, f), axis=1)
    ),
    "logits are returned after a softmax over the whole batch": lambda p, f: softmax(_run(p, f)),
    'logits are returned after a sigmoid: declare outputs = "probabilities" if they are meant to be': (
        lambda p, f: expit(_run(p, f))
    ),
    "logits are of the opposite sign": lambda p, f: -_run(p, f),
    "the largest logit of each row is subtracted from logits": (
        lambda p, f: _run(p, f) - _run(p, f).max(axis=1, keepdims=True)
    ),
}


def forward_cause(explored: Explored, seed: int, text: str) -> Cause:
    """The first formula that gives every logit seen; failing that, to how many digits they agree."""
    answers = _answers(explored, seed)
    wrong = [(p, f, z) for p, f, z in answers if not _same(z, _run(p, f))]
    for sentence, forward in FORWARDS.items():
        if wrong and all(_same(z, forward(p, f)) for p, f, z in answers):
            return Cause(sentence, "explains")
    for name in ACTIVATION_FUNCTIONS:
        asked = {f for _, f, _ in wrong}
        if len(asked) == 1 and name not in asked and all(_same(z, _run(p, name)) for p, _, z in wrong):
            return Cause(f"the activation is {name} where {asked.pop()} is asked", "explains")
    digits = [_digits(z, _run(p, f)) for p, f, z in answers]
    if digits and min(digits) >= 5.5 and max(digits) < 9.5:
        return Cause(
            f"logits agree to {min(digits):.0f} digits and no more: computed in float32 inside?", "describes"
        )
    return Cause(f"the forward pass is wrong already: {text}", "describes")


def _answers(explored: Explored, seed: int) -> list[tuple[Problem, str, Array]]:
    candidate, found = explored.candidate, []
    for problem, family in telling_problems(explored, seed):
        if family != "generic":
            continue
        try:
            candidate.renew()
            candidate.load(problem.architecture, problem.weights)
            logits = candidate.logits(problem.x)
        except Misbehaviour as finding:
            if finding.fatal:
                break
            continue
        found.append((problem, candidate.form.activation or problem.architecture.activation, logits))
    return found


def _same(found: Array, predicted: Array) -> bool:
    size = float(np.abs(predicted).max())
    dtype = "float32" if found.dtype == np.float32 else "float64"
    return found.shape == predicted.shape and bool(np.abs(found - predicted).max() <= CLOSE[dtype] * size)


def _digits(found: Array, right: Array) -> float:
    if found.shape != right.shape:
        return 0.0
    off = float(np.abs(found - right).max() / max(float(np.abs(right).max()), 1e-300))
    return float(-np.log10(max(off, 1e-16)))
