"""Known ways to take a wrong step, fitted step by step to what training did with the class's own gradients.

`battery.training.Course` holds the weights theta_t that training reached and the class's own gradient g_t
there. A rule turns (theta_t, g_t) and its own memory into theta_(t+1); it is made of three parts, and a
mistake replaces one:

    fed     what the rule is given in place of g_t       (a sum never cleared, nothing for the biases, ...)
    decay   what becomes of weight_decay theta
    rule    sgd with its momentum, or adam

Each setting that the class offers is looked at by itself; a mistake is named only if it holds in every
setting it speaks of, and changes what happens in one that went wrong.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.findings import Undecided
from backproof.comparisons.check.battery.grid import trainings
from backproof.comparisons.check.battery.training import Course, course_of, describe, tolerance, torch_steps
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.losses import LOSS_FUNCTIONS
from backproof.scratch.problem import Problem


@dataclass
class Memory:
    """What a rule may look at, and what it keeps between steps."""

    spec: OptimizerSpec
    is_bias: Array
    n_tensors: int
    tensor: Array  # (n,) each parameter's tensor, counted from 0
    batch_size: int = 1
    t: int = 0  # steps so far, this one counted
    kept: dict[str, Array] = field(default_factory=dict)

    def get(self, name: str, like: Array) -> Array:
        return self.kept.get(name, np.zeros_like(like))


Rule = Callable[[Array, Array, Memory], Array]  # (theta, g, memory) -> the new theta
Decay = Callable[[Array, Array, Memory], Array]  # (theta, g, memory) -> g with the decay
Fed = Callable[[Array, "Step"], Array]


@dataclass(frozen=True)
class Step:
    """One step of a course, as `Fed` may look at it."""

    course: Course
    training: TrainingProblem
    index: int

    @property
    def batch_size(self) -> int:
        return len(self.training.batches[self.index])


# -- sgd


def _sgd(theta: Array, g: Array, m: Memory) -> Array:
    spec = m.spec
    if not spec.momentum:
        return theta - spec.learning_rate * g
    v = m.kept["v"] = spec.momentum * m.get("v", g) + g
    return theta - spec.learning_rate * (g + spec.momentum * v if spec.nesterov else v)


def _with_momentum(rule: Callable[[Array, Array, Array, Memory], Array]) -> Rule:
    """`rule(theta, g, velocity before, memory)` where there is momentum."""

    def step(theta: Array, g: Array, m: Memory) -> Array:
        if not m.spec.momentum:
            return theta - m.spec.learning_rate * g
        return rule(theta, g, m.get("v", g), m)

    return step


def _swapped(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = before + m.spec.momentum * g if m.t > 1 else g.copy()
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _old_look_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    return theta - m.spec.learning_rate * (g + m.spec.momentum * before if m.spec.nesterov else v)


def _no_look_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    return theta - m.spec.learning_rate * v


def _always_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v)


def _twice_ahead(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    ahead = m.spec.momentum * v + g
    return theta - m.spec.learning_rate * (m.spec.momentum * ahead + g if m.spec.nesterov else v)


def _old_velocity(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + g
    step = g + m.spec.momentum * v if m.spec.nesterov else before
    return theta - m.spec.learning_rate * step


def _dampened(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + (1 - m.spec.momentum) * g
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _dampened_later(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    v = m.kept["v"] = m.spec.momentum * before + (1 - m.spec.momentum) * g if m.t > 1 else g.copy()
    return theta - m.spec.learning_rate * (g + m.spec.momentum * v if m.spec.nesterov else v)


def _first_without_rate(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    rate = m.spec.learning_rate
    v = m.kept["v"] = m.spec.momentum * before + rate * g if m.t > 1 else g.copy()
    return theta - (rate * g + m.spec.momentum * v if m.spec.nesterov else v)


def _forgotten(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    ahead = 1 + m.spec.momentum if m.spec.nesterov else 1
    return theta - m.spec.learning_rate * g * ahead


def _aliased(theta: Array, g: Array, before: Array, m: Memory) -> Array:
    """v is the gradient's own buffer: v <- mu v, v <- v + g gives 2 mu g; with decay it is another array."""
    mu = m.spec.momentum
    if m.spec.weight_decay:
        v = m.kept["v"] = mu * before + g
        return theta - m.spec.learning_rate * (g + mu * v if m.spec.nesterov else v)
    v = 2 * mu * g if m.t > 1 else g
    return theta - m.spec.learning_rate * (v * (1 + mu) if m.spec.nesterov else v)


