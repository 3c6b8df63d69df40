"""The chapter on the record: what was reached and how, every digit a picture, every text escaped."""

import base64
import struct
import zlib
from dataclasses import replace

import numpy as np
import pytest

from backproof.comparisons.drawing import formats
from backproof.comparisons.record import chapter
from backproof.comparisons.record.result import RecordResult
from backproof.comparisons.report import page
from backproof.comparisons.report.document import Results
from tests.support.record_results import BOARD, record

HOSTILE = "<script>alert(1)</script>"


def shown(found: RecordResult) -> str:
    section = chapter.build(found)
    assert section is not None
    return str(section.html)


def test_without_a_record_there_is_no_chapter() -> None:
    assert chapter.build(None) is None


@pytest.mark.parametrize(
    "said",
    [
        formats.percent(0.988),
        "120 errors",
        "2 networks 784-512-10",
        "dropout 0.5",
        "label smoothing 0.1",
        "process: none",
        "a 4 taken for 9",
    ],
)
def test_a_record_says_what_was_reached_and_how(said: str) -> None:
    assert said in shown(record())


def test_one_network_is_not_called_an_average() -> None:
    found = shown(record(members=1))
    assert "One network 784-512-10" in found
    assert "averaged" not in found


def test_a_record_of_before_with_a_gap_in_its_validation_is_drawn() -> None:
    board = record().boards[BOARD]
    history = tuple(tuple(replace(end, accuracy=None) for end in network) for network in board.history)
    assert shown(replace(record(), boards={BOARD: replace(board, history=history)}))


def test_a_record_without_validation_images_shows_its_training_loss() -> None:
    board = replace(record().boards[BOARD], validation_images=0)
    found = shown(replace(record(), boards={BOARD: board}))
    assert "The training loss ends at 0.5 and 0.5" in found
    assert "validation error" not in found
    assert "The training loss" not in shown(record())


def test_several_seeds_have_a_table_with_mean_and_spread() -> None:
    found = shown(record(seeds=3))
    assert "Mean of 3 seeds 98.90% ±0.10 (98.80% to 99.00%)" in found
    assert "The same recipe from every seed" in found
    assert "The same recipe from every seed" not in shown(record(seeds=1))


def test_every_lever_of_a_recipe_is_told() -> None:
    board = record().boards[BOARD]
    levers = replace(board.recipe, adversarial=1.2, input_noise=0.3, max_norm=2.0)
    found = shown(replace(record(), boards={BOARD: replace(board, recipe=levers)}))
    for said in ("moved 1.2 towards", "noise of 0.3", "no longer than 2"):
        assert said in found


def test_the_page_shows_a_record_without_any_accuracy_run() -> None:
    html = page.render(Results(record=record()))
    assert 'id="record"' in html
    assert "Not run" in html


def test_texts_are_escaped() -> None:
    hostile = replace(record(), command=HOSTILE, boards={HOSTILE: record().boards[BOARD]})
    assert HOSTILE not in shown(hostile)


def test_the_picture_of_a_digit_is_a_png_with_its_pixels_dark_on_white() -> None:
    pixels = np.random.default_rng(0).integers(0, 256, 784)
    prefix, encoded = chapter.png(pixels.tolist()).split(",")
    content = base64.b64decode(encoded)
    assert prefix == "data:image/png;base64"
    assert content[:8] == b"\x89PNG\r\n\x1a\n"
    chunks, at = {}, 8
    while at < len(content):
        (length,) = struct.unpack(">I", content[at : at + 4])
        kind, body = content[at + 4 : at + 8], content[at + 8 : at + 8 + length]
        assert struct.unpack(">I", content[at + 8 + length : at + 12 + length]) == (zlib.crc32(kind + body),)
        chunks[kind], at = body, at + 12 + length
    assert struct.unpack(">IIBBBBB", chunks[b"IHDR"]) == (28, 28, 8, 0, 0, 0, 0)
    rows = np.frombuffer(zlib.decompress(chunks[b"IDAT"]), np.uint8).reshape(28, 29)
    np.testing.assert_array_equal(rows[:, 0], 0)
    np.testing.assert_array_equal(255 - rows[:, 1:], pixels.reshape(28, 28))
