"""Every option of every command changes what is asked of the library: none is dropped on the way.

A command is run in this process with stand-ins for what it calls: they write down what they are given and do
nothing. With one option more something must be written down otherwise.
"""

import signal
from collections.abc import Callable
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import cache, partial
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import typer

from backproof.comparisons import cli
from backproof.comparisons.speed.result import Finding
from tests.support import sample_results

LIBRARY = "backproof.comparisons"
COMMANDS = f"{LIBRARY}.commands"


@dataclass(frozen=True)
class Part:
    """What a stand-in gives back where a part of the results is awaited."""

    command: str = ""
    interrupted: bool = False
    finding: Finding = Finding.SLOWER
    kernels: str = ""
    growth: object = None


# Of each command: what it calls, and what the stand-in gives back.
CALLED: dict[str, dict[str, object]] = {
    "main_job": {f"{LIBRARY}.main_job.run": sample_results.passing(), f"{COMMANDS}.main_job._show": 0},
    "gradients": {
        f"{LIBRARY}.experiment.resolve": None,
        f"{LIBRARY}.gradients.part.run": Part(),
        f"{LIBRARY}.gradients.step_sizes.run": Part(),
        f"{LIBRARY}.gradients.campaign.run": Part(),
        f"{LIBRARY}.gradients.sensitivity.run": Part(),
        f"{LIBRARY}.gradients.black_box_campaign.run": Part(),
        f"{LIBRARY}.gradients.autodiff_campaign.run": Part(),
        f"{COMMANDS}.gradients._finish": 0,
    },
    "accuracy": {
        f"{LIBRARY}.experiment.resolve": None,
        f"{LIBRARY}.accuracy.many_seeds.JoblibWorkers": None,
        f"{LIBRARY}.accuracy.many_seeds.DaskWorkers": None,
        f"{LIBRARY}.accuracy.part.run_many": Part(),
        f"{LIBRARY}.accuracy.error_rates.run": Part(),
        f"{COMMANDS}.accuracy.finish": 0,
    },
    "speed": {
        f"{LIBRARY}.data.dataset.load": None,
        f"{LIBRARY}.speed.part.measure": Part(),
        f"{LIBRARY}.speed.launch.kernels_of": "",
        f"{LIBRARY}.speed.growth.measure": None,
        f"{COMMANDS}.speed.finish": 0,
    },
    "numerical": {f"{LIBRARY}.numerical.part.run": Part(), f"{COMMANDS}.numerical.finish": 0},
    "record": {
        f"{LIBRARY}.data.dataset.load": None,
        f"{LIBRARY}.record.part.run": Part(),
        f"{LIBRARY}.record.part.choose": (),
        f"{LIBRARY}.record.terminal.render_choice": None,
        f"{COMMANDS}.record.finish": 0,
    },
    "race": {
        f"{LIBRARY}.data.dataset.load": None,
        f"{LIBRARY}.race.part.run": Part(),
        f"{LIBRARY}.race.part.choose": (),
        f"{LIBRARY}.race.terminal.render_choice": None,
        f"{COMMANDS}.race.finish": 0,
    },
    "lessons": {
        f"{LIBRARY}.lessons.runner.run": sample_results.a_lesson(),
        f"{LIBRARY}.lessons.terminal.render": None,
        f"{LIBRARY}.lessons.terminal.listing": None,
        f"{COMMANDS}.lessons._keep": None,
        f"{COMMANDS}.lessons._draw": 0,
        f"{COMMANDS}.lessons._write_notebook": None,
        f"{COMMANDS}.lessons.print_address": None,
    },
    "check": {f"{COMMANDS}.check._run": 0, f"{COMMANDS}.check._init": 0},
    "compare": {
        f"{LIBRARY}.compare.part.run": Part(),
        f"{LIBRARY}.compare.campaign.run": Part(),
        f"{COMMANDS}.compare.finish": 0,
    },
    "vectors": {f"{LIBRARY}.compare.vectors.write": ()},
    "zoo": {
        f"{LIBRARY}.report.document.look_into": SimpleNamespace(zoo=Part("before")),
        f"{LIBRARY}.zoo.catalogue.read": [],
        f"{LIBRARY}.zoo.matrix.kept": None,
        f"{LIBRARY}.zoo.matrix.run": Part(),
        f"{COMMANDS}.zoo._chosen": (),
        f"{COMMANDS}.zoo.finish": 0,
    },
    "report": {
        f"{COMMANDS}.report._load": sample_results.passing(),
        f"{COMMANDS}.report._draw": None,
        f"{COMMANDS}.report._compare": None,
        f"{COMMANDS}.report._history": 0,
        f"{LIBRARY}.report.runs.as_markdown": "",
    },
    "data": {
        f"{LIBRARY}.data.dataset.load": SimpleNamespace(
            image_shape=(8, 8), source="", train_images=(), test_images=(), sha256=""
        )
    },
}


