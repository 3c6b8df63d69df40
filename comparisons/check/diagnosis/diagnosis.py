"""From failed checks to causes, ranked; nothing is said that the evidence does not show.

1. an explanation (a known mistake as a formula) that predicts every answer of the class, right and wrong
2. a law of scale that fits every wrong tensor
3. what kind of call goes wrong: the second one, one after another batch, an update rule
4. failing these, where it goes wrong and where it does not
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from backproof.comparisons.check.diagnosis.evidence import Observation, observe, only_where
from backproof.comparisons.check.diagnosis.wrong_gradients import backprop_with, explanations
from backproof.comparisons.check.diagnosis.wrong_losses import loss_causes
from backproof.comparisons.check.diagnosis.wrong_scales import scaling
from backproof.comparisons.check.diagnosis.wrong_updates import update_causes
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.check.trial import Trial


@dataclass(frozen=True)
class Cause:
    """A sentence, and how much of what was seen it accounts for."""

    sentence: str
    certainty: str  # explains every answer seen | fits every wrong answer | describes


def diagnose(subject: Subject, trial: Trial, seed: int = 0) -> list[Cause]:
    """The causes that the evidence supports, best first; empty for a class that passed."""
    failed = {outcome.check.name for outcome in trial.failed()}
    causes: list[Cause] = _forward_causes(trial)
    if not causes and failed & EVALUATION and subject.offers("load", "loss_and_gradient"):
        causes += evaluation_causes(observe(subject, seed))
    if not causes and failed & UPDATES and subject.offers("load", "train", "weights"):
        causes += [Cause(sentence, "explains every answer seen") for sentence in update_causes(subject, seed)]
    if not causes and failed & MEMORY:
        causes += _safely(lambda: [Cause(sentence, "describes") for sentence in memory_causes(trial)])
    if not causes:
        causes = [Cause(f"{o.check.name}: {o.text}", "describes") for o in trial.failed()[:2]]
    return causes


EVALUATION = {"loss", "gradient", "differences", "extremes", "float32", "duplication", "integers", "layouts"}
UPDATES = {"trajectory", "integer training"}
MEMORY = {
    "call order",
    "results",
    "arguments",
    "repeatable",
    "fresh optimiser",
    "given weights",
    "checkpoints",
}


def evaluation_causes(seen: Sequence[Observation]) -> list[Cause]:
    """Causes of wrong gradients and losses."""
    wrong = [observation for observation in seen if observation.gradient_wrong]
    right = [observation for observation in seen if not observation.gradient_wrong]
    causes = [Cause(sentence, "fits every wrong answer") for sentence in loss_causes(seen)]
    if not wrong:
        return causes
    where = only_where(wrong, right)
    known = [
        Cause(_with(e.sentence, ""), "explains every answer seen")
        for e in explanations()
        if all(o.matches(backprop_with(e.steps, o.case)) for o in seen)
    ]
    if known:
        return [*known, *causes]
    scaled = scaling(wrong)
    if scaled:
        return [Cause(_with(scaled, where), "fits every wrong answer"), *causes]
    return [*causes, Cause(_with(f"the gradient is wrong in {_places(wrong)}", where), "describes")]


def _forward_causes(trial: Trial) -> list[Cause]:
    """Wrong logits make everything after them wrong: nothing else is worth saying then."""
    failed = {outcome.check.name: outcome for outcome in trial.failed()}
    if "repeatable" in failed:
        return [
            Cause("logits are not the same twice: is something random left on at prediction?", "describes")
        ]
    if "independence" in failed:
        return [Cause("a sample's logits depend on the other samples of its batch", "describes")]
    if "logits" in failed:
        return [Cause(f"the forward pass is wrong already: {failed['logits'].text}", "describes")]
    return []


def memory_causes(trial: Trial) -> list[str]:
    """What the failing check of state says, in the words of the call that went wrong."""
    sentences = []
    for outcome in trial.failed():
        if outcome.check.name == "call order" and "first call" not in outcome.text:
            sentences.append(
                f"right on the first call, different on a later one: something is remembered ({outcome.text})"
            )
        elif outcome.check.name in MEMORY:
            sentences.append(outcome.text)
    return sentences


def _with(sentence: str, where: str) -> str:
    return f"{sentence} ({where})" if where else sentence


def _places(wrong: Sequence[Observation]) -> str:
    kinds = {"Wb"[index % 2] for o in wrong for index in o.wrong_tensors}
    if kinds == {"b"}:
        return "biases only"
    return "weights only" if kinds == {"W"} else "weights and biases"


def _safely(causes: Callable[[], list[Cause]]) -> list[Cause]:
    try:
        return causes()
    except Misbehaviour as finding:
        return [Cause(finding.text, "describes")]
