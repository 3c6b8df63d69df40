"""Whose function is it? The framework is told by f and its arguments, and imported only then.

    torch        a module, an `autograd.Function`, or a torch tensor among the arguments
    TensorFlow   a Keras layer, a `tf.function`, or a TensorFlow tensor or variable among the arguments
    JAX          something that jax made, a JAX array among the arguments, or one that f returns

Arguments are named as people say them: those of a module, a Function or a layer ``input[0]``, those of a
plain function by its own parameters.
"""

import functools
import inspect
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any

from backproof.reference.nested import leaves
from backproof.reference.program import Program
from backproof.scratch.errors import InputError, InputTypeError

FRAMEWORKS = ("torch", "tensorflow", "jax")
MADE_BY = {"torch": ("torch",), "tensorflow": ("tensorflow", "keras"), "jax": ("jax", "jaxlib")}


def framework_of(f: Any, args: Sequence[Any]) -> str:
    """The name of the framework that f and its arguments belong to.

    Parameters
    ----------
    f
        A function, module or layer, or a `functools.partial` of one.
    args
        What it is called with; f is called once where neither tells.

    Returns
    -------
    str
        One of FRAMEWORKS.

    Raises
    ------
    InputTypeError
        Where nothing of these is there, or f cannot be called.
    """
    if isinstance(f, functools.partial):
        f = f.func
    for name in FRAMEWORKS:
        if _is_of(f, name) or any(_is_of(leaf, name) for leaf in _leaves(args)):
            return name
    if not callable(f):
        raise InputTypeError(
            f"f: expected a function, module or layer, got {type(f).__name__}; pass what is called with args"
        )
    returned = f(*args)
    found = next((name for name in FRAMEWORKS if any(_is_of(leaf, name) for leaf in _leaves(returned))), None)
    if found is None:
        kinds = ", ".join(sorted({type(leaf).__name__ for leaf in _leaves(args)})) or "none"
        raise InputTypeError(
            f"args: expected torch, JAX or TensorFlow tensors, got {kinds}; convert them, "
            "or use check_gradient(f, gradient, params) for a gradient written by hand"
        )
    return found


def _is_of(value: Any, framework: str) -> bool:
    kinds = type(value).__mro__  # that of an autograd.Function, which is a class, is torch's metaclass
    return any(kind.__module__.partition(".")[0] in MADE_BY[framework] for kind in kinds)


def _leaves(tree: Any) -> Iterator[Any]:
    """Also of pytrees that are objects of their own: what they hold one level down."""
    for _, leaf in leaves(tree, ""):
        yield leaf
        if hasattr(leaf, "__dict__") and not isinstance(leaf, type) and not hasattr(leaf, "dtype"):
            yield from (part for value in vars(leaf).values() for _, part in leaves(value, ""))


def names_of(f: Any, args: Sequence[Any]) -> list[str]:
    """A name for every argument.

    Parameters
    ----------
    f
        What is called.
    args
        What it is called with.

    Returns
    -------
    list of str
        Those of its own parameters, else ``input[0]``, ``input[1]``, ...
    """
    numbered = [f"input[{i}]" for i in range(len(args))]
    plain = inspect.unwrap(f) if callable(f) else f
    if not (inspect.isfunction(plain) or inspect.ismethod(plain)):
        return numbered
    kinds = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    own = [p.name for p in inspect.signature(plain).parameters.values() if p.kind in kinds]
    return own[: len(args)] if len(own) >= len(args) else numbered


@dataclass(frozen=True)
class Opener:
    """How the framework makes programs of f(*args), and what it wants around all of their calls."""

    program: Callable[[str | None], Program]  # the dtype of its floating-point tensors; None: as they are
    around: Callable[[], AbstractContextManager[None]] = nullcontext
    # The same, rounded more, as switches of the framework allow; None where they change nothing.
    loosened: Callable[[Program], Program | None] = lambda _: None


def opener(f: Any, args: Sequence[Any]) -> Opener:
    """How the framework of f opens f(*args) as a program.

    Parameters
    ----------
    f
        A function, module or layer.
    args
        What it is called with.

    Returns
    -------
    Opener
        The framework is imported by now.

    Raises
    ------
    InputTypeError
        Where f and args are of no framework that is known.
    """
    framework, names = framework_of(f, args), names_of(f, args)
    if framework == "torch":
        from backproof.reference import torch_arithmetic, torch_program

        own = torch_arithmetic.Switches.found()
        return Opener(
            lambda dtype: torch_program.opened(f, args, names, dtype),
            lambda: torch_program.undisturbed(own),
            lambda program: torch_arithmetic.loosened(program, own),
        )
    if framework == "jax":
        from backproof.reference import jax_program

        return Opener(lambda dtype: jax_program.opened(f, args, names, dtype), jax_program.undisturbed)
    from backproof.reference import tensorflow_program

    return Opener(lambda dtype: tensorflow_program.opened(f, args, names, dtype))


def is_double(program: Program) -> bool:
    """Whether all of its tensors are in double precision.

    Parameters
    ----------
    program
        Of which only the cells are looked at.

    Returns
    -------
    bool
        True where there are none.
    """
    return all(str(cell.dtype).endswith("float64") for cell in program.cells.values())


def in_double(open_in: Callable[[str | None], Program]) -> Program | None:
    """The program in float64; None where its kernels refuse that.

    Parameters
    ----------
    open_in
        Opens the program in a dtype, or as it is for None.

    Returns
    -------
    Program or None
        Newly opened.
    """
    try:
        return open_in("float64")
    except InputError:
        raise
    except (RuntimeError, TypeError, NotImplementedError, ValueError):  # a framework's words for it
        return None
