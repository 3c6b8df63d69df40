"""Distortions: they keep labels with their images, stay in [0, 1], and do what their formula says."""

from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.ndimage import map_coordinates

from backproof.comparisons.data.dataset import load
from backproof.comparisons.record import distortion as module
from backproof.comparisons.record.distortion import Distorter, Distortion
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from tests.support.tolerances import gamma

SHAPE = (12, 10)
NONE = Distortion(0.0, 0.0, 0.0, 0.0, 0.0)
SEEDS = st.integers(0, 2**32 - 1)


@pytest.fixture(scope="module", autouse=True)
def few_fields() -> Iterator[None]:
    patch = pytest.MonkeyPatch()
    patch.setattr(module, "N_FIELDS", 32)
    yield
    patch.undo()


def images(seed: int, n: int = 5, shape: tuple[int, int] = SHAPE) -> Array:
    return np.random.default_rng(seed).random((n, shape[0] * shape[1]), np.float32)


def fields_of(distorter: Distorter) -> Array:
    assert distorter.fields is not None
    return distorter.fields


limits = st.floats(0.0, 1.0)
distortions = st.builds(
    Distortion,
    rotation=limits.map(lambda x: 90 * x),
    scaling=limits,
    shear=limits,
    shift=limits.map(lambda x: 20 * x),
    elastic=limits.map(lambda x: 10 * x),
    smoothness=st.floats(0.5, 6.0),
)


@given(distortions, SEEDS)
def test_images_stay_between_zero_and_one_however_strong_the_distortion(
    distortion: Distortion, seed: int
) -> None:
    found = Distorter(distortion, SHAPE, 0)(images(seed), np.random.default_rng(seed))
    assert np.all((found >= 0) & (found <= 1))


@given(SEEDS)
def test_no_distortion_changes_nothing(seed: int) -> None:
    x = images(seed)
    np.testing.assert_array_equal(Distorter(NONE, SHAPE, 0)(x, np.random.default_rng(0)), x)


@given(SEEDS)
def test_a_row_depends_on_its_own_image_alone(seed: int) -> None:
    """Every other image replaced by another: row 2 stays bit for bit, so an image cannot change its label."""
    distorter, x = Distorter(Distortion(), SHAPE, 0), images(seed)
    others = images(seed + 1)
    others[2] = x[2]
    first = distorter(x, np.random.default_rng(seed))
    second = distorter(others, np.random.default_rng(seed))
    np.testing.assert_array_equal(first[2], second[2])


@given(SEEDS)
def test_the_same_generator_state_distorts_the_same(seed: int) -> None:
    distorter, x = Distorter(Distortion(), SHAPE, 0), images(seed)
    first, second = (distorter(x, np.random.default_rng(seed)) for _ in range(2))
    np.testing.assert_array_equal(first, second)


def test_every_image_draws_a_distortion_of_its_own() -> None:
    x = np.repeat(images(0, n=1), 8, axis=0)
    found = Distorter(Distortion(), SHAPE, 0)(x, np.random.default_rng(0))
    assert len(np.unique(found, axis=0)) == 8


def test_the_images_given_are_not_changed_unless_they_are_the_output() -> None:
    x = images(0)
    kept = x.copy()
    Distorter(Distortion(), SHAPE, 0)(x, np.random.default_rng(0))
    np.testing.assert_array_equal(x, kept)


@given(SEEDS, st.integers(1, 200))
def test_working_in_place_gives_the_same(seed: int, n: int) -> None:
    distorter, x = Distorter(Distortion(), SHAPE, 0), images(seed, n)
    expected = distorter(x, np.random.default_rng(seed))
    found = distorter(x, np.random.default_rng(seed), out=x)
    assert found is x
    np.testing.assert_array_equal(found, expected)


@given(SEEDS)
def test_values_between_pixels_are_scipys_bilinear_ones(seed: int) -> None:
    """`map_coordinates` of order 1, in float64, at the very same positions."""
    distorter, x = Distorter(Distortion(), SHAPE, 0), images(seed)
    found = distorter(x, np.random.default_rng(seed))
    positions = distorter._positions(len(x), np.random.default_rng(seed))
    for i, image in enumerate(x.astype(np.float64).reshape(-1, *SHAPE)):
        # SciPy fades to zero within one pixel outside, too, when given a frame of zeros.
        framed = np.pad(image, 3)
        where = (
            np.clip(positions[:, i].astype(np.float64), -2, np.array([[SHAPE[0] + 1], [SHAPE[1] + 1]])) + 3
        )
        expected = map_coordinates(framed, where, order=1)
        # float32: positions up to 15 are off by 15 u once more, times a slope of at most 1 per axis.
        np.testing.assert_allclose(found[i], expected, rtol=0, atol=4 * gamma(16, "float32"))


