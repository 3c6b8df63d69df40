"""Kinks, narrow features, oscillations, bad scales, offsets and the edges of a domain."""

import math
from itertools import pairwise

import numpy as np
from scipy import special

from backproof.comparisons.gradients.black_box_families import BlackBox, family, separable
from backproof.comparisons.gradients.black_box_smooth import softmax
from backproof.scratch.architecture import Array

Rng = np.random.Generator
DEEP = (15, 20, 10, 10, 10, 10, 10, 30, 10)  # widths of a deep network with tiny activations


def _log_uniform(rng: Rng, low: float, high: float) -> float:
    return float(10.0 ** rng.uniform(low, high))


def relu(z: Array) -> Array:
    return np.maximum(z, 0)


@family("kinked")
def absolute_values(rng: Rng) -> BlackBox:
    t, w = rng.standard_normal(4), rng.standard_normal(4)
    return separable(t, np.abs, np.sign, w)


@family("kinked")
def relu_layer(rng: Rng) -> BlackBox:
    x, w, c = rng.standard_normal((6, 4)), rng.standard_normal((4, 3)), rng.standard_normal((6, 3))
    return BlackBox(lambda w: float((c * relu(x @ w)).sum()), w, x.T @ (c * (x @ w > 0)))


@family("kinked")
def leaky_relu_layer(rng: Rng) -> BlackBox:
    x, w, c = rng.standard_normal((6, 4)), rng.standard_normal((4, 4)), rng.standard_normal((6, 4))
    g = x.T @ (c * np.where(x @ w > 0, 1, 0.01))
    return BlackBox(lambda w: float((c * np.maximum(x @ w, 0.01 * (x @ w))).sum()), w, g)


@family("kinked")
def largest_entry(rng: Rng) -> BlackBox:
    t = rng.standard_normal(5)
    g = np.zeros(5)
    g[t.argmax()] = 1
    return BlackBox(lambda t: float(t.max()), t, g)


@family("kinked")
def hinge_loss(rng: Rng) -> BlackBox:
    x, y, w = rng.standard_normal((10, 3)), rng.choice([-1.0, 1.0], 10), rng.standard_normal(3)
    return BlackBox(lambda w: float(relu(1 - y * (x @ w)).mean()), w, -(x.T @ (y * (y * (x @ w) < 1))) / 10)


@family("kinked")
def huber_loss(rng: Rng) -> BlackBox:
    t, w = 2 * rng.standard_normal(4), rng.standard_normal(4)
    return separable(
        t, lambda t: np.where(np.abs(t) < 1, t**2 / 2, np.abs(t) - 0.5), lambda t: np.clip(t, -1, 1), w
    )


@family("kinked")
def lasso(rng: Rng) -> BlackBox:
    x, y, w = rng.standard_normal((10, 4)), rng.standard_normal(10), rng.standard_normal(4)
    return BlackBox(
        lambda w: float(((x @ w - y) ** 2).mean() + 0.1 * np.abs(w).sum()),
        w,
        x.T @ (x @ w - y) / 5 + 0.1 * np.sign(w),
    )


@family("kinked")
def kink_beside_the_point(rng: Rng) -> BlackBox:
    t, w = rng.standard_normal(3), rng.standard_normal(3)
    away = np.array([_log_uniform(rng, -8, -1) for _ in range(3)]) * rng.choice([-1, 1], 3)
    centre = t - away
    return BlackBox(
        lambda t: float(w @ np.abs(t - centre) + np.sin(t).sum()), t, w * np.sign(t - centre) + np.cos(t)
    )


@family("kinked")
def kink_at_the_point(rng: Rng) -> BlackBox:
    w, t = rng.uniform(0.3, 2, 3), np.array([0.0, rng.standard_normal(), 0.0])
    smooth = np.array([0.5, -0.2, 0.1])
    valid = np.where(t == 0, w * rng.uniform(0, 1, 3), w * (t > 0)) + smooth
    low, high = np.where(t == 0, 0, w * (t > 0)) + smooth, np.where(t == 0, w, w * (t > 0)) + smooth
    return BlackBox(lambda t: float(w @ relu(t) + smooth @ t), t, valid, low, high)


