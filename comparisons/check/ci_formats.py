"""What `check` found, as the machines of a CI read it: JUnit's XML, Markdown, and GitHub's annotations.

    JUnit       a test suite for each class, a test case for each check; causes with each failure
    Markdown    a table of classes, then what failed: for a summary or a pull request
    GitHub      ``::error file=my_mlp.py,line=7,title=...::...``, which it shows beside the line

Texts of the class under check are escaped in each of them.
"""

import ast
from collections.abc import Sequence
from pathlib import Path
from xml.etree import ElementTree

from backproof.comparisons.check.results import CheckedClass, CheckRow
from backproof.comparisons.check.trial import NOT_JUDGED, NOT_OFFERED
from backproof.comparisons.running.outside_text import cleaned, cleaned_lines, markdown
from backproof.comparisons.verdicts.outcome import Outcome

SKIPPED = (NOT_OFFERED, NOT_JUDGED)
LONGEST_CODE = 20_000  # characters


def as_junit(rows: Sequence[CheckedClass]) -> str:
    """JUnit's XML. What is neither PASS nor skipped is a failure: what was not shown was not passed."""
    suites = ElementTree.Element("testsuites", name="backproof check")
    for checked in rows:
        cases = [_case(checked, row) for row in checked.checks]
        counts = {
            "tests": len(cases),
            "failures": sum(case.find("failure") is not None for case in cases),
            "skipped": sum(case.find("skipped") is not None for case in cases),
            "errors": 0,
        }
        attributes = {"name": cleaned(checked.target), "time": f"{checked.seconds:.3f}"}
        attributes |= {name: str(count) for name, count in counts.items()}
        suite = ElementTree.SubElement(suites, "testsuite", attributes)
        suite.extend(cases)
    ElementTree.indent(suites)
    return (
        '<?xml version="1.0" encoding="utf-8"?>\n' + ElementTree.tostring(suites, encoding="unicode") + "\n"
    )


def _case(checked: CheckedClass, row: CheckRow) -> ElementTree.Element:
    case = ElementTree.Element(
        "testcase", classname=cleaned(checked.target), name=cleaned(row.check), time=f"{row.seconds:.3f}"
    )
    if row.verdict in SKIPPED:
        ElementTree.SubElement(case, "skipped", message=cleaned(f"{row.verdict}: {row.text}"))
    elif row.verdict != Outcome.PASS:
        failure = ElementTree.SubElement(case, "failure", type=row.verdict, message=cleaned(row.text))
        failure.text = _explained(checked)
    return case


def _explained(checked: CheckedClass) -> str:
    """The causes, best first, and the smallest case as code."""
    lines = [f"{rank}. {cleaned(cause.sentence)}" for rank, cause in enumerate(checked.causes, start=1)]
    if checked.code:
        lines += ["", f"{cleaned(checked.code_shows)}:", "", cleaned_lines(checked.code, LONGEST_CODE)]
    return "\n".join(lines)


def as_markdown(rows: Sequence[CheckedClass]) -> str:
    """A table of the classes, then the failures of each."""
    lines = ["| class | verdict | passed | failed | first diagnosis |", "| --- | --- | --: | --: | --- |"]
    for checked in rows:
        first = markdown(checked.causes[0].sentence) if checked.causes else ""
        counts = [
            sum(row.verdict == outcome for row in checked.checks) for outcome in (Outcome.PASS, Outcome.FAIL)
        ]
        cells = [markdown(checked.target), str(checked.outcome), *map(str, counts), first]
        lines.append(f"| {' | '.join(cells)} |")
    for checked in rows:
        wrong = _open_rows(checked)
        if wrong:
            lines += ["", f"### {markdown(checked.target)}", ""]
            lines += [f"- **{row.verdict}** {markdown(row.check)}: {markdown(row.text)}" for row in wrong]
        if checked.code:
            fence = "`" * max(3, 1 + _longest_run_of_backquotes(checked.code))
            code = cleaned_lines(checked.code, LONGEST_CODE)
            lines += ["", f"{markdown(checked.code_shows)}:", "", f"{fence}python", code.rstrip(), fence]
    return "\n".join(lines) + "\n"


def _open_rows(checked: CheckedClass) -> list[CheckRow]:
    return [row for row in checked.checks if row.verdict not in (Outcome.PASS, *SKIPPED)]


def _longest_run_of_backquotes(text: str) -> int:
    runs = "".join(character if character == "`" else " " for character in text).split()
    return max(map(len, runs), default=0)


def as_github(rows: Sequence[CheckedClass]) -> str:
    """A workflow command for each check that is not passed; FAIL is an error, all else a warning."""
    lines = []
    for checked in rows:
        place, cause = _place(checked.target), checked.causes[0].sentence if checked.causes else ""
        for row in _open_rows(checked):
            level = "error" if row.verdict == Outcome.FAIL else "warning"
            title = _property(f"backproof: {row.check}")
            message = _data("\n".join(filter(None, (cleaned(row.text), cleaned(cause)))))
            lines.append(f"::{level} {place}title={title}::{message}")
    return "".join(f"{line}\n" for line in lines)


def _place(target: str) -> str:
    """``file=my_mlp.py,line=7,`` where the class is one of a file; its text is read, not run."""
    file, _, name = target.rpartition(":")
    if not file.endswith(".py"):
        return ""
    try:
        tree = ast.parse(Path(file).read_bytes())
    except (OSError, SyntaxError, ValueError):
        return f"file={_property(file)},"
    lines = [node.lineno for node in ast.walk(tree) if isinstance(node, ast.ClassDef) and node.name == name]
    return f"file={_property(file)}," + (f"line={lines[0]}," if lines else "")


def _data(text: str) -> str:
    """A message of a workflow command: its signs for line breaks."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    """A value before the ``::``, where colons and commas end it too."""
    return _data(cleaned(text)).replace(":", "%3A").replace(",", "%2C")
