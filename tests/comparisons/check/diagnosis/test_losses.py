"""Why a loss is wrong: what was planted is told, with the losses it is in; what is right is not."""

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.check.diagnosis.evidence import Observation, saturated
from backproof.comparisons.check.diagnosis.losses import LossFindings, _penalty, loss_findings
from backproof.comparisons.check.diagnosis.output_mistakes import output_mistakes
from backproof.comparisons.check.results import Cause
from backproof.scratch.architecture import DtypeName, LossName
from tests.support.observations import Asked, observed

SHAPES = (((3, 4, 2), 5), ((3, 3), 4), ((2, 3, 3), 1), ((3, 4), 3), ((3, 4, 1), 4))
WITH_A_LOSS = [mistake for mistake in output_mistakes() if mistake.loss is not None]


def right_ones(*losses: LossName) -> list[Observation]:
    return [
        observed(Asked(sizes, "tanh", loss, n, seed=seed))
        for loss in losses
        for seed, (sizes, n) in enumerate(SHAPES)
        if loss != "cross_entropy" or sizes[-1] > 1
    ]


def telling(observations: list[Observation], loss: Callable[[Observation], float]) -> list[Observation]:
    return [replace(o, loss=loss(o)) for o in observations]


def told(observations: list[Observation], wrong: bool = True) -> LossFindings:
    return loss_findings(observations, wrong)


def only_cause(observations: list[Observation]) -> Cause:
    (found,) = told(observations).causes.values()
    return found


def squares(o: Observation, biases: bool = False) -> float:
    return sum(float((W**2).sum()) + biases * float((b**2).sum()) for W, b in o.problem.weights)


def test_of_right_losses_nothing_is_told() -> None:
    assert told(right_ones("mse", "cross_entropy", "binary_cross_entropy", "sum_of_squares")).causes == {}


@pytest.mark.parametrize("mistake", WITH_A_LOSS, ids=lambda mistake: mistake.sentence)
def test_a_mistake_that_is_in_the_loss_as_well_is_told_of_the_softmax(mistake: object) -> None:
    (planted,) = (one for one in WITH_A_LOSS if one is mistake)
    assert planted.loss is not None
    given = telling(right_ones("cross_entropy"), planted.loss)
    # In a batch of one it may do as it likes: what is over the batch is not seen there.
    given = [replace(o, loss=float(o.right.loss.value)) if o.n == 1 else o for o in given]
    found = told(given)
    (cause,) = found.causes.values()
    assert (cause.sentence, cause.certainty, cause.about) == (planted.sentence, "explains", "softmax")
    assert found.shared["cross_entropy"].sentence == planted.sentence


@pytest.mark.parametrize("sign", [1, -1])
def test_such_a_mistake_is_told_where_it_makes_every_loss_smaller_and_where_it_makes_every_one_larger(
    sign: int,
) -> None:
    (planted,) = (one for one in WITH_A_LOSS if one.sentence.startswith("exp(-z)"))
    assert planted.loss is not None
    many = [observed(Asked((3, 4, 3), loss="cross_entropy", n=4, seed=seed)) for seed in range(20)]
    one_sided = [o for o in telling(many, planted.loss) if sign * (o.loss - float(o.right.loss.value)) > 0.01]
    assert len(one_sided) > 3
    assert only_cause(one_sided).sentence == planted.sentence


def test_a_constant_beside_such_a_mistake_does_not_hide_it() -> None:
    (planted,) = (one for one in WITH_A_LOSS if one.sentence.startswith("exp(-z)"))
    assert planted.loss is not None
    off = [replace(o, loss=o.loss + 5e-5) for o in telling(right_ones("cross_entropy"), planted.loss)]
    assert only_cause(off).sentence == planted.sentence
    further = [replace(o, loss=o.loss - 1e-3) for o in off]
    assert only_cause(further).sentence != planted.sentence


