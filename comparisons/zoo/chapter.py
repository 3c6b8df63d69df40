"""The kill matrix: known mistakes against the checks, with other checkers beside them."""

from collections.abc import Mapping
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.comparisons.zoo.known_rivals import RIVALS
from backproof.comparisons.zoo.result import Row, Said, Zoo
from backproof.comparisons.zoo.terminal import sentences

LEVELS: dict[str, int] = {Outcome.PASS: 0, Outcome.INCONCLUSIVE: 1, Outcome.FAIL: 2}
LABELS = tuple(rival.label for rival in RIVALS)
COLUMNS = ("No.", "Mistake", "Killed by", *LABELS, "First diagnosis", "Cause")


def build(part: Zoo | None) -> Section | None:
    """None where the zoo was not run."""
    if not part:
        return None
    wrong = [row for row in part.rows if row.group != "correct"]
    correct = [row for row in part.rows if row.group == "correct"]
    pieces = [_introduction(part), _heatmap(part, [*wrong, *correct])]
    if wrong:
        pieces.append(
            markup.table(COLUMNS, map(_row, wrong), "Classes with one mistake each", range(len(COLUMNS)))
        )
    if correct:
        heads = ("Class", "Verdict", *LABELS)
        title = f"Correct classes in unusual styles, {part.n_seeds} seeds each"
        pieces.append(markup.table(heads, map(_correct, correct), title, range(len(heads))))
    pieces.append(_notes(part))
    title = "Would a mistake be seen?"
    return Section("zoo", title, markup.join(pieces), part.verdict, nav="Zoo", under="gradients")


def _introduction(part: Zoo) -> Markup:
    early = " It was stopped early; what was finished is shown." if part.interrupted else ""
    lines = markup.join(Markup("<li>{}</li>").format(line) for line in sentences(part.summary))
    seen = markup.join(Markup("<li>{}: {}</li>").format(rival.label, rival.sees) for rival in RIVALS)
    return Markup(
        "<p>Each class is correct but for one mistake that people really make. No check looks for a "
        "particular one: each tests something that the mathematics demands.{early}</p><ul>{lines}</ul>"
        "<p>The other checkers run at their defaults on eight networks of ordinary size (SciPy’s number is "
        "read as right below 10⁻⁵, numdifftools’ entries within 10⁻⁶). What each can see at all:</p>"
        "<ul>{seen}</ul>{command}"
    ).format(early=early, lines=lines, seen=seen, command=markup.command(part.command))


def _heatmap(part: Zoo, rows: list[Row]) -> Markup:
    """Rows are classes; columns the checks, then the rivals."""
    columns = [*part.checks, *LABELS]
    cells = [_cells(part, row) for row in rows]
    signs: dict[str, str] = {Outcome.PASS: "", Outcome.FAIL: "x", Outcome.INCONCLUSIVE: "?"}
    fig = go.Figure(
        go.Heatmap(
            z=[[LEVELS.get(cell) for cell in line] for line in cells],
            x=columns,
            y=[_name(row) for row in rows],
            text=[[signs.get(cell, "") for cell in line] for line in cells],
            customdata=cells,
            texttemplate="%{text}",
            hovertemplate="%{y}<br>%{x}: %{customdata}<extra></extra>",
            colorscale=[[0, figures.faded(figures.GOOD)], [0.5, figures.UNSURE], [1, figures.BAD]],
            zmin=0,
            zmax=2,
            showscale=False,
            xgap=1,
            ygap=1,
        )
    )
    fig.update_xaxes(type="category", side="top", tickangle=-60)
    fig.update_yaxes(type="category", autorange="reversed", dtick=1, tickfont={"size": 11})
    fig.update_layout(height=180 + 18 * len(rows), margin={"t": 130, "r": 90})
    killed = part.summary.killed
    return figures.figure_html(
        fig,
        "Which check fails which class (x). Blank and without colour: the class does not offer what the "
        "check needs. The last columns are other checkers.",
        f"Matrix of {len(rows)} classes and {len(columns)} checks; {killed} mutants have at least one x.",
        title=f"{killed} of {part.summary.mutants} known mistakes are seen by at least one check",
    )


def _name(row: Row) -> str:
    return figures.plain(f"{row.number} {row.name}".strip())


def _cells(part: Zoo, row: Row) -> list[str]:
    words = {True: Outcome.PASS, False: Outcome.FAIL, None: "not asked"}
    rivals = [words[row.rivals[rival.key].accepts] for rival in RIVALS]
    return [*(row.outcomes.get(check, "not run") for check in part.checks), *rivals]


def _row(row: Row) -> list[Any]:
    expected = set(row.expected)
    killers = [
        Markup("<strong>{}</strong>").format(check) if check in expected else check for check in row.killed_by
    ]
    diagnosis = row.diagnosis[0] if row.diagnosis else formats.ABSENT
    named = {True: "named", False: "missed", None: formats.ABSENT}[row.cause_named]
    return [
        row.number,
        row.mistake,
        markup.join(killers, ", ") if killers else "survives",
        *_rival_cells(row.rivals),
        diagnosis,
        named,
    ]


def _rival_cells(said: Mapping[str, Said]) -> list[Any]:
    """Its answer with what it measured; where it was not asked, why."""
    return [_rival_cell(said[rival.key]) for rival in RIVALS]


def _rival_cell(said: Said) -> Any:
    if said.accepts is None:
        return markup.absent(said.note)
    word = "accepts" if said.accepts else "rejects"
    return f"{word} ({said.note})" if said.note else word


def _correct(row: Row) -> list[Any]:
    return [row.name, markup.badge(row.verdict), *_rival_cells(row.rivals)]


def _notes(part: Zoo) -> Markup:
    notes = [
        Markup("<li>{}: {}</li>").format(row.number or row.name, row.note) for row in part.rows if row.note
    ]
    if not notes:
        return Markup("")
    return Markup("<h3>Entries that are inverted, and related ones</h3><ul>{}</ul>").format(
        markup.join(notes)
    )
