"""A right network is inside every bound; of a wrong one the first tensor outside is where the mistake is."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.compare.part import side
from backproof.comparisons.compare.result import Link, Side
from backproof.comparisons.compare.trace import UPDATES
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, OptimizerSpec
from backproof.scratch.problem import Problem
from tests.support.ported import Ported, Traced
from tests.support.porting_mistakes import MISTAKES, Mistake


def a_problem(seed: int, size: float = 1.0, **choices: Any) -> Problem:
    """Four layers, two of them square, so that a transposed matrix fits; more examples than outputs."""
    rng = np.random.default_rng(seed)
    architecture = Architecture((5, 4, 4, 4, 3), **choices)
    dtype = architecture.dtype
    weights = [
        (
            (rng.normal(size=shape) / np.sqrt(shape[0])).astype(dtype),
            0.3 * rng.normal(size=shape[1]).astype(dtype),
        )
        for shape in architecture.layer_shapes
    ]
    x = (size * rng.normal(size=(7, 5))).astype(dtype)
    labels = rng.integers(0, 3, 7)
    targets = labels if architecture.loss == "cross_entropy" else rng.uniform(size=(7, 3)).astype(dtype)
    return Problem(architecture, weights, x, targets)


def links(contender: Any, problem: Problem, updates: Mapping[str, OptimizerSpec] = UPDATES) -> Side:
    return side("it", contender, problem, updates)


@given(
    st.integers(0, 2**32 - 1),
    st.sampled_from(ACTIVATIONS),
    st.sampled_from(LOSSES),
    st.sampled_from(["float32", "float64"]),
    st.sampled_from([ScratchMLP, Ported, Traced]),
)
def test_no_tensor_of_a_right_network_is_outside_its_bound(
    seed: int, activation: str, loss: str, dtype: str, network: type[Any]
) -> None:
    side = links(network(), a_problem(seed, activation=activation, loss=loss, dtype=dtype))
    assert side.first is None, side.first
    assert len(side.links) > 60


@pytest.mark.parametrize("mistake", MISTAKES, ids=lambda mistake: mistake.name)
def test_a_mistake_of_porting_is_found_where_it_is_made_and_named(mistake: Mistake) -> None:
    rules = {mistake.rule: UPDATES[mistake.rule]} if mistake.rule else {}
    problem = a_problem(3, mistake.size, activation=mistake.activation, loss=mistake.loss)
    first = links(Traced(mistake.formulas), problem, rules).first
    assert first is not None
    assert first.tensor in mistake.tensors
    assert any(mistake.words in cause for cause in first.causes), first


def test_each_mistake_stands_once_in_the_list() -> None:
    assert len({mistake.name for mistake in MISTAKES}) == len(MISTAKES) >= 60


def test_without_a_trace_the_first_of_the_five_methods_that_shows_it_is_named() -> None:
    wrong = next(mistake for mistake in MISTAKES if mistake.name == "dW averaged again")
    first = links(Ported(wrong.formulas), a_problem(0), {}).first
    assert first is not None
    assert first.tensor == "dW4"


def test_a_tensor_of_another_shape_is_a_failure_with_both_shapes() -> None:
    class Columns(Traced):
        def trace(self, x: Any, targets: Any) -> Any:
            found = super().trace(x, targets)
            return {**found, "z1": found["z1"].T}

    first = links(Columns(), a_problem(0), {}).first
    assert first is not None
    assert first.causes == ("shape (4, 7) where (7, 4) belongs: transposed?",)


def test_nan_is_outside_every_bound() -> None:
    class Broken(Traced):
        def trace(self, x: Any, targets: Any) -> Any:
            found = dict(super().trace(x, targets))
            found["a2"] = np.full_like(found["a2"], np.nan)
            return found

    first = links(Broken(), a_problem(0), {}).first
    assert first is not None
    assert (first.tensor, first.outcome) == ("a2", Outcome.FAIL)


@pytest.mark.parametrize("network", [ScratchMLP, Traced])
def test_a_training_that_diverges_is_judged_up_to_where_it_does(network: type[Any]) -> None:
    rules = {"sgd": OptimizerSpec("sgd", learning_rate=1e38)}
    with np.errstate(all="ignore"):
        side = links(
            network(),
            a_problem(0, 30.0, activation="identity", loss="sum_of_squares", dtype="float32"),
            rules,
        )
    last = [link for link in side.links if link.tensor.startswith("sgd")][-1]
    assert last.outcome is Outcome.INCONCLUSIVE
    assert side.first is None


def test_what_follows_from_a_mistake_is_not_blamed() -> None:
    wrong = next(mistake for mistake in MISTAKES if mistake.name == "bias twice")
    failed = [link.tensor for link in links(Traced(wrong.formulas), a_problem(0), {}).links if _failed(link)]
    assert failed == ["z1", "z2", "z3", "logits"]  # each of them adds its own bias twice, and nothing else


def _failed(link: Link) -> bool:
    return link.outcome is Outcome.FAIL
