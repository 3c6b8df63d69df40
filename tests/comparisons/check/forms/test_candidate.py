"""A class of any form answers as ours: what it is given is in its form, what it says is read in ours."""

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.battery.grid import generic_problem
from backproof.comparisons.check.forms.candidate import HUGE_RATE, Candidate, at_zero
from backproof.comparisons.check.forms.form import WORDS, Form
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import Architecture, Array, DtypeName, LossName, OptimizerSpec
from backproof.scratch.problem import Problem
from tests.support.in_process import Here, Student
from tests.support.spoken_forms import speaking
from tests.support.stepping import stepping

LAYOUTS = [*product(WORDS["weight_layout"], WORDS["samples"], WORDS["biases"])]
BATCHES = [np.array([0, 3]), np.array([2])]
RULE = OptimizerSpec(learning_rate=0.1, momentum=0.5)


def problem(
    loss: LossName = "mse", biases: bool = True, sizes: tuple[int, ...] = (3, 4, 2), n: int = 4
) -> Problem:
    return generic_problem(Architecture(sizes, "tanh", loss), n, 0, biases)


def right(one: Problem) -> tuple[Array, float, Array]:
    """Logits, loss and gradient by the network itself."""
    net = Student()
    net.load(one.architecture, one.weights)
    loss, gradient = net.loss_and_gradient(one.x, one.targets)
    return net.logits(one.x), loss, flat_gradient(gradient)


def loaded(kind: type, form: Form, one: Problem) -> Candidate:
    candidate = Candidate(Here(kind), form)
    candidate.load(one.architecture, one.weights)
    return candidate


def bits(weights: Any) -> bytes:
    return flat_gradient(weights).tobytes()


@pytest.mark.parametrize(("weight_layout", "samples", "biases"), LAYOUTS)
@pytest.mark.parametrize("loss", ["cross_entropy", "sum_of_squares"])
def test_a_class_of_any_layout_answers_as_the_same_network_in_ours(
    weight_layout: str, samples: str, biases: str, loss: LossName
) -> None:
    one = problem(loss, biases != "none")
    for targets, gradients in zip(WORDS["targets"], WORDS["gradients"], strict=True):
        form = Form(
            targets=targets, weight_layout=weight_layout, samples=samples, biases=biases, gradients=gradients
        )
        candidate = loaded(speaking(form), form, one)
        logits, its_loss, gradient = right(one)
        np.testing.assert_array_equal(flat_gradient(candidate.weights()), one.flat())
        np.testing.assert_allclose(candidate.logits(one.x), logits, rtol=1e-13)
        found_loss, found = candidate.loss_and_gradient(one.x, one.targets)
        expected = gradient
        if biases == "none":
            for _, bias in one.architecture.layer_slices():
                expected[bias] = 0.0
        assert found_loss == pytest.approx(its_loss, rel=1e-13)
        np.testing.assert_allclose(flat_gradient(found), expected, rtol=1e-12, atol=1e-16)


def test_a_gradient_that_lies_transposed_to_its_weights_is_turned() -> None:
    for weight_layout in WORDS["weight_layout"]:
        form = Form(gradient_layout="out_in", weight_layout=weight_layout)
        candidate = loaded(speaking(form), form, problem())
        found = candidate.loss_and_gradient(problem().x, problem().targets)[1]
        np.testing.assert_allclose(flat_gradient(found), right(problem())[2], rtol=1e-13)


@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_training_is_given_in_its_form_and_its_checkpoints_are_read_from_it(samples: str) -> None:
    one, form = problem("cross_entropy"), Form(samples=samples, targets="one_hot", biases="column")
    net = Student()
    net.load(one.architecture, one.weights)
    losses = net.train(one.x, one.targets, BATCHES, RULE)
    candidate = loaded(speaking(form), form, one)
    assert candidate.train(one.x, one.targets, BATCHES, RULE) == pytest.approx(losses)
    assert bits(candidate.weights()) == bits(net.weights())
    candidate.load(one.architecture, one.weights)
    told, seen = candidate.train_recording(one.x, one.targets, BATCHES, RULE, (0, 2))
    assert told == pytest.approx(losses)
    assert [*seen] == [0, 2]
    assert (bits(seen[0]), bits(seen[2])) == (one.flat().tobytes(), bits(net.weights()))


