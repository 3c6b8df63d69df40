"""A run's results into its folder: results.json, and report.html drawn from what was written."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backproof.comparisons.experiment import Planned
from backproof.comparisons.lessons.chapter import PAGE_FILE as LESSONS_PAGE
from backproof.comparisons.report import history, page
from backproof.comparisons.report.document import FILE, SLOTS, Results, Run, load, load_folder, save
from backproof.comparisons.results.files import locked, prepare_folder, write_atomically
from backproof.comparisons.running import environment
from backproof.comparisons.speed import kinds
from backproof.comparisons.speed.result import SpeedResult
from backproof.scratch.errors import InputTypeError


def merge(out_dir: str | Path, command: str, *, plan: Planned | None = None, **parts: Any) -> Results:
    """Put `parts` (gradients=..., numerical=..., ...) into out_dir/results.json and draw report.html again.

    A part replaces the one in its slot (speed: that of the same kind of processor); None empties the slot;
    other slots stay. `plan` is the main job's.
    Raises InputError for a folder that cannot be written or whose results.json cannot be read.
    """
    if unknown := set(parts) - {*SLOTS}:
        raise InputTypeError(f"parts: expected {', '.join(SLOTS)}; got {', '.join(sorted(unknown))}")
    with locked(out_dir, command):
        before = load_folder(out_dir) or Results()
        if isinstance(found := parts.get("speed"), SpeedResult):
            parts["speed"] = kinds.beside(found, before.speed)
        results = replace(
            before,
            plan=plan or before.plan,
            environment=environment.describe(),
            runs=_runs(before.runs, command, parts),
            **parts,
        )
        path = Path(out_dir) / FILE
        save(results, path)
        # Drawn from what was written, so that drawing it again gives the same page.
        written = load(path)
        draw(written, out_dir)
        return written


def _runs(before: Mapping[str, Run], command: str, parts: Mapping[str, Any]) -> dict[str, Run]:
    """Which command filled each slot that is filled now."""
    now = Run(command, datetime.now(UTC).isoformat(timespec="seconds"))
    kept = {name: run for name, run in before.items() if name not in parts}
    return {**kept, **{name: now for name, part in parts.items() if part is not None}}


def draw_history(folder: str | Path) -> Path:
    """Write folder/history.html from every results.json below it; returns its path."""
    runs = history.collect(folder)
    path = Path(folder) / history.PAGE
    write_atomically(path, page.document(history.headline(runs), history.sections(runs)))
    return path


def draw(results: Results, out_dir: str | Path) -> Path:
    """Write out_dir/report.html from results; returns its path. It links to the lessons' page beside it."""
    folder = prepare_folder(out_dir)
    path = folder / "report.html"
    lessons_page = LESSONS_PAGE if (folder / LESSONS_PAGE).is_file() else None
    text = page.render(results, lessons_page)
    write_atomically(path, text)
    return path
