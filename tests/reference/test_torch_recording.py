import numpy as np
import pytest
import torch
from torch import nn

from backproof.reference.record import RATE, Call, Record, Task
from backproof.reference.torch_recording import expected, record, walk
from backproof.scratch.architecture import Array

X = np.random.default_rng(0).normal(size=(5, 4))
TASK = Task("float64", True, [X], np.array([0, 1, 2, 0, 1]), {})


def a_net() -> nn.Sequential:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 4), nn.Tanh(), nn.BatchNorm1d(4), nn.Linear(4, 3)).double()


@pytest.fixture
def recorded() -> Record:
    found = Record()
    record(a_net(), TASK, found)
    return found


def calls(found: Record) -> dict[str, Call]:
    return {call.name: call for call in found.calls}


def test_every_call_shows_what_went_in_and_came_out_and_the_gradients(recorded: Record) -> None:
    assert list(calls(recorded)) == ["model", "0", "1", "2", "3"]
    first, second = calls(recorded)["0"], calls(recorded)["1"]
    np.testing.assert_array_equal(first.outputs[0], second.inputs[0])
    np.testing.assert_array_equal(first.output_gradients[0], second.input_gradients[0])
    # dW = delta^T x
    delta: Array = first.output_gradients[0]
    np.testing.assert_allclose(recorded.gradients["0.weight"], delta.T @ X, rtol=1e-12, atol=1e-15)


def test_the_step_is_one_of_gradient_descent_and_the_module_is_left_as_it_was(recorded: Record) -> None:
    before, gradient = recorded.parameters["3.bias"], recorded.gradients["3.bias"]
    np.testing.assert_allclose(recorded.stepped["3.bias"], before - RATE * gradient, rtol=1e-14)
    np.testing.assert_array_equal(before, a_net().get_parameter("3.bias").detach().numpy())


def test_a_walk_along_its_own_record_finds_that_record(recorded: Record) -> None:
    found = walk(a_net(), TASK, calls(recorded))
    np.testing.assert_array_equal(found["into 3"], calls(recorded)["3"].inputs[0])
    np.testing.assert_array_equal(found["d 2"], calls(recorded)["2"].output_gradients[0])
    np.testing.assert_array_equal(found["2.running_mean"], recorded.buffers["2.running_mean"])


def test_a_wrong_tensor_in_the_record_changes_its_own_expectation_alone(recorded: Record) -> None:
    right = walk(a_net(), TASK, calls(recorded))
    calls(recorded)["1"].outputs[0] += 1.0
    found = walk(a_net(), TASK, calls(recorded))
    np.testing.assert_array_equal(found["1"], right["1"])  # given its input
    np.testing.assert_array_equal(found["3"], right["3"])  # given the recorded input of 3
    np.testing.assert_array_equal(found["into 2"], right["1"] + 1.0)  # which is what was recorded of 1


def test_rounding_is_estimated_for_every_tensor_and_is_small(recorded: Record) -> None:
    for name, (value, spread) in expected(a_net(), TASK, calls(recorded)).items():
        assert spread.shape == value.shape, name
        assert (spread <= 1e-12).all(), name
