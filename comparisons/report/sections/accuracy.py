"""The accuracy part of the report."""

from markupsafe import Markup

from comparisons.report.section import Section
from comparisons.results import Results


def build(results: Results) -> Section | None:
    """None where the part was not run."""
    if results.accuracy is None:
        return None
    return Section("accuracy", "accuracy", Markup(""), results.accuracy["verdict"])