@pytest.mark.parametrize(
    ("own", "asked", "given"), [("", "tanh", "tanh"), ("relu", "tanh", "relu"), ("gelu", "tanh", "gelu")]
)
def test_a_class_is_asked_for_the_activation_that_it_has(own: str, asked: str, given: str) -> None:
    class Asked(Student):
        def load(self, architecture: Any, weights: Any) -> None:
            super().load(architecture, weights)
            self.told = architecture.activation

        def initialize(self, architecture: Any, seed: int) -> Any:
            return self.told

    candidate = loaded(Asked, Form(activation=own), problem())
    assert candidate.architecture.activation == asked
    told = candidate.call("initialize", architecture=problem().architecture, seed=0)
    assert told.text == repr(given)


def test_what_is_overwritten_is_given_in_its_form_and_kept_as_loaded() -> None:
    one, form = problem("cross_entropy"), Form(samples="single", targets="one_hot", weight_layout="out_in")
    candidate = Candidate(Here(speaking(form)), form)
    candidate.scribble("load", architecture=one.architecture, weights=one.weights)
    assert (candidate.architecture, candidate.loaded) == (one.architecture, one.weights)
    assert bits(candidate.weights()) == one.flat().tobytes()
    candidate.scribble("loss_and_gradient", x=one.x, targets=one.targets)
    candidate.scribble("logits", x=one.x)
    assert [call.overwritten for call in candidate.calls] == [True, False, True, True]


def test_what_it_is_given_of_one_example_at_a_time_is_the_first() -> None:
    one = problem("cross_entropy")
    x, target = loaded(Student, Form(samples="single"), one).given(one.x, one.targets)
    np.testing.assert_array_equal(x, one.x[0])
    assert str(target) == str(int(one.targets[0]))
    assert type(target) is not np.ndarray
    columns = loaded(Student, Form(samples="columns", targets="one_hot"), one)
    x, target = columns.given(one.x, one.targets)
    np.testing.assert_array_equal(x, one.x.T)
    np.testing.assert_array_equal(target, np.eye(2)[one.targets].T)


# --- gradients as lists ------------------------------------------------------------------------------------


def arranged(how: str, **changed: Any) -> type:
    class Arranged(Student):
        def loss_and_gradient(self, x: Array, targets: Array) -> Any:
            loss, pairs = super().loss_and_gradient(x, targets)
            W, b = ([pair[part] for pair in pairs] for part in (0, 1))
            return loss, {"pairs": pairs, "one list": [a for p in pairs for a in p], "two lists": (W, b)}[how]

    for name, value in changed.items():
        setattr(Arranged, name, value)
    return Arranged


@pytest.mark.parametrize("how", ["pairs", "one list", "two lists"])
@pytest.mark.parametrize("sizes", [(3, 2), (3, 4, 2), (2, 2, 2), (3, 1, 3), (3, 4, 2, 3)])
def test_a_gradient_may_come_in_pairs_in_one_list_or_in_two(how: str, sizes: tuple[int, ...]) -> None:
    one = problem(sizes=sizes)
    candidate = loaded(arranged(how), Form(), one)
    found = candidate.loss_and_gradient(one.x, one.targets)[1]
    np.testing.assert_array_equal(flat_gradient(found), right(one)[2])
    told = {"one list": "one list, W and b in turn", "two lists": "two lists, of the W and of the b"}
    assert candidate.arrangement == told.get(how, "")


def test_of_two_lists_of_one_number_each_the_arrangement_is_that_seen_before() -> None:
    """With one unit in every layer W1, b1, W2 and b2 are (1, 1), (1,), (1, 1) and (1,) in columns or not."""
    form, one = Form(biases="row"), problem(sizes=(1, 1, 1))
    gradients = right(one)[2]
    for seen, order in (("", [0, 1, 2, 3]), ("two lists, of the W and of the b", [0, 2, 1, 3])):

        class Ambiguous(Student):
            order_of_parts = order

            def loss_and_gradient(self, x: Array, targets: Array) -> Any:
                parts = [gradients[i].reshape(1, 1) for i in self.order_of_parts]
                return 0.5, [parts[:2], parts[2:]]

        candidate = loaded(Ambiguous, form, one)
        candidate.arrangement = seen
        found = candidate.loss_and_gradient(one.x, one.targets)[1]
        np.testing.assert_array_equal(flat_gradient(found), gradients)


