"""Networks as people write them: any names, any container, right or with one mistake; as the text of a file.

They have sigmoid units, and a softmax with cross-entropy or squares averaged over all entries. The adapter
without methods and the one with methods stand below each other in the same file.
"""

from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

from backproof.comparisons.contenders.loading import Target, load_class

HEAD = '''
import numpy as np


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def softmax(z, axis):
    e = np.exp(z - z.max(axis=axis, keepdims=True))
    return e / e.sum(axis=axis, keepdims=True)


class Store:
    """One layer, as an object that keeps its weights."""

    def __init__(self, W, b):
        self.kernel, self.offset = W, b

'''

# How the weights of layer l (from 1) are kept: what makes them, what reads them, what replaces them.
CONTAINERS = {
    "lists": (
        "self.Ws, self.bs = [W for W, _ in made], [b for _, b in made]",
        "self.Ws[l - 1], self.bs[l - 1]",
    ),
    "dict": (
        "self.params = {k + str(i + 1): v for i, pair in enumerate(made) for k, v in zip('Wb', pair)}",
        "self.params['W' + str(l)], self.params['b' + str(l)]",
    ),
    "attributes": (
        "[setattr(self, k + str(i + 1), v) for i, pair in enumerate(made) for k, v in zip('Wb', pair)]",
        "getattr(self, 'W' + str(l)), getattr(self, 'b' + str(l))",
    ),
    "layers": (
        "self.layers = [Store(W, b) for W, b in made]",
        "self.layers[l - 1].kernel, self.layers[l - 1].offset",
    ),
}
RETURNED = {
    "pairs": "return list(zip(dW, db))",
    "lists": "return db, dW",
    "dict": "return {k + str(i + 1): v for k, vs in (('dW', dW), ('db', db)) for i, v in enumerate(vs)}",
    "kept": "self.grads_W, self.grads_b = dW, db",
    "loss too": "return loss, dW, db",
}
CONSTRUCTORS = {
    "sizes": "sizes",
    "three": "n_inputs, n_hidden, n_outputs",
    "hidden": "input_size, hidden_sizes, output_size",
}


