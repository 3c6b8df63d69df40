"""`GradientVerdict`: one verdict for every tensor of a gradient, and one for all of them."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from backproof.comparisons.verdicts import shown
from backproof.comparisons.verdicts.cause import Cause, shared
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.comparisons.verdicts.verdict import Verdict


@dataclass(frozen=True, eq=False, repr=False)
class GradientVerdict(Mapping[str, Verdict]):
    """Verdicts by the tensors' names; as a whole it is true only where every one of them is a PASS.

    found = check_gradient(f, gradient, {"W": W, "b": b})
    found.outcome, found["params['W']"].outcome, str(found)
    assert found

    Attributes
    ----------
    tensors
        Each tensor's verdict by its name.
    of
        What the names are, in words: "tensors", or "laws" of a batch.
    """

    tensors: Mapping[str, Verdict]
    of: str = "tensors"  # what the names are
    notes: tuple[str, ...] = ()  # what was not offered, and why

    @property
    def overall(self) -> Verdict:
        """The worst tensor's verdict, its counts those of all."""
        outcome = worst(verdict.outcome for verdict in self.tensors.values())
        which = next(verdict for verdict in self.tensors.values() if verdict.outcome == outcome)
        return replace(
            which,
            resolution=max(verdict.resolution for verdict in self.tensors.values()),
            reason="; ".join([self._reason(outcome), *self.notes]),
            causes=self._causes(),
            n_compared=sum(verdict.n_compared for verdict in self.tensors.values()),
            n_inconclusive=sum(verdict.n_inconclusive for verdict in self.tensors.values()),
        )

    def _reason(self, outcome: Outcome) -> str:
        if len(self.tensors) == 1:
            return next(iter(self.tensors.values())).reason
        like_it = {name: verdict for name, verdict in self.tensors.items() if verdict.outcome == outcome}
        first = next(iter(like_it.values())).reason
        if outcome == Outcome.PASS:
            return f"all {len(self.tensors)} {self.of}: " + "; ".join(
                f"{name}: {verdict.reason}" for name, verdict in like_it.items()
            )
        return f"{len(like_it)} of {len(self.tensors)} {self.of} ({', '.join(like_it)}): {first}"

    def _causes(self) -> tuple[Cause, ...]:
        failed = [(name, one.causes) for name, one in self.tensors.items() if one.outcome == Outcome.FAIL]
        return shared(failed, len(failed))

    @property
    def outcome(self) -> Outcome:
        return self.overall.outcome

    @property
    def reason(self) -> str:
        return self.overall.reason

    @property
    def error(self) -> float:
        return self.overall.error

    @property
    def bound(self) -> float:
        return self.overall.bound

    @property
    def resolution(self) -> float:
        return self.overall.resolution

    @property
    def worst(self) -> str:
        return self.overall.worst

    @property
    def n_compared(self) -> int:
        return self.overall.n_compared

    @property
    def n_inconclusive(self) -> int:
        return self.overall.n_inconclusive

    @property
    def found(self) -> float:
        return self.overall.found

    @property
    def expected(self) -> float:
        return self.overall.expected

    @property
    def causes(self) -> tuple[Cause, ...]:
        return self.overall.causes

    @property
    def passed(self) -> bool:
        return bool(self)

    def __bool__(self) -> bool:
        return self.outcome == Outcome.PASS

    def raise_if_failed(self) -> None:
        """Raise AssertionError, with the reason, unless it is a PASS: what was not shown was not passed."""
        __tracebackhide__ = True  # pytest: show the line that asked
        if not self:
            raise AssertionError(shown.text(self.overall, self.tensors))

    def as_json(self) -> dict[str, object]:
        """The whole verdict, and under ``tensors`` each one's; plain types."""
        return {
            **self.overall.as_json(),
            "tensors": {name: verdict.as_json() for name, verdict in self.tensors.items()},
        }

    def __str__(self) -> str:
        return str(self.overall)

    def __repr__(self) -> str:
        return shown.line(self.overall)

    def _repr_markdown_(self) -> str:
        return shown.markdown(self.overall, self.tensors)

    def _repr_html_(self) -> str:
        return shown.html(self.overall, self.tensors)

    def __getitem__(self, name: str) -> Verdict:
        return self.tensors[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.tensors)

    def __len__(self) -> int:
        return len(self.tensors)