@dataclass(frozen=True)
class Option:
    """Words on the command line, what they are beside, and what stands in their place without them."""

    words: str
    beside: str = ""
    instead: str = ""
    reaches: int = 1  # so many stand-ins are given something else


Options = dict[str, Option | tuple[Option, ...]]
FROM_PLAN: Options = {
    "out": Option("--out elsewhere", reaches=2),
    "data": Option("--data digits"),
    "data_dir": Option("--data-dir files"),
    "contender": Option("--contender jax"),
    "seed": Option("--seed 7"),
}
SIMULATED = "--error-rates 50"
ALL_CAMPAIGNS = "--campaign 3 --perturb --functions 4 --autodiff"
TRAINING: Options = {
    "layers": Option("--layers 64,9,10"),
    "optimizer": Option("--optimizer adam"),
    "learning_rate": Option("--learning-rate 0.07"),
    "batch_size": Option("--batch-size 33"),
    "epochs": Option("--epochs 4"),
}
OPTIONS: dict[str, Options] = {
    "main_job": {
        **FROM_PLAN,
        **TRAINING,
        "quick": Option("--quick"),
        "dtype": Option("--dtype float64"),
        "seeds": Option("--seeds 9"),
        "threads": Option("--threads 2", reaches=2),  # this process's, and the plan's
    },
    "gradients": {
        **FROM_PLAN,
        "seed": Option("--seed 7", ALL_CAMPAIGNS, reaches=5),  # the plan's, and every campaign's
        "campaign": Option("--campaign 5", instead="--campaign 3"),
        "gradcheck": Option("--gradcheck 6", ALL_CAMPAIGNS, reaches=2),
        "perturb": Option("--perturb", reaches=2),
        "draws": Option("--draws 8", ALL_CAMPAIGNS),
        "functions": Option("--functions 2", instead="--functions 4"),
        "autodiff": Option("--autodiff", reaches=2),
        "workers": Option("--workers 3", ALL_CAMPAIGNS, reaches=3),
        "json_file": Option("--json gradients.json"),
    },
    "accuracy": {
        **FROM_PLAN,
        **TRAINING,
        "seeds": Option("--seeds 9"),
        "workers": Option("--workers 3"),
        "dask": (Option("--dask there", reaches=2), Option("--dask there", instead="--dask here")),
        "out": (Option("--out elsewhere", reaches=2), Option("--out elsewhere", SIMULATED)),
        "seed": (Option("--seed 7"), Option("--seed 7", SIMULATED)),
        "margin": (Option("--margin 0.3"), Option("--margin 0.3", SIMULATED)),
        "error_rates": (Option(SIMULATED, reaches=5), Option("--error-rates 60", instead=SIMULATED)),
    },
    "speed": {
        "out": Option("--out elsewhere"),
        "data": Option("--data digits"),
        "data_dir": Option("--data-dir files"),
        "contender": Option("--contender sklearn"),
        "threads": Option("--threads 2", "--growth", reaches=2),
        "cases": Option("--cases 64-8-10/20/sgd"),
        "division": Option("--division all"),
        "rounds": Option("--rounds 4"),
        "launches": Option("--launches 6"),
        "round_seconds": Option("--round-seconds 0.5"),
        "kernels": Option("--kernels environment", "--growth", reaches=3),
        "growth": Option("--growth"),
        "seed": Option("--seed 7"),
        "fail_if_slower": Option("--fail-if-slower"),
    },
    "numerical": {
        "out": Option("--out elsewhere", reaches=2),
        "data": Option("--data digits"),
        "data_dir": Option("--data-dir files"),
        "hidden": Option("--hidden 9"),
        "batch_size": Option("--batch-size 33"),
        "epochs": Option("--epochs 4"),
        "steps": Option("--steps 5"),
        "learning_rate": Option("--learning-rate 0.07"),
        "momentum": Option("--momentum 0.5"),
        "differences": Option("--differences entries"),
        "step": Option("--step 0.001"),
        "seed": Option("--seed 7"),
        "ladder": Option("--no-ladder"),
        "forward": Option("--no-forward"),
        "restart": Option("--restart"),
    },
    "record": {
        "minutes": (Option("--minutes 2"), Option("--minutes 2", "--choose")),
        "epochs": (Option("--epochs 4"), Option("--epochs 4", "--choose")),
        "board": (Option("--board distortion"), Option("--board distortion", "--choose", reaches=2)),
        "members": (Option("--members 3"), Option("--members 3", "--choose")),
        "seed": (Option("--seed 7"), Option("--seed 7", "--choose")),
        "seeds": Option("--seeds 2"),
        "choose": Option("--choose", reaches=4),
        "data_dir": Option("--data-dir files"),
        "out": Option("--out elsewhere"),
    },
    "race": {
        "target": (Option("--target 97"), Option("--target 97", "--choose", reaches=2)),
        "runs": (Option("--runs 3"), Option("--runs 3", "--choose")),
        "contender": Option("--contender torch"),
        "threads": (Option("--threads 3"), Option("--threads 3", "--choose")),
        "division": Option("--division all"),
        "choose": Option("--choose", reaches=5),
        "data_dir": Option("--data-dir files"),
        "out": Option("--out elsewhere"),
    },
    "lessons": {
        "name": (Option("neuron", reaches=4), Option("xor", instead="neuron")),
        "all_": Option("--all", reaches=5),
        "html": Option("--html", "neuron", reaches=2),
        "lang": Option("--lang ko", "neuron", reaches=2),
        "out": Option("--out elsewhere", "neuron", reaches=2),
        "code": Option("--code", "neuron"),
        "change": Option("--set RATE=0.5", "neuron"),
        "notebook": Option("--notebook it.ipynb", "neuron"),
        "epochs": Option("--epochs 4", "neuron"),
        "tensorboard": Option("--tensorboard events", "live"),
        "seed": Option("--seed 7", "neuron"),
        "data": Option("--data digits", "neuron"),
        "data_dir": Option("--data-dir files", "neuron"),
        "keras": Option("--no-keras", "neuron"),
        "threads": Option("--threads 2", "neuron"),
    },
    "check": {
        "targets": Option("other.py"),
        "only": Option("--only loss"),
        "seed": Option("--seed 7"),
        "time_limit": Option("--time-limit 5"),
        "call_limit": Option("--call-limit 2"),
        "quick": Option("--quick"),
        "strict": Option("--strict"),
        "activation": Option("--activation tanh"),
        "loss": Option("--loss mse"),
        "layers": Option("--layers 1"),
        "dtype": Option("--dtype float32"),
        "json_file": Option("--json it.json"),
        "csv_file": Option("--csv it.csv"),
        "gradescope": Option("--gradescope it.json"),
        "junit": Option("--junit it.xml"),
        "markdown": Option("--markdown it.md"),
        "github": Option("--github"),
        "out": Option("--out elsewhere"),
        "report": Option("--report pages"),
        "language": Option("--lang ko"),
        "rubric": Option("--rubric points.toml"),
        "again": Option("--again"),
        "workers": Option("--workers 3"),
        "sandbox": Option("--sandbox none"),
        "init": (Option("--init new.py", reaches=2), Option("--init new.py", instead="--init old.py")),
        "start_from": Option("--from old.py", "--init new.py"),
    },
    "compare": {
        "first": Option("jax scratch", instead="torch scratch"),
        "second": Option("torch jax", instead="torch scratch"),
        "seed": (
            Option("--seed 7", "torch scratch"),
            Option("--seed 7", "torch scratch --campaign 3"),
        ),
        "campaign": (
            Option("--campaign 5", "torch scratch", reaches=2),
            Option("torch scratch --campaign 5", instead="torch scratch --campaign 3"),
        ),
        "out": Option("--out elsewhere", "torch scratch"),
    },
    "vectors": {"folder": Option("elsewhere", instead="here")},
    "zoo": {
        "only": Option("--only Bias"),
        "seed": Option("--seed 7", reaches=2),
        "seeds": Option("--seeds 5", reaches=2),
        "workers": Option("--workers 3"),
        "resume": Option("--resume"),
        "mutants": Option("--mutants other", reaches=3),
        "out": Option("--out elsewhere", reaches=2),
    },
    "report": {
        "results": Option("elsewhere"),
        "out": Option("--out elsewhere"),
        "markdown": Option("--markdown", reaches=2),
        "history": (Option("--history runs", reaches=3), Option("--history runs", instead="--history here")),
    },
    "data": {"data": Option("--data digits"), "data_dir": Option("--data-dir files")},
}


