"""How the figures were made: the protocol in words, the exact commands, the plan, the environment."""

from collections.abc import Iterator
from typing import Any

from comparisons.report import formats, markup
from comparisons.report.section import Section
from comparisons.results import Results

_LABELS = {"memory_gib": "memory", "n_seeds": "number of seeds", "margin_points": "margin"}
_UNITS = {"memory_gib": "GiB", "margin_points": "percentage points"}
_ELSEWHERE = frozenset({"command", "runs"})  # shown as commands


def build(results: Results) -> Section:
    """Always there: a figure without its protocol says nothing."""
    tables = [("Plan", results.plan), ("Environment", results.environment)]
    html = markup.from_template(
        "protocol.html.j2",
        commands=list(commands(results)),
        tables=[(title, [*_facts(values)]) for title, values in tables if values],
    )
    return Section("protocol", "How it was measured", html, nav="Protocol")


def commands(results: Results) -> Iterator[tuple[str, str, str]]:
    """(parts, command line, when it finished): one line per command, whatever number of parts it made."""
    runs = results.plan.get("runs") or {}
    parts: dict[tuple[str, str], list[str]] = {}
    for name, run in runs.items():
        parts.setdefault((str(run.get("command")), str(run.get("finished", ""))[:10]), []).append(name)
    for (line, when), names in parts.items():
        yield formats.listed(names), line, when
    if not runs and "command" in results.plan:
        yield "main job", str(results.plan["command"]), ""


def _facts(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if key in _ELSEWHERE or value is None:
            continue
        unit = f" {_UNITS[key]}" if key in _UNITS else ""
        yield _LABELS.get(key, key.replace("_", " ")), _said(value) + unit


def _said(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(item)}" for name, item in value.items() if item is not None)
    if isinstance(value, list):
        return ", ".join(_said(item) for item in value)
    return str(value)
