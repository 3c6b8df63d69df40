"""What a question found, where it has no types of its own yet."""

from typing import Any

Part = dict[str, Any]
