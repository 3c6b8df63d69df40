"""`backproof vectors DIR`: problems with their exact answers as files, for programs in any language."""

from typing import Annotated

import typer

from backproof.comparisons.commands.finish import begin


def register(app: typer.Typer) -> None:
    app.command("vectors", short_help="Write problems with exact answers.")(vectors)


def vectors(
    folder: Annotated[str, typer.Argument(metavar="DIR", help="Folder to write them to.")],
) -> int:
    """Write problems with their exact answers, for programs in any language.

    Each problem is a header NAME.json, one tensor a line, and its numbers NAME.bin, little-endian. What is
    given: inputs, targets, weights. What is expected, of every tensor and of the first step of every update
    rule: the two neighbouring numbers between which the exact value lies (at a kink, both slopes), and how
    far beyond them a right implementation may come. backproof compare DIR ANSWERS judges what was written.
    """
    begin()
    from backproof.comparisons.compare.vectors import write

    names = write(folder)
    print(f"{len(names)} problems in {folder}; answer them, then run: backproof compare {folder} ANSWERS")
    return 0
