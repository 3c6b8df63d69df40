"""The line a cause may be in, in one class written as people write it: right, or none."""

from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.check.diagnosis import source_lines
from backproof.comparisons.check.diagnosis.source_lines import (
    NEVER,
    PATTERNS,
    ROUGHLY,
    SHAPES,
    TERMS,
    WORDS,
    with_lines,
)
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


# --- every part of every pattern ---------------------------------------------------------------------------
# By what a cause is about: methods in which what is there to be found is surrounded by what lacks one part
# of what it is found by; the lines marked <-- are found.
CALLED: dict[str, list[str]] = {
    "weight": [
        "def weight_gradient(x, d):\n    n = 1 / len(x)\n    dW = x.T @ d  # <--\n    dW = n * dW\n"
        "    return dW\ndef other(x, d):\n    return x @ d\n",
        "def weight_gradient(x, d):\n    return np.add.reduce(x[:, :, None] * d[:, None])  # <--\n"
        "def other(x):\n    return 2 * x\n",
        "def f(x, d):\n    dW = 3\n    q = x.T @ d\n    dW = x.T @ d  # <--\n",
        "def f(x, d):\n    W_grad = 3\n    q = x.T @ d\n    W_grad = x.T @ d  # <--\n",
        "def back(x, d):\n    q = 2 * d\n    two = x.T @ d, d.sum(axis=0)  # <--\n    return 2 * q\n"
        "def pair(x, d):\n    return x.T @ d, d.sum(axis=0)\n",
    ],
    "bias": [
        "def bias_gradient(d):\n    return d.sum(axis=0)  # <--\ndef other(x):\n    return 2 * x\n",
        "def f(d):\n    db = 3\n    q = d.sum()\n    db = d.sum(axis=0)  # <--\n",
        "def f(d):\n    b_grad = 3\n    q = d.sum()\n    b_grad = d.sum(axis=0)  # <--\n",
        "def back(x, d):\n    q = 2 * d\n    two = x.T @ d, d.sum(axis=0)  # <--\n    return 2 * q\n"
        "def pair(x, d):\n    return x.T @ d, d.sum(axis=0)\n",
    ],
    "output": [
        "def output_delta(z, t):\n    return z - t  # <--\ndef other(x):\n    return 2 * x\n",
        "def backward(p, t):\n    delta = p * t\n    q = p - t\n    delta = p - t  # <--\n"
        "def forecast(p, t):\n    delta = p - t\n",
    ],
    "pull": [
        "def pull_back(d, W):\n    return d @ W.T  # <--\ndef other(x):\n    return 2 * x\n",
        "def backward(d, W):\n    dh = 2 * d\n    q = d @ W.T\n    dh = d @ W.T  # <--\n"
        "def forecast(d, W):\n    dh = d @ W.T\n",
    ],
    "slope tanh": [
        "def activation_derivative(a):\n    return 1 - a * a  # <--\ndef other(x):\n    return 2 * x\n",
        "def tanh_prime(a):\n    return 1 - a * a  # <--\ndef other(x):\n    return 2 * x\n",
        "def backward(d, a):\n    q = 3 * d\n    r = 1 - d\n    dz = d * (1 - a ** 2)  # <--\n"
        "    return 2 * q\ndef forecast(d, a):\n    return d * (1 - a ** 2)\n",
        "def backward(d, a):\n    q = 3 * d\n    dz = d * (1 - a)  # <--\n    return 2 * q\n"
        "def forecast(d, a):\n    return d * (1 - a)\n",
    ],
    "slope sigmoid": [
        "def backward(d, a):\n    q = 3 * d\n    r = 1 - d\n    dz = d * a * (1 - a)  # <--\n",
        "def backward(d, a):\n    q = 3 * d\n    dz = d * (1 + a)  # <--\n",
    ],
    "slope relu": ["def backward(d, z):\n    q = 3 * d\n    dz = d * (z > 0)  # <--\n"],
    "loss cross_entropy": [
        "def f(p):\n    loss = 3\n    q = np.log(p)\n    loss = -np.log(p).mean()  # <--\n",
        "def cost(p):\n    q = 2 * p\n    nll = -np.log(p).mean()  # <--\n    return 2 * q\n"
        "def f(p):\n    return np.log(p)\n",
    ],
    "loss binary_cross_entropy": ["def cost(p):\n    q = 2 * p\n    return -np.log(p).mean()  # <--\n"],
    "loss mse": [
        "def cost(p, t):\n    gap = p - t\n    return np.square(gap).mean()  # <--\n",
        "def cost(p, t):\n    gap = p - t\n    return (gap ** 2).mean()  # <--\n",
    ],
    "loss sum_of_squares": ["def cost(p, t):\n    gap = p - t\n    return np.square(gap).sum()  # <--\n"],
    "softmax": [
        "def softmax(z):\n    p = np.exp(z)\n    p = p / p.sum()  # <--\n    return 1.0 * p\n"
        "def f(d):\n    return d.sum()\n",
        "def softmax(z):\n    k = 2 * z\n    e = np.exp(z)  # <--\n    return e / total(e)\n"
        "def f(z):\n    return np.exp(z)\n",
        "def g(z, e):\n    probs = 3\n    q = np.exp(z) / np.exp(z).sum()\n    probs = e / e.sum()  # <--\n",
    ],
    "momentum": [
        "def f(self, g):\n    self.v = 3\n    q = 0.9 * g\n    self.v = 0.9 * self.v + g  # <--\n",
        "def sgd(theta, g, h):\n    theta -= h * g  # <--\ndef f(x):\n    return 2 * x\n",
    ],
    "adam": [
        "def adam(s):\n    theta = g / s  # <--\ndef f(x):\n    return 2 * x\n",
        "def update(s):\n    q = 2 * g\n    theta = g / np.sqrt(s)  # <--\n"
        "def f(x):\n    return np.sqrt(x)\n",
    ],
    "decay": [
        "def decayed(theta, g, h):\n    return g + h * theta  # <--\ndef f(x):\n    return 2 * x\n",
        "def update(w, g, lam):\n    q = 2 * g\n    g = g + lam * w  # <--\n    return 2 * q\n"
        "def f(x, lam):\n    return lam * x\n",
    ],
    "update": [
        "def update(w, g, lr):\n    q = 2 * g\n    w = w - lr * g  # <--\n    return 2 * q\n"
        "def f(x, lr):\n    return lr * x\n",
    ],
}  # fmt: skip
LINES = [(about, methods) for about, sources in CALLED.items() for methods in sources]


