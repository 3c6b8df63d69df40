"""Sparse softmax cross-entropy with logits: what tf.nn.sparse_softmax_cross_entropy_with_logits computes.

    softmax(z)_k = exp(z_k) / sum_j exp(z_j)
    - sum_k onehot_k log softmax(z)_k = logsumexp(z) - z_y,        gradient: softmax(z) - onehot

The middle form is the definition, the right one is what can be computed: exp(710) overflows, log(0) is
infinite, while logsumexp(z) = max z + log sum exp(z - max z) never does either.
"""

import numpy as np
import torch
from torch.nn import functional

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    at_most,
    number,
)
from backproof.comparisons.lessons.keras_network import installed, tensorflow_cross_entropy
from backproof.comparisons.lessons.pictures import BAD, SCRATCH, TORCH, axes, line
from backproof.scratch.architecture import Array
from backproof.scratch.differences import difference
from backproof.scratch.losses import LOSS_FUNCTIONS

BATCH, OUTPUTS = 32, 10
EPS = float(np.finfo(float).eps)
LARGE = 1e4


def one_hot_cross_entropy(z: Array, labels: Array) -> float:
    """The definition, word for word: exp, divide, log, sum. Mean over the batch; overflows for large z."""
    exponentials = np.exp(z)
    softmax = exponentials / exponentials.sum(axis=1, keepdims=True)
    onehot = np.eye(z.shape[1])[labels]
    return float(-(onehot * np.log(softmax)).sum(axis=1).mean())


def stable_cross_entropy(z: Array, labels: Array) -> float:
    """logsumexp(z) - z_y, mean over the batch: scratch's own loss."""
    return float(LOSS_FUNCTIONS["cross_entropy"].value(z, labels))


def run(setting: Setting) -> LessonResult:
    rng = np.random.default_rng(setting.seed)
    z, labels = 3 * rng.standard_normal((BATCH, OUTPUTS)), rng.integers(0, OUTPUTS, BATCH)
    ours = stable_cross_entropy(z, labels)
    rounding = 4 * (OUTPUTS + 4) * EPS  # sums of ten, exp and log on either side
    claims = [
        at_most("definition", abs(ours - one_hot_cross_entropy(z, labels)), rounding * abs(ours)),
        *_gradient_claims(z, labels, ours, rounding),
        _finite(rng),
    ]
    if setting.keras and installed():
        gap = abs(ours - tensorflow_cross_entropy(z, labels))
        claims.append(at_most("tensorflow", gap, rounding * abs(ours)))
    return LessonResult(
        claims,
        (_curves(), _gradient()),
        (one_hot_cross_entropy, stable_cross_entropy),
        (_overflow(),),
        values={"loss": number(ours), "large": number(LARGE)},
    )


def _gradient_claims(z: Array, labels: Array, ours: float, rounding: float) -> list[Claim]:
    """softmax - onehot against its formula, torch, and central differences; torch's loss beside ours."""
    tensor = torch.tensor(z, requires_grad=True)
    loss = functional.cross_entropy(tensor, torch.from_numpy(labels))
    (by_torch,) = torch.autograd.grad(loss, tensor)
    delta = LOSS_FUNCTIONS["cross_entropy"].delta(z, labels, np.empty_like(z))
    softmax = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
    by_formula = (softmax - np.eye(OUTPUTS)[labels]) / BATCH
    numeric = difference(lambda flat: stable_cross_entropy(flat.reshape(z.shape), labels), z.ravel())
    # h^2/6 M3 + e/h at h = eps^(1/3), on a loss of this size.
    bound = 4 * EPS ** (2 / 3) * max(1.0, ours)
    return [
        at_most("torch", abs(ours - loss.item()), rounding * abs(ours)),
        at_most("gradient", float(np.abs(delta - by_formula).max()), rounding / BATCH),
        at_most("torch_gradient", float(np.abs(delta - by_torch.numpy()).max()), rounding / BATCH),
        at_most("differences", float(np.abs(delta.ravel() - numeric).max()), bound),
    ]


def _overflow() -> Correction:
    """z = (LARGE, -LARGE, 0), label 1: the loss is 2 LARGE."""
    extreme, label = np.array([[LARGE, -LARGE, 0.0]]), np.array([1])
    with np.errstate(over="ignore", invalid="ignore", divide="ignore"):
        naive = one_hot_cross_entropy(extreme, label)
    return Correction(
        "overflow",
        Claim("naive", bool(np.isfinite(naive)), number(2 * LARGE), number(naive)),
        at_most("stable", abs(stable_cross_entropy(extreme, label) - 2 * LARGE), 0.0),
    )


def _finite(rng: np.random.Generator) -> Claim:
    z = LARGE * rng.choice([-1.0, 1.0], (BATCH, OUTPUTS))
    labels = rng.integers(0, OUTPUTS, BATCH)
    delta = LOSS_FUNCTIONS["cross_entropy"].delta(z, labels, np.empty_like(z))
    finite = np.isfinite(stable_cross_entropy(z, labels)) and np.isfinite(delta).all()
    entries = int(np.isfinite(delta).sum())
    return Claim("finite", bool(finite), f"{delta.size}/{delta.size}", f"{entries}/{delta.size}")


def _curves() -> Figure:
    """The loss of z = (s, 0) with label 1 as s grows: the naive form breaks off where exp overflows."""
    s = np.linspace(0, 1000, 101)
    z = np.column_stack([s, np.zeros_like(s)])
    label = np.array([1])
    with np.errstate(all="ignore"):
        naive = [one_hot_cross_entropy(row[None], label) for row in z]
    stable = [stable_cross_entropy(row[None], label) for row in z]
    return Figure(
        "loss",
        (line("logsumexp(z) − z[y]", s, stable, SCRATCH), line("−log softmax(z)[y]", s, naive, BAD, "dash")),
        axes("s", "@loss"),
    )


def _gradient() -> Figure:
    """softmax - onehot for z = (s, 0), label 0: what is still missing to certainty."""
    s = np.linspace(-8, 8, 81)
    p = 1 / (1 + np.exp(-s))
    return Figure(
        "gradient",
        (line("softmax₀ − 1", s, p - 1, SCRATCH), line("softmax₁ − 0", s, 1 - p, TORCH, "dash")),
        axes("z₀ − z₁", "@gradient", height=340),
    )
