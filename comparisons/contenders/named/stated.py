"""What an adapter without methods states: the names of the network's functions, and the form it has."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from backproof.comparisons.contenders.named.calls import Named
from backproof.comparisons.contenders.own_network import NotTold
from backproof.scratch.architecture import ACTIVATIONS, LOSSES

CALLED = ("forward", "gradient", "step", "cost")


@dataclass(frozen=True)
class Names:
    """What the class declares by name; `wraps` makes the network from its sizes."""

    wraps: Any = None
    forward: Named | None = None
    gradient: Named | None = None
    step: Named | None = None
    cost: Named | None = None
    rate: str = ""  # where the learning rate lies: "optimizer.lr"
    weights: tuple[str, ...] = ()  # what the places of W, and of b, are called

    @property
    def learns(self) -> str:
        return next((what for what in ("gradient", "step") if getattr(self, what) is not None), "")

    @property
    def cost_of(self) -> str:
        """Whose answer tells the loss: the forward pass's, what learns's, or a function's of its own."""
        named = {what: getattr(self, what) for what in ("forward", "gradient", "step")}
        cost = self.cost.name if self.cost is not None else ""
        return next((what for what, one in named.items() if one is not None and one.name == cost), "cost")


def own_cost(kind: type) -> str:
    """The name of a cost that the class has written itself, for a network that tells none."""
    return f"{kind.__name__}.cost"


def names_of(kind: type) -> Names | None:
    """What the class declares by name; None where it declares nothing so. Raises NotTold for another form."""
    attributes = {name: value for base in reversed(type.mro(kind)) for name, value in vars(base).items()}
    wraps = attributes.get("wraps")
    calls = {name: attributes[name] for name in CALLED if isinstance(attributes.get(name), str | tuple)}
    if wraps is None and not (calls and callable(attributes.get("network"))):
        return None
    calls |= {name: attributes[name] for name in CALLED if not callable(attributes.get(name, len))}
    if callable(attributes.get("cost")):
        calls["cost"] = own_cost(kind)
    return Names(
        wraps=wraps.__func__ if isinstance(wraps, staticmethod) else wraps,
        **{name: _named(name, value) for name, value in calls.items()},
        rate="".join(_texts("rate", attributes.get("rate"))[:1]),
        weights=_texts("weights", attributes.get("weights")),
    )


def _named(attribute: str, value: Any) -> Named:
    name, *keys = value if isinstance(value, tuple) and value else (value,)
    if not isinstance(name, str) or not all(isinstance(key, str | int) for key in keys):
        raise NotTold(f"{attribute}: expected a method's name, or (name, key of its answer); got {value!r}")
    return Named(name, tuple(keys))


def _texts(attribute: str, value: Any) -> tuple[str, ...]:
    if value is None or callable(value):
        return ()
    texts = value if isinstance(value, tuple | list) else (value,)
    if not all(isinstance(text, str) for text in texts):
        raise NotTold(f"{attribute}: expected names of attributes, as text; got {value!r}")
    return tuple(texts)


@dataclass(frozen=True)
class Stated:
    """What the class states of its form; of samples and targets what is tried where it states nothing."""

    samples: tuple[str, ...]
    targets: tuple[str, ...]
    depths: tuple[int, ...]  # hidden layers; empty: not stated, as below
    loss: str
    activation: str
    biases: str

    @classmethod
    def by(cls, kind: type, one_loss: bool) -> "Stated":
        """Raises NotTold for a class that does not say which loss it has."""
        supports = getattr(kind, "supports", None)
        stated = dict(supports) if isinstance(supports, Mapping) else {}
        for name in ("loss", "hidden_layers", "activation"):
            value = getattr(kind, name, None)
            stated |= {name: value} if isinstance(value, str | int | list | tuple) else {}
        losses = [loss for loss in _each(stated.get("loss")) if loss in LOSSES]
        if not losses or (len(losses) > 1 and one_loss):
            raise NotTold(
                f'which loss has {kind.__name__}? Declare it: supports = {{"loss": ["{LOSSES[0]}"]}}, or one '
                f"of {', '.join(LOSSES[1:])}"
            )
        samples, targets, biases = (str(getattr(kind, name, "")) for name in ("samples", "targets", "biases"))
        labels = (targets,) if targets else ("labels", "one_hot")
        return cls(
            (samples,) if samples else ("rows", "columns"),
            labels if losses[0] == "cross_entropy" else ("values",),
            tuple(map(int, _each(stated.get("hidden_layers")))),
            losses[0],
            next((name for name in _each(stated.get("activation")) if name in ACTIVATIONS), "relu"),
            biases,
        )

    @property
    def folded(self) -> bool:
        return self.biases in ("first", "last")


def _each(value: Any) -> Sequence[Any]:
    return () if value is None else (value,) if isinstance(value, str | int) else tuple(value)
