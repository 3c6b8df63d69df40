"""Checks of one evaluation: logits, loss and gradient at given weights."""

from dataclasses import replace

import numpy as np

from backproof.comparisons.check.battery.cases import Case
from backproof.comparisons.check.battery.findings import (
    Mismatch,
    compare_scalar,
    reference_of,
    require,
    require_gradient,
    require_logits,
    require_loss,
    require_same_bits,
)
from backproof.comparisons.check.subject.messages import LAYOUTS
from backproof.comparisons.check.subject.subject import Subject
from backproof.comparisons.verdicts.relu_kinks import flat_gradient, tensors
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.verdict import compare

LONG_BATCH = 20_000


def weights_survive(subject: Subject, case: Case) -> None:
    subject.load(case.architecture, case.weights)
    require_same_bits("weights after load", subject.weights(), case.weights)


def logits(subject: Subject, case: Case) -> None:
    subject.load(case.architecture, case.weights)
    require_logits(reference_of(case), subject.logits(case.x))


def loss(subject: Subject, case: Case) -> None:
    subject.load(case.architecture, case.weights)
    require_loss(reference_of(case), subject.loss_and_gradient(case.x, case.targets)[0])


def gradient(subject: Subject, case: Case) -> None:
    subject.load(case.architecture, case.weights)
    require_gradient(reference_of(case), subject.loss_and_gradient(case.x, case.targets)[1])


def extremes(subject: Subject, case: Case) -> None:
    """Logits in the thousands: nothing overflows, loss and gradient are what they are."""
    loud = np.array(1000, case.architecture.dtype)
    weights = [*case.weights[:-1], (case.weights[-1][0] * loud, case.weights[-1][1] * loud)]
    case = case.with_weights(weights)
    subject.load(case.architecture, case.weights)
    reference = reference_of(case)
    found_loss, found_gradient = subject.loss_and_gradient(case.x, case.targets)
    require_loss(reference, found_loss)
    require_gradient(reference, found_gradient)


def independence(subject: Subject, case: Case) -> None:
    """A sample's logits do not depend on which other samples are in the batch."""
    subject.load(case.architecture, case.weights)
    together = subject.logits(case.x)
    bound = 2 * reference_of(case).logits.error
    for row in range(case.batch_size):
        alone = subject.logits(case.x[row : row + 1])[0]
        names = f"logits[{row}, {{}}] alone and in a batch of {case.batch_size}".format
        require("logits", compare(alone, together[row], bound[row], names))


def duplication(subject: Subject, case: Case) -> None:
    """Every example twice, in reverse order: a mean and its gradient stay, a sum and its gradient double."""
    subject.load(case.architecture, case.weights)
    once_loss, once = subject.loss_and_gradient(case.x, case.targets)
    rows = np.arange(2 * case.batch_size)[::-1] % case.batch_size
    twice = case.rows(rows)
    twice_loss, found = subject.loss_and_gradient(twice.x, twice.targets)
    factor = 2.0 if case.architecture.loss == "sum_of_squares" else 1.0
    first, second = reference_of(case), reference_of(twice)
    if first.undecided:
        return  # the two calls may pick different sides of a kink
    spread = factor * first.loss.error + second.loss.error
    require(
        "loss of the batch twice",
        compare_scalar(twice_loss, Bounded(np.array(factor * once_loss), spread), "loss"),
    )
    require(
        "gradient of the batch twice",
        compare(
            flat_gradient(found),
            factor * flat_gradient(once),
            factor * first.gradient.error + second.gradient.error,
            case.architecture.parameter_name,
            tensors(case.architecture),
        ),
    )


def dtypes(subject: Subject, case: Case) -> None:
    """float32 in, float32 out, inside the float32 bounds."""
    subject.load(case.architecture, case.weights)
    reference = reference_of(case)
    found_loss, found = subject.loss_and_gradient(case.x, case.targets)
    found_logits = subject.logits(case.x)
    _require_dtype("logits", found_logits.dtype, case)
    for pair in (*found, *subject.weights()):
        for array in pair:
            _require_dtype("gradient and weights", array.dtype, case)
    require_logits(reference, found_logits)
    require_loss(reference, found_loss)
    require_gradient(reference, found)


