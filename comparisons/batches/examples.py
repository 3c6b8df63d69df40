"""A batch as people keep it (an array, a tuple, a dict, any nesting), cut into examples and padded.

    (x, labels)                                     arrays whose first axis are the examples
    {"tokens": (n, T), "mask": (n, T)}              the mask says what counts: positions, or whole examples

What is no array with that first axis (a number, a name, None) goes along as it is. NumPy, torch and JAX
arrays are indexed alike, and no framework is imported for it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from backproof.comparisons.verdicts.function_noise import EPS
from backproof.comparisons.verdicts.parameter_tree import as_numpy, dtype_name, like
from backproof.reference.nested import leaves, rebuilt
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError, InputTypeError

Mask = Any  # a key of the batch, or a function of it; None: every example counts


def _length(leaf: Any) -> int | None:
    shape = getattr(leaf, "shape", None)
    return int(shape[0]) if shape is not None and len(shape) else None


@dataclass(frozen=True, eq=False)
class Examples:
    """A batch of n examples, and what of them counts."""

    batch: Any
    mask: Mask = None

    @cached_property
    def leaves(self) -> list[Any]:
        return [leaf for _, leaf in leaves(self.batch)]

    @cached_property
    def n(self) -> int:
        """Raises InputError where the arrays have different numbers of examples, or there is no array."""
        lengths = {name.removeprefix("params"): _length(leaf) for name, leaf in leaves(self.batch)}
        known = {name: n for name, n in lengths.items() if n is not None}
        if not known:
            raise InputError("batch: expected arrays whose first axis are the examples, got none")
        (first, n), *others = known.items()
        for name, other in others:
            if other != n:
                raise InputError(
                    f"batch{name}: expected {n} examples as in batch{first}, got {other}; "
                    "what is no data of the examples belongs into the function itself"
                )
        return n

    @cached_property
    def counted(self) -> Array:
        """What counts: bool (n,), or (n, T).

        Raises InputError for a mask of another shape, or one that counts nothing.
        """
        if self.mask is None:
            return np.ones(self.n, dtype=bool)
        if callable(self.mask):
            given = self.mask(self.batch)
        else:
            try:
                given = self.batch[self.mask]
            except (KeyError, IndexError, TypeError):
                raise InputError(
                    f"mask: expected a key of the batch, or a function of it, got {self.mask!r}"
                ) from None
        plain: Array = as_numpy(given) != 0
        if plain.ndim not in (1, 2) or len(plain) != self.n:
            raise InputError(f"mask: expected shape ({self.n},) or ({self.n}, positions), got {plain.shape}")
        if not plain.any():
            raise InputError("mask: expected something that counts, got nothing but zeros")
        return plain

    @cached_property
    def tokens(self) -> Array:
        """(n,): how much of every example counts."""
        counted = self.counted
        tokens: Array = counted.sum(axis=1) if counted.ndim == 2 else counted.astype(np.intp)
        return tokens

    @cached_property
    def positions(self) -> int:
        """Of one example, padding included."""
        return self.counted.shape[1] if self.counted.ndim == 2 else 1

    @property
    def features(self) -> int:
        """Numbers in the largest array of one example."""
        return max(int(np.prod(leaf.shape[1:])) for leaf in self.leaves if _length(leaf) is not None)

    def take(self, chosen: Sequence[int] | Array) -> "Examples":
        """These examples, in this order."""
        index = np.asarray(chosen, dtype=np.intp)
        return self._with(leaf if _length(leaf) is None else leaf[index] for leaf in self.leaves)

    def _with(self, arrays: Iterator[Any]) -> "Examples":
        return Examples(rebuilt(self.batch, arrays), self.mask)

    def padded(self, by: int) -> "Examples | None":
        """The same examples with more padding, copied from where there is some; None where there is none.

        A mask of positions: `by` positions more at the end of every example. A mask of examples: `by`
        examples more that do not count.
        """
        rows, *columns = np.nonzero(~self.counted)
        if not len(rows):
            return None
        if not columns:
            more = rows[np.arange(by) % len(rows)]
            return self.take([*range(self.n), *more])
        row, column = int(rows[0]), int(columns[0][0])
        longer = self._with(self._longer(leaf, row, column, by) for leaf in self.leaves)
        return longer if (longer.tokens == self.tokens).all() else None

    def _longer(self, leaf: Any, row: int, column: int, by: int) -> Any:
        """The array with `by` copies of one example's padding at the end of each, where it has positions."""
        if _length(leaf) is None or len(leaf.shape) < 2 or leaf.shape[1] != self.positions:
            return leaf
        example = [*range(self.n), row]
        grown = leaf[np.array(example)][:, np.array([*range(self.positions), *[column] * by])]
        # Every example's own positions, then the padding of that one row.
        own = np.repeat(np.arange(self.n)[:, None], self.positions + by, axis=1)
        own[:, self.positions :] = self.n
        return grown[own, np.arange(self.positions + by)[None, :]]

    def jittered(self, rng: np.random.Generator) -> "Examples | None":
        """Every real number off by a rounding; None where the batch has none (tokens, labels, masks)."""
        changed = False

        def moved(leaf: Any) -> Any:
            nonlocal changed
            kind = dtype_name(leaf) if hasattr(leaf, "dtype") else ""
            if kind not in EPS or _length(leaf) is None:
                return leaf
            values = as_numpy(leaf)
            if (values == np.round(values)).all():
                return leaf
            changed = True
            off = values * (1 + EPS[kind] * rng.choice([-1.0, 1.0], values.shape))
            return off.astype(leaf.dtype) if isinstance(leaf, np.ndarray) else like(leaf, off)

        other = self._with(moved(leaf) for leaf in self.leaves)
        return other if changed else None


def examples_of(batch: Any, mask: Mask) -> Examples:
    """A batch, checked."""
    if isinstance(batch, str) or callable(batch):
        raise InputTypeError(f"batch: expected arrays, got {type(batch).__name__}")
    found = Examples(batch, mask)
    if found.n < 2:
        raise InputError(f"batch: expected at least 2 examples, got {found.n}")
    if np.count_nonzero(found.tokens) < 2:
        raise InputError("mask: expected at least 2 examples that count, got 1")
    return found
