import sys
import tracemalloc
from pathlib import Path

import numpy as np
import pytest
from rich.console import Console

from backproof.comparisons.compare import chapter, terminal
from backproof.comparisons.compare.judging import MOST_ENTRIES
from backproof.comparisons.compare.part import random_problems, run, side
from backproof.comparisons.compare.result import Comparison
from backproof.comparisons.compare.trace import N_STEPS, UPDATES
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Silent, Terminal
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import Architecture
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