@family("kinked")
def curved_on_both_sides_of_a_kink(rng: Rng) -> BlackBox:
    a, b = rng.uniform(0.2, 2, 2)
    low, high = np.array([-b]), np.array([a])
    return BlackBox(
        lambda t: float(np.exp(a * t[0]) if t[0] > 0 else 1 + np.sin(-b * t[0])),
        np.zeros(1),
        low + rng.uniform(0, 1) * (high - low),
        low,
        high,
    )


@family("kinked")
def absolute_sine(rng: Rng) -> BlackBox:
    t, w = rng.uniform(-4, 4, 3), rng.standard_normal(3)
    return separable(t, lambda t: np.abs(np.sin(t)), lambda t: np.sign(np.sin(t)) * np.cos(t), w)


@family("kinked")
def clipped(rng: Rng) -> BlackBox:
    t, w = 1.5 * rng.standard_normal(5), rng.standard_normal(5)
    return separable(t, lambda t: np.clip(t, -1, 1), lambda t: (np.abs(t) < 1).astype(float), w)


@family("kinked")
def max_pooling(rng: Rng) -> BlackBox:
    t, c = rng.standard_normal((4, 4)), rng.standard_normal(4)
    g = np.zeros((4, 4))
    g[np.arange(4), t.argmax(1)] = c
    return BlackBox(lambda t: float(c @ t.max(1)), t, g)


@family("kinked")
def deep_relu_network(rng: Rng) -> BlackBox:
    """Eight layers; the last layer's gradient is asked for, the activations before it are tiny."""
    ws = [0.3 * rng.standard_normal(s) for s in pairwise(DEEP)]
    a, y = rng.standard_normal((2, 15)), rng.integers(0, 10, 2)
    hidden = [a]
    for w in ws[:4]:
        hidden.append(relu(hidden[-1] @ w))

    def forward(w4: Array) -> tuple[list[Array], Array]:
        states = [relu(hidden[4] @ w4)]
        for w in ws[5:-1]:
            states.append(relu(states[-1] @ w))
        return states, states[-1] @ ws[-1]

    def f(w4: Array) -> float:
        z = forward(w4)[1]
        return float((special.logsumexp(z, axis=1) - z[[0, 1], y]).mean())

    states, z = forward(ws[4])
    d = softmax(z)
    d[[0, 1], y] -= 1
    d = d / 2 @ ws[-1].T
    for state, w in zip(states[:0:-1], ws[-2:4:-1], strict=True):
        d = (d * (state > 0)) @ w.T
    return BlackBox(f, ws[4], hidden[4].T @ (d * (states[0] > 0)))


@family("narrow")
def narrow_gaussian(rng: Rng) -> BlackBox:
    width = _log_uniform(rng, -6, -2)
    t = width * rng.uniform(0.2, 2, 1) * rng.choice([-1, 1])
    return BlackBox(lambda t: float(np.exp(-((t[0] / width) ** 2))), t,
                    -2 * t / width**2 * np.exp(-((t / width) ** 2)))  # fmt: skip


@family("narrow")
def narrow_lorentzian(rng: Rng) -> BlackBox:
    width = _log_uniform(rng, -6, -2)
    centre = rng.standard_normal()
    t = centre + width * rng.uniform(0.2, 3, 1)
    u = (t - centre) / width
    return BlackBox(
        lambda t: float(1 / (1 + ((t[0] - centre) / width) ** 2)), t, -2 * u / width / (1 + u**2) ** 2
    )


@family("narrow")
def steep_tanh_squared(rng: Rng) -> BlackBox:
    s = _log_uniform(rng, 1, 6)
    t = rng.uniform(0.1, 1.5, 1) / s
    return BlackBox(
        lambda t: float(np.tanh(s * t[0]) ** 2), t, 2 * s * np.tanh(s * t) * (1 - np.tanh(s * t) ** 2)
    )


