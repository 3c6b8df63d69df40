"""Gradients that are right but for a factor: which tensors, by which law of N (examples) and K (outputs)."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.verdicts.relu_kinks import tensors
from backproof.scratch.architecture import Array

LAWS: tuple[tuple[str, Callable[[int, int], float]], ...] = (
    ("N times too small: averaged twice?", lambda n, k: 1.0 / n),
    ("N times too large: not divided by N?", lambda n, k: float(n)),
    ("K times too large: not averaged over the outputs?", lambda n, k: float(k)),
    ("K times too small: averaged over the outputs once too often?", lambda n, k: 1.0 / k),
    ("N K times too large: a sum where a mean belongs?", lambda n, k: float(n * k)),
    ("N K times too small: a mean where a sum belongs?", lambda n, k: 1.0 / (n * k)),
    ("N - 1 stands where N belongs", lambda n, k: n / (n - 1.0) if n > 1 else np.nan),
    ("of the wrong sign", lambda n, k: -1.0),
    ("twice too large", lambda n, k: 2.0),
    ("half too small: the factor 2 of the square?", lambda n, k: 0.5),
    ("always zero", lambda n, k: 0.0),
)


@dataclass(frozen=True)
class Factor:
    """Tensor `index` of an observation is `value` times what it should be."""

    observation: Observation
    index: int
    value: float


def scaling(wrong: Sequence[Observation]) -> str:
    """``every bias gradient is N times too small: averaged twice?`` or empty where no one law fits."""
    factors = []
    for observation in wrong:
        for index in sorted(observation.wrong_tensors):
            factor = _factor(observation, index)
            if factor is None:
                return ""
            factors.append(Factor(observation, index, factor))
    if not factors:
        return ""
    for sentence, law in LAWS:
        if all(np.isclose(f.value, _law_at(law, f), rtol=1e-8, atol=1e-300) for f in factors):
            return f"{_which(wrong)} is {sentence}"
    values = [factor.value for factor in factors]
    if np.ptp(values) <= 1e-7 * abs(values[0]):
        return f"{_which(wrong)} is {values[0]:.6g} times what it should be"
    return ""


def _law_at(law: Callable[[int, int], float], factor: Factor) -> float:
    case = factor.observation.case
    return float(law(case.batch_size, case.architecture.n_outputs))


def _factor(observation: Observation, index: int) -> float | None:
    """The number c with found = c expected in every entry of this tensor, if there is one."""
    part = tensors(observation.case.architecture)[index]
    found, expected = observation.gradient[part], observation.reference.gradient.value[part]
    c = float(found @ expected / (expected @ expected)) if expected.any() else np.nan
    size = max(np.abs(found).max(), np.abs(expected).max())
    fits: Array = np.abs(found - c * expected) <= 1e-9 * size
    return c if fits.all() else None


def _which(wrong: Sequence[Observation]) -> str:
    """The tensors that are wrong, in words."""
    places = [(index // 2, index % 2, len(o.case.weights)) for o in wrong for index in o.wrong_tensors]
    kinds = {kind for _, kind, _ in places}
    what = "the gradient" if len(kinds) == 2 else ("weight gradient", "bias gradient")[kinds.pop()]
    every = what if what == "the gradient" else f"every {what}"
    one = what.removeprefix("the ")
    if all(layer == 0 for layer, _, _ in places) and any(n > 1 for _, _, n in places):
        return f"the {one} of the first layer"
    if all(layer == n - 1 for layer, _, n in places):
        return f"the {one} of the last layer"
    return f"{every} of the hidden layers" if all(layer < n - 1 for layer, _, n in places) else every
