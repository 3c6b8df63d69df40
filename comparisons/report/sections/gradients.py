"""The gradients part of the report."""

from markupsafe import Markup

from comparisons.report.section import Section
from comparisons.results import Results


def build(results: Results) -> Section | None:
    """None where the part was not run."""
    if results.gradients is None:
        return None
    return Section("gradients", "gradients", Markup(""), results.gradients["verdict"])
