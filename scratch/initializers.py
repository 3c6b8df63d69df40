"""Initial weights. Biases start at zero unless the normal scheme is asked to draw them too.

he_normal       W ~ N(0, 2 / fan_in)               He, Zhang, Ren, Sun 2015, eq. 10: keeps relu's variance
glorot_uniform  W ~ U(-r, r), r^2 = 6 / (fan_in + fan_out)   Glorot, Bengio 2010, eq. 16
normal          W ~ N(0, deviation^2), b too where `biases` asks for it
zeros           the symmetric start, from which hidden units never become different
"""

from collections.abc import Callable

import numpy as np

from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.errors import expect, expect_one_of
from backproof.scratch.parameters import Parameters

Draw = Callable[[np.random.Generator, tuple[int, int]], Array]  # of (fan_in, fan_out)


def _glorot_uniform(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    limit = np.sqrt(6.0 / sum(shape))
    return rng.uniform(-limit, limit, shape)


INITIALIZERS: dict[str, Draw] = {
    "he_normal": lambda rng, shape: rng.standard_normal(shape) * np.sqrt(2.0 / shape[0]),
    "glorot_uniform": _glorot_uniform,
    "zeros": lambda rng, shape: np.zeros(shape),
}


def initialize(
    architecture: Architecture, seed: int | np.random.Generator, scheme: str = "he_normal", *,
    deviation: float = 1.0, biases: bool = False,
) -> Parameters:  # fmt: skip
    """Fresh parameters of the architecture's dtype, the same for the same seed.

    All draws come from one generator in layer order, in float64 and then rounded, so that float32 and
    float64 networks of one seed start from the same numbers. `deviation` and `biases` belong to
    scheme="normal": N(0, deviation^2) for the weights, and for the biases where `biases` is true.
    Raises ValueError for an unknown scheme or a negative or non-finite deviation.
    """
    schemes = {"normal": lambda rng, shape: rng.standard_normal(shape) * deviation, **INITIALIZERS}
    expect_one_of("scheme", scheme, schemes)
    expect(0 <= deviation < np.inf, f"deviation: expected a finite number >= 0, got {deviation!r}")
    rng, parameters = np.random.default_rng(seed), Parameters(architecture)
    for weight, bias in parameters.layers:
        weight[...] = schemes[scheme](rng, weight.shape)
        if biases and scheme == "normal":
            bias[...] = rng.standard_normal(bias.shape) * deviation
    return parameters
