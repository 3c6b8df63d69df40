"""Every sentence that the diagnosis can say has its Korean, and what has none stays English."""

import re

import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.conditions import CONDITIONS
from backproof.comparisons.check.diagnosis.adam_mistakes import ADAM_RULES
from backproof.comparisons.check.diagnosis.early_updates import EARLY
from backproof.comparisons.check.diagnosis.fed_mistakes import DECAYS, FEEDS, FROZEN, SCALED
from backproof.comparisons.check.diagnosis.momentum_mistakes import SGD_RULES
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.overflows import Overflow
from backproof.comparisons.check.diagnosis.overflows import sentence as told_overflow
from backproof.comparisons.check.diagnosis.rate_laws import rate_law
from backproof.comparisons.check.diagnosis.slope_mistakes import FAMILIES, slope_mistakes
from backproof.comparisons.check.diagnosis.tensor_mistakes import (
    bias_mistakes,
    pull_mistakes,
    weight_mistakes,
)
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.grading import korean
from backproof.comparisons.check.trial import EXCEPTIONS

HANGUL = re.compile("[가-힣]")
RATES = (
    (1.0, 0.5, 0.25),
    (1.0, 0.5, 1 / 3),
    (1.0, 0.7, 0.4),
    (1.0, 2**-0.5, 3**-0.5),
    (0.5, 0.5),
    (1.0, 0.3, 0.9),
)
SENTENCES = (
    *(mistake.sentence for mistake in output_mistakes()),
    *(mistake.sentence for mistake in weight_mistakes()),
    *(mistake.sentence for mistake in bias_mistakes()),
    *(mistake.sentence for mistake in pull_mistakes()),
    *(mistake.sentence for name in ACTIVATION_FUNCTIONS for mistake in slope_mistakes(name)),
    *FAMILIES.values(),
    *SGD_RULES,
    *ADAM_RULES,
    *DECAYS,
    *FEEDS,
    *FROZEN,
    *SCALED,
    *(rate_law([shares]) for shares in RATES),
    EARLY,
    *(
        sentence
        for kind, letter in (("weight", "W"), ("bias", "b"))
        for sentence in (
            f"lambda {letter} (lambda = 0.1/N) is in the {kind} gradient and missing from the loss",
            f"lambda/2 |{letter}|^2 (lambda = 0.1) is in the loss and missing from the {kind} gradient",
            f"the {kind} gradient holds 0.2/N {letter}, and lambda/2 |{letter}|^2 (lambda = 0.1) of the loss "
            f"has lambda {letter}",
        )
    ),
    "the derivative of the output activation is missing; beside that the gradient is K / 2 times what its "
    "own loss asks",
    "the loss adds -log(1 - p) of the other outputs to -log p of the label: a binary cross-entropy of the "
    "softmax's probabilities, 1 / K times as large as a mean over the examples",
)


def test_every_mistake_that_is_known_has_a_whole_sentence() -> None:
    for english in SENTENCES:
        told = korean.sentence(english)
        assert told is not None, english
        assert HANGUL.search(told), told
        assert told.endswith("다."), told


def test_what_is_told_of_a_class_without_a_loss_is_translated() -> None:
    tail = "it gives no loss, of which this may be the gradient: let step return it, or name a cost"
    assert korean.sentence(f"the gradient is twice too large ({tail})") is not None


def test_every_check_has_its_question() -> None:
    for name in (*(check.name for check in CHECKS), EXCEPTIONS):
        asked = korean.question(name)
        assert asked is not None, name
        assert asked.endswith("까?"), asked


@pytest.mark.parametrize("condition", CONDITIONS)
def test_every_condition_is_told_after_a_sentence(condition: str) -> None:
    told = korean.sentence(f"the biases are left out ({condition})")
    assert told is not None
    assert told.startswith("편향을 더하지 않았습니다(")
    assert not re.search(r"\bwhere\b|\bwith\b", told)


@pytest.mark.parametrize(
    ("english", "told"),
    [
        (
            "the gradient is of the wrong sign (with loss='mse')",
            "기울기가 반대 부호입니다(loss='mse'인 경우).",
        ),
        (
            "training differs from torch.optim with adam, and only then",
            "학습이 adam을 쓰는 경우에만 torch.optim과 다릅니다.",
        ),
        (
            "loss_and_gradient did not return within 10 s",
            "loss_and_gradient(이)가 10초 안에 끝나지 않았습니다.",
        ),
    ],
)
def test_names_and_conditions_stand_in_their_places(english: str, told: str) -> None:
    assert korean.sentence(english) == told


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("size", [37.0, 355.0, 710.0, 760.0, 2000.0])
def test_an_overflow_is_told_with_its_numbers(what: str, loss: str, size: float) -> None:
    english = told_overflow(Overflow(what, loss, size, size), 3.2)
    told = korean.sentence(f"{english} (with loss={loss!r})")
    assert told is not None
    assert f"{size:.3g}" in told
    assert "there" not in told


def test_what_a_check_saw_is_told_with_its_numbers() -> None:
    seen = "follows from gradient: gradient: 3 of 12 entries outside their bounds, worst b1[1]: "
    told = korean.seen(f"{seen}found 0.5, expected 1, off by 0.5, bound 4.9e-15")
    assert told is not None
    assert told.startswith("gradient 검사의 잘못에서 따라 나온 것입니다.")
    assert "b1[1]에서 기대한 값은 1이고 나온 값은 0.5입니다" in told


@pytest.mark.parametrize("text", ["", "the gradient is made of cheese", "a sentence that nobody has written"])
def test_what_is_not_known_has_no_translation(text: str) -> None:
    assert korean.sentence(text) is None
