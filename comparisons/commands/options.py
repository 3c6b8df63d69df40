"""Options that several commands have: one name, one meaning, one sentence of help, one of refusal."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import typer

from backproof.comparisons.contenders import known
from backproof.scratch.errors import InputError

OUT = "backproof-results"
OTHERS = ", ".join(name for name in known.names() if name != known.SCRATCH)


@dataclass(frozen=True)
class Range:
    """The numbers that an option takes: from `low`, itself inside unless `open_low`, up to `high`."""

    low: float
    high: float = math.inf
    open_low: bool = False

    def __str__(self) -> str:
        """``at least 1``, ``more than 0 and at most 60``."""
        start = f"{'more than' if self.open_low else 'at least'} {self.low:g}"
        return start if math.isinf(self.high) else f"{start} and at most {self.high:g}"

    def __contains__(self, value: float) -> bool:
        above = value > self.low if self.open_low else value >= self.low
        return above and value <= self.high and not math.isinf(value)

    def check(self, option: str, given: Any) -> None:
        """Raise InputError, naming the option, unless all that was given lies inside."""
        for value in given if isinstance(given, list | tuple) else [given]:
            if value is not None and value not in self:
                raise InputError(f"{option}: expected {self}, got {value:g}")


AT_LEAST_0, AT_LEAST_1 = Range(0), Range(1)
POSITIVE = Range(0, open_low=True)
RATES = Range(0, 1e6, open_low=True)  # learning rates: float32 takes no step beyond
STEPS = Range(0, 1, open_low=True)  # of numerical differentiation


def within(numbers: Range) -> Callable[[typer.CallbackParam, Any], Any]:
    """What an option's `callback` is where its numbers lie in a range."""

    def checked(parameter: typer.CallbackParam, value: Any) -> Any:
        numbers.check(parameter.opts[0], value)
        return value

    return checked


def count(help_text: str, numbers: Range = AT_LEAST_1) -> Any:
    """An option that counts something."""
    return typer.Option(metavar="N", help=help_text, callback=within(numbers))


def positive(metavar: str, help_text: str, numbers: Range = POSITIVE) -> Any:
    """An option that is a number above zero."""
    return typer.Option(metavar=metavar, help=help_text, callback=within(numbers))


Out = Annotated[str, typer.Option(metavar="DIR", help="Folder for results.json and report.html.")]
Data = Annotated[str, typer.Option(metavar="KIND", help="auto, mnist (no fallback) or digits.")]
DataDir = Annotated[
    str | None,
    typer.Option(
        metavar="DIR", help="Folder with the four MNIST files (else BACKPROOF_DATA, cache, download)."
    ),
]
Contenders = Annotated[
    list[str] | None,
    typer.Option(
        metavar="NAME",
        help=f"Beside scratch: {OTHERS}, module:Class or file.py:Class; repeatable. [default: torch]",
    ),
]
Layers = Annotated[str | None, typer.Option(metavar="SIZES", help="Layer sizes, as 784,128,10.")]
Optimizer = Annotated[str, typer.Option(metavar="NAME", help="sgd or adam.")]
LearningRate = Annotated[
    float | None,
    typer.Option(metavar="RATE", help="[default: 0.3 for sgd, 0.001 for adam]", callback=within(RATES)),
]
BatchSize = Annotated[int, count("Examples per step.")]
FirstSeed = Annotated[int, count("The first seed.", AT_LEAST_0)]
Workers = Annotated[int | None, count("Processes. [default: one per core]")]
