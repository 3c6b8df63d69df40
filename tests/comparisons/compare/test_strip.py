import math

from backproof.comparisons.compare import strip
from backproof.comparisons.verdicts.outcome import Outcome
from tests.support.sample_comparison import a_link


def test_no_row_is_longer_than_a_telephone_is_wide_and_none_is_lost() -> None:
    links = [a_link(f"z{i}", Outcome.PASS, 0.0) for i in range(strip.PER_ROW + 1)]
    links += [a_link("adam, step 1: W1", Outcome.PASS, 0.0)]
    rows = strip.rows(links)
    assert [name for name, _ in rows] == [
        "forward and backward, 1 of 2",
        "forward and backward, 2 of 2",
        "adam, step 1",
    ]
    assert [link for _, row in rows for link in row] == links


def test_of_a_name_that_is_too_long_its_end_is_shown() -> None:
    name = "encoder.layers.11.self_attention.out_proj.weight"
    drawn = strip.picture("it", [a_link(name, Outcome.PASS, 0.0)], None)
    assert f">…{name[-strip.LONGEST + 1 :]}<" in drawn


def test_a_shape_that_is_wrong_is_beyond_the_axis() -> None:
    assert strip.share(a_link("z1", Outcome.FAIL, math.nan)) == math.inf
    assert strip.share(a_link("z1", Outcome.PASS, 5e-7)) == 0.5
