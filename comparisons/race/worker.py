"""One runner in its own process: it is told what to train, and answers with what its clock showed.

    python -m backproof.comparisons.race.worker --target package.module:Class --cores 2

Each line on stdin is a request, each answer a line on stdout (see `messages`); everything else that is
printed goes to stderr. Nothing numerical is imported before the process is bound to its cores; its thread
counts stand in its environment. An error ends the process: whoever asked sees the traceback's last line.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
from typing import TYPE_CHECKING, cast

from backproof.comparisons.running import limits

if TYPE_CHECKING:
    from backproof.comparisons.race.messages import Ready, Request, WarmUp
    from backproof.comparisons.race.result import RaceRun
    from backproof.comparisons.results.cells import Absent
    from backproof.reference.recipe import RecipeContender


class Starter:
    """Holds the images and the recipe between one request and the next."""

    def __init__(self, contender: RecipeContender) -> None:
        self.contender = contender

    def answer(self, request: Request) -> RaceRun | Ready | Absent:
        """The answer to one request; Absent with the reason where the contender declines."""
        from backproof.comparisons.race import course
        from backproof.comparisons.race.messages import WarmUp
        from backproof.comparisons.results.cells import Absent
        from backproof.reference.contender import NotOffered

        content = request.content
        try:
            if isinstance(content, WarmUp):
                return self._warm_up(content)
            return course.run(self.contender, self.recipe, self.images, content.seed)
        except NotOffered as reason:
            return Absent(str(reason))

    def _warm_up(self, request: WarmUp) -> Ready:
        from backproof.comparisons.race import course
        from backproof.comparisons.race.data_file import read
        from backproof.comparisons.race.messages import Ready
        from backproof.comparisons.speed.worker import thread_report

        self.recipe, self.images = request.recipe, read(request.data)
        seconds = course.warm_up(self.contender, self.recipe, self.images)
        return Ready(seconds, thread_report())


def make(target: str) -> RecipeContender:
    """What ``module:name`` makes when called."""
    module, _, name = target.partition(":")
    return cast("RecipeContender", getattr(importlib.import_module(module), name)())


def main() -> None:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(prog="race_worker")
    parser.add_argument("--target", required=True)
    parser.add_argument("--cores", type=int, required=True)
    options = parser.parse_args()
    # Answers keep the original stdout; what frameworks print goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits.bind_to_cores(options.cores)
    starter = Starter(make(options.target))
    from backproof.comparisons.race.messages import Reply, request_from, to_line

    answers.write(b"\n")  # its imports are done
    answers.flush()
    for line in sys.stdin:
        gc.collect()  # what the run before left behind is not swept up inside this one's clock
        answers.write(to_line(Reply(starter.answer(request_from(line)))))
        answers.flush()


if __name__ == "__main__":
    main()
