"""What a class can do is found out first, said in one line, and never more than was asked for."""

from collections.abc import Callable
from pathlib import Path

import pytest

from backproof.comparisons.check.exploration import Explored, explore
from backproof.comparisons.check.subject.subject import Subject
from backproof.comparisons.contenders.loading import Target
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.scratch.errors import InputError

FORMS = default_folder() / "other_forms.py"
HEAD = f"import sys\nsys.path.insert(0, {str(FORMS.parent)!r})\nfrom student import StudentMLP\n"
Narrow = dict[str, tuple[str | int, ...]]


def explored(target: Target, narrow: Narrow | None = None, strict: bool = False) -> Explored:
    subject = Subject(target)
    try:
        return explore(subject, narrow or {}, strict, 0)
    finally:
        subject.close()


@pytest.fixture
def written(tmp_path: Path) -> Callable[[str], Target]:
    def write(body: str) -> Target:
        (tmp_path / "own.py").write_text(HEAD + "class Mine(StudentMLP):\n" + body)
        return Target(str(tmp_path / "own.py"), "Mine")

    return write


@pytest.mark.parametrize(
    ("name", "line", "note"),
    [
        ("OneActivationOneLoss", "relu; cross entropy; 0 to 2 hidden layers; float32 and float64", ""),
        ("IgnoresTheArchitecture", "tanh; mse; 0 to 2", "it does not look at architecture.loss"),
        ("ProbabilitiesAndOneHot", "cross entropy", "targets are one hot"),
        ("ColumnsAndColumnBiases", "sigmoid; mse; 0 to 2 hidden layers; float64 only", "samples are columns"),
        ("OneHiddenLayer", "1 hidden layer", ""),
        ("Float64Throughout", "float64 only", "it answers in float64 where float32 is asked for"),
        ("Float32Throughout", "float32 only", "it answers in float32 where float64 is asked"),
        ("Float32Declared", "cross entropy; 0 to 2 hidden layers; float32 only", "a sum over the examples"),
        ("Float32Alone", "float32 only", ""),
        ("PlainDescentOnly", "relu", "train does plain gradient descent whatever update rule is asked"),
        ("Silu", "silu", "the activation is silu whatever is asked"),
        ("TanhOutput", "mse, sum of squares", "the output activation is tanh"),
        ("StepOnly", "tanh; sum of squares", "a step in place of a gradient"),
        ("ClippedProbabilities", "cross entropy", "clips probabilities at 1e-12"),
    ],
)
def test_what_a_class_has_is_found(name: str, line: str, note: str) -> None:
    found = explored(Target(str(FORMS), name))
    assert line in found.line()
    assert note in " ".join(found.notes)


def test_strict_looks_for_no_conventions() -> None:
    assert not explored(Target(str(FORMS), "ClippedProbabilities"), strict=True).notes


def test_a_user_narrows_by_hand() -> None:
    narrow: Narrow = {"activation": ("tanh",), "loss": ("mse",), "hidden_layers": (1,), "dtype": ("float64",)}
    found = explored(Target(str(FORMS.parent / "student.py"), "StudentMLP"), narrow)
    assert found.line() == "checked with: tanh; mse; 1 hidden layer; float64 only"


def test_a_word_that_means_nothing_is_refused(written: Callable[[str], Target]) -> None:
    with pytest.raises(InputError, match="samples: expected one of rows, columns, single"):
        explored(written("    samples = 'diagonals'\n"))


def test_what_is_supported_must_be_known(written: Callable[[str], Target]) -> None:
    with pytest.raises(InputError, match="supports: loss: expected some of"):
        explored(written("    supports = {'loss': ['hinge']}\n"))


def test_transposed_weight_gradients_are_read_and_said(written: Callable[[str], Target]) -> None:
    body = "    def backward(self, *a):\n        return [(W.T, b) for W, b in super().backward(*a)]\n"
    found = explored(written(body + "    train = train_epoch = None\n"))
    assert "transposed to W: read so" in " ".join(found.notes)


def test_logits_that_are_wrong_are_taken_for_no_other_form(written: Callable[[str], Target]) -> None:
    found = explored(written("    def logits(self, x):\n        return 1.5 * super().logits(x)\n"))
    assert not found.notes
    assert not found.candidate.form.activation


def test_slope_one_at_zero_is_named() -> None:
    found = explored(Target(str(FORMS.parent / "pair_mistakes.py"), "SlopeOneAtZero"))
    assert "the slope of relu at exactly 0 is 1" in " ".join(found.notes)
