"""What is found out by trying, and what is refused in one sentence because it is not told apart."""

from pathlib import Path

import pytest

from backproof.comparisons.contenders.loading import NotThere
from tests.support.named_networks import Written, adapter, made

STEP = {"gradient": "", "step": '"fit"'}
REFUSED: list[tuple[dict[str, str], str]] = [
    ({"loss": ""}, "which loss has Short"),
    ({"gradient": ""}, "declare gradient = .* or step"),
    ({"step": '"fit"'}, "declare gradient = .* one of them"),
    ({"forward": '"forwards"'}, "Net has no such method; it has .*forward"),
    ({"forward": '"classes"'}, "returns no array of the outputs' shape"),
    ({"forward": '"both"'}, "2 arrays of the outputs' shape, a, b: which"),
    ({"forward": '"broken"'}, "rows: broken.* RuntimeError: not today; in columns"),
    ({"forward": "7"}, "expected a method's name.*got 7"),
    ({"gradient": '"strange"'}, "what is temperature of strange"),
    ({"gradient": '"fit"'}, "dW1, of shape .* no array"),
    ({"gradient": '("backward", 1.5)'}, "gradient: expected a method's name"),
    ({**STEP, "step": '"still"'}, "still.* changes no weight"),
    ({**STEP, "step": '"backward"'}, "takes no learning rate|changes no weight"),
    ({**STEP, "wraps": "NoRate"}, 'rate = "optimizer.lr"'),
    ({**STEP, "wraps": "Deaf"}, "the same at two rates"),
    ({**STEP, "rate": '"optimizer.lr"'}, "rate = 'optimizer.lr'.*AttributeError"),
    ({"wraps": "Hidden"}, "depends on more than the weights"),
    ({"wraps": "Twice"}, "W1, .*net.W.0., net.start.0."),
    ({"wraps": "Net([3, 2])"}, "expected a class or a function"),
    ({"rate": "0.1"}, "rate: expected names of attributes"),
]


@pytest.mark.parametrize(("attributes", "words"), REFUSED)
def test_what_is_not_told_is_refused_in_one_sentence(
    attributes: dict[str, str], words: str, tmp_path: Path
) -> None:
    with pytest.raises(NotThere, match=words) as refused:
        made(tmp_path, adapter(**attributes))
    assert "\n" not in str(refused.value)


def test_labels_and_one_hot_targets_that_are_both_taken_are_refused(tmp_path: Path) -> None:
    declared = Written(columns=True, one_hot=True).source
    source = declared.replace('targets, supports = "one_hot", ', "supports = ")
    with pytest.raises(NotThere, match="takes labels and one-hot targets alike: declare targets"):
        made(tmp_path, source)


def test_outputs_that_come_turned_are_said_to_be(tmp_path: Path) -> None:
    short = made(tmp_path, adapter(forward='"turned"'))
    assert "outputs from turned(x), turned" in short.read_as[0]


def test_a_forward_pass_that_is_needed_first_is_said_and_another_is_not_made(tmp_path: Path) -> None:
    assert "gradient from backward(x" in made(tmp_path, adapter()).read_as[0]
    assert "gradient from forward(x), then after(x" in made(tmp_path, adapter(gradient='"after"')).read_as[0]


def test_depths_that_cannot_be_built_are_left_out_and_said(tmp_path: Path) -> None:
    short = made(tmp_path, adapter(wraps="Shallow"))
    assert short.hidden_layers == [0, 1]
    assert any(said.startswith("not with 2 hidden layers: Shallow") for said in short.read_as)
