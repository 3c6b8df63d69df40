"""`backproof gradients` in a terminal: the checks in one line each kind, the campaign, the sensitivity."""

from collections.abc import Callable, Sequence
from math import isfinite, isnan

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.table import Table
from rich.text import Text

from backproof.comparisons.drawing import formats
from backproof.comparisons.drawing.terminal import heading, verdict_text
from backproof.comparisons.gradients import step_sizes_terminal as step_size_terminal
from backproof.comparisons.gradients.result import (
    Campaign,
    CampaignRow,
    Check,
    Gradcheck,
    Gradients,
    Sensitivity,
    SensitivityRow,
    StepSizes,
)
from backproof.comparisons.gradients.words import compared
from backproof.comparisons.verdicts.outcome import Outcome, worst


def render(
    found: Gradients,
    steps: StepSizes | None,
    campaign: Campaign | None,
    sensitivity: Sensitivity | None,
    console: Console,
) -> None:
    """Print what `backproof gradients` found; made for 80 columns."""
    console.print(heading("Gradient checks"))
    console.print(_checks(found.compared))
    for check in found.compared:
        if check.verdict != Outcome.PASS:
            console.print(_trouble(check))
    if steps is not None:
        console.print(heading("Step sizes: error at the default step, slopes found (and predicted)"))
        console.print(step_size_terminal.table(steps))
    if campaign is not None:
        console.print(heading(_campaign_title(campaign)))
        console.print(_campaign(campaign))
        console.print(_campaign_words(campaign))
    if sensitivity is not None:
        console.print(heading("Sensitivity: one tensor of a correct gradient made wrong"))
        console.print(_sensitivity(sensitivity))
        console.print(verdict_text(sensitivity.verdict))


def _table(columns: Sequence[str], n_names: int) -> Table:
    """The first `n_names` columns hold names; numbers never wrap."""
    table = Table(box=SIMPLE_HEAD, show_edge=False, padding=(0, 1), pad_edge=False)
    for i, column in enumerate(columns):
        table.add_column(column, justify="left" if i < n_names else "right", no_wrap=True)
    return table


def _checks(checks: list[Check]) -> Table:
    table = _table(("Verdict", "Compared", "Checks", "Of bound", "Resolution"), 2)
    kinds: dict[str, list[Check]] = {}
    for check in checks:
        kinds.setdefault(compared(check), []).append(check)
    for kind, members in kinds.items():
        shares = [share for member in members if (share := member.used) is not None]
        resolutions = [member.resolution for member in members if isfinite(member.resolution)]
        table.add_row(
            verdict_text(worst([member.verdict for member in members])),
            kind,
            str(len(members)),
            formats.percent(max(shares), 1) if shares else formats.ABSENT,
            f"{max(resolutions):.0e}" if resolutions else formats.ABSENT,
        )
    return table


def _trouble(check: Check) -> Text:
    words = f"{compared(check)}, {check.architecture}: {check.reason}"
    return Text("  ").append_text(verdict_text(check.verdict)).append(f" {words}")


def _campaign_title(campaign: Campaign) -> str:
    ended = ", stopped early" if campaign.interrupted else ""
    return (
        f"Campaign: {campaign.n_cases:,} correct networks in {formats.seconds(campaign.seconds)}, "
        f"{campaign.workers} workers{ended}"
    )


def _campaign(campaign: Campaign) -> Table:
    columns = ("Family", "Judged", "False", "Open", "Resolution", "Slack", "gradcheck")
    table = _table(columns, 1)
    for row in (*campaign.families, *campaign.dtypes, campaign.totals):
        ours = row.contenders.values()
        table.add_row(
            f"{row.family} {row.dtype}",
            f"{sum(one.cases for one in ours):,}",
            str(sum(one.false_alarms for one in ours)),
            _undecided(row),
            max((_short(one.median_resolution) for one in ours), default=formats.ABSENT),
            max((_whole(one.median_bound_over_error) for one in ours), default=formats.ABSENT),
            failed_share(row.gradcheck),
        )
    return table


def _undecided(row: CampaignRow) -> str:
    ours = row.contenders.values()
    entries = sum(one.entries for one in ours)
    return formats.percent(sum(one.inconclusive_entries for one in ours) / entries, 3) if entries else "–"


def failed_share(gradcheck: Gradcheck) -> str:
    """The share of correct gradients that gradcheck fails: ``47.0%``."""
    if not gradcheck.cases:
        return formats.ABSENT
    return formats.percent(gradcheck.failed / gradcheck.cases, 1)


def _campaign_words(campaign: Campaign) -> Text:
    ours = campaign.totals.contenders.values()
    largest = max(one.largest_error_over_bound for one in ours)
    spoiled, missed = (sum(getattr(one, name) for one in ours) for name in ("spoiled", "missed"))
    zeros, passed = (sum(getattr(one, name) for one in ours) for name in ("zeros", "zeros_passed"))
    words = (
        " Scratch and torch are both judged. False: correct gradients that failed. Open: entries not "
        "decided. "
        "gradcheck: the share of "
        f"the first {campaign.gradcheck_per_cell} cases of each cell that it fails at its defaults. "
        "Resolution and slack (bound / error) are medians over the networks; the largest error is "
        f"{formats.percent(largest, 1)} of its bound. Of {spoiled:,} gradients with one tensor wrong by ten "
        f"times the resolution {missed:,} were missed; of {zeros:,} gradients of zeros {passed:,} passed."
    )
    return verdict_text(campaign.verdict).append(words)


def _sensitivity(sensitivity: Sensitivity) -> Table:
    table = _table(("Dtype", "Family", "Draws", "Zero", "Target", "Caught", "Smallest", "gradcheck"), 2)
    for row in sensitivity.rows:
        table.add_row(
            row.dtype,
            row.family,
            f"{row.draws:,}",
            f"{row.zero_gradients:,}",
            f"{row.target:.0e}",
            formats.percent(row.caught_at_target, 2) if row.draws else formats.ABSENT,
            _short(row.smallest_caught),
            gradcheck_words(row, _short),
        )
    return table


def gradcheck_words(row: SensitivityRow, write: Callable[[float | None], str]) -> str:
    """The smallest relative error that gradcheck catches in 99% of the draws, where it accepts the truth."""
    if not row.gradcheck_draws:
        return "fails all" if row.gradcheck_rejected_correct else formats.ABSENT
    return write(row.gradcheck_smallest_caught) if row.gradcheck_smallest_caught else "none"


def _short(value: float | None) -> str:
    return formats.ABSENT if value is None or isnan(value) else f"{value:.0e}"


def _whole(value: float | None) -> str:
    return formats.ABSENT if value is None or isnan(value) else f"{value:,.0f}"
