"""What went wrong, explained above everything else: where, by how much, and what shows it again."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from backproof.comparisons.contenders.known import KNOWN, SCRATCH
from backproof.comparisons.drawing import formats
from backproof.comparisons.gradients.result import Check, Gradients
from backproof.comparisons.gradients.words import compared, ordered
from backproof.comparisons.report.document import Results
from backproof.comparisons.report.sentence import subject
from backproof.comparisons.verdicts.cause import Cause
from backproof.comparisons.verdicts.outcome import Outcome

SHOWN = 3  # contenders with wrong gradients; the table has the others


@dataclass(frozen=True)
class Trouble:
    """One failure: a title, the numbers of its first wrong entry where there are any, what is known of it."""

    key: str  # the chapter that says more
    title: str
    facts: tuple[tuple[str, str], ...]  # (name, value)
    explanation: str
    advice: str  # what the command is for
    command: str


def troubles(results: Results) -> list[Trouble]:
    """The failures of gradients and accuracies, a contender at a time."""
    found = _gradients(results.gradients, _causes(results)) if results.gradients else []
    return [*found, *_accuracies(results)]


def _causes(results: Results) -> dict[str, Cause]:
    """The first cause of each class that was checked as well."""
    classes = results.check.classes if results.check else ()
    return {checked.target: checked.causes[0] for checked in classes if checked.causes}


def _gradients(part: Gradients, causes: Mapping[str, Cause]) -> list[Trouble]:
    wrong: dict[str, list[Check]] = {}
    for check in ordered(part.compared):
        if check.verdict == Outcome.FAIL:
            wrong.setdefault(check.contender, []).append(check)
    return [
        _wrong_gradients(name, checks, part, causes.get(name)) for name, checks in list(wrong.items())[:SHOWN]
    ]


def _wrong_gradients(name: str, failed: list[Check], part: Gradients, cause: Cause | None) -> Trouble:
    total = sum(check.contender == name for check in part.compared)
    who = subject(name)
    first = next((check for check in failed if math.isfinite(check.max_error)), failed[0])
    advice, command = _what_to_run(name, cause)
    tensor = f"{first.worst} is wrong" if first.worst else "the gradient is wrong"
    others = f"{len(failed)} of its {total} check{'s' * (total != 1)} fail{'s' * (len(failed) == 1)}."
    return Trouble(
        key="gradients",
        title=f"{who[:1].upper()}{who[1:]}: {tensor}",
        facts=tuple(_facts(first)),
        explanation=" ".join(piece for piece in (_cause(cause), _sentence(first.reason), others) if piece),
        advice=advice,
        command=command,
    )


def _cause(cause: Cause | None) -> str:
    """``Cause: ...`` where it explains all that was seen, less where it is less than that; and its line."""
    if cause is None:
        return ""
    how = {"explains": "Cause", "fits": "Probable cause"}.get(cause.certainty, "What was seen")
    line = f" Probably line {cause.line.number} of {cause.line.file}: {cause.line.text}" if cause.line else ""
    return f"{how}: {_sentence(cause.sentence)}{line}"


def _sentence(text: str) -> str:
    return text if not text or text[-1] in ".?!" else f"{text}."


def _facts(check: Check) -> list[tuple[str, str]]:
    facts = [("network", check.architecture), ("compared", compared(check))]
    if math.isfinite(check.found) and math.isfinite(check.expected):
        facts += [("found", f"{check.found:.9g}"), ("expected", f"{check.expected:.9g}")]
        if check.expected:
            facts.append(("ratio", f"{check.found / check.expected:.6g}"))
    if math.isfinite(check.max_error):
        facts.append(("error", formats.scientific(check.max_error)))
        facts.append(("bound", formats.known(check.bound)))
    return facts


def _what_to_run(name: str, cause: Cause | None) -> tuple[str, str]:
    """`check` names causes for a class of one's own; for the others their gradients are looked at alone."""
    if name in KNOWN:
        return "To see it again", "backproof gradients" + (f" --contender {name}" if name != SCRATCH else "")
    return "To see every check" if cause else "To find its cause", f"backproof check {name}"


def _accuracies(results: Results) -> list[Trouble]:
    part = results.accuracy
    if part is None:
        return []
    found = []
    for name, cell in part.compared.items():
        if cell.verdict != Outcome.FAIL:
            continue
        facts = [
            ("difference", f"{formats.points(cell.difference_points)} points"),
            ("90% interval", formats.interval(cell.ci90)),
            ("margin", f"±{cell.margin_points:g}"),
        ]
        trajectory = getattr(cell.trajectory, "reason", "")
        ways = [cell.reason, _level(cell.one_step), trajectory if cell.outcome == "equivalent" else ""]
        title = "accuracy differs" if cell.outcome == "different" else "the training is another"
        found.append(
            Trouble(
                "accuracy",
                f"{formats.label(name)}: {title} from that of {subject(SCRATCH)}",
                tuple(facts),
                " ".join(_sentence(way) for way in ways if way),
                "To ask more seeds",
                f"backproof accuracy --contender {name} --seeds {4 * len(part.seeds)}",
            )
        )
    return found


def _level(one_step: object) -> str:
    """The first quantity of one float64 step outside its bound."""
    checks = getattr(one_step, "checks", {})
    failed = [(name, check) for name, check in checks.items() if check.outcome == Outcome.FAIL]
    return f"After one float64 step: {failed[0][0]}, {failed[0][1].reason}" if failed else ""
