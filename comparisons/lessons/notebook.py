"""A lesson as a Jupyter notebook: its text, its functions as cells to change, and its claims judged again.

The format is nbformat 4.5, plain JSON: https://nbformat.readthedocs.io/en/latest/format_description.html
"""

import json
from collections.abc import Iterator
from pathlib import Path

from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons.course import Lesson
from backproof.comparisons.lessons.result import ToldLesson
from backproof.comparisons.lessons.terminal import plain, say
from backproof.comparisons.results.files import prepare_folder, write_atomically

_BEGIN = """\
from backproof.comparisons.lessons import catalogue
from backproof.comparisons.lessons import {key} as lesson
from backproof.comparisons.lessons.frame import Setting
{imports}

# Everything their modules know, so that the functions below can be changed and run.
for module in ({modules}):
    globals().update({{name: value for name, value in vars(module).items() if not name.startswith("__")}})


def judge():
    found = lesson.run(Setting(data="{data}", keras=False))
    for claim in found.claims:
        says = catalogue.filled(catalogue.text("{key}", "claims", claim.text), found.values)["{language}"]
        print("holds " if claim.holds else "FAILS ", says, "|", claim.found)
    return found


found = judge()"""
_AGAIN = """\
{assignments}
found = judge()"""


def notebook(lesson: Lesson, told: ToldLesson, language: str, data: str) -> str:
    """The notebook's JSON. `told` is a run of the lesson: its functions become cells."""
    cells = [
        {"id": f"cell-{i}", "metadata": {}, **cell}
        for i, cell in enumerate(_cells(lesson, told, language, data))
    ]
    kernel = {"display_name": "Python 3", "language": "python", "name": "python3"}
    document = {"cells": cells, "metadata": {"kernelspec": kernel, "language_info": {"name": "python"}},
                "nbformat": 4, "nbformat_minor": 5}  # fmt: skip
    return json.dumps(document, indent=1, ensure_ascii=False) + "\n"


def write(file: str | Path, text: str) -> Path:
    """Write the notebook. Raises InputError where the folder cannot be written."""
    path = Path(file)
    prepare_folder(path.parent)
    write_atomically(path, text)
    return path


def _cells(lesson: Lesson, told: ToldLesson, language: str, data: str) -> Iterator[dict[str, object]]:
    formulas = "\n\n".join(f"$${formula.replace('′', chr(39))}$$" for formula in told.formulas)
    yield _markdown(f"# {told.title[language]}\n\n{told.intent[language]}\n\n{formulas}")
    yield _code(_begin(lesson, told, language, data))
    yield _markdown(catalogue.text("frame", "notebook_change")[language])
    for part in told.code:
        yield _code(part.text)
    names = [part.where.rpartition(": ")[2].partition(".")[0] for part in told.code]
    yield _code(_AGAIN.format(assignments="\n".join(f"lesson.{name} = {name}" for name in names)))
    for correction in told.corrections:
        yield _markdown(plain_markdown(correction.says[language]))
    hints = "\n".join(f"- `{hint.command}`: {plain(hint.says[language])}" for hint in told.hints)
    yield _markdown(f"## {say('try', language)}\n\n{hints}")


def _begin(lesson: Lesson, told: ToldLesson, language: str, data: str) -> str:
    """The first cell: the lesson's module, and those of the functions it shows."""
    paths = [part.where.partition(".py: ")[0].replace("/", ".") for part in told.code]
    modules = sorted(set(paths) - {f"backproof.comparisons.lessons.{lesson.key}"})
    return _BEGIN.format(
        key=lesson.key, language=language, data=data, imports="\n".join(f"import {name}" for name in modules),
        modules=", ".join([*modules, "lesson", ""]).rstrip(),
    )  # fmt: skip


def plain_markdown(sentence: str) -> str:
    """Formulas stay in dollar signs, which notebooks read."""
    return sentence.replace("′", "'")


def _markdown(text: str) -> dict[str, object]:
    return {"cell_type": "markdown", "source": text}


def _code(text: str) -> dict[str, object]:
    return {"cell_type": "code", "execution_count": None, "outputs": [], "source": text}
