"""Cutting the work on one layer so that temporary arrays fit into the memory allowed: three kinds of tiles.

A layer has fan_out units with fan_in + 1 entries each: a weight per input, and the bias. An entry moves by
itself, and on its way to the logits a number is kept for every unit of a layer above, in every example: too
many for one array.

    example blocks   examples taken at once: more than one only where the layer is small
    unit groups      units whose ways to the logits are looked for at once
    rectangles       some units x some inputs, whose entries are moved at once

A worked example: arrays of 100 numbers, a layer of 4 units with 2 + 1 entries, 3 units in the widest layer
above. One example takes up to 12 * 3 numbers, so 100 // 36 = 2 of them are taken at once, and then an array
has room for 100 // (3 * 2) = 16 entries.

>>> tiling = Tiling.of_layer(elements=100, entries=12, widest=3)
>>> tiling.examples, tiling.entries(width=3)
(2, 16)
>>> list(tiling.example_blocks(5))
[slice(0, 2, None), slice(2, 4, None), slice(4, 6, None)]

With room for 4 entries, units 0, 1, 3 and inputs 0, 2 (the others do not move) make two rectangles:

>>> import numpy as np
>>> [(u.tolist(), i.tolist()) for u, i in rectangles(np.array([0, 1, 3]), np.array([0, 2]), most=4)]
[([0, 1], [0, 2]), ([3], [0, 2])]
"""

from collections.abc import Iterator
from typing import Annotated, NamedTuple

from .architecture import Array

Indices = Annotated[Array, "units"]
Columns = Annotated[Array, "inputs"]  # indices, too


class Tiling(NamedTuple):
    """Arrays of at most `elements` numbers, for `examples` examples at once."""

    elements: int
    examples: int
    widest: int  # the most units in a layer above

    @classmethod
    def of_layer(cls, elements: int, entries: int, widest: int) -> "Tiling":
        """For a layer with so many entries, below layers of at most `widest` units."""
        return cls(elements, max(1, elements // (entries * widest)), widest)

    def example_blocks(self, n_examples: int) -> Iterator[slice]:
        for start in range(0, n_examples, self.examples):
            yield slice(start, start + self.examples)

    def entries(self, width: int) -> int:
        """How many entries have room, with `width` numbers each, in every example of a block."""
        return self.elements // (width * self.examples)


def groups(indices: Indices, most: int) -> Iterator[Indices]:
    """The indices in order, `most` at a time, and at least one.

    Parameters
    ----------
    indices
        In the order in which they are taken, (units,).
    most
        How many at a time; less than one counts as one.

    Yields
    ------
    array
        A view of the next of them.
    """
    length = max(1, most)
    for start in range(0, len(indices), length):
        yield indices[start : start + length]


def rectangles(units: Indices, inputs: Columns, most: int) -> Iterator[tuple[Indices, Columns]]:
    """units x inputs in rectangles of at most `most` entries, and at least one.

    Parameters
    ----------
    units, inputs
        The indices along both sides.
    most
        Entries of one rectangle; less than one counts as one.

    Yields
    ------
    tuple of two arrays
        The units and the inputs of the next rectangle, all of whose entries are meant.
    """
    for some_inputs in groups(inputs, most):
        for some_units in groups(units, most // len(some_inputs)):
            yield some_units, some_inputs
