"""A form: ours where nothing is said, told in words where it is not, and refused where it means nothing."""

from typing import Any, get_args

import pytest

from backproof.comparisons.check.forms.activations import ACTIVATION_FUNCTIONS
from backproof.comparisons.check.forms.form import WORDS, Form, declared, declared_space
from backproof.scratch.architecture import ActivationName
from backproof.scratch.errors import InputError


def test_where_nothing_is_said_a_form_is_ours() -> None:
    plain = Form()
    assert plain.sentences() == []
    assert plain.is_ours
    assert not plain.step
    assert (plain.activation, plain.gradient_layout) == ("", "as_weights")
    assert {name: getattr(plain, name) for name in WORDS} == {name: words[0] for name, words in WORDS.items()}


@pytest.mark.parametrize(
    ("form", "sentence"),
    [
        (Form(outputs="log_probabilities"), "outputs are log probabilities"),
        (Form(targets="one_hot"), "targets are one hot"),
        (Form(weight_layout="out_in"), "W is (out, in)"),
        (Form(gradient_layout="out_in"), "dW is (out, in), transposed to W: read so"),
        (Form(samples="columns"), "samples are columns"),
        (Form(samples="single"), "samples are given one at a time"),
        (Form(biases="none"), "biases: none"),
        (Form(biases="first"), "biases: in W, as its first row or column"),
        (Form(biases="last"), "biases: in W, as its last row or column"),
        (Form(gradients="per_example"), "gradients are per example"),
        (Form(output_activation="softmax"), "the output activation is softmax"),
        (Form(activation="leaky_relu"), "the activation is leaky relu whatever is asked"),
        (Form(step=True), "a step in place of a gradient: it is read from the weights"),
    ],
)
def test_what_is_not_ours_is_told(form: Form, sentence: str) -> None:
    assert form.sentences() == [sentence]


@pytest.mark.parametrize("name", ACTIVATION_FUNCTIONS)
def test_an_activation_of_the_contract_is_ours_and_another_is_not(name: str) -> None:
    assert Form(activation=name).is_ours == (name in get_args(ActivationName))


def test_an_activation_of_the_output_is_not_ours_and_a_layout_is() -> None:
    assert not Form(output_activation="tanh").is_ours
    assert Form(samples="columns", weight_layout="out_in", biases="row", targets="one_hot").is_ours


def test_what_a_class_declares_is_read_and_what_is_no_word_is_left_alone() -> None:
    attributes = {"samples": "columns", "activation": "gelu", "biases": 3, "net": None, "loss": "mse"}
    assert declared(attributes) == {"samples": "columns", "activation": "gelu"}


@pytest.mark.parametrize("name", [*WORDS, "activation"])
def test_a_word_that_is_none_of_them_is_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"^{name}: expected one of .*; got 'sideways'"):
        declared({name: "sideways"})


@pytest.mark.parametrize(
    ("attributes", "space"),
    [
        ({}, {}),
        ({"loss": "mse"}, {"loss": ("mse",)}),
        ({"hidden_layers": 0}, {"hidden_layers": (0,)}),
        ({"hidden_layers": [1, 2, 3]}, {"hidden_layers": (1, 2, 3)}),
        ({"supports": {"loss": ["mse", "cross_entropy"]}}, {"loss": ("mse", "cross_entropy")}),
        ({"supports": {"hidden_layers": {1}}, "dtype": "float32"},
         {"hidden_layers": (1,), "dtype": ("float32",)}),
        ({"supports": {"loss": ["mse"]}, "loss": "cross_entropy"}, {"loss": ("cross_entropy",)}),
        ({"supports": 3, "loss": "a name of its own"}, {}),
    ],
)  # fmt: skip
def test_the_networks_that_a_class_says_it_has(attributes: dict[str, object], space: object) -> None:
    assert declared_space(attributes) == space


@pytest.mark.parametrize(
    "supports", [{"loss": ["mse", "hinge"]}, {"width": [3]}, {"hidden_layers": "2"}, {"dtype": ["float16"]}]
)
def test_what_it_cannot_support_is_refused(supports: Any) -> None:
    (name,) = supports
    with pytest.raises(InputError, match=f"^supports: {name}: expected some of"):
        declared_space({"supports": supports})
