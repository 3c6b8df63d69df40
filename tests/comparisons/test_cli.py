"""The command line through its real entry point, as a user has it: output, files, exit codes."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import typer

from backproof.comparisons import cli
from backproof.comparisons.data import dataset as data
from backproof.comparisons.report import document as results
from backproof.comparisons.running.errors import Interrupted
from tests.support import sample_results
from tests.support.idx_files import labels_file, small_files, write

BACKPROOF = shutil.which("backproof", path=str(Path(sys.executable).parent)) or "backproof is not installed"
# A small main job: every part runs, nothing takes long.
SMALL = ("--data", "digits", "--quick", "--seeds", "2", "--epochs", "1", "--layers", "64,8,10")
WRONG = """
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP

class Wrong(ScratchMLP):
    def loss_and_gradient(self, x, targets):
        loss, gradient = super().loss_and_gradient(x, targets)
        return loss, [(weight * 1.001, bias) for weight, bias in gradient]
"""


def environment(home: Path) -> dict[str, str]:
    """No MNIST in the environment or the cache, and no network: every connection is refused."""
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:9")
    kept = {name: value for name, value in os.environ.items() if name not in ("BACKPROOF_DATA", "NO_PROXY")}
    return {**kept, **nowhere, "XDG_CACHE_HOME": str(home), "COLUMNS": "80"}


def backproof(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    assert BACKPROOF, "backproof is not installed beside this Python; run: python -m pip install -e '.[test]'"
    return subprocess.run(
        [BACKPROOF, *arguments],
        capture_output=True,
        text=True,
        cwd=folder,
        env=environment(folder),
        timeout=300,
    )


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[subprocess.CompletedProcess[str], Path]:
    """One main job on the digits, with a contender whose gradient is 0.1% wrong, and its folder."""
    folder = tmp_path_factory.mktemp("small")
    (folder / "wrong.py").write_text(WRONG)
    return backproof(folder, *SMALL, "--contender", "wrong.py:Wrong", "--out", "out"), folder / "out"


def refused(process: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a refusal: exit code 2, no traceback, nothing on stdout."""
    assert process.returncode == 2, process.stderr
    assert "Traceback" not in process.stderr
    assert process.stdout == ""
    said = [line for line in process.stderr.splitlines() if line.startswith("backproof: ")]
    return said[-1]


# --- the main job


def test_a_wrong_gradient_ends_the_main_job_with_exit_code_one(small_run: Any) -> None:
    process, _ = small_run
    assert process.returncode == 1, process.stderr


def test_the_wrong_contender_fails_and_scratch_passes(small_run: Any) -> None:
    _, out = small_run
    part = results.load(out / "results.json").gradients
    assert part is not None
    failing = {check.contender for check in part.compared if check.verdict == "FAIL"}
    assert failing == {"wrong.py:Wrong"}


def test_the_cause_is_looked_for_and_stands_above_the_numbers(small_run: Any) -> None:
    process, out = small_run
    part = results.load(out / "results.json").check
    assert part is not None
    assert [checked.target for checked in part.classes] == ["wrong.py:Wrong"]
    assert part.classes[0].causes
    first = part.classes[0].causes[0].sentence.split(":")[0]
    assert first[:30] in " ".join(process.stdout.split())


def test_the_results_hold_every_part_and_the_exact_command(small_run: Any) -> None:
    _, out = small_run
    found = results.load(out / "results.json")
    assert None not in (found.gradients, found.accuracy, found.speed)
    assert found.plan is not None
    assert found.plan.command == f"backproof {' '.join(SMALL)} --contender wrong.py:Wrong --out out"


def test_the_report_goes_to_stdout_and_the_progress_to_stderr(small_run: Any) -> None:
    process, _ = small_run
    assert "Same maths?" in process.stdout
    assert "gradients: FAIL" in process.stderr
    assert "Same maths?" not in process.stderr


def test_eighty_columns_are_enough_for_the_report(small_run: Any) -> None:
    process, _ = small_run
    # The last line is the address of the page, which is never broken.
    assert max(len(line) for line in process.stdout.splitlines()[:-1]) <= 80


