"""Who is timed: `Entry`, a class that offers `load` and `train`, in one of the divisions.

matched     the same index batches, one step at a time, nothing but the framework's plain way
idiomatic   what that framework's users write
control     scratch a second time: how far apart two equal programs come out
floor       the matrix products alone: what no program that uses them can undercut
    parts       scratch with a clock around each part of its step
"""

import importlib.util
from collections.abc import Sequence
from dataclasses import dataclass

DIVISIONS = ("matched", "idiomatic")
SCRATCH, CONTROL, FLOOR, PARTS = "scratch", "scratch again", "bare products", "scratch in parts"


@dataclass(frozen=True)
class Entry:
    """A line of the comparison, and the packages it needs."""

    name: str
    target: str  # "package.module:Class" or "file.py:Class", imported in the entry's own process alone
    division: str  # "matched" | "idiomatic" | "control" | "floor" | "parts"
    requires: tuple[str, ...]
    says: str  # in one line, what it runs

    @property
    def family(self) -> str:
        """The contender it belongs to: ``torch compile`` is torch's; control, floor, parts are scratch's."""
        return SCRATCH if self.division in ("control", "floor", "parts") else self.name.split(" ")[0]

    @property
    def missing(self) -> str | None:
        """Why it cannot run here, None where it can."""
        absent = [name for name in self.requires if importlib.util.find_spec(name) is None]
        if not absent:
            return None
        return f"{', '.join(absent)} not installed; run: python -m pip install {' '.join(absent)}"


_TORCH, _JAX, _TENSORFLOW, _SKLEARN = ("torch",), ("jax",), ("tensorflow",), ("sklearn",)


def _idiomatic(name: str, target: str, requires: tuple[str, ...], says: str) -> Entry:
    return Entry(name, f"backproof.reference.{target}", "idiomatic", requires, says)


def _matched(name: str, target: str, requires: tuple[str, ...], says: str) -> Entry:
    return Entry(name, f"backproof.reference.{target}", "matched", requires, says)


ENTRIES = (
    Entry(
        SCRATCH,
        "backproof.comparisons.contenders.scratch_mlp:ScratchMLP",
        "matched",
        (),
        "this project's network, in NumPy",
    ),
    Entry(
        CONTROL,
        "backproof.comparisons.contenders.scratch_mlp:ScratchMLP",
        "control",
        (),
        "the same again: the noise floor",
    ),
    Entry(
        FLOOR,
        "backproof.comparisons.speed.bare_products:BareProducts",
        "floor",
        (),
        "the matrix products of a step alone",
    ),
    Entry(
        PARTS,
        "backproof.comparisons.speed.step_in_parts:ScratchInParts",
        "parts",
        (),
        "a clock around each part",
    ),
    _matched("torch", "torch_mlp:TorchMLP", _TORCH, "eager, torch.optim as it comes"),
    _matched("jax", "jax_mlp:JaxMLP", _JAX, "one jitted step per batch"),
    _matched("tensorflow", "tensorflow_mlp:TensorFlowMLP", _TENSORFLOW, "one tf.function step per batch"),
    _matched("sklearn", "sklearn_mlp:SklearnMLP", _SKLEARN, "one partial_fit per batch"),
    _idiomatic("torch DataLoader", "torch_idiomatic:with_data_loader", _TORCH, "DataLoader, TensorDataset"),
    _idiomatic("torch fused", "torch_idiomatic:with_fused_optimizer", _TORCH, "torch.optim with fused=True"),
    _idiomatic(
        "torch compile", "torch_idiomatic:with_compile", _TORCH, "torch.compile and a fused optimiser"
    ),
    _idiomatic("jax scan", "jax_idiomatic:JaxScan", _JAX, "lax.scan over many steps"),
    _idiomatic("tensorflow xla", "tensorflow_mlp:with_xla", _TENSORFLOW, "tf.function(jit_compile=True)"),
    _idiomatic("tensorflow keras", "keras_fit:KerasFit", _TENSORFLOW, "model.fit, own batches"),
    _idiomatic("sklearn fit", "sklearn_fit:SklearnFit", _SKLEARN, "MLPClassifier.fit, own batches"),
)


def own_entry(name: str) -> Entry:
    """For a user's own class, named ``module:Class`` or ``file.py:Class``."""
    return Entry(name, name, "matched", (), "a class of your own")


def for_growth(entries: Sequence[Entry]) -> list[Entry]:
    """Who is drawn against batch size and width: scratch and every matched contender."""
    return [entry for entry in entries if entry.division == "matched"]
