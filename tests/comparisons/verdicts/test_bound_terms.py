"""The register of the bounds' terms: a new one without a hostile case fails here.

Every bound is a sum. `SUMS` says how many additions each function of the bounds' modules makes; whoever adds
a term changes that number, and is asked for a case that needs the term (the `TERMS` of the modules below).
Functions that add, but no terms that could be left out alone, say why.
"""

from types import ModuleType

import pytest

from backproof.comparisons.verdicts import (
    activation_bounds,
    backward_bounds,
    certified_differences,
    difference_bounds,
    forward_bounds,
    forward_mode_bounds,
    jacobian_paths,
    loss_bounds,
    monte_carlo,
    relu_kinks,
    relu_selections,
    rounding,
    shared_deltas,
)
from tests.comparisons.verdicts import (
    test_hostile_differences,
    test_hostile_estimates,
    test_hostile_paths,
    test_hostile_rounding,
    test_hostile_variances,
    test_regularized_bounds,
)
from tests.support.bound_terms import additions, home_of

CASES = (
    test_hostile_rounding,
    test_hostile_variances,
    test_hostile_differences,
    test_hostile_estimates,
    test_hostile_paths,
    test_regularized_bounds,
)
MODULES: tuple[ModuleType, ...] = (
    activation_bounds,
    backward_bounds,
    certified_differences,
    difference_bounds,
    forward_bounds,
    forward_mode_bounds,
    jacobian_paths,
    loss_bounds,
    monte_carlo,
    relu_kinks,
    relu_selections,
    rounding,
    shared_deltas,
)

SUMS: dict[str, dict[str, int]] = {
    "activation_bounds": {"_relu": 1, "_sigmoid": 10, "_smooth": 2, "_tanh": 10},
    "backward_bounds": {"_descend": 3, "_layer_gradient": 5, "_source": 15, "backward": 1, "row_blocks": 3},
    "certified_differences": {
        "_Perturbed._majorants": 5,
        "_Perturbed._moved": 4,
        "_Perturbed._next": 3,
        "_Perturbed._quotient": 4,
        "_Perturbed._smooth_third_derivative": 7,
        "_Perturbed._third_derivative": 3,
        "_Perturbed.differences": 1,
        "_equal_signs": 2,
        "_nearest_crossing": 1,
        "_sigmoid_slopes": 1,
        "_tanh_slopes": 1,
    },
    "difference_bounds": {
        "_Forward.slopes": 1,
        "_forward": 7,
        "_terms": 1,
        "central_difference_bound": 1,
        "unit_difference_bound": 3,
    },
    "forward_bounds": {
        "_Walk.__init__": 1,
        "_Walk._delta_errors": 2,
        "_Walk.ascend": 13,
        "_Walk.blocks": 3,
        "_Walk.finish": 5,
        "stored": 1,
    },
    "forward_mode_bounds": {
        "_descended": 1,
        "_tangent_sources": 6,
        "_truncation": 1,
        "forward_mode_error": 7,
    },
    "jacobian_paths": {"Paths.down": 8, "Paths.matrices": 4, "Paths.up": 2},
    "loss_bounds": {
        "LossBound.total": 5,
        "_binary_cross_entropy": 16,
        "_cross_entropy": 15,
        "_grown": 1,
        "_shifted": 2,
        "_softmax_rounding": 14,
        "_squares": 11,
        "sigmoid": 1,
        "sigmoid_rounding": 10,
    },
    "monte_carlo": {"_activated": 4, "_delta": 2, "_disturbed": 7, "estimated_reference": 3},
    "relu_kinks": {
        "_Selections.difference": 2,
        "_Selections.fitting": 3,
        "_Selections.tried": 1,
        "_against_every_selection": 1,
        "_jointly": 4,
        "_other_selection": 1,
        "expected_gradient": 2,
    },
    "relu_selections": {"one_example": 1},
    "rounding": {
        "Arithmetic.from_z": 1,
        "Arithmetic.of": 2,
        "Bounded.magnitude": 1,
        "Spread.total": 1,
        "_Sums._squares": 7,
        "_Sums.in_blocks": 4,
        "_Sums.term_by_term": 4,
        "_exact": 2,
        "inner_products": 4,
        "lowest_bit": 1,
        "product": 3,
        "sum_rounding": 8,
    },
    "shared_deltas": {"_least_scale": 1, "scale_of_error": 2},
}

