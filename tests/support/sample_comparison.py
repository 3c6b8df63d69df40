"""A comparison of two implementations as results.json has it, made by hand: networks, and models."""

from math import nan

from backproof.comparisons.compare.result import Compared, Comparison, Link, Side
from backproof.comparisons.verdicts.outcome import Outcome

NAMES = "scratch", "my_port.py:MyMLP"


def a_link(tensor: str, outcome: Outcome, error: float, *causes: str) -> Link:
    """A tensor whose bound is 1e-6."""
    return Link(tensor, outcome, error, 1e-6, f"{tensor}[3, 1]", 0.5 + error, 0.5, error / 6e-8, causes)


def a_comparison() -> Comparison:
    """Two networks, the second with a mistake; and two models, with long names and a wrong shape."""
    return Comparison(Outcome.FAIL, 1.5, NAMES, (_networks(), _models()))


def _networks() -> Compared:
    layers = [f"{kind}{i}" for i in (1, 2, 3) for kind in ("z", "a", "delta", "dW", "db")]
    steps = [f"adam, step {step}: W{i}" for step in (1, 2, 3) for i in (1, 2)]
    right = tuple(a_link(name, Outcome.PASS, 2e-8 * (i + 1)) for i, name in enumerate([*layers, *steps]))
    wrong = (*right[:4], a_link("db1", Outcome.FAIL, 0.25, "half of what it should be"), *right[5:])
    sides = Side(NAMES[0], right), Side(NAMES[1], wrong)
    return Compared("5-4-3 tanh, mse, float64, batch of 7", sides)


def _models() -> Compared:
    fronts = ("into ", "", "d ")
    paths = [f"{front}encoder.layers.{i}.self_attention" for front in fronts for i in range(4)]
    right = tuple(a_link(name, Outcome.PASS, 0.0) for name in paths)
    text = "shape (4, 6) where (6, 4) belongs"
    cut = Link(paths[7], Outcome.FAIL, nan, nan, paths[7], nan, nan, nan, (text,))
    notes = "its own weights: fc.weight[0, 1] is 0.5 where 0.25 belongs; it is compared at those of the other"
    sides = Side(NAMES[0], right), Side(NAMES[1], (*right[:7], cut, *right[8:]), (notes,))
    return Compared("training, dropout off, float32, inputs 6-1-8-8, bounds estimated, not derived", sides)
