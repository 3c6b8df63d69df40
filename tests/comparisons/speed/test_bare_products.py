"""The floor: every product of a step and no other, as often as there are batches."""

import numpy as np
import pytest

from backproof.comparisons.speed.bare_products import BareProducts, products_of_a_step
from backproof.comparisons.speed.cases import SpeedCase, batches
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Array
from backproof.scratch.initializers import initialize


def test_the_floor_does_every_product_of_a_step_and_no_other() -> None:
    architecture = SpeedCase((6, 5, 4, 3), 2).architecture
    weights = [W for W, _ in initialize(architecture, 0).weights()]
    forward, backward = products_of_a_step(architecture, weights, np.ones((2, 6), np.float32))
    shapes = [(a.shape, b.shape, out.shape) for a, b, out in forward + backward]
    assert shapes == [
        ((2, 6), (6, 5), (2, 5)),
        ((2, 5), (5, 4), (2, 4)),
        ((2, 4), (4, 3), (2, 3)),
        ((4, 2), (2, 3), (4, 3)),
        ((2, 3), (3, 4), (2, 4)),
        ((5, 2), (2, 4), (5, 4)),
        ((2, 4), (4, 5), (2, 5)),
        ((6, 2), (2, 5), (6, 5)),
    ]


def test_checkpoints_come_before_their_step_and_after_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    case, heard, products = SpeedCase((4, 3), 2), list[tuple[int, int]](), [0]
    dot = np.dot

    def counted(*arguments: object, **keywords: object) -> object:
        products[0] += 1
        return dot(*arguments, **keywords)  # type: ignore[call-overload]  # passed on as they came

    monkeypatch.setattr(np, "dot", counted)
    floor = BareProducts()
    floor.load(case.architecture, initialize(case.architecture, 0).weights())
    marks = {step: (lambda step=step: heard.append((step, products[0]))) for step in (1, 3)}
    x = np.ones((6, 4), np.float32)
    floor.train(x, np.zeros(6, int), batches(6, 2, 3, 0), case.spec, marks)
    # One layer: one product forward and one backward in each of the three steps.
    assert heard == [(1, 2), (3, 6)]


def test_products_alone_have_no_answers() -> None:
    floor = BareProducts()
    with pytest.raises(NotOffered, match="no logits"):
        floor.logits(np.ones((1, 4)))
    with pytest.raises(NotOffered, match="no gradient"):
        floor.loss_and_gradient(np.ones((1, 4)), np.zeros(1, int))
    with pytest.raises(NotOffered, match="train nothing"):
        floor.weights()


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_products_are_of_the_network_s_own_precision_and_of_hundredths_where_no_value_is_known(
    dtype: str,
) -> None:
    """Beside the images and the weights; a subnormal number in a buffer would slow a product down."""
    architecture = SpeedCase((6, 5, 4, 3), 2, "sgd", dtype).architecture
    weights = [W for W, _ in initialize(architecture, 0).weights()]
    x = np.linspace(0, 1, 12).reshape(2, 6)
    forward, backward = products_of_a_step(architecture, weights, x)
    assert {array.dtype.name for product in forward + backward for array in product} == {dtype}
    np.testing.assert_array_equal(forward[0][0], x.astype(dtype))
    buffers = [forward[1][0], forward[2][0], *(product[1] for product in backward[::2]), backward[1][0]]
    assert {float(value) for array in buffers for value in array.ravel()} == {
        float(np.dtype(dtype).type(0.01))
    }
    for (_, W, _), own in zip(forward, weights, strict=True):
        assert W is own
    assert [product[1].base is W for product, W in zip(backward[1::2], weights[:0:-1], strict=True)] == [
        True
    ] * 2
    outputs = [out for _, _, out in forward]
    assert len({id(out) for out in outputs}) == 3
    assert not any(np.shares_memory(out, array) for out in outputs for array in buffers)


def test_the_products_of_every_size_of_a_batch_are_made_of_so_many_images() -> None:
    case = SpeedCase((4, 3), 4)
    floor, seen = BareProducts(), list[tuple[int, ...]]()
    floor.load(case.architecture, initialize(case.architecture, 0).weights())
    dot = np.dot

    def noted(a: Array, b: Array, out: Array) -> None:
        seen.append(a.shape)
        dot(a, b, out=out)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(np, "dot", noted)
        assert (
            floor.train(np.ones((6, 4), np.float32), np.zeros(6, int), batches(6, 4, 3, 0), case.spec) == []
        )
    assert seen == [(4, 4), (4, 4), (2, 4), (4, 2), (4, 4), (4, 4)]
