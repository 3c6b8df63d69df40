"""The chapters on the same training and on the record: all is said, escaped, and absent when not run."""

import base64
import struct
import zlib

import numpy as np
import pytest
from rich.console import Console

from backproof.comparisons.accuracy import details_chapter as accuracy_details
from backproof.comparisons.accuracy import error_rates
from backproof.comparisons.accuracy import part as accuracy
from backproof.comparisons.accuracy import terminal as accuracy_terminal
from backproof.comparisons.drawing import formats
from backproof.comparisons.experiment import Plan
from backproof.comparisons.record import chapter as record
from backproof.comparisons.record import terminal as record_terminal
from backproof.comparisons.report import page as html
from backproof.comparisons.report.document import Results
from backproof.comparisons.running.progress import Silent
from backproof.scratch.architecture import OptimizerSpec

HOSTILE = "<script>alert(1)</script>"
FAITHFUL = "tests.support.accuracy_contenders:Faithful"


@pytest.fixture(scope="module")
def part():
    plan = Plan(
        contenders=(FAITHFUL, "tests.support.accuracy_contenders:NoTraining"), data="digits",
        layer_sizes=(64, 8, 10), n_seeds=2, epochs=1, optimizer=OptimizerSpec("sgd", 0.1),
    )  # fmt: skip
    return accuracy.run(plan, Silent())


def record_part(members=2):
    row = {
        "index": 5,
        "label": 4,
        "found": 9,
        "probability_of_label": 0.001,
        "pixels": list(range(256)) * 3 + [0] * 16,
    }
    history = [
        {"epoch": float(e), "progress": e / 2, "train_loss": 1 / e, "accuracy": 0.9 + e / 40} for e in (1, 2)
    ]
    board = {
        "recipe": {
            "optimizer": {"name": "adam", "learning_rate": 0.002}, "batch_size": 256,
            "dropout": {"hidden": 0.5, "inputs": 0.2}, "label_smoothing": 0.1,
            "averaging": 0.99, "distortion": {},
        },
        "layer_sizes": [784, 512, 10], "training_seconds": 61.0, "history": [history] * members,
        "validation_accuracy": 0.95, "validation_images": 5000,
        "test": {
            "accuracy": 0.988, "errors": 120, "images": 10_000, "members": [0.987, 0.986][:members],
            "confusion": np.eye(10, dtype=int).tolist(), "hardest": [row],
        },
        "published": [
            {"board": "b", "what": "linear", "source": "A 1998", "error_percent": 12.0},
            {"board": "b", "what": "ladder", "source": "B 2015", "error_percent": 0.57},
        ],
        "goal": {"accuracy": 0.987, "minutes": 5.0}, "verdict": "PASS",
    }  # fmt: skip
    return {
        "boards": {"permutation-invariant": board}, "seed": 0, "minutes": 1.0, "epochs": None,
        "frameworks_loaded": [], "verdict": "PASS", "seconds": 62.0,
        "command": "backproof record --minutes 1",
    }  # fmt: skip


def results(part):
    return Results(accuracy=part)


def test_chapters_of_what_was_not_run_are_absent():
    for section in (accuracy_details, record):
        assert section.build(results(None)) is None


def test_an_accuracy_part_without_a_record_has_no_chapter_on_it(part):
    assert record.build(results(part)) is None


@pytest.mark.parametrize(
    "said",
    [
        "Equal starts",
        "One float64 step",
        "gradient",
        "PyTorch against itself",
        "No relu flipped",
        "McNemar",
        "0.28",
    ],
)
def test_every_level_is_shown(part, said):
    assert said in accuracy_details.build(results(part)).html


def test_a_flip_is_marked_and_named(part):
    entry = part["against_scratch"][FAITHFUL]
    flip = {"step": 7, "layer": 1, "row": 3, "unit": 2}
    changed = {**entry, "trajectory": {**entry["trajectory"], "first_flip": flip}}
    found = accuracy_details.build(results({**part, "against_scratch": {FAITHFUL: changed}})).html
    assert "The first relu flipped at step 7 (layer 1, unit 2, row 3 of the batch)" in found


def test_a_parallel_sweep_says_that_nothing_was_timed(part):
    untimed = {**part, "timed": False}
    assert "Nothing was timed" in accuracy_details.build(results(untimed)).html
    assert "Nothing was timed" not in accuracy_details.build(results(part)).html


def test_error_rates_are_shown_with_their_command(part):
    found = {**error_rates.run(100, 0.2, 0), "command": "backproof accuracy --error-rates 100"}
    page = accuracy_details.build(results({**part, "error_rates": found})).html
    assert "backproof accuracy --error-rates 100" in page
    assert "whole images of 10,000" in page


def test_a_record_stands_among_the_published_results_by_its_error():
    assert [row[3] for row in record_terminal.ranking(record_part()["boards"]["permutation-invariant"])] == [
        False,
        True,
        False,
    ]


@pytest.mark.parametrize(
    "said",
    [
        formats.percent(0.988),
        "120 errors",
        "2 networks 784-512-10",
        "dropout 0.5",
        "process: none",
        "a 4 taken for 9",
    ],
)
def test_a_record_says_what_was_reached_and_how(part, said):
    assert said in record.build(results({**part, "record": record_part()})).html


def test_one_network_is_not_called_an_average(part):
    found = record.build(results({**part, "record": record_part(members=1)})).html
    assert "One network 784-512-10" in found
    assert "averaged" not in found


def test_the_page_holds_both_chapters_and_names_the_record_without_any_accuracy_run():
    empty = {
        "verdict": "PASS",
        "seconds": 1.0,
        "dataset": "mnist",
        "seeds": [],
        "contenders": {},
        "against_scratch": {},
    }
    page = html.render(results({**empty, "record": record_part()}))
    assert 'id="record"' in page
    assert "Not run" in page


def test_values_are_escaped(part):
    entry = record_part()
    entry["command"] = HOSTILE
    entry["boards"] = {HOSTILE: entry["boards"]["permutation-invariant"]}
    hostile = {**part, "record": entry, "against_scratch": {HOSTILE: part["against_scratch"][FAITHFUL]}}
    for section in (accuracy_details, record):
        assert "<script>alert" not in section.build(results(hostile)).html


def test_the_picture_of_a_digit_is_a_png_with_its_pixels_dark_on_white():
    pixels = np.random.default_rng(0).integers(0, 256, 784)
    prefix, encoded = record.png(pixels.tolist()).split(",")
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


@pytest.mark.parametrize("width", [80, 120])
def test_the_terminal_shows_every_figure_whole(part, width, capsys):
    console = Console(width=width, highlight=False)
    accuracy_terminal.render(replace_names(part), console)
    accuracy_terminal.render_error_rates(error_rates.run(100, 0.2, 0), console)
    record_terminal.render(record_part(), console)
    said = capsys.readouterr().out
    assert "…" not in said
    assert max(len(line) for line in said.splitlines()) <= width


def replace_names(part):
    """The long names of the test's contenders, as short as the registered ones."""
    return {
        **part,
        "contenders": {name.rpartition(":")[2]: entry for name, entry in part["contenders"].items()},
        "against_scratch": {
            name.rpartition(":")[2]: entry for name, entry in part["against_scratch"].items()
        },
    }


def test_the_terminal_gives_the_reason_where_a_contender_offers_no_training(part, capsys):
    accuracy_terminal.render(part, Console(width=120, highlight=False))
    assert "it only predicts" in capsys.readouterr().out
