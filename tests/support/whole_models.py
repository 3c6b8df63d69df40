"""Models of many layers, their ports within torch, and ports with one mistake each."""

import math
from typing import Any

import torch
from torch import nn
from torch.nn import functional

CHANNELS, CLASSES, WORDS, SIZE, HEADS, LENGTH = 4, 5, 11, 8, 2, 6


def moved(model: Any) -> Any:
    """With numbers of its own in the norms, which begin as ones and zeros."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for name, p in model.named_parameters():
            if "norm" in name:
                p.add_(0.3 * torch.randn(p.shape, generator=generator))
        for name, b in model.named_buffers():
            if "running" in name:
                b.add_(0.3 * torch.rand(b.shape, generator=generator))
    return model


class Block(nn.Module):
    """Two convolutions and a way past them."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1)
        self.norm1 = nn.BatchNorm2d(CHANNELS)
        self.conv2 = nn.Conv2d(CHANNELS, CHANNELS, 3, padding=1, bias=False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        y = torch.relu(self.norm1(self.conv1(x)))
        return torch.relu(x + self.conv2(y))


class Images(nn.Module):
    """Convolution, batch norm, pooling, a residual block, dropout, a layer norm, a linear layer."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(1, CHANNELS, 3, padding=1)
        self.norm = nn.BatchNorm2d(CHANNELS)
        self.act = nn.ReLU()
        self.pool = nn.MaxPool2d(2)
        self.block = Block()
        self.flatten = nn.Flatten()
        self.norm2 = nn.LayerNorm(CHANNELS * 16)
        self.drop = nn.Dropout(0.3)
        self.fc = nn.Linear(CHANNELS * 16, CLASSES)
        self.example_input_array = torch.randn(6, 1, 8, 8, generator=torch.Generator().manual_seed(2))

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.block(self.pool(self.act(self.norm(self.conv(x)))))
        return torch.as_tensor(self.fc(self.drop(self.norm2(self.flatten(x)))))


def images() -> Any:
    torch.manual_seed(0)
    return moved(Images())


class OwnConv(nn.Module):
    """By unfold and a product, its kernel with the channels last."""

    def __init__(self, conv: nn.Conv2d, padding: int = 1, swapped: bool = False) -> None:
        super().__init__()
        self.kernel = nn.Parameter(conv.weight.detach().permute(2, 3, 1, 0).clone())
        self.bias = None if conv.bias is None else nn.Parameter(conv.bias.detach().clone())
        self.padding, self.swapped = padding, swapped

    def forward(self, x: torch.Tensor) -> Any:
        height, width = (side + 2 * self.padding - 2 for side in x.shape[2:])
        kernel = self.kernel.transpose(0, 1) if self.swapped else self.kernel
        flat = kernel.permute(3, 2, 0, 1).flatten(1)
        y = flat @ functional.unfold(x, 3, padding=self.padding)
        y = y.reshape(*y.shape[:2], height, width)
        return y if self.bias is None else y + self.bias[:, None, None]


class OwnBatchNorm(nn.Module):
    """With means written out; eps, momentum and divisor as they are given."""

    def __init__(
        self, norm: nn.BatchNorm2d, eps: float = 1e-5, kept: float = 0.9, biased: bool = False
    ) -> None:
        super().__init__()
        self.gamma, self.beta = nn.Parameter(norm.weight.detach()), nn.Parameter(norm.bias.detach())
        self.running_mean: torch.Tensor
        self.running_var: torch.Tensor
        for name in ("running_mean", "running_var"):
            self.register_buffer(name, getattr(norm, name).clone())
        self.eps, self.kept, self.biased = eps, kept, biased

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.training:
            axes, n = (0, 2, 3), x.numel() // x.shape[1]
            mean = x.mean(axes)
            var = ((x - mean[:, None, None]) ** 2).mean(axes)
            factor = 1.0 if self.biased else n / (n - 1)
            with torch.no_grad():
                self.running_mean.mul_(self.kept).add_((1 - self.kept) * mean)
                self.running_var.mul_(self.kept).add_((1 - self.kept) * factor * var)
        else:
            mean, var = self.running_mean, self.running_var
        y = (x - mean[:, None, None]) / torch.sqrt(var + self.eps)[:, None, None]
        return self.gamma[:, None, None] * y + self.beta[:, None, None]


class OwnLayerNorm(nn.Module):
    def __init__(self, norm: nn.LayerNorm, axis: int = -1, outside: bool = False) -> None:
        super().__init__()
        self.gain, self.shift = nn.Parameter(norm.weight.detach()), nn.Parameter(norm.bias.detach())
        self.axis, self.outside = axis, outside

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        mean = x.mean(self.axis, keepdim=True)
        var = ((x - mean) ** 2).mean(self.axis, keepdim=True)
        scale = torch.sqrt(var) + 1e-5 if self.outside else torch.sqrt(var + 1e-5)
        return (x - mean) / scale * self.gain + self.shift


class Ported(nn.Module):
    """`Images` by hand, with functions where it has modules, under other names."""

    def __init__(self, **mistakes: Any) -> None:
        super().__init__()
        model = images()
        self.c1 = OwnConv(model.conv, mistakes.get("padding", 1), mistakes.get("swapped", False))
        self.n1 = OwnBatchNorm(model.norm, mistakes.get("eps", 1e-5), mistakes.get("kept", 0.9))
        self.stage = nn.ModuleDict(
            {
                "c1": OwnConv(model.block.conv1),
                "n1": OwnBatchNorm(model.block.norm1, biased=mistakes.get("biased", False)),
                "c2": OwnConv(model.block.conv2),
            }
        )
        self.ln = OwnLayerNorm(model.norm2, mistakes.get("axis", -1), mistakes.get("outside", False))
        self.out = nn.Linear(CHANNELS * 16, CLASSES)
        self.out.load_state_dict(model.fc.state_dict())
        self.residual, self.twice = mistakes.get("residual", True), mistakes.get("twice", False)
        self.last, self.mean = mistakes.get("channels_last", False), mistakes.get("mean", False)
        self.leaky, self.detached = mistakes.get("leaky", False), mistakes.get("detached", False)
        if mistakes.get("frozen"):
            self.ln.gain.requires_grad_(False)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        x = self.n1(self.c1(x))
        x = functional.leaky_relu(x, 0.01) if self.leaky else functional.relu(x)
        x = functional.avg_pool2d(x, 2) if self.mean else functional.max_pool2d(x, 2)
        y = self.stage["c2"](torch.relu(self.stage["n1"](self.stage["c1"](x))))
        past = x.detach() if self.detached else x
        y = functional.relu(past + y if self.residual else y) + (x if self.twice else 0)
        y = y.movedim(1, -1).flatten(1) if self.last else y.flatten(1)
        return torch.as_tensor(self.out(self.ln(y)))


class Sentences(nn.Module):
    """Embedding, attention under a causal mask, residuals, layer norms, a feed-forward part."""

    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(WORDS, SIZE)
        self.attend = nn.MultiheadAttention(SIZE, HEADS, batch_first=True)
        self.norm1 = nn.LayerNorm(SIZE)
        self.up, self.gelu, self.down = nn.Linear(SIZE, 3 * SIZE), nn.GELU(), nn.Linear(3 * SIZE, SIZE)
        self.norm2 = nn.LayerNorm(SIZE)
        self.head = nn.Linear(SIZE, WORDS)

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = self.embed(words)
        n = words.shape[1]
        mask = torch.ones(n, n, dtype=torch.bool).triu(1)
        x = self.norm1(x + self.attend(x, x, x, attn_mask=mask, need_weights=False)[0])
        x = self.norm2(x + self.down(self.gelu(self.up(x))))
        return torch.as_tensor(self.head(x))


def sentences() -> Any:
    torch.manual_seed(0)
    return moved(Sentences())


class OwnAttention(nn.Module):
    """Three layers for query, key and value, and the scores written out."""

    def __init__(self, attend: nn.MultiheadAttention, scale: float, masked: bool) -> None:
        super().__init__()
        stacked: Any = attend.in_proj_weight.detach(), attend.in_proj_bias.detach()
        parts = zip(*(whole.split(SIZE) for whole in stacked), strict=True)
        self.q, self.k, self.v = (self._linear(w, b) for w, b in parts)
        self.out = self._linear(attend.out_proj.weight.detach(), attend.out_proj.bias.detach())
        self.scale, self.masked = scale, masked

    @staticmethod
    def _linear(weight: torch.Tensor, bias: torch.Tensor) -> nn.Linear:
        layer = nn.Linear(SIZE, SIZE)
        layer.weight, layer.bias = nn.Parameter(weight.clone()), nn.Parameter(bias.clone())
        return layer

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        q, k, v = (layer(x).unflatten(2, (HEADS, -1)).transpose(1, 2) for layer in (self.q, self.k, self.v))
        scores = q @ k.mT * self.scale
        if self.masked:
            n = x.shape[1]
            scores = scores.masked_fill(torch.ones(n, n, dtype=torch.bool).triu(1), -math.inf)
        return torch.as_tensor(self.out((scores.softmax(-1) @ v).transpose(1, 2).flatten(2)))


class PortedSentences(nn.Module):
    """`Sentences` by hand; the layers that are torch's have its weights."""

    def __init__(self, **mistakes: Any) -> None:
        super().__init__()
        model = sentences()
        self.embed, self.up, self.down, self.head = model.embed, model.up, model.down, model.head
        scale = mistakes.get("scale", 1 / math.sqrt(SIZE / HEADS))
        self.attention = OwnAttention(model.attend, scale, mistakes.get("masked", True))
        self.ln1 = OwnLayerNorm(model.norm1, mistakes.get("axis", -1))
        self.ln2 = OwnLayerNorm(model.norm2)
        self.residual, self.gelu = mistakes.get("residual", True), mistakes.get("gelu", "none")
        if mistakes.get("shifted"):
            self.embed.weight.data = self.embed.weight.data.roll(1, 0)
        if mistakes.get("transposed"):
            self.attention.out.weight.data = self.attention.out.weight.data.T.clone()

    def forward(self, words: torch.Tensor) -> torch.Tensor:
        x = self.embed(words)
        x = self.ln1(x + self.attention(x))
        y = self.down(functional.gelu(self.up(x), approximate=self.gelu))
        return torch.as_tensor(self.head(self.ln2(x + y if self.residual else y)))
