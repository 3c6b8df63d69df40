"""Where names are enough for an adapter, and what is then declared."""

import ast

import pytest

from backproof.comparisons.check.found_network import Found, Function, Parameter, found_in
from backproof.comparisons.check.short_adapter import comments, made_by, short_lines

FORWARD = "    def forward(self, x):\n        return x\n"
BACKWARD = "    def backward(self, x, y):\n        return dW, db\n"
INIT = "    def __init__(self, sizes):\n        self.W = 1\n"
NET = f"class Net:\n{INIT}{FORWARD}{BACKWARD}"


def found(source: str) -> Found:
    return found_in(ast.parse(source), "own.py")


def declared(source: str) -> str:
    lines = short_lines(found(source), "  # guess")
    return "none" if lines is None else lines[1].removesuffix("  # guess")


@pytest.mark.parametrize(
    ("parameters", "made"),
    [
        ("sizes", True),
        ("layer_dims", True),
        ("n_inputs, n_hidden, n_outputs", True),
        ("n_inputs, n_outputs", True),
        ("n_inputs, n_hidden", False),
        ("n_outputs, n_hidden", False),
        ("sizes, device", False),
        ("sizes, device=None", True),
        ("sizes, lr", True),
        ("n_inputs=3, n_outputs=2", True),
        ("lr", False),
    ],
)
def test_a_network_is_made_of_sizes_and_of_what_says_what_it_is(parameters: str, made: bool) -> None:
    of_class = NET.replace("sizes", parameters)
    assert (made_by(found(of_class)) == "Net") == made
    functions = f"def init({parameters}):\n    return W\ndef forward(x, W):\n    return x\n"
    assert (made_by(found(functions)) == "init") == made


def test_a_class_without_a_constructor_and_two_makers_are_none() -> None:
    assert made_by(found(f"class Net:\n{FORWARD}{BACKWARD}")) is None
    makers = "".join(f"def {name}(sizes):\n    return W\n" for name in ("init_weights", "make_layers"))
    two = f"{makers}def forward(x):\n    return x\n"
    assert made_by(found(two)) is None
    silent = "def init_weights(sizes):\n    W = sizes\ndef forward(x):\n    return x\n"
    assert made_by(found(silent)) is None


@pytest.mark.parametrize(
    ("source", "line"),
    [
        (NET, 'forward, gradient = "forward", "backward"'),
        (NET.replace("(self, x)", "(self, one)"), 'forward, gradient = "forward", "backward"'),
        (NET.replace("(self, x)", "(self, one, two)"), "none"),
        (NET.replace("(self, x)", "(self, x, two)"), "none"),
        (NET.replace("(self, x)", "(self, x, two=2)"), 'forward, gradient = "forward", "backward"'),
        (NET.replace("(self, x, y)", "(self, x, y, one)"), "none"),
        (NET.replace("(self, x, y)", "(self, x, y, lr)"), 'forward, step = "forward", "backward"'),
        (NET.replace("(self, x, y)", "(self, x, y, cache)"), "none"),
        (f"class Net:\n{INIT}{BACKWARD}", "none"),
        (f"class Net:\n{INIT}{FORWARD}", "none"),
        (f"class Net:\n{INIT}    def train(self, x, y, lr):\n        self.W -= lr\n", 'step = "train"'),
        (f"class Net:\n{INIT}        self.lr = 1\n    def train(self, x, y):\n        self.W -= 1\n",
         'step, rate = "train", "lr"'),
        (NET.replace("return x\n", "return x, probs, cache\n").replace("x, y)", "x, y, cache)"),
         'forward, gradient = ("forward", "probs"), "backward"'),
        (NET.replace("return x\n", "return a1, a2\n"), 'forward, gradient = ("forward", "a2"), "backward"'),
        (NET.replace("return x\n", "return h1, h2\n"), 'forward, gradient = "forward", "backward"'),
        (NET.replace("return x\n", 'return {"z": x, "y_hat": x}\n'),
         'forward, gradient = ("forward", "y_hat"), "backward"'),
        (NET.replace("return x\n", "return probs, loss\n"),
         'forward, gradient, cost = ("forward", "probs"), "backward", ("forward", "loss")'),
    ],
)  # fmt: skip
def test_what_is_declared_is_what_the_names_say(source: str, line: str) -> None:
    assert declared(source) == line


@pytest.mark.parametrize(
    ("cost", "line"),
    [
        ("def cost(self, outputs, y)", ', cost = "forward", "backward", "cost"'),
        ("def loss(self, y_hat, y, m)", ', cost = "forward", "backward", "loss"'),
        ("def cost(self, outputs, y, one)", ' = "forward", "backward"'),
        ("def cost(self, outputs, y, one=1)", ', cost = "forward", "backward", "cost"'),
        ("def cost_prime(self, outputs, y)", ' = "forward", "backward"'),
        ("def loss_grad(self, outputs, y)", ' = "forward", "backward"'),
        ("def other(self, outputs, y)", ' = "forward", "backward"'),
    ],
)
def test_where_the_loss_is_told_is_declared_if_its_arguments_are_told_too(cost: str, line: str) -> None:
    assert declared(f"{NET}    {cost}:\n        return 0\n") == f"forward, gradient{line}"


def test_functions_may_be_given_the_weights_and_methods_may_not() -> None:
    functions = (
        "def init_weights(sizes):\n    return W\ndef forward(x, W):\n    return x\n"
        "def backward(x, y, W):\n    return W\n"
    )
    assert short_lines(found(functions), "") == [
        "wraps = init_weights", 'forward, gradient = "forward", "backward"',
    ]  # fmt: skip
    assert declared(NET.replace("(self, x)", "(self, x, W)")) == "none"


def test_what_wraps_is_told_first_and_the_guess_is_marked() -> None:
    lines = short_lines(found(NET), "  # guess")
    assert lines == ["wraps = Net", 'forward, gradient = "forward", "backward"  # guess']


def test_a_step_that_takes_its_rate_is_given_none_beside_it() -> None:
    functions = {
        "__init__": Function("__init__", (Parameter("sizes", False),)),
        "train": Function("train", tuple(Parameter(name, False) for name in ("x", "y", "lr"))),
    }
    assert short_lines(Found("Net", functions, ("W",), "rate"), "") == ["wraps = Net", 'step = "train"']


def test_what_may_be_declared_beside_the_names_is_said() -> None:
    assert [line.split()[1] for line in comments()] == ["What", "samples", "targets", "activation"]
