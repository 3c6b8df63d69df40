"""The assignment "make the accuracy 95 % or more": which choices get there within five epochs?

Same data, same number of epochs, same batches; one choice is changed at a time: hidden layer, activation,
learning rate, optimiser, initial weights.
"""

from dataclasses import dataclass

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    number,
    percent,
)
from backproof.comparisons.lessons.images import DATA_NAMES, evaluated, image_network
from backproof.comparisons.lessons.pictures import COLOURS, DASHES, GOOD, SYMBOLS, axes, line
from backproof.scratch.architecture import ActivationName, OptimizerName

TARGET = 0.95
EPOCHS = 5


@dataclass(frozen=True)
class Choice:
    hidden: tuple[int, ...]
    activation: ActivationName
    optimizer: OptimizerName
    rate: float
    start: str

    def words(self) -> list[str]:
        layers = "–".join(["x", *map(str, self.hidden), "10"])
        start = "N(0, 1)" if self.start == "normal" else "He"
        return [layers, self.activation if self.hidden else "–", self.optimizer, number(self.rate), start]


CHOICES = {
    "no_hidden": Choice((), "identity", "sgd", 0.1, "he_normal"),
    "sigmoid": Choice((100,), "sigmoid", "sgd", 0.1, "he_normal"),
    "small_rate": Choice((100,), "relu", "sgd", 0.01, "he_normal"),
    "relu": Choice((100,), "relu", "sgd", 0.1, "he_normal"),
    "adam": Choice((100,), "relu", "adam", 1e-3, "he_normal"),
    "normal_start": Choice((100,), "relu", "adam", 1e-3, "normal"),
}
GET_THERE = ("relu", "adam")  # on MNIST


def crossing(curve: list[float]) -> int | None:
    """The first epoch, from 1, after which the accuracy is at least TARGET."""
    return next((epoch for epoch, value in enumerate(curve, start=1) if value >= TARGET), None)


def train_choice(choice: Choice, setting: Setting, name: str) -> list[float]:
    """Test accuracy after every epoch."""
    data = setting.dataset()
    network = image_network(data, choice.hidden, choice.activation, setting.seed, choice.start)
    return evaluated(network, data, choice.rate, EPOCHS, setting, name, choice.optimizer)


def run(setting: Setting) -> LessonResult:
    curves = {name: train_choice(choice, setting, name) for name, choice in CHOICES.items()}
    data = setting.dataset().name
    on_mnist = data == "mnist"
    rises = curves["adam"][-1] - curves["adam"][0]
    claims = [at_least("adam_rises", rises, 0.0, percent)]
    if on_mnist:
        claims += [_claim(name, curves[name]) for name in CHOICES]
    rows = [
        [f"@{name}", *choice.words(), percent(max(curves[name])), _epoch(curves[name])]
        for name, choice in CHOICES.items()
    ]
    header = ("@choice", "@layers", "@activation", "@optimizer", "η", "@start", "@best", "@crosses")
    values = {"target": percent(TARGET), "epochs": number(EPOCHS), "data": DATA_NAMES[data]}
    unjudged = (
        tuple(f"reaches_{n}" if n in GET_THERE else f"misses_{n}" for n in CHOICES) if not on_mnist else ()
    )
    return LessonResult(claims, (_curves(curves),), (crossing, train_choice),
                   tables=(Table("choices", header, rows),), values=values, unjudged=unjudged)  # fmt: skip


def _claim(name: str, curve: list[float]) -> Claim:
    best = max(curve)
    if name in GET_THERE:
        return at_least(f"reaches_{name}", best, TARGET, percent)
    return Claim(f"misses_{name}", best < TARGET, f"< {percent(TARGET)}", percent(best))


def _epoch(curve: list[float]) -> str:
    epoch = crossing(curve)
    return "–" if epoch is None else number(epoch)


def _curves(curves: dict[str, list[float]]) -> Figure:
    epochs = np.arange(1, EPOCHS + 1)
    data = []
    for i, (name, curve) in enumerate(curves.items()):
        trace = line(f"@{name}", epochs, 100 * np.array(curve), COLOURS[i], DASHES[i], markers=True)
        trace["marker"] = {"symbol": SYMBOLS[i], "size": 8}
        data.append(trace)
    data.append(line(percent(TARGET), [1, EPOCHS], [100 * TARGET] * 2, GOOD, "dot"))
    return Figure("accuracy", data, axes("@epoch", "@test_accuracy", height=460, xaxis={"dtick": 1}))
