"""Numbers as people read them: no digit is lost that counts, and none is made up."""

import math
import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from backproof.comparisons.drawing import formats

SUPERSCRIPTS = str.maketrans("⁰¹²³⁴⁵⁶⁷⁸⁹⁻", "0123456789-")
sizes = st.floats(1e-300, 1e300)
signed = st.one_of(sizes, sizes.map(lambda x: -x))


def read(text: str) -> float:
    """What a formatted number says, read back."""
    mantissa, _, power = text.replace("−", "-").replace(",", "").partition("×10")
    return float(f"{mantissa}e{power.translate(SUPERSCRIPTS)}" if power else mantissa)


@given(value=signed, digits=st.integers(1, 6))
def test_a_scientific_number_reads_back_to_its_digits(value: float, digits: int) -> None:
    # Half a unit of the last digit shown; the mantissa has at least one digit before the point.
    assert read(formats.scientific(value, digits)) == pytest.approx(value, rel=0.51 * 10.0**-digits)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.3e-12, "1.3×10⁻¹²"), (-2.5e7, "−2.5×10⁷"), (0.0, "0"), (0.05, "0.050"), (1234.0, "1,234"),
        (None, "–"), (math.nan, "NaN"), (math.inf, "∞"), (-math.inf, "−∞"),
    ],
)  # fmt: skip
def test_scientific_numbers_are_written_as_in_print(value: float | None, text: str) -> None:
    assert formats.scientific(value) == text


@pytest.mark.parametrize("value", [None, math.nan, math.inf, -math.inf])
def test_what_is_not_known_is_a_dash(value: float | None) -> None:
    assert formats.known(value) == formats.ABSENT


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0 s"), (5e-10, "0.5 ns"), (1.2e-6, "1.2 µs"), (0.034, "34 ms"), (0.9995, "1 s"),
        (5.6, "5.6 s"), (99.94, "99.9 s"), (125.0, "2 min 5 s"), (3600.0, "1 h 0 min"),
        (7260.0, "2 h 1 min"), (None, "–"), (math.inf, "∞"),
    ],
)  # fmt: skip
def test_a_duration_is_in_the_unit_that_suits_it(value: float | None, text: str) -> None:
    assert formats.seconds(value).replace("\u00a0", " ") == text


@given(st.floats(1e-9, 3600.0, exclude_max=True))
def test_a_duration_reads_back_to_three_figures(value: float) -> None:
    units = {"ns": 1e-9, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "min": 60.0}
    parts = re.findall(r"([\d.e+]+)\u00a0(\w+)", formats.seconds(value))
    assert sum(float(number) * units[unit] for number, unit in parts) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.9249, "1.92×"), (0.87, "0.870×"), (12.0, "12.0×"), (1331.4, "1,331×"), (0.0, "0×"), (None, "–")],
)
def test_a_ratio_has_three_figures(value: float | None, text: str) -> None:
    assert formats.times(value) == text


@given(st.floats(1e-3, 1e3))
@example(0.0625)
def test_a_ratio_reads_back_to_three_figures(value: float) -> None:
    assert float(formats.times(value).removesuffix("×").replace(",", "")) == pytest.approx(value, rel=5.1e-3)


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.04, "+0.04"), (-0.1, "−0.10"), (0.0, "0.00"), (-0.001, "0.00"), (math.nan, "NaN"), (None, "–")],
)
def test_a_difference_shows_its_sign_unless_it_is_nothing(value: float | None, text: str) -> None:
    assert formats.points(value) == text


def test_an_interval_with_an_open_end_is_not_written() -> None:
    assert formats.interval([-0.1, 0.04]) == "[−0.10, +0.04]"
    assert formats.interval([None, None]) == formats.interval(None) == formats.ABSENT


def test_a_percentage_stays_with_its_sign() -> None:
    assert formats.percent(0.97812) == "97.81%"
    assert formats.percent(None) == formats.ABSENT


@pytest.mark.parametrize(
    ("names", "text"), [(["a"], "a"), (["a", "b"], "a and b"), (["a", "b", "c"], "a, b and c")]
)
def test_names_are_listed_as_in_a_sentence(names: list[str], text: str) -> None:
    assert formats.listed(names) == text


@pytest.mark.parametrize(
    ("name", "text"),
    [("torch", "PyTorch"), ("my_mlp.py:MyMLP", "MyMLP"), ("pkg.mod:Class", "Class"), ("unknown", "unknown")],
)
def test_a_contender_has_a_name_in_prose(name: str, text: str) -> None:
    assert formats.label(name) == text


def test_the_mean_of_nothing_or_of_an_unknown_is_not_a_number() -> None:
    assert formats.mean([1.0, 2.0, 4.5]) == 2.5
    assert math.isnan(formats.mean([]))
    assert math.isnan(formats.mean([1.0, None]))


def test_the_mean_does_not_lose_small_values_beside_large_ones() -> None:
    assert formats.mean([1e16, 1.0, -1e16]) == 1.0 / 3.0


@pytest.mark.parametrize(
    ("value", "noun", "text"),
    [(1, "seed", "1 seed"), (0, "seed", "0 seeds"), (60000, "image", "60,000 images")],
)
def test_a_number_agrees_with_its_noun(value: int, noun: str, text: str) -> None:
    assert formats.counted(value, noun) == text


def test_a_plural_of_its_own_can_be_given() -> None:
    assert formats.counted(2, "launch", "launches") == "2 launches"
