"""Laws of N, K, the number of inputs and plain numbers by which a gradient may be too large or too small."""

from collections.abc import Callable, Iterator, Sequence

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import Mistake, Rule, right_delta, right_weight
from backproof.comparisons.check.forms.laws import CLOSE, LAWS, Law, fitting
from backproof.scratch.architecture import Array

Factor = Callable[[Observation], float]


def scaled_delta(factor: Factor) -> Rule:
    return lambda o: right_delta(o) * factor(o)


_LAW_WORDS = {
    Law(-1, 0): "N times too small: averaged twice?",
    Law(1, 0): "N times too large: not divided by N?",
    Law(0, 1): "K times too large: not averaged over the outputs?",
    Law(0, -1): "K times too small: averaged over the outputs twice?",
    Law(1, 1): "N K times too large: a sum where a mean belongs?",
    Law(-1, -1): "N K times too small: a mean where a sum belongs?",
    Law(0, 0, 2.0): "twice too large",
    Law(0, 0, 0.5): "half too small: the factor 2 of the square?",
}


def _law_factor(law: Law) -> Factor:
    return lambda o: law.at(o.problem)


def scale_laws() -> Iterator[tuple[str, Factor]]:
    """What a gradient may be times what it should be: the sentence's end, and the factor."""
    named = [law for law in LAWS if law in _LAW_WORDS]
    others = [law for law in LAWS if law not in _LAW_WORDS and not law.is_one]
    for law in [*_LAW_WORDS, *(law for law in others if law not in named)]:
        words = _LAW_WORDS.get(law, f"{law} times what its own loss asks")
        yield words, _law_factor(law)
    inputs = "divided by the number of inputs instead of N"
    yield inputs, lambda o: o.n / o.problem.architecture.n_inputs
    yield "divided by the number of inputs too", lambda o: 1 / o.problem.architecture.n_inputs
    yield "N - 1 stands where N belongs", lambda o: o.n / (o.n - 1.0) if o.n > 1 else np.nan
    yield "of the wrong sign", lambda o: -1.0
    yield "always zero", lambda o: 0.0


def constants(observations: Sequence[Observation]) -> Iterator[Mistake]:
    """The gradient of this loss times a constant that is read from the last layer of one observation."""
    for o in observations:
        right = right_delta(o)
        dW, found = right_weight(o, o.depth - 1, right), o.weight(o.depth - 1)
        size, close = float((dW * dW).sum()), CLOSE[o.problem.architecture.dtype]
        factor = float((found * dW).sum()) / size if size else 1.0
        if size and np.abs(found - factor * dW).max() <= close * np.abs(found).max():
            if abs(factor - 1) > close:
                sentence = f"the gradient is {factor:.6g} times what it should be"
                yield Mistake("output", sentence, scaled_delta(_constant_factor(factor)), family=sentence)
            return


def scaled_too(known: Sequence[Mistake], observations: Sequence[Observation]) -> Iterator[Mistake]:
    """A known mistake of one loss and a law beside it, where the last layer's dW is that by one law."""
    for mistake in known:
        ratios = [(_times(o, mistake.rule(o)), o.problem) for o in observations]
        law = fitting([(ratio, problem) for ratio, problem in ratios if np.isfinite(ratio)])
        if law is None or law.is_one or any(ratio == np.inf for ratio, _ in ratios):
            continue
        words = _LAW_WORDS.get(law, f"{law} times what its own loss asks")
        sentence = f"{mistake.sentence}; beside that the gradient is {words}"
        yield Mistake("output", sentence, _both(mistake.rule, law), mistake.only, f"{mistake.family} {words}")


def _times(o: Observation, delta: Array) -> float:
    """How many times dW of this delta the found one is: NaN where that is 0, infinite where it is none."""
    dW, found = right_weight(o, o.depth - 1, delta), o.weight(o.depth - 1)
    size, close = float((dW * dW).sum()), CLOSE[o.problem.architecture.dtype]
    if not size:
        return np.nan
    factor = float((found * dW).sum()) / size
    fits = np.abs(found - factor * dW).max() <= close * np.abs(found).max()
    return factor if fits else np.inf


def _both(rule: Rule, law: Law) -> Rule:
    return lambda o: rule(o) * law.at(o.problem)


def _constant_factor(factor: float) -> Factor:
    return lambda o: factor
