"""The page: self-contained, escaped, complete."""

import base64
import hashlib
import lzma
import re
from pathlib import Path

import plotly.graph_objects as go
import pytest
from hypothesis import given
from hypothesis import strategies as st
from plotly.offline import get_plotlyjs

from backproof.comparisons.drawing import figures
from backproof.comparisons.report import document as results_module
from backproof.comparisons.report import page as html
from backproof.comparisons.report.chapters import CHAPTERS, LESSONS, Chapter
from tests.support.page_reader import Element, figure_data, read
from tests.support.sample_results import COMMAND, HOSTILE, SAMPLES, passing

EXECUTABLE = ("", "text/javascript", "module")


@pytest.fixture(scope="module")
def pages() -> dict[str, str]:
    return {name: html.render(make()) for name, make in SAMPLES.items()}


@pytest.fixture(scope="module")
def trees(pages: dict[str, str]) -> dict[str, Element]:
    return {name: read(page) for name, page in pages.items()}


def scripts(tree: Element) -> list[Element]:
    return [e for e in tree.all("script") if e.attributes.get("type", "") in EXECUTABLE]


@pytest.fixture(params=SAMPLES)
def tree(request: pytest.FixtureRequest, trees: dict[str, Element]) -> Element:
    return trees[request.param]


def library(tree: Element) -> str:
    """The drawing library as a browser unpacks it; empty where the page has none."""
    if not tree.all("script", id="library"):
        return ""
    (packed,) = tree.all("script", id="library")
    small = base64.b85decode(packed.text.translate(str.maketrans(",.:", "<>&")))
    unpacked = lzma.LZMADecompressor(lzma.FORMAT_ALONE).decompress(small).decode()
    assert len(unpacked.encode()) == int(packed.attributes["data-bytes"])
    return unpacked


def test_plotly_is_in_the_page_exactly_once_and_whole(tree: Element) -> None:
    assert library(tree) == (get_plotlyjs() if tree.all("div", class_="plot") else "")


def test_a_page_with_figures_and_one_without_are_among_those_looked_at(trees: dict[str, Element]) -> None:
    assert {bool(library(tree)) for tree in trees.values()} == {False, True}


@pytest.mark.parametrize("name", SAMPLES)
def test_a_page_weighs_less_than_two_megabytes(pages: dict[str, str], name: str) -> None:
    assert len(pages[name].encode()) < 2e6


def test_nothing_in_the_page_points_outside(tree: Element) -> None:
    pointing = ("src", "href", "srcset", "data", "action", "poster", "formaction", "background", "xlink:href")
    for element in tree.walk():
        for name in pointing:
            target = element.attributes.get(name, "#")
            assert target.startswith(("#", "data:")), f"<{element.tag} {name}={target!r}>"


def test_no_style_loads_anything(tree: Element) -> None:
    for element in tree.walk():
        style = element.attributes.get("style", "") + (element.text if element.tag == "style" else "")
        assert not re.search(r"url\(|@import|src\s*:", style)


def test_the_content_policy_forbids_the_network(tree: Element) -> None:
    (meta,) = tree.all("meta", **{"http-equiv": "Content-Security-Policy"})
    policy = dict(directive.strip().split(" ", 1) for directive in meta.attributes["content"].split(";"))
    assert policy["default-src"] == "'none'"
    assert policy["connect-src"] == "'none'"
    assert not [value for value in policy.values() if "http" in value or "*" in value]


def test_the_content_policy_allows_the_scripts_of_the_page_and_no_other(tree: Element) -> None:
    (meta,) = tree.all("meta", **{"http-equiv": "Content-Security-Policy"})
    allowed = re.findall(r"'(sha256-[^']+)'", meta.attributes["content"])
    texts = [*filter(None, [library(tree)]), *(script.text for script in scripts(tree))]
    digests = [hashlib.sha256(text.encode()).digest() for text in texts]
    assert sorted(allowed) == sorted(f"sha256-{base64.b64encode(d).decode()}" for d in digests)


def test_names_full_of_markup_stay_text(trees: dict[str, Element]) -> None:
    tree = trees["hostile"]
    assert not tree.all("img")
    assert len(scripts(tree)) == len(scripts(trees["passing"]))
    assert not [e for e in tree.walk() if any(name.startswith("on") for name in e.attributes)]
    assert HOSTILE in tree.words


def test_values_are_not_read_as_templates(pages: dict[str, str]) -> None:
    assert "{{ 7 * 7 }}" in pages["hostile"]


def test_every_figure_has_a_caption_and_a_description(tree: Element) -> None:
    for figure in tree.all("figure"):
        (caption,) = figure.all("figcaption")
        (plot,) = figure.all("div", class_="plot")
        assert len(caption.text.split()) >= 5
        assert len(plot.attributes["aria-label"].split()) >= 5


def test_every_figure_carries_data(tree: Element) -> None:
    for figure in tree.all("figure"):
        assert figure_data(figure)["data"]


def test_the_good_run_shows_all_its_figures(trees: dict[str, Element]) -> None:
    chapters = {e.attributes["id"]: len(e.all("figure")) for e in trees["passing"].all("section")}
    assert {key: chapters[key] for key in ("gradients", "accuracy", "speed")} == {
        "gradients": 1,
        "accuracy": 4,
        "speed": 1,
    }


def test_anchors_are_unique_and_every_link_inside_the_page_has_its_target(tree: Element) -> None:
    ids = [e.attributes["id"] for e in tree.walk() if "id" in e.attributes]
    assert len(ids) == len(set(ids))
    links = {a.attributes["href"][1:] for a in tree.all("a")}
    assert links <= set(ids)


