"""Which mistakes, together, predict a class's gradients: found layer by layer, not by trying them all.

1. The last layer shows the output, weight and bias steps alone: dW_L and db_L are predicted for every output
   mistake of the loss with every weight and every bias mistake, and those that never fail are kept.
2. With the output settled, the hidden layers show what is passed back and the slopes, activation by
   activation, for the kept weight and bias mistakes.

Of the combinations that predict everything, one with the fewest mistakes is the answer; a step that is right
as it stands is never called wrong.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import product

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import RIGHT, Mistake, right_slope
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.scale_mistakes import constants, scaled_too
from backproof.comparisons.check.diagnosis.slope_mistakes import slope_mistakes
from backproof.comparisons.check.diagnosis.tensor_mistakes import (
    bias_mistakes,
    penalties,
    pull_mistakes,
    weight_mistakes,
)
from backproof.scratch.architecture import Array


@dataclass(frozen=True)
class Model:
    """One choice for every step: outputs by loss, slopes by activation."""

    outputs: Mapping[str, Mistake]
    weight: Mistake
    bias: Mistake
    pull: Mistake = RIGHT["pull"]
    slopes: Mapping[str, Mistake] = field(default_factory=dict)

    def mistakes(self) -> list[Mistake]:
        """Those that are none of the right steps, each once."""
        chosen = [*self.outputs.values(), self.weight, self.bias, self.pull, *self.slopes.values()]
        return [mistake for mistake in chosen if not mistake.is_right]

    @property
    def cost(self) -> int:
        """How many mistakes, those of one family counted once."""
        return len({mistake.family or mistake.sentence for mistake in self.mistakes()})

    def predicts(self, o: Observation) -> bool:
        return self.predicts_last(o) and self.predicts_hidden(o)

    def predicts_last(self, o: Observation) -> bool:
        if o.loss_name not in self.outputs:
            return False
        delta, last = self.outputs[o.loss_name].rule(o), o.depth - 1
        return o.is_weight(last, self.weight.rule(o, last, delta)) and (
            o.is_bias(last, self.bias.rule(o, last, delta))
        )

    def predicts_hidden(self, o: Observation) -> bool:
        if o.depth > 1 and o.activation not in self.slopes:
            return False
        deltas = hidden_deltas(o, self.outputs[o.loss_name].rule(o), self.pull, self.slopes.get(o.activation))
        return all(
            o.is_weight(layer, self.weight.rule(o, layer, delta))
            and o.is_bias(layer, self.bias.rule(o, layer, delta))
            for layer, delta in deltas
        )


def hidden_deltas(
    o: Observation, delta: Array, pull: Mistake, slope: Mistake | None
) -> list[tuple[int, Array]]:
    """(layer, delta) of the hidden layers, the last of them first."""
    found = []
    for layer in reversed(range(1, o.depth)):
        assert slope is not None
        delta = pull.rule(o, layer, delta) * slope.rule(o.zs[layer - 1], o.activations[layer])
        found.append((layer - 1, delta))
    return found


def search(observations: Sequence[Observation]) -> Model | None:
    """The model with the fewest mistakes that predicts the most; None where not even a last layer is."""
    decayed = list(penalties(observations))
    weights = [RIGHT["weight"], *weight_mistakes(), *(one for one in decayed if one.step == "weight")]
    biases = [RIGHT["bias"], *bias_mistakes(), *(one for one in decayed if one.step == "bias")]
    losses = list(dict.fromkeys(o.loss_name for o in observations))
    tables = {
        loss: _last_layer([o for o in observations if o.loss_name == loss], weights, biases)
        for loss in losses
    }
    best: Model | None = None
    best_key = (0, 0)
    for mine, theirs in _classes(tables):
        outputs = {loss: _first(table, min(mine), min(theirs)) for loss, table in tables.items()}
        known = {loss: output for loss, output in outputs.items() if output is not None}
        if not known:
            continue
        some = [o for o in observations if o.loss_name in known]
        kept = {i: weights[i] for i in mine}, {i: biases[i] for i in theirs}
        for model, explained in _hidden(known, kept, some):
            key = (-len(known) - explained, model.cost)
            if best is None or key < best_key:
                best, best_key = model, key
    return best


@dataclass(frozen=True)
class _Table:
    """For one loss: per output mistake, which weight and which bias mistakes never fail in the last layer."""

    outputs: list[Mistake]
    weights: list[set[int]]
    biases: list[set[int]]


def _last_layer(
    observations: Sequence[Observation], weights: Sequence[Mistake], biases: Sequence[Mistake]
) -> _Table:
    loss = observations[0].loss_name
    known = [m for m in output_mistakes() if m.only in ("", loss)]
    scaled = scaled_too([mistake for mistake in known if mistake.only], observations)
    outputs = [RIGHT["output"], *known, *constants(observations), *scaled]
    table = _Table(outputs, [], [])
    for output in outputs:
        alive_w, alive_b = set(range(len(weights))), set(range(len(biases)))
        for o in observations:
            delta, last = output.rule(o), o.depth - 1
            alive_w = {i for i in alive_w if o.is_weight(last, weights[i].rule(o, last, delta))}
            alive_b = {i for i in alive_b if o.is_bias(last, biases[i].rule(o, last, delta))}
            if not alive_w and not alive_b:
                break
        table.weights.append(alive_w)
        table.biases.append(alive_b)
    return table


def _classes(tables: Mapping[str, _Table]) -> list[tuple[frozenset[int], frozenset[int]]]:
    """Weight and bias mistakes that no last layer tells apart, in pairs; those with the right ones first."""
    groups = [_alike([t.weights for t in tables.values()]), _alike([t.biases for t in tables.values()])]
    found = [(w, b) for w in groups[0] for b in groups[1]]
    return sorted(
        found, key=lambda pair: ((0 not in pair[0]) + (0 not in pair[1]), min(pair[0]) + min(pair[1]))
    )[:40]


def _alike(alive: Sequence[Sequence[set[int]]]) -> list[frozenset[int]]:
    """Groups of numbers that are in the same of these sets; those that are in none are left out."""
    places: dict[int, list[tuple[int, int]]] = {}
    for i, sets in enumerate(alive):
        for j, members in enumerate(sets):
            for member in members:
                places.setdefault(member, []).append((i, j))
    groups: dict[tuple[tuple[int, int], ...], set[int]] = {}
    for member, where in places.items():
        groups.setdefault(tuple(where), set()).add(member)
    return [frozenset(group) for group in groups.values()]


def _first(table: _Table, w: int, b: int) -> Mistake | None:
    for output, alive_w, alive_b in zip(table.outputs, table.weights, table.biases, strict=True):
        if w in alive_w and b in alive_b:
            return output
    return None


Kept = tuple[Mapping[int, Mistake], Mapping[int, Mistake]]  # weight and bias mistakes, by number


@dataclass(frozen=True)
class _Option:
    """One slope of an activation, and the weight and bias mistakes that go with it in every hidden layer."""

    slope: Mistake
    weights: set[int]
    biases: set[int]


def _hidden(
    outputs: Mapping[str, Mistake], kept: Kept, observations: Sequence[Observation]
) -> list[tuple[Model, int]]:
    """For what is passed back rightly and wrongly, the best model and how many activations it explains."""
    deep = [o for o in observations if o.depth > 1]
    activations = list(dict.fromkeys(o.activation for o in deep))
    shallow = len({o.activation for o in observations} - set(activations))
    found: list[tuple[Model, int]] = []
    for pull in [RIGHT["pull"], *pull_mistakes()]:
        options = {
            name: _options(outputs, pull, kept, [o for o in deep if o.activation == name])
            for name in activations
        }
        best = max(
            (_settled(outputs, pull, kept, options, pair) for pair in _candidates(kept, options)),
            key=lambda pair: (pair[1], -pair[0].cost),
        )
        found.append((best[0], best[1] + shallow))
        if pull.is_right and best[1] == len(activations) and best[0].cost <= 1:
            break
    return found


def _options(
    outputs: Mapping[str, Mistake], pull: Mistake, kept: Kept, observations: Sequence[Observation]
) -> list[_Option]:
    """Every slope of the activation with which some weight and some bias mistake never fails."""
    name, found = observations[0].activation, []
    for slope in [right_slope(name), *slope_mistakes(name)]:
        weights, biases = set(kept[0]), set(kept[1])
        for o in observations:
            for layer, delta in hidden_deltas(o, outputs[o.loss_name].rule(o), pull, slope):
                weights = {i for i in weights if o.is_weight(layer, kept[0][i].rule(o, layer, delta))}
                biases = {i for i in biases if o.is_bias(layer, kept[1][i].rule(o, layer, delta))}
            if not weights or not biases:
                break
        if weights and biases:
            found.append(_Option(slope, weights, biases))
    return found


def _candidates(kept: Kept, options: Mapping[str, list[_Option]]) -> list[tuple[int, int]]:
    """(weight, bias) mistakes worth trying: the right ones, one wrong, both wrong."""
    weights = sorted({i for found in options.values() for o in found for i in o.weights} or set(kept[0]))
    biases = sorted({i for found in options.values() for o in found for i in o.biases} or set(kept[1]))
    w, b = weights[0], biases[0]
    return [(w, b), *((i, b) for i in weights[1:]), *((w, j) for j in biases[1:]),
            *product(weights[1:12], biases[1:12])]  # fmt: skip


def _settled(
    outputs: Mapping[str, Mistake],
    pull: Mistake,
    kept: Kept,
    options: Mapping[str, list[_Option]],
    pair: tuple[int, int],
) -> tuple[Model, int]:
    """The model with these weight and bias mistakes, the right slope where it fits, and what it explains."""
    slopes = {}
    for name, found in options.items():
        fitting = [o.slope for o in found if pair[0] in o.weights and pair[1] in o.biases]
        if fitting:
            slopes[name] = fitting[0]
    return Model(outputs, kept[0][pair[0]], kept[1][pair[1]], pull, slopes), len(slopes)