def test_the_report_can_be_drawn_again_the_same(small_run: Any, tmp_path: Path) -> None:
    first, out = small_run
    again = backproof(tmp_path, "report", str(out / "results.json"), "--out", "again")
    assert again.returncode == 1  # the results hold a FAIL
    assert (tmp_path / "again" / "report.html").read_bytes() == (out / "report.html").read_bytes()
    assert again.stdout.splitlines()[:-1] == first.stdout.splitlines()[:-1]


def test_a_folder_can_be_named_in_place_of_its_results(small_run: Any) -> None:
    _, out = small_run
    assert backproof(out.parent, "report", "out").returncode == 1


def test_ctrl_c_keeps_the_finished_parts_and_exits_130(tmp_path: Path) -> None:
    arguments = [BACKPROOF, *SMALL, "--epochs", "400", "--out", "out"]
    # A shell starts background jobs deaf to Ctrl-C, and that is inherited; a person's shell does not.
    previous = signal.signal(signal.SIGINT, signal.default_int_handler)
    process = subprocess.Popen(
        arguments,
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=tmp_path,
        env=environment(tmp_path),
    )
    signal.signal(signal.SIGINT, previous)
    assert process.stderr is not None
    for line in process.stderr:
        if line.startswith("gradients: PASS"):
            break
    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "backproof: interrupted; finished and kept in out: gradients" in said
    assert results.load(tmp_path / "out" / "results.json").accuracy is None


# --- refusals: in this process, and some through the real entry point


