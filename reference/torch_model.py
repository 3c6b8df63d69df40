"""A torch module of somebody's own, of any kind: its example inputs, its record, and what it expects."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import nn

from backproof.reference import torch_recording
from backproof.reference.contender import NotOffered
from backproof.reference.nested import leaves
from backproof.reference.record import Call, Record, Task
from backproof.reference.torch_variants import variants
from backproof.scratch.architecture import Array
from backproof.scratch.errors import InputError

BATCH_SIZE = 6
SIDES = (28, 32, 16, 12, 8, 64, 96, 224)  # of images that are tried
LENGTHS = (9, 16, 32)  # of sequences


class TorchModel:
    """`module` with the inputs of its example. Raises InputError for a dtype that is not compared."""

    framework = "torch"

    def __init__(self, module: nn.Module, example: Any = None) -> None:
        self.module = copy.deepcopy(module).cpu()
        kinds = {str(p.dtype).removeprefix("torch.") for p in self.module.parameters()}
        if not kinds <= {"float32", "float64"}:
            raise InputError(f"model: expected parameters in float32 or float64, got {', '.join(kinds)}")
        self.dtype = "float64" if kinds == {"float64"} else "float32"
        self.example = getattr(module, "example_input_array", None) if example is None else example

    def inputs(self, seed: int) -> list[Array]:
        """Those of the example, else numbers of the first shape that the module takes.

        Parameters
        ----------
        seed
            Of the numbers.

        Returns
        -------
        arrays
            What goes in, in order.

        Raises
        ------
        NotOffered
            Where no shape is found that it takes.
        """
        if self.example is not None:
            found = [self.example] if isinstance(self.example, torch.Tensor | np.ndarray) else self.example
            return [torch.as_tensor(one).detach().numpy().copy() for _, one in leaves(list(found), "")]
        rng = np.random.default_rng(seed)
        for guess in self._guesses(rng):
            if self._takes(guess):
                return [guess]
        raise NotOffered(
            "model: no inputs are known that it takes; give it an attribute example_input_array, or return "
            "(model, inputs) in its place"
        )

    def _guesses(self, rng: np.random.Generator) -> Iterator[Array]:
        """By the first layer with parameters."""
        layers = (m for m in self.module.modules() if list(m.parameters(recurse=False)))
        first: Any = next(layers, None)
        if isinstance(first, nn.Embedding):
            for length in (LENGTHS[0], *LENGTHS[1:]):
                yield rng.integers(0, first.num_embeddings, (BATCH_SIZE, length))
            yield rng.integers(0, first.num_embeddings, BATCH_SIZE)
        weight = next(iter(self.module.parameters()), None)
        n = getattr(first, "in_channels", None) or getattr(first, "in_features", None)
        n = n or (weight.shape[-1] if weight is not None else 8)
        shapes: list[tuple[int, ...]] = [(n,), (LENGTHS[0], n), *((n, side, side) for side in SIDES)]
        shapes += [(n, length) for length in LENGTHS] + [(n, 8, 8, 8)]
        yield from (rng.normal(size=(BATCH_SIZE, *shape)) for shape in shapes)

    def _takes(self, guess: Array) -> bool:
        task = Task(self.dtype, False, [guess], np.zeros(1), {})
        try:
            self.output(task)
        except (RuntimeError, ValueError, IndexError, TypeError, AssertionError):  # as torch refuses a shape
            return False
        return True

    def output(self, task: Task) -> Array:
        """The first tensor that comes out.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.

        Returns
        -------
        array
            Of its own shape.
        """
        model = torch_recording.prepared(self.module, task)
        dtype = getattr(torch, task.dtype)
        with torch.no_grad():
            found = model(*torch_recording.tensors_of(task.inputs, dtype))
        return torch_recording.array(torch_recording.first(found))

    def record(self, task: Task, into: Record) -> None:
        """Fill `into`, as far as an exception lets it; the model is then as it was.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        into
            Where the calls, gradients and statistics go.
        """
        torch_recording.record(self.module, task, into)

    def expected(self, task: Task, theirs: Mapping[str, Call]) -> dict[str, tuple[Array, Array]]:
        """As `torch_recording.expected`.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        theirs
            The recorded calls, by the names of their counterparts here.

        Returns
        -------
        dict
            By name, the value and the estimate of its rounding.
        """
        return torch_recording.expected(self.module, task, theirs)

    def explain(
        self, task: Task, theirs: Mapping[str, Call], tensor: str, found: Array, allowed: Array
    ) -> Sequence[str]:
        """The mistakes that, made in this module, give what was found.

        Parameters
        ----------
        task
            Its mode, dtype, inputs, targets, and parameters to take first.
        theirs
            The recorded calls, by the names of their counterparts here.
        tensor
            The name of the one that differs.
        found
            What was recorded.
        allowed
            How far each entry may be off, of the same shape.

        Returns
        -------
        texts
            A sentence each.
        """
        fits: list[str] = []
        wide, back = torch_recording.prepared(self.module, task).double(), tensor.startswith("d ")
        here = tensor.removeprefix("d ").removeprefix("into ").partition("[")[0].partition("#")[0]
        for text, wrong in variants(wide, here, theirs):
            with wrong:
                try:
                    other = torch_recording.walk(wide, task, theirs, backward=back).get(tensor)
                except (RuntimeError, ValueError, IndexError, TypeError):  # it does not fit here
                    continue
            if other is not None and other.shape == found.shape and (np.abs(other - found) <= allowed).all():
                fits.append(text)
        return fits