def test_one_number_for_all_biases_of_a_layer_is_every_one_of_them() -> None:
    class OneNumber(Student):
        def bias_gradient(self, delta: Array, layer: int) -> Any:
            return float(delta.sum())

    one = problem()
    W, b = loaded(OneNumber, Form(), one).loss_and_gradient(one.x, one.targets)[1][0]
    np.testing.assert_allclose(b, np.full(4, flat_gradient([(W * 0, b)])[-1]))
    assert b.dtype == W.dtype


# --- a step in place of a gradient -------------------------------------------------------------------------


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_a_gradient_is_read_from_the_step_it_makes_and_the_weights_are_put_back(dtype: DtypeName) -> None:
    one = problem().astype(dtype)
    candidate = loaded(stepping("loss"), Form(step=True), one)
    assert candidate.offers("loss_and_gradient", "logits")
    loss, gradient = candidate.loss_and_gradient(one.x, one.targets)
    _, right_loss, expected = right(one)
    assert loss == pytest.approx(right_loss)
    tolerance = 4 * float(np.finfo(dtype).eps)
    np.testing.assert_allclose(flat_gradient(gradient), expected, rtol=tolerance, atol=tolerance / 100)
    assert bits(candidate.weights()) == one.flat().tobytes()
    assert not candidate.silent
    assert candidate.subject.calls[1].arguments["rate"] == HUGE_RATE[dtype] > 1e30


def test_a_step_that_tells_no_loss_is_silent() -> None:
    candidate = loaded(stepping(None), Form(step=True), problem())
    loss, _ = candidate.loss_and_gradient(problem().x, problem().targets)
    assert candidate.silent
    assert np.isnan(loss)


@pytest.mark.parametrize(("dtype", "unit"), [("float64", 2.0**-552), ("float32", 2.0**-123)])
def test_of_a_step_what_is_too_small_to_move_a_weight_is_lost_and_nothing_else(
    dtype: DtypeName, unit: float
) -> None:
    one = problem().astype(dtype)
    plain, step = (loaded(stepping("loss"), Form(step=step), one).expected(one) for step in (False, True))
    assert plain.lost is None
    assert step.lost is not None
    np.testing.assert_allclose(step.lost, unit * np.abs(one.flat().astype(float)), rtol=1e-14)


@pytest.mark.parametrize("sizes", [(3, 4, 2), (3, 4, 3, 2)])
def test_of_a_step_that_updates_early_the_gradient_is_that_of_no_step_at_all(sizes: tuple[int, ...]) -> None:
    one = problem(sizes=sizes)
    candidate = loaded(stepping("loss", early=True), Form(step=True), one)
    candidate.early = True
    loss, gradient = candidate.loss_and_gradient(one.x, one.targets)
    np.testing.assert_allclose(flat_gradient(gradient), right(one)[2], rtol=1e-9, atol=1e-12)
    assert loss == pytest.approx(right(one)[1])
    rates = [call.arguments["rate"] for call in candidate.calls if call.method == "step"]
    assert rates == [i / 16 for i in range(1, {3: 2, 4: 4}[len(sizes)] + 1)]


@pytest.mark.parametrize("degree", [0, 1, 2])
def test_a_polynomial_is_known_at_zero_from_as_many_values_as_it_has_coefficients(degree: int) -> None:
    rates = [0.25, 0.5, 2.0][: degree + 1]
    values = [3.0 + sum(rate**i for i in range(1, degree + 1)) for rate in rates]
    assert at_zero(rates) @ values == pytest.approx(3.0)


