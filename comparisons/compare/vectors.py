"""Problems with their exact answers as files, for programs in any language; and what such a program answers.

A folder holds for each problem a header and its numbers:

    NAME.json    one JSON object; each entry of "tensors" stands on a line of its own, so that a program
                 without a JSON library can read it line by line
    NAME.bin     the arrays one after another, little-endian, C order, at the offsets (bytes) of the header

A tensor is "given" (x, targets, W1, b1, ...) or "expected". An expected one has three arrays of float64:
`low` and `high`, neighbouring numbers between which the exact value lies (at a relu's kink: its two slopes
lie), and `bound`, how far beyond them a right implementation in the problem's dtype may come. An answer has
the same two files with the tensors that a program computed, each of the problem's dtype. It may go on for
two more steps: ``adam, step 2: W1`` is judged where ``adam, step 2: dW1``, the gradient before it, is there.
"""

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from backproof.comparisons.compare import exact
from backproof.comparisons.compare.chain import expected_tensors, forward_and_backward
from backproof.comparisons.compare.part import described, random_problems
from backproof.comparisons.compare.result import Compared, Comparison, Link, Side
from backproof.comparisons.compare.steps import steps
from backproof.comparisons.compare.trace import N_STEPS, UPDATES, Trace, named, step_name
from backproof.comparisons.results.codec import Json, decode, encode
from backproof.comparisons.results.files import prepare_folder, write_atomically
from backproof.comparisons.verdicts.outcome import Outcome, worst
from backproof.scratch.architecture import Architecture, Array, LossName, Weights
from backproof.scratch.errors import InputError
from backproof.scratch.problem import Problem

FORMAT, VERSION = "backproof vectors", 1
INDEX = "vectors.json"
MOST_BYTES = 64 * 2**20  # of one file of answers


@dataclass(frozen=True)
class Entry:
    """One tensor of a header. `offset` is that of what is given or answered; an expected one has three."""

    name: str
    dtype: Literal["float32", "float64", "int64"]
    shape: tuple[int, ...]
    role: Literal["given", "expected", "answer"] = "answer"
    offset: int | None = None
    low: int | None = None
    high: int | None = None
    bound: int | None = None

    @property
    def start(self) -> int:
        """Where its numbers begin; of an expected tensor, the lower ends."""
        found = self.offset if self.offset is not None else self.low
        if found is None or found < 0 or any(n < 0 for n in self.shape):
            raise InputError(f"{self.name}: expected an offset and a shape of numbers from 0, found {self}")
        return found


@dataclass(frozen=True)
class _Placed:
    """A tensor on its way into a file: its arrays, each with the field that says where it begins."""

    entry: Entry
    arrays: Mapping[str, Array]


@dataclass(frozen=True)
class Header:
    """What NAME.json says beside its tensors."""

    problem: str
    layer_sizes: tuple[int, ...]
    activation: str
    loss: str
    dtype: str


def problems(seed: int = 0) -> Iterator[tuple[str, Problem]]:
    """(name, problem): every activation and loss in both dtypes; saturated, tiny and at a kink."""
    for problem in random_problems(seed):
        a = problem.architecture
        yield f"{a.activation}-{a.loss}-{a.dtype}".replace("_", "-"), problem
    rng = np.random.default_rng(seed)
    losses: tuple[LossName, ...] = ("cross_entropy", "binary_cross_entropy")
    for loss in losses:
        for word, size in (("saturated", 300.0), ("tiny", 1e-8)):
            yield f"{word}-{loss}".replace("_", "-"), _scaled(loss, size, rng)
    yield "kink", _kink()


def _scaled(loss: LossName, size: float, rng: np.random.Generator) -> Problem:
    """Logits of about this size: softmax and sigmoid saturate, or are all but constant."""
    architecture = Architecture((4, 3), "identity", loss)
    labels, values = rng.integers(0, 3, 6), rng.integers(0, 2, (6, 3)).astype(float)
    weights = [(size * rng.normal(size=(4, 3)), size * rng.normal(size=3))]
    return Problem(
        architecture, weights, rng.normal(size=(6, 4)), labels if loss == "cross_entropy" else values
    )


