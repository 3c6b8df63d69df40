"""The plan: validated when made, resolved once, and the same on paper as in the run."""

import json
from typing import Any

import pytest

from backproof.comparisons import experiment
from backproof.comparisons.accuracy.unit import setup_of
from backproof.comparisons.data.dataset import Dataset, load
from backproof.comparisons.experiment import Plan, Planned, resolve
from backproof.comparisons.gradients.part import data_problems
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Terminal
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.errors import InputError


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"contenders": ("foo",)}, "contender: expected one of"),
        ({"data": "cifar"}, "data: expected one of auto, mnist, digits"),
        ({"dtype": "float16"}, "dtype: expected one of float32, float64"),
        ({"n_seeds": 0}, "seeds: expected at least 1, got 0"),
        ({"seed": -1}, "seed: expected at least 0"),
        ({"epochs": 0}, "epochs: expected at least 1"),
        ({"epochs": 1.5}, "epochs: expected an integer"),
        ({"batch_size": 0}, "batch_size: expected at least 1"),
        ({"threads": 0}, "threads: expected at least 1"),
        ({"threads": 100_000}, "threads: expected at most .* the cores of this machine"),
        ({"layer_sizes": (64, 0, 10)}, "layers: expected sizes of at least 1"),
        ({"layer_sizes": (64, -3, 10)}, "layers: expected sizes of at least 1"),
        ({"layer_sizes": (64,)}, "layers: expected inputs and outputs"),
        ({"margin_points": 0.0}, "margin_points: expected a number between"),
    ],
)
def test_a_bad_option_is_refused_by_name(options: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        Plan(**options)


@pytest.mark.parametrize("sizes", [(784, 128, 10), (64, 128, 9)])
def test_layers_that_do_not_fit_the_data_are_refused_with_some_that_do(sizes: tuple[int, ...]) -> None:
    with pytest.raises(InputError, match=r"digits has 64 inputs and 10 classes.*try 64,128,10"):
        resolve(Plan(data="digits", layer_sizes=sizes))


def test_without_layers_the_network_takes_the_shape_of_the_data() -> None:
    assert resolve(Plan(data="digits")).architecture.layer_sizes == (64, 128, 10)


def test_hidden_layers_are_taken_as_given() -> None:
    assert resolve(Plan(data="digits", layer_sizes=(64, 7, 5, 10))).architecture.layer_sizes == (64, 7, 5, 10)


@pytest.mark.parametrize(("quick", "epochs"), [(False, 60), (True, 40)])
def test_the_epochs_not_asked_for_are_those_of_the_data_found(quick: bool, epochs: int) -> None:
    assert resolve(Plan(data="digits", quick=quick)).epochs == epochs
    assert resolve(Plan(data="digits", quick=quick, epochs=3)).epochs == 3


def test_the_data_are_asked_for_once_and_the_parts_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def counted(kind: str, data_dir: str | None, say: object) -> Dataset:
        asked.append(kind)
        return load(kind, data_dir)

    monkeypatch.setattr(experiment, "load", counted)
    found = resolve(Plan(data="digits", layer_sizes=(64, 4, 10)))
    found.planned()
    data_problems(found)
    setup_of(found)
    assert asked == ["digits"]


def test_scratch_is_always_the_first_contender_and_nobody_runs_twice() -> None:
    assert Plan(contenders=("torch", "torch", "scratch")).contenders == ("scratch", "torch")


def test_seeds_follow_the_first_one() -> None:
    assert Plan(seed=5, n_seeds=3).seeds == (5, 6, 7)


def test_the_plan_on_paper_says_what_it_came_to() -> None:
    planned = resolve(Plan(data="digits", optimizer=OptimizerSpec("adam", 0.001))).planned()
    assert planned.optimizer.name == "adam"
    assert planned.seeds == (0, 1, 2, 3, 4)
    assert planned.dataset.name == "digits"
    assert planned.architecture.layer_sizes == (64, 128, 10)


def test_the_plan_on_paper_survives_json() -> None:
    planned = resolve(Plan(data="digits")).planned()
    assert decode(Planned, json.loads(json.dumps(encode(planned)))) == planned


@pytest.mark.parametrize(("changes", "same"), [({"command": "other"}, True), ({"seed": 1}, False)])
def test_the_same_work_by_other_words_is_the_same(changes: dict[str, Any], same: bool) -> None:
    one, other = Plan(data="digits"), Plan(data="digits", **changes)
    assert resolve(one).planned().same_work(resolve(other).planned()) == same


def test_of_a_contender_of_ones_own_the_walls_are_told_and_of_others_nothing(
    capsys: pytest.CaptureFixture[str],
) -> None:
    own = f"{default_folder() / 'student.py'}:StudentMLP"
    for names, told in ((("torch",), False), (("torch", own), True)):
        with Terminal() as progress:
            resolve(Plan(data="digits", contenders=names), progress)
        said = " ".join(capsys.readouterr().err.split())
        assert ("in a process of its own" in said) == told
