"""The gradient part of the main job: is every gradient the derivative of its loss?

Three questions, each answered by verdicts with bounds derived for the very case:

1. Is scratch's backpropagation the derivative of scratch's loss? Its gradient is checked against numerical
   differentiation of the same loss in double precision: the complex step (no truncation, no cancellation),
   and real differences (central differences whose truncation is derived).
2. Do the other contenders agree with the gradient so proven? Each is held to scratch's float64 gradient
   at the same weights, with the rounding of both sides in the bound.
3. Do loss and logits agree as well? They are checked against their own running error bounds.

For every activation with every loss, in float32 and float64, and for one batch of the data set.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial
from time import perf_counter

import numpy as np

from backproof.comparisons.contenders import registry
from backproof.comparisons.contenders.apart import FaultError
from backproof.comparisons.contenders.known import KNOWN
from backproof.comparisons.experiment import Experiment
from backproof.comparisons.gradients.random_problems import float64_shadow
from backproof.comparisons.gradients.result import Check, Gradients, NotCompared
from backproof.comparisons.running.progress import Progress
from backproof.comparisons.verdicts.certified_differences import central_differences
from backproof.comparisons.verdicts.forward_mode_bounds import complex_step_bound
from backproof.comparisons.verdicts.network_bounds import Reference, backprop_reference
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, judge_gradient, tensors
from backproof.comparisons.verdicts.rounding import Bounded
from backproof.comparisons.verdicts.verdict import REQUIRED_RESOLUTION, Asked, Verdict, compare
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, LOSSES, Architecture, Array
from backproof.scratch.errors import InputError
from backproof.scratch.gradients import gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.problem import Problem

SMALL = (7, 6, 5, 4)  # three layers of unequal widths: a wrong transpose or a wrong layer cannot hide
SMALL_BATCH = 8
DATA_BATCH = 100
LARGEST_WHOLE = 1024  # parameters of a network all of which are moved, one at a time
SAMPLED_ENTRIES = 64  # of each tensor of a larger one


def run(experiment: Experiment, progress: Progress) -> Gradients:
    """Every check of the experiment's contenders."""
    started = perf_counter()
    problems = {**small_problems(experiment.plan.seed), **data_problems(experiment)}
    checks: list[Check | NotCompared] = []
    with progress.task("gradients: against differences and each other", len(problems)) as advance:
        for label, problem in problems.items():
            checks += check_problem(label, problem, experiment.contenders)
            advance()
    compared = [check for check in checks if isinstance(check, Check)]
    absent = _gathered([check for check in checks if isinstance(check, NotCompared)])
    outcome = worst(check.verdict for check in compared)
    return Gradients(outcome, perf_counter() - started, (*compared, *absent))


def _gathered(absent: list[NotCompared]) -> list[NotCompared]:
    """What is not offered, said once per contender and reason instead of once per network."""
    groups: dict[tuple[str, str], list[NotCompared]] = {}
    for row in absent:
        groups.setdefault((row.contender, row.not_offered), []).append(row)
    return [
        rows[0] if len(rows) == 1 else replace(rows[0], architecture=f"{len(rows)} networks")
        for rows in groups.values()
    ]


def small_problems(seed: int) -> dict[str, Problem]:
    """By label: every activation with every loss in both dtypes, at He-normal weights with drawn biases."""
    problems = {}
    for activation in ACTIVATIONS:
        for loss in LOSSES:
            rng = np.random.default_rng([seed, ACTIVATIONS.index(activation), LOSSES.index(loss)])
            x = rng.standard_normal((SMALL_BATCH, SMALL[0]))
            targets = _random_targets(rng, loss)
            for dtype in DTYPES:
                architecture = Architecture(SMALL, activation, loss, dtype)
                parameters = initialize(architecture, seed)
                for _, bias in parameters.layers:
                    bias[...] = 0.1 * np.random.default_rng(seed).standard_normal(bias.shape)
                label = f"{'-'.join(map(str, SMALL))} {activation}, {loss}, {dtype}"
                problems[label] = Problem(architecture, parameters.weights(), x.astype(dtype), targets)
    return problems


