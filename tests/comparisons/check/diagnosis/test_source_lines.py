"""The line a cause may be in, in one class written as people write it: right, or none."""

from pathlib import Path

import pytest

from backproof.comparisons.check.diagnosis.source_lines import with_lines
from backproof.comparisons.check.results import Cause
from backproof.comparisons.contenders.loading import Target

SOURCE = """
import numpy as np

def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)

def relu_prime(z):
    return (z > 0).astype(float)

class Net:
    def forward(self, x):
        self.z1 = x @ self.W1 + self.b1
        self.a1 = np.maximum(self.z1, 0)
        return self.a1 @ self.W2 + self.b2

    def loss(self, x, y):
        p = softmax(self.forward(x))
        return -np.log(p[np.arange(len(y)), y]).mean()

    def backward(self, x, y):
        p = softmax(self.forward(x))
        dz2 = (p - np.eye(p.shape[1])[y]) / len(y)
        grads = {}
        grads["W2"] = self.a1.T @ dz2
        grads["b2"] = dz2.sum(axis=0)
        dz1 = dz2 @ self.W2.T * relu_prime(self.z1)
        dW1 = x.T @ dz1
        db1 = dz1.sum(axis=0)
        return grads, dW1, db1

    def step(self, grads, lr, weight_decay):
        self.t += 1
        for i, (theta, g) in enumerate(grads):
            g = g + weight_decay * theta
            self.v[i] = 0.9 * self.v[i] + g
            theta -= lr * self.v[i]

    def adam(self, theta, g, lr):
        self.m = 0.9 * self.m + 0.1 * g
        self.s = 0.999 * self.s + 0.001 * g ** 2
        m_hat = self.m / (1 - 0.9 ** self.t)
        theta -= lr * m_hat / (np.sqrt(self.s) + 1e-8)
"""
CASES = (
    ("weight", "every weight gradient is N times too large", "W2", 'grads["W2"] ='),
    ("weight", "every weight gradient is N times too large", "W1", "dW1 ="),
    ("bias", "every bias gradient is N times too small: averaged twice?", "b2", 'grads["b2"] ='),
    ("bias", "every bias gradient is N times too small: averaged twice?", "b1", "db1 ="),
    ("output", "the gradient is N times too large: not divided by N?", "W2", "dz2 ="),
    ("pull", "W stands where W^T belongs", "W1", "dz1 ="),
    ("slope relu", "relu's mask is inverted", "W1", "return (z > 0)"),
    ("loss cross_entropy", "the loss is a little too small", "", "return -np.log"),
    ("softmax", "the softmax is normalised over the whole batch instead of each row", "", "return e / e.sum"),
    ("momentum", "momentum multiplies the gradient where it should multiply the velocity", "", "self.v[i] ="),
    ("decay", "weight decay is doubled", "", "g = g + weight_decay"),
    ("update", "the step goes uphill: the gradient is added", "", "theta -= lr * self.v[i]"),
    ("adam", "Adam's eps stands inside the square root", "", "theta -= lr * m_hat"),
)  # fmt: skip


def line_of(folder: Path, source: str, cause: Cause, tensor: str = "", name: str = "Net") -> str:
    file = folder / "own.py"
    file.write_text(source, encoding="utf-8")
    (told,) = with_lines([cause], Target(str(file), name), tensor)
    return told.line.text if told.line else ""


@pytest.mark.parametrize(("about", "sentence", "tensor", "begins"), CASES)
def test_a_cause_leads_to_the_line_that_computes_what_it_speaks_of(
    tmp_path: Path, about: str, sentence: str, tensor: str, begins: str
) -> None:
    found = line_of(tmp_path, SOURCE, Cause(sentence, "explains", about=about), tensor)
    assert found.startswith(begins)


def test_the_number_is_that_of_the_file(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text(SOURCE, encoding="utf-8")
    (told,) = with_lines([Cause("wrong", "fits", about="bias")], Target(str(file), "Net"), "b1")
    assert told.line is not None
    assert SOURCE.splitlines()[told.line.number - 1].strip() == told.line.text == "db1 = dz1.sum(axis=0)"
    assert told.line.file == "own.py"


def test_names_that_say_nothing_lead_nowhere(tmp_path: Path) -> None:
    source = "class Net:\n    def f(self, u, k):\n        q = u.T @ k\n        return q, k.sum(axis=0)\n"
    for about in ("weight", "bias", "output", "pull", "slope relu", "loss mse", "softmax", "adam", "update"):
        assert line_of(tmp_path, source, Cause("wrong", "fits", about=about)) == ""


def test_of_two_methods_that_it_may_be_none_is_told(tmp_path: Path) -> None:
    body = "        dW = x.T @ d\n        return dW\n"
    source = f"class Net:\n    def back_a(self, x, d):\n{body}    def back_b(self, x, d):\n{body}"
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="weight")) == ""


def test_the_branch_of_another_activation_is_left_alone(tmp_path: Path) -> None:
    source = (
        "class Net:\n    def activation_derivative(self, z, a):\n"
        "        if self.name == 'sigmoid':\n            return a * (1 - a)\n"
        "        if self.name == 'tanh':\n            return 1 - a * a\n"
    )
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="slope tanh")) == "return 1 - a * a"
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="slope relu")) == ""


def test_a_class_beside_it_that_it_does_not_name_is_left_alone(tmp_path: Path) -> None:
    loss = "    def loss(self, p):\n        return -np.log(p).mean()\n"
    source = f"class Other:\n{loss}\nclass Net:\n    def loss(self, p):\n        return asked(p)\n"
    cause = Cause("wrong", "fits", about="loss cross_entropy")
    assert line_of(tmp_path, source, cause) == ""
    assert line_of(tmp_path, source, cause, name="Other") == "return -np.log(p).mean()"


def test_a_wrong_derivative_inside_an_inner_function_is_found(tmp_path: Path) -> None:
    source = (
        "class Net:\n    def backward(self, x):\n        def visit(t):\n"
        "            d_out = d_t * (1 - t)\n            return d_out\n        return visit(x)\n"
    )
    cause = Cause("wrong", "fits", about="slope tanh")
    assert line_of(tmp_path, source, cause) == "d_out = d_t * (1 - t)"


def test_its_own_method_comes_before_that_of_its_base(tmp_path: Path) -> None:
    body = "    def weight_gradient(self, x, d):\n        return x.T @ d"
    source = f"class Base:\n{body}\nclass Net(Base):\n{body} * 2\n"
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="weight")) == "return x.T @ d * 2"


def test_a_file_that_cannot_be_read_has_no_lines(tmp_path: Path) -> None:
    assert line_of(tmp_path, "def broken(:", Cause("wrong", "fits", about="weight")) == ""
    (told,) = with_lines([Cause("wrong", "fits", about="weight")], Target("a.module", "Net"))
    assert told.line is None
