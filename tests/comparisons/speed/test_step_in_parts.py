"""The clock inside a step of scratch changes nothing of the step, and reads what it should."""

import numpy as np
import pytest

from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.speed.cases import SpeedCase, batches, synthetic
from backproof.comparisons.speed.step_in_parts import PRODUCTS, ScratchInParts
from backproof.scratch.initializers import initialize
from backproof.scratch.training import STEP_PARTS

CASE = SpeedCase((6, 5, 3), 4, "adam")


class Ticks:
    """Moves on by a second whenever it is read."""

    now = 0.0

    def __call__(self) -> float:
        self.now += 1.0
        return self.now


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_scratch_in_parts_trains_as_scratch_does(optimizer: str) -> None:
    case = SpeedCase((6, 5, 3), 4, optimizer)
    data, weights = synthetic(10, 6, 3), initialize(case.architecture, 0).weights()
    found = []
    for contender in (ScratchMLP(), ScratchInParts()):
        contender.load(case.architecture, weights)
        losses = contender.train(data.x, data.labels, batches(10, 4, 7, 0), case.spec)
        found.append([*losses, *(part for pair in contender.weights() for part in pair)])
    for ours, in_parts in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, in_parts)


def test_the_parts_of_a_step_are_told_by_its_clock() -> None:
    contender = ScratchInParts(Ticks())
    data = synthetic(10, 6, 3)
    contender.load(CASE.architecture, initialize(CASE.architecture, 0).weights())
    contender.train(data.x, data.labels, batches(10, 4, 5, 0), CASE.spec)
    assert contender.parts == dict.fromkeys(STEP_PARTS + PRODUCTS, 1.0)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_products_beside_a_step_are_of_its_sizes_its_precision_and_of_hundredths(dtype: str) -> None:
    contender, case = ScratchInParts(), SpeedCase((6, 5, 3), 4, "adam", dtype)
    contender.load(case.architecture, initialize(case.architecture, 0).weights())
    x = synthetic(10, 6, 3).x
    found = contender._products(x, {4, 2})
    assert set(found) == {4, 2}
    for size, (forward, backward) in found.items():
        assert [product[2].shape for product in forward] == [(size, 5), (size, 3)]
        assert [product[2].shape for product in backward] == [(5, 3), (size, 5), (6, 5)]
        assert {array.dtype.name for product in forward + backward for array in product} == {dtype}
        assert {float(value) for product in forward for value in product[1].ravel()} == {
            float(np.dtype(dtype).type(0.01))
        }


def test_steps_before_the_last_checkpoint_are_warm_up() -> None:
    class SlowFirst(Ticks):
        """A thousand seconds per reading until it is told to hurry."""

        pace = 1000.0

        def __call__(self) -> float:
            self.now += self.pace
            return self.now

    clock = SlowFirst()
    contender, data = ScratchInParts(clock), synthetic(10, 6, 3)
    contender.load(CASE.architecture, initialize(CASE.architecture, 0).weights())

    def hurry() -> None:
        clock.pace = 1.0

    contender.train(data.x, data.labels, batches(10, 4, 5, 0), CASE.spec, {3: hurry})
    assert contender.parts == dict.fromkeys(STEP_PARTS + PRODUCTS, 1.0)


def test_the_median_is_over_every_step_after_the_last_checkpoint() -> None:
    """Step k takes k + 1 seconds per reading; there are as many readings a step as parts, and one more."""

    class Slowing(Ticks):
        readings = 0

        def __call__(self) -> float:
            step, place = divmod(self.readings, len(STEP_PARTS + PRODUCTS) + 1)
            self.readings += 1
            self.now += step + 1.0 if place else 0.0
            return self.now

    contender, data = ScratchInParts(Slowing()), synthetic(20, 6, 3)
    contender.load(CASE.architecture, initialize(CASE.architecture, 0).weights())
    contender.train(data.x, data.labels, batches(20, 4, 5, 0), CASE.spec, {2: lambda: None})
    # Steps 2, 3, 4 take 3, 4, 5 seconds a part.
    assert contender.parts == dict.fromkeys(STEP_PARTS + PRODUCTS, 4.0)
