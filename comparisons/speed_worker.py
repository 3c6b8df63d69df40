"""One contender in its own process: it is told what to time, and answers with what its clock showed.

    python -m comparisons.speed_worker --target package.module:Class --threads 1

Each line on stdin is a request in JSON, each answer a line on stdout; everything else that is printed goes to
stderr. Nothing numerical is imported before the process is bound to its cores and its thread counts are set.
An error ends the process: whoever asked sees the end of the answers and the traceback on stderr.

Inside the clock: batch gather, forward, loss, backward, update, final synchronisation. Outside: import, data,
conversion, shuffling, first-call compilation (the warm-up steps), evaluation.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import sys
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from comparisons.speed_cases import Case
    from reference.contender import Contender

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


def thread_report() -> dict[str, int]:
    """What is loaded here, and how many threads each library says it uses; `cores` where known."""
    import threadpoolctl

    report: dict[str, int] = {}
    for pool in threadpoolctl.threadpool_info():
        name = pool["internal_api"]
        report[name] = max(int(pool["num_threads"]), report.get(name, 0))
    if torch := sys.modules.get("torch"):
        report["torch"] = int(torch.get_num_threads())
    if tensorflow := sys.modules.get("tensorflow"):
        report["tensorflow"] = int(tensorflow.config.threading.get_intra_op_parallelism_threads())
    if hasattr(os, "sched_getaffinity"):
        report["cores"] = len(os.sched_getaffinity(0))
    return report


class Bench:
    """Times rounds of one contender. The two clocks can be replaced (a test brings its own)."""

    def __init__(
        self, contender: Contender, clock: Clock = time.perf_counter, cpu_clock: Clock = time.process_time
    ) -> None:
        self.contender = contender
        self.clock = clock
        self.cpu_clock = cpu_clock
        self._read = ("", "")  # which data are in memory

    def prepare(self, case: Case, data: str, seed: int) -> Message:
        """Read `data` (an .npz of x and labels), draw the weights; answers with their hash."""
        import numpy as np

        from comparisons.speed_cases import digest
        from scratch.initializers import initialize

        self.case, self.seed = case, seed
        if self._read != (data, case.dtype):
            with np.load(data) as arrays:
                self.x, self.labels = arrays["x"].astype(case.dtype, copy=False), arrays["labels"]
            self._read = (data, case.dtype)
        self.weights = initialize(case.architecture, seed).weights()
        return {"weights": digest([array for pair in self.weights for array in pair])}

    def round(self, n_steps: int, warm_up: int) -> Message:
        """Train `warm_up` + `n_steps` steps from the same weights as always; the last `n_steps` are timed."""
        from comparisons.speed_cases import batches, digest

        every = batches(len(self.x), self.case.batch_size, warm_up + n_steps, self.seed)
        marks: dict[str, tuple[float, float]] = {}

        def mark(name: str) -> Callable[[], None]:
            def note() -> None:
                marks[name] = (self.clock(), self.cpu_clock())

            return note

        self.contender.load(self.case.architecture, self.weights)
        gc.collect()
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
            "first_loss": float(losses[0]) if len(losses) else None,
            "last_loss": float(losses[-1]) if len(losses) else None,
            "batches": digest(every),
        }


def answer(bench: Bench, request: Message) -> Message:
    """The answer to one request; `not_offered` with the reason where the contender declines."""
    from comparisons.speed_cases import Case
    from reference.contender import NotOffered

    arguments = dict(request)
    what = arguments.pop("do")
    try:
        if what == "prepare":
            fields = arguments.pop("case")
            case = Case(tuple(fields.pop("layer_sizes")), **fields)
            return {**bench.prepare(case, **arguments), "threads": thread_report()}
        return {**bench.round(**arguments), "threads": thread_report()}
    except NotOffered as reason:
        return {"not_offered": str(reason)}


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
    from comparisons.registry import load_class

    start = time.perf_counter()
    bench = Bench(load_class(options.target)())
    print(json.dumps({"import_seconds": time.perf_counter() - start}), file=answers, flush=True)
    for line in sys.stdin:
        print(json.dumps(answer(bench, json.loads(line))), file=answers, flush=True)


if __name__ == "__main__":
    main()
