"""Attention among regions with masks: what the blocks and the alignment of the mechanism are made of."""

import math

import torch
from torch import nn
from torch.nn import functional as F


def masked_softmax(scores, allowed):
    """Softmax over the last axis of what is allowed. The rest is 0, also where nothing is allowed."""
    lowest = torch.finfo(scores.dtype).min
    weights = torch.softmax(scores.masked_fill(~allowed, lowest), -1)
    return weights.masked_fill(~allowed, 0)


def dot_scores(query, key):
    """query [..., q, d], key [..., k, d] -> [..., q, k]."""
    return query @ key.mT / math.sqrt(query.shape[-1])


def hadamard_scores(query, key, weight):
    """query [B, q, d], key [B, k, d], weight [h, d] -> [B, h, q, k]: Σ weight · query · relu(key)."""
    return (query[:, None] * weight[:, None]) @ F.relu(key)[:, None].mT


class Attention(nn.Module):
    """Attention of h heads; a score weight takes the place of the dot product when hadamard is set."""

    def __init__(self, width, heads, hadamard):
        super().__init__()
        self.heads = heads
        self.query, self.key, self.value, self.output = (nn.Linear(width, width) for _ in range(4))
        self.register_parameter("score", nn.Parameter(score_weight(heads, width)) if hadamard else None)

    def forward(self, x, allowed):
        """x [B, n, d], allowed [B, n, n]: may row i attend to row j -> [B, n, d]."""

        def by_head(t):  # [B, n, d] -> [B, h, n, d/h]
            return t.unflatten(-1, (self.heads, -1)).transpose(1, 2)

        query, key, value = self.query(x), self.key(x), by_head(self.value(x))
        if self.score is None:
            scores = dot_scores(by_head(query), by_head(key))
        else:
            scores = hadamard_scores(query, key, self.score)
        mixed = masked_softmax(scores, allowed[:, None]) @ value
        return self.output(mixed.transpose(1, 2).flatten(2))


class Block(nn.Module):
    """A transformer block that normalises first (E2). kind says who may attend to whom."""

    def __init__(self, config, kind):
        super().__init__()
        width, hidden = config["width"], config["ffn"]
        self.kind, self.activation = kind, {"relu": F.relu, "gelu": F.gelu}[config["activation"]]
        self.norm1, self.norm2 = nn.LayerNorm(width), nn.LayerNorm(width)
        hadamard = config["score"] == "hadamard" and kind in ("cross", "one_way")
        self.attention = Attention(width, config["heads"], hadamard)
        self.ffn = nn.ModuleList([nn.Linear(width, hidden), nn.Linear(hidden, width)])

    def forward(self, x, allowed):
        x = x + self.attention(self.norm1(x), allowed)
        return x + self.ffn[1](self.activation(self.ffn[0](self.norm2(x))))


def allowed_pairs(kind, owner, anchor):
    """[n, n]: may row i attend to row j. owner [n] is the number of each row's modality."""
    mine, other = owner[:, None], owner[None, :]
    match kind:
        case "self":
            return torch.ones_like(mine == other)
        case "intra":
            return mine == other
        case "cross":
            return mine != other
        case "one_way":
            return (mine == anchor) & (other != anchor)


def score_weight(heads, width):
    """Values to begin with that make a hadamard score about as large as a dot score."""
    return (1 + 0.1 * torch.randn(heads, width)) / math.sqrt(width)
