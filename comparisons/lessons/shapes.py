"""Shapes: five examples of three features through layers of four, four and two neurons.

    (5, 3) @ (3, 4) @ (4, 4) @ (4, 2) = (5, 2),     O_ij = sum_k I_ik w_kj

Inner sizes must agree. All entries here are small integers, so that every sum is exact and `==` is fair.
"""

from itertools import pairwise

import numpy as np

from backproof.comparisons.lessons.frame import (
    Claim,
    Correction,
    Figure,
    LessonResult,
    Setting,
    Table,
    equal,
    number,
)
from backproof.comparisons.lessons.pictures import SIGNED, images
from backproof.scratch.architecture import Architecture, Array
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters

SIZES = (3, 4, 4, 2)
PRINTED = ((4, 4), (5, 4), (5, 2))  # the weights as the text prints them


def entry(inputs: Array, weight: Array, i: int, j: int) -> float:
    """O_ij = I_i0 w_0j + I_i1 w_1j + ...: one sum, written out."""
    total = 0.0
    for k in range(inputs.shape[1]):
        total += inputs[i, k] * weight[k, j]
    return total


def layer_outputs(inputs: Array, weights: list[Array]) -> list[Array]:
    """Every layer's output of the network without activations and biases, the input first."""
    architecture = Architecture(SIZES, activation="identity", loss="mse")
    layers = [(weight, np.zeros(weight.shape[1])) for weight in weights]
    return Network(architecture, Parameters.from_weights(architecture, layers)).forward(inputs)


def conformable(shapes: tuple[tuple[int, int], ...]) -> bool:
    """Whether NumPy multiplies matrices of these shapes, from left to right."""
    product = np.ones(shapes[0])
    try:
        for shape in shapes[1:]:
            product = product @ np.ones(shape)
    except ValueError:
        return False
    return True


def run(setting: Setting) -> LessonResult:
    rng = np.random.default_rng(setting.seed)
    inputs = rng.integers(-3, 4, (5, 3)).astype(float)
    weights = [rng.integers(-3, 4, shape).astype(float) for shape in pairwise(SIZES)]
    outputs = layer_outputs(inputs, weights)
    product = inputs @ weights[0] @ weights[1] @ weights[2]
    first = outputs[1]
    by_sums = np.array([[entry(inputs, weights[0], i, j) for j in range(4)] for i in range(5)])
    claims = (
        equal("shape", str(outputs[-1].shape), str((5, 2))),
        equal("o00", first[0, 0], entry(inputs, weights[0], 0, 0)),
        equal("o32", first[3, 2], entry(inputs, weights[0], 3, 2)),
        equal("all_sums", int((by_sums == first).sum()), first.size),
        equal("product", int((outputs[-1] == product).sum()), product.size),
    )
    right = tuple(weight.shape for weight in weights)
    printed = ", ".join(f"{a}×{b}" for a, b in PRINTED)
    corrections = (
        Correction(
            "conformable",
            Claim("as_printed", conformable(((5, 3), *PRINTED)), "(5, 2)", f"ValueError: {printed}"),
            Claim("as_said", conformable(((5, 3), *right)), "(5, 2)", str(product.shape)),
        ),
        _repeated_column(weights[1]),
    )
    values = {
        "o00": number(first[0, 0]), "o32": number(first[3, 2]), "sum00": _written(inputs, weights[0], 0, 0),
        "sum32": _written(inputs, weights[0], 3, 2),
    }  # fmt: skip
    return LessonResult(claims, (_matrices(inputs, weights, outputs),), (entry, layer_outputs), corrections,
                   (_shape_table(outputs, weights),), values)  # fmt: skip


def _repeated_column(weight: Array) -> Correction:
    """The text names columns 2 and 3 both w_02, w_12, ...: then the matrix has at most rank 3 of 4."""
    generic = weight + np.diag([10.0, 11.0, 12.0, 13.0])
    repeated = generic.copy()
    repeated[:, 3] = repeated[:, 2]
    ranks = [int(np.linalg.matrix_rank(matrix)) for matrix in (repeated, generic)]
    return Correction("column", equal("repeated", ranks[0], 4), equal("distinct", ranks[1], 4))


def _written(inputs: Array, weight: Array, i: int, j: int) -> str:
    return " + ".join(f"({number(a)})({number(b)})" for a, b in zip(inputs[i], weight[:, j], strict=True))


def _shape_table(outputs: list[Array], weights: list[Array]) -> Table:
    rows = [
        [f"{k + 1}", str(a.shape), str(w.shape), str(b.shape)]
        for k, (a, w, b) in enumerate(zip(outputs, weights, outputs[1:], strict=False))
    ]
    return Table("shapes", ("@layer", "@input", "@weight", "@output"), rows)


def _matrices(inputs: Array, weights: list[Array], outputs: list[Array]) -> Figure:
    maps = [inputs, weights[0], outputs[1], weights[1], weights[2], outputs[-1]]
    titles = ["I (5×3)", "W₁ (3×4)", "I W₁ (5×4)", "W₂ (4×4)", "W₃ (4×2)", "O (5×2)"]
    traces, layout = images(maps, titles, 3, SIGNED)
    for trace, matrix in zip(traces, maps, strict=True):
        limit = max(1.0, float(np.abs(matrix).max()))
        trace |= {"zmin": -limit, "zmax": limit, "xgap": 1, "ygap": 1, "texttemplate": "%{z}"}
    return Figure("matrices", traces, layout)
