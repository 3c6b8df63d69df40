"""Windows and macOS by construction: what some systems lack stands in two modules, texts name their encoding.

Read from the source: no other system is needed to see it.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.test_import_rule import PACKAGES, ROOT, sources

# Each of them asks for the platform first, and has an answer for the others.
GUARDED = {"comparisons/running/limits.py", "comparisons/running/file_lock.py"}
MODULES = {
    "resource",
    "fcntl",
    "pwd",
    "grp",
    "termios",
    "tty",
    "pty",
    "posix",
    "syslog",
    "curses",
    "readline",
}
NAMES = {
    *(
        "fork",
        "forkpty",
        "waitpid",
        "wait3",
        "wait4",
        "killpg",
        "setsid",
        "setpgid",
        "getpgid",
        "nice",
        "uname",
    ),
    *("sysconf", "getuid", "geteuid", "getgid", "sched_getaffinity", "sched_setaffinity", "mkfifo", "chown"),
    *("getloadavg", "SIGKILL", "SIGHUP", "SIGALRM", "setitimer", "alarm", "pthread_kill"),
}
OPTIONS = {"preexec_fn", "pass_fds", "start_new_session", "process_group", "umask"}
PLACES = ("/proc", "/dev/", "/etc/", "/tmp")
TEXT_CALLS = {"read_text", "write_text", "open", "fdopen", "NamedTemporaryFile", "TemporaryFile"}


def posix_only(tree: ast.AST) -> Iterator[str]:
    """What of a text not every system has."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names if alias.name in MODULES)
        elif isinstance(node, ast.ImportFrom) and node.module in MODULES:
            yield str(node.module)
        elif (
            isinstance(node, ast.Attribute)
            and node.attr in NAMES
            and ast.unparse(node.value) in ("os", "signal")
        ):
            yield ast.unparse(node)
        elif isinstance(node, ast.keyword) and node.arg in OPTIONS:
            yield node.arg
        elif isinstance(node, ast.Call) and any(_is_place(argument) for argument in node.args):
            yield ast.unparse(node)


def _is_place(node: ast.AST) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.startswith(PLACES)


def without_encoding(tree: ast.AST) -> Iterator[str]:
    """Calls that read or write text in whatever encoding the system prefers."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
        given = {keyword.arg for keyword in node.keywords}
        words = [
            a.value for a in [*node.args, *(k.value for k in node.keywords)] if isinstance(a, ast.Constant)
        ]
        binary = any(isinstance(word, str) and "b" in word and len(word) <= 3 for word in words)
        binary |= name in ("NamedTemporaryFile", "TemporaryFile") and "mode" not in given  # theirs is w+b
        if name in TEXT_CALLS and not binary and "encoding" not in given and not _names_it(name, node):
            yield ast.unparse(node)


def _names_it(name: str, node: ast.Call) -> bool:
    """The encoding first in read_text; a mode by its name; os.open and webbrowser.open read no text."""
    if name == "read_text" or ast.unparse(node).endswith(".open(mode)"):
        return bool(node.args)
    return name == "open" and ast.unparse(node.func) in ("os.open", "webbrowser.open")


@pytest.mark.parametrize(
    "text",
    [
        "import resource",
        "from fcntl import flock",
        "os.fork()",
        "Popen(x, pass_fds=(1,))",
        "Path('/proc/stat')",
    ],
)
def test_the_search_finds_what_other_systems_lack(text: str) -> None:
    assert list(posix_only(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["path.read_text()", "open('x')", "open('x', 'w')", "path.write_text(words)"]
)
def test_the_search_finds_texts_without_an_encoding(text: str) -> None:
    assert list(without_encoding(ast.parse(text)))


@pytest.mark.parametrize(
    "text", ["open('x', 'rb')", "path.read_text('utf-8')", "path.open('w', encoding='utf-8')"]
)
def test_the_search_lets_pass_what_says_its_encoding_or_is_binary(text: str) -> None:
    assert not list(without_encoding(ast.parse(text)))


def found(search: object) -> dict[str, list[str]]:
    assert callable(search)
    paths: list[Path] = [path for folder in PACKAGES for path in sources(folder)]
    seen = {
        path.relative_to(ROOT).as_posix(): list(search(ast.parse(path.read_text(encoding="utf-8"))))
        for path in paths
    }
    return {name: what for name, what in seen.items() if what}


def test_what_not_all_systems_have_stands_where_the_platform_is_asked_for() -> None:
    assert set(found(posix_only)) <= GUARDED


def test_every_text_that_is_read_or_written_names_its_encoding() -> None:
    assert found(without_encoding) == {}


@pytest.mark.parametrize("name", sorted(GUARDED))
def test_a_guarded_module_asks_for_the_platform(name: str) -> None:
    assert "sys.platform" in (ROOT / name).read_text(encoding="utf-8")
