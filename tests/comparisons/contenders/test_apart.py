"""A contender of one's own answers through its process as it would here, and spoils its own answers alone."""

import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from backproof.comparisons.contenders import apart, registry
from backproof.comparisons.contenders.apart import FaultError
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
from backproof.comparisons.gradients.part import check_problem, small_problems
from backproof.comparisons.running import sandbox
from backproof.comparisons.verdicts.outcome import Outcome
from backproof.reference.contender import Contender, NotOffered
from backproof.scratch.architecture import OptimizerSpec
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

HEAD = """import os, signal, sys, time
import numpy as np
from backproof.comparisons.contenders.scratch_mlp import ScratchMLP
class Right(ScratchMLP):
    pass
def garbage():
    for n in range(3, 20):
        try: os.write(n, b'garbage' * 99)
        except OSError: pass
class Mine(ScratchMLP):
"""
PROBLEM = small_problems(0)["7-6-5-4 tanh, cross_entropy, float64"]
STEPS = [np.arange(PROBLEM.batch_size), np.array([1, 0])]


def write(folder: Path, body: str, head: str = HEAD) -> str:
    """A file of its own for each test: a class that has crashed is not asked again."""
    (folder / "own.py").write_text(f"{head}{body}\n")
    return f"{folder / 'own.py'}:Mine"


def loaded(reference: str, problem: Problem = PROBLEM) -> Contender:
    contender = registry.create(reference)
    contender.load(problem.architecture, problem.weights)
    return contender


@pytest.mark.parametrize("label", list(small_problems(0))[::5])
def test_a_right_class_answers_as_it_would_here_bit_for_bit(tmp_path: Path, label: str) -> None:
    problem = small_problems(0)[label]
    there, here = loaded(write(tmp_path, "    pass"), problem), ScratchMLP()
    here.load(problem.architecture, problem.weights)
    batches = [np.arange(problem.batch_size), np.array([1, 0])]
    assert isinstance(there, Contender)
    np.testing.assert_array_equal(there.logits(problem.x), here.logits(problem.x), strict=True)
    found, wanted = (one.loss_and_gradient(problem.x, problem.targets) for one in (there, here))
    assert found[0] == wanted[0]
    spec = OptimizerSpec("adam", 0.01)
    losses = [list(one.train(problem.x, problem.targets, batches, spec)) for one in (there, here)]
    assert losses[0] == losses[1]
    for mine, ours in zip((*found[1], *there.weights()), (*wanted[1], *here.weights()), strict=True):
        for a, b in zip(mine, ours, strict=True):
            np.testing.assert_array_equal(a, b, strict=True)


def test_checkpoints_see_the_network_between_its_steps(tmp_path: Path) -> None:
    there, here = loaded(write(tmp_path, "    pass")), ScratchMLP()
    here.load(PROBLEM.architecture, PROBLEM.weights)
    seen: dict[str, list[float]] = {"there": [], "here": []}

    def look(one: Contender, name: str) -> Callable[[], None]:
        return lambda: seen[name].append(float(one.logits(PROBLEM.x)[0, 0]))

    for one, name in ((there, "there"), (here, "here")):
        marks = {step: look(one, name) for step in (0, 1, 2)}
        one.train(PROBLEM.x, PROBLEM.targets, STEPS, OptimizerSpec(), marks)
    assert seen["there"] == seen["here"]
    assert len(set(seen["there"])) == 3


def test_two_of_one_class_do_not_share_their_weights(tmp_path: Path) -> None:
    reference = write(tmp_path, "    pass")
    first, second = loaded(reference), loaded(reference)
    first.train(PROBLEM.x, PROBLEM.targets, STEPS, OptimizerSpec())
    assert (first.weights()[0][0] != second.weights()[0][0]).any()
    np.testing.assert_array_equal(second.weights()[0][0], PROBLEM.weights[0][0])


def test_what_it_declines_is_not_offered(tmp_path: Path) -> None:
    body = "    train = None\n    def logits(self, x):\n        raise NotImplementedError('no logits here')"
    there = loaded(write(tmp_path, body))
    with pytest.raises(NotOffered, match="no logits here"):
        there.logits(PROBLEM.x)
    with pytest.raises(NotOffered, match="no method train"):
        there.train(PROBLEM.x, PROBLEM.targets, STEPS, OptimizerSpec())


GRADIENTS = {
    "sys.exit(0)": "raised SystemExit: 0 (own.py, line 12",
    "os._exit(3)": "the process exited with code 3 in loss_and_gradient",
    "os.kill(os.getpid(), signal.SIGKILL)": "the process was killed by SIGKILL",
    "os.kill(os.getppid(), signal.SIGKILL)": "",  # by its guard, or nobody
    "1 / 0": "loss_and_gradient raised ZeroDivisionError: division by zero (own.py, line 12",
    "while True: pass": "did not return within 1 s",
    "time.sleep(60)": "did not return within 1 s",
    "os.kill(os.getpid(), signal.SIGSTOP)": "did not return within 1 s",
    "print('x' * 100_000_000)": "printed more than",
    "garbage()": "in place of an answer",
    "return None": "expected a pair (loss, gradient), got None",
    "return 'PASS', self.weights()": "expected a number as the loss",
    "return 1.0, self.weights()[:-1]": "expected 3 pairs of arrays, got a list of 2",
    "return 1.0, [(b, W) for W, b in self.weights()]": "expected an array of shape (7, 6)",
    "raise ValueError('\\x1b[2Jnice')": "ValueError: \\x1b[2Jnice",
}