@pytest.mark.parametrize(
    ("factor", "words"),
    [(lambda o: o.n, "N"), (lambda o: o.k, "K"), (lambda o: 0.5, "1 / 2"), (lambda o: 1 / o.n, "1 / N")],
)
def test_a_loss_by_a_law_that_its_gradient_does_not_follow(
    factor: Callable[[Observation], float], words: str
) -> None:
    cause = only_cause(telling(right_ones("mse"), lambda o: factor(o) * o.loss))
    assert cause.sentence == f"the loss is {words} times ours, and its gradient does not follow"
    assert (cause.certainty, cause.about) == ("explains", "loss mse")


@pytest.mark.parametrize("biases", [True, False])
@pytest.mark.parametrize("over_n", [True, False])
@pytest.mark.parametrize("rate", [0.3, -0.3])
def test_a_penalty_in_the_loss_alone_is_told_with_what_it_is_of(
    biases: bool, over_n: bool, rate: float
) -> None:
    penalised = telling(
        right_ones("mse"), lambda o: o.loss + rate / 2 * squares(o, biases) / (o.n if over_n else 1)
    )
    what, over = "all parameters" if biases else "W", "/N" if over_n else ""
    assert only_cause(penalised).sentence == (
        f"lambda/2 |{what}|^2 (lambda = {rate:g}{over}) is in the loss and missing from the gradient"
    )


@pytest.mark.parametrize(
    ("factor", "tail"), [(1.0, ""), (0.5, ", 1 / 2 times as large as a mean over the examples")]
)
def test_a_loss_that_counts_the_other_outputs(factor: float, tail: str) -> None:
    def loss(o: Observation) -> float:
        z = o.zs[-1]
        p = np.exp(z) / np.exp(z).sum(axis=1, keepdims=True)
        label = np.eye(o.k)[o.problem.targets]
        return factor * -float((label * np.log(p) + (1 - label) * np.log(1 - p)).sum()) / o.n

    sentence = only_cause(telling(right_ones("cross_entropy"), loss)).sentence
    assert sentence.endswith(f"a binary cross-entropy of the softmax's probabilities{tail}")


def test_a_loss_that_is_never_a_number_is_told_as_that_whether_or_not_its_check_failed() -> None:
    nan = telling(right_ones("mse"), lambda o: float("nan"))
    for wrong in (True, False):
        (cause,) = told(nan, wrong).causes.values()
        assert (cause.sentence, cause.certainty) == ("the loss is NaN in every case", "fits")


def test_a_loss_that_is_a_number_now_and_then_is_not_nan_in_every_case() -> None:
    ones = right_ones("mse")
    some = [*telling(ones[:1], lambda o: float("nan")), *ones[1:]]
    (cause,) = told(some, True).causes.values()
    assert "in every case" not in cause.sentence


def large(loss: LossName, size: float = 700.0) -> list[Observation]:
    """Right ones, and some of saturated logits."""
    ordinary = right_ones(loss)
    return [*ordinary, *(
        replace(o, problem=saturated(o.problem, size), family="saturated") for o in ordinary[:2]
    )]  # fmt: skip


@pytest.mark.parametrize(
    ("loss", "words"),
    [("cross_entropy", "shift the softmax by the largest logit"), ("mse", "an overflow"),
     ("binary_cross_entropy", "use the loss on logits")],
)  # fmt: skip
def test_a_loss_that_is_not_finite_is_told_with_its_logits_and_where(loss: LossName, words: str) -> None:
    endless = telling(large(loss), lambda o: np.inf if o.family == "saturated" else o.loss)
    cause = only_cause(endless)
    assert cause.sentence.startswith("the loss is not finite for logits of 700: ")
    assert words in cause.sentence
    assert cause.sentence.endswith(" (where logits are large)")
    assert cause.certainty == "fits"
    nowhere = telling(large(loss), lambda o: np.inf if o.n == 4 else o.loss)
    assert only_cause(nowhere).certainty == "describes"


def test_of_a_loss_that_overflows_the_overflow_is_told_where_there_is_nothing_else() -> None:
    overflow = Cause("overflow", "fits")
    endless = telling(large("mse"), lambda o: np.inf if o.family == "saturated" else o.loss)
    doubled = telling(endless, lambda o: 2 * o.loss)
    assert loss_findings(endless, True, {"mse": overflow}).causes["mse"].sentence == "overflow"
    assert "2 times ours" in loss_findings(doubled, True, {"mse": overflow}).causes["mse"].sentence
    assert loss_findings(doubled, False, {"mse": overflow}).causes["mse"].sentence == "overflow"


