"""Conventions are found by their numbers, and told apart from mistakes."""

from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.conventions import (
    Answered,
    _capped,
    _explains_law,
    _half_square,
    _is_written,
    _may_be,
    _penalised,
    _quiet,
    _same,
    _written,
    find_conventions,
)
from backproof.comparisons.check.forms.expected import (
    Convention,
    Conventions,
    expected,
    forward_logits,
)
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.scratch.architecture import Architecture, DtypeName, LossName
from backproof.scratch.problem import Problem

SHAPES = (((3, 4, 2), 5), ((4, 3, 3), 1), ((2, 5, 1), 4), ((3, 3, 3), 2), ((2, 4, 5), 3))


def problems(loss: LossName) -> list[tuple[Problem, bool]]:
    """Ordinary ones, then some with large logits."""
    found = [
        (generic_problem(Architecture(sizes, "tanh", loss), n, i), False)
        for i, (sizes, n) in enumerate(SHAPES)
    ]
    for problem, _ in found[:2]:
        W, b = problem.weights[-1]
        found.append((replace(problem, weights=[*problem.weights[:-1], (30 * W, 30 * b)]), True))
    return found


def answers(loss: LossName, convention: Convention) -> list[Answered]:
    """Those of a class that follows this convention."""
    found = []
    for problem, loud in problems(loss):
        own = expected(problem, Form(), Conventions({loss: convention}))
        ours = expected(problem, Form(), Conventions())
        found.append(Answered(problem, float(own.loss.value), own.gradient.value, ours, loud, Form()))
    return found


@pytest.mark.parametrize(
    ("loss", "convention"),
    [
        ("cross_entropy", Convention(Law(1))),
        ("mse", Convention(Law(0, 1, 0.5))),
        ("sum_of_squares", Convention(Law(0, 0, 0.5))),
        ("cross_entropy", Convention(shift=1e-7)),
        ("cross_entropy", Convention(Law(1), shift=1e-7)),
        ("cross_entropy", Convention(shift=1e-8, exact=True)),
        ("cross_entropy", Convention(clip=1e-12)),
        ("binary_cross_entropy", Convention(shift=1e-10)),
        ("mse", Convention(penalty=0.25)),
        ("mse", Convention(penalty=0.7, penalty_per_example=True)),
        ("cross_entropy", Convention(shift=1e-7, penalty=0.01)),
    ],
)
def test_a_convention_is_found(loss: LossName, convention: Convention) -> None:
    found = find_conventions(answers(loss, convention), set(), 0.0).by_loss[loss]
    np.testing.assert_allclose(found.penalty, convention.penalty, rtol=1e-6)
    assert replace(found, penalty=convention.penalty) == convention


def test_a_class_of_our_form_has_none() -> None:
    assert not find_conventions(answers("cross_entropy", Convention()), set(), 0.0).by_loss


def test_a_loss_that_is_declared_is_held_to_our_definition() -> None:
    assert not find_conventions(answers("mse", Convention(Law(1))), {"mse"}, 0.0).by_loss


def test_a_loss_whose_gradient_is_ours_is_no_convention() -> None:
    odd = [replace(a, gradient=a.right.gradient.value) for a in answers("mse", Convention(Law(1)))]
    assert not find_conventions(odd, set(), 0.0).by_loss


def test_a_penalty_that_the_gradient_lacks_is_no_convention() -> None:
    odd = [replace(a, gradient=a.right.gradient.value) for a in answers("mse", Convention(penalty=0.25))]
    assert not find_conventions(odd, set(), 0.0).by_loss


@pytest.mark.parametrize("size", [34.0, 35.0, 36.0, 36.5])
def test_digits_lost_in_one_minus_p_are_no_constant_in_the_logarithm(size: float) -> None:
    form, found = Form(outputs="probabilities"), []
    for problem, loud in problems("binary_cross_entropy")[:-1]:
        z, (W, b) = forward_logits(problem), problem.weights[-1]
        factor = size / z.max() if loud else 1.0
        if loud:  # on the side that the logits speak against: 1 - p is a few units of rounding
            weights = [*problem.weights[:-1], (factor * W, factor * b)]
            problem = replace(problem, weights=weights, targets=(z < 0) * 1.0)
        p, t = 1 / (1 + np.exp(-forward_logits(problem))), problem.targets
        loss = -float((t * np.log(p) + (1 - t) * np.log(1 - p)).sum()) / len(t)
        ours = expected(problem, form, Conventions())
        gradient = problem.architecture.n_outputs * ours.gradient.value
        found.append(Answered(problem, loss, gradient, ours, loud, form))
    told = find_conventions(found, set(), 0.0).by_loss["binary_cross_entropy"]
    assert told == Convention(Law(0, 1))


