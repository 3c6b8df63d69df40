"""What is timed: cases from text, their data and their batches."""

import hashlib
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.data.dataset import Dataset, load
from backproof.comparisons.speed.cases import (
    FIVE_CASES,
    OPTIMIZERS,
    CaseStore,
    SpeedCase,
    batches,
    digest,
    enlarged,
    parse_case,
    synthetic,
)
from backproof.comparisons.speed.result import TimedData
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.errors import InputError


def test_a_case_is_read_from_its_text() -> None:
    assert parse_case("784-128-10/100/adam") == SpeedCase((784, 128, 10), 100, "adam")
    assert parse_case(" 6-3/2 ") == SpeedCase((6, 3), 2, "sgd")


@pytest.mark.parametrize(
    "text",
    ["", "784", "784-10", "784-x-10/5", "784-10/0/sgd", "784-10/5/rmsprop", "784-10/5/sgd/float16", "0-1/2"],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cases: "):
        parse_case(text)


def test_the_five_cases_are_those_of_the_published_comparison() -> None:
    labels = [case.label for case in FIVE_CASES]
    assert labels == [
        "784-128-10, batch 100, sgd",
        "784-64-10, batch 32, sgd",
        "784-256-256-10, batch 256, adam",
        "784-512-512-10, batch 128, sgd",
        "784-50-10, batch 100, sgd",
    ]


def test_batches_are_whole_shuffled_epochs_with_their_short_last_batch() -> None:
    drawn = batches(10, 4, 6, seed=0)
    assert [len(batch) for batch in drawn] == [4, 4, 2, 4, 4, 2]
    for epoch in (drawn[:3], drawn[3:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(10))


def test_more_steps_begin_with_the_same_batches() -> None:
    few, many = batches(10, 4, 5, seed=1), batches(10, 4, 50, seed=1)
    assert digest(few) == digest(many[:5])
    assert digest(few) != digest(many[1:6])


def test_another_seed_draws_other_batches() -> None:
    assert digest(batches(100, 10, 5, seed=0)) != digest(batches(100, 10, 5, seed=1))


def test_a_digest_tells_values_and_their_order_apart() -> None:
    one, two = np.array([1.0, 2.0]), np.array([2.0, 1.0])
    assert digest([one]) != digest([two])
    assert digest([one, two]) != digest([two, one])


def stored(folder: Path, dataset: Dataset | None, case: SpeedCase, n: int) -> tuple[Array, Array, TimedData]:
    store = CaseStore(folder, dataset, n)
    with np.load(store.path(case)) as arrays:
        return arrays["x"], arrays["labels"], store.data(case)


def of_mnists_size() -> Dataset:
    """Thirty images of 28 by 28 with labels, under MNIST's name."""
    rng = np.random.default_rng(0)
    x, labels = rng.random((30, 784), dtype=np.float32), np.arange(30) % 10
    return Dataset("mnist", x, labels, x, labels, (28, 28), "made by hand", "0" * 64)


def test_cases_of_mnists_size_are_timed_on_its_images(tmp_path: Path) -> None:
    dataset = of_mnists_size()
    x, labels, data = stored(tmp_path, dataset, FIVE_CASES[0], 20)
    np.testing.assert_array_equal(x, dataset.train_images[:20])
    np.testing.assert_array_equal(labels, dataset.train_labels[:20])
    assert data == TimedData("mnist", "MNIST")


def test_without_mnist_the_digits_are_enlarged_and_repeated_and_it_is_said(tmp_path: Path) -> None:
    digits = load("digits")
    n = len(digits.train_images) + 100
    x, labels, data = stored(tmp_path, digits, FIVE_CASES[0], n)
    assert x.shape == (n, 784)
    assert x.dtype == np.float32
    np.testing.assert_array_equal(x[-100:], x[:100])
    np.testing.assert_array_equal(labels[:100], digits.train_labels[:100])
    assert data == TimedData("digits", "scikit-learn's digits, enlarged to 28 by 28 pixels")


def test_the_digits_own_size_is_timed_on_the_digits_as_they_are(tmp_path: Path) -> None:
    digits = load("digits")
    x, _, data = stored(tmp_path, digits, SpeedCase((64, 10), 5), 50)
    np.testing.assert_array_equal(x, digits.train_images[:50])
    assert data == TimedData("digits", "scikit-learn's digits")


@pytest.mark.parametrize("sizes", [(6, 10), (49, 10), (784, 3)], ids=str)
def test_where_no_image_fits_the_numbers_are_called_random(sizes: tuple[int, int], tmp_path: Path) -> None:
    case = SpeedCase(sizes, 5)
    x, labels, data = stored(tmp_path, load("digits"), case, 50)
    assert x.shape == (50, case.layer_sizes[0])
    assert set(np.unique(labels)) <= set(range(case.layer_sizes[-1]))
    assert data == TimedData("random", "uniform random numbers, seed 0")


def test_random_numbers_are_those_of_their_seed() -> None:
    zero, again, three = synthetic(9, 4, 3), synthetic(9, 4, 3, seed=0), synthetic(9, 4, 3, seed=3)
    np.testing.assert_array_equal(zero.x, again.x)
    np.testing.assert_array_equal(three.x, np.random.default_rng(3).random((9, 4), dtype=np.float32))
    assert three.data.says == "uniform random numbers, seed 3"


def test_enlarging_interpolates_between_the_pixels() -> None:
    image = np.array([[0.0, 0.5, 1.0, 0.0]])
    # Corners stay; the new middle row and column are the means of their neighbours.
    expected = [[0.0, 0.25, 0.5], [0.5, 0.375, 0.25], [1.0, 0.5, 0.0]]
    np.testing.assert_allclose(enlarged(image, (2, 2), 3).reshape(3, 3), expected, rtol=1e-6)


@given(st.integers(0, 2**32 - 1), st.integers(2, 9), st.integers(9, 28))
def test_an_enlarged_image_stays_between_its_darkest_and_its_brightest_pixel(
    seed: int, side: int, larger: int
) -> None:
    image = np.random.default_rng(seed).random((1, side * side))
    found = enlarged(image, (side, side), larger)
    assert found.min() >= np.float32(image.min()) - 1e-6
    assert found.max() <= np.float32(image.max()) + 1e-6
    square, large = image.reshape(side, side), found.reshape(larger, larger)
    np.testing.assert_allclose(large[[0, 0, -1, -1], [0, -1, 0, -1]], square[[0, 0, -1, -1], [0, -1, 0, -1]],
                               rtol=1e-6)  # fmt: skip


def test_rules_have_the_rates_of_the_published_comparison() -> None:
    assert dict(OPTIMIZERS) == {
        "sgd": OptimizerSpec("sgd", 0.1),
        "momentum": OptimizerSpec("sgd", 0.1, 0.9),
        "adam": OptimizerSpec("adam", 0.001),
    }
    assert SpeedCase((4, 3), 1, "momentum").spec is OPTIMIZERS["momentum"]


def test_a_case_may_name_its_precision_and_nothing_beyond() -> None:
    case = parse_case("6-3/2/adam/float64")
    assert case == SpeedCase((6, 3), 2, "adam", "float64")
    assert case.label == "6-3, batch 2, adam, float64"
    assert case.architecture.dtype == "float64"
    with pytest.raises(InputError, match="expected LAYERS/BATCH/OPTIMIZER"):
        parse_case("6-3/2/adam/float64/more")


def test_random_data_have_every_label_and_values_of_all_sizes_below_one() -> None:
    found = synthetic(500, 4, 3)
    assert set(found.labels) == {0, 1, 2}
    assert (found.x.dtype.name, found.x.shape) == ("float32", (500, 4))
    assert 0 <= found.x.min() < 0.01
    assert 0.99 < found.x.max() < 1


def test_a_digest_is_sixteen_digits_of_the_bytes_in_order() -> None:
    array = np.arange(6.0).reshape(2, 3)
    assert digest([array]) == hashlib.sha256(array.tobytes()).hexdigest()[:16]
    assert digest([array.T]) == digest([np.ascontiguousarray(array.T)])


def test_the_data_of_one_size_are_made_once(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, None, 7)
    first, second = SpeedCase((6, 3), 2), SpeedCase((6, 5, 3), 4, "adam")
    assert store.path(first) == store.path(second)
    before = store.path(first).stat().st_mtime_ns
    assert store.data(second) is store.data(first)
    assert store.path(second).stat().st_mtime_ns == before
    assert store.path(SpeedCase((6, 4), 2)) != store.path(first)
    with np.load(store.path(first)) as arrays:
        assert (len(arrays["x"]), len(arrays["labels"])) == (7, 7)
