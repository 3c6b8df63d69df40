"""What a CI reads: every check a case, every failure explained, and no text that ends its own frame."""

import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.check.ci_formats import as_github, as_junit, as_markdown
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow
from backproof.comparisons.check.trial import NOT_OFFERED, NOT_RUN
from backproof.comparisons.verdicts.outcome import Outcome


def row(check: str, verdict: str, text: str = "3 cases") -> CheckRow:
    return CheckRow(check, "Is it right?", verdict, text, 3, 0, 0.25, None)


ROWS = (
    row("loss", Outcome.PASS),
    row("gradient", Outcome.FAIL, "b1[0]: found 1, expected 2"),
    row("training", NOT_OFFERED, "no method train"),
    row("dtypes", Outcome.INCONCLUSIVE, "no case could be decided"),
    row("state", NOT_RUN, "the time limit was reached before"),
)
CHECKED = CheckedClass(
    "my_mlp.py:MyMLP", Outcome.FAIL, 4.5, ROWS,
    (Cause("the gradient is of the wrong sign", "explains"),), (), "",
    "print(1)\n", "The smallest case found for gradient",
)  # fmt: skip
anything = st.text(min_size=1, max_size=40)


def test_junit_has_a_case_for_every_check_and_counts_them() -> None:
    suite = ElementTree.fromstring(as_junit([CHECKED]).encode()).find("testsuite")
    assert suite is not None
    assert [case.attrib["name"] for case in suite.iter("testcase")] == [one.check for one in ROWS]
    assert (suite.attrib["tests"], suite.attrib["failures"], suite.attrib["skipped"]) == ("5", "3", "1")


def test_a_failure_in_junit_has_its_cause_and_its_smallest_case() -> None:
    failures = list(ElementTree.fromstring(as_junit([CHECKED]).encode()).iter("failure"))
    assert failures[0].attrib["message"] == "b1[0]: found 1, expected 2"
    assert failures[0].text is not None
    assert failures[0].text.splitlines()[0] == "1. the gradient is of the wrong sign"
    assert "print(1)" in failures[0].text


def test_markdown_has_a_row_for_every_class_and_a_line_for_what_is_open() -> None:
    lines = as_markdown(
        [CHECKED, replace(CHECKED, outcome=Outcome.PASS, checks=ROWS[:1], causes=(), code="")]
    ).splitlines()
    assert [line.count(" | ") for line in lines[:4]] == [4] * 4
    assert lines[2].endswith("| FAIL | 1 | 1 | the gradient is of the wrong sign |")
    assert [line for line in lines if line.startswith("- **")] == [
        "- **FAIL** gradient: b1\\[0\\]: found 1, expected 2",
        "- **INCONCLUSIVE** dtypes: no case could be decided",
        "- **not run** state: the time limit was reached before",
    ]


def test_code_with_backquotes_does_not_end_its_fence() -> None:
    page = as_markdown([replace(CHECKED, code="'''\n```\n````\n")])
    assert page.count("\n`````") == 2


def test_github_is_told_errors_and_warnings_with_their_place(tmp_path: Path) -> None:
    file = tmp_path / "own.py"
    file.write_text("import os\n\nclass Mine:\n    pass\n", encoding="utf-8")
    lines = as_github([replace(CHECKED, target=f"{file}:Mine")]).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error", "::warning", "::warning"]
    assert lines[0].startswith(f"::error file={file},line=3,title=backproof%3A gradient::b1[0]: found 1")
    assert lines[0].endswith("%0Athe gradient is of the wrong sign")


def test_a_class_of_a_module_or_a_file_that_is_gone_has_no_line() -> None:
    assert "line=" not in as_github([CHECKED])
    assert "file=" not in as_github([replace(CHECKED, target="package.module:MyMLP")])


@given(text=anything, name=anything)
def test_no_text_of_a_class_breaks_a_format(text: str, name: str) -> None:
    hostile = replace(
        CHECKED,
        target=f"{name}:Mine",
        checks=(row(name, Outcome.FAIL, text),),
        causes=(Cause(text, "fits"),),
        code=text,
    )
    assert (
        len(list(ElementTree.fromstring(as_junit([hostile]).encode("utf-8", "strict")).iter("failure"))) == 1
    )
    assert len(as_github([hostile]).splitlines()) == 1
    assert re.fullmatch(r"::error [^:]*::.*", as_github([hostile]).rstrip("\n"))
    assert as_markdown([hostile]).splitlines()[2].startswith("| ")


@pytest.mark.parametrize("sign", ["\n::error::fake", "::set-output name=x::y", "%0A::error::"])
def test_a_class_cannot_give_github_a_command(sign: str) -> None:
    told = as_github([replace(CHECKED, checks=(row("gradient", Outcome.FAIL, f"x{sign}"),), causes=())])
    assert len([line for line in told.splitlines() if line.startswith("::")]) == 1
    assert "%0A::" not in told
