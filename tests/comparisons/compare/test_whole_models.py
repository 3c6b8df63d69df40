"""Models of any layers: right ports differ by rounding, and a wrong one where it is wrong."""

import importlib.util
from itertools import islice
from typing import Any, cast

import numpy as np
import pytest

from backproof.comparisons.compare import part, whole_models, words
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.pairing import Same
from backproof.comparisons.compare.result import Compared, Link
from backproof.comparisons.compare.whole_models import Recorded
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Arithmetic
from backproof.reference.contender import NotOffered
from backproof.reference.record import WHOLE, Call, Record, Task
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from tests.support import porting_mistakes_of_models
from tests.support import whole_models as models
from tests.support import whole_models_keras as models_keras
from tests.support.models_here import Here
from tests.support.porting_mistakes_of_models import PLANTED, Planted

HERE = "tests.support.whole_models"
needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow"
)


def compared(first: Any, second: Any, *, wide: bool = True) -> list[Compared]:
    """Both in this process; in float64 alone where it is enough."""
    models = [made().double() if wide else made() for made in (first, second)]
    pair = Here("first", models[0]), Here("second", models[1])
    return list(whole_models.compare(cast(tuple[OwnModel, OwnModel], pair), 0))


def firsts(found: list[Compared], i: int) -> list[Link]:
    return [first for one in found if (first := one.sides[i].first) is not None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (models.images, models.images),
        (models.images, models.Ported),
        (models.Ported, models.images),
        (models.sentences, models.PortedSentences),
    ],
)
def test_right_ports_differ_by_rounding_only_in_both_dtypes_and_modes(first: Any, second: Any) -> None:
    found = compared(first, second, wide=False)
    assert len(found) == 4
    assert [link for i in (0, 1) for link in firsts(found, i)] == []
    assert all(len(side.links) > 40 for one in found for side in one.sides)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_mistake_is_found_in_the_tensor_where_it_is_made_and_named(planted: Planted) -> None:
    right = getattr(models, planted.right)
    found = compared(right, getattr(porting_mistakes_of_models, planted.name))
    assert firsts(found, 0) == []
    assert {link.tensor for link in firsts(found, 1)} == {planted.tensor}
    causes = [cause for link in firsts(found, 1) for cause in link.causes]
    assert any(planted.cause in cause for cause in causes) or not planted.cause, causes


def test_what_follows_from_a_mistake_is_not_blamed() -> None:
    found = compared(models.images, porting_mistakes_of_models.eps_of_batch_norm)
    failed = {
        link.tensor.removeprefix("d ").removeprefix("into ").partition(".")[0]
        for one in found
        for link in one.sides[1].links
        if link.outcome is Outcome.FAIL
    }
    assert failed == {"n1"}


def test_weights_of_its_own_are_told_and_those_of_the_first_taken() -> None:
    def other() -> Any:
        import torch

        torch.manual_seed(5)
        return models.moved(models.Images())

    found = compared(models.images, other)
    assert firsts(found, 1) == []
    assert all("its own weights: " in " ".join(one.sides[1].not_offered) for one in found)


@needs_tensorflow
@pytest.mark.parametrize(
    ("first", "second"), [(models.images, "images"), (models_keras.torch_words, "words")]
)
def test_a_keras_model_and_a_torch_module_of_the_same_layers_differ_by_rounding_only(
    first: Any, second: str
) -> None:
    for pair in ((first, getattr(models_keras, second)), (getattr(models_keras, second), first)):
        found = compared(*pair, wide=False)
        assert [link for i in (0, 1) for link in firsts(found, i)] == []
        assert all(len(side.links) > 30 for one in found for side in one.sides)


