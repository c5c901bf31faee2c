"""The alignment (E3): the regions of every modality on the same R slots."""

import torch
from torch import nn
from torch.nn import functional as F

from attention import dot_scores, hadamard_scores, masked_softmax, score_weight


def make_alignment(config, optional):
    """optional holds the names of those optional tensors that the model is to have."""
    match config["align"]:
        case "identity":
            return Identity()
        case "resample":
            return Resample(config["slots"])
        case "anchor" | "slots":
            return Attend(config, optional)
        case other:
            raise ValueError(f"align {other!r}: want identity, resample, anchor or slots")


# Each takes rows [B, n_m, d] and masks [B, n_m] of the modalities, and returns U [B, R, M, d] and valid [B, R, M].


def stack(aligned, valid):
    valid = torch.stack(valid, -1)
    return torch.stack(aligned, -2).masked_fill(~valid[..., None], 0), valid


class Identity(nn.Module):
    """Slot r is row r."""

    def forward(self, rows, masks):
        most = max(mask.shape[1] for mask in masks)
        aligned = [F.pad(x, (0, 0, 0, most - x.shape[1])) for x in rows]
        return stack(aligned, [F.pad(mask, (0, most - mask.shape[1])) for mask in masks])


class Resample(nn.Module):
    """Linear interpolation from the n valid rows to R: slot r reads position r (n − 1) / (R − 1)."""

    def __init__(self, slots):
        super().__init__()
        self.count = slots

    def forward(self, rows, masks):
        present = [mask.any(1, keepdim=True).expand(-1, self.count) for mask in masks]
        return stack([self.interpolate(x, mask.sum(1)) for x, mask in zip(rows, masks)], present)

    def interpolate(self, x, lengths):
        if x.shape[1] == 0:
            return x.new_zeros(len(x), self.count, x.shape[2])
        last, steps = (lengths[:, None] - 1).clamp(min=0), max(self.count - 1, 1)
        product = torch.arange(self.count, device=x.device) * last  # in integers: exact at the rows
        lower, part = product // steps, (product % steps).to(x.dtype) / steps

        def row(index):  # [B, R] -> [B, R, d]
            return x.gather(1, index[..., None].expand(-1, -1, x.shape[2]))

        return torch.lerp(row(lower), row(torch.minimum(lower + 1, last)), part[..., None])


class Attend(nn.Module):
    """Every slot attends to the rows of a modality. Slots are learnt, or they are the rows of the anchor."""

    def __init__(self, config, optional):
        super().__init__()
        width = config["width"]
        self.anchor, hadamard = None, False
        if config["align"] == "anchor":
            self.anchor = [m["name"] for m in config["modalities"]].index(config["anchor"])
            hadamard = config["score"] == "hadamard"
        else:
            self.slots = nn.Parameter(torch.randn(config["slots"], width))
        for name in ("query", "key"):
            wanted = hadamard or f"align.{name}.weight" in optional
            setattr(self, name, nn.Linear(width, width, bias=False) if wanted else None)
        self.register_parameter("score", nn.Parameter(score_weight(1, width)) if hadamard else None)

    def forward(self, rows, masks):
        if self.anchor is None:
            query = self.slots.expand(len(rows[0]), -1, -1)
            counts = query.new_ones(query.shape[:2], dtype=torch.bool)
        else:
            query, counts = rows[self.anchor], masks[self.anchor]
        query = self.query(query) if self.query is not None else query
        aligned = [x if m == self.anchor else self.attend(query, x, mask) for m, (x, mask) in enumerate(zip(rows, masks))]
        return stack(aligned, [mask.any(1, keepdim=True) & counts for mask in masks])

    def attend(self, query, x, mask):
        key = self.key(x) if self.key is not None else x
        scores = dot_scores(query, key) if self.score is None else hadamard_scores(query, key, self.score)[:, 0]
        return masked_softmax(scores, mask[:, None]) @ x