def test_nothing_is_told_of_a_loss_whose_check_held() -> None:
    assert told(telling(right_ones("mse"), lambda o: 2 * o.loss), wrong=False).causes == {}


def test_a_loss_too_small_for_large_logits_alone_is_clipped() -> None:
    def clipped(o: Observation) -> float:
        return o.loss - 0.7 * (o.family == "saturated")

    cause = only_cause(telling(large("cross_entropy"), clipped))
    assert cause.sentence.startswith("large logits are clipped or capped: the loss is too small there")
    assert cause.certainty == "fits"
    raised = only_cause(telling(large("cross_entropy"), lambda o: 2 * o.loss - clipped(o)))
    assert raised.sentence.startswith("the cross entropy loss is wrong")
    assert raised.certainty == "describes"


@pytest.mark.parametrize(("off", "constant"), [(-0.005, True), (-0.02, False), (0.005, False)])
@pytest.mark.parametrize("loss", ["cross_entropy", "binary_cross_entropy", "mse"])
def test_a_loss_that_is_a_little_too_small_may_have_a_constant_in_its_logarithm(
    off: float, constant: bool, loss: LossName
) -> None:
    rng = np.random.default_rng(0)
    cause = only_cause(telling(right_ones(loss), lambda o: o.loss * (1 + off * rng.uniform(0.9, 1.0))))
    said = "the loss is a little too small: a constant inside the logarithm, log(p + eps)?"
    assert (cause.sentence == said) == (constant and loss != "mse")
    assert cause.certainty == ("fits" if cause.sentence == said else "describes")


def test_a_loss_that_is_too_small_here_and_too_large_there_has_no_constant_in_its_logarithm() -> None:
    rng = np.random.default_rng(0)
    mixed = telling(right_ones("cross_entropy"), lambda o: o.loss * (1 + 0.005 * rng.choice([-1.0, 1.0])))
    assert only_cause(mixed).sentence.startswith("the cross entropy loss is wrong")


def test_a_loss_too_small_in_special_cases_alone_may_have_a_constant_in_its_logarithm() -> None:
    ordinary = right_ones("cross_entropy")
    special = [replace(o, family="kinks", loss=0.5 * o.loss) for o in ordinary[:2]]
    assert only_cause([*ordinary, *special]).sentence.startswith("the loss is a little too small")


def test_what_nothing_explains_is_told_with_where_it_is() -> None:
    rng = np.random.default_rng(0)
    odd = telling(right_ones("mse"), lambda o: o.loss + (o.n == 1) * rng.uniform(1, 2))
    assert only_cause(odd).sentence == "the mse loss is wrong (in a batch of one)"


def test_a_cause_that_some_losses_have_is_told_with_their_names() -> None:
    both = right_ones("mse", "sum_of_squares", "cross_entropy")
    found = told(telling(both, lambda o: o.loss * (1 if o.loss_name == "cross_entropy" else 2))).causes
    for loss in ("mse", "sum_of_squares"):
        assert found[loss].sentence.endswith("follow (with loss='mse' and loss='sum_of_squares')")
    everywhere = told(telling(both, lambda o: 2 * o.loss)).causes
    assert {cause.sentence for cause in everywhere.values()} == {
        "the loss is 2 times ours, and its gradient does not follow"
    }


@pytest.mark.parametrize(("dtype", "rate", "told_of"), [
    ("float64", 3e-10, True), ("float32", 5e-3, True), ("float32", 0.9e-5, False),
])  # fmt: skip
def test_the_least_penalty_that_is_read_is_that_of_the_precision(
    dtype: DtypeName, rate: float, told_of: bool
) -> None:
    given = [replace(o, problem=o.problem.astype(dtype)) for o in right_ones("mse")]
    sentence = _penalty(telling(given, lambda o: o.loss + rate / 2 * squares(o)))
    assert sentence.startswith("lambda/2 |W|^2") == told_of