@needs_tensorflow
@pytest.mark.parametrize(
    ("second", "tensor", "cause"),
    [
        ("other_eps", "batch_normalization", "eps is 0.001, not 1e-05"),
        ("other_momentum", "moving_mean", "the momentum is 0.9, 1 minus 0.1"),
        ("rows_as_in_torch", "dense", "holds the numbers of fc.weight in another order"),
        ("no_padding", "conv2d", "shape (6, 4, 6, 6) where (6, 4, 8, 8) belongs"),
    ],
)
def test_a_mistake_of_a_port_to_keras_is_found_and_named(second: str, tensor: str, cause: str) -> None:
    found = compared(models.images, getattr(models_keras, second), wide=False)
    assert firsts(found, 0) == []
    assert firsts(found, 1)
    for first in firsts(found, 1):
        assert tensor in first.tensor
        assert any(cause in text for text in first.causes), first.causes


@needs_tensorflow
def test_the_other_formula_of_an_activation_inside_a_keras_layer_is_named() -> None:
    found = compared(models_keras.torch_words_by_tanh, models_keras.words, wide=False)
    assert firsts(found, 1)
    assert all(first.tensor.endswith(" activation") for first in firsts(found, 1))
    assert all(first.causes == ("it is gelu by erf",) for first in firsts(found, 1))


@needs_tensorflow
def test_two_keras_models_of_other_layers_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="expected a torch module as one of the two"):
        compared(models_keras.images, models_keras.images, wide=False)


def test_each_side_runs_in_a_process_of_its_own() -> None:
    found = part.run((f"{HERE}:sentences", f"{HERE}:PortedSentences"), 0, Silent())
    assert found.verdict is Outcome.PASS
    assert "4 problems within rounding" in words.summary(found, 1)


def test_beside_a_class_a_model_of_other_layers_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="scratch is a class, and takes no others"):
        part.run((f"{HERE}:sentences", "scratch"), 0, Silent())


# --- the measure, piece by piece ----------------------------------------------------------------------------


class Fake:
    """A model that says what it was asked, and computes nothing."""

    def __init__(self, framework: str = "torch", dtype: str = "float32", known: bool = True) -> None:
        self.name, self.framework, self.dtype, self.known = f"a {framework}", framework, dtype, known
        self.seeds: list[int] = []
        self.tasks: list[Task] = []

    def inputs(self, seed: int) -> list[Array]:
        if not self.known:
            raise NotOffered("no input is known")
        self.seeds.append(seed)
        return [np.random.default_rng(seed).normal(size=(5, 4)), np.arange(5)]

    def output(self, task: Task) -> Array:
        self.tasks.append(task)
        return np.zeros((5, 3))

    def record(self, task: Task) -> Record:
        self.tasks.append(task)
        call = Call(WHOLE, WHOLE, "Net", -1, 6)
        return Record([call], np.array(1.0), {"w": np.arange(6.0).reshape(2, 3)})

    def expected(self, task: Task, theirs: object) -> dict[str, tuple[Array, Array]]:
        self.tasks.append(task)
        return {"loss": (np.array(1.0), np.array(0.0))}

    def explain(self, *given: object) -> list[str]:
        return ["explained"]


def pair(*made: Any) -> tuple[OwnModel, OwnModel]:
    return cast(tuple[OwnModel, OwnModel], made)


@pytest.mark.parametrize(
    ("shape", "labels"), [((5, 3), True), ((1, 3), True), ((5, 1), False), ((5,), False), ((5, 3, 2), False)]
)
def test_targets_are_labels_for_rows_of_several_scores_and_else_numbers(
    shape: tuple[int, ...], labels: bool
) -> None:
    found = whole_models._targets(np.zeros(shape), 3)
    if labels:
        assert (found.shape, found.dtype.kind) == (shape[:1], "i")
        many = whole_models._targets(np.zeros((500, 3)), 3)
        assert set(many) == {0, 1, 2}
    else:
        assert (found.shape, found.dtype.kind) == (shape, "f")
    np.testing.assert_array_equal(found, whole_models._targets(np.zeros(shape), 3))
    larger = np.zeros((40, *shape[1:]))
    assert (whole_models._targets(larger, 3) != whole_models._targets(larger, 4)).any()


