"""From failed checks to causes, ranked; nothing is said that the evidence does not show.

1. the forward pass, where the logits are wrong: what comes after them is then not looked at
2. the loss, and the gradient divided by the loss's law: up to three mistakes that hold at once
3. training, looked at whether or not the gradient is right, since it is checked against the class's own
4. memory, exceptions, optional methods: what the checks saw
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from backproof.comparisons.check.diagnosis.early_updates import early_update
from backproof.comparisons.check.diagnosis.evidence import Observation, observe, observed
from backproof.comparisons.check.diagnosis.forwards import forward_cause
from backproof.comparisons.check.diagnosis.losses import IN_BOTH, IN_LOSS_ONLY, LossFindings, loss_findings
from backproof.comparisons.check.diagnosis.mistakes import PENALTY, Mistake
from backproof.comparisons.check.diagnosis.numerical import numerical_cause
from backproof.comparisons.check.diagnosis.overflows import overflow_causes
from backproof.comparisons.check.diagnosis.search import Model, search
from backproof.comparisons.check.diagnosis.slope_mistakes import FAMILIES
from backproof.comparisons.check.diagnosis.updates import update_causes
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.comparisons.check.trial import EXCEPTIONS, NOT_JUDGED, CheckResult, Trial
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import Architecture
from backproof.scratch.problem import Problem

MOST = 3  # causes told
EVALUATION = {"loss", "gradient", "differences", "extremes", "duplication", "large outputs"}
UPDATES = {"trajectory"}


@dataclass(frozen=True)
class Diagnosis:
    """Causes, best supported first; and the smallest case of the first, where it has one of its own."""

    causes: list[Cause] = field(default_factory=list)
    example: CheckResult | None = None


def diagnose(trial: Trial, seed: int) -> Diagnosis:
    """The causes that the evidence supports; none for a class that passed. Raises Misbehaviour."""
    failed = {result.check: result for result in trial.failed()}
    explored = trial.explored
    assert explored is not None
    forward = _forward_causes(trial, seed)
    causes, model = list(forward), None
    if not forward and failed.keys() & EVALUATION and explored.candidate.offers("loss_and_gradient"):
        found, model = _evaluation_causes(explored, seed, failed)
        causes += found
    layout = explored.candidate.form.gradient_layout
    if (failed.keys() & UPDATES or (layout == "out_in" and failed)) and explored.candidate.offers(
        "train", "weights"
    ):
        causes += update_causes(explored, seed)
    causes += _as_seen(failed, bool(causes))
    causes = list({cause.sentence: cause for cause in causes}.values())
    example = _example(explored, model, failed.get("gradient"))
    return Diagnosis(causes[:MOST], example or _shown(failed, causes))


def _forward_causes(trial: Trial, seed: int) -> list[Cause]:
    """Wrong logits make everything after them wrong: nothing else is worth saying then."""
    assert trial.explored is not None
    failed = {result.check: result for result in trial.failed()}
    told = {result.check: result for result in trial.results if result.verdict in (Outcome.FAIL, NOT_JUDGED)}
    if "repeatable" in failed and failed["repeatable"].kind == "mismatch":
        text = "logits are not the same twice: is something random left on at prediction?"
        return [Cause(text, "describes")]
    alone = told.get("independence")
    if alone is not None and alone.kind == "mismatch":
        return [Cause("a sample's logits depend on the other samples of its batch", "describes")]
    if "weights" in failed:
        return [Cause(failed["weights"].text, "describes")]
    if "logits" not in failed:
        return []
    if failed["logits"].kind != "mismatch":
        return [Cause(failed["logits"].text, "describes")]
    raised = [r.text for r in trial.failed() if r.check == EXCEPTIONS and r.text.startswith("logits raised")]
    first = [Cause(text, "describes") for text in raised]
    return [*first, forward_cause(trial.explored, seed, failed["logits"].text)]


def _evaluation_causes(
    explored: Explored, seed: int, failed: dict[str, CheckResult]
) -> tuple[list[Cause], Model | None]:
    """Causes of wrong losses and gradients."""
    shown = [
        failed[name].text for name in ("loss", "gradient") if name in failed and failed[name].kind == "value"
    ]
    if shown:
        return [Cause(text, "describes") for text in shown], None
    early = early_update(explored, seed)
    explored.candidate.early = early is not None  # what else is wrong shows in what it would pass back
    seen = [o for o in observe(explored, seed) if not _is_degenerate(o)]
    overflows = overflow_causes(explored, seen)
    wrong_loss = bool(failed.keys() & {"loss", "extremes", "large outputs"})
    told = [] if explored.candidate.silent else seen
    losses = loss_findings(told, wrong_loss, overflows)
    finite = [o for o in seen if np.isfinite(o.gradient).all()]
    wrong = [o for o in finite if o.gradient_wrong]
    of_losses = [*losses.causes.values(), *([] if overflows else _endless_gradient(seen))]
    of_losses += [] if told else overflows.values()
    if not wrong:
        return [*([early] if early else []), *of_losses], None
    model = search([o for o in finite if o.family in ("generic", "idle input")])
    explained = [] if model is None else _told(model, finite, losses)
    if not explained:
        numeric = numerical_cause(wrong)
        explained = [numeric] if numeric else [_described(wrong, finite)]
    if model is not None and not model.mistakes() and of_losses:
        explained, of_losses = of_losses, explained  # the gradient is wrong only where the loss is
    if model is not None and any(mistake.family == PENALTY for mistake in model.mistakes()):
        explained, of_losses = _one_penalty(explained, of_losses)
    explained += [early] if early else []
    if not told:
        explained = _without_a_loss(explained)
    names = {cause.sentence for cause in explained}
    return [*explained, *(cause for cause in of_losses if cause.sentence not in names)], model


def _without_a_loss(causes: Sequence[Cause]) -> list[Cause]:
    """Where the class gives no loss, what scale it means is not known: said last, with what to do."""
    scales = [c for c in causes if c.about == "output" and c.sentence.startswith("the gradient is")]
    tail = " (it gives no loss, of which this may be the gradient: let step return it, or name a cost)"
    return [c for c in causes if c not in scales] + [replace(c, sentence=c.sentence + tail) for c in scales]


def _one_penalty(explained: list[Cause], of_losses: list[Cause]) -> tuple[list[Cause], list[Cause]]:
    """A penalty found in the gradient and in the loss is one penalty in both."""
    both = [cause for cause in of_losses if IN_LOSS_ONLY in cause.sentence]
    if not both:
        return explained, of_losses
    first = replace(both[0], sentence=both[0].sentence.replace(IN_LOSS_ONLY, IN_BOTH))
    others = [cause for cause in explained if "missing from the loss" not in cause.sentence]
    return [first, *others], [cause for cause in of_losses if cause not in both]


def _is_degenerate(o: Observation) -> bool:
    """The softmax of one output is 1: every gradient is 0, and what is wrong may be wrong there alone."""
    return o.loss_name == "cross_entropy" and o.k == 1


def _endless_gradient(seen: Sequence[Observation]) -> list[Cause]:
    """Gradients that are not finite although the loss is."""
    endless = [o for o in seen if np.isfinite(o.loss) and not np.isfinite(o.gradient).all()]
    if not endless:
        return []
    logits = min(float(np.abs(o.zs[-1]).max()) for o in endless)
    text = f"the gradient is not finite for logits of {logits:.3g}: exp overflows in a derivative"
    return [Cause(text, "fits")]


def _told(model: Model, seen: Sequence[Observation], losses: LossFindings) -> list[Cause]:
    """The model's mistakes in words, families as one."""
    if not model.mistakes():
        special = [o for o in seen if not model.predicts(o)]
        ordinary = any(o.family == "generic" for o in special)
        return [_kink_cause(special)] if special and not ordinary else []
    whole = all(model.predicts(o) for o in seen)
    known = [
        o for o in seen if o.loss_name in model.outputs and (o.depth == 1 or o.activation in model.slopes)
    ]
    rest = [o for o in seen if o not in known and o.gradient_wrong]
    explained = [o for o in known if o.gradient_wrong]
    if len(rest) > len(explained):
        return []  # what holds in a corner alone is no cause of the whole
    fits = all(model.predicts(o) for o in explained if o.family == "generic")
    certainty = "explains" if whole else "fits" if fits else "describes"
    if losses.causes and any(mistake.family == PENALTY for mistake in model.mistakes()):
        certainty = "describes"  # it speaks of the loss, which is wrong in some other way
    told = [Cause(text, certainty, about=about) for text, about in _sentences(model, seen)]
    return [*told, *([_described(rest, seen)] if rest else [])]


