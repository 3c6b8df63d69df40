"""The lessons' own page: what it holds, and how it behaves in a real browser, where there is one."""

import base64
import json
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.compare import vectors
from backproof.comparisons.lessons import catalogue, page, runner, two_ways
from backproof.comparisons.lessons.course import LESSONS, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.lab_digits import lab_digits
from backproof.comparisons.lessons.result import ToldLesson
from tests.support import axe
from tests.support.browser import BROWSERS, Browser, browser, installed
from tests.support.lab_readings import READINGS, Reading

ROOT = Path(__file__).parents[3]
MOST_BYTES = 4e6
RUN = ("two-ways", "shapes", "descent")  # quick, with figures, maps and corrections
TOO_WIDE = """
Array.from(document.querySelectorAll("body *"))
  .filter((e) => e.getBoundingClientRect().right > innerWidth + 1)
  .filter((e) => !e.closest(".scroll, pre, .formula, svg"))
  .map((e) => e.outerHTML.slice(0, 120))
"""
# What a reader of screens needs: a name for every control, and for every picture that is one.
UNNAMED = """
[
  ...Array.from(document.querySelectorAll("article:not([hidden]) :is(input, button, fieldset), .top button"))
    .filter((e) => !(e.labels?.length || e.getAttribute("aria-label") || e.textContent.trim())),
  ...Array.from(document.querySelectorAll("article:not([hidden]) svg[role=img]"))
    .filter((e) => !e.getAttribute("aria-label") && !e.closest("[role=img] svg")),
].map((e) => e.outerHTML.slice(0, 160))
"""
# Texts whose contrast to the page is below 4.5, by the formula of WCAG 2.
FAINT = """
(() => {
  const part = (c) => { c /= 255; return c <= 0.03928 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4; };
  const light = ([r, g, b]) => 0.2126 * part(r) + 0.7152 * part(g) + 0.0722 * part(b);
  const numbers = (colour) => colour.match(/[0-9.]+/g).map(Number);
  const back = (e) => {
    for (let at = e; at; at = at.parentElement) {
      const found = numbers(getComputedStyle(at).backgroundColor);
      if (found.length < 4 || found[3] === 1) return found;
    }
    return [255, 255, 255];
  };
  return Array.from(document.querySelectorAll("body *"))
    .filter((e) => e.checkVisibility())
    .filter((e) => Array.from(e.childNodes).some((n) => n.nodeType === 3 && n.data.trim()))
    .filter((e) => !e.closest("svg, math, script, style"))
    .filter((e) => {
      const [a, b] = [light(numbers(getComputedStyle(e).color)), light(back(e))].sort((x, y) => y - x);
      return (a + 0.05) / (b + 0.05) < 4.5;
    })
    .map((e) => `${getComputedStyle(e).color} ${e.outerHTML.slice(0, 120)}`);
})()
"""
# Texts of a picture that lie on each other, or beyond its edge.
COLLIDING = """
Array.from(document.querySelectorAll("article:not([hidden]) .picture svg")).filter((s) => s.checkVisibility())
  .flatMap((svg) => {
    const edge = svg.getBoundingClientRect();
    const texts = Array.from(svg.querySelectorAll("text"), (t) => [t.textContent, t.getBoundingClientRect()])
      .filter(([, b]) => b.width > 0);
    const hit = ([, a], [, b]) => a.left < b.right - 1 && b.left < a.right - 1
      && a.top < b.bottom - 2 && b.top < a.bottom - 2;
    const pairs = texts.flatMap((one, i) => texts.slice(i + 1).filter((other) => hit(one, other))
      .map(([t]) => `${one[0]} on ${t}`));
    const cut = texts.filter(([, b]) => b.left < edge.left - 1 || b.right > edge.right + 1
      || b.top < edge.top - 1 || b.bottom > edge.bottom + 1);
    return [...pairs, ...cut.map(([t]) => `${t} is cut`)];
  })
"""
MOVED = "new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(location.hash))))"


@cache
def told() -> tuple[ToldLesson, ...]:
    return tuple(runner.run(find(name), Setting(data="digits")) for name in RUN)


