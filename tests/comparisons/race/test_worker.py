"""The worker: what it answers to each request."""

from pathlib import Path

from backproof.comparisons.race import worker
from backproof.comparisons.race.data_file import images_of, write
from backproof.comparisons.race.messages import Ready, Request, RunSeed, WarmUp
from backproof.comparisons.race.result import RaceRun
from backproof.comparisons.race.scratch_recipe import ScratchRecipe
from backproof.comparisons.results.cells import Absent
from backproof.reference.contender import NotOffered
from backproof.scratch.architecture import Architecture, Weights
from tests.support.small_races import SMALL
from tests.support.small_records import dataset


class Declines(ScratchRecipe):
    """Offers nothing."""

    def load(self, architecture: Architecture, weights: Weights) -> None:
        raise NotOffered("no networks today")


def warm_up(folder: Path) -> Request:
    write(images_of(dataset()), folder / "images.npz")
    return Request(WarmUp(SMALL, str(folder / "images.npz")))


def test_a_warm_up_is_answered_and_then_a_seed(tmp_path: Path) -> None:
    starter = worker.Starter(worker.make("backproof.comparisons.race.scratch_recipe:ScratchRecipe"))
    assert isinstance(starter.answer(warm_up(tmp_path)), Ready)
    found = starter.answer(Request(RunSeed(2)))
    assert isinstance(found, RaceRun)
    assert found.seed == 2


def test_a_contender_that_declines_is_told(tmp_path: Path) -> None:
    assert worker.Starter(Declines()).answer(warm_up(tmp_path)) == Absent("no networks today")