@family("narrow")
def narrow_bump_on_a_slope(rng: Rng) -> BlackBox:
    width, height = _log_uniform(rng, -5, -2), _log_uniform(rng, -2, 0)
    t = width * rng.uniform(0.3, 1.5, 1)
    return BlackBox(
        lambda t: float(np.sin(t[0]) + height * np.exp(-((t[0] / width) ** 2))),
        t,
        np.cos(t) - 2 * height * t / width**2 * np.exp(-((t / width) ** 2)),
    )


@family("narrow")
def narrow_hat(rng: Rng) -> BlackBox:
    width = _log_uniform(rng, -6, -2)
    t = width * rng.uniform(0.1, 0.9, 1)
    return BlackBox(lambda t: max(0.0, 1 - abs(float(t[0])) / width), t, np.array([-1 / width]))


@family("narrow")
def steep_step(rng: Rng) -> BlackBox:
    s, centre = _log_uniform(rng, 2, 5), rng.standard_normal(2)
    t = centre + rng.uniform(-3, 3, 2) / s
    return separable(
        t,
        lambda t: special.expit(s * (t - centre)),
        lambda t: s * special.expit(s * (t - centre)) * special.expit(-s * (t - centre)),
        np.ones(2),
    )


@family("oscillating")
def sine_of_a_power_of_two(rng: Rng) -> BlackBox:
    w = 2.0 ** rng.integers(4, 24) * np.pi
    t = rng.uniform(-1, 1, 1)
    return BlackBox(lambda t: float(np.sin(w * t[0])), t, w * np.cos(w * t))


@family("oscillating")
def fast_sine(rng: Rng) -> BlackBox:
    t, w = rng.uniform(-1, 1, 2), np.array([_log_uniform(rng, 2, 6), 1.0])
    return BlackBox(lambda t: float(np.sin(w * t).sum()), t, w * np.cos(w * t))


@family("oscillating")
def ripple_on_a_parabola(rng: Rng) -> BlackBox:
    t, w, a = rng.standard_normal(2), _log_uniform(rng, 3, 5), _log_uniform(rng, -7, -4)
    return separable(
        t, lambda t: t**2 + a * np.sin(w * t), lambda t: 2 * t + a * w * np.cos(w * t), np.ones(2)
    )


@family("oscillating")
def chirp(rng: Rng) -> BlackBox:
    t = rng.uniform(0.5, 4, 2)
    return separable(t, lambda t: np.sin(50 * t**2), lambda t: 100 * t * np.cos(50 * t**2), np.ones(2))


@family("oscillating")
def many_frequencies(rng: Rng) -> BlackBox:
    t, w = rng.uniform(-1, 1, 2), 3.0 ** np.arange(8)
    phase = rng.uniform(0, 6, 8)
    return BlackBox(
        lambda t: float((np.sin(np.outer(t, w) + phase) / w).sum()), t, np.cos(np.outer(t, w) + phase).sum(1)
    )


@family("oscillating")
def beats(rng: Rng) -> BlackBox:
    t, w = rng.uniform(-1, 1, 1), _log_uniform(rng, 1, 3)
    v = 1.1 * w
    return BlackBox(
        lambda t: float(np.sin(w * t[0]) * np.sin(v * t[0])),
        t,
        w * np.cos(w * t) * np.sin(v * t) + v * np.sin(w * t) * np.cos(v * t),
    )


@family("scaled")
def huge_beside_tiny(rng: Rng) -> BlackBox:
    g = np.array([_log_uniform(rng, 3, 12), _log_uniform(rng, -6, 0)])
    return BlackBox(lambda t: float(g @ t), rng.uniform(0.1, 1, 2), g.copy())


@family("scaled")
def scaled_parabolas(rng: Rng) -> BlackBox:
    a, t = np.array([_log_uniform(rng, -4, 4) for _ in range(4)]), rng.standard_normal(4)
    return BlackBox(lambda t: float(a @ t**2), t, 2 * a * t)


@family("scaled")
def logarithm_of_tiny_numbers(rng: Rng) -> BlackBox:
    t = np.array([_log_uniform(rng, -9, -2) for _ in range(2)])
    return BlackBox(lambda t: float(np.log(t).sum()), t, 1 / t)


