"""The evidence varies one thing at a time, is answered by fresh instances, and is read rightly."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.diagnosis.evidence import (
    ROUNDING,
    SHAPES,
    _deepest,
    observe,
    observed,
    saturated,
    telling_problems,
)
from backproof.comparisons.check.forms.expected import Convention, Conventions, forward_logits
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.problem import Problem
from tests.support import observations
from tests.support.in_process import Student, explored_here
from tests.support.observations import Asked, answering
from tests.support.stepping import stepping

SPACE = Space((("tanh", "mse", 0), ("tanh", "mse", 1), ("relu", "cross_entropy", 2)))


def bits(problem: Problem) -> bytes:
    return problem.flat().tobytes() + problem.x.tobytes()


# --- the problems ------------------------------------------------------------------------------------------


def told(space: Space = SPACE, seed: int = 0) -> list[tuple[Problem, str]]:
    return telling_problems(explored_here(Student, space), seed)


def of_family(family: str, space: Space = SPACE, seed: int = 0) -> list[Problem]:
    return [problem for problem, name in told(space, seed) if name == family]


def test_every_kind_is_asked_for_in_every_shape_of_its_depth() -> None:
    found = [(p.architecture.activation, p.architecture.loss, p.architecture.layer_sizes, p.batch_size)
             for p in of_family("generic")]  # fmt: skip
    assert found == [
        (activation, loss, sizes, n)
        for activation, loss, depth in SPACE.kinds
        for sizes, n in SHAPES[depth]
    ]  # fmt: skip


def test_the_shapes_tell_rival_conditions_apart() -> None:
    for shapes in [SHAPES[1], SHAPES[2]]:
        assert any(n == 1 and sizes[-1] > 1 for sizes, n in shapes)
        assert any(len(set(sizes)) == 1 for sizes, _ in shapes)
    every = [shape for shapes in SHAPES.values() for shape in shapes]
    assert any(sizes[-1] == 1 and n > 1 for sizes, n in every)
    assert any(sizes[-1] > 2 and len(set(sizes)) == len(sizes) for sizes, _ in every)


@pytest.mark.parametrize("dtypes", [("float32",), ("float64",), ("float32", "float64")])
def test_the_problems_are_in_the_precision_of_the_class(dtypes: Any) -> None:
    assert {p.architecture.dtype for p, _ in told(Space(SPACE.kinds, dtypes))} == {dtypes[-1]}


def test_no_two_ordinary_problems_share_their_numbers_and_the_seed_decides_them() -> None:
    first, again, other = ([*map(bits, of_family("generic", seed=seed))] for seed in (3, 3, 4000))
    assert len(set(first)) == len(first)
    assert first == again
    for family in ("generic", "kinks", "idle input", "saturated"):
        assert not {*map(bits, of_family(family, seed=3))} & {*map(bits, of_family(family, seed=4000))}
    assert not set(first) & set(other)


def test_special_problems_are_of_the_deepest_kind_of_every_activation() -> None:
    for family in ("kinks", "idle input"):
        kinds = [(p.architecture.activation, len(p.weights) - 1, p.batch_size) for p in of_family(family)]
        assert kinds == [("tanh", 1, 4), ("relu", 2, 4)]


def test_the_deepest_kinds_have_the_losses_in_turn() -> None:
    losses: Any = ("mse", "cross_entropy", "sum_of_squares")
    kinds: Any = [(name, loss, depth) for name in ("tanh", "relu") for loss in losses for depth in (0, 1)]
    assert _deepest(kinds) == [("tanh", "mse", 1), ("relu", "cross_entropy", 1)]


def test_at_kinks_pre_activations_are_exactly_zero_and_all_numbers_small_integers() -> None:
    for problem in of_family("kinks"):
        numbers = np.concatenate([problem.flat(), problem.x.ravel()])
        assert set(numbers) == {-1.0, 0.0, 1.0}
    z = of_family("kinks")[0].x @ of_family("kinks")[0].weights[0][0] + of_family("kinks")[0].weights[0][1]
    assert (z == 0).any()
    a, b = (of_family("kinks", seed=seed) for seed in (0, 1))
    assert not {*map(bits, a)} & {*map(bits, b)}


@pytest.mark.parametrize("family", ["generic", "kinks", "idle input", "saturated"])
def test_a_class_without_biases_is_shown_none(family: str) -> None:
    for problem in of_family(family, Space(SPACE.kinds, biases=False)):
        assert not any(b.any() for _, b in problem.weights)
    assert all(b.any() for problem in of_family(family) for _, b in problem.weights[-1:])


def test_of_an_idle_input_one_column_is_zero() -> None:
    for problem in of_family("idle input"):
        assert [*np.flatnonzero(~problem.x.any(axis=0))] == [1]


def test_logits_are_saturated_on_both_sides() -> None:
    found = of_family("saturated")
    sizes = [float(np.abs(forward_logits(p)).max()) for p in found]
    assert sizes == pytest.approx([40.0, 600.0, 3000.0, 3000.0] * 2)
    np.testing.assert_allclose(forward_logits(found[2]), -forward_logits(found[3]))
    assert {p.architecture.loss for p in found} == {"mse", "cross_entropy"}


def test_logits_that_are_all_zero_stay_what_they_are() -> None:
    problem = generic_problem(Architecture((3, 2)), 4, 0)
    zero = replace(problem, weights=[(0 * W, 0 * b) for W, b in problem.weights])
    assert not forward_logits(saturated(zero, 40.0)).any()


# --- the answers -------------------------------------------------------------------------------------------


def test_the_class_is_asked_with_the_seed() -> None:
    explored = explored_here(Student, SPACE)
    for seed in (0, 5):
        assert [bits(o.problem) for o in observe(explored, seed)] == [
            bits(problem) for problem, _ in telling_problems(explored, seed)
        ]
    assert [o.family for o in observe(explored, 0)] == [family for _, family in telling_problems(explored, 0)]


def test_a_right_class_is_seen_to_be_right() -> None:
    assert not any(o.gradient_wrong or o.loss_wrong for o in observe(explored_here(Student, SPACE), 0))


class Once(Student):
    """Answers the first question alone."""

    asked = 0

    def loss_and_gradient(self, x: Array, targets: Array) -> Any:
        self.asked += 1
        if self.asked > 1:
            raise ValueError("asked again")
        return super().loss_and_gradient(x, targets)


def test_every_answer_is_that_of_a_fresh_instance() -> None:
    assert len(observe(explored_here(Once, SPACE), 0)) == len(told())


@pytest.mark.parametrize("fatal", [True, False])
def test_what_it_does_not_answer_is_left_out_and_where_it_died_nothing_more_is_asked(
    fatal: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    explored = explored_here(Student, SPACE)
    right, asked = explored.candidate.loss_and_gradient, 0

    def answers(x: Array, targets: Array) -> Any:
        nonlocal asked
        asked += 1
        if asked == 4:
            raise Misbehaviour("crash", "it died", fatal=fatal)
        return right(x, targets)

    monkeypatch.setattr(explored.candidate, "loss_and_gradient", answers)
    found, all_of_them = observe(explored, 0), told()
    assert [bits(o.problem) for o in found] == [
        bits(p) for p, _ in (all_of_them[:3] if fatal else all_of_them[:3] + all_of_them[4:])
    ]


def test_nothing_is_known_against_a_loss_that_is_not_told() -> None:
    problem = told()[3][0]
    explored = explored_here(stepping(None), SPACE, step=True)
    o = observed(explored.candidate, problem)
    assert o.loss == float(o.right.loss.value)
    assert (o.family, o.biases) == ("generic", True)


def test_what_the_class_has_is_noted_with_its_answer() -> None:
    explored = explored_here(Student, SPACE, activation="relu", output_activation="tanh", biases="none")
    explored.candidate.conventions = Conventions({"mse": Convention(Law(1))})
    o = observed(explored_here(Student, SPACE, activation="relu").candidate, told()[3][0], "kinks")
    assert (o.activation, o.output_activation, o.family, o.convention) == (
        "relu",
        "identity",
        "kinks",
        Convention(),
    )
    explored.candidate.form = replace(explored.candidate.form, biases="vector", activation="")
    o = observed(explored.candidate, told()[3][0])
    assert (o.activation, o.output_activation, o.convention) == ("tanh", "tanh", Convention(Law(1)))


# --- one observation ---------------------------------------------------------------------------------------

SEEN = observations.observed(Asked((3, 4, 2), n=5))


def test_the_forward_pass_of_an_observation() -> None:
    (W1, b1), (W2, b2) = SEEN.problem.weights
    z1 = SEEN.problem.x @ W1 + b1
    z2 = np.tanh(z1) @ W2 + b2
    for found, expected in zip(SEEN.zs, (z1, z2), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    for found, expected in zip(SEEN.activations, (SEEN.problem.x, np.tanh(z1)), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-13)
    assert (SEEN.n, SEEN.k, SEEN.depth, SEEN.loss_name) == (5, 2, 2, "mse")


@pytest.mark.parametrize(
    ("output", "function"),
    [("sigmoid", lambda z: 1 / (1 + np.exp(-z))), ("tanh", np.tanh), ("softmax", lambda z: z),
     ("identity", lambda z: z)],
)  # fmt: skip
def test_the_logits_are_those_that_an_entropy_is_given(output: str, function: Any) -> None:
    o = replace(SEEN, output_activation=output)
    np.testing.assert_allclose(o.logits, function(o.zs[-1]), rtol=1e-13)


def test_the_parts_of_the_gradient_found() -> None:
    o = answering(SEEN, np.arange(26.0))
    np.testing.assert_array_equal(o.weight(0), np.arange(12.0).reshape(3, 4))
    np.testing.assert_array_equal(o.bias(0), np.arange(12.0, 16.0))
    np.testing.assert_array_equal(o.weight(1), np.arange(16.0, 24.0).reshape(4, 2))
    np.testing.assert_array_equal(o.bias(1), [24.0, 25.0])


@pytest.mark.parametrize("layer", [0, 1])
@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_prediction_holds_within_rounding_of_the_largest_entry_and_no_further(
    layer: int, sign: float
) -> None:
    size = np.abs(SEEN.gradient).max()
    for off, holds in ((0.5e-11, True), (5e-11, False)):
        moved = SEEN.weight(layer).copy()
        moved[0, 0] += sign * off * size
        assert SEEN.is_weight(layer, moved) == holds
        bias = SEEN.bias(layer).copy()
        bias[0] += sign * off * size
        assert SEEN.is_bias(layer, bias) == holds
    assert not SEEN.is_weight(layer, SEEN.weight(layer).T)


def test_the_bound_of_a_prediction_grows_with_it() -> None:
    """Errors of 1e-13 a unit: of a prediction a thousand times as large they are a thousand times larger."""
    wide = replace(
        SEEN, right=replace(SEEN.right, gradient=replace(SEEN.right.gradient, error=np.full(26, 1e-6)))
    )
    large = 1000 * np.ones((3, 4))
    found = answering(wide, np.concatenate([large.ravel(), np.zeros(14)]))
    grown = 4e-6 * 1000 / float(np.abs(SEEN.gradient).max())
    assert found.is_weight(0, large + 0.99 * grown)
    assert not found.is_weight(0, large + 1.01 * grown)
    small = answering(wide, np.zeros(26))
    assert small.is_weight(0, np.full((3, 4), 3.9e-6))
    assert not small.is_weight(0, np.full((3, 4), 4.1e-6))


def test_of_a_class_without_biases_no_bias_is_wrong() -> None:
    assert not SEEN.is_bias(0, SEEN.bias(0) + 1)
    assert replace(SEEN, biases=False).is_bias(0, SEEN.bias(0) + 1)


@pytest.mark.parametrize("sign", [1.0, -1.0])
def test_a_loss_is_wrong_beyond_its_bound_and_rounding(sign: float) -> None:
    for off, wrong in ((0.9 * ROUNDING["float64"], False), (1.2 * ROUNDING["float64"], True)):
        assert replace(SEEN, loss=SEEN.loss + sign * off).loss_wrong == wrong
    assert replace(SEEN, loss=float("nan")).loss_wrong


def test_a_gradient_is_wrong_beyond_its_bound() -> None:
    for off, wrong in ((0.0, False), (1e-9, True)):
        assert answering(SEEN, SEEN.gradient + off * np.eye(26)[3]).gradient_wrong == wrong


def test_the_law_and_the_penalty_are_those_of_its_convention() -> None:
    plain = SEEN
    assert (plain.factor, plain.penalty, plain.bias_penalty) == (1.0, 0.0, 0.0)
    own = replace(SEEN, convention=Convention(Law(1, 0, 0.5), penalty=0.3, penalty_per_example=True))
    assert own.penalty == pytest.approx(0.06)
    assert (own.factor, own.bias_penalty) == (2.5, 0.0)
    both = replace(SEEN, convention=Convention(penalty=0.3, penalty_on_biases=True))
    assert (both.factor, both.penalty, both.bias_penalty) == (1.0, 0.3, 0.3)


@pytest.mark.parametrize(("dtype", "rounding"), [("float64", 1e-11), ("float32", 1e-5)])
def test_what_rounding_may_do_is_that_of_the_precision(dtype: str, rounding: float) -> None:
    o = replace(SEEN, problem=SEEN.problem.astype(dtype))  # type: ignore[arg-type]  # the names above
    for off, wrong in ((0.9 * rounding, False), (1.2 * rounding, True)):
        assert replace(o, loss=o.loss + off).loss_wrong == wrong