def text_of(folder: Path, methods: str, cause: Cause) -> str:
    body = "".join(f"    {line}\n" for line in methods.splitlines())
    return line_of(folder, f"class Net:\n{body}", cause)


@pytest.mark.parametrize(("about", "methods"), LINES)
def test_the_line_that_has_every_part_is_found(tmp_path: Path, about: str, methods: str) -> None:
    assert text_of(tmp_path, methods, Cause("wrong", "fits", about=about)).endswith("# <--")


def parts() -> list[tuple[str, int, str]]:
    fields = ("function", "target", "value")
    return [
        (about, i, field)
        for about, patterns in PATTERNS.items()
        for i, pattern in enumerate(patterns)
        for field in fields
        if getattr(pattern, field)
    ]


@pytest.mark.parametrize(("about", "i", "field"), parts())
def test_without_any_part_of_a_pattern_a_line_is_not_found(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, about: str, i: int, field: str
) -> None:
    changed = [*PATTERNS[about]]
    changed[i] = replace(changed[i], **{field: ""})
    monkeypatch.setitem(PATTERNS, about, tuple(changed))
    mine = [(name, methods) for name, methods in LINES if name.partition(" ")[0] == about]
    found = [text_of(tmp_path, methods, Cause("wrong", "fits", about=name)) for name, methods in mine]
    assert not all(text.endswith("# <--") for text in found)


@pytest.mark.parametrize("looks", [SHAPES, ROUGHLY, TERMS], ids=["shapes", "roughly", "terms"])
def test_no_look_of_a_derivative_or_a_loss_is_needless(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, looks: dict[str, str]
) -> None:
    for name in [*looks]:
        with monkeypatch.context() as patch:
            patch.setitem(looks, name, NEVER)
            mine = [(about, methods) for about, methods in LINES if about.endswith(f" {name}")]
            found = [
                text_of(tmp_path, methods, Cause("wrong", "fits", about=about)) for about, methods in mine
            ]
            assert not all(text.endswith("# <--") for text in found), name


