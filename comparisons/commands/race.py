"""`backproof race`: seconds to a test accuracy of MNIST, beside the frameworks by the same recipe."""

import signal
from functools import partial
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, console, finish
from backproof.comparisons.running.errors import Interrupted
from backproof.scratch.errors import InputError

if TYPE_CHECKING:
    from backproof.comparisons.race.part import Keep, RacePlan
    from backproof.comparisons.race.recipes import Target
    from backproof.comparisons.race.result import RaceResult
    from backproof.comparisons.race.runners import RaceEntrant

DIVISIONS = ("matched", "idiomatic", "all")


def register(app: typer.Typer) -> None:
    app.command("race", short_help="Seconds to a test accuracy.")(race)


def race(
    target: Annotated[
        list[str] | None,
        typer.Option(
            metavar="PERCENT", help="97, 98, 98.5 or 99 (with distortions); repeatable. [default: all]"
        ),
    ] = None,
    runs: Annotated[int, options.count("Runs of each, seeds 0 to N - 1; ten decide.")] = 10,
    contender: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME", help="Beside scratch; repeatable. [default: torch and jax, where installed]"
        ),
    ] = None,
    threads: Annotated[
        int | None, options.count("Threads per library. [default: 2, or the cores there are]")
    ] = None,
    division: Annotated[
        str,
        typer.Option(
            metavar="NAME",
            help="matched (as they come), idiomatic (fused, compiled) or all; one recipe for all.",
        ),
    ] = "matched",
    choose: Annotated[
        bool, typer.Option("--choose", help="Compare candidate recipes on held-out training images instead.")
    ] = False,
    data_dir: options.DataDir = None,
    out: options.Out = options.OUT,
) -> int:
    """Seconds to 97, 98 and 98.5% of MNIST's test images, and to 99% with distortions, on two threads.

    The recipe of a target is fixed, its epochs too; the mean over all runs must reach it (PASS, FAIL, or
    INCONCLUSIVE with fewer than ten). The clock runs from the first touch of the training images to the
    weights that count. What is finished is kept when the command is stopped.
    """
    begin(None)
    from backproof.comparisons.race import part
    from backproof.comparisons.race.recipes import TARGETS
    from backproof.comparisons.race.result import RaceResult
    from backproof.comparisons.report.document import look_into
    from backproof.comparisons.report.write import merge

    if division not in DIVISIONS:
        raise InputError(f"division: expected one of {', '.join(DIVISIONS)}; got {division!r}")
    targets = part.names(target or (), TARGETS)
    plan = part.RacePlan(targets, _entrants(contender, division), runs, _threads(threads), command_line())
    before = look_into(out)
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # ended from outside, as by Ctrl-C
    if choose:
        return _choose(targets, runs, plan.threads, data_dir)
    kept: list[RaceResult] = []

    def keep(found: RaceResult) -> None:
        merge(out, plan.command, race=found)
        kept.append(found)

    try:
        found = _race(plan, before.race if before is not None else None, data_dir, keep)
    except KeyboardInterrupt as interrupt:
        said = f"the runs finished until then are kept in {out}" if kept else "no run was finished"
        raise Interrupted(said) from interrupt
    from backproof.comparisons.race import terminal

    return finish(out, {"race": found}, partial(terminal.render, found))


def _threads(asked: int | None) -> int:
    from backproof.comparisons.running.limits import usable_cores

    if asked is not None and asked > usable_cores():
        raise InputError(
            f"threads: expected at most {usable_cores()}, the cores of this machine; got {asked}"
        )
    return min(2, usable_cores()) if asked is None else asked


def _entrants(contenders: list[str] | None, division: str) -> "tuple[RaceEntrant, ...]":
    from backproof.comparisons.contenders import known, registry
    from backproof.comparisons.race.runners import entrants

    if contenders is None:
        with_recipe = [name for name, one in known.KNOWN.items() if one.recipe and one.installed]
        return tuple(entrants([name for name in with_recipe if name != known.SCRATCH], division))
    for name in contenders:
        registry.check(name)
        if ":" in name:
            raise InputError(
                f"contender: expected one of {options.OTHERS}, got {name!r}; a class has no recipes"
            )
    return tuple(entrants([name for name in dict.fromkeys(contenders) if name != known.SCRATCH], division))


def _race(plan: "RacePlan", before: "RaceResult | None", data_dir: str | None, keep: "Keep") -> "RaceResult":
    from backproof.comparisons.data.dataset import load
    from backproof.comparisons.race import part
    from backproof.comparisons.running.progress import Terminal

    with Terminal() as progress:
        dataset = load("mnist", data_dir, say=progress.say)
        return part.run(plan, dataset, progress, before, keep)


def _choose(targets: "tuple[Target, ...]", runs: int, threads: int, data_dir: str | None) -> int:
    from backproof.comparisons.data.dataset import load
    from backproof.comparisons.race import part, terminal
    from backproof.comparisons.running import threads as thread_pools
    from backproof.comparisons.running.progress import Terminal

    thread_pools.limit(threads)
    with Terminal() as progress:
        dataset = load("mnist", data_dir, say=progress.say)
        for target in targets:
            rows = part.choose(dataset, target, runs, progress)
            terminal.render_choice(target, rows, console())
    return 0
