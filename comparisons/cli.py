"""The command line: every module of `commands` registers its own sub-command here.

Command modules import typer alone at their top; NumPy and the frameworks wait until a command runs. A command
returns its exit code: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE, 130 interrupted.
"""

import importlib
import importlib.util
import sys

import typer

from backproof.comparisons.running.errors import Interrupted
from backproof.scratch.errors import InputError

COMMANDS = (
    "main_job",
    "gradients",
    "accuracy",
    "speed",
    "numerical",
    "record",
    "lessons",
    "check",
    "zoo",
    "report",
    "data",
)


def make_app() -> typer.Typer:
    """The `backproof` application with all its sub-commands."""
    app = typer.Typer(
        name="backproof", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    for name in COMMANDS:
        module = f"backproof.comparisons.commands.{name}"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module).register(app)
    return app


def main() -> None:
    """Entry point of `backproof` and `python -m backproof.comparisons`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; what went wrong becomes one sentence on stderr and an exit code."""
    try:
        code = make_app()(args=arguments, prog_name="backproof", standalone_mode=False)
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "backproof")
        return _refuse(f"{error.format_message().rstrip('.')}; see {command} --help")
    except InputError as error:
        return _refuse(str(error))
    except Interrupted as error:
        print(f"backproof: interrupted; {error}", file=sys.stderr)
        return 130
    if code == 130:
        print("backproof: interrupted", file=sys.stderr)
    return int(code or 0)


def _refuse(message: str) -> int:
    print(f"backproof: {message}", file=sys.stderr)
    return 2
