"""Mistakes planted in the steps of backpropagation are found again, alone and several at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import RIGHT, Mistake, right_slope
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.search import hidden_deltas, search
from backproof.comparisons.check.diagnosis.slope_mistakes import slope_mistakes
from backproof.comparisons.check.diagnosis.tensor_mistakes import (
    bias_mistakes,
    pull_mistakes,
    weight_mistakes,
)
from backproof.scratch.architecture import Array
from tests.support.observations import Asked, answering, observed

# Equal and unequal widths, a batch of one, several depths: what tells rival mistakes apart.
SIZES = [((3, 2), 4), ((3, 4, 2), 5), ((3, 3, 3, 2), 3), ((2, 4, 3, 2), 1), ((3, 3, 3, 3), 2)]
ASKED = [
    Asked(sizes, activation, loss, n, seed=seed)
    for seed, (sizes, n) in enumerate(SIZES)
    for activation in ("tanh", "relu")
    for loss in ("mse", "cross_entropy")
]
RIGHT_ONES = [observed(asked) for asked in ASKED]


@dataclass(frozen=True)
class Planted:
    """By step the sentence of its mistake; empty where it is right."""

    output: str = ""
    weight: str = ""
    bias: str = ""
    pull: str = ""
    tanh: str = ""

    def gradient(self, o: Observation) -> Array:
        output = _named(
            self.output, RIGHT["output"], [m for m in output_mistakes() if m.only in ("", o.loss_name)]
        )
        weight = _named(self.weight, RIGHT["weight"], weight_mistakes())
        bias = _named(self.bias, RIGHT["bias"], bias_mistakes())
        pull = _named(self.pull, RIGHT["pull"], pull_mistakes())
        slope = right_slope(o.activation)
        if o.activation == "tanh":
            slope = _named(self.tanh, slope, slope_mistakes("tanh"))
        delta = output.rule(o)
        found = np.zeros_like(o.gradient)
        for layer, d in [(o.depth - 1, delta), *hidden_deltas(o, delta, pull, slope)]:
            W, b = o.parts[layer]
            found[W] = weight.rule(o, layer, d).ravel()
            found[b] = bias.rule(o, layer, d)
        return found


def _named(sentence: str, right: Mistake, known: Iterable[Mistake]) -> Mistake:
    """The mistake of this sentence; where it is of another loss, there is none here."""
    if not sentence:
        return right
    return next((m for m in known if m.sentence == sentence), right)


def found(planted: Planted) -> Planted:
    """What the search says of a class with these mistakes."""
    model = search([answering(o, planted.gradient(o)) for o in RIGHT_ONES])
    assert model is not None
    outputs = {mistake.sentence for mistake in model.outputs.values()} - {""}
    return Planted(
        " and ".join(outputs), model.weight.sentence, model.bias.sentence, model.pull.sentence,
        model.slopes["tanh"].sentence,
    )  # fmt: skip


@pytest.mark.parametrize(
    "planted",
    [
        Planted(),
        Planted(output="the gradient is N times too large: not divided by N?"),
        Planted(output="the last example of a batch is left out of the gradient"),
        Planted(output="only the diagonal p (1 - p) of the softmax Jacobian is used"),
        Planted(weight="a weight gradient uses the pre-activation z where a belongs"),
        Planted(weight="every weight gradient of the hidden layers is twice too large"),
        Planted(bias="the bias gradient is that of the first example only"),
        Planted(pull="delta is divided by N again in every layer"),
        Planted(pull="no gradient reaches the hidden layers"),
        Planted(tanh="tanh' is taken as 1 - a: the square is missing"),
        Planted(
            output="the gradient is twice too large",
            bias="the bias gradient is summed over all axes",
            tanh="z stands where the derivative of tanh belongs",
        ),
        Planted(
            weight="dW is transposed; square layers let it through",
            pull="only the sign of the upstream gradient is used",
        ),
    ],
)
def test_what_was_planted_is_found(planted: Planted) -> None:
    assert found(planted) == planted


def test_a_gradient_of_random_numbers_is_no_known_mistake() -> None:
    rng = np.random.default_rng(0)
    assert search([answering(o, rng.normal(size=o.gradient.shape)) for o in RIGHT_ONES]) is None


def test_where_only_one_activation_is_wrong_the_others_are_right() -> None:
    planted = Planted(tanh="the derivative of tanh is missing")
    model = search([answering(o, planted.gradient(o)) for o in RIGHT_ONES])
    assert model is not None
    assert model.slopes["relu"].is_right
    assert all(model.predicts_hidden(answering(o, planted.gradient(o))) for o in RIGHT_ONES)
