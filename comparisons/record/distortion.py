"""Random distortions of images: the same digit, written by another hand.

Pixel p of the distorted image is the original at

    q(p) = c + A (p - c) + t + e(p),      A = rotation . shear . scaling,

c the centre, t a shift, and e an elastic displacement: white noise smoothed by a Gaussian of standard
deviation `smoothness`, scaled to a root mean square of `elastic` pixels [1, section 2]. Between
pixels the original is interpolated bilinearly and outside of it is 0, so every value is a
convex combination of old values and 0: images in [0, 1] stay there. Row i comes from row i: labels keep
their images.

Smoothing a field costs more than distorting an image, so `N_FIELDS` fields are made once and drawn from.
Work goes in blocks that fit the cache.

References
----------
[1] Simard et al. 2003. In full: `backproof.scratch.references`.
"""

from dataclasses import dataclass

import numpy as np
from scipy.ndimage import gaussian_filter

from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

N_FIELDS = 4096
BLOCK = 64  # images: at 28 x 28, a float32 array of 200 kB per intermediate


@dataclass(frozen=True)
class Distortion:
    """How strongly to distort. Each image draws its own numbers, uniform between -limit and limit."""

    rotation: float = 10.0  # degrees
    scaling: float = 0.12  # the logarithm of the factor, drawn per axis
    shear: float = 0.12
    shift: float = 1.5  # pixels
    elastic: float = 1.2  # pixels, root mean square
    smoothness: float = 4.0  # pixels

    def __post_init__(self) -> None:
        for name in ("rotation", "scaling", "shear", "shift", "elastic"):
            if not 0.0 <= getattr(self, name) < np.inf:
                raise InputError(f"{name}: expected a number >= 0, got {getattr(self, name)!r}")
        if not 0.0 < self.smoothness < np.inf:
            raise InputError(f"smoothness: expected a positive number, got {self.smoothness!r}")


class Distorter:
    """Distorts images of one shape. Its fields come from `seed`, all else from the rng of each call."""

    def __init__(self, distortion: Distortion, image_shape: tuple[int, int], seed: int) -> None:
        self.distortion, self.image_shape = distortion, image_shape
        rng = np.random.default_rng(seed)
        self.fields = _elastic_fields(rng, distortion, image_shape) if distortion.elastic else None
        height, width = image_shape
        rows, columns = np.indices(image_shape, np.float32).reshape(2, -1)
        self.centre = np.array([(height - 1) / 2, (width - 1) / 2], np.float32)
        self.from_centre = np.stack([rows, columns], axis=1) - self.centre  # (pixels, 2)

    def __call__(self, images: Array, rng: np.random.Generator, out: Array | None = None) -> Array:
        """Distort images (n, pixels) into `out`, a fresh float32 array unless given.

        `out` may be `images`, which otherwise stay as they are.

        Raises InputError where the rows are not images of this shape.
        """
        pixels = self.image_shape[0] * self.image_shape[1]
        if images.ndim != 2 or images.shape[1] != pixels:
            raise InputError(f"images: expected shape (n, {pixels}), got {images.shape}")
        if out is None:
            out = np.empty(images.shape, np.float32)
        for start in range(0, len(images), BLOCK):
            block = images[start : start + BLOCK]
            _sample(block, self.image_shape, self._positions(len(block), rng), out[start : start + BLOCK])
        return out

    def _positions(self, n: int, rng: np.random.Generator) -> Array:
        """q (2, n, pixels): rows, then columns."""
        matrices, shifts = _affine(rng, n, self.distortion)
        # q = (c + t) + A (p - c)
        q = np.matmul(matrices, self.from_centre.T)  # (n, 2, pixels)
        q += (self.centre + shifts)[:, :, None]
        if self.fields is not None:
            q += self.fields[rng.integers(0, len(self.fields), n)]
        positions: Array = q.transpose(1, 0, 2)
        return positions


def _affine(rng: np.random.Generator, n: int, limits: Distortion) -> tuple[Array, Array]:
    """A (n, 2, 2) and t (n, 2), float32."""
    angle = np.radians(limits.rotation) * rng.uniform(-1, 1, n)
    shear = limits.shear * rng.uniform(-1, 1, n)
    scale = np.exp(limits.scaling * rng.uniform(-1, 1, (n, 2)))
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.stack([cos, -sin, sin, cos], axis=1).reshape(n, 2, 2)
    shearing = np.stack([np.ones(n), np.zeros(n), shear, np.ones(n)], axis=1).reshape(n, 2, 2)
    matrices = rotation @ shearing * scale[:, None, :]
    return matrices.astype(np.float32), (limits.shift * rng.uniform(-1, 1, (n, 2))).astype(np.float32)


def _elastic_fields(rng: np.random.Generator, limits: Distortion, shape: tuple[int, int]) -> Array:
    """(N_FIELDS, 2, pixels) displacements in pixels, float32."""
    noise = rng.standard_normal((N_FIELDS, 2, *shape)).astype(np.float32)
    # Noise beyond the border is drawn too, by reflection, so that fields do not fade towards it.
    smooth = gaussian_filter(
        noise, (0, 0, limits.smoothness, limits.smoothness), mode="reflect", truncate=3.0
    )
    smooth *= limits.elastic / np.sqrt(np.mean(smooth**2))
    fields: Array = smooth.reshape(N_FIELDS, 2, -1)
    return fields


def _sample(images: Array, shape: tuple[int, int], positions: Array, out: Array) -> None:
    """Bilinear interpolation of images (n, pixels) at positions (2, n, pixels), 0 outside, into `out`."""
    n, (height, width) = len(images), shape
    # Two pixels of 0 around each image, and positions held inside that frame: the border needs no test.
    padded = np.zeros((n, height + 4, width + 4), np.float32)
    padded[:, 2:-2, 2:-2] = images.reshape(n, height, width)
    flat, stride = padded.reshape(-1), width + 4
    row = np.clip(positions[0], -2.0, height + 0.999)
    column = np.clip(positions[1], -2.0, width + 0.999)
    # floor(q) + 2, by truncation: q + 2 >= 0
    row += 2.0
    column += 2.0
    top, left = row.astype(np.int32), column.astype(np.int32)
    row -= top
    column -= left
    corner = top * np.int32(stride)
    corner += left
    corner += np.arange(0, n * (height + 4) * stride, (height + 4) * stride, dtype=np.int32)[:, None]
    # lerp in columns on the upper and on the lower row, then between them
    upper = _lerp(flat[corner], flat[corner + 1], column)
    corner += stride
    lower = _lerp(flat[corner], flat[corner + 1], column)
    # Rounding may carry a + share (b - a) an ulp past the larger of a and b: past 1, for images in [0, 1].
    np.clip(_lerp(upper, lower, row), padded.min(), padded.max(), out=out)


def _lerp(a: Array, b: Array, share: Array) -> Array:
    """a + share (b - a), in b's memory."""
    b -= a
    b *= share
    b += a
    return b
