"""gradcheck of a loss and a gradient that are given as one function."""

import numpy as np
import torch

from backproof.reference.torch_gradcheck import accepts
from backproof.scratch.architecture import Array

THETA = np.array([0.5, -1.0, 2.0])


def _cubes(theta: Array) -> tuple[float, Array]:
    return float(np.sum(theta**3)), 3 * theta**2


def _cubes_by_autograd(theta: Array) -> tuple[float, Array]:
    leaf = torch.tensor(theta, requires_grad=True)
    loss = (leaf**3).sum()
    return loss.item(), torch.autograd.grad(loss, leaf)[0].numpy()


def test_gradcheck_accepts_a_right_gradient() -> None:
    assert accepts(_cubes, THETA)


def test_gradcheck_rejects_a_wrong_gradient() -> None:
    assert not accepts(lambda theta: (_cubes(theta)[0], 1.01 * _cubes(theta)[1]), THETA)


def test_a_gradient_that_comes_from_autograd_itself_can_be_judged() -> None:
    assert accepts(_cubes_by_autograd, THETA)
