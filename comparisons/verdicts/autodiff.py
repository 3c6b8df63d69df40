"""`check_autodiff`: are the derivatives right that a framework makes of somebody's function?

    float64       reverse mode against values, tensor by tensor            derivative_judge
    as it is      float32 and below against float64, at the same numbers   precision_judge
                  float32 once more where tf32 is allowed, and changes it
    order=2       the backward pass differentiated again, forward mode, symmetry      second_order

The function is opened as a `Program` (`opened_program`): the framework is imported only by who brings its
tensors.
"""

from dataclasses import dataclass
from typing import Any

from backproof.comparisons.verdicts.derivative_judge import Search, judge_program
from backproof.comparisons.verdicts.gradient_verdict import GradientVerdict
from backproof.comparisons.verdicts.opened_program import Opener, in_double, is_double, opener
from backproof.comparisons.verdicts.precision_judge import judge_precision
from backproof.comparisons.verdicts.second_order import judge_forward, judge_second, judge_second_precision
from backproof.reference.program import Program
from backproof.scratch.errors import expect


def check_autodiff(
    f: Any,
    *args: Any,
    order: int = 1,
    required: float | None = None,
    max_entries: int | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """Are the derivatives right that torch, JAX or TensorFlow make of ``f(*args)``?

    Parameters
    ----------
    f
        A `torch.nn.Module`, a `torch.autograd.Function`, a function of torch tensors or of JAX pytrees (with
        `jit`, `custom_vjp`, `custom_jvp`), a Keras layer or a function of TensorFlow tensors. It is not
        changed: running statistics are as they were.
    *args
        As f takes them. Every floating-point tensor in them, however nested, is differentiated by, as is
        every parameter that requires a gradient; all else is handed on. ``functools.partial(module,
        name=value)`` gives a module keywords.
    order
        1, or 2 for the derivative of the backward pass as well (``weight (second order)``, and its symmetry),
        and forward mode against reverse mode (``weight (forward mode)``), where it is offered.
    required
        The relative error of a tensor that must be seen before it may PASS; by default 1e-6 in float64, 1e-3
        in float32.
    max_entries
        A tensor of up to 64 entries is looked at entry by entry; of a larger one 20 are, and all through
        random directions. This sets both numbers.
    seed
        Of the entries, directions and upstream gradients drawn.

    Returns
    -------
    GradientVerdict
        A verdict for every tensor by its name (``weight``, ``input[0]``, ``params['w'][0]``), and one
        overall, true only where it is a PASS. Tensors below float64 are judged in float64 and, as ``weight
        (float32)``, as they are; where float32 products may be rounded to tf32 on a GPU, that is turned off
        for these, and ``weight (float32, tf32 inside)`` is as it was set.

    Raises
    ------
    InputError
        Where there is nothing to differentiate by, where the numbers are not finite, or where f gives
        different values for the same arguments (dropout: call ``f.eval()`` first).
    InputTypeError
        For complex numbers, and where no floating-point tensor is returned.

    Notes
    -----
    torch modules run on the device they are on. One without float64 (MPS) lends its module to the CPU for
    that. Under autocast float64 stays float64, and ``(float32, bfloat16 inside)`` is what autocast makes.

    References
    ----------
    Griewank, Walther 2008.
    """
    expect(order in (1, 2), f"order: expected 1 or 2, got {order!r}; higher derivatives are not checked")
    expect(
        max_entries is None or max_entries >= 1,
        f"max_entries: expected at least 1, got {max_entries}; leave it out for all of a small tensor",
    )
    expect(
        required is None or 0 < required < 1,
        f"required: expected a number in (0, 1), got {required}; leave it out for what the dtype allows",
    )
    search = Search(required, max_entries, seed)
    opened = opener(f, args)
    with opened.around():
        views = _Views.of(opened)
        found = dict(judge_program(views.finest, search))
        for fine, coarse in views.pairs:
            found |= judge_precision(fine, coarse, search)
        notes: tuple[str, ...] = ()
        if order == 2:
            forward, notes = judge_forward(views.finest, search)
            found |= forward | judge_second(views.finest, search)
            for fine, coarse in views.pairs:
                found |= judge_second_precision(fine, coarse, search)
    return GradientVerdict(found, notes=notes)


def check_module(
    module: Any,
    *inputs: Any,
    max_entries: int | None = None,
    resolution: float | None = None,
    seed: int = 0,
) -> GradientVerdict:
    """The former name of `check_autodiff`: ``resolution`` is its ``required``.

    Parameters
    ----------
    module, *inputs
        What is `f` and ``*args`` there.
    max_entries, seed
        Those of `check_autodiff`.
    resolution
        The relative error of a tensor that must be seen before it may PASS.

    Returns
    -------
    GradientVerdict
        A verdict for every tensor, and one overall.
    """
    return check_autodiff(module, *inputs, required=resolution, max_entries=max_entries, seed=seed)


@dataclass(frozen=True)
class _Views:
    """One function in float64, where it can be, and as it is, where that is something else."""

    fine: Program | None
    coarse: tuple[Program, ...]  # one; or two, where switches of the framework round it further

    @classmethod
    def of(cls, opened: Opener) -> "_Views":
        given = opened.program(None)
        if is_double(given):
            return cls(given, ())
        loose = opened.loosened(given)
        return cls(in_double(opened.program), (given,) if loose is None else (given, loose))

    @property
    def finest(self) -> Program:
        return self.fine or self.coarse[0]

    @property
    def pairs(self) -> list[tuple[Program, Program]]:
        """What is judged against float64."""
        return [(self.fine, one) for one in self.coarse] if self.fine else []
