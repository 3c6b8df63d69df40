"""Refusals: they name what was meant where that is close, and guess at nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from backproof.scratch.errors import InputError, did_you_mean, expect_one_of

CHOICES = ("torch", "jax", "tensorflow", "sklearn")


@pytest.mark.parametrize(("word", "meant"), [("pytorch", "torch"), ("Torch", "torch"), ("JAX", "jax")])
def test_a_word_that_is_close_to_a_choice_is_taken_for_it(word: str, meant: str) -> None:
    assert did_you_mean(word, CHOICES) == f"; did you mean {meant}?"


def test_a_word_like_no_choice_is_taken_for_none() -> None:
    assert did_you_mean("mxnet", CHOICES) == ""


@given(st.text().filter(lambda text: text not in CHOICES))
def test_every_other_word_is_refused_with_all_choices(word: str) -> None:
    with pytest.raises(InputError, match="contender: expected one of torch, jax, tensorflow, sklearn; got"):
        expect_one_of("contender", word, CHOICES)
