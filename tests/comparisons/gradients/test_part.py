"""The gradient part of the main job, on networks that are right and on networks that are not."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons import cli
from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.experiment import Plan, resolve
from backproof.comparisons.gradients import campaign_chapter as section
from backproof.comparisons.gradients import part as gradients
from backproof.comparisons.gradients.part import check_problem, small_problems
from backproof.comparisons.gradients.result import Check, Gradients, NotCompared
from backproof.comparisons.report import document as results
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, LOSSES, Array, Weights
from backproof.scratch.problem import Problem


class NoGradient(ScratchMLP):
    """A contender with logits and training, but no gradients."""

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
        raise NotOffered("its public interface gives no gradient")


class NoLogits(ScratchMLP):
    def logits(self, x: Array) -> Array:
        raise NotOffered("it predicts classes only")


Layers = list[list[Array]]  # W and b of every layer, to be replaced
Change = Callable[[float, Layers], float]  # changes the layers, and returns the loss


def wrong(change: Change) -> Contender:
    """Scratch, with what loss_and_gradient returns changed on its way out."""

    class Wrong(ScratchMLP):
        def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]:
            loss, found = super().loss_and_gradient(x, targets)
            layers = [list(layer) for layer in found]
            loss = change(loss, layers)
            return loss, [(W, b) for W, b in layers]

    return Wrong()


def problem(activation: str = "relu", loss: str = "cross_entropy", dtype: str = "float64") -> Problem:
    name = f"{activation}, {loss}, {dtype}"
    return next(one for label, one in small_problems(0).items() if label.endswith(name))


def rows(monkeypatch: pytest.MonkeyPatch, contender: Contender) -> list[Check | NotCompared]:
    monkeypatch.setattr(registry, "create", lambda name: contender)
    return check_problem("it", problem(), ("mine",))


def compared(found: list[Check | NotCompared]) -> list[Check]:
    """The rows, each of which was compared."""
    checks = [row for row in found if isinstance(row, Check)]
    assert len(checks) == len(found)
    return checks


def checked(monkeypatch: pytest.MonkeyPatch, contender: Contender) -> Check:
    """The one check of this contender."""
    (check,) = compared(rows(monkeypatch, contender))
    return check


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_scratch_and_torch_pass_every_check(activation: str, loss: str, dtype: str) -> None:
    checks = compared(check_problem("it", problem(activation, loss, dtype), ("scratch", "torch")))
    assert [check.verdict for check in checks] == [Outcome.PASS] * len(checks)
    against = {check.against for check in checks}
    assert {"complex_step", "scratch"} <= against
    assert dtype == "float32" or "central_difference" in against


def _scaled(loss: float, found: Layers) -> float:
    found[1][0] = found[1][0] * (1 + 1e-8)
    return loss


def _transposed(loss: float, found: Layers) -> float:
    found[0][0] = found[0][0].T
    return loss


def _not_a_number(loss: float, found: Layers) -> float:
    found[0][1][0] = np.nan
    return loss


def _other_loss(loss: float, found: Layers) -> float:
    return loss * (1 + 1e-12)


def _a_layer_short(loss: float, found: Layers) -> float:
    del found[0]
    return loss


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (_scaled, "W2["),
        (_not_a_number, "b1[0]: found nan"),
        (_other_loss, "loss"),
        (_a_layer_short, "expected shape"),
    ],
)
def test_a_wrong_contender_fails_with_what_is_wrong(
    change: Change, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    check = checked(monkeypatch, wrong(change))
    assert check.verdict == Outcome.FAIL
    assert words in check.reason


def test_a_transposed_weight_gradient_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, wrong(_transposed)).verdict == Outcome.FAIL


def test_wrong_logits_fail_although_the_gradient_is_right(monkeypatch: pytest.MonkeyPatch) -> None:
    class Shifted(ScratchMLP):
        def logits(self, x: Array) -> Array:
            return super().logits(x) + 1e-9

    check = checked(monkeypatch, Shifted())
    assert (check.verdict, check.worst[:7]) == (Outcome.FAIL, "logits[")


def test_a_contender_without_gradients_is_a_row_with_the_reason_and_judged_on_its_logits(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    absent, logits = rows(monkeypatch, NoGradient())
    assert isinstance(absent, NotCompared)
    assert isinstance(logits, Check)
    assert absent.not_offered == "its public interface gives no gradient"
    assert logits.verdict == Outcome.PASS
    assert logits.architecture.endswith("logits")


def test_what_is_not_offered_is_said_once() -> None:
    plan = Plan(contenders=("sklearn",), data="digits", layer_sizes=(64, 8, 10))
    absent = gradients.run(resolve(plan), Silent()).absent
    assert [c.contender for c in absent] == ["sklearn"]


def test_a_contender_without_logits_is_judged_on_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    assert checked(monkeypatch, NoLogits()).verdict == Outcome.PASS


def test_the_part_has_a_batch_of_the_data_in_both_dtypes() -> None:
    plan = Plan(data="digits", layer_sizes=(64, 8, 10))
    assert list(gradients.data_problems(resolve(plan))) == [
        f"64-8-10 relu, cross_entropy, {dtype}, digits batch" for dtype in DTYPES
    ]


def test_a_large_network_is_differenced_at_sampled_entries() -> None:
    data = list(gradients.data_problems(resolve(Plan(data="digits", layer_sizes=(64, 32, 10)))).values())[1]
    checks = compared(check_problem("it", data, ("scratch",)))
    central = next(check for check in checks if check.against == "central_difference")
    assert (central.verdict, central.n_compared) == (Outcome.PASS, 2 * gradients.SAMPLED_ENTRIES + 32 + 10)


def test_the_whole_part_is_as_the_results_want_it() -> None:
    part = gradients.run(resolve(Plan(data="digits", layer_sizes=(64, 8, 10))), Silent())
    assert part.verdict == Outcome.PASS
    assert encode(decode(Gradients, encode(part))) == encode(part)


# --- the command -------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One run of the command with a tiny campaign; its folder."""
    out = tmp_path_factory.mktemp("gradients")
    options = ["--campaign", "1", "--gradcheck", "0", "--perturb", "--draws", "1", "--workers", "1"]
    arguments = ["gradients", "--data", "digits", "--out", str(out), "--json", str(out / "part.json")]
    assert cli.run([*arguments, *options]) in (0, 3)  # so few draws may decide nothing
    return out


