"""The lessons' own page: what it holds, and how it behaves in a real browser, where there is one."""

import base64
import json
import re
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pytest

from backproof.comparisons.compare import vectors
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.lessons import (
    activations,
    catalogue,
    chain_rule,
    descent,
    lab_data,
    linear_regression,
    logistic_regression,
    neuron,
    page,
    runner,
    shapes,
    sparse_cross_entropy,
    text_network,
    two_ways,
    xor,
)
from backproof.comparisons.lessons.course import LESSONS, find
from backproof.comparisons.lessons.frame import Setting
from backproof.comparisons.lessons.lab_digits import fresh, lab_digits, pixels
from backproof.comparisons.lessons.learning_rule import Perceptron
from backproof.comparisons.lessons.result import ToldLesson
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.gradients import gradient
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters
from tests.support.browser import BROWSERS, Browser, browser, installed

ROOT = Path(__file__).parents[3]
MOST_BYTES = 4e6
RUN = ("two-ways", "shapes", "descent")  # quick, with figures, maps and corrections
WITH_LABS = [lesson.name for lesson in LESSONS if "lab" in catalogue.texts(lesson.key)]
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
    if power := re.fullmatch(r"10(-?\d+)", mantissa):
        return 10.0 ** int(power[1]) if text != "10" else 10.0
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
    for name in WITH_LABS:
        lab = catalogue.texts(find(name).key)["lab"]
        for path, sentence in catalogue.leaves(lab):
            assert all(sentence.get(language, "").strip() for language in catalogue.LANGUAGES), (name, path)


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
    tab: Browser, file: Path, width: int, dark: bool, language: str
) -> None:
    tab.show(file, width, dark=dark)
    faults: dict[str, list[str]] = {}
    for lesson in LESSONS:
        go(tab, f"#{lesson.name}?lang={language}")
        tab.evaluate(
            "document.querySelectorAll('article:not([hidden]) details').forEach((d) => { d.open = true; })"
        )
        tab.evaluate(MOVED)
        assert tab.evaluate("document.documentElement.lang") == language
        found = [*tab.evaluate(TOO_WIDE), *tab.evaluate(UNNAMED), *tab.evaluate(FAINT)]
        faults |= {lesson.name: found} if found else {}
    assert faults == {}
    assert tab.seen.complaints == []
    assert tab.seen.requests == []


def test_what_is_looked_for_is_found_where_it_is(tab: Browser, tmp_path: Path) -> None:
    bad = tmp_path / "bad.html"
    faint = '<p style="color: #ccc; background: #fff">faint</p>'
    bad.write_text(
        f'<html data-drawn="1"><body><article><input>{faint}<p style="width: 900px">wide</p></article>'
    )
    tab.show(bad, 400, dark=False)
    assert [len(tab.evaluate(look)) for look in (TOO_WIDE, UNNAMED, FAINT)] == [1, 1, 1]


# Every control: how to reach it, and which key moves it.
REACHED = """
((lesson, name) => {
  const box = document.querySelector(`#lesson-${lesson} [data-control="${name}"]`);
  const input = box.querySelector("input:checked") || box.querySelector("input, button");
  input.focus();
  return {kind: box.className.split(" ")[1], end: input.type === "range" && input.value === input.max,
          last: input.type === "radio" && !input.closest("label").nextElementSibling};
})
"""
KEY = {"range": "ArrowRight", "choice": "ArrowDown", "toggle": " ", "press": " ", "pixels": " "}


@pytest.mark.parametrize("name", WITH_LABS)
def test_every_control_is_moved_by_keyboard_and_the_page_restored_from_its_address(
    tab: Browser, file: Path, name: str
) -> None:
    tab.show(file, 1280, dark=False)
    go(tab, f"#{name}")
    picture = f"document.querySelector('#lesson-{name}').innerHTML"
    controls = tab.evaluate(f"labs['{name}'].flatMap((scene) => (scene.controls || []).map((c) => c.name))")
    assert controls
    for control in controls:
        before = tab.evaluate(picture)
        found = tab.evaluate(f"{REACHED}('{name}', '{control}')")
        key = KEY[found["kind"]]
        tab.press({"ArrowRight": "ArrowLeft", "ArrowDown": "ArrowUp"}.get(key, key)
                  if found["end"] or found["last"] else key)  # fmt: skip
        address = tab.evaluate(MOVED)
        assert f"{control}=" in address or found["kind"] == "press", control
        assert tab.evaluate(picture) != before, control
    state = tab.evaluate(f"frame.stateOf('{name}')")
    address = tab.evaluate("location.hash")
    tab.show(file, 1280, dark=False)
    go(tab, address)
    assert tab.evaluate(f"frame.stateOf('{name}')") == state
    assert tab.seen.complaints == []


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
    across = (width - 70) / 5.6  # pixels a unit of the axis from -2.6 to 3
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


