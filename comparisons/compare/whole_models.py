"""Two models of any layers, tensor by tensor: convolutions, norms, embeddings, attention, residuals.

There is no formula to judge them by but the model itself. So one of the two, a torch module, is run in double
precision *along the record* of either side (`reference.torch_recording`): each of its calls is given what the
other side recorded there, and what it gives is what belongs in the next tensor. A layer is judged given its
recorded input, what stands between two layers given the recorded outputs before it, and the gradients alike.

How far rounding may carry a right one is estimated, not derived: from the changes that random changes of all
numbers by half a unit in their last place make in a tensor, and from the same walk in single precision,

    bound = FACTOR (spread + its mean over the tensor) + 8 u |value|

which is no bound in the strict sense. torch modules in float32 are compared in float64 as well, where what is
left of rounding is far below any mistake of a formula.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from itertools import count as count_from

import numpy as np

from backproof.comparisons.compare.alternatives import lost_digits
from backproof.comparisons.compare.glue import missing_pieces
from backproof.comparisons.compare.judging import judge, wrong_shape
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.pairing import Same, pairs, same_parameters
from backproof.comparisons.compare.result import Compared, Link, Side
from backproof.comparisons.contenders.apart import FaultError
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.reference.contender import NotOffered
from backproof.reference.record import RATE, WHOLE, Call, Record, Task
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

FACTOR = {"float32": 64.0, "float64": 1024.0}  # in float64 even the larger one hides no mistake
STEP = f"sgd with rate {RATE:g}, step 1"
STEP_ROUNDINGS = 64.0  # where rows of an embedding are used often, each use may be a step of its own
MOST_CAUSES = 3


@dataclass(frozen=True)
class Sameness:
    """What of one model is what of the other, by name: ours -> theirs."""

    calls: Mapping[str, str]
    parameters: Sequence[Same]
    buffers: Mapping[str, str]
    notes: tuple[str, ...] = ()

    @classmethod
    def itself(cls, record: Record) -> "Sameness":
        """A model beside itself."""
        calls = {call.name: call.name for call in record.calls}
        axes = {name: tuple(range(value.ndim)) for name, value in record.parameters.items()}
        parameters = [Same(name, (name,), axes[name]) for name in record.parameters]
        return cls(calls, parameters, {name: name for name in record.buffers})


@dataclass
class Recorded:
    """One side's record, as the measure names it."""

    record: Record
    same: Sameness
    by_call: dict[str, Call] = field(init=False)

    def __post_init__(self) -> None:
        theirs = {call.name: call for call in self.record.calls}
        self.by_call = {a: theirs[b] for a, b in self.same.calls.items() if b in theirs}

    def tensor(self, label: str) -> Array | None:
        """The recorded tensor under the measure's name for it."""
        if label == "loss":
            return self.record.loss
        if label in self.same.buffers:
            return self.record.buffers.get(self.same.buffers[label])
        for one in self.same.parameters:
            if label == f"d {one.ours}":
                return one.mapped(self.record.gradients)
        is_gradient, rest = label.startswith("d "), label.removeprefix("d ")
        goes_in, rest = rest.startswith("into "), rest.removeprefix("into ")
        name, _, number = rest.partition("[")
        call, i = self.by_call.get(name), int(number.rstrip("]") or 0)
        if call is None:
            return None
        if is_gradient:
            return (call.input_gradients if goes_in else call.output_gradients).get(i)
        values = call.inputs if goes_in else call.outputs
        return values[i] if i < len(values) else None

    def name(self, label: str) -> str:
        """What the tensor is called on this side."""
        if label in self.same.buffers:
            return self.same.buffers[label]
        for one in self.same.parameters:
            if label == f"d {one.ours}":
                return "d " + ", ".join(one.theirs)
        front = "d " * label.startswith("d ")
        rest = label.removeprefix("d ")
        front, rest = front + "into " * rest.startswith("into "), rest.removeprefix("into ")
        name, bracket, number = rest.partition("[")
        return front + self.same.calls.get(name, name) + bracket + number


