"""The vectors are right by two other ways, and they tell right from wrong programs in other languages."""

import json
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from backproof.comparisons.compare import vectors, words
from backproof.comparisons.compare.result import Comparison
from backproof.comparisons.compare.trace import UPDATES, named, step_name
from backproof.comparisons.contenders.loading import Target, load_class
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.catalogue import default_folder
from backproof.reference.torch_mlp import TorchMLP
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem
from tests.support import vector_answers
from tests.support.ported import Traced

HERE = Path(__file__).parents[3] / "tests" / "vectors"
PROBLEMS = dict(vectors.problems())
SMOOTH = [
    name
    for name, one in PROBLEMS.items()
    if "tiny" not in name and "saturated" not in name and name != "kink"
]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("vectors")
    vectors.write(place)
    return place


def inside(problem: Problem, tensors: Mapping[str, Array]) -> list[str]:
    """The tensors that lie outside their interval, rounding included; [] is as it should be."""
    rows = {name: (low, high, bound) for name, low, high, bound in vectors.expected(problem)}
    wrong = []
    for name, value in tensors.items():
        low, high, bound = rows[name]
        if not ((value >= low - bound) & (value <= high + bound)).all():
            wrong.append(name)
    return wrong


@pytest.mark.parametrize("name", PROBLEMS)
def test_torch_lies_inside_every_interval(name: str) -> None:
    problem = PROBLEMS[name]
    contender = TorchMLP()
    contender.load(problem.architecture, problem.weights)
    loss, gradient = contender.loss_and_gradient(problem.x, problem.targets)
    found = {"logits": contender.logits(problem.x), "loss": np.asarray(loss), **dict(named(gradient, "d"))}
    for rule, spec in UPDATES.items():
        contender.load(problem.architecture, problem.weights)
        contender.train(problem.x, problem.targets, [np.arange(problem.batch_size)], spec)
        found |= {step_name(rule, 1, key): value for key, value in named(contender.weights())}
    assert inside(problem, found) == []


@pytest.mark.parametrize("name", PROBLEMS)
def test_a_second_network_lies_inside_every_interval_with_its_inner_tensors(name: str) -> None:
    problem, network = PROBLEMS[name], Traced()
    network.load(problem.architecture, problem.weights)
    found = {key: value for key, value in network.trace(problem.x, problem.targets).items() if key != "a0"}
    with np.errstate(over="ignore"):
        assert inside(problem, found) == []


def test_a_value_beside_its_interval_is_outside() -> None:
    problem = PROBLEMS["tanh-mse-float64"]
    network = Traced()
    network.load(problem.architecture, problem.weights)
    found = dict(network.trace(problem.x, problem.targets))
    assert inside(problem, {"dW2": found["dW2"] * (1 + 1e-12)}) == ["dW2"]


def test_at_the_kink_the_interval_holds_both_slopes() -> None:
    rows = {name: (low, high) for name, low, high, _ in vectors.expected(PROBLEMS["kink"])}
    low, high = rows["dW1"]
    assert (high - low).max() > 0.1
    closed = rows["logits"]
    assert (closed[1] - closed[0]).max() < 1e-14


def test_the_files_are_small_and_hold_what_was_written(folder: Path) -> None:
    assert sum(path.stat().st_size for path in folder.iterdir()) < 5e6
    index = json.loads((folder / vectors.INDEX).read_text())
    assert index["problems"] == list(PROBLEMS)
    for name, problem in PROBLEMS.items():
        given = vectors.read(folder, name)
        np.testing.assert_array_equal(given["x"], problem.x)
        np.testing.assert_array_equal(given["targets"], problem.targets)
        assert all((given[key] == value).all() for key, value in named(problem.weights))


# --- programs in other languages