SGD_RULES: dict[str, Rule] = {
    "v + mu g stands where mu v + g belongs": _with_momentum(_swapped),
    "Nesterov's look-ahead uses the velocity of the step before": _with_momentum(_old_look_ahead),
    "Nesterov's look-ahead is missing": _with_momentum(_no_look_ahead),
    "Nesterov's look-ahead is taken although nesterov is off": _with_momentum(_always_ahead),
    "Nesterov's look-ahead is taken after the velocity was moved ahead already: mu is applied twice": (
        _with_momentum(_twice_ahead)
    ),
    "the step uses the old velocity, of the step before": _with_momentum(_old_velocity),
    "the velocity is dampened: (1 - mu) g stands where g belongs": _with_momentum(_dampened),
    "the velocity is dampened by (1 - mu) from the second step on": _with_momentum(_dampened_later),
    "the first velocity is taken without the learning rate": _with_momentum(_first_without_rate),
    "the velocity is forgotten between steps: momentum does nothing": _with_momentum(_forgotten),
    "the velocity shares its buffer with the gradient, which overwrites it: momentum is lost": (
        _with_momentum(_aliased)
    ),
}

# -- adam


@dataclass(frozen=True)
class AdamParts:
    """The places in which Adam goes wrong."""

    t: Callable[[Memory], Array | float] = lambda m: m.t
    first: Callable[[OptimizerSpec, Array | float], Array | float] = lambda s, t: 1 - s.beta1**t
    second: Callable[[OptimizerSpec, Array | float], Array | float] = lambda s, t: 1 - s.beta2**t
    root: str = "sqrt(v) + eps"
    stored: bool = False  # corrected moments are kept
    plain_second: bool = False  # the second moment of the gradient without the decay
    betas: Callable[[OptimizerSpec], tuple[float, float]] = lambda s: (s.beta1, s.beta2)


def _adam(parts: AdamParts, theta: Array, g: Array, m: Memory) -> Array:
    spec, t = m.spec, parts.t(m)
    b1, b2 = parts.betas(spec)
    squared = m.kept.get("plain", g) if parts.plain_second else g
    first = m.kept["m"] = b1 * m.get("m", g) + (1 - b1) * g
    second = m.kept["v"] = b2 * m.get("v", g) + (1 - b2) * squared**2
    m_hat, v_hat = first / parts.first(spec, t), second / parts.second(spec, t)
    if parts.stored:
        m.kept["m"], m.kept["v"] = m_hat, v_hat
    if parts.root == "sqrt(v + eps)":
        root = np.sqrt(v_hat + spec.eps)
    elif parts.root == "eps-hat":  # rate sqrt(1 - b2^t) / (1 - b1^t) m / (sqrt(v) + eps)
        root = (np.sqrt(second) + spec.eps) / np.sqrt(parts.second(spec, t))
    else:
        root = np.sqrt(v_hat) + (0.0 if parts.root == "sqrt(v)" else spec.eps)
    new: Array = theta - spec.learning_rate * m_hat / root
    return new


def _one(spec: OptimizerSpec, t: Array | float) -> float:
    return 1.0


def _adam_rule(parts: AdamParts) -> Rule:
    return lambda theta, g, m: _adam(parts, theta, g, m)


