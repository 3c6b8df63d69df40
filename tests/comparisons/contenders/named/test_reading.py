"""One evaluation of a network: how an example is handed over, pairs in a list, and what tells the loss."""

from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.contenders.named.calls import Named, Surroundings, bound
from backproof.comparisons.contenders.named.reading import ALONE, Reading, Run
from backproof.comparisons.contenders.named.stated import Names
from backproof.comparisons.contenders.own_network import NotTold


class Net:
    """It keeps what it was given."""

    def forward(self, x: Any) -> Any:
        self.given = x
        return {"out": 2 * x, "loss": np.array([3.0])}

    def train(self, mini_batch: Any, eta: float) -> float:
        self.given = (mini_batch, eta)
        return 5.0


def run(names: Names, x: Any, targets: Any = None, **form: Any) -> Run:
    net = Net()
    named = {what: getattr(names, what) for what in ("forward", "step") if getattr(names, what)}
    calls = {what: bound(what, one, getattr(net, one.name), Surroundings()) for what, one in named.items()}
    calls["learning forward"] = calls.get("forward", next(iter(calls.values())))
    return Run(Reading(names, calls=calls, **form), net, x, targets, 0.25)


@pytest.mark.parametrize(
    ("alone", "shape"), [*zip(ALONE, [(3,), (1, 3), (3, 1), (1, 1, 3), (1, 3, 1)], strict=True)]
)
def test_one_example_is_handed_over_in_the_form_that_was_found(alone: str, shape: tuple[int, ...]) -> None:
    one = run(Names(forward=Named("forward")), np.ones(3), 1, samples="single", alone=alone)
    assert one.x.shape == shape
    assert np.shape(one.targets) == ((1,) if "list" in alone else ())


@pytest.mark.parametrize(
    ("samples", "alone", "shape"), [("columns", "(n, 1)", (3, 1)), ("rows", "(n,)", (3,))]
)
def test_a_mini_batch_is_a_list_of_pairs(samples: str, alone: str, shape: tuple[int, ...]) -> None:
    x, t = np.arange(12.0).reshape(4, 3), np.eye(3)[[0, 1, 2, 0]]
    given = (x.T, t.T) if samples == "columns" else (x, t)
    one = run(Names(step=Named("train")), *given, samples=samples, alone=alone)
    assert one.step(3) is None
    pairs, rate = one.net.given
    assert rate == 0.25
    assert [(a.shape, b.shape) for a, b in pairs] == [(shape, shape)] * 4
    np.testing.assert_array_equal(pairs[1][0].ravel(), x[1])


def test_the_loss_is_a_number_of_the_answer_that_tells_it() -> None:
    by_forward = Names(forward=Named("forward"), cost=Named("forward", ("loss",)))
    assert run(by_forward, np.ones((2, 3))).cost() == 3.0
    by_step = Names(step=Named("train"), cost=Named("train"))
    assert run(by_step, np.ones((2, 3)), np.ones((2, 1))).step(3) == 5.0
    assert run(Names(forward=Named("forward")), np.ones((2, 3))).cost() is None


def test_a_function_that_is_not_there_is_told_with_those_that_are() -> None:
    reading = Reading(Names())
    with pytest.raises(NotTold, match="runs: Net has no such method; it has forward, train"):
        reading.function(Net(), "runs")


def test_functions_of_a_network_in_lists_lie_beside_it() -> None:
    reading = Reading(Names(), scope=vars(SimpleNamespace(forward=len)))
    assert reading.function([1], "forward") is len
    with pytest.raises(NotTold, match="it has forward"):
        reading.function([1], "backward")