# --- what is no answer -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("method", "value", "said"),
    [
        ("logits", np.zeros((2, 4)), r"logits: expected shape \(4, 2\).*got \(2, 4\); transposed\?"),
        ("logits", np.zeros((4, 3)), r"logits: expected shape \(4, 2\).*got \(4, 3\)$"),
        ("logits", None, "logits: expected a numpy array of shape .* got None"),
        ("loss_and_gradient", 0.5, "loss_and_gradient: expected a pair .* got float 0.5"),
        ("loss_and_gradient", [0.5, 1, 2], "expected a pair .* got a list of 3"),
        ("loss_and_gradient", ["0.5", []], "gradient: expected 2 pairs .* got a list of 0"),
        ("loss_and_gradient", [0.5, [[np.zeros((3, 4))] * 3] * 2], "gradient of layer 1: expected a pair"),
        ("loss_and_gradient", [0.5, [(np.zeros((4, 3)), np.zeros(4))] * 2], r"gradient W1: .*transposed\?"),
        ("loss_and_gradient", [0.5, [(np.zeros((3, 4)), np.zeros(3))] * 2], r"gradient b1: expected shape"),
        ("train", [0.5], "train: expected 2 losses, one per batch, got a list of 1"),
        ("train", ["low", "lower"], "a loss of train: expected a number, got str 'low'"),
        ("weights", [], "weights: expected 2 pairs"),
    ],
)  # fmt: skip
def test_what_is_no_answer_is_told_with_what_was_expected(method: str, value: Any, said: str) -> None:
    kind = type("Wrong", (Student,), {method: lambda self, *given: value})
    candidate = loaded(kind, Form(), problem())
    ask = {
        "logits": lambda: candidate.logits(problem().x),
        "loss_and_gradient": lambda: candidate.loss_and_gradient(problem().x, problem().targets),
        "train": lambda: candidate.train(problem().x, problem().targets, BATCHES, RULE),
        "weights": candidate.weights,
    }[method]
    with pytest.raises(Misbehaviour, match=said) as found:
        ask()
    assert (found.value.kind, found.value.fatal) == ("value", False)


def test_a_loss_that_is_no_number_is_told_and_one_in_an_array_is_one() -> None:
    gradient = right_pairs()
    for value in (np.array(0.5), np.float32(0.5), 1, [0.5], "1"):

        class Says(Student):
            said = value

            def loss_and_gradient(self, *given: Any) -> Any:
                return self.said, gradient

        candidate = loaded(Says, Form(), problem())
        if not isinstance(value, list | str):
            assert candidate.loss_and_gradient(problem().x, problem().targets)[0] == float(value)
        else:
            with pytest.raises(Misbehaviour, match="loss: expected a number"):
                candidate.loss_and_gradient(problem().x, problem().targets)


def right_pairs() -> Any:
    net = Student()
    net.load(problem().architecture, problem().weights)
    return net.loss_and_gradient(problem().x, problem().targets)[1]


@pytest.mark.parametrize("shape", [(2,), (1, 2), (2, 1)])
def test_the_outputs_of_one_example_may_lie_along_any_axis(shape: tuple[int, ...]) -> None:
    class Shaped(Student):
        def logits(self, x: Array) -> Array:
            found: Array = super().logits(x[None]).reshape(shape)
            return found

    one = problem()
    candidate = loaded(Shaped, Form(samples="single"), one)
    np.testing.assert_allclose(candidate.logits(one.x), right(one)[0], rtol=1e-14)


def test_a_single_output_may_be_a_number_and_several_may_not() -> None:
    for outputs in (1, 2):
        kind = type("Number", (Student,), {"logits": lambda self, x: 0.25})
        one = problem(sizes=(3, outputs))
        candidate = loaded(kind, Form(samples="single"), one)
        if outputs == 1:
            np.testing.assert_array_equal(candidate.logits(one.x), np.full((4, 1), 0.25))
        else:
            with pytest.raises(Misbehaviour, match=r"logits: expected a numpy array of shape \(2,\)"):
                candidate.logits(one.x)


def test_a_candidate_of_which_nothing_is_said_has_our_form_and_double_precision() -> None:
    plain = Candidate(Here(Student))
    assert (plain.form, plain.dtype, plain.loaded, plain.arrangement) == (Form(), "float64", [], "")
    assert [plain.silent, plain.early, plain.reads_by_name] == [False] * 3
    assert plain.conventions.of(problem()).is_ours
    assert not plain.offers("loss_and_gradient", "fly")
    assert replace(plain.form, step=True).step
