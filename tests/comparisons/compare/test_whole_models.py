"""Models of any layers: right ports differ by rounding, and a wrong one where it is wrong."""

import importlib.util
from typing import Any, cast

import pytest

from backproof.comparisons.compare import part, whole_models, words
from backproof.comparisons.compare.model_process import OwnModel
from backproof.comparisons.compare.result import Compared, Link
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.scratch.errors import InputError
from tests.support import porting_mistakes_of_models
from tests.support import whole_models as models
from tests.support import whole_models_keras as models_keras
from tests.support.models_here import Here
from tests.support.porting_mistakes_of_models import PLANTED, Planted

HERE = "tests.support.whole_models"
needs_tensorflow = pytest.mark.skipif(
    importlib.util.find_spec("tensorflow") is None, reason="needs TensorFlow"
)


def compared(first: Any, second: Any, *, wide: bool = True) -> list[Compared]:
    """Both in this process; in float64 alone where it is enough."""
    models = [made().double() if wide else made() for made in (first, second)]
    pair = Here("first", models[0]), Here("second", models[1])
    return list(whole_models.compare(cast(tuple[OwnModel, OwnModel], pair), 0))


def firsts(found: list[Compared], i: int) -> list[Link]:
    return [first for one in found if (first := one.sides[i].first) is not None]


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (models.images, models.images),
        (models.images, models.Ported),
        (models.Ported, models.images),
        (models.sentences, models.PortedSentences),
    ],
)
def test_right_ports_differ_by_rounding_only_in_both_dtypes_and_modes(first: Any, second: Any) -> None:
    found = compared(first, second, wide=False)
    assert len(found) == 4
    assert [link for i in (0, 1) for link in firsts(found, i)] == []
    assert all(len(side.links) > 40 for one in found for side in one.sides)


@pytest.mark.parametrize("planted", PLANTED, ids=lambda planted: planted.name)
def test_a_mistake_is_found_in_the_tensor_where_it_is_made_and_named(planted: Planted) -> None:
    right = getattr(models, planted.right)
    found = compared(right, getattr(porting_mistakes_of_models, planted.name))
    assert firsts(found, 0) == []
    assert {link.tensor for link in firsts(found, 1)} == {planted.tensor}
    causes = [cause for link in firsts(found, 1) for cause in link.causes]
    assert any(planted.cause in cause for cause in causes) or not planted.cause, causes


def test_what_follows_from_a_mistake_is_not_blamed() -> None:
    found = compared(models.images, porting_mistakes_of_models.eps_of_batch_norm)
    failed = {
        link.tensor.removeprefix("d ").removeprefix("into ").partition(".")[0]
        for one in found
        for link in one.sides[1].links
        if link.outcome is Outcome.FAIL
    }
    assert failed == {"n1"}


def test_weights_of_its_own_are_told_and_those_of_the_first_taken() -> None:
    def other() -> Any:
        import torch

        torch.manual_seed(5)
        return models.moved(models.Images())

    found = compared(models.images, other)
    assert firsts(found, 1) == []
    assert all("its own weights: " in " ".join(one.sides[1].not_offered) for one in found)


@needs_tensorflow
@pytest.mark.parametrize(
    ("first", "second"), [(models.images, "images"), (models_keras.torch_words, "words")]
)
def test_a_keras_model_and_a_torch_module_of_the_same_layers_differ_by_rounding_only(
    first: Any, second: str
) -> None:
    for pair in ((first, getattr(models_keras, second)), (getattr(models_keras, second), first)):
        found = compared(*pair, wide=False)
        assert [link for i in (0, 1) for link in firsts(found, i)] == []
        assert all(len(side.links) > 30 for one in found for side in one.sides)


@needs_tensorflow
@pytest.mark.parametrize(
    ("second", "tensor", "cause"),
    [
        ("other_eps", "batch_normalization", "eps is 0.001, not 1e-05"),
        ("other_momentum", "moving_mean", "the momentum is 0.9, 1 minus 0.1"),
        ("rows_as_in_torch", "dense", "holds the numbers of fc.weight in another order"),
        ("no_padding", "conv2d", "shape (6, 4, 6, 6) where (6, 4, 8, 8) belongs"),
    ],
)
def test_a_mistake_of_a_port_to_keras_is_found_and_named(second: str, tensor: str, cause: str) -> None:
    found = compared(models.images, getattr(models_keras, second), wide=False)
    assert firsts(found, 0) == []
    assert firsts(found, 1)
    for first in firsts(found, 1):
        assert tensor in first.tensor
        assert any(cause in text for text in first.causes), first.causes


@needs_tensorflow
def test_the_other_formula_of_an_activation_inside_a_keras_layer_is_named() -> None:
    found = compared(models_keras.torch_words_by_tanh, models_keras.words, wide=False)
    assert firsts(found, 1)
    assert all(first.tensor.endswith(" activation") for first in firsts(found, 1))
    assert all(first.causes == ("it is gelu by erf",) for first in firsts(found, 1))


@needs_tensorflow
def test_two_keras_models_of_other_layers_are_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="expected a torch module as one of the two"):
        compared(models_keras.images, models_keras.images, wide=False)


def test_each_side_runs_in_a_process_of_its_own() -> None:
    found = part.run((f"{HERE}:sentences", f"{HERE}:PortedSentences"), 0, Silent())
    assert found.verdict is Outcome.PASS
    assert "4 problems within rounding" in words.summary(found, 1)


def test_beside_a_class_a_model_of_other_layers_is_refused_in_one_sentence() -> None:
    with pytest.raises(InputError, match="scratch is a class, and takes no others"):
        part.run((f"{HERE}:sentences", "scratch"), 0, Silent())
