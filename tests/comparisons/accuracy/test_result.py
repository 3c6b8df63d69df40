"""Results of the accuracy comparison go through results.json and come back as they were."""

from dataclasses import replace
from typing import Any

import pytest

from backproof.comparisons.accuracy import error_rates
from backproof.comparisons.accuracy.result import AccuracyResult, ErrorRates
from backproof.comparisons.results.cells import Absent
from backproof.comparisons.results.codec import decode, encode
from backproof.scratch.errors import InputError
from tests.support import accuracy_runs, sample_results


def test_a_comparison_that_was_run_comes_back() -> None:
    found = accuracy_runs.faithful_and_untrained()
    assert decode(AccuracyResult, encode(found)) == found


def test_error_rates_come_back() -> None:
    found = error_rates.run(100, 0.2, 0)
    assert decode(ErrorRates, encode(found)) == found


def test_only_cells_with_accuracies_count_as_trained() -> None:
    found = sample_results.accuracy()
    empty = replace(found.trained["torch"], test_accuracy=())
    changed = replace(found, contenders={**found.contenders, "torch": empty, "jax": Absent("no")})
    assert set(changed.trained) == {"scratch"}


@pytest.mark.parametrize(
    ("place", "value", "said"),
    [
        (("against_scratch", "torch", "outcome"), "equal", "outcome: expected one of equivalent, different"),
        (
            ("against_scratch", "torch", "verdict"),
            "OK",
            "verdict: expected one of",
        ),
        (("contenders", "scratch", "test_accuracy"), ["high"], r"test_accuracy\[0\]: expected a number"),
        (("setting", "architecture", "activation"), "gelu", "activation: expected one of"),
        (("seeds",), 3, "seeds: expected a list"),
    ],
)
def test_a_mangled_value_is_named_by_its_place(place: tuple[str, ...], value: Any, said: str) -> None:
    document: Any = encode(sample_results.accuracy())
    inner = document
    for name in place[:-1]:
        inner = inner[name]
    inner[place[-1]] = value
    with pytest.raises(InputError, match=said):
        decode(AccuracyResult, document)
