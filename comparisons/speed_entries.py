"""Who is timed: `Entry`, a class that offers `load` and `train`, in one of the divisions.

matched     the same index batches, one step at a time, nothing but the framework's plain way
idiomatic   what that framework's users write
control     scratch a second time: how far apart two equal programs come out
floor       the matrix products alone: what no program that uses them can undercut
"""

import importlib.util
from dataclasses import dataclass

DIVISIONS = ("matched", "idiomatic")
SCRATCH, CONTROL, FLOOR = "scratch", "scratch again", "bare products"


@dataclass(frozen=True)
class Entry:
    """A line of the comparison, and the packages it needs."""

    name: str
    target: str  # "package.module:Class" or "file.py:Class", imported in the entry's own process alone
    division: str  # "matched" | "idiomatic" | "control" | "floor"
    requires: tuple[str, ...]
    says: str  # in one line, what it runs

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None where it can."""
        absent = [name for name in self.requires if importlib.util.find_spec(name) is None]
        if not absent:
            return None
        return f"{', '.join(absent)} not installed; run: python -m pip install {' '.join(absent)}"


_TORCH, _JAX, _TENSORFLOW, _SKLEARN = ("torch",), ("jax",), ("tensorflow",), ("sklearn",)

ENTRIES = (
    Entry(SCRATCH, "scratch.mlp:ScratchMLP", "matched", (), "this project's network, in NumPy"),
    Entry(CONTROL, "scratch.mlp:ScratchMLP", "control", (), "the same once more: the noise floor"),
    Entry(FLOOR, "comparisons.speed_floor:BareProducts", "floor", (), "the matrix products of a step, no more"),
    Entry("torch", "reference.torch_mlp:TorchMLP", "matched", _TORCH, "eager, torch.optim as it comes"),
    Entry("jax", "reference.jax_mlp:JaxMLP", "matched", _JAX, "one jitted step per batch"),
    Entry("tensorflow", "reference.tensorflow_mlp:TensorFlowMLP", "matched", _TENSORFLOW, "one tf.function step per batch"),
    Entry("sklearn", "reference.sklearn_mlp:SklearnMLP", "matched", _SKLEARN, "one partial_fit per batch"),
)  # fmt: skip
