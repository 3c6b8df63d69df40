"""Same training, level by level: starts, one step, an epoch in float64, and the test of the test."""

from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.accuracy.result import (
    AccuracyResult,
    AgainstScratch,
    ComparedTrajectories,
    ErrorRates,
    Flip,
    SimulatedCase,
)
from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section

Cells = dict[str, AgainstScratch]  # by contender


def build(found: AccuracyResult | None, error_rates: ErrorRates | None) -> Section | None:
    """None where no contender was compared level by level and no error rates were simulated."""
    cells = found.compared if found else {}
    pieces = [
        _starts(cells),
        _one_step(cells),
        *(
            _course(name, cell.trajectory)
            for name, cell in cells.items()
            if isinstance(cell.trajectory, ComparedTrajectories)
        ),
        _mcnemar(found, cells) if found else Markup(""),
        _untimed(found, cells) if found else Markup(""),
        _error_rates(error_rates),
    ]
    if not any(pieces):
        return None
    return Section(
        "accuracy-details", "The same training, level by level", markup.join(pieces), nav="Level by level",
        under="accuracy",
    )  # fmt: skip


def _starts(cells: Cells) -> Markup:
    if not cells:
        return Markup("")
    first = next(iter(cells.values())).hashes.first
    rows = [
        [
            formats.label(name),
            ", ".join(cell.hashes.unequal) or "none",
            ", ".join(cell.hashes.not_offered) or "none",
            markup.badge(cell.hashes.verdict),
        ]
        for name, cell in cells.items()
    ]
    shown = ", ".join(f"{key.replace('_', ' ')} {value[:12]}…" for key, value in vars(first).items() if value)
    return Markup(
        "<h3>Equal starts</h3><p>SHA-256 of what each contender was given, read back after training (data, "
        "batches) and after loading (initial weights), must be what scratch had, for every seed. First "
        "seed: {shown}</p>{table}"
    ).format(
        shown=shown,
        table=markup.table(
            ("Contender", "Unequal", "Cannot be read back", "Verdict"),
            rows,
            "Hashes against scratch's",
            (0, 1, 2, 3),
        ),
    )


def _one_step(cells: Cells) -> Markup:
    rows = [
        [
            formats.label(name),
            quantity,
            formats.scientific(check.error),
            formats.scientific(check.bound),
            formats.scientific(check.resolution),
            check.worst,
            markup.badge(check.outcome),
        ]
        for name, cell in cells.items()
        if cell.one_step
        for quantity, check in cell.one_step.checks.items()
    ]
    if not rows:
        return Markup("")
    columns = ("Contender", "Quantity", "Error", "Bound", "Resolution", "Worst entry", "Verdict")
    return Markup(
        "<h3>One float64 step</h3><p>Logits, loss and gradient of the first batch, every entry checked "
        "against a bound derived for this very batch from the rounding of both sides.</p>{}"
    ).format(markup.table(columns, rows, "One step in float64, worst entry of each quantity", (0, 1, 5, 6)))


def _course(name: str, found: ComparedTrajectories) -> Markup:
    curve, label = found.curve, formats.label(name)
    fig = go.Figure()
    for values, title, colour, style in (
        (curve.difference, f"{label} against scratch", figures.colour(name), "solid"),
        (curve.control, "control", figures.REFERENCE, "dash"),
    ):
        points = [(x, y) for x, y in zip(curve.steps, values, strict=True) if y]
        fig.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="lines+markers",
            name=figures.plain(title),
            line={"color": colour, "dash": style}, marker={"size": 5},
        )  # fmt: skip
    allowed = found.allowed_ratio * found.control
    fig.add_hline(y=allowed, line={"color": figures.BAD, "width": 1, "dash": "dot"})
    flip = found.first_flip
    if flip:
        fig.add_vline(x=flip.step, line={"color": figures.UNSURE, "width": 1.5})
    fig.update_xaxes(title="steps")
    fig.update_yaxes(title="scaled difference", type="log")
    fig.update_layout(height=340)
    caption = (
        f"{label} and scratch in float64 over {found.steps} steps: the largest scaled difference of any "
        f"weight, bias or loss. Control: PyTorch against itself with the rows of each batch permuted. "
        f"Dotted: {found.allowed_ratio:g} times the control's largest. {_flip(flip)}"
    )
    return figures.figure_html(
        fig,
        caption,
        f"The difference grows to {formats.scientific(found.max_scaled_difference)}, the control to "
        f"{formats.scientific(found.control)}: a ratio of {formats.times(found.ratio)}.",
        title=f"The trainings lie {formats.times(found.ratio)} as far apart as the control",
    )


