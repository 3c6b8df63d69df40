"""The chapter on numerical differentiation, as far as it was run."""

from dataclasses import replace

from backproof.comparisons.numerical import chapter
from backproof.comparisons.numerical.result import NumericalResult
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.numerical_runs import a_ladder, forward_trainings, one_gradient, twins


def html(part: NumericalResult) -> str:
    section = chapter.build(part)
    assert section is not None
    return str(section.html.unescape())


def test_not_run_no_chapter() -> None:
    assert chapter.build(None) is None


def test_a_run_without_training_or_ladder_still_makes_a_chapter() -> None:
    text = html(NumericalResult(Outcome.PASS, 1.0, one_gradient()))
    assert "20.0×" in text
    assert "scikit-learn's digits" in text
    assert "The training" not in text
    assert "The ladder" not in text


def test_a_sampled_loop_says_how_many_entries_were_timed() -> None:
    whole, sampled = one_gradient(), replace(one_gradient(), naive_entries=100)
    assert "The loop was timed on" not in html(NumericalResult(Outcome.PASS, 1.0, whole))
    assert "The loop was timed on 100 of its entries" in html(NumericalResult(Outcome.PASS, 1.0, sampled))


def test_the_training_is_told_with_both_accuracies_distance_and_bound() -> None:
    text = html(NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins()))
    assert "After 2 steps" in text
    assert text.count("75.00%") >= 2
    assert "The weights end 1.0×10⁻¹⁵ apart" in text
    assert "the bound allows 2.0×10⁻¹⁰" in text


def test_forward_gradients_stand_beside_what_backprop_reaches() -> None:
    part = NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins(), forward=forward_trainings())
    text = html(part)
    assert "on which backpropagation reaches 75.00%" in text
    for said in ("all parameters", "30.00%", "the units of every example", "60.00%"):
        assert said in text
    assert "forward gradient</strong>" not in html(
        NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins())
    )


def test_whose_differences_were_taken_is_said() -> None:
    by_units = replace(twins(), setting=replace(twins().setting, differences="units"))
    assert "trained by central differences of units alone" in html(
        NumericalResult(Outcome.PASS, 1.0, one_gradient(), by_units)
    )
    assert "trained by central differences of every parameter alone" in html(
        NumericalResult(Outcome.PASS, 1.0, one_gradient(), twins())
    )


def test_a_stopped_training_says_so() -> None:
    stopped = replace(twins(), finished=False, reason="stopped after 2 of 9 steps")
    assert "The run was stopped: stopped after 2 of 9 steps" in html(
        NumericalResult(Outcome.INCONCLUSIVE, 1.0, one_gradient(), stopped)
    )


def test_every_rung_of_the_ladder_stands_with_its_slope() -> None:
    text = html(NumericalResult(Outcome.PASS, 1.0, one_gradient(), ladder=a_ladder()))
    for title, slope in (("textbook loop", "2.00"), ("differences per unit", "1.10")):
        assert title in text
        assert slope in text


def test_a_loss_curve_is_the_mean_of_its_last_batches() -> None:
    assert chapter._smoothed([4.0, 2.0]) == [4.0, 3.0]
    long = [1.0] * 5 + [3.0] * chapter.WINDOW
    assert chapter._smoothed(long)[-1] == 3.0


def test_its_verdict_is_that_of_the_part() -> None:
    section = chapter.build(NumericalResult(Outcome.FAIL, 1.0, one_gradient(), twins(Outcome.FAIL)))
    assert section is not None
    assert section.verdict == Outcome.FAIL
