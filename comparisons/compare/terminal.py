"""`backproof compare` in a terminal."""

from rich.console import Console
from rich.text import Text

from backproof.comparisons.compare import words
from backproof.comparisons.compare.result import Comparison, Link
from backproof.comparisons.drawing.terminal import heading, verdict_text


def render(found: Comparison, console: Console) -> None:
    """Print the answer, then each side: what was compared, the first difference, and its causes."""
    console.print(Text.assemble("\n", verdict_text(found.verdict), " ", (words.answer(found), "bold")))
    for line in words.tallies(found):
        console.print(Text(f"  {line}"))
    for i, name in enumerate(found.names):
        if found.campaign and not words.failures(found, i):
            continue
        console.print(heading(name))
        console.print(Text(words.summary(found, i)))
        firsts = words.failures(found, i)
        for problem, link in firsts[:3]:
            console.print(Text(f"  first difference: {words.first_difference(problem, link)}"))
        for cause in words.causes(firsts):
            console.print(Text(f"  cause: {_subject(firsts)} {cause}", "bold"))
        if firsts and not words.causes(firsts):
            console.print(Text("  no known cause fits every entry of it"))
        for reason in words.refused(found.problems, i):
            console.print(Text(f"  note: {reason}", "dim"))


def _subject(firsts: list[tuple[str, Link]]) -> str:
    """The tensor that the causes are about, where it is the same in all problems."""
    tensors = {link.tensor for _, link in firsts}
    return f"{tensors.pop()}:" if len(tensors) == 1 else ""
