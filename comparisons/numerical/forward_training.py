"""Training by forward gradients: from the twins' first weights, on the twins' batches, by plain descent.

    theta' = theta - r_t g(theta),   r_t = r (1 - t / T),   g = (J v) v

The loss falls by r |J|^2 in the mean of a step and rises by r^2/2 E[g^T H g] = r^2/2 (|J|^2 tr H + 2 J^T H
J): r must be far smaller than for the gradient itself, by the number of parameters (or units) that H's trace
sums over.
"""

import time
from collections.abc import Iterator

import numpy as np

from backproof.comparisons.data.dataset import Dataset
from backproof.comparisons.numerical.forward_gradient import ForwardGradient, Perturbed
from backproof.comparisons.numerical.result import ForwardTraining, Reached, TwinSetting
from backproof.comparisons.numerical.twin_training import Batches, is_evaluated, test_accuracy
from backproof.comparisons.running.progress import Advance
from backproof.scratch.architecture import Flat
from backproof.scratch.network import Network
from backproof.scratch.parameters import Parameters


def train_forward(
    setting: TwinSetting, dataset: Dataset, initial: Flat, perturbed: Perturbed, rate: float, advance: Advance
) -> ForwardTraining:
    """As many steps as the twins take.

    Parameters
    ----------
    setting
        The twins': network, batches, number of steps, and when the test images are looked at.
    dataset
        What is learned.
    initial
        The first weights (n_parameters,); left as they are.
    perturbed
        What the random directions are of.
    rate
        The first learning rate; it falls linearly to zero.
    advance
        Called after every step.

    Returns
    -------
    ForwardTraining
        Accuracies as the training went on.
    """
    network = Network(setting.architecture, Parameters(setting.architecture, initial.copy()))
    method = ForwardGradient(perturbed, setting.seed)
    # A rate that is too large ends in NaN, and in an accuracy that says so.
    with np.errstate(over="ignore", invalid="ignore"):
        reached = tuple(_trained(setting, dataset, network, method, rate, advance))
    return ForwardTraining(perturbed, rate, setting.n_steps, reached)


def _trained(
    setting: TwinSetting,
    dataset: Dataset,
    network: Network,
    method: ForwardGradient,
    rate: float,
    advance: Advance,
) -> Iterator[Reached]:
    batches, seconds = Batches(dataset, setting.batch_size, setting.seed), 0.0
    for step in range(setting.n_steps + 1):
        if is_evaluated(setting, step):
            yield Reached(step, seconds, test_accuracy(network, dataset))
        if step == setting.n_steps:
            return
        x, labels = batches(step)
        begun = time.perf_counter()
        g = method(network, x, labels)
        g *= rate * (1 - step / setting.n_steps)
        network.parameters.flat -= g
        seconds += time.perf_counter() - begun
        advance()