@dataclass(frozen=True)
class Written:
    """What a network's author chose."""

    forward: str = "forward"
    learn: str = "backward"
    container: str = "lists"
    constructor: str = "sizes"
    returned: str = "lists"
    columns: bool = False
    out_in: bool = False
    loss: str = "cross_entropy"
    one_hot: bool = False
    step: bool = False
    mistake: str = ""  # not averaged | slope | one bias

    @property
    def source(self) -> str:
        return HEAD + self._network() + self.short + self.long

    @property
    def short(self) -> str:
        """The adapter without methods."""
        cost = ", cost" if self.returned == "loss too" else ""
        tells = f', ("{self.learn}", 0)' if cost else ""
        learns = "step" if self.step else "gradient"
        return f"""

class Short:
    wraps, forward, {learns}{cost} = Network, "{self.forward}", "{self.learn}"{tells}
    targets, supports = "{self.targets}", {{"loss": ["{self.loss}"]}}
"""

    @property
    def targets(self) -> str:
        return "one_hot" if self.one_hot else "labels"

    @property
    def long(self) -> str:
        """The adapter with methods: what every network of these offers under the same names."""
        samples = '"columns"' if self.columns else '"rows"'
        outputs = '"probabilities"' if self.loss == "cross_entropy" else '"logits"'
        learns = (
            f"    def step(self, x, targets, rate):\n        self.net.{self.learn}(x, targets, rate)\n"
            if self.step
            else "    def loss_and_gradient(self, x, targets):\n        return self.net.told(x, targets)\n"
        )
        fixed = "hidden_layers = 1\n    " if self.constructor == "three" else ""
        made = {"sizes": "list(s)", "three": "*s", "hidden": "s[0], list(s[1:-1]), s[-1]"}[self.constructor]
        return f"""

class Long:
    activation, samples, outputs = "sigmoid", {samples}, {outputs}
    {fixed}weight_layout = "{"out_in" if self.out_in else "in_out"}"
    targets, supports = "{self.targets}", {{"loss": ["{self.loss}"], "dtype": ["float64"]}}

    def network(self, architecture):
        s = architecture.layer_sizes
        return Network({made})

    def logits(self, x):
        return self.net.{self.forward}(x)

{learns}"""

    def _network(self) -> str:
        make, read = CONTAINERS[self.container]
        columns, axis = self.columns, int(self.columns)
        product = {
            (False, False): "a @ W + b",
            (False, True): "a @ W.T + b",
            (True, False): "W.T @ a + b",
            (True, True): "W @ a + b",
        }[columns, self.out_in]
        back = (
            "W @ d"
            if columns and not self.out_in
            else "W.T @ d"
            if columns
            else "d @ W"
            if self.out_in
            else "d @ W.T"
        )
        gradient = "a @ d.T" if columns else "a.T @ d"
        sizes = {
            "sizes": "sizes",
            "three": "[n_inputs, n_hidden, n_outputs]",
            "hidden": "[input_size, *hidden_sizes, output_size]",
        }
        final = f"softmax(z, {1 - axis})" if self.loss == "cross_entropy" else "z"
        summed = (
            "np.full(b.shape, d.sum())"
            if self.mistake == "one bias"
            else f"d.sum(axis={axis}, keepdims=True)"
        )
        shape = "(n, 1)" if columns else "(1, n)"
        slope = "1.0" if self.mistake == "slope" else "a * (1 - a)"
        count = "1" if self.mistake == "not averaged" else "N"
        top = (
            f"(out - T) / {count}"
            if self.loss == "cross_entropy"
            else f"2 * (out - T) / (T.size / N * {count})"
        )
        told = (
            "float(-np.log((out * T).sum(axis=K)).mean())"
            if self.loss == "cross_entropy"
            else "float(((out - T) ** 2).mean())"
        )
        one_hot = (
            "y"
            if self.one_hot or self.loss != "cross_entropy"
            else ("np.eye(len(out))[y].T" if columns else "np.eye(out.shape[1])[y]")
        )
        learnt = RETURNED[self.returned]
        if self.step:
            learnt = "\n        ".join(
                (
                    "for l in range(1, len(dW) + 1):",
                    "    W, b = self.at(l)",
                    "    W -= rate * dW[l - 1]",
                    "    b -= rate * db[l - 1].reshape(b.shape)",
                )
            )
        return f"""
class Network:
    def __init__(self, {CONSTRUCTORS[self.constructor]}):
        sizes, draw = {sizes[self.constructor]}, np.random.default_rng()
        made = [
            (draw.standard_normal({"(n, m)" if self.out_in else "(m, n)"}), draw.standard_normal({shape}))
            for m, n in zip(sizes[:-1], sizes[1:])
        ]
        self.depth = len(made)
        {make}

    def at(self, l):
        return {read}

    def {self.forward}(self, x):
        self.outs = [x]
        for l in range(1, self.depth + 1):
            (W, b), a = self.at(l), self.outs[-1]
            z = {product}
            self.outs.append(sigmoid(z) if l < self.depth else {final})
        return self.outs[-1]

    def both(self, x, y):
        out, K, N = self.{self.forward}(x), {0 if columns else 1}, x.shape[{axis}]
        T = {one_hot}
        loss = {told}
        d, dW, db = {top}, [], []
        for l in range(self.depth, 0, -1):
            (W, b), a = self.at(l), self.outs[l - 1]
            g = {gradient}
            dW.insert(0, {"g.T" if self.out_in else "g"})
            db.insert(0, {summed})
            d = ({back}) * ({slope}) if l > 1 else None
        return loss, dW, db

    def told(self, x, y):
        loss, dW, db = self.both(x, y)
        return loss, list(zip(dW, db))

    def {self.learn}(self, x, y{", rate" if self.step else ""}):
        loss, dW, db = self.both(x, y)
        {learnt}
"""


# One network, and others that differ from it in what a reader of names must notice.
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
    def turned(self, x):
        return self.forward(x).T
    def after(self, x, y):
        return self.backward(self.outs[0], y)
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

class Shallow(Net):
    def __init__(self, sizes):
        if len(sizes) > 3:
            raise ValueError("too deep")
        super().__init__(sizes)

class ShallowOnly(Net):
    def backward(self, x, y):
        if len(self.W) == 3:
            raise RuntimeError("two hidden layers are too many")
        return super().backward(x, y)
"""


NAMES = {"wraps": "Net", "forward": '"forward"', "gradient": '"backward"', "loss": '"mse"'}
NUMBER = count()


def adapter(**attributes: str) -> str:
    declared = {**NAMES, **attributes}
    lines = [f"    {name} = {value}\n" for name, value in declared.items() if value]
    return f"{CLASSES}\nclass Short:\n{''.join(lines)}"


def written(folder: Path, source: str) -> Path:
    """A file of its own: no two share a name, under which the first would be remembered."""
    path = folder / f"network_{next(NUMBER)}.py"
    path.write_text(source)
    return path


def made(folder: Path, source: str, name: str = "Short") -> Any:
    return load_class(Target(str(written(folder, source)), name))()
