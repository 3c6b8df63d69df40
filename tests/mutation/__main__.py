"""The command: draws mutants, judges those whose fate is not yet known, and writes the table."""

import argparse
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path

from tests.mutation import sample
from tests.mutation.covering import Covering, files_of_tests, look
from tests.mutation.mutants import MovedError, Mutant, line_of
from tests.mutation.parts import PARTS, drawn, files
from tests.mutation.run import Fate, Records, judged, known_equivalent
from tests.mutation.table import TABLE, row, text
from tests.mutation.trees import ROOT, Tree

FULL_SAMPLE = 45


def main() -> int:
    options = _options()
    if options.look is not None:
        return _look(options.look)
    parts = {part: files(part) for part in options.part or PARTS}
    named = {"chosen": options.only} if options.only else parts
    chosen = {name: drawn(paths, options.sample, options.seed) for name, paths in named.items()}
    if options.sample_for_ci:
        return _sample_for_ci(options)
    if options.list:
        print(*(_said(mutant) for found in chosen.values() for mutant in found), sep="\n")
        return 0
    fates = _fates(chosen, options)
    second = {
        name: [one for one in drawn(paths, options.fresh, options.fresh_seed) if one not in chosen[name]]
        for name, paths in named.items()
    }
    _fates(second, options)
    fresh = _of_each(second, Records().first, known_equivalent())  # there may be tests for it since
    print("", *(row(part, found) for part, found in fates.items()), sep="\n")
    if options.table:
        more = f" --fresh {options.fresh} --fresh-seed {options.fresh_seed}" if options.fresh else ""
        settings = f"--sample {options.sample}{more} --table" + " --quick" * options.quick
        TABLE.write_text(text(fates, fresh, settings, _terms()), encoding="utf-8")
    return int(any(fate.outcome == "survived" for found in fates.values() for fate in found))


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m tests.mutation", description="Plant mistakes, run the tests."
    )
    parser.add_argument(
        "--look", nargs="*", metavar="FOLDER", help="see which tests run which function, once"
    )
    parser.add_argument("--part", action="append", choices=list(PARTS), help="repeatable; by default all")
    parser.add_argument(
        "--only", action="append", type=_inside, metavar="FILE", help="files instead of parts"
    )
    parser.add_argument("--sample", type=int, metavar="N", help="so many mutants a part, by default all")
    parser.add_argument("--fresh", type=int, default=0, metavar="N", help="so many of a second draw a part")
    parser.add_argument("--seed", type=int, default=0, help="of the sample")
    parser.add_argument("--fresh-seed", type=int, default=1, help="of the second draw")
    parser.add_argument("--workers", type=int, default=1, help="at a time, each a core and a copy")
    parser.add_argument("--again", action="store_true", help="judge once more what survived")
    parser.add_argument("--quick", action="store_true", help="only the tests near a mistake; see --again")
    parser.add_argument("--known", action="store_true", help="run nothing: only what was judged before")
    parser.add_argument("--list", action="store_true", help="say what would be planted")
    parser.add_argument("--table", action="store_true", help=f"write {TABLE.relative_to(ROOT)}")
    parser.add_argument("--sample-for-ci", action="store_true", help="draw anew what no longer holds of it")
    return parser.parse_args()


def _inside(path: str) -> str:
    return Path(path).resolve().relative_to(ROOT).as_posix()


def _look(folders: list[str]) -> int:
    paths = [path for path in files_of_tests() if path.startswith(tuple(folders or [""]))]
    with tempfile.TemporaryDirectory(prefix="backproof-mutation-") as folder:
        tree = Tree(Path(folder))
        for line in look(tree, paths):
            print(line, flush=True)
        tree.close()
    return 0


def _fates(chosen: dict[str, list[Mutant]], options: argparse.Namespace) -> dict[str, list[Fate]]:
    """Of each part; judged are those that no record knows."""
    records, proofs = Records(), known_equivalent()
    open_ones = [
        mutant
        for found in chosen.values()
        for mutant in found
        if _is_open(mutant, records, options.again, proofs)
    ]
    for fate in judged([] if options.known else open_ones, Covering.kept(), options.workers, options.quick):
        records.add(fate)
        print(f"{fate.outcome:10} {fate.cpu:5.1f} s  {_said(fate.mutant)}   {fate.by}", flush=True)
    return _of_each(chosen, records.known, proofs)


def _is_open(mutant: Mutant, records: Records, again: bool, proofs: dict[str, str]) -> bool:
    known = records.known.get(mutant.key)
    return mutant.key not in proofs and (
        known is None or not known.cpu or (again and known.outcome == "survived")
    )


def _of_each(
    chosen: dict[str, list[Mutant]], fates: Mapping[str, Fate], proofs: dict[str, str]
) -> dict[str, list[Fate]]:
    known = {name: [_known(fates, one, proofs) for one in found] for name, found in chosen.items()}
    return {name: [fate for fate in found if fate] for name, found in known.items()}


def _known(fates: Mapping[str, Fate], mutant: Mutant, proofs: dict[str, str]) -> Fate | None:
    if mutant.key in proofs:
        return Fate(mutant, "equivalent", proofs[mutant.key])
    known = fates.get(mutant.key)
    return known if known and known.cpu else None  # no test was run: nothing is known


def _sample_for_ci(options: argparse.Namespace) -> int:
    """Keep the entries that hold; draw the missing ones from what is known to be killed, or is now judged."""
    with tempfile.TemporaryDirectory(prefix="backproof-mutation-") as folder:
        tree = Tree(Path(folder))

        def holds(entry: sample.Entry) -> bool:
            return not sample.trouble(tree, entry)

        kept = [entry for entry in sample.read() if holds(entry)]
        entries = list(sample.redrawn(kept, _killed(), Covering.kept(), holds))
        if len(entries) < sample.SIZE:
            _fates({part: drawn(files(part), FULL_SAMPLE, options.seed) for part in PARTS}, options)
            entries = list(sample.redrawn(entries, _killed(), Covering.kept(), holds))
        tree.close()
    order = list(PARTS)
    entries.sort(key=lambda entry: (order.index(entry.part), entry.mutant.path, entry.mutant.function))
    sample.SAMPLE.write_text(sample.written(entries), encoding="utf-8")
    print(f"{len(kept)} kept, {len(entries) - len(kept)} new, {sample.SIZE - len(entries)} missing")
    return int(len(entries) < sample.SIZE)


def _killed() -> dict[str, list[Fate]]:
    """All that are known, of every part."""
    fates = [fate for fate in Records().known.values() if fate.outcome == "killed"]
    return {part: [fate for fate in fates if fate.mutant.path in files(part)] for part in PARTS}


def _said(mutant: Mutant) -> str:
    try:
        line = line_of(mutant, (ROOT / mutant.path).read_text(encoding="utf-8"))
    except MovedError:
        line = 0
    return f"{mutant.path}:{line}: {mutant.operator}: {mutant.what}"


def _terms() -> int:
    """How many terms of bounds are left out by tests of their own."""
    from tests.comparisons.verdicts import test_bound_terms

    return len({term.text for module in set(test_bound_terms.CASES) for term in module.TERMS.values()})


if __name__ == "__main__":
    sys.exit(main())
