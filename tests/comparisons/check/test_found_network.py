"""What is read in somebody's file without running it: the class that is the network, and its functions."""

import ast
import re

import pytest

from backproof.comparisons.check.found_network import Found, Function, Parameter, found_in
from backproof.scratch.errors import InputError


def found(source: str) -> Found:
    return found_in(ast.parse(source), "own.py")


FORWARD = "    def forward(self, x):\n        return x\n"
BACKWARD = "    def backward(self, x, y):\n        return x\n"
TRAIN = "    def train(self, x, y):\n        return x\n"
INIT = "    def __init__(self, sizes):\n        self.W = 1\n"
ABSTRACT = "    @abc.abstractmethod\n    def step(self): ...\n"


@pytest.mark.parametrize(
    ("first", "second", "owner"),
    [
        (FORWARD, FORWARD + BACKWARD, "B"),
        (FORWARD + BACKWARD, FORWARD, "A"),
        (FORWARD + BACKWARD, FORWARD + BACKWARD, "A"),
        (FORWARD + BACKWARD, INIT + FORWARD + BACKWARD, "B"),
        (FORWARD + BACKWARD + ABSTRACT, FORWARD, "B"),
        (FORWARD + BACKWARD, FORWARD + BACKWARD + TRAIN, "B"),
        (INIT, TRAIN, "B"),
    ],
)
def test_of_several_classes_that_is_the_network_which_does_most_of_its_work(
    first: str, second: str, owner: str
) -> None:
    assert found(f"class A:\n{first}class B:\n{second}").owner == owner


def test_a_class_that_does_none_of_it_is_left_for_the_functions() -> None:
    one = found(f"class A:\n{INIT}\nW1 = 3\ndef forward(x):\n    W2 = x\n    return x\n")
    assert (one.owner, [*one.functions], one.weights, one.rate) == ("", ["forward"], ("W1", "W2"), "")
    with pytest.raises(InputError, match=r"own\.py has no class and no function"):
        found(f"class A:\n{INIT}")
    for name in ("forward", "backward", "train"):
        assert [*found(f"def {name}(x):\n    return x\n").functions] == [name]


def test_the_weights_and_the_rate_of_a_class_are_its_attributes() -> None:
    one = found(f"class A:\n    def __init__(self, lr):\n        self.W1, self.b1, self.lr = 1, 2, lr\n"
                f"        W9 = lr\n        self.W1 = self.W7\n{FORWARD}")  # fmt: skip
    assert (one.weights, one.rate) == (("W1", "b1"), "lr")


SOURCE = '''
class Net:
    def __init__(self, sizes, seed=0): self.W = sizes
    def forward(self, x, training=False):
        """Outputs."""
        hidden = x
        return hidden, x
    def backward(self, x, y, rate=0.1):
        self.W -= rate
    def cost(self, y, epsilon):
        return {"loss": y, "terms": y}
    def predict(self, x):
        return np.argmax(self.forward(x))
    @classmethod
    def made(cls, sizes): return cls(sizes)
'''


def test_a_function_is_known_by_its_parameters_and_what_it_returns() -> None:
    functions = found(SOURCE).functions
    assert functions["forward"] == Function(
        "forward", (Parameter("x", False), Parameter("training", True)), ("hidden", "x")
    )
    assert functions["cost"] == Function(
        "cost", (Parameter("y", False), Parameter("epsilon", False)), ("loss", "terms"), keys=True
    )
    backward = functions["backward"]
    assert [(p.name, p.has_default) for p in backward.parameters] == [
        ("x", False),
        ("y", False),
        ("rate", True),
    ]
    assert not backward.returns
    assert not backward.chooses
    assert functions["predict"].chooses
    assert functions["predict"].returns
    assert [p.name for p in functions["made"].parameters] == ["sizes"]


def test_what_is_not_said_of_a_function_is_the_plainest() -> None:
    plain = Function("f", ())
    assert (plain.returned, plain.keys, plain.returns, plain.chooses) == ((), False, True, False)


@pytest.mark.parametrize(
    ("names", "rate"),
    [
        (("x", "lr"), "lr"),
        (("x", "epsilon"), "epsilon"),
        (("epsilon", "eta"), "eta"),
        (("x", "y"), ""),
        ((), ""),
    ],
)
def test_the_rate_of_a_function_is_known_by_its_name(names: tuple[str, ...], rate: str) -> None:
    assert Function("step", tuple(Parameter(name, False) for name in names)).rate() == rate


def named(rate: str = "", **functions: Function) -> Found:
    return Found("Net", functions, (), rate)


def function(name: str, *parameters: str, returns: bool = True, chooses: bool = False) -> Function:
    given = tuple(Parameter(one, False) for one in parameters)
    return Function(name, given, returns=returns, chooses=chooses)


def test_a_forward_pass_comes_before_a_prediction_and_a_chosen_class_is_none() -> None:
    predict, forward = function("predict", "x"), function("forward", "x")
    choosing = function("predict", "x", chooses=True)
    assert named(predict=predict, forward=forward).forward is forward
    assert named(predict=predict).forward is predict
    assert named(predict=choosing).forward is None
    assert named(predict=choosing, forward=forward).forward is forward
    assert named().forward is None


def test_a_backward_pass_that_takes_a_rate_or_keeps_one_and_returns_nothing_is_a_step() -> None:
    gives, silent = function("backward", "x", "y"), function("backward", "x", "y", returns=False)
    with_rate, train = function("backward", "x", "y", "lr"), function("train", "x", "y")
    assert named(backward=with_rate).step is with_rate
    assert named("lr", backward=silent).step is silent
    assert named("lr", backward=gives).step is None
    assert named(backward=silent).step is None
    assert named(backward=gives, train=train).step is None
    assert named(train=train).step is train
    assert named("lr", backward=gives).backward is gives
    assert named().step is None


def test_a_function_is_found_by_a_pattern_of_its_name() -> None:
    one = named(my_loss=function("my_loss"), cost=function("cost"))
    assert one.named(re.compile("loss|cost")) is one.functions["my_loss"]
    assert one.named(re.compile("^cost")) is one.functions["cost"]
    assert one.named(re.compile("entropy")) is None