Told = dict[str, list[object]]  # by the name of what is called: what it was given, call by call


def plain(value: object) -> object:
    """What can be compared: numbers, texts, and what is made of them; of anything else its type."""
    if isinstance(value, str | int | float | bool | range | Path | Enum | None):
        return value
    if isinstance(value, list | tuple | set | frozenset):
        return [plain(item) for item in value]
    if isinstance(value, dict):
        return {key: plain(item) for key, item in value.items()}
    if isinstance(value, partial):
        return [plain(value.func), plain(value.args), plain(value.keywords)]
    if is_dataclass(value) and not isinstance(value, type):
        return {field.name: plain(getattr(value, field.name)) for field in fields(value)}
    return getattr(value, "__qualname__", type(value).__qualname__)


@pytest.fixture
def alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """An empty folder, eight cores, and nothing of this process changed."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HYPOTHESIS_STORAGE_DIRECTORY", str(tmp_path))
    monkeypatch.setattr(signal, "signal", lambda *arguments: None)
    for module in ("running.limits", "experiment", "speed.part"):
        monkeypatch.setattr(f"{LIBRARY}.{module}.usable_cores", lambda: 8)
    return monkeypatch


@cache
def application() -> Any:
    return typer.main.get_command(cli.make_app())


def parameters(command: str) -> list[str]:
    """The names of a command's options, as its function has them."""
    found = application() if command == "main_job" else application().commands[command]
    return [parameter.name for parameter in found.params]


