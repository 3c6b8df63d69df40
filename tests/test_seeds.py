"""Every generator that is not fixed follows the seed that its caller gives: none is that of seed 0.

Entries into the library are run with two seeds while `np.random` is watched: what each place in the source
makes a generator of must be something else for the other seed. The places are found in the source, so that a
new one is missed here until an entry runs it.
"""

import ast
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from backproof.comparisons.accuracy.equivalence import simulated_outcomes
from backproof.comparisons.accuracy.trajectory import permuted
from backproof.comparisons.accuracy.unit import all_batches
from backproof.comparisons.batches import partitions
from backproof.comparisons.batches.examples import Examples
from backproof.comparisons.check.battery import grid
from backproof.comparisons.check.diagnosis import evidence
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.compare import campaign as compare_campaign
from backproof.comparisons.compare import vectors
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.gradients import black_box_campaign, campaign, sensitivity, step_sizes
from backproof.comparisons.gradients.part import small_problems
from backproof.comparisons.numerical import ladder
from backproof.comparisons.numerical import part as numerical
from backproof.comparisons.numerical.forward_gradient import ForwardGradient
from backproof.comparisons.numerical.twin_training import Batches
from backproof.comparisons.race import course
from backproof.comparisons.race.data_file import images_of
from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.comparisons.record import distortion
from backproof.comparisons.record.training import Member, Split
from backproof.comparisons.speed import cases as speed_cases
from backproof.comparisons.verdicts.any_function import check_gradient
from backproof.comparisons.verdicts.autodiff import check_autodiff
from backproof.comparisons.zoo import rivals
from backproof.reference import jax_functions
from backproof.reference.torch_model import TorchModel
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.gradients import Backprop, gradient
from backproof.scratch.initializers import initialize
from backproof.scratch.regularization import Dropout
from backproof.scratch.training import EpochPlan, Recipe, fit
from tests.support import small_races, small_records
from tests.support.strategies import random_case

ROOT = Path(__file__).parents[1]
MAKERS = ("default_rng", "SeedSequence")
SEEDS = (0, 1000)  # far apart: many places count on from theirs
NET = Architecture((3, 4, 2))
FEW = 16  # fields of distortion

# Places that no seed of a caller's reaches, or that take more than a test has.
ELSEWHERE = {
    "comparisons/batches/measured.py:_jitter": "counts its own repetitions",
    "comparisons/check/battery/own_differences.py:_one_per_tensor": "from the batch size alone",
    "comparisons/check/battery/training.py:predicted_steps": "counts its own repetitions",
    "comparisons/compare/campaign.py:_of_stack": "a model's: test_models and test_campaign of compare run it",
    "comparisons/compare/models.py:problems": "a model's: test_models of compare runs it",
    "comparisons/compare/whole_models.py:random_tasks": "a model's: test_whole_models runs it",
    "comparisons/compare/whole_models.py:_targets": "a model's: test_whole_models runs it",
    "comparisons/gradients/black_box_digits.py:noisy_sines": "drawn from the family's own generator",
    "comparisons/gradients/black_box_digits.py:noisy_parabola": "drawn from the family's own generator",
    "comparisons/gradients/black_box_digits.py:drawn_at_every_call": "drawn from the family's own generator",
    "comparisons/gradients/black_box_digits.py:mini_batch_at_every_call": "drawn from the family's generator",
    "comparisons/gradients/part.py:_real_differences": "which entries, from how many were drawn before",
    "comparisons/zoo/rivals.py:accuracy_on_digits": "trains: test_rivals runs it",
    "reference/keras_functions.py:case": "Keras is not installed everywhere",
    "reference/keras_model.py:KerasModel.inputs": "Keras is not installed everywhere",
}


def network(seed: int = 0) -> tuple[Any, Array, Array]:
    case = random_case(NET, "normal", 6, 0)
    return case.network(), case.x, case.targets


def fitted(seed: int) -> None:
    recipe = Recipe(method=Backprop(Dropout(0.5, seed=seed)))
    fit(*network(), recipe, EpochPlan(1, 4, seed))


