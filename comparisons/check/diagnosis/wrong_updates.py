"""Known ways to take a wrong step, each as an update rule; the one that gives the weights is the cause."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from backproof.comparisons.check.battery.cases import TrainingCase
from backproof.comparisons.check.battery.grid import training_grid
from backproof.comparisons.check.battery.training import replica
from backproof.comparisons.check.subject.subject import Misbehaviour, Subject
from backproof.scratch.architecture import Array, OptimizerSpec
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters


@dataclass
class State:
    """What an update rule may look at, and what it keeps."""

    spec: OptimizerSpec
    is_bias: Array
    batch_size: int = 1
    t: int = 0  # steps so far, this one counted
    v: Array | None = None  # velocity, or second moment
    m: Array | None = None


Rule = Callable[[Array, Array, State], Array]  # (theta, g, state) -> the new theta


def _decayed(theta: Array, g: Array, s: State) -> Array:
    return g + s.spec.weight_decay * theta


def _step(theta: Array, g: Array, s: State, *, old_velocity: bool = False, swapped: bool = False) -> Array:
    """sgd and adam as torch.optim defines them, on the decayed gradient g."""
    spec = s.spec
    if spec.name == "adam":
        return _adam(theta, g, g, s)
    if not spec.momentum:
        return theta - spec.learning_rate * g
    before = np.zeros_like(g) if s.v is None else s.v
    if swapped and s.v is not None:
        s.v = before + spec.momentum * g
    else:
        s.v = spec.momentum * before + g
    ahead = g + spec.momentum * (before if old_velocity else s.v)
    return theta - spec.learning_rate * (ahead if spec.nesterov else s.v)


def _adam(
    theta: Array,
    g: Array,
    for_second: Array,
    s: State,
    *,
    inside: bool = False,
    corrected: bool = True,
    t: int = 0,
) -> Array:
    spec, t = s.spec, t or s.t
    s.m = (0 if s.m is None else spec.beta1 * s.m) + (1 - spec.beta1) * g
    s.v = (0 if s.v is None else spec.beta2 * s.v) + (1 - spec.beta2) * for_second**2
    m_hat = s.m / (1 - spec.beta1**t) if corrected else s.m
    v_hat = s.v / (1 - spec.beta2**t) if corrected else s.v
    root = np.sqrt(v_hat + spec.eps) if inside else np.sqrt(v_hat) + spec.eps
    return theta - spec.learning_rate * m_hat / root


def _only(name: str, rule: Rule) -> Rule:
    """`rule` for this optimiser, the right step for the other."""
    return lambda theta, g, s: (
        rule(theta, g, s) if s.spec.name == name else _step(theta, _decayed(theta, g, s), s)
    )


def _swapped(theta: Array, g: Array, s: State) -> Array:
    return _step(theta, _decayed(theta, g, s), s, swapped=True)


def _plain_second_moment(theta: Array, g: Array, s: State) -> Array:
    return _adam(theta, _decayed(theta, g, s), g, s)


def _with_decay(change: Callable[[Array, State], Array]) -> Rule:
    return lambda theta, g, s: _step(theta, g + s.spec.weight_decay * change(theta, s), s)


def _decoupled(theta: Array, g: Array, s: State) -> Array:
    return _adam(theta * (1 - s.spec.learning_rate * s.spec.weight_decay), g, g, s)


RULES: dict[str, Rule] = {
    "weight decay is halved: lambda/2 where lambda belongs": _with_decay(lambda w, s: w / 2),
    "weight decay is doubled": _with_decay(lambda w, s: 2 * w),
    "weight decay is left out": _with_decay(lambda w, s: 0 * w),
    "weight decay has the wrong sign": _with_decay(lambda w, s: -w),
    "weight decay leaves out the biases": _with_decay(lambda w, s: np.where(s.is_bias, 0.0, w)),
    "weight decay is divided by the batch size": _with_decay(lambda w, s: w / s.batch_size),
    "v + mu g stands where mu v + g belongs": _only("sgd", _swapped),
    "Nesterov's look-ahead uses the velocity of the step before": _only(
        "sgd", lambda w, g, s: _step(w, _decayed(w, g, s), s, old_velocity=True)
    ),
    "Nesterov's look-ahead is missing": _only(
        "sgd", lambda w, g, s: _plain_momentum(w, _decayed(w, g, s), s)
    ),
    "Adam's eps stands inside the square root": _only(
        "adam", lambda w, g, s: _adam(w, _decayed(w, g, s), _decayed(w, g, s), s, inside=True)
    ),
    "Adam's bias correction is missing": _only(
        "adam", lambda w, g, s: _adam(w, _decayed(w, g, s), _decayed(w, g, s), s, corrected=False)
    ),
    "Adam's bias correction is one step late": _only(
        "adam", lambda w, g, s: _adam(w, _decayed(w, g, s), _decayed(w, g, s), s, t=s.t + 1)
    ),
    "Adam's second moment leaves out the weight decay": _only("adam", _plain_second_moment),
    "Adam decays the weights apart from the gradient (that is AdamW)": _only("adam", _decoupled),
}  # fmt: skip


def _plain_momentum(theta: Array, g: Array, s: State) -> Array:
    s.v = g if s.v is None else s.spec.momentum * s.v + g
    return theta - s.spec.learning_rate * s.v


def update_causes(subject: Subject, seed: int) -> list[str]:
    """The rules that reproduce what training did, on every setting of the grid."""
    trials = training_grid(seed)
    found = [_trained(subject, trial) for trial in trials]
    if any(weights is None for weights in found):
        return []
    wrong = [
        trial.optimizer
        for trial, weights in zip(trials, found, strict=True)
        if not _same(weights, replica(trial, None).weights[-1])
    ]
    if not wrong:
        return []
    causes = [
        sentence
        for sentence, rule in RULES.items()
        if all(_same(weights, _follow(trial, rule)) for trial, weights in zip(trials, found, strict=True))
    ]
    if all(_same(w, _updated_too_early(trial)) for trial, w in zip(trials, found, strict=True)):
        causes.append("the gradient is passed back through weights that are already updated")
    return causes or [_where(wrong, [trial.optimizer for trial in trials])]


def _where(wrong: list[OptimizerSpec], tried: list[OptimizerSpec]) -> str:
    """Which settings go wrong, in words."""
    conditions: tuple[tuple[str, Callable[[OptimizerSpec], bool]], ...] = (
        ("with momentum", lambda o: o.momentum > 0),
        ("with nesterov", lambda o: o.nesterov),
        ("with weight decay", lambda o: o.weight_decay > 0),
        ("with adam", lambda o: o.name == "adam"),
        ("with sgd", lambda o: o.name == "sgd"),
    )
    for text, holds in conditions:
        if [o for o in tried if holds(o)] == wrong:
            return f"training differs from torch.optim {text}, and only then"
    if len(wrong) == len(tried):
        return "training differs from torch.optim with every update rule, also plain gradient descent"
    return f"training differs from torch.optim in {len(wrong)} of {len(tried)} settings tried"


def _trained(subject: Subject, trial: TrainingCase) -> Array | None:
    case = trial.case
    try:
        subject.renew()
        subject.load(case.architecture, case.weights)
        subject.train(case.x, case.targets, trial.batches, trial.optimizer)
        return np.concatenate([np.ravel(array) for pair in subject.weights() for array in pair])
    except Misbehaviour:
        return None


def _follow(trial: TrainingCase, rule: Rule) -> Array:
    case = trial.case
    parameters = Parameters.from_weights(case.architecture, case.weights)
    network, gradient = Network(case.architecture, parameters), Parameters(case.architecture)
    is_bias = np.zeros(parameters.flat.size, bool)
    for _, bias in case.architecture.layer_slices():
        is_bias[bias] = True
    state = State(trial.optimizer, is_bias)
    for batch in trial.batches:
        network.loss_and_gradient(case.x[batch], case.targets[batch], gradient)
        state = replace(state, t=state.t + 1, batch_size=len(batch))
        parameters.flat[...] = rule(parameters.flat.copy(), gradient.flat.copy(), state)
    return parameters.flat


def _updated_too_early(trial: TrainingCase) -> Array:
    """Training in which every layer is updated before the delta is passed back through it."""
    case = trial.case
    parameters = Parameters.from_weights(case.architecture, case.weights)
    network = Network(case.architecture, parameters)
    is_bias = [np.repeat([False, True], [n * m, m]) for n, m in case.architecture.layer_shapes]
    states = [State(trial.optimizer, part) for part in is_bias]
    for batch in trial.batches:
        activations = [array.copy() for array in network.forward(case.x[batch])]
        delta = np.empty_like(activations[-1])
        delta = network.loss_function.delta(activations[-1], case.targets[batch], delta)
        for layer in reversed(range(len(states))):
            W, b = parameters.layers[layer]
            g = np.concatenate([(activations[layer].T @ delta).ravel(), delta.sum(axis=0)])
            theta = np.concatenate([W.ravel(), b])
            states[layer] = replace(states[layer], t=states[layer].t + 1)
            theta = _step(theta, _decayed(theta, g, states[layer]), states[layer])
            W[...], b[...] = theta[: W.size].reshape(W.shape), theta[W.size :]
            if layer > 0:
                delta = delta @ W.T
                network.activation.backpropagate(delta, activations[layer])
    return parameters.flat


def _same(found: Array | None, expected: Array) -> bool:
    return found is not None and bool(np.allclose(found, expected, rtol=1e-9, atol=1e-11))
