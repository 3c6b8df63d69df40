"""What a model did in one pass, call by call: the same for every framework."""

from dataclasses import dataclass, field

from backproof.scratch.architecture import Array

WHOLE = "model"  # the name of the outermost call
RATE = 0.01  # of the one step of gradient descent


@dataclass
class Call:
    """One call of a module or layer. A gradient is missing where nothing flowed back."""

    name: str  # its path, with #2 where it is called a second time
    path: str
    kind: str  # of its class
    parent: int  # the call that it happened in; -1: none
    n_parameters: int
    inputs: list[Array] = field(default_factory=list)
    outputs: list[Array] = field(default_factory=list)
    input_gradients: dict[int, Array] = field(default_factory=dict)  # through this call alone
    output_gradients: dict[int, Array] = field(default_factory=dict)


@dataclass
class Record:
    """One pass forward and backward, and one step; what an exception cut off is missing."""

    calls: list[Call] = field(default_factory=list)
    loss: Array | None = None
    parameters: dict[str, Array] = field(default_factory=dict)
    gradients: dict[str, Array] = field(default_factory=dict)
    buffers: dict[str, Array] = field(default_factory=dict)  # after the pass
    stepped: dict[str, Array] = field(default_factory=dict)  # the parameters after the step
    raised: str = ""  # what cut it off
    notes: list[str] = field(default_factory=list)  # what it could not be asked for, with the reason


@dataclass(frozen=True)
class Task:
    """What a model is asked for: its mode and dtype, what goes in, and the parameters to take first."""

    dtype: str
    training: bool
    inputs: list[Array]
    targets: Array
    parameters: dict[str, Array]