def test_a_shift_alone_moves_the_image_by_whole_pixels_when_asked_to(monkeypatch: pytest.MonkeyPatch) -> None:
    matrix, shift = np.eye(2, dtype=np.float32)[None], np.array([[1.0, -2.0]], np.float32)
    monkeypatch.setattr(module, "_affine", lambda rng, n, limits: (matrix, shift))
    x = images(0, n=1)
    found = Distorter(NONE, SHAPE, 0)(x, np.random.default_rng(0)).reshape(SHAPE)
    expected = np.zeros(SHAPE, np.float32)
    # The value at p is the old one at p + t: up by one, right by two.
    expected[:-1, 2:] = x.reshape(SHAPE)[1:, :-2]
    np.testing.assert_array_equal(found, expected)


def test_a_quarter_turn_is_numpys_rot90(monkeypatch: pytest.MonkeyPatch) -> None:
    """Coordinates are (row, column): A = (0, -1; 1, 0) reads position (r, c) from (-c, r), centred."""
    matrix, shift = np.array([[[0, -1], [1, 0]]], np.float32), np.zeros((1, 2), np.float32)
    monkeypatch.setattr(module, "_affine", lambda rng, n, limits: (matrix, shift))
    x = images(0, n=1, shape=(9, 9))
    found = Distorter(NONE, (9, 9), 0)(x, np.random.default_rng(0)).reshape(9, 9)
    np.testing.assert_array_equal(found, np.rot90(x.reshape(9, 9), k=-1))


def test_elastic_fields_have_the_root_mean_square_asked_for() -> None:
    distorter = Distorter(Distortion(elastic=1.5), (28, 28), 0)
    np.testing.assert_allclose(np.sqrt(np.mean(fields_of(distorter).astype(np.float64) ** 2)), 1.5, rtol=1e-5)


def test_neighbouring_pixels_move_together() -> None:
    """The correlation of white noise smoothed by s, at distance 1, is exp(-1 / (4 s^2)): 0.985 for s = 4."""
    distorter = Distorter(Distortion(elastic=1.0, smoothness=4.0), (28, 28), 0)
    fields = fields_of(distorter).reshape(-1, 28, 28)[:, 8:20, 8:20]
    found = np.mean(fields[:, :, 1:] * fields[:, :, :-1]) / np.mean(fields**2)
    assert abs(found - np.exp(-1 / 64)) < 0.01


def test_a_distorted_digit_is_still_its_digit() -> None:
    """A nearest-mean classifier of plain digits does as well on mildly distorted ones, label by label."""
    data = load("digits")
    means = np.stack([data.train_images[data.train_labels == k].mean(axis=0) for k in range(10)])

    def accuracy(x: Array) -> float:
        distances = ((x[:, None, :] - means) ** 2).sum(axis=2)
        return float(np.mean(distances.argmin(axis=1) == data.test_labels))

    mild = Distorter(Distortion(5.0, 0.05, 0.05, 0.3, 0.2, 2.0), data.image_shape, 0)
    distorted = mild(data.test_images, np.random.default_rng(0))
    assert np.any(distorted != data.test_images)
    assert accuracy(distorted) > accuracy(data.test_images) - 0.1


@pytest.mark.parametrize("shape", [(5, 119), (5,), (5, 12, 10)])
def test_rows_that_are_no_images_of_the_shape_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"^images: expected shape"):
        Distorter(Distortion(), SHAPE, 0)(np.zeros(shape, np.float32), np.random.default_rng(0))


@pytest.mark.parametrize("name", ["rotation", "scaling", "shear", "shift", "elastic", "smoothness"])
@pytest.mark.parametrize("value", [-1.0, float("nan"), float("inf")])
def test_a_strength_that_makes_no_sense_is_refused(name: str, value: float) -> None:
    with pytest.raises(InputError, match=f"^{name}: expected"):
        Distortion(**{name: value})
