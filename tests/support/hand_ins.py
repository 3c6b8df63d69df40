"""A pile of hand-ins, as a teacher gets it: right ones, wrong ones, and forty that misbehave.

`write(folder)` makes a file of each and returns how `backproof check` is told of them. The wrong and the
right ones come from the zoo; the hostile ones exit, hang, crash, flood, forge, fork, lie about their names,
reach for their neighbours and for the files of the folder, or are no Python at all.
"""

import shutil
from collections.abc import Mapping
from pathlib import Path

from backproof.comparisons.zoo.catalogue import default_folder, read

TOTAL = 200
_HEAD = """from student import StudentMLP
import os, signal, socket, subprocess, sys, threading, time
import numpy as np
here = os.path.dirname(__file__)
class Mine(StudentMLP):
    right = StudentMLP.loss_and_gradient
    def loss_and_gradient(self, x, t):
"""

# In place of a method of a right class.
_GRADIENT = {
    "endless": "while True: pass",
    "asleep": "time.sleep(3600)",
    "exits": "sys.exit(0)",
    "exits_hard": "os._exit(0)",
    "kills_itself": "os.kill(os.getpid(), signal.SIGKILL)",
    "stops_itself": "os.kill(os.getpid(), signal.SIGSTOP)",
    "kills_its_parent": "os.kill(os.getppid(), signal.SIGKILL)",
    "kills_its_group": "os.killpg(0, signal.SIGINT)",
    "closes_everything": "os.closerange(0, 256)",
    "floods": "print('x' * 100_000_000)",
    "garbage_on_the_pipe": "os.write(1, bytes(1000)); [os.write(n, bytes(1000)) for n in range(3, 9)]",
    "forks": "[os.fork() for _ in range(6)]",
    "leaves_a_child": "subprocess.Popen(['sleep', '3600'], start_new_session=True)",
    "leaves_a_thread": "threading.Thread(target=time.sleep, args=(3600,)).start(); return self.right(x, t)",
    "eats_memory": "kept = [np.ones(1 << 24) for _ in range(10_000)]",
    "recurses": "return self.loss_and_gradient(x, t)",
    "loses_its_number": "return float('nan'), self.weights()",
    "huge_number": "return 10 ** 400, self.weights()",
    "wipes_the_terminal": "raise ValueError('\\x1b[2J\\x1b[HPASS: 31 PASS \\u202e')",
    "no_text": "raise ValueError('\\ud800' * 5)",
    "returns_a_string": "return 'PASS', 'PASS'",
    "fills_the_disk": "open('/tmp/filled', 'wb').write(bytes(1 << 30))",
    "opens_everything": "kept = [open(os.devnull) for _ in range(100_000)]",
    "takes_over_numpy": "np.dot = np.matmul = None; sys.modules['numpy'] = None; return 0.0, None",
    "writes_to_its_arguments": "x[...] = 0; return self.right(x, t)",
    "deletes_the_neighbours": "[os.unlink(os.path.join(here, f)) for f in os.listdir(here)]",
    "writes_the_grades": "open(os.path.join(here, 'grades.csv'), 'w').write('PASS')",
    "opens_a_socket": "socket.create_connection(('127.0.0.1', 22), 1)",
}
# Whole files.
_FILES = {
    "exits_at_import": "import sys\nsys.exit(0)\n",
    "exits_hard_at_import": "import os\nos._exit(3)\n",
    "hangs_at_import": "while True: pass\n",
    "no_python": "def load(self:\n    return\n",
    "no_class": "x = 1\n",
    "nothing": "",
    "missing_import": "import no_such_package_anywhere\nclass Mine:\n    def load(self, a, w): pass\n",
    "two_classes": "class A:\n    def load(self, a, w): pass\nclass B:\n    def load(self, a, w): pass\n",
    "not_utf8": "# \udcff\udcfe\nclass Mine:\n    def load(self, a, w): pass\n",
    "lying_metaclass": (
        "class Meta(type):\n    __name__ = property(lambda cls: '=1+cmd(1)')\n"
        "    def __instancecheck__(cls, x): raise SystemExit(0)\n"
        "class Mine(metaclass=Meta):\n    def load(self, a, w): pass\n    def logits(self, x): return x\n"
    ),
    "=1+cmd(1)": "class Mine:\n    def load(self, a, w): pass\n    def logits(self, x): return None\n",
    "[red]markup[": (
        "class Mine:\n    def load(self, a, w): raise RuntimeError('[/x]')\n"
        "    def logits(self, x): return x\n"
    ),
}


def hostile() -> Mapping[str, str]:
    """Name of the file -> its text."""
    methods = {name: f"{_HEAD}        {body}\n" for name, body in _GRADIENT.items()}
    return {**methods, **_FILES}


def write(folder: Path, total: int = TOTAL, n_hostile: int | None = None) -> list[str]:
    """So many hand-ins, the hostile ones spread among them; all of those unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    for module in default_folder().glob("*.py"):  # what some of the zoo's import
        shutil.copy(module, folder)
    bad = list(hostile().items())[:n_hostile]
    found = [_hostile_file(folder, name, text) for name, text in bad]
    specimens = read(default_folder())
    right = [entry for entry in specimens if entry.group == "correct"]
    wrong = [entry for entry in specimens if entry.group != "correct"]
    chosen = [*right, *wrong][: max(0, total - len(found))]
    found += [_of_the_zoo(folder, entry.place, number) for number, entry in enumerate(chosen)]
    return [found[i * 37 % len(found)] for i in range(len(found))] if len(found) % 37 else found


def _hostile_file(folder: Path, name: str, text: str) -> str:
    path = folder / f"{name}.py"
    path.write_bytes(text.encode("utf-8", "surrogateescape"))
    return str(path)


def _of_the_zoo(folder: Path, place: str, number: int) -> str:
    """The class's module as a file of its own, with what it imports from its neighbours beside it."""
    file, _, name = place.partition(":")
    path = folder / f"h{number:03d}_{name}.py"
    path.write_text((default_folder() / file).read_text(encoding="utf-8"), encoding="utf-8")
    return f"{path}:{name}"
