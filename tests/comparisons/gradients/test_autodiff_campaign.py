"""The campaign for derivatives that frameworks make: a sample of it, and its table."""

from pathlib import Path

import pytest
from rich.console import Console

from backproof.comparisons.gradients import autodiff_campaign, autodiff_chapter, autodiff_terminal
from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign, Judgements
from backproof.comparisons.report.document import Results, all_outcomes, load, save
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.autodiff import check_autodiff
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference import torch_functions


@pytest.fixture(scope="module")
def campaign() -> AutodiffCampaign:
    return autodiff_campaign.run(["torch", "jax"], 2, 1, 0, Silent())


def test_no_right_derivative_fails_and_no_wrong_one_passes(campaign: AutodiffCampaign) -> None:
    assert campaign.verdict == Outcome.PASS
    for right, *wrong in campaign.frameworks.values():
        assert (right.cases, right.passed) == (2, 2)
        assert [one.failed for one in wrong] == [1] * len(autodiff_campaign.ORDERS)


def test_the_table_has_a_line_for_every_kind_of_mistake(campaign: AutodiffCampaign) -> None:
    console = Console(width=100, record=True)
    autodiff_terminal.render(campaign, console)
    text = console.export_text()
    assert all(kind in text for kind in autodiff_campaign.ORDERS)


@pytest.mark.parametrize("name", [*torch_functions.CASES][::4])
def test_no_right_function_of_torch_fails(name: str) -> None:
    f, args = torch_functions.case(name, 1)
    assert check_autodiff(f, *args).outcome == Outcome.PASS


def _judged(kind: str, **counts: int) -> AutodiffCampaign:
    row = Judgements(kind, told=("relu: <FAIL>: off",), **counts)
    return AutodiffCampaign(row.verdict, {"torch": (row,)}, 0)


@pytest.mark.parametrize(
    ("kind", "counts", "verdict"),
    [
        ("", {"cases": 3, "passed": 2, "refused": 1}, Outcome.PASS),
        ("", {"cases": 3, "passed": 2, "failed": 1}, Outcome.FAIL),
        ("sign", {"cases": 3, "failed": 3}, Outcome.PASS),
        ("sign", {"cases": 3, "failed": 2, "passed": 1}, Outcome.FAIL),
        ("sign", {}, Outcome.INCONCLUSIVE),
    ],
)
def test_a_right_one_that_fails_or_a_wrong_one_that_passes_decides(
    kind: str, counts: dict[str, int], verdict: Outcome
) -> None:
    found = _judged(kind, **counts)
    assert found.verdict == verdict
    assert all_outcomes(Results(autodiff=found)) == [verdict]  # and with that the exit code


def test_what_is_refused_at_second_order_is_counted_apart() -> None:
    tally = autodiff_campaign._right("torch", torch_functions, ["EmbeddingBag"], 0)
    assert (tally.cases, tally.refused, tally.open) == (1, 1, 0)
    assert "the first derivative alone was judged" in tally.told[0]


def test_results_keep_it_and_the_page_shows_it(campaign: AutodiffCampaign, tmp_path: Path) -> None:
    save(Results(autodiff=campaign), tmp_path / "results.json")
    again = load(tmp_path / "results.json").autodiff
    assert again == campaign
    section = autodiff_chapter.build(again)
    assert section is not None
    assert section.verdict == Outcome.PASS
    assert section.under == "gradients"
    assert all(f"PyTorch, {kind}" in section.html for kind in ("right", *autodiff_campaign.ORDERS))


def test_the_page_tells_what_came_out_otherwise_and_escapes_it() -> None:
    section = autodiff_chapter.build(_judged("sign", cases=2, passed=1, failed=1))
    assert section is not None
    assert "relu: &lt;FAIL&gt;: off" in section.html
    assert autodiff_chapter.build(None) is None


def test_a_file_from_before_it_has_none(tmp_path: Path) -> None:
    save(Results(), tmp_path / "results.json")
    text = (tmp_path / "results.json").read_text(encoding="utf-8")
    older = "\n".join(line for line in text.splitlines() if '"autodiff"' not in line)
    (tmp_path / "results.json").write_text(older, encoding="utf-8")
    assert load(tmp_path / "results.json").autodiff is None
