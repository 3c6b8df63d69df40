"""`backproof gradients`: the gradient checks and the step-size picture; with options, campaign and
sensitivity."""

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Annotated

import typer

from backproof.comparisons.commands import options
from backproof.comparisons.commands.finish import begin, command_line, finish

if TYPE_CHECKING:
    from rich.console import Console

    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.gradients.autodiff_result import AutodiffCampaign
    from backproof.comparisons.gradients.black_box_result import FunctionCampaign
    from backproof.comparisons.gradients.result import Campaign, Gradients, Sensitivity, StepSizes
    from backproof.comparisons.running.progress import Progress


WRONG = 30  # functions of every framework that are judged with each mistake


def register(app: typer.Typer) -> None:
    app.command("gradients", short_help="Check gradients, with derived bounds.")(gradients)


def gradients(
    out: options.Out = options.OUT,
    data: options.Data = "auto",
    data_dir: options.DataDir = None,
    contender: options.Contenders = None,
    seed: Annotated[
        int, options.count("Seed of weights, batches and random networks.", options.AT_LEAST_0)
    ] = 0,
    campaign: Annotated[
        int | None,
        options.count(
            "Also judge N random correct gradients in each of 112 cells (family x activation x dtype): "
            "false alarms, undecided entries, resolution."
        ),
    ] = None,
    gradcheck: Annotated[
        int,
        options.count("Let torch's gradcheck judge the first N cases of each cell too.", options.AT_LEAST_0),
    ] = 100,
    perturb: Annotated[
        bool, typer.Option("--perturb", help="Also make correct gradients slightly wrong: what is caught?")
    ] = False,
    draws: Annotated[int, options.count("Draws per cell for --perturb.")] = 500,
    functions: Annotated[
        int | None,
        options.count(
            "Also judge N functions of each of about 100 kinds with `check_gradient`, right and wrong "
            "gradients: false alarms, misses."
        ),
    ] = None,
    autodiff: Annotated[
        bool,
        typer.Option(
            "--autodiff",
            help="Also judge some 90 functions of torch, JAX and Keras with `check_autodiff`: right, wrong.",
        ),
    ] = False,
    workers: options.Workers = None,
    json_file: Annotated[
        str | None, typer.Option("--json", metavar="FILE", help="Also write the gradient part to this file.")
    ] = None,
) -> int:
    """Are the gradients right? Checks against numerical differentiation, with derived bounds.

    Writes one report. Exit codes: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE.
    """
    begin()
    from backproof.comparisons.experiment import Plan
    from backproof.comparisons.running.progress import Terminal

    _check_folder_of(json_file)
    plan = Plan(
        contenders=tuple(contender) if contender else ("torch",),
        data=data,
        data_dir=data_dir,
        seed=seed,
        out=out,
        command=command_line(),
    )
    asked = _Asked(
        campaign, draws if perturb else None, functions, seed, workers or _cores(), gradcheck, autodiff
    )
    with Terminal() as progress:
        found = _found(plan, asked, progress)
    return _finish(found, out, json_file)


def _check_folder_of(json_file: str | None) -> None:
    """Before anything is computed."""
    from pathlib import Path

    from backproof.scratch.errors import InputError

    if json_file is not None and not Path(json_file).resolve().parent.is_dir():
        raise InputError(f"json: there is no folder {Path(json_file).resolve().parent}; make it first")


def _cores() -> int:
    from joblib import cpu_count

    return int(cpu_count())


@dataclass(frozen=True)
class _Asked:
    """What was asked for beside the checks."""

    campaign: int | None  # networks per cell
    draws: int | None  # of the sensitivity, per cell
    functions: int | None  # per kind
    seed: int
    workers: int
    gradcheck: int
    autodiff: bool = False


@dataclass(frozen=True)
class _Found:
    """By the slots of the results."""

    gradients: "Gradients"
    step_sizes: "StepSizes"
    campaign: "Campaign | None" = None
    sensitivity: "Sensitivity | None" = None
    functions: "FunctionCampaign | None" = None
    autodiff: "AutodiffCampaign | None" = None

    @property
    def parts(self) -> dict[str, object]:
        """Those that were asked for."""
        return {name: part for name, part in vars(self).items() if part is not None}

    @property
    def stopped(self) -> bool:
        """Whether Ctrl-C ended one of them early."""
        parts = (self.campaign, self.sensitivity, self.functions)
        return any(part is not None and part.interrupted for part in parts)


def _found(plan: "Plan", asked: _Asked, progress: "Progress") -> _Found:
    from backproof.comparisons.experiment import resolve
    from backproof.comparisons.gradients import (
        autodiff_campaign,
        black_box_campaign,
        campaign,
        sensitivity,
        step_sizes,
    )
    from backproof.comparisons.gradients import part as gradients
    from backproof.comparisons.report.document import look_into

    look_into(plan.out)  # a corrupt one stops here
    checks = gradients.run(resolve(plan, progress), progress)
    with progress.task("step sizes"):
        found = _Found(checks, step_sizes.run())
    settings = (asked.seed, asked.workers, asked.gradcheck, progress)
    if asked.campaign is not None:
        judged = campaign.run(asked.campaign, *settings)
        found = replace(found, campaign=replace(judged, command=plan.command))
    if asked.draws is not None and not found.stopped:
        caught = sensitivity.run(asked.draws, *settings)
        found = replace(found, sensitivity=replace(caught, command=plan.command))
    if asked.functions is not None and not found.stopped:
        rivals = min(asked.gradcheck, black_box_campaign.RIVALS)
        boxes = black_box_campaign.run(asked.functions, asked.seed, asked.workers, rivals, progress)
        found = replace(found, functions=replace(boxes, command=plan.command))
    if asked.autodiff and not found.stopped:
        made = autodiff_campaign.run(autodiff_campaign.installed(), None, WRONG, asked.seed, progress)
        found = replace(found, autodiff=replace(made, command=plan.command))
    return found


def _finish(found: _Found, out: str, json_file: str | None) -> int:
    import json

    from backproof.comparisons.gradients import autodiff_terminal, black_box_terminal
    from backproof.comparisons.gradients.terminal import render
    from backproof.comparisons.results.codec import encode
    from backproof.comparisons.results.files import write_atomically

    if json_file is not None:
        write_atomically(json_file, json.dumps(encode(found.parts), indent=1, allow_nan=False) + "\n")

    def show(console: "Console") -> None:
        render(found.gradients, found.step_sizes, found.campaign, found.sensitivity, console)
        if found.functions is not None:
            black_box_terminal.render(found.functions, console)
        if found.autodiff is not None:
            autodiff_terminal.render(found.autodiff, console)

    return finish(out, found.parts, show, stopped="the cases" if found.stopped else "")
