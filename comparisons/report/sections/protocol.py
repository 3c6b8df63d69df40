"""How the figures were made: the protocol in words, the plan, the environment, the exact commands."""

from typing import Any

from markupsafe import Markup

from comparisons.report import markup
from comparisons.report.section import Section
from comparisons.results import Results


def build(results: Results) -> Section:
    """Always there: a figure without its protocol says nothing."""
    html = markup.join(
        [_commands(results), _facts("Plan", results.plan), _facts("Environment", results.environment)]
    )
    return Section("protocol", "How it was measured", html, nav="Protocol")


def _commands(results: Results) -> Markup:
    if "command" not in results.plan:
        return Markup("")
    return Markup("<h3>Command</h3><p>{}</p>").format(markup.command(str(results.plan["command"])))


def _facts(title: str, facts: dict[str, Any]) -> Markup:
    rows = markup.join(
        Markup("<dt>{}</dt><dd>{}</dd>").format(key, str(value)) for key, value in facts.items()
    )
    return Markup('<h3>{}</h3><dl class="facts">{}</dl>').format(title, rows)
