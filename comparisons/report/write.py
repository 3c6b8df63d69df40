"""A run's results into its folder: results.json, and report.html drawn from what was written."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from backproof.comparisons.report import page
from backproof.comparisons.results.store import (
    PARTS,
    Part,
    Results,
    load,
    load_folder,
    prepare_folder,
    save,
    write_atomically,
)
from backproof.comparisons.running import environment
from backproof.scratch.errors import InputTypeError


def merge(out_dir: str | Path, command: str, *, plan: Part | None = None, **parts: Any) -> Results:
    """Put `parts` (gradients=..., numerical=..., ...) into out_dir/results.json and draw report.html again.

    Keys of a part replace those of the same part already there, other keys of it stay; a part given as None
    is dropped. `plan` is the main job's. Raises InputError for a folder that cannot be written or whose
    results.json cannot be read.
    """
    unknown = set(parts) - {*PARTS, "lessons"}
    if unknown:
        raise InputTypeError(
            f"parts: expected {', '.join((*PARTS, 'lessons'))}; got {', '.join(sorted(unknown))}"
        )
    prepare_folder(out_dir)
    before = load_folder(out_dir) or Results(plan={}, environment={})
    new_plan = plan if plan is not None else dict(before.plan) or {"command": command}
    finished = datetime.now(UTC).isoformat(timespec="seconds")
    runs = {
        **before.plan.get("runs", {}),
        **{name: {"command": command, "finished": finished} for name in parts},
    }
    merged = {name: _joined(getattr(before, name), part) for name, part in parts.items()}
    kept = {name: getattr(before, name) for name in (*PARTS, "lessons") if name not in parts}
    results = Results(plan={**new_plan, "runs": runs}, environment=environment.describe(), **kept, **merged)
    path = Path(out_dir) / "results.json"
    save(results, path)
    # Drawn from what was written, so that drawing it again gives the same page.
    written = load(path)
    draw(written, out_dir)
    return written


def draw(results: Results, out_dir: str | Path) -> Path:
    """Write out_dir/report.html from results; returns its path."""
    text = page.render(results)
    path = prepare_folder(out_dir) / "report.html"
    write_atomically(path, text)
    return path


def _joined(before: Any, part: Any) -> Any:
    return {**before, **part} if isinstance(before, dict) and isinstance(part, dict) else part
