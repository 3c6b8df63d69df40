"""Writing results: parts of several commands come together in one folder, and the report is drawn again."""

from dataclasses import replace
from pathlib import Path

import pytest

from backproof.comparisons.report import write
from backproof.comparisons.speed.result import ProcessorKind
from tests.support import sample_results


def test_merging_keeps_the_parts_of_other_commands(tmp_path: Path) -> None:
    write.merge(tmp_path, "backproof", plan=sample_results.PLAN, gradients=sample_results.gradients())
    merged = write.merge(tmp_path, "backproof numerical", numerical=sample_results.numerical())
    assert merged.gradients == sample_results.gradients()
    assert merged.plan == sample_results.PLAN


def test_a_speed_of_another_kind_of_processor_stays_beside_the_new_one(tmp_path: Path) -> None:
    here = sample_results.speed()
    there = replace(here, kind=ProcessorKind("another", {}))
    write.merge(tmp_path, "backproof speed", speed=there)
    merged = write.merge(tmp_path, "backproof speed", speed=here).speed
    assert merged == replace(here, others=(there,))
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert "Kinds of processors" in page
    again = write.merge(tmp_path, "backproof speed", speed=there).speed
    assert again == replace(there, others=(here,))


def test_a_part_merged_as_none_is_dropped(tmp_path: Path) -> None:
    write.merge(tmp_path, "one", gradients=sample_results.gradients())
    assert write.merge(tmp_path, "two", gradients=None).gradients is None


def test_merging_remembers_which_command_made_each_part(tmp_path: Path) -> None:
    write.merge(tmp_path, "backproof --quick", gradients=sample_results.gradients())
    merged = write.merge(tmp_path, "backproof numerical", numerical=sample_results.numerical())
    commands = {name: run.command for name, run in merged.runs.items()}
    assert commands == {"gradients": "backproof --quick", "numerical": "backproof numerical"}


def test_merging_draws_the_report_again(tmp_path: Path) -> None:
    write.merge(tmp_path, "backproof", gradients=sample_results.gradients())
    assert "</html>" in (tmp_path / "report.html").read_text(encoding="utf-8")


def test_a_misspelt_part_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"got gradient$"):
        write.merge(tmp_path, "backproof", gradient={})


def test_a_dropped_part_is_no_longer_credited_to_a_command(tmp_path: Path) -> None:
    write.merge(tmp_path, "one", gradients=sample_results.gradients())
    assert write.merge(tmp_path, "two", gradients=None).runs == {}


def test_the_report_links_to_the_lessons_page_only_where_there_is_one(tmp_path: Path) -> None:
    write.merge(tmp_path, "backproof lessons xor", lessons=(sample_results.a_lesson(),))
    report = tmp_path / "report.html"
    assert "lessons.html" not in report.read_text(encoding="utf-8")
    (tmp_path / "lessons.html").touch()
    write.merge(tmp_path, "backproof lessons xor", lessons=(sample_results.a_lesson(),))
    assert 'href="lessons.html#xor"' in report.read_text(encoding="utf-8")
