"""Gradescope's results.json: one test per check, its points from the rubric.

The format: https://gradescope-autograders.readthedocs.io/en/latest/specs/ (score, output, tests with name,
score, max_score, status and output).
"""

from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.results.codec import Json
from backproof.comparisons.verdicts.outcome import Outcome


def document(checked: CheckedClass, rubric: Rubric) -> dict[str, Json]:
    """What Gradescope reads for one submission."""
    causes = [f"{rank}. {cause.sentence}" for rank, cause in enumerate(checked.causes, start=1)]
    tests: list[Json] = [
        {
            "name": row.check,
            "status": "passed" if row.verdict == Outcome.PASS else "failed",
            "output": f"{row.question} {row.verdict}: {row.text}",
            **_points(row.check, row.verdict == Outcome.PASS, rubric),
        }
        for row in checked.checks
        if row.verdict in tuple(Outcome)
    ]
    return {
        "score": rubric.points(checked),
        "output": "\n".join([f"{checked.outcome}", *causes, *checked.notes]),
        "output_format": "text",
        "tests": tests,
    }


def _points(check: str, passed: bool, rubric: Rubric) -> dict[str, Json]:
    """Where the rubric gives points per check; else the score stands for the whole."""
    if check not in rubric.checks:
        return {}
    return {"max_score": rubric.checks[check], "score": rubric.checks[check] if passed else 0.0}