def _kink() -> Problem:
    """A relu whose pre-activation is exactly zero in every order of summation, for one example."""
    architecture = Architecture((2, 2, 2), "relu", "mse")
    W1, W2 = np.array([[1.0, -1.0], [0.5, 2.0]]), np.array([[1.0, 0.5], [-1.5, 2.0]])
    x, targets = np.array([[1.0, -2.0], [2.0, 1.0]]), np.array([[0.25, -1.0], [1.0, 0.5]])
    return Problem(architecture, [(W1, np.zeros(2)), (W2, np.array([0.5, 0.25]))], x, targets)


def write(folder: str | Path, seed: int = 0) -> list[str]:
    """Write all problems; returns their names. Raises InputError where the folder cannot be written."""
    place = prepare_folder(folder)
    names = []
    for name, problem in problems(seed):
        _write_tensors(place, name, _header(problem), _all_tensors(problem))
        names.append(name)
    index = {"format": FORMAT, "version": VERSION, "problems": names, "updates": encode(UPDATES)}
    write_atomically(place / INDEX, json.dumps(index, indent=1) + "\n")
    return names


def _header(problem: Problem) -> Header:
    a = problem.architecture
    return Header(described(problem), a.layer_sizes, a.activation, a.loss, a.dtype)


def _all_tensors(problem: Problem) -> Iterator[_Placed]:
    """Everything given, then everything expected."""
    for name, array in (("x", problem.x), ("targets", problem.targets), *named(problem.weights)):
        array = array.astype(np.int64) if array.dtype.kind in "iu" else array
        yield _Placed(_entry(name, "given", array), {"offset": array})
    for name, low, high, bound in expected(problem):
        yield _Placed(_entry(name, "expected", low), {"low": low, "high": high, "bound": bound})


def _entry(name: str, role: Literal["given", "expected"], array: Array) -> Entry:
    return decode(Entry, {"name": name, "role": role, "dtype": str(array.dtype), "shape": list(array.shape)})


def expected(problem: Problem) -> Iterator[tuple[str, Array, Array, Array]]:
    """(name, low, high, bound) of every tensor: the exact value's enclosure, and the room for rounding."""
    bounds = expected_tensors(problem, UPDATES)
    ends = [exact.tensors(problem, slope) for slope in (0, 1)]
    for side in ends:
        side.update(_first_steps(problem, side))
    for name in ends[0]:
        low = np.minimum(*(exact.enclosed(side[name])[0] for side in ends))
        high = np.maximum(*(exact.enclosed(side[name])[1] for side in ends))
        yield name, low, high, np.broadcast_to(bounds[name].error, low.shape)


def _first_steps(problem: Problem, found: Mapping[str, Array]) -> dict[str, Array]:
    return {
        step_name(rule, 1, name): exact.stepped(theta.astype(np.float64), found[f"d{name}"], spec)
        for rule, spec in UPDATES.items()
        for name, theta in named(problem.weights)
    }


def _write_tensors(folder: Path, name: str, header: Header, tensors: Iterator[_Placed]) -> None:
    lines: list[str] = []
    pieces: list[bytes] = []
    end = 0
    for tensor in tensors:
        places: dict[str, Json] = {}
        for field, array in tensor.arrays.items():
            places[field] = end
            pieces.append(np.ascontiguousarray(array, array.dtype.newbyteorder("<")).tobytes())
            end += len(pieces[-1])
        entry = encode(tensor.entry)
        assert isinstance(entry, dict)
        stated = {key: value for key, value in {**entry, **places}.items() if value is not None}
        lines.append(json.dumps(stated))
    head = {"format": FORMAT, "version": VERSION, **asdict(header)}
    facts = "".join(f"{json.dumps(key)}: {json.dumps(value)},\n" for key, value in head.items())
    text = "{\n" + facts + '"tensors": [\n' + ",\n".join(lines) + "\n]}\n"
    write_atomically(folder / f"{name}.bin", b"".join(pieces))
    write_atomically(folder / f"{name}.json", text)  # last: where there is a header, its numbers are there


def read(folder: str | Path, name: str, roles: tuple[str, ...] = ("given",)) -> dict[str, Array]:
    """The tensors of these roles; an answer's have none. Raises InputError for a file that does not fit."""
    entries, data = _read_files(Path(folder), name)
    return {entry.name: _array(entry, data, name) for entry in entries if entry.role in roles}


