"""Against overfitting: dropout and label smoothing. (Weight decay belongs to the optimisers.)

dropout           d = m * a, with m = 1/(1-p) with probability 1-p and 0 else, so that E[d] = a:
                  inverted, hence nothing to do at prediction.  dL/da = m * dL/dd
                  Srivastava, Hinton, Krizhevsky, Sutskever, Salakhutdinov 2014, sections 4 and 10
label smoothing   targets q = (1 - s) onehot + s/K instead of onehot:
                  L = 1/N sum_n [logsumexp(z_n) - q_n . z_n];  delta = (softmax(z) - q) / N
                  Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, section 7

A mask is data, drawn before the forward pass and handed to forward and backward alike. A loss under fixed
masks is an ordinary function of the parameters, so dropout is gradient-checked like everything else.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from .architecture import Architecture, Labels, Logits, PerExample, Units
from .errors import expect
from .losses import LOSS_FUNCTIONS, Loss, Out


@dataclass(frozen=True)
class Mask:
    """What one layer's inputs are multiplied with: `values` (batch, units) in {0, 1/keep}."""

    values: Units
    keep: float

    def backpropagate(self, delta: Units, d: Units) -> Units:
        """Back through the mask: dL/dd becomes dL/da, in place.

        Parameters
        ----------
        delta
            dL/dd (batch, units), overwritten.
        d
            (batch, units): what went on, a times `values`.

        Returns
        -------
        array (batch, units)
            a itself for the units kept, 0 for those dropped.
        """
        delta *= self.values
        return d * self.keep


@dataclass(frozen=True)
class Dropout:
    """How often a unit is dropped.

    Parameters
    ----------
    hidden, inputs
        The probability p in [0, 1) for the units of hidden layers, and for the inputs.
    seed
        Of the generator from which a training run draws its masks.

    Raises
    ------
    InputError
        For a p that is not in [0, 1).
    """

    hidden: float = 0.5
    inputs: float = 0.0
    seed: int = 0

    def __post_init__(self) -> None:
        for name, p in (("hidden", self.hidden), ("inputs", self.inputs)):
            expect(0.0 <= p < 1.0, f"{name}: expected a probability in [0, 1), got {p!r}")

    def masks(self, rng: np.random.Generator, architecture: Architecture, n: int) -> list[Mask | None]:
        """Masks for one batch, the same for the same state of the generator.

        Parameters
        ----------
        rng
            Drawn from once for each mask.
        architecture
            Says how many inputs each layer has, and their dtype.
        n
            Examples of the batch.

        Returns
        -------
        list
            One mask (n, fan_in) per layer; None where nothing is dropped.
        """
        masks: list[Mask | None] = []
        for layer, (units, _) in enumerate(architecture.layer_shapes):
            p = self.hidden if layer else self.inputs
            if not p:
                masks.append(None)
                continue
            # float32 uniforms: half the time of float64, and p is off by at most 2^-24.
            values = (rng.random((n, units), np.float32) >= p).astype(architecture.dtype)
            values *= values.dtype.type(1.0 / (1.0 - p))
            masks.append(Mask(values, float(1.0 - p)))
        return masks


Masks = Sequence[Mask | None]


def smoothed_cross_entropy(smoothing: float) -> Loss:
    """cross_entropy with the share `smoothing` in [0, 1) of every target spread evenly over the K outputs.

    Parameters
    ----------
    smoothing
        The share s in [0, 1), 0 for the sharp loss.

    Returns
    -------
    Loss
        Its targets are integer labels (batch,), as those of the sharp loss.

    Raises
    ------
    InputError
        For another share.

    References
    ----------
    Szegedy, Vanhoucke, Ioffe, Shlens, Wojna 2016, section 7.
    """
    expect(0.0 <= smoothing < 1.0, f"smoothing: expected a share in [0, 1), got {smoothing!r}")
    sharp = LOSS_FUNCTIONS["cross_entropy"]

    def terms_and_delta(z: Logits, labels: Labels, out: Out, factor: float) -> PerExample:
        rows = np.arange(len(z))
        terms = sharp.terms_and_delta(z, labels, out, factor)
        if out is not None:
            # (softmax(z) - onehot) / N + s (onehot - 1/K) / N
            out -= factor * smoothing / z.size
            out[rows, labels] += factor * smoothing / len(z)
        # logsumexp(z) - (1 - s) z_y - s mean(z) = cross entropy + s (z_y - mean(z))
        terms += smoothing * (z[rows, labels] - z.mean(axis=1))
        return terms

    return Loss(terms_and_delta, sharp.scale)