def judged(folder: Path, answers: Path) -> tuple[Comparison, list[str]]:
    found = vectors.judge(folder, answers)
    return found, words.causes(words.failures(found, 1))


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
@pytest.mark.parametrize(
    ("mistake", "outcome", "cause"),
    [
        ("", Outcome.PASS, ""),
        ("slope", Outcome.FAIL, "derivative is missing"),
        ("mean", Outcome.FAIL, "summed where the mean belongs"),
    ],
)
def test_a_network_in_javascript(
    folder: Path, tmp_path: Path, mistake: str, outcome: Outcome, cause: str
) -> None:
    subprocess.run(["node", HERE / "network.js", folder, tmp_path, *[mistake] * bool(mistake)], check=True)
    found, causes = judged(folder, tmp_path)
    assert found.verdict is outcome
    assert not cause or cause in causes[0]


@pytest.mark.skipif(shutil.which("cc") is None, reason="needs a C compiler")
@pytest.mark.parametrize(
    ("mistake", "outcome", "cause"),
    [(0, Outcome.PASS, ""), (1, Outcome.FAIL, "not transposed"), (2, Outcome.FAIL, "averaged twice")],
)
def test_a_network_in_c(folder: Path, tmp_path: Path, mistake: int, outcome: Outcome, cause: str) -> None:
    program, answers = tmp_path / "network", tmp_path / "answers"
    subprocess.run(
        ["cc", "-O1", f"-DMISTAKE={mistake}", "-o", program, HERE / "network.c", "-lm"], check=True
    )
    answers.mkdir()
    subprocess.run([program, folder, answers, *PROBLEMS], check=True)
    found, causes = judged(folder, answers)
    assert found.verdict is outcome
    assert not cause or cause in causes[0]


@pytest.mark.skipif(shutil.which("rustc") is None, reason="needs rustc")
def test_a_network_in_rust(folder: Path, tmp_path: Path) -> None:
    program = tmp_path / "network"
    subprocess.run(["rustc", "--edition", "2021", "-O", "-o", program, HERE / "network.rs"], check=True)
    for mistake, outcome, cause in [
        ("none", Outcome.PASS, ""),
        ("labels", Outcome.FAIL, "the labels are one too high"),
        ("twice", Outcome.FAIL, "derivative is taken twice"),
    ]:
        answers = tmp_path / mistake
        subprocess.run([program, folder, answers, mistake, *PROBLEMS], check=True)
        found, causes = judged(folder, answers)
        assert found.verdict is outcome
        assert not cause or cause in causes[0]


@pytest.mark.parametrize("reader", ["reader.js", "reader.h", "reader.rs"])
def test_a_reader_is_under_a_hundred_lines(reader: str) -> None:
    assert len((HERE / reader).read_text().splitlines()) < 100


# --- the zoo, by the vectors alone: a sample here, all of it with python -m tests.support.vector_answers


def test_no_right_network_of_the_zoo_is_given_away() -> None:
    right = load_class(Target(str(default_folder() / "student.py"), "StudentMLP"))
    assert vector_answers.first_failure(right, PROBLEMS) == ""


@pytest.mark.parametrize(
    ("name", "tensor"),
    [
        ("BiasAveragedTwice", "db4"),
        ("LogOfShiftedProbability", "loss"),
        ("TanhDerivativeOfPreActivation", "dW3"),
        ("HalfWeightDecay", "sgd with weight decay, step 1"),
        ("EpsInsideTheRoot", "adam"),
    ],
)
def test_a_mutant_of_the_zoo_is_given_away_by_the_tensor_it_spoils(name: str, tensor: str) -> None:
    [entry] = [one for one in vector_answers.mutants() if one.name == name]
    assert tensor in vector_answers.first_failure(vector_answers.load(entry), PROBLEMS)


# --- what is not an answer


def test_no_answers_are_inconclusive_and_each_is_named(folder: Path, tmp_path: Path) -> None:
    found, _ = judged(folder, tmp_path)
    assert found.verdict is Outcome.INCONCLUSIVE
    assert found.problems[0].sides[1].not_offered == (f"{next(iter(PROBLEMS))}: no answer",)


