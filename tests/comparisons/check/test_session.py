"""A whole check of one class: one mistake, one FAIL; the cause first; an exception is a finding apart."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

import backproof
from backproof.comparisons.check import session
from backproof.comparisons.check.diagnosis.diagnosis import Diagnosis
from backproof.comparisons.check.results import Cause, CheckedClass
from backproof.comparisons.check.session import check_class, try_class
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.check.trial import CheckResult, Settings
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.errors import InputError
from tests.support.in_process import Student, tried_here
from tests.support.named_networks import adapter

FOLDER = default_folder()
HEAD = (
    f"import sys\nsys.path.insert(0, {str(FOLDER)!r})\nimport numpy as np\nfrom student import StudentMLP\n"
)
RELU_ONLY = """
    def load(self, architecture, weights):
        if (architecture.activation, architecture.loss) != ("relu", "cross_entropy"):
            raise NotImplementedError
        super().load(architecture, weights)
"""
UNDIVIDED = """
    def output_delta(self, z, t):
        return super().output_delta(z, t) * np.array(len(z), z.dtype)
"""


def checked(folder: Path, body: str, settings: Settings | None = None) -> CheckedClass:
    (folder / "own.py").write_text(f"{HEAD}class Mine(StudentMLP):\n{body}")
    return try_class(
        Target(str(folder / "own.py"), "Mine"), settings or Settings(quick=True, time_limit=600.0)
    )


@pytest.fixture(scope="module")
def undivided(tmp_path_factory: pytest.TempPathFactory) -> CheckedClass:
    """relu and cross-entropy only, and the gradient is not divided by N."""
    return checked(tmp_path_factory.mktemp("undivided"), RELU_ONLY + UNDIVIDED)


def test_a_gradient_that_is_not_divided_by_the_batch_is_told_first(undivided: CheckedClass) -> None:
    assert "not divided by N" in undivided.causes[0].sentence
    assert undivided.causes[0].certainty == "explains"


def test_one_mistake_is_one_check_that_fails(undivided: CheckedClass) -> None:
    assert [row.check for row in undivided.checks if row.verdict == Outcome.FAIL] == ["gradient"]
    followers = [row for row in undivided.checks if row.verdict == "not judged"]
    assert followers
    assert all(row.text.startswith("follows from gradient") for row in followers)


def test_the_networks_tried_are_said(undivided: CheckedClass) -> None:
    assert undivided.tried_with.startswith("checked with: relu; cross entropy; 0 to 2 hidden layers")


def test_an_exception_is_told_with_its_condition(tmp_path: Path) -> None:
    target = Target(str(FOLDER / "field_mistakes.py"), "RaisesForOneUnit")
    settings = Settings(only=["logits", "gradient"], quick=True)
    found = try_class(target, settings)
    assert "where a hidden layer has one unit" in found.causes[0].sentence
    assert [row.check for row in found.checks if row.verdict == Outcome.FAIL] == ["exceptions"]


def test_two_exchanged_numbers_are_printed_so_that_they_differ(tmp_path: Path) -> None:
    body = "    def loss_value(self, z, t):\n        return super().loss_value(z, t) * (1 + 1e-11)\n"
    found = checked(tmp_path, body, Settings(only=["loss"], quick=True, shrink=False, strict=True))
    text = found.checks[0].text
    shown = text.partition("found ")[2].split(",")[0], text.partition("expected ")[2].split(",")[0]
    assert shown[0] != shown[1]


def test_without_a_gradient_compared_nothing_passes(tmp_path: Path) -> None:
    found = checked(tmp_path, "    logits = loss_and_gradient = train = train_epoch = None\n")
    assert found.outcome == Outcome.INCONCLUSIVE


def test_a_convention_passes_and_strict_fails_it(tmp_path: Path) -> None:
    body = "    def loss_value(self, z, t):\n        return 2 * super().loss_value(z, t)\n"
    body += "    def output_delta(self, z, t):\n        return 2 * super().output_delta(z, t)\n"
    only = ["loss", "gradient", "differences"]
    found = checked(tmp_path, body, Settings(only=only, quick=True, shrink=False))
    assert found.outcome == Outcome.PASS
    assert "2 times ours" in found.notes[0]
    assert checked(tmp_path, body, Settings(only=only, quick=True, strict=True)).outcome == Outcome.FAIL


def test_check_class_is_public_and_true_for_a_pass_alone() -> None:
    with pytest.raises(InputError, match="no file nothing"):
        backproof.check_class("nothing.py:Mine")


def test_one_output_under_softmax_is_a_limit_unless_it_is_asked_for() -> None:
    target = Target(str(FOLDER / "other_forms.py"), "LabelsTakenForRows")
    settings = Settings(only=["loss", "gradient"], quick=True)
    found = try_class(target, settings)
    assert found.outcome == Outcome.PASS
    assert [note for note in found.notes if note.startswith("not judged with one output")]
    strictly = try_class(target, replace(settings, strict=True))
    assert strictly.outcome == Outcome.FAIL
    assert "where there is one output" in strictly.causes[0].sentence


def test_an_overflow_is_told_with_the_logits_from_which_on_it_happens(tmp_path: Path) -> None:
    body = """
    def logsumexp(self, z):
        return np.log(np.exp(z).sum(axis=1))

    def softmax(self, z):
        return np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
