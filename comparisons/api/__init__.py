"""backproof: know that a backward pass is right.

    import backproof

    backproof.check_gradient(f, gradient, theta)    a gradient of any scalar function of a vector
    backproof.check_module(module, x)               the backward pass of a torch module
    backproof.check_class("my_mlp.py:MyMLP")        a whole network: gradients, state, training

Every name below is imported when it is first used: `import backproof` itself needs the standard library
alone, and a framework is loaded only by whoever asks for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backproof.comparisons.check.modules import check_module
    from backproof.comparisons.verdicts.any_function import check_gradient
    from backproof.comparisons.verdicts.verdict import Verdict
    from backproof.reference.contender import Contender, NotOffered
    from backproof.scratch.architecture import Architecture, OptimizerSpec
    from backproof.scratch.errors import InputError
    from backproof.scratch.problem import Problem

    __version__: str

_HOMES = {
    "Architecture": "backproof.scratch.architecture",
    "Contender": "backproof.reference.contender",
    "InputError": "backproof.scratch.errors",
    "NotOffered": "backproof.reference.contender",
    "OptimizerSpec": "backproof.scratch.architecture",
    "Problem": "backproof.scratch.problem",
    "Verdict": "backproof.comparisons.verdicts.verdict",
    "check_gradient": "backproof.comparisons.verdicts.any_function",
    "check_module": "backproof.comparisons.check.modules",
}

__all__ = [
    "Architecture",
    "Contender",
    "InputError",
    "NotOffered",
    "OptimizerSpec",
    "Problem",
    "Verdict",
    "__version__",
    "check_gradient",
    "check_module",
]


def __getattr__(name: str) -> Any:
    """The name from its own module, on first use."""
    if name == "__version__":
        from importlib.metadata import version

        return version("backproof")
    if name not in _HOMES:
        raise AttributeError(f"module 'backproof' has no attribute {name!r}; it offers {', '.join(__all__)}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *globals()])