@pytest.mark.parametrize(
    ("header", "numbers", "said"),
    [
        ("{", b"", "cannot be read"),
        ("[]", b"", "tensors: "),
        ('{"tensors": [{"name": "loss"}]}', b"", "tensors: "),
        (
            '{"tensors": [{"name": "loss", "dtype": "float64", "shape": [], "offset": 0}]}',
            b"1234",
            "the file's end",
        ),
        (
            '{"tensors": [{"name": "loss", "dtype": "float64", "shape": [-1], "offset": 0}]}',
            b"",
            "shape of numbers from 0",
        ),
    ],
)
def test_a_malformed_answer_is_refused_in_one_sentence(
    folder: Path, tmp_path: Path, header: str, numbers: bytes, said: str
) -> None:
    name = next(iter(PROBLEMS))
    (tmp_path / f"{name}.json").write_text(header)
    (tmp_path / f"{name}.bin").write_bytes(numbers)
    with pytest.raises(InputError, match=said):
        vectors.judge(folder, tmp_path)


def test_vectors_of_another_version_are_refused(tmp_path: Path) -> None:
    (tmp_path / vectors.INDEX).write_text('{"version": 99}')
    with pytest.raises(InputError, match="expected version 1, found 99"):
        vectors.judge(tmp_path, tmp_path)


# --- the numbers of this version ----------------------------------------------------------------------------


def test_the_kink_is_expected_as_worked_out_on_paper() -> None:
    """z1 = [[0, -5], [2.5, 0]], logits = [[0.5, 0.25], [3, 1.5]]: the slopes at both zeros are open."""
    rows = {name: (low, high) for name, low, high, _ in vectors.expected(PROBLEMS["kink"])}

    def holds(name: str, low: Any, high: Any = None) -> None:
        np.testing.assert_allclose(rows[name][0], low, rtol=1e-15, atol=1e-300)
        np.testing.assert_allclose(rows[name][1], low if high is None else high, rtol=1e-15, atol=1e-300)

    holds("z1", [[0.0, -5.0], [2.5, 0.0]])
    holds("logits", [[0.5, 0.25], [3.0, 1.5]])
    assert rows["loss"][0] <= 1.65625 <= rows["loss"][1]
    holds("delta2", [[0.125, 0.625], [1.0, 0.5]])
    holds("dW2", [[2.5, 1.25], [0.0, 0.0]])
    holds("db2", [1.125, 1.125])
    # delta2 W2^T = [[0.4375, 1.0625], [1.25, -0.5]]
    holds("delta1", [[0.0, 0.0], [1.25, -0.5]], [[0.4375, 0.0], [1.25, 0.0]])
    holds("dW1", [[2.5, -1.0], [0.375, -0.5]], [[2.9375, 0.0], [1.25, 0.0]])
    holds("db1", [1.25, -0.5], [1.6875, 0.0])


def test_saturated_and_tiny_problems_have_logits_of_the_size_that_they_are_named_for() -> None:
    for name, problem in PROBLEMS.items():
        word, _, loss = name.partition("-")
        if word in ("saturated", "tiny"):
            (W, b) = problem.weights[0]
            size = {"saturated": 300.0, "tiny": 1e-8}[word]
            assert np.sqrt(np.mean(W**2)) == pytest.approx(size, rel=0.5)
            assert np.sqrt(np.mean(b**2)) == pytest.approx(size, rel=0.9)
            assert problem.architecture.loss.replace("_", "-") == loss
            assert (problem.architecture.layer_sizes, len(problem.x)) == ((4, 3), 6)
            assert set(np.unique(problem.targets)) <= ({0, 1, 2} if loss == "cross-entropy" else {0.0, 1.0})
            assert np.std(problem.x) == pytest.approx(1.0, rel=0.5)
    assert len({one.x.tobytes() for name, one in PROBLEMS.items()}) == len(PROBLEMS)


