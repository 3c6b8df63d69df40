"""The chapter of the race: times, verdict, curves, reasons; everything escaped."""

from dataclasses import replace

from backproof.comparisons.race import chapter
from backproof.comparisons.race.recipes import TARGETS
from backproof.comparisons.race.result import RaceResult
from backproof.comparisons.report import page
from backproof.comparisons.report.document import Results
from backproof.comparisons.results.codec import decode, encode
from tests.support.race_results import race, without_runs

HOSTILE = "<b>&x"


def shown(found: RaceResult) -> str:
    section = chapter.build(found)
    assert section is not None
    return str(section.html)


def test_without_a_race_there_is_no_chapter() -> None:
    assert chapter.build(None) is None


def test_everybody_has_a_line_with_figures_or_with_the_reason_for_none() -> None:
    html = shown(race())
    for word in ("scratch", "PyTorch", "scikit-learn", "not offered: no recipe", "1.94×", "795"):
        assert word in html


def test_the_processor_is_named_where_it_was_kept() -> None:
    assert ", on A processor, kernels: not told</p>" in shown(race())
    (first, *_) = race().targets.values()
    assert (
        ", on "
        not in shown(replace(race(), targets={"97": replace(first, processor="")})).split("Made with")[1]
    )


def test_a_race_in_which_nobody_finished_says_so() -> None:
    assert "no run was finished" in shown(without_runs())


def test_a_single_run_is_drawn_without_an_interval() -> None:
    html = shown(decode(RaceResult, encode(race(1))))
    assert "2.00×" in html
    assert "∞" not in html
    assert "NaN" not in html


def test_the_recipe_is_told_in_one_sentence() -> None:
    assert chapter.recipe(TARGETS["98.5"].recipe).startswith("784-512-256-10: ")
    assert "label smoothing" in chapter.recipe(TARGETS["98"].recipe)
    assert "towards a larger loss" in chapter.recipe(TARGETS["98.5"].recipe)
    assert "random distortions" in chapter.recipe(TARGETS["99"].recipe)


def test_the_page_shows_the_race_below_the_speed() -> None:
    html = page.render(Results(race=race()))
    assert 'id="race"' in html
    assert html.index('id="speed"') < html.index('id="race"')


def test_texts_are_escaped() -> None:
    (first, *_) = race().targets.values()
    hostile = replace(first, command=HOSTILE, runners={HOSTILE: first.runners["torch"]})
    assert HOSTILE not in shown(replace(race(), targets={HOSTILE: hostile}))