def _read_files(folder: Path, name: str) -> tuple[tuple[Entry, ...], bytes]:
    try:
        size = (folder / f"{name}.bin").stat().st_size
        if size > MOST_BYTES:
            raise InputError(f"{name}.bin: expected at most {MOST_BYTES:,} bytes, found {size:,}")
        document = json.loads((folder / f"{name}.json").read_text(encoding="utf-8"))
        data = (folder / f"{name}.bin").read_bytes()
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{folder / name}: cannot be read ({error}); see backproof vectors --help"
        ) from error
    tensors = document.get("tensors") if isinstance(document, dict) else None
    try:
        return decode(tuple[Entry, ...], tensors), data
    except InputError as error:
        raise InputError(f"{name}.json: tensors: {error}; see backproof vectors --help") from error


def _array(entry: Entry, data: bytes, name: str) -> Array:
    dtype, start = np.dtype(entry.dtype).newbyteorder("<"), entry.start
    count = math.prod(entry.shape)
    if start + count * dtype.itemsize > len(data):
        raise InputError(
            f"{name}.bin: {entry.name}: expected {count} numbers at byte {start}, found the file's end"
        )
    array = np.frombuffer(data, dtype, count, start).reshape(entry.shape)
    return array.astype(dtype.newbyteorder("="))


def is_folder(path: Path) -> bool:
    """Whether somebody names vectors rather than a contender."""
    return (path / INDEX).is_file()


def judge(folder: str | Path, answers: str | Path) -> Comparison:
    """What a program wrote for these problems, as one side of a comparison; those it left out are told.

    Raises InputError for vectors of another version, and for answers that are not in the format.
    """
    _expect_version(Path(folder))
    if not Path(answers).is_dir():
        raise InputError(f"answers: expected a folder with the answers to {folder}, found none at {answers}")
    found = []
    for name, problem in problems():
        if not (Path(answers) / f"{name}.json").exists():
            side = Side(str(answers), (), (f"{name}: no answer",))
        else:
            trace = as_trace(problem, read(answers, name, ("answer",)))
            side = Side(str(answers), judged(problem, trace))
        found.append(Compared(name, (Side(str(folder), ()), side)))
    links = [link for one in found for link in one.sides[1].links]
    gradients = any(link.tensor.startswith("dW") for link in links)
    verdict = worst([*(link.outcome for link in links), Outcome.PASS if gradients else Outcome.INCONCLUSIVE])
    return Comparison(verdict, 0.0, (str(folder), str(answers)), tuple(found))


def _expect_version(folder: Path) -> None:
    try:
        index = json.loads((folder / INDEX).read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise InputError(
            f"{folder / INDEX}: cannot be read ({error}); write it again: backproof vectors"
        ) from error
    found = index.get("version") if isinstance(index, dict) else None
    if found != VERSION:
        raise InputError(f"{folder / INDEX}: expected version {VERSION}, found {found!r}; write them again")


def as_trace(problem: Problem, tensors: Mapping[str, Array]) -> Trace:
    """An answer as a trace. Each step is judged by the gradient that the answer itself gives before it."""
    rules = {rule: list(_gradients(problem, tensors, rule)) for rule in UPDATES}
    return Trace(tensors, {rule: taken for rule, taken in rules.items() if taken})


def _gradients(problem: Problem, tensors: Mapping[str, Array], rule: str) -> Iterator[Weights]:
    """The gradient before each answered step: dW1, ... before the first, ``adam, step 2: dW1`` later."""
    names = [name for name, _ in named(problem.weights)]
    for step in range(1, N_STEPS + 1):
        before = [step_name(rule, step, f"d{name}") if step > 1 else f"d{name}" for name in names]
        after = [step_name(rule, step, name) for name in names]
        if not all(name in tensors for name in (*before, *after)):
            return
        arrays = [tensors[name] for name in before]
        yield list(zip(arrays[::2], arrays[1::2], strict=True))


def judged(problem: Problem, trace: Trace) -> tuple[Link, ...]:
    """Every tensor of an answer, then every step of each rule."""
    links = forward_and_backward(problem, trace)
    for rule, spec in UPDATES.items():
        links += steps(problem, trace, rule, spec)
    return links
