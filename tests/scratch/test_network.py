"""The network itself: exact arithmetic, buffers, and what it reads and writes."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from backproof.scratch.architecture import DTYPES, Architecture, Array
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.strategies import Case, cases, layer_sizes, layouts, random_case, short_last_batches
from tests.support.tolerances import backprop_bound


def loss_and_gradient(case: Case, network: Network | None = None) -> tuple[float, Array]:
    network = network or case.network()
    gradient = Parameters(case.architecture)
    loss = network.loss_and_gradient(case.x, case.targets, gradient)
    return loss, gradient.flat


def by_hand(case: Case) -> tuple[int, list[int]]:
    """Loss and gradient of a sum-of-squares network in Python's integers: three nested loops, no NumPy."""
    sizes, relu = case.architecture.layer_sizes, case.architecture.activation == "relu"
    layers = [([[int(w) for w in row] for row in W], [int(v) for v in b]) for W, b in case.weights]
    dW = [[[0] * n_out for _ in range(n_in)] for n_in, n_out in case.architecture.layer_shapes]
    db = [[0] * n for n in sizes[1:]]
    loss = 0
    for row, target in zip(case.x.astype(int).tolist(), case.targets.astype(int).tolist(), strict=True):
        a = [row]
        for index, (W, b) in enumerate(layers):
            z = [b[j] + sum(a[-1][i] * W[i][j] for i in range(len(W))) for j in range(len(b))]
            hidden = index < len(layers) - 1
            a.append([max(v, 0) for v in z] if hidden and relu else z)
        loss += sum((y - t) ** 2 for y, t in zip(a[-1], target, strict=True))
        delta = [2 * (y - t) for y, t in zip(a[-1], target, strict=True)]
        for index in reversed(range(len(layers))):
            W, below = layers[index][0], a[index]
            for j, d in enumerate(delta):
                db[index][j] += d
                for i, v in enumerate(below):
                    dW[index][i][j] += v * d
            delta = [
                sum(d * W[i][j] for j, d in enumerate(delta)) * (not relu or below[i] > 0)
                for i in range(len(below))
            ]
    return loss, [v for W, b in zip(dW, db, strict=True) for row in [*W, b] for v in row]


@pytest.mark.parametrize("dtype", DTYPES)
@given(st.data())
def test_in_small_integers_loss_and_gradient_are_exact(dtype: str, data: st.DataObject) -> None:
    case = data.draw(
        cases(
            ("relu", "identity"), ("sum_of_squares",), (dtype,), ("integer",), layer_sizes(3, 3), max_batch=4
        )
    )
    loss, gradient = loss_and_gradient(case)
    expected_loss, expected = by_hand(case)
    largest = max(abs(v) for v in [expected_loss, *expected])
    # Far below the largest integer that the dtype counts to, so that no partial sum is rounded either.
    assume(largest < 2 ** (np.finfo(dtype).nmant - 4))
    assert loss == expected_loss
    np.testing.assert_array_equal(gradient, np.array(expected, dtype))


@given(cases(dtypes=DTYPES), layouts(), layouts())
def test_inputs_and_weights_are_only_read(
    case: Case, layout: Callable[[Array], Array], target_layout: Callable[[Array], Array]
) -> None:
    x, targets = layout(case.x), target_layout(case.targets)
    network = Network(case.architecture, Parameters(case.architecture, case.flat))  # read-only
    network.loss_and_gradient(x, targets, Parameters(case.architecture))
    np.testing.assert_array_equal(x, case.x)
    np.testing.assert_array_equal(targets, case.targets)


@given(cases(dtypes=DTYPES))
def test_the_gradient_is_overwritten_not_added_to(case: Case) -> None:
    network = case.network()
    _, expected = loss_and_gradient(case, network)
    used = Parameters(case.architecture, np.full_like(expected, 7.0))
    network.loss_and_gradient(case.x, case.targets, used)
    np.testing.assert_array_equal(used.flat, expected)