def judged(seed: int) -> None:
    """More entries than are looked at one by one, some of which do nothing, with a noise of their own."""
    used = np.arange(100) % 5 > 0
    theta = np.linspace(0.1, 1.0, 100)

    def single(t: Array) -> Array:
        return used * np.cos(t.astype(np.float32)).astype(np.float64)

    check_gradient(lambda t: float(np.sin(t[used]).sum()), single, theta, seed=seed)


def differentiated(seed: int) -> None:
    """In single precision, with second derivatives; and several outputs, of which one may not move."""
    check_autodiff(torch.sin, torch.linspace(0.1, 1.0, 6), order=2, seed=seed)
    check_autodiff(lambda x: (torch.sin(x), torch.cos(x), torch.ones(2)), torch.tensor([0.3]), seed=seed)


def member(seed: int) -> None:
    data = small_records.dataset(n_train=20, n_test=10)
    images, labels = data.train_images, data.train_labels
    split = Split(images, labels, images, labels, data.image_shape)
    Member(small_records.SMALL, split, small_records.TWO_EPOCHS, seed, 0)


def raced(seed: int) -> None:
    images = images_of(small_records.dataset(n_train=70, n_test=10))
    course.run(ScratchRecipe(), replace(small_races.PLANE, epochs=1), images, seed)


def timed(seed: int) -> None:
    x, labels = np.ones((2, 30)), np.zeros(2, dtype=int)
    ladder._row((30, 8, 2), x, labels, seed)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(numerical, "LONGEST_LOOP", 0.0)
        numerical._affordable_entries(network()[0], x[:, :3], labels, seed)


def told(seed: int) -> None:
    problem = grid.generic_problem(NET, 3, seed)
    grid.trainings(seed, Space.full())
    grid._of_all_sizes(problem, seed)
    evidence._at_kinks(problem, seed, True)


ENTRIES: dict[str, Callable[[int], object]] = {
    "initial weights": lambda seed: initialize(NET, seed),
    "fit, its batches and masks": fitted,
    "a gradient under dropout": lambda seed: gradient(*network(), Backprop(Dropout(seed=seed))),
    "simulated studies": lambda seed: simulated_outcomes(
        0.1, 0.2, margin=0.2, n_seeds=3, n_trials=2, seed=seed
    ),
    "batches of a sweep": lambda seed: all_batches(5, 2, 1, seed),
    "permuted batches": lambda seed: permuted([np.arange(3)], seed),
    "partitions": lambda seed: partitions.drawn(Examples(np.arange(9)), seed),
    "problems of a check": told,
    "problems of a comparison": lambda seed: list(compare_campaign.draw(2, seed)),
    "vectors": lambda seed: list(vectors.problems(seed)),
    "a campaign": lambda seed: campaign.Chunk(campaign.CELLS[0], 0, 1, seed, 0).rng(0),
    "a campaign of black boxes": lambda seed: black_box_campaign.Chunk("exp", 0, 1, seed, 0).rng(0),
    "a campaign of spoiled gradients": lambda seed: sensitivity.run_chunk(
        campaign.Chunk(("normal", "tanh", "float64"), 0, 1, seed, 0)
    ),
    "gradients of small networks": small_problems,
    "the picture of step sizes": lambda seed: step_sizes._batch("float64", seed),
    "the ladder and one gradient": timed,
    "forward gradients": lambda seed: ForwardGradient(seed=seed),
    "batches of twins": lambda seed: Batches(small_records.dataset(n_train=20, n_test=10), 5, seed)(0),
    "a race": raced,
    "a member of a record": member,
    "distortions": lambda seed: distortion.Distorter(distortion.Distortion(), (28, 28), seed),
    "data and batches of a speed case": lambda seed: [
        speed_cases.synthetic(3, 2, 2, seed),
        speed_cases.batches(5, 2, 2, seed),
    ],
    "a gradient's verdict": judged,
    "a program's verdict": differentiated,
    "batches of a rival": lambda seed: rivals._batches(ScratchMLP(), 5, seed),
    "a function of JAX": lambda seed: jax_functions.case(next(iter(jax_functions.CASES)), seed),
    "inputs of a torch model": lambda seed: TorchModel(torch.nn.Linear(2, 2)).inputs(seed),
}