@cache
def text() -> str:
    return page.render(told())


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return page.write(tmp_path_factory.mktemp("page") / "lessons.html", told())


@pytest.fixture(scope="module")
def tab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    if installed() is None:
        pytest.skip(f"needs a browser: one of {', '.join(BROWSERS)}")
    with browser(tmp_path_factory.mktemp("profile")) as opened:
        yield opened


@pytest.fixture(scope="module")
def axe_script(tmp_path_factory: pytest.TempPathFactory) -> str | None:
    """None where axe cannot be had: `test_axe_reads_the_frame_of_the_page` says so."""
    return axe.source(tmp_path_factory.mktemp("axe"))


def go(tab: Browser, address: str) -> None:
    """Show what an address says, once everything of it is drawn."""
    tab.evaluate(f"location.hash = {json.dumps(address)}; {MOVED}")


def reading(tab: Browser, lesson: str, name: str) -> str:
    """What stands beside the name of a reading."""
    selector = f"#lesson-{lesson} [data-reading={json.dumps(name)}]"
    return str(tab.evaluate(f"document.querySelector({json.dumps(selector)}).textContent"))


def number(text: str) -> float:
    """1.3×10⁻⁹, −0.5, 20,155 and 92.7% as numbers."""
    plain = text.translate(str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻−", "0123456789--")).replace(",", "")
    mantissa, ten, exponent = (
        re.split(r"[ %(]", plain)[0].partition("10") if "×10" in plain else (plain, "", "")
    )
    if ten:
        return float(mantissa.removesuffix("×")) * 10.0 ** int(exponent)
    if mantissa != text and (power := re.fullmatch(r"10(-?\d+)", mantissa)):  # written with superscripts
        return 10.0 ** int(power[1])
    return float(re.split(r"[ %(]", mantissa)[0])


# --- the file


def test_the_page_is_small_and_names_every_lesson() -> None:
    assert len(text().encode()) < MOST_BYTES
    assert re.findall(r'<article class="lesson" id="lesson-([a-z-]+)"', text()) == [
        one.name for one in LESSONS
    ]


def test_the_page_asks_nobody_for_anything() -> None:
    assert re.findall(r"""(?:src|href)=["'](?![#$])|url\((?!#)|@import""", text()) == []


def test_no_source_is_a_number_that_tells_a_reader_nothing() -> None:
    assert not re.search(r"(Text|교재) 00[0-4]", text())


def test_drawing_again_gives_the_same_page() -> None:
    assert page.render(told()) == text()


def test_text_of_a_result_cannot_become_code() -> None:
    from dataclasses import replace

    attack = "<script>alert(1)</script>"
    words = {"en": attack, "ko": attack}
    first = told()[0]
    hostile = replace(first, claims=(replace(first.claims[0], says=words, found=attack),), intent=words)
    assert "<script>alert" not in page.render([hostile])


def test_every_sentence_of_the_labs_stands_in_both_languages() -> None:
    for lesson in LESSONS:
        for path, sentence in catalogue.leaves(catalogue.texts(lesson.key)["lab"]):
            assert all(sentence.get(language, "").strip() for language in catalogue.LANGUAGES), path


def test_the_mistakes_to_choose_from_are_those_of_the_zoo() -> None:
    script = (page_folder() / "network.js").read_text(encoding="utf-8")
    names = re.findall(r"(\w+): \"(?:bias|slope|delta)\"", script)
    catalogued = (ROOT / "comparisons" / "zoo" / "mutants" / "catalogue.toml").read_text(encoding="utf-8")
    assert len(names) == 6
    assert all(f":{name}" in catalogued for name in names)


def page_folder() -> Path:
    return Path(page.__file__).parent / "templates"


# --- in the browser


@pytest.mark.parametrize("language", catalogue.LANGUAGES)
@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_every_lesson_is_drawn_whole_without_a_complaint_or_a_request(
    tab: Browser, file: Path, axe_script: str | None, width: int, dark: bool, language: str
) -> None:
    tab.show(file, width, dark=dark)
    # Four of the eight hold every pair of width, colours and language: axe takes seconds a page.
    asked = axe_script is not None and (width == 400) ^ dark ^ (language == "ko")
    if axe_script and asked:
        axe.load(tab, axe_script)
    faults: dict[str, list[str]] = {}
    for lesson in LESSONS:
        go(tab, f"#{lesson.name}?lang={language}")
        tab.evaluate(
            "document.querySelectorAll('article:not([hidden]) details').forEach((d) => { d.open = true; })"
        )
        tab.evaluate(MOVED)
        assert tab.evaluate("document.documentElement.lang") == language
        found = [
            *tab.evaluate(TOO_WIDE),
            *tab.evaluate(UNNAMED),
            *tab.evaluate(FAINT),
            *tab.evaluate(COLLIDING),
        ]
        if asked:
            found += axe.found(tab, f"#lesson-{lesson.name}", contrast=False)  # FAINT has judged it
        faults |= {lesson.name: found} if found else {}
    assert faults == {}
    assert tab.seen.complaints == []
    assert tab.seen.requests == []


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("width", [400, 1280])
def test_axe_reads_the_frame_of_the_page(
    tab: Browser, file: Path, axe_script: str | None, width: int, dark: bool
) -> None:
    if axe_script is None:
        pytest.skip(axe.MISSING)
    tab.show(file, width, dark=dark)
    axe.load(tab, axe_script)
    for address in ("#shapes", "#shapes?lang=ko&present=1", "#shapes?sheet=1"):
        go(tab, address)
        tab.evaluate(
            "document.querySelectorAll('footer details, nav details').forEach((d) => { d.open = true; })"
        )
        assert axe.found(tab) == []


def test_what_is_looked_for_is_found_where_it_is(tab: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    faint = '<p style="color: #ccc; background: #fff">faint</p>'
    labels = (
        '<text x="5" y="20">1,000</text><text x="9" y="20">2,000</text><text x="90" y="40">cut off</text>'
    )
    drawn = f'<div class="picture"><svg width="100" height="50">{labels}</svg></div>'
    bad.write_text(
        f'<html data-drawn="1"><body><article><input>{faint}<p style="width: 900px">wide</p>{drawn}</article>'
    )
    tab.show(bad, 400, dark=False)
    assert [len(tab.evaluate(look)) for look in (TOO_WIDE, UNNAMED, FAINT, COLLIDING)] == [1, 1, 1, 2]


# A control, scrolled to the middle: its kind, and where to click to move it well.
PLACE = """
((lesson, name, aimed) => {
  const box = document.querySelector(`#lesson-${lesson} [data-control="${name}"]`);
  const kind = box.className.split(" ")[1];
  const others = Array.from(box.querySelectorAll("label")).filter((l) => !l.querySelector("input")?.checked);
  const input = box.querySelector("input[type=range], .grid64 button");
  const aim = kind === "range" ? input : kind === "pixels" ? input : others[0] || box.querySelector("button");
  aim.scrollIntoView({block: "center", behavior: "instant"});
  const {left, top, width, height} = aim.getBoundingClientRect();
  const {min, max, value} = kind === "range" ? input : {min: 0, max: 1, value: 0};
  const opposite = (value - min) / (max - min) > 0.5 ? 0.3 : 0.7;
  const part = kind === "range" ? aimed ?? opposite : 0.5;
  return {kind, x: left + 8 + part * (width - 16), y: top + height / 2};
})
"""
# The focus on a control; which key moves it depends on whether it stands at its end.
FOCUSED = """
((lesson, name) => {
  const box = document.querySelector(`#lesson-${lesson} [data-control="${name}"]`);
  const input = box.querySelector("input:checked") || box.querySelector("input, button");
  input.focus();
  return {kind: box.className.split(" ")[1], end: input.type === "range" && input.value === input.max,
          last: input.type === "radio" && !input.closest("label").nextElementSibling};
})
"""
AIMED = {("live", "lograte"): 0.2}  # at large rates the training is chaotic, and rounding decides
KEY = {"range": "ArrowRight", "choice": "ArrowDown", "toggle": " ", "press": " ", "pixels": " "}
BACK = {"ArrowRight": "ArrowLeft", "ArrowDown": "ArrowUp"}
# Every reading that is shown, by "scene.name".
SHOWN = """
((lesson) => Object.fromEntries(Array.from(document.querySelectorAll(`#lesson-${lesson} [data-reading]`),
  (e) => [`${e.closest("[data-scene]").dataset.scene}.${e.dataset.reading}`, e.textContent])))
"""


def open_lesson(tab: Browser, address: str) -> str:
    """Show a lesson with every scene drawn; its name."""
    go(tab, f"#{address}")
    name = address.partition("?")[0]
    scenes = f"document.querySelectorAll('#lesson-{name} .scene')"
    for i in range(tab.evaluate(f"{scenes}.length")):  # the heavier ones wait until they are seen
        tab.evaluate(f"{scenes}[{i}].scrollIntoView(); {MOVED}")
    return name


def as_python_says(tab: Browser, name: str) -> dict[str, str]:
    """The readings shown, each found to be what Python computes for the state of the controls."""
    shown: dict[str, str] = tab.evaluate(f"({SHOWN})('{name}')")
    state = tab.evaluate(f"frame.stateOf('{name}')")
    expected = READINGS[name](state)
    wrong = {key: (shown[key], reading) for key, reading in expected.items()
             if not reading.agrees([number(part) for part in shown[key].split(", ")])}  # fmt: skip
    assert wrong == {}, state
    return {key: shown[key] for key in expected}


def click(tab: Browser, name: str, control: str) -> None:
    aimed = json.dumps(AIMED.get((name, control)))
    at = tab.evaluate(f"({PLACE})('{name}', '{control}', {aimed})")
    tab.drag((at["x"], at["y"]), (at["x"], at["y"]))
    tab.evaluate(MOVED)


def press(tab: Browser, name: str, control: str) -> None:
    found = tab.evaluate(f"({FOCUSED})('{name}', '{control}')")
    key = KEY[found["kind"]]
    tab.press(BACK.get(key, key) if found["end"] or found["last"] else key)
    tab.evaluate(MOVED)


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_every_control_is_moved_by_mouse_and_keyboard_and_the_readings_are_pythons(
    tab: Browser, file: Path, name: str
) -> None:
    tab.show(file, 1280, dark=False)
    open_lesson(tab, name)
    state, picture = f"frame.stateOf('{name}')", f"document.querySelector('#lesson-{name}').innerHTML"
    start = tab.evaluate(state)
    assert start
    first = as_python_says(tab, name)
    for control in start:
        go(tab, f"#{name}")
        seen = []
        for move in (click, press):
            value = tab.evaluate(f"window.drawn = {picture}; {state}.{control}")
            move(tab, name, control)
            assert tab.evaluate(f"{state}.{control}") != value, (control, move)
            assert tab.evaluate(f"{picture} !== window.drawn"), (control, move)
            seen.append(as_python_says(tab, name))
        assert seen != [first, first], control
        value = tab.evaluate(f"{state}.{control}")
        assert (f"{control}=" in tab.evaluate("location.hash")) == (value != start[control])
    assert tab.seen.complaints == []


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_the_state_is_restored_from_the_address(tab: Browser, file: Path, name: str) -> None:
    tab.show(file, 1280, dark=False)
    open_lesson(tab, name)
    state = f"frame.stateOf('{name}')"
    start = tab.evaluate(state)
    for control in start:
        if (name, control) not in AIMED:
            click(tab, name, control)
    kept, address = tab.evaluate(state), tab.evaluate("location.hash").removeprefix("#")
    assert all(kept[control] != start[control] for control in start if (name, control) not in AIMED)
    tab.show(file, 1280, dark=False)
    open_lesson(tab, address)
    assert tab.evaluate(state) == kept
    as_python_says(tab, name)


DRAGGED = """
((lesson) => Array.from(document.querySelectorAll(`#lesson-${lesson} svg.draggable`), (svg) => {
  svg.scrollIntoView({block: "center", behavior: "instant"});
  const {left, top, width, height} = svg.getBoundingClientRect();
  return [left + width / 2, top + height / 2];
}))
"""


@pytest.mark.parametrize("name", [lesson.name for lesson in LESSONS])
def test_a_picture_that_can_be_dragged_moves_the_controls(tab: Browser, file: Path, name: str) -> None:
    tab.show(file, 1280, dark=False)
    open_lesson(tab, name)
    drags = tab.evaluate(f"labs['{name}'].filter((scene) => scene.drag).length")
    places = tab.evaluate(f"({DRAGGED})('{name}')")
    assert len(places) == drags
    for x, y in places:
        before = tab.evaluate(f"frame.address('{name}')")
        tab.drag((x, y), (x + 60, y + 25))
        tab.evaluate(MOVED)
        assert tab.evaluate(f"frame.address('{name}')") != before
        as_python_says(tab, name)


# Where something happens: the address of a state, and the readings are Python's there too.
STATES = (
    "two-ways?theta=0.9", "two-ways?logh=-3&scheme=forward", "two-ways?logh=-9&scheme=complex",
    "two-ways?logh=-1&dtype=float32", "two-ways?index=2402&label=5", "two-ways?mistake=BiasAveragedTwice",
    "two-ways?mistake=SoftmaxJacobianDiagonalOnly", "two-ways?mistake=DeltaWithoutDerivative",
    "two-ways?mistake=BiasSignOfOneLayer", "two-ways?mistake=CrossEntropyNotDividedByBatch",
    "activations?kind=step&z=0&logh=-3", "descent?rate=0.55&steps=30", "perceptron?weather=2&nearby=6&bias=0",
    "xor?start=0&steps=400", "chain-rule?which=b1&x=20", "three-steps?done=66&mask=copied",
    "three-steps?done=30&mask=at_zero&u=0", "two-layer-net?lograte=-3&steps=50",
    "sparse-cross-entropy?shift=1000", "ninety-five?hidden=0&optimizer=adam&lograte=-2",
    "ninety-five?activation=relu", "live?step=100&lograte=-0.5", "keras-start?logscale=1.5",
)  # fmt: skip


def test_states_of_the_address_show_what_python_computes(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    for state in STATES:
        as_python_says(tab, open_lesson(tab, state))
    assert tab.seen.complaints == []


def test_a_wrong_reading_is_seen() -> None:
    assert Reading(1.5, 3).agrees([1.5])
    assert Reading((1.0, 2.0)).agrees([1.0, 2.0])
    assert not Reading(1.5, 3).agrees([1.51])
    assert not Reading((1.0, 2.0)).agrees([1.0])


def test_a_value_that_no_control_has_is_not_taken_from_the_address(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    go(tab, "#two-ways?theta=1e9&scheme=none&logh=x&digit=zzz")
    state = tab.evaluate("frame.stateOf('two-ways')")
    assert (state["theta"], state["scheme"], state["logh"]) == (2.4, "central", -0.2)
    assert state["digit"] == lab_digits().three
    assert tab.seen.complaints == []


def test_keys_turn_the_pages_and_open_the_presenters_screen(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    go(tab, "#two-ways")
    tab.evaluate("document.activeElement.blur()")
    shown = "document.querySelector('article:not([hidden])').id"
    tab.press("ArrowRight")
    assert tab.evaluate(f"{MOVED}.then(() => {shown})") == f"lesson-{LESSONS[1].name}"
    tab.press("ArrowLeft")
    tab.press("p")
    assert tab.evaluate(f"{MOVED}.then(() => {shown})") == "lesson-two-ways"
    scenes = "Array.from(document.querySelectorAll('.scene')).filter((s) => s.checkVisibility())"
    scenes += ".map((s) => s.dataset.scene)"
    assert tab.evaluate(scenes) == ["secant"]
    tab.press("ArrowRight")
    assert tab.evaluate(f"{MOVED}.then(() => {scenes})") == ["weight"]
    assert tab.evaluate("location.hash") == "#two-ways?present=2"
    tab.press("Escape")
    assert len(tab.evaluate(f"{MOVED}.then(() => {scenes})")) == 4


def test_a_worksheet_asks_before_it_answers(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    go(tab, "#descent?sheet=1&lang=ko")
    seen = "Array.from(document.querySelectorAll('article:not([hidden]) > *'))"
    seen += ".filter((e) => e.checkVisibility())"
    shown = tab.evaluate(f"{seen}.map((e) => e.className || e.tagName)")
    assert shown == ["where-am-i", "H1", "sheet"]
    questions = tab.evaluate("document.querySelectorAll('#lesson-descent .sheet > ol > li').length")
    answers = tab.evaluate("document.querySelectorAll('#lesson-descent .answers li').length")
    assert questions > answers > 1
    assert (
        tab.evaluate("getComputedStyle(document.querySelector('#lesson-descent .answers')).breakBefore")
        == "auto"
    )


def test_printed_every_lesson_begins_a_page_of_its_own(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    pdf = base64.b64decode(tab.ask("Page.printToPDF", preferCSSPageSize=True)["data"])
    n_pages = len(re.findall(rb"/Type\s*/Page[^s]", pdf))
    assert len(LESSONS) <= n_pages <= len(LESSONS) + 3  # the first has four pictures
    assert tab.seen.complaints == []


def test_dragging_the_point_moves_the_weight(tab: Browser, file: Path) -> None:
    tab.show(file, 1280, dark=False)
    go(tab, "#two-ways")
    place = "(({left, top, width}) => [left, top, width])"
    place += "(document.querySelector('[data-scene=secant] svg[role=img]').getBoundingClientRect())"
    left, top, width = tab.evaluate(place)
    across = (width - 78) / 5.6  # pixels a unit of the axis from -2.6 to 3
    tab.drag((left + 58 + 2.0 * across, top + 150), (left + 58 + 3.5 * across, top + 150))
    tab.evaluate(MOVED)
    theta = tab.evaluate("frame.stateOf('two-ways').theta")
    assert theta == pytest.approx(0.9, abs=0.1)
    assert number(reading(tab, "two-ways", "derivative")) == pytest.approx(two_ways.slope(theta), rel=1e-12)


# --- what the page computes, against Python


ANSWERS = """
((text) => {
  const module = {};
  const require = (name) => (name.endsWith("/network.js") ? network : {join: (...parts) => parts.join("/")});
  const run = new Function("module", "require", "__dirname", `${text}; return module.exports.answer;`);
  return run(module, require, "");
})
"""


def test_the_network_of_the_page_lies_inside_every_interval_of_the_vectors(
    tab: Browser, file: Path, tmp_path: Path
) -> None:
    tab.show(file, 1280, dark=False)
    adapter = (ROOT / "tests" / "vectors" / "network.js").read_text(encoding="utf-8")
    judged = 0
    for name, problem in vectors.problems():
        given = {"x": problem.x, "targets": problem.targets}
        for layer, (weight, bias) in enumerate(problem.weights, start=1):
            given |= {f"W{layer}": weight, f"b{layer}": bias}
        told = {
            key: {"shape": list(array.shape), "data": array.ravel().tolist()} for key, array in given.items()
        }
        a = problem.architecture
        header = {
            "layer_sizes": list(a.layer_sizes),
            "activation": a.activation,
            "loss": a.loss,
            "dtype": a.dtype,
        }
        question = json.dumps({"header": header, "given": told})
        found = tab.evaluate(f"({ANSWERS}({json.dumps(adapter)}))({question})")
        rows = {row: (low, high, bound) for row, low, high, bound in vectors.expected(problem)}
        for tensor, answer in found.items():
            low, high, bound = rows[tensor]
            value = np.array(answer["data"]).reshape(answer["shape"])
            assert ((value >= low - bound) & (value <= high + bound)).all(), (name, tensor)
            judged += 1
    assert judged > 200
