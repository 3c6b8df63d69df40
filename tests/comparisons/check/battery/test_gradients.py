"""Checks of one evaluation: a right class passes each, one that is wrong in the place it looks at fails."""

from collections.abc import Callable
from dataclasses import replace
from typing import Any, ClassVar

import numpy as np
import pytest

from backproof.comparisons.check.battery.battery import CHECKS
from backproof.comparisons.check.battery.findings import Mismatch
from backproof.comparisons.check.battery.gradients import LONG_BATCH
from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import Convention, Conventions
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.laws import Law
from backproof.comparisons.check.subject.messages import LAYOUTS
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.scratch.architecture import LOSSES, Architecture, Array, DtypeName, LossName
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student
from tests.support.spoken_forms import speaking
from tests.support.stepping import stepping

OF_ONE_EVALUATION = ("weights", "logits", "loss", "gradient", "independence", "duplication", "extremes",
                     "large outputs", "layouts", "float32", "integers", "long sums")  # fmt: skip


def a_problem(loss: LossName = "mse", dtype: DtypeName = "float64", seed: int = 0) -> Problem:
    return generic_problem(Architecture((3, 4, 2), "tanh", loss, dtype), 4, seed)


def whole(problem: Problem) -> Problem:
    weights = [(np.rint(2 * W), np.rint(2 * b)) for W, b in problem.weights]
    return replace(problem, weights=weights, x=np.rint(2 * problem.x))


def given_to(name: str, loss: LossName) -> Problem:
    """A problem that the check is tried on."""
    problem = a_problem(loss, "float32" if name in ("float32", "long sums") else "float64")
    return whole(problem) if name == "integers" else problem


def run(name: str, kind: type, problem: Problem, **given: Any) -> Candidate:
    """The check, on a candidate of this form and these conventions."""
    (check,) = (one for one in CHECKS if one.name == name)
    candidate = Candidate(Here(kind), given.get("form"))
    candidate.conventions = given.get("conventions", Conventions())
    check.run(candidate, problem)
    return candidate


@pytest.mark.parametrize("name", OF_ONE_EVALUATION)
@pytest.mark.parametrize("loss", LOSSES)
def test_a_right_class_passes(name: str, loss: LossName) -> None:
    if (name, loss) == ("large outputs", "binary_cross_entropy"):
        return  # no such target lies beside a logit in the millions
    run(name, Student, given_to(name, loss))


def wrong(**methods: Callable[..., Any]) -> type:
    return type("Wrong", (Student,), methods)


def moved(method: str, change: Callable[[Any, Any], Any]) -> type:
    """What the method returns, changed; `change` is given the arguments' first and the result."""
    right = getattr(Student, method)
    return wrong(**{method: lambda self, *given: change(given[0] if given else None, right(self, *given))})


