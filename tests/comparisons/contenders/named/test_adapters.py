"""Adapters without methods: read as they would be with them, whatever names and containers; else refused."""

from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from backproof.comparisons.contenders.loading import NotThere, Target, load_class
from backproof.comparisons.contenders.named.adapters import is_adapter
from backproof.scratch.architecture import Architecture
from tests.support.named_networks import CONSTRUCTORS, CONTAINERS, RETURNED, Written

NUMBER = count()
FORWARDS = ("forward", "feedforward", "predict", "run", "__call__", "forward_pass")
LEARNS = ("backward", "backprop", "train", "gradients", "one_step")
CLASSES = """
import numpy as np

class Net:
    def __init__(self, sizes):
        self.W = [np.random.randn(m, n) for m, n in zip(sizes[:-1], sizes[1:])]
        self.lr = 0.1
    def forward(self, x):
        self.outs = [x]
        for W in self.W:
            self.outs.append(np.tanh(self.outs[-1] @ W))
        return self.outs[-1]
    def backward(self, x, y):
        d, grads = 2 * (self.forward(x) - y) / y.size * (1 - self.outs[-1] ** 2), []
        for W, a in zip(self.W[::-1], self.outs[-2::-1]):
            grads.insert(0, a.T @ d)
            d = d @ W.T * (1 - a ** 2)
        return grads
    def both(self, x):
        return {"a": self.forward(x), "b": 2 * self.forward(x)}
    def classes(self, x):
        return self.forward(x).argmax(axis=1)
    def broken(self, x):
        raise RuntimeError("not today")
    def strange(self, x, y, temperature):
        return self.backward(x, y)
    def still(self, x, y, rate):
        return None
    def fit(self, x, y):
        for W, g in zip(self.W, self.backward(x, y)):
            W -= self.lr * g

class Hidden(Net):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.scale = float(np.random.rand())
    def forward(self, x):
        return self.scale * super().forward(x)

class NoRate(Net):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.lr = None
    def fit(self, x, y):
        for W, g in zip(self.W, self.backward(x, y)):
            W -= 0.1 * g

class Deaf(Net):
    def fit(self, x, y):
        for W, g in zip(self.W, self.backward(x, y)):
            W -= 0.1 * g

class Twice(Net):
    def __init__(self, sizes):
        super().__init__(sizes)
        self.start = [W.copy() for W in self.W]

class ShallowOnly(Net):
    def backward(self, x, y):
        if len(self.W) == 3:
            raise RuntimeError("two hidden layers are too many")
        return super().backward(x, y)
"""


def written(folder: Path, source: str) -> Path:
    """A file of its own: no two share a name, under which the first would be remembered."""
    path = folder / f"network_{next(NUMBER)}.py"
    path.write_text(source)
    return path


def made(folder: Path, source: str, name: str = "Short") -> Any:
    return load_class(Target(str(written(folder, source)), name))()


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


NAMES = {"wraps": "Net", "forward": '"forward"', "gradient": '"backward"', "loss": '"mse"'}
STEP = {"gradient": "", "step": '"fit"'}
REFUSED: list[tuple[dict[str, str], str]] = [
    ({"loss": ""}, "which loss has Short"),
    ({"gradient": ""}, "declare gradient = .* or step"),
    ({"step": '"fit"'}, "declare gradient = .* one of them"),
    ({"forward": '"forwards"'}, "Net has no such method; it has .*forward"),
    ({"forward": '"classes"'}, "returns no array of the outputs' shape"),
    ({"forward": '"both"'}, "2 arrays of the outputs' shape, a, b: which"),
    ({"forward": '"broken"'}, "rows: broken.* RuntimeError: not today; in columns"),
    ({"forward": "7"}, "expected a method's name.*got 7"),
    ({"gradient": '"strange"'}, "what is temperature of strange"),
    ({"gradient": '"fit"'}, "dW1, of shape .* no array"),
    ({"gradient": '("backward", 1.5)'}, "gradient: expected a method's name"),
    ({**STEP, "step": '"still"'}, "still.* changes no weight"),
    ({**STEP, "step": '"backward"'}, "takes no learning rate|changes no weight"),
    ({**STEP, "wraps": "NoRate"}, 'rate = "optimizer.lr"'),
    ({**STEP, "wraps": "Deaf"}, "the same at two rates"),
    ({**STEP, "rate": '"optimizer.lr"'}, "rate = 'optimizer.lr'.*AttributeError"),
    ({"wraps": "Hidden"}, "depends on more than the weights"),
    ({"wraps": "Twice"}, "W1, .*net.W.0., net.start.0."),
    ({"wraps": "Net([3, 2])"}, "expected a class or a function"),
    ({"rate": "0.1"}, "rate: expected names of attributes"),
]


@pytest.mark.parametrize(("attributes", "words"), REFUSED)
def test_what_is_not_told_is_refused_in_one_sentence(
    attributes: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(NotThere, match=words) as refused:
        made(tmp_path, adapter(**attributes))
    assert "\n" not in str(refused.value)


def test_labels_and_one_hot_targets_that_are_both_taken_are_refused(tmp_path: Path) -> None:
    declared = Written(columns=True, one_hot=True).source
    source = declared.replace('targets, supports = "one_hot", ', "supports = ")
    with pytest.raises(NotThere, match="takes labels and one-hot targets alike: declare targets"):
        made(tmp_path, source)


def adapter(**attributes: str) -> str:
    declared = {**NAMES, **attributes}
    lines = [f"    {name} = {value}\n" for name, value in declared.items() if value]
    return f"{CLASSES}\nclass Short:\n{''.join(lines)}"


def test_what_was_found_is_said(tmp_path: Path) -> None:
    short = made(tmp_path, adapter())
    assert short.read_as == [
        "read as: Net(sizes=all sizes), weights at net.W[0], net.W[1]; outputs from forward(x); "
        "gradient from backward(x, targets): [0], [1]"
    ]
    assert (short.samples, short.biases) == ("rows", "none")


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


def test_a_class_with_methods_is_left_alone() -> None:
    class Own:
        forward = "forward"

        def load(self) -> None: ...

    assert is_adapter(Own)
    assert not is_adapter(int)