def test_the_command_writes_checks_campaign_and_sensitivity(folder: Path) -> None:
    found = results.load(folder / "results.json")
    assert None not in (found.gradients, found.step_sizes)
    assert found.campaign is not None
    assert found.sensitivity is not None
    assert found.campaign.command == found.sensitivity.command


def test_the_json_file_holds_the_same_parts(folder: Path) -> None:
    import json

    written = json.loads((folder / "part.json").read_text())
    whole = json.loads((folder / "results.json").read_text())
    assert set(written) == {"gradients", "step_sizes", "campaign", "sensitivity"}
    assert written == {name: whole[name] for name in written}


def test_the_report_has_the_campaign_with_the_command_that_made_it(folder: Path) -> None:
    loaded = results.load(folder / "results.json")
    assert loaded.campaign is not None
    built = section.build(loaded.campaign, loaded.sensitivity)
    assert built is not None
    assert loaded.campaign.command.replace("'", "&#39;") in built.html
    assert built.key in (folder / "report.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--campaign", "0"], "campaign: expected at least 1, got 0"),
        (["--draws", "0"], "draws: expected at least 1"),
        (["--gradcheck", "-1"], "gradcheck: expected at least 0"),
        (["--workers", "0"], "workers: expected at least 1"),
        (["--json", "nowhere/part.json"], "json: there is no folder"),
        (["--contender", "nobody"], "contender: expected one of"),
        (["--campaign", "many"], "--campaign"),
    ],
)
def test_bad_options_end_with_one_sentence_and_code_2(
    arguments: list[str], words: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["gradients", "--data", "digits", "--out", str(tmp_path / "out"), *arguments]) == 2
    sentence = capfd.readouterr().err.strip().splitlines()[-1]
    assert sentence.startswith("backproof: ")
    assert words in sentence
    assert not (tmp_path / "out").exists()


def test_without_a_campaign_there_is_no_chapter_on_it() -> None:
    assert section.build(None, None) is None
