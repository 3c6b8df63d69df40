"""Adapters without methods: read as they would be with them, whatever names and containers; else refused."""

from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from backproof.comparisons.contenders.loading import NotThere
from backproof.comparisons.contenders.named.adapters import is_adapter
from backproof.scratch.architecture import Architecture
from tests.support.named_networks import CONSTRUCTORS, CONTAINERS, RETURNED, Written, adapter, made

FORWARDS = ("forward", "feedforward", "predict", "run", "__call__", "forward_pass")
LEARNS = ("backward", "backprop", "train", "gradients", "one_step")


def weights(sizes: tuple[int, ...], seed: int, out_in: bool) -> list[Any]:
    rng = np.random.default_rng(seed)
    pairs = [(rng.standard_normal((m, n)), rng.standard_normal(n)) for m, n in pairwise(sizes)]
    return [(W.T.copy() if out_in else W, b) for W, b in pairs]


@st.composite
def forms(draw: st.DrawFn) -> Written:
    """Networks of any form that are right."""
    loss = draw(st.sampled_from(["cross_entropy", "mse"]))
    step = draw(st.booleans())
    return Written(
        forward=draw(st.sampled_from(FORWARDS)),
        learn=draw(st.sampled_from(LEARNS)),
        container=draw(st.sampled_from(sorted(CONTAINERS))),
        constructor=draw(st.sampled_from(sorted(CONSTRUCTORS))),
        returned="lists" if step else draw(st.sampled_from(sorted(RETURNED))),
        columns=draw(st.booleans()),
        out_in=draw(st.booleans()),
        loss=loss,
        one_hot=loss == "cross_entropy" and draw(st.booleans()),
        step=step,
    )


@given(form=forms(), seed=st.integers(0, 99))
@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_names_give_the_answers_that_methods_give(form: Written, seed: int, tmp_path: Path) -> None:
    sizes = (3, 4, 2) if form.constructor == "three" else (3, 4, 3, 2)
    short, rng = made(tmp_path, form.source), np.random.default_rng(seed)
    architecture, given_weights = Architecture(sizes, "sigmoid", "mse"), weights(sizes, seed, False)
    x = rng.standard_normal((5, 3))
    t = rng.standard_normal((5, 2)) if form.loss == "mse" else rng.integers(0, 2, 5)
    t = np.eye(2)[t] if form.one_hot else t
    if form.columns:
        x, t = x.T.copy(), t.T.copy()
    short.load(architecture, given_weights)
    for (W, b), (kept_W, kept_b) in zip(given_weights, short.weights(), strict=True):
        np.testing.assert_array_equal(kept_W, W)
        np.testing.assert_array_equal(kept_b, b)
    loss, dW, db = short.net.both(x, t)  # its author's own gradient, as W and b lie
    dW = [g.T if form.out_in else g for g in dW]
    np.testing.assert_array_equal(short.logits(x), getattr(short.net, form.forward)(x))
    if form.step:
        assert short.step(x, t, 0.5) is None
        moved = short.weights()
        for (W, b), (W_moved, b_moved), g, h in zip(given_weights, moved, dW, db, strict=True):
            np.testing.assert_array_equal(W_moved, W - 0.5 * g)
            np.testing.assert_array_equal(b_moved, b - 0.5 * h.ravel())
        return
    told, gradient = short.loss_and_gradient(x, t)
    assert told == (loss if form.returned == "loss too" else None)
    for (g, h), right_g, right_h in zip(gradient, dW, db, strict=True):
        np.testing.assert_array_equal(g, right_g)
        np.testing.assert_array_equal(h.ravel(), right_h.ravel())


def test_what_was_found_is_said(tmp_path: Path) -> None:
    short = made(tmp_path, adapter())
    assert short.read_as == [
        "read as: Net(sizes=all sizes), weights at net.W[0], net.W[1]; outputs from forward(x); "
        "gradient from backward(x, targets): [0], [1]"
    ]
    assert (short.samples, short.biases) == ("rows", "none")


DECLARED = {
    "samples": st.sampled_from(["rows", "columns"]),
    "targets": st.sampled_from(["labels", "one_hot"]),
    "weight_layout": st.sampled_from(["in_out", "out_in"]),
    "biases": st.sampled_from(["vector", "row", "none"]),
    "weights": st.sampled_from([("Ws", "bs"), ("W", "b"), ("params", "params")]),
}


