"""The true cause first, for networks in the forms and with the mistakes of public ones."""

from pathlib import Path

import pytest

from backproof.comparisons.check.results import CheckedClass
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.named_networks import Written
from tests.support.other_networks import SOURCE


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("others") / "other_networks.py"
    path.write_text(SOURCE)
    return path


def checked(file: Path, name: str, *checks: str) -> CheckedClass:
    settings = Settings(only=list(checks), quick=True)
    return try_class(Target(str(file), name), settings, lambda check: None)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("ByNetwork", "gradients come in two lists"),
        ("OneList", "gradients come in one list"),
        ("OneAtATime", "samples are given one at a time"),
        ("Folded", "biases: in W, as its last row or column"),
        ("TanhBeforeSoftmax", "the output activation is tanh"),
    ],
)
def test_a_right_network_of_another_form_passes_and_its_form_is_said(
    file: Path, name: str, note: str
) -> None:
    found = checked(file, name, "weights", "logits", "loss", "gradient")
    assert found.outcome == Outcome.PASS, found
    assert note in " ".join(found.notes)


@pytest.mark.parametrize(
    ("name", "first", "others"),
    [
        ("NotPassedBack", "the derivative of the output activation is left out of what is passed back", []),
        ("OneNumberForAllBiases", "the bias gradient is summed over all axes", []),
        ("WithoutBiases", "the gradient is twice too large", []),
        ("UpdatesEarly", "the derivative of the output activation is missing", ["weights already updated"]),
        ("NotDividedAndDecayed", "N times too large", ["lambda W (lambda = 0.01) is in the weight gradient"]),
    ],
)
def test_the_true_causes_are_named_and_no_other(file: Path, name: str, first: str, others: list[str]) -> None:
    found = checked(file, name, "gradient")
    assert found.outcome == Outcome.FAIL
    told = [cause.sentence for cause in found.causes]
    assert first in told[0]
    assert len(told) == 1 + len(others)
    assert all(word in sentence for word, sentence in zip(others, told[1:], strict=True))
    assert all(cause.certainty == "explains" for cause in found.causes)


def test_a_loss_that_counts_the_other_outputs_is_told_as_that(file: Path) -> None:
    first = checked(file, "OthersInTheLoss", "loss").causes[0]
    assert "a binary cross-entropy of the softmax's probabilities, 1 / K times as large" in first.sentence


def test_the_batch_size_of_the_first_call_is_found_to_be_remembered(file: Path) -> None:
    found = checked(file, "RemembersN", "call order")
    assert found.outcome == Outcome.FAIL
    assert "something is remembered" in found.causes[0].sentence


def test_a_step_without_a_loss_offers_none_and_passes(file: Path) -> None:
    found = checked(file, "StepWithoutALoss", "loss", "gradient", "extremes")
    rows = {row.check: row for row in found.checks}
    assert found.outcome == Outcome.PASS
    assert rows["loss"].text == "step returns no loss"


def test_an_overflow_is_named_where_no_loss_is_told(file: Path) -> None:
    found = checked(file, "NotShifted", "gradient", "extremes")
    assert found.outcome == Outcome.FAIL
    assert "overflow: the gradient is not finite from logits of about 7" in found.causes[0].sentence


@pytest.mark.parametrize(
    "written",
    [
        Written(mistake="not averaged", returned="loss too"),
        Written(mistake="slope", container="layers", returned="kept", columns=True, out_in=True),
        Written(mistake="one bias", container="dict", returned="dict", loss="mse", constructor="three"),
        Written(mistake="slope", container="attributes", step=True, constructor="hidden", one_hot=True),
        Written(container="dict", returned="loss too", columns=True, loss="mse"),
        Written(step=True, out_in=True, learn="train"),
    ],
    ids=lambda written: f"{written.mistake or 'right'}, {written.container}",
)
def test_an_adapter_without_methods_gets_the_verdict_and_the_first_cause_of_one_with_them(
    written: Written, tmp_path: Path
) -> None:
    path = tmp_path / "homework.py"
    path.write_text(written.source)
    short, long = (checked(path, name, "weights", "logits", "gradient") for name in ("Short", "Long"))
    assert short.outcome == long.outcome == (Outcome.FAIL if written.mistake else Outcome.PASS)
    assert [one.sentence for one in short.causes[:1]] == [one.sentence for one in long.causes[:1]]
    assert not written.mistake or short.causes[0].certainty == "explains"
    assert any(note.startswith("read as: Network(") for note in short.notes)
