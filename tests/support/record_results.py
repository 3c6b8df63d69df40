"""A record made by hand."""

import numpy as np

from backproof.comparisons.record.distortion import Distortion
from backproof.comparisons.record.recipes import Goal, Published, Recipe
from backproof.comparisons.record.result import (
    BoardResult,
    EpochEnd,
    HardImage,
    RecordResult,
    SeedRun,
    TestSetResult,
)
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.regularization import Dropout

BOARD = "permutation-invariant"


def record(members: int = 2, seeds: int = 1) -> RecordResult:
    """One board, 98.8% between two published results."""
    history = tuple(EpochEnd(float(e), e / 2, 1 / e, 0.9 + e / 40) for e in (1, 2))
    hard = HardImage(
        index=5,
        label=4,
        found=9,
        probability_of_label=0.001,
        pixels=(*range(256), *range(256), *range(256), *(0,) * 16),
    )
    board = BoardResult(
        recipe=Recipe(
            board=BOARD,
            hidden=(512,),
            optimizer=OptimizerSpec("adam", 0.002),
            batch_size=256,
            dropout=Dropout(0.5, 0.2),
            label_smoothing=0.1,
            averaging=0.99,
            distortion=Distortion(),
        ),
        layer_sizes=(784, 512, 10),
        training_seconds=61.0,
        history=(history,) * members,
        validation_accuracy=0.95,
        validation_images=5000,
        test=TestSetResult(
            accuracy=0.988,
            errors=120,
            images=10_000,
            members=(0.987, 0.986)[:members],
            confusion=tuple(map(tuple, np.eye(10, dtype=int).tolist())),
            hardest=(hard,),
        ),
        published=(Published(BOARD, "linear", "A 1998", 12.0), Published(BOARD, "ladder", "B 2015", 0.57)),
        goal=Goal(0.987, 5.0),
        verdict=Outcome.PASS,
        runs=tuple(
            SeedRun(seed, 0.988 + 0.001 * seed, (0.987, 0.986)[:members], 20.0, 61.0) for seed in range(seeds)
        ),
    )
    return RecordResult(
        boards={BOARD: board},
        seed=0,
        minutes=1.0,
        epochs=None,
        frameworks_loaded=(),
        verdict=Outcome.PASS,
        seconds=62.0,
        command="backproof record --minutes 1",
    )
