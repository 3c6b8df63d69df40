"""`backproof check my_mlp.py:MyMLP`: somebody's class on trial."""

import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, cast

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.check.grading.grades import Grades
    from backproof.comparisons.check.grading.rubric import Rubric
    from backproof.comparisons.check.results import CheckedClass, CheckPart
    from backproof.comparisons.check.trial import Settings
    from backproof.comparisons.running.sandbox import Mode


@dataclass(frozen=True)
class Outputs:
    """Where what was found goes, beside the terminal, and by which points."""

    json: str | None
    csv: str | None
    gradescope: str | None
    rubric: str | None
    again: bool
    junit: str | None = None
    markdown: str | None = None
    github: bool = False
    folder: str | None = None  # of results.json and report.html
    report: str | None = None  # the folder of a page per class
    language: str = "en"

    @property
    def show_cases(self) -> bool:
        """Whether anything shows the smallest case of a hand-in; a row of a table does not."""
        return self.github or any((self.json, self.junit, self.markdown, self.folder, self.report))


def register(app: typer.Typer) -> None:
    app.command("check", short_help="Check a class of your own.")(check)


def check(
    targets: Annotated[
        list[str] | None,
        typer.Argument(metavar="TARGET", help="my_mlp.py:MyMLP, my_mlp.py or package.module:Class."),
    ] = None,
    only: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this check; repeatable.")
    ] = None,
    seed: Annotated[int, options.count("Seed of the cases.", options.AT_LEAST_0)] = 0,
    time_limit: Annotated[
        float, typer.Option(metavar="S", help="Seconds for all checks of one class.")
    ] = 60.0,
    call_limit: Annotated[float, typer.Option(metavar="S", help="Seconds for one call.")] = 10.0,
    quick: Annotated[bool, typer.Option("--quick", help="A quarter of the cases.")] = False,
    strict: Annotated[
        bool, typer.Option("--strict", help="Conventions of the class's own are mistakes too.")
    ] = False,
    activation: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this activation; repeatable.")
    ] = None,
    loss: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Only this loss; repeatable.")
    ] = None,
    layers: Annotated[
        list[int] | None, typer.Option(metavar="N", help="Only this many hidden layers; repeatable.")
    ] = None,
    dtype: Annotated[str | None, typer.Option(metavar="NAME", help="Only float64 or only float32.")] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Write the outcome to this file.")
    ] = None,
    csv_file: Annotated[
        str | None, typer.Option("--csv", metavar="FILE", help="One line per class, for grading a folder.")
    ] = None,
    gradescope: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write Gradescope's results.json, for one class.")
    ] = None,
    junit: Annotated[
        str | None, typer.Option(metavar="FILE", help="A test case for each check, as JUnit writes them.")
    ] = None,
    markdown: Annotated[
        str | None, typer.Option(metavar="FILE", help="A table and what failed, in Markdown.")
    ] = None,
    github: Annotated[
        bool, typer.Option("--github", help="Also print what failed as annotations of GitHub Actions.")
    ] = False,
    out: Annotated[
        str | None, typer.Option(metavar="DIR", help="Also put it into DIR/results.json and report.html.")
    ] = None,
    report: Annotated[
        str | None, typer.Option(metavar="DIR", help="A page per class and an index, to read or to print.")
    ] = None,
    language: Annotated[
        str, typer.Option("--language", "--lang", metavar="LANG", help="Of the pages: en or ko.")
    ] = "en",
    rubric: Annotated[
        str | None, typer.Option(metavar="FILE", help="Points, in TOML. [default: 100, less 25 per cause]")
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Check those too that the file of --csv has already.")
    ] = False,
    workers: Annotated[int, options.count("Classes checked at the same time.")] = 1,
    sandbox: Annotated[
        str, typer.Option(metavar="MODE", help="auto, none, or require: bubblewrap around the class.")
    ] = "auto",
    init: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write a skeleton to start from, and stop.")
    ] = None,
    start_from: Annotated[
        str | None,
        typer.Option(
            "--from", metavar="FILE", help="With --init: an adapter for the network there; or FILE:CLASS."
        ),
    ] = None,
) -> int:
    """Is this class right? Gradients, loss, training, state, dtypes; with a diagnosis where it is not.

    The class is executed in a process of its own, inside a sandbox where the system has one, else with your
    rights. Of several, each has a row whatever happens; a run that was stopped goes on with the same --csv,
    and its exit code is that of all of them, as if it had not been stopped.
    Exit codes: 0 every check PASS, 1 a FAIL, 2 usage or bad input or a class that could not be tried,
    3 INCONCLUSIVE.
    """
    from backproof.comparisons.running import threads as thread_pools

    thread_pools.limit(1)  # before NumPy is imported
    _keep_hypothesis_away()
    if init is not None:
        return _init(init, start_from)
    if start_from is not None:
        raise InputError("--from: goes with --init FILE, the adapter to write")
    for name, value in (("--time-limit", time_limit), ("--call-limit", call_limit)):
        if not 0 < value < float("inf"):
            raise InputError(f"{name}: expected seconds > 0, got {value:g}")
    from backproof.comparisons.check.trial import Settings
    from backproof.comparisons.results.files import check_file

    files = {"json": json_file, "csv": csv_file, "gradescope": gradescope}
    for option, file in {**files, "junit": junit, "markdown": markdown}.items():
        if file is not None:
            check_file(file, option)
    if out is not None:
        from backproof.comparisons.report.document import look_into

        look_into(out)

    settings = Settings(
        only=only or [],
        seed=seed,
        quick=quick,
        strict=strict,
        time_limit=time_limit,
        call_limit=call_limit,
        narrow=_narrowing(activation, loss, layers, dtype),
        sandbox=cast("Mode", sandbox),  # which refuses others when it is used
    )
    outputs = Outputs(
        json_file, csv_file, gradescope, rubric, again, junit, markdown, github, out, report, language
    )
    return _run(targets or [], settings, outputs, workers)


