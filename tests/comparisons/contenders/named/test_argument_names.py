"""What a parameter's name says, and what a function's source says that it returns."""

from typing import Any

import pytest

from backproof.comparisons.contenders.named.argument_names import argument, names_in_a_row, size


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("X_train", "x"),
        ("inputs_list", "x"),
        ("examples", "x"),
        ("y_true", "targets"),
        ("labels", "targets"),
        ("y_hat", "outputs"),
        ("AL", "outputs"),
        ("learning_rate", "rate"),
        ("eta", "rate"),
        ("m", "len(x)"),
        ("num_passes", "1"),
        ("training", "True"),
        ("temperature", ""),
        ("verbose", ""),
    ],
)
def test_an_argument_is_told_by_its_name(name: str, word: str) -> None:
    assert argument(name) == word


@pytest.mark.parametrize(
    ("name", "word"),
    [
        ("layers_dim", "sizes"),
        ("n_in", "inputs"),
        ("input_layer_size", "inputs"),
        ("hidden_size", "hidden"),
        ("n_classes", "outputs"),
        ("onodes", "outputs"),
        ("dropout", ""),
        ("weight_init_std", ""),
        ("min_value", ""),
        ("lr", "rate"),
    ],
)
def test_a_size_is_told_by_its_name(name: str, word: str) -> None:
    assert size(name) == word


def test_names_in_a_row_are_read_from_the_source() -> None:
    def forward(x: Any) -> Any:
        probs, caches = x, x
        return probs, caches

    assert names_in_a_row(forward) == ("probs", "caches")
    assert names_in_a_row(len) == ()
