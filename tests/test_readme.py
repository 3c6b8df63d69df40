"""What the README says is so: its commands exist, its options are known, its Python runs."""

from pathlib import Path
from typing import Any

import pytest
from typer import TyperException
from typer.main import get_command

from backproof.comparisons.cli import COMMANDS, make_app
from backproof.comparisons.contenders.loading import Target, load_class
from tests.support import readme
from tests.support.named_networks import Written

SAMPLE = """
| `backproof` | all |
| `backproof zoo A B` | the zoo |

```sh
.venv/bin/backproof zoo --only "a b"   # a comment
```
```python
x = 1
```
"""


def parse(arguments: list[str]) -> None:
    """Read a command line as `backproof` would, and run nothing. Raises TyperException."""
    program: Any = get_command(make_app())
    name = arguments[0] if arguments else ""
    if name in program.commands:
        program.commands[name].make_context(name, arguments[1:])
    else:
        program.make_context("backproof", list(arguments))


def test_the_reader_of_the_readme_finds_commands_lines_and_blocks() -> None:
    assert readme.commands_in_table(SAMPLE) == ["", "zoo"]
    assert readme.shell_lines(SAMPLE) == [["zoo", "--only", "a b"]]
    assert readme.blocks("python", SAMPLE) == ["x = 1\n"]


@pytest.mark.parametrize("line", [["--no-such"], ["zoo", "--no-such"], ["speed", "--rounds", "many"]])
def test_a_line_that_backproof_does_not_know_would_be_found(line: list[str]) -> None:
    with pytest.raises(TyperException):
        parse(line)


def test_the_table_lists_every_command() -> None:
    assert sorted(readme.commands_in_table()) == sorted({*COMMANDS, ""} - {"main_job"})


@pytest.mark.parametrize("line", readme.shell_lines(), ids=" ".join)
def test_every_line_of_shell_is_one_that_backproof_understands(line: list[str]) -> None:
    parse(line)


def test_the_adapter_without_methods_is_read_as_it_stands(tmp_path: Path) -> None:
    (block,) = readme.blocks("py")
    network = Written(forward="feedforward", learn="backprop").source
    (tmp_path / "homework_of_readme.py").write_text(network)
    (tmp_path / "shown.py").write_text(
        block.replace("from homework import", "from homework_of_readme import")
    )
    shown = vars(load_class(Target(str(tmp_path / "shown.py"), "MLP")))
    assert "gradient from backprop(x, targets): [1][0], [0][0]" in shown["read_as"][0]


@pytest.mark.parametrize("block", readme.blocks("python"))
def test_every_block_of_python_runs(block: str) -> None:
    exec(compile(block, "README.md", "exec"), {"__name__": "readme"})
