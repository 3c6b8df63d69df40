"""Batch algebra: right trainers pass, and each way in which accumulation goes wrong is named."""

import re
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
import torch

from backproof import InputError, Outcome, check_batches
from backproof.comparisons.verdicts.cause import EXPLAINS
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from tests.support import trainers
from tests.support.trainers import MODELS, Batch, Forgetful, Gradient, Trainer

KINDS = [("numpy", "float64"), ("numpy", "float32"), ("torch", "float64"), ("torch", "float32"),
         ("jax", "float32")]  # fmt: skip

QUICK = KINDS[:3]  # JAX compiles anew for every shape


def made(kind: tuple[str, str], seed: int, n: int = 9, positions: int = 6) -> tuple[Trainer, Batch]:
    model = MODELS[kind[0]](seed, kind[1])
    return Trainer(model), model.batch(trainers.batch(n, positions, seed, kind[1]))


def sentence(verdict: GradientVerdict) -> str:
    """The one cause, which explains."""
    [cause] = verdict.causes
    assert cause.certainty == EXPLAINS
    return cause.sentence


@pytest.mark.parametrize("kind", KINDS, ids="-".join)
@pytest.mark.parametrize("seed", range(2))
def test_a_right_gradient_and_a_right_accumulation_pass_every_law(kind: tuple[str, str], seed: int) -> None:
    trainer, batch = made(kind, seed)
    verdict = check_batches(trainer.mean, batch, accumulate=trainer.right, mask="mask", seed=seed)
    assert verdict, str(verdict)
    assert list(verdict) == ["twice", "parts", "padding", "accumulated", "and again"]
    assert verdict.resolution < (1e-3 if kind[1] == "float32" else 1e-11)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
def test_no_right_gradient_fails_over_many_seeds_and_sizes(dtype: str) -> None:
    for seed in range(60):
        rng = np.random.default_rng(seed)
        trainer, batch = made(("numpy", dtype), seed, int(rng.integers(4, 40)), int(rng.integers(2, 30)))
        verdict = check_batches(trainer.mean, batch, accumulate=trainer.right, mask="mask", seed=seed)
        assert verdict, f"seed {seed}: {verdict}"


# Accumulation, as it goes wrong: (what, of the method, the sentence).
WRONG = {
    "divided by micro-batches, not tokens": (
        "by_micro_batches",
        "the mean of every micro-batch counts the same, whatever its tokens: divided by the number of",
    ),
    "padding counted": ("padding_in_the_parts", "padding is counted in the loss"),
    "accumulated twice": ("twice", "everything is in it twice: accumulated twice"),
    "a sum where the mean belongs": (
        "sum_of_means",
        "means are added up and never divided: a sum where the mean belongs",
    ),
    "a fixed number of steps": ("fixed_steps", "are divided by 4, however many there are: a last step that"),
    "the first one's count": (
        "first_count",
        "every micro-batch is weighed with the tokens of the first: the last step, which is shorter",
    ),
    "mask ignored in the denominator": (
        "padded_denominator",
        "the mask is ignored in the denominator: divided by all positions",
    ),
    "averaged per sequence first": (
        "sequences_first",
        "the loss is averaged over each example first, and these means over the batch",
    ),
}


@pytest.mark.parametrize("kind", QUICK, ids="-".join)
@pytest.mark.parametrize("name", WRONG)
def test_each_wrong_accumulation_fails_with_the_sentence_that_names_it(
    name: str, kind: tuple[str, str]
) -> None:
    method, words = WRONG[name]
    for seed in range(3 if kind[0] == "numpy" else 1):
        trainer, batch = made(kind, seed)
        verdict = check_batches(trainer.mean, batch, accumulate=getattr(trainer, method), mask="mask")
        assert verdict["parts"].passed
        assert verdict["accumulated"].outcome == Outcome.FAIL
        assert words in sentence(verdict)


