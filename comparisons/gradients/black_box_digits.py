"""Functions with fewer digits than they seem to have: float32, float16, rounded, noisy, drawn anew."""

from collections.abc import Callable
from typing import Any

import numpy as np
from scipy import special

from backproof.comparisons.gradients.black_box_families import BlackBox, family
from backproof.comparisons.gradients.black_box_smooth import softmax
from backproof.scratch.architecture import Array

Rng = np.random.Generator
f32, f16 = np.float32, np.float16


def _mlp(
    rng: Rng, batch: int, relu: bool, dtype: Any, offset: float = 0.0
) -> tuple[Callable[[Array], Any], Array, Array]:
    """(f, theta, gradient) of a 6-8-4 network with cross-entropy; everything is computed in `dtype`."""
    shapes = ((6, 8), (8,), (8, 4), (4,))
    parts = [
        rng.standard_normal(s) / np.sqrt(s[0]) if len(s) == 2 else 0.1 * rng.standard_normal(s)
        for s in shapes
    ]
    theta = np.concatenate([p.ravel() for p in parts]).astype(dtype).astype(float)
    x, y = rng.standard_normal((batch, 6)).astype(dtype), rng.integers(0, 4, batch)
    ends = np.cumsum([int(np.prod(s)) for s in shapes])[:-1]
    rows = np.arange(batch)

    def forward(v: Array) -> tuple[Any, ...]:
        w1, b1, w2, b2 = (q.reshape(s) for q, s in zip(np.split(v.astype(dtype), ends), shapes, strict=True))
        z = x @ w1 + b1
        a = np.maximum(z, 0) if relu else np.tanh(z)
        o = a @ w2 + b2
        m = o.max(1, keepdims=True)
        lse = m[:, 0] + np.log(np.exp(o - m).sum(1, dtype=dtype))
        return (lse - o[rows, y]).mean(dtype=dtype) + dtype(offset), z, a, o, w2

    _, z, a, o, w2 = forward(theta)
    d = softmax(o)
    d[rows, y] -= 1
    d /= dtype(batch)
    e = (d @ w2.T) * ((z > 0) if relu else 1 - a * a)
    gradient = np.concatenate([(x.T @ e).ravel(), e.sum(0), (a.T @ d).ravel(), d.sum(0)])
    return lambda v: forward(v)[0], theta, gradient.astype(float)


def _network(rng: Rng, batch: int, relu: bool, dtype: Any, offset: float = 0.0) -> BlackBox:
    f, theta, gradient = _mlp(rng, batch, relu, dtype, offset)
    return BlackBox(f, theta, gradient)


@family("float32")
def float32_sines(rng: Rng) -> BlackBox:
    t = rng.standard_normal(3).astype(f32).astype(float)
    return BlackBox(lambda t: f32(10) + np.sin(t.astype(f32)).sum(dtype=f32), t, np.cos(t))


@family("float32")
def float32_parabola(rng: Rng) -> BlackBox:
    t = rng.standard_normal(3).astype(f32).astype(float)
    return BlackBox(lambda t: (t.astype(f32) ** 2).sum(dtype=f32), t, 2 * t)


@family("float32")
def float32_log_sum_exp(rng: Rng) -> BlackBox:
    t = rng.standard_normal(4).astype(f32).astype(float)
    return BlackBox(lambda t: f32(special.logsumexp(t.astype(f32))), t, softmax(t))


@family("float32")
def float32_inside_only(rng: Rng) -> BlackBox:
    """The argument is cast to float32, what follows is double precision."""
    t = rng.standard_normal(3).astype(f32).astype(float)
    return BlackBox(lambda t: float(np.sin(t.astype(f32).astype(float)).sum()), t, np.cos(t))


@family("float32")
def float32_tanh_network(rng: Rng) -> BlackBox:
    return _network(rng, 4, False, f32)


@family("float32")
def float32_tanh_network_batch_64(rng: Rng) -> BlackBox:
    return _network(rng, 64, False, f32)


@family("float32")
def float32_relu_network(rng: Rng) -> BlackBox:
    return _network(rng, 4, True, f32)


@family("float32")
def float32_relu_network_batch_64(rng: Rng) -> BlackBox:
    return _network(rng, 64, True, f32)


@family("float32")
def float32_network_plus_100(rng: Rng) -> BlackBox:
    return _network(rng, 16, False, f32, 100.0)


@family("float32")
def float32_value_in_a_python_float(rng: Rng) -> BlackBox:
    f, theta, gradient = _mlp(rng, 16, False, f32)
    return BlackBox(lambda v: float(f(v)), theta, gradient)


