"""The command: draws mutants, judges them, and writes the table."""

import argparse
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.run import PARTS, ROOT, Fate, drawn, files, judged

TABLE = ROOT / ".github" / "MUTATION.md"
HEAD = """# Would the suite notice?

Mistakes planted in the project's own source, one at a time, and the tests that cover the file run. Made by
`python -m tests.mutation --table`; what each kind of mistake is stands in `tests/mutation/operators.py`.

"""


def main() -> int:
    options = _options()
    parts = options.part or list(PARTS)
    fates: dict[str, list[Fate]] = {}
    for part in parts if not options.only else ["chosen"]:
        paths = options.only or files(part)
        chosen = drawn(paths, options.sample, options.seed)
        if options.list:
            print(*(f"{mutant.path}:{mutant.line}: {mutant.what}" for mutant in chosen), sep="\n")
            continue
        fates[part] = []
        for fate in judged(chosen, options.workers):
            fates[part].append(fate)
            print(
                f"{fate.outcome:10} {fate.mutant.path}:{fate.mutant.line}: {fate.mutant.what}   {fate.by}",
                flush=True,
            )
    rows = [_row(part, found) for part, found in fates.items()]
    print("", *rows, sep="\n")
    if options.table:
        TABLE.write_text(_table(rows, fates), encoding="utf-8")
    return int(any(fate.outcome == "survived" for found in fates.values() for fate in found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Plant mistakes, run the tests."
    )
    parser.add_argument("--part", action="append", choices=list(PARTS), help="repeatable; by default all")
    parser.add_argument(
        "--only", action="append", type=_inside, metavar="FILE", help="files instead of parts"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="so many mutants a part, by default all")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1)
    parser.add_argument("--list", action="store_true", help="say what would be planted")
    parser.add_argument("--table", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    return parser.parse_args()


def _inside(path: str) -> str:
    return str(Path(path).resolve().relative_to(ROOT))


def _row(part: str, fates: Sequence[Fate]) -> str:
    counts = Counter(fate.outcome for fate in fates)
    real = counts["killed"] + counts["survived"]
    share = f"{100 * counts['killed'] / real:.1f}%" if real else "-"
    columns = (part, len(fates), counts["killed"], counts["survived"], counts["equivalent"], share)
    return f"| {' | '.join(map(str, columns))} |"


def _table(rows: Sequence[str], fates: dict[str, list[Fate]]) -> str:
    head = "| part | mutants | killed | survived | equivalent | killed of the others |"
    text = HEAD + "\n".join([head, "| --- | --- | --- | --- | --- | --- |", *rows]) + "\n"
    for outcome, title in (("survived", "Survivors"), ("equivalent", "Equivalent: no behaviour differs")):
        found = [fate for part in fates.values() for fate in part if fate.outcome == outcome]
        if found:
            text += f"\n## {title}\n\n| where | mistake | |\n| --- | --- | --- |\n"
            text += "".join(
                f"| `{f.mutant.path}:{f.mutant.line}` | {f.mutant.what} | {f.by} |\n" for f in found
            )
    return text


raise SystemExit(main())
