"""Judging a gradient: whichever bound decides it, and whichever side of a kink it took.

*Tiers.* The worst-case bounds come first. Where they resolve a tensor less finely than AHEAD times what
is required, the probabilistic ones are asked too, and where even those resolve less than is required, the
estimate of `monte_carlo`. Each verdict says which of them decided it. What is undecided after that may still
be found wrong jointly: a layer's dW and db that cannot come from one delta (`shared_deltas`).

*Kinks.* relu'(z) jumps at z = 0. Where |z| is larger than the rounding bound of z every correct
implementation finds the same sign; where z is exactly zero in every order of summation, relu'(0) = 0 decides.
The few units in between are *undecided*: a correct gradient is the gradient of one of their selections, and
the same selection in all its entries. So a found gradient is judged

1. against the witness, a gradient found by other means, at the selection that the witness took;
2. if entries fail, against the witness moved to other selections, those that flip fewest units first, up to
   MAX_SELECTIONS;
3. if none fits, against the bound that holds for every selection. Entries outside it FAIL. Entries inside it
   that no tried selection explains are INCONCLUSIVE, unless all selections have been tried: then they FAIL.

A flipped unit changes its own example's part of the gradient alone, and that part is cheap: the difference
between two selections is a sum of such parts.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from backproof.comparisons.verdicts.forward_bounds import Unit
from backproof.comparisons.verdicts.monte_carlo import estimated_reference
from backproof.comparisons.verdicts.network_bounds import Reference
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_selections import any_selection, example_selected
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.shared_deltas import MARGIN, scale_of_error
from backproof.comparisons.verdicts.verdict import (
    REQUIRED_RESOLUTION,
    Asked,
    Verdict,
    compare,
    group_resolution,
)
from backproof.scratch.architecture import Architecture, Array, Flat

MAX_SELECTIONS = 512
FINER = 1e-2  # of the implementation's error: a witness of less has nothing to gain
# Of the required resolution: a tier that resolves less finely is followed by the next.
AHEAD = {"float32": 1e-2, "float64": 1e-7}


def flat_gradient(gradient: Sequence[tuple[Array, Array]]) -> Flat:
    """Per-layer (weight, bias) pairs as one flat vector in the order of `Architecture.parameter_name`.

    Parameters
    ----------
    gradient
        Per layer dW (fan_in, fan_out) and db (fan_out,) where it is right; a contender's may be transposed,
        and is then flattened as it stands.

    Returns
    -------
    array (n_parameters,)
        A copy.
    """
    flat: Array = np.concatenate([np.ravel(part) for layer in gradient for part in layer])
    return flat


def tensors(architecture: Architecture) -> list[slice]:
    """W1, b1, W2, ... as slices of the flat vector.

    Parameters
    ----------
    architecture
        The network.

    Returns
    -------
    list of slice
        Two for each layer.
    """
    return [part for pair in architecture.layer_slices() for part in pair]


def judge_gradient(
    reference: Reference,
    found: Flat,
    witness: Bounded | None = None,
    shared_deltas: bool = False,
    required: float | None = None,
) -> Verdict:
    """Is `found` the gradient of some selection consistent with rounding?

    Parameters
    ----------
    reference
        The case with its bounds.
    found
        (n_parameters,) in the order of the flat vector.
    witness
        A gradient found independently (by numerical differentiation) with its own error bound; it takes the
        place of the reference's values.
    shared_deltas
        Whether the implementation computes a layer's dW and db from one delta, as backpropagation does:
        layers of which the entries resolve too little by themselves are then judged jointly as well.
    required
        The resolution a PASS takes in every tensor, by default REQUIRED_RESOLUTION of the architecture's
        dtype.

    Returns
    -------
    Verdict
        By the first of the tiers (worst case, probabilistic, estimated) that settles it.
    """
    required = REQUIRED_RESOLUTION[reference.architecture.dtype] if required is None else required
    verdict = _judged(reference, found, witness, required)
    ahead = AHEAD[reference.architecture.dtype] * required
    if _settled(verdict, ahead) or not np.isfinite(reference.gradient.error).all():
        return verdict
    verdict = _better(verdict, _judged(reference.probabilistic, found, witness, required))
    if _settled(verdict, required):
        return verdict
    verdict = _better(verdict, _judged(estimated_reference(reference), found, witness, required))
    if verdict.outcome == Outcome.INCONCLUSIVE and shared_deltas and not reference.undecided:
        return _jointly(reference, found, witness, verdict, required)
    return verdict


def _settled(verdict: Verdict, resolution: float) -> bool:
    return verdict.outcome == Outcome.FAIL or (bool(verdict) and verdict.resolution <= resolution)


def _better(first: Verdict, second: Verdict) -> Verdict:
    """The second where it decides more, or clearly finer: at equal strength the safer bound speaks."""
    if second.outcome.rank != first.outcome.rank:
        return second if second.outcome != Outcome.INCONCLUSIVE else first
    return second if second.resolution < first.resolution / 2 else first


def _judged(reference: Reference, found: Array, witness: Bounded | None, required: float) -> Verdict:
    """The verdict by one tier's bounds."""
    expected = expected_gradient(reference, witness)
    first = _against(reference, found, expected, required)
    if first.outcome != Outcome.FAIL or not reference.undecided:
        return first
    return _other_selection(reference, found, witness, required)


