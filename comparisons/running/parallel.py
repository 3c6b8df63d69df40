"""Tasks whose results add up: run in several processes of one thread each, kept as they come."""

from collections.abc import Callable, Generator, Sequence
from typing import TypeVar

from backproof.comparisons.running import processes
from backproof.comparisons.running.progress import Progress

_Task = TypeVar("_Task")
_Result = TypeVar("_Result")


def collect(
    run: Callable[[_Task], _Result],
    tasks: Sequence[_Task],
    keep: Callable[[_Task, _Result], None],
    workers: int,
    progress: Progress,
    title: str,
) -> bool:
    """Call keep(task, run(task)) for every task, in whatever order they end.

    Returns whether all were finished; False after Ctrl-C, with those kept that were.
    """
    with progress.task(title, len(tasks)) as advance:
        results = _results(run, tasks, workers)
        try:
            for task, result in results:
                keep(task, result)
                advance()
        except KeyboardInterrupt:
            return False
        finally:
            results.close()
    return True


def _results(
    run: Callable[[_Task], _Result], tasks: Sequence[_Task], workers: int
) -> Generator[tuple[_Task, _Result], None, None]:
    workers = min(workers, len(tasks))  # no process that nothing is left for
    if workers <= 1:
        for task in tasks:
            yield task, run(task)
        return
    import joblib

    with processes.safe_paths(), joblib.parallel_config("loky", n_jobs=workers, inner_max_num_threads=1):
        parallel = joblib.Parallel(return_as="generator_unordered")
        yield from parallel(joblib.delayed(_paired)(run, task) for task in tasks)


def _paired(run: Callable[[_Task], _Result], task: _Task) -> tuple[_Task, _Result]:
    return task, run(task)
