"""Causes of wrong gradients: the planted one is named, and nothing is said to explain what it does not."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache

import numpy as np
import pytest

from backproof.comparisons.gradients.black_box_families import BlackBox, families
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.cause import DESCRIBES, EXPLAINS
from backproof.comparisons.verdicts.gradient_causes import _alike, _common, explained
from backproof.comparisons.verdicts.gradient_laws import Law, Probe, Seen
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array

RNG = np.random.default_rng(0)
X, T = RNG.standard_normal((7, 4)), RNG.standard_normal((7, 3))
PARAMS = {"W": RNG.standard_normal((4, 3)), "V": RNG.standard_normal((3, 3)), "b": RNG.standard_normal(3)}
Gradient = dict[str, Array]


def outputs(p: Gradient) -> tuple[Array, Array]:
    a = np.tanh(X @ p["W"] + p["b"])
    return a, a @ p["V"]


def loss(p: Gradient, penalty: float = 0.0) -> float:
    squares = float(((outputs(p)[1] - T) ** 2).sum()) / 2
    return squares + penalty / 2 * sum(float((p[name] ** 2).sum()) for name in ("W", "V"))


def gradient(p: Gradient) -> Gradient:
    a, y = outputs(p)
    delta = (y - T) @ p["V"].T * (1 - a * a)
    return {"W": X.T @ delta, "V": a.T @ (y - T), "b": delta.sum(axis=0)}


RIGHT = gradient(PARAMS)


def quotients(h: float, behind: float) -> Gradient:
    """What a loop of differences from theta - behind h to theta + h gives."""
    found: Gradient = {}
    for name, array in PARAMS.items():
        found[name] = np.empty_like(array)
        for i in np.ndindex(array.shape):
            ends = []
            for step in (h, -behind * h):
                moved = {key: value.copy() for key, value in PARAMS.items()}
                moved[name][i] += step
                ends.append(loss(moved))
            found[name][i] = (ends[0] - ends[1]) / ((1 + behind) * h)
    return found


def changed(name: str, change: Callable[[Array], Array]) -> Gradient:
    return {**RIGHT, name: change(RIGHT[name])}


def of_all(change: Callable[[Array], Array]) -> Gradient:
    return {name: change(array) for name, array in RIGHT.items()}


def sentences(verdict: GradientVerdict) -> list[str]:
    return [str(cause) for cause in verdict.causes]


@pytest.mark.parametrize(
    ("claimed", "sentence"),
    [
        (of_all(lambda g: -g), "every entry has the wrong sign"),
        (of_all(lambda g: 2 * g), "every entry is twice what it should be"),
        (of_all(lambda g: g / 2), "every entry is half of what it should be"),
        (of_all(lambda g: 7 * g), "every entry is 7 times too large: a sum where the mean over 7 belongs?"),
        (of_all(lambda g: g / 7), "every entry is 7 times too small: a mean over 7 where the sum belongs?"),
        (of_all(lambda g: 0.01 * g), r"100 times too small: .*, or the step of a rate of 0\.01\?"),
        (of_all(lambda g: -0.1 * g), r"10 times too small, and of the wrong sign: .*a rate of 0\.1\?"),
        (of_all(lambda g: 0.3 * g), r"every entry is 0\.3 times what it should be"),
        (of_all(lambda g: g / np.sqrt(6)), r"every entry is sqrt\(6\) = 2\.44949 times too small"),
        (of_all(np.zeros_like), r"every entry is zero: never computed, or never written\?"),
        (changed("W", np.abs), "the signs are lost: it holds absolute values"),
        (changed("V", np.transpose), r"it is transposed \(explains\)"),
        (
            changed("W", lambda g: g.T.reshape(g.shape)),
            r"it is transposed, and reshaped to \(4, 3\) as if it were not",
        ),
        (changed("W", lambda g: g[::-1]), "its rows are in reverse order"),
        (changed("W", lambda g: g[:, ::-1]), "its columns are in reverse order"),
        (changed("V", lambda g: g[::-1, ::-1]), "it is flipped along the last two axes"),
        (changed("W", lambda g: np.roll(g, 1, 0)), "its rows are shifted by one"),
        (changed("W", lambda g: g[[1, 0, 3, 2]]), "its rows are in another order"),
        (changed("b", lambda g: -g[::-1]), "its entries are in reverse order; and every entry has the wrong"),
        (
            changed("W", lambda g: g + 0.1 * PARAMS["W"]),
            r"0\.1 times the parameter itself is in it, and f has no such penalty",
        ),
        (changed("W", lambda g: np.clip(g, -3, 3)), "it is cut off at 3: clipped"),
        (quotients(1e-4, 1), r"a numerical gradient: central differences with h = 0\.0001"),
        (quotients(1e-3, 1), r"a numerical gradient: central differences with h = 0\.001"),
        (quotients(1e-5, 0), r"a numerical gradient: forward differences with h = 1e-05"),
        (quotients(-3e-4, 0), r"a numerical gradient: backward differences with h = 0\.0003"),
    ],
)
def test_a_planted_mistake_is_explained(claimed: Gradient, sentence: str) -> None:
    verdict = check_gradient(loss, claimed, PARAMS)
    assert verdict.outcome == Outcome.FAIL
    [cause] = verdict.causes
    assert re.search(sentence, str(cause))
    assert cause.certainty == EXPLAINS


def test_a_penalty_that_the_gradient_forgot_is_named_with_its_size() -> None:
    verdict = check_gradient(lambda p: loss(p, 0.25), RIGHT, PARAMS)
    assert "0.25 times the parameter itself is missing: the derivative of a penalty" in sentences(verdict)[0]
    assert not verdict["params['b']"].causes


def test_a_factor_of_all_but_the_penalty_is_told_from_both() -> None:
    claimed = {**RIGHT, **{name: 7 * RIGHT[name] + 0.25 * PARAMS[name] for name in ("W", "V")}}
    [sentence] = sentences(check_gradient(lambda p: loss(p, 0.25), claimed, PARAMS))
    assert "but for 0.25 times the parameter itself, a penalty, every entry is 7 times too large" in sentence


def test_a_parameter_that_f_does_not_use_passes_as_one() -> None:
    verdict = check_gradient(loss, {**RIGHT, "unused": np.zeros(3)}, {**PARAMS, "unused": np.ones(3)})
    assert verdict
    assert "f does not depend on it, and all 3 entries are zero" in str(verdict["params['unused']"])
    assert verdict.resolution < 1e-6


def test_a_mistake_of_some_tensors_is_told_of_those_by_name() -> None:
    claimed = {"W": -RIGHT["W"], "V": RIGHT["V"], "b": 2 * RIGHT["b"]}
    assert sentences(check_gradient(loss, claimed, PARAMS)) == [
        "params['W']: every entry has the wrong sign (explains)",
        "params['b']: every entry is twice what it should be (explains)",
    ]


def test_two_tensors_in_each_others_place_are_told_so() -> None:
    params = {"u": np.array([0.3, 0.7, -0.2]), "v": np.array([1.1, -0.4, 0.6])}
    right = {"u": np.cos(params["u"]), "v": np.exp(params["v"])}
    verdict = check_gradient(
        lambda p: float(np.sin(p["u"]).sum() + np.exp(p["v"]).sum()),
        {"u": right["v"], "v": right["u"]},
        params,
    )
    assert "the gradient of another tensor: what is claimed for params['v'] fits" in str(
        verdict["params['u']"]
    )


@pytest.mark.parametrize(("power", "words"), [(0.5, "half a squared error"), (1.0, "a squared error")])
def test_the_derivative_of_the_output_is_told_from_that_of_a_squared_loss(power: float, words: str) -> None:
    x = np.array([0.3, -1.2, 0.7])
    w = np.array([0.5, 0.4, -0.3])
    verdict = check_gradient(lambda w: power * (np.tanh(w @ x) - 0.3) ** 2, (1 - np.tanh(w @ x) ** 2) * x, w)
    assert "the derivative of the output, not of the loss: the factor" in sentences(verdict)[0]
    assert f"which {words} would bring (explains)" in sentences(verdict)[0]


def test_the_derivative_of_a_probability_is_told_from_that_of_its_logarithm() -> None:
    x, w = np.array([0.3, -1.2, 0.7]), np.array([0.5, 0.4, -0.3])
    p = 1 / (1 + np.exp(-w @ x))
    [sentence] = sentences(check_gradient(lambda w: np.log1p(np.exp(-w @ x)), p * (1 - p) * x, w))
    assert "which -log p would bring (explains)" in sentence


def test_what_agrees_to_seven_digits_is_described_not_explained() -> None:
    rough = of_all(lambda g: g * (1 + 1e-7 * np.random.default_rng(3).choice([-1, 1, 0.5], g.shape)))
    assert check_gradient(loss, rough, PARAMS).outcome == Outcome.INCONCLUSIVE
    verdict = check_gradient(loss, rough, PARAMS, resolution=1e-10)
    assert {cause.certainty for cause in verdict.causes} == {DESCRIBES}
    assert all("digits: computed in single precision inside" in one for one in sentences(verdict))


def test_a_law_is_held_against_the_entries_that_were_not_looked_at_too() -> None:
    """Of 1,200 entries 20 are looked at one by one: twice all of them, and twice all but one."""
    a, b = RNG.standard_normal((40, 30)), RNG.standard_normal((30, 40)) / 5

    def f(a: Array) -> float:
        return float(np.tanh(a @ b).sum())

    right = (1 - np.tanh(a @ b) ** 2) @ b.T
    assert sentences(check_gradient(f, 2 * right, a)) == ["every entry is twice what it should be (explains)"]
    all_but_one = 2 * right
    all_but_one[17, 3] *= 1.5
    assert not check_gradient(f, all_but_one, a).causes


def test_a_cause_is_in_every_form_in_which_a_verdict_is_shown() -> None:
    verdict = check_gradient(loss, of_all(lambda g: -g), PARAMS)
    sentence = "every entry has the wrong sign"
    for shown in (str(verdict), repr(verdict), verdict._repr_markdown_(), verdict._repr_html_()):
        assert sentence in shown
    assert verdict.as_json()["causes"] == (
        {"sentence": sentence, "certainty": EXPLAINS, "line": None, "about": ""},
    )
    with pytest.raises(AssertionError, match=sentence):
        verdict.raise_if_failed()


# -- over many functions


@dataclass
class Counted:
    """Of gradients wrong in one way: how many there were, failed, were explained, and truly."""

    wrong: int = 0
    failed: int = 0
    explained: int = 0
    true: int = 0
    false_ones: list[str] = field(default_factory=list)


Change = Callable[[Array, BlackBox, np.random.Generator], Array]
PLANTED: dict[str, tuple[Change, str]] = {
    "sign": (lambda g, box, rng: -g, "wrong sign"),
    "twice": (lambda g, box, rng: 2 * g, "twice"),
    "half": (lambda g, box, rng: g / 2, "half of what"),
    "sum": (lambda g, box, rng: 12 * g, "12 times too large"),
    "mean": (lambda g, box, rng: g / 12, "12 times too small"),
    "rate": (lambda g, box, rng: -0.01 * g, r"100 times too small, and of the wrong sign"),
    "factor": (lambda g, box, rng: 0.7321 * g, r"0\.7321 times|derivative of the output"),
    "zero": (lambda g, box, rng: 0 * g, "zero"),
    "reversed": (lambda g, box, rng: g[::-1], "reverse order|another order|shifted"),
    "penalty": (lambda g, box, rng: g + 0.3 * box.theta, "parameter itself is in it|times"),
    "factor and penalty": (lambda g, box, rng: 3 * g + 0.3 * box.theta, "3 times too large|times what"),
    "root": (lambda g, box, rng: g * np.sqrt(5), r"sqrt\(5\)"),
    "noise": (lambda g, box, rng: g * (1 + rng.uniform(-0.5, 0.5, g.shape)), "nothing explains it"),
    "offset": (lambda g, box, rng: g + np.abs(g).max() * rng.standard_normal(g.shape), "nothing explains it"),
}


def is_true(sentence: str, box: BlackBox, claimed: Array) -> bool:
    """Whether what is said of the claim is so, from the right gradient by formula."""
    right, size = np.asarray(box.gradient, np.float64), float(np.abs(claimed).max())

    def same(other: Array) -> bool:
        return bool(np.abs(claimed - other).max() <= 1e-3 * size)

    if "another order" in sentence or "reverse order" in sentence or "shifted" in sentence:
        factor = float(np.abs(claimed).sum() / np.abs(right).sum())
        return bool(np.allclose(np.sort(np.abs(claimed)), factor * np.sort(np.abs(right)), rtol=1e-3))
    if "but for" in sentence:
        columns = np.stack([right, np.asarray(box.theta)], axis=1)
        return same(columns @ np.linalg.lstsq(columns, claimed)[0])
    if "parameter itself" in sentence:
        off, theta = claimed - right, np.asarray(box.theta)
        return same(right + float(off @ theta / (theta @ theta)) * theta)
    if "numerical gradient" in sentence or "zero" in sentence:
        return same(right) if "numerical" in sentence else not claimed.any()
    factor = float(claimed @ right / (right @ right))
    return same(factor * right)


@cache
def count(kind: str, draws: int) -> Counted:
    """One way to be wrong over every kind of function whose gradient is a point."""
    counted, (change, sentence) = Counted(), PLANTED[kind]
    for number, (name, family) in enumerate(families().items()):
        for draw in range(draws):
            rng = np.random.default_rng([number, draw])
            with np.errstate(all="ignore"):
                box = family.draw(rng)
                right = np.asarray(box.gradient, np.float64)
                claimed = change(right, box, rng)
                if (
                    box.low is not None
                    or right.ndim != 1
                    or np.abs(claimed - right).max() < 0.01 * np.abs(right).max(initial=1e-300)
                ):
                    continue
                verdict = check_gradient(box.f, claimed, box.theta)
            counted.wrong += 1
            counted.failed += verdict.outcome == Outcome.FAIL
            explained = [cause.sentence for cause in verdict.causes if cause.certainty == EXPLAINS]
            counted.explained += any(re.search(sentence, one) for one in explained)
            for one in explained:
                if is_true(one, box, claimed):
                    counted.true += 1
                else:
                    counted.false_ones.append(f"{name}, draw {draw}: {one}")
    return counted


@pytest.mark.parametrize("kind", PLANTED)
def test_over_every_kind_of_function_no_false_cause_is_said_to_explain(kind: str) -> None:
    counted = count(kind, 1)
    assert counted.wrong >= 60
    assert counted.false_ones == []


@pytest.mark.parametrize("kind", ["sign", "twice", "half", "zero"])
def test_over_every_kind_of_function_most_plain_mistakes_that_failed_are_explained(kind: str) -> None:
    counted = count(kind, 1)
    assert counted.explained >= 0.8 * counted.failed


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_digits_that_are_missing_everywhere_are_told_whatever_the_sign(sign: float) -> None:
    right = sign * np.linspace(1.0, 2.0, 20)
    claimed = right.astype(np.float32).astype(np.float64)
    (cause,) = _common(claimed, right, np.full(20, 1e-13), all_known=True)
    assert cause.sentence == "it agrees to 7 digits and no more: computed in float32 somewhere?"


@pytest.mark.parametrize(
    ("claimed", "sentence"),
    [
        ([1.0, 2.0, 3.0, 0.5], "the signs are lost: it holds absolute values"),
        ([1.0, -1.5, 1.5, -0.5], "it is cut off at 1.5: clipped"),
        ([0.0, -2.0, 0.0, -0.5], "the wrong entries (2 of 4) are all zero: never written?"),
    ],
)
def test_what_wrong_entries_have_in_common_is_told(claimed: list[float], sentence: str) -> None:
    right = np.array([1.0, -2.0, 3.0, -0.5])
    found = [cause.sentence for cause in _common(np.array(claimed), right, np.full(4, 1e-9), all_known=True)]
    assert found == [sentence]


def test_what_is_cut_off_on_one_side_alone_is_clipped_too() -> None:
    right = np.array([0.5, -2.0, -3.0, -0.5])
    for sign in (1, -1):
        clipped = np.clip(sign * right, -1.5, 1.5)
        (cause,) = _common(clipped, sign * right, np.full(4, 1e-9), all_known=True)
        assert cause.sentence == "it is cut off at 1.5: clipped"


def test_of_right_entries_nothing_is_told() -> None:
    right = np.array([1.0, -2.0])
    assert not [*_common(right, right, np.full(2, 1e-9), all_known=True)]


@pytest.mark.parametrize(("n_wrong", "n", "told"), [(3, 6, True), (3, 7, False), (2, 3, False), (3, 3, True)])
def test_missing_digits_are_told_of_three_entries_and_half_of_all(n_wrong: int, n: int, told: bool) -> None:
    right = np.linspace(1.0, 2.0, n)
    claimed = right.copy()
    claimed[:n_wrong] *= 1 + 1e-6
    found = [cause.sentence for cause in _common(claimed, right, np.full(n, 1e-13), all_known=True)]
    assert found == ["it agrees to 6 digits and no more: computed in float32 somewhere?"] * told


@pytest.mark.parametrize(
    ("off", "told"), [(2.0**-27, False), (2.0**-25, True), (2.0**-18, True), (2.0**-16, False)]
)
def test_only_errors_of_single_precision_are_its_own(off: float, told: bool) -> None:
    right = np.linspace(1.0, 2.0, 6)
    found = list(_common(right + 2 * off, right, np.full(6, 1e-13), all_known=True))
    assert bool(found) == told


def test_laws_that_say_the_same_of_every_slope_are_told_once_and_others_each() -> None:
    """The middle of three entries stays where it is in a reversal: laws that differ anywhere are two."""
    probes = tuple(Probe(i, slope, 1e-6) for i, slope in enumerate((1.0, 2.0, 3.0)))
    seen = Seen(np.array([3.0, 2.0, 1.0]), np.ones(3), probes, 0.0, 1.0, {})
    right = Law("right", np.array([1.0, 2.0, 3.0]))
    assert _alike(right, Law("again", np.array([1.0 + 1.9e-6, 2.0, 3.0 - 1.9e-6])), seen)
    assert not _alike(right, Law("another", np.array([1.0, 2.0, 3.0 + 2.1e-6])), seen)
    assert not _alike(right, Law("another", np.array([3.0, 2.0, 1.0])), seen)


@pytest.mark.parametrize("claimed", [[np.nan, 2.0, 1.0], [3.0, np.inf, 1.0], [0.0, 0.0, 0.0]])
def test_what_is_zero_or_anywhere_not_finite_needs_no_other_explanation(claimed: list[float]) -> None:
    probes = tuple(Probe(i, slope, 1e-6) for i, slope in enumerate((1.0, 2.5, 7.0)))
    assert explained(Seen(np.array(claimed), np.ones(3), probes, 0.0, 1.0, {}), lambda i, s: 0.0, 0.0)
    odd = Seen(np.array([3.0, -2.0, 1.0]), np.ones(3), probes, 0.0, 1.0, {})
    assert not explained(odd, lambda i, s: 0.0, 0.0)
