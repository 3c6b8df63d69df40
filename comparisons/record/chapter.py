"""The record: what the network from scratch reaches within a time budget, beside published results."""

import base64
import math
import struct
import zlib
from collections.abc import Sequence
from typing import Any

import plotly.graph_objects as go
from markupsafe import Markup

from backproof.comparisons.drawing import figures, formats, markup
from backproof.comparisons.drawing.chapter import Section
from backproof.comparisons.record.result import BoardResult, EpochEnd, RecordResult
from backproof.comparisons.record.terminal import over_seeds, ranking

SIDE = 28  # pixels: MNIST's


def build(found: RecordResult | None) -> Section | None:
    """None where no record was run."""
    if not found:
        return None
    pieces = [_introduction(found)]
    pieces += [_board(board, entry) for board, entry in found.boards.items()]
    return Section(
        "record", "The record: how far scratch gets", markup.join(pieces), found.verdict, nav="The record",
        under="accuracy",
    )  # fmt: skip


def _introduction(found: RecordResult) -> Markup:
    frameworks = formats.listed([formats.label(name) for name in found.frameworks_loaded])
    budget = f"{found.minutes:g} min" if found.minutes else formats.counted(found.epochs or 0, "epoch")
    return Markup(
        "<p>The best test accuracy on MNIST within {budget} of training per board and seed. The recipe was "
        "chosen on 5,000 training images kept apart; the test images were looked at once, at the end. "
        "Frameworks in the process: {frameworks}. Made with {command}</p>"
    ).format(budget=budget, frameworks=frameworks or "none", command=markup.command(found.command))


def _board(board: str, entry: BoardResult) -> Markup:
    return Markup("<h3>{} {}</h3>{}").format(
        board.capitalize(),
        markup.badge(entry.verdict),
        markup.join(
            [
                _seeds(entry),
                _answer(entry),
                _ranking(board, entry),
                _curves(entry),
                _confusion(entry),
                _hardest(entry),
            ]
        ),
    )


def _seeds(entry: BoardResult) -> Markup:
    """Mean and spread; nothing where there was one seed."""
    if len(entry.runs) < 2:
        return Markup("")
    rows = [
        [
            str(run.seed),
            formats.percent(run.accuracy),
            ", ".join(formats.percent(value) for value in run.members),
            f"{run.epochs:.1f}",
            formats.seconds(run.seconds),
        ]
        for run in entry.runs
    ]
    columns = ("Seed", "Test accuracy", "Each network alone", "Epochs", "Training")
    table = markup.table(columns, rows, "The same recipe from every seed")
    return Markup("<p><strong>{}</strong>. What follows is of the first.</p>{}").format(
        over_seeds(entry), table
    )


def _answer(entry: BoardResult) -> Markup:
    test, recipe = entry.test, entry.recipe
    used = [
        f"{recipe.optimizer.name} at {recipe.optimizer.learning_rate:g} on one cycle",
        f"batches of {recipe.batch_size}",
    ]
    if recipe.dropout:
        used.append(f"dropout {recipe.dropout.hidden:g} (inputs {recipe.dropout.inputs:g})")
    if recipe.label_smoothing:
        used.append(f"label smoothing {recipe.label_smoothing:g}")
    if recipe.averaging:
        used.append(f"moving average of the weights, decay {recipe.averaging:g}")
    if recipe.adversarial:
        used.append(f"every example moved {recipe.adversarial:g} towards a larger loss before each step")
    if recipe.input_noise:
        used.append(f"noise of {recipe.input_noise:g} on every pixel")
    if recipe.max_norm:
        used.append(f"weights into a hidden unit no longer than {recipe.max_norm:g}")
    if recipe.distortion:
        used.append("random affine and elastic distortions")
    return Markup(
        "<p><strong>{accuracy}</strong> of {images} test images: {errors} errors. {networks}; {used}.</p>"
    ).format(
        accuracy=formats.percent(test.accuracy),
        images=formats.count(test.images),
        errors=test.errors,
        networks=_networks(entry),
        used=", ".join(used),
    )


def _networks(entry: BoardResult) -> str:
    sizes, alone = formats.layers(entry.layer_sizes), entry.test.members
    if len(alone) == 1:
        return f"One network {sizes}"
    said = formats.listed([formats.percent(value) for value in alone])
    return f"{len(alone)} networks {sizes}, their probabilities averaged (alone: {said})"


def _ranking(board: str, entry: BoardResult) -> Markup:
    def cell(value: str, ours: bool) -> Any:
        return Markup("<strong>{}</strong>").format(value) if ours else value

    rows = [
        [cell(what, ours), cell(source, ours), cell(f"{error:.2f}%", ours)]
        for what, source, error, ours in ranking(entry)
    ]
    return markup.table(
        ("Network", "Source", "Test error"), rows, f"Fully connected networks on MNIST, {board}", (0, 1)
    )


def _curves(entry: BoardResult) -> Markup:
    """The validation error, or where no images were kept apart the training loss."""
    return _errors(entry) if entry.validation_images else _losses(entry)