def compare(models: tuple[OwnModel, OwnModel], seed: int) -> Iterator[Compared]:
    """In every mode and dtype. Raises InputError where neither is a torch module, or no input is known."""
    if "torch" not in (models[0].framework, models[1].framework):
        raise InputError(
            f"{models[0].name}: expected a torch module as one of the two: its layers in double precision "
            f"are the measure of the other's; two Keras models are compared where they are stacks, and here: "
            f"{models[0].not_a_stack or models[1].not_a_stack}"
        )
    at = 0 if models[0].framework == "torch" else 1
    measure, other = models[at], models[1 - at]
    inputs = _inputs(measure, other, seed)
    for dtype in _dtypes(measure, other):
        for training in (False, True):
            task = Task(dtype, training, _cast(inputs, dtype), np.zeros(1), {})
            task = replace(task, targets=_targets(measure.output(task), seed))
            own, others = _sides(measure, other, task)
            pair = (own, others) if at == 0 else (others, own)
            yield Compared(_described(measure, task), pair)


def random_tasks(models: tuple[OwnModel, OwnModel], seed: int) -> Iterator[tuple[Task, Compared]]:
    """Without end: both at the same random weights, and at random inputs where none are given."""
    at = 0 if models[0].framework == "torch" else 1
    measure, other = models[at], models[1 - at]
    dtypes = _dtypes(measure, other)
    for index in count_from(0):
        rng = np.random.default_rng([seed, index])
        dtype, training = dtypes[index % len(dtypes)], bool(rng.integers(2))
        inputs = [_jittered(one, rng) for one in _inputs(measure, other, seed + index)]
        task = Task(dtype, training, _cast(inputs, dtype), np.zeros(1), {})
        ours = measure.record(replace(task, targets=_targets(measure.output(task), seed)))
        size = 2 ** rng.uniform(-2, 1)
        parameters = {name: _jittered(size * value, rng) for name, value in ours.parameters.items()}
        task = replace(task, parameters=_cast_all(parameters, dtype))
        task = replace(task, targets=_targets(measure.output(task), seed + index))
        own, others = _sides(measure, other, task)
        yield task, Compared(_described(measure, task), (own, others) if at == 0 else (others, own))


def _jittered(value: Array, rng: np.random.Generator) -> Array:
    """Every number changed by some half of its size, and of their mean size."""
    if value.dtype.kind != "f":
        return value
    noise = rng.normal(size=value.shape)
    changed: Array = value + 0.5 * noise * (np.abs(value) + np.mean(np.abs(value)))
    return changed


def _cast_all(arrays: Mapping[str, Array], dtype: str) -> dict[str, Array]:
    return {name: np.asarray(value, dtype) for name, value in arrays.items()}


def count(models: tuple[OwnModel, OwnModel]) -> int:
    """How many problems `compare` makes."""
    at = 0 if models[0].framework == "torch" else 1
    return 2 * len(_dtypes(models[at], models[1 - at]))


def _dtypes(measure: OwnModel, other: OwnModel) -> list[str]:
    """Their own, and float64. Keras in its own alone: it holds constants in single precision."""
    if other.framework != "torch":
        return [other.dtype]
    return list(dict.fromkeys([measure.dtype, "float64"]))


def _inputs(measure: OwnModel, other: OwnModel, seed: int) -> list[Array]:
    try:
        return measure.inputs(seed)
    except NotOffered:
        return other.inputs(seed)


def _cast(inputs: Sequence[Array], dtype: str) -> list[Array]:
    return [one.astype(dtype) if one.dtype.kind == "f" else one for one in inputs]


def _targets(output: Array, seed: int) -> Array:
    """Labels for rows of scores, else numbers."""
    rng = np.random.default_rng(seed)
    if output.ndim == 2 and output.shape[1] > 1:
        return rng.integers(0, output.shape[1], len(output))
    return rng.normal(size=output.shape)


def _described(model: OwnModel, task: Task) -> str:
    mode = "training, dropout off" if task.training else "evaluation"
    shapes = " and ".join("-".join(map(str, one.shape)) for one in task.inputs)
    return f"{mode}, {task.dtype}, inputs {shapes}, bounds estimated, not derived"


