"""The ladder: the loop is the textbook's, the times are of every rung, the slope is an exponent."""

import numpy as np
import pytest

from backproof.comparisons.data import dataset as data
from backproof.comparisons.numerical import ladder
from backproof.comparisons.numerical.result import RUNGS, LadderRow
from backproof.comparisons.running.progress import Silent
from backproof.scratch.gradients import gradient
from tests.support.numerical_runs import digits_batch


def test_the_textbook_loop_takes_the_quotients_of_the_naive_evaluation() -> None:
    network, x, labels, steps = digits_batch(0, 1e-5)
    entries = np.array([3, 500, 530, 600])
    kept = network.parameters.flat.copy()
    found = ladder.textbook_loop(network, x, labels, steps, entries)
    naive = gradient(network, x, labels, "central_difference", step=1e-5)
    np.testing.assert_array_equal(found, naive[entries])
    np.testing.assert_array_equal(network.parameters.flat, kept)


def test_the_textbook_loop_puts_the_parameter_back_when_the_loss_raises(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    network, x, labels, steps = digits_batch(0, 1e-5)
    kept = network.parameters.flat.copy()
    monkeypatch.setattr(network, "loss", lambda x, targets: 1 / 0)
    with pytest.raises(ZeroDivisionError):
        ladder.textbook_loop(network, x, labels, steps, np.array([7]))
    np.testing.assert_array_equal(network.parameters.flat, kept)


def test_the_slope_of_a_power_law_is_its_exponent() -> None:
    rows = [LadderRow((n, 1), n, {"naive": 3e-9 * n**1.7}) for n in (100, 1000, 20_000)]
    np.testing.assert_allclose(ladder.slope(rows, "naive"), 1.7, rtol=1e-12)


def test_the_ladder_times_every_rung_of_every_network(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ladder, "LEAST", 0.0)
    part = ladder.run(data.load("digits"), 0, Silent(), widths=(3, 6), depths=(1, 2))
    assert [row.layer_sizes for row in part.width] == [(64, 3, 10), (64, 6, 10)]
    assert [len(row.layer_sizes) for row in part.depth] == [3, 4]
    for row in [*part.width, *part.depth]:
        assert all(row.seconds[rung.key] > 0 for rung in RUNGS)


def test_every_method_of_the_ladder_but_the_guess_gives_the_gradient() -> None:
    network, x, labels, _ = digits_batch(0, 1e-5)
    expected = gradient(network, x, labels)
    for rung, method in ladder.methods().items():
        off = np.abs(gradient(network, x, labels, method) - expected).max() / np.abs(expected).max()
        assert (off > 0.1) == (rung == "forward"), (rung, off)
