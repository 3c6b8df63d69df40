"""Models as people have them, in torch and in Keras, with the same weights."""

from typing import Any

import torch
from torch import nn


def gelu(approximate: str = "none") -> nn.Sequential:
    torch.manual_seed(0)
    layers = [nn.Linear(6, 5), nn.GELU(approximate), nn.Linear(5, 5), nn.GELU(approximate), nn.Linear(5, 3)]
    return nn.Sequential(*layers).double()


def gelu_by_tanh() -> nn.Sequential:
    return gelu("tanh")


def other_weights() -> nn.Sequential:
    model = gelu()
    first = next(iter(model.parameters()))
    with torch.no_grad():
        first[1, 2] += 0.5
    return model


def relu() -> nn.Sequential:
    torch.manual_seed(1)
    return nn.Sequential(nn.Linear(6, 5), nn.ReLU(), nn.Linear(5, 5), nn.ReLU(), nn.Linear(5, 3))


class Functional(nn.Module):
    """The same as `relu`, its activations being functions, its input an image."""

    def __init__(self) -> None:
        super().__init__()
        self.first, _, self.second, _, self.third = relu()

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = torch.relu(self.first(x.flatten(1)))
        return torch.as_tensor(self.third(torch.relu(self.second(x))))


MODEL = relu()


def normalised() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))


def clipped() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 5), nn.Hardtanh(), nn.Linear(5, 3))


def probabilities() -> nn.Sequential:
    return nn.Sequential(nn.Linear(6, 3), nn.Softmax(1))


def number() -> int:
    return 3


def keras_tanh() -> Any:
    import keras

    keras.backend.set_floatx("float64")
    layers = [
        keras.layers.Dense(5, activation="tanh"),
        keras.layers.Dense(5),
        keras.layers.Activation("tanh"),
    ]
    model = keras.Sequential([keras.Input((6,)), *layers, keras.layers.Dense(3)])
    model.set_weights([p.detach().numpy().T for p in gelu().parameters()])
    return model


def torch_tanh() -> nn.Sequential:
    model = gelu()
    model[1], model[3] = nn.Tanh(), nn.Tanh()
    return model