def _sides(measure: OwnModel, other: OwnModel, task: Task) -> tuple[Side, Side]:
    ours = measure.record(task)
    if ours.raised:
        raise FaultError(f"{measure.name}: {ours.raised}")
    own = _judged(measure, task, measure.name, Recorded(ours, Sameness.itself(ours)))
    try:
        plain = replace(task, parameters={})
        theirs = other.record(plain)
        same = sameness(measure.record(plain) if task.parameters else ours, theirs)
        copied = _copied(same, ours, theirs, everything=bool(task.parameters))
        if copied:
            theirs = other.record(replace(task, parameters=copied))
    except NotOffered as reason:
        return own, Side(other.name, (), (f"{task.dtype}: {reason}",))
    return own, _judged(measure, task, other.name, Recorded(theirs, same))


def sameness(ours: Record, theirs: Record) -> Sameness:
    """Which call, parameter and running statistic of theirs is which of ours."""
    found = pairs(ours.calls, theirs.calls)
    calls = {ours.calls[i].name: theirs.calls[j].name for i, j in found.items()}
    parameters: list[Same] = []
    buffers: dict[str, str] = {}
    # From the innermost out, so that what a layer has is not taken for another's.
    for i, j in sorted(found.items(), reverse=True):
        a, b = ours.calls[i].path, theirs.calls[j].path
        taken = {one.ours for one in parameters}, {name for one in parameters for name in one.theirs}
        parameters += same_parameters(_of(ours.parameters, a, taken[0]), _of(theirs.parameters, b, taken[1]))
        mine, other = _of(ours.buffers, a, set(buffers)), _of(theirs.buffers, b, set(buffers.values()))
        for one in same_parameters(mine, other):
            if len(one.theirs) == 1:
                buffers[one.ours] = one.theirs[0]
    left = [name for name in ours.parameters if name not in {one.ours for one in parameters}]
    notes = [f"no counterpart was found for {', '.join(left)}: their gradients are not compared"] * bool(left)
    notes += [*theirs.notes, *[f"the pass ended: {theirs.raised}"] * bool(theirs.raised)]
    for one in parameters:
        if one.values == "other" and (text := _first_difference(one, ours, theirs)):
            notes.append(f"its own weights: {text}; it is compared at those of the other")
            break
    return Sameness(calls, parameters, buffers, tuple(notes))


def _of(arrays: Mapping[str, Array], path: str, taken: set[str]) -> dict[str, Array]:
    """Those of the module at this path, without the taken ones."""
    start = "" if path == WHOLE else f"{path}."
    return {name: value for name, value in arrays.items() if name.startswith(start) and name not in taken}


def _first_difference(one: Same, ours: Record, theirs: Record) -> str:
    a, b = ours.parameters[one.ours], one.mapped(theirs.parameters)
    if b is None or (a == b).all():
        return ""
    place = tuple(int(i) for i in np.argwhere(a != b)[0])
    return f"{one.theirs[0]}{list(place)} is {b[place]:.9g} where {a[place]:.9g} belongs"


def _copied(same: Sameness, ours: Record, theirs: Record, *, everything: bool) -> dict[str, Array]:
    """The parameters that the other side is to take from ours: those that differ, or everything."""
    found: dict[str, Array] = {}
    for one in same.parameters:
        if everything or one.values == "other":
            found |= one.back(ours.parameters[one.ours], theirs.parameters)
    return found


def _judged(measure: OwnModel, task: Task, name: str, side: Recorded) -> Side:
    """Every tensor of the side that the measure has an expectation for."""
    arithmetic = Arithmetic.of(task.dtype)
    expected = measure.expected(task, side.by_call)
    judging = _Judging(measure, task, side, arithmetic, expected)
    links = [link for label in _in_order(expected, side.same) for link in judging.link(label)]
    return Side(name, (*links, *judging.steps()), side.same.notes)


def _in_order(expected: Mapping[str, object], same: Sameness) -> list[str]:
    """As they were computed, the gradients of a layer's parameters behind the gradient of its output."""
    parameters = {f"d {one.ours}" for one in same.parameters}
    found: list[str] = []
    for label in expected:
        if label not in parameters:
            found.append(label)
            layer = label.removeprefix("d ").partition("[")[0].partition("#")[0]
            if label.startswith("d "):
                own = [
                    one for one in expected if one in parameters and one.rpartition(".")[0] == f"d {layer}"
                ]
                found = [one for one in found if one not in own] + own
    return [*found, *(label for label in expected if label not in set(found))]


