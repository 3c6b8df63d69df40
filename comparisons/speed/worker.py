"""One contender in its own process: it is told what to time, and answers with what its clock showed.

    python -m backproof.comparisons.speed.worker --target package.module:Class --threads 1

Each line on stdin is a request, each answer a line on stdout (see `messages`); everything else that is
printed goes to stderr. Nothing numerical is imported before the process is bound to its cores and its thread
counts are set.
An error ends the process: whoever asked sees the end of the answers and the traceback on stderr.

Inside the clock: batch gather, forward, loss, backward, update, final synchronisation. Outside: import, data,
conversion, shuffling, first-call compilation (the warm-up steps), evaluation.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import os
import sys
import time
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, cast

from backproof.comparisons.running import limits

if TYPE_CHECKING:
    from backproof.comparisons.results.cells import Absent
    from backproof.comparisons.speed.messages import Prepare, Prepared, Request, Round, TimeRound
    from backproof.comparisons.speed.result import ThreadReport
    from backproof.reference.contender import Contender

Clock = Callable[[], float]


def thread_report() -> ThreadReport:
    """What the libraries in this process say; `cores` where the system tells.

    JAX and TensorFlow name no number: their pools are as large as the cores that the process is bound to.
    """
    import threadpoolctl

    from backproof.comparisons.speed.result import Library, ThreadReport

    threads: dict[str, int] = {}
    kernels: dict[str, str] = {}
    libraries = []
    for pool in threadpoolctl.threadpool_info():
        name = pool["internal_api"]
        threads[name] = max(int(pool["num_threads"]), threads.get(name, 0))
        if "architecture" in pool:
            kernels[name] = str(pool["architecture"])
        told = (str(pool.get(fact) or "") for fact in ("version", "architecture", "threading_layer"))
        libraries.append(Library(name, os.path.basename(str(pool.get("filepath") or "")), *told))
    if numpy := sys.modules.get("numpy"):
        kernels["numpy"] = numpy_kernels(numpy.show_config(mode="dicts"))
    if torch := sys.modules.get("torch"):
        threads["torch"] = int(torch.get_num_threads())
        kernels["torch"] = str(torch.backends.cpu.get_cpu_capability())
    if cores := limits.bound_cores():
        threads["cores"] = cores
    return ThreadReport(threads, kernels, tuple(libraries))


def numpy_kernels(config: Mapping[str, Any]) -> str:
    """The newest instructions that NumPy's element-wise operations use on this processor."""
    found = config.get("SIMD Extensions", {})
    return str(["", *found.get("baseline", ()), *found.get("found", ())][-1])


class Bench:
    """Times rounds of one contender. Clocks and thread counts can be replaced: a test brings its own."""

    def __init__(
        self,
        contender: Contender,
        clock: Clock = time.perf_counter,
        cpu_clock: Clock = time.process_time,
        report: Callable[[], ThreadReport] = thread_report,
    ) -> None:
        self.contender = contender
        self.clock, self.cpu_clock, self.report = clock, cpu_clock, report
        self._read = ("", "")  # which data are in memory

    def prepare(self, request: Prepare) -> Prepared:
        """Read the data, draw the weights."""
        import numpy as np

        from backproof.comparisons.speed.cases import digest
        from backproof.comparisons.speed.messages import Prepared
        from backproof.scratch.initializers import initialize

        case = self.case = request.case
        self.seed = request.seed
        if self._read != (request.data, case.dtype):
            with np.load(request.data) as arrays:
                self.x, self.labels = arrays["x"].astype(case.dtype, copy=False), arrays["labels"]
            self._read = (request.data, case.dtype)
        self.weights = initialize(case.architecture, request.seed).weights()
        self.start_hash = digest([array for pair in self.weights for array in pair])
        return Prepared(self.report())

    def round(self, request: TimeRound) -> Round:
        """Train from the same weights as always, and time the steps after the warm-up."""
        from backproof.comparisons.speed.cases import batches, digest
        from backproof.comparisons.speed.messages import Round

        first, last = request.warm_up, request.warm_up + request.n_steps
        every = batches(len(self.x), self.case.batch_size, last, self.seed)
        marks: dict[int, tuple[float, float]] = {}

        def mark(step: int) -> Callable[[], None]:
            def note() -> None:
                marks[step] = (self.clock(), self.cpu_clock())

            return note

        self.contender.load(self.case.architecture, self.weights)
        losses = self.contender.train(
            self.x, self.labels, every, self.case.spec, {first: mark(first), last: mark(last)}
        )
        return Round(
            steps=request.n_steps,
            images=sum(len(batch) for batch in every[first:]),
            seconds=marks[last][0] - marks[first][0],
            cpu_seconds=marks[last][1] - marks[first][1],
            losses=len(losses),
            first_loss=float(losses[0]) if len(losses) else float("nan"),
            last_loss=float(losses[-1]) if len(losses) else float("nan"),
            weights=self.start_hash,
            batches=digest(every),
            parts=getattr(self.contender, "parts", None),
            report=self.report(),
        )


def answer(bench: Bench, request: Request) -> Prepared | Round | Absent:
    """The answer to one request; Absent with the reason where the contender declines."""
    from backproof.comparisons.results.cells import Absent
    from backproof.comparisons.speed.messages import Prepare
    from backproof.reference.contender import NotOffered

    content = request.content
    try:
        return bench.prepare(content) if isinstance(content, Prepare) else bench.round(content)
    except NotOffered as reason:
        return Absent(str(reason))


def make(target: str) -> Contender:
    """What ``module:name`` of our own packages makes when called, or a user's class however it is named."""
    module, _, name = target.partition(":")
    if module.startswith("backproof."):
        return cast("Contender", getattr(importlib.import_module(module), name)())
    from backproof.comparisons.contenders.registry import load_class

    return cast("Contender", load_class(target)())


def main() -> None:
    """Answer requests until stdin ends."""
    parser = argparse.ArgumentParser(prog="speed_worker")
    parser.add_argument("--target", required=True)
    parser.add_argument("--threads", type=int, required=True)
    parser.add_argument("--limits", action="store_true", help="the class is a user's own: hold it to limits")
    parser.add_argument("--guarded", action="store_true", help="a sandbox stands between it and us")
    options = parser.parse_args()
    if options.limits:
        limits.restrict(limits.Limits())
        if not options.guarded:
            limits.die_with_parent()
            limits.step_aside()
    # Answers keep the original stdout; what frameworks print goes to stderr.
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    limits.bind_to_cores(options.threads)
    bench = Bench(make(options.target))
    from backproof.comparisons.speed.messages import Reply, request_from, to_line

    answers.write(b"\n")  # its imports are done
    answers.flush()
    for line in sys.stdin:
        gc.collect()  # what the round before left behind is not swept up inside this one's clock
        answers.write(to_line(Reply(answer(bench, request_from(line)))))
        answers.flush()


if __name__ == "__main__":
    main()
