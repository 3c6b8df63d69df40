"""Initial weights. Biases start at zero unless the normal scheme is asked to draw them too.

he_normal       W ~ N(0, 2 / fan_in)               He, Zhang, Ren, Sun 2015, eq. 10: keeps relu's variance
glorot_uniform  W ~ U(-r, r), r^2 = 6 / (fan_in + fan_out)   Glorot, Bengio 2010, eq. 16
normal          W ~ N(0, deviation^2), b too where `biases` asks for it
zeros           the symmetric start, from which hidden units never become different
"""

from collections.abc import Callable

import numpy as np

from scratch.architecture import Architecture, Array
from scratch.parameters import Parameters


def he_normal(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    weight: Array = rng.standard_normal((fan_in, fan_out)) * np.sqrt(2.0 / fan_in)
    return weight


def glorot_uniform(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    limit = np.sqrt(6.0 / (fan_in + fan_out))
    return rng.uniform(-limit, limit, (fan_in, fan_out))


def zeros(rng: np.random.Generator, fan_in: int, fan_out: int) -> Array:
    return np.zeros((fan_in, fan_out))


INITIALIZERS: dict[str, Callable[[np.random.Generator, int, int], Array]] = {
    "he_normal": he_normal,
    "glorot_uniform": glorot_uniform,
    "zeros": zeros,
}


def initialize(
    architecture: Architecture,
    seed: int | np.random.Generator,
    scheme: str = "he_normal",
    *,
    deviation: float = 1.0,
    biases: bool = False,
) -> Parameters:
    """Fresh parameters of the architecture's dtype, the same for the same seed.

    All draws come from one generator in layer order, in float64 and then rounded, so that float32 and
    float64 networks of one seed start from the same numbers. `deviation` and `biases` belong to
    scheme="normal": N(0, deviation^2) for the weights, and for the biases where `biases` is true.
    Raises ValueError for an unknown scheme or a negative or non-finite deviation.
    """
    if scheme != "normal" and scheme not in INITIALIZERS:
        raise ValueError(f"scheme: expected one of normal, {', '.join(INITIALIZERS)}; got {scheme!r}")
    if not 0 <= deviation < np.inf:
        raise ValueError(f"deviation: expected a finite number >= 0, got {deviation!r}")
    rng = np.random.default_rng(seed)
    parameters = Parameters(architecture)
    for weight, bias in parameters.layers:
        if scheme == "normal":
            weight[...] = rng.standard_normal(weight.shape) * deviation
            if biases:
                bias[...] = rng.standard_normal(bias.shape) * deviation
        else:
            weight[...] = INITIALIZERS[scheme](rng, *weight.shape)
    return parameters