@pytest.mark.parametrize("kind", QUICK, ids="-".join)
def test_a_forgotten_zero_grad_is_named_in_the_trainer_and_in_the_gradient(kind: tuple[str, str]) -> None:
    trainer, batch = made(kind, 0)
    verdict = check_batches(trainer.mean, batch, accumulate=Forgetful(trainer.right), mask="mask")
    assert verdict["and again"].outcome == Outcome.FAIL
    assert "what was accumulated before is still in it: zero_grad is forgotten" in sentence(verdict)
    adding: Any = Forgetful(trainer.mean)  # type: ignore[arg-type]  # of a batch, as well as of several
    verdict = check_batches(adding, batch, mask="mask")
    assert "each call adds to the one before: zero_grad is forgotten" in sentence(verdict)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        ("padding_counted", "padding is counted in the loss: the mask does not reach it"),
        ("denominator_ignores_mask", "the mask is ignored in the denominator"),
        ("each_first", "averaged over each example first, .* reduction='mean per example' if that is meant"),
        ("summed", "it is the sum, where the mean belongs"),
    ],
)
@pytest.mark.parametrize("kind", QUICK, ids="-".join)
def test_a_gradient_that_is_no_mean_over_tokens_is_told_what_it_is(
    method: str, words: str, kind: tuple[str, str]
) -> None:
    trainer, batch = made(kind, 1)
    verdict = check_batches(getattr(trainer, method), batch, mask="mask", reduction="mean")
    assert verdict["parts"].outcome == Outcome.FAIL
    assert re.search(words, sentence(verdict))


def test_wrong_weights_are_named_in_jax_too() -> None:
    trainer, batch = made(("jax", "float32"), 0, 5, 4)
    verdict = check_batches(trainer.mean, batch, accumulate=trainer.by_micro_batches, mask="mask")
    assert "divided by the number of micro-batches, not by the tokens" in sentence(verdict)


def plain(n: int) -> tuple[Callable[[Any], Gradient], tuple[Any, Any]]:
    """Least squares without a mask: the gradient of the mean over the examples, and a batch."""
    rng = np.random.default_rng(n)
    w = rng.standard_normal((3, 2))

    def gradient(batch: tuple[Any, Any]) -> Gradient:
        x, t = batch
        return {"w": 2 * x.T @ (x @ w - t) / len(x)}

    return gradient, (rng.standard_normal((n, 3)), rng.standard_normal((n, 2)))


def test_a_short_last_micro_batch_that_counts_like_a_full_one_is_named() -> None:
    gradient, batch = plain(10)

    def accumulate(parts: Sequence[Any]) -> Gradient:
        return {"w": np.mean([gradient(part)["w"] for part in parts], axis=0)}

    verdict = check_batches(gradient, batch, accumulate=accumulate)
    assert "also where one is shorter than the others, as the last often is" in sentence(verdict)


@pytest.mark.parametrize("size", [3, 4, 7])
def test_micro_batches_inside_a_gradient_are_found_with_their_size(size: int) -> None:
    gradient, batch = plain(10)

    def in_chunks(batch: tuple[Any, Any]) -> Gradient:
        x, t = batch
        cuts = [(x[i : i + size], t[i : i + size]) for i in range(0, len(x), size)]
        return {"w": np.mean([gradient(cut)["w"] for cut in cuts], axis=0)}

    words = f"it is cut into micro-batches of {size} inside, and the mean of each counts the same"
    assert words in sentence(check_batches(in_chunks, batch))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda parts: parts[:-1], "the last micro-batch is missing"),
        (lambda parts: parts[1:], "the first micro-batch is missing"),
        (lambda parts: [*parts, parts[-1]], "the last micro-batch is in it twice"),
    ],
)
def test_a_micro_batch_too_few_or_too_many_is_named(change: Any, words: str) -> None:
    gradient, batch = plain(11)

    def accumulate(parts: Sequence[Any]) -> Gradient:
        n = sum(len(x) for x, _ in parts)
        return {"w": sum(gradient(part)["w"] * len(part[0]) / n for part in change(parts))}

    assert sentence(check_batches(gradient, batch, accumulate=accumulate)) == words


