"""Known ways to be wrong in dW, in db and in what is passed back, given delta."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import (
    PENALTY,
    RIGHT,
    Mistake,
    Rule,
    right_delta,
    right_error,
    right_weight,
)
from backproof.comparisons.check.diagnosis.scale_mistakes import Factor, scale_laws
from backproof.comparisons.check.forms.expected import Convention
from backproof.comparisons.check.forms.laws import CLOSE
from backproof.scratch.architecture import Array


def _everywhere(layer: int, depth: int) -> bool:
    return True


SCOPES: dict[str, Callable[[int, int], bool]] = {
    "": _everywhere,
    " of the hidden layers": lambda layer, depth: layer < depth - 1,
    " of the first layer": lambda layer, depth: layer == 0,
    " of the last layer": lambda layer, depth: layer == depth - 1,
}


def _scaled(kind: str, sentence: str, factor: Factor, scope: str) -> Mistake:
    right, holds = RIGHT[kind].rule, SCOPES[scope]

    def rule(o: Observation, layer: int, delta: Array) -> Array:
        return right(o, layer, delta) * (factor(o) if holds(layer, o.depth) else 1.0)

    every = "the" if scope in (" of the first layer", " of the last layer") else "every"
    return Mistake(kind, f"{every} {kind} gradient{scope} is {sentence}", rule)


def _of_layer(kind: str, sentence: str, rule: Rule, holds: Callable[[int, int], bool]) -> Mistake:
    right = RIGHT[kind].rule

    def chosen(o: Observation, layer: int, delta: Array) -> Array:
        return rule(o, layer, delta) if holds(layer, o.depth) else right(o, layer, delta)

    return Mistake(kind, sentence, chosen)


def _of_input(offset: int) -> Rule:
    """dW with the input of another layer, where its shape allows that."""

    def rule(o: Observation, layer: int, delta: Array) -> Array:
        other = o.activations[min(max(layer + offset, 0), o.depth - 1)]
        here = o.activations[layer]
        dW: Array = (other if other.shape == here.shape else here).T @ delta
        return dW

    return rule


def _copied_rows(o: Observation, layer: int, delta: Array) -> Array:
    dW = right_weight(o, layer, delta)
    for row in np.flatnonzero(~o.activations[layer].any(axis=0)):
        dW[row] = dW[row - 1]
    return dW


def _of_z(o: Observation, layer: int, delta: Array) -> Array:
    dW: Array = (o.zs[layer - 1] if layer else o.activations[0]).T @ delta
    return dW


def _turned_if_square(o: Observation, layer: int, delta: Array) -> Array:
    dW = right_weight(o, layer, delta)
    return dW.T if dW.shape[0] == dW.shape[1] else dW


def _of_first_example(o: Observation, layer: int, delta: Array) -> Array:
    return o.activations[layer][:1].T @ delta[:1]


def _of_last_example(o: Observation, layer: int, delta: Array) -> Array:
    return o.activations[layer][-1:].T @ delta[-1:]


WEIGHT_RULES: dict[str, Rule] = {
    "a weight gradient uses the next layer's input": _of_input(1),
    "a weight gradient uses the input of the layer before": _of_input(-1),
    "a weight gradient uses the pre-activation z where a belongs": _of_z,
    "gradient rows of inputs that are always zero are copied from their neighbour": _copied_rows,
    "dW is transposed; square layers let it through": _turned_if_square,
    "the weight gradient is that of the first example only": _of_first_example,
    "the weight gradient is that of the last example only": _of_last_example,
}


def weight_mistakes() -> Iterator[Mistake]:
    for scope in SCOPES:
        for sentence, factor in scale_laws():
            yield _scaled("weight", sentence, factor, scope)
    first = "the gradient of the first layer uses the second layer's input"
    yield _of_layer("weight", first, _of_input(1), lambda layer, depth: layer == 0)
    for sentence, rule in WEIGHT_RULES.items():
        yield Mistake("weight", sentence, rule)


def penalties(observations: Sequence[Observation]) -> Iterator[Mistake]:
    """lambda W or lambda b in its gradient, and another lambda or none in the loss; read from last layers.

    Where the loss holds a penalty, there may be none in the gradient. Parameters that are given back as their
    own gradient are none.
    """
    for kind in ("weight", "bias"):
        if all(_gives_back(kind, o) for o in observations):
            continue
        own = (
            observations[0].convention if observations and all(_own(kind, o) for o in observations) else None
        )
        if own is not None:
            yield _penalty(kind, 0.0, False, own)
        for over_n in (False, True):
            rates = {
                round(rate * (o.n if over_n else 1), 9) for o in observations for rate in _rates(kind, o)
            }
            for rate in sorted(rates)[:40]:
                yield _penalty(kind, rate, over_n, own)


def _penalty(kind: str, rate: float, over_n: bool, own: Convention | None) -> Mistake:
    def rule(o: Observation, layer: int, delta: Array) -> Array:
        return _of_data(kind, o, layer, delta) + rate / (o.n if over_n else 1) * _parameters(kind, o, layer)

    letter, written = "W" if kind == "weight" else "b", f"{rate:.6g}{'/N' if over_n else ''}"
    if own is None:
        missing = f"(lambda = {written}) is in the {kind} gradient and missing from the loss"
        return Mistake(kind, f"lambda {letter} {missing}", rule, family=PENALTY)
    there = f"lambda/2 |{letter}|^2 (lambda = {own.penalty:.6g}{'/N' if own.penalty_per_example else ''})"
    if not rate:
        return Mistake(kind, f"{there} is in the loss and missing from the {kind} gradient", rule)
    found = f"the {kind} gradient holds {written} {letter}"
    return Mistake(kind, f"{found}, and {there} of the loss has lambda {letter}", rule)


def _gives_back(kind: str, o: Observation) -> bool:
    """Is the last layer's gradient a multiple of the parameters?"""
    W, found = _parameters(kind, o, o.depth - 1), _found(kind, o)
    if found.shape != W.shape or not W.any():
        return False
    multiple = float((found * W).sum() / (W * W).sum()) * W
    return bool(np.abs(found - multiple).max() <= 100 * CLOSE[o.problem.architecture.dtype] * np.abs(W).max())


