"""What is timed: cases from text, their data and batches, and who is asked for them."""

from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.contenders.known import SCRATCH
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.speed.bare_products import products_of_a_step
from backproof.comparisons.speed.cases import (
    FIVE_CASES,
    CaseStore,
    SpeedCase,
    batches,
    digest,
    parse_case,
    synthetic,
)
from backproof.comparisons.speed.entrants import CONTROL, FLOOR, PARTS, for_growth, known_entrants
from backproof.comparisons.speed.result import TimedData
from backproof.comparisons.speed.step_in_parts import PRODUCTS, STEP_PARTS, ScratchInParts
from backproof.scratch.errors import InputError
from backproof.scratch.initializers import initialize

CASE = SpeedCase((6, 5, 3), 4, "adam")


def test_a_case_is_read_from_its_text() -> None:
    assert parse_case("784-128-10/100/adam") == SpeedCase((784, 128, 10), 100, "adam")
    assert parse_case(" 6-3/2 ") == SpeedCase((6, 3), 2, "sgd")


@pytest.mark.parametrize(
    "text",
    ["", "784", "784-10", "784-x-10/5", "784-10/0/sgd", "784-10/5/rmsprop", "784-10/5/sgd/float16", "0-1/2"],
)
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InputError, match="cases: "):
        parse_case(text)


def test_the_five_cases_are_those_of_the_published_comparison() -> None:
    labels = [case.label for case in FIVE_CASES]
    assert labels == [
        "784-128-10, batch 100, sgd",
        "784-64-10, batch 32, sgd",
        "784-256-256-10, batch 256, adam",
        "784-512-512-10, batch 128, sgd",
        "784-50-10, batch 100, sgd",
    ]


def test_batches_are_whole_shuffled_epochs_with_their_short_last_batch() -> None:
    drawn = batches(10, 4, 6, seed=0)
    assert [len(batch) for batch in drawn] == [4, 4, 2, 4, 4, 2]
    for epoch in (drawn[:3], drawn[3:]):
        np.testing.assert_array_equal(np.sort(np.concatenate(epoch)), np.arange(10))


def test_more_steps_begin_with_the_same_batches() -> None:
    few, many = batches(10, 4, 5, seed=1), batches(10, 4, 50, seed=1)
    assert digest(few) == digest(many[:5])
    assert digest(few) != digest(many[1:6])


def test_a_case_without_fitting_images_gets_random_ones_and_says_so(tmp_path: Path) -> None:
    store = CaseStore(tmp_path, None, 50)
    with np.load(store.path(CASE)) as arrays:
        assert arrays["x"].shape == (50, 6)
        assert set(np.unique(arrays["labels"])) <= {0, 1, 2}
    assert store.data(CASE) == TimedData("random", "uniform random numbers, seed 0")


def test_the_floor_does_every_product_of_a_step_and_no_other() -> None:
    architecture = SpeedCase((6, 5, 4, 3), 2).architecture
    weights = [W for W, _ in initialize(architecture, 0).weights()]
    forward, backward = products_of_a_step(architecture, weights, np.ones((2, 6), np.float32))
    shapes = [(a.shape, b.shape, out.shape) for a, b, out in forward + backward]
    assert shapes == [
        ((2, 6), (6, 5), (2, 5)),
        ((2, 5), (5, 4), (2, 4)),
        ((2, 4), (4, 3), (2, 3)),
        ((4, 2), (2, 3), (4, 3)),
        ((2, 3), (3, 4), (2, 4)),
        ((5, 2), (2, 4), (5, 4)),
        ((2, 4), (4, 5), (2, 5)),
        ((6, 2), (2, 5), (6, 5)),
    ]


@pytest.mark.parametrize("optimizer", ["sgd", "momentum", "adam"])
def test_scratch_in_parts_trains_as_scratch_does(optimizer: str) -> None:
    case = SpeedCase((6, 5, 3), 4, optimizer)
    data, weights = synthetic(10, 6, 3), initialize(case.architecture, 0).weights()
    found = []
    for contender in (ScratchMLP(), ScratchInParts()):
        contender.load(case.architecture, weights)
        losses = contender.train(data.x, data.labels, batches(10, 4, 7, 0), case.spec)
        found.append([*losses, *(part for pair in contender.weights() for part in pair)])
    for ours, in_parts in zip(*found, strict=True):
        np.testing.assert_array_equal(ours, in_parts)


def test_the_parts_of_a_step_are_told_by_its_clock() -> None:
    class Ticks:
        now = 0.0

        def __call__(self) -> float:
            self.now += 1.0
            return self.now

    contender = ScratchInParts(Ticks())
    data = synthetic(10, 6, 3)
    contender.load(CASE.architecture, initialize(CASE.architecture, 0).weights())
    contender.train(data.x, data.labels, batches(10, 4, 5, 0), CASE.spec)
    assert contender.parts == dict.fromkeys(STEP_PARTS + PRODUCTS, 1.0)


def test_growth_is_drawn_for_scratch_and_the_matched_contenders() -> None:
    names = [entry.name for entry in for_growth(known_entrants())]
    assert names == ["scratch", "torch", "jax", "tensorflow", "sklearn"]


def test_every_entry_belongs_to_a_contender() -> None:
    families = {entry.name: entry.family for entry in known_entrants()}
    assert {families[name] for name in (SCRATCH, CONTROL, FLOOR, PARTS)} == {"scratch"}
    assert families["torch compile"] == "torch"
    assert families["sklearn fit"] == "sklearn"