def _random_targets(rng: np.random.Generator, loss: str) -> Array:
    if loss == "cross_entropy":
        return rng.integers(0, SMALL[-1], SMALL_BATCH)
    if loss == "binary_cross_entropy":
        return rng.integers(0, 2, (SMALL_BATCH, SMALL[-1])).astype(np.float64)
    return rng.standard_normal((SMALL_BATCH, SMALL[-1])).astype(np.float32).astype(np.float64)


def data_problems(experiment: Experiment) -> dict[str, Problem]:
    """By label: the network at its initial weights, with the first examples of the training set."""
    dataset = experiment.dataset
    problems = {}
    for dtype in DTYPES:
        architecture = replace(experiment.architecture, dtype=dtype)
        weights = initialize(architecture, experiment.plan.seed).weights()
        x, labels = dataset.train_images[:DATA_BATCH], dataset.train_labels[:DATA_BATCH]
        sizes = "-".join(map(str, architecture.layer_sizes))
        label = f"{sizes} {architecture.activation}, {architecture.loss}, {dtype}, {dataset.name} batch"
        problems[label] = Problem(architecture, weights, x, labels)
    return problems


def check_problem(label: str, problem: Problem, contenders: Sequence[str]) -> list[Check | NotCompared]:
    """One check of scratch against each kind of difference, and of each other contender against scratch.

    A contender without gradients is judged on its logits; the row says why there is no more.
    """
    references: dict[str, Reference] = {}
    checks: list[Check | NotCompared] = []
    for name in contenders:
        functions = KNOWN[name].functions if name in KNOWN else "any"
        if functions not in references:
            given = problem.architecture, problem.weights, problem.x, problem.targets
            references[functions] = backprop_reference(*given, functions=functions)
        reference = references[functions]
        try:
            answer = _computed(registry.create(name), problem)
        except FaultError as fault:  # of this contender alone: the others are compared all the same
            checks.append(_check(name, "scratch", label, {"gradient": _failed(str(fault))}))
            continue
        if answer.gradient is None:
            checks += _without_gradient(name, answer, reference, label)
            continue
        shared = name in KNOWN and KNOWN[name].backpropagates
        witnesses = scratch_witnesses(problem) if name == "scratch" else {"scratch": proven(problem)}
        for against, witness in witnesses.items():
            verdicts = {
                "gradient": _guarded(partial(judge_answer, reference, answer.gradient, witness, shared)),
                **_forward_verdicts(reference, answer),
            }
            checks.append(_check(name, against, label, verdicts))
    return checks


@dataclass(frozen=True)
class Computed:
    """What a contender computes of one problem; None where it does not offer it, and `reason` says why."""

    loss: float | None = None
    gradient: Array | None = None  # flat
    logits: Array | None = None
    reason: str = ""


def _computed(contender: Contender, problem: Problem) -> Computed:
    try:
        contender.load(problem.architecture, problem.weights)
    except NotOffered as reason:
        return Computed(reason=str(reason))
    try:
        logits = contender.logits(problem.x)
    except NotOffered:
        logits = None
    try:
        loss, found = contender.loss_and_gradient(problem.x, problem.targets)
    except NotOffered as reason:
        return Computed(logits=logits, reason=str(reason))
    return Computed(float(loss), flat_gradient(found), logits)


def _without_gradient(
    name: str, answer: Computed, reference: Reference, label: str
) -> list[Check | NotCompared]:
    rows: list[Check | NotCompared] = [NotCompared(name, "scratch", label, answer.reason)]
    if answer.logits is not None:
        verdict = _forward_verdicts(reference, answer)["logits"]
        rows.append(_check(name, "scratch", f"{label}, logits", {"gradient": verdict}))
    return rows


@dataclass(frozen=True)
class Witness:
    """A gradient found independently, with its error bound; of some entries only where `entries` is given."""

    gradient: Bounded
    entries: Array | None = None


def scratch_witnesses(problem: Problem) -> dict[str, Witness]:
    """Numerical derivatives of scratch's loss in float64, by the name of the method."""
    network, x, targets = float64_shadow(problem)
    stepped = gradient(network, x, targets, "complex_step", evaluation="structured")
    error = complex_step_bound(problem.architecture, problem.weights, x, targets)
    witnesses = {"complex_step": Witness(Bounded(stepped, error))}
    if problem.architecture.dtype == "float64":
        witnesses |= _real_differences(problem)
    return witnesses


