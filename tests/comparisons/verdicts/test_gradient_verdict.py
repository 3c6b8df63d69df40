"""One verdict of many: true only where all pass, the worst named."""

import pytest

from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import Verdict


def verdict(outcome: Outcome, name: str = "W[0]") -> Verdict:
    return Verdict(outcome, 1.0, 2.0, 1e-9, name, f"reason of {name}", 3, 1, 4.0, 5.0)


PASS, FAIL, UNDECIDED = (verdict(outcome, str(outcome)) for outcome in Outcome)


@pytest.mark.parametrize(
    ("verdicts", "outcome"),
    [
        ((PASS,), Outcome.PASS),
        ((PASS, PASS), Outcome.PASS),
        ((PASS, UNDECIDED), Outcome.INCONCLUSIVE),
        ((UNDECIDED, FAIL, PASS), Outcome.FAIL),
    ],
)
def test_it_is_the_worst_of_its_tensors_and_true_only_for_a_pass(
    verdicts: tuple[Verdict, ...], outcome: Outcome
) -> None:
    found = GradientVerdict({str(i): one for i, one in enumerate(verdicts)})
    assert found.outcome == outcome
    assert bool(found) is found.passed is (outcome == Outcome.PASS)
    assert found.n_compared == 3 * len(verdicts)
    assert found.n_inconclusive == len(verdicts)


def test_the_tensors_that_failed_are_named_with_the_first_reason() -> None:
    found = GradientVerdict({"W": PASS, "b": FAIL})
    assert str(found) == "FAIL: 1 of 2 tensors (b): reason of FAIL"
    assert (found["b"], list(found), len(found)) == (FAIL, ["W", "b"], 2)
    assert (found.worst, found.error, found.bound, found.found, found.expected) == (
        "FAIL",
        1.0,
        2.0,
        4.0,
        5.0,
    )


def test_a_single_tensor_speaks_for_itself() -> None:
    assert GradientVerdict({"params": FAIL}).reason == FAIL.reason


@pytest.mark.parametrize("one", [FAIL, UNDECIDED])
def test_what_did_not_pass_is_raised_with_its_reason(one: Verdict) -> None:
    with pytest.raises(AssertionError, match=f"{one.outcome}: reason of {one.outcome}"):
        GradientVerdict({"W": one}).raise_if_failed()


def test_a_pass_raises_nothing() -> None:
    GradientVerdict({"W": PASS}).raise_if_failed()


def test_json_holds_the_whole_and_every_tensor() -> None:
    found = GradientVerdict({"W": PASS, "b": FAIL}).as_json()
    assert found["outcome"] == "FAIL"
    tensors = found["tensors"]
    assert isinstance(tensors, dict)
    assert {name: one["outcome"] for name, one in tensors.items()} == {"W": "PASS", "b": "FAIL"}
