"""The axes of the arrays that verdicts are made of, as types; a network's are in `scratch.architecture`.

    functions    the m functions that one black box gives, (1,) for a single one
    entries      of one tensor, in C order
    points       places on a line at which the functions are evaluated
    rows         steps of one line, the longest first
    probes       slopes of f that are known

Within one call equal names mean equal sizes; while tests run, every call is held to them.
"""

from typing import Annotated

from backproof.scratch.architecture import Array

Entries = Annotated[Array, "entries"]  # a number for every entry of one flat tensor
Chosen = Annotated[Array, "chosen"]  # indices of some of them
Values = Annotated[Array, "functions"]  # a number for every function
Claimed = Annotated[Array, "functions entries"]  # the gradient of every function
Table = Annotated[Array, "points functions"]
Directions = Annotated[Array, "directions entries"]
Rows = Annotated[Array, "rows"]
Probes = Annotated[Array, "probes"]
Jacobian = Annotated[Array, "examples units above"]  # dz_m / dz_l of every example: l below, m above
ToLogits = Annotated[Array, "examples units outputs"]
AtLayer = Annotated[Array, "examples above"]  # a number for every unit of the next layer
