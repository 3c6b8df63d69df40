"""Checks of one evaluation: logits, loss and gradient at given weights."""

from dataclasses import replace

import numpy as np

from backproof.comparisons.check.battery.cases import CALM, problems
from backproof.comparisons.check.battery.check import check
from backproof.comparisons.check.battery.findings import (
    Mismatch,
    compare_scalar,
    only_refused,
    require,
    require_a_loss,
    require_gradient,
    require_logits,
    require_loss,
    require_same_bits,
)
from backproof.comparisons.check.battery.grid import (
    float32_problems,
    generic_problems,
    not_binary,
    some,
    some_float32,
)
from backproof.comparisons.check.battery.own_answers import ask_afresh, require_same_answers
from backproof.comparisons.check.forms.candidate import Candidate
from backproof.comparisons.check.subject.messages import LAYOUTS
from backproof.comparisons.verdicts.relu_kinks import flat_gradient
from backproof.comparisons.verdicts.rounding import Arithmetic, Bounded
from backproof.comparisons.verdicts.verdict import compare
from backproof.scratch.architecture import LOSSES
from backproof.scratch.problem import Problem

LONG_BATCH = 20_000
NOT_BINARY = tuple(loss for loss in LOSSES if loss != "binary_cross_entropy")


@check("Do weights survive load, bit for bit?", "load weights", problems, some, 0.3)
def weights(candidate: Candidate, problem: Problem) -> None:
    candidate.load(problem.architecture, problem.weights)
    require_same_bits("weights after load", candidate.weights(), problem.weights)


@check("Are the logits right?", "load logits", problems, generic_problems, follows=("weights",))
def logits(candidate: Candidate, problem: Problem) -> None:
    candidate.load(problem.architecture, problem.weights)
    require_logits(candidate.expected(problem), candidate.logits(problem.x))


@check(
    "Is the loss right, saturated or not?",
    "load loss_and_gradient",
    problems,
    generic_problems,
    follows=("weights", "logits"),
)
def loss(candidate: Candidate, problem: Problem) -> None:
    candidate.load(problem.architecture, problem.weights)
    found = candidate.loss_and_gradient(problem.x, problem.targets)[0]
    require_a_loss(candidate)
    require_loss(candidate.expected(problem), found)


@check(
    "Is every entry of the gradient right?",
    "load loss_and_gradient",
    problems,
    generic_problems,
    2.0,
    follows=("weights", "logits", "loss"),
)
def gradient(candidate: Candidate, problem: Problem) -> None:
    candidate.load(problem.architecture, problem.weights)
    found = candidate.loss_and_gradient(problem.x, problem.targets)[1]
    require_gradient(candidate.expected(problem), found)


@check(
    "Do a sample's logits depend on the others?",
    "load logits",
    problems,
    generic_problems,
    0.5,
    follows=("logits",),
)
def independence(candidate: Candidate, problem: Problem) -> None:
    """A sample's logits do not depend on which other samples are in the batch."""
    candidate.load(problem.architecture, problem.weights)
    together = candidate.logits(problem.x)
    bound = 2 * candidate.expected(problem).outputs.error + 1e-12 * np.abs(together).max()
    for row in range(problem.batch_size):
        alone = candidate.logits(problem.x[row : row + 1])[0]
        names = f"logits[{row}, {{}}] alone and in a batch of {problem.batch_size}".format
        require("logits", compare(alone, together[row], bound[row], names))


