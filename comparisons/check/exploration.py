"""What a class can do, found out before anything is judged: `explore`.

1. What it says of itself, in class attributes.
2. Every kind of network is asked for once: answered, declined, or raising. A class that answers the same,
   bit for bit, whatever activation (or loss) is asked, does not look at the architecture: which one it has
   is then found by its numbers.
3. Where its logits fit no network of our form, forms are tried that other people use; one is taken for the
   class's only if its logits fit to six digits on two problems.
4. Its conventions: how its losses differ from ours (`conventions`).
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import product

import numpy as np

from backproof.comparisons.check.battery.grid import SHAPES, generic_problem
from backproof.comparisons.check.conventions import Answered, find_conventions
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.expected import forward_logits
from backproof.comparisons.check.forms.form import DECLARED_ONLY, WORDS, Form, declared, declared_space
from backproof.comparisons.check.forms.space import Kind, Space, narrowed
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.scratch.architecture import ACTIVATIONS, Architecture, Array, DtypeName, OptimizerSpec
from backproof.scratch.problem import Problem

FITS = {"float64": 1e-6, "float32": 1e-4}  # of the largest logit
STAND_IN = "relu"  # what the architecture's activation is called where the class's own is none of ours
SEARCHED = ("outputs", "weight_layout", "samples", "biases")


@dataclass(frozen=True)
class Probe:
    """What a class said to one problem: numbers, or how it declined or failed.

    "unfinished": it loaded the network and then declined.
    """

    kind: Kind
    problem: Problem
    status: str  # answered | declined | raised | value
    text: str = ""
    logits: Array | None = None
    loss: float = float("nan")
    gradient: Array | None = None


@dataclass(frozen=True)
class Explored:
    """The class as a candidate of its own form, the space to draw from, and what was noticed."""

    candidate: Candidate
    space: Space
    notes: Sequence[str] = field(default_factory=tuple)  # sentences: form, conventions, what it ignores

    @property
    def own_seconds(self) -> float:
        """The time that the class itself has taken so far."""
        return self.candidate.subject.own_seconds

    def line(self) -> str:
        """``checked with: tanh; sum of squares; 0 to 2 hidden layers; float64 only``"""
        space = self.space
        if not space.kinds:
            return "checked with: nothing; it offers no network"
        activation = self.candidate.form.activation or ", ".join(space.activations)
        losses = ", ".join(loss.replace("_", " ") for loss in space.losses)
        low, high = space.depths[0], space.depths[-1]
        depths = f"{low} to {high} hidden layers" if low < high else f"{low} hidden layer{'s' * (low != 1)}"
        dtypes = " and ".join(space.dtypes) + (" only" if len(space.dtypes) == 1 else "")
        return f"checked with: {activation.replace('_', ' ')}; {losses}; {depths}; {dtypes}"


def explore(
    subject: Subject, narrow: Mapping[str, tuple[str | int, ...]], strict: bool, seed: int
) -> Explored:
    """See above. `narrow` as in `forms.form.SPACE`; with `strict`, conventions are not looked for.

    Raises InputError for class attributes that mean nothing.
    """
    form, space, stated = _as_stated(subject, narrow)
    candidate = Candidate(subject, form)
    if not space.kinds or not candidate.offers("load"):
        return Explored(candidate, space)
    candidate.dtype = space.dtype
    probes = _ask_all(candidate, space, seed)
    if probes[-1].status == "fatal":
        return Explored(candidate, space)  # the checks will meet it, and say which of them did
    space, narrow_note = _with_double(candidate, space, probes, seed)
    if candidate.dtype != "float64":
        probes = _ask_all(candidate, space, seed)
    if not any(_fits(candidate, probe) for probe in probes):
        candidate.form = _recognised(candidate, probes, declared(subject.attributes), seed)
        probes = _ask_all(candidate, space, seed)
    candidate.form = _with_targets_and_layout(candidate, probes, seed)
    probes = _ask_all(candidate, space, seed)
    notes = [*_read_as(subject), *candidate.form.sentences()]
    kinds, ignored = _looked_at(candidate, probes, seed)
    notes += [note for note in ignored if note]
    if candidate.form.activation and not form.activation:
        notes = [*_read_as(subject), *candidate.form.sentences(), *[note for note in ignored if note]]
    offered = tuple(p.kind for p in probes if p.kind in kinds and p.status != "declined")
    space = replace(space, kinds=offered)
    space, note = _with_single(candidate, space, seed)
    notes += narrow_note + note
    if candidate.offers("load", "train", "weights") and offered and _has_one_rule(candidate, space, seed):
        space = replace(space, plain_descent=True)
        notes.append("train does plain gradient descent whatever update rule is asked")
    if not strict and offered:
        held = set(map(str, stated.get("loss", ()))) if "loss" in subject.attributes else set()
        candidate.conventions = find_conventions(
            _for_conventions(candidate, space, seed), held, _slope_at_zero(candidate, space)
        )
        notes += candidate.conventions.sentences()
    if candidate.arrangement:
        notes.append(f"gradients come in {candidate.arrangement}: read so")
    return Explored(candidate, space, tuple(notes))


def _read_as(subject: Subject) -> list[str]:
    """How an adapter without methods is read."""
    said = subject.attributes.get("read_as")
    return [text for text in said if isinstance(text, str)] if isinstance(said, list) else []


def _as_stated(
    subject: Subject, narrow: Mapping[str, tuple[str | int, ...]]
) -> tuple[Form, Space, dict[str, tuple[str | int, ...]]]:
    """Form and space by the class's attributes and the user's wishes."""
    attributes = subject.attributes
    words = declared(attributes)
    stated = declared_space(attributes)
    methods = subject.methods
    form = Form(**words, step="step" in methods and "loss_and_gradient" not in methods)
    allowed = {**stated, **narrow}
    own = [name for name in allowed.get("activation", ()) if name not in ACTIVATIONS]
    if own:
        form = replace(form, activation=str(own[0]))
    if form.activation and form.activation not in ACTIVATIONS:
        allowed["activation"] = (STAND_IN,)
    space = narrowed(replace(Space.full(), biases=form.biases != "none"), allowed)
    return form, space, stated


def probe_problem(
    kind: Kind, seed: int, biases: bool, shape: int = 0, dtype: DtypeName = "float64"
) -> Problem:
    """Equal numbers for all activations and for all losses with numbers as targets."""
    activation, loss, depth = kind
    sizes, size = SHAPES[depth][shape % len(SHAPES[depth])]
    return generic_problem(Architecture(sizes, activation, loss, dtype), size, seed, biases)


def _ask_all(candidate: Candidate, space: Space, seed: int) -> list[Probe]:
    found = []
    for kind in space.kinds:
        problem = probe_problem(kind, seed, space.biases, dtype=candidate.dtype)
        found.append(_asked(candidate, kind, problem))
        if found[-1].status == "fatal":
            return found
    if all(probe.status in ("declined", "unfinished") for probe in found):
        # What declines every kind is a method that is not offered, and no reason to leave out a kind.
        return [replace(p, status="answered") if p.status == "unfinished" else p for p in found]
    return [replace(p, status="declined") if p.status == "unfinished" else p for p in found]


def _asked(candidate: Candidate, kind: Kind, problem: Problem) -> Probe:
    probe = Probe(kind, problem, "answered")
    try:
        candidate.renew()
        candidate.load(problem.architecture, problem.weights)
        if candidate.offers("logits"):
            probe = replace(probe, logits=candidate.logits(problem.x))
        if candidate.offers("loss_and_gradient"):
            loss, gradient = candidate.loss_and_gradient(problem.x, problem.targets)
            probe = replace(probe, loss=loss, gradient=flat_gradient(gradient))
    except Misbehaviour as finding:
        status = "fatal" if finding.fatal else finding.kind
        if status == "declined" and candidate.subject.calls[-1].method != "load":
            status = "unfinished"
        return replace(probe, status=status, text=finding.text)
    return probe


def _fits(candidate: Candidate, probe: Probe) -> bool:
    """Are its logits those of this form, to six digits?"""
    if probe.logits is None:
        return probe.status == "answered" and not candidate.offers("logits")
    right = candidate.expected(probe.problem).outputs.value
    size = max(float(np.abs(right).max()), 1e-30)
    return bool(np.abs(probe.logits - right).max() <= FITS[probe.problem.architecture.dtype] * size)


def _recognised(candidate: Candidate, probes: Sequence[Probe], words: Mapping[str, str], seed: int) -> Form:
    """The first form whose logits fit on two problems; the stated one where none does."""
    form, alive = candidate.form, [probe for probe in probes if probe.status not in ("declined", "fatal")]
    tried = {probe.kind[:2]: probe for probe in alive if probe.kind[2] == max(p.kind[2] for p in alive)}
    some = None if candidate.reads_by_name else 2  # how its arrays lie is known: few forms are left
    known = dict.fromkeys(("samples", "weight_layout", "biases"), "") if candidate.reads_by_name else {}
    for probe in list(tried.values())[:some]:
        for other in _forms(form, {**known, **words}, probe.kind):
            candidate.form = other
            if all(
                _fits(candidate, _logits_only(candidate, probe.kind, seed + shape, shape)) for shape in (0, 1)
            ):
                return other
    return form


def _forms(form: Form, words: Mapping[str, str], kind: Kind) -> list[Form]:
    """Every form that leaves alone what is stated, those that differ in few things first."""
    choices: dict[str, Sequence[str]] = {
        name: (getattr(form, name),)
        if name in words
        else tuple(word for word in WORDS[name] if word not in DECLARED_ONLY)
        for name in SEARCHED
    }
    if "output_activation" not in words and kind[1] in ("mse", "sum_of_squares"):
        choices["output_activation"] = WORDS["output_activation"]
    own = [] if form.activation else [replace(form, activation=name) for name in ACTIVATION_FUNCTIONS]
    found = [
        replace(form, **dict(zip(choices, values, strict=True)))  # type: ignore[arg-type]  # words all
        for values in product(*choices.values())
    ]
    found += [replace(other, outputs=name) for other in own for name in choices["outputs"]]
    return sorted(found, key=lambda other: sum(vars(other)[name] != vars(form)[name] for name in vars(form)))


def _logits_only(candidate: Candidate, kind: Kind, seed: int, shape: int) -> Probe:
    problem = probe_problem(kind, seed, candidate.form.biases != "none", shape, candidate.dtype)
    try:
        candidate.renew()
        candidate.load(problem.architecture, problem.weights)
        return Probe(kind, problem, "answered", logits=candidate.logits(problem.x))
    except Misbehaviour as finding:
        return Probe(kind, problem, finding.kind, logits=np.full((1, 1), np.nan))


def _with_targets_and_layout(candidate: Candidate, probes: Sequence[Probe], seed: int) -> Form:
    """One-hot targets and transposed weight gradients, where these are answered and ours are refused."""
    form = candidate.form
    labelled = [probe for probe in probes if probe.kind[1] == "cross_entropy" and probe.status != "declined"]
    refused = labelled and all(probe.status == "raised" for probe in labelled)
    changes = []
    if refused and form.targets == "labels":
        changes.append((replace(form, targets="one_hot"), labelled[-1]))
    turned = [probe for probe in probes if "gradient W" in probe.text and "transposed?" in probe.text]
    if turned:
        changes.append((replace(form, gradient_layout="out_in"), turned[-1]))
    for other, probe in changes:
        candidate.form = other
        if _asked(candidate, probe.kind, probe.problem).status == "answered":
            return other
    candidate.form = form
    return form


def _looked_at(candidate: Candidate, probes: Sequence[Probe], seed: int) -> tuple[set[Kind], list[str]]:
    """The kinds that the class tells apart, and what it ignores, in words."""
    kinds = {probe.kind for probe in probes}
    activations, note = _without_activations(candidate, probes)
    kinds = {kind for kind in kinds if kind[0] in activations}
    loss, said = _ignored_loss(candidate, [p for p in probes if p.kind in kinds], seed)
    if loss:
        kinds = {kind for kind in kinds if kind[1] == loss}
    return kinds, [note, said]


def _without_activations(candidate: Candidate, probes: Sequence[Probe]) -> tuple[set[str], str]:
    """The activations to draw; where it has one alone, that one, and the form says so."""
    names: set[str] = {probe.kind[0] for probe in probes}
    deep = [probe for probe in probes if probe.kind[2] and probe.logits is not None]
    groups = {probe.kind[1:]: [p for p in deep if p.kind[1:] == probe.kind[1:]] for probe in deep}
    told_apart = [group for group in groups.values() if len(group) > 1]
    if candidate.form.activation:
        own = candidate.form.activation if candidate.form.activation in ACTIVATIONS else STAND_IN
        return ({own} & names or names), ""
    if not told_apart or any(_differ(group) for group in told_apart):
        return names, ""
    first = told_apart[0][0]
    form = candidate.form
    for name in ACTIVATION_FUNCTIONS:
        candidate.form = replace(form, activation=name)
        if _fits(candidate, first):
            return {name if name in ACTIVATIONS else STAND_IN}, ""
    candidate.form = form
    return {first.kind[0]}, "it does not look at architecture.activation, and fits no activation known here"


def _differ(group: Sequence[Probe]) -> bool:
    first = group[0].logits
    others = [probe.logits for probe in group[1:] if probe.logits is not None]
    return first is not None and any(not np.array_equal(other, first) for other in others)


def _ignored_loss(candidate: Candidate, probes: Sequence[Probe], seed: int) -> tuple[str, str]:
    """The one loss of a class that does not look at `architecture.loss`, and the sentence; else empty."""
    losses = list(dict.fromkeys(probe.kind[1] for probe in probes if probe.status != "declined"))
    if len(losses) < 2 or candidate.form.step:
        return "", ""
    kind = next(probe.kind for probe in reversed(probes) if probe.status != "declined")
    for as_labels in (True, False):
        answers = [_under_name(candidate, kind, loss, as_labels, seed) for loss in losses]
        there = [answer for answer in answers if answer is not None]
        if len(there) == len(losses) and all(answer.loss == there[0].loss for answer in there):
            name = "cross_entropy" if as_labels else _nearest(candidate, there[0], losses)
            said = f"it does not look at architecture.loss: {name.replace('_', ' ')} whatever is asked"
            return name, said
    return "", ""


def _under_name(candidate: Candidate, kind: Kind, loss: str, as_labels: bool, seed: int) -> Probe | None:
    """The answer to one batch's labels, or to the same as one-hot rows, under this name of a loss."""
    named_kind: Kind = (kind[0], "cross_entropy", kind[2])
    problem = probe_problem(named_kind, seed, candidate.form.biases != "none", dtype=candidate.dtype)
    labels = problem.targets
    rows = np.eye(problem.architecture.n_outputs)[labels]
    named = replace(problem.architecture, loss=loss)  # type: ignore[arg-type]  # one of LOSSES
    form = candidate.form
    candidate.form = replace(form, targets="labels")
    try:
        candidate.renew()
        candidate.load(named, problem.weights)
        found, gradient = candidate.loss_and_gradient(problem.x, labels if as_labels else rows)
    except Misbehaviour:
        return None
    finally:
        candidate.form = form
    return Probe(kind, problem, "answered", loss=found, gradient=flat_gradient(gradient))


