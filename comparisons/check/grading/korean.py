"""What is told about a hand-in, in Korean: questions, causes, conditions, from `korean.toml`.

A sentence of the diagnosis is matched with its pattern there, what stands for a name in it is kept or, where
it is a phrase, translated too. What has no translation stays as it is: a message of the class' own, say.
"""

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from importlib.resources import files

PHRASES = frozenset({"law", "where", "place", "setting", "condition"})  # sentences that end in other words
_NAME = re.compile(r"<(\w+)>")
_TAIL = re.compile(r"^(.*\S) \(([^()]+(?:\([^()]*\)[^()]*)*)\)$")


def question(check: str) -> str | None:
    """The question of this check; None for one that is not known here."""
    return _catalogue()["questions"].get(check)


def sentence(text: str) -> str | None:
    """A cause in Korean; None where there is no translation of it."""
    found = _matched("causes", text)
    if found is not None:
        return found
    told = _TAIL.match(text)
    if told is None:
        return None
    cause, condition = _matched("causes", told[1]), _matched("conditions", told[2])
    if cause is None or condition is None:
        return None
    return f"{cause.removesuffix('.')}({condition})."


def seen(text: str) -> str | None:
    """What a check saw, in Korean; None where there is no translation of it."""
    return _matched("seen", text) or sentence(text)


@cache
def _catalogue() -> dict[str, dict[str, str]]:
    text = files("backproof.comparisons.check.grading").joinpath("korean.toml").read_text(encoding="utf-8")
    return tomllib.loads(text)


@cache
def _patterns(table: str) -> list[tuple[re.Pattern[str], str]]:
    """Those without a name first: they say the most."""
    ordered = sorted(_catalogue()[table].items(), key=lambda pair: len(_NAME.findall(pair[0])))
    return [(re.compile(_as_pattern(english)), korean) for english, korean in ordered]


def _as_pattern(english: str) -> str:
    pieces = _NAME.split(english)  # text, name, text, name, ..., text
    return "".join(f"(?P<{piece}>.+?)" if i % 2 else re.escape(piece) for i, piece in enumerate(pieces))


def _matched(table: str, text: str) -> str | None:
    for pattern, korean in _patterns(table):
        if found := pattern.fullmatch(text):
            named = {name: _phrase(name, value) for name, value in found.groupdict().items()}
            if None not in named.values():
                return _filled(korean, named)
    return None


def _filled(korean: str, named: Mapping[str, str | None]) -> str:
    return _NAME.sub(lambda name: named.get(name[1]) or name[0], korean)


def _phrase(name: str, text: str) -> str | None:
    """The phrase in Korean; else the text as it is, but for those names that only phrases stand for."""
    if name == "names":
        return text.replace(" and ", ", ")
    if name == "methods":
        return text.replace(" and no method ", ", ")
    if name == "seen":
        return seen(text) or text
    found = _matched("phrases", text) or (None if name == "law" else _matched("conditions", text))
    return found or (None if name in PHRASES else text)