def _sentences(model: Model, seen: Sequence[Observation]) -> list[tuple[str, str]]:
    """What each family of mistakes is called, and what it is about."""
    mistakes = model.mistakes()
    order = {"output": 0, "slope": 1, "pull": 2, "weight": 3, "bias": 4}
    groups: dict[str, list[Mistake]] = {}
    for mistake in sorted(mistakes, key=lambda m: order[m.step]):
        groups.setdefault(f"{mistake.step} {mistake.family or mistake.sentence}", []).append(mistake)
    return [(_sentence(group, model, seen), _about(group)) for group in groups.values()]


def _about(group: Sequence[Mistake]) -> str:
    first = group[0]
    if first.loss is not None:
        return "softmax"
    return f"{first.step} {first.only}".strip() if len(group) == 1 else first.step


def _sentence(group: Sequence[Mistake], model: Model, seen: Sequence[Observation]) -> str:
    first = group[0]
    if first.step == "output":
        mine = [
            loss
            for loss, mistake in model.outputs.items()
            if mistake.family == first.family and mistake.sentence == first.sentence
        ]
        others = {o.loss_name for o in seen} - set(mine)
        if others and not first.only:
            return f"{first.sentence} (with {' and '.join(f'loss={loss!r}' for loss in mine)})"
        return first.sentence
    if first.step == "slope" and len(group) > 1:
        names = [mistake.only for mistake in group]
        others = {o.activation for o in seen if o.depth > 1 and o.activation != "identity"} - set(names)
        tail = f" (of {' and '.join(names)})" if others else ""
        return FAMILIES[first.family] + tail
    return first.sentence