def _nearest(candidate: Candidate, answer: Probe, losses: Sequence[str]) -> str:
    """The loss whose gradient is most nearly parallel to the answer's; of parallel ones, as long as that."""
    problem = answer.problem
    rows = np.eye(problem.architecture.n_outputs)[problem.targets]

    def nearness(loss: str) -> tuple[float, float]:
        named = replace(problem.architecture, loss=loss)  # type: ignore[arg-type]  # one of LOSSES
        targets = problem.targets if loss == "cross_entropy" else rows
        right = candidate.expected(replace(problem, architecture=named, targets=targets)).gradient.value
        found = answer.gradient if answer.gradient is not None else np.zeros_like(right)
        ours, its = float(np.linalg.norm(right)), float(np.linalg.norm(found))
        if not ours or not its:
            return 0.0, 0.0
        return round(float(right @ found) / (ours * its), 6), -abs(np.log(its / ours))

    return max(losses, key=nearness)


def _with_double(
    candidate: Candidate, space: Space, probes: Sequence[Probe], seed: int
) -> tuple[Space, list[str]]:
    """Without float64 where it is declined and float32 is not, or answered in float32 throughout."""
    if len(space.dtypes) < 2:
        return space, []
    logits = [probe.logits for probe in probes if probe.logits is not None]
    if logits and all(array.dtype == np.float32 for array in logits):
        candidate.dtype = "float32"
        return replace(space, dtypes=("float32",)), ["it answers in float32 where float64 is asked"]
    if all(probe.status == "declined" for probe in probes):
        candidate.dtype = "float32"
        if any(probe.status == "answered" for probe in _ask_all(candidate, space, seed)):
            return replace(space, dtypes=("float32",)), []
        candidate.dtype = "float64"
    return space, []