def _found(kind: str, o: Observation) -> Array:
    return o.weight(o.depth - 1) if kind == "weight" else o.bias(o.depth - 1)


def _own(kind: str, o: Observation) -> float:
    """lambda of the loss."""
    return o.penalty if kind == "weight" else o.bias_penalty


def _parameters(kind: str, o: Observation, layer: int) -> Array:
    return o.problem.weights[layer][0 if kind == "weight" else 1]


def _of_data(kind: str, o: Observation, layer: int, delta: Array) -> Array:
    """The right gradient without the penalty's part."""
    right: Array = RIGHT[kind].rule(o, layer, delta)
    return right - _own(kind, o) * _parameters(kind, o, layer)


def _rates(kind: str, o: Observation) -> list[float]:
    """lambda of s dW + lambda W, with s = 1 or, where the gradient is scaled too, with the best s.

    Two numbers fit any two entries: s is only looked for where there are more.
    """
    layer, close = o.depth - 1, CLOSE[o.problem.architecture.dtype]
    W, found = _parameters(kind, o, layer), _found(kind, o)
    dW = _of_data(kind, o, layer, right_delta(o))
    if found.shape != W.shape or not W.any():
        return []
    (scale, rate), *_ = np.linalg.lstsq(np.stack([dW.ravel(), W.ravel()], axis=1), found.ravel(), rcond=None)
    pairs = [(1.0, float(((found - dW) * W).sum() / (W * W).sum()))]
    pairs += [(float(scale), float(rate))] if W.size > 3 else []
    return [
        rate
        for scale, rate in pairs
        if abs(rate) > close
        and abs(rate - _own(kind, o)) > 100 * close * abs(rate)
        and np.abs(found - scale * dW - rate * W).max() <= 100 * close * np.abs(rate * W).max()
    ]


def bias_mistakes() -> Iterator[Mistake]:
    for scope in SCOPES:
        for sentence, factor in scale_laws():
            yield _scaled("bias", sentence, factor, scope)
    rules: dict[str, Rule] = {
        "the bias gradient is summed over all axes": lambda o, layer, d: np.full(d.shape[1], d.sum()),
        "every bias of a layer gets the mean of the layer's bias gradients": lambda o, layer, d: np.full(
            d.shape[1], d.sum(axis=0).mean()
        ),
        "the bias gradient is that of the first example only": lambda o, layer, d: d[0],
        "the bias gradient is that of the last example only": lambda o, layer, d: d[-1],
        "the bias gradient is summed over the outputs instead of the examples": lambda o, layer, d: d.sum(
            axis=1
        ),
    }
    for sentence, rule in rules.items():
        yield Mistake("bias", sentence, rule)


def _passed(o: Observation, layer: int, delta: Array) -> Array:
    return delta @ o.problem.weights[layer][0].T


def _square_only(o: Observation, layer: int, delta: Array) -> Array:
    W = o.problem.weights[layer][0]
    return delta @ (W if W.shape[0] == W.shape[1] else W.T)


def _no_weight(o: Observation, layer: int, delta: Array) -> Array:
    return np.repeat(delta.sum(axis=1, keepdims=True), len(o.problem.weights[layer][0]), axis=1)


def _share(o: Observation) -> float:
    """How many times what it should be the last layer's weight gradient is.

    1 where it is that but for rounding, and where an output is so saturated that nothing is left of it.
    """
    right = right_weight(o, o.depth - 1, right_delta(o))
    size = float((right * right).sum())
    share = float((o.weight(o.depth - 1) * right).sum()) / size if size else 1.0
    with_slope, without = (np.abs(delta).max() for delta in (right_delta(o), right_error(o)))
    return 1.0 if abs(share - 1) < 1e-3 or with_slope <= o.rounding * without else share


def _without_output_slope(o: Observation, layer: int, delta: Array) -> Array:
    """dL/do W^T, o the outputs, where dL/dz W^T belongs."""
    return _passed(o, layer, _share(o) * right_error(o) if layer == o.depth - 1 else delta)


def _without_slopes(o: Observation, layer: int, delta: Array) -> Array:
    """The error at the outputs taken through every W^T, without any f' on the way."""
    error = _share(o) * right_error(o)
    for above in reversed(range(layer + 1, o.depth)):
        error = _passed(o, above, error)
    return _passed(o, layer, error)


PULL_RULES: dict[str, Rule] = {
    "W stands where W^T belongs; square layers let it through": _square_only,
    "the upstream gradient is ignored: ones stand in its place": (
        lambda o, layer, d: _passed(o, layer, np.ones_like(d))
    ),
    "only the sign of the upstream gradient is used": lambda o, layer, d: _passed(o, layer, np.sign(d)),
    "the weights are left out when the gradient is passed back": _no_weight,
    "delta is divided by N again in every layer": lambda o, layer, d: _passed(o, layer, d) / o.n,
    "the derivative of the output activation is left out of what is passed back": _without_output_slope,
    "the derivatives of the layers above are left out of what is passed back: W^T alone is applied": (
        _without_slopes
    ),
    "no gradient reaches the hidden layers": lambda o, layer, d: 0 * _passed(o, layer, d),
}


def pull_mistakes() -> Iterator[Mistake]:
    for sentence, rule in PULL_RULES.items():
        yield Mistake("pull", sentence, rule)