@check(
    "Does every example twice leave a mean as it is?",
    "load loss_and_gradient",
    problems,
    generic_problems,
    0.5,
    follows=("logits", "loss", "gradient"),
)
def duplication(candidate: Candidate, problem: Problem) -> None:
    """Every example twice, in reverse order: a mean and its gradient stay, a sum and its gradient double."""
    convention = candidate.conventions.of(problem)
    if convention.penalty:
        return  # the penalty does not double where the data's part does
    candidate.load(problem.architecture, problem.weights)
    once_loss, once = candidate.loss_and_gradient(problem.x, problem.targets)
    twice = problem.rows(np.arange(2 * problem.batch_size)[::-1] % problem.batch_size)
    twice_loss, found = candidate.loss_and_gradient(twice.x, twice.targets)
    power = convention.factor.examples + (problem.architecture.loss == "sum_of_squares")
    factor = 2.0**power
    first, second = candidate.expected(problem), candidate.expected(twice)
    if first.undecided:
        return  # the two calls may pick different sides of a kink
    if not np.isnan(once_loss):
        spread = factor * first.loss.error + second.loss.error
        expected = Bounded(np.array(factor * once_loss), spread)
        require("loss of the batch twice", compare_scalar(twice_loss, expected, "loss"))
    bound = factor * first.gradient.error + second.gradient.error
    name = problem.architecture.parameter_name
    verdict = compare(flat_gradient(found), factor * flat_gradient(once), bound, name, first.tensors)
    require("gradient of the batch twice", verdict)


@check(
    "Do logits in the thousands overflow?",
    "load loss_and_gradient",
    lambda space: problems(space, families=CALM),
    some,
    0.5,
    follows=("logits", "loss", "gradient"),
)
def extremes(candidate: Candidate, problem: Problem) -> None:
    """Logits in the thousands: nothing overflows, loss and gradient are what they are."""
    last_weight, last_bias = problem.weights[-1]
    loud = np.array(1000, problem.architecture.dtype)
    problem = replace(problem, weights=[*problem.weights[:-1], (last_weight * loud, last_bias * loud)])
    candidate.load(problem.architecture, problem.weights)
    expected = candidate.expected(problem)
    found_loss, found_gradient = candidate.loss_and_gradient(problem.x, problem.targets)
    if not candidate.silent:
        require_loss(expected, found_loss)
    require_gradient(expected, found_gradient)


@check(
    "Do outputs in the millions keep small differences?",
    "load loss_and_gradient",
    lambda space: problems(space, families=CALM[1:], losses=NOT_BINARY),
    not_binary,
    0.3,
    follows=("logits", "loss", "gradient"),
)
def large_outputs(candidate: Candidate, problem: Problem) -> None:
    """Outputs in the millions, targets beside them: what counts is their difference, to its own accuracy.

    cross_entropy depends on differences of logits alone, mse and sum_of_squares on z - t. A sum of large
    terms that nearly cancel, such as z^2 - 2 z t + t^2, has lost the digits that are left here.
    """
    shift = np.array(1e6, problem.architecture.dtype)
    last_weight, last_bias = problem.weights[-1]
    if candidate.form.biases == "none" or candidate.form.output_activation != "identity":
        return  # no output can be shifted
    problem = replace(problem, weights=[*problem.weights[:-1], (last_weight, last_bias + shift)])
    if problem.architecture.loss != "cross_entropy":
        problem = replace(problem, targets=problem.targets + shift)
    candidate.load(problem.architecture, problem.weights)
    expected = candidate.expected(problem)
    found_loss, found_gradient = candidate.loss_and_gradient(problem.x, problem.targets)
    if not candidate.silent:
        require_loss(expected, found_loss)
    require_gradient(expected, found_gradient)


@check(
    "Are read-only, strided and transposed arrays understood?",
    "load",
    lambda space: problems(space, families=CALM[1:]),
    some,
    0.3,
)
def layouts(candidate: Candidate, problem: Problem) -> None:
    """Read-only arrays, strided ones and those in Fortran order are answered as any others are."""
    own = ask_afresh(candidate, problem)
    for layout in LAYOUTS:
        candidate.renew()
        candidate.lay_out(layout)
        candidate.load(problem.architecture, problem.weights)
        if candidate.offers("weights"):
            kept = candidate.weights()
            require_same_bits(f"weights after load of arrays ({layout})", kept, problem.weights)
        calls = candidate.calls
        logits = candidate.logits(problem.x) if own.logits is not None else None
        found = replace(own, logits=logits)
        if own.gradient is not None:
            loss, layers = candidate.loss_and_gradient(problem.x, problem.targets)
            found = replace(found, loss=loss, gradient=flat_gradient(layers))
        require_same_answers(candidate, found, own, f"of arrays ({layout})", calls)


