"""What makes the training step fast changes no result: each short cut beside the long way."""

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch import optimizers
from backproof.scratch.architecture import DTYPES, Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.optimizers import SGD, PlainSGD, make_optimizer
from backproof.scratch.parameters import Parameters
from backproof.scratch.training import Recipe, train
from tests.support.strategies import Case, cases, random_case
from tests.support.tolerances import gamma

RULES = [
    OptimizerSpec("sgd", 0.1),
    OptimizerSpec("sgd", 0.1, momentum=0.9),
    OptimizerSpec("sgd", 0.1, momentum=0.9, nesterov=True, weight_decay=0.01),
    OptimizerSpec("adam", 0.001, weight_decay=0.01),
]


def gradient_of(case: Case, factor: float = 1.0) -> Array:
    network, gradient = case.network(), Parameters(case.architecture)
    network.loss_and_gradient(case.x, case.targets, gradient, factor=factor)
    return gradient.flat


@given(cases(dtypes=DTYPES, families=("normal", "integer", "sparse")), st.sampled_from([-3, 2]))
def test_a_power_of_two_folded_into_delta_scales_the_gradient_exactly(case: Case, power: int) -> None:
    np.testing.assert_array_equal(gradient_of(case, 2.0**power), 2.0**power * gradient_of(case))


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_step_given_the_folded_rate_is_the_step_given_the_gradient(dtype: DtypeName) -> None:
    rng, rate = np.random.default_rng(0), 0.1
    theta, g = (rng.standard_normal(1000).astype(dtype) for _ in range(2))
    folded, plain = theta.copy(), theta.copy()
    spec = OptimizerSpec("sgd", rate)
    rule = PlainSGD(spec)
    assert rule.loss_factor == rate
    rule.step(folded, (rate * g).astype(dtype))
    SGD(spec, theta).step(plain, g)
    # Both round the rate, the product and the difference.
    exact = theta.astype(float) - rate * g.astype(float)
    bound = gamma(3, dtype) * (np.abs(theta) + rate * np.abs(g)).astype(float)
    for found in (folded, plain):
        verdict = compare(found, exact, bound)
        assert verdict.outcome == Outcome.PASS, verdict


@pytest.mark.parametrize("spec", RULES, ids=lambda spec: f"{spec.name} {spec.momentum}")
def test_blocks_of_any_length_give_the_same_bits(
    spec: OptimizerSpec, monkeypatch: pytest.MonkeyPatch
) -> None:
    def after_three_steps(block: int) -> Array:
        monkeypatch.setattr(optimizers, "BLOCK", block)
        rng = np.random.default_rng(0)
        theta = rng.standard_normal(1000)
        rule = make_optimizer(spec, theta)
        for _ in range(3):
            rule.step(theta, rng.standard_normal(1000))
        return theta

    whole = after_three_steps(1000)
    for block in (1, 7, 999):
        np.testing.assert_array_equal(after_three_steps(block), whole)


@pytest.mark.parametrize("dtype", DTYPES)
def test_a_batch_of_one_has_the_outer_product_that_a_larger_one_sums(dtype: DtypeName) -> None:
    # Small integers: nothing rounds, whatever the order of summation.
    case = random_case(Architecture((6, 5, 4), "relu", "sum_of_squares", dtype), "integer", 1, seed=3)
    assert gradient_of(case).any()
    np.testing.assert_array_equal(2 * gradient_of(case), gradient_of(case.rows([0, 0])))


@given(cases(dtypes=DTYPES))
def test_the_weights_of_a_batch_of_one_get_products_that_no_sum_has_rounded(case: Case) -> None:
    one = case.rows([0])
    found = Parameters(case.architecture, gradient_of(one))
    activations = one.network().forward(one.x)
    for (dW, db), a in zip(found.layers, activations, strict=False):
        # db = delta, where there is one example.
        np.testing.assert_array_equal(dW, a.T * db)


@pytest.mark.parametrize("allocations", [np.empty])
def test_no_buffer_is_made_after_the_first_step(
    allocations: Callable[..., Array], monkeypatch: pytest.MonkeyPatch
) -> None:
    case = random_case(Architecture((6, 5, 4)), "normal", 6, seed=0)
    sizes: list[int] = []
    made: list[int] = []

    def counted(shape: int | tuple[int, ...], *arguments: object, **keywords: object) -> Array:
        made.append(int(np.prod(shape)))
        return allocations(shape, *arguments, **keywords)

    monkeypatch.setattr(np, "empty", counted)
    batches = [np.arange(4)] * 5
    train(
        case.network(),
        case.x,
        case.targets,
        batches,
        Recipe(),
        lambda step, loss: sizes.append(len(made)),
    )
    assert made
    assert set(sizes) == {sizes[0]}
