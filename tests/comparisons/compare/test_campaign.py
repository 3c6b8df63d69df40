import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from itertools import islice
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.compare import campaign, models, words
from backproof.comparisons.compare.campaign import (
    OTHERS,
    PER_ARCHITECTURE,
    Drawn,
    _answered,
    _architecture,
    _counted,
    _of_stack,
    _problem,
    _rule,
    _verdict,
    described_rule,
    draw,
    run,
)
from backproof.comparisons.compare.part import Question, described
from backproof.comparisons.compare.result import Link, Side, Tally
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.contender import Contender
from backproof.scratch.architecture import ACTIVATIONS, DTYPES, LOSSES, Architecture, OptimizerSpec
from tests.support.two_implementations import Halved

HALVED = "tests.support.two_implementations:Halved"


def test_right_implementations_raise_no_alarm() -> None:
    found = run(("scratch", "torch"), 40, 7, Silent())
    assert found.verdict is Outcome.PASS
    assert sum(tally.problems for tally in found.campaign if tally.name == "torch") == 40
    assert not any(tally.alarms for tally in found.campaign)


def test_a_wrong_implementation_is_counted_for_itself_alone() -> None:
    found = run(("scratch", HALVED), 10, 0, Silent())
    assert found.verdict is Outcome.FAIL
    assert {tally.name for tally in found.campaign if tally.alarms} == {HALVED}
    assert len(found.problems) == max(tally.alarms for tally in found.campaign)
    assert any(line.startswith("scratch") and ": 0 of 10 problems" in line for line in words.tallies(found))


def test_the_problems_of_a_campaign_are_of_every_kind() -> None:
    drawn = list(islice(draw(100 * PER_ARCHITECTURE, 0), 0, None, PER_ARCHITECTURE))
    architectures = [one.problem.architecture for one in drawn]
    assert {one.activation for one in architectures} == set(ACTIVATIONS)
    assert {one.loss for one in architectures} == set(LOSSES)
    assert {one.dtype for one in architectures} == set(DTYPES)
    assert {len(one.layer_shapes) for one in architectures} == {1, 2, 3, 4, 5, 6}
    assert max(max(one.layer_sizes) for one in architectures) > 256
    assert {one.rule.name for one in drawn} == {"sgd", "adam"}
    assert {kind for one in drawn for kind in one.activations} == set(OTHERS)
    assert all(len(one.activations) in (0, len(one.problem.weights) - 1) for one in drawn)


def test_activations_that_a_class_has_not_are_asked_of_torchs_own_layers() -> None:
    found = run(("scratch", "torch"), 30, 3, Silent())
    problems = {name: sum(t.problems for t in found.campaign if t.name == name) for name in found.names}
    assert problems["torch"] == 30
    assert 0 < problems["scratch"] < 30


def test_two_models_are_asked_at_random_weights_and_inputs() -> None:
    names = "tests.support.whole_models:sentences", "tests.support.whole_models:PortedSentences"
    found = run(names, 4, 0, Silent())
    assert found.verdict is Outcome.PASS
    assert {tally.dtype for tally in found.campaign} == {"float32", "float64"}
    assert sum(tally.problems for tally in found.campaign) == 8


def drawn_from(seed: int, n: int = PER_ARCHITECTURE) -> list[Drawn]:
    return list(draw(n, seed))


def test_the_seed_decides_the_problems_and_their_rules() -> None:
    first, again, other = drawn_from(5), drawn_from(5), drawn_from(6)
    assert [one.rule for one in first] == [one.rule for one in again]
    for one, same in zip(first, again, strict=True):
        np.testing.assert_array_equal(one.problem.x, same.problem.x)
    assert [one.problem.architecture for one in first] != [one.problem.architecture for one in other]
    assert first[0].rule != other[0].rule


def test_problems_of_one_architecture_differ_in_their_numbers() -> None:
    xs = [one.problem.x for one in drawn_from(0)]
    assert len({one.problem.architecture for one in drawn_from(0)}) == 1
    assert len({x.tobytes() for x in xs}) == len(xs)


