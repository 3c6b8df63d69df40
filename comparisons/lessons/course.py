"""The course: which lessons there are, in the order in which they are taught.

Listing it imports none of the lessons; `Lesson.load` imports one.
"""

import importlib
from dataclasses import dataclass
from typing import Protocol, cast

from backproof.comparisons.lessons.frame import LessonResult, Setting
from backproof.scratch.errors import InputError, did_you_mean

CHAPTERS = (
    "two-ways",
    "one-neuron",
    "descent",
    "numerical-gradient",
    "perceptron-and-xor",
    "layers-and-chain-rule",
    "backprop",
    "softmax",
    "mnist",
    "frameworks",
)


class LessonModule(Protocol):
    def run(self, setting: Setting) -> LessonResult:
        """Compute everything the lesson claims."""


@dataclass(frozen=True)
class Lesson:
    """One system of the texts. `row` numbers the systems, `sources` names the texts that describe it."""

    name: str  # what the command line calls it
    row: int
    chapter: str
    sources: tuple[str, ...]
    needs_images: bool = False  # trains on MNIST, or on the bundled digits where MNIST is not at hand

    @property
    def key(self) -> str:
        """The name of its module and of its file of texts."""
        return self.name.replace("-", "_")

    def load(self) -> LessonModule:
        return cast(LessonModule, importlib.import_module(f"backproof.comparisons.lessons.{self.key}"))


LESSONS = (
    Lesson("two-ways", 19, "two-ways", ()),
    Lesson("neuron", 18, "one-neuron", ("004",)),
    Lesson("activations", 6, "one-neuron", ("001", "003")),
    Lesson("descent", 17, "descent", ("004",)),
    Lesson("linear-regression", 1, "numerical-gradient", ("000",)),
    Lesson("logistic-regression", 2, "numerical-gradient", ("000",)),
    Lesson("perceptron", 4, "perceptron-and-xor", ("001",)),
    Lesson("xor", 5, "perceptron-and-xor", ("001",)),
    Lesson("shapes", 14, "layers-and-chain-rule", ("003",)),
    Lesson("linear-collapse", 13, "layers-and-chain-rule", ("002", "003", "004"), needs_images=True),
    Lesson("chain-rule", 15, "layers-and-chain-rule", ("003",)),
    Lesson("three-steps", 11, "backprop", ("002",)),
    Lesson("two-layer-net", 10, "backprop", ("002",)),
    Lesson("sparse-cross-entropy", 8, "softmax", ("001",)),
    Lesson("softmax-regression", 7, "softmax", ("001",), needs_images=True),
    Lesson("digits-network", 3, "mnist", ("000",), needs_images=True),
    Lesson("ninety-five", 12, "mnist", ("002",), needs_images=True),
    Lesson("keras-start", 9, "frameworks", ("001",), needs_images=True),
    Lesson("live", 16, "frameworks", ("003",), needs_images=True),
)


def find(name: str) -> Lesson:
    """The lesson of that name, or of that row number. Raises InputError, listing the names."""
    for lesson in LESSONS:
        if name in (lesson.name, str(lesson.row)):
            return lesson
    names = [lesson.name for lesson in LESSONS]
    hint = did_you_mean(name, names)
    raise InputError(f"lesson: expected one of {', '.join(names)}; got {name!r}{hint}")
