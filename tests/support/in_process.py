"""A class on trial in this process: every message is written and read as ever, with no wall between.

`Here` is a `Subject` whose worker is called directly. It is quick, and for classes that a test has written
itself: one that hangs or ends its process does so with the tests.
"""

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import pytest

from backproof.comparisons.check import trial
from backproof.comparisons.check.exploration import Explored
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.forms.form import Form
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.messages import RECORDS, Ready
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.check.subject.worker import Worker
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.comparisons.running.plain_data import pack, unpack
from backproof.comparisons.zoo.catalogue import default_folder

if TYPE_CHECKING:

    class Student:
        """What tests override and ask of it; it stands alone, and nobody has checked its types."""

        W: Any
        b: Any
        architecture: Any
        dtype: Any
        n_steps: Any
        state: Any
        load: Any
        weights: Any
        logits: Any
        forward: Any
        activate: Any
        activation_derivative: Any
        sigmoid: Any
        loss_value: Any
        logsumexp: Any
        softmax: Any
        output_delta: Any
        loss_and_gradient: Any
        backward: Any
        weight_gradient: Any
        bias_gradient: Any
        pull_back: Any
        train: Any
        train_epoch: Any
        train_step: Any
        start_optimizer: Any
        parameters: Any
        update: Any
        decayed: Any
        sgd: Any
        adam: Any
        adam_step: Any
        initialize: Any
else:
    Student = load_class(Target(str(default_folder() / "student.py"), "StudentMLP"))


class _Worker(Worker):
    """Of a class that is here already."""

    def __init__(self, kind: type) -> None:
        self.target = Target("here.py", kind.__name__)
        self.before = frozenset[str]()
        self.kind, self.subject = kind, kind()
        self.remembered = []

    def imports(self) -> list[str]:
        return []


def _through(message: Any) -> Any:
    return unpack(io.BytesIO(pack(message, RECORDS)).read, RECORDS)


class Here(Subject):
    """This class; `asked` are the words of every request, in order."""

    def __init__(self, kind: type) -> None:
        self.kind = kind
        self.asked: list[list[Any]] = []
        super().__init__(Target("here.py", kind.__name__))

    def _start(self) -> None:
        self._here = _Worker(self.kind)
        ready = Ready.checked(_through(self._here.ready()))
        self.methods, self.attributes = ready.methods, ready.attributes

    def _ask(self, verb: str, *arguments: Any) -> dict[Any, Any]:
        words = _through(["anew", verb, *arguments] if self._used_up else [verb, *arguments])
        self._used_up = False
        self.asked.append(words)
        with warnings.catch_warnings(action="ignore"):  # as in a process of its own
            detail: dict[Any, Any] = _through(getattr(self._here, words[0])(*words[1:]))
        if detail.get("of_constructor"):
            raise Misbehaviour("raised", f"the constructor raised {detail['raised']}")
        return detail


@contextmanager
def tried_here(kind: type) -> Iterator[Target]:
    """Trials of this target are of this class, in this process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(trial, "Subject", lambda target, *settings: Here(kind))
        yield Target("here.py", kind.__name__)


def explored_here(kind: type, space: Space, **form: Any) -> Explored:
    """As explored, with this space and this form: nothing is tried out."""
    candidate = Candidate(Here(kind), Form(**form))
    candidate.dtype = space.dtype
    return Explored(candidate, space)