def _keep_hypothesis_away() -> None:
    """Nothing is left in the folder of the hand-ins: what Hypothesis stores goes with what we store."""
    import os

    from backproof.comparisons.data.mirrors import cache_folder

    os.environ.setdefault("HYPOTHESIS_STORAGE_DIRECTORY", str(cache_folder() / "hypothesis"))


def _narrowing(
    activation: list[str] | None, loss: list[str] | None, layers: list[int] | None, dtype: str | None
) -> dict[str, tuple[str | int, ...]]:
    """What was asked for, by the names of `forms.form.SPACE`."""
    from backproof.comparisons.check.forms.form import SPACE

    given: dict[str, tuple[str | int, ...]] = {
        "activation": tuple(activation or ()),
        "loss": tuple(loss or ()),
        "hidden_layers": tuple(layers or ()),
        "dtype": (dtype,) if dtype else (),
    }
    for name, values in given.items():
        option = "--layers" if name == "hidden_layers" else f"--{name}"
        for value in values:
            if value not in SPACE[name]:
                raise InputError(
                    f"{option}: expected one of {', '.join(map(str, SPACE[name]))}; got {value!r}"
                )
    return {name: values for name, values in given.items() if values}


def _init(file: str, start_from: str | None) -> int:
    from backproof.comparisons.check.adapter import adapter
    from backproof.comparisons.check.template import skeleton
    from backproof.comparisons.results.files import write_atomically

    if Path(file).exists():
        raise InputError(f"--init: {file} is there already; choose another name")
    if start_from is None:
        write_atomically(file, skeleton(file))
        print(f"wrote {file}; fill it in, then: backproof check {file}:MyMLP")
        return 0
    source, _, owner = start_from.partition(".py:")
    source = f"{source}.py" if owner else start_from
    if not Path(source).is_file():
        raise InputError(f"--from: no file {source}")
    text, guesses = adapter(Path(source), Path(file), owner)
    write_atomically(file, text)
    print(f"wrote {file}; look at its {guesses} guesses, then: backproof check {file}:Adapter")
    return 0


def _run(texts: list[str], settings: "Settings", outputs: Outputs, workers: int) -> int:
    """Try one class and show it, or many and keep a row of each as it is known."""
    from backproof.comparisons.check.grading.grades import Grades
    from backproof.comparisons.check.grading.pages import Pages, Words
    from backproof.comparisons.check.grading.rubric import load_rubric
    from backproof.comparisons.check.grading.table import NAMES, Table
    from backproof.comparisons.running import sandbox

    if not texts:
        raise InputError("target: expected my_mlp.py:MyMLP or package.module:Class, got nothing")
    if outputs.gradescope is not None and len(texts) > 1:
        raise InputError("gradescope: expected one class, as Gradescope grades one submission at a time")
    rubric = load_rubric(outputs.rubric, NAMES)
    Words(outputs.language)  # refused now, if it is
    pages = Pages(outputs.report, outputs.language, rubric) if outputs.report is not None else None
    grades = Grades(Table(outputs.csv, outputs.again), pages, rubric)
    sandbox.used(settings.sandbox)  # refused now, if it is
    if len(texts) == 1:
        return _one(texts[0], settings, outputs, grades)
    return _many(texts, settings, outputs, grades, workers)


