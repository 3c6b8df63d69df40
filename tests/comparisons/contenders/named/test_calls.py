"""Calls by the names of parameters: what is handed over, and what is refused."""

from typing import Any

import pytest

from backproof.comparisons.contenders.named.calls import Named, Surroundings, Word, bound, item_of
from backproof.comparisons.contenders.own_network import NotTold

ROW = Surroundings(whole=True, items=("AL", "caches"))
PARTS = Surroundings(parts=("weights", "biases"), by_itself=True)


@pytest.mark.parametrize(
    ("what", "function", "around", "call"),
    [
        ("forward", lambda a: 0, Surroundings(), "f(x)"),
        ("forward", lambda inputs, training=False: 0, Surroundings(), "f(x)"),
        ("forward", lambda inputs, training=False: 0, Surroundings(learning=True), "f(x, True)"),
        ("forward", lambda X, parameters: 0, Surroundings(by_itself=True), "f(x, net)"),
        ("forward", lambda x, weights, biases: 0, PARTS, "f(x, net[0], net[1])"),
        ("forward", lambda x, W, b: 0, PARTS, "f(x, net[0], net[1])"),
        ("gradient", lambda y: 0, Surroundings(), "f(targets)"),
        ("gradient", lambda desired: 0, Surroundings(), "f(targets)"),
        ("gradient", lambda y, output: 0, Surroundings(), "f(targets, outputs)"),
        ("gradient", lambda X, y, cache: 0, Surroundings(whole=True), "f(x, targets, answer)"),
        ("gradient", lambda AL, Y, caches: 0, ROW, "f(AL, targets, caches)"),
        ("gradient", lambda x, y, lr=0.1: 0, Surroundings(), "f(x, targets)"),
        ("step", lambda x, y, lr=0.1: 0, Surroundings(), "f(x, targets, rate)"),
        ("step", lambda x, y, verbose=False, epsilon=0.01: 0, Surroundings(), "f(x, targets, epsilon=rate)"),
        ("step", lambda mini_batch, eta: 0, Surroundings(), "f(pairs, rate)"),
        ("step", lambda x, y, epochs, *rest, lr: 0, Surroundings(), "f(x, targets, 1, lr=rate)"),
        ("cost", lambda y_pred, y_true: 0, Surroundings(), "f(outputs, targets)"),
        ("cost", lambda outputs, labels: 0, Surroundings(whole=True), "f(outputs, targets)"),
        ("cost", lambda p, y, m: 0, Surroundings(), "f(outputs, targets, len(x))"),
    ],
)  # fmt: skip
def test_every_parameter_gets_what_its_name_says(
    what: str, function: Any, around: Surroundings, call: str
) -> None:
    assert str(bound(what, Named("f"), function, around)) == call


@pytest.mark.parametrize("function", [lambda x, y, temperature: 0, lambda dout, cache: 0, lambda x, y, lr: 0])
def test_a_parameter_that_names_nothing_is_not_guessed_at(function: Any) -> None:
    with pytest.raises(NotTold, match=r"what is .* of f\? Write def loss_and_gradient"):
        bound("gradient", Named("f"), function, Surroundings())


def test_what_has_no_signature_is_refused() -> None:
    with pytest.raises(NotTold, match="parameters of f cannot be read"):
        bound("gradient", Named("f"), dict, Surroundings())


def test_a_generator_is_run_to_its_end() -> None:
    steps = []

    def train(x: int) -> Any:
        for i in range(x):
            steps.append(i)
            yield i

    call = bound("forward", Named("train"), train, Surroundings())
    assert call.on(train, lambda word: 3 if word == Word("x") else 0) == [0, 1, 2] == steps


def test_an_item_is_found_by_key_by_number_and_by_the_name_in_the_row() -> None:
    def forward() -> Any:
        probs, loss = 1, 2
        return probs, loss

    assert item_of(forward(), "loss", forward) == item_of(forward(), 1, forward) == 2
    assert item_of({"loss": 5}, "loss", forward) == 5
