"""`backproof lessons`: the course. Lists it, runs one lesson or all, and writes its page."""

from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import command_line, print_address
from backproof.comparisons.running.errors import Interrupted
from backproof.comparisons.verdicts.outcome import exit_code
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from backproof.comparisons.lessons.course import Lesson
    from backproof.comparisons.lessons.frame import Setting
    from backproof.comparisons.lessons.result import ToldLesson

LANGUAGES = ("en", "ko")


def register(app: typer.Typer) -> None:
    app.command("lessons", short_help="The course: list it, run it.")(lessons)


def lessons(
    name: Annotated[
        str | None,
        typer.Argument(metavar="NAME", help="The lesson to run; none: list them. With --html, a FILE."),
    ] = None,
    all_: Annotated[bool, typer.Option("--all", help="Run all; write the report and the page.")] = False,
    html: Annotated[
        bool,
        typer.Option("--html", help="Write the lessons' own page (lessons.html, or the FILE) and open it."),
    ] = False,
    lang: Annotated[str, typer.Option(metavar="LANG", help="en or ko.")] = "en",
    out: Annotated[
        str | None,
        typer.Option(metavar="DIR", help="Write results.json, report.html and lessons.html there."),
    ] = None,
    code: Annotated[bool, typer.Option("--code", help="Show the code that ran, too.")] = False,
    change: Annotated[
        list[str] | None,
        typer.Option(
            "--set", metavar="NAME=VALUE", help="Another value for a constant of the lesson; repeatable."
        ),
    ] = None,
    notebook: Annotated[
        str | None, typer.Option(metavar="FILE", help="Write the lesson as a Jupyter notebook, too.")
    ] = None,
    epochs: Annotated[int, options.count("Epochs of keras-start; its text trains 30.")] = 5,
    tensorboard: Annotated[
        str | None, typer.Option(metavar="DIR", help="Lesson live: write TensorBoard's event files there.")
    ] = None,
    seed: Annotated[int, options.count("Seed of data and initial weights.", options.AT_LEAST_0)] = 0,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    keras: Annotated[
        bool, typer.Option("--keras/--no-keras", help="Keras too, where it is installed.")
    ] = True,
    threads: Annotated[int, options.count("Threads per numerical library.")] = 1,
) -> int:
    """A course in nineteen experiments; every claim is computed and checked. List it, run one, or run all.

    Exit codes: 0 every claim holds, 1 one does not, 2 bad input, 3 some could not be judged without MNIST.
    """
    name, page = _named_page(name, html)
    _check(name, all_, lang, change, only_with_a_lesson=bool(change or tensorboard or notebook))
    if notebook and all_:
        raise InputError("notebook: expected one lesson's name with --notebook, got --all")
    from backproof.comparisons.running import threads as thread_pools

    thread_pools.limit(threads)
    from pathlib import Path

    from rich.console import Console

    from backproof.comparisons.lessons import course, terminal
    from backproof.comparisons.lessons.frame import Setting

    console = Console(highlight=False)
    folder = out if out is not None else options.OUT if html or all_ else None
    if name is None and not all_:
        if html:
            return _draw(folder or options.OUT, page, lang)
        terminal.listing(console, lang)
        return 0
    chosen = course.LESSONS if all_ else (course.find(name or ""),)
    if tensorboard and all(lesson.name != "live" for lesson in chosen):
        raise InputError("tensorboard: only the lesson live writes event files; run backproof lessons live")
    _prepare(folder)
    setting = Setting(
        seed=seed,
        data=data,
        data_dir=Path(data_dir) if data_dir else None,
        epochs=epochs,
        tensorboard=Path(tensorboard) if tensorboard else None,
        keras=keras,
    )
    changes = dict(part.split("=", 1) for part in change or [])

    def show(entry: "ToldLesson") -> None:
        terminal.render(entry, console, lang, code)

    entries = _run(chosen, setting, changes, show, folder, lang)
    if notebook:
        _write_notebook(notebook, chosen[0], entries[0], data)
    if html:
        _draw(folder or options.OUT, page, lang, entries[0].name if len(entries) == 1 else None)
    elif folder is not None:
        print_address(folder, "#lessons")
    return exit_code([entry.verdict for entry in entries])


def _prepare(folder: str | None) -> None:
    """What cannot be written or read later is better refused before the work."""
    if folder is None:
        return
    from backproof.comparisons.report.document import look_into

    look_into(folder)