def expected_gradient(reference: Reference, witness: Bounded | None) -> Bounded:
    """The gradient to compare with: the witness, with its own error and the implementation's.

    Parameters
    ----------
    reference
        The case with its bounds.
    witness
        A gradient found independently; None for the reference's own values.

    Returns
    -------
    Bounded
        (n_parameters,).

    Notes
    -----
    What every correct implementation makes exactly zero is zero. A witness that is no finer than the
    implementation under test, and that agrees with the shadow in every entry to within both errors, has
    confirmed the shadow: its values, which are finer, take the place of the witness's, and its error falls
    away.
    """
    own = reference.gradient
    if witness is None:
        return own
    with np.errstate(invalid="ignore"):
        agree = np.abs(witness.value - own.value) <= witness.error + own.error
    if agree.all():
        coarse = witness.error > FINER * own.error
        value, error = np.where(coarse, own.value, witness.value), np.where(coarse, 0.0, witness.error)
        witness = Bounded(value, error)
    proven = (own.value == 0) & (own.error == 0) & (np.abs(witness.value) <= witness.error)
    value = np.where(proven, 0.0, witness.value)
    return Bounded(value, np.where(proven, 0.0, own.error + witness.error))


def _jointly(
    reference: Reference, found: Array, witness: Bounded | None, first: Verdict, required: float
) -> Verdict:
    """The first verdict, unless a coarsely resolved layer's dW and db cannot come from the same deltas."""
    architecture = reference.architecture
    expected = witness or Bounded(reference.gradient.value, np.zeros_like(reference.gradient.value))
    bounds = reference.gradient.error + expected.error
    for layer, pair in enumerate(architecture.layer_slices()):
        seen = [group_resolution(expected.value[part], bounds[part]) or 0.0 for part in pair]
        if max(seen) <= required:
            continue
        scale, unit = scale_of_error(reference, found, expected, layer)
        if scale > MARGIN:
            reason = (
                f"every entry is within its bound, but W{layer + 1}[:, {unit}] and b{layer + 1}[{unit}] "
                f"cannot come from the same deltas: that takes {scale:.3g} times the rounding there can be"
            )
            return replace(first, outcome=Outcome.FAIL, worst=f"b{layer + 1}[{unit}]", reason=reason)
    return first


class _Selections:
    """The gradients of all selections of the undecided units, as differences from the shadow's."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self._parts: dict[tuple[Unit, ...], Bounded] = {}

    def difference(self, flipped: Sequence[Unit]) -> Bounded:
        """The gradient with these units flipped, minus the shadow's; the error comes on top of its."""
        nothing = np.zeros_like(self.reference.gradient.value)
        value, error = nothing.copy(), nothing
        for row in sorted({unit[1] for unit in flipped}):
            units = tuple(unit for unit in flipped if unit[1] == row)
            part, own = self._part(row, units), self._part(row, ())
            value, error = value + part.value - own.value, error + part.error
        return Bounded(value, error)

    def _part(self, row: int, units: tuple[Unit, ...]) -> Bounded:
        key = units or ((-1, row, -1),)
        if key not in self._parts:
            self._parts[key] = example_selected(self.reference.state, row, units)
        return self._parts[key]

    def fitting(self, found: Array, expected: Bounded, start: Bounded | None = None) -> Iterator[Bounded]:
        """`expected` moved from `start` to each selection at which no entry of `found` is outside, lazily."""
        base = np.zeros_like(expected.value) if start is None else start.value
        extra = 0.0 if start is None else start.error
        for flipped in self.tried():
            moved = self.difference(flipped)
            candidate = Bounded(expected.value + moved.value - base, expected.error + moved.error + extra)
            if (np.abs(found - candidate.value) <= candidate.error).all():
                yield candidate

    def tried(self) -> Iterator[tuple[Unit, ...]]:
        """Subsets of units to flip, the shadow's own (none) first, then by size, up to MAX_SELECTIONS."""
        units = self.reference.undecided
        subsets = chain.from_iterable(combinations(units, size) for size in range(len(units) + 1))
        for _, subset in zip(range(MAX_SELECTIONS), subsets, strict=False):
            yield subset

    @property
    def exhausted(self) -> bool:
        """Whether `tried` are all there are."""
        return bool(2 ** len(self.reference.undecided) <= MAX_SELECTIONS)


def _other_selection(reference: Reference, found: Array, witness: Bounded | None, required: float) -> Verdict:
    selections = _Selections(reference)
    own = reference.gradient
    expected, start = own, None
    if witness is not None:
        # Where the witness itself stands: it had to choose, too.
        both = Bounded(own.value, own.error + witness.error)
        at = next(selections.fitting(witness.value, both), None)
        expected = expected_gradient(reference, witness)
        start = None if at is None else Bounded(at.value - own.value, np.zeros_like(own.error))
    fitting = next(selections.fitting(found, expected, start), None)
    if fitting is not None:
        return _against(reference, found, fitting, required)
    if selections.exhausted:
        return _against(reference, found, expected, required)
    return _against_every_selection(reference, found, expected, required)


def _against(reference: Reference, found: Array, expected: Bounded, required: float) -> Verdict:
    name, groups = reference.architecture.parameter_name, tensors(reference.architecture)
    asked = Asked(required, reference.tier)
    return compare(found, expected.value, expected.error, name, groups, asked=asked)


def _against_every_selection(
    reference: Reference, found: Array, expected: Bounded, required: float
) -> Verdict:
    """Two selections (the found one's and the expected one's) are each within `reach` of the shadow's."""
    reach = np.maximum(any_selection(reference.state).error - reference.gradient.error, 0.0)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - expected.value) <= expected.error
    architecture = reference.architecture
    return compare(
        found,
        expected.value,
        expected.error + 2 * reach,
        architecture.parameter_name,
        tensors(architecture),
        undecided=~near,
        asked=Asked(required, reference.tier),
    )
