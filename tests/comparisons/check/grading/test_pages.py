"""A page per hand-in: complete in itself, escaped, in both languages, inside the narrowest screen."""

import re
import time
from pathlib import Path

import pytest

from backproof.comparisons.check.grading.pages import (
    LANGUAGES,
    Pages,
    Words,
    excerpt,
    file_name,
    page,
)
from backproof.comparisons.check.grading.rubric import Rubric
from backproof.comparisons.check.grading.table import row_of
from backproof.comparisons.check.results import Cause, CheckedClass, CheckRow, SourceLine
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support import browser

NASTY = "<script>alert(1)</script>\x1b[2J"
LONG = "N" * 300


def _checked(target: str = "a.py:Mine", text: str = "the biases are left out") -> CheckedClass:
    row = CheckRow("logits", "Are the logits right?", Outcome.FAIL, f"logits: {text}", 3, 0, 0.1, None)
    passed = CheckRow("weights", "Do weights survive load?", Outcome.PASS, "12 cases", 12, 0, 0.1, None)
    line = SourceLine("a.py", 3, "return x @ W")
    return CheckedClass(
        target,
        Outcome.FAIL,
        1.0,
        (passed, row),
        (Cause(text, "explains", line),),
        (f"a note {text}",),
        "checked with: relu",
        code=f"print('{text}')\n" + "x = " + "1.0, " * 200,
        code_shows="The smallest case found for logits",
    )


@pytest.mark.parametrize("language", LANGUAGES)
def test_nothing_of_a_hand_in_becomes_code_of_the_page(language: str) -> None:
    text = page(_checked(f"{NASTY}.py:{NASTY}", NASTY), Rubric(), Words(language))
    assert "<script" not in text
    assert "\x1b" not in text
    assert "&lt;script&gt;" in text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_asks_nobody_for_anything(language: str) -> None:
    text = page(_checked(), Rubric(), Words(language))
    assert "default-src 'none'" in text
    assert not re.search(r"https?:|url\(|<script|<link|<img", text)


def test_the_verdict_the_cause_the_points_and_the_case_are_there() -> None:
    text = page(_checked(), Rubric(), Words("en"))
    for said in ("FAIL", "the biases are left out", "75 of 100 points", "print(", "line 3 of a.py"):
        assert said in text


def test_in_korean_what_can_be_said_is_said_and_the_rest_is_marked_as_english() -> None:
    text = page(_checked(text="nobody has translated this"), Rubric(), Words("ko"))
    assert '<html lang="ko">' in text
    assert "틀린 곳을 찾았습니다." in text
    assert "로짓이 맞습니까?" in text
    assert '<strong lang="en">nobody has translated this' in text
    assert "편향을 더하지 않았습니다." in page(_checked(), Rubric(), Words("ko"))


def test_failures_stand_first_among_the_checks() -> None:
    text = page(_checked(), Rubric(), Words("en"))
    assert text.index("<code>logits") < text.index("<code>weights")


def test_an_unknown_language_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="language: expected one of en, ko; got 'xx'"):
        Pages(str(tmp_path), "xx", Rubric())


@pytest.mark.parametrize(
    "name", ["../../etc/passwd", "a/b.py:X", f"{LONG}.py", "김민준.py:망", "con<>:|?.py"]
)
def test_the_name_of_a_page_stays_in_its_folder_and_is_short(name: str) -> None:
    file = file_name(name)
    assert Path(file).name == file
    assert len(file.encode()) < 255
    assert not set(file) & set('<>:"/\\|?*')


def test_no_two_hand_ins_share_a_page() -> None:
    names = ["a/x.py", "b/x.py", "x.py:A", "x.py:B", "x.py", "x-A.py"]
    assert len({file_name(name) for name in names}) == len(names)


def test_the_line_is_shown_with_those_around_it(tmp_path: Path) -> None:
    (tmp_path / "a.py").write_text("one\ntwo\n    return x @ W\nfour\nfive\nsix\n")
    found = excerpt(tmp_path / "a.py", SourceLine("a.py", 3, "return x @ W"))
    assert [line.number for line in found] == [1, 2, 3, 4, 5]
    assert [line.number for line in found if line.marked] == [3]


@pytest.mark.parametrize("text", [None, "another\nfile\nby now\n"])
def test_where_the_file_has_changed_the_line_that_was_kept_stands_alone(
    tmp_path: Path, text: str | None
) -> None:
    if text is not None:
        (tmp_path / "a.py").write_text(text)
    found = excerpt(tmp_path / "a.py", SourceLine("a.py", 3, "return x @ W"))
    assert [(line.number, line.text) for line in found] == [(3, "return x @ W")]


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_index_leads_to_every_page(tmp_path: Path, language: str) -> None:
    pages = Pages(str(tmp_path), language, Rubric())
    names = ["a.py:Mine", f"{NASTY}.py:Mine"]
    for name in names:
        pages.add(name, _checked(name))
    pages.finish([(name, row_of(_checked(name), Rubric())) for name in [*names, "gone.py"]])
    index = (tmp_path / "index.html").read_text(encoding="utf-8")
    linked = re.findall(r'href="([^"]+)"', index)
    assert len(linked) == 2
    assert all((tmp_path / name).is_file() for name in linked)
    assert "<script" not in index


@pytest.mark.skipif(browser.installed() is None, reason="no browser here: Chromium or Chrome")
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_long_name_stays_inside_a_narrow_screen(tmp_path: Path, language: str) -> None:
    pages = Pages(str(tmp_path / "pages"), language, Rubric())
    checked = _checked(f"{LONG}.py:{LONG}")
    pages.add("a", checked)
    pages.finish([("a", row_of(checked, Rubric()))])
    with browser.browser(tmp_path / "profile") as opened:
        for path in pages.folder.glob("*.html"):
            assert _too_wide(opened, path) == 0
        (tmp_path / "wide.html").write_text(f"<p style='white-space:nowrap'>{LONG}")
        assert _too_wide(opened, tmp_path / "wide.html") > 0  # which the measure itself would see


def _too_wide(opened: browser.Browser, path: Path) -> int:
    """By how many pixels a page is wider than a screen of 400."""
    opened.ask("Emulation.setDeviceMetricsOverride", width=400, height=900, deviceScaleFactor=1, mobile=False)
    opened.ask("Page.navigate", url=path.as_uri())
    late = time.monotonic() + browser.PATIENCE
    while opened.evaluate(f"location.href === '{path.as_uri()}' && document.readyState") != "complete":
        assert time.monotonic() < late
        time.sleep(0.02)
    assert opened.seen.complaints == []
    return int(opened.evaluate("document.documentElement.scrollWidth - innerWidth"))
