"""The page in a real browser, where there is one: every state, narrow and wide, light and dark."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from backproof.comparisons.check.results import CheckPart
from backproof.comparisons.report import page as html
from backproof.comparisons.report.answer import answer
from backproof.comparisons.report.document import Results
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support import axe
from tests.support.browser import BROWSERS, Browser, browser, installed
from tests.support.sample_comparison import a_comparison
from tests.support.sample_results import SAMPLES, a_checked_class, a_lesson, numerical

STATES = {
    **{name: make() for name, make in SAMPLES.items()},
    "lessons": Results(lessons=(a_lesson(),)),
    "numerical": Results(numerical=numerical()),
    "check": Results(check=CheckPart(Outcome.FAIL, (a_checked_class(),))),
    "compare": Results(compare=a_comparison()),
}
WIDTHS = (400, 1280)

# Every element whose right edge lies beyond the page, unless it scrolls by itself or lies in what does.
TOO_WIDE = """
Array.from(document.querySelectorAll("body *"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .filter((e) => !e.closest(".scroll, pre, nav, svg, .skip"))
  .map((e) => e.outerHTML.slice(0, 120))
"""
# Pairs of neighbouring tick labels of one axis that overlap.
COLLIDING = """
["xtick", "ytick"].flatMap((axis) => Array.from(document.querySelectorAll(".plot"), (plot) => {
  const boxes = Array.from(plot.querySelectorAll(`.${axis} text`), (text) => text.getBoundingClientRect())
    .filter((box) => box.width > 0);
  return boxes.flatMap((one, i) => boxes.slice(i + 1).filter((other) =>
    one.left < other.right - 1 && other.left < one.right - 1 &&
    one.top < other.bottom - 1 && other.top < one.bottom - 1));
})).flat().length
"""


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if installed() is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """None where axe cannot be had: `test_axe_sees_what_is_wrong` says so."""
    return axe.source(tmp_path_factory.mktemp("axe"))


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("pages")
    for name, results in STATES.items():
        (folder / f"{name}.html").write_text(html.render(results), encoding="utf-8")
    return {name: folder / f"{name}.html" for name in STATES}


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", WIDTHS)
@pytest.mark.parametrize("name", STATES)
def test_every_state_is_drawn_whole_and_accessible_without_a_complaint_or_a_request(
    tab: Browser, pages: dict[str, Path], axe_script: str | None, name: str, width: int, dark: bool
) -> None:
    tab.show(pages[name], width, dark=dark)
    assert tab.seen.complaints == []
    assert tab.seen.requests == []
    assert tab.evaluate(TOO_WIDE) == []
    assert tab.evaluate("document.querySelector('h1').textContent") == answer(STATES[name]).headline
    drawn = "document.querySelectorAll('.js-plotly-plot svg').length"
    assert tab.evaluate(f"document.querySelectorAll('.plot').length === 0 || {drawn} > 0")
    if axe_script:
        assert axe.violations(tab, axe_script) == []


@pytest.mark.parametrize("width", [400, 768, 1280, 1440])
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
def test_the_page_with_all_of_it_unfolded_is_accessible_at_every_width(
    tab: Browser, pages: dict[str, Path], axe_script: str | None, width: int, dark: bool
) -> None:
    if axe_script is None:
        pytest.skip(axe.MISSING)
    tab.show(pages["passing"], width, dark=dark)
    tab.evaluate("document.querySelectorAll('details').forEach((part) => { part.open = true; })")
    assert axe.violations(tab, axe_script) == []


def test_axe_sees_what_is_wrong(tab: Browser, axe_script: str | None, tmp_path: Path) -> None:
    if axe_script is None:
        pytest.skip(axe.MISSING)
    page = tmp_path / "bad.html"
    page.write_text('<html data-drawn="1"><body><img src="data:,"><button></button></body></html>')
    tab.show(page, 400, dark=False)
    rules = {rule for rule, *_ in axe.violations(tab, axe_script)}
    assert {"button-name", "image-alt", "html-has-lang"} <= rules


def test_what_is_looked_for_is_found_where_it_is(tab: Browser, tmp_path: Path) -> None:
    labels = '<g class="xtick"><text x="0" y="20">1000</text><text x="9" y="20">2000</text></g>'
    page = tmp_path / "bad.html"
    wide = '<p style="width: 900px">wide</p>'
    said = '<img src="missing.png"><script>console.warn("a complaint")</script>'
    plot = f'<div class="plot"><svg>{labels}</svg></div>'
    page.write_text(f'<html data-drawn="1"><body>{wide}{plot}{said}</body></html>')
    tab.show(page, 400, dark=False)
    assert len(tab.evaluate(TOO_WIDE)) == 1
    assert tab.evaluate(COLLIDING) == 1
    assert "a complaint" in "".join(tab.seen.complaints)
    assert [url.rpartition("/")[2] for url in tab.seen.requests] == ["missing.png"]


@pytest.mark.parametrize("width", WIDTHS)
def test_no_tick_labels_collide(tab: Browser, pages: dict[str, Path], width: int) -> None:
    tab.show(pages["passing"], width, dark=False)
    assert tab.evaluate(COLLIDING) == 0


@pytest.mark.parametrize("name", ["passing", "failing"])
def test_on_a_narrow_screen_every_verdict_is_in_sight(
    tab: Browser, pages: dict[str, Path], name: str
) -> None:
    tab.show(pages[name], 400, dark=False)
    hidden = "Array.from(document.querySelectorAll('table .badge'))"
    hidden += ".filter((b) => b.offsetParent && b.getBoundingClientRect().right > innerWidth).length"
    assert tab.evaluate(hidden) == 0


def test_a_figure_gives_its_picture_and_its_numbers(tab: Browser, pages: dict[str, Path]) -> None:
    tab.show(pages["passing"], 1280, dark=False)
    tab.evaluate("window.saved = {}")
    tab.evaluate(
        "URL.createObjectURL = (blob) => {"
        " blob.text().then((text) => { window.saved[blob.type] = text; }); return '#'; }; 0"
    )
    tab.evaluate("document.querySelectorAll('#gradients .tools button').forEach((b) => b.click())")
    tab.evaluate("new Promise((done) => setTimeout(done, 2000))")
    saved = tab.evaluate("window.saved")
    assert saved["image/svg+xml"].startswith("<svg")
    lines = saved["text/csv"].splitlines()
    assert lines[0] == "series,x,y,z"
    assert len(lines) == 1 + 2 + 34  # the line, and a point for each check
