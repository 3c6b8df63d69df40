import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from backproof.comparisons.compare import chapter, models, part, terminal
from backproof.comparisons.compare.judging import MOST_ENTRIES
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.part import _questions, random_problems, run, side
from backproof.comparisons.compare.result import Compared, Comparison, Link, Side
from backproof.comparisons.compare.trace import N_STEPS, UPDATES
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Silent, Terminal
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import ACTIVATIONS, LOSSES, Architecture, Weights
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

HALVED = "tests.support.two_implementations:Halved"
SILENT = "tests.support.two_implementations:LogitsOnly"
WRITTEN = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def wrong() -> Comparison:
    return run(("scratch", HALVED), 0, Silent())


def test_two_right_implementations_differ_by_rounding_only() -> None:
    found = run(("scratch", "scratch"), 1, Silent())
    assert found.verdict is Outcome.PASS
    assert len(found.problems) == len(list(random_problems(1))) == 20


def test_the_side_with_the_mistake_is_the_one_that_is_blamed(wrong: Comparison) -> None:
    assert wrong.verdict is Outcome.FAIL
    first = [one.sides[0].first for one in wrong.problems]
    assert set(first) == {None}
    tensors = {one.sides[1].first.tensor for one in wrong.problems if one.sides[1].first}
    assert tensors == {"db4"}


def test_terminal_and_page_say_the_tensor_and_the_cause(wrong: Comparison) -> None:
    console = Console(width=100, record=True)
    with console.capture() as capture:
        terminal.render(wrong, console)
    section = chapter.build(wrong)
    assert section is not None
    for text in (" ".join(capture.get().split()), str(section.html)):
        assert "db4" in text
        assert "half of what it should be" in text


def test_what_shows_no_gradient_is_inconclusive_with_the_reason() -> None:
    found = run(("scratch", SILENT), 0, Silent())
    assert found.verdict is Outcome.INCONCLUSIVE
    assert any("no gradient here" in reason for reason in found.problems[0].sides[1].not_offered)


def test_a_comparison_is_read_back_as_it_was_written(wrong: Comparison) -> None:
    again = decode(Comparison, encode(wrong))
    assert encode(again) == encode(wrong)


def test_names_are_escaped_on_the_page(wrong: Comparison) -> None:
    document = encode(wrong)
    assert isinstance(document, dict)
    section = chapter.build(decode(Comparison, {**document, "names": ["scratch", WRITTEN]}))
    assert section is not None
    assert WRITTEN not in section.html


def test_nothing_compared_makes_no_chapter() -> None:
    assert chapter.build(None) is None


def test_a_large_network_is_compared_without_copies_of_all_its_weights() -> None:
    rng = np.random.default_rng(0)
    architecture = Architecture((784, 1500, 700, 10), "tanh", dtype="float32")
    weights = [
        (rng.normal(size=shape) / np.sqrt(shape[0]), np.zeros(shape[1]))
        for shape in architecture.layer_shapes
    ]
    problem = Problem(architecture, weights, rng.normal(size=(7, 784)), rng.integers(0, 10, 7))
    contender = ScratchMLP()
    tracemalloc.start()
    found = side("it", contender, problem, {rule: UPDATES[rule] for rule in ("momentum", "nesterov", "adam")})
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found.first is None
    # In float32: the network's weights, gradients, two moments and one buffer for the loop, the weights after
    # each of N_STEPS steps and the gradient before each, those of one rule only; flat copies of two of them.
    copies = 5 + 2 * N_STEPS + 2
    # In float64: a block's value, bound, and what an operation of the intervals makes of two operands.
    block = 30 * 8 * MOST_ENTRIES
    assert peak < copies * 4 * architecture.n_parameters + block