@given(cases(dtypes=DTYPES), cases(dtypes=DTYPES))
def test_a_larger_and_a_smaller_batch_in_between_change_nothing(case: Case, other: Case) -> None:
    network = case.network()
    loss, gradient = loss_and_gradient(case, network)
    for size in (len(case.x) + 3, 1):
        rows = np.arange(size) % len(case.x)
        loss_and_gradient(case.rows(rows), network)
    again = loss_and_gradient(case, network)
    assert again[0] == loss
    np.testing.assert_array_equal(again[1], gradient)


@given(cases(max_batch=3), short_last_batches())
def test_a_short_last_batch_gives_the_gradient_of_its_rows(case: Case, sizes: tuple[int, int]) -> None:
    n_examples, batch_size = sizes
    network = case.network()
    for start in range(0, n_examples, batch_size):
        rows = np.arange(start, min(start + batch_size, n_examples)) % len(case.x)
        part = case.rows(rows)
        np.testing.assert_array_equal(loss_and_gradient(part, network)[1], loss_and_gradient(part)[1])


@given(cases())
def test_backward_is_given_what_it_needs_and_survives_a_forward_of_another_batch(case: Case) -> None:
    network = case.network()
    activations = [a.copy() for a in network.forward(case.x)]
    delta = np.ones_like(activations[-1])
    expected, found = Parameters(case.architecture), Parameters(case.architecture)
    network.backward(activations, delta, expected)
    for size in (1, len(case.x) + 2):
        network.forward(case.x[np.arange(size) % len(case.x)])
        network.backward(activations, delta, found)
        np.testing.assert_array_equal(found.flat, expected.flat)


@given(cases())
def test_backward_leaves_delta_and_activations_as_they_were(case: Case) -> None:
    network = case.network()
    activations = network.forward(case.x)
    delta = np.linspace(-1, 1, activations[-1].size).reshape(activations[-1].shape)
    kept, kept_activations = delta.copy(), [a.copy() for a in activations]
    network.backward(activations, delta, Parameters(case.architecture))
    np.testing.assert_array_equal(delta, kept)
    for a, b in zip(activations, kept_activations, strict=True):
        np.testing.assert_array_equal(a, b)


@pytest.mark.parametrize("dtype", [np.float32, np.float64, np.longdouble, np.complex128])
def test_astype_copies_and_computes_in_that_dtype(dtype: type) -> None:
    case = random_case(Architecture((3, 4, 2), "tanh"), "normal", 3, 0)
    network = case.network()
    other = network.astype(dtype)
    assert other.forward(case.x)[-1].dtype == dtype
    other.parameters.flat[...] = 0
    np.testing.assert_array_equal(network.parameters.flat, case.flat)


@given(cases(dtypes=("float32",)))
def test_float32_stays_float32_from_end_to_end(case: Case) -> None:
    network = case.network()
    assert {a.dtype for a in network.forward(case.x)} == {np.dtype("float32")}
    assert network.loss(case.x, case.targets).dtype == np.float32
    assert loss_and_gradient(case)[1].dtype == np.float32


def test_an_overflowing_product_is_reported() -> None:
    architecture = Architecture((3, 4, 2), dtype="float32")
    network = Network(architecture, Parameters(architecture, np.full(architecture.n_parameters, 1e30, "f4")))
    with pytest.warns(RuntimeWarning, match="overflow"):
        network.forward(np.full((5, 3), 1e30, np.float32))


@given(cases())
def test_a_samples_logits_do_not_depend_on_the_others(case: Case) -> None:
    network = case.network()
    together = network.forward(case.x)[-1].copy()
    # A product of one row may be summed in another order: exact only where nothing rounds.
    if case.family == "integer" and case.architecture.activation in ("relu", "identity"):
        for n in range(len(case.x)):
            np.testing.assert_array_equal(network.forward(case.x[n : n + 1])[-1][0], together[n])
    else:
        bounds = [backprop_bound(case.rows([n])).logits for n in range(len(case.x))]
        alone = [network.forward(case.x[n : n + 1])[-1][0].copy() for n in range(len(case.x))]
        for n, bound in enumerate(bounds):
            excess = np.abs(alone[n] - together[n]) - 2 * bound[0]
            assert (excess <= 0).all()