def test_torch_modules_are_compared_in_float64_too_and_beside_keras_in_its_own_precision_alone() -> None:
    single, double, keras = Fake(), Fake(dtype="float64"), Fake("keras", "float16")
    assert whole_models._dtypes(*pair(single, single)) == ["float32", "float64"]
    assert whole_models._dtypes(*pair(double, single)) == ["float64"]
    assert whole_models._dtypes(*pair(single, keras)) == ["float16"]
    assert whole_models.count(pair(single, single)) == 4
    assert whole_models.count(pair(keras, single)) == whole_models.count(pair(single, keras)) == 2


@pytest.mark.parametrize("first", [True, False])
def test_every_precision_is_asked_in_both_modes_and_each_side_stands_where_it_was_named(first: bool) -> None:
    measure, other = Fake(), Fake("keras", "float32", known=False)
    found = list(whole_models.compare(pair(measure, other) if first else pair(other, measure), 7))
    assert [one.problem.partition(",")[0] for one in found] == ["evaluation", "training"]
    names = [measure.name, other.name] if first else [other.name, measure.name]
    assert [[side.name for side in one.sides] for one in found] == [names] * 2
    assert measure.seeds == [7]
    assert [task.training for task in measure.tasks if task.targets.size == 1] == [False, True]
    expected = np.random.default_rng(7).normal(size=(5, 4)).astype("float32")
    for task in measure.tasks:
        np.testing.assert_array_equal(task.inputs[0], expected)
        assert task.inputs[1].dtype.kind == "i"
    targets = whole_models._targets(np.zeros((5, 3)), 7)
    assert all((task.targets == targets).all() for task in measure.tasks if task.targets.size > 1)


def test_inputs_are_those_of_the_other_where_the_measure_knows_none() -> None:
    measure, other = Fake(known=False), Fake()
    whole_models._inputs(*pair(measure, other), 4)
    assert other.seeds == [4]


def test_where_neither_is_a_torch_module_it_is_refused_by_name_with_the_reason() -> None:
    first, second = Fake("keras"), Fake("keras")
    first.not_a_stack, second.not_a_stack = "", "it has a convolution"  # type: ignore[attr-defined]  # stand-ins
    with pytest.raises(InputError, match=r"^a keras: expected a torch module .*: it has a convolution$"):
        list(whole_models.compare(pair(first, second), 0))


def test_random_tasks_differ_in_inputs_weights_and_targets_and_are_those_of_their_seed() -> None:
    def tasks(seed: int, n: int = 6) -> list[Task]:
        return [task for task, _ in islice(whole_models.random_tasks(pair(Fake(), Fake()), seed), n)]

    found, again, other = tasks(1), tasks(1), tasks(2)
    assert [task.dtype for task in found] == ["float32", "float64"] * 3
    assert {task.training for task in tasks(1, 20)} == {True, False}
    for one, same, another in zip(found, again, other, strict=True):
        np.testing.assert_array_equal(one.inputs[0], same.inputs[0])
        np.testing.assert_array_equal(one.parameters["w"], same.parameters["w"])
        assert not (one.inputs[0] == another.inputs[0]).any()
        assert not (one.parameters["w"] == another.parameters["w"]).all()
        assert one.parameters["w"].dtype == one.inputs[0].dtype == one.dtype
    assert len({task.inputs[0].tobytes() for task in found}) == 6
    assert len({task.targets.tobytes() for task in found}) > 1