def test_a_class_of_ones_own_is_compared_behind_a_wall_that_is_named_and_never_imported_here(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    own = tmp_path / "own.py"
    own.write_text(
        "import sys\nfrom backproof.comparisons.contenders.scratch_mlp import ScratchMLP\n"
        "sys.was_here = True\nclass Mine(ScratchMLP): pass\n"
    )
    with Terminal() as progress:
        found = run(("scratch", f"{own}:Mine"), 0, progress)
    assert found.verdict is Outcome.PASS
    assert not hasattr(sys, "was_here")
    assert "own.py:Mine: in a process of its own (" in " ".join(capsys.readouterr().err.split())


# --- what is asked ------------------------------------------------------------------------------------------


class Stack(ScratchMLP):
    """Stands for a model of somebody's own, of 3-4-2 units and with a hidden gelu."""

    def __init__(self, seed: int = 0) -> None:
        rng = np.random.default_rng(seed)
        self.own = [(rng.normal(size=shape), rng.normal(size=shape[1])) for shape in ((3, 4), (4, 2))]
        self.kinds: tuple[str, ...] = ("gelu",)

    def weights(self) -> Weights:
        return self.own


@pytest.fixture
def stacks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(models, "is_stack", lambda one: isinstance(one, Stack))
    monkeypatch.setattr(models, "activations", lambda stack: stack.kinds)


def test_steps_are_asked_of_one_problem_of_each_precision() -> None:
    questions, notes = _questions(ScratchMLP(), ScratchMLP(), ("a", "b"), 3)
    assert [(one.problem.architecture.dtype, one.updates) for one in questions if one.updates] == [
        ("float64", UPDATES),
        ("float32", UPDATES),
    ]
    assert notes == []
    for one, right in zip(questions, random_problems(3), strict=True):
        np.testing.assert_array_equal(one.problem.x, right.x)
        assert one.activations == ()


@pytest.mark.usefixtures("stacks")
def test_of_a_models_own_problems_the_first_has_every_step_and_all_have_its_activations() -> None:
    stack = Stack()
    questions, notes = _questions(stack, Stack(), ("mine", "other"), 5)
    assert [dict(one.updates) for one in questions] == [dict(UPDATES), {}, {}, {}]
    assert {one.activations for one in questions} == {("gelu",)}
    assert notes == []
    for one, right in zip(questions, models.problems(stack, 5), strict=True):  # type: ignore[arg-type]  # a stand-in
        np.testing.assert_array_equal(one.problem.x, right.x)


@pytest.mark.usefixtures("stacks")
def test_a_large_model_is_asked_one_problem_and_two_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    n_parameters = 3 * 4 + 4 + 4 * 2 + 2
    assert part.LARGE == 10**6
    monkeypatch.setattr(part, "LARGE", n_parameters)
    assert len(_questions(Stack(), Stack(), ("a", "b"), 0)[0]) == 4
    monkeypatch.setattr(part, "LARGE", n_parameters - 1)
    ((one,), _) = _questions(Stack(), Stack(), ("a", "b"), 0)
    assert one.updates == {rule: UPDATES[rule] for rule in ("momentum", "adam")}


@pytest.mark.usefixtures("stacks")
def test_other_weights_of_the_second_model_are_told_of_it() -> None:
    _, notes = _questions(Stack(), Stack(seed=1), ("first", "second"), 0)
    (note,) = notes
    assert note.startswith("its own weights: W1[0, 0] is ")
    assert note.endswith("; it is compared at those of first")


@pytest.mark.usefixtures("stacks")
@pytest.mark.parametrize("first", [True, False])
def test_beside_a_model_a_class_is_given_its_activation_or_refused_by_its_name(first: bool) -> None:
    stack = Stack()
    one, other = (stack, ScratchMLP()) if first else (ScratchMLP(), stack)
    names = ("mine", "scratch") if first else ("scratch", "mine")
    with pytest.raises(InputError, match=r"^scratch: expected a torch module .* beside one with gelu"):
        _questions(one, other, names, 0)
    stack.kinds = ("tanh",)
    questions, notes = _questions(one, other, names, 0)
    assert {one.problem.architecture.activation for one in questions} == {"tanh"}
    assert notes == []


@pytest.mark.parametrize("first", [True, False])
def test_beside_a_model_of_other_layers_a_class_is_refused_with_the_reason(first: bool) -> None:
    model = object.__new__(OwnModel)  # without its process
    model.name, model.not_a_stack = "mine", "model: it has a convolution"
    one, other = (model, ScratchMLP()) if first else (ScratchMLP(), model)
    names = ("mine", "scratch") if first else ("scratch", "mine")
    with pytest.raises(InputError, match=r"^mine: it has a convolution; scratch is a class"):
        part.whole(one, other, names)
    assert part.whole(model, model, ("a", "b")) == (model, model)
    assert part.whole(ScratchMLP(), ScratchMLP(), ("a", "b")) is None


def test_random_problems_are_of_every_kind_with_numbers_of_ordinary_size() -> None:
    found = list(random_problems(0))
    kinds = [(one.architecture.dtype, one.architecture.activation, one.architecture.loss) for one in found]
    assert kinds == [
        *(("float64", activation, loss) for activation in ACTIVATIONS for loss in LOSSES),
        *(("float32", activation, "cross_entropy") for activation in ACTIVATIONS),
    ]
    assert {(one.architecture.layer_sizes, one.batch_size) for one in found} == {((5, 4, 4, 4, 3), 7)}
    for layer, fan_in in enumerate((5, 4, 4, 4)):
        W, b = (np.concatenate([one.weights[layer][i].ravel() for one in found]) for i in (0, 1))
        assert np.std(W) == pytest.approx(fan_in**-0.5, rel=0.1)
        assert np.std(b) == pytest.approx(0.3, rel=0.25)
    assert np.std([one.x for one in found]) == pytest.approx(1.0, rel=0.1)
    labels = [one.targets for one in found if one.architecture.loss == "cross_entropy"]
    assert set(np.concatenate(labels)) == {0, 1, 2}
    for one in found:
        arrays = [one.x, *(part for pair in one.weights for part in pair)]
        assert {array.dtype.name for array in arrays} == {one.architecture.dtype}


class WithoutTraining(ScratchMLP):
    def train(self, *given: object) -> list[float]:
        raise NotOffered("no training here")


def test_a_side_tells_its_name_and_every_rule_that_it_does_not_offer() -> None:
    problem = next(random_problems(0))
    found = side("it", WithoutTraining(), problem, {rule: UPDATES[rule] for rule in ("sgd", "adam")})
    assert found.name == "it"
    assert found.not_offered == ("sgd: no training here", "adam: no training here")
    assert {"logits", "loss", "dW1", "db4"} <= {link.tensor for link in found.links}


def test_a_problem_is_described_with_each_of_its_activations_once() -> None:
    problem = next(random_problems(0))
    assert part.described(problem) == "5-4-4-4-3 identity, cross_entropy, float64, batch of 7"
    assert part.described(problem, ("gelu", "elu", "gelu")).startswith("5-4-4-4-3 gelu by erf and elu, cross")


def test_a_pass_takes_a_gradient_of_either_side() -> None:
    def verdict(first: str, second: str, outcome: Outcome = Outcome.PASS) -> Outcome:
        links = [Link(name, outcome, 0.0, 1.0, "", 0.0, 0.0, 0.0) for name in (first, second)]
        sides = Side("a", (links[0],)), Side("b", (links[1],))
        return part._verdict([Compared("", sides)])

    assert verdict("dW1", "d conv.weight") is Outcome.PASS
    assert verdict("dW1", "z1") is Outcome.INCONCLUSIVE
    assert verdict("z1", "dW1") is Outcome.INCONCLUSIVE
    assert verdict("z1", "dW1", Outcome.FAIL) is Outcome.FAIL
    link = Link("dW1", Outcome.PASS, 0.0, 1.0, "", 0.0, 0.0, 0.0)
    both = (Side("a", (link, replace(link, tensor="z1"))), Side("b", (replace(link, tensor="loss"), link)))
    assert part._verdict([Compared("", both), Compared("", (Side("a", ()), Side("b", ())))]) is Outcome.PASS


class Totals(Silent):
    """Notes how much is to be done, and how much is."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float | None]] = []
        self.done = 0

    @contextmanager
    def task(self, description: str, total: float | None = None) -> Iterator[Callable[..., None]]:
        self.seen.append((description, total))

        def advance(*given: object) -> None:
            self.done += 1

        yield advance


def test_a_run_says_how_many_problems_there_are_and_how_long_they_took(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    few = list(random_problems(0))[:3]
    monkeypatch.setattr(part, "random_problems", lambda seed: few)
    monkeypatch.setattr(part, "UPDATES", {})
    progress, begun = Totals(), time.perf_counter()
    found = run(("scratch", "scratch"), 0, progress)
    assert 0 < found.seconds <= time.perf_counter() - begun
    assert progress.seen == [("comparing scratch and scratch", 3)]
    assert progress.done == 3
    assert [one.problem for one in found.problems] == [part.described(one) for one in few]
