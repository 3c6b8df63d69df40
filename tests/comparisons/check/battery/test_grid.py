"""The generic problems: every kind of network and every rule, from a seed, and weights of all sizes."""

from collections.abc import Callable, Sequence
from itertools import product

import numpy as np
import pytest

from backproof.comparisons.check.battery.cases import CALLS, NothingToTryError
from backproof.comparisons.check.battery.grid import (
    OPTIMIZERS,
    SHAPES,
    float32_problems,
    generic_problem,
    generic_problems,
    not_binary,
    pairs,
    some,
    story_grid,
    trainings,
)
from backproof.comparisons.check.forms.space import Space
from backproof.scratch.architecture import Architecture, OptimizerSpec
from backproof.scratch.problem import Problem

FULL = Space.full()


def bits(problem: Problem) -> bytes:
    return problem.flat().tobytes() + problem.x.tobytes() + problem.targets.tobytes()


def test_every_activation_meets_every_loss_and_every_depth() -> None:
    found = [problem.architecture for problem in generic_problems(0, FULL)]
    assert {(a.activation, a.loss) for a in found} == set(product(FULL.activations, FULL.losses))
    depths = {(a.activation, len(a.layer_sizes) - 2) for a in found}
    assert depths == set(product(FULL.activations, FULL.depths))


def test_a_class_with_few_networks_is_shown_each_in_every_shape() -> None:
    space = FULL.where(losses=("mse",), activations=("tanh",))
    found = {(p.architecture.layer_sizes, p.batch_size) for p in generic_problems(0, space)}
    assert found == {shape for depth in (0, 1, 2) for shape in SHAPES[depth]}


def test_the_shapes_have_the_corners_that_break_people() -> None:
    every = [shape for shapes in SHAPES.values() for shape in shapes]
    assert any(len(set(sizes)) == 1 for sizes, _ in every)
    assert any(n == 1 for _, n in every)
    assert any(sizes[-1] == 1 and n > 1 for sizes, n in every)
    assert any(1 in sizes[1:-1] for sizes, _ in every)
    assert any(sizes[-1] > n > 1 for sizes, n in every)
    assert any(sizes[-1] == n for sizes, n in every)


@pytest.mark.parametrize("made", [generic_problems, some, not_binary, float32_problems])
def test_the_seed_decides_the_numbers(made: Callable[[int, Space], Sequence[Problem]]) -> None:
    first, again, other = (list(map(bits, made(seed, FULL))) for seed in (5, 5, 50))
    assert first == again
    assert not set(first) & set(other)


def test_no_two_generic_problems_share_their_numbers() -> None:
    found = list(map(bits, generic_problems(0, FULL)))
    assert len(set(found)) == len(found)


def test_without_biases_all_biases_are_zero_and_with_them_none_is() -> None:
    architecture = Architecture((3, 4, 2))
    with_biases, without = (generic_problem(architecture, 5, 0, biases) for biases in (True, False))
    assert all((b != 0).all() for _, b in with_biases.weights)
    assert not any(b.any() for _, b in without.weights)
    np.testing.assert_array_equal(with_biases.weights[0][0], without.weights[0][0])


def test_a_batch_that_is_small_need_not_have_the_first_class_and_a_larger_one_may() -> None:
    found = [p for p in generic_problems(0, FULL) if p.architecture.loss == "cross_entropy"]
    small = [p for p in found if p.batch_size <= 2 and p.architecture.n_outputs > 1]
    assert small
    assert not any((p.targets == 0).any() for p in small)
    assert any((p.targets == 0).any() for p in found if p.batch_size > 2)


def test_a_third_is_every_third() -> None:
    assert list(map(bits, some(0, FULL))) == list(map(bits, generic_problems(0, FULL)))[::3]


def test_a_precision_that_a_class_lacks_is_not_tried() -> None:
    only_single = Space(FULL.kinds, dtypes=("float32",))
    assert {p.architecture.dtype for p in generic_problems(0, only_single)} == {"float32"}
    with pytest.raises(NothingToTryError, match="float32 only"):
        generic_problems(0, only_single, "float64")
    with pytest.raises(NothingToTryError, match="float32 only"):
        trainings(0, only_single, "float64")


