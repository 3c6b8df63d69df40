"""What a class can do is found out first, said in one line, and never more than was asked for."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check import exploration
from backproof.comparisons.check.battery.grid import SHAPES
from backproof.comparisons.check.exploration import (
    Explored,
    Probe,
    _fits,
    _for_conventions,
    _forms,
    _louder,
    _nearest,
    _with_a_choice,
    explore,
    probe_problem,
)
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.expected import forward_logits
from backproof.comparisons.check.forms.form import DECLARED_ONLY, WORDS, Form
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.subject import Subject
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.architecture import LOSSES, Array
from backproof.scratch.errors import InputError
from tests.support.in_process import Here, Student, explored_here
from tests.support.spoken_forms import speaking
from tests.support.stepping import stepping

FORMS = default_folder() / "other_forms.py"
HEAD = f"import sys\nsys.path.insert(0, {str(FORMS.parent)!r})\nfrom student import StudentMLP\n"
Narrow = dict[str, tuple[str | int, ...]]


def explored(target: Target, narrow: Narrow | None = None, strict: bool = False) -> Explored:
    subject = Subject(target)
    try:
        return explore(subject, narrow or {}, strict, 0)
    finally:
        subject.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Target]:
    def write(body: str) -> Target:
        (tmp_path / "own.py").write_text(HEAD + "class Mine(StudentMLP):\n" + body)
        return Target(str(tmp_path / "own.py"), "Mine")

    return write


@pytest.mark.parametrize(
    ("name", "line", "note"),
    [
        ("OneActivationOneLoss", "relu; cross entropy; 0 to 2 hidden layers; float32 and float64", ""),
        ("IgnoresTheArchitecture", "tanh; mse; 0 to 2", "it does not look at architecture.loss"),
        ("ProbabilitiesAndOneHot", "cross entropy", "targets are one hot"),
        ("ColumnsAndColumnBiases", "sigmoid; mse; 0 to 2 hidden layers; float64 only", "samples are columns"),
        ("OneHiddenLayer", "1 hidden layer", ""),
        ("Float64Throughout", "float64 only", "it answers in float64 where float32 is asked for"),
        ("Float32Throughout", "float32 only", "it answers in float32 where float64 is asked"),
        ("Float32Declared", "cross entropy; 0 to 2 hidden layers; float32 only", "a sum over the examples"),
        ("Float32Alone", "float32 only", ""),
        ("PlainDescentOnly", "relu", "train does plain gradient descent whatever update rule is asked"),
        ("Silu", "silu", "the activation is silu whatever is asked"),
        ("TanhOutput", "mse, sum of squares", "the output activation is tanh"),
        ("StepOnly", "tanh; sum of squares", "a step in place of a gradient"),
        ("ClippedProbabilities", "cross entropy", "clips probabilities at 1e-12"),
    ],
)
def test_what_a_class_has_is_found(name: str, line: str, note: str) -> None:
    found = explored(Target(str(FORMS), name))
    assert line in found.line()
    assert note in " ".join(found.notes)


def test_strict_looks_for_no_conventions() -> None:
    assert not explored(Target(str(FORMS), "ClippedProbabilities"), strict=True).notes


def test_a_user_narrows_by_hand() -> None:
    narrow: Narrow = {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)}
    found = explored(Target(str(FORMS.parent / "student.py"), "StudentMLP"), narrow)
    assert found.line() == "checked with: tanh; mse; 1 hidden layer; float64 only"


def test_a_word_that_means_nothing_is_refused(written: Callable[[str], Target]) -> None:
    with pytest.raises(InputError, match="samples: expected one of rows, columns, single"):
        explored(written("    samples = 'diagonals'\n"))


def test_what_is_supported_must_be_known(written: Callable[[str], Target]) -> None:
    with pytest.raises(InputError, match="supports: loss: expected some of"):
        explored(written("    supports = {'loss': ['hinge']}\n"))


def test_transposed_weight_gradients_are_read_and_said(written: Callable[[str], Target]) -> None:
    body = "    def backward(self, *a):\n        return [(W.T, b) for W, b in super().backward(*a)]\n"
    found = explored(written(body + "    train = train_epoch = None\n"))
    assert "transposed to W: read so" in " ".join(found.notes)


def test_logits_that_are_wrong_are_taken_for_no_other_form(written: Callable[[str], Target]) -> None:
    found = explored(written("    def logits(self, x):\n        return 1.5 * super().logits(x)\n"))
    assert not found.notes
    assert not found.candidate.form.activation


def test_slope_one_at_zero_is_named() -> None:
    found = explored(Target(str(FORMS.parent / "pair_mistakes.py"), "SlopeOneAtZero"))
    assert "the slope of relu at exactly 0 is 1" in " ".join(found.notes)


# --- in this process ---------------------------------------------------------------------------------------

ONE: Any = {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1,)}
SPACE = Space((("tanh", "mse", 0), ("tanh", "mse", 1)), ("float64",))
KIND: Any = ("tanh", "mse", 1)


def here(kind: type, narrow: Mapping[str, Any] = ONE, strict: bool = False, seed: int = 0) -> Explored:
    return explore(Here(kind), narrow, strict, seed)


def wrong(**methods: Any) -> type:
    return type("Own", (Student,), methods)


@pytest.mark.parametrize("weight_layout", WORDS["weight_layout"])
@pytest.mark.parametrize("samples", ["rows", "columns"])
@pytest.mark.parametrize("biases", [word for word in WORDS["biases"] if word not in DECLARED_ONLY])
def test_how_arrays_lie_is_found_by_trying(weight_layout: str, samples: str, biases: str) -> None:
    form = Form(weight_layout=weight_layout, samples=samples, biases=biases)
    found = here(speaking(form))
    assert found.candidate.form == form
    assert list(found.notes) == form.sentences()
    assert found.space.kinds == (("tanh", "mse", 1),)


def test_what_is_declared_is_left_as_it_stands() -> None:
    turned = speaking(Form(weight_layout="out_in"))
    assert (
        here(type("Stated", (turned,), {"weight_layout": "in_out"})).candidate.form.weight_layout == "in_out"
    )
    single = speaking(Form(samples="single"))
    assert here(type("Stated", (single,), {"samples": "single"})).candidate.form.samples == "single"


def test_forms_are_tried_in_the_order_of_how_much_is_not_ours() -> None:
    form = Form()
    for loss, outputs in (("mse", WORDS["output_activation"]), ("cross_entropy", ("identity",))):
        found = _forms(form, {"samples": "rows"}, ("tanh", loss, 1))  # type: ignore[arg-type]  # a kind
        differ = [sum(vars(one)[name] != vars(form)[name] for name in vars(form)) for one in found]
        assert differ == sorted(differ)
        assert found[0] == form
        assert {one.samples for one in found} == {"rows"}
        assert {one.output_activation for one in found} == set(outputs)
        assert {one.activation for one in found} == {"", *ACTIVATION_FUNCTIONS}
        assert {one.outputs for one in found if one.activation} == set(WORDS["outputs"])
        assert not any(getattr(one, name) in DECLARED_ONLY for one in found for name in vars(form))
    assert {one.activation for one in _forms(Form(activation="gelu"), {}, KIND)} == {"gelu"}
    assert {one.output_activation for one in _forms(form, {"output_activation": "identity"}, KIND)} == {
        "identity"
    }


@pytest.mark.parametrize("outputs", ["probabilities", "log_probabilities"])
def test_outputs_after_a_softmax_are_found(outputs: str) -> None:
    def logits(self: Any, x: Array) -> Any:
        p = self.softmax(Student.logits(self, x))
        return np.log(p) if outputs == "log_probabilities" else p

    found = here(wrong(logits=logits), {**ONE, "loss": ("cross_entropy",)})
    assert found.candidate.form == Form(outputs=outputs)


@pytest.mark.parametrize(
    ("dtype", "off", "fits"),
    [
        ("float64", 0.9e-6, True),
        ("float64", 1.1e-6, False),
        ("float32", 0.9e-4, True),
        ("float32", 1.1e-4, False),
    ],
)
@pytest.mark.parametrize("sign", [1, -1])
def test_logits_fit_to_some_digits_of_the_largest(dtype: Any, off: float, fits: bool, sign: int) -> None:
    candidate = explored_here(Student, SPACE).candidate
    problem = probe_problem(KIND, 0, True, dtype=dtype)
    right = candidate.expected(problem).outputs.value
    moved = right + sign * off * np.abs(right).max() * np.eye(*right.shape)
    probe = Probe(KIND, problem, "answered", logits=moved)
    assert _fits(candidate, probe) == fits
    assert not _fits(candidate, Probe(KIND, problem, "answered"))
    silent = explored_here(wrong(logits=None), SPACE).candidate
    assert _fits(silent, Probe(KIND, problem, "answered"))
    assert not _fits(silent, Probe(KIND, problem, "raised"))


def test_a_probe_of_which_nothing_came_is_empty() -> None:
    plain = Probe(KIND, probe_problem(KIND, 0, True), "answered")
    assert (plain.text, plain.logits, plain.gradient) == ("", None, None)
    assert np.isnan(plain.loss)
    assert plain.problem.architecture.dtype == "float64"


def test_probes_are_by_their_seed_and_their_shape() -> None:
    numbers = {
        (seed, shape): probe_problem(KIND, seed, True, shape).flat().tobytes()
        for seed in (0, 1)
        for shape in (0, 1)
    }
    assert len(set(numbers.values())) == 4
    for shape in range(7):
        problem = probe_problem(KIND, 0, True, shape)
        sizes, n = SHAPES[1][shape % len(SHAPES[1])]
        assert (problem.architecture.layer_sizes, problem.batch_size) == (sizes, n)
    assert not any(b.any() for _, b in probe_problem(KIND, 0, False).weights)
    np.testing.assert_array_equal(probe_problem(KIND, 0, True).flat(), probe_problem(KIND, 0, True, 0).flat())


def test_labels_that_are_refused_are_given_as_rows() -> None:
    form = Form(targets="one_hot")
    found = here(speaking(form), {**ONE, "loss": ("cross_entropy",)})
    assert found.candidate.form == form
    refuses_both = wrong(loss_and_gradient=lambda self, x, t: 1 / 0)
    assert here(refuses_both, {**ONE, "loss": ("cross_entropy",)}).candidate.form.targets == "labels"
    assert here(refuses_both, ONE).candidate.form.targets == "labels"


def test_a_weight_gradient_that_lies_transposed_is_read_so_and_said() -> None:
    found = here(speaking(Form(gradient_layout="out_in")))
    assert found.candidate.form.gradient_layout == "out_in"


# -- what it does not look at


@pytest.mark.parametrize("name", ["relu", "gelu", "silu"])
def test_a_class_of_one_activation_is_found_to_have_it(name: str) -> None:
    function = ACTIVATION_FUNCTIONS[name]
    own = wrong(
        activate=lambda self, z: function.value(z), activation_derivative=lambda self, z, a: function.slope(z)
    )
    found = here(own, {"loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)})
    assert found.candidate.form.activation == name
    assert found.space.activations == (name if name == "relu" else "relu",)
    assert f"the activation is {name} whatever is asked" in found.notes


def test_an_activation_that_is_none_of_ours_is_said_to_be_unknown() -> None:
    own = wrong(activate=lambda self, z: np.sin(z), activation_derivative=lambda self, z, a: np.cos(z))
    found = here(own, {"loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)})
    assert found.candidate.form.activation == ""
    assert any("fits no activation known here" in note for note in found.notes)
    assert len(found.space.activations) == 1


def as_if(loss: str) -> type:
    """Whatever is asked, this loss."""

    class AsIf(Student):
        def load(self, architecture: Any, weights: Any) -> None:
            super().load(architecture, weights)
            self.architecture = replace(architecture, loss=loss)

    return AsIf


@pytest.mark.parametrize("loss", LOSSES)
def test_a_class_that_does_not_look_at_the_loss_is_found_to_have_one(loss: str) -> None:
    found = here(as_if(loss), {"activation": ("tanh",), "hidden_layers": (1,), "dtype": ("float64",)})
    assert found.space.losses == (loss,)
    said = f"it does not look at architecture.loss: {loss.replace('_', ' ')} whatever is asked"
    assert said in found.notes


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("factor", [1.0, 3.0])
def test_the_nearest_loss_is_that_of_the_most_parallel_gradient(loss: Any, factor: float) -> None:
    candidate = explored_here(Student, SPACE).candidate
    problem = probe_problem(("tanh", "cross_entropy", 1), 0, True)
    rows = np.eye(problem.architecture.n_outputs)[problem.targets]
    named = replace(problem.architecture, loss=loss)
    asked = replace(problem, architecture=named, targets=problem.targets if loss == "cross_entropy" else rows)
    gradient = factor * candidate.expected(asked).gradient.value
    parallel = {"mse": "sum_of_squares", "sum_of_squares": "mse"}.get(loss) if factor != 1.0 else None
    losses = [one for one in LOSSES if one != parallel]
    for some in (losses, losses[::-1]):
        assert _nearest(candidate, Probe(KIND, problem, "answered", gradient=gradient), some) == loss


def test_without_a_gradient_any_loss_is_as_near() -> None:
    candidate = explored_here(Student, SPACE).candidate
    problem = probe_problem(("tanh", "cross_entropy", 1), 0, True)
    assert _nearest(candidate, Probe(KIND, problem, "answered"), ["mse", "cross_entropy"]) == "mse"


# -- precision


def in_dtype(dtype: Any, where: tuple[str, ...] = ("load",)) -> type:
    def load(self: Any, architecture: Any, weights: Any) -> None:
        Student.load(self, replace(architecture, dtype=dtype), weights)

    def logits(self: Any, x: Array) -> Any:
        return Student.logits(self, x).astype(dtype)

    return wrong(**{name: {"load": load, "logits": logits}[name] for name in where})


def test_the_precision_that_a_class_has_is_found() -> None:
    for dtype, note in (("float32", "it answers in float32 where float64 is asked"),
                        ("float64", "it answers in float64 where float32 is asked for")):  # fmt: skip
        found = here(in_dtype(dtype))
        assert found.space.dtypes == (dtype,)
        assert found.candidate.dtype == dtype
        assert list(found.notes) == [note]
    assert here(Student).space.dtypes == ("float32", "float64")
    assert here(Student).candidate.dtype == "float64"
    assert here(in_dtype("float64", ("logits",))).space.dtypes == ("float32", "float64")


def declining(dtype: str) -> type:
    def load(self: Any, architecture: Any, weights: Any) -> None:
        if architecture.dtype == dtype:
            raise NotImplementedError(f"no {dtype}")
        Student.load(self, architecture, weights)

    return wrong(load=load)


@pytest.mark.parametrize(("dtype", "left"), [("float64", "float32"), ("float32", "float64")])
def test_a_precision_that_is_declined_is_left_out(dtype: str, left: str) -> None:
    found = here(declining(dtype))
    assert found.space.dtypes == (left,)
    assert found.space.kinds == (("tanh", "mse", 1),)
    assert list(found.notes) == []


def test_a_class_that_declines_everything_offers_no_network() -> None:
    found = here(wrong(load=lambda self, a, w: (_ for _ in ()).throw(NotImplementedError("nothing"))))
    assert found.space.kinds == ()
    assert found.line() == "checked with: nothing; it offers no network"


def test_a_class_without_load_or_one_that_dies_is_explored_no_further() -> None:
    assert here(wrong(load=None)).notes == ()
    assert here(wrong(load=None)).space.kinds == (("tanh", "mse", 1),)


def test_what_declines_after_loading_is_a_method_that_is_not_offered() -> None:
    def no_gradient(self: Any, x: Array, targets: Array) -> Any:
        raise NotImplementedError("no gradient")

    def of_one_loss(self: Any, x: Array, targets: Array) -> Any:
        if self.architecture.loss != "mse":
            raise NotImplementedError("no gradient of this")
        return Student.loss_and_gradient(self, x, targets)

    losses: Any = {**ONE, "loss": ("mse", "cross_entropy")}
    assert here(wrong(loss_and_gradient=no_gradient), losses).space.losses == ("cross_entropy", "mse")
    assert here(wrong(loss_and_gradient=of_one_loss), losses).space.losses == ("mse",)


# -- rules of training


def plain(self: Any, gradient: Any, optimizer: Any) -> None:
    for theta, g in zip(self.parameters(), [part for pair in gradient for part in pair], strict=True):
        theta -= optimizer.learning_rate * g


@pytest.mark.parametrize(
    ("kind", "one_rule"),
    [
        (Student, False),
        (wrong(update=plain), True),
        (
            wrong(adam=lambda self, theta, g, o, s: Student.sgd(self, theta, g, replace(o, momentum=0.0), s)),
            False,
        ),
        (wrong(train=lambda self, *given: 1 / 0), False),
        (wrong(train=None), False),
    ],
)
def test_a_class_that_has_plain_descent_alone_is_found_out(kind: type, one_rule: bool) -> None:
    found = here(kind)
    assert found.space.plain_descent == one_rule
    said = "train does plain gradient descent whatever update rule is asked"
    assert (said in found.notes) == one_rule


def test_rules_that_are_declined_are_none() -> None:
    def train(self: Any, x: Any, targets: Any, batches: Any, optimizer: Any, checkpoints: Any = None) -> Any:
        if optimizer.momentum or optimizer.weight_decay or (optimizer.name == "adam" and self.no_adam):
            raise NotImplementedError("plain descent")
        return Student.train(self, x, targets, batches, replace(optimizer, name="sgd"), checkpoints)

    assert not here(wrong(train=train, no_adam=True)).space.plain_descent
    assert here(wrong(train=train, no_adam=False)).space.plain_descent


# -- conventions


def test_conventions_are_looked_for_in_every_loss_in_several_sizes_and_with_loud_logits() -> None:
    space = Space(
        (("tanh", "mse", 1), ("tanh", "cross_entropy", 0), ("tanh", "cross_entropy", 1)), ("float64",)
    )
    found = _for_conventions(explored_here(Student, space).candidate, space, 0)
    for loss in ("mse", "cross_entropy"):
        mine = [one for one in found if one.problem.architecture.loss == loss]
        assert [one.loud for one in mine] == [False] * 8 + [True] * 2
        assert len({(one.problem.batch_size, one.problem.architecture.n_outputs) for one in mine}) >= 4
        assert len({one.problem.flat().tobytes() for one in mine}) == 10
        assert all(one.loss == pytest.approx(float(one.right.loss.value)) for one in mine)
        assert {one.form for one in mine} == {Form()}
        for one in mine[-2:]:
            assert one.problem.architecture.n_outputs > 1
    depths = {len(one.problem.weights) for one in found if one.problem.architecture.loss == "cross_entropy"}
    assert depths == {1, 2}
    other = _for_conventions(explored_here(Student, space).candidate, space, 100)
    assert not {o.problem.flat().tobytes() for o in other} & {o.problem.flat().tobytes() for o in found}


def test_answers_without_a_finite_loss_tell_no_convention() -> None:
    endless = wrong(
        loss_value=lambda self, z, t: float("inf") if len(z) == 5 else Student.loss_value(self, z, t)
    )
    found = _for_conventions(explored_here(endless, SPACE).candidate, SPACE, 0)
    assert 0 < len(found) < 10
    assert all(one.problem.batch_size != 5 for one in found)
    raising = wrong(loss_and_gradient=lambda self, x, t: 1 / 0)
    assert _for_conventions(explored_here(raising, SPACE).candidate, SPACE, 0) == []


@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
@pytest.mark.parametrize("seed", range(3))
def test_loud_logits_speak_against_their_targets_by_forty_five(loss: Any, seed: int) -> None:
    problem = probe_problem(("tanh", loss, 1), seed, True)
    loud = _louder(problem)
    z = forward_logits(loud)
    against = z.max(axis=1) - z.min(axis=1) if loss == "cross_entropy" else np.abs(z)
    assert against.max() == pytest.approx(45.0)
    if loss == "cross_entropy":
        assert (z[np.arange(len(z)), loud.targets] == z.min(axis=1)).all()
    elif loss == "binary_cross_entropy":
        np.testing.assert_array_equal(loud.targets, np.where(z < 0, 1.0, 0.0))
    else:
        np.testing.assert_array_equal(loud.targets, problem.targets)
    np.testing.assert_array_equal(loud.weights[0][0], problem.weights[0][0])


def test_a_choice_is_of_more_than_one_output() -> None:
    for depth in (0, 1, 2):
        found = _with_a_choice(("tanh", "cross_entropy", depth), 3, Space(SPACE.kinds, ("float32",)))
        assert found.architecture.n_outputs > 1
        assert found.architecture.dtype == "float32"
        assert found.batch_size == SHAPES[depth][0][1]


@pytest.mark.parametrize("slope", [0.0, 0.25, 1.0])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_the_slope_of_relu_at_zero_is_read(slope: float, dtype: str) -> None:
    own = wrong(activation_derivative=lambda self, z, a: np.where(z == 0, slope, z > 0).astype(z.dtype))
    relu: Any = {"activation": ("relu",), "loss": ("mse",), "hidden_layers": (1,), "dtype": (dtype,)}
    found = here(own, relu)
    assert found.candidate.conventions.slope_at_zero == slope
    assert any("the slope of relu" in note for note in found.notes) == bool(slope)
    assert here(own, relu, strict=True).candidate.conventions.slope_at_zero == 0.0


@pytest.mark.parametrize("slope", [-0.5, 1.5])
def test_a_slope_outside_of_zero_and_one_is_no_convention(slope: float) -> None:
    own = wrong(activation_derivative=lambda self, z, a: np.where(z == 0, slope, z > 0).astype(z.dtype))
    found = here(
        own, {"activation": ("relu",), "loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)}
    )
    assert found.candidate.conventions.slope_at_zero == 0.0


def test_a_law_of_the_loss_is_found_said_and_held_against_a_class_that_declares_its_loss() -> None:
    def doubled(self: Any, z: Array, t: Array) -> Any:
        return 2 * Student.output_delta(self, z, t)

    twice = {"loss_value": lambda self, z, t: 2 * Student.loss_value(self, z, t), "output_delta": doubled}
    found = here(wrong(**twice))
    assert any("its mse is 2 times ours" in note for note in found.notes)
    assert here(wrong(**twice), strict=True).notes == ()
    assert here(wrong(**twice, loss="mse"), {"activation": ("tanh",), "hidden_layers": (1,)}).notes == ()


def test_the_arrangement_of_gradients_is_said() -> None:
    own = wrong(loss_and_gradient=lambda self, x, t: (
        Student.loss_and_gradient(self, x, t)[0],
        [part for pair in Student.loss_and_gradient(self, x, t)[1] for part in pair],
    ))  # fmt: skip
    assert "gradients come in one list, W and b in turn: read so" in here(own).notes


# -- what is stated


@pytest.mark.parametrize(
    ("attributes", "narrow", "kinds"),
    [
        ({"hidden_layers": 2, "loss": "mse", "activation": "tanh"}, {}, (("tanh", "mse", 2),)),
        ({"supports": {"loss": ["mse"]}}, {"activation": ("tanh",), "hidden_layers": (0,)},
         (("tanh", "mse", 0),)),
        ({"loss": "mse"}, {"loss": ("cross_entropy",), "activation": ("relu",), "hidden_layers": (1,)},
         (("relu", "cross_entropy", 1),)),
    ],
)  # fmt: skip
def test_a_user_narrows_what_a_class_states(attributes: Any, narrow: Any, kinds: Any) -> None:
    found = here(type("Stated", (Student,), attributes), narrow)
    assert found.space.kinds == kinds


def test_an_activation_that_ours_has_not_is_stood_in_for() -> None:
    function = ACTIVATION_FUNCTIONS["gelu"]
    own = {"activate": lambda self, z: function.value(z),
           "activation_derivative": lambda self, z, a: function.slope(z)}  # fmt: skip
    for stated in ({"activation": "gelu"}, {"supports": {"activation": ["gelu"]}}):
        found = here(wrong(**own, **stated), {"loss": ("mse",), "hidden_layers": (1,)})
        assert found.candidate.form.activation == "gelu"
        assert found.space.activations == (exploration.STAND_IN,)


def test_a_step_stands_in_place_of_a_gradient_only_where_there_is_none() -> None:
    assert here(stepping("loss")).candidate.form.step
    both = type("Both", (stepping("loss"),), {"loss_and_gradient": Student.loss_and_gradient})
    assert not here(both).candidate.form.step


@pytest.mark.parametrize(
    ("kinds", "dtypes", "line"),
    [
        ((("tanh", "mse", 1),), ("float64",), "tanh; mse; 1 hidden layer; float64 only"),
        ((("tanh", "mse", 2),), ("float64",), "tanh; mse; 2 hidden layers; float64 only"),
        ((("tanh", "mse", 0),), ("float32", "float64"), "tanh; mse; 0 hidden layers; float32 and float64"),
        ((("tanh", "mse", 0), ("relu", "sum_of_squares", 2)), ("float64",),
         "relu; mse, sum of squares; 0 to 2 hidden layers; float64 only"),
    ],
)  # fmt: skip
def test_the_networks_tried_are_said_in_one_line(kinds: Any, dtypes: Any, line: str) -> None:
    explored = explored_here(Student, Space(kinds, dtypes))
    assert explored.line() == f"checked with: {line}"
    explored.candidate.form = Form(activation="leaky_relu")
    assert explored.line().startswith("checked with: leaky relu; ")
    assert explored.notes == ()


def test_the_seed_arrives_in_every_question() -> None:
    first, again, other = (Here(Student) for _ in range(3))
    for subject, seed in ((first, 3), (again, 3), (other, 4)):
        explore(subject, ONE, False, seed)
    weights = [
        {
            np.asarray(words[-3]["weights"][0][0]).tobytes()
            for words in subject.asked
            if "load" in words
        }
        for subject in (first, again, other)
    ]  # fmt: skip
    assert weights[0] == weights[1]
    assert len(weights[0] - weights[2]) > len(weights[0]) / 2
