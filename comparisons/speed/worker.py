"""One contender in its own process: it is told what to time, and answers with what its clock showed.

    python -m backproof.comparisons.speed.worker --target package.module:Class --threads 1

Each line on stdin is a request in JSON, each answer a line on stdout; everything else that is printed goes to
stderr. Nothing numerical is imported before the process is bound to its cores and its thread counts are set.
An error ends the process: whoever asked sees the end of the answers and the traceback on stderr.

Inside the clock: batch gather, forward, loss, backward, update, final synchronisation. Outside: import, data,
conversion, shuffling, first-call compilation (the warm-up steps), evaluation.
"""

from __future__ import annotations

import argparse
import gc
import importlib
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

if TYPE_CHECKING:
    from backproof.comparisons.speed.cases import Case
    from backproof.reference.contender import Contender

Clock = Callable[[], float]
Message = dict[str, Any]


def bind_to_cores(n_threads: int) -> list[int]:
    """Let this process run on `n_threads` cores, the same for everybody; [] where the system cannot."""
    if not hasattr(os, "sched_setaffinity"):
        return []
    # The last cores: the first serves most interrupts.
    cores = sorted(os.sched_getaffinity(0))[-n_threads:]
    os.sched_setaffinity(0, cores)
    return cores


def thread_report() -> Message:
    """`threads`: library -> how many it says it uses, `cores` where known; `kernels`: library -> for what.

    JAX and TensorFlow name no number: their pools are as large as the cores that the process is bound to.
    """
    import threadpoolctl

    threads: dict[str, int] = {}
    kernels: dict[str, str] = {}
    for pool in threadpoolctl.threadpool_info():
        name = pool["internal_api"]
        threads[name] = max(int(pool["num_threads"]), threads.get(name, 0))
        if "architecture" in pool:
            kernels[name] = str(pool["architecture"])
    if torch := sys.modules.get("torch"):
        threads["torch"] = int(torch.get_num_threads())
        kernels["torch"] = str(torch.backends.cpu.get_cpu_capability())
    if hasattr(os, "sched_getaffinity"):
        threads["cores"] = len(os.sched_getaffinity(0))
    return {"threads": threads, "kernels": kernels}


class Bench:
    """Times rounds of one contender. Clocks and thread counts can be replaced: a test brings its own."""

    def __init__(
        self,
        contender: Contender,
        clock: Clock = time.perf_counter,
        cpu_clock: Clock = time.process_time,
        threads: Callable[[], Message] = thread_report,
    ) -> None:
        self.contender = contender
        self.clock, self.cpu_clock, self.threads = clock, cpu_clock, threads
        self._read = ("", "")  # which data are in memory

    def prepare(self, case: Case, data: str, seed: int) -> Message:
        """Read `data` (an .npz of x and labels), draw the weights; answers with their hash."""
        import numpy as np

        from backproof.comparisons.speed.cases import digest
        from backproof.scratch.initializers import initialize

        self.case, self.seed = case, seed
        if self._read != (data, case.dtype):
            with np.load(data) as arrays:
                self.x, self.labels = arrays["x"].astype(case.dtype, copy=False), arrays["labels"]
            self._read = (data, case.dtype)
        self.weights = initialize(case.architecture, seed).weights()
        self.start_hash = digest([array for pair in self.weights for array in pair])
        return {}

    def round(self, n_steps: int, warm_up: int) -> Message:
        """Train `warm_up` + `n_steps` steps from the same weights as always; the last `n_steps` are timed."""
        from backproof.comparisons.speed.cases import batches, digest

        every = batches(len(self.x), self.case.batch_size, warm_up + n_steps, self.seed)
        marks: dict[str, tuple[float, float]] = {}

        def mark(name: str) -> Callable[[], None]:
            def note() -> None:
                marks[name] = (self.clock(), self.cpu_clock())

            return note

        self.contender.load(self.case.architecture, self.weights)
        losses = self.contender.train(
            self.x,
            self.labels,
            every,
            self.case.spec,
            {warm_up: mark("start"), warm_up + n_steps: mark("stop")},
        )
        (start, cpu_start), (stop, cpu_stop) = marks["start"], marks["stop"]
        return {
            "steps": n_steps,
            "images": sum(len(batch) for batch in every[warm_up:]),
            "seconds": stop - start,
            "cpu_seconds": cpu_stop - cpu_start,
            "losses": len(losses),
            "first_loss": float(losses[0]) if len(losses) else None,
            "last_loss": float(losses[-1]) if len(losses) else None,
            "weights": self.start_hash,
            "batches": digest(every),
            "parts": getattr(self.contender, "parts", None),
        }


def answer(bench: Bench, request: Message) -> Message:
    """The answer to one request; `not_offered` with the reason where the contender declines."""
    from backproof.comparisons.speed.cases import Case
    from backproof.reference.contender import NotOffered

    arguments = dict(request)
    what = arguments.pop("do")
    try:
        if what == "prepare":
            fields = dict(arguments.pop("case"))
            case = Case(tuple(fields.pop("layer_sizes")), **fields)
            return {**bench.prepare(case, **arguments), **bench.threads()}
        return {**bench.round(**arguments), **bench.threads()}
    except NotOffered as reason:
        return {"not_offered": str(reason)}


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
    options = parser.parse_args()
    # Answers keep the original stdout; what frameworks print goes to stderr.
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)
    bind_to_cores(options.threads)
    start = time.perf_counter()
    bench = Bench(make(options.target))
    print(json.dumps({"import_seconds": time.perf_counter() - start}), file=answers, flush=True)
    for line in sys.stdin:
        gc.collect()  # what the round before left behind is not swept up inside this one's clock
        print(json.dumps(answer(bench, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
