"""The campaign for derivatives that frameworks make: a sample of it, and its table."""

import pytest
from rich.console import Console

from backproof.comparisons.gradients import autodiff_campaign, autodiff_terminal
from backproof.comparisons.gradients.autodiff_campaign import AutodiffCampaign
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
