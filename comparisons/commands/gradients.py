"""`backproof gradients`: the gradient checks and the step-size picture; with options, campaign and
sensitivity."""

import shlex
import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.verdicts.outcome import exit_code

if TYPE_CHECKING:
    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.running.progress import Progress


def register(app: typer.Typer) -> None:
    app.command("gradients")(gradients)


def gradients(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    contender: options.Contenders = None,
    seed: Annotated[int, typer.Option(metavar="N", help="Seed of weights, batches and random cases.")] = 0,
    campaign: Annotated[
        int | None,
        typer.Option(
            metavar="N",
            help="Also judge N random correct gradients in each of 32 cells (family x activation x dtype): "
            "false alarms, undecided entries, resolution.",
        ),
    ] = None,
    gradcheck: Annotated[
        int, typer.Option(metavar="N", help="Let torch's gradcheck judge the first N cases of each cell too.")
    ] = 100,
    perturb: Annotated[
        bool, typer.Option("--perturb", help="Also make correct gradients slightly wrong: what is caught?")
    ] = False,
    draws: Annotated[int, typer.Option(metavar="N", help="Draws per cell for --perturb.")] = 500,
    workers: Annotated[
        int | None, typer.Option(metavar="N", help="Processes for --campaign and --perturb. [default: cores]")
    ] = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Also write the gradient part to this file.")
    ] = None,
) -> int:
    """Are the gradients right? Checks against numerical differentiation, with derived bounds.

    Writes one report. Exit codes: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE.
    """
    from backproof.comparisons.running import threads as thread_pools

    print("backproof: loading ...", file=sys.stderr, flush=True)
    thread_pools.limit(1)  # before NumPy and the frameworks are imported
    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.running.progress import Terminal

    _check(campaign, draws, gradcheck, workers, json_file)
    plan = Plan(
        contenders=tuple(contender) if contender else ("torch",),
        data=data,
        data_dir=data_dir,
        seed=seed,
        out=out,
        command=shlex.join(["backproof", *sys.argv[1:]]),
    )
    with Terminal() as progress:
        parts = _checked(plan, progress)
        settings = {"seed": seed, "workers": workers or _cores(), "gradcheck_cases": gradcheck}
        stopped = _more(parts, plan, progress, campaign, draws if perturb else None, settings)
    return _finish(plan, parts, stopped, json_file)


def _check(
    campaign: int | None, draws: int, gradcheck: int, workers: int | None, json_file: str | None
) -> None:
    """Everything that could be wrong with the options, before anything is computed."""
    from pathlib import Path

    from backproof.scratch.errors import InputError

    for name, value, low in (("campaign", campaign, 1), ("draws", draws, 1), ("gradcheck", gradcheck, 0)):
        if value is not None and value < low:
            raise InputError(f"{name}: expected at least {low}, got {value}")
    if workers is not None and workers < 1:
        raise InputError(f"workers: expected at least 1, got {workers}")
    if json_file is not None and not Path(json_file).resolve().parent.is_dir():
        raise InputError(f"json: there is no folder {Path(json_file).resolve().parent}; make it first")


def _cores() -> int:
    from joblib import cpu_count

    return int(cpu_count())


def _checked(plan: "Plan", progress: "Progress") -> dict[str, Any]:
    from backproof.comparisons.gradients import part as gradients
    from backproof.comparisons.gradients import step_sizes
    from backproof.comparisons.report import document as results

    results.look_into(plan.out)  # a corrupt one stops here
    found = gradients.run(plan, progress)
    with progress.task("step sizes"):
        return {"gradients": found, "step_sizes": step_sizes.run()}


def _more(
    parts: dict[str, Any],
    plan: "Plan",
    progress: "Progress",
    campaign: int | None,
    draws: int | None,
    settings: dict[str, int],
) -> bool:
    """Run what was asked for beside the checks; returns whether Ctrl-C stopped it."""
    from backproof.comparisons.gradients import campaign as campaigns
    from backproof.comparisons.gradients import sensitivity

    for key, runner, n in (("campaign", campaigns.run, campaign), ("sensitivity", sensitivity.run, draws)):
        if n is None:
            continue
        found = {**runner(n, progress=progress, **settings), "command": plan.command}
        parts[key] = found
        if found["interrupted"]:
            return True
    return False


def _finish(plan: "Plan", parts: dict[str, Any], stopped: bool, json_file: str | None) -> int:
    import json
    from pathlib import Path

    from rich.console import Console

    from backproof.comparisons.gradients import terminal as gradient_tables
    from backproof.comparisons.report import write
    from backproof.comparisons.results.codec import encode
    from backproof.comparisons.results.files import write_atomically
    from backproof.comparisons.running.errors import Interrupted

    write.merge(plan.out, plan.command, **parts)
    if json_file is not None:
        text = json.dumps(encode(parts), indent=1, allow_nan=False) + "\n"
        write_atomically(json_file, text)
    gradient_tables.render(parts, Console(highlight=False))
    print(f"\nReport: {(Path(plan.out) / 'report.html').resolve().as_uri()}")
    if stopped:
        raise Interrupted(f"the cases finished until then are kept in {plan.out}")
    return exit_code([part["verdict"] for part in parts.values() if "verdict" in part])
