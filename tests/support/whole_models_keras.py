"""The models of `whole_models` in Keras, with the weights of the torch modules turned into its layouts."""

from typing import Any

from tests.support import whole_models
from tests.support.whole_models import CHANNELS, CLASSES, SIZE, WORDS


def _set(layer: Any, module: Any) -> None:
    weight, bias = module.weight.detach().numpy(), getattr(module, "bias", None)
    if weight.ndim == 4:
        weight = weight.transpose(2, 3, 1, 0)
    elif weight.ndim == 2 and bias is not None:
        weight = weight.T
    values = [weight] + ([bias.detach().numpy()] if bias is not None else [])
    if hasattr(module, "running_mean"):
        values += [module.running_mean.numpy(), module.running_var.numpy()]
    layer.set_weights(values)


def _channels_last_rows(weight: Any, side: int) -> Any:
    """The columns of a torch weight behind a flatten, as Keras flattens."""
    return weight.reshape(len(weight), CHANNELS, side, side).transpose(0, 2, 3, 1).reshape(len(weight), -1)


def images(eps: float = 1e-5, momentum: float = 0.9, padding: str = "same", *, rows: bool = True) -> Any:
    """`whole_models.Images`."""
    from keras import Input, Model, layers

    def norm() -> Any:
        return layers.BatchNormalization(epsilon=eps, momentum=momentum)

    x = given = Input((8, 8, 1))
    first, norm1 = layers.Conv2D(CHANNELS, 3, padding=padding), norm()
    x = layers.MaxPooling2D(2)(layers.ReLU()(norm1(first(x))))
    conv1, norm2 = layers.Conv2D(CHANNELS, 3, padding="same"), norm()
    conv2 = layers.Conv2D(CHANNELS, 3, padding="same", use_bias=False)
    y = conv2(layers.Activation("relu")(norm2(conv1(x))))
    x = layers.Flatten()(layers.Activation("relu")(layers.Add()([x, y])))
    norm3, last = layers.LayerNormalization(epsilon=1e-5), layers.Dense(CLASSES)
    model = Model(given, last(layers.Dropout(0.3)(norm3(x))))
    module = whole_models.images()
    pairs = ((first, module.conv), (norm1, module.norm), (conv1, module.block.conv1))
    for layer, one in (*pairs, (norm2, module.block.norm1), (conv2, module.block.conv2)):
        _set(layer, one)
    side = norm3.weights[0].shape[0] // CHANNELS
    side = int(side**0.5)
    gain, shift, weight = (
        v.detach().numpy() for v in (module.norm2.weight, module.norm2.bias, module.fc.weight)
    )
    if side == 4:
        norm3.set_weights([_channels_last_rows(v[None], side)[0] for v in (gain, shift)])
        weight = _channels_last_rows(weight, side) if rows else weight
        last.set_weights([weight.T, module.fc.bias.detach().numpy()])
    return model


def words() -> Any:
    """Embedding, layer norm, Dense layers with an activation of their own."""
    import keras
    from keras import layers

    module = torch_words()
    model = keras.Sequential(
        [
            keras.Input((6,), dtype="int32"),
            layers.Embedding(WORDS, SIZE),
            layers.LayerNormalization(epsilon=1e-5),
            layers.Dense(SIZE, activation="gelu"),
            layers.Dense(WORDS, activation=None),
        ]
    )
    for layer, one in zip(model.layers, (module[0], module[1], module[2], module[4]), strict=True):
        _set(layer, one)
    return model


def torch_words(approximate: str = "none") -> Any:
    """The same in torch; Keras computes "gelu" by erf where it is not told otherwise, as torch does."""
    import torch
    from torch import nn

    torch.manual_seed(3)
    layers = [nn.Embedding(WORDS, SIZE), nn.LayerNorm(SIZE), nn.Linear(SIZE, SIZE), nn.GELU(approximate)]
    return nn.Sequential(*layers, nn.Linear(SIZE, WORDS))


def torch_words_by_tanh() -> Any:
    return torch_words("tanh")


def other_eps() -> Any:
    """Keras's own default."""
    return images(eps=1e-3)


def other_momentum() -> Any:
    """torch's momentum, which is the share of the new."""
    return images(momentum=0.1)


def rows_as_in_torch() -> Any:
    return images(rows=False)


def no_padding() -> Any:
    return images(padding="valid")
