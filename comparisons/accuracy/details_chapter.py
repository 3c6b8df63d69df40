"""Same training, level by level: starts, one step, an epoch in float64, and the test of the test."""

from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.results.parts import Part
from backproof.comparisons.speed.ratios import offered


def build(part: Part | None, error_rates: Part | None) -> Section | None:
    """None where no contender was compared level by level and no error rates were simulated."""
    entries = part["against_scratch"] if part else {}
    compared = {name: entry for name, entry in entries.items() if offered(entry) and "hashes" in entry}
    pieces = [
        _starts(compared),
        _one_step(compared),
        *(
            _course(name, entry["trajectory"])
            for name, entry in compared.items()
            if "curve" in _course_of(entry)
        ),
        _mcnemar(part, compared) if part else Markup(""),
        _untimed(part, compared) if part else Markup(""),
        _error_rates(error_rates),
    ]
    if not any(pieces):
        return None
    return Section(
        "accuracy-details", "The same training, level by level", markup.join(pieces), nav="Level by level",
        under="accuracy",
    )  # fmt: skip


def _course_of(entry: Part) -> Part:
    found: Part = entry.get("trajectory") or {}
    return found


def _starts(compared: dict[str, Part]) -> Markup:
    if not compared:
        return Markup("")
    first = next(iter(compared.values()))["hashes"]["first"]
    rows = [
        [
            formats.label(name),
            ", ".join(entry["hashes"]["unequal"]) or "none",
            ", ".join(entry["hashes"]["not_offered"]) or "none",
            markup.badge(entry["hashes"]["verdict"]),
        ]
        for name, entry in compared.items()
    ]
    shown = ", ".join(f"{key.replace('_', ' ')} {value[:12]}…" for key, value in first.items() if value)
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


def _one_step(compared: dict[str, Part]) -> Markup:
    rows = [
        [
            formats.label(name),
            quantity,
            formats.scientific(check["error"]),
            formats.scientific(check["bound"]),
            formats.scientific(check["resolution"]),
            check["worst"],
            markup.badge(check["outcome"]),
        ]
        for name, entry in compared.items()
        for quantity, check in (entry.get("one_step") or {}).get("checks", {}).items()
    ]
    if not rows:
        return Markup("")
    columns = ("Contender", "Quantity", "Error", "Bound", "Resolution", "Worst entry", "Verdict")
    return Markup(
        "<h3>One float64 step</h3><p>Logits, loss and gradient of the first batch, every entry held against "
        "a bound derived for this very batch from the rounding of both sides.</p>{}"
    ).format(markup.table(columns, rows, "One step in float64, worst entry of each quantity", (0, 1, 5, 6)))


def _course(name: str, found: Part) -> Markup:
    curve, label = found["curve"], formats.label(name)
    fig = go.Figure()
    for key, title, colour, style in (
        ("difference", f"{label} against scratch", figures.colour(name), "solid"),
        ("control", "control", figures.REFERENCE, "dash"),
    ):
        points = [(x, y) for x, y in zip(curve["steps"], curve[key], strict=True) if y]
        fig.add_scatter(
            x=[x for x, _ in points], y=[y for _, y in points], mode="lines+markers",
            name=figures.plain(title),
            line={"color": colour, "dash": style}, marker={"size": 5},
        )  # fmt: skip
    allowed = found["allowed_ratio"] * found["control"]
    fig.add_hline(y=allowed, line={"color": figures.BAD, "width": 1, "dash": "dot"})
    flip = found["first_flip"]
    if flip:
        fig.add_vline(x=flip["step"], line={"color": figures.UNSURE, "width": 1.5})
    fig.update_xaxes(title="steps")
    fig.update_yaxes(title="scaled difference", type="log")
    fig.update_layout(height=340)
    caption = (
        f"{label} and scratch in float64 over {found['steps']} steps: the largest scaled difference of any "
        f"weight, bias or loss. Control: PyTorch against itself with the rows of each batch permuted. "
        f"Dotted: {found['allowed_ratio']:g} times the control's largest. {_flip(flip)}"
    )
    return figures.figure_html(
        fig,
        caption,
        f"The difference grows to {formats.scientific(found['max_scaled_difference'])}, the control to "
        f"{formats.scientific(found['control'])}: a ratio of {formats.times(found['ratio'])}.",
    )


def _flip(flip: Part | None) -> str:
    if not flip:
        return "No relu flipped: every hidden mask agreed at every step."
    return (
        f"The first relu flipped at step {flip['step']} (layer {flip['layer']}, unit {flip['unit']}, row "
        f"{flip['row']} of the batch), marked by the line: only steps before it are compared."
    )


def _mcnemar(part: Part, compared: dict[str, Part]) -> Markup:
    rows: list[list[Any]] = [
        [
            formats.label(name),
            str(seed),
            formats.points(difference),
            formats.count(row["only_scratch"]),
            formats.count(row["only_contender"]),
            f"{row['p_value']:.3f}",
        ]
        for name, entry in compared.items()
        for seed, difference, row in zip(
            part["seeds"], entry["differences_points"], entry["mcnemar"], strict=True
        )
    ]
    if not rows:
        return Markup("")
    columns = ("Contender", "Seed", "Difference, points", "Right in scratch only", "Right there only", "p")
    return Markup(
        "<h3>Seed by seed</h3><p>McNemar's exact test asks whether two trained networks differ on the same "
        "test images. It is shown, not decided on: one pair of networks is not two implementations. One test "
        "image is {resolution} points.</p><details><summary>{n} pairs</summary>{table}</details>"
    ).format(
        resolution=f"{part['resolution_points']:.2f}",
        n=len(rows),
        table=markup.table(columns, rows, "Paired differences and McNemar's test"),
    )


def _untimed(part: Part, compared: dict[str, Part]) -> Markup:
    if not compared or part.get("timed", True):
        return Markup("")
    return Markup("<p>Nothing was timed here: the runs went side by side, on one thread each.</p>")


def _error_rates(found: Part | None) -> Markup:
    if not found:
        return Markup("")
    rows = [
        [
            f"{case['true_difference']:.2f}",
            f"{case['deviation']:.2f}",
            str(case["n_seeds"]),
            "normal" if case["images"] is None else f"whole images of {formats.count(case['images'])}",
            *(
                Markup("<strong>{}</strong>").format(formats.percent(share))
                if outcome in case["wrong"]
                else formats.percent(share)
                for outcome, share in case["shares"].items()
            ),
            "yes" if case["holds"] else "no",
        ]
        for case in found["cases"]
    ]
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
    return Markup(
        "<h3>How often is this verdict wrong?</h3><p>{n} simulated studies per case, margin ±{margin:g} "
        "points. Shares in bold are of wrong verdicts: nominally at most {nominal}. Made with {command}</p>"
        "<details><summary>{cases} cases {badge}</summary>{table}</details>"
    ).format(
        n=formats.count(found["n_trials"]),
        margin=found["margin_points"],
        nominal=formats.percent(found["nominal"], 0),
        command=markup.command(found["command"]),
        cases=len(rows),
        badge=markup.badge(found["verdict"]),
        table=markup.table(columns, rows, "Error rates of the equivalence verdict", (3, 7)),
    )
