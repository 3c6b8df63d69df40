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
from backproof.comparisons.check.diagnosis.mistakes import (
    RIGHT,
    Mistake,
    bias_mistakes,
    output_mistakes,
    penalties,
    pull_mistakes,
    right_slope,
    slope_mistakes,
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
    weights = [RIGHT["weight"], *weight_mistakes(), *penalties(list(observations))]
    biases = [RIGHT["bias"], *bias_mistakes()]
    losses = list(dict.fromkeys(o.loss_name for o in observations))
    tables = {
        loss: _last_layer([o for o in observations if o.loss_name == loss], weights, biases)
        for loss in losses
    }
    best: Model | None = None
    best_key = (0, 0, 0)
    for w, b in _pairs(tables):
        outputs = {loss: _first(table, w, b) for loss, table in tables.items()}
        known = {loss: output for loss, output in outputs.items() if output is not None}
        if not known:
            continue
        start = Model(known, weights[w], biases[b])
        key = (-len(known), start.cost, 0)
        if best is not None and key[:2] > best_key[:2] and len(known) < len(losses):
            continue
        model, explained = _hidden(start, [o for o in observations if o.loss_name in known])
        key = (-len(known) - explained, model.cost, w + b)
        if best is None or key < best_key:
            best, best_key = model, key
        if key[0] == -len(losses) - len({o.activation for o in observations}) and model.cost <= 1:
            break
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
    outputs = [RIGHT["output"], *(m for m in output_mistakes() if m.only in ("", loss))]
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


def _pairs(tables: Mapping[str, _Table]) -> list[tuple[int, int]]:
    """(weight, bias) mistakes that some output of some loss allows, the fewer and the earlier first."""
    found = {
        (w, b)
        for table in tables.values()
        for alive_w, alive_b in zip(table.weights, table.biases, strict=True)
        for w, b in product(sorted(alive_w)[:12], sorted(alive_b)[:12])
    }
    return sorted(found, key=lambda pair: ((pair[0] > 0) + (pair[1] > 0), sum(pair)))[:60]


def _first(table: _Table, w: int, b: int) -> Mistake | None:
    for output, alive_w, alive_b in zip(table.outputs, table.weights, table.biases, strict=True):
        if w in alive_w and b in alive_b:
            return output
    return None


def _hidden(start: Model, observations: Sequence[Observation]) -> tuple[Model, int]:
    """The model with what is passed back and the slopes settled, and how many activations that explains."""
    best, best_key, best_count = start, (0, 99), 0
    activations = list(dict.fromkeys(o.activation for o in observations if o.depth > 1))
    for pull in [RIGHT["pull"], *pull_mistakes()]:
        slopes = {}
        for activation in activations:
            mine = [o for o in observations if o.activation == activation and o.depth > 1]
            for slope in [right_slope(activation), *slope_mistakes(activation)]:
                model = Model(start.outputs, start.weight, start.bias, pull, {activation: slope})
                if all(model.predicts_hidden(o) for o in mine):
                    slopes[activation] = slope
                    break
        model = Model(start.outputs, start.weight, start.bias, pull, slopes)
        key = (-len(slopes), model.cost)
        if key < best_key:
            best, best_key, best_count = model, key, len(slopes)
        if len(slopes) == len(activations) and pull.is_right and model.cost == start.cost:
            break
    without = {o.activation for o in observations} - set(activations)
    return best, best_count + len(without)