ADAM = AdamParts()
ADAM_RULES: dict[str, Rule] = {
    "Adam's eps stands inside the square root": _adam_rule(AdamParts(root="sqrt(v + eps)")),
    "Adam's eps is added before the bias correction (the eps-hat form)": _adam_rule(
        AdamParts(root="eps-hat")
    ),
    "Adam's eps is left out": _adam_rule(AdamParts(root="sqrt(v)")),
    "Adam's bias correction is missing": _adam_rule(AdamParts(first=_one, second=_one)),
    "Adam's bias correction of the second moment is missing": _adam_rule(AdamParts(second=_one)),
    "Adam's bias correction of the first moment is missing": _adam_rule(AdamParts(first=_one)),
    "Adam's bias correction is one step late: t starts from 2": _adam_rule(AdamParts(t=lambda m: m.t + 1)),
    "Adam's bias correction divides by (1 - beta) where (1 - beta^t) belongs": _adam_rule(
        AdamParts(first=lambda s, t: 1 - s.beta1, second=lambda s, t: 1 - s.beta2)
    ),
    "Adam divides by (1 - beta1) where (1 - beta1^t) belongs": _adam_rule(
        AdamParts(first=lambda s, t: 1 - s.beta1)
    ),
    "Adam's step counter t is raised once per tensor": _adam_rule(
        AdamParts(t=lambda m: (m.t - 1) * m.n_tensors + m.tensor + 1)
    ),
    "Adam's step counter t is raised once more with every tensor": _adam_rule(
        AdamParts(t=lambda m: (m.t - 1) * (m.n_tensors + 1) + m.tensor + 1)
    ),
    "Adam's step counter t is raised by the number of tensors": _adam_rule(
        AdamParts(t=lambda m: m.t * m.n_tensors)
    ),
    "Adam's bias-corrected moments are stored back into the running ones": _adam_rule(AdamParts(stored=True)),
    "Adam's second moment leaves out the weight decay": _adam_rule(AdamParts(plain_second=True)),
    "Adam's beta1 and beta2 are exchanged": _adam_rule(
        AdamParts(
            betas=lambda s: (s.beta2, s.beta1),
            first=lambda s, t: 1 - s.beta2**t,
            second=lambda s, t: 1 - s.beta1**t,
        )
    ),
}

# -- weight decay, and what the rule is fed


def _decay(change: Callable[[Array, Memory], Array]) -> Decay:
    return lambda theta, g, m: g + m.spec.weight_decay * change(theta, m)


DECAYS: dict[str, Decay] = {
    "weight decay is halved: lambda/2 where lambda belongs": _decay(lambda w, m: w / 2),
    "weight decay is doubled": _decay(lambda w, m: 2 * w),
    "weight decay is left out": _decay(lambda w, m: 0 * w),
    "weight decay has the wrong sign": _decay(lambda w, m: -w),
    "weight decay leaves out the biases": _decay(lambda w, m: np.where(m.is_bias, 0.0, w)),
    "weight decay is divided by the batch size": _decay(lambda w, m: w / m.batch_size),
    "weight decay is of |w|: sign(w) stands where w belongs": _decay(lambda w, m: np.sign(w)),
}
DECOUPLED = "{} decays the weights apart from the gradient{}"


def _accumulated(g: Array, step: Step) -> Array:
    total: Array = step.course.gradients[: step.index + 1].sum(axis=0)
    return total


def _early(g: Array, step: Step) -> Array:
    """Passed back through W_(t+1), which training shows."""
    problem = step.training.problem.rows(step.training.batches[step.index])
    now, after = step.course.weights[step.index], step.course.weights[step.index + 1]
    return passed_through(problem, now, after, g)


