"""The other checkers of the kill matrix: how each is called, and what it can see at all."""

from dataclasses import dataclass

AT_A_POINT = "the gradient at a point"


@dataclass(frozen=True)
class Rival:
    """Its key in a row, the head of its column in the terminal, its name, and what it can see."""

    key: str
    short: str
    label: str
    sees: str


RIVALS = (
    Rival("gradcheck", "gc", "torch gradcheck", AT_A_POINT),
    Rival("gradgradcheck", "gg", "torch gradgradcheck", "the derivative of a backward pass in torch"),
    Rival("check_grads", "jx", "JAX check_grads", AT_A_POINT),
    Rival("check_grad", "cg", "SciPy check_grad", AT_A_POINT),
    Rival("autograd", "ag", "autograd check_grads", AT_A_POINT),
    Rival("numdifftools", "nd", "numdifftools", AT_A_POINT),
    Rival("accuracy", "95", "test accuracy > 95%", "what costs accuracy on small digits"),
    Rival("contract", "ct", "contract tests", "bounds, exact steps of training, whose arrays are whose"),
)
