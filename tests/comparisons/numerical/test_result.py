"""What the numerical slot holds, and its verdict."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.numerical.result import RUNGS, TITLES, NumericalResult, judged
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from tests.support.numerical_runs import a_ladder, forward_trainings, one_gradient, twins


@pytest.mark.parametrize(
    ("same", "training", "expected"),
    [
        (1.0, None, Outcome.PASS),
        (1.0, Outcome.PASS, Outcome.PASS),
        (1.0, Outcome.INCONCLUSIVE, Outcome.INCONCLUSIVE),
        (1.0, Outcome.FAIL, Outcome.FAIL),
        (2.0, Outcome.PASS, Outcome.FAIL),
        (2.0, None, Outcome.FAIL),
    ],
)
def test_the_verdict_is_the_worst_of_the_comparison_and_the_training(
    same: float, training: Outcome | None, expected: Outcome
) -> None:
    gradient = replace(one_gradient(), same=compare(np.full(3, same), np.ones(3), 1e-9))
    part = NumericalResult(Outcome.PASS, 1.0, gradient, twins(training) if training else None)
    found = judged(part)
    assert found.verdict == expected


def test_what_is_written_is_read_again() -> None:
    whole = NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins(), a_ladder(), forward_trainings())
    assert decode(NumericalResult, encode(whole)) == whole


def test_a_file_from_before_momentum_and_forward_gradients_is_read_as_what_it_was() -> None:
    whole = NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins(), a_ladder(), forward_trainings())
    older: Any = encode(whole)
    del older["forward"]
    for name in ("momentum", "schedule", "differences"):
        del older["training"]["setting"][name]
    for rows in (older["ladder"]["width"], older["ladder"]["depth"], [older["gradient"]]):
        for row in rows:
            del row["seconds"]["forward"]
    found = decode(NumericalResult, older)
    assert found.forward == ()
    assert found.gradient.titles.keys() == {"naive", "structured", "unitwise", "backprop"}
    assert found.training is not None
    assert found.training.setting.differences == "entries"
    assert found.training.setting.rate(1) == found.training.setting.rate(0) == 0.3


def test_a_rate_that_falls_linearly_would_be_zero_after_the_last_step() -> None:
    setting = replace(twins().setting, n_steps=4, learning_rate=0.4, schedule="linear")
    np.testing.assert_allclose([setting.rate(step) for step in range(4)], [0.4, 0.3, 0.2, 0.1], rtol=1e-15)


def test_how_much_faster_is_against_the_loop() -> None:
    assert one_gradient().speedup == pytest.approx(20.0)
    assert one_gradient().faster("backprop") == pytest.approx(2000.0)


def test_every_rung_has_a_title_of_its_own() -> None:
    assert [TITLES[rung.key] for rung in RUNGS] == [rung.title for rung in RUNGS]
    assert len(set(TITLES.values())) == 5
