"""`backproof speed`: the whole protocol, with thread counts, cases, divisions and growth to choose."""

from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, finish

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.console import Console

    from backproof.comparisons.data.dataset import Dataset
    from backproof.comparisons.running.progress import Progress
    from backproof.comparisons.speed.cases import SpeedCase
    from backproof.comparisons.speed.entrants import Entrant
    from backproof.comparisons.speed.launch import KernelChoice
    from backproof.comparisons.speed.result import Finding, Settings, SpeedResult


ROUND_SECONDS = options.Range(0, 60, open_low=True)


def register(app: typer.Typer) -> None:
    app.command("speed", short_help="Time every contender, with a noise floor.")(speed)


def speed(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    contender: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME",
            help=f"Beside scratch: {options.OTHERS}, module:Class or file.py:Class; repeatable. "
            "[default: all that are installed]",
        ),
    ] = None,
    threads: Annotated[
        list[int] | None, options.count("Threads per library; repeatable. [default: 1]")
    ] = None,
    cases: Annotated[
        list[str] | None,
        typer.Option(
            metavar="CASE",
            help="LAYERS/BATCH/OPTIMIZER, as 784-128-10/100/sgd; repeatable. [default: the five published]",
        ),
    ] = None,
    division: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="matched (same batches, one step at a time), idiomatic (what its users write) or all.",
        ),
    ] = "matched",
    rounds: Annotated[int, options.count("Rounds per launch and case.")] = 3,
    launches: Annotated[int, options.count("Fresh processes, N times: what the intervals are over.")] = 5,
    round_seconds: Annotated[
        float,
        options.positive("S", "What the fastest trainer takes for one round, at least.", ROUND_SECONDS),
    ] = 1.0,
    kernels: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="own: each library chooses for this processor. environment: as variables say. avx2: all "
            "libraries as on a processor without AVX-512.",
        ),
    ] = "own",
    growth: Annotated[
        bool, typer.Option("--growth", help="Also draw images per second against batch size and width.")
    ] = False,
    seed: Annotated[int, options.count("Seed of first weights and batches.", options.AT_LEAST_0)] = 0,
    fail_if_slower: Annotated[
        bool, typer.Option("--fail-if-slower", help="Exit with 1 where scratch is the slower one.")
    ] = False,
) -> int:
    """How fast? One process per contender, interleaved rounds, an A/A noise floor, intervals by launch.

    A ratio is a contender's time over scratch's in the same round; scratch is faster, slower, or no
    difference is seen. Writes one report, in which every kind of processor and kernels that was measured into
    the same folder has its own tables. Exit codes: 0 measured, 1 slower than eager torch over all cases
    and --fail-if-slower, 2 usage or bad input, 3 no contender could be timed.
    """
    begin(None)
    from backproof.comparisons.contenders.apart import walls
    from backproof.comparisons.data.dataset import load
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.running.progress import Terminal
    from backproof.comparisons.speed.result import Settings

    choice = _check(division, kernels, rounds * launches, threads or [1])
    settings = Settings(
        threads=tuple(dict.fromkeys(threads or [1])),
        launches=launches,
        rounds=rounds,
        round_seconds=round_seconds,
        pause_seconds=0.3,
        seed=seed,
    )
    chosen_cases, entries = _cases(cases), _entries(contender, division, choice)
    look_into(out)  # a corrupt one stops here, not after the measurement
    with Terminal() as progress:
        if standing := walls(contender or []):
            progress.say(standing)
        dataset = load(data, data_dir, say=progress.say)
        part = _measured(settings, chosen_cases, entries, dataset, choice, growth, progress)
    code = exit_code(part.finding, fail_if_slower)
    stopped = "the launches" if part.interrupted else ""
    return finish(out, {"speed": part}, partial(_show, out), code=code, stopped=stopped)


def _show(out: str, console: "Console") -> None:
    """What the folder holds now: also what was measured on other kinds of processors before."""
    from backproof.comparisons.report.document import load_folder
    from backproof.comparisons.speed import terminal

    if (results := load_folder(out)) is not None and results.speed is not None:
        terminal.render(results.speed, console)


def _check(division: str, kernels: str, rounds: int, threads: list[int]) -> "KernelChoice":
    """What is wrong with the options together or on this machine, before anything is started.

    Returns `kernels`, which is one of the words.
    """
    import platform
    from typing import cast

    from backproof.comparisons.running.limits import usable_cores
    from backproof.scratch.errors import InputError

    for name, word, words in (
        ("division", division, ("matched", "idiomatic", "all")),
        ("kernels", kernels, ("own", "environment", "avx2")),
    ):
        if word not in words:
            raise InputError(f"{name}: expected one of {', '.join(words)}; got {word!r}")
    if max(threads) > usable_cores():
        raise InputError(
            f"threads: expected at most {usable_cores()}, the cores of this machine; got {max(threads)}"
        )
    if rounds < 2:
        raise InputError("rounds: expected at least 2 where there is one launch: an interval needs two")
    if kernels == "avx2" and platform.machine().lower() not in ("x86_64", "amd64"):
        raise InputError(
            f"kernels: avx2 expects a processor of the x86-64 family, found {platform.machine()}; use own"
        )
    return cast("KernelChoice", kernels)


def _cases(texts: list[str] | None) -> "Sequence[SpeedCase]":
    from backproof.comparisons.speed.cases import FIVE_CASES, parse_case

    return [parse_case(text) for text in texts] if texts else FIVE_CASES


def _entries(
    contenders: list[str] | None, division: str, kernels: "KernelChoice" = "own"
) -> "Sequence[Entrant]":
    """Those of the division, and always scratch (twice) with its floor and its parts."""
    from backproof.comparisons.contenders import known, registry
    from backproof.comparisons.speed.entrants import held, known_entrants, own_entrant

    for name in contenders or []:
        registry.check(name)
    installed = [name for name in known.names() if known.KNOWN[name].installed]
    families = set(contenders or installed)
    divisions = {"matched", "idiomatic"} if division == "all" else {division}
    chosen = [
        entry
        for entry in known_entrants()
        if entry.family == known.SCRATCH or (entry.family in families and entry.division in divisions)
    ]
    found = [*chosen, *(own_entrant(name) for name in contenders or [] if ":" in name)]
    return [held(entry) for entry in found] if kernels == "avx2" else found


def _measured(
    settings: "Settings",
    cases: "Sequence[SpeedCase]",
    entries: "Sequence[Entrant]",
    dataset: "Dataset",
    kernels: "KernelChoice",
    growth: bool,
    progress: "Progress",
) -> "SpeedResult":
    from dataclasses import replace

    from backproof.comparisons.speed import growth as speed_growth
    from backproof.comparisons.speed import part as measurement
    from backproof.comparisons.speed.entrants import for_growth
    from backproof.comparisons.speed.launch import ProcessWorker, kernels_of

    launch = partial(ProcessWorker, kernels=kernels)
    part = measurement.measure(settings, cases, entries, dataset, progress, launch)
    part = replace(part, kernels=kernels_of(kernels))
    if not growth or part.interrupted:
        return part
    chosen, sizes = for_growth(entries), speed_growth.Growth()
    found = speed_growth.measure(sizes, settings.threads[0], chosen, dataset, progress, launch)
    return replace(part, growth=found)


def exit_code(finding: "Finding | None", fail_if_slower: bool) -> int:
    """0 measured, whatever was found; 1 slower, where that was asked to fail; 3 nothing could be timed."""
    from backproof.comparisons.speed.result import Finding

    if finding is None:
        return 3
    return int(fail_if_slower and finding == Finding.SLOWER)