def _kink_cause(special: Sequence[Observation]) -> Cause:
    families = {o.family for o in special}
    where = {
        "kinks": "where a pre-activation is exactly zero",
        "saturated": "where logits are saturated",
        "idle input": "where an input is always zero",
    }
    places = " and ".join(where[family] for family in sorted(families) if family in where)
    return Cause(f"the gradient is wrong only {places}" if places else "the gradient is wrong", "describes")


def _described(wrong: Sequence[Observation], seen: Sequence[Observation]) -> Cause:
    """Where it is wrong and where it is not, when nothing known explains it."""
    kinds = {
        "Wb"[j]
        for o in wrong
        for pair in o.parts
        for j, part in enumerate(pair)
        if (np.abs(o.gradient[part] - o.right.gradient.value[part]) > o.right.gradient.error[part]).any()
    }
    places = {"b": "biases only", "W": "weights only"}.get("".join(sorted(kinds)), "weights and biases")
    right = [o for o in seen if not o.gradient_wrong]
    where = _where(wrong, right)
    return Cause(f"the gradient is wrong in {places}{f' ({where})' if where else ''}", "describes")


def _where(wrong: Sequence[Observation], right: Sequence[Observation]) -> str:
    from backproof.comparisons.check.conditions import only_where

    if right and all(o.family == "kinks" for o in wrong):
        return "only where a pre-activation is exactly zero"
    text = only_where([o.problem for o in wrong], [o.problem for o in right])
    return f"only {text}" if text else ""


def _as_seen(failed: dict[str, CheckResult], known: bool) -> list[Cause]:
    """What the other failed checks say, in their own words."""
    told = []
    for name, result in failed.items():
        if name in EVALUATION | UPDATES | {"logits", "weights", "repeatable", "independence"} and known:
            continue
        if name == "call order":
            text = (
                f"right on the first call, different on a later one: something is remembered ({result.text})"
            )
            told.append(Cause(text, "describes"))
        elif name == EXCEPTIONS or name in ("arguments", "results", "given weights"):
            told.append(Cause(result.text, "describes"))
        else:
            told.append(Cause(f"{name}: {result.text}", "describes"))
    return told


# -- the smallest case


def _shown(failed: dict[str, CheckResult], causes: Sequence[Cause]) -> CheckResult | None:
    """The failed check that the first cause is about."""
    first = causes[0].sentence if causes else ""
    for result in failed.values():
        if result.text and result.text in first:
            return result
    if failed and not any(name in failed for name in ("logits", "loss", "gradient", "differences")):
        for name in ("trajectory",):
            if name in failed:
                return failed[name]
    return next(iter(failed.values()), None)


def _example(explored: Explored, model: Model | None, gradient: CheckResult | None) -> CheckResult | None:
    """A small problem of the loss or the activation that the first cause speaks of."""
    mistakes = model.mistakes() if model is not None else []
    if model is None or gradient is None or len({m.family or m.sentence for m in mistakes}) < 2:
        return None
    first = min(mistakes, key=lambda m: {"output": 0, "slope": 1, "pull": 2, "weight": 3, "bias": 4}[m.step])
    for problem in _small(explored, first):
        try:
            o = observed(explored.candidate, problem)
        except Misbehaviour:
            continue
        verdict = o.right.judge(flat_gradient(o.problem.weights) * 0 + o.gradient)
        if verdict.outcome == Outcome.FAIL:
            calls = explored.candidate.calls
            text = f"gradient: {verdict.reason}"
            return replace(gradient, text=text, calls=calls, comparison=verdict)
    return None


def _small(explored: Explored, first: Mistake) -> list[Problem]:
    """The smallest problems of the loss or the activation that the mistake speaks of."""
    rng, found = np.random.default_rng(0), []
    kinds = [kind for kind in explored.space.kinds if first.only in ("", *kind[:2])]
    shallow = sorted(kinds, key=lambda kind: kind[2])
    for kind in [k for k in shallow if k[2] or first.step not in ("slope", "pull")][:6]:
        for width, n in ((1, 1), (1, 2), (2, 2)):
            sizes = (width,) * (kind[2] + 1) + (max(width, 2) if kind[1] == "cross_entropy" else width,)
            architecture = Architecture(sizes, kind[0], kind[1], explored.space.dtype)
            weights = [
                (rng.integers(-8, 9, s) / 8, explored.space.biases * rng.integers(-8, 9, s[1:]) / 8)
                for s in architecture.layer_shapes
            ]
            x = rng.integers(-8, 9, (n, width)) / 8
            targets = (
                rng.integers(0, 2, n)
                if kind[1] == "cross_entropy"
                else rng.integers(0, 2, (n, sizes[-1])) / 1
            )
            found.append(Problem(architecture, weights, x, targets))
    return found
