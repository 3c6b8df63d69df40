"""What a lesson is made of: claims that are computed, corrections of a text, pictures, tables.

A claim is a sentence of the catalogue with the figure that was expected, the figure that was found, and
whether it holds. A correction is a pair of them: the sentence as the text has it, which must *fail*, and the
right one, which must hold. All figures come from the run; the catalogue holds words only, and names the
figures of the run in angle brackets.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from backproof.comparisons.results.codec import Foreign
from backproof.comparisons.verdicts.outcome import Outcome

if TYPE_CHECKING:
    from backproof.comparisons.data.dataset import Dataset

Watch = Callable[[str, int, float, float | None], None]  # (contender, step, loss, accuracy if measured)
Json = Foreign  # Plotly's own


@dataclass(frozen=True)
class Claim:
    """`text` is its key in the lesson's catalogue; `expected` and `found` are figures, free of language."""

    text: str
    holds: bool
    expected: str
    found: str


@dataclass(frozen=True)
class Correction:
    """`as_written` is the sentence of the text, `right` ours; both judged by what was computed."""

    text: str
    as_written: Claim
    right: Claim

    @property
    def holds(self) -> bool:
        """The text's sentence was seen to fail, and the right one to hold."""
        return self.right.holds and not self.as_written.holds


@dataclass(frozen=True)
class Slider:
    """A control of a figure: at position i the traces named in `frames[i]` take the values given there.

    `labels[i]` is what is read beside the slider at i; `title` is a label key of the catalogue.
    """

    title: str
    labels: Sequence[str]
    frames: Sequence[Mapping[int, Json]]  # trace number -> its attributes
    start: int = 0


@dataclass(frozen=True)
class Figure:
    """Plotly's own JSON. Strings that begin with @ are label keys of the catalogue."""

    key: str
    data: Sequence[Json]
    layout: Json = field(default_factory=dict)
    slider: Slider | None = None


@dataclass(frozen=True)
class Table:
    """`header` and cells; strings that begin with @ are label keys."""

    key: str
    header: Sequence[str]
    rows: Sequence[Sequence[str]]


@dataclass(frozen=True)
class LessonResult:
    """Everything a run found. `core` are the functions whose source the lesson shows.

    `values` fill the angle brackets of the lesson's texts. `unjudged` are keys of claims that this run could
    not judge (they speak of MNIST and only the bundled digits were at hand): never counted as holding.
    """

    claims: Sequence[Claim]
    figures: Sequence[Figure]
    core: Sequence[Callable[..., Any]]
    corrections: Sequence[Correction] = ()
    tables: Sequence[Table] = ()
    values: Mapping[str, str] = field(default_factory=dict)
    unjudged: Sequence[str] = ()

    @property
    def verdict(self) -> Outcome:
        judged = [claim.holds for claim in self.claims] + [part.holds for part in self.corrections]
        if not self.claims or not all(judged):
            return Outcome.FAIL
        return Outcome.INCONCLUSIVE if self.unjudged else Outcome.PASS


@dataclass(frozen=True)
class Setting:
    """What a user may choose for a run."""

    seed: int = 0
    data: str = "auto"  # "auto" | "mnist" | "digits"
    data_dir: Path | None = None
    epochs: int = 5  # of the Keras network; its text trains for 30
    tensorboard: Path | None = None  # where the live lesson writes its event files
    keras: bool = True  # put Keras beside scratch and torch where a text uses it and it is installed
    watch: Watch | None = None  # called while a network trains

    def dataset(self) -> "Dataset":
        """The data that were chosen; found when the first lesson needs them, and kept for the others."""
        return _dataset(self.data, self.data_dir)


@cache
def _dataset(kind: str, data_dir: Path | None) -> "Dataset":
    from backproof.comparisons.data.dataset import load

    return load(kind, data_dir)


_SUPERSCRIPTS = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def number(value: float) -> str:
    """A figure as people read it: 0.9132, 12, 1.3×10⁻⁹, 10⁻⁴, 20,155."""
    value = float(value)
    if not math.isfinite(value):
        return {math.inf: "∞", -math.inf: "−∞"}.get(value, "NaN")
    if value == int(value) and abs(value) < 1e6:
        return f"{int(value):,}".replace("-", "−")
    if 0 < value < 1e-3 and value == 10.0 ** round(math.log10(value)):
        return "10" + str(round(math.log10(value))).translate(_SUPERSCRIPTS)
    digits = f"{value:,.0f}" if 1e4 <= abs(value) < 1e6 else f"{value:.4g}"
    mantissa, _, exponent = digits.replace("-", "−").partition("e")
    if not exponent:
        return mantissa
    power = "10" + str(int(exponent.replace("−", "-"))).translate(_SUPERSCRIPTS)
    return power if mantissa == "1" else f"{mantissa}×{power}"


def percent(fraction: float) -> str:
    """95%, 91.77%: two digits after the point where there are any."""
    return f"{100 * float(fraction):.2f}".removesuffix(".00").replace("-", "−") + "%"


def at_most(text: str, found: float, bound: float, show: Callable[[float], str] = number) -> Claim:
    """found <= bound; false for NaN."""
    return Claim(text, bool(found <= bound), f"≤ {show(bound)}", show(found))


def at_least(text: str, found: float, bound: float, show: Callable[[float], str] = number) -> Claim:
    """found >= bound; false for NaN."""
    return Claim(text, bool(found >= bound), f"≥ {show(bound)}", show(found))


def between(text: str, found: float, low: float, high: float, show: Callable[[float], str] = number) -> Claim:
    """low <= found <= high; false for NaN."""
    return Claim(text, bool(low <= found <= high), f"{show(low)} … {show(high)}", show(found))


def equal(text: str, found: object, expected: object) -> Claim:
    """found == expected, both shown as they are (floats through `number`)."""
    shown = [number(v) if isinstance(v, float | int) and not isinstance(v, bool) else str(v)
             for v in (expected, found)]  # fmt: skip
    return Claim(text, bool(found == expected), shown[0], shown[1])