def _with_single(candidate: Candidate, space: Space, seed: int) -> tuple[Space, list[str]]:
    """Without float32 where it is declined, or answered in float64 throughout."""
    if len(space.dtypes) < 2 or not space.kinds:
        return space, []
    problem = probe_problem(space.kinds[-1], seed, space.biases)
    problem = problem.astype("float32")
    arrays: list[Array] = []
    try:
        candidate.renew()
        candidate.load(problem.architecture, problem.weights)
        if candidate.offers("weights"):
            arrays += [array for pair in candidate.weights() for array in pair]
        if candidate.offers("logits"):
            arrays.append(candidate.logits(problem.x))
        if candidate.offers("loss_and_gradient"):
            gradient = candidate.loss_and_gradient(problem.x, problem.targets)[1]
            arrays += [array for pair in gradient for array in pair]
    except Misbehaviour as finding:
        if finding.kind == "declined":
            return replace(space, dtypes=("float64",)), []
        if candidate.reads_by_name and finding.kind == "raised":  # a network that is told no dtype
            return replace(space, dtypes=("float64",)), [f"float32 is left out: {finding.text}"]
        return space, []
    double = [array.dtype == np.float64 for array in arrays]
    if any(double) and (all(double) or candidate.reads_by_name):  # whose network is told no dtype
        partly = "" if all(double) else ", in part,"
        return replace(space, dtypes=("float64",)), [
            f"it answers in float64{partly} where float32 is asked for"
        ]
    return space, []


