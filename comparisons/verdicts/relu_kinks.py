"""Which side of a kink: gradients of relu networks whose pre-activations rounding can take either way.

relu'(z) jumps at z = 0. Where |z| is larger than the rounding bound of z every correct implementation finds
the same sign; where z is exactly zero in every order of summation, relu'(0) = 0 decides. The few units in
between are *undecided*: a correct gradient is the gradient of one of their selections, and the same
selection in all its entries. So a found gradient is judged

1. against the selection the shadow found;
2. if entries fail, against other selections, those that flip fewest units first, up to MAX_SELECTIONS;
3. if none fits, against the bound that holds for every selection. Entries outside it FAIL. Entries inside it
   that no tried selection explains are INCONCLUSIVE, unless all selections have been tried: then they FAIL.
"""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain, combinations

import numpy as np

from backproof.comparisons.verdicts.network_bounds import Reference, Unit, any_selection, selected
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.shared_deltas import MARGIN, scale_of_error
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION, Verdict, compare, group_resolution
from backproof.scratch.architecture import Architecture, Array, Weights

MAX_SELECTIONS = 512
WANTED_RESOLUTION = {"float64": 1e-8, "float32": 1e-4}


def flat_gradient(gradient: Weights) -> Array:
    """Per-layer (weight, bias) pairs as one flat vector in the order of `Architecture.parameter_name`."""
    flat: Array = np.concatenate([np.ravel(part) for layer in gradient for part in layer])
    return flat


def tensors(architecture: Architecture) -> list[slice]:
    """W1, b1, W2, ... as slices of the flat vector."""
    return [part for pair in architecture.layer_slices() for part in pair]


def judge_gradient(
    reference: Reference,
    found: Array,
    witness: Bounded | None = None,
    shared_deltas: bool = False,
    required: float | None = None,
) -> Verdict:
    """Is `found`, flat (n_parameters,), the gradient of some selection consistent with rounding?

    `witness` is a gradient found independently (by numerical differentiation) with its own error bound; it
    takes the place of the reference's values in the first comparison. `shared_deltas` says that the
    implementation computes a layer's dW and db from one delta, as backpropagation does: layers of which the
    entries resolve little by themselves are then judged jointly as well (`shared_deltas`). `required` is the
    resolution a PASS takes in every tensor, by default REQUIRED_RESOLUTION of the architecture's dtype.
    """
    expected = reference.gradient
    if witness is not None:
        expected = Bounded(witness.value, reference.gradient.error + witness.error)
    required = REQUIRED_RESOLUTION[reference.architecture.dtype] if required is None else required
    first = _against(reference.architecture, found, expected, required)
    if first.outcome != Outcome.FAIL and shared_deltas and not reference.undecided:
        return _jointly(reference, found, witness, first)
    if first.outcome != Outcome.FAIL or not reference.undecided:
        return first
    return _other_selection(reference, found, first, required)


def _jointly(reference: Reference, found: Array, witness: Bounded | None, first: Verdict) -> Verdict:
    """The first verdict, unless a coarsely resolved layer's dW and db cannot come from the same deltas."""
    architecture, wanted = reference.architecture, WANTED_RESOLUTION[reference.architecture.dtype]
    if not first.resolution > wanted:
        return first
    expected = witness or Bounded(reference.gradient.value, np.zeros_like(reference.gradient.value))
    bounds = reference.gradient.error + expected.error
    for layer, pair in enumerate(architecture.layer_slices()):
        seen = [group_resolution(found[part], bounds[part]) or 0.0 for part in pair]
        if max(seen) <= wanted:
            continue
        scale, unit = scale_of_error(reference, found, expected, layer)
        if scale > MARGIN:
            reason = (
                f"every entry is within its bound, but W{layer + 1}[:, {unit}] and b{layer + 1}[{unit}] "
                f"cannot come from the same deltas: that takes {scale:.3g} times the rounding there can be"
            )
            return replace(first, outcome=Outcome.FAIL, worst=f"b{layer + 1}[{unit}]", reason=reason)
    return first


def _other_selection(reference: Reference, found: Array, first: Verdict, required: float) -> Verdict:
    tried = 0
    for flipped in _selections(reference.undecided):
        other = _against(reference.architecture, found, selected(reference.state, flipped), required)
        tried += 1
        if other.outcome != Outcome.FAIL:
            return other
        if tried == MAX_SELECTIONS:
            break
    if tried == 2 ** len(reference.undecided):
        return first
    return _against_every_selection(reference, found, required)


def _against(architecture: Architecture, found: Array, expected: Bounded, required: float) -> Verdict:
    name, groups = architecture.parameter_name, tensors(architecture)
    return compare(found, expected.value, expected.error, name, groups, required=required)


def _selections(undecided: Sequence[Unit]) -> Iterator[tuple[Unit, ...]]:
    """Every subset of units to flip, the shadow's own (none) first, then by size."""
    sizes = range(len(undecided) + 1)
    return chain.from_iterable(combinations(undecided, size) for size in sizes)


def _against_every_selection(reference: Reference, found: Array, required: float) -> Verdict:
    wide = any_selection(reference.state)
    with np.errstate(invalid="ignore"):
        near = np.abs(found - reference.gradient.value) <= reference.gradient.error
    architecture = reference.architecture
    return compare(
        found,
        wide.value,
        wide.error,
        architecture.parameter_name,
        tensors(architecture),
        undecided=~near,
        required=required,
    )