def _losses(entry: BoardResult) -> Markup:
    fig = go.Figure()
    for index, history in enumerate(entry.history, start=1):
        style = {"color": figures.SCRATCH, "dash": ("solid", "dot", "dash", "dashdot")[(index - 1) % 4]}
        fig.add_scatter(
            x=[row.epoch for row in history], y=[row.train_loss for row in history],
            mode="lines+markers", line=style, name=f"network {index}, training loss",
        )  # fmt: skip
    fig.update_xaxes(title="epoch")
    fig.update_yaxes(title="training loss", type="log")
    fig.update_layout(height=320)
    last = [f"{history[-1].train_loss:.3g}" for history in entry.history if history]
    return figures.figure_html(
        fig,
        "Loss of the changed batches (dropped, distorted or moved, as the recipe has it), the mean of each "
        "epoch, while the one-cycle schedule raises the learning rate and lowers it to almost nothing.",
        f"Training loss falling to {formats.listed(last)}." if last else "No epoch was finished.",
        title=f"The training loss ends at {formats.listed(last)}" if last else "",
    )


def _errors(entry: BoardResult) -> Markup:
    fig = go.Figure()
    for index, history in enumerate(entry.history, start=1):
        epochs = [row.epoch for row in history]
        style = {"color": figures.SCRATCH, "dash": ("solid", "dot", "dash", "dashdot")[(index - 1) % 4]}
        fig.add_scatter(
            x=epochs, y=[_error(row) for row in history], mode="lines+markers", line=style,
            name=f"network {index}, validation error",
        )  # fmt: skip
    fig.update_xaxes(title="epoch")
    fig.update_yaxes(title="validation error, %", type="log")
    fig.update_layout(height=320)
    last = [f"{_error(history[-1]):.2f}" for history in entry.history]
    return figures.figure_html(
        fig,
        "Validation error after each epoch, of each network alone, while the one-cycle schedule raises the "
        "learning rate and lowers it to almost nothing.",
        f"Validation error falling to {formats.listed(last)} percent.",
        title=f"At the end {formats.listed(last)}% of the validation images are wrong",
    )


def _error(row: EpochEnd) -> float:
    """In percent of the validation images; NaN, a gap, where there were none."""
    return math.nan if row.accuracy is None else 100 * (1 - row.accuracy)


def _confusion(entry: BoardResult) -> Markup:
    matrix = entry.test.confusion
    digits = [str(digit) for digit in range(len(matrix))]
    off = [[0 if i == j else count for j, count in enumerate(row)] for i, row in enumerate(matrix)]
    fig = go.Figure(
        go.Heatmap(
            z=off, x=digits, y=digits, showscale=False,
            colorscale=[[0, figures.faded(figures.BAD, 0.0)], [1, figures.faded(figures.BAD, 0.6)]],
            textfont={"color": figures.INK},
            text=[[count or "" for count in row] for row in matrix], texttemplate="%{text}",
            hovertemplate="%{y} taken for %{x}: %{text}<extra></extra>",
        )
    )  # fmt: skip
    fig.update_xaxes(title="found", type="category")
    fig.update_yaxes(title="label", type="category", autorange="reversed")
    fig.update_layout(height=420)
    worst = max(
        ((count, i, j) for i, row in enumerate(off) for j, count in enumerate(row)),
        key=lambda entry: entry[0],
    )
    return figures.figure_html(
        fig,
        "Confusion matrix of the test images: rows are labels, columns what was found; only mistakes are "
        "coloured.",
        f"Most frequent mistake: {worst[1]} taken for {worst[2]}, {formats.counted(worst[0], 'time')}.",
        title=f"The most frequent mistake: a {worst[1]} taken for a {worst[2]}, "
        f"{formats.counted(worst[0], 'time')}",
    )


def _hardest(entry: BoardResult) -> Markup:
    pictures = [
        Markup(
            '<div style="text-align:center;font-size:0.8rem"><img src="{src}" alt="{alt}" width="56" '
            'height="56" style="image-rendering:pixelated"><br>{label} → {found}</div>'
        ).format(
            src=png(row.pixels),
            alt=f"test image {row.index}, a {row.label} taken for {row.found}",
            label=row.label,
            found=row.found,
        )
        for row in entry.test.hardest
    ]
    return Markup(
        '<figure><div style="display:flex;flex-wrap:wrap;gap:0.5rem">{}</div><figcaption>The hardest test '
        "images, those whose label got the least probability: label → what was found.</figcaption></figure>"
    ).format(markup.join(pictures))


def png(pixels: Sequence[int]) -> str:
    """A data address of the digit, dark on white, as an 8-bit grey PNG (W3C PNG, chunks IHDR, IDAT, IEND)."""
    rows = [bytes(255 - value for value in pixels[i : i + SIDE]) for i in range(0, len(pixels), SIDE)]
    header = struct.pack(">IIBBBBB", SIDE, len(rows), 8, 0, 0, 0, 0)
    # Every row begins with its filter: 0, none.
    content = zlib.compress(b"".join(b"\0" + row for row in rows), 9)
    chunks = b"".join(_chunk(*chunk) for chunk in ((b"IHDR", header), (b"IDAT", content), (b"IEND", b"")))
    return "data:image/png;base64," + base64.b64encode(b"\x89PNG\r\n\x1a\n" + chunks).decode()


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