def _has_one_rule(candidate: Candidate, space: Space, seed: int) -> bool:
    """Do momentum, weight decay and adam all give what plain descent gives, bit for bit, or nothing?"""
    problem = probe_problem(space.kinds[-1], seed, space.biases, dtype=space.dtype)
    rows = np.arange(problem.batch_size)
    rules = [
        OptimizerSpec(learning_rate=0.05),
        OptimizerSpec(learning_rate=0.05, momentum=0.9),
        OptimizerSpec(learning_rate=0.05, weight_decay=0.1),
        OptimizerSpec("adam", learning_rate=0.05),
    ]
    reached = []
    for rule in rules:
        try:
            candidate.renew()
            candidate.load(problem.architecture, problem.weights)
            candidate.train(problem.x, problem.targets, [rows, rows], rule)
            reached.append(flat_gradient(candidate.weights()))
        except Misbehaviour as finding:
            if finding.kind != "declined":
                return False
            reached.append(np.zeros(0))
    others = [weights for weights in reached[1:] if weights.size]
    return bool(others) and reached[0].size > 0 and all(np.array_equal(reached[0], w) for w in others)


def _for_conventions(candidate: Candidate, space: Space, seed: int) -> list[Answered]:
    """Answers that tell laws apart: every loss, several N, K and scales of the logits."""
    found = []
    for loss in space.losses:
        kinds = [kind for kind in space.kinds if kind[1] == loss]
        for i in range(10):
            kind = kinds[(3 * i) % len(kinds)]
            problem = probe_problem(kind, seed + i, space.biases, i, space.dtype)
            if i >= 8:
                problem = _louder(_with_a_choice(kind, seed + i, space))
            probe = _asked(candidate, kind, problem)
            if probe.status == "answered" and probe.gradient is not None and np.isfinite(probe.loss):
                right = candidate.expected(problem)  # as ours: no convention is known yet
                loud = i >= 8
                found.append(Answered(problem, probe.loss, probe.gradient, right, loud, candidate.form))
    return found


