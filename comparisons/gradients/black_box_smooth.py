"""Smooth functions, with their gradients by formula."""

import numpy as np
from scipy import special

from backproof.comparisons.gradients.black_box_families import BlackBox, family, separable
from backproof.scratch.architecture import Array

Rng = np.random.Generator


def _size(rng: Rng) -> int:
    return int(rng.integers(1, 7))


def _normal(rng: Rng) -> tuple[Array, Array]:
    """A point and weights."""
    n = _size(rng)
    return rng.standard_normal(n), rng.standard_normal(n)


def softmax(z: Array) -> Array:
    e = np.exp(z - z.max(-1, keepdims=True))
    probabilities: Array = e / e.sum(-1, keepdims=True)
    return probabilities


@family("smooth")
def linear(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return BlackBox(lambda t: float(w @ t), t, w.copy())


@family("smooth")
def quadratic_form(rng: Rng) -> BlackBox:
    t, b = _normal(rng)
    a = rng.standard_normal((t.size, t.size))
    a = a @ a.T
    return BlackBox(lambda t: float(0.5 * t @ a @ t + b @ t), t, a @ t + b)


@family("smooth")
def cubic(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: t**3, lambda t: 3 * t**2, w)


@family("smooth")
def quintic(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: t**5 - 2 * t**2 + t, lambda t: 5 * t**4 - 4 * t + 1, w)


@family("smooth")
def rosenbrock(rng: Rng) -> BlackBox:
    t = rng.standard_normal(_size(rng) + 1)
    g, inner = np.zeros_like(t), t[1:] - t[:-1] ** 2
    g[1:] += 200 * inner
    g[:-1] += -400 * t[:-1] * inner - 2 * (1 - t[:-1])
    return BlackBox(lambda t: float((100 * (t[1:] - t[:-1] ** 2) ** 2 + (1 - t[:-1]) ** 2).sum()), t, g)


@family("smooth")
def exponentials(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, np.exp, np.exp, w)


@family("smooth")
def log_sum_exp(rng: Rng) -> BlackBox:
    t, _ = _normal(rng)
    return BlackBox(lambda t: float(special.logsumexp(t)), t, softmax(t))


@family("smooth")
def sines(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, np.sin, np.cos, w)


@family("smooth")
def product_of_cosines(rng: Rng) -> BlackBox:
    t = rng.uniform(-1, 1, _size(rng))
    return BlackBox(lambda t: float(np.cos(t).prod()), t, -np.tan(t) * np.cos(t).prod())


@family("smooth")
def gaussian(rng: Rng) -> BlackBox:
    t, _ = _normal(rng)
    return BlackBox(lambda t: float(np.exp(-0.5 * t @ t)), t, -t * np.exp(-0.5 * t @ t))


@family("smooth")
def runge(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: 1 / (1 + 25 * t**2), lambda t: -50 * t / (1 + 25 * t**2) ** 2, w)


@family("smooth")
def log_of_squares(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: np.log1p(t**2), lambda t: 2 * t / (1 + t**2), w)


@family("smooth")
def smooth_norm(rng: Rng) -> BlackBox:
    t, _ = _normal(rng)
    return BlackBox(lambda t: float(np.sqrt(1 + t @ t)), t, t / np.sqrt(1 + t @ t))


@family("smooth")
def euclidean_norm(rng: Rng) -> BlackBox:
    t, _ = _normal(rng)
    return BlackBox(lambda t: float(np.linalg.norm(t)), t, t / np.linalg.norm(t))


@family("smooth")
def fourth_norm(rng: Rng) -> BlackBox:
    t, _ = _normal(rng)
    total = (t**4).sum()
    return BlackBox(lambda t: float((t**4).sum() ** 0.25), t, t**3 * total**-0.75)


@family("smooth")
def arctangents(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, np.arctan, lambda t: 1 / (1 + t**2), w)


@family("smooth")
def softplus(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: np.logaddexp(0, t), special.expit, w)


@family("smooth")
def sigmoids(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, special.expit, lambda t: special.expit(t) * special.expit(-t), w)


@family("smooth")
def error_function(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, special.erf, lambda t: 2 / np.sqrt(np.pi) * np.exp(-(t**2)), w)


@family("smooth")
def log_gamma(rng: Rng) -> BlackBox:
    t = rng.uniform(0.5, 5, _size(rng))
    return separable(t, special.gammaln, special.digamma, rng.standard_normal(t.size))


@family("smooth")
def bessel(rng: Rng) -> BlackBox:
    t, w = rng.uniform(-5, 5, 3), rng.standard_normal(3)
    return separable(t, special.j0, lambda t: -special.j1(t), w)


@family("smooth")
def powers(rng: Rng) -> BlackBox:
    t, p = rng.uniform(0.3, 3, 4), rng.uniform(-2, 3, 4)
    return BlackBox(lambda t: float((t**p).sum()), t, p * t ** (p - 1))


@family("smooth")
def entropy(rng: Rng) -> BlackBox:
    t = rng.uniform(0.05, 2, _size(rng))
    return BlackBox(lambda t: float((t * np.log(t)).sum()), t, np.log(t) + 1)


@family("smooth")
def sine_of_exponential(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    return separable(t, lambda t: np.sin(np.exp(t)), lambda t: np.exp(t) * np.cos(np.exp(t)), w)


@family("smooth")
def gelu(rng: Rng) -> BlackBox:
    t, w = _normal(rng)
    slope = special.ndtr(t) + t * np.exp(-(t**2) / 2) / np.sqrt(2 * np.pi)
    return BlackBox(lambda t: float(w @ (t * special.ndtr(t))), t, w * slope)


@family("smooth")
def log_determinant(rng: Rng) -> BlackBox:
    a = rng.standard_normal((3, 3))
    a = a @ a.T + np.eye(3) + 0.3 * rng.standard_normal((3, 3))
    return BlackBox(lambda a: float(np.linalg.slogdet(a)[1]), a, np.linalg.inv(a).T)


@family("smooth")
def trace_of_inverse(rng: Rng) -> BlackBox:
    a = 2 * np.eye(3) + 0.5 * rng.standard_normal((3, 3))
    inverse = np.linalg.inv(a)
    return BlackBox(lambda a: float(np.trace(np.linalg.inv(a))), a, -(inverse @ inverse).T)


@family("smooth")
def softmax_regression(rng: Rng) -> BlackBox:
    x, y, w = rng.standard_normal((8, 4)), rng.integers(0, 4, 8), rng.standard_normal((4, 4))

    def f(w: Array) -> float:
        z = x @ w
        return float((special.logsumexp(z, axis=1) - z[np.arange(8), y]).mean())

    delta = softmax(x @ w)
    delta[np.arange(8), y] -= 1
    return BlackBox(f, w, x.T @ delta / 8)


@family("smooth")
def logistic_regression(rng: Rng) -> BlackBox:
    x, y, w = rng.standard_normal((12, 3)), rng.integers(0, 2, 12), rng.standard_normal(3)
    return BlackBox(
        lambda w: float((np.logaddexp(0, x @ w) - y * (x @ w)).mean()),
        w,
        x.T @ (special.expit(x @ w) - y) / 12,
    )


@family("smooth")
def tanh_layer(rng: Rng) -> BlackBox:
    x, w, c = rng.standard_normal((5, 4)), rng.standard_normal((4, 4)), rng.standard_normal((5, 4))
    return BlackBox(lambda w: float((c * np.tanh(x @ w)).sum()), w, x.T @ (c * (1 - np.tanh(x @ w) ** 2)))


@family("smooth")
def layer_norm(rng: Rng) -> BlackBox:
    t, c = rng.standard_normal(6), rng.standard_normal(6)

    def f(t: Array) -> float:
        return float(c @ ((t - t.mean()) / np.sqrt(t.var() + 1e-5)))

    s = np.sqrt(t.var() + 1e-5)
    n = (t - t.mean()) / s
    return BlackBox(f, t, (c - c.mean() - n * (c @ n) / 6) / s)


@family("smooth")
def attention(rng: Rng) -> BlackBox:
    q, k, v = rng.standard_normal(4), rng.standard_normal((5, 4)), rng.standard_normal(5)
    p = softmax(k @ q)
    return BlackBox(lambda q: float(softmax(k @ q) @ v), q, k.T @ (p * (v - p @ v)))


@family("smooth")
def least_squares(rng: Rng) -> BlackBox:
    x, y, w = rng.standard_normal((20, 70)), rng.standard_normal(20), rng.standard_normal(70) / 8
    return BlackBox(lambda w: float(((x @ w - y) ** 2).mean()), w, 2 * x.T @ (x @ w - y) / 20)


@family("flat")
def stationary_point(rng: Rng) -> BlackBox:
    n = _size(rng)
    w = rng.standard_normal(n)
    return BlackBox(lambda t: float(w @ np.cos(t)), np.zeros(n), np.zeros(n))


@family("flat")
def saturated_sigmoid(rng: Rng) -> BlackBox:
    t = rng.uniform(5, 25, 3)
    return separable(t, special.expit, lambda t: special.expit(t) * special.expit(-t), np.ones(3))


@family("flat")
def unused_entries(rng: Rng) -> BlackBox:
    t = rng.standard_normal(4)
    return BlackBox(
        lambda t: float(np.sin(t[0]) + t[1] ** 2), t, np.array([np.cos(t[0]), 2 * t[1], 0.0, 0.0])
    )


@family("flat")
def embedding(rng: Rng) -> BlackBox:
    rows, c = rng.integers(0, 6, 5), rng.standard_normal((5, 3))
    g = np.zeros((6, 3))
    np.add.at(g, rows, c)
    return BlackBox(lambda w: float((c * w[rows]).sum()), rng.standard_normal((6, 3)), g)
