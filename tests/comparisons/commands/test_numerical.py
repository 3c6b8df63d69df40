"""`backproof numerical` as a user has it: its table, its chapter, bad input in one sentence."""

from pathlib import Path

import pytest

from backproof.comparisons.cli import run as command_line
from backproof.comparisons.numerical import chapter as section
from backproof.comparisons.numerical import ladder
from backproof.comparisons.report import document as results


def test_the_command_prints_the_table_and_writes_the_chapter(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ladder, "LEAST", 0.0)
    arguments = ["--data", "digits", "--hidden", "4", "--steps", "5", "--no-ladder", "--out", str(tmp_path)]
    assert command_line(["numerical", *arguments]) == 0
    assert "structured differences" in capsys.readouterr().out
    loaded = results.load(tmp_path / "results.json")
    chapter = section.build(loaded.numerical)
    assert chapter is not None
    assert chapter.verdict == "PASS"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--hidden", "0"], "hidden: expected at least 1, got 0"),
        (["--steps", "-3"], "steps: expected at least 1, got -3"),
        (["--learning-rate", "nan"], "learning-rate: expected more than 0 and at most 1e+06, got nan"),
        (["--step", "0"], "step: expected more than 0 and at most 1, got 0"),
        (["--momentum", "1"], "momentum: expected at least 0 and at most 0.999, got 1"),
        (["--differences", "layers"], "differences: expected one of entries, units; got 'layers'"),
        (["--data", "cifar"], "data: expected one of auto, mnist, digits; got 'cifar'"),
    ],
)
def test_bad_input_is_one_sentence_and_exit_code_2(
    arguments: list[str], message: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command_line(["numerical", "--out", str(tmp_path), *arguments]) == 2
    assert f"backproof: --{message}" in capsys.readouterr().err
    assert list(tmp_path.iterdir()) == []
