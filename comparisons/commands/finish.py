"""The frame of every command that measures something: how it begins, and how it ends.

begin(threads)                      before NumPy is imported
...                                 the work
return finish(out, parts, show)     store, draw, table, address of the report, exit code
"""

import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from rich.console import Console


def command_line() -> str:
    """The command as it was typed."""
    return shlex.join(["backproof", *sys.argv[1:]])


def begin(threads: int | None = 1) -> None:
    """Say that something happens, and limit the numerical libraries, before anything heavy is imported.

    None leaves the limits to the command, which starts processes of its own.
    """
    from backproof.comparisons.running import threads as thread_pools

    print("backproof: loading ...", file=sys.stderr, flush=True)
    if threads is not None:
        thread_pools.limit(threads)


def finish(
    out: str,
    parts: Mapping[str, Any],
    show: Callable[["Console"], None],
    *,
    stopped: str = "",
    code: int | None = None,
) -> int:
    """Store `parts` by their slots, draw the report, show the table; returns the exit code of their outcomes.

    `stopped` says what was cut short by Ctrl-C, which ends the command as interrupted once all is kept;
    `code` is the exit code where the outcomes do not decide it.
    """
    from backproof.comparisons.report.document import outcome_of
    from backproof.comparisons.report.write import merge
    from backproof.comparisons.running.errors import Interrupted
    from backproof.comparisons.verdicts.outcome import exit_code

    merge(out, command_line(), **parts)
    show(console())
    print_address(out)
    if stopped:
        raise Interrupted(f"{stopped} finished until then are kept in {out}")
    found = [outcome for part in parts.values() if (outcome := outcome_of(part)) is not None]
    return exit_code(found) if code is None else code


def console() -> "Console":
    """Where the report goes: stdout, whatever it is, in colours where it shows them."""
    from rich.console import Console

    return Console(highlight=False)


def print_address(out: str, anchor: str = "") -> None:
    """The page's address, the last line of every command that draws one."""
    page = (Path(out) / "report.html").resolve().as_uri()
    print(f"\nReport: {page}{anchor}")
