"""What other checkers in everyday use say of the same class, each at its defaults and asked once.

    gradcheck       torch: central differences of step 1e-6 under |a - n| <= 1e-5 + 1e-3 |n|
    gradgradcheck   torch: differentiates a backward pass again, which classes that return numbers have not
    check_grads     JAX: a numerical directional derivative, reverse mode
    check_grad      SciPy: the 2-norm of the gradient minus forward differences; read as right below 1e-5
    autograd        HIPS autograd's check_grads, reverse mode
    numdifftools    the gradient against extrapolated differences, entry for entry within 1e-6
    accuracy        trained on the 8x8 digits, is its accuracy on the test set above 95%?
    contract        the project's own contract tests: bounds, exact steps, whose arrays are whose

Those of gradients see a gradient at a point and nothing else: no state, no training, no data. They are given
eight networks of ordinary size, as a user would try them. A class whose form is not ours is handed over in
its own form (`check.forms.candidate`), for the networks it has.
"""

import importlib.util
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from backproof.comparisons.check.battery.grid import generic_problems
from backproof.comparisons.check.exploration import explore
from backproof.comparisons.check.forms.form import SPACE, WORDS
from backproof.comparisons.check.forms.space import Space
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.comparisons.data.dataset import Dataset, load
from backproof.comparisons.running import processes
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.result import Said
from backproof.reference import function_checkers
from backproof.scratch.architecture import Architecture, Array, OptimizerSpec, Weights
from backproof.scratch.parameters import Parameters
from backproof.scratch.problem import Problem

THRESHOLD = 0.95
N_NETWORKS = 8
EPOCHS, BATCH_SIZE = 15, 32
DIGITS = Architecture((64, 32, 10))
OPTIMIZER = OptimizerSpec("sgd", 0.05, momentum=0.9)
CONTRACT = Path("tests", "reference", "test_contract.py")
CONTRACT_SECONDS = 300.0

NOT_INSTALLED = Said(None, "not installed")
NO_SECOND_BACKWARD = Said(None, "does not apply: the class returns numbers, no graph to differentiate again")
OTHER_FORM = "not asked: it has another form than the contract's"
TOO_SLOW = "not asked of correct classes: some are loops"
# What a class of the zoo may raise when it is used as a contender of ours.
REFUSALS = (
    ArithmeticError,
    AttributeError,
    LookupError,
    NotImplementedError,
    RuntimeError,
    TypeError,
    ValueError,
    Misbehaviour,
)


class Evaluated(Protocol):
    """What the rivals need of a contender."""

    def load(self, architecture: Architecture, weights: Weights) -> None: ...

    def logits(self, x: Array) -> Array: ...

    def loss_and_gradient(self, x: Array, targets: Array) -> tuple[float, Weights]: ...

    def train(self, x: Array, targets: Array, batches: Sequence[Array], optimizer: OptimizerSpec) -> Any: ...


_CHECKERS = ("gradcheck", "check_grads", "check_grad", "autograd", "numdifftools")


def ask_all(target: Target, seed: int, *, train: bool) -> Mapping[str, Said]:
    """What each says of the class, by its key. It is executed here; `train` for the accuracy too."""
    said: dict[str, Said] = {"gradgradcheck": NO_SECOND_BACKWARD}
    with _as_contender(target, seed) as (make, problems, ours):
        said |= {name: _checker(name, make, problems) for name in _CHECKERS}
        said["accuracy"] = _accuracy(make, problems, seed) if train else Said(None, TOO_SLOW)
    said["contract"] = _contract(target) if ours else Said(None, OTHER_FORM)
    return {rival.key: said[rival.key] for rival in RIVALS}


# -- the class as a contender of ours


Usable = tuple[Callable[[], Evaluated], Sequence[Problem], bool]  # makes one, its networks, is it ours?


@contextmanager
def _as_contender(target: Target, seed: int) -> Iterator[Usable]:
    """The class itself where it takes our networks, else what exploring it finds it to be."""
    kind, problems = load_class(target), generic(seed)
    if not _declares(kind) and all(_answers(kind, problem) for problem in problems):
        yield kind, problems, True
        return
    subject = Subject(target, sandbox_mode="none")
    try:
        explored = explore(subject, {}, False, seed)
        few = generic_problems(seed, explored.space)[:N_NETWORKS] if explored.space.kinds else []
        yield lambda: explored.candidate, few, False
    finally:
        subject.close()


def generic(seed: int) -> list[Problem]:
    """Random networks of ordinary size, each activation and each loss twice: what a user would try."""
    return generic_problems(seed, Space.full())[::2][:N_NETWORKS]


def _declares(kind: type) -> bool:
    """Does it say that its form is another one?"""
    return any(hasattr(kind, name) for name in ("supports", *SPACE, *WORDS))