"""
    found = checked(tmp_path, body, Settings(only=["gradient", "extremes"], quick=True))
    first = found.causes[0]
    assert first.sentence.startswith("overflow: the loss is not finite from logits of about 71")
    assert "exp(z) overflows" in first.sentence
    assert "m = max(z)" in first.sentence
    assert first.certainty == "fits"


def test_a_penalty_in_loss_and_gradient_is_told_once_where_it_is_held_against_the_class() -> None:
    target = Target(str(FOLDER / "pair_mistakes.py"), "PenalisedWeights")
    narrow: dict[str, tuple[str | int, ...]] = {"loss": ("mse",), "hidden_layers": (1,)}
    found = try_class(target, Settings(only=["loss"], quick=True, shrink=False, strict=True, narrow=narrow))
    assert [cause.sentence for cause in found.causes] == [
        "lambda/2 |W|^2 (lambda = 0.1) is in the loss, and so in its gradient: ours has no penalty"
    ]


NO_NUMBER = """
    def loss_and_gradient(self, x, targets):
        return float({value!r}), {gradient}
"""


@pytest.mark.parametrize("gradient", ["self.weights()", "super().loss_and_gradient(x, targets)[1]"])
@pytest.mark.parametrize("value", ["nan", "inf"])
def test_a_loss_that_is_no_number_fails_and_is_told_first(tmp_path: Path, value: str, gradient: str) -> None:
    """The check of differences has nothing to take a difference of, and must not stop the others."""
    only = ["loss", "gradient", "differences"]
    asked = Settings(only=only, quick=True, shrink=False, time_limit=600.0)
    found = checked(tmp_path, NO_NUMBER.format(value=value, gradient=gradient), asked)
    assert found.outcome == Outcome.FAIL
    assert next(row.check for row in found.checks if row.verdict == Outcome.FAIL) == "loss"
    assert {"nan": "the loss is NaN in every case", "inf": "the loss is not finite"}[value] in " ".join(
        cause.sentence for cause in found.causes
    )


def test_an_adapter_that_is_not_told_is_refused_and_gets_no_verdict(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(adapter(forward='"both"'))
    with pytest.raises(InputError, match="2 arrays of the outputs' shape, a, b: which"):
        try_class(Target(str(tmp_path / "own.py"), "Short"), Settings(quick=True))


def test_a_network_that_tells_no_loss_is_judged_by_its_gradient_alone(tmp_path: Path) -> None:
    (tmp_path / "own.py").write_text(adapter(supports='{"loss": ["mse"]}', loss=""))
    found = try_class(
        Target(str(tmp_path / "own.py"), "Short"), Settings(quick=True, only=["loss", "gradient"])
    )
    rows = {row.check: row for row in found.checks}
    assert (rows["loss"].verdict, rows["gradient"].verdict) == ("not offered", Outcome.PASS)
    assert rows["loss"].text == "no cost is named that tells its loss"


# --- in this process ---------------------------------------------------------------------------------------

NARROW: Any = {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)}


class Undivided(Student):
    """The gradient is not divided by the number of examples."""

    def output_delta(self, z: Any, t: Any) -> Any:
        return super().output_delta(z, t) * len(z)


@pytest.mark.parametrize(
    "given", [{}, {"quick": True}, {"seed": 7}, {"strict": True}, {"quick": True, "seed": 3, "strict": True}]
)
def test_what_a_class_is_checked_with_arrives(given: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[Any] = []
    monkeypatch.setattr(session, "try_class", lambda target, settings: seen.append((target, settings)))
    check_class("package.module:Mine", **given)
    ((target, settings),) = seen
    assert str(target) == "package.module:Mine"
    assert settings == Settings(**{"quick": False, "seed": 0, "strict": False, **given})


def test_everything_that_a_trial_found_is_told() -> None:
    told: list[str] = []
    settings = Settings(only=["logits", "gradient"], quick=True, narrow=NARROW)
    with tried_here(Undivided) as target:
        found = try_class(target, settings, told.append)
    assert told == ["what it can do", "logits", "gradient", "what may be the cause"]
    assert found.outcome == Outcome.FAIL
    assert found.target == "here.py:Undivided"
    assert [(row.check, row.verdict) for row in found.checks] == [
        ("logits", Outcome.PASS), ("gradient", Outcome.FAIL),
    ]  # fmt: skip
    row = found.checks[1]
    assert row.question == "Is every entry of the gradient right?"
    assert row.cases > row.undecided == 0
    assert 0 <= row.seconds < 60
    assert row.comparison is not None
    assert row.text.startswith("gradient: ")
    assert "not divided by N" in found.causes[0].sentence
    assert found.tried_with == "checked with: tanh; mse; 1 hidden layer; float64 only"
    assert found.code_shows == "The smallest case found for gradient"
    assert "loss_and_gradient" in found.code
    assert 0 <= found.seconds < 120


def test_of_a_class_that_passes_no_cause_and_no_code_is_told() -> None:
    with tried_here(Student) as target:
        found = try_class(target, Settings(only=["logits"], quick=True, narrow=NARROW))
    assert (found.outcome, found.causes, found.code, found.code_shows) == (Outcome.PASS, (), "", "")


@pytest.mark.parametrize("seed", [0, 5])
def test_the_seed_arrives_in_the_diagnosis_and_what_happens_there_is_told(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    seeds: list[int] = []

    def diagnose(trial: Any, seed: int) -> Diagnosis:
        seeds.append(seed)
        if seed:
            raise Misbehaviour("crash", "it died of that", fatal=True)
        return Diagnosis([Cause("that is it", "explains")])

    monkeypatch.setattr(session, "diagnose", diagnose)
    with tried_here(Undivided) as target:
        found = try_class(
            target, Settings(only=["gradient"], quick=True, shrink=False, seed=seed, narrow=NARROW)
        )
    assert seeds == [seed]
    assert [(cause.sentence, cause.certainty) for cause in found.causes] == [
        ("it died of that", "describes") if seed else ("that is it", "explains")
    ]


def test_a_class_that_cannot_be_made_has_that_for_its_cause(monkeypatch: pytest.MonkeyPatch) -> None:
    def made(*given: Any) -> Any:
        raise Misbehaviour("import", "no module named gone", fatal=True)

    monkeypatch.setattr("backproof.comparisons.check.trial.Subject", made)
    found = try_class(Target("own.py", "Mine"), Settings())
    assert [(cause.sentence, cause.certainty) for cause in found.causes] == [
        ("no module named gone", "describes")
    ]
    assert (found.notes, found.tried_with, found.advice) == ((), "", ())


@pytest.mark.parametrize(("worst", "tensor"), [("W2[0, 1]", "W2"), ("b1[3]", "b1"), ("", "")])
def test_the_tensor_that_was_seen_wrong_is_that_of_the_worst_entry(worst: str, tensor: str) -> None:
    verdict: Any = type("Compared", (), {"worst": worst})()
    shown = CheckResult("gradient", "", Outcome.FAIL, "", comparison=verdict)
    assert session._tensor(shown) == tensor
    assert session._tensor(replace(shown, comparison=None)) == ""
    assert session._tensor(None) == ""