# --- the parts ---------------------------------------------------------------------------------------------


def one(loss: LossName = "mse", loud: bool = False) -> Answered:
    """The first answer of a class of our form."""
    return next(answer for answer in answers(loss, Convention()) if answer.loud == loud)


@pytest.mark.parametrize("loss", ["mse", "sum_of_squares", "binary_cross_entropy"])
@pytest.mark.parametrize("on_biases", [True, False])
@pytest.mark.parametrize("per_example", [True, False])
@pytest.mark.parametrize("law", [Law(), Law(1), Law(0, 0, 0.5)])
def test_a_penalty_is_found_with_what_it_is_of_and_beside_any_law(
    loss: LossName, on_biases: bool, per_example: bool, law: Law
) -> None:
    convention = Convention(law, penalty=0.3, penalty_per_example=per_example, penalty_on_biases=on_biases)
    found = find_conventions(answers(loss, convention), set(), 0.0).by_loss[loss]
    assert replace(found, penalty=0.3) == convention
    assert found.penalty == pytest.approx(0.3, rel=1e-6)


def test_a_negative_penalty_is_no_convention() -> None:
    assert not find_conventions(answers("mse", Convention(penalty=-0.3)), set(), 0.0).by_loss


@pytest.mark.parametrize("law", [Law(), Law(1), Law(0, 0, 0.5)])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy"])
@pytest.mark.parametrize("constant", [{"shift": 1e-7}, {"clip": 1e-9}, {"shift": 3e-6}])
def test_a_constant_in_the_logarithm_is_found_beside_any_law(
    law: Law, loss: LossName, constant: dict[str, float]
) -> None:
    convention = Convention(law, **constant)  # type: ignore[arg-type]  # shift or clip
    found = find_conventions(answers(loss, convention), set(), 0.0).by_loss[loss]
    for name in ("shift", "clip"):
        assert getattr(found, name) == pytest.approx(constant.get(name, 0.0), rel=1e-3)
    assert found.factor == law


def test_a_constant_is_no_matter_of_squares() -> None:
    assert _capped(answers("mse", Convention(Law(1)))) is None
    assert _capped([]) is None


@pytest.mark.parametrize(("clip", "exact"), [(1e-9, True), (1e-9, False)])
def test_a_gradient_that_vanishes_where_the_loss_is_clipped_follows_it(clip: float, exact: bool) -> None:
    given = answers("cross_entropy", Convention(clip=clip))
    zero = [replace(a, gradient=0 * a.gradient) if a.loud and exact else a for a in given]
    assert find_conventions(zero, set(), 0.0).by_loss["cross_entropy"].exact == exact


def test_the_slope_at_zero_is_kept_and_every_loss_has_its_own() -> None:
    both = [*answers("mse", Convention(Law(1))), *answers("cross_entropy", Convention(Law(0, 1)))]
    found = find_conventions(both, set(), 0.5)
    assert found.by_loss == {"mse": Convention(Law(1)), "cross_entropy": Convention(Law(0, 1))}
    assert found.slope_at_zero == 0.5