SINGLE = np.float32
WRONG: dict[str, list[tuple[type, str]]] = {
    "weights": [
        (moved("weights", lambda _, found: [(np.nextafter(W, 9), b) for W, b in found]), "^weights after"),
    ],
    "logits": [(moved("logits", lambda x, z: z * (1 + 1e-12)), r"^logits: .*logits\[")],
    "loss": [(moved("loss_value", lambda z, loss: loss * (1 + 1e-11)), "^loss: ")],
    "gradient": [
        (moved("bias_gradient", lambda delta, db: db * (1 + 1e-10)), r"^gradient: .*b[12]\["),
        (moved("weight_gradient", lambda a, dW: dW * (1 - 1e-10)), r"^gradient: .*W[12]\["),
    ],
    "independence": [
        (moved("logits", lambda x, z: z + 1e-9 * len(z)), r"logits\[0, \d\] alone and in a batch of 4"),
        (moved("logits", lambda x, z: z + 1e-9 * np.eye(*z.shape)[::-1] * len(z[1:])), r"logits\[[23], \d\]"),
    ],
    "duplication": [
        (moved("loss_value", lambda z, loss: loss * (1 + 1e-9 * len(z))), "^loss of the batch twice"),
        (moved("weight_gradient", lambda a, dW: dW * len(a[0])), r"^gradient of the batch twice.*W"),
        (moved("bias_gradient", lambda delta, db: db * len(delta)), r"^gradient of the batch twice.*b"),
    ],
    "extremes": [
        (moved("logsumexp", lambda z, found: np.log(np.exp(z).sum(axis=1))), "^loss: "),
        (moved("loss_value", lambda z, loss: min(loss, 700.0)), "^loss: "),
        (moved("softmax", lambda z, found: np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)), "^gradient: "),
    ],
    "large outputs": [
        (wrong(loss_value=lambda self, z, t: float(np.mean(z**2 - 2 * z * t + t**2))), "^loss: "),
        (moved("output_delta", lambda z, delta: delta * (1 + 1e-6 * (np.abs(z) > 1e5))), "^gradient: "),
    ],
    "float32": [
        (moved("logits", lambda x, z: z.astype(float)), "^logits: expected dtype float32, got float64"),
        (moved("bias_gradient", lambda d, db: db.astype(float)), "^gradient and weights: expected"),
        (moved("weights", lambda _, found: [(W.astype(float), b) for W, b in found]), "^gradient and w"),
        (moved("logits", lambda x, z: z * SINGLE(1.001)), "^logits: "),
        (moved("loss_value", lambda z, loss: loss * 1.001), "^loss: "),
        (moved("bias_gradient", lambda d, db: db * SINGLE(1.01)), "^gradient: "),
    ],
    "integers": [
        (moved("logits", lambda x, z: z + 1e-6 * (x.dtype.kind == "i")), "^logits of integer arrays"),
        (wrong(loss_and_gradient=lambda self, x, t: Student.loss_and_gradient(self, x * (1 + 1e-6), t)
               if x.dtype.kind == "i" else Student.loss_and_gradient(self, x, t)), " of integer arrays"),
    ],
    "long sums": [
        (wrong(loss_value=lambda self, z, t: float(np.cumsum((z - t) ** 2)[-1] / SINGLE(z.size))),
         "^mean loss of 20,000 rows"),
    ],
}  # fmt: skip
CASES = [(name, kind, said) for name, kinds in WRONG.items() for kind, said in kinds]
NEEDS_CROSS_ENTROPY = "logsumexp", "softmax"


@pytest.mark.parametrize(("name", "kind", "said"), CASES)
def test_a_class_that_is_wrong_there_fails(name: str, kind: type, said: str) -> None:
    cross = any(method in vars(kind) for method in NEEDS_CROSS_ENTROPY)
    with pytest.raises(Mismatch, match=said):
        run(name, kind, given_to(name, "cross_entropy" if cross else "mse"))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("method", ["logits", "loss_and_gradient", "load"])
def test_arrays_in_every_layout_are_given_and_an_answer_that_differs_is_told(
    layout: str, method: str
) -> None:
    def is_laid_out(x: Array) -> bool:
        return {"Fortran order": x.flags.f_contiguous and not x.flags.c_contiguous,
                "strides": not x.flags.c_contiguous and not x.flags.f_contiguous,
                "read-only": not x.flags.writeable}[layout]  # fmt: skip

    class Confused(Student):
        def load(self, architecture: Any, weights: Any) -> None:
            super().load(architecture, weights)
            if method == "load" and is_laid_out(weights[0][0]):
                self.W[0] = self.W[0] + 1e-6

        def logits(self, x: Array) -> Any:
            return super().logits(x) + 1e-6 * (method == "logits" and is_laid_out(x))

        def loss_and_gradient(self, x: Array, targets: Array) -> Any:
            loss, gradient = super().loss_and_gradient(x, targets)
            return loss + 1e-6 * (method == "loss_and_gradient" and is_laid_out(x)), gradient

    with pytest.raises(Mismatch, match=rf"of arrays \({layout}\)"):
        run("layouts", Confused, a_problem())


@pytest.mark.parametrize("missing", ["logits", "loss_and_gradient", "weights"])
@pytest.mark.parametrize("name", ["layouts", "integers"])
def test_what_is_not_offered_is_not_asked(name: str, missing: str) -> None:
    run(name, wrong(**{missing: None}), given_to(name, "mse"))  # type: ignore[arg-type]  # none is offered


def test_integers_that_are_refused_are_declined_and_a_wrong_value_is_not() -> None:
    class Refuses(Student):
        def load(self, architecture: Any, weights: Any) -> None:
            if weights[0][0].dtype.kind == "i":
                raise TypeError("no integers")
            super().load(architecture, weights)

    class Confused(Student):
        def logits(self, x: Array) -> Any:
            return None if x.dtype.kind == "i" else super().logits(x)

    for kind, finding in ((Refuses, "declined"), (Confused, "value")):
        with pytest.raises(Misbehaviour) as found:
            run("integers", kind, given_to("integers", "mse"))
        assert found.value.kind == finding
    with pytest.raises(Misbehaviour, match=r"^integer weights are refused: load raised TypeError"):
        run("integers", Refuses, given_to("integers", "mse"))


