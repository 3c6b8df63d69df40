"""A right network is inside every bound; of a wrong one the first tensor outside is where the mistake is."""

from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.compare import chain, judging
from backproof.comparisons.compare.chain import Gradient, expected_tensors
from backproof.comparisons.compare.part import side
from backproof.comparisons.compare.result import Link, Side
from backproof.comparisons.compare.trace import UPDATES
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, OptimizerSpec
from backproof.scratch.problem import Problem
from tests.comparisons.verdicts.test_hostile_rounding import SINGLE, U, largest_share
from tests.support.leaving_out import leaving_out
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


# --- blocks, and every term of a gradient's bound -----------------------------------------------------------


def growing(activation: str = "sigmoid") -> Problem:
    """Layers that grow: each has more columns than rows."""
    rng = np.random.default_rng(1)
    architecture = Architecture((2, 3, 5, 6), activation, "mse")  # type: ignore[arg-type]  # one of them
    weights = [(rng.normal(size=shape), rng.normal(size=shape[1])) for shape in architecture.layer_shapes]
    return Problem(architecture, weights, rng.normal(size=(4, 2)), rng.normal(size=(4, 6)))


@pytest.mark.parametrize("most", [1, 4, 7])
def test_in_blocks_every_tensor_is_what_it_is_in_one_piece(
    monkeypatch: pytest.MonkeyPatch, most: int
) -> None:
    problem = growing()
    whole = expected_tensors(problem, {})
    for layer, (fan_in, fan_out) in enumerate(problem.architecture.layer_shapes, start=1):
        assert whole[f"dW{layer}"].value.shape == (fan_in, fan_out)
        assert whole["logits" if layer == 3 else f"z{layer}"].value.shape == (4, fan_out)
        assert whole[f"delta{layer}"].value.shape == (4, fan_out)
    monkeypatch.setattr(judging, "MOST_ENTRIES", most)
    for name, found in expected_tensors(problem, {}).items():
        np.testing.assert_allclose(found.value, whole[name].value, rtol=1e-12, atol=1e-15, err_msg=name)
        np.testing.assert_allclose(found.error, whole[name].error, rtol=1e-6, err_msg=name)


def test_a_step_may_be_off_by_what_its_gradient_may() -> None:
    found = expected_tensors(growing(), {"sgd": OptimizerSpec("sgd", 8.0)})
    for layer in (1, 2, 3):
        assert (found[f"sgd, step 1: W{layer}"].error >= 8 * found[f"dW{layer}"].error).all()
        assert (found[f"sgd, step 1: b{layer}"].error >= 8 * found[f"db{layer}"].error).all()


def averaged_afterwards() -> float:
    """Two examples in a batch of 126: the sum of their deltas times 1 / 126, beside the deltas over 126."""
    n, pair = np.float32(126), np.array([1.185125708580017, 1.0704975128173828], np.float32)
    delta = (pair / n).astype(np.float64)[:, None]
    late = float(np.float32(pair[0] + pair[1]) * (np.float32(1) / n))
    found = Gradient(Bounded.exact(np.ones((2, 1))), Bounded.exact(delta), SINGLE).bias_rows(slice(None))
    return largest_share(late - found.value, found.error)


def averaged_before_it_vanishes() -> float:
    """Five deltas just below the smallest normal number, recorded as zero, beside inputs of 3."""
    nothing = Bounded.exact(np.zeros((5, 1)))
    found = Gradient(Bounded.exact(np.full((5, 1), 3.0)), nothing, SINGLE).weight_rows(slice(None))
    return largest_share(np.full((1, 1), 15 * SINGLE.tiny * (1 - U)) - found.value, found.error)


@pytest.mark.parametrize(
    ("term", "instead", "hostile", "close"),
    [
        ("gamma(3) * self", "gamma(0) * self", averaged_afterwards, 0.75),
        ("gamma(3)", "gamma(2)", averaged_afterwards, 0.75),
        (
            "self.delta.magnitude + self.arithmetic.tiny",
            "self.delta.magnitude",
            averaged_before_it_vanishes,
            0.9,
        ),
    ],
)
def test_a_mean_may_be_taken_after_the_sum(
    term: str, instead: str, hostile: Callable[[], float], close: float
) -> None:
    assert close <= hostile() <= 1.0
    with leaving_out(chain, term, instead):
        assert hostile() > 1.0


def test_bounds_are_probabilistic_in_layers_of_more_than_256_units() -> None:
    assert not chain.arithmetic_of(Architecture((3, 256, 2))).random
    assert chain.arithmetic_of(Architecture((3, 257, 2))).random
