"""The commands that faults are injected into, on tiny plans."""

import shutil
from dataclasses import replace
from functools import cache
from itertools import islice
from pathlib import Path
from unittest.mock import patch

from backproof.comparisons import cli, main_job
from backproof.comparisons.accuracy.journal import Journal, Key
from backproof.comparisons.accuracy.result import Hashes, Setup, TrainedRun
from backproof.comparisons.check.grading.grades import Grades
from backproof.comparisons.check.grading.pages import Pages
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import Table, row_of
from backproof.comparisons.check.results import Cause, CheckedClass
from backproof.comparisons.compare import part as compare
from backproof.comparisons.compare import vectors
from backproof.comparisons.compare.result import Comparison
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical import twin_training
from backproof.comparisons.report import document
from backproof.comparisons.results.files import locked, write_atomically
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec
from backproof.scratch.problem import Problem
from tests.faults.harness import Subject
from tests.support import sample_results
from tests.support.numerical_runs import a_training


def _nothing(folder: Path) -> None:
    pass


@cache
def _sample() -> document.Results:
    return sample_results.passing()


def _results(folder: Path) -> None:
    document.save(_sample(), folder / document.FILE)


def _store(folder: Path) -> int:
    """As every command stores: lock, read, write whole."""
    with locked(folder, "backproof"):
        found = document.load_folder(folder) or document.Results()
        document.save(found, folder / document.FILE)
    return 0


def _error_rates(folder: Path) -> int:
    return cli.run(["accuracy", "--error-rates", "100", "--out", str(folder)])


def _main_job(folder: Path) -> int:
    """Its parts are measured elsewhere: what is stored and drawn after each is what may fail here."""

    def runner_of(name: str) -> main_job.Run:
        return lambda experiment, progress: getattr(_sample(), name)

    with patch.object(main_job, "_runner_of", runner_of):
        return cli.run(["--data", "digits", "--quick", "--out", str(folder)])


def _compare(folder: Path) -> int:
    found = _compared()
    with patch.object(compare, "run", lambda names, seed, progress: found):
        return cli.run(["compare", "scratch", "scratch", "--out", str(folder)])


@cache
def _compared() -> Comparison:
    return compare.run(("scratch", "scratch"), 0, Silent())


def _vectors(folder: Path) -> int:
    """Its first two problems: those after them are written in the same way. Their answers are known."""
    known = _answered()
    few = {name: problem for name, problem, _ in known}
    answers = {id(problem): expected for _, problem, expected in known}
    with (
        patch.object(vectors, "problems", lambda seed=0: iter(few.items())),
        patch.object(vectors, "expected", lambda problem: iter(answers[id(problem)])),
    ):
        return cli.run(["vectors", str(folder / "vectors")])


@cache
def _answered() -> list[tuple[str, Problem, list[tuple[str, Array, Array, Array]]]]:
    return [
        (name, problem, list(vectors.expected(problem))) for name, problem in islice(vectors.problems(), 2)
    ]


def _old_vectors(folder: Path) -> None:
    _vectors(folder)


@cache
def _stopped() -> twin_training.Stored:
    training, initial = a_training(n_steps=4)
    return twin_training.Stored(training.setting, twin_training.Progressed.start(training.setting, initial))


def _keep(folder: Path) -> int:
    twin_training.save(folder / numerical.STATE_FILE, _stopped())
    return 0


def _some_training(folder: Path) -> None:
    _keep(folder)


def _report(folder: Path) -> int:
    return cli.run(["report", str(folder / document.FILE), "--out", str(folder / "new")])


def _skeleton(folder: Path) -> int:
    return cli.run(["check", "--init", str(folder / "mine.py")])


SETUP = Setup(Architecture((3, 2)), OptimizerSpec("sgd", 0.1), 1, 10, 0.2, "digits", "0" * 64)
RUN = TrainedRun((0.9,), (0.1,), None, "AA", Hashes("a", None, "b"))


def _journal(folder: Path) -> int:
    """Three units, then opened again: whatever happened, it can be read."""
    journal = Journal(folder / "accuracy.jsonl")
    for seed in range(3):
        journal.add(Key(SETUP, seed, "scratch", "code", "here"), RUN)
    return 0


def _grades(folder: Path) -> int:
    table = Table(str(folder / "grades.csv"))
    for name in ("b.py", "a.py"):
        checked = CheckedClass(name, Outcome.FAIL, 1.0, (), (Cause("a sign", "explains"),), (), "")
        table.add(name, row_of(checked, Rubric()))
    table.finish(["a.py", "b.py"])
    return 0


CHECKED = CheckedClass("a.py", Outcome.FAIL, 1.0, (), (Cause("a sign", "explains"),), (), "")


def _pages(folder: Path) -> int:
    """Two pages and their index, as `check --report` writes them, beside the table."""
    pages = Pages(str(folder / "pages"), "ko", Rubric())
    grades = Grades(Table(str(folder / "grades.csv")), pages, Rubric())
    for name in ("b.py", "a.py"):
        grades.add(name, replace(CHECKED, target=name))
    grades.finish(["a.py", "b.py"])
    return 0


def _some_pages(folder: Path) -> None:
    _pages(folder)


def _some_grades(folder: Path) -> None:
    _grades(folder)


def _json(folder: Path) -> int:
    write_atomically(folder / "outcome.json", '{"verdict": "PASS"}\n')
    return 0


def _old_json(folder: Path) -> None:
    _json(folder)


SUBJECTS = (
    Subject("a results folder that is new", _nothing, _store),
    Subject("a results folder with results", _results, _store),
    Subject("accuracy --error-rates", _results, _error_rates),
    Subject("report", _results, _report),
    Subject("the main job", _results, _main_job),
    Subject("compare", _results, _compare),
    Subject("vectors", _nothing, _vectors),
    Subject("vectors, once more", _old_vectors, _vectors),
    Subject("numerical, what it keeps of a training", _some_training, _keep),
    Subject("check --init", _nothing, _skeleton),
    Subject("the journal of accuracy", _nothing, _journal),
    Subject("check --csv", _nothing, _grades),
    Subject("check --csv, once more", _some_grades, _grades),
    Subject("check --json", _old_json, _json),
    Subject("check --csv --report", _nothing, _pages),
    Subject("check --csv --report, once more", _some_pages, _pages),
)


DRAWING = ("accuracy --error-rates", "report", "the main job", "compare")  # seconds each


def remove(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