FEEDS: dict[str, Fed] = {
    "the gradient is passed back through weights already updated": _early,
    "gradient buffers are never cleared: each step takes the sum of all gradients so far": _accumulated,
    "the step goes uphill: the gradient is added": lambda g, s: -g,
    "the gradient of the step before is used": lambda g, s: s.course.gradients[max(s.index - 1, 0)],
    "the gradient is clipped to norm 1, unasked": lambda g, s: g / max(1.0, float(np.linalg.norm(g))),
}


# What is not moved at all, decay or not.
FROZEN: dict[str, Callable[[Step], Array]] = {
    "biases are never updated": lambda s: _is_bias(s.training.problem),
    "weights are never updated": lambda s: ~_is_bias(s.training.problem),
    "the last, short batch is skipped": lambda s: np.full(
        s.course.weights[0].size, s.batch_size != len(s.training.batches[0])
    ),
    "nothing is updated": lambda s: np.full(s.course.weights[0].size, True),
    "only the last layer is updated": lambda s: ~_of_last_layer(s.training.problem),
}
# What the whole step is multiplied by, the learning rate in it.
SCALED: dict[str, Callable[[Step], float]] = {
    "the step is divided by the batch size once more": lambda s: 1 / s.batch_size,
    "the step is multiplied by the batch size": lambda s: float(s.batch_size),
    "the step is half of what the learning rate asks": lambda s: 0.5,
    "the step is twice what the learning rate asks": lambda s: 2.0,
}
ALL_FED = ("", *FEEDS, *FROZEN, *SCALED)


def _is_bias(problem: Problem) -> Array:
    found = np.zeros(problem.architecture.n_parameters, bool)
    for _, bias in problem.architecture.layer_slices():
        found[bias] = True
    return found


def _of_last_layer(problem: Problem) -> Array:
    found = np.zeros(problem.architecture.n_parameters, bool)
    found[problem.architecture.layer_slices()[-1][0].start :] = True
    return found


def passed_through(problem: Problem, now: Array, after: Array, g: Array) -> Array:
    """The gradient g at `now` with the deltas taken through the weights of `after`, by our own formulas.

    What the class multiplies into g beside that (its loss's law) is taken from its last bias gradient.
    """
    function = ACTIVATION_FUNCTIONS[problem.architecture.activation]
    parts, shapes = problem.architecture.layer_slices(), problem.architecture.layer_shapes
    layers = [(now[W].reshape(shape), now[b]) for (W, b), shape in zip(parts, shapes, strict=True)]
    zs, activations = [], [problem.x]
    for W, b in layers:
        zs.append(activations[-1] @ W + b)
        activations.append(function.value(zs[-1]))
    delta = LOSS_FUNCTIONS[problem.architecture.loss].delta(zs[-1], problem.targets, np.empty_like(zs[-1]))
    ours, last = delta.sum(axis=0), g[parts[-1][1]]
    delta = delta * (float(last @ ours) / float(ours @ ours) if ours.any() and last.any() else 1.0)
    found = g.copy()
    for layer in reversed(range(1, len(layers))):
        moved = after[parts[layer][0]].reshape(shapes[layer])
        delta = (delta @ moved.T) * function.slope(zs[layer - 1])
        weight, bias = parts[layer - 1]
        found[weight] = (activations[layer - 1].T @ delta).ravel()
        found[bias] = delta.sum(axis=0)
    return found


# -- fitting


@dataclass(frozen=True)
class Choice:
    """One mistake for each part, "" where it is right."""

    fed: str = ""
    decay: str = ""
    sgd: str = ""
    adam: str = ""

    def names(self) -> list[str]:
        return [name for name in (self.fed, self.decay, self.sgd, self.adam) if name]


@dataclass(frozen=True)
class Setting:
    """One update rule of the grid, as the class followed it."""

    training: TrainingProblem
    course: Course
    right: bool
    bound: Array

    @property
    def spec(self) -> OptimizerSpec:
        return self.training.optimizer


