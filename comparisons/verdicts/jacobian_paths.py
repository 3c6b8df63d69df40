"""How errors travel through a network: along the Jacobians of the very case.

Of one example, let J_{l,m} = dz_m / dz_l (n_l, n_m), the actual derivative with all its signs:

    J_{l,l+1} = diag(d_l) W_{l+1},     J_{l,m} = J_{l,m-1} diag(d_{m-1}) W_m,     d_l = f'(z_l)

An error r_l that arises at z_l arrives at z_m as r_l J_{l,m}, and an error t_m that arises at
delta_m = dL/dz_m arrives at delta_l as J_{l,m} t_m. If each entry of r_l is at most rho_l, what arrives is at
most sum_l rho_l |J_{l,m}|; if the entries are independent with variances v_l, what arrives has the variance
sum_l v_l J_{l,m}^2, the squares taken entry by entry. Products of |W| in place of |J| would forget every
cancellation on the way: their spectral radius is sqrt(n) times larger, once per layer.

The matrices to the logits (n_l, outputs) are made from the right, all others from the left. Where those would
take more than MOST_WORK multiplications (wide and deep at once), errors between hidden layers that are not
neighbours travel by |W| after all: e_m = (e_{m-1} |d_{m-1}|) |W_m|, and standard deviations likewise, which
holds for errors that depend on each other in any way (Minkowski).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from backproof.comparisons.verdicts.shapes import AtLayer, Jacobian, ToLogits
from backproof.scratch.architecture import Array, Units

MOST_WORK = 2e10


@dataclass(frozen=True)
class Paths:
    """The Jacobians between the layers 0 .. L of some examples; layer L is the logits."""

    derivatives: Sequence[Array]  # d_0 .. d_{L-1}, each (batch, n_l)
    weights: Sequence[Array]  # W_0 .. W_L; W_l leads into layer l

    @property
    def last(self) -> int:
        return len(self.weights) - 1

    @property
    def dense(self) -> bool:
        """Whether the Jacobians between hidden layers are affordable."""
        widths = [d.shape[1] for d in self.derivatives]
        pairs = [(low, high) for high in range(2, len(widths)) for low in range(high - 1)]
        work = sum(float(widths[low]) * widths[high - 1] * widths[high] for low, high in pairs)
        return bool(work * (len(self.derivatives[0]) if widths else 0) <= MOST_WORK)

    @cached_property
    def matrices(self) -> dict[tuple[int, int], Jacobian]:
        """J_{l,m} (batch, n_l, n_m) of all layers l < m that are not neighbours."""
        d, W, last = self.derivatives, self.weights, self.last
        found: dict[tuple[int, int], Jacobian] = {}
        for low in reversed(range(last - 1)):
            found[low, last] = d[low][:, :, None] * (W[low + 1] @ self.neighbour_or(found, low + 1, last))
        if self.dense:
            for low in range(last - 2):
                reached = d[low][:, :, None] * W[low + 1]
                for high in range(low + 2, last):
                    reached = (reached * d[high - 1][:, None, :]) @ W[high]
                    found[low, high] = reached
        return found

    def neighbour_or(self, found: dict[tuple[int, int], Jacobian], low: int, high: int) -> Jacobian:
        """J_{l,m}: made anew of neighbours, else the one found."""
        if low == high - 1:
            return np.asarray(self.derivatives[low][:, :, None] * self.weights[high])
        return found[low, high]

    def to_logits(self, low: int) -> ToLogits:
        """J_{l,L}, (batch, n_l, outputs)."""
        return self.neighbour_or(self.matrices, low, self.last)

    def up(self, sources: Sequence[Units], arrived: Sequence[Units], power: int) -> AtLayer:
        """What the sources of the layers below arrive as at layer m = len(sources), (batch, n_m).

        power 1: at most; power 2: variances. `arrived` is what has arrived at the layers below, without
        their own sources.
        """
        high = len(sources)
        W, d = np.abs(self.weights[high]) ** power, np.abs(self.derivatives[high - 1]) ** power
        total: Array = (sources[-1] * d) @ W
        if high >= 2 and (0, high) not in self.matrices:
            far = np.abs(self.derivatives[high - 1]) * arrived[-1] ** (1 / power)
            return np.asarray(total + (far @ np.abs(self.weights[high])) ** power)
        for low in range(high - 1):
            total += (sources[low][:, None, :] @ np.abs(self.matrices[low, high]) ** power)[:, 0, :]
        return total

    def down(self, low: int, sources: Sequence[Units], arrived: AtLayer, power: int) -> Units:
        """What the sources of delta_{l+1} .. delta_{top} arrive as at delta_l, (batch, n_l).

        `sources` is theirs in this order, the logits' own (if they are among them) last; `arrived` is what
        has arrived at delta_{l+1}, without its own source.
        """
        W, d = np.abs(self.weights[low + 1].T) ** power, np.abs(self.derivatives[low]) ** power
        total: Array = (sources[0] @ W) * d
        hidden = [high for high in range(low + 2, low + 1 + len(sources)) if high < self.last]
        if hidden and (low, hidden[0]) not in self.matrices:
            far = arrived ** (1 / power) @ np.abs(self.weights[low + 1].T) * np.abs(self.derivatives[low])
            return np.asarray(total + far**power)
        for high, source in enumerate(sources[1:], start=low + 2):
            total += (np.abs(self.matrices[low, high]) ** power @ source[:, :, None])[:, :, 0]
        return total
