"""Every contender that the program knows, and everything that it knows of each: this is the only place.

Whoever stands here takes part in every question: `backproof --contender NAME` compares its gradients and its
accuracy and times it, the report draws it in its colour, and the environment names its version.

To add one, write a class that satisfies `reference.contender.Contender`, add its facts to `_ALL`, and run
`pytest tests/reference/test_contract.py --contender NAME`. Nothing is imported here but the standard library.
"""

import importlib.util
from dataclasses import dataclass


@dataclass(frozen=True)
class IdiomaticForm:
    """What the users of a framework write: its own loop over its own batches, or its own compiler."""

    name: str  # as the report calls it: ``torch compile``
    target: str  # "package.module:Name", a class or a function that makes the contender
    says: str  # in one line, what it runs
    recipe: str = ""  # "package.module:Name" of what follows a whole recipe in this form; empty: nothing


@dataclass(frozen=True)
class Appearance:
    """How it is drawn: a colour on light and on dark paper, each with a contrast of at least 4.5 to it."""

    light: str
    dark: str
    marker: str
    dash: str


@dataclass(frozen=True)
class KnownContender:
    """One contender, or rather what there is to know of it before its framework is imported."""

    name: str
    label: str  # in prose
    target: str  # "package.module:Class"
    says: str  # in one line, what it runs
    package: str  # that it imports
    distribution: str  # what pip calls that package
    appearance: Appearance
    idiomatic: tuple[IdiomaticForm, ...] = ()
    distributions_below: tuple[str, ...] = ()  # whose versions matter as well
    backpropagates: bool = False  # known to compute a layer's dW and db from one delta
    recipe: str = ""  # "package.module:Class" of what follows a whole recipe; empty: it takes none
    functions: str = "any"  # whose exp, log and tanh it calls: a key of verdicts.rounding.FUNCTIONS
    unheld: str = ""  # why it cannot be held to the kernels of an older processor; empty: it can

    @property
    def module(self) -> str:
        """The module that its class is in."""
        return self.target.partition(":")[0]

    @property
    def installed(self) -> bool:
        """Whether its package can be found; it is not imported."""
        return importlib.util.find_spec(self.package) is not None

    @property
    def how_to_install(self) -> str:
        """The command line that installs what it needs."""
        return f"python -m pip install {self.distribution}"


_ALL = (
    KnownContender(
        name="scratch",
        label="scratch",
        target="backproof.comparisons.contenders.scratch_mlp:ScratchMLP",
        says="this project's network, in NumPy",
        package="numpy",
        distribution="numpy",
        appearance=Appearance("#0b63ce", "#6cb0ff", "circle", "solid"),
        distributions_below=("scipy",),
        backpropagates=True,
        recipe="backproof.comparisons.race.scratch_recipe:ScratchRecipe",
        functions="numpy",
    ),
    KnownContender(
        name="torch",
        label="PyTorch",
        target="backproof.reference.torch_mlp:TorchMLP",
        says="eager, torch.optim as it comes",
        package="torch",
        distribution="torch",
        appearance=Appearance("#c2480a", "#ff9a5c", "diamond", "dash"),
        idiomatic=(
            IdiomaticForm(
                "torch DataLoader",
                "backproof.reference.torch_idiomatic:with_data_loader",
                "DataLoader, TensorDataset",
            ),
            IdiomaticForm(
                "torch fused",
                "backproof.reference.torch_idiomatic:with_fused_optimizer",
                "torch.optim with fused=True",
                "backproof.reference.torch_recipe:with_fused_optimizer",
            ),
            IdiomaticForm(
                "torch compile",
                "backproof.reference.torch_idiomatic:with_compile",
                "torch.compile and a fused optimiser",
                "backproof.reference.torch_recipe:with_compile",
            ),
        ),
        backpropagates=True,
        recipe="backproof.reference.torch_recipe:TorchRecipe",
        functions="torch",
    ),
    KnownContender(
        name="jax",
        label="JAX",
        target="backproof.reference.jax_mlp:JaxMLP",
        says="one jitted step per batch",
        package="jax",
        distribution="jax",
        appearance=Appearance("#0b7d63", "#3fd0ab", "square", "dot"),
        idiomatic=(
            IdiomaticForm(
                "jax scan", "backproof.reference.jax_idiomatic:JaxScan", "lax.scan over many steps"
            ),
        ),
        distributions_below=("jaxlib",),
        # Measured: told to keep to AVX2, its products of 512 x 512 take as long as before, those of NumPy 1.6
        # and of torch 1.8 times as long.
        unheld="its matrix products choose their kernels when they run, and nothing holds them to AVX2",
        recipe="backproof.reference.jax_recipe:JaxRecipe",
    ),
    KnownContender(
        name="tensorflow",
        label="TensorFlow",
        target="backproof.reference.tensorflow_mlp:TensorFlowMLP",
        says="one tf.function step per batch",
        package="tensorflow",
        distribution="tensorflow",
        appearance=Appearance("#a03a8c", "#ee8fd8", "triangle-up", "dashdot"),
        idiomatic=(
            IdiomaticForm(
                "tensorflow xla",
                "backproof.reference.tensorflow_mlp:with_xla",
                "tf.function(jit_compile=True)",
            ),
            IdiomaticForm(
                "tensorflow keras", "backproof.reference.keras_fit:KerasFit", "model.fit, own batches"
            ),
        ),
    ),
    KnownContender(
        name="sklearn",
        label="scikit-learn",
        target="backproof.reference.sklearn_mlp:SklearnMLP",
        says="one partial_fit per batch",
        package="sklearn",
        distribution="scikit-learn",
        appearance=Appearance("#7a6200", "#dcc04a", "x", "longdash"),
        idiomatic=(
            IdiomaticForm(
                "sklearn fit", "backproof.reference.sklearn_fit:SklearnFit", "MLPClassifier.fit, own batches"
            ),
        ),
    ),
)

KNOWN: dict[str, KnownContender] = {contender.name: contender for contender in _ALL}
SCRATCH = "scratch"


def names() -> tuple[str, ...]:
    """All of them, scratch first."""
    return tuple(KNOWN)


def family(name: str) -> KnownContender | None:
    """The contender that a form of it belongs to: torch for ``torch compile``; None for a stranger's."""
    for separator in (" ", "_", ".", "-", ":"):
        name = name.partition(separator)[0]
    return KNOWN.get(name)


def distributions() -> tuple[str, ...]:
    """What pip calls the packages of all contenders, in their order."""
    found = [(known.distribution, *known.distributions_below) for known in KNOWN.values()]
    return tuple(dict.fromkeys(name for group in found for name in group))