def test_a_models_own_sizes_are_asked_with_numbers_and_rules_that_differ(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(0)
    stack: Any = SimpleNamespace(weights=lambda: [(rng.normal(size=(3, 2)), rng.normal(size=2))])
    monkeypatch.setattr(models, "activations", lambda stack: ())
    found = [[*_of_stack(stack, 20, seed)] for seed in (0, 0, 1)]
    for one in found[0]:
        assert one.problem.architecture.layer_sizes == (3, 2)
    rules = [[one.rule for one in each] for each in found]
    assert rules[0] == rules[1]
    assert not set(rules[0]) & set(rules[2])
    assert len(set(rules[0])) == 20
    assert {one.problem.architecture.loss for one in found[0]} == set(LOSSES)


def spans(values: list[float], low: float, high: float) -> bool:
    """All of them in [low, high], and some near either end, in powers."""
    inside = low <= min(values) and max(values) <= high
    tenth = (high / low) ** 0.1
    return inside and min(values) < low * tenth and max(values) > high / tenth


def test_the_constants_of_rules_are_of_all_sizes() -> None:
    rng = np.random.default_rng(0)
    rules = [_rule(rng) for _ in range(1000)]
    adams, others = ([r for r in rules if (r.name == "adam") == is_adam] for is_adam in (True, False))
    assert min(len(adams), len(others)) > 400
    assert spans([r.learning_rate for r in rules], 1e-4, 1.0)
    assert spans([r.weight_decay for r in rules if r.weight_decay], 1e-4, 0.1)
    assert 0.5 < np.mean([r.weight_decay == 0 for r in rules]) < 0.8
    assert spans([r.eps for r in adams], 1e-10, 0.1)
    assert spans([r.beta1 for r in adams], 0.5, 0.95)
    assert spans([1 - r.beta2 for r in adams], 1e-4, 0.1)
    assert spans([r.momentum for r in others if r.momentum], 0.1, 0.99)
    assert {(r.momentum > 0, r.nesterov) for r in others} == {(True, True), (True, False), (False, False)}


def test_the_numbers_of_problems_are_of_all_sizes_and_kinds() -> None:
    architecture = Architecture((4, 3, 2), dtype="float64")
    rng = np.random.default_rng(0)
    drawn = [_problem(architecture, 8, rng) for _ in range(400)]
    assert max(np.abs(one.x).max() for one in drawn) > 50
    sizes = [np.abs(one.x[one.x != 0]).mean() for one in drawn if one.x.any()]
    assert min(sizes) < 0.02
    weights = [np.sqrt(np.mean(one.weights[0][0] ** 2)) for one in drawn]
    assert min(weights) < 0.01
    assert max(weights) > 2
    whole = [one for one in drawn if (one.x == np.rint(one.x)).all() and (one.weights[0][0] % 1 == 0).all()]
    equal = [one for one in drawn if (one.x == one.x[0]).all()]
    sparse = [one for one in drawn if 0.5 < (one.x == 0).mean() < 0.9]
    for kind in (whole, equal, sparse):
        assert 0.1 < len(kind) / 400 < 0.35


# --- what is drawn, counted and asked -----------------------------------------------------------------------


def test_architectures_are_small_and_one_in_ten_has_a_wide_layer_that_is_not_the_last() -> None:
    rng = np.random.default_rng(0)
    drawn = [_architecture(rng).layer_sizes for _ in range(1500)]
    ordinary = [size for sizes in drawn for size in sizes if size != 300]
    assert (min(ordinary), max(ordinary)) == (1, 39)
    wide = [sizes for sizes in drawn if 300 in sizes]
    assert len(wide) / 1500 == pytest.approx(0.1, abs=0.025)
    assert all(sizes[-1] != 300 for sizes in drawn)
    assert any(sizes[0] == 300 for sizes in wide)
    assert any(300 in sizes[1:-1] for sizes in wide)
    assert {len(sizes) for sizes in drawn} == {2, 3, 4, 5, 6, 7}


def test_batches_have_up_to_sixty_three_examples_and_every_third_architecture_other_activations(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert PER_ARCHITECTURE == 10
    monkeypatch.setattr(campaign, "PER_ARCHITECTURE", 1)
    found = list(draw(240, 0))
    sizes = [one.problem.batch_size for one in found]
    assert (min(sizes), max(sizes) > 50, max(sizes) < 64) == (1, True, True)
    assert np.median(sizes) == pytest.approx(8, abs=3)
    for family, one in enumerate(found):
        n_hidden = len(one.problem.weights) - 1
        assert len(one.activations) == (n_hidden if family % 3 == 2 else 0)


def test_labels_are_of_every_output_and_all_numbers_of_the_precision() -> None:
    rng = np.random.default_rng(0)
    for dtype in DTYPES:
        architecture = Architecture((2, 3), "identity", "cross_entropy", dtype)
        drawn = [_problem(architecture, 20, rng) for _ in range(5)]
        assert set(np.concatenate([one.targets for one in drawn])) == {0, 1, 2}
        assert (
            {one.x.dtype.name for one in drawn} == {one.weights[0][1].dtype.name for one in drawn} == {dtype}
        )
    values = _problem(Architecture((2, 3), "identity", "mse"), 200, rng).targets
    assert (values.min(), values.max()) == (pytest.approx(0.0, abs=0.02), pytest.approx(1.0, abs=0.02))


def test_a_models_own_batches_are_of_every_size_too(monkeypatch: pytest.MonkeyPatch) -> None:
    stack: Any = SimpleNamespace(weights=lambda: [(np.ones((3, 2)), np.ones(2))])
    monkeypatch.setattr(models, "activations", lambda stack: ("gelu",))
    found = list(_of_stack(stack, 150, 0))
    sizes = [one.problem.batch_size for one in found]
    assert (min(sizes), max(sizes) > 50, max(sizes) < 64) == (1, True, True)
    assert {one.activations for one in found} == {("gelu",)}


def a_link(outcome: Outcome) -> Link:
    return Link("dW1", outcome, 0.0, 1.0, "", 0.0, 0.0, 0.0)


def test_problems_alarms_tensors_and_undecided_ones_are_counted() -> None:
    right, wrong, open_ = map(a_link, (Outcome.PASS, Outcome.FAIL, Outcome.INCONCLUSIVE))
    tally = Tally("a", "float32")
    for links in ((right, wrong, wrong), (), (open_, right), (open_,)):
        tally = _counted(tally, Side("a", links))
    assert tally == Tally("a", "float32", problems=3, alarms=1, tensors=6, undecided=2)


def test_a_campaign_passes_where_each_side_was_asked_and_decided_something() -> None:
    def verdict(**changes: int) -> Outcome:
        right = Tally("a", "float32", problems=2, alarms=0, tensors=4, undecided=3)
        return _verdict((right, replace(right, **changes)))  # type: ignore[arg-type]  # counts alone

    assert verdict() is Outcome.PASS
    assert verdict(alarms=1) is Outcome.FAIL
    assert verdict(problems=0) is Outcome.INCONCLUSIVE
    assert verdict(undecided=4) is Outcome.INCONCLUSIVE
    assert verdict(undecided=4, alarms=1) is Outcome.FAIL


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        (OptimizerSpec("sgd"), "sgd"),
        (OptimizerSpec("sgd", momentum=0.5), "momentum"),
        (OptimizerSpec("sgd", momentum=0.5, nesterov=True), "nesterov"),
        (OptimizerSpec("sgd", momentum=0.5, nesterov=True, weight_decay=0.1), "nesterov with weight decay"),
        (OptimizerSpec("adam"), "adam"),
        (OptimizerSpec("adam", weight_decay=0.1), "adam with weight decay"),
    ],
)
def test_a_rule_is_described_by_what_it_has(spec: OptimizerSpec, said: str) -> None:
    assert described_rule(spec) == said