class Noting(Student):
    """What it was loaded with last, and asked."""

    seen: ClassVar[list[Any]] = []

    def loss_and_gradient(self, x: Array, targets: Array) -> Any:
        self.seen.append((self.weights(), x, targets))
        return super().loss_and_gradient(x, targets)


def noted(name: str, problem: Problem, **given: Any) -> Any:
    Noting.seen.clear()
    run(name, Noting, problem, **given)
    return Noting.seen[-1] if Noting.seen else None


@pytest.mark.parametrize("loss", ["cross_entropy", "mse"])
def test_logits_in_the_thousands_are_made_by_the_last_layer_alone(loss: LossName) -> None:
    problem = a_problem(loss)
    weights, x, targets = noted("extremes", problem)
    (W1, b1), (W2, b2) = problem.weights
    for found, expected in zip(weights, [(W1, b1), (1000 * W2, 1000 * b2)], strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    np.testing.assert_array_equal(x, problem.x)
    np.testing.assert_array_equal(targets, problem.targets)


@pytest.mark.parametrize("loss", ["cross_entropy", "mse", "sum_of_squares"])
def test_outputs_in_the_millions_are_made_by_the_last_bias_with_targets_beside_them(loss: LossName) -> None:
    problem = a_problem(loss)
    weights, _, targets = noted("large outputs", problem)
    (W1, b1), (W2, b2) = problem.weights
    for found, expected in zip(weights, [(W1, b1), (W2, b2 + 1e6)], strict=True):
        np.testing.assert_array_equal(found[0], expected[0])
        np.testing.assert_array_equal(found[1], expected[1])
    shift = 0 if loss == "cross_entropy" else 1e6
    np.testing.assert_array_equal(targets, problem.targets + shift)


@pytest.mark.parametrize("form", [Form(biases="none"), Form(output_activation="tanh")])
def test_where_no_output_can_be_shifted_none_is(form: Form) -> None:
    assert noted("large outputs", a_problem(), form=form) is None


def test_a_batch_twice_is_every_example_twice_in_reverse_order() -> None:
    problem = a_problem()
    _, x, targets = noted("duplication", problem)
    np.testing.assert_array_equal(x, np.concatenate([problem.x, problem.x])[::-1])
    np.testing.assert_array_equal(targets, np.concatenate([problem.targets, problem.targets])[::-1])


def test_a_long_batch_is_the_batch_so_often() -> None:
    problem = a_problem(dtype="float32")
    _, x, _ = noted("long sums", problem)
    np.testing.assert_array_equal(x, np.tile(problem.x, (LONG_BATCH // 4, 1)))
    three = generic_problem(Architecture((3, 2), "tanh", "mse", "float32"), 3, 0)
    assert len(noted("long sums", three)[1]) == 19_998


@pytest.mark.parametrize("name", ["duplication", "long sums"])
def test_a_sum_grows_with_the_batch_and_a_penalty_decides_nothing(name: str) -> None:
    summed = wrong(
        loss_value=lambda self, z, t: float(len(z) * Student.loss_value(self, z, t)),
        output_delta=lambda self, z, t: np.array(len(z), z.dtype) * Student.output_delta(self, z, t),
    )
    problem = given_to(name, "cross_entropy")
    sums = Conventions({"cross_entropy": Convention(Law(1))})
    run(name, summed, problem, conventions=sums)
    with pytest.raises(Mismatch):
        run(name, Student, problem, conventions=sums)
    with pytest.raises(Mismatch):
        run(name, summed, problem)
    run(name, summed, problem, conventions=Conventions({"cross_entropy": Convention(penalty=0.1)}))


def test_of_what_takes_one_example_at_a_time_no_long_mean_is_asked() -> None:
    form = Form(samples="single")
    assert not run("long sums", speaking(form), a_problem(dtype="float32"), form=form).calls


@pytest.mark.parametrize("name", ["loss", "long sums"])
def test_a_step_that_tells_no_loss_offers_none(name: str) -> None:
    with pytest.raises(Misbehaviour, match="step returns no loss") as found:
        run(name, stepping(None), given_to(name, "mse"), form=Form(step=True))
    assert found.value.kind == "declined"


@pytest.mark.parametrize("name", ["gradient", "duplication", "extremes", "large outputs", "float32"])
def test_the_gradient_of_a_step_that_tells_no_loss_is_judged(name: str) -> None:
    run(name, stepping(None), given_to(name, "mse"), form=Form(step=True))


def test_where_a_kink_may_be_taken_either_way_a_batch_twice_decides_nothing() -> None:
    zero = generic_problem(Architecture((3, 4, 2), "relu"), 4, 0)
    zero = replace(zero, weights=[(0 * zero.weights[0][0], 0 * zero.weights[0][1] + 1e-300), zero.weights[1]])
    run("duplication", wrong(bias_gradient=lambda self, delta, layer: delta.sum(axis=0)), zero)


def test_every_check_here_has_a_class_that_it_rejects() -> None:
    assert {*WRONG, "layouts"} == set(OF_ONE_EVALUATION)


# --- bounds ------------------------------------------------------------------------------------------------


def expected_of(problem: Problem) -> Any:
    return Candidate(Here(Student)).expected(problem)


@pytest.mark.parametrize("share", [0.9, -0.9, 1.1, -1.1])
def test_a_row_alone_may_be_off_by_twice_its_bound(share: float) -> None:
    """In single precision, where the bound is far above a millionth of a millionth."""
    problem = a_problem("cross_entropy", "float32")
    right = expected_of(problem).outputs
    allowed = 2 * right.error[2, 1] + 1e-12 * np.abs(right.value).max()

    def logits(self: Any, x: Array) -> Any:
        found = right.value[[np.flatnonzero((problem.x == row).all(axis=1))[0] for row in x]].copy()
        found[:, 1] += share * allowed * (len(x) == 1 and (x == problem.x[2]).all())
        return found

    if abs(share) < 1:
        run("independence", wrong(logits=logits), problem)
    else:
        with pytest.raises(Mismatch, match=r"logits\[2, 1\] alone"):
            run("independence", wrong(logits=logits), problem)


@pytest.mark.parametrize("share", [0.9, -0.9, 1.1, -1.1])
@pytest.mark.parametrize("what", ["loss", "gradient"])
@pytest.mark.parametrize("loss", ["mse", "sum_of_squares"])
def test_a_batch_twice_may_be_off_by_the_bounds_of_both(share: float, what: str, loss: LossName) -> None:
    problem = a_problem(loss)
    factor = 2.0 if loss == "sum_of_squares" else 1.0
    twice = problem.rows(np.arange(8)[::-1] % 4)
    first, second = expected_of(problem), expected_of(twice)

    def loss_and_gradient(self: Any, x: Array, targets: Array) -> Any:
        value, theta = factor * float(first.loss.value), factor * first.gradient.value.copy()
        if len(x) == 4:
            return value / factor, Parameters(problem.architecture, theta / factor).weights()
        if what == "loss":
            value += share * float(factor * first.loss.error + second.loss.error)
        else:
            theta[3] += share * (factor * first.gradient.error + second.gradient.error)[3]
        return value, Parameters(problem.architecture, theta).weights()

    kind = wrong(loss_and_gradient=loss_and_gradient)
    if abs(share) < 1:
        run("duplication", kind, problem)
    else:
        with pytest.raises(Mismatch, match=f"^{what} of the batch twice"):
            run("duplication", kind, problem)


@pytest.mark.parametrize("share", [0.9, -0.9, 1.1, -1.1])
@pytest.mark.parametrize("loss", LOSSES)
def test_a_long_mean_may_be_off_by_what_summing_in_pairs_loses(share: float, loss: LossName) -> None:
    problem = a_problem(loss, "float32")
    right, repeats = expected_of(problem).loss, LONG_BATCH // 4
    count = LONG_BATCH * (1 if loss == "cross_entropy" else 2)
    value, error = float(right.value), float(right.error)
    lost = Arithmetic.of("float32").gamma(16 + np.log2(count) + 2) * (value + error)
    factor = repeats if loss == "sum_of_squares" else 1
    told = factor * (value + share * (error + lost))
    kind = wrong(loss_value=lambda self, z, t: told)
    if abs(share) < 1:
        run("long sums", kind, problem)
    else:
        with pytest.raises(Mismatch, match=r"^mean loss of 20,000 rows"):
            run("long sums", kind, problem)