def _answers(kind: type, problem: Problem) -> bool:
    try:
        _Network(kind(), problem).evaluate(flat_gradient(problem.weights))
    except REFUSALS:
        return False
    return True


class _Network:
    """The class's loss and gradient as functions of one vector."""

    def __init__(self, contender: Evaluated, problem: Problem) -> None:
        self.contender, self.problem = contender, problem
        self.theta = flat_gradient(problem.weights)

    def evaluate(self, theta: Array) -> tuple[float, Array]:
        weights = Parameters(self.problem.architecture, theta.copy()).weights()
        self.contender.load(self.problem.architecture, weights)
        loss, gradient = self.contender.loss_and_gradient(self.problem.x.copy(), self.problem.targets.copy())
        return float(loss), flat_gradient(gradient)

    def loss(self, theta: Array) -> float:
        return self.evaluate(theta)[0]


# -- the rivals


def _checker(name: str, make: Callable[[], Evaluated], problems: Sequence[Problem]) -> Said:
    """Whether it finds nothing on any of the networks."""
    if name not in function_checkers.installed():
        return NOT_INSTALLED
    if not problems:
        return Said(None, "not asked: no network could be tried")
    return Said(all(_accepts(name, _Network(make(), problem)) for problem in problems))


def _accepts(name: str, network: _Network) -> bool:
    try:
        gradient = network.evaluate(network.theta)[1]
        return function_checkers.accepts(name, network.loss, gradient, network.theta)
    except REFUSALS:
        return False


def _accuracy(make: Callable[[], Evaluated], problems: Sequence[Problem], seed: int) -> Said:
    """Share of the test digits that the class gets right after its own training; 0 where it ran away."""
    kinds = [problem.architecture for problem in problems]
    usable = [kind for kind in kinds if kind.loss == "cross_entropy" and len(kind.layer_sizes) == 3]
    if not usable:
        return Said(None, "not asked: no cross-entropy with one hidden layer")
    activations = [kind.activation for kind in usable]
    activation = DIGITS.activation if DIGITS.activation in activations else activations[0]
    try:
        share = accuracy_on_digits(make(), Architecture(DIGITS.layer_sizes, activation), seed)
    except REFUSALS as error:
        return Said(None, f"not asked: its training raises {type(error).__name__}")
    return Said(share > THRESHOLD, f"{share:.1%}".replace("%", " %"))


def accuracy_on_digits(contender: Evaluated, architecture: Architecture, seed: int) -> float:
    """The share, of one training of EPOCHS epochs."""
    data, rng = _digits(), np.random.default_rng(seed)
    contender.load(architecture, _start(contender, architecture, rng, seed))
    x, labels = data.train_images.astype(np.float64), data.train_labels
    with np.errstate(all="ignore"):
        for epoch in range(EPOCHS):
            contender.train(x, labels, _batches(contender, len(x), seed + epoch), OPTIMIZER)
        logits = contender.logits(data.test_images.astype(np.float64))
    return float((np.nan_to_num(logits, nan=-np.inf).argmax(axis=1) == data.test_labels).mean())


@lru_cache(maxsize=1)
def _digits() -> Dataset:
    return load("digits")


def _start(contender: Any, architecture: Architecture, rng: np.random.Generator, seed: int) -> Weights:
    if hasattr(contender, "initialize"):
        weights: Weights = contender.initialize(architecture, seed)
        return weights
    return [
        (rng.standard_normal(shape) * np.sqrt(2 / shape[0]), np.zeros(shape[1]))
        for shape in architecture.layer_shapes
    ]


def _batches(contender: Any, n_examples: int, seed: int) -> Sequence[Array]:
    if hasattr(contender, "epoch_batches"):
        batches: Sequence[Array] = contender.epoch_batches(n_examples, BATCH_SIZE, seed)
        return batches
    order = np.random.default_rng(seed).permutation(n_examples)
    return [order[start : start + BATCH_SIZE] for start in range(0, n_examples, BATCH_SIZE)]


def _contract(target: Target) -> Said:
    """The contract tests in a pytest of their own. They are in no wheel: it takes a clone to run them."""
    if not CONTRACT.is_file() or importlib.util.find_spec("pytest") is None:
        return Said(None, "not installed: it takes a clone of the project, as the current folder")
    command = processes.python("-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", str(CONTRACT))
    try:
        found = subprocess.run(
            [*command, "--contender", _place(target)],
            capture_output=True, timeout=CONTRACT_SECONDS, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        return Said(False, "did not end")
    return Said(found.returncode == 0)


def _place(target: Target) -> str:
    return f"{Path(target.place).resolve() if target.is_file else target.place}:{target.name}"