@check(
    "Is float32 computed and returned as float32?",
    "load logits loss_and_gradient weights",
    lambda space: problems(space, "float32"),
    float32_problems,
    follows=("logits", "loss", "gradient"),
)
def float32(candidate: Candidate, problem: Problem) -> None:
    """float32 in, float32 out, inside the float32 bounds."""
    candidate.load(problem.architecture, problem.weights)
    expected = candidate.expected(problem)
    found_loss, found = candidate.loss_and_gradient(problem.x, problem.targets)
    found_logits = candidate.logits(problem.x)
    _require_dtype("logits", found_logits.dtype, problem)
    for pair in (*found, *candidate.weights()):
        for array in pair:
            _require_dtype("gradient and weights", array.dtype, problem)
    require_logits(expected, found_logits)
    if not candidate.silent:
        require_loss(expected, found_loss)
    require_gradient(expected, found)


@check(
    "Are integer weights and inputs taken for numbers?",
    "load",
    lambda space: problems(space, families=("integer",)),
    weight=0.3,
)
def integers(candidate: Candidate, problem: Problem) -> None:
    """Integer weights and inputs are answered as the same numbers in floating point are."""
    own = ask_afresh(candidate, problem)
    candidate.renew()
    whole = [(W.astype(np.int64), b.astype(np.int64)) for W, b in problem.weights]
    x = problem.x.astype(np.int64)
    with only_refused("integer weights"):
        candidate.load(problem.architecture, whole)
        calls = candidate.calls
        found = replace(own, logits=candidate.logits(x) if own.logits is not None else None)
        if own.gradient is not None:
            loss, layers = candidate.loss_and_gradient(x, problem.targets)
            found = replace(found, loss=loss, gradient=flat_gradient(layers))
    require_same_answers(candidate, found, own, "of integer arrays", calls)


@check(
    "Is a mean over 20,000 examples accurate in float32?",
    "load loss_and_gradient",
    lambda space: problems(space, "float32", ("normal",)),
    some_float32,
    0.2,
    follows=("logits", "loss", "float32"),
)
def long_sums(candidate: Candidate, problem: Problem) -> None:
    """A float32 mean over many examples, to the accuracy of pairwise summation.

    The batch is repeated to 20,000 rows, which leaves the mean as it is. Adding one term after another
    may lose n u; pairwise summation in blocks of 128 loses (128 / 8 + log2 n) u at most (Higham 1993), and
    float64 accumulation nothing.
    """
    convention = candidate.conventions.of(problem)
    if convention.penalty or candidate.form.samples == "single":
        return  # in the second case the mean is not its own
    repeats = LONG_BATCH // problem.batch_size
    long = problem.rows(np.tile(np.arange(problem.batch_size), repeats))
    candidate.load(problem.architecture, problem.weights)
    found = candidate.loss_and_gradient(long.x, long.targets)[0]
    require_a_loss(candidate)
    expected = candidate.expected(problem).loss
    one_each = problem.architecture.loss == "cross_entropy"
    count = long.batch_size * (1 if one_each else problem.architecture.n_outputs)
    unit = Arithmetic.of("float32")
    # The terms of cross-entropy and squares are >= 0; those of binary cross-entropy too: no cancellation.
    rounding = unit.gamma(16 + np.log2(count) + 2) * (expected.value + expected.error)
    power = convention.factor.examples + (problem.architecture.loss == "sum_of_squares")
    factor = float(repeats) ** power
    bounded = Bounded(factor * expected.value, factor * (expected.error + rounding))
    require(f"mean loss of {long.batch_size:,} rows", compare_scalar(found, bounded, "loss"))


def _require_dtype(what: str, found: np.dtype, problem: Problem) -> None:
    if found != problem.architecture.dtype:
        raise Mismatch(f"{what}: expected dtype {problem.architecture.dtype}, got {found}")