@given(
    form=forms(),
    mistake=st.sampled_from(["not averaged", "slope", "one bias"]),
    declared=st.fixed_dictionaries({}, optional=DECLARED),
)
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_no_declaration_repairs_a_wrong_gradient(
    form: Written, mistake: str, declared: dict[str, Any], tmp_path: Path
) -> None:
    form = replace(form, mistake=mistake, step=False)
    said = "".join(f"Short.{name} = {value!r}\n" for name, value in declared.items())
    try:
        short = made(tmp_path, form.source + said)
    except NotThere:
        event("refused")  # nothing is said of its gradient
        return
    out_in, alone = getattr(short, "weight_layout", "") == "out_in", getattr(short, "biases", "") == "none"
    given_weights: list[Any] = weights((3, 4, 2), 1, out_in)
    short.load(
        Architecture((3, 4, 2), "sigmoid", "mse"), [W for W, _ in given_weights] if alone else given_weights
    )
    x, t = np.random.default_rng(2).standard_normal((5, 3)), np.eye(2)[[0, 1, 1, 0, 1]]
    t = t.argmax(axis=1) if getattr(short, "targets", "labels") == "labels" and form.loss != "mse" else t
    if short.samples == "columns":
        x, t = x.T.copy(), t.T.copy()
    with np.errstate(all="ignore"):  # what is declared wrongly may give anything
        _, dW, db = short.net.both(x, t)
        found = short.loss_and_gradient(x, t)[1]
    parts = found if alone else [part for pair in found for part in pair]
    its = [g.ravel() for g in (dW if alone else [*dW, *db])]
    np.testing.assert_array_equal(
        np.sort(np.concatenate([g.ravel() for g in parts])), np.sort(np.concatenate(its))
    )


def test_a_rate_that_the_network_keeps_is_found_and_said(tmp_path: Path) -> None:
    short = made(tmp_path, adapter(gradient="", step='"fit"'))
    assert "its rate put at net.lr" in short.read_as[0]
    short.load(Architecture((3, 4, 2)), [W for W, _ in weights((3, 4, 2), 1, False)])
    short.step(np.ones((2, 3)), np.ones((2, 2)), 0.25)
    assert short.net.lr == 0.25


def test_where_the_weights_lie_can_be_declared(tmp_path: Path) -> None:
    short = made(tmp_path, adapter(wraps="Twice", weights='"W"'))
    assert "weights at net.W[0], net.W[1]" in short.read_as[0]


def test_a_depth_that_was_built_and_raises_is_not_left_out(tmp_path: Path) -> None:
    short = made(tmp_path, adapter(wraps="ShallowOnly"))
    assert not hasattr(short, "hidden_layers")
    sizes = (3, 4, 4, 2)
    short.load(Architecture(sizes), [W for W, _ in weights(sizes, 1, False)])
    with pytest.raises(RuntimeError, match="too many"):
        short.loss_and_gradient(np.ones((2, 3)), np.ones((2, 2)))


def test_what_is_read_is_a_copy(tmp_path: Path) -> None:
    short = made(tmp_path, adapter())
    short.load(Architecture((3, 4, 2)), [W for W, _ in weights((3, 4, 2), 1, False)])
    x = np.ones((2, 3))
    short.logits(x)[...] = 7.0
    assert not (short.net.outs[-1] == 7.0).any()


def test_a_written_method_is_used_and_the_others_are_made(tmp_path: Path) -> None:
    source = adapter() + "    def logits(self, x):\n        return 3 * self.net.forward(x)\n"
    short = made(tmp_path, source)
    short.load(Architecture((3, 4, 2)), [W for W, _ in weights((3, 4, 2), 1, False)])
    x = np.ones((2, 3))
    np.testing.assert_array_equal(short.logits(x), 3 * short.net.forward(x))
    assert len(short.loss_and_gradient(x, np.ones((2, 2)))[1]) == 2


def test_a_cost_that_is_written_tells_the_loss_of_a_network_that_tells_none(tmp_path: Path) -> None:
    source = (
        adapter()
        + "    def cost(self, outputs, targets):\n        return ((outputs - targets) ** 2).mean()\n"
    )
    short = made(tmp_path, source)
    assert "loss from Short.cost(outputs, targets)" in short.read_as[0]
    short.load(Architecture((3, 4, 2)), [W for W, _ in weights((3, 4, 2), 1, False)])
    x, t = np.ones((2, 3)), np.zeros((2, 2))
    assert short.loss_and_gradient(x, t)[0] == (short.logits(x) ** 2).mean()


def test_a_class_with_methods_is_left_alone() -> None:
    class Own:
        forward = "forward"

        def load(self) -> None: ...

    assert is_adapter(Own)
    assert not is_adapter(int)
