"""backproof: know that a backward pass is right.

    import backproof

    backproof.check_gradient(f, gradient, theta)    a gradient of any scalar function of a vector
    backproof.check_autodiff(f, x)                  what torch, JAX or TensorFlow make of a function
    backproof.check_batches(gradient, batch)        a batch's gradient, and what is accumulated over its parts
    backproof.check_per_sample(gradient, each, batch)   the gradients of a batch's examples, each its own
    backproof.check_class("my_mlp.py:MyMLP")        a whole network: gradients, state, training

Every name below is imported when it is first used: `import backproof` itself needs the standard library
alone, and a framework is loaded only by whoever asks for it.
"""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from backproof.comparisons.batches.algebra import check_batches, check_per_sample
    from backproof.comparisons.check.session import check_class
    from backproof.comparisons.verdicts.any_function import check_gradient
    from backproof.comparisons.verdicts.autodiff import check_autodiff, check_module
    from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
    from backproof.comparisons.verdicts.outcome import Outcome
    from backproof.comparisons.verdicts.verdict import Verdict
    from backproof.reference.contender import Contender, NotOffered
    from backproof.scratch.architecture import Architecture, OptimizerSpec
    from backproof.scratch.errors import InputError
    from backproof.scratch.problem import Problem

    __version__: str

_HOMES = {
    "Architecture": "backproof.scratch.architecture",
    "Contender": "backproof.reference.contender",
    "GradientVerdict": "backproof.comparisons.verdicts.gradient_verdict",
    "InputError": "backproof.scratch.errors",
    "NotOffered": "backproof.reference.contender",
    "Outcome": "backproof.comparisons.verdicts.outcome",
    "OptimizerSpec": "backproof.scratch.architecture",
    "Problem": "backproof.scratch.problem",
    "Verdict": "backproof.comparisons.verdicts.verdict",
    "check_autodiff": "backproof.comparisons.verdicts.autodiff",
    "check_batches": "backproof.comparisons.batches.algebra",
    "check_class": "backproof.comparisons.check.session",
    "check_gradient": "backproof.comparisons.verdicts.any_function",
    "check_module": "backproof.comparisons.verdicts.autodiff",
    "check_per_sample": "backproof.comparisons.batches.algebra",
}

__all__ = [
    "Architecture",
    "Contender",
    "GradientVerdict",
    "InputError",
    "NotOffered",
    "OptimizerSpec",
    "Outcome",
    "Problem",
    "Verdict",
    "__version__",
    "check_autodiff",
    "check_batches",
    "check_class",
    "check_gradient",
    "check_module",
    "check_per_sample",
    "testing",
]


def __getattr__(name: str) -> Any:
    """The name from its own module, on first use."""
    if name == "testing":
        return importlib.import_module("backproof.testing")
    if name == "__version__":
        from importlib.metadata import version

        return version("backproof")
    if name not in _HOMES:
        there = "; backproof.testing has the assertions" if name.startswith("assert_") else ""
        offers = ", ".join(__all__)
        raise AttributeError(f"module 'backproof' has no attribute {name!r}{there}; it offers {offers}")
    value = getattr(importlib.import_module(_HOMES[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted([*__all__, *globals()])
