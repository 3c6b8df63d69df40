"""Options that several commands have: one name, one meaning, one sentence of help."""

from typing import Annotated

import typer

OUT = "backproof-results"

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
        help="Beside scratch: torch (default), jax, tensorflow, sklearn, module:Class or file.py:Class; "
        "repeatable.",
    ),
]
Layers = Annotated[str | None, typer.Option(metavar="SIZES", help="Layer sizes, as 784,128,10.")]
Optimizer = Annotated[str, typer.Option(metavar="NAME", help="sgd or adam.")]
LearningRate = Annotated[
    float | None, typer.Option(metavar="RATE", help="[default: 0.3 for sgd, 0.001 for adam]")
]
BatchSize = Annotated[int, typer.Option(metavar="N", help="Examples per step.")]
FirstSeed = Annotated[int, typer.Option(metavar="N", help="The first seed.")]