ADAM = """def adam(self, g, b1, b2, lr, eps):
    scale = lr * 1.0{scale}
    self.m = b1 * self.m + (1 - b1) * g
    self.s = b2 * self.s + (1 - b2) * g ** 2{square}
    m_hat = self.m / (1 - b1 ** self.t){corrected}
    w = w - scale * m_hat / (np.sqrt(self.s) + eps){root}
    self.t += 1{counter}
"""
SGD = "def sgd(v, g, mu):\n    v = mu * v + g\n    g = g + mu * v  # <--\n"
SPOKEN = [
    ("adam", "Adam's square root is left out: the step is divided by v + eps", "root", ADAM),
    ("adam", "Adam's square root is left out: the step is divided by v + eps", "root",
     ADAM.replace("np.sqrt(self.s)", "self.s")),
    ("adam", "Adam's eps is left out", "root", ADAM),
    ("adam", "Adam's bias correction is missing", "corrected", ADAM),
    ("adam", "Adam's bias-corrected moments are stored back into the running ones", "corrected", ADAM),
    ("adam", "Adam's second moment leaves out the weight decay", "square", ADAM),
    ("adam", "Adam's step counter t is raised once per tensor", "corrected", ADAM),
    ("momentum", "Nesterov's look-ahead is taken although nesterov is off", "", SGD),
    ("weight", "lambda W (lambda = 0.1) is in the weight gradient and missing from the loss", "",
     "def f(x, d, W, lam):\n    dW = x.T @ d\n    dW = x.T @ d + lam * W  # <--\n"),
    ("softmax", "exp(-z) stands in the softmax where exp(z) belongs", "",
     "def softmax(z):\n    e = np.exp(-z)  # <--\n    return e / e.sum()\n"),
]  # fmt: skip


def spoken(folder: Path, about: str, sentence: str, mark: str, methods: str) -> str:
    marks = {name: "  # <--" * (name == mark) for name in ("scale", "square", "corrected", "root", "counter")}
    return text_of(folder, methods.format(**marks), Cause(sentence, "fits", about=about))


@pytest.mark.parametrize(("about", "sentence", "mark", "methods"), SPOKEN)
def test_the_line_has_in_it_what_the_sentence_speaks_of(
    tmp_path: Path, about: str, sentence: str, mark: str, methods: str
) -> None:
    assert spoken(tmp_path, about, sentence, mark, methods).endswith("# <--")


def test_no_word_of_a_sentence_is_needless(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for i in range(len(WORDS)):
        with monkeypatch.context() as patch:
            patch.setattr(source_lines, "WORDS", (*WORDS[:i], *WORDS[i + 1 :]))
            found = [spoken(tmp_path, *one) for one in SPOKEN]
            assert not all(text.endswith("# <--") for text in found), WORDS[i]


def test_training_by_descent_is_not_sought_in_the_branch_of_adam(tmp_path: Path) -> None:
    methods = (
        "def update(self, w, g, lr, rule):\n    if rule == 'adam':\n        w = w - lr * self.m\n"
        "    w = w - lr * g  # <--\n"
    )
    assert text_of(tmp_path, methods, Cause("wrong", "fits", about="update")) == "w = w - lr * g  # <--"
    alone = "def update(self, w, g, lr, rule):\n    if rule == 'adam':\n        w = w - lr * self.m  # <--\n"
    assert text_of(tmp_path, alone, Cause("wrong", "fits", about="update")).endswith("# <--")


@pytest.mark.parametrize("sign", ["-", "+", "*", "/"])
def test_what_is_changed_in_place_is_read_as_what_it_becomes(tmp_path: Path, sign: str) -> None:
    methods = f"def update(w, g, lr):\n    w {sign}= lr * g\n"
    assert text_of(tmp_path, methods, Cause("wrong", "fits", about="update")) == f"w {sign}= lr * g"


def test_a_line_of_its_base_and_what_it_names_beside_it_are_found(tmp_path: Path) -> None:
    source = (
        "def softmax(z):\n    return np.exp(z) / np.exp(z).sum()\n"
        "class Top:\n    def weight_gradient(self, x, d):\n        return x.T @ d\n"
        "class Base(Top):\n    pass\nclass Net(Base):\n    kind = softmax\n"
    )
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="weight")) == "return x.T @ d"
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="softmax")).startswith("return np.exp(z) /")


def test_what_only_asks_its_base_is_no_line(tmp_path: Path) -> None:
    body = "    def weight_gradient(self, x, d):\n        return super().weight_gradient(x, d)\n"
    source = f"class Net(Base):\n{body}"
    assert line_of(tmp_path, source, Cause("wrong", "fits", about="weight")) == ""


@pytest.mark.parametrize("asked", ["mse", "cross_entropy"])
def test_the_branch_of_another_loss_is_left_alone(tmp_path: Path, asked: str) -> None:
    methods = (
        "def cost(self, p, t):\n    if self.name == 'cross_entropy':\n        return -(np.log(p) * t).sum()\n"
        "    if self.name == 'mse':\n        return ((p - t) ** 2).mean()\n"
    )
    line = {"cross_entropy": "return -(np.log(p) * t).sum()", "mse": "return ((p - t) ** 2).mean()"}[asked]
    assert text_of(tmp_path, methods, Cause("wrong", "fits", about=f"loss {asked}")) == line
    first = methods.partition("    if self.name == 'mse'")[0]
    found = text_of(tmp_path, first, Cause("wrong", "fits", about="loss mse"))
    assert found == ""