def integers(subject: Subject, case: Case) -> None:
    """Integer weights and inputs mean the numbers that they are."""
    subject.load(case.architecture, [(W.astype(np.int64), b.astype(np.int64)) for W, b in case.weights])
    x = case.x.astype(np.int64)
    reference = reference_of(case)
    require_logits(reference, subject.logits(x), "logits of integer arrays")
    found_loss, found = subject.loss_and_gradient(x, case.targets)
    require_loss(reference, found_loss, "loss of integer arrays")
    require_gradient(reference, found, "gradient of integer arrays")


def long_sums(subject: Subject, case: Case) -> None:
    """A float32 mean over many examples, to the accuracy of pairwise summation.

    The batch is repeated to 20,000 rows, which leaves the mean as it is. Adding one term after another
    may lose n u; pairwise summation in blocks of 128 loses (128 / 8 + log2 n) u at most (Higham 1993), and
    float64 accumulation nothing.
    """
    repeats = LONG_BATCH // case.batch_size
    rows = np.tile(np.arange(case.batch_size), repeats)
    subject.load(case.architecture, case.weights)
    long = case.rows(rows)
    found = subject.loss_and_gradient(long.x, long.targets)[0]
    expected = reference_of(case).loss
    count = len(rows) * (1 if case.architecture.loss == "cross_entropy" else case.architecture.n_outputs)
    unit = Arithmetic.of("float32")
    # The terms of cross-entropy and squares are >= 0; those of binary cross-entropy too: no cancellation.
    rounding = unit.gamma(16 + np.log2(count) + 2) * (expected.value + expected.error)
    factor = repeats if case.architecture.loss == "sum_of_squares" else 1
    bounded = Bounded(factor * expected.value, factor * (expected.error + rounding))
    require(f"mean loss of {len(rows):,} rows", compare_scalar(found, bounded, "loss"))


def layouts(subject: Subject, case: Case) -> None:
    """Read-only arrays, strided ones and those in Fortran order (a transposed one is) are arrays too."""
    reference = reference_of(case)
    for layout in LAYOUTS:
        subject.renew()
        subject.layout = layout
        subject.load(case.architecture, case.weights)
        if subject.offers("weights"):
            require_same_bits(f"weights after load of arrays ({layout})", subject.weights(), case.weights)
        require_logits(reference, subject.logits(case.x), f"logits of arrays ({layout})")
        found_loss, found = subject.loss_and_gradient(case.x, case.targets)
        require_loss(reference, found_loss, f"loss of arrays ({layout})")
        require_gradient(reference, found, f"gradient of arrays ({layout})")


def large_outputs(subject: Subject, case: Case) -> None:
    """Outputs in the millions, targets beside them: what counts is their difference, to its own accuracy.

    cross_entropy depends on differences of logits alone, mse and sum_of_squares on z - t. A sum of large
    terms that nearly cancel, such as z^2 - 2 z t + t^2, has lost the digits that are left here.
    """
    shift = np.array(1e6, case.architecture.dtype)
    last_weight, last_bias = case.weights[-1]
    case = case.with_weights([*case.weights[:-1], (last_weight, last_bias + shift)])
    if case.architecture.loss != "cross_entropy":
        case = replace(case, targets=case.targets + shift)
    subject.load(case.architecture, case.weights)
    reference = reference_of(case)
    found_loss, found_gradient = subject.loss_and_gradient(case.x, case.targets)
    require_loss(reference, found_loss)
    require_gradient(reference, found_gradient)


def _require_dtype(what: str, found: np.dtype, case: Case) -> None:
    if found != case.architecture.dtype:
        raise Mismatch(f"{what}: expected dtype {case.architecture.dtype}, got {found}")
