"""`backproof check`: somebody's class on trial; `check_gradient`, `check_module`: a bare gradient.

subject   the class, in a process of its own        cases     what it is tried on
battery   the checks, each from one statement of the mathematics
trial     runs them, shrinks the first failure      diagnosis which known mistake explains what was seen
modules   a torch module's backward pass            comparisons.blackbox  the gradient of any scalar function

    from comparisons.check import check_gradient, check_module
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comparisons.blackbox import check_gradient
    from comparisons.check.modules import check_module

__all__ = ["check_gradient", "check_module"]


def __getattr__(name: str) -> Any:
    """Both on first use: torch is imported by who checks a torch module, and by nobody else."""
    if name == "check_gradient":
        from comparisons.blackbox import check_gradient

        return check_gradient
    if name == "check_module":
        from comparisons.check.modules import check_module

        return check_module
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