# What is added there is no term of a bound that could be left out alone.
NO_TERMS = {
    "backward_bounds.row_blocks": "sizes",
    "backward_bounds.backward": "lists",
    "certified_differences._Perturbed.differences": "indices",
    "certified_differences._Perturbed._next": "a unit that is off and might be on: certain signs rule it out "
    "and frozen ones do not ask (test_hostile_differences leaves it out and sees the same differences)",
    "certified_differences._tanh_slopes": "1 + e^2",
    "certified_differences._sigmoid_slopes": "1 + e",
    "certified_differences._nearest_crossing": "an estimate of where to step, certified afterwards",
    "forward_bounds._Walk.blocks": "sizes",
    "forward_bounds.stored": "half a unit beside the whole units of the implementation itself",
    "forward_mode_bounds._descended": "indices",
    "jacobian_paths.Paths.matrices": "indices",
    "loss_bounds._grown": "exponents",
    "relu_kinks._jointly": "indices of names, and both errors that `expected_gradient` holds",
    "relu_kinks._Selections.tried": "indices",
    "relu_selections.one_example": "indices",
    "rounding.Arithmetic.of": "two unit roundoffs: every term is a multiple",
    "rounding.Arithmetic.from_z": "roundings of one formula, as one term",
    "rounding.Spread.total": "both parts of an error, each left out by itself where it is made",
    "rounding.lowest_bit": "exponents",
    "shared_deltas._least_scale": "indices",
}


def test_the_modules_add_as_often_as_their_cases_were_written_for() -> None:
    """After a change: is the new addition a term of a bound? Then it needs a case in one of the `TERMS`."""
    assert {module.__name__.rpartition(".")[2]: additions(module) for module in MODULES} == SUMS


def covered() -> set[str]:
    """module.function of every term that is left out in turn."""
    return {
        f"{term.module.__name__.rpartition('.')[2]}.{home_of(term.module, term.text.strip())}"
        for module in CASES
        for term in module.TERMS.values()
    }


# Functions no term of which is seen to need half of its bound: their modules say why, under "How close".
FAR = {
    "certified_differences._Perturbed._majorants",
    "certified_differences._Perturbed._quotient",
    "certified_differences._Perturbed._smooth_third_derivative",
    "difference_bounds._Forward.slopes",
    "difference_bounds._forward",
    "forward_mode_bounds._tangent_sources",
    "forward_mode_bounds._truncation",
    "forward_mode_bounds.complex_step_bound",
    "monte_carlo.estimated_reference",
    "rounding._exact",
}


def closest() -> dict[str, float]:
    """module.function -> the largest share of its bound that one of its cases must use, and does."""
    found: dict[str, float] = {}
    for module in CASES:
        for term in module.TERMS.values():
            name = term.module.__name__.rpartition(".")[2]
            home = f"{name}.{home_of(term.module, term.text.strip())}"
            found[home] = max(found.get(home, 0.0), term.close)
    return found


def test_half_of_every_bound_is_reached_or_its_module_says_why_not() -> None:
    assert {home for home, share in closest().items() if share < 0.5} == FAR
    for module in MODULES:
        name = module.__name__.rpartition(".")[2]
        assert ("*How close.*" in str(module.__doc__)) == any(home.startswith(f"{name}.") for home in FAR)


def test_every_function_that_adds_has_a_case_or_says_what_it_adds() -> None:
    adding = {f"{module}.{function}" for module, sums in SUMS.items() for function in sums}
    assert adding == (covered() & adding) | set(NO_TERMS)
    assert not covered() & set(NO_TERMS)


def test_a_function_with_one_addition_more_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SUMS["rounding"], "product", SUMS["rounding"]["product"] - 1)
    with pytest.raises(AssertionError):
        test_the_modules_add_as_often_as_their_cases_were_written_for()