def update_causes(explored: Explored, seed: int) -> list[Cause]:
    """The fewest mistakes that give every step of every setting offered; failing that, where it is wrong."""
    if explored.candidate.form.gradient_layout == "out_in":
        text = "dW is transposed, (out, in) where W is (in, out), and training takes it as it is"
        return [Cause(text, "fits")]
    settings = _settings(explored, seed)
    wrong = [setting for setting in settings if not setting.right]
    if not wrong:
        return []
    alive = [_alive(setting) for setting in settings]
    choice = _joint(settings, alive)
    if choice is not None:
        return [Cause(_scoped(name, settings), "explains", about=_about(name)) for name in choice.names()]
    partial = _of_wrong(settings, alive)
    described = Cause(_where([s.spec for s in wrong], [s.spec for s in settings]), "describes")
    return [Cause(name, "fits", about=_about(name)) for name in partial] or [described]


def _about(name: str) -> str:
    """What of an update a mistake is in."""
    if name in ADAM_RULES:
        return "adam"
    if name in DECAYS or name == DECOUPLED:
        return "decay"
    return "momentum" if name in SGD_RULES else "update"


def _settings(explored: Explored, seed: int) -> list[Setting]:
    found = []
    for training in trainings(seed, explored.space):
        try:
            course = course_of(explored.candidate, training)
        except (Misbehaviour, Undecided) as finding:
            if isinstance(finding, Misbehaviour) and finding.fatal:
                break
            continue
        if not np.isfinite(course.gradients).all() or not np.isfinite(course.weights).all():
            continue
        bound = np.maximum(4 * tolerance(course, training.optimizer), 1e-11)
        predicted = torch_steps(course, training.optimizer, course.gradients)
        right = bool((np.abs(course.weights[1:] - predicted) <= bound).all())
        found.append(Setting(training, course, right, bound))
    return found


def _alive(setting: Setting) -> set[Choice]:
    """Every choice that gives each step of this setting; parts that play no role here are left right."""
    spec, found = setting.spec, set()
    decays = ["", *DECAYS, DECOUPLED] if spec.weight_decay else [""]
    rules = ["", *(ADAM_RULES if spec.name == "adam" else SGD_RULES if spec.momentum else ())]
    for fed in ALL_FED:
        for decay in decays:
            for rule in rules:
                choice = (
                    Choice(fed, decay, adam=rule) if spec.name == "adam" else Choice(fed, decay, sgd=rule)
                )
                if _follows(setting, choice):
                    found.add(choice)
    return found


def _follows(setting: Setting, choice: Choice) -> bool:
    course, training = setting.course, setting.training
    problem, spec = training.problem, setting.spec
    tensor = np.concatenate(
        [
            np.full(p.stop - p.start, i)
            for i, p in enumerate(q for pair in problem.architecture.layer_slices() for q in pair)
        ]
    )
    memory = Memory(spec, _is_bias(problem), int(tensor[-1]) + 1, tensor)
    for index, batch in enumerate(training.batches):
        memory.t, memory.batch_size = memory.t + 1, len(batch)
        theta, g = course.weights[index], course.gradients[index]
        if choice.fed in FEEDS:
            g = FEEDS[choice.fed](g, Step(course, training, index))
        memory.kept["plain"] = g
        with np.errstate(all="ignore"):
            reached = _moved(theta, g, memory, choice)
        if choice.fed in SCALED:
            reached = theta + SCALED[choice.fed](Step(course, training, index)) * (reached - theta)
        if choice.fed in FROZEN:
            frozen = FROZEN[choice.fed](Step(course, training, index))
            reached = np.where(frozen, theta, reached)
        if not (np.abs(reached - course.weights[index + 1]) <= setting.bound[index]).all():
            return False
    return True


def _moved(theta: Array, g: Array, memory: Memory, choice: Choice) -> Array:
    spec = memory.spec
    if choice.decay == DECOUPLED:
        theta = theta * (1 - spec.learning_rate * spec.weight_decay)
    elif choice.decay:
        g = DECAYS[choice.decay](theta, g, memory)
    else:
        g = g + spec.weight_decay * theta
    if spec.name == "adam":
        rule = ADAM_RULES[choice.adam] if choice.adam else _adam_rule(ADAM)
    else:
        rule = SGD_RULES[choice.sgd] if choice.sgd else _sgd
    return rule(theta, g, memory)


