"""A lesson's notebook: its cells run from top to bottom, and a changed function changes what is found."""

import json
from functools import cache
from typing import Any

import pytest

from backproof.comparisons.lessons import notebook, runner
from backproof.comparisons.lessons.course import LESSONS, find
from backproof.comparisons.lessons.frame import Setting

QUICK = ("two-ways", "shapes", "perceptron", "chain-rule", "descent", "three-steps")


@cache
def document(name: str, language: str = "en") -> Any:
    told = runner.run(find(name), Setting(data="digits"))
    return json.loads(notebook.notebook(find(name), told, language, "digits"))


def run(cells: list[Any]) -> dict[str, Any]:
    namespace: dict[str, Any] = {"__name__": "__main__"}
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile(cell["source"], "<cell>", "exec"), namespace)
    return namespace


@pytest.mark.parametrize("name", QUICK)
def test_the_cells_run_and_the_claims_hold_in_them(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    module = find(name).load()
    before = dict(vars(module))
    try:
        found = run(document(name)["cells"])
    finally:
        vars(module).update(before)
    assert all(claim.holds for claim in found["found"].claims)
    assert "FAILS" not in capsys.readouterr().out


def test_a_function_that_is_changed_in_its_cell_makes_a_claim_fail(
    capsys: pytest.CaptureFixture[str],
) -> None:
    module = find("shapes").load()
    before = dict(vars(module))
    cells = [dict(cell) for cell in document("shapes")["cells"]]
    cell = next(cell for cell in cells if cell["source"].startswith("def entry("))
    cell["source"] = cell["source"].replace("total = 0.0", "total = 1.0")
    try:
        run(cells)
    finally:
        vars(module).update(before)
    assert "FAILS" in capsys.readouterr().out


def test_it_is_what_the_format_asks_for() -> None:
    found = document("shapes", "ko")
    assert (found["nbformat"], found["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in found["cells"]}) == len(found["cells"])
    for cell in found["cells"]:
        assert {"id", "cell_type", "metadata", "source"} <= set(cell)
        assert cell["cell_type"] == "markdown" or {"outputs", "execution_count"} <= set(cell)
    assert "형상" in found["cells"][0]["source"]
    assert len(LESSONS) == 19