def test_sum_and_mean_are_found_and_what_was_declared_is_held_to() -> None:
    gradient, batch = plain(8)

    def summed(batch: tuple[Any, Any]) -> Gradient:
        return {"w": gradient(batch)["w"] * len(batch[0])}

    assert "the whole is their mean over 8 examples" in str(check_batches(gradient, batch))
    assert "the whole is their sum" in str(check_batches(summed, batch))
    assert (
        sentence(check_batches(gradient, batch, reduction="sum")) == "it is the mean, where the sum belongs"
    )
    assert check_batches(summed, batch, reduction="sum")


def test_gradients_that_add_up_pass_where_reset_is_given() -> None:
    model = torch.nn.Linear(3, 2).double()
    x, t = torch.randn(7, 3, dtype=torch.float64), torch.randn(7, 2, dtype=torch.float64)

    def gradient(batch: Any) -> Any:
        torch.nn.functional.mse_loss(model(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]  # torch's own
        return {name: p.grad for name, p in model.named_parameters()}

    assert check_batches(gradient, (x, t), reset=model.zero_grad)
    assert "zero_grad is forgotten" in sentence(check_batches(gradient, (x, t)))


def test_a_reset_that_is_not_needed_is_told() -> None:
    gradient, batch = plain(6)
    verdict = check_batches(gradient, batch, reset=lambda: None)
    assert "a call overwrites what is there: leave `reset` out" in sentence(verdict)


def test_batch_normalisation_is_no_sum_over_examples_and_described_so() -> None:
    model = torch.nn.Sequential(
        torch.nn.Linear(3, 4), torch.nn.BatchNorm1d(4), torch.nn.Linear(4, 2)
    ).double()
    x, t = torch.randn(9, 3, dtype=torch.float64), torch.randn(9, 2, dtype=torch.float64)

    def gradient(batch: Any) -> Any:
        model.zero_grad()
        torch.nn.functional.mse_loss(model(batch[0]), batch[1]).backward()  # type: ignore[no-untyped-call]  # torch's own
        return [p.grad for p in model.parameters()]

    batches = check_batches(lambda b: gradient(b) if len(b[0]) > 1 else gradient((x[:2], t[:2])), (x, t))
    [cause] = batches.causes
    assert "examples influence one another (batch normalisation in training" in cause.sentence
    assert cause.certainty == "describes"


def test_dropout_is_undecided_and_told_to_fix_the_seed() -> None:
    gradient, batch = plain(6)
    rng = np.random.default_rng(0)
    verdict = check_batches(lambda b: {"w": gradient(b)["w"] * (rng.random((3, 2)) < 0.8)}, batch)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "fix the random seed, or turn dropout off" in verdict.reason


@pytest.mark.parametrize(
    ("batch", "words"),
    [
        ((np.tile([[1.0, 2.0, 3.0]], (6, 1)), np.ones((6, 2))), "micro-batches that all count the same come"),
        ((np.zeros((6, 3)), np.ones((6, 2))), "every entry of the gradient is zero"),
    ],
)
def test_a_batch_that_shows_nothing_lets_nothing_pass(batch: Any, words: str) -> None:
    verdict = check_batches(plain(6)[0], batch)
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert words in verdict.reason


def test_examples_of_equal_length_do_not_tell_tokens_from_examples() -> None:
    model = MODELS["numpy"](0, "float64")
    verdict = check_batches(Trainer(model).mean, trainers.batch(6, 4, 0, uneven=False), mask="mask")
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "weights by tokens and by examples come to the same for this batch" in verdict.reason


def test_a_mask_of_whole_examples_is_weighed_by_those_that_count() -> None:
    gradient, (x, t) = plain(9)
    counts = np.array([1, 1, 0, 1, 0, 1, 1, 1, 0.0])

    def masked(batch: Any) -> Gradient:
        chosen = batch["counts"] > 0
        return gradient((batch["x"][chosen], batch["t"][chosen]))

    def over_all(batch: Any) -> Gradient:
        return {"w": masked(batch)["w"] * batch["counts"].sum() / len(batch["counts"])}

    batch = {"x": x, "t": t, "counts": counts}
    assert check_batches(masked, batch, mask="counts")
    assert "the mask is ignored in the denominator" in sentence(check_batches(over_all, batch, mask="counts"))


def test_a_gradient_of_one_length_alone_is_judged_and_that_no_padding_was_tried_is_said() -> None:
    trainer, batch = made(("numpy", "float64"), 3)

    def of_six(b: Batch) -> Gradient:
        if b["mask"].shape[1] != 6:
            raise ValueError("six positions")
        return trainer.mean(b)

    verdict = check_batches(of_six, batch, mask="mask")
    assert verdict
    assert list(verdict) == ["twice", "parts"]
    assert (
        "more padding was not tried, since the gradient takes batches of this length alone" in verdict.reason
    )


def test_bfloat16_resolves_a_second_call_and_says_that_it_resolves_no_weights() -> None:
    x, t = torch.randn(8, 3, dtype=torch.bfloat16), torch.randn(8, 2, dtype=torch.bfloat16)
    w = torch.randn(3, 2, dtype=torch.bfloat16)
    verdict = check_batches(lambda b: 2 * b[0].T @ (b[0] @ w - b[1]) / len(b[0]), (x, t))
    assert verdict["twice"].passed
    assert verdict.outcome == Outcome.INCONCLUSIVE
    assert "is resolved to" in verdict.reason or "was not checked" in verdict.reason


def test_a_mask_may_be_a_function_of_the_batch() -> None:
    trainer, batch = made(("numpy", "float64"), 2)
    labels = np.where(batch["mask"] > 0, batch["labels"], -100)

    def with_mask(b: Batch) -> Batch:
        return {"x": b["x"], "labels": np.maximum(b["labels"], 0), "mask": (b["labels"] != -100) * 1.0}

    verdict = check_batches(
        lambda b: trainer.mean(with_mask(b)),
        {"x": batch["x"], "labels": labels},
        accumulate=lambda parts: trainer.right([with_mask(b) for b in parts]),
        mask=lambda b: b["labels"] != -100,
    )
    assert verdict, str(verdict)


def test_a_tensor_whose_gradient_is_nothing_but_rounding_does_not_fail() -> None:
    """A bias before a softmax over the batch's own axis: its gradient is zero, computed as 1e-18."""
    gradient, batch = plain(8)
    rng = np.random.default_rng(0)
    noise = {n: 1e-18 * rng.standard_normal(2) for n in range(9)}
    verdict = check_batches(lambda b: {**gradient(b), "b": noise[len(b[0])]}, batch)
    assert verdict, str(verdict)


@pytest.mark.parametrize(
    ("changed", "error", "words"),
    [
        ({"batch": (np.ones((4, 3)), np.ones((5, 2)))}, InputError, r"batch\[1\]: expected 4 examples"),
        ({"batch": (np.ones((1, 3)), np.ones((1, 2)))}, InputError, "expected at least 2 examples, got 1"),
        ({"batch": 3.0}, InputError, "expected arrays whose first axis are the examples, got none"),
        ({"batch": "data"}, TypeError, "batch: expected arrays, got str"),
        ({"mask": "mask"}, InputError, "mask: expected a key of the batch, or a function of it, got 'mask'"),
        ({"mask": lambda b: np.ones(3)}, InputError, r"mask: expected shape \(8,\) or \(8, positions\)"),
        ({"mask": lambda b: np.zeros(8)}, InputError, "expected something that counts"),
        ({"reduction": "average"}, InputError, "reduction: expected one of mean, sum, mean per example"),
        ({"gradient": lambda b: {"w": np.array([np.nan])}}, InputError, "gradient.*expected finite numbers"),
        (
            {"gradient": lambda b: {"w": np.arange(3)}},
            TypeError,
            "expected floating-point numbers, got int64",
        ),
    ],
)
def test_bad_input_is_refused_with_a_sentence(
    changed: dict[str, Any], error: type[Exception], words: str
) -> None:
    gradient, batch = plain(8)
    arguments = {"gradient": gradient, "batch": batch, **changed}
    with pytest.raises(error, match=words):
        check_batches(**arguments)
