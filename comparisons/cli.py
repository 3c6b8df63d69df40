"""The command line: every module of `commands` registers its own sub-command here.

Command modules import typer alone at their top; NumPy and the frameworks wait until a command runs. A command
returns its exit code: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE, 130 interrupted.
"""

import importlib
import importlib.util
import shutil
import sys
import textwrap
from typing import Any

import typer

from backproof.comparisons.running import torch_folder
from backproof.comparisons.running.errors import Interrupted
from backproof.scratch.errors import InputError

COMMANDS = (
    "main_job",
    "gradients",
    "accuracy",
    "speed",
    "numerical",
    "record",
    "race",
    "lessons",
    "check",
    "compare",
    "vectors",
    "zoo",
    "report",
    "data",
)


def make_app() -> typer.Typer:
    """The `backproof` application with all its sub-commands."""
    app = typer.Typer(
        name="backproof",
        add_completion=False,
        pretty_exceptions_enable=False,
        rich_markup_mode=None,
        context_settings={"help_option_names": ["-h", "--help"]},
    )
    for name in COMMANDS:
        module = f"backproof.comparisons.commands.{name}"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module).register(app)
    return app


def run(arguments: list[str]) -> int:
    """Run one command line; what went wrong becomes one sentence on stderr and an exit code."""
    command = typer.main.get_command(make_app())
    try:
        code = command(args=arguments, prog_name="backproof", standalone_mode=False)
    except typer.TyperException as error:
        return _refuse(_usage(error))
    except InputError as error:
        return _refuse(_with_option(str(error), _options(command, arguments)))
    except Interrupted as error:
        _tell(f"interrupted; {error}")
        return 130
    finally:
        torch_folder.remove_empty()
    if code == 130:
        _tell("interrupted")
    return int(code or 0)


def _usage(error: typer.TyperException) -> str:
    """What is wrong with the command line itself, and where its help is."""
    path = getattr(getattr(error, "ctx", None), "command_path", "backproof")
    message = error.format_message().rstrip(".").replace(". Did you mean", "; did you mean")
    return f"{message}; see {path} --help"


def _options(command: Any, arguments: list[str]) -> dict[str, str]:
    """The options of the command that was run, by the names that the library has for them."""
    commands = getattr(command, "commands", {})
    chosen = next((commands[word] for word in arguments if word in commands), command)
    options = [option for option in chosen.params if option.opts[0].startswith("--")]
    return {name: o.opts[0] for o in options for name in (o.name, o.opts[0].strip("-").replace("-", "_"))}


def _with_option(message: str, options: dict[str, str]) -> str:
    """The library's sentence, its argument's name replaced by the option's."""
    argument, colon, rest = message.partition(": ")
    aliases = {"layer_sizes": "layers", "n_seeds": "seeds", "margin_points": "margin"}
    option = options.get(aliases.get(argument, argument).replace("-", "_"), argument)
    return f"{option}{colon}{rest}"


def _refuse(message: str) -> int:
    _tell(message)
    return 2


def _tell(message: str) -> None:
    """One sentence on stderr. A terminal would break its words at the edge; here lines end between words."""
    said = f"backproof: {message}"
    if sys.stderr.isatty():
        columns = shutil.get_terminal_size().columns
        said = textwrap.fill(said, columns, break_long_words=False, break_on_hyphens=False)
    print(said, file=sys.stderr)
