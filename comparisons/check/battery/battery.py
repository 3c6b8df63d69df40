"""The checks: what each asks, which methods it needs, and what it is tried on.

Every check states something the mathematics demands of a correct implementation. None looks for a mistake.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st

from backproof.comparisons.check.battery import gradients as gradient_checks
from backproof.comparisons.check.battery import optional as optional_checks
from backproof.comparisons.check.battery import own_differences
from backproof.comparisons.check.battery import state as state_checks
from backproof.comparisons.check.battery import training as training_checks
from backproof.comparisons.check.battery.cases import cases, training_cases
from backproof.comparisons.check.battery.grid import generic_cases, story_grid, training_grid
from backproof.comparisons.check.battery.state import STATE_FAMILIES, stories
from backproof.scratch.architecture import LOSSES

BASIC = ("load", "logits", "loss_and_gradient", "weights")


@dataclass(frozen=True)
class Check:
    """`run(subject, *drawn)` raises a finding; `drawn` is a tuple that `tried_on` draws."""

    name: str
    question: str
    needs: tuple[str, ...]
    tried_on: st.SearchStrategy[tuple[Any, ...]]
    run: Callable[..., None]
    weight: float = 1.0  # how many examples, relative to the others
    needs_parameter: tuple[str, str] | None = None  # (method, parameter) that must be there
    grid: Callable[[int], Sequence[tuple[Any, ...]]] = lambda seed: ()  # from a seed: what is tried first


def _one(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[tuple[Any]]:
    return st.tuples(strategy)


_SEEDS = st.integers(0, 2**32 - 2)
# A target of binary cross-entropy is a probability: it cannot lie beside a logit in the millions.
NOT_BINARY = tuple(loss for loss in LOSSES if loss != "binary_cross_entropy")
_TINY = cases(families=("eighths", "normal"))


def _generic(seed: int) -> list[tuple[Any, ...]]:
    return [(case,) for case in generic_cases(seed)]


def _some(seed: int) -> list[tuple[Any, ...]]:
    return [(case,) for case in generic_cases(seed)[::3]]


def _not_binary(seed: int) -> list[tuple[Any, ...]]:
    return [(case,) for case in generic_cases(seed) if case.architecture.loss in NOT_BINARY]


def _pairs(seed: int) -> list[tuple[Any, ...]]:
    """Networks of all kinds one after another, of one dtype and of two, with and without training between."""
    ordinary, narrow = generic_cases(seed), generic_cases(seed, "float32")
    following = [*ordinary[5:], *ordinary[:5]]
    mixed = [(ordinary[0], narrow[3]), (narrow[5], ordinary[2])]
    pairs = [*zip(ordinary, following, strict=True), *mixed]
    return [(first, second, bool(i % 2)) for i, (first, second) in enumerate(pairs)]


def _float32(seed: int) -> list[tuple[Any, ...]]:
    return [(case,) for case in generic_cases(seed, "float32")]


def _some_float32(seed: int) -> list[tuple[Any, ...]]:
    return _float32(seed)[::3]


def _trainings(seed: int) -> list[tuple[Any, ...]]:
    return [(trial,) for trial in training_grid(seed)]


def _float32_trainings(seed: int) -> list[tuple[Any, ...]]:
    return [(trial,) for trial in training_grid(seed, "float32")]


def _stories(seed: int) -> list[tuple[Any, ...]]:
    return [(story,) for story in story_grid(seed)]


CHECKS: tuple[Check, ...] = (
    Check(
        "weights",
        "Do weights survive load, bit for bit?",
        ("load", "weights"),
        _one(cases()),
        gradient_checks.weights_survive,
        0.3,
        grid=_some,
    ),
    Check(
        "logits",
        "Are the logits right?",
        ("load", "logits"),
        _one(cases()),
        gradient_checks.logits,
        grid=_generic,
    ),
    Check(
        "loss",
        "Is the loss right, saturated or not?",
        ("load", "loss_and_gradient"),
        _one(cases()),
        gradient_checks.loss,
        grid=_generic,
    ),
    Check(
        "gradient",
        "Is every entry of the gradient right?",
        ("load", "loss_and_gradient"),
        _one(cases()),
        gradient_checks.gradient,
        2.0,
        grid=_generic,
    ),
    Check(
        "differences",
        "Is the gradient that of its own loss, by numerical differentiation?",
        ("load", "loss_and_gradient"),
        _one(cases(families=("eighths", "normal", "saturated"), max_batch=3)),
        own_differences.own_loss,
        0.2,
        grid=_some,
    ),
    Check(
        "independence",
        "Do a sample's logits depend on the others?",
        ("load", "logits"),
        _one(cases()),
        gradient_checks.independence,
        0.5,
        grid=_generic,
    ),
    Check(
        "duplication",
        "Does every example twice leave a mean as it is?",
        ("load", "loss_and_gradient"),
        _one(cases()),
        gradient_checks.duplication,
        0.5,
        grid=_generic,
    ),
    Check(
        "extremes",
        "Do logits in the thousands overflow?",
        ("load", "loss_and_gradient"),
        _one(cases(families=("integer", "eighths", "normal"))),
        gradient_checks.extremes,
        0.5,
        grid=_some,
    ),
    Check(
        "large outputs",
        "Do outputs in the millions keep small differences?",
        ("load", "loss_and_gradient"),
        _one(cases(families=("eighths", "normal"), losses=NOT_BINARY)),
        gradient_checks.large_outputs,
        0.3,
        grid=_not_binary,
    ),
    Check(
        "layouts",
        "Are read-only, strided and transposed arrays understood?",
        ("load", "logits", "loss_and_gradient"),
        _one(_TINY),
        gradient_checks.layouts,
        0.3,
        grid=_some,
    ),
    Check(
        "float32",
        "Is float32 computed and returned as float32?",
        BASIC,
        _one(cases("float32")),
        gradient_checks.dtypes,
        grid=_float32,
    ),
    Check(
        "integers",
        "Are integer weights and inputs taken for numbers?",
        ("load", "logits", "loss_and_gradient"),
        _one(cases(families=("integer",))),
        gradient_checks.integers,
        0.3,
    ),
    Check(
        "long sums",
        "Is a mean over 20,000 examples accurate in float32?",
        ("load", "loss_and_gradient"),
        _one(cases("float32", families=("normal",))),
        gradient_checks.long_sums,
        0.2,
        grid=_some_float32,
    ),
    Check(
        "call order",
        "Does an answer depend on what was called before?",
        BASIC,
        _one(stories()),
        state_checks.call_order,
        grid=_stories,
    ),
    Check(
        "reload",
        "Does load replace the network before?",
        BASIC,
        st.tuples(cases(families=STATE_FAMILIES), cases(families=STATE_FAMILIES), st.booleans()),
        state_checks.reload,
        0.3,
        grid=_pairs,
    ),
    Check(
        "repeatable",
        "Does the same question get the same answer?",
        ("load", "logits"),
        _one(cases(families=STATE_FAMILIES)),
        state_checks.repeatable,
        0.3,
        grid=_some,
    ),
    Check(
        "arguments",
        "Is what it was given left alone?",
        BASIC,
        _one(_TINY),
        state_checks.arguments_untouched,
        0.3,
        grid=_generic,
    ),
    Check(
        "results",
        "Is what it returned left alone?",
        BASIC,
        _one(_TINY),
        state_checks.results_are_copies,
        0.3,
        grid=_generic,
    ),
    Check(
        "given weights",
        "Does load take a copy?",
        ("load", "weights"),
        _one(cases(families=("eighths", "normal"))),
        state_checks.given_arrays_are_copied,
        0.2,
        grid=_some,
    ),
    Check(
        "trajectory",
        "Do losses and weights follow torch.optim?",
        ("load", "train", "weights"),
        _one(training_cases()),
        training_checks.trajectory,
        0.8,
        grid=_trainings,
    ),
    Check(
        "fresh optimiser",
        "Does each train start afresh?",
        ("load", "train", "weights"),
        _one(training_cases()),
        training_checks.fresh_optimizer,
        0.3,
        grid=_trainings,
    ),
    Check(
        "checkpoints",
        "Do checkpoints see the steps before them?",
        ("load", "train", "weights"),
        _one(training_cases()),
        training_checks.checkpoints,
        0.2,
        needs_parameter=("train", "checkpoints"),
        grid=_trainings,
    ),
    Check(
        "float32 training",
        "Do float32 weights stay float32?",
        ("load", "train", "weights"),
        _one(training_cases("float32")),
        training_checks.float32_training,
        0.2,
        grid=_float32_trainings,
    ),
    Check(
        "integer training",
        "Do integer weights train like others?",
        ("load", "train", "weights"),
        _one(training_cases()),
        training_checks.integer_training,
        0.2,
        grid=_trainings,
    ),
    Check(
        "initialization",
        "Are layers drawn independently?",
        ("initialize",),
        _one(_SEEDS),
        optional_checks.initialization,
        0.2,
    ),
    Check(
        "shuffling",
        "Does shuffling keep rows and pairs?",
        ("shuffle",),
        st.tuples(_SEEDS, st.integers(2, 30)),
        optional_checks.shuffling,
        0.3,
    ),
    Check(
        "epoch coverage",
        "Does an epoch visit every example once?",
        ("epoch_batches",),
        st.tuples(_SEEDS, st.integers(1, 40), st.integers(1, 12)),
        optional_checks.epoch_coverage,
        0.5,
    ),
    Check(
        "epoch loss",
        "Is the epoch's loss a mean over examples?",
        ("load", "train_epoch"),
        st.tuples(cases(families=("eighths", "normal"), max_batch=7), st.integers(1, 4)),
        optional_checks.epoch_loss,
        0.5,
    ),
    Check(
        "schedules",
        "Does the schedule give each step its own rate?",
        ("learning_rates",),
        st.tuples(st.sampled_from(["constant", "cosine"]), st.sampled_from([1.0, 0.1]), st.integers(1, 20)),
        optional_checks.schedules,
        0.3,
    ),
)