def test_the_seed_decides_the_problems_and_those_of_the_files_are_of_seed_zero(tmp_path: Path) -> None:
    zero, again, three = (dict(vectors.problems(*seed)) for seed in ((), (0,), (3,)))
    for name in PROBLEMS:
        np.testing.assert_array_equal(zero[name].x, again[name].x)
        assert name == "kink" or not np.isclose(zero[name].x, three[name].x).any()


def an_entry(**changes: object) -> vectors.Entry:
    entry = vectors.Entry("loss", "float64", (2, 3), "answer", 8)
    return replace(entry, **changes)  # type: ignore[arg-type]  # one field each


@pytest.mark.parametrize(
    "changes", [{"offset": None}, {"offset": -8}, {"shape": (-2, -3)}, {"offset": None, "low": -8}]
)
def test_a_tensor_begins_at_an_offset_from_zero_and_has_a_shape_of_such_numbers(
    changes: dict[str, object],
) -> None:
    with pytest.raises(InputError, match="loss: expected an offset and a shape of numbers from 0"):
        _ = an_entry(**changes).start
    assert an_entry().start == 8
    assert an_entry(offset=0, low=16).start == 0
    assert an_entry(offset=None, low=16).start == 16
    assert an_entry(shape=(0, 3)).start == 8


def test_numbers_may_end_where_the_file_does_and_no_further() -> None:
    data = np.arange(7.0).tobytes()
    np.testing.assert_array_equal(vectors._array(an_entry(), data, "it"), np.arange(1.0, 7.0).reshape(2, 3))
    with pytest.raises(
        InputError, match=r"it\.bin: loss: expected 6 numbers at byte 8, found the file's end"
    ):
        vectors._array(an_entry(), data[:-1], "it")
    assert vectors._array(an_entry(shape=()), data, "it") == 1.0


def test_steps_are_judged_as_far_as_each_has_its_gradient_and_its_weights() -> None:
    problem = PROBLEMS["tanh-mse-float64"]
    names = [name for name, _ in named(problem.weights)]
    arrays = {name: np.full(value.shape, float(i)) for i, (name, value) in enumerate(named(problem.weights))}
    answer = {f"d{name}": value for name, value in arrays.items()}
    assert vectors.as_trace(problem, answer).gradients == {}
    answer |= {step_name("adam", step, name): arrays[name] for step in (1, 2, 3) for name in names}
    assert {rule: len(taken) for rule, taken in vectors.as_trace(problem, answer).gradients.items()} == {
        "adam": 1
    }
    answer |= {
        step_name("adam", step, f"d{name}"): 10.0 * step + arrays[name] for step in (2, 3) for name in names
    }
    ((_, taken),) = vectors.as_trace(problem, answer).gradients.items()
    assert [float(W[0, 0]) for ((W, _), *_) in taken] == [0.0, 20.0, 30.0]
    assert [float(b[0]) for ((_, b), *_) in taken] == [1.0, 21.0, 31.0]
    del answer[step_name("adam", 2, names[-1])]
    assert len(vectors.as_trace(problem, answer).gradients["adam"]) == 1


def test_a_file_of_answers_that_is_too_large_is_not_read(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    size = (folder / "kink.bin").stat().st_size
    monkeypatch.setattr(vectors, "MOST_BYTES", size)
    assert vectors.read(folder, "kink")
    monkeypatch.setattr(vectors, "MOST_BYTES", size - 1)
    with pytest.raises(InputError, match=r"kink\.bin: expected at most"):
        vectors.read(folder, "kink")


def test_only_a_folder_with_an_index_is_one_of_vectors(folder: Path, tmp_path: Path) -> None:
    assert vectors.is_folder(folder)
    assert not vectors.is_folder(tmp_path)
    with pytest.raises(InputError, match="answers: expected a folder with the answers"):
        vectors.judge(folder, tmp_path / "nothing")