@pytest.fixture
def here(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Callable[..., str]:
    """The sentence with which a command line is refused: exit code 2, nothing on stdout."""
    for name in ("BACKPROOF_DATA", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    for name, value in {**environment(tmp_path), "HYPOTHESIS_STORAGE_DIRECTORY": str(tmp_path)}.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(data, "_found", {})  # this process may have found MNIST before
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)

    def refusal(*arguments: str) -> str:
        assert cli.run(list(arguments)) == 2
        printed = capsys.readouterr()
        assert printed.out == ""
        return [line for line in printed.err.splitlines() if line.startswith("backproof: ")][-1]

    return refusal


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--contender", "foo"), "--contender: expected one of scratch, torch, jax"),
        (("gradints",), "No such command 'gradints'; did you mean 'gradients'?"),
        (("speed", "--data-dir", "missing"), "missing has neither"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_the_program_refuses_as_the_function_does(
    tmp_path: Path, here: Callable[..., str], arguments: tuple[str, ...], sentence: str
) -> None:
    said = refused(backproof(tmp_path, *arguments))
    assert sentence in said
    assert said == here(*arguments)


def test_a_sentence_on_a_terminal_is_never_broken_inside_a_word(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    kept = f"kept in here: gradients, accuracy, speed; the report so far: {'long/' * 20}report.html"

    def stopped(*arguments: object, **options: object) -> int:
        raise Interrupted(kept)

    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setattr(typer.main, "get_command", lambda app: stopped)
    monkeypatch.setattr("sys.stderr.isatty", lambda: True)
    assert cli.run([]) == 130
    *lines, path = capsys.readouterr().err.splitlines()
    assert " ".join([*lines, path]) == f"backproof: interrupted; {kept}"
    assert max(map(len, lines)) <= 80
    assert path.endswith("report.html")


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (("--contender", "foo"), "contender: expected one of scratch, torch, jax, tensorflow, sklearn"),
        (("--layers", "784,128,10", "--data", "digits"), "layers: digits has 64 inputs and 10 classes"),
        (("--layers", "64,0,10"), "layers: expected sizes of at least 1"),
        (("--layers", "64,-1,10"), "layers: expected sizes of at least 1"),
        (("--layers", "64;10"), "layers: expected whole numbers as in 784,128,10"),
        (("--seeds", "0"), "seeds: expected at least 1"),
        (("--epochs", "-2"), "epochs: expected at least 1"),
        (("--dtype", "float16"), "dtype: expected one of float32, float64"),
        (("--data", "mnist"), "MNIST could not be downloaded"),
        (("--data", "cifar"), "data: expected one of auto, mnist, digits"),
        (("--data-dir", "missing"), "missing has neither train-images-idx3-ubyte nor"),
        (("--data", "digits", "--data-dir", "."), "drop --data-dir"),
        (("--learning-rate", "nan"), "--learning-rate: expected more than 0 and at most"),
        (("--optimizer", "lion"), "optimizer: expected one of sgd, adam"),
        (("--quick", "data"), "--quick belongs to the main job"),
        (("--no-such-option",), "No such option"),
        (("gradints",), "No such command 'gradints'; did you mean 'gradients'?"),
        (("--contender", "PyTorch"), "--contender: expected one of"),
        (("--contender", "PyTorch"), "got 'PyTorch'; did you mean torch?"),
        (("lessons", "decent"), "did you mean descent?"),
        (("zoo", "--only", "ScheduleOneStepLater"), "did you mean ScheduleOneStepLate?"),
        (("gradients", "--workers", "0"), "--workers: expected at least 1, got 0"),
        (("no-such-command",), "No such command 'no-such-command'; see backproof --help"),
        (("speed", "--rounds", "many"), "see backproof speed --help"),
        (("report", "missing.json"), "cannot read missing.json"),
        (("data", "--data-dir", "missing"), "missing has neither"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else "",
)
def test_bad_input_is_refused_in_one_sentence_and_writes_nothing(
    tmp_path: Path, here: Callable[..., str], arguments: tuple[str, ...], sentence: str
) -> None:
    assert sentence in here(*arguments)
    assert not (tmp_path / "backproof-results").exists()


def test_mnist_without_files_or_network_says_what_to_do(here: Callable[..., str]) -> None:
    assert "--data-dir DIR, or BACKPROOF_DATA=DIR" in here("data")


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path, here: Callable[..., str]) -> None:
    (tmp_path / "file").write_text("")
    assert "out: cannot write to file" in here(*SMALL, "--out", "file/out")


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("{", "is not JSON"),
        ('{"schema_version": 1}', "expected schema_version 2, found 1"),
        ("[]", "expected an object with schema_version"),
    ],
)
def test_results_that_are_corrupt_or_of_another_schema_are_refused(
    tmp_path: Path, here: Callable[..., str], text: str, sentence: str
) -> None:
    (tmp_path / "results.json").write_text(text)
    assert sentence in here("report", "results.json")
    assert not (tmp_path / "report.html").exists()


def test_a_truncated_mnist_file_is_refused_and_not_replaced_by_the_digits(
    tmp_path: Path, here: Callable[..., str]
) -> None:
    path = write(tmp_path / "mnist", small_files()) / "train-images-idx3-ubyte.gz"
    path.write_bytes(path.read_bytes()[:-20])
    assert "truncated" in here("--data-dir", "mnist")


@pytest.mark.parametrize(
    "command", ["gradients", "accuracy", "numerical", "record", "speed", "lessons softmax-regression"]
)
def test_no_command_leaves_a_folder_behind_when_its_data_are_refused(
    tmp_path: Path, here: Callable[..., str], command: str
) -> None:
    here(*command.split(), "--data-dir", "missing", "--out", "new/out")
    assert list(tmp_path.iterdir()) == []


def test_images_and_labels_of_different_length_are_refused(tmp_path: Path, here: Callable[..., str]) -> None:
    files = {**small_files(), "t10k-labels-idx1-ubyte": labels_file(np.zeros(4))}
    write(tmp_path / "mnist", files)
    assert "holds 3 images but t10k-labels" in here("data", "--data-dir", "mnist")


# --- the rest


def test_digits_are_described(tmp_path: Path) -> None:
    process = backproof(tmp_path, "data", "--data", "digits")
    assert process.returncode == 0
    assert "1442 images of 8 x 8" in process.stdout


