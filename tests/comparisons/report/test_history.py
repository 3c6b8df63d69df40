"""Runs over time: in the order of their dates, each a point, and never fewer than two."""

from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons import cli
from backproof.comparisons.report import document, history, write
from backproof.scratch.errors import InputError
from tests.support.page_reader import figure_data, read
from tests.support.sample_results import ENVIRONMENT, failing, passing


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Three runs; the names are not in the order of the dates."""
    for name, day in (("b", 1), ("a", 2), ("c", 3)):
        (tmp_path / name).mkdir()
        run = replace(passing(), environment=replace(ENVIRONMENT, date=f"2026-01-0{day}T00:00:00+00:00"))
        document.save(run, tmp_path / name / document.FILE)
    return tmp_path


def test_runs_are_in_the_order_of_their_dates(folder: Path) -> None:
    assert [Path(name).name for name, _ in history.collect(folder)] == ["b", "a", "c"]


def test_every_run_is_a_point_of_every_line(folder: Path) -> None:
    page = read(write.draw_history(folder).read_text(encoding="utf-8"))
    accuracy, speed = (figure_data(figure)["data"] for figure in page.all("figure"))
    assert [line["name"] for line in accuracy] == ["NumPy", "PyTorch", "JAX"]
    assert [line["name"] for line in speed] == ["PyTorch", "JAX", "scikit-learn"]
    assert {len(line["x"]) for line in [*accuracy, *speed]} == {3}


def test_one_run_is_no_history(tmp_path: Path) -> None:
    document.save(passing(), tmp_path / document.FILE)
    with pytest.raises(InputError, match="expected two or more"):
        history.collect(tmp_path)


# --- the command


def test_the_command_draws_the_history(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", "--history", str(folder)]) == 0
    assert capsys.readouterr().out.strip().endswith("history.html")
    assert (folder / "history.html").exists()


def test_the_command_compares_two_runs(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    document.save(failing(), folder / "c" / document.FILE)
    assert cli.run(["report", str(folder / "a"), str(folder / "c")]) == 1
    printed = capsys.readouterr().out
    assert "34 of 34" in printed
    assert "changed" in printed
    assert max(len(line) for line in printed.splitlines()[2:]) <= 80
    assert not (folder / "c" / "report.html").exists()


def test_the_command_prints_markdown(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert cli.run(["report", str(folder / "a"), "--markdown"]) == 0
    assert "| gradient checks passed | 34 of 34 |" in capsys.readouterr().out
