"""A chapter is data: a value that nobody changes once it is handed in."""

import dataclasses

import pytest
from markupsafe import Markup

from backproof.comparisons.drawing.chapter import Section


def test_a_section_needs_no_more_than_its_key_title_and_text() -> None:
    section = Section("speed", "How fast?", Markup("<p>x</p>"))
    assert (section.verdict, section.nav, section.under) == (None, None, None)


def test_a_section_cannot_be_changed() -> None:
    section = Section("speed", "How fast?", Markup("<p>x</p>"))
    with pytest.raises(dataclasses.FrozenInstanceError):
        section.key = "other"  # type: ignore[misc]  # what is tested