def _with_a_choice(kind: Kind, seed: int, space: Space) -> Problem:
    """A probe with more than one output: the softmax of one number is 1, and its logarithm never large."""
    shapes = range(len(SHAPES[kind[2]]))
    found = [probe_problem(kind, seed, space.biases, shape, space.dtype) for shape in shapes]
    return next((one for one in found if one.architecture.n_outputs > 1), found[0])


def _louder(problem: Problem) -> Problem:
    """Targets on the side that the logits speak against, by up to 45: probabilities down to 1e-20."""
    W, b = problem.weights[-1]
    z = forward_logits(problem)
    against = np.ptp(z, axis=1) if problem.architecture.loss == "cross_entropy" else np.abs(z)
    factor = 45.0 / max(float(against.max()), 1e-3)
    problem = replace(problem, weights=[*problem.weights[:-1], (factor * W, factor * b)])
    z = forward_logits(problem)
    if problem.architecture.loss == "cross_entropy":
        return replace(problem, targets=z.argmin(axis=1))
    if problem.architecture.loss == "binary_cross_entropy":
        return replace(problem, targets=(z < 0) * 1.0)
    return problem


def _slope_at_zero(candidate: Candidate, space: Space) -> float:
    """relu's slope at exactly 0, read from db1 = delta W2^T f'(0) where x, W1 and b1 are zero."""
    deep = [kind for kind in space.kinds if kind[0] == "relu" and kind[2]]
    if not deep or candidate.form.activation not in ("", "relu") or not candidate.form.is_ours:
        return 0.0
    problem = probe_problem(deep[0], 0, space.biases, dtype=space.dtype)
    zero = [(np.zeros_like(W), np.zeros_like(b)) for W, b in problem.weights[:1]]
    problem = replace(problem, weights=[*zero, *problem.weights[1:]])
    probe = _asked(candidate, deep[0], problem)
    if probe.gradient is None or not space.biases or len(problem.weights) != 2:
        return 0.0
    bias = problem.architecture.layer_slices()
    upstream = problem.weights[1][0] @ probe.gradient[bias[1][1]]
    found = probe.gradient[bias[0][1]]
    slope = round(float(found[0] / upstream[0]), 9 if space.dtype == "float64" else 6) if upstream[0] else 0.0
    constant = bool(np.abs(found - slope * upstream).max() <= FITS[space.dtype] * np.abs(upstream).max())
    return slope if constant and 0 < slope <= 1 else 0.0
