"""How the figures were made: the protocol in words, the exact commands, the plan, the environment."""

from collections.abc import Iterator
from typing import Any

from backproof.comparisons.drawing import formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.report.document import Results

_LABELS = {"memory_gib": "memory", "margin_points": "margin", "thread_pools": "threads per library"}
_UNITS = {"memory_gib": "GiB", "margin_points": "percentage points"}
_ELSEWHERE = frozenset({"command", "runs", "n_seeds", "layer_sizes"})  # said as commands, seeds, architecture


def build(results: Results) -> Section:
    """Always there: a figure without its protocol says nothing."""
    tables = [("Plan", [*_facts(results.plan)]), ("Environment", [*_facts(results.environment)])]
    html = markup.from_template(
        "backproof.comparisons.report",
        "protocol.html.j2",
        commands=list(commands(results)),
        tables=[(title, facts) for title, facts in tables if facts],
    )
    return Section("protocol", "How it was measured", html, nav="Protocol")


def commands(results: Results) -> Iterator[tuple[str, str, str]]:
    """(parts, command line, when it finished): one line per command, whatever number of parts it made."""
    parts: dict[tuple[str, str], list[str]] = {}
    for name, run in results.runs.items():
        parts.setdefault((run.command, run.finished[:10]), []).append(name)
    for (line, when), names in parts.items():
        yield formats.listed(names), line, when
    if not results.runs and "command" in results.plan:
        yield "main job", str(results.plan["command"]), ""


def _facts(values: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for key, value in values.items():
        if key in _ELSEWHERE or value is None or value == {}:
            continue
        unit = f" {_UNITS[key]}" if key in _UNITS else ""
        yield _LABELS.get(key, key.replace("_", " ")), _said(key, value) + unit


def _said(key: str, value: Any) -> str:
    if key == "architecture":
        sizes = formats.layers(value["layer_sizes"])
        return " ".join([sizes, *(str(value[name]) for name in ("activation", "loss", "dtype"))])
    if key == "optimizer" and isinstance(value, dict):
        return _optimizer(value)
    if key == "dataset" and isinstance(value, dict):
        return f"{value.get('source')} (SHA-256 {str(value.get('sha256'))[:16]}…)"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, dict):
        return ", ".join(f"{name} {_said(name, item)}" for name, item in value.items() if item is not None)
    if isinstance(value, list):
        return ", ".join(_said(key, item) for item in value)
    return str(value)


def _optimizer(spec: dict[str, Any]) -> str:
    """Its name with the constants that this rule uses."""
    unused = {"sgd": ("beta1", "beta2", "eps"), "adam": ("momentum", "nesterov")}.get(
        spec.get("name", ""), ()
    )
    constants = {key: value for key, value in spec.items() if key != "name" and key not in unused and value}
    said = [
        f"{key.replace('_', ' ')} {value}" if value is not True else key for key, value in constants.items()
    ]
    return ", ".join([str(spec.get("name")), *said])
