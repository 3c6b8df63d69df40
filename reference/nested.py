"""Arrays in any nesting of dicts, lists and tuples: their names, and the same nest with others in it.

{"W1": a, "b1": b}      ->   params['W1'], params['b1']
[(a, b), (c, d)]        ->   params[0][0], params[0][1], params[1][0], params[1][1]
"""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

ROOT = "params"


def leaves(tree: Any, name: str = ROOT) -> Iterator[tuple[str, Any]]:
    """(name, array) of every array in the tree, in order; a list of plain numbers is an array.

    Parameters
    ----------
    tree
        Dicts, lists and tuples in any nesting; whatever else it holds counts as an array.
    name
        With which all names begin.

    Yields
    ------
    tuple
        A name such as params['W1'], and the array.
    """
    if isinstance(tree, Mapping):
        for key, branch in tree.items():
            yield from leaves(branch, f"{name}[{key!r}]")
    elif _is_sequence(tree):
        for i, branch in enumerate(tree):
            yield from leaves(branch, f"{name}[{i}]")
    else:
        yield name, tree


def rebuilt(tree: Any, arrays: Iterator[Any]) -> Any:
    """The same tree with other arrays, in the order of `leaves`.

    Parameters
    ----------
    tree
        As `leaves` reads it.
    arrays
        One for each of its arrays.

    Returns
    -------
    nest
        Of the same dicts, lists, tuples and named tuples.
    """
    if isinstance(tree, Mapping):
        return {key: rebuilt(branch, arrays) for key, branch in tree.items()}
    if isinstance(tree, tuple) and hasattr(tree, "_fields"):
        return type(tree)(*(rebuilt(branch, arrays) for branch in tree))
    if _is_sequence(tree):
        branches = [rebuilt(branch, arrays) for branch in tree]
        return tuple(branches) if isinstance(tree, tuple) else branches
    return next(arrays)


def _is_sequence(tree: Any) -> bool:
    return isinstance(tree, list | tuple) and not (tree and all(np.isscalar(item) for item in tree))
