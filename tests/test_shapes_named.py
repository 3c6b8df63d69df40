"""Every array in a public signature of scratch, the contender's protocol and the verdicts names its axes."""

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
FOLDERS = ("scratch", "comparisons/verdicts")
FILES = [
    *(path for folder in FOLDERS for path in sorted((ROOT / folder).glob("*.py"))),
    ROOT / "reference" / "contender.py",
]
BARE = ("Array", "NDArray")
ANY_SHAPE = {
    "activation_bounds.undecided_signs": "elementwise",
    "activations.sigmoid": "elementwise",
    "changes.activation_change": "elementwise, z broadcasting against s",
    "changes.largest": "over all entries",
    "changes.multiplied": "any two that broadcast",
    "changes.shaped": "the shape is an argument",
    "differences.step_sizes": "elementwise",
    "forward_bounds.stored": "elementwise",
    "function_noise.grid": "over all values, whatever they are of",
    "gradient_laws.Seen.along": "an array in the tensor's shape",
    "gradient_laws.factors": "an array in the tensor's shape",
    "loss_bounds.sigmoid_rounding": "elementwise",
    "parameter_tree.as_numpy": "any array that a user has",
    "parameter_tree.like": "the shape is the model's",
    "relu_kinks.flat_gradient": "a contender's own, which may have the wrong shapes",
    "rounding.Arithmetic.flushed": "elementwise",
    "rounding.Arithmetic.gamma": "elementwise",
    "rounding.Arithmetic.given": "elementwise",
    "rounding.Arithmetic.tanh_error": "elementwise",
    "rounding.Bounded.exact": "numbers of any shape",
    "rounding.Bounded.magnitude": "elementwise",
    "rounding.Spread.std": "elementwise",
    "rounding.Spread.total": "elementwise",
    "rounding.binade": "elementwise",
    "rounding.lowest_bit": "elementwise",
    "rounding.numbers": "elementwise",
    "shadow.sech_squared": "elementwise",
    "verdict.compare": "entry by entry in C order, whatever the shape; the bound is broadcast to it",
    "errors.expect_range": "indices of any shape",
    "errors.expect_shape": "asks whether it has a shape",
    "losses.softplus": "elementwise",
    "network.product": "stacks of matrices too",
    "series.horner": "elementwise",
}


def names_a_bare_array(annotation: ast.expr | None) -> bool:
    """Whether Array or NDArray stands in a type outside Annotated[...], as a name or in quotes."""
    if isinstance(annotation, ast.Subscript) and ast.unparse(annotation.value) == "Annotated":
        return False
    if isinstance(annotation, ast.Constant) and isinstance(annotation.value, str):
        return names_a_bare_array(ast.parse(annotation.value, mode="eval").body)
    if isinstance(annotation, ast.Name):
        return annotation.id in BARE
    inside = ast.iter_child_nodes(annotation) if annotation is not None else ()
    return any(isinstance(part, ast.expr) and names_a_bare_array(part) for part in inside)


def functions(body: list[ast.stmt], before: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """Public functions and methods with their names."""
    for node in body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield from functions(node.body, f"{before}.{node.name}")
        if isinstance(node, ast.FunctionDef) and (not node.name.startswith("_") or node.name == "__call__"):
            yield f"{before}.{node.name}", node


def without_shapes(source: str, module: str) -> set[str]:
    """The public functions with an array, taken or returned, whose axes are not named."""
    found = set()
    for name, node in functions(ast.parse(source).body, module):
        arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
        if any(map(names_a_bare_array, [*(one.annotation for one in arguments), node.returns])):
            found.add(name)
    return found


def test_the_reader_sees_bare_arrays_and_passes_over_named_axes() -> None:
    source = """
def bare(x: "NDArray[Any]") -> None: ...
def nested() -> list[tuple[Array, int]]: ...
def named(x: Annotated[Array, "examples"], y: Logits) -> Annotated[Array, ""]: ...
def _private(x: Array) -> None: ...
class A:
    def method(self, *, x: Array | None = None) -> None: ...
"""
    assert without_shapes(source, "m") == {"m.bare", "m.nested", "m.A.method"}


def test_every_public_array_has_its_axes_named_but_for_those_of_any_shape() -> None:
    found = set().union(*(without_shapes(path.read_text(encoding="utf-8"), path.stem) for path in FILES))
    assert found == set(ANY_SHAPE)
