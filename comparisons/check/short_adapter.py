"""The adapter without methods that `--init FILE --from homework.py` writes, where names are enough for it.

They are enough if a constructor takes sizes, and if every parameter of the functions says by its name what it
is. What is declared is a guess still, and marked as one; what is left out is found out when it is checked.
"""

import re
from collections.abc import Iterator

from backproof.comparisons.check.found_network import LOSS, Found, Function
from backproof.comparisons.contenders.named.argument_names import OUTPUT, WEIGHT, argument, size
from backproof.comparisons.contenders.named.calls import CACHE, PAIRS, WHOLE

MAKES = re.compile(r"^_?(init|initiali[sz]e|create|build|make)", re.I)
LOSSES_NAMED = re.compile(r"^(loss|cost)$", re.I)


def short_lines(found: Found, guess: str) -> list[str] | None:
    """The class attributes that declare the network by name; None where names are not enough."""
    makes, forward, learns = made_by(found), found.forward, found.step or found.backward
    if makes is None or learns is None or (forward is None and found.step is None):
        return None
    returned = forward.returned if forward is not None else ()
    if not _is_told(found, learns, returned) or not (forward is None or _is_told(found, forward, ())):
        return None
    what = "step" if found.step is not None else "gradient"
    declared = {"forward": _entry(forward)} if forward is not None else {}
    declared |= {what: f'"{learns.name}"', **_cost(found, forward)}
    if what == "step" and not learns.rate() and found.rate:
        declared["rate"] = f'"{found.rate}"'
    return [f"wraps = {makes}", f"{', '.join(declared)} = {', '.join(declared.values())}{guess}"]


def made_by(found: Found) -> str | None:
    """What makes the network from its sizes: the class, or a function; None where none is told."""
    if found.owner:
        constructor = found.functions.get("__init__")
        return found.owner if constructor is not None and _takes_sizes(constructor) else None
    makers = [f for name, f in found.functions.items() if MAKES.search(name) and _takes_sizes(f)]
    return makers[0].name if len(makers) == 1 and makers[0].returns else None


def _takes_sizes(constructor: Function) -> bool:
    required = [size(p.name) for p in constructor.parameters if not p.has_default]
    words = {size(p.name) for p in constructor.parameters}
    return all(required) and ("sizes" in words or {"inputs", "outputs"} <= words)


def _is_told(found: Found, function: Function, returned: tuple[str, ...]) -> bool:
    """Does every parameter without a default say what it is? One alone may be the input, or the targets."""
    unknown = [
        p.name for p in function.parameters if not p.has_default and not _says(found, p.name, returned)
    ]
    return len(unknown) <= (
        0 if any(argument(p.name) in ("x", "targets") for p in function.parameters) else 1
    )


def _says(found: Found, name: str, returned: tuple[str, ...]) -> bool:
    weights = not found.owner and (WEIGHT.match(name) or WHOLE.match(name))
    return bool(
        name in returned or argument(name) or PAIRS.match(name) or weights or (returned and CACHE.match(name))
    )


def _entry(forward: Function) -> str:
    """Its name; of several things that it returns, with that of the outputs."""
    if forward.keys and forward.returned:
        return f'("{forward.name}", "{forward.returned[-1]}")'
    likely = sorted((name for name in forward.returned if OUTPUT.match(name)), reverse=True)
    return (
        f'("{forward.name}", "{likely[0]}")' if len(forward.returned) > 1 and likely else f'"{forward.name}"'
    )


def _cost(found: Found, forward: Function | None) -> dict[str, str]:
    """Where the loss is told, if that can be seen."""
    for name in forward.returned if forward is not None else ():
        if forward is not None and LOSSES_NAMED.match(name):
            return {"cost": f'("{forward.name}", "{name}")'}
    cost = found.named(LOSS)
    told = cost is not None and not re.search(r"prime|deriv|grad", cost.name, re.I)
    if (
        cost is None
        or not told
        or not all(_says(found, p.name, ()) for p in cost.parameters if not p.has_default)
    ):
        return {}
    return {"cost": f'"{cost.name}"'}


def comments() -> Iterator[str]:
    """What may be declared beside the names."""
    yield "# What is left out is found out, and said. To declare it yourself:"
    yield '# samples = "columns"      # or "rows"; "single": one at a time'
    yield '# targets = "one_hot"      # or "labels", of cross-entropy'
    yield '# activation = "relu"      # of the hidden layers; output_activation of the last one'
