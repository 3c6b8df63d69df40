"""`--init FILE --from homework.py`: an adapter that compiles, names what was found, and marks every guess."""

import ast
from pathlib import Path

import pytest

from backproof.comparisons.check.adapter import GUESS, adapter
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.scratch.errors import InputError
from tests.support.named_networks import Written

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
DICTIONARIES = """
class NeuralNet:
    def __init__(self, n_inputs, n_outputs, n_hidden, seed=0):
        self.W_h, self.b_h = np.zeros((n_inputs, n_hidden)), np.zeros((1, n_hidden))
        self.W_o, self.b_o = np.zeros((n_hidden, n_outputs)), np.zeros((1, n_outputs))
    def forward_pass(self, X):
        outputs = {"A_h": 1, "O_o": sigmoid(np.tanh(X))}
        return outputs
    def cost(self, y_true, y_predict, n_samples):
        return -np.sum(y_true * np.log(y_predict) + (1 - y_true) * np.log(1 - y_predict)) / n_samples
    def backward_pass(self, X, Y, n_samples, outputs):
        return {"dW_o": 1, "db_o": 2, "dW_h": 3, "db_h": 4}
"""
RATE_INSIDE = """
class Net:
    def __init__(self, sizes, learning_rate=0.1):
        self.lr = learning_rate
    def query(self, inputs_list):
        return np.dot(self.who, inputs_list)
    def train(self, inputs_list, targets_list):
        self.who += self.lr
"""
BY_LISTS = """
def forward(x, y, weights, biases):
    probs = exp_o / np.sum(exp_o, axis=1)
    return probs, loss, layers, activations
def backward(x, y, weights, biases, layers, activations):
    return W_grad, b_grad
"""
BACKWARD_STEPS = """
class Base:
    @abstractmethod
    def forward(self, X): ...
    @abstractmethod
    def backward(self, Y): ...
    @abstractmethod
    def train(self): ...
class Network:
    def __init__(self, input_size=784, hidden_size=10, output_size=10):
        self.W = 0
    def forward(self, X, training=False):
        return softmax(X)
    def backward(self, Y, learning_rate=0.01):
        self.W -= learning_rate
"""
STEPS_BY_ITSELF = """
class Net:
    def __init__(self, learning_rate=0.1):
        self.W1, self.learning_rate = 0, learning_rate
    def predict(self, X):
        return np.argmax(self.forward(X), axis=0)
    def forward(self, X):
        return X
    def backward(self, X, Y):
        self.W1 -= self.learning_rate
"""
UNTOLD = "def __init__(self, device, "  # a parameter that says nothing of sizes: methods are written then


def with_methods(source: str) -> str:
    return source.replace("def __init__(self, ", UNTOLD)


FUNCTIONS = "W1 = 1\nb1 = 2\ndef forward(X):\n    return X\ndef backward(X, y):\n    return X\n"