def _named_page(name: str | None, html: bool) -> tuple[str | None, str | None]:
    """(the lesson's name, the page's file): with --html a name that ends in .html is the file to write."""
    if name is None or not name.endswith(".html"):
        return name, None
    if not html:
        raise InputError(
            f"lesson: expected a name, got the file {name!r}; to write the page there, add --html"
        )
    return None, name


def _write_notebook(file: str, lesson: "Lesson", told: "ToldLesson", data: str) -> None:
    from backproof.comparisons.lessons import notebook

    path = notebook.write(file, notebook.notebook(lesson, told, told.language, data))
    print(f"Notebook: {path.resolve().as_uri()}")


def _draw(folder: str, page: str | None, lang: str, lesson: str | None = None) -> int:
    """Write the lessons' page from what the folder keeps, tell where it is, and open it."""
    from pathlib import Path

    from backproof.comparisons.lessons import page as html
    from backproof.comparisons.lessons.chapter import PAGE_FILE
    from backproof.comparisons.lessons.course import LESSONS
    from backproof.comparisons.report.document import load_folder

    kept = load_folder(folder)
    told = (kept.lessons or ()) if kept else ()
    path = html.write(page or Path(folder, PAGE_FILE), told, lang).resolve()
    if missing := len(LESSONS) - len(told):
        print(
            f"{missing} of {len(LESSONS)} lessons have no results yet: "
            "backproof lessons --all --html runs them"
        )
    print(f"Lessons: {path.as_uri()}")
    _open(path, lesson)
    return 0


def _run(
    chosen: "Sequence[Lesson]",
    setting: "Setting",
    changes: dict[str, str],
    show: "Callable[[ToldLesson], None]",
    folder: str | None,
    lang: str,
) -> "list[ToldLesson]":
    """Run them in order; each is shown when it is done, and kept where the run is interrupted."""
    from dataclasses import replace

    from rich.console import Console

    from backproof.comparisons.lessons import runner
    from backproof.comparisons.lessons.terminal import LiveCurves

    entries: list[ToldLesson] = []
    errors = Console(stderr=True)
    try:
        for lesson in chosen:
            errors.print(f"backproof: {lesson.name} ...", highlight=False)
            with LiveCurves(errors) as curves:
                watch = curves.watch if errors.is_terminal else None
                entry = runner.run(lesson, replace(setting, watch=watch), changes)
            entries.append(replace(entry, language=lang))
            show(entries[-1])
    except KeyboardInterrupt as interrupt:
        _keep(entries, folder)
        kept = (
            f"{len(entries)} of {len(chosen)} lessons kept" if folder and entries else "nothing was written"
        )
        raise Interrupted(kept) from interrupt
    _keep(entries, folder)
    return entries


def _keep(entries: "list[ToldLesson]", folder: str | None) -> None:
    if folder is None or not entries:
        return
    from pathlib import Path

    from backproof.comparisons.lessons import page as html
    from backproof.comparisons.lessons.chapter import PAGE_FILE
    from backproof.comparisons.lessons.runner import in_course_order
    from backproof.comparisons.report.document import load_folder
    from backproof.comparisons.report.write import merge

    before = load_folder(folder)
    earlier = (before.lessons or ()) if before else ()
    lessons = in_course_order(entries, earlier)
    html.write(Path(folder, PAGE_FILE), lessons, entries[-1].language)
    merge(
        folder, command_line(), lessons=lessons
    )  # after it: the report links to the page where there is one


def _check(
    name: str | None, all_: bool, lang: str, change: list[str] | None, only_with_a_lesson: bool
) -> None:
    """What can be refused before anything heavy is imported."""
    if lang not in LANGUAGES:
        raise InputError(f"lang: expected one of {', '.join(LANGUAGES)}; got {lang!r}")
    if name is not None and all_:
        raise InputError(f"lesson: expected a name or --all, got both {name!r} and --all")
    if name is None and not all_ and only_with_a_lesson:
        raise InputError(
            "lesson: expected a name or --all with these options; backproof lessons lists the names"
        )
    if change and all_:
        raise InputError("set: expected one lesson's name with --set, got --all")
    for part in change or []:
        if "=" not in part:
            raise InputError(f"set: expected NAME=VALUE, got {part!r}")


def _open(page: "Path", lesson: str | None) -> None:
    """Show the page in the reader's browser, at the lesson; on a machine without one nothing happens."""
    import webbrowser

    webbrowser.open(page.as_uri() + (f"#{lesson}" if lesson else ""))
