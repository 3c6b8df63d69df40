"""Forward mode and the complex step stay inside bounds of their own."""

import numpy as np
from hypothesis import given

from backproof.comparisons.verdicts.backward_bounds import backward
from backproof.comparisons.verdicts.forward_bounds import forward
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.network_bounds import backprop_reference
from backproof.comparisons.verdicts.rounding import (
    Arithmetic,
)
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import (
    DTYPES,
)
from backproof.scratch.gradients import gradient
from tests.support.strategies import Case, cases


@given(case=cases(dtypes=DTYPES, activations=("identity", "tanh", "sigmoid")))
def test_the_complex_step_stays_inside_its_bound(case: Case) -> None:
    wide = case.astype("float64")
    with np.errstate(all="ignore"):
        stepped = gradient(wide.network(), wide.x, wide.targets, "complex_step", evaluation="structured")
    reference = backprop_reference(case.architecture, case.weights, case.x, case.targets)
    shadow = backward(
        forward(case.architecture, case.weights, case.x, case.targets, Arithmetic.of("float64", shadow=False))
    )
    bound = complex_step_bound(case.architecture, case.weights, case.x, case.targets) + shadow.error
    assert compare(stepped, reference.gradient.value, bound).outcome != "FAIL"


@given(case=cases(dtypes=DTYPES))
def test_the_bound_for_any_order_is_never_below_that_of_reverse_mode(case: Case) -> None:
    arguments = case.architecture, case.weights, case.x, case.targets
    reverse = backprop_reference(*arguments).gradient.error
    anyhow = backprop_reference(*arguments, order="any").gradient.error
    assert (anyhow >= reverse).all()
