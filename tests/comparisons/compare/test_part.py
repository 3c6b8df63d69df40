import pytest
from rich.console import Console

from backproof.comparisons.compare import chapter, terminal
from backproof.comparisons.compare.part import random_problems, run
from backproof.comparisons.compare.result import Comparison
from backproof.comparisons.results.codec import decode, encode
from backproof.comparisons.running.progress import Silent
from backproof.comparisons.verdicts.outcome import Outcome

HALVED = "tests.support.two_implementations:Halved"
SILENT = "tests.support.two_implementations:LogitsOnly"
WRITTEN = "<script>alert(1)</script>"


@pytest.fixture(scope="module")
def wrong() -> Comparison:
    return run(("scratch", HALVED), 0, Silent())


def test_two_right_implementations_differ_by_rounding_only() -> None:
    found = run(("scratch", "scratch"), 1, Silent())
    assert found.verdict is Outcome.PASS
    assert len(found.problems) == len(list(random_problems(1))) == 20


def test_the_side_with_the_mistake_is_the_one_that_is_blamed(wrong: Comparison) -> None:
    assert wrong.verdict is Outcome.FAIL
    first = [one.sides[0].first for one in wrong.problems]
    assert set(first) == {None}
    tensors = {one.sides[1].first.tensor for one in wrong.problems if one.sides[1].first}
    assert tensors == {"db4"}


def test_terminal_and_page_say_the_tensor_and_the_cause(wrong: Comparison) -> None:
    console = Console(width=100, record=True)
    with console.capture() as capture:
        terminal.render(wrong, console)
    section = chapter.build(wrong)
    assert section is not None
    for text in (" ".join(capture.get().split()), str(section.html)):
        assert "db4" in text
        assert "half of what it should be" in text


def test_what_shows_no_gradient_is_inconclusive_with_the_reason() -> None:
    found = run(("scratch", SILENT), 0, Silent())
    assert found.verdict is Outcome.INCONCLUSIVE
    assert any("no gradient here" in reason for reason in found.problems[0].sides[1].not_offered)


def test_a_comparison_is_read_back_as_it_was_written(wrong: Comparison) -> None:
    again = decode(Comparison, encode(wrong))
    assert encode(again) == encode(wrong)


def test_names_are_escaped_on_the_page(wrong: Comparison) -> None:
    document = encode(wrong)
    assert isinstance(document, dict)
    section = chapter.build(decode(Comparison, {**document, "names": ["scratch", WRITTEN]}))
    assert section is not None
    assert WRITTEN not in section.html


def test_nothing_compared_makes_no_chapter() -> None:
    assert chapter.build(None) is None
