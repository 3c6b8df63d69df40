"""`backproof speed`: options refused in a sentence, a small run through the real entry point, its page."""

import io
import json
import platform
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from rich.console import Console

from backproof.comparisons import cli
from backproof.comparisons.commands import speed as command
from backproof.comparisons.report import document as results
from backproof.comparisons.report import page as html
from backproof.comparisons.results import cells
from backproof.comparisons.results.codec import encode
from backproof.comparisons.running.environment import processor
from backproof.comparisons.speed import kinds, ratios
from backproof.comparisons.speed import terminal as speed_tables
from backproof.comparisons.speed.result import Finding

SMALL = [
    "--cases",
    "64-8-10/20/sgd",
    "--cases",
    "64-8-8-10/20/adam",
    "--data",
    "digits",
    "--contender",
    "torch",
]


def backproof(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "backproof.comparisons", "speed", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=300, check=False)


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--division", "heavy"], "division: expected one of matched, idiomatic, all; got 'heavy'"),
        (["--kernels", "mine"], "kernels: expected one of own, environment, avx2; got 'mine'"),
        (["--rounds", "0"], "rounds: expected at least 1, got 0"),
        (["--launches", "1", "--rounds", "1"], "rounds: expected at least 2 where there is one launch"),
        (["--seed", "-1"], "seed: expected at least 0, got -1"),
        (["--threads", "0"], "threads: expected at least 1, got 0"),
        (["--threads", "4096"], "threads: expected at most"),
        (["--round-seconds", "nan"], "round-seconds: expected more than 0 and at most 60, got nan"),
        (["--cases", "784"], "cases: expected LAYERS/BATCH/OPTIMIZER"),
        (["--contender", "theano"], "contender: expected one of"),
    ],
)
def test_a_bad_option_is_refused_in_one_sentence(
    arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert cli.run(["speed", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.fixture(scope="module")
def small_run(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, subprocess.CompletedProcess[str]]:
    out = tmp_path_factory.mktemp("speed")
    run = backproof(*SMALL, "--launches", "1", "--rounds", "3", "--round-seconds", "0.005", "--out", str(out))
    return out, run


def test_a_small_run_ends_in_a_verdict_and_a_report(
    small_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, run = small_run
    assert run.returncode == 0, run.stderr
    part = json.loads((out / "results.json").read_text())["speed"]
    assert part["finding"] in run.stdout
    assert "PASS" not in run.stdout
    assert (out / "report.html").exists()


def test_every_turn_of_a_small_run_counted(small_run: tuple[Path, subprocess.CompletedProcess[str]]) -> None:
    part = results.load(small_run[0] / "results.json").speed
    assert part is not None
    assert {record.fault for record in part.log} == {None}
    assert len(part.log) == 2 * 3 * 5  # cases, rounds, entries


def test_each_case_has_its_ratio_noise_floor_and_parts(
    small_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    part = results.load(small_run[0] / "results.json").speed
    assert part is not None
    for case in part.cases:
        ratio = ratios.ratio(case, "torch")
        assert ratio is not None
        assert ratio.low <= ratio.median <= ratio.high
        assert case.noise is not None
        assert case.noise.floor >= 1.0
        assert case.gemm_floor is not None
        assert case.gemm_floor.median > 0
        assert case.parts is not None
        assert min(case.parts.values()) > 0


def test_the_page_and_the_table_show_what_was_measured(
    small_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    found = results.load(small_run[0] / "results.json")
    page = html.render(found)
    for title in ("Over all cases", "Where a step goes", "What each process saw"):
        assert title in page
    console = Console(width=80, record=True, file=io.StringIO())
    assert found.speed is not None
    speed_tables.render(found.speed, console)
    text = console.export_text()
    assert "…" not in text
    assert max(map(len, text.splitlines())) <= 80


@pytest.mark.parametrize(
    ("finding", "fail_if_slower", "code"),
    [
        (Finding.FASTER, False, 0),
        (Finding.SAME, False, 0),
        (Finding.SLOWER, False, 0),
        (Finding.FASTER, True, 0),
        (Finding.SAME, True, 0),
        (Finding.SLOWER, True, 1),
        (None, False, 3),
        (None, True, 3),
    ],
)
def test_measured_is_a_success_and_slower_a_failure_only_where_that_was_asked(
    finding: Finding | None, fail_if_slower: bool, code: int
) -> None:
    assert command.exit_code(finding, fail_if_slower) == code


def test_the_data_are_named_in_the_results_the_terminal_and_the_page(
    small_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, run = small_run
    part = results.load(out / "results.json").speed
    assert part is not None
    assert {case.data.says for case in part.cases} == {"scikit-learn's digits"}
    assert "Timed on scikit-learn's digits." in " ".join(run.stdout.split())
    assert "Timed on scikit-learn&#39;s digits" in (out / "report.html").read_text(encoding="utf-8")


def test_the_processor_and_its_kernels_are_kept_and_said(
    small_run: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, run = small_run
    part = results.load(out / "results.json").speed
    assert part is not None
    assert part.kind is not None
    assert part.kind.processor == processor()
    assert part.kind.kernels == part.reports["scratch, 1"].kernels
    assert f"On {kinds.words(part.kind)}" in " ".join(run.stdout.split())


def test_other_kernels_are_measured_into_the_same_folder_without_being_mixed(
    small_run: tuple[Path, subprocess.CompletedProcess[str]], tmp_path: Path
) -> None:
    out = tmp_path / "out"
    shutil.copytree(small_run[0], out)
    words = ("--cases", "64-8-10/20/sgd", "--data", "digits", "--contender", "torch", "--contender", "jax")
    run = backproof(
        *words,
        "--kernels",
        "avx2",
        "--launches",
        "1",
        "--rounds",
        "2",
        "--round-seconds",
        "0.005",
        "--out",
        str(out),
    )
    if platform.machine().lower() not in ("x86_64", "amd64"):
        assert "expects a processor of the x86-64 family" in run.stderr
        return
    assert run.returncode == 0, run.stderr
    part = results.load(out / "results.json").speed
    before = results.load(small_run[0] / "results.json").speed
    assert part is not None
    assert before is not None
    *chosen, held = (part, *part.others)
    assert held.kernels.chosen_by == "this command"
    assert "nothing holds them to AVX2" in cells.reason(held.cases[0].ratios["jax"])
    assert not any(map(kinds.of_avx512, held.reports["scratch, 1"].kernels.values()))
    assert [one.kind for one in chosen] == ([before.kind] if before.kind != held.kind else [])
    assert [encode(one.log) for one in chosen] == [encode(before.log)] * len(chosen)


def test_in_a_folder_of_files_called_like_modules_it_does_what_it_does_elsewhere(tmp_path: Path) -> None:
    for name in ("scratch", "comparisons", "reference", "numpy", "inspect", "json", "torch"):
        (tmp_path / f"{name}.py").write_text("raise RuntimeError('a file of the user was imported')\n")
    options = ["--cases", "64-4-10/20/sgd", "--data", "digits", "--contender", "torch", "--launches", "1"]
    program = Path(sys.executable).with_name("backproof")
    run = subprocess.run(
        [program, "speed", *options, "--rounds", "2", "--round-seconds", "0.002", "--out", "out"],
        capture_output=True, text=True, timeout=300, check=False, cwd=tmp_path,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    part = results.load(tmp_path / "out" / "results.json").speed
    assert part is not None
    assert ratios.ratio(part.cases[0], "torch") is not None
