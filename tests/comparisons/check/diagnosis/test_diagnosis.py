"""The true cause first, for networks in the forms and with the mistakes of public ones."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.diagnosis import (
    Diagnosis,
    _described,
    _endless_gradient,
    _is_degenerate,
    _kink_cause,
    _sentences,
    _small,
    _without_a_loss,
    diagnose,
)
from backproof.comparisons.check.diagnosis.evidence import Observation
from backproof.comparisons.check.diagnosis.mistakes import RIGHT, Mistake
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.diagnosis.search import Model
from backproof.comparisons.check.diagnosis.slope_mistakes import FAMILIES, slope_mistakes
from backproof.comparisons.check.diagnosis.tensor_mistakes import (
    bias_mistakes,
    pull_mistakes,
    weight_mistakes,
)
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.results import Cause, CheckedClass
from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import EXCEPTIONS, NOT_JUDGED, CheckResult, Settings, Trial
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Array
from tests.support.in_process import Student, explored_here
from tests.support.named_networks import Written
from tests.support.observations import Asked, answering, observed
from tests.support.other_networks import SOURCE


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("others") / "other_networks.py"
    path.write_text(SOURCE)
    return path


def checked(file: Path, name: str, *checks: str) -> CheckedClass:
    settings = Settings(only=list(checks), quick=True)
    return try_class(Target(str(file), name), settings, lambda check: None)


@pytest.mark.parametrize(
    ("name", "note"),
    [
        ("ByNetwork", "gradients come in two lists"),
        ("OneList", "gradients come in one list"),
        ("OneAtATime", "samples are given one at a time"),
        ("Folded", "biases: in W, as its last row or column"),
        ("TanhBeforeSoftmax", "the output activation is tanh"),
    ],
)
def test_a_right_network_of_another_form_passes_and_its_form_is_said(
    file: Path, name: str, note: str
) -> None:
    found = checked(file, name, "weights", "logits", "loss", "gradient")
    assert found.outcome == Outcome.PASS, found
    assert note in " ".join(found.notes)


@pytest.mark.parametrize(
    ("name", "first", "others"),
    [
        ("NotPassedBack", "the derivative of the output activation is left out of what is passed back", []),
        ("OneNumberForAllBiases", "the bias gradient is summed over all axes", []),
        ("WithoutBiases", "the gradient is twice too large", []),
        ("UpdatesEarly", "the derivative of the output activation is missing", ["weights already updated"]),
        ("NotDividedAndDecayed", "N times too large", ["lambda W (lambda = 0.01) is in the weight gradient"]),
    ],
)
def test_the_true_causes_are_named_and_no_other(file: Path, name: str, first: str, others: list[str]) -> None:
    found = checked(file, name, "gradient")
    assert found.outcome == Outcome.FAIL
    told = [cause.sentence for cause in found.causes]
    assert first in told[0]
    assert len(told) == 1 + len(others)
    assert all(word in sentence for word, sentence in zip(others, told[1:], strict=True))
    assert all(cause.certainty == "explains" for cause in found.causes)


def test_a_loss_that_counts_the_other_outputs_is_told_as_that(file: Path) -> None:
    first = checked(file, "OthersInTheLoss", "loss").causes[0]
    assert "a binary cross-entropy of the softmax's probabilities, 1 / K times as large" in first.sentence


def test_the_batch_size_of_the_first_call_is_found_to_be_remembered(file: Path) -> None:
    found = checked(file, "RemembersN", "call order")
    assert found.outcome == Outcome.FAIL
    assert "something is remembered" in found.causes[0].sentence


def test_a_step_without_a_loss_offers_none_and_passes(file: Path) -> None:
    found = checked(file, "StepWithoutALoss", "loss", "gradient", "extremes")
    rows = {row.check: row for row in found.checks}
    assert found.outcome == Outcome.PASS
    assert rows["loss"].text == "step returns no loss"


def test_an_overflow_is_named_where_no_loss_is_told(file: Path) -> None:
    found = checked(file, "NotShifted", "gradient", "extremes")
    assert found.outcome == Outcome.FAIL
    assert "overflow: the gradient is not finite from logits of about 7" in found.causes[0].sentence


@pytest.mark.parametrize(
    "written",
    [
        Written(mistake="not averaged", returned="loss too"),
        Written(mistake="slope", container="layers", returned="kept", columns=True, out_in=True),
        Written(mistake="one bias", container="dict", returned="dict", loss="mse", constructor="three"),
        Written(mistake="slope", container="attributes", step=True, constructor="hidden", one_hot=True),
        Written(container="dict", returned="loss too", columns=True, loss="mse"),
        Written(step=True, out_in=True, learn="train"),
    ],
    ids=lambda written: f"{written.mistake or 'right'}, {written.container}",
)
def test_an_adapter_without_methods_gets_the_verdict_and_the_first_cause_of_one_with_them(
    written: Written, tmp_path: Path
) -> None:
    path = tmp_path / "homework.py"
    path.write_text(written.source)
    short, long = (checked(path, name, "weights", "logits", "gradient") for name in ("Short", "Long"))
    assert short.outcome == long.outcome == (Outcome.FAIL if written.mistake else Outcome.PASS)
    assert [one.sentence for one in short.causes[:1]] == [one.sentence for one in long.causes[:1]]
    assert not written.mistake or short.causes[0].certainty == "explains"
    assert any(note.startswith("read as: Network(") for note in short.notes)


# --- the parts, on results made by hand --------------------------------------------------------------------

SPACE = Space((("tanh", "mse", 1), ("relu", "cross_entropy", 1)), ("float64",))
MANY = [
    *(observed(Asked((3, 4, 2), "tanh", "mse", n, seed=n)) for n in (1, 3, 5)),
    *(observed(Asked((3, 4, 2), "relu", "cross_entropy", n, seed=n)) for n in (1, 3, 5)),
]


def result(check: str, text: str, verdict: str = Outcome.FAIL, kind: str = "mismatch") -> CheckResult:
    return CheckResult(check, "", verdict, text, kind=kind)


def diagnosed(*results: CheckResult, kind: type = Student, **form: Any) -> Diagnosis:
    explored = explored_here(kind, SPACE, **form)
    return diagnose(Trial(explored.candidate.subject.target, results, explored, 0.0), 0)


def sentences(found: Diagnosis) -> list[str]:
    return [cause.sentence for cause in found.causes]


@pytest.mark.parametrize(
    ("results", "first"),
    [
        ([result("repeatable", "twice")],
         "logits are not the same twice: is something random left on at prediction?"),
        ([result("repeatable", "twice", kind="raised")], "repeatable: twice"),
        ([result("independence", "alone", NOT_JUDGED)],
         "a sample's logits depend on the other samples of its batch"),
        ([result("independence", "alone", NOT_JUDGED), result("weights", "W1 is off")],
         "a sample's logits depend on the other samples of its batch"),
        ([result("weights", "W1 is off"), result("logits", "wrong")], "W1 is off"),
        ([result("logits", "logits: expected shape", kind="value")], "logits: expected shape"),
        ([result("call order", "once")],
         "right on the first call, different on a later one: something is remembered (once)"),
        ([result("arguments", "load wrote")], "load wrote"),
        ([result("results", "a buffer")], "a buffer"),
        ([result("given weights", "no copy")], "no copy"),
        ([result(EXCEPTIONS, "raised")], "raised"),
        ([result("epoch loss", "mean")], "epoch loss: mean"),
    ],
)  # fmt: skip
def test_what_the_checks_saw_is_told(results: list[CheckResult], first: str) -> None:
    found = diagnosed(*results)
    assert sentences(found)[0] == first
    assert found.causes[0].certainty == "describes"


def test_wrong_logits_are_looked_into_and_what_they_raised_comes_first() -> None:
    wrong = type("Wrong", (Student,), {"logits": lambda self, x: -Student.logits(self, x)})
    found = diagnosed(result("logits", "off"), result(EXCEPTIONS, "logits raised ValueError"), kind=wrong)
    assert sentences(found)[:2] == ["logits raised ValueError", "logits are of the opposite sign"]
    other = diagnosed(result("logits", "off"), result(EXCEPTIONS, "train raised ValueError"), kind=wrong)
    assert sentences(other)[:2] == ["logits are of the opposite sign", "train raised ValueError"]


def test_no_more_than_three_causes_are_told_and_each_once() -> None:
    five = [result(f"check {i}", f"text {i}") for i in range(5)]
    assert sentences(diagnosed(*five)) == [f"check {i}: text {i}" for i in range(3)]
    same = [result("arguments", "x was written to"), result("results", "x was written to")]
    assert sentences(diagnosed(*same)) == ["x was written to"]


def test_the_case_shown_is_that_which_the_first_cause_speaks_of() -> None:
    first, second = result("epoch loss", "mean"), result("arguments", "x was written to")
    assert diagnosed(first, second).example == first
    assert diagnosed(second, first).example == second
    plain = type("Off", (Student,), {"update": lambda self, g, o: None})
    training = result("trajectory", "weights after 1 step")
    found = diagnosed(result("checkpoints", "late"), training, kind=plain)
    assert found.causes[0].sentence == "nothing is updated"
    assert found.example == training


def test_values_of_a_wrong_shape_are_told_as_they_are() -> None:
    found = diagnosed(
        result("loss", "loss: none", kind="value"), result("gradient", "W1: turned", kind="value")
    )
    assert sentences(found) == ["loss: none", "W1: turned"]


def test_what_is_wrong_in_training_is_looked_at_only_where_training_went_wrong() -> None:
    frozen = type("Off", (Student,), {"update": lambda self, g, o: None})
    assert "nothing is updated" in sentences(diagnosed(result("trajectory", "off"), kind=frozen))
    assert sentences(diagnosed(result("epoch loss", "off"), kind=frozen)) == ["epoch loss: off"]
    turned = sentences(diagnosed(result("epoch loss", "off"), gradient_layout="out_in"))
    assert turned[0].startswith("dW is transposed")


def doubled(**methods: Any) -> type:
    return type("Doubled", (Student,), methods)


def test_a_gradient_that_is_wrong_by_a_law_is_explained() -> None:
    twice = doubled(output_delta=lambda self, z, t: 2 * Student.output_delta(self, z, t))
    found = diagnosed(result("gradient", "gradient: off"), kind=twice)
    assert sentences(found) == ["the gradient is twice too large"]
    assert (found.causes[0].certainty, found.causes[0].about) == ("explains", "output")


def test_a_mistake_of_one_loss_is_told_with_its_name_and_a_small_case_where_there_are_two() -> None:
    def output_delta(self: Any, z: Array, t: Array) -> Any:
        return Student.output_delta(self, z, t) * (2 if self.architecture.loss == "mse" else 1)

    one = doubled(output_delta=output_delta)
    assert sentences(diagnosed(result("gradient", "off"), kind=one)) == [
        "the gradient is twice too large (with loss='mse')"
    ]
    both = doubled(output_delta=output_delta, bias_gradient=lambda self, delta, layer: -delta.sum(axis=0))
    found = diagnosed(result("gradient", "off"), kind=both)
    assert sentences(found) == [
        "the gradient is twice too large (with loss='mse')", "every bias gradient is of the wrong sign",
    ]  # fmt: skip
    assert found.example is not None
    assert found.example.text.startswith("gradient: ")
    assert found.example.comparison is not None
    assert {call.method for call in found.example.calls} == {"load", "loss_and_gradient"}
    assert len(found.example.calls[0].arguments["weights"]) == 2


def test_a_loss_that_is_wrong_alone_is_told_without_a_word_about_the_gradient() -> None:
    off = doubled(loss_value=lambda self, z, t: 2 * Student.loss_value(self, z, t))
    assert sentences(diagnosed(result("loss", "off"), kind=off)) == [
        "the loss is 2 times ours, and its gradient does not follow"
    ]


def test_a_penalty_in_both_is_one_penalty_and_in_the_gradient_alone_is_told_as_that() -> None:
    def with_decay(self: Any, a: Any, delta: Array, layer: int) -> Any:
        return a[layer].T @ delta + 0.1 * self.W[layer]

    def with_penalty(self: Any, z: Array, t: Array) -> Any:
        return Student.loss_value(self, z, t) + 0.05 * sum(float((W**2).sum()) for W in self.W)

    both = diagnosed(result("loss", "off"), kind=doubled(weight_gradient=with_decay, loss_value=with_penalty))
    assert sentences(both) == [
        "lambda/2 |W|^2 (lambda = 0.1) is in the loss, and so in its gradient: ours has no penalty"
    ]
    alone = diagnosed(result("gradient", "off"), kind=doubled(weight_gradient=with_decay))
    assert sentences(alone) == ["lambda W (lambda = 0.1) is in the weight gradient and missing from the loss"]


def test_what_no_formula_gives_is_told_by_its_place() -> None:
    rng = np.random.default_rng(0)
    noise = {"bias_gradient": lambda self, d, layer: d.sum(axis=0) + rng.normal(size=d.shape[1])}
    assert sentences(diagnosed(result("gradient", "off"), kind=doubled(**noise))) == [
        "the gradient is wrong in biases only"
    ]

    def off_in_relu(self: Any, a: Any, delta: Array, layer: int) -> Any:
        dW = a[layer].T @ delta
        return dW + rng.normal(size=dW.shape) * (self.architecture.activation == "relu")

    told = sentences(diagnosed(result("gradient", "off"), kind=doubled(weight_gradient=off_in_relu)))
    assert told == ["the gradient is wrong in weights only (only with loss='cross_entropy')"]


def test_a_gradient_that_is_wrong_at_kinks_alone_is_told_with_them() -> None:
    leaking = doubled(activation_derivative=lambda self, z, a: (
        (z >= 0).astype(z.dtype) if self.architecture.activation == "relu"
        else Student.activation_derivative(self, z, a)
    ))  # fmt: skip
    (sentence,) = sentences(diagnosed(result("gradient", "off"), kind=leaking))
    assert "exactly zero" in sentence or "at z = 0" in sentence


@pytest.mark.parametrize(
    ("families", "words"),
    [
        (["kinks"], "only where a pre-activation is exactly zero"),
        (["saturated"], "only where logits are saturated"),
        (
            ["idle input", "kinks"],
            "only where an input is always zero and where a pre-activation is exactly zero",
        ),
        (["other"], ""),
    ],
)
def test_where_a_special_gradient_is_wrong_is_said(families: list[str], words: str) -> None:
    cause = _kink_cause([replace(MANY[0], family=family) for family in families])
    assert cause.sentence == f"the gradient is wrong {words}".strip()


def off(o: Observation, part: int, layer: int = 0) -> Observation:
    moved = o.gradient.copy()
    moved[o.parts[layer][part].start] -= 1.0
    return answering(o, moved)


@pytest.mark.parametrize(
    ("parts", "places"), [((0,), "weights only"), ((1,), "biases only"), ((0, 1), "weights and biases")]
)
@pytest.mark.parametrize("layer", [0, 1])
def test_which_tensors_are_wrong_is_said(parts: tuple[int, ...], places: str, layer: int) -> None:
    wrong = [off(MANY[0], part, layer) for part in parts]
    assert _described(wrong, wrong).sentence == f"the gradient is wrong in {places}"


def test_where_a_gradient_is_wrong_is_said_by_what_tells_it_apart() -> None:
    wrong, right = [off(o, 0) for o in MANY if o.n == 1], [o for o in MANY if o.n != 1]
    assert (
        _described(wrong, [*wrong, *right]).sentence
        == "the gradient is wrong in weights only (only in a batch of one)"
    )
    kinks = [replace(off(o, 0), family="kinks") for o in MANY]
    assert _described(kinks, [*kinks, *MANY]).sentence.endswith(
        "(only where a pre-activation is exactly zero)"
    )
    assert _described(kinks, kinks).sentence == "the gradient is wrong in weights only"


def test_a_softmax_of_one_output_is_degenerate_and_nothing_else_is() -> None:
    for loss, k, degenerate in (("cross_entropy", 1, True), ("cross_entropy", 2, False), ("mse", 1, False)):
        o = observed(Asked((3, k), loss=loss))  # type: ignore[arg-type]  # the names above
        assert _is_degenerate(o) == degenerate


def test_an_endless_gradient_is_told_from_the_smallest_logits_on_where_the_loss_is_finite() -> None:
    endless = [answering(o, o.gradient * np.nan) for o in MANY[:3]]
    smallest = min(float(np.abs(o.zs[-1]).max()) for o in endless)
    (cause,) = _endless_gradient([*endless, *MANY[3:]])
    assert cause.sentence.startswith(
        f"the gradient is not finite for logits of {smallest:.3g}: exp overflows"
    )
    assert cause.certainty == "fits"
    assert _endless_gradient(MANY) == []
    assert _endless_gradient([replace(o, loss=float("inf")) for o in endless]) == []


def test_without_a_loss_a_scale_is_said_last_with_what_to_do() -> None:
    scale, other = (
        Cause("the gradient is twice too large", "explains", about="output"),
        Cause("b", "explains"),
    )
    told = _without_a_loss([scale, other])
    assert told[0] == other
    assert told[1].sentence.startswith("the gradient is twice too large (it gives no loss")
    weights = Cause("the gradient is that of W", "explains", about="weight")
    assert _without_a_loss([weights]) == [weights]


def test_families_of_slopes_are_told_as_one() -> None:
    missing = {
        name: next(m for m in slope_mistakes(name) if m.family == "missing") for name in ("tanh", "relu")
    }
    right: Any = {"mse": RIGHT["output"], "cross_entropy": RIGHT["output"]}
    both = Model(right, RIGHT["weight"], RIGHT["bias"], slopes=missing)
    ((sentence, about),) = _sentences(both, MANY)
    assert (sentence, about) == (FAMILIES["missing"], "slope")
    more = [*MANY, observed(Asked((3, 4, 2), "sigmoid"))]
    ((sentence, _),) = _sentences(both, more)
    assert sentence == f"{FAMILIES['missing']} (of tanh and relu)"
    one = Model(right, RIGHT["weight"], RIGHT["bias"], slopes={"tanh": missing["tanh"]})
    assert _sentences(one, MANY) == [("the derivative of tanh is missing", "slope tanh")]


def test_mistakes_are_told_from_the_output_to_the_biases() -> None:
    output = next(m for m in output_mistakes() if m.sentence == "the gradient is twice too large")
    wrong = Model(
        {"mse": output, "cross_entropy": output}, next(iter(weight_mistakes())), next(iter(bias_mistakes())),
        next(iter(pull_mistakes())), {"tanh": next(iter(slope_mistakes("tanh")))},
    )  # fmt: skip
    assert [about for _, about in _sentences(wrong, MANY)] == [
        "output",
        "slope tanh",
        "pull",
        "weight",
        "bias",
    ]
    softmax = next(m for m in output_mistakes() if m.loss is not None)
    of_softmax = Model({"cross_entropy": softmax}, RIGHT["weight"], RIGHT["bias"])
    assert _sentences(of_softmax, MANY) == [(softmax.sentence, "softmax")]


@pytest.mark.parametrize("step", ["output", "slope"])
def test_a_small_case_is_of_the_loss_or_the_activation_that_is_wrong(step: str) -> None:
    explored = explored_here(Student, Space((*SPACE.kinds, ("tanh", "mse", 0)), ("float32",), biases=False))
    for only, chosen in (("mse", {"mse"}), ("relu", {"cross_entropy"}), ("", {"mse", "cross_entropy"})):
        found = _small(explored, Mistake(step, "wrong", RIGHT["output"].rule, only))
        assert {problem.architecture.loss for problem in found} == chosen
        assert {problem.architecture.dtype for problem in found} == {"float32"}
        assert not any(b.any() for problem in found for _, b in problem.weights)
        depths = [len(problem.weights) for problem in found]
        assert depths == sorted(depths)
        assert (1 in depths) == (step == "output" and only != "relu")
        for problem in found:
            numbers = np.concatenate([problem.flat(), problem.x.ravel()])
            assert (8 * numbers == np.rint(8 * numbers)).all()
            assert np.abs(numbers).max() <= 1
            k = problem.architecture.n_outputs
            assert k == problem.architecture.n_inputs or problem.architecture.loss == "cross_entropy"
            assert k > 1 or problem.architecture.loss != "cross_entropy"
            assert set(problem.targets.ravel()) <= {0, 1}
        sizes = [(problem.architecture.n_inputs, problem.batch_size) for problem in found[:3]]
        assert sizes == [(1, 1), (1, 2), (2, 2)]
    with_biases = _small(explored_here(Student, SPACE), Mistake("output", "wrong", RIGHT["output"].rule))
    assert any(b.any() for problem in with_biases for _, b in problem.weights)
    for part in (
        [b for problem in with_biases for _, b in problem.weights],
        [W for problem in with_biases for W, _ in problem.weights],
        [problem.x for problem in with_biases],
    ):
        numbers = np.concatenate([array.ravel() for array in part])
        assert numbers.min() < -0.5
        assert numbers.max() > 0.5
