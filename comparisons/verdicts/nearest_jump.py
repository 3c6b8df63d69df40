"""Where a function jumps beside the point at which its slope is asked for, so that the reason can name it.

The steps of a difference that see a jump within them give jump / (2 h), more the shorter they are, and those
that see none give the slope. Between two neighbouring steps the half with the larger change is halved again:
across a smooth piece the change falls with the width, across a jump it stays.
"""

from itertools import pairwise

from backproof.comparisons.verdicts.function_line import Line

FIRST, RATIO, STEPS = 1e-10, 4.0, 17  # up to 0.43 of the entry's scale
NOISES = 1e3  # a change of fewer is no jump that could matter
LEFT = 0.5  # of the change across a jump is there to the last
HALVINGS = 30
TRIED = 5  # of them, after which a smooth piece shows itself


def nearest_jump(line: Line, c: int, noise: float) -> float | None:
    """The signed step to the nearest jump of function c along the line.

    Parameters
    ----------
    line
        Of parameters through the point, in one entry.
    c
        The number of the function.
    noise
        Of one of its values.

    Returns
    -------
    float or None
        In the units of the entry; None where no jump is seen within half of its scale.
    """
    edges = [0.0, *(FIRST * RATIO**k * line.scale for k in range(STEPS))]
    for near, far in pairwise(edges):
        for side in (1.0, -1.0):
            found = _jump_between(line, c, (side * near, side * far), NOISES * noise)
            if found is not None:
                return found
    return None


def _jump_between(line: Line, c: int, ends: tuple[float, float], least: float) -> float | None:
    """The place of a jump of more than `least` between two steps; None for a smooth piece."""

    def psi(s: float) -> float:
        return float(line.at(s).residual[c])

    near, far = ends
    low, high = psi(near), psi(far)
    first = abs(high - low)
    for halving in range(HALVINGS):
        # NaN, outside f's domain, ends this too.
        if not abs(high - low) > least or (halving == TRIED and abs(high - low) < LEFT * first):
            return None
        middle = (near + far) / 2
        value = psi(middle)
        if abs(value - low) > abs(high - value):
            far, high = middle, value
        else:
            near, low = middle, value
    return far if abs(high - low) >= LEFT * first else None