@pytest.mark.parametrize(
    ("dtype", "off", "same"),
    [
        ("float64", 0.8e-6, True),
        ("float64", 1.3e-6, False),
        ("float32", 0.8e-4, True),
        ("float32", 1.3e-4, False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_two_gradients_are_one_to_some_digits_of_the_largest(
    dtype: DtypeName, off: float, same: bool, sign: int
) -> None:
    a = replace(one(), problem=one().problem.astype(dtype))
    right = a.right.gradient.value[a.last_weight]
    for factor, added in ((1.0, 0.0), (2.0, 0.0), (1.0, 0.3)):
        expected = factor * right + added * a.problem.weights[-1][0].ravel()
        moved = a.gradient.copy()
        moved[a.last_weight] = expected
        moved[a.last_weight.start] += sign * off * np.abs(expected).max()
        assert _same(replace(a, gradient=moved), factor, added) == same
    assert not _same(a, 2.0)


@pytest.mark.parametrize(
    ("constant", "written"), [(1e-7, True), (1e-12, True), (3e-7, False), (1.01e-7, False)]
)
def test_a_constant_that_people_write_is_a_power_of_ten(constant: float, written: bool) -> None:
    assert _is_written(constant) == written


@pytest.mark.parametrize(
    ("rate", "rtol", "expected"),
    [
        (0.1000000001, 1e-9, 0.1),
        (0.10000001, 1e-9, 0.10000001),
        (0.1002, 1e-5, 0.1002),
        (0.1000005, 1e-5, 0.1),
    ],
)
def test_a_rate_is_the_short_number_that_somebody_wrote(rate: float, rtol: float, expected: float) -> None:
    assert _written(rate, rtol) == expected


@pytest.mark.parametrize("biases", [True, False])
def test_half_a_square_is_of_the_weights_and_where_it_is_said_of_the_biases(biases: bool) -> None:
    problem = one().problem
    parts = [W for W, _ in problem.weights] + [b for _, b in problem.weights] * biases
    assert _half_square(problem, biases) == pytest.approx(sum((part**2).sum() for part in parts) / 2)


def test_the_quiet_answers_are_those_of_ordinary_logits_with_a_loss() -> None:
    given = answers("mse", Convention())
    assert _quiet(given) == [a for a in given if not a.loud]
    without = replace(given[0], right=replace(given[0].right, loss=Bounded(np.array(0.0), np.array(0.0))))
    assert _quiet([without, *given[1:]]) == _quiet(given)[1:]


@pytest.mark.parametrize(("off", "explained"), [(0.9e-9, True), (1.2e-9, False)])
@pytest.mark.parametrize("sign", [1, -1])
def test_a_loss_is_by_a_law_within_rounding(off: float, explained: bool, sign: int) -> None:
    a = one()
    value = 5 * float(a.right.loss.value)  # N is 5
    assert _explains_law(replace(a, loss=value + sign * off * (1 + value)), Law(1)) == explained
    assert not _explains_law(a, Law(1))


def test_a_loss_may_be_by_a_law_where_rounding_of_it_explains_the_rest() -> None:
    a = one()
    wide = replace(a, right=replace(a.right, loss=Bounded(a.right.loss.value, np.array(1e-3))))
    value = 5 * float(a.right.loss.value)
    for sign in (1, -1):
        assert _may_be(replace(wide, loss=value + sign * 0.019), Law(1))
        assert not _may_be(replace(wide, loss=value + sign * 0.021), Law(1))
    assert _may_be(replace(a, loss=value), Law(1))


@pytest.mark.parametrize(("off", "found"), [(0.5e-2, True), (2e-2, False)])
def test_in_single_precision_a_penalty_is_read_to_two_digits(off: float, found: bool) -> None:
    given = answers("mse", Convention(penalty=0.25))
    noise = np.random.default_rng(0).choice([-1.0, 1.0], len(given))
    single = [
        replace(
            a,
            problem=a.problem.astype("float32"),
            loss=a.loss + off * side * 0.25 * _half_square(a.problem, False),
        )
        for a, side in zip(given, noise, strict=True)
    ]
    told = find_conventions(single, set(), 0.0).by_loss.get("mse", Convention())
    assert (told.penalty > 0) == found
    if found:
        assert told.penalty == pytest.approx(0.25, rel=1e-2)


@pytest.mark.parametrize(
    ("constant", "found"), [(1e-2, True), (1.5e-2, False), (1e-29, True), (1e-31, False)]
)
def test_a_constant_is_one_that_people_put_inside_a_logarithm(constant: float, found: bool) -> None:
    """Logits in the hundreds show the smallest."""
    convention, given = Convention(shift=constant), []
    for problem, loud in problems("cross_entropy"):
        W, b = problem.weights[-1]
        factor = 20.0 if loud else 1.0
        problem = replace(problem, weights=[*problem.weights[:-1], (factor * W, factor * b)])
        own = expected(problem, Form(), Conventions({"cross_entropy": convention}))
        ours = expected(problem, Form(), Conventions())
        given.append(Answered(problem, float(own.loss.value), own.gradient.value, ours, loud, Form()))
    told = find_conventions(given, set(), 0.0).by_loss.get("cross_entropy", Convention())
    assert (told.shift > 0) == found
    if found:
        assert told.shift == constant


def test_in_single_precision_a_penalty_of_half_a_percent_is_read() -> None:
    given = [a for a in answers("mse", Convention(penalty=5e-3)) if not a.loud]
    told = _penalised([replace(a, problem=a.problem.astype("float32")) for a in given])
    assert told is not None
    assert told.penalty == pytest.approx(5e-3)
