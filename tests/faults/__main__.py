"""``python -m tests.faults``: every fault in every command, and the table of what was tried and survived.

With ``--rows``, the table of what else is done to the commands, and the tests that do it.
"""

import contextlib
import io
import sys
import tempfile
from pathlib import Path

from tests.faults.harness import CALLS, ERRORS, faults
from tests.faults.rows import table
from tests.faults.subjects import SUBJECTS


def main() -> int:
    """Print a line of Markdown per command; 1 where anything went wrong."""
    if "--rows" in sys.argv[1:]:
        print(table())
        return 0
    total = bad = 0
    print("| command | faults | wrong afterwards |\n| --- | --- | --- |")
    for subject in SUBJECTS:
        tried, wrong = 0, []
        kinds = [(call, error) for call in CALLS for error in (*ERRORS, 0)]
        with (
            tempfile.TemporaryDirectory() as folder,
            contextlib.redirect_stderr(io.StringIO()) as said,
            contextlib.redirect_stdout(io.StringIO()),
        ):
            for call, error in kinds:
                for fault, found in faults(subject, Path(folder), call, error):
                    tried += 1
                    wrong += [f"{fault.call} {fault.k} {fault.error}: {trouble}" for trouble in found]
        wrong += ["a traceback"] * said.getvalue().count("Traceback")
        print(f"| {subject.name} | {tried} | {'; '.join(wrong) or 'nothing'} |", flush=True)
        total, bad = total + tried, bad + len(wrong)
    print(f"\n{total} faults, {bad} with something wrong afterwards")
    return int(bad > 0)


if __name__ == "__main__":
    raise SystemExit(main())
