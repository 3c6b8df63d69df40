"""`--init FILE --from homework.py`: an adapter that compiles, names what was found, and marks every guess."""

import ast
from pathlib import Path

import pytest

from backproof.comparisons.check.adapter import GUESS, adapter
from backproof.scratch.errors import InputError

NETWORK = """
import numpy as np
class Network:
    def __init__(self, sizes):
        self.weights = [np.zeros((m, n)) for n, m in zip(sizes[:-1], sizes[1:])]
        self.biases = [np.zeros((m, 1)) for m in sizes[1:]]
    def feedforward(self, a):
        for b, w in zip(self.biases, self.weights):
            a = softmax(np.dot(w, a) + b)
        return a
    def backprop(self, x, y):
        return None
    def cost(self, output, y):
        return 0
"""
STEPS = """
class Model:
    def __init__(self):
        self.W1, self.b1 = 1, 2
    def predict(self, x):
        return x
    def train(self, x, y, rate):
        self.W1 -= rate
"""
FLAT = """
class TwoLayer:
    def __init__(self, n_in, n_hidden, n_out):
        self.W1, self.b1, self.W2, self.b2 = 1, 2, 3, 4
    def forward(self, X):
        return X
    def loss(self, X, y):
        p = np.exp(X) / np.exp(X).sum(axis=1, keepdims=True)
        return 0
    def backward(self, y):
        return dW1, db1, dW2, db2
"""
FUNCTIONS = "W1 = 1\nb1 = 2\ndef forward(X):\n    return X\ndef backward(X, y):\n    return X\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            NETWORK,
            [
                "homework.Network(list(architecture.layer_sizes))",
                "self.net.feedforward(x)",
                "self.net.backprop(x, targets)",
                "probabilities",
            ],
        ),
        (
            STEPS,
            ["self.net.predict(x)", "def step(self, x, targets, rate)", "self.net.train(x, targets, rate)"],
        ),
        (
            FLAT,
            [
                "layer_sizes[0], architecture.layer_sizes[1], architecture.layer_sizes[-1])",
                "self.net.loss(x, targets)",
                "dW1, db1, dW2, db2 = self.net.backward(targets)",
                "gradient = [(dW1, db1), (dW2, db2)]",
                '# samples = "columns"',
            ],
        ),
        (FUNCTIONS, ["homework.forward(x)", "homework.backward(x, targets)", "homework.W1"]),
    ],
)
def test_what_was_found_is_called(source: str, words: list[str], tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text(source)
    text, guesses = adapter(tmp_path / "homework.py", tmp_path / "mine.py")
    ast.parse(text)
    assert all(word in text for word in words), text
    assert guesses == text.count(GUESS) > 3


def test_what_is_not_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text("def (")
    with pytest.raises(InputError, match="is not Python"):
        adapter(tmp_path / "homework.py", tmp_path / "mine.py")