def told(alone: pytest.MonkeyPatch, command: str, words: str) -> Told:
    """What the stand-ins of a command are given for these words."""
    written: Told = {}

    def stand_in(name: str, answer: object) -> Callable[..., object]:
        def called(*arguments: object, **options: object) -> object:
            written.setdefault(name, []).append([plain(arguments), plain(options)])
            return answer

        return called

    for name, answer in {f"{LIBRARY}.running.threads.limit": None, **CALLED[command]}.items():
        alone.setattr(name, stand_in(name, answer))
    line = [*([] if command == "main_job" else [command]), *words.split()]
    application()(args=line, prog_name="backproof", standalone_mode=False)
    return written


def cases() -> list[tuple[str, str, Option]]:
    found = []
    for command, options in OPTIONS.items():
        for name, several in options.items():
            found += [(command, name, one) for one in (several if isinstance(several, tuple) else (several,))]
    return found


@pytest.mark.parametrize(
    ("command", "option"),
    [pytest.param(command, one, id=f"{command} {one.beside} {one.words}") for command, _, one in cases()],
)
def test_an_option_changes_what_is_asked_of_the_library(
    alone: pytest.MonkeyPatch, command: str, option: Option
) -> None:
    without = told(alone, command, option.instead or option.beside)
    found = told(alone, command, f"{option.beside} {option.words}")
    changed = [where for where in {*without, *found} if without.get(where) != found.get(where)]
    assert len(changed) == option.reaches, sorted(changed)


@pytest.mark.parametrize("command", CALLED)
def test_the_same_words_ask_the_same(alone: pytest.MonkeyPatch, command: str) -> None:
    words = next(one.instead or one.beside for where, _, one in cases() if where == command)
    assert told(alone, command, words) == told(alone, command, words)


def test_no_option_of_any_command_is_forgotten() -> None:
    assert set(OPTIONS) == set(cli.COMMANDS) == set(CALLED)
    for command, options in OPTIONS.items():
        assert set(options) == set(parameters(command)) - {"version"}, command


def test_an_option_that_is_dropped_is_seen(alone: pytest.MonkeyPatch) -> None:
    """--gradcheck without a campaign changes nothing."""
    option = Option("--gradcheck 6")
    with pytest.raises(AssertionError):
        test_an_option_changes_what_is_asked_of_the_library(alone, "gradients", option)