def backprop_of(index: int, label: int) -> float:
    digits = lab_digits()
    x = pixels(digits.three)
    return float(gradient(fresh(digits.weights), x, np.array([label]))[index])


def sample() -> tuple[Array, Array, Array, Array]:
    """The page's digits: images and labels to train on, and those to test on."""
    digits = lab_digits()
    x, labels = pixels(digits.images), np.array(digits.labels)
    return x[: digits.train], labels[: digits.train], x[digits.train :], labels[digits.train :]


def percent_right(network: Network) -> float:
    _, _, test, labels = sample()
    return 100 * float((network.forward(test)[-1].argmax(axis=1) == labels).mean())


def accuracy_with(factor: float) -> float:
    x, labels, _, _ = sample()
    return percent_right(two_ways.train_with(factor, x, labels))


def network_at(sizes: tuple[int, ...], theta: Sequence[float] | Array, activation: Any, loss: Any) -> Network:
    architecture = Architecture(sizes, activation=activation, loss=loss)
    return Network(architecture, Parameters(architecture, np.array(theta, float)))


def descended(network: Network, rate: float, steps: int, size: int) -> Network:
    """The page's training: batches in order, again and again."""
    x, labels, _, _ = sample()
    for step in range(steps):
        i = step % (len(x) // size) * size
        rows = slice(i, i + size)
        network.parameters.flat[...] -= rate * gradient(network, x[rows], labels[rows])
    return network


def digits_at(start: Array, activation: str = "tanh") -> Network:
    return network_at((64, 32, 10), start, activation, "cross_entropy")


def loss_of_others_after(rate: float, steps: int) -> float:
    _, _, test, labels = sample()
    return float(descended(digits_at(lab_digits().start), rate, steps, 20).loss(test, labels))


def fitted(steps: int) -> float:
    x, y = linear_regression.data(0)
    return float(linear_regression.fit_by_differences(
        network_at((1, 1), (-1, 2), "identity", "mse"), x, y)[0][steps])  # fmt: skip


def node_loss(w1: float, w2: float, b: float) -> float:
    x, targets = logistic_regression.data(0)
    return float(network_at((2, 1), (w1, w2, b), "identity", "binary_cross_entropy").loss(x, targets))


def text_net(rate: float, steps: int, which: int) -> float:
    """Loss (0) or living units (1) of the text's own network, all its 64 rows and 1,000 inputs."""
    network = text_network.scratch_network(*text_network.text_weights(0))
    return float(
        text_network.train_without_biases(network, *text_network.text_data(), rate, steps)[which][-1]
    )


def answers(weights: tuple[float, ...], bias: float) -> float:
    rows = np.array([[i >> 2, i >> 1 & 1, i & 1] for i in range(8)], float)
    return float("".join(str(int(y)) for y in Perceptron(np.array(weights), bias).predict(rows)))


def chain(name: str) -> float:
    theta = np.array([0.8, -0.3, 1.2, 0.4, -0.9, 0.2])
    return float(np.prod([value for _, value in chain_rule.factors(theta)[name]]))


def first_loss(scale: float) -> float:
    x, labels, _, _ = sample()
    return float(digits_at(scale * lab_digits().start, "relu").loss(x[:100], labels[:100]))


# (lesson, controls, reading, what Python computes, relative tolerance: the digits the page shows)
PYTHON: list[tuple[str, str, str, Callable[[], float], float]] = [
    ("two-ways", "theta=0.9", "derivative", lambda: two_ways.slope(0.9), 1e-12),
    ("two-ways", "logh=-3", "quotient", lambda: two_ways.quotient(-0.6, 1e-3, "central"), 1e-11),
    ("two-ways", "logh=-3&scheme=forward", "quotient",
     lambda: two_ways.quotient(-0.6, 1e-3, "forward"), 1e-11),
    ("two-ways", "logh=-9&scheme=complex", "quotient",
     lambda: two_ways.quotient(-0.6, 1e-9, "complex"), 1e-14),
    ("two-ways", "logh=-1&dtype=float32", "quotient",
     lambda: two_ways.quotient(-0.6, 0.1, "central", "float32"), 1e-5),
    ("two-ways", "index=1157&label=8", "derivative_backprop", lambda: backprop_of(1157, 8), 1e-9),
    ("two-ways", "index=2402&label=5", "derivative_backprop", lambda: backprop_of(2402, 5), 1e-9),
    ("two-ways", "mistake=none", "accuracy", lambda: accuracy_with(1.0), 1e-3),
    ("two-ways", "mistake=RoundedConstant", "accuracy", lambda: accuracy_with(1.0005), 1e-3),
    ("two-ways", "mistake=RoundedConstant", "worst_gap", lambda: 5e-4, 1e-3),
    ("neuron", "x1=2", "z",
     lambda: neuron.neuron_by_hand(np.array([2.0, -2.0]), np.array([0.8, 0.25]), 0.1), 1e-5),
    ("activations", "kind=tanh&z=0.5", "slope",
     lambda: float(activations.value_and_derivative("tanh", np.array([0.5]))[1][0]), 1e-5),
    ("activations", "kind=step&z=0&logh=-3", "quotient",
     lambda: float(activations.quotient(activations.step, np.zeros(1), 1e-3)[0]), 1e-5),
    ("descent", "rate=0.3&steps=5", "w",
     lambda: float(descent.descend_scalar(lambda w: 2 * np.square(w - 1.2), -1.4, 0.3, 5)[-1]), 1e-5),
    ("linear-regression", "steps=20", "mse", lambda: fitted(20), 1e-5),
    ("logistic-regression", "w1=2&w2=0.5&b=-1", "loss", lambda: node_loss(2, 0.5, -1), 1e-5),
    ("perceptron", "bias=-3", "answers", lambda: answers((6, 2, 2), -3), 0),
    ("perceptron", "weather=2&nearby=6&bias=0", "answers", lambda: answers((2, 2, 6), 0), 0),
    ("xor", "start=5&steps=200", "loss", lambda: float(xor.trained(5, ScratchMLP())[200]), 1e-3),
    ("shapes", "i=1&j=2", "sum", lambda: float(shapes.entry(*lab_data.small_integers(), 1, 2)), 0),
    ("linear-collapse", "x=2", "y", lambda: float(network_at(
        (1, 8, 8, 1), lab_data.lab_data().deep, "relu", "mse").forward(np.array([[2.0]]))[-1][0, 0]), 1e-5),
    ("chain-rule", "which=w2", "product", lambda: chain("w2"), 1e-5),
    ("chain-rule", "which=b1", "product", lambda: chain("b1"), 1e-5),
    ("two-layer-net", "lograte=-5&steps=100", "loss", lambda: text_net(1e-5, 100, 0), 1e-3),
    ("two-layer-net", "lograte=-3&steps=50", "living", lambda: text_net(1e-3, 50, 1), 0),
    ("sparse-cross-entropy", "z0=1&label=3", "loss", lambda: sparse_cross_entropy.stable_cross_entropy(
        np.array([[1, 0.5, -1, 3, 0]]), np.array([3])), 1e-5),
    ("softmax-regression", "steps=20", "accuracy", lambda: percent_right(
        descended(network_at((64, 10), np.zeros(650), "identity", "cross_entropy"), 0.5, 20, 100)), 1e-3),
    ("digits-network", "unit=7", "activation",
     lambda: float(fresh(lab_digits().weights).forward(pixels(lab_digits().three))[1][0, 7]), 1e-4),
    ("live", "step=100&lograte=-0.5", "test_loss", lambda: loss_of_others_after(10**-0.5, 100), 1e-4),
    ("keras-start", "logscale=0.5", "loss", lambda: first_loss(10**0.5), 1e-4),
]  # fmt: skip


def test_every_lab_has_a_reading_that_python_computes_too() -> None:
    assert {row[0] for row in PYTHON} == set(WITH_LABS)
    assert len(WITH_LABS) >= 12


@pytest.mark.parametrize(
    ("lesson", "controls", "name", "value", "tolerance"),
    PYTHON,
    ids=[f"{p[0]}-{p[1]}-{p[2]}" for p in PYTHON],
)
def test_a_reading_is_what_python_computes(
    tab: Browser,
    file: Path,
    lesson: str,
    controls: str,
    name: str,
    value: Callable[[], float],
    tolerance: float,
) -> None:
    if tab.evaluate("location.pathname") != quote(str(file)):
        tab.show(file, 1280, dark=False)
    go(tab, f"#{lesson}?{controls}")
    place = f"document.querySelector('#lesson-{lesson} [data-reading={name}]') !== null"
    if not tab.evaluate(place):  # it waits until it is seen
        tab.evaluate(
            f"Array.from(document.querySelectorAll('#lesson-{lesson} .scene')).at(-1).scrollIntoView()"
        )
        tab.evaluate(MOVED)
    assert number(reading(tab, lesson, name)) == pytest.approx(value(), rel=tolerance, abs=0)