@pytest.mark.mnist
def test_real_mnist_files_are_checked_and_described(tmp_path: Path) -> None:
    process = backproof(tmp_path, "data", "--data-dir", os.environ["BACKPROOF_DATA"])
    assert "60000 images of 28 x 28" in process.stdout


@pytest.mark.parametrize("arguments", [("--help",), ("-h",), ("--version",), ("report", "-h")])
def test_help_and_version_exit_with_zero(tmp_path: Path, arguments: tuple[str, ...]) -> None:
    assert backproof(tmp_path, *arguments).returncode == 0


def test_every_command_of_the_list_is_in_the_help(tmp_path: Path) -> None:
    said = backproof(tmp_path, "--help").stdout
    missing = [name for name in cli.COMMANDS if name != "main_job" and f"\n  {name} " not in said]
    assert missing == []


def test_a_report_of_passing_results_exits_with_zero(tmp_path: Path) -> None:
    results.save(sample_results.passing(), tmp_path / "results.json")
    assert backproof(tmp_path, "report", "results.json").returncode == 0


def test_an_undecided_report_exits_with_three(tmp_path: Path) -> None:
    results.save(sample_results.undecided(), tmp_path / "results.json")
    assert cli.run(["report", str(tmp_path / "results.json")]) == 3


def test_results_mangled_inside_a_part_are_refused(tmp_path: Path, here: Callable[..., str]) -> None:
    document = json.loads(results_text(tmp_path))
    document["gradients"] = "not an object"
    (tmp_path / "results.json").write_text(json.dumps(document))
    assert "gradients: expected" in here("report", "results.json")


def test_results_that_lack_what_the_report_needs_are_refused(
    tmp_path: Path, here: Callable[..., str]
) -> None:
    document = json.loads(results_text(tmp_path))
    del document["gradients"]["checks"][0]["bound"]
    (tmp_path / "results.json").write_text(json.dumps(document))
    before = set(tmp_path.iterdir())
    said = here("report", "results.json", "--out", "new")
    assert "gradients.checks[0]" in said
    assert set(tmp_path.iterdir()) == before


def results_text(folder: Path) -> str:
    results.save(sample_results.passing(), folder / "sample.json")
    return (folder / "sample.json").read_text()


def test_the_help_comes_in_well_under_a_second(tmp_path: Path) -> None:
    times = []
    for _ in range(3):  # another process may take the processor in one of them
        started = time.perf_counter()
        backproof(tmp_path, "--help")
        times.append(time.perf_counter() - started)
    assert min(times) < 1.0


# --- which errors become a sentence


def _run(monkeypatch: pytest.MonkeyPatch, command: Any) -> int:
    app = typer.Typer(pretty_exceptions_enable=False)
    app.command()(lambda: command())
    monkeypatch.setattr(cli, "make_app", lambda: app)
    return cli.run([])


def test_a_checked_boundary_of_ours_becomes_a_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    from backproof.scratch.architecture import Architecture

    assert _run(monkeypatch, lambda: Architecture((3,))) == 2
    assert capsys.readouterr().err.startswith("backproof: layer_sizes: expected inputs and outputs")


def test_a_value_error_from_elsewhere_keeps_its_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(ValueError, match="invalid literal"):
        _run(monkeypatch, lambda: int("x"))


def test_an_interruption_says_what_was_kept(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def interrupted() -> int:
        raise Interrupted("kept: everything")

    assert _run(monkeypatch, interrupted) == 130
    assert capsys.readouterr().err == "backproof: interrupted; kept: everything\n"


@pytest.mark.parametrize("encoding", ["ascii", "cp1252"])
def test_a_terminal_of_another_encoding_is_no_traceback(tmp_path: Path, encoding: str) -> None:
    run = subprocess.run(
        [BACKPROOF, "lessons", "neuron", "--lang", "ko", "--data", "digits"],
        capture_output=True,
        cwd=tmp_path,
        env={**environment(tmp_path), "PYTHONIOENCODING": encoding},
        timeout=300,
        check=False,
    )
    assert run.returncode in (0, 3), run.stderr.decode(encoding)
    assert b"Traceback" not in run.stderr
