"""In which form a named network is given samples, and where its answers lie, found out by trying: `tried`.

1. Samples in rows, then in columns (or as declared) are given to a network with known weights: the outputs
   are the one array of their shape. They must depend on these weights alone: a second network with the same
   weights in it answers the same.
2. The gradient, or what a step changes, is looked for: arrays of the weights' shapes in what is returned,
   else in the network, by their names. Labels and one-hot targets are both tried where neither is declared.
3. Is the forward pass needed first? Only if without it there is no gradient, or another one.

A form is taken if all of this holds. What two forms fit, and what none fits, is not told: one sentence says
what to declare or to write. Networks of another depth that can be built are asked in the same form, whatever
they answer: what they raise there is a finding of the check, and no reason to leave them out.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from backproof.comparisons.contenders.named.argument_names import RATE, names_in_a_row
from backproof.comparisons.contenders.named.building import EXAMPLES, Builder, Built, told_of
from backproof.comparisons.contenders.named.calls import Call, Surroundings, bound
from backproof.comparisons.contenders.named.gradient_places import find_gradient, find_outputs
from backproof.comparisons.contenders.named.reading import ALONE, Lying, Reading, Run, beside
from backproof.comparisons.contenders.named.stated import Names, Stated
from backproof.comparisons.contenders.own_network import NotTold, Place, TwoFit, arrays

DEPTHS = (1, 2, 0, 3)  # hidden layers, in the order in which they are tried
USUAL = (0, 1, 2)  # what a check draws from
UNDECLARED = (
    '; declare samples = "single" if it takes one at a time, or "rows" or "columns" to have this judged'
)


@dataclass(frozen=True)
class Told:
    """What was found out of a class; what it states itself, or what is as ours, is left empty."""

    reading: Reading
    read_as: list[str]
    targets: str
    biases: str
    hidden_layers: list[int]

    def attributes(self) -> Iterator[tuple[str, object]]:
        """As class attributes, which a check reads."""
        yield from {
            "_reading": self.reading,
            "read_as": self.read_as,
            "samples": self.reading.samples,
        }.items()
        for name in ("targets", "biases", "hidden_layers"):
            if getattr(self, name):
                yield name, getattr(self, name)


def tried(kind: type, names: Names, learns: str) -> Told:
    """What completes the class. Raises NotTold.

    `learns`: whether its "gradient" or its "step" is read by name; empty where it has a method for that.
    """
    stated = Stated.by(kind, one_loss=not callable(getattr(kind, "network", None)))
    builder = Builder(kind, names, stated)
    there: dict[int, Built] = {}
    reasons: dict[int, NotTold] = {}
    for depth in stated.depths or DEPTHS:
        try:
            there[depth] = builder.built(depth)
        except NotTold as reason:
            reasons[depth] = reason
    if not there or (stated.depths and reasons):
        raise next(iter(reasons.values()))
    trials = _Trials(kind, names, stated, learns)
    reading, first = _first_reading(trials, there)
    for built in there.values():
        weights = {**reading.weights, len(built.sizes): built.flat}
        reading = trials.deeper(replace(reading, weights=weights), built)
    left = [
        f"not with {depth} hidden layer{'s' * (depth != 1)}: {reasons[depth]}"
        for depth in USUAL
        if depth in reasons
    ]
    without = not stated.biases and all(b is None for _, b in first.places)
    fewer = not stated.depths and not set(USUAL) <= set(there)
    return Told(
        reading,
        [f"read as: {'; '.join(_sentences(reading, first))}", *([] if builder.is_of_one_depth else left)],
        "one_hot" if reading.targets == "one_hot" else "",
        "none" if without else "",
        (sorted(set(there) & set(USUAL)) or sorted(there)) if fewer else [],
    )


def _first_reading(trials: "_Trials", there: Mapping[int, Built]) -> tuple[Reading, Built]:
    reasons = []
    for built in there.values():
        try:
            return trials.read(built), built
        except NotTold as reason:
            reasons.append(reason)
    raise reasons[0]


def _sentences(reading: Reading, built: Built) -> Sequence[str]:
    """How it is built, and where its outputs, gradient and loss come from."""
    calls, size = reading.calls, len(built.sizes)
    said = [f"{built.how}, weights at {_listed('net', built.flat)}"]
    if "forward" in calls:
        turned = ", turned" if reading.outputs.turned else ""
        said.append(f"outputs from {calls['forward']}{reading.outputs.path}{turned}")
    if reading.learns:
        first = f"{calls['learning forward']}, then " if reading.forward_first else ""
        said.append(f"{reading.learns} from {first}{calls[reading.learns]}")
    if size in reading.gradients:
        lying = reading.gradients[size]
        said[-1] += f": {_listed('net' if lying.in_network else '', lying.places)}"
    if reading.rates.get(size):
        said[-1] += f", its rate put at {_listed('net', reading.rates[size])}"
    if "cost" in calls:
        said.append(f"loss from {calls['cost']}")
    return said


def _listed(root: str, places: Sequence[Place]) -> str:
    return ", ".join(root + (place.path or "itself") for place in places[:4])


class _Trials:
    """A network of the class, tried in one form after another."""

    def __init__(self, kind: type, names: Names, stated: Stated, learns: str) -> None:
        self.kind, self.names, self.stated, self.learns = kind, names, stated, learns

    def read(self, built: Built) -> Reading:
        """The first form of samples in which it answers and learns. Raises NotTold where there is none."""
        reasons, alone = [], {"rows": ("(n,)",), "columns": ("(n, 1)",), "single": tuple(ALONE)}
        scope = beside(self.kind, self.names.wraps, built.make(built.sizes))
        for samples in self.stated.samples:
            for form in alone[samples]:
                reading = Reading(self.names, built.make, scope, samples, form, self.learns)
                try:
                    return self._learned(self._fed(reading, built), built)
                except TwoFit:
                    raise
                except NotTold as reason:
                    reasons.append(f"{samples.replace('single', 'one sample at a time')}: {reason}")
        alike = "; in ".join(dict.fromkeys(reasons))
        raise NotTold(f"tried with samples in {alike}{UNDECLARED if len(self.stated.samples) > 1 else ''}")

    def deeper(self, reading: Reading, built: Built) -> Reading:
        """The same form with another number of layers; as it is where that does not learn."""
        if not self.learns or len(built.sizes) in reading.gradients:
            return reading
        try:
            if self.learns == "step":
                return self._with_rates(reading, built)
            return self._outcome(reading, built)[0]
        except NotTold:
            return reading

    # -- feeding

    def _fed(self, reading: Reading, built: Built) -> Reading:
        """With the forward pass and the place of its outputs."""
        forward = self.names.forward
        if forward is None:
            return reading
        net, other = built.loaded(), built.loaded()
        function, around = reading.function(net, forward.name), self._around(reading, net, forward.name)
        call = bound("forward", forward, function, around)
        learning = bound("forward", forward, function, replace(around, learning=True))
        reading = replace(reading, calls={"forward": call, "learning forward": learning})
        x, row = self._inputs(reading, built), names_in_a_row(function)
        with told_of(call):
            answer = Run(reading, net, x).answer
            place = find_outputs(answer, forward.keys, row, self._is_outputs(reading, built))
            reading = replace(reading, outputs=replace(place, turned=self._is_turned(reading, place)))
            first, again, second = (Run(reading, one, x).outputs() for one in (net, net, other))
        if np.array_equal(first, again) and not np.array_equal(first, second):
            places = ", ".join(place.name for place in built.flat)
            raise NotTold(
                f"{call} depends on more than the weights found ({places}): of two networks with the same of "
                "these each answers otherwise"
            )
        return reading

    def _around(self, reading: Reading, net: Any, name: str) -> Surroundings:
        wraps = self.names.wraps
        parts = names_in_a_row(wraps) if isinstance(net, list) and wraps is not None else ()
        return Surroundings(parts=parts, by_itself=not reading.is_method(net, name))

    def _inputs(self, reading: Reading, built: Built) -> Any:
        x = np.random.default_rng(11).standard_normal((EXAMPLES, built.sizes[0]))
        return {"rows": x, "columns": x.T.copy(), "single": x[0]}[reading.samples]

    def _targets(self, reading: Reading, built: Built) -> Any:
        rng, k = np.random.default_rng(13), built.sizes[-1]
        labels = rng.integers(0, k, EXAMPLES)
        if reading.targets == "labels":
            return int(labels[0]) if reading.samples == "single" else labels
        rows = np.eye(k)[labels]
        return {"rows": rows, "columns": rows.T.copy(), "single": rows[0]}[reading.samples]

    def _is_outputs(self, reading: Reading, built: Built) -> Callable[[tuple[int, ...]], bool]:
        k = built.sizes[-1]
        if reading.samples == "single":
            return lambda shape: tuple(n for n in shape if n != 1) == (k,)
        return lambda shape: shape in ((EXAMPLES, k), (k, EXAMPLES))

    def _is_turned(self, reading: Reading, place: Place) -> bool:
        return reading.samples != "single" and (place.shape[0] == EXAMPLES) != (reading.samples == "rows")

    # -- learning

    def _learned(self, reading: Reading, built: Built) -> Reading:
        """With what learns, for the one form of targets that it takes."""
        if not self.learns:
            return reading
        found, reasons = [], []
        for form in self.stated.targets:
            try:
                found.append(self._with_targets(replace(reading, targets=form), built))
            except NotTold as reason:
                reasons.append(reason)
        if not found:
            raise reasons[0]
        if len(found) > 1:
            raise TwoFit(
                f"{found[0].calls[self.learns]} takes labels and one-hot targets alike: declare "
                'targets = "labels" or "one_hot"'
            )
        return found[0]

    def _with_targets(self, reading: Reading, built: Built) -> Reading:
        """Called after a forward pass where it needs one."""
        reading = self._with_calls(reading, built)
        kinds, forward = reading.calls[self.learns].kinds(), "forward" in reading.calls
        if not forward or kinds & {"answer", "outputs", "item"} or not kinds & {"x", "pairs"}:
            return self._outcome(replace(reading, forward_first=forward), built)[0]
        after, reached = self._outcome(replace(reading, forward_first=True), built)
        try:
            alone, other = self._outcome(reading, built)
        except NotTold:
            return after
        same = all(np.array_equal(a, b, equal_nan=True) for a, b in zip(reached, other, strict=True))
        return alone if same else after

    def _with_calls(self, reading: Reading, built: Built) -> Reading:
        """How what learns, and what tells the loss, are called."""
        net, names = built.loaded(), self.names
        calls, around = dict(reading.calls), Surroundings(learning=True)
        if names.forward is not None:
            answer = Run(reading, net, self._inputs(reading, built)).answer
            row = names_in_a_row(reading.function(net, names.forward.name))
            items = row if isinstance(answer, tuple | list) else ()
            around = replace(around, whole=not isinstance(answer, np.ndarray), items=items)
        for what in (self.learns, "cost"):
            named = getattr(names, what)
            if named is not None and (what == self.learns or names.cost_of == "cost"):
                own = self._around(reading, net, named.name)
                about = replace(around, parts=own.parts, by_itself=own.by_itself)
                calls[what] = bound(what, named, reading.function(net, named.name), about)
        return replace(reading, calls=calls)

    def _outcome(self, reading: Reading, built: Built) -> tuple[Reading, list[Any]]:
        """Where it finds its gradient, or its rate; and the gradient, or the weights after a step."""
        net, size, call = built.loaded(), len(built.sizes), reading.calls[self.learns]
        x, targets = self._inputs(reading, built), self._targets(reading, built)
        if self.learns == "step":
            reading = self._with_rates(reading, built)
            return reading, self._moved(reading, built, x, targets)
        run, any_shape = Run(reading, net, x, targets), bool(getattr(self.kind, "samples", ""))
        with told_of(call):
            run.learn()
            places, in_network = find_gradient(run.learnt, net, built.places, any_shape)
            lying = Lying(tuple(places), in_network)
            gradient = run.read(lying, built.flat)
        with told_of(reading.calls.get("cost", "cost")):
            run.cost()
        return replace(reading, gradients={**reading.gradients, size: lying}), gradient

    def _moved(self, reading: Reading, built: Built, x: Any, targets: Any) -> list[Any]:
        """The weights after a step. It must change them, and otherwise at another rate."""
        call, reached = reading.calls["step"], []
        for rate in (1.0, 2.0):
            net = built.loaded()
            with told_of(call):
                Run(reading, net, x, targets, rate).step(len(built.sizes))
            reached.append(built.weights(net))
        before = built.weights(built.loaded())
        still = {"changes no weight": before, "changes the weights by the same at two rates": reached[1]}
        for text, other in still.items():
            if all(np.array_equal(a, b) for a, b in zip(reached[0], other, strict=True)):
                raise NotTold(f"{call} {text}")
        return reached[0]

    def _with_rates(self, reading: Reading, built: Built) -> Reading:
        found = self._rates(built.loaded(), reading.calls["step"])
        return replace(reading, rates={**reading.rates, len(built.sizes): found})

    def _rates(self, net: Any, call: Call) -> tuple[Place, ...]:
        """Where the rate lies, for a step that is given none."""
        if "rate" in call.kinds():
            return ()
        if self.names.rate:
            place = Place(tuple(("attribute", part) for part in self.names.rate.split(".")), ())
            with told_of(f"rate = {self.names.rate!r}:"):
                place.get(net)
            return (place,)
        found = [p for p in arrays(net, held=False) if p.shape == () and RATE.match(p.last.strip("_"))]
        if not found:
            raise NotTold(f'{call} takes no learning rate: declare where it lies, as rate = "optimizer.lr"')
        return tuple(found)