def test_random_weights_are_a_quarter_to_twice_as_large_in_either_mode_as_often(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Without their jitter: what is drawn of the first weights 0, 1, ... is the size alone."""
    monkeypatch.setattr(whole_models, "_jittered", lambda value, rng: value)
    measure = Fake()
    drawn = [task for task, _ in islice(whole_models.random_tasks(pair(measure, Fake()), 3), 100)]
    sizes = [float(task.parameters["w"][0, 1]) for task in drawn]
    assert 0.25 <= min(sizes) < 0.28
    assert 1.8 < max(sizes) <= 2.0
    assert np.median(sizes) == pytest.approx(2**-0.5, rel=0.15)
    assert 0.35 < np.mean([task.training for task in drawn]) < 0.65
    assert measure.seeds == [3 + index for index in range(100)]
    for index, task in enumerate(drawn):
        np.testing.assert_array_equal(task.targets, whole_models._targets(np.zeros((5, 3)), 3 + index))


def test_numbers_are_jittered_by_half_of_their_size_and_of_their_mean_and_labels_are_not() -> None:
    value = np.concatenate([np.zeros(20_000), np.full(20_000, 2.0)])
    changed = whole_models._jittered(value, np.random.default_rng(0)) - value
    assert np.std(changed[:20_000]) == pytest.approx(0.5 * 1.0, rel=0.02)
    assert np.std(changed[20_000:]) == pytest.approx(0.5 * 3.0, rel=0.02)
    labels = np.arange(5)
    assert whole_models._jittered(labels, np.random.default_rng(0)) is labels


# --- which is which -----------------------------------------------------------------------------------------


def a_record(names: tuple[str, str] = ("0", "1"), **more: Any) -> Record:
    """Two layers of four parameters each inside a model, with a buffer and one input."""
    rng = np.random.default_rng(1)
    calls = [Call(WHOLE, WHOLE, "Net", -1, 8, [rng.normal(size=(3, 2))], [rng.normal(size=(3, 2))])]
    calls += [Call(n, n, "Linear", 0, 4, [rng.normal(size=(3, 2))], [rng.normal(size=(3, 2))]) for n in names]
    parameters = {f"{name}.weight": rng.normal(size=(2, 2)) for name in names}
    buffers = {f"{names[0]}.mean": rng.normal(size=3)}
    return Record(calls, np.array(1.0), parameters, buffers=buffers, **more)


def test_what_cut_the_other_off_and_what_it_could_not_be_asked_for_is_told() -> None:
    ours, theirs = a_record(), a_record(("a", "b"))
    assert whole_models.sameness(ours, theirs).notes == ()
    theirs.raised, theirs.notes = "ValueError: no", ["it has no step"]
    assert whole_models.sameness(ours, theirs).notes == (
        "it has no step",
        "the pass ended: ValueError: no",
    )


def test_parameters_without_a_counterpart_are_told() -> None:
    ours, theirs = a_record(), a_record(("a", "b"))
    del theirs.parameters["b.weight"]
    same = whole_models.sameness(ours, theirs)
    assert same.notes == ("no counterpart was found for 1.weight: their gradients are not compared",)
    assert {one.ours: one.theirs for one in same.parameters} == {"0.weight": ("a.weight",)}
    assert same.buffers == {"0.mean": "a.mean"}
    assert same.calls == {WHOLE: WHOLE, "0": "a", "1": "b"}


def test_the_first_of_the_weights_that_differ_is_told_by_its_entry_and_all_are_copied() -> None:
    ours, theirs = a_record(), a_record(("a", "b"))
    for name in theirs.parameters:
        theirs.parameters[name] = ours.parameters[name.replace("a", "0").replace("b", "1")].copy()
        theirs.parameters[name][1, 0] += 1.0
    same = whole_models.sameness(ours, theirs)
    (note,) = same.notes
    right = ours.parameters["1.weight"][1, 0]
    assert note == (
        f"its own weights: b.weight[1, 0] is {right + 1:.9g} where {right:.9g} belongs; "
        "it is compared at those of the other"
    )
    copied = whole_models._copied(same, ours, theirs, everything=False)
    np.testing.assert_equal(
        copied, {"a.weight": ours.parameters["0.weight"], "b.weight": ours.parameters["1.weight"]}
    )


def test_weights_that_are_the_same_are_copied_only_where_all_are_asked_for() -> None:
    ours, theirs = a_record(), a_record(("a", "b"))
    same = whole_models.sameness(ours, theirs)
    assert whole_models._copied(same, ours, theirs, everything=False) == {}
    assert set(whole_models._copied(same, ours, theirs, everything=True)) == {"a.weight", "b.weight"}


def test_a_recorded_tensor_is_found_under_the_measures_name_for_it() -> None:
    ours, theirs = a_record(), a_record(("a", "b"))
    theirs.gradients = {"a.weight": np.full((2, 2), 7.0)}
    theirs.calls[1].input_gradients[0] = np.array([1.0])
    theirs.calls[1].output_gradients[0] = np.array([2.0])
    theirs.calls[1].outputs.append(np.array([3.0]))
    found = Recorded(theirs, whole_models.sameness(ours, theirs))
    call = theirs.calls[1]
    for label, value, name in [
        ("loss", theirs.loss, "loss"),
        ("0.mean", theirs.buffers["a.mean"], "a.mean"),
        ("d 0.weight", theirs.gradients["a.weight"], "d a.weight"),
        ("0", call.outputs[0], "a"),
        ("0[1]", call.outputs[1], "a[1]"),
        ("into 0", call.inputs[0], "into a"),
        ("d 0", call.output_gradients[0], "d a"),
        ("d into 0", call.input_gradients[0], "d into a"),
    ]:
        np.testing.assert_array_equal(found.tensor(label), value)
        assert found.name(label) == name
    for label in ("0[2]", "into 0[1]", "d 0[1]", "elsewhere", "d 1.weight"):
        assert found.tensor(label) is None
    assert found.name("elsewhere[1]") == "elsewhere[1]"


# --- judging ------------------------------------------------------------------------------------------------


def judging(expected: dict[str, tuple[Array, Array]], record: Record, dtype: str = "float32") -> Any:
    task = Task(dtype, False, [], np.zeros(1), {})
    side = Recorded(record, whole_models.Sameness.itself(record))
    measure = cast(OwnModel, Fake())
    return whole_models._Judging(measure, task, side, Arithmetic.of(dtype), expected)


@pytest.mark.parametrize(("dtype", "factor"), [("float32", 64.0), ("float64", 1024.0)])
def test_a_bound_is_what_changes_do_to_the_entry_and_to_all_and_a_few_roundings(
    dtype: str, factor: float
) -> None:
    value, spread = np.array([[2.0, -4.0]]), np.array([[1e-3, 3e-3]])
    found = judging({}, Record(), dtype)._bounded(value, spread)
    unit = Arithmetic.of(dtype).unit
    np.testing.assert_allclose(
        found.error, factor * np.array([[3e-3, 5e-3]]) + 8 * unit * np.array([[2.0, 4.0]]), rtol=1e-12
    )
    exact = judging({}, Record(), dtype)._bounded(value, 0 * spread)
    np.testing.assert_allclose(exact.error, 8 * unit * np.abs(value), rtol=1e-6)
    assert judging({}, Record(), dtype)._bounded(np.zeros((0, 2)), np.zeros((0, 2))).error.shape == (0, 2)
    assert judging({}, Record(), dtype)._bounded(np.zeros(1), np.zeros(1)).error[0] > 0


def test_a_gradient_that_is_not_there_fails_unless_it_is_zero_or_the_pass_was_cut_off() -> None:
    record = a_record()
    expected = {"d 0.weight": (np.ones((2, 2)), np.zeros((2, 2)))}
    (link,) = judging(expected, record).link("d 0.weight")
    assert (link.outcome, link.tensor) == (Outcome.FAIL, "d 0.weight")
    assert "it has no gradient" in link.causes[0]
    partly = {"d 0.weight": (np.eye(2), np.zeros((2, 2)))}
    assert [one.outcome for one in judging(partly, record).link("d 0.weight")] == [Outcome.FAIL]
    assert [*judging({"d 0.weight": (np.zeros((2, 2)), np.zeros((2, 2)))}, record).link("d 0.weight")] == []
    assert [*judging({"d 0": expected["d 0.weight"]}, record).link("d 0")] == []
    record.raised = "ValueError"
    assert [*judging(expected, record).link("d 0.weight")] == []


def test_only_the_first_difference_is_looked_into() -> None:
    record = a_record()
    expected = {name: (np.zeros((3, 2)), np.zeros((3, 2))) for name in ("0", "1")}
    both = judging(expected, record)
    (first,), (second,) = both.link("0"), both.link("1")
    assert first.outcome is second.outcome is Outcome.FAIL
    assert (first.causes, second.causes) == (("explained",), ())


def test_pieces_are_the_numbers_recorded_before_a_tensor_in_its_own_direction() -> None:
    record = a_record()
    record.calls[1].output_gradients[0] = np.ones((3, 2))
    record.calls[2].output_gradients[0] = np.ones((3, 2))
    record.calls[1].inputs = [np.arange(3)]
    nothing = np.zeros((3, 2)), np.zeros((3, 2))
    expected = dict.fromkeys(("into 0", "0", "1", "d 1", "d 0", "model"), nothing)
    found = judging(expected, record)
    assert set(found._pieces("1")) == {"0"}
    assert set(found._pieces("d 0")) == {"d 1"}
    assert set(found._pieces("model")) == {"0", "1"}


def test_parameters_in_another_order_or_with_other_axes_are_told_of_their_own_layer() -> None:
    record = a_record()
    sames = [
        Same("0.weight", ("a.kernel",), (1, 0), "same"),
        Same("0.bias", ("a.bias",), (0,), "moved"),
        Same("1.weight", ("b.kernel",), (1, 0), "moved"),
    ]
    found = judging({}, record)
    found.side.same = whole_models.Sameness({}, sames, {})
    assert found._weights("0") == [
        "a.kernel is 0.weight with its axes in another order: (1, 0)",
        "a.bias holds the numbers of 0.bias in another order",
    ]


def test_the_one_step_is_theta_less_the_rate_times_the_recorded_gradient() -> None:
    record = a_record()
    theta, g = record.parameters["0.weight"], np.full((2, 2), 3.0)
    record.gradients = {"0.weight": g}
    moved = theta - 0.01 * g
    record.stepped = {"0.weight": moved, "1.weight": record.parameters["1.weight"]}
    links = list(judging({}, record, "float64").steps())
    assert [(link.tensor, link.outcome) for link in links] == [
        ("sgd with rate 0.01, step 1: 0.weight", Outcome.PASS),
        ("sgd with rate 0.01, step 1: 1.weight", Outcome.PASS),
    ]
    unit = Arithmetic.of("float64").unit
    for rounding, outcome in ((60, Outcome.PASS), (70, Outcome.FAIL)):
        record.stepped = {"0.weight": moved + rounding * unit * (np.abs(moved) + 0.03)}
        (link,) = judging({}, record, "float64").steps()
        assert (link.outcome, link.causes) == (outcome, ())
    record.parameters["0.weight"], record.gradients = np.zeros((2, 2)), {}
    tiny = Arithmetic.of("float64").tiny
    for share, outcome in ((0.9, Outcome.PASS), (1.1, Outcome.FAIL)):
        record.stepped = {"0.weight": np.full((2, 2), share * tiny)}
        (link,) = judging({}, record, "float64").steps()
        assert link.outcome is outcome


def test_gradients_of_a_layers_parameters_stand_behind_that_of_its_output() -> None:
    record = a_record()
    labels = ["0", "1", "loss", "d 1.weight", "d 1", "d 0.weight", "d 0", "d into 0"]
    found = whole_models._in_order(dict.fromkeys(labels), whole_models.Sameness.itself(record))
    assert found == ["0", "1", "loss", "d 1", "d 1.weight", "d 0", "d 0.weight", "d into 0"]