Seen = dict[str, set[str]]  # place in the source -> what generators were made of


@contextmanager
def watched() -> Iterator[Seen]:
    """What every place of the project gives to `np.random` meanwhile."""
    seen: Seen = {}

    def watching(real: Callable[..., object]) -> Callable[..., object]:
        def made(*arguments: Any) -> object:
            frame = sys._getframe(1)
            place = f"{_inside(frame.f_code.co_filename)}:{frame.f_code.co_qualname.partition('.<')[0]}"
            seen.setdefault(place, set()).add(repr(arguments))
            return real(*arguments)

        return made

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(distortion, "N_FIELDS", FEW)
        for name in MAKERS:
            patch.setattr(np.random, name, watching(getattr(np.random, name)))
        yield seen


@cache
def _inside(file: str) -> str:
    path = Path(file).resolve()
    return path.relative_to(ROOT).as_posix() if path.is_relative_to(ROOT) else file


def places() -> Iterator[str]:
    """Where a generator is made of something that is no constant: lessons have tests of their own."""
    for folder in ("scratch", "reference", "comparisons"):
        for path in sorted((ROOT / folder).rglob("*.py")):
            if not {"mutants", "lessons"} & set(path.parts):
                name = path.relative_to(ROOT).as_posix()
                yield from (f"{name}:{function}" for function in making(path.read_text(encoding="utf-8")))


def making(source: str) -> Iterator[str]:
    """The functions that make such generators, by their qualified names."""

    def walk(node: ast.AST, names: tuple[str, ...]) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            inside = (*names, child.name) if isinstance(child, ast.FunctionDef | ast.ClassDef) else names
            given = child.args[:1] if isinstance(child, ast.Call) else []
            if isinstance(child, ast.Call) and given and not isinstance(given[0], ast.Constant):
                made = ast.unparse(child.func).rpartition(".")[2]
                yield from [".".join(inside)] if made in MAKERS else []
            yield from walk(child, inside)

    return walk(ast.parse(source), ())


def seen_with_either_seed(entries: Mapping[str, Callable[[int], object]]) -> tuple[Seen, set[str]]:
    """The places that are met, with the entries that met them; and those that made other generators."""
    met: Seen = {}
    following: set[str] = set()
    for name, entry in entries.items():
        found = []
        for seed in SEEDS:
            with watched() as seen, np.errstate(all="ignore"):
                entry(seed)
            found.append(seen)
        for place, made in found[0].items():
            met.setdefault(place, set()).add(name)
            if not made & found[1][place]:
                following.add(place)
    return met, following


def test_the_search_finds_generators_that_are_not_fixed() -> None:
    source = """
class A:
    def f(self): return np.random.default_rng([self.seed, 1])
def g(): return default_rng(0)
def h(): return [np.random.default_rng(i) for i in range(3)]
"""
    assert list(making(source)) == ["A.f", "h"]


def test_every_generator_that_is_not_fixed_follows_a_seed() -> None:
    """After a change: run the new place from an entry, or say why no caller's seed reaches it."""
    met, following = seen_with_either_seed(ENTRIES)
    there = set(places())
    assert there - set(met) <= set(ELSEWHERE), "no entry runs these"
    assert there & set(met) - following == set(), "these make the same of both seeds"
    assert set(ELSEWHERE) <= there - following


def test_a_seed_that_is_ignored_is_seen() -> None:
    met, following = seen_with_either_seed({"forward gradients": lambda seed: ForwardGradient(seed=0)})
    assert set(met) == {"comparisons/numerical/forward_gradient.py:ForwardGradient.__post_init__"}
    assert following == set()
