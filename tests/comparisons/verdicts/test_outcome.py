from itertools import permutations

import pytest

from backproof.comparisons.verdicts.outcome import Outcome, exit_code, worst


@pytest.mark.parametrize("order", list(permutations(Outcome)))
def test_one_failure_fails_the_whole_in_whatever_order(order: tuple[Outcome, ...]) -> None:
    assert worst(order) is Outcome.FAIL
    assert worst([outcome for outcome in order if outcome != Outcome.FAIL]) is Outcome.INCONCLUSIVE


def test_all_passed_is_passed_and_nothing_compared_is_inconclusive() -> None:
    assert worst([Outcome.PASS, Outcome.PASS]) is Outcome.PASS
    assert worst([]) is Outcome.INCONCLUSIVE


@pytest.mark.parametrize(("outcome", "code"), [("PASS", 0), ("FAIL", 1), ("INCONCLUSIVE", 3)])
def test_exit_codes_and_words_are_what_the_readme_says(outcome: str, code: int) -> None:
    assert exit_code([outcome]) == code
    assert str(Outcome(outcome)) == f"{Outcome(outcome)}" == outcome


def test_a_word_that_is_no_outcome_is_refused() -> None:
    with pytest.raises(ValueError, match="PASSED"):
        worst(["PASSED"])