@pytest.mark.parametrize(
    ("source", "words"),
    [
        (
            with_methods(NETWORK),
            [
                "homework.Network(..., list(architecture.layer_sizes))",
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
            with_methods(FLAT),
            [
                "layer_sizes[0], architecture.layer_sizes[1], architecture.layer_sizes[-1])",
                "self.net.loss(x, targets)",
                "dW1, db1, dW2, db2 = self.net.backward(targets)",
                "gradient = [(dW1, db1), (dW2, db2)]",
                '# samples = "columns"',
            ],
        ),
        (
            with_methods(DICTIONARIES),
            [
                "layer_sizes[0], architecture.layer_sizes[-1], architecture.layer_sizes[1])",
                "self.net.forward_pass(x)['O_o']",
                "outputs = self.net.forward_pass(x)  # guess",
                "self.net.cost(targets, outputs['O_o'], len(x))",
                "self.net.backward_pass(x, targets, len(x), outputs)",
                "found['dW_h'], found['db_h'], found['dW_o'], found['db_o']",
                '    activation = "tanh"',
                '"loss": ["binary_cross_entropy"]',
                '    biases = "row"',
                "    hidden_layers = 1",
            ],
        ),
        (
            with_methods(RATE_INSIDE),
            ["self.net.lr = rate", "self.net.train(x, targets)", '    weight_layout = "out_in"'],
        ),
        (
            BY_LISTS,
            [
                "homework.forward(x, np.zeros(len(x), int), self.its_weights, self.its_biases)[0]",
                "probs, loss, layers, activations = homework.forward(x, targets, self.its_weights",
                "homework.backward(x, targets, self.its_weights, self.its_biases, layers, activations)",
            ],
        ),
        (
            with_methods(BACKWARD_STEPS),
            ["homework.Network(..., arch", "self.net.forward(x, True)", "self.net.backward(targets, rate)"],
        ),
        (
            STEPS_BY_ITSELF,
            [
                "return self.net.forward(x)",
                "self.net.learning_rate = rate",
                "        self.net.forward(x)  # guess",
                "self.net.backward(x, targets)  # guess",
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
    assert guesses == text.count(GUESS) >= 3


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        (
            NETWORK,
            ["wraps = Network", 'forward, gradient, cost = "feedforward", "backprop", "cost"  # guess'],
        ),
        (FLAT, ["wraps = TwoLayer", 'forward, gradient, cost = "forward", "backward", "loss"  # guess']),
        (
            DICTIONARIES,
            ['forward, gradient, cost = ("forward_pass", "O_o"), "backward_pass", "cost"  # guess'],
        ),
        (RATE_INSIDE, ["wraps = Net", 'forward, step, rate = "query", "train", "lr"  # guess']),
        (BACKWARD_STEPS, ["wraps = Network", 'forward, step = "forward", "backward"  # guess']),
        (
            f"def init_weights(sizes):\n    return weights, biases\n{BY_LISTS}",
            [
                "wraps = init_weights",
                'forward, gradient, cost = ("forward", "probs"), "backward", ("forward", "loss")',
            ],
        ),
        (
            STEPS.replace("self)", "self, layers_dim)").replace("return x", "return np.argmax(x)"),
            ["wraps = Model", 'step = "train"  # guess'],
        ),
    ],
)
def test_where_names_are_enough_no_method_is_written(source: str, lines: list[str], tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text(source)
    text, guesses = adapter(tmp_path / "homework.py", tmp_path / "mine.py")
    assert "def " not in text
    assert all(f"    {line}" in text for line in lines), text
    assert guesses == text.count(GUESS) >= 2


LAYERED = """
class Dense:
    def __init__(self, n_in, n_out):
        self.W, self.b = np.zeros((n_in, n_out)), np.zeros(n_out)
    def forward(self, x):
        self.x = x
        return x @ self.W + self.b
    def backward(self, grad):
        self.dW, self.db = self.x.T @ grad, grad.sum(axis=0)
        return grad @ self.W.T

class Sequential:
    def __init__(self, sizes):
        self.layers = [Dense(*pair) for pair in zip(sizes, sizes[1:])]
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
    def backward(self, outputs, targets):
        grad = 2 * (outputs - targets) / outputs.size
        for layer in reversed(self.layers):
            grad = layer.backward(grad)

class Deeper(Sequential):
    def forward(self, x):
        return super().forward(x)
    def backward(self, outputs, targets):
        super().backward(outputs, targets)
"""


IN_A_LOOP = """self.layers = [Dense(*pair) for pair in zip(sizes, sizes[1:])]
    def forward(self, x):
        for layer in self.layers:
            x = layer.forward(x)
        return x
"""
BACK = """for layer in reversed(self.layers):
            grad = layer.backward(grad)
"""
BY_NAME = """self.first, self.second = Dense(*sizes[:2]), Dense(*sizes[1:])
    def forward(self, x):
        return self.second.forward(self.first.forward(x))
"""
BY_NAME_ALONE = LAYERED.replace(IN_A_LOOP, BY_NAME).replace(
    BACK, "self.first.backward(self.second.backward(grad))\n"
)
TRAINER = """
class Trainer:
    def __init__(self, sizes):
        self.net, self.loss = Sequential(sizes), None
    def forward(self, x):
        return self.net.forward(x)
    def backward(self, x, targets):
        return self.net.backward(self.forward(x), targets) + self.loss.forward(x)
    def train(self, x, targets, rate):
        self.backward(x, targets)
"""


@pytest.mark.parametrize("source", [LAYERED, BY_NAME_ALONE, LAYERED + TRAINER])
def test_a_network_is_taken_before_its_layers_and_before_what_wraps_it(source: str, tmp_path: Path) -> None:
    assert "for layer" not in BY_NAME_ALONE
    (tmp_path / "homework.py").write_text(source)
    text, _ = adapter(tmp_path / "homework.py", tmp_path / "mine.py")
    assert "wraps = Sequential" in text
    assert 'forward, gradient = "forward", "backward"' in text


def test_the_class_that_was_named_is_taken(tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text(LAYERED)
    text, _ = adapter(tmp_path / "homework.py", tmp_path / "mine.py", "Dense")
    assert "wraps = Dense" in text
    with pytest.raises(InputError, match="has no class Conv; its classes: Dense, Sequential, Deeper"):
        adapter(tmp_path / "homework.py", tmp_path / "mine.py", "Conv")


def test_what_is_written_by_names_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / "written_here.py").write_text(Written(container="dict", returned="dict").source)
    text, _ = adapter(tmp_path / "written_here.py", tmp_path / "mine.py")
    (tmp_path / "mine.py").write_text(text)
    found = load_class(Target(str(tmp_path / "mine.py"), "Adapter"))
    assert "weights at net.params['W1'], net.params['b1']" in vars(found)["read_as"][0]


def test_what_is_not_python_is_refused(tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text("def (")
    with pytest.raises(InputError, match="is not Python"):
        adapter(tmp_path / "homework.py", tmp_path / "mine.py")


def test_a_file_in_a_folder_beside_the_adapter_is_imported_through_it(tmp_path: Path) -> None:
    (tmp_path / "nn").mkdir()
    (tmp_path / "nn" / "model.py").write_text(STEPS)
    text, _ = adapter(tmp_path / "nn" / "model.py", tmp_path / "mine.py")
    assert "import nn.model" in text
    assert "nn.model.Model()" in text


@pytest.mark.parametrize("imported", ["from layer import Layer", "import layer"])
def test_how_arrays_lie_is_seen_in_the_files_that_are_imported(tmp_path: Path, imported: str) -> None:
    (tmp_path / "layer.py").write_text("db = np.sum(dz, axis=1, keepdims=True)\nz = np.dot(self.W, x)\n")
    (tmp_path / "homework.py").write_text(f"{imported}\n{STEPS}")
    text, _ = adapter(tmp_path / "homework.py", tmp_path / "mine.py")
    assert '    samples = "columns"' in text
    assert '    weight_layout = "out_in"' in text


def test_a_script_without_functions_is_refused_with_what_to_do(tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text("w = 1\nfor i in range(3):\n    w = w - 0.1\n")
    with pytest.raises(
        InputError, match=r"no class and no function.*move the script's lines into its methods"
    ):
        adapter(tmp_path / "homework.py", tmp_path / "mine.py")


@pytest.mark.parametrize(
    "source", [*map(with_methods, (DICTIONARIES, BACKWARD_STEPS, RATE_INSIDE, FLAT)), BY_LISTS]
)
def test_no_method_is_hidden_by_what_load_keeps(source: str, tmp_path: Path) -> None:
    (tmp_path / "homework.py").write_text(source)
    text, _ = adapter(tmp_path / "homework.py", tmp_path / "mine.py")
    tree = ast.parse(text)
    methods = {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
    stored = {
        node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute) and "Store" in str(node.ctx)
    }
    assert not methods & stored
