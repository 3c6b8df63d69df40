"""What a run over many hand-ins came to, in a few lines."""

from collections import Counter
from collections.abc import Sequence

from backproof.comparisons.check.grading.table import HEADS, Row
from backproof.comparisons.verdicts.outcome import Outcome

SHOWN = 5  # of the commonest causes


def lines(rows: Sequence[Row]) -> list[str]:
    """How many passed, the commonest causes, and who was not judged and why."""
    outcomes = Counter(_cell(row, "verdict") for row in rows)
    found = [f"{outcomes[word.value]} {word.value}" for word in Outcome if outcomes[word.value]]
    said = [f"{len(rows)} hand-ins: {', '.join(found) or 'nothing checked'}"]
    causes = Counter(_cell(row, "diagnosis") for row in rows if _cell(row, "verdict") == Outcome.FAIL)
    causes.pop("", None)
    if causes:
        said.append("the commonest causes:")
        said += [f"  {n} x {cause}" for cause, n in causes.most_common(SHOWN)]
    undecided = [row for row in rows if _cell(row, "verdict") == Outcome.INCONCLUSIVE]
    if undecided:
        said.append("not judged, or left undecided:")
        said += [f"  {_cell(row, 'class')}: {_cell(row, 'diagnosis') or 'see its row'}" for row in undecided]
    return said


def _cell(row: Row, head: str) -> str:
    return row[HEADS.index(head)]
