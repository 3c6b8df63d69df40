"""Initial weights. Biases start at zero unless the normal scheme is asked to draw them too.

he_normal       W ~ N(0, 2 / fan_in)               He, Zhang, Ren, Sun 2015, eq. 10: keeps relu's variance
glorot_uniform  W ~ U(-r, r), r^2 = 6 / (fan_in + fan_out)   Glorot, Bengio 2010, eq. 16
normal          W ~ N(0, deviation^2), b too where `biases` asks for it
zeros           the symmetric start, from which hidden units never become different
"""

from collections.abc import Callable

import numpy as np
from numpy.random import Generator

from .architecture import Architecture, Weight
from .errors import expect, expect_one_of
from .parameters import Parameters

Shape = tuple[int, int]  # (fan_in, fan_out)
Draw = Callable[[Generator, Shape], Weight]


def _he_normal(rng: Generator, shape: Shape) -> Weight:
    fan_in, _ = shape
    weight: Weight = rng.standard_normal(shape) * np.sqrt(2.0 / fan_in)
    return weight


def _glorot_uniform(rng: Generator, shape: Shape) -> Weight:
    limit = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-limit, limit, shape)


INITIALIZERS: dict[str, Draw] = {
    "he_normal": _he_normal,
    "glorot_uniform": _glorot_uniform,
    "zeros": lambda rng, shape: np.zeros(shape),
}


def initialize(
    architecture: Architecture,
    seed: int | Generator,
    scheme: str = "he_normal",
    *,
    deviation: float = 1.0,
    biases: bool = False,
) -> Parameters:
    """Fresh parameters of the architecture's dtype, the same for the same seed.

    All draws come from one generator in layer order, in float64 and then rounded, so that float32 and
    float64 networks of one seed start from the same numbers.

    Parameters
    ----------
    architecture
        The network they are for.
    seed
        Of the generator, or the generator itself.
    scheme
        "normal", or one of INITIALIZERS.
    deviation
        Of scheme="normal": N(0, deviation^2).
    biases
        Whether scheme="normal" draws the biases too.

    Returns
    -------
    Parameters
        Biases are zero unless they are drawn.

    Raises
    ------
    InputError
        For an unknown scheme or a negative or non-finite deviation.

    References
    ----------
    He, Zhang, Ren, Sun 2015; Glorot, Bengio 2010.
    """
    schemes = {"normal": lambda rng, shape: rng.standard_normal(shape) * deviation, **INITIALIZERS}
    expect_one_of("scheme", scheme, schemes)
    expect(0 <= deviation < np.inf, f"deviation: expected a finite number >= 0, got {deviation!r}")
    rng = np.random.default_rng(seed)
    parameters = Parameters(architecture)
    for weight, bias in parameters.layers:
        weight[...] = schemes[scheme](rng, weight.shape)
        if biases and scheme == "normal":
            bias[...] = rng.standard_normal(bias.shape) * deviation
    return parameters