def _flip(flip: Flip | None) -> str:
    if not flip:
        return "No relu flipped: every hidden mask agreed at every step."
    return (
        f"The first relu flipped at step {flip.step} (layer {flip.layer}, unit {flip.unit}, row "
        f"{flip.row} of the batch), marked by the line: only steps before it are compared."
    )


def _mcnemar(found: AccuracyResult, cells: Cells) -> Markup:
    rows: list[list[Any]] = [
        [
            formats.label(name),
            str(seed),
            formats.points(difference),
            formats.count(row.only_scratch),
            formats.count(row.only_contender),
            f"{row.p_value:.3f}",
        ]
        for name, cell in cells.items()
        for seed, difference, row in zip(found.seeds, cell.differences_points, cell.mcnemar, strict=True)
    ]
    if not rows:
        return Markup("")
    columns = ("Contender", "Seed", "Difference, points", "Right in scratch only", "Right there only", "p")
    return Markup(
        "<h3>Seed by seed</h3><p>McNemar's exact test asks whether two trained networks differ on the same "
        "test images. It is shown, not decided on: one pair of networks says little about two "
        "implementations. One test image is {resolution} points.</p>"
        "<details><summary>{n} pairs</summary>{table}</details>"
    ).format(
        resolution=f"{found.resolution_points:.2f}",
        n=len(rows),
        table=markup.table(columns, rows, "Paired differences and McNemar's test"),
    )


def _untimed(found: AccuracyResult, cells: Cells) -> Markup:
    if not cells or found.timed:
        return Markup("")
    return Markup("<p>Nothing was timed here: the runs went side by side, on one thread each.</p>")


def _error_rates(found: ErrorRates | None) -> Markup:
    if not found:
        return Markup("")
    columns = (
        "True difference",
        "Deviation",
        "Seeds",
        "Drawn",
        "Equivalent",
        "Different",
        "Undecided",
        "Holds",
    )
    rows = [_simulated(case) for case in found.cases]
    return Markup(
        "<h3>How often is this verdict wrong?</h3><p>{n} simulated studies per case, margin ±{margin:g} "
        "points. Shares in bold are of wrong verdicts: nominally at most {nominal}. Made with {command}</p>"
        "<details><summary>{cases} cases {badge}</summary>{table}</details>"
    ).format(
        n=formats.count(found.n_trials),
        margin=found.margin_points,
        nominal=formats.percent(found.nominal, 0),
        command=markup.command(found.command),
        cases=len(rows),
        badge=markup.badge(found.verdict),
        table=markup.table(columns, rows, "Error rates of the equivalence verdict", (3, 7)),
    )


def _simulated(case: SimulatedCase) -> list[Any]:
    shares = [
        Markup("<strong>{}</strong>").format(formats.percent(share))
        if outcome in case.wrong
        else formats.percent(share)
        for outcome, share in case.shares.items()
    ]
    return [
        f"{case.true_difference:.2f}",
        f"{case.deviation:.2f}",
        str(case.n_seeds),
        "normal" if case.images is None else f"whole images of {formats.count(case.images)}",
        *shares,
        "yes" if case.holds else "no",
    ]
