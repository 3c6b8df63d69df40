"""The perceptron and the question "shall I go out?": three yes-or-no inputs, weights, a bias, a step.

y = [w1 x1 + w2 x2 + w3 x3 + b > 0],   x1: good weather, x2: a free companion, x3: a place nearby
"""

from itertools import product

import numpy as np

from backproof.comparisons.lessons.frame import (
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    at_least,
    equal,
    number,
)
from backproof.comparisons.lessons.learning_rule import Learning, Perceptron, learn
from backproof.comparisons.lessons.pictures import COLOURS, DASHES, SYMBOLS, axes, line
from backproof.scratch.architecture import Array

INPUTS = np.array(list(product((0, 1), repeat=3)))  # (8, 3): every combination of answers
WEATHER_PERSON, NEARBY_PERSON = (6, 2, 2), (2, 2, 6)
PAIRS = np.array(list(product((0, 1), repeat=2)))
AND, OR = np.array([0, 0, 0, 1]), np.array([0, 1, 1, 1])


def decisions(weights: tuple[int, int, int], bias: int) -> Array:
    """Goes out (1) or stays (0) for each of the eight rows of INPUTS."""
    return Perceptron(np.array(weights, dtype=float), float(bias)).predict(INPUTS)


def run(setting: Setting) -> LessonResult:
    weather, companion, nearby = INPUTS.T
    any_yes = INPUTS.any(axis=1).astype(int)
    both_others = (companion & nearby).astype(int)
    learned = {"AND": learn(PAIRS, AND), "OR": learn(PAIRS, OR)}
    claims = (
        equal("any_yes", _word(decisions(WEATHER_PERSON, 0)), _word(any_yes)),
        equal("minus_five", _word(decisions(WEATHER_PERSON, -5)), _word(weather)),
        equal("minus_three", _word(decisions(WEATHER_PERSON, -3)), _word(weather | both_others)),
        equal("nearby_minus_five", _word(decisions(NEARBY_PERSON, -5)), _word(nearby)),
        equal("and", _word(learned["AND"].perceptron.predict(PAIRS)), _word(AND)),
        equal("or", _word(learned["OR"].perceptron.predict(PAIRS)), _word(OR)),
    )
    # Importance means that the two people decide differently somewhere.
    differ = [int((decisions(WEATHER_PERSON, b) != decisions(NEARBY_PERSON, b)).sum()) for b in (0, -5)]
    correction = Correction(
        "bias", at_least("without_bias", differ[0], 1), at_least("with_bias", differ[1], 1)
    )
    values = {"differ": number(differ[1])} | {
        f"{name.lower()}_{part}": value for name, found in learned.items() for part, value in _said(found)
    }
    return LessonResult(
        claims, (_mistakes(learned),), (Perceptron.predict, learn), (correction,), (_truth_table(),), values
    )


def _word(answers: Array) -> str:
    """The answers row by row, as one word of 0 and 1."""
    return "".join(str(int(answer)) for answer in answers)


def _said(found: Learning) -> list[tuple[str, str]]:
    w, b = found.perceptron.weight, found.perceptron.bias
    return [
        ("weights", f"({', '.join(number(v) for v in w)}), b = {number(b)}"),
        ("epochs", number(len(found.mistakes))),
    ]


def _truth_table() -> Table:
    settings = [(WEATHER_PERSON, 0), (NEARBY_PERSON, 0), (WEATHER_PERSON, -5), (NEARBY_PERSON, -5),
                (WEATHER_PERSON, -3)]  # fmt: skip
    columns = [decisions(*setting) for setting in settings]
    header = ["@weather", "@companion", "@nearby"]
    header += [f"({', '.join(map(str, w))}), b = {number(b)}" for w, b in settings]
    rows = [[str(v) for v in (*row, *(c[i] for c in columns))] for i, row in enumerate(INPUTS)]
    return Table("truth", header, rows)


def _mistakes(learned: dict[str, Learning]) -> Figure:
    data = [
        line(name, np.arange(1, len(found.mistakes) + 1), found.mistakes, COLOURS[i], DASHES[i], markers=True)
        for i, (name, found) in enumerate(learned.items())
    ]
    for trace, symbol in zip(data, SYMBOLS, strict=False):
        trace["marker"] = {"symbol": symbol, "size": 9}
    return Figure(
        "mistakes",
        data,
        axes(
            "@epoch", "@mistakes", xaxis={"dtick": 1}, yaxis={"rangemode": "tozero", "dtick": 1}, height=320
        ),
    )
