"""The second derivative, and forward mode beside reverse mode.

    second order   the backward pass (theta, C) -> C y' is a program too: its own reverse mode is judged
                   against its values, as the first derivative's was (gradgradcheck's question)
    forward mode   c . (y' v) = (c y') . v      for random v, tensor by tensor: the dot test
    symmetry       v . (H w) = w . (H v)        H the second derivative of L = c y

The last two compare numbers that are exact but for rounding: they may differ by eps^0.6 of what is summed,
4e-10 in float64. Where a framework has no forward mode of a function that is said, and fails nothing; where
it refuses the second derivative that was asked for, nothing was checked: INCONCLUSIVE.

References: Griewank, Walther 2008, chapter 5; Claerbout 1992, chapter 5 (the dot-product test).
"""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from backproof.comparisons.verdicts.derivative_judge import Search, judge_program, projections, tensors_of
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.parameter_tree import Tensor
from backproof.comparisons.verdicts.precision_judge import REQUIRED, TINY, Pairs, judge_precision
from backproof.comparisons.verdicts.verdict import Tier, Verdict
from backproof.reference.contender import NotOffered
from backproof.reference.program import EPS, Program, dtype_of
from backproof.scratch.architecture import Array

DIRECTIONS = 3
EXPONENT = 0.6  # rounding, in a power of eps: room for condition numbers of a million
ROUNDINGS = 64.0  # of the whole gradient, below which a tensor's own is nothing
FAINT = 1e-12  # of the largest: a tensor's gradient that is zero but for rounding
BELOW_DOUBLE = 0.1  # the resolution asked of it there, where cancellation leaves few digits
FORWARD, SECOND, SYMMETRY = "forward mode", "second order", "symmetry of the second order"


def judge_second(program: Program, search: Search) -> dict[str, Verdict]:
    """Every tensor's second derivative, and its symmetry.

    Parameters
    ----------
    program
        The function and its derivatives.
    search
        What is looked at, and how finely.

    Returns
    -------
    dict of Verdict
        By the tensors' names; one alone, not offered, where the framework refuses.
    """
    try:
        backward = program.backward()
        judged = judge_program(backward, search, FAINT)
        found = {f"{name} ({SECOND})": verdict for name, verdict in judged.items()}
        return {**found, SYMMETRY: _symmetry(program, backward, search)}
    except NotOffered as reason:
        return {SECOND: _not_offered(str(reason))}


def judge_second_precision(fine: Program, coarse: Program, search: Search) -> dict[str, Verdict]:
    """The second derivative below float64 against that in float64; nothing where it is not offered.

    Parameters
    ----------
    fine
        The program in float64.
    coarse
        The same one in a lower precision.
    search
        What is looked at, and how finely.

    Returns
    -------
    dict of Verdict
        By the tensors' names.
    """
    coarser = replace(search, required=max(search.required or 0.0, BELOW_DOUBLE))
    try:
        below = judge_precision(fine.backward(), coarse.backward(), coarser, TINY)
    except NotOffered:  # said by `judge_second`
        return {}
    return {_beside(SECOND, name): verdict for name, verdict in below.items()}


def _beside(word: str, name: str) -> str:
    """``weight (second order, float32)`` of ``weight (float32)``."""
    own, _, dtype = name.rpartition(" (")
    return f"{own} ({word}, {dtype}"


def judge_forward(program: Program, search: Search) -> tuple[dict[str, Verdict], tuple[str, ...]]:
    """The dot test of every tensor; or nothing, and why.

    Parameters
    ----------
    program
        The function and its derivatives.
    search
        Its seed draws the directions.

    Returns
    -------
    tuple (dict of Verdict, tuple of str)
        Verdicts by the tensors' names, and what is not offered.

    Raises
    ------
    NotOffered
        Where reverse mode is refused.
    """
    found = tensors_of(program)
    rng = np.random.default_rng([search.seed, 4])
    c = projections(program.outputs, search.seed).c
    ways = [rng.standard_normal((DIRECTIONS, tensor.flat.size)) for tensor in found]
    try:
        pushed = [_pushed(program, found, number, way) for number, way in enumerate(ways)]
    except NotOffered as reason:
        return {}, (f"{FORWARD}: not offered ({reason})",)
    pulled = program.pull(c)
    sizes = [np.abs(g) @ np.abs(v).T for g, v in zip(pulled, ways, strict=True)]  # each (m, directions)
    of_all = np.max([size.max(axis=1) for size in sizes], axis=0)
    return {
        f"{tensor.name} ({FORWARD})": _close(
            c @ y.T, g @ v.T, np.abs(c) @ np.abs(y.T) + size, of_all, program, search, tensor.name
        )
        for tensor, y, g, v, size in zip(found, pushed, pulled, ways, sizes, strict=True)
    }, ()


def _pushed(program: Program, found: Sequence[Tensor], number: int, way: Array) -> Array:
    """y' v of one tensor's directions v, (directions, n_outputs)."""
    still = [np.zeros(tensor.flat.size) for tensor in found]
    return np.array([program.push([*still[:number], v, *still[number + 1 :]]) for v in way])


def _symmetry(program: Program, backward: Program, search: Search) -> Verdict:
    """v . (H w) against w . (H v) over all tensors, in pairs."""
    n = sum(output.size for output in backward.outputs)
    v = np.random.default_rng([search.seed, 5]).standard_normal((DIRECTIONS + 1, n))
    own = len(program.cells)  # the upstream gradients come after them
    hv = np.concatenate(backward.pull(v)[:own], axis=1)
    first, second = hv[:-1], hv[1:]
    found, expected = (second * v[:-1]).sum(axis=1), (first * v[1:]).sum(axis=1)
    size = (np.abs(second * v[:-1]) + np.abs(first * v[1:])).sum(axis=1)
    return _close(found[None], expected[None], size[None], np.array([size.max()]), backward, search, "H")


def _close(
    found: Array, expected: Array, size: Array, of_all: Array, program: Program, search: Search, name: str
) -> Verdict:
    """Two ways to the same numbers (m, directions), each a sum of terms of this `size`."""
    dtype = dtype_of(program.outputs)
    bound = np.maximum(EPS[dtype] ** EXPONENT * size, ROUNDINGS * EPS[dtype] * of_all[:, None])
    pairs = Pairs(found, expected, bound, of_all)
    required = max(search.required or 0.0, REQUIRED[dtype])
    return pairs.judged(required, lambda _: f"{name} along a random direction")


def _not_offered(reason: str) -> Verdict:
    nan = float("nan")
    words = f"{SECOND}: not offered ({reason}); the first derivative alone was judged"
    return Verdict(
        Outcome.INCONCLUSIVE, nan, nan, float("inf"), "", words, 0, 0, required=None, tier=Tier.ESTIMATE
    )