def _one(text: str, settings: "Settings", outputs: Outputs, grades: "Grades") -> int:
    from rich.console import Console
    from rich.text import Text

    from backproof.comparisons.check.session import try_class
    from backproof.comparisons.check.terminal import show
    from backproof.comparisons.contenders.loading import parse_target

    target = parse_target(text)
    with Console(stderr=True).status(Text(f"checking {target}")) as status:
        checked = try_class(target, settings, lambda name: status.update(Text(f"checking {target}: {name}")))
    show(checked, Console())
    _say_where(settings)
    grades.add(text, checked)
    grades.finish([text])
    _write([checked], outputs, grades.rubric)
    return exit_code([checked.outcome])


def _many(texts: list[str], settings: "Settings", outputs: Outputs, grades: "Grades", workers: int) -> int:
    from backproof.comparisons.check.grading import summary
    from backproof.comparisons.check.grading.crew import check_all
    from backproof.comparisons.check.grading.table import was_tried

    texts = list(dict.fromkeys(texts))
    missing = [text for text in texts if not grades.has(text)]
    if len(missing) < len(texts):
        print(f"backproof: {len(texts) - len(missing)} are in {outputs.csv} already", file=sys.stderr)
    found: dict[str, CheckedClass] = {}

    def done(text: str, checked: "CheckedClass") -> None:
        found[text] = checked
        grades.add(text, checked)
        first = f": {checked.causes[0].sentence}" if checked.causes else ""
        print(f"{len(found)} of {len(missing)}  {checked.target}  {checked.outcome}{first}", flush=True)

    _say_where(settings)
    settings = replace(settings, shrink=outputs.show_cases)
    try:
        if missing:
            check_all(missing, settings, workers, done)
    except KeyboardInterrupt:
        grades.finish(texts)
        _write([found[text] for text in texts if text in found], outputs, grades.rubric)
        where = f", in {outputs.csv}" if outputs.csv else ""
        raise Interrupted(f"{len(found)} of {len(missing)} hand-ins checked and kept{where}") from None
    grades.finish(texts)
    _write([found[text] for text in texts if text in found], outputs, grades.rubric)
    rows = [row for _, row in grades.rows(texts)]
    print("\n" + "\n".join(summary.lines(rows)))
    if not all(map(was_tried, rows)):  # also those that a run before this one has kept
        return 2
    return exit_code([row[1] for row in rows])


def _say_where(settings: "Settings") -> None:
    from backproof.comparisons.running import sandbox

    print(f"backproof: {sandbox.standing(settings.sandbox)}", file=sys.stderr)


def _write(rows: "list[CheckedClass]", outputs: Outputs, rubric: "Rubric") -> None:
    import json

    from backproof.comparisons.check import ci_formats
    from backproof.comparisons.check.grading import gradescope
    from backproof.comparisons.check.results import CheckPart
    from backproof.comparisons.results.codec import encode
    from backproof.comparisons.results.files import write_atomically
    from backproof.comparisons.verdicts.outcome import worst

    part = CheckPart(worst(checked.outcome for checked in rows), tuple(rows))
    if outputs.json is not None:
        write_atomically(outputs.json, json.dumps(encode(part), indent=2) + "\n")
    if outputs.gradescope is not None and rows:
        document = gradescope.document(rows[0], rubric)
        write_atomically(outputs.gradescope, json.dumps(document, indent=2) + "\n")
    if outputs.junit is not None:
        write_atomically(outputs.junit, ci_formats.as_junit(rows))
    if outputs.markdown is not None:
        write_atomically(outputs.markdown, ci_formats.as_markdown(rows))
    if outputs.github:
        print(ci_formats.as_github(rows), end="")
    if outputs.folder is not None:
        _draw(part, outputs.folder)


def _draw(part: "CheckPart", folder: str) -> None:
    """The slot of results.json, and the page with its chapter."""
    from backproof.comparisons.commands.finish import command_line, print_address
    from backproof.comparisons.report.write import merge

    merge(folder, command_line(), check=part)
    print_address(folder, "#check")