def test_whose_layers_are_not_known_is_not_asked_for_other_activations() -> None:
    problem = next(draw(1, 0)).problem
    found = _answered("scratch", ScratchMLP(), Question(problem, {}, ("gelu",)))
    assert found == Side("scratch", (), ("it has four activations",))


@pytest.fixture
def without_processes(monkeypatch: pytest.MonkeyPatch) -> list[Contender]:
    """Both sides by name: `wrong` halves the gradients of its biases."""
    sides: list[Contender] = [ScratchMLP(), Halved()]

    @contextmanager
    def both(names: tuple[str, str]) -> Iterator[tuple[Contender, Contender]]:
        yield sides[0], sides[1]

    monkeypatch.setattr(models, "both", both)
    return sides


@pytest.mark.usefixtures("without_processes")
def test_of_many_problems_with_an_alarm_a_few_are_kept_and_all_are_counted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert campaign.MOST_SHOWN == 20
    monkeypatch.setattr(campaign, "MOST_SHOWN", 2)
    found = run(("right", "wrong"), 4, 1, Silent())
    assert len(found.problems) == 2
    assert {(one.name, bool(one.alarms)) for one in found.campaign} == {("right", False), ("wrong", True)}
    assert sum(one.problems for one in found.campaign if one.name == "wrong") == 4
    assert [[side.name for side in one.sides] for one in found.problems] == [["right", "wrong"]] * 2
    assert [(one.name, one.dtype) for one in found.campaign] == sorted(
        (one.name, one.dtype) for one in found.campaign
    )


@pytest.mark.usefixtures("without_processes")
def test_a_campaign_asks_the_problems_of_its_seed_with_their_own_rules() -> None:
    class Total(Silent):
        @contextmanager
        def task(self, description: str, total: float | None = None) -> Iterator[Any]:
            assert (description, total) == ("comparing right and wrong", 3)
            yield lambda: None

    begun = time.perf_counter()
    found = run(("right", "wrong"), 3, 4, Total())
    assert 0 < found.seconds <= time.perf_counter() - begun
    expected = [described(one.problem, one.activations) for one in draw(3, 4)]
    assert [one.problem for one in found.problems] == expected
    rule = described_rule(next(draw(1, 4)).rule)
    steps = {
        link.tensor.partition(", step")[0]
        for link in found.problems[0].sides[0].links
        if "step" in link.tensor
    }
    assert steps == {rule}
