"""Known ways to be wrong in delta at the output, dL/dz_L of one loss."""

from collections.abc import Callable, Iterator

import numpy as np
from scipy.special import expit, log_softmax, softmax

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import Mistake, Rule, right_delta, through_output
from backproof.comparisons.check.diagnosis.scale_mistakes import scale_laws, scaled_delta
from backproof.scratch.architecture import Array


def _onehot(o: Observation) -> Array:
    rows: Array = np.eye(o.k)[o.problem.targets]
    return rows


def _cross_entropy(sentence: str, rule: Callable[[Array, Array], Array], p: Rule | None = None) -> Mistake:
    """`rule(z, onehot)` without 1/N; `p(z)` where the loss takes its probabilities from the same mistake."""

    def delta(o: Observation) -> Array:
        delta = rule(o.logits, _onehot(o)) / o.n * o.factor
        return through_output(o.output_activation, o.logits, delta)

    def loss(o: Observation) -> float:
        assert p is not None
        with np.errstate(all="ignore"):
            return float(-np.log((p(o.logits) * _onehot(o)).sum(axis=1)).mean() * o.factor)

    return Mistake("output", sentence, delta, "cross_entropy", loss=loss if p else None)


def _whole(z: Array) -> Array:
    e = np.exp(z - z.max())
    p: Array = e / e.sum()
    return p


def _negated(z: Array) -> Array:
    p: Array = softmax(-z, axis=1)
    return p


def _per_column(z: Array) -> Array:
    p: Array = softmax(z, axis=0)
    return p


def _whole_numerator(z: Array) -> Array:
    numerator: Array = np.exp(z - z.max())
    return numerator


def _smoothed(share: float) -> Callable[[Array, Array], Array]:
    return lambda z, t: softmax(z, axis=1) - ((1 - share) * t + share / t.shape[1])


def output_mistakes() -> Iterator[Mistake]:
    """Those of one loss, then the laws by which any may be too large or too small."""
    yield from _of_the_softmax()
    yield from _of_cross_entropy()
    yield from _of_binary_cross_entropy()
    for loss in ("mse", "sum_of_squares"):
        yield from _of_squares(loss)
    yield from _of_examples()
    for sentence, factor in scale_laws():
        text = f"the gradient is {sentence}"
        yield Mistake("output", text, scaled_delta(factor), family=f"scale {sentence}")


def _of_examples() -> Iterator[Mistake]:
    """Slices that leave out an end of the batch, [:-1] or [1:]; a batch of one may be spared, or is lost."""
    for row, name in ((-1, "last"), (0, "first")):
        for mean_of_rest in (False, True):
            text = f"the {name} example of a batch is left out of the gradient"
            text += ", and the mean is over N - 1" if mean_of_rest else ""
            for spared in (True, False):
                yield Mistake("output", text, _left_out(row, mean_of_rest, spared), family=text)


def _left_out(row: int, mean_of_rest: bool, spared: bool) -> Rule:
    def rule(o: Observation) -> Array:
        delta = right_delta(o)
        if spared and o.n == 1:
            return delta
        delta[row] = 0.0
        return delta * (o.n / max(o.n - 1, 1)) if mean_of_rest else delta

    return rule


def _of_the_softmax() -> Iterator[Mistake]:
    """Which the loss takes its probabilities from too."""
    yield _cross_entropy(
        "the softmax is normalised over the whole batch instead of each row",
        lambda z, t: _whole(z) - t,
        _whole,
    )
    over_samples = "the softmax is taken over the samples (axis 0) instead of the outputs"
    yield _cross_entropy(over_samples, lambda z, t: _per_column(z) - t, _per_column)
    yield _cross_entropy(
        "exp(-z) stands in the softmax where exp(z) belongs", lambda z, t: _negated(z) - t, _negated
    )
    yield _cross_entropy(
        "the softmax is not normalised", lambda z, t: _whole_numerator(z) - t, _whole_numerator
    )


def _of_cross_entropy() -> Iterator[Mistake]:
    yield _cross_entropy(
        "only the diagonal p (1 - p) of the softmax Jacobian is used",
        lambda z, t: -t * (1 - softmax(z, axis=1)),
    )
    yield _cross_entropy(
        "softmax minus one-hot is multiplied by p (1 - p) once more",
        lambda z, t: (softmax(z, axis=1) - t) * softmax(z, axis=1) * (1 - softmax(z, axis=1)),
    )
    yield _cross_entropy("the sigmoid stands where the softmax belongs", lambda z, t: expit(z) - t)
    yield _cross_entropy(
        "log-probabilities stand where probabilities belong", lambda z, t: log_softmax(z, axis=1) - t
    )
    yield _cross_entropy("the raw logits stand where the softmax belongs", lambda z, t: z - t)
    yield _cross_entropy(
        "the one-hot labels are left out of softmax minus one-hot", lambda z, t: softmax(z, axis=1)
    )
    for share in (0.05, 0.1, 0.2):
        smoothed = f"labels are smoothed by {share:g} in the gradient, and in the loss they are not"
        yield _cross_entropy(smoothed, _smoothed(share))
    yield _cross_entropy(
        "dL/dp = -1/p stands where softmax minus one-hot belongs", lambda z, t: -t / softmax(z, axis=1)
    )


def _of_binary_cross_entropy() -> Iterator[Mistake]:
    yield Mistake(
        "output",
        "the derivative of the sigmoid is multiplied in although p - t holds it already",
        lambda o: right_delta(o) * expit(o.logits) * expit(-o.logits),
        "binary_cross_entropy",
    )


def _of_squares(loss: str) -> Iterator[Mistake]:
    yield Mistake(
        "output",
        "the absolute value's derivative sign(z - t) stands where 2 (z - t) belongs",
        lambda o: np.sign(right_delta(o)) / (o.zs[-1].size if o.loss_name == "mse" else 1),
        loss,
        "sign",
    )
    yield Mistake(
        "output",
        "the derivative of the output activation is missing",
        lambda o: (
            2
            * (o.right.outputs.value - o.problem.targets)
            / (o.zs[-1].size if o.loss_name == "mse" else 1)
            * o.factor
        ),
        loss,
        "output slope",
    )
    yield Mistake(
        "output",
        "the output's softmax is passed through its diagonal p (1 - p) alone",
        _diagonal_output,
        loss,
        "diagonal output",
    )


def _diagonal_output(o: Observation) -> Array:
    out = o.right.outputs.value
    pull = 2 * (out - o.problem.targets) / (o.zs[-1].size if o.loss_name == "mse" else 1) * o.factor
    delta: Array = pull * out * (1 - out)
    return delta
