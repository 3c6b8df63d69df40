"""The strips of a failing pair: the first difference marked and open, and readable on every screen."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.compare import chapter, strip
from backproof.comparisons.compare.part import run, side
from backproof.comparisons.compare.result import Compared, Comparison
from backproof.comparisons.compare.trace import UPDATES
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.report import page
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from tests.comparisons.compare.test_chain import a_problem
from tests.support import browser, sample_results
from tests.support.ported import Traced
from tests.support.porting_mistakes import MISTAKES


def pair(mistake: str) -> Comparison:
    """A right network beside one with this mistake, on one problem with the steps of one update rule."""
    wrong = next(one for one in MISTAKES if one.name == mistake)
    problem, rules = a_problem(0), {wrong.rule or "sgd": UPDATES[wrong.rule or "sgd"]}
    sides = (
        side("scratch", ScratchMLP(), problem, rules),
        side("ported", Traced(wrong.formulas), problem, rules),
    )
    return Comparison(Outcome.FAIL, 1.0, ("scratch", "ported"), (Compared("four layers", sides),))


@pytest.fixture(scope="module")
def averaged_again() -> Comparison:
    return pair("dW averaged again")


def html(found: Comparison) -> str:
    section = chapter.build(found)
    assert section is not None
    return str(section.html)


def test_rows_hold_every_tensor_once_in_order_and_none_is_longer_than_a_screen(
    averaged_again: Comparison,
) -> None:
    links = averaged_again.problems[0].sides[1].links
    rows = strip.rows(links)
    assert [link for _, row in rows for link in row] == list(links)
    assert max(len(row) for _, row in rows) <= strip.PER_ROW
    assert [title for title, _ in rows][1:3] == ["forward and backward, 2 of 2", "sgd, step 1"]


def test_the_first_difference_alone_is_marked_and_its_entry_is_open(averaged_again: Comparison) -> None:
    drawn = html(averaged_again)
    first = averaged_again.problems[0].sides[1].first
    assert first is not None
    assert drawn.count("✗ first") == 1
    assert "<details open><summary>four layers: the first that differs is dW4</summary>" in drawn
    assert f"<dd>{first.worst}: found {first.found:.9g}, expected {first.expected:.9g}</dd>" in drawn
    assert f"<dd>{first.causes[0]}</dd>" in drawn


def test_steps_of_training_are_unfolded_where_the_first_difference_is_in_them() -> None:
    drawn = html(pair(next(one.name for one in MISTAKES if one.rule)))
    assert drawn.count("<details open><summary>24 tensors after steps of training</summary>") == 1
    assert drawn.count("<details><summary>24 tensors after steps of training</summary>") == 1


def test_a_right_pair_has_no_mark() -> None:
    drawn = html(run(("scratch", "scratch"), 0, Silent()))
    assert "✗" not in drawn
    assert "differ by rounding only" in drawn


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[browser.Browser]:
    if browser.installed() is None:
        pytest.skip("needs Chromium")
    with browser.browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


SHRUNK = """[...document.querySelectorAll("#compare .strips svg")].filter(svg => {
  const box = svg.getBoundingClientRect();
  return box.width > 0 && (box.width < svg.viewBox.baseVal.width - 0.5 || box.right > innerWidth);
}).length"""


@pytest.mark.parametrize("width", [320, 400, 1280])
def test_no_strip_is_shrunk_or_runs_off_the_screen(
    tab: browser.Browser, averaged_again: Comparison, tmp_path: Path, width: int
) -> None:
    results = replace(sample_results.nothing_run(), compare=averaged_again)
    drawn = tmp_path / "page.html"
    drawn.write_text(page.render(results), encoding="utf-8")
    tab.show(drawn, width, dark=False)
    assert tab.evaluate(SHRUNK) == 0
    assert tab.evaluate('document.querySelectorAll("#compare .strips svg").length') > 0
