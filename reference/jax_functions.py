"""Functions of JAX whose derivatives are right, and one way to make each wrong.

As `torch_functions`: `mistaken` puts an identity with a rule of its own behind the first output.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax import test_util

from backproof.reference.jax_program import opened

Case = tuple[Callable[..., Any], tuple[Any, ...]]
CHECK: Callable[..., None] = test_util.check_grads
LABELS = np.array([0, 2, 1, 1])


def _network(params: Any, x: Any) -> Any:
    for layer in params[:-1]:
        x = jnp.tanh(x @ layer["w"] + layer["b"])
    return x @ params[-1]["w"] + params[-1]["b"]


def _cross_entropy(params: Any, x: Any) -> Any:
    chosen = jax.nn.one_hot(LABELS, 3, dtype=x.dtype)
    return -(chosen * jax.nn.log_softmax(_network(params, x))).sum(axis=1).mean()


def _layer_norm(x: Any, gain: Any) -> Any:
    centred = x - x.mean(-1, keepdims=True)
    return gain * centred * jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5)


def _attention(q: Any, k: Any, v: Any) -> Any:
    return jax.nn.softmax(q @ k.T / jnp.sqrt(q.shape[-1]), axis=-1) @ v


def _recurrent(w: Any, u: Any, x: Any) -> Any:
    def step(h: Any, now: Any) -> Any:
        h = jnp.tanh(h @ w + now @ u)
        return h, h

    return jax.lax.scan(step, jnp.zeros(w.shape[0], x.dtype), x)


def _convolution(x: Any, w: Any) -> Any:
    return jax.lax.conv(x, w, (1, 1), "SAME")


@jax.custom_vjp
def _own_vjp(x: Any) -> Any:
    return jnp.sin(x) * jnp.exp(-x)


def _own_vjp_forward(x: Any) -> Any:
    return _own_vjp(x), x


def _own_vjp_backward(x: Any, upstream: Any) -> Any:
    return (upstream * jnp.exp(-x) * (jnp.cos(x) - jnp.sin(x)),)


_own_vjp.defvjp(_own_vjp_forward, _own_vjp_backward)


@jax.custom_jvp
def _own_jvp(x: Any) -> Any:
    return jnp.logaddexp(x, 0.0)


@_own_jvp.defjvp
def _own_jvp_rule(primals: Any, tangents: Any) -> Any:
    (x,), (v,) = primals, tangents
    return _own_jvp(x), jax.nn.sigmoid(x) * v


def _solved(a: Any, b: Any) -> Any:
    return jnp.linalg.solve(a @ a.T + jnp.eye(3, dtype=a.dtype), b)


def _params(rng: np.random.Generator) -> Any:
    return [
        {"w": jnp.asarray(rng.standard_normal((i, o)), jnp.float32), "b": jnp.zeros(o, jnp.float32)}
        for i, o in ((3, 4), (4, 3))
    ]


def _norm(*shapes: tuple[int, ...]) -> Callable[[np.random.Generator], tuple[Any, ...]]:
    return lambda rng: tuple(jnp.asarray(rng.standard_normal(shape), jnp.float32) for shape in shapes)


def _network_arguments(rng: np.random.Generator) -> tuple[Any, ...]:
    return _params(rng), jnp.asarray(rng.standard_normal((4, 3)), jnp.float32)


Arguments = Callable[[np.random.Generator], tuple[Any, ...]]
CASES: Mapping[str, tuple[Callable[..., Any], Arguments]] = {
    "network": (_network, _network_arguments),
    "network, compiled": (jax.jit(_network), _network_arguments),
    "cross entropy of a network": (_cross_entropy, _network_arguments),
    "value and others in a dict": (
        lambda p: {"a": jnp.sin(p["w"]), "b": p["w"].sum()},
        lambda rng: ({"w": _norm((3,))(rng)[0]},),
    ),
    "tanh": (jnp.tanh, _norm((3, 4))),
    "sin(x) exp(-x)": (lambda x: jnp.sin(x) * jnp.exp(-x), _norm((3, 4))),
    "logsumexp": (jax.nn.logsumexp, _norm((7,))),
    "softmax": (jax.nn.softmax, _norm((3, 4))),
    "log_softmax": (jax.nn.log_softmax, _norm((3, 4))),
    "gelu": (jax.nn.gelu, _norm((3, 4))),
    "silu": (jax.nn.silu, _norm((3, 4))),
    "softplus": (jax.nn.softplus, _norm((3, 4))),
    "relu": (jax.nn.relu, _norm((3, 4))),
    "erf": (jax.scipy.special.erf, _norm((3, 4))),
    "layer norm": (_layer_norm, _norm((3, 5), (5,))),
    "attention": (_attention, _norm((3, 2), (4, 2), (4, 2))),
    "recurrence by scan": (_recurrent, _norm((3, 3), (2, 3), (4, 2))),
    "convolution": (_convolution, _norm((1, 2, 4, 4), (2, 2, 3, 3))),
    "einsum": (lambda a, b: jnp.einsum("ij,kj->ik", a, b), _norm((2, 3), (4, 3))),
    "mean squared error": (lambda a, b: ((a - b) ** 2).mean(), _norm((4, 3), (4, 3))),
    "cosine similarity": (lambda a, b: a @ b / jnp.linalg.norm(a) / jnp.linalg.norm(b), _norm((4,), (4,))),
    "solve": (_solved, _norm((3, 3), (3,))),
    "cumulative sum of squares": (lambda x: jnp.cumsum(x**2), _norm((6,))),
    "rows taken twice": (lambda w: w[np.array([0, 2, 2])] ** 3, _norm((4, 2))),
    "vmap of a quadratic form": (jax.vmap(lambda x: x @ x), _norm((3, 4))),
    "custom_vjp": (_own_vjp, _norm((3, 2))),
    "custom_jvp": (_own_jvp, _norm((3, 2))),
}


def case(name: str, seed: int) -> Case:
    """One of CASES, with arguments drawn from this seed.

    Parameters
    ----------
    name
        One of CASES.
    seed
        The same numbers for the same seed.

    Returns
    -------
    tuple (function, arguments)
        The arguments are float32 arrays, or pytrees of them.
    """
    f, arguments = CASES[name]
    return f, arguments(np.random.default_rng([seed, *name.encode()]))


def mistaken(f: Callable[..., Any], kind: str) -> Callable[..., Any]:
    """f, with a mistake in what flows back through its first output, or through one output more.

    Parameters
    ----------
    f
        Returns an array, or a pytree of them.
    kind
        Of mistake: "sign", "one entry", "one of two outputs", "second derivative", "scaled in float32", "a
        thousandth"; any other name is a factor of 1 + 1e-6.

    Returns
    -------
    function
        Of f's arguments and values; its derivatives alone differ.
    """

    def changed(*args: Any) -> Any:
        y = f(*args)
        parts, shape = jax.tree_util.tree_flatten(y)
        if kind == "one of two outputs":
            return y, _wrong(kind)(jnp.sin(parts[0]))
        return jax.tree_util.tree_unflatten(shape, [_wrong(kind)(parts[0]), *parts[1:]])

    return changed


def _wrong(kind: str) -> Callable[[Any], Any]:
    @jax.custom_vjp
    def identity(y: Any) -> Any:
        return y

    identity.defvjp(lambda y: (y, y), lambda y, upstream: (_changed(kind, upstream, y),))
    return identity


def _changed(kind: str, upstream: Any, y: Any) -> Any:
    """What flows back instead of `upstream`; one entry is the largest output's, since others may be flat."""
    if kind == "second derivative":
        return _wrong("a thousandth")(upstream)
    if kind == "one entry":
        flat = jnp.asarray(upstream).reshape(-1)
        return flat.at[jnp.abs(y).argmax()].mul(0.5).reshape(upstream.shape)
    wide = upstream.dtype == jnp.float64
    factor = {"sign": -1.0, "a thousandth": 1.001, "scaled in float32": 1.0 if wide else 1.01}
    return upstream * factor.get(kind, 1.0 + 1e-6)


def check_grads_accepts(f: Callable[..., Any], args: Sequence[Any], order: int) -> bool:
    """What `jax.test_util.check_grads` says in float64, reverse mode, at its defaults.

    Parameters
    ----------
    f
        A function of pytrees of arrays.
    args
        What it is called with; floating-point arrays are taken in float64.
    order
        Of the highest derivative that is checked: 1 or 2.

    Returns
    -------
    bool
        False where it raises an AssertionError, or a TypeError of what it cannot differentiate.
    """
    program = opened(f, args, [f"input[{i}]" for i in range(len(args))], "float64")
    with jax.enable_x64(True):
        arrays = [jnp.asarray(cell) for cell in program.cells.values()]
        try:
            CHECK(lambda *cells: program.function(cells), tuple(arrays), order=order, modes=("rev",))
        except (AssertionError, TypeError):
            return False
    return True
