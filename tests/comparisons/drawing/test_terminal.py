"""Words of the terminal tables: an outcome is a word in its colour, and what was not run says so."""

import pytest

from backproof.comparisons.drawing.terminal import STYLES, heading, verdict_text
from backproof.comparisons.verdicts.outcome import Outcome


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_its_own_word_with_a_style_of_its_own(outcome: Outcome) -> None:
    found = verdict_text(outcome)
    assert found.plain == outcome.value
    assert str(found.style) == STYLES[outcome]
    assert len(set(STYLES.values())) == len(Outcome)


def test_nothing_run_says_so() -> None:
    assert verdict_text(None).plain == "not run"


def test_a_heading_stands_below_an_empty_line() -> None:
    assert heading("Gradients").plain == "\nGradients"