def _real_differences(problem: Problem) -> dict[str, Witness]:
    architecture = problem.architecture
    sampled = np.arange(architecture.n_parameters)
    if len(sampled) > LARGEST_WHOLE:
        rng = np.random.default_rng(len(sampled))
        parts = [np.arange(part.start, part.stop) for part in tensors(architecture)]
        sampled = np.concatenate(
            [np.sort(rng.choice(part, min(len(part), SAMPLED_ENTRIES), replace=False)) for part in parts]
        )
    found = central_differences(architecture, problem.weights, problem.x, problem.targets, sampled)
    whole = len(sampled) == architecture.n_parameters
    return {"central_difference": Witness(found.gradient, None if whole else sampled)}


def proven(problem: Problem) -> Witness:
    """Scratch's float64 gradient, which the first checks have proven, with its rounding bound."""
    network, x, targets = float64_shadow(problem)
    found = gradient(network, x, targets, "backprop")
    wide = backprop_reference(network.architecture, network.parameters.layers, x, targets)
    return Witness(Bounded(found, wide.gradient.error))


def _forward_verdicts(reference: Reference, answer: Computed) -> dict[str, Verdict]:
    """Verdicts on what the forward pass gives, as far as it is offered."""
    verdicts = {}
    if answer.loss is not None:
        verdicts["loss"] = _guarded(partial(_judge_loss, reference, answer.loss))
    if answer.logits is not None:
        verdicts["logits"] = _guarded(partial(_judge_logits, reference, answer.logits))
    return verdicts


def _guarded(judge: Callable[[], Verdict]) -> Verdict:
    try:
        return judge()
    except ValueError as error:  # shapes that differ
        return _failed(str(error))


def _failed(reason: str) -> Verdict:
    """Without any figures."""
    return Verdict(Outcome.FAIL, np.inf, 0.0, np.inf, "", reason, 0, 0)


def judge_answer(
    reference: Reference, found: Array, witness: Witness, shared_deltas: bool = False
) -> Verdict:
    """The gradient against its witness, on the entries that the witness knows."""
    if witness.entries is None:
        return judge_gradient(reference, found, witness.gradient, shared_deltas)
    entries, architecture = witness.entries, reference.architecture
    if found.shape != reference.gradient.value.shape:
        raise InputError(f"gradient: expected {architecture.n_parameters} numbers, got {found.shape}")
    groups = [slice(*np.searchsorted(entries, [part.start, part.stop])) for part in tensors(architecture)]
    bound = witness.gradient.error + reference.gradient.error[entries]
    name = [architecture.parameter_name(int(entry)) for entry in entries].__getitem__
    required = REQUIRED_RESOLUTION[architecture.dtype]
    return compare(found[entries], witness.gradient.value, bound, name, groups, asked=Asked(required))


def _judge_loss(reference: Reference, loss: float) -> Verdict:
    expected = reference.loss
    return compare(np.array([loss]), expected.value[None], expected.error[None], lambda _: "loss")


def _judge_logits(reference: Reference, logits: Array) -> Verdict:
    expected, columns = reference.logits, reference.architecture.n_outputs
    return compare(
        logits, expected.value, expected.error, lambda i: "logits[{}, {}]".format(*divmod(i, columns))
    )


def _check(contender: str, against: str, label: str, verdicts: dict[str, Verdict]) -> Check:
    """The gradient's figures, unless loss or logits are what fails."""
    shown = min(verdicts.values(), key=lambda verdict: verdict.outcome.rank)
    gradient = verdicts["gradient"]
    forward = {name: verdicts[name] for name in ("loss", "logits") if name in verdicts}
    return Check(
        contender=contender,
        against=against,
        architecture=label,
        verdict=shown.outcome,
        max_error=shown.error,
        bound=shown.bound,
        resolution=gradient.resolution,
        worst=shown.worst,
        n_compared=gradient.n_compared,
        n_inconclusive=gradient.n_inconclusive,
        found=shown.found,
        expected=shown.expected,
        reason="" if shown.outcome == Outcome.PASS else shown.reason,
        **{f"{name}_error": verdict.error for name, verdict in forward.items()},
        **{f"{name}_bound": verdict.bound for name, verdict in forward.items()},
    )
