import copy

import torch
from torch import nn

from backproof.reference.torch_variants import variants


def a_net() -> nn.Sequential:
    torch.manual_seed(0)
    layers = nn.Conv2d(1, 2, 3, padding=1), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.LayerNorm(32)
    return nn.Sequential(*layers).double()


def test_a_mistake_lasts_as_long_as_its_context_and_leaves_nothing_behind() -> None:
    model, x = a_net().eval(), torch.randn(3, 1, 4, 4, dtype=torch.float64)
    right = model(x).detach()
    for path in ("0", "1", "4"):
        changed = 0
        for _, wrong in variants(model, path, ()):
            with wrong:
                try:
                    other = copy.deepcopy(model)(x)
                except (RuntimeError, ValueError):  # it does not fit here
                    continue
            changed += other.shape != right.shape or not torch.equal(other, right)
        assert changed > 5, path
        assert torch.equal(model(x), right)


def test_every_mistake_of_a_layer_has_a_sentence_of_its_own() -> None:
    for path in ("0", "1", "4"):
        texts = [text for text, _ in variants(a_net(), path, ("0", "1", "2", "3", "4"))]
        assert len(texts) == len(set(texts))
