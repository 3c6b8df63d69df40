"""`backproof compare A B`: where do two implementations part, and is it rounding or a mistake?"""

from functools import partial
from typing import Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, finish
from backproof.scratch.errors import InputError


def register(app: typer.Typer) -> None:
    app.command("compare", short_help="Find the first tensor that differs.")(compare)


def compare(
    first: Annotated[
        str,
        typer.Argument(
            metavar="A", help="A contender's name, file.py:Class or :model, or a folder of vectors."
        ),
    ],
    second: Annotated[str, typer.Argument(metavar="B", help="Another, or the folder of answers to A.")],
    seed: Annotated[int, options.count("Seed of weights and batches.", options.AT_LEAST_0)] = 0,
    campaign: Annotated[
        int | None, options.count("Random problems, for the false alarms among two right implementations.")
    ] = None,
    out: options.Out = options.OUT,
) -> int:
    """The first tensor in which two implementations differ by more than rounding, and why.

    Forward layer by layer, loss, backward layer by layer, three steps of every update rule; each tensor is
    judged given what it was computed from. A method trace(x, targets) -> {name: array} of a class shows its
    inner tensors. A torch module or a Keras model, or a function that makes one, may have layers of any kind;
    a module on a GPU is copied to the CPU: CUDA's kernels are not compared. For a program in another
    language: backproof vectors DIR writes the problems, the program writes a folder of answers, and
    backproof compare DIR ANSWERS judges them.
    Exit codes: 0 both right within rounding, 1 one is not, 2 bad input, 3 INCONCLUSIVE.
    """
    if seed < 0:
        raise InputError(f"seed: expected at least 0, got {seed}")
    begin()
    from pathlib import Path

    from backproof.comparisons.compare import campaign as random_problems
    from backproof.comparisons.compare import part, terminal, vectors
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.running.progress import Terminal

    look_into(out)
    with Terminal() as progress:
        if vectors.is_folder(Path(first)):
            found = vectors.judge(first, second)
        elif campaign is not None:
            found = random_problems.run((first, second), campaign, seed, progress)
        else:
            found = part.run((first, second), seed, progress)
    return finish(out, {"compare": found}, partial(terminal.render, found))
