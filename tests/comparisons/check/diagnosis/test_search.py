"""Mistakes planted in the steps of backpropagation are found again, alone and several at once."""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import RIGHT, Mistake, right_slope
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.search import (
    Model,
    _alike,
    _candidates,
    _classes,
    _first,
    _Option,
    _Table,
    hidden_deltas,
    search,
)
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


# --- the parts of the search -------------------------------------------------------------------------------


def table(weights: list[set[int]], biases: list[set[int]]) -> _Table:
    return _Table([RIGHT["output"]] * len(weights), weights, biases)


def test_what_no_last_layer_tells_apart_is_one_class_and_the_right_ones_come_first() -> None:
    found = _classes({"mse": table([{0, 4}, {5}], [{0}, {2, 7}])})
    one, five, right, two = frozenset({0, 4}), frozenset({5}), frozenset({0}), frozenset({2, 7})
    # Both right; then one of them, the one of the smaller number first; then none.
    assert found == [(one, right), (one, two), (five, right), (five, two)]


def test_of_classes_with_as_many_right_ones_those_of_small_numbers_come_first_and_no_more_than_forty() -> (
    None
):
    many = _classes({"mse": table([{i} for i in range(8)], [{i} for i in range(8)])})
    assert len(many) == 40
    assert many[0] == (frozenset({0}), frozenset({0}))
    assert [min(w) + min(b) for w, b in many[1:15]] == [n for n in range(1, 8) for _ in "wb"]
    assert all(0 not in w | b for w, b in many[15:])


def test_only_what_is_in_the_same_tables_of_every_loss_is_alike() -> None:
    groups = _alike([[{1, 2, 3}, {1, 2}], [{1, 2}, {3, 4}]])
    assert set(groups) == {frozenset({1, 2}), frozenset({3}), frozenset({4})}


def test_the_first_output_with_which_both_never_fail_is_taken() -> None:
    outputs = [*(m for m in output_mistakes() if not m.only)][:3]
    found = _Table(outputs, [{0}, {0, 1}, {0, 1}], [{2}, {1}, {2}])
    assert _first(found, 0, 2) is outputs[0]
    assert _first(found, 1, 1) is outputs[1]
    assert _first(found, 1, 2) is outputs[2]
    assert _first(found, 0, 0) is None


def test_a_model_costs_its_mistakes_each_family_once() -> None:
    weight, bias = next(iter(weight_mistakes())), next(iter(bias_mistakes()))
    missing = {
        name: next(m for m in slope_mistakes(name) if m.family == "missing") for name in ("tanh", "relu")
    }
    plain = Model({"mse": RIGHT["output"]}, RIGHT["weight"], RIGHT["bias"])
    assert (plain.mistakes(), plain.cost, plain.pull, plain.slopes) == ([], 0, RIGHT["pull"], {})
    wrong = Model({"mse": RIGHT["output"]}, weight, bias, RIGHT["pull"], missing)
    assert wrong.mistakes() == [weight, bias, missing["tanh"], missing["relu"]]
    assert wrong.cost == 3


def test_a_model_predicts_what_it_was_made_for_and_nothing_that_it_does_not_know() -> None:
    o = RIGHT_ONES[4]
    assert o.depth == 2
    right = Model({o.loss_name: RIGHT["output"]}, RIGHT["weight"], RIGHT["bias"],
                  slopes={o.activation: right_slope(o.activation)})  # fmt: skip
    assert right.predicts(o)
    assert not Model({}, RIGHT["weight"], RIGHT["bias"]).predicts_last(o)
    assert not Model(right.outputs, RIGHT["weight"], RIGHT["bias"]).predicts_hidden(o)
    for layer in (0, 1):
        for part in (0, 1):
            moved = o.gradient.copy()
            moved[o.parts[layer][part].start] += 0.1
            wrong = answering(o, moved)
            assert right.predicts_last(wrong) == (layer == 0)
            assert right.predicts_hidden(wrong) == (layer == 1)
            assert not right.predicts(wrong)


def test_worth_trying_are_one_wrong_of_either_and_a_few_of_both() -> None:
    wrong = [*weight_mistakes()][:20]
    kept = dict(enumerate(wrong)), dict(enumerate(wrong))
    found = _candidates(kept, {})
    assert found[0] == (0, 0)
    assert found[1:20] == [(i, 0) for i in range(1, 20)]
    assert found[20:39] == [(0, i) for i in range(1, 20)]
    assert set(found[39:]) == {(i, j) for i in range(1, 12) for j in range(1, 12)}
    some = {"tanh": [_Option(wrong[0], {3, 5}, {2})], "relu": [_Option(wrong[0], {4}, {2, 9})]}
    assert _candidates(kept, some)[:4] == [(3, 2), (4, 2), (5, 2), (3, 9)]