@family("scaled")
def reciprocals_of_tiny_numbers(rng: Rng) -> BlackBox:
    t = np.array([_log_uniform(rng, -6, -1)])
    return BlackBox(lambda t: float((1 / t).sum()), t, -1 / t**2)


@family("scaled")
def roots_of_huge_numbers(rng: Rng) -> BlackBox:
    t = np.array([_log_uniform(rng, 2, 12) for _ in range(2)])
    return BlackBox(lambda t: float(np.sqrt(t).sum()), t, 0.5 / np.sqrt(t))


@family("scaled")
def squares_of_huge_numbers(rng: Rng) -> BlackBox:
    t = rng.standard_normal(2) * _log_uniform(rng, 3, 9)
    return BlackBox(lambda t: float(t @ t), t, 2 * t)


@family("scaled")
def tiny_values(rng: Rng) -> BlackBox:
    s, t = _log_uniform(rng, -120, -20), rng.standard_normal(3)
    return BlackBox(lambda t: float(s * np.exp(t).sum()), t, s * np.exp(t))


@family("scaled")
def huge_values(rng: Rng) -> BlackBox:
    s, t = _log_uniform(rng, 20, 120), rng.standard_normal(3)
    return BlackBox(lambda t: float(s * np.exp(t).sum()), t, s * np.exp(t))


@family("offset")
def offset_sine(rng: Rng) -> BlackBox:
    c, t = _log_uniform(rng, 1, 5), rng.standard_normal(3)
    return BlackBox(lambda t: float(c + np.sin(t).sum()), t, np.cos(t))


@family("offset")
def drowned_in_an_offset(rng: Rng) -> BlackBox:
    c, t = _log_uniform(rng, 9, 16), rng.standard_normal(2)
    return BlackBox(lambda t: float(c + np.sin(t).sum()), t, np.cos(t))


@family("offset")
def cancelling_offset(rng: Rng) -> BlackBox:
    c, t = _log_uniform(rng, 3, 9), rng.standard_normal(2)
    return BlackBox(lambda t: float((c + np.exp(t)).sum() - 2 * c), t, np.exp(t))


@family("offset")
def softmax_with_large_logits(rng: Rng) -> BlackBox:
    t = rng.standard_normal(5) + rng.choice([-1, 1]) * _log_uniform(rng, 2, 5)
    return BlackBox(lambda t: float(special.logsumexp(t)), t, softmax(t))


@family("domain")
def logarithm_beside_its_pole(rng: Rng) -> BlackBox:
    t = 1 + np.array([_log_uniform(rng, -5, -1)])
    with np.errstate(all="ignore"):
        return BlackBox(lambda t: float(np.log(t[0] - 1)), t, 1 / (t - 1))


@family("domain")
def root_beside_zero(rng: Rng) -> BlackBox:
    t = np.array([_log_uniform(rng, -6, -1) for _ in range(2)])
    return BlackBox(lambda t: float(np.sqrt(t).sum()), t, 0.5 / np.sqrt(t))


@family("domain")
def arc_cosine_beside_one(rng: Rng) -> BlackBox:
    t = 1 - np.array([_log_uniform(rng, -5, -1)])
    return BlackBox(lambda t: float(np.arccos(t[0])), t, -1 / np.sqrt(1 - t**2))


@family("domain")
def logarithm_that_raises(rng: Rng) -> BlackBox:
    t = np.array([_log_uniform(rng, -4, 0)])
    return BlackBox(lambda t: math.log(t[0]), t, 1 / t)


@family("domain")
def overflow_nearby(rng: Rng) -> BlackBox:
    t = np.array([rng.uniform(708.0, 709.6)])
    return BlackBox(lambda t: float(np.log(np.exp(t[0]))), t, np.ones(1))


@family("domain")
def hole_beside_the_point(rng: Rng) -> BlackBox:
    t = rng.standard_normal(1)
    hole = float(t[0]) + _log_uniform(rng, -4, -1)
    return BlackBox(lambda t: float("nan") if abs(t[0] - hole) < 1e-5 else float(np.sin(t[0])), t, np.cos(t))