@family("float32")
def float32_gradient_of_a_float64_network(rng: Rng) -> BlackBox:
    f, theta, gradient = _mlp(rng, 16, False, np.float64)
    return BlackBox(f, theta, gradient.astype(f32))


@family("float32")
def float32_gradient_of_a_quadratic_form(rng: Rng) -> BlackBox:
    a, t = rng.standard_normal((8, 8)), rng.standard_normal(8).astype(f32)
    a = (a @ a.T).astype(f32)
    wide = a.astype(float)
    return BlackBox(lambda t: float(0.5 * t @ wide @ t), t.astype(float), (a @ t).astype(f32))


@family("float16")
def float16_parabola(rng: Rng) -> BlackBox:
    t = rng.standard_normal(2).astype(f16).astype(float)
    return BlackBox(lambda t: (t.astype(f16) ** 2).sum(dtype=f16), t, 2 * t)


@family("float16")
def float16_sines(rng: Rng) -> BlackBox:
    t = rng.standard_normal(2).astype(f16).astype(float)
    return BlackBox(lambda t: np.sin(t.astype(f16)).sum(dtype=f16), t, np.cos(t))


@family("float16")
def float16_value_of_a_network(rng: Rng) -> BlackBox:
    f, theta, gradient = _mlp(rng, 8, False, np.float64)
    return BlackBox(lambda v: f16(f(v)), theta, gradient)


@family("rounded")
def rounded_to_decimals(rng: Rng) -> BlackBox:
    digits, t = int(rng.integers(3, 13)), rng.standard_normal(4)
    return BlackBox(lambda t: round(float(special.logsumexp(t)), digits), t, softmax(t))


@family("rounded")
def rounded_sines(rng: Rng) -> BlackBox:
    digits, t = int(rng.integers(3, 13)), rng.standard_normal(2)
    return BlackBox(lambda t: round(float(np.sin(t).sum()), digits), t, np.cos(t))


@family("rounded")
def counted_in_steps(rng: Rng) -> BlackBox:
    step, t = 10.0 ** rng.uniform(-9, -3), rng.standard_normal(2)
    return BlackBox(lambda t: float(np.floor(np.exp(t).sum() / step) * step), t, np.exp(t))


@family("noisy")
def noisy_sines(rng: Rng) -> BlackBox:
    level, t, noise = (
        10.0 ** rng.uniform(-12, -4),
        rng.standard_normal(2),
        np.random.default_rng(rng.integers(2**32)),
    )
    return BlackBox(lambda t: float(np.sin(t).sum() + level * noise.standard_normal()), t, np.cos(t))


@family("noisy")
def noisy_parabola(rng: Rng) -> BlackBox:
    level, t, noise = (
        10.0 ** rng.uniform(-10, -3),
        rng.standard_normal(3),
        np.random.default_rng(rng.integers(2**32)),
    )
    return BlackBox(lambda t: float(t @ t * (1 + level * noise.standard_normal())), t, 2 * t)


@family("noisy")
def a_solver_stopped_early(rng: Rng) -> BlackBox:
    """The square roots by bisection to a tolerance: noise that is the same at every call."""
    tolerance, t = 10.0 ** rng.uniform(-12, -5), rng.uniform(0.5, 3, 2)

    def root(value: float) -> float:
        low, high = 0.0, 2.0
        while high - low > tolerance:
            middle = (low + high) / 2
            low, high = (middle, high) if middle * middle < value else (low, middle)
        return low

    return BlackBox(lambda t: sum(root(float(value)) for value in t), t, 0.5 / np.sqrt(t))


@family("random")
def drawn_at_every_call(rng: Rng) -> BlackBox:
    """Dropout that was left on: the gradient is that of the mean."""
    t, noise = rng.standard_normal(5), np.random.default_rng(rng.integers(2**32))
    return BlackBox(lambda t: float(((noise.random(5) < 0.5) * 2 * np.tanh(t)).sum()), t, 1 - np.tanh(t) ** 2)


@family("random")
def mini_batch_at_every_call(rng: Rng) -> BlackBox:
    x, t, noise = (
        rng.standard_normal((50, 3)),
        rng.standard_normal(3),
        np.random.default_rng(rng.integers(2**32)),
    )
    p = special.expit(x @ t)

    def f(t: Array) -> float:
        rows = noise.integers(0, 50, 8)
        return float(np.logaddexp(0, x[rows] @ t).mean())

    return BlackBox(f, t, x.T @ p / 50)
