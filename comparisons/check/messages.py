"""What travels back through the pipe."""

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Opaque:
    """Something that is not an array or a number: what it was."""

    type_name: str
    text: str


@dataclass(frozen=True)
class Answer:
    """What one call did: a value or an error, and what it changed that was not its own."""

    value: Any = None
    raised: str = ""  # "ValueError: ..." with the line it came from
    mutated: tuple[str, ...] = ()  # arguments written to
    changed: tuple[str, ...] = ()  # earlier results that changed
    recordings: dict[int, Any] = field(default_factory=dict)  # checkpoint -> weights there