def test_every_figure_has_an_address(tree: Element) -> None:
    for chapter in tree.all("section"):
        for i, figure in enumerate(chapter.all("figure"), start=1):
            assert figure.attributes["id"] == f"{chapter.attributes['id']}-figure-{i}"


def test_every_table_says_what_it_shows_and_scrolls_by_itself(tree: Element) -> None:
    framed = [e for region in tree.all("div", class_="scroll") for e in region.all("table")]
    assert len(framed) == len(tree.all("table"))
    assert all(table.all("caption")[0].text for table in framed)


def test_rows_are_as_long_as_their_header(tree: Element) -> None:
    for table in tree.all("table"):
        columns = len(table.all("th"))
        assert {len(row.all("td")) for row in table.all("tr") if row.all("td")} <= {columns}


NOT_RUN = [chapter for chapter in (*CHAPTERS, LESSONS) if chapter.title]


@pytest.mark.parametrize("part", NOT_RUN, ids=str)
def test_a_part_that_was_not_run_names_the_command_that_runs_it(
    trees: dict[str, Element], part: Chapter
) -> None:
    (chapter,) = trees["nothing_run"].all("section", id=part.slots[0])
    assert part.command in chapter.words
    assert "not run" in chapter.words.lower()


def test_every_verdict_is_a_word(trees: dict[str, Element]) -> None:
    words = trees["failing"].words + trees["undecided"].words
    assert all(word in words for word in ("PASS", "FAIL", "INCONCLUSIVE"))


def test_digits_are_announced_on_the_first_screen(trees: dict[str, Element]) -> None:
    assert "Not MNIST" in trees["undecided"].all("header")[0].words
    assert "Not MNIST" not in trees["passing"].all("header")[0].words


@pytest.mark.parametrize("reason", ["its public interface gives no gradient", "no Adam"])
def test_what_a_contender_does_not_offer_is_said_with_its_reason(
    trees: dict[str, Element], reason: str
) -> None:
    assert f"not offered: {reason}" in trees["passing"].words


def test_a_crashed_contender_is_a_cell(trees: dict[str, Element]) -> None:
    assert "failed: crashed: exit code -11" in trees["failing"].words


def test_a_training_that_left_the_numbers_has_a_gap_in_its_curve(trees: dict[str, Element]) -> None:
    figure = next(
        f for f in trees["diverged"].all("figure") if "Training loss" in f.all("figcaption")[0].text
    )
    losses = {trace["name"]: trace["y"] for trace in figure_data(figure)["data"]}
    assert losses["JAX"] == [0.3, None, None, None, None]
    assert None not in losses["PyTorch"]


def test_a_failed_check_stands_first_with_its_worst_entry_and_reason(trees: dict[str, Element]) -> None:
    (chapter,) = trees["failing"].all("section", id="gradients")
    first = next(row for row in chapter.all("tr") if row.all("td")).words
    assert all(word in first for word in ("FAIL", "b1[17]", "averaged twice?"))


def test_drawing_again_from_the_file_gives_the_same_page(tmp_path: Path) -> None:
    results_module.save(passing(), tmp_path / "results.json")
    loaded = results_module.load(tmp_path / "results.json")
    assert html.render(loaded) == html.render(loaded) == html.render(passing())


def test_the_exact_command_is_in_the_page(trees: dict[str, Element]) -> None:
    assert COMMAND in trees["passing"].words


@pytest.mark.parametrize("chapter", [*CHAPTERS, LESSONS], ids=str)
def test_every_chapter_answers_for_every_sample(chapter: Chapter) -> None:
    for make in SAMPLES.values():
        section = chapter.section(make())
        assert section is None or section.title


@pytest.mark.parametrize(("caption", "alt"), [("", "a"), (" ", "a"), ("a", ""), ("a", "\n")])
def test_a_figure_without_words_is_refused(caption: str, alt: str) -> None:
    with pytest.raises(ValueError, match="expected a sentence"):
        figures.figure_html(go.Figure(), caption, alt)


@given(st.text())
def test_no_text_in_a_figure_can_end_its_script_element(text: str) -> None:
    figure = go.Figure(go.Scatter(x=[0], y=[0], name=text + "</script><!--<script>"))
    found = read(str(figures.figure_html(figure, "caption " + "x", "alt")))
    assert figure_data(found)["data"][0]["name"] == text + "</script><!--<script>"


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(a: str, b: str) -> float:
    """WCAG 2.2: (L1 + 0.05) / (L2 + 0.05)."""
    light, dark = sorted((_luminance(a), _luminance(b)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize(
    "colour", [*figures.PALETTE, figures.REFERENCE, figures.GOOD, figures.BAD, figures.UNSURE]
)
def test_every_colour_stands_out_from_its_background_in_light_and_dark(colour: str) -> None:
    assert _contrast(colour, figures.PAPER) >= 4.5
    assert _contrast(figures.DARK[colour], figures.DARK[figures.PAPER]) >= 4.5


def test_contenders_differ_in_colour_and_in_marker() -> None:
    names = ("scratch", "torch", "jax", "tensorflow", "sklearn")
    assert len({figures.colour(name) for name in names}) == len(names)
    assert len({figures.symbol(name) for name in names}) == len(names)


def test_variants_of_a_framework_share_its_colour() -> None:
    assert figures.colour("torch.compile") == figures.colour("torch_idiomatic") == figures.colour("torch")
