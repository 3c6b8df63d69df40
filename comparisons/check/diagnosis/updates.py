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
from dataclasses import dataclass

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingProblem
from backproof.comparisons.check.battery.findings import Undecided
from backproof.comparisons.check.battery.grid import trainings
from backproof.comparisons.check.battery.training import Course, course_of, describe, predicted_steps
from backproof.comparisons.check.diagnosis.adam_mistakes import ADAM, ADAM_RULES, adam_rule
from backproof.comparisons.check.diagnosis.evidence import ROUNDING
from backproof.comparisons.check.diagnosis.fed_mistakes import (
    ALL_FED,
    DECAYS,
    DECOUPLED,
    FEEDS,
    FROZEN,
    SCALED,
    Step,
    is_bias,
)
from backproof.comparisons.check.diagnosis.momentum_mistakes import SGD_RULES
from backproof.comparisons.check.diagnosis.rate_laws import rate_law
from backproof.comparisons.check.diagnosis.update_rules import Memory, sgd
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.results import Cause
from backproof.comparisons.check.subject.subject import Misbehaviour
from backproof.scratch.architecture import Array, OptimizerSpec


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
    rate = rate_law([_shares(setting) for setting in settings], explored.space.dtype)
    if rate:
        return [Cause(rate, "explains", about="update")]
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
        predicted, tolerance = predicted_steps(course, training.optimizer)
        bound = np.maximum(4 * tolerance, ROUNDING[training.problem.architecture.dtype])
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


def _shares(setting: Setting) -> list[float] | None:
    """How much of each right step was taken; None where what was done is no multiple of it."""
    memory, course, found = _memory(setting), setting.course, []
    for index in range(len(course.gradients)):
        theta, g = course.weights[index], course.gradients[index]
        memory.t += 1
        way, gone = _moved(theta, g, memory, Choice()) - theta, course.weights[index + 1] - theta
        share = float(way @ gone) / max(float(way @ way), 1e-300)
        if not (np.abs(gone - share * way) <= setting.bound[index] * max(1.0, abs(share))).all():
            return None
        found.append(share)
    return found


def _memory(setting: Setting) -> Memory:
    problem = setting.training.problem
    tensor = np.concatenate(
        [
            np.full(p.stop - p.start, i)
            for i, p in enumerate(q for pair in problem.architecture.layer_slices() for q in pair)
        ]
    )
    return Memory(setting.spec, is_bias(problem), int(tensor[-1]) + 1, tensor)


def _follows(setting: Setting, choice: Choice) -> bool:
    course, training, memory = setting.course, setting.training, _memory(setting)
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
        rule = ADAM_RULES[choice.adam] if choice.adam else adam_rule(ADAM)
    else:
        rule = SGD_RULES[choice.sgd] if choice.sgd else sgd
    return rule(theta, g, memory)


def _joint(settings: Sequence[Setting], alive: Sequence[set[Choice]]) -> Choice | None:
    """One choice for all settings, with the fewest mistakes; decoupled decay may be adam's alone."""
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
