"""The noise of all functions at one point, and that of their gradient where it can be evaluated elsewhere.

Both are read along a random line through all parameters at once; the noise along one line of its own is read
where a verdict hangs on it (`tensor_judge`).
"""

from collections.abc import Callable
from functools import cached_property
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_line import Point
from backproof.comparisons.verdicts.function_noise import EPS, SPACINGS, Noise, grid, line_noise
from backproof.comparisons.verdicts.shapes import Claimed
from backproof.scratch.architecture import Array

FAR = 10.0  # where f shows how large its terms may be
NEARBY = 0.37  # how far to look for a change before f is said to ignore its argument


def function_noises(point: Point, seed: int) -> tuple[list[Noise], bool]:
    """The noise of every function along one random line in all parameters; and whether any moved.

    Far out on that line f shows how large its terms may be. A loss of 1e-43 is the difference of logits near
    100: where f is less than a rounding of them, and so is all of the claimed gradient, both may be off by
    that much.

    Parameters
    ----------
    point
        f and its parameters.
    seed
        Of the line's direction.

    Returns
    -------
    tuple (list of Noise, bool)
        A `Noise` for every function.
    """
    rng = np.random.default_rng(seed)
    ways = [
        rng.choice([-1.0, 1.0], t.flat.shape)
        * rng.uniform(0.5, 1.0, t.flat.shape)
        * np.maximum(1.0, np.abs(t.flat))
        for t in point.tensors
    ]

    def at(s: float) -> Array:
        return point.base if s == 0 else point.anywhere(s, ways)

    level, seen = line_noise(at)
    moved = bool((seen != point.base).any())
    moved = moved or any(bool((at(step) != point.base).any()) for step in (NEARBY, -NEARBY))
    level = np.fmax(np.fmax(level, np.abs(point.again - point.base)), point.rounding)
    computed = EPS[point.dtype_at(SPACINGS[-1], ways)]
    eps = [max(computed, EPS[grid(seen[:, c])]) for c in range(len(level))]
    far = np.array([at(FAR), at(-FAR)])
    size = np.where(np.isfinite(far), np.abs(far), 0.0).max(axis=0)
    hidden = [
        its * one if abs(base) <= its * one else 0.0
        for its, one, base in zip(eps, size, point.base, strict=True)
    ]
    return [
        Noise(float(one), its, float(rest), float(large) / FAR)
        for one, its, rest, large in zip(level, eps, hidden, size, strict=True)
    ], moved


class GradientNoise:
    """The noise of a gradient function entry by entry, read when it is first asked for.

    `gradient` is called as f is; `split` makes the arrays (m, n) of what it gives, one per tensor.
    """

    def __init__(
        self,
        point: Point,
        gradient: Callable[..., Any],
        split: Callable[[Any], list[Array]],
        seed: int,
    ) -> None:
        self._point, self._gradient, self._split, self._seed = point, gradient, split, seed

    def __call__(self, number: int) -> Claimed:
        """Of one tensor, (m, n)."""
        return self._levels[number]

    @cached_property
    def _levels(self) -> list[Array]:
        rng = np.random.default_rng([self._seed, 1])
        found = self._point.tensors
        ways = [rng.uniform(0.5, 1.0, t.flat.shape) * np.maximum(1.0, np.abs(t.flat)) for t in found]
        shapes: list[tuple[int, ...]] = []

        def flat(s: float) -> Array:
            parts = self._split(self._point.everywhere(self._gradient, s, ways))
            shapes[:] = [part.shape for part in parts]
            return np.concatenate([part.ravel() for part in parts])

        level, _ = line_noise(flat)
        ends = np.cumsum([int(np.prod(shape)) for shape in shapes])[:-1]
        return [part.reshape(shape) for part, shape in zip(np.split(level, ends), shapes, strict=True)]