@dataclass
class _Judging:
    """The record of one side against what belongs there."""

    measure: OwnModel
    task: Task
    side: Recorded
    arithmetic: Arithmetic
    expected: Mapping[str, tuple[Array, Array]]
    is_explained: bool = False  # the first difference has been looked into

    def link(self, label: str) -> Iterator[Link]:
        """One tensor; nothing where the side shows none."""
        value, spread = self.expected[label]
        recorded, name = self.side.tensor(label), self.side.name(label)
        if recorded is None:
            missing = label[2:] in {one.ours for one in self.side.same.parameters} and value.any()
            if missing and not self.side.record.raised:
                yield _no_gradient(name)
            return
        right = self._bounded(value, spread)
        if recorded.shape != value.shape:
            yield wrong_shape(name, recorded.shape, value.shape)
            return

        def causes(found: Array, expected: Bounded) -> tuple[str, ...]:
            return self._causes(label, found, expected)

        block = [(slice(None), right)]
        yield judge(name, recorded, value.shape, lambda: iter(block), self.arithmetic, causes)

    def _bounded(self, value: Array, spread: Array) -> Bounded:
        mean = spread.mean() if spread.size else 0.0
        factor = FACTOR[self.task.dtype]
        error = factor * (spread + mean) + 8 * self.arithmetic.unit * np.abs(value) + self.arithmetic.tiny
        return Bounded(value.astype(np.float64), error)

    def _causes(self, label: str, found: Array, expected: Bounded) -> tuple[str, ...]:
        """Of the first tensor that differs: a mistake that gives it, or a recorded tensor that is missing."""
        if self.is_explained:
            return ()
        self.is_explained = True
        texts = self.measure.explain(self.task, self.side.by_call, label, found, expected.error)
        texts = [*texts, *self._weights(label), *missing_pieces(found, expected, self._pieces(label))]
        if not texts and (digits := lost_digits(found, expected.value, self.arithmetic)):
            texts = [digits]
        return tuple(dict.fromkeys(texts))[:MOST_CAUSES]

    def _weights(self, label: str) -> list[str]:
        """A parameter of the layer whose numbers stand in other places there."""
        found = []
        for one in self.side.same.parameters:
            inside = one.ours.startswith(f"{label}.")
            if inside and one.values == "moved":
                found.append(f"{one.theirs[0]} holds the numbers of {one.ours} in another order")
            if inside and one.axes != tuple(range(len(one.axes))):
                found.append(f"{one.theirs[0]} is {one.ours} with its axes in another order: {one.axes}")
        return found

    def _pieces(self, label: str) -> dict[str, Array]:
        """What was recorded before this tensor, forward or backward as it is, by name."""
        found: dict[str, Array] = {}
        for other in self.expected:
            if other == label:
                break
            shown = self.side.tensor(other) if other.startswith("d ") is label.startswith("d ") else None
            if shown is not None and shown.dtype.kind == "f":
                found[self.side.name(other)] = shown
        return found

    def steps(self) -> Iterator[Link]:
        """theta - rate g, from the recorded gradient."""
        record, unit = self.side.record, self.arithmetic.unit
        for name, after in record.stepped.items():
            before, g = record.parameters[name], record.gradients.get(name)
            moved = RATE * g.astype(np.float64) if g is not None else np.zeros(before.shape)
            value = before.astype(np.float64) - moved
            error = STEP_ROUNDINGS * unit * (np.abs(value) + np.abs(moved)) + self.arithmetic.tiny
            block = [(slice(None), Bounded(value, error))]
            yield judge(f"{STEP}: {name}", after, value.shape, partial(iter, block), self.arithmetic, _none)


def _none(found: Array, expected: Bounded) -> tuple[str, ...]:
    return ()


def _no_gradient(name: str) -> Link:
    text = "it has no gradient: frozen, detached, or no parameter of the model?"
    return Link(name, Outcome.FAIL, np.nan, np.nan, name, np.nan, np.nan, np.nan, (text,))
