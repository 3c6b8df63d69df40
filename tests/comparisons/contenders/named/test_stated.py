"""What a class declares by name, and what it states of its form."""

from typing import Any

import pytest

from backproof.comparisons.contenders.named.calls import Named
from backproof.comparisons.contenders.named.stated import Names, Stated, names_of
from backproof.comparisons.contenders.own_network import NotTold


def kind(**attributes: Any) -> type:
    return type("Adapter", (), attributes)


def test_names_are_texts_or_texts_with_keys() -> None:
    declared = kind(wraps=dict, forward=("run", "A2"), gradient="back", rate="opt.lr", weights=("W", "b"))
    assert names_of(declared) == Names(
        dict, Named("run", ("A2",)), Named("back"), rate="opt.lr", weights=("W", "b")
    )


def test_a_function_that_makes_the_network_is_no_method() -> None:
    def make(sizes: Any) -> Any:
        return sizes

    for wraps in (make, staticmethod(make)):
        names = names_of(kind(wraps=wraps, step="train"))
        assert names is not None
        assert names.wraps is make


@pytest.mark.parametrize(
    "attributes", [{}, {"forward": "run"}, {"network": len}, {"forward": len, "network": len}]
)
def test_a_class_that_names_nothing_is_none_of_these(attributes: dict[str, object]) -> None:
    assert names_of(kind(**attributes)) is None


@pytest.mark.parametrize(
    ("attributes", "words"),
    [
        ({"forward": 7}, "forward: expected a method's name"),
        ({"gradient": ("back", 0.5)}, "gradient: expected a method's name"),
        ({"rate": 0.1}, "rate: expected names of attributes"),
    ],
)
def test_another_form_is_refused(attributes: dict[str, object], words: str) -> None:
    with pytest.raises(NotTold, match=words):
        names_of(kind(wraps=dict, **attributes))


@pytest.mark.parametrize(
    ("names", "of"),
    [
        (Names(forward=Named("run"), cost=Named("run", ("loss",))), "forward"),
        (Names(gradient=Named("back"), cost=Named("back", (0,))), "gradient"),
        (Names(step=Named("train"), cost=Named("train")), "step"),
        (Names(forward=Named("run"), cost=Named("loss")), "cost"),
    ],
)
def test_whose_answer_tells_the_loss_is_seen_from_the_names(names: Names, of: str) -> None:
    assert names.cost_of == of


def test_what_is_not_stated_is_left_to_be_tried() -> None:
    stated = Stated.by(kind(supports={"loss": ["cross_entropy"]}), one_loss=True)
    assert (stated.samples, stated.targets, stated.depths) == (("rows", "columns"), ("labels", "one_hot"), ())
    stated = Stated.by(kind(loss="mse", samples="single", hidden_layers=1, biases="first"), one_loss=True)
    assert (stated.samples, stated.targets, stated.depths) == (("single",), ("values",), (1,))
    assert stated.folded


@pytest.mark.parametrize("supports", [None, {"loss": ["no such"]}, {"loss": ["mse", "cross_entropy"]}])
def test_a_network_has_one_loss_and_says_which(supports: object) -> None:
    with pytest.raises(NotTold, match="which loss has Adapter"):
        Stated.by(kind(supports=supports), one_loss=True)