def _joint(settings: Sequence[Setting], alive: Sequence[set[Choice]]) -> Choice | None:
    """One choice for all settings, with the fewest mistakes; decoupled decay may be adam's alone."""
    if not all(alive):
        return None
    decays = ["", *DECAYS, DECOUPLED]
    best: Choice | None = None
    for fed in ALL_FED:
        for decay in decays:
            parts = _rules_for(settings, alive, fed, decay)
            if parts is None:
                continue
            choice = Choice(fed, decay, *parts)
            if best is None or len(choice.names()) < len(best.names()):
                best = choice
    return best


def _rules_for(
    settings: Sequence[Setting], alive: Sequence[set[Choice]], fed: str, decay: str
) -> tuple[str, str] | None:
    """The sgd and the adam rule that go with these in every setting, the right ones where they do."""
    sgd, adam = {"", *SGD_RULES}, {"", *ADAM_RULES}
    for setting, choices in zip(settings, alive, strict=True):
        spec = setting.spec
        mine = decay if spec.weight_decay else ""
        if decay == DECOUPLED and spec.name == "sgd" and not any(c.decay == DECOUPLED for c in choices):
            mine = ""
        fits = [c for c in choices if c.fed == fed and c.decay == mine]
        if not fits:
            return None
        if spec.name == "adam":
            adam &= {c.adam for c in fits}
        elif spec.momentum:
            sgd &= {c.sgd for c in fits}
    if not sgd or not adam:
        return None
    return min(sgd, key=["", *SGD_RULES].index), min(adam, key=["", *ADAM_RULES].index)


def _of_wrong(settings: Sequence[Setting], alive: Sequence[set[Choice]]) -> list[str]:
    """What explains every wrong setting of one optimiser, where no choice explains all settings."""
    for name in ("sgd", "adam"):
        mine = [c for s, c in zip(settings, alive, strict=True) if not s.right and s.spec.name == name]
        common = (
            set.intersection(*({n for c in choices for n in c.names()} for choices in mine))
            if mine
            else set()
        )
        if common and all(s.spec.name == name for s in settings if not s.right):
            return [_scoped(min(common), settings)]
    return []


def _scoped(name: str, settings: Sequence[Setting]) -> str:
    if name != DECOUPLED:
        return name
    adam = [s for s in settings if s.spec.name == "adam" and s.spec.weight_decay]
    sgd = [s for s in settings if s.spec.name == "sgd" and s.spec.weight_decay]
    who = "the step" if all(not s.right for s in sgd) and sgd else "Adam"
    return DECOUPLED.format(who, " (that is AdamW)" if adam and who == "Adam" else "")


def _where(wrong: list[OptimizerSpec], tried: list[OptimizerSpec]) -> str:
    """Which settings go wrong, in words."""
    conditions: tuple[tuple[str, Callable[[OptimizerSpec], bool]], ...] = (
        ("with momentum", lambda o: o.momentum > 0),
        ("with nesterov", lambda o: o.nesterov),
        ("with weight decay", lambda o: o.weight_decay > 0),
        ("with adam", lambda o: o.name == "adam"),
        ("with sgd", lambda o: o.name == "sgd"),
    )
    for text, holds in conditions:
        if [o for o in tried if holds(o)] == wrong != tried:
            return f"training differs from torch.optim {text}, and only then"
    if len(wrong) == len(tried):
        return "training differs from torch.optim with every update rule, also plain gradient descent"
    names = ", ".join(map(describe, wrong[:3]))
    return f"training differs from torch.optim in {len(wrong)} of {len(tried)} settings tried: {names}"
