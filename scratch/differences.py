"""Numerical differentiation of any scalar function of a vector: the textbook way.

One entry t of theta (n,) moves, all others are held. Every scheme is the same quotient, with its own nodes
s_k, weights w_k and divisor d:

    D_h = Re sum_k w_k f(t + s_k h) / (d h)

    forward_difference   (f(t + h) - f(t)) / h                                     h/2 M2    + 2 e / h
    central_difference   (f(t + h) - f(t - h)) / 2h                                h^2/6 M3  + e / h
    five_point           (8 [f(t + h) - f(t - h)] - [f(t + 2h) - f(t - 2h)]) / 12h h^4/30 M5 + 3 e / 2h
    complex_step         Im f(t + ih) / h                                          h^2/6 M3, no cancellation

The last column bounds |D_h - f'(t)|: M_k bounds the k-th derivative over the stencil and e the absolute
error of one evaluation of f. The first term is Taylor's remainder C h^p M_{p+1}; the second is A e / h with
A = sum|w_k| / d. Their sum is least at h = (A e / (p C M))^(1/(p+1)). Where nothing is known of f, take
e = eps |f| and M_{p+1} = |f| / max(1, |t|)^(p+1): the step is then (A eps / (p C))^(1/(p+1)) max(1, |t|).
The complex step subtracts nothing, so its step is merely small enough that h^2 vanishes beside 1.

`ridders` removes one power of h^2 after another from central differences, in his tableau.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any, Literal

import numpy as np

from .architecture import Array, Flat
from .errors import InputTypeError, expect, expect_one_of

SchemeName = Literal["forward_difference", "central_difference", "five_point", "complex_step"]
Tableau = Annotated[Array, "rows parameters"]
Function = Callable[[Flat], Any]  # theta (n,) -> a scalar of its dtype
Step = float | Array | None  # relative to max(1, |t|) | one per entry, as it is | the derived optimum


@dataclass(frozen=True)
class Scheme:
    """A difference quotient D_h = Re sum_k weights[k] f(t + nodes[k] h) / (divisor h), and its error.

    Truncation: |D_h - f'| <= error_constant h^order M_{order + 1}. Rounding: amplification e / h.
    """

    name: SchemeName
    nodes: tuple[complex, ...]  # in units of h
    weights: tuple[complex, ...]  # integers (or -i), so that they add no rounding of their own
    divisor: float
    order: int
    error_constant: float
    source: str

    @property
    def is_complex(self) -> bool:
        """Whether f is evaluated off the real axis: then it has to carry complex numbers through."""
        return any(isinstance(node, complex) for node in self.nodes)

    @property
    def amplification(self) -> float:
        """A: an error e in each evaluation of f becomes at most A e / h (off the axis nothing cancels)."""
        return 0.0 if self.is_complex else sum(abs(weight) for weight in self.weights) / self.divisor

    def optimal_step(self, noise: float, derivative: float = 1.0) -> float:
        """The h of least error.

        Parameters
        ----------
        noise
            The absolute error e of one evaluation of f.
        derivative
            M_{p+1}, the size of the derivative that the truncation multiplies.

        Returns
        -------
        float
            (A e / (p C M))^(1 / (p + 1)); for the complex step 1e-20.
        """
        if self.is_complex:
            return 1e-20  # nothing is subtracted: any step that is small enough will do
        # A e / (p C M)
        truncation = self.order * self.error_constant * derivative
        ratio = self.amplification * noise / truncation
        return float(ratio ** (1.0 / (self.order + 1)))

    def error_bound(self, h: Any, noise: Any, derivative: Any) -> Any:
        """Truncation + rounding, C h^p M + A e / h; the arguments broadcast.

        Parameters
        ----------
        h
            The step, or several.
        noise
            The absolute error e of one evaluation of f.
        derivative
            M_{p+1}, the size of the derivative that the truncation multiplies.

        Returns
        -------
        float or array
            In the broadcast shape of the three.
        """
        truncation = self.error_constant * h**self.order * derivative
        rounding = self.amplification * noise / h
        return truncation + rounding


FORWARD = Scheme(
    "forward_difference",
    nodes=(1, 0),
    weights=(1, -1),
    divisor=1,
    order=1,
    error_constant=1 / 2,
    source="Nocedal, Wright 2006, section 8.1",
)
CENTRAL = Scheme(
    "central_difference",
    nodes=(1, -1),
    weights=(1, -1),
    divisor=2,
    order=2,
    error_constant=1 / 6,
    source="Fornberg 1988, table 1",
)
FIVE_POINT = Scheme(
    "five_point",
    # This order of summation subtracts what is nearly equal first, and so rounds least.
    nodes=(1, -1, 2, -2),
    weights=(8, -8, -1, 1),
    divisor=12,
    order=4,
    error_constant=1 / 30,
    source="Fornberg 1988, table 1",
)
COMPLEX = Scheme(
    "complex_step",
    nodes=(1j,),
    weights=(-1j,),
    divisor=1,
    order=2,
    error_constant=1 / 6,
    source="Squire, Trapp 1998",
)
SCHEMES: dict[str, Scheme] = {scheme.name: scheme for scheme in (FORWARD, CENTRAL, FIVE_POINT, COMPLEX)}


def step_sizes(theta: Array, scheme: Scheme, step: Step = None) -> Array:
    """The step of every entry of theta, in theta's shape.

    Parameters
    ----------
    theta
        Real numbers, of any shape.
    scheme
        Whose optimum for this dtype is the default.
    step
        Relative to max(1, |t|); or an array, which is taken as the steps themselves.

    Returns
    -------
    array
        Of theta's shape and dtype; for a complex step in double precision at least.

    Raises
    ------
    InputError
        For a step that is not a finite number > 0, or is lost in rounding.

    Notes
    -----
    Made representable away from zero, h = (|t| + h) - |t|, so that for |t| >= h both t + h and t - h are
    exact and the quotient divides by the distance really moved. (t +- 2h are exact too, save next to a
    power of two.) A complex step is the same for every entry, since nothing is rounded along i.
    """
    if isinstance(step, np.ndarray):
        return step
    if step is None:
        eps = float(np.finfo(theta.dtype).eps)
        step = scheme.optimal_step(eps)
    expect(0 < step < np.inf, f"step: expected a finite number > 0, got {step!r}")
    if scheme.is_complex:
        return np.full(theta.shape, step, np.promote_types(theta.dtype, np.float64))
    # h = (|t| + step * max(1, |t|)) - |t|
    size = np.abs(theta)
    moved = size + theta.dtype.type(step) * np.maximum(1, size)
    steps: Array = moved - size
    expect(steps.all(), f"step: {step!r} is below the resolution of {theta.dtype}; take a larger one")
    return steps


def quotient(values: Callable[[Any], Any], t: Any, h: Any, scheme: Scheme, base: Any = None) -> Any:
    """The scheme's quotient at t with step h, elementwise; `base` stands for values(t) where it is known.

    Parameters
    ----------
    values
        The function, of one argument.
    t
        A number, or an array in every entry of which the function is taken by itself.
    h
        The step, as it is: a number, or one for every entry of t.
    scheme
        Whose nodes, weights and divisor are taken.
    base
        values(t) where it is known already; only a scheme with a node at 0 needs it.

    Returns
    -------
    number or array
        The quotient, real also where the nodes are complex.
    """
    total = 0
    for node, weight in zip(scheme.nodes, scheme.weights, strict=True):
        value = base if node == 0 and base is not None else values(t + node * h)
        total = total + weight * value
    return np.real(total) / (scheme.divisor * h)


def difference(f: Function, theta: Flat, scheme: Scheme | SchemeName = CENTRAL, step: Step = None) -> Flat:
    """The gradient of a scalar function by one quotient per entry.

    Parameters
    ----------
    f
        Takes a read-only vector like theta (complex128 for complex_step) and gives a scalar of its dtype.
    theta
        (n,) finite real numbers; never written to: the entries move in a private copy.
    scheme
        One of SCHEMES, or its name.
    step
        See `step_sizes`.

    Returns
    -------
    array (n,)
        In theta's dtype.

    Raises
    ------
    InputError
        For a theta, scheme or step that does not fit.
    InputTypeError
        For a theta that is not real, and where f gives no scalar or loses the imaginary part.

    Examples
    --------
    >>> difference(lambda t: t[0] ** 2 + 3 * t[1], np.array([4.0, 5.0]), step=0.5)
    array([8., 3.])
    """
    theta = _checked_theta(theta)
    if not isinstance(scheme, Scheme):
        expect_one_of("scheme", scheme, SCHEMES)
        scheme = SCHEMES[scheme]
    point = theta.astype(working_dtype(theta.dtype, scheme))
    argument = point.view()
    argument.flags.writeable = False
    base = _scalar(f, argument) if 0 in scheme.nodes else None
    gradient = np.empty_like(theta)
    for i, h in enumerate(step_sizes(theta, scheme, step)):
        kept = point[i]

        def moved(t: Any, i: int = i) -> Any:
            point[i] = t
            return _scalar(f, argument)

        gradient[i] = quotient(moved, kept, h, scheme, base)
        point[i] = kept
    return gradient


def ridders(quotients: Tableau, steps: Tableau, noise: float | Flat) -> tuple[Flat, Flat]:
    """Extrapolate central differences (rows, n), each row at half the step before, to step zero.

        A_{j,0} = D_{h_j},   A_{j,k} = (4^k A_{j,k-1} - A_{j-1,k-1}) / (4^k - 1)

    has error O(h^(2k+2)).

    Parameters
    ----------
    quotients
        Central differences (rows, n), each row at half the step before.
    steps
        The step of each of them, (rows, n).
    noise
        The absolute error of one evaluation of the function: a number, or one per entry (n,).

    Returns
    -------
    tuple of two arrays (n,)
        Per entry the A with the least estimate, and that estimate.

    Notes
    -----
    The estimate is the larger distance to the two entries that A came from, plus what the tableau makes of
    the evaluations' noise: at most 2 noise / h_j, since prod_k (4^k + 1) / (4^k - 1) < 2. It is no bound: a
    kink nearer than the last step goes unnoticed, and so does a `noise` that is too small.

    References
    ----------
    Ridders 1982; Press et al. 2007, section 5.7.
    """
    column = quotients
    best = quotients[-1]
    error = np.full_like(best, np.inf)
    for k in range(1, len(quotients)):
        finer, coarser = column[1:], column[:-1]
        # A_{j,k} = A_{j,k-1} + (A_{j,k-1} - A_{j-1,k-1}) / (4^k - 1)
        column = finer + (finer - coarser) / (4**k - 1)
        distance = np.maximum(np.abs(column - finer), np.abs(column - coarser))
        estimates = distance + 2 * noise / steps[k:]
        for value, estimate in zip(column, estimates, strict=True):
            better = estimate < error
            best = np.where(better, value, best)
            error = np.where(better, estimate, error)
    return best, error


def working_dtype(dtype: Any, scheme: Scheme) -> np.dtype:
    """In what f is evaluated: theta's own dtype, or the complex numbers of at least double precision.

    Parameters
    ----------
    dtype
        That of theta.
    scheme
        Which decides whether the function is taken off the real axis.

    Returns
    -------
    dtype
        float32 stays float32 for a real scheme, and becomes complex128 for the complex step.
    """
    return np.result_type(dtype, np.complex128) if scheme.is_complex else np.dtype(dtype)


def _checked_theta(theta: Array) -> Array:
    """theta as a vector of finite floating-point numbers (integers become float64)."""
    theta = np.asarray(theta)
    expect(
        theta.dtype.kind in "fiu", f"theta: expected real numbers, got dtype {theta.dtype}", InputTypeError
    )
    expect(theta.ndim == 1, f"theta: expected a vector (n,), got shape {theta.shape}; pass theta.ravel()")
    expect(np.isfinite(theta).all(), "theta: expected finite numbers, found NaN or Inf")
    return theta.astype(np.float64) if theta.dtype.kind in "iu" else theta


def _scalar(f: Function, argument: Array) -> Any:
    """f(argument), refusing what would make a wrong gradient in silence."""
    value = f(argument)  # once per node and entry: the messages are only made where they are needed
    if np.ndim(value) != 0:
        raise InputTypeError(f"f: expected a scalar, got shape {np.shape(value)}; sum or average it")
    if np.iscomplexobj(value) != np.iscomplexobj(argument):
        raise InputTypeError(
            f"f: expected a value of the kind of its {argument.dtype} argument, got {value!r}"
        )
    return value