@pytest.mark.parametrize(("line", "said"), GRADIENTS.items())
def test_whatever_a_call_does_is_one_sentence(
    tmp_path: Path, line: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    if "within 1 s" in said:
        monkeypatch.setattr(apart, "CALL_LIMIT", 1.0)
    there = loaded(write(tmp_path, f"    def loss_and_gradient(self, x, targets):\n        {line}"))
    with pytest.raises(FaultError) as caught:
        there.loss_and_gradient(PROBLEM.x, PROBLEM.targets)
    sentence = str(caught.value)
    assert said in sentence
    assert sentence.startswith(f"contender: {tmp_path / 'own.py'}:Mine: ")
    assert sentence.isprintable()


def test_a_class_that_has_crashed_is_not_asked_again(tmp_path: Path) -> None:
    reference = write(tmp_path, "    def logits(self, x):\n        os._exit(3)")
    with pytest.raises(FaultError, match="exited with code 3"):
        loaded(reference).logits(PROBLEM.x)
    begun = time.monotonic()
    with pytest.raises(FaultError, match="exited with code 3"):
        registry.create(reference)
    assert time.monotonic() - begun < 0.1  # no process was started


FILES = {
    "sys.exit(0)": "cannot be imported (SystemExit: 0",
    "os._exit(3)": "the process exited with code 3 in import",
    "def load(self:": "cannot be imported (SyntaxError",
    "import no_such_package_anywhere": "No module named 'no_such_package_anywhere'",
    "class Other: pass": "has no class Mine; its classes: Other",
}


@pytest.mark.parametrize(("text", "said"), FILES.items())
def test_a_file_that_cannot_be_imported_is_bad_input(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(InputError) as caught:
        registry.create(write(tmp_path, text, "import os, sys\n"))
    assert said in str(caught.value)
    assert not isinstance(caught.value, FaultError)


def test_a_training_that_exits_half_way_is_a_fault_and_calls_no_later_checkpoint(tmp_path: Path) -> None:
    body = (
        "    def train(self, x, targets, batches, optimizer, checkpoints=None):\n"
        "        checkpoints[0]()\n        os._exit(0)"
    )
    there, seen = loaded(write(tmp_path, body)), []
    with pytest.raises(FaultError, match="exited with code 0 in train"):
        there.train(
            PROBLEM.x,
            PROBLEM.targets,
            STEPS,
            OptimizerSpec(),
            {0: lambda: seen.append(0), 1: lambda: seen.append(1)},
        )
    assert seen == [0]


@pytest.mark.parametrize("line", ["os._exit(0)", "sys.exit(0)", "raise RuntimeError('no')"])
def test_the_row_of_a_faulty_one_fails_and_those_of_the_others_stay(tmp_path: Path, line: str) -> None:
    reference = write(tmp_path, f"    def loss_and_gradient(self, x, targets):\n        {line}")
    alone = check_problem("a", PROBLEM, ["scratch"])
    beside = check_problem("a", PROBLEM, ["scratch", reference])
    assert beside[: len(alone)] == alone
    failed = beside[-1]
    assert (failed.contender, getattr(failed, "verdict", None)) == (reference, Outcome.FAIL)


@pytest.mark.skipif(sandbox.why_not() != "", reason="no sandbox here: bubblewrap")
def test_inside_the_sandbox_it_reads_nothing_above_its_folder(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("42")
    (tmp_path / "inside").mkdir()
    body = f"    def logits(self, x):\n        return open({str(tmp_path / 'secret')!r}).read()"
    there = loaded(write(tmp_path / "inside", body))
    with pytest.raises(FaultError, match="FileNotFoundError"):
        there.logits(PROBLEM.x)


@pytest.mark.skipif(sys.platform != "linux", reason="processes are listed in /proc")
def test_nothing_of_it_is_left_when_the_program_ends(tmp_path: Path) -> None:
    reference = write(tmp_path, "    pass")
    program = (
        "from backproof.comparisons.contenders import registry\n"
        f"kept = registry.create({reference!r})\n"
        "print(kept._process._worker.token)\n"
    )
    ran = subprocess.run([sys.executable, "-P", "-c", program], capture_output=True, text=True, check=True)
    token = ran.stdout.strip().encode()
    assert token
    time.sleep(0.3)
    left = []
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit() and int(entry.name) != os.getpid():
            try:
                left += [entry.name] if token in (entry / "environ").read_bytes() else []
            except OSError:  # it has just ended
                continue
    assert left == []


# --- what is said of the walls ---------------------------------------------------------------------------


def test_of_ones_own_contender_it_is_said_which_walls_held(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(apart.SANDBOX, "none")
    (said,) = {apart.walls(["scratch", "own.py:Mine", "torch"])}
    assert said.startswith("own.py:Mine: in a process of its own (no sandbox: the code ran with your rights")
    assert "limits on" in said
    assert apart.walls(["scratch", "torch"]) == ""


def test_a_name_that_would_wipe_the_terminal_is_cleaned_there() -> None:
    assert "\x1b" not in apart.walls(["\x1b[2J.py:Mine"])


def test_the_methods_of_a_class_are_found_without_importing_it_here(tmp_path: Path) -> None:
    reference = write(tmp_path, "    pass\nsys.was_here = True\ndef function(): pass")
    assert {"load", "loss_and_gradient"} <= apart.methods_of(reference)
    assert apart.methods_of(reference.replace("Mine", "function")) == frozenset()
    assert not hasattr(sys, "was_here")
