"""What `backproof record` trains: a recipe per board, and the published results it stands beside.

Two boards, kept apart because they are different problems:

    permutation-invariant   nothing may know that pixels have neighbours: any fixed shuffling of the pixels
                            would give the same result
    distortion              training images may be distorted, which uses the plane they lie in
"""

from dataclasses import dataclass

from comparisons.distortion import Distortion
from scratch.architecture import OptimizerSpec
from scratch.regularization import Dropout

BOARDS = ("permutation-invariant", "distortion")


@dataclass(frozen=True)
class Recipe:
    """One way to train: `members` networks of 784, *hidden, 10 units, whose softmax outputs are averaged."""

    board: str
    hidden: tuple[int, ...]
    optimizer: OptimizerSpec
    batch_size: int
    dropout: Dropout | None = None
    label_smoothing: float = 0.0
    warm_up: float = 0.2  # share of the one-cycle schedule
    averaging: float = 0.0  # decay per step of the moving average of the weights; 0: none
    distortion: Distortion | None = None
    members: int = 2


RECIPES: dict[str, Recipe] = {
    "permutation-invariant": Recipe(
        board="permutation-invariant",
        hidden=(1024, 1024),
        optimizer=OptimizerSpec("adam", learning_rate=0.001),
        batch_size=256,
        dropout=Dropout(hidden=0.5, inputs=0.2),
    ),
    "distortion": Recipe(
        board="distortion",
        hidden=(1024, 512),
        optimizer=OptimizerSpec("adam", learning_rate=0.001),
        batch_size=256,
        distortion=Distortion(),
    ),
}


CANDIDATES: dict[str, dict[str, Recipe]] = {board: {"chosen": RECIPES[board]} for board in BOARDS}


@dataclass(frozen=True)
class Goal:
    """What a run of at least `minutes` on two cores is expected to reach."""

    accuracy: float
    minutes: float


GOALS = {"permutation-invariant": Goal(0.987, 5.0), "distortion": Goal(0.992, 5.0)}


@dataclass(frozen=True)
class Published:
    """A published fully connected network on MNIST: test error in percent."""

    board: str
    what: str
    source: str
    error_percent: float


PUBLISHED = (
    Published("permutation-invariant", "linear classifier", "LeCun et al. 1998", 12.0),
    Published("permutation-invariant", "300 hidden units, mean squared error", "LeCun et al. 1998", 4.7),
    Published("permutation-invariant", "500+150 hidden units", "LeCun et al. 1998", 2.95),
    Published("permutation-invariant", "three layers, from scratch in NumPy", "Nielsen 2015", 1.9),
    Published("permutation-invariant", "800 hidden units, cross-entropy", "Simard et al. 2003", 1.6),
    Published("permutation-invariant", "dropout with max-norm", "Srivastava et al. 2014", 1.06),
    Published("permutation-invariant", "maxout with dropout", "Goodfellow et al. 2013", 0.94),
    Published("permutation-invariant", "ladder network", "Rasmus et al. 2015", 0.57),
    Published("distortion", "800 hidden units, affine", "Simard et al. 2003", 1.1),
    Published("distortion", "800 hidden units, elastic", "Simard et al. 2003", 0.7),
    Published("distortion", "2500-2000-1500-1000-500, on a GPU", "Ciresan et al. 2010", 0.35),
)
