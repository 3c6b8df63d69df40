"""Checks hand-ins one after another, in a process of its own: what goes wrong here costs one row.

Runs as ``python -m ...check.grading.worker``. A request is [target, settings]; the answer ["checked", JSON of
a `CheckedClass`] or ["absent", why it could not be tried].
"""

import json
from dataclasses import fields
from typing import BinaryIO

from backproof.comparisons.check.session import try_class
from backproof.comparisons.check.trial import Settings
from backproof.comparisons.contenders.loading import parse_target
from backproof.comparisons.results.codec import encode
from backproof.comparisons.running import limits
from backproof.comparisons.running.plain_data import pack, unpack
from backproof.comparisons.running.worker_process import own_streams
from backproof.scratch.errors import InputError


def as_message(target: str, settings: Settings) -> bytes:
    """The request."""
    values = {field.name: getattr(settings, field.name) for field in fields(settings)}
    return pack([target, values])


def _serve(requests: BinaryIO, answers: BinaryIO) -> None:
    def read(n: int) -> bytes:
        found = requests.read(n)
        if len(found) < n:
            raise EOFError
        return found

    while True:
        try:
            target, values = unpack(read)
        except EOFError:
            return
        try:
            checked = try_class(parse_target(target), Settings(**values))
            answer = ["checked", json.dumps(encode(checked))]
        except InputError as error:
            answer = ["absent", str(error)]
        answers.write(pack(answer))
        answers.flush()


if __name__ == "__main__":
    limits.die_with_parent()
    _serve(*own_streams())
