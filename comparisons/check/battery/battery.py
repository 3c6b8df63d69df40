"""All checks, in the order in which they are asked.

Every check states something the mathematics demands of a correct implementation. None looks for a mistake.
"""

from backproof.comparisons.check.battery import gradients, optional, own_differences, state, training
from backproof.comparisons.check.battery.check import REGISTERED, Check

MODULES = (gradients, own_differences, state, training, optional)
CHECKS: tuple[Check, ...] = tuple(
    check for module in MODULES for check in REGISTERED if check.run.__module__ == module.__name__
)
