"""Every sentence about wrong logits is its formula, and the class that has the mistake is told so."""

from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.diagnosis.evidence import telling_problems
from backproof.comparisons.check.diagnosis.forwards import FORWARDS, _digits, forward_cause
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.problem import Problem
from tests.support.in_process import Student, explored_here

SPACE = Space((("tanh", "mse", 0), ("tanh", "mse", 1), ("tanh", "mse", 2)))
PROBLEM = generic_problem(Architecture((3, 4, 3, 2), "tanh"), 5, seed=0)
(W1, B1), (W2, B2), (W3, B3) = PROBLEM.weights
X = PROBLEM.x


def last(z: Array) -> Array:
    return z @ W3 + B3


HIDDEN = np.tanh(np.tanh(X @ W1 + B1) @ W2 + B2)
Z = last(HIDDEN)
UNBIASED = np.tanh(np.tanh(X @ W1) @ W2) @ W3
SUBTRACTED = np.tanh(np.tanh(X @ W1 - B1) @ W2 - B2) @ W3 - B3
BY_HAND: dict[str, Array] = {
    "the activation is applied to the output layer too": np.tanh(Z),
    "the biases are left out": UNBIASED,
    "the biases are subtracted": SUBTRACTED,
    "the activation of the hidden layers is missing": last((X @ W1 + B1) @ W2 + B2),
    'logits are returned after a softmax: declare outputs = "probabilities" if they are meant to be': (
        np.exp(Z) / np.exp(Z).sum(axis=1, keepdims=True)
    ),
    "logits are returned after a softmax over the whole batch": np.exp(Z) / np.exp(Z).sum(),
    'logits are returned after a sigmoid: declare outputs = "probabilities" if they are meant to be': (
        1 / (1 + np.exp(-Z))
    ),
    "logits are of the opposite sign": -Z,
    "the largest logit of each row is subtracted from logits": np.array([row - max(row) for row in Z]),
}


def test_every_sentence_has_its_formula() -> None:
    assert BY_HAND.keys() == FORWARDS.keys()


@pytest.mark.parametrize("sentence", BY_HAND)
def test_a_sentence_is_its_formula(sentence: str) -> None:
    np.testing.assert_allclose(FORWARDS[sentence](PROBLEM, "tanh"), BY_HAND[sentence], rtol=1e-12)


class Saying(Student):
    """Its logits are by a formula of the problem that it was given."""

    def logits(self, x: Array) -> Any:
        targets = np.zeros((len(x), self.architecture.n_outputs))
        weights = list(zip(self.W, self.b, strict=True))
        return self.says(Problem(self.architecture, weights, x, targets))

    def says(self, problem: Problem) -> Any:
        raise NotImplementedError


def cause(says: Any, space: Space = SPACE, seed: int = 0) -> Any:
    kind = type("Says", (Saying,), {"says": says})
    return forward_cause(explored_here(kind, space), seed, "as was seen")


@pytest.mark.parametrize("sentence", FORWARDS)
def test_what_was_planted_is_told(sentence: str) -> None:
    found = cause(lambda self, problem: FORWARDS[sentence](problem, "tanh"))
    assert (found.sentence, found.certainty) == (sentence, "explains")


@pytest.mark.parametrize("seed", [0, 7])
def test_the_class_is_asked_the_telling_problems_of_the_seed(seed: int) -> None:
    asked: list[bytes] = []

    class Noting(Student):
        def logits(self, x: Array) -> Any:
            asked.append(np.asarray(x).tobytes())
            return -super().logits(x)

    explored = explored_here(Noting, SPACE)
    forward_cause(explored, seed, "")
    problems = [p for p, family in telling_problems(explored, seed) if family == "generic"]
    assert asked == [problem.x.tobytes() for problem in problems]


def test_every_answer_is_that_of_a_fresh_instance() -> None:
    class Once(Student):
        asked = False

        def logits(self, x: Array) -> Any:
            sign = 1 if self.asked else -1
            self.asked = True
            return sign * super().logits(x)

    found = forward_cause(explored_here(Once, SPACE), 0, "")
    assert found.sentence == "logits are of the opposite sign"


@pytest.mark.parametrize("name", ["relu", "sigmoid", "silu"])
def test_another_activation_than_was_asked_for_is_named(name: str) -> None:
    def says(self: Any, problem: Problem) -> Any:
        a = problem.x
        for W, b in problem.weights[:-1]:
            a = ACTIVATION_FUNCTIONS[name].value(a @ W + b)
        return a @ problem.weights[-1][0] + problem.weights[-1][1]

    assert cause(says).sentence == f"the activation is {name} where tanh is asked"


def test_of_several_activations_that_are_wrong_none_is_named() -> None:
    both = Space((*SPACE.kinds, ("relu", "mse", 1)))

    def says(self: Any, problem: Problem) -> Array:
        (W, b), *rest = problem.weights
        z = problem.x @ W + b
        return (1 / (1 + np.exp(-z))) @ rest[0][0] + rest[0][1] if len(rest) == 1 else z * 1.0

    assert cause(says, both).sentence == "the forward pass is wrong already: as was seen"


def test_logits_that_were_rounded_are_told_by_their_digits() -> None:
    def rounded(self: Any, problem: Problem) -> Array:
        right: Array = super(Saying, self).logits(problem.x).astype(np.float32).astype(float)
        return right

    found = cause(rounded)
    assert found.sentence == "logits agree to 7 digits and no more: computed in float32 inside?"
    assert found.certainty == "describes"


@pytest.mark.parametrize("off", [1e-4, 1e-12])
def test_more_or_fewer_digits_are_not_those_of_single_precision(off: float) -> None:
    found = cause(lambda self, problem: super(Saying, self).logits(problem.x) * (1 + off))
    assert found.sentence == "the forward pass is wrong already: as was seen"


def test_in_single_precision_a_mistake_is_told_within_single_roundings() -> None:
    space = Space(SPACE.kinds, ("float32",))
    found = cause(lambda self, p: -super(Saying, self).logits(p.x) * np.float32(1 + 1e-6), space)
    assert found.sentence == "logits are of the opposite sign"


@pytest.mark.parametrize("raises", [True, False])
def test_problems_that_it_does_not_answer_are_left_out(raises: bool) -> None:
    def says(self: Any, problem: Problem) -> Any:
        if raises and len(problem.weights) == 2:
            raise ValueError("none of two layers")
        return -super(Saying, self).logits(problem.x)

    assert cause(says).sentence == "logits are of the opposite sign"


def test_digits_are_those_of_the_largest_entry() -> None:
    right = np.array([[1.0, -200.0]])
    assert _digits(np.array([[1.0, -199.8]]), right) == pytest.approx(3.0)
    assert _digits(right, right) == pytest.approx(16.0)
    assert _digits(right.T, right) == 0.0
    assert _digits(0 * right, 0 * right) == pytest.approx(16.0)
