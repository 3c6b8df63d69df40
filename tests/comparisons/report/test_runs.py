"""Runs beside each other: a change is told where intervals part, and nowhere else."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.report.document import Results
from backproof.comparisons.report.runs import (
    Change,
    Measured,
    as_markdown,
    changes,
    measured,
    other_conditions,
)
from tests.support.sample_results import (
    ENVIRONMENT,
    HOSTILE,
    PLAN,
    comparison,
    failing,
    hostile,
    numerical,
    passing,
    speed,
    speed_of,
)


@given(st.floats(0.1, 10), st.floats(0.1, 10), st.floats(0.01, 1), st.floats(0.01, 1))
def test_two_intervals_are_a_change_exactly_where_they_do_not_overlap(
    one: float, other: float, half: float, half_other: float
) -> None:
    before = Measured(one, str(one), one - half, one + half)
    after = Measured(other, str(other), other - half_other, other + half_other)
    apart = abs(one - other) > half + half_other
    assert (Change("x", before, after).words == "changed") == apart


def test_a_run_beside_itself_has_not_changed() -> None:
    assert {change.words for change in changes(passing(), passing())} == {"no change seen"}
    assert other_conditions(passing(), passing()) == []


def test_a_ratio_that_moved_beyond_its_interval_has_changed() -> None:
    slower = speed_of(speed().cases, torch=comparison(3.0), jax=comparison(1.0945))
    found = {c.name: c.words for c in changes(passing(), replace(passing(), speed=slower))}
    assert found["time of PyTorch / NumPy"] == "changed"
    assert found["time of JAX / NumPy"] == "no change seen"


def test_what_only_one_run_measured_is_told_as_that() -> None:
    found = {c.name: c.words for c in changes(passing(), Results(numerical=numerical()))}
    assert found["structured differences, times faster"] == "new"
    assert found["gradient checks passed"] == "not measured again"


def test_other_machines_versions_and_plans_are_named() -> None:
    packages = {**ENVIRONMENT.packages, "numpy": "3.0"}
    other = replace(
        passing(),
        plan=replace(PLAN, epochs=9, command="another"),
        environment=replace(ENVIRONMENT, processor="Another", packages=packages, date="2027-01-01"),
    )
    said = other_conditions(passing(), other)
    assert [line.partition(":")[0] for line in said] == ["processor", "numpy", "epochs"]
    assert "numpy: 2.4.6 -> 3.0" in said


def test_every_accuracy_has_its_interval_over_the_seeds() -> None:
    found = measured(passing())["accuracy of PyTorch"]
    assert found.low < found.value < found.high
    assert found.text.replace("\u00a0", " ") == "96.31% ±0.08"


def test_markdown_has_a_line_per_number_and_a_column_per_run() -> None:
    lines = as_markdown(["a", "b"], [passing(), failing()]).splitlines()
    rows = [line for line in lines if line.startswith("|")]
    assert {line.count(" | ") for line in rows} == {3}
    assert len(rows) == 2 + len(changes(passing(), failing()))
    assert "| gradient checks passed | 34 of 34 | 34 of 36 | changed |" in rows


@pytest.mark.parametrize("text", ["|", "<script>", "`"])
def test_names_cannot_leave_their_cell_in_markdown(text: str) -> None:
    table = as_markdown([HOSTILE, "b"], [hostile(), hostile()])
    assert text not in table.replace(f"\\{text[0]}", "").replace("| ", "").replace(" |", "")
