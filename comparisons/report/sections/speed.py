"""The speed part of the report."""

from markupsafe import Markup

from comparisons.report.section import Section
from comparisons.results import Results


def build(results: Results) -> Section | None:
    """None where the part was not run."""
    if results.speed is None:
        return None
    return Section("speed", "speed", Markup(""), results.speed["verdict"])
