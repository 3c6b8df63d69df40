"""`Space`: the networks that a class has, out of which every check draws."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from itertools import product

from backproof.comparisons.check.forms.form import SPACE
from backproof.scratch.architecture import (
    ACTIVATIONS,
    DTYPES,
    LOSSES,
    ActivationName,
    Architecture,
    DtypeName,
    LossName,
)

Kind = tuple[ActivationName, LossName, int]  # activation, loss, hidden layers


@dataclass(frozen=True)
class Space:
    """Kinds of network (in the order of the names), dtypes, and whether there are biases."""

    kinds: tuple[Kind, ...]
    dtypes: tuple[DtypeName, ...] = DTYPES
    biases: bool = True
    plain_descent: bool = False  # train has no other rule

    @classmethod
    def full(cls) -> "Space":
        """All that the contract has, with at most two hidden layers."""
        return cls(tuple(product(ACTIVATIONS, LOSSES, (0, 1, 2))))

    def where(self, losses: Collection[str] = LOSSES, activations: Collection[str] = ACTIVATIONS) -> "Space":
        """Only these losses and activations."""
        kept = tuple(kind for kind in self.kinds if kind[0] in activations and kind[1] in losses)
        return replace(self, kinds=kept)

    @property
    def activations(self) -> tuple[ActivationName, ...]:
        """Those of kinds with a hidden layer; without any, all."""
        hidden = {activation for activation, _, depth in self.kinds if depth}
        return tuple(name for name in ACTIVATIONS if name in (hidden or {kind[0] for kind in self.kinds}))

    @property
    def losses(self) -> tuple[LossName, ...]:
        return tuple(name for name in LOSSES if name in {kind[1] for kind in self.kinds})

    @property
    def depths(self) -> tuple[int, ...]:
        """Numbers of hidden layers."""
        return tuple(sorted({kind[2] for kind in self.kinds}))

    @property
    def dtype(self) -> DtypeName:
        """In which it is tried where a check asks for none: double precision, where the class has it."""
        return "float64" if "float64" in self.dtypes or not self.dtypes else self.dtypes[0]

    def has(self, architecture: Architecture) -> bool:
        kind = (architecture.activation, architecture.loss, len(architecture.layer_sizes) - 2)
        return kind in self.kinds and architecture.dtype in self.dtypes


def narrowed(space: Space, stated: dict[str, tuple[str | int, ...]]) -> Space:
    """The space with what was stated alone: names as in SPACE, more hidden layers than two if asked for."""
    allowed = {**SPACE, **stated}
    depths = {depth for _, _, depth in space.kinds} | set(stated.get("hidden_layers", ()))
    kinds = tuple(
        (activation, loss, int(depth))
        for activation, loss, depth in product(space.activations, space.losses, sorted(map(int, depths)))
        if activation in allowed["activation"]
        and loss in allowed["loss"]
        and depth in allowed["hidden_layers"]
    )
    dtypes = tuple(dtype for dtype in space.dtypes if dtype in allowed["dtype"])
    return replace(space, kinds=kinds, dtypes=dtypes)