def test_networks_follow_each_other_in_one_precision_and_in_two() -> None:
    found = pairs(0, FULL)
    assert {(a.architecture.dtype, b.architecture.dtype) for a, b, _ in found} == {
        ("float64", "float64"),
        ("float64", "float32"),
        ("float32", "float64"),
    }
    assert {train for _, _, train in found} == {True, False}
    assert all(bits(a) != bits(b) for a, b, _ in found)
    single = pairs(0, Space(FULL.kinds, dtypes=("float64",)))
    assert {b.architecture.dtype for _, b, _ in single} == {"float64"}


def test_every_rule_is_trained_on_batches_of_several_sizes_that_visit_all() -> None:
    found = trainings(0, FULL)
    assert [one.optimizer for one in found] == list(OPTIMIZERS)
    for one in found:
        assert [len(batch) for batch in one.batches] == [3, 3, 3, 1]
        assert sorted(np.concatenate([one.batches[0], one.batches[1], one.batches[3]])) == list(range(7))
        assert sorted(one.batches[0]) == sorted(one.batches[2])
        assert one.problem.architecture.activation != "identity"
    assert len({bits(one.problem) for one in found}) == len(found)
    assert len({one.batches[0].tobytes() for one in found}) > 1


def test_plain_descent_is_tried_with_plain_descent_alone() -> None:
    found = trainings(0, Space(FULL.kinds, plain_descent=True))
    assert [one.optimizer for one in found] == [OPTIMIZERS[0]] * 3


def test_the_settings_of_the_rules_are_on_and_off() -> None:
    # moves on, nesterov; each with weight decay and without.
    descent = product([(False, False), (True, False), (True, True)], (True, False))
    assert {(o.name, (o.momentum > 0, o.nesterov), o.weight_decay > 0) for o in OPTIMIZERS} == {
        *(("sgd", moves, decays) for moves, decays in descent),
        *(("adam", (False, False), decays) for decays in (True, False)),
    }


def test_one_rule_of_adam_has_numbers_of_its_own_and_an_eps_that_shows() -> None:
    usual = OptimizerSpec("adam")
    own = [one for one in OPTIMIZERS if one.name == "adam" and one.beta1 != usual.beta1]
    assert own
    assert all(one.beta2 != usual.beta2 and one.eps >= 1e-3 for one in own)


def test_in_stories_every_call_comes_after_every_other() -> None:
    found = story_grid(0, FULL)
    assert {story.calls[:2] for story in found} == set(product(CALLS, CALLS))
    assert all(story.calls[2] == story.calls[0] for story in found)


def test_the_other_batch_of_a_story_is_as_large_or_smaller_and_of_other_numbers() -> None:
    found = story_grid(0, FULL)
    assert {(story.problem.batch_size, story.other.batch_size) for story in found} == {(3, 3), (3, 2)}
    for story in found:
        np.testing.assert_array_equal(story.problem.flat(), story.other.flat())
        assert not np.isclose(story.problem.x[:2], story.other.x[:2]).any()


def test_the_weights_of_stories_are_of_all_sizes_and_of_their_seed() -> None:
    first, again, other = (story_grid(seed, FULL) for seed in (5, 5, 5000))
    sizes = np.log10(np.abs(np.concatenate([W.ravel() for s in first for W, _ in s.problem.weights])))
    assert sizes.min() < -7
    assert sizes.max() > -1
    assert np.histogram(sizes, bins=8, range=(-8, 0))[0].min() > len(sizes) / 40
    assert [bits(s.problem) for s in first] == [bits(s.problem) for s in again]
    assert not {bits(s.problem) for s in first} & {bits(s.problem) for s in other}
    # Two stories differ in the shares that make their weights small, too.
    shares = []
    for i, story in enumerate(first):
        ordinary = generic_problem(story.problem.architecture, 3, 5 + i, FULL.biases)
        shares.append((story.problem.weights[0][0] / ordinary.weights[0][0]).tobytes())
    assert len(set(shares)) == len(shares)


def test_stories_and_trainings_are_of_every_activation_loss_and_depth() -> None:
    kinds = [(s.problem.architecture.activation, s.problem.architecture.loss, len(s.problem.weights) - 1)
             for s in story_grid(0, FULL)]  # fmt: skip
    assert {kind[0] for kind in kinds} == set(FULL.activations)
    assert {kind[1] for kind in kinds} == set(FULL.losses)
    assert {kind[2] for kind in kinds} == set(FULL.depths)
    trained = [one.problem.architecture for one in trainings(0, FULL)]
    assert {a.activation for a in trained} == set(FULL.activations) - {"identity"}
    assert {a.loss for a in trained} == set(FULL.losses)
    assert {len(a.layer_sizes) for a in trained} == {3}
