"""The command line: every module of `comparisons.commands` registers its own sub-command here.

Command modules import typer alone at their top; NumPy and the frameworks wait until a command runs. A command
returns its exit code: 0 all PASS, 1 a FAIL, 2 usage or bad input, 3 INCONCLUSIVE, 130 interrupted.
"""

import dis
import importlib
import importlib.util
import sys
from types import TracebackType

import typer

from comparisons.errors import Interrupted, UsageError

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
OUR_PACKAGES = ("scratch", "reference", "comparisons")


def make_app() -> typer.Typer:
    """The `backproof` application with all its sub-commands."""
    app = typer.Typer(
        name="backproof", add_completion=False, pretty_exceptions_enable=False, rich_markup_mode=None
    )
    for name in COMMANDS:
        module = f"comparisons.commands.{name}"
        if importlib.util.find_spec(module) is not None:
            importlib.import_module(module).register(app)
    return app


def main() -> None:
    """Entry point of `backproof` and `python -m comparisons`."""
    sys.exit(run(sys.argv[1:]))


def run(arguments: list[str]) -> int:
    """Run one command line; what went wrong becomes one sentence on stderr and an exit code."""
    try:
        code = make_app()(args=arguments, prog_name="backproof", standalone_mode=False)
    except typer.TyperException as error:
        command = getattr(getattr(error, "ctx", None), "command_path", "backproof")
        return _refuse(f"{error.format_message().rstrip('.')}; see {command} --help")
    except UsageError as error:
        return _refuse(str(error))
    except Interrupted as error:
        print(f"backproof: interrupted; {error}", file=sys.stderr)
        return 130
    except (ValueError, TypeError) as error:
        if not _raised_by_us(error.__traceback__):
            raise
        return _refuse(str(error))
    if code == 130:
        print("backproof: interrupted", file=sys.stderr)
    return int(code or 0)


def _refuse(message: str) -> int:
    print(f"backproof: {message}", file=sys.stderr)
    return 2


def _raised_by_us(traceback: TracebackType | None) -> bool:
    """Whether a `raise` statement of this project raised it: then it is a checked boundary speaking.

    Anything else (NumPy refusing shapes, a wrong call) is a defect and keeps its traceback.
    """
    if traceback is None:
        return False
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    package = str(traceback.tb_frame.f_globals.get("__name__", "")).partition(".")[0]
    instruction = traceback.tb_frame.f_code.co_code[traceback.tb_lasti]
    return package in OUR_PACKAGES and dis.opname[instruction] == "RAISE_VARARGS"
