"""Region-based attention gating as a torch.nn.Module that reads and writes the model files of ragedge.

    model = RegionGate.load("room.safetensors")
    out = model({"light": light, "sound": sound}, {"light": light_rows, "sound": sound_rows})
    out["logits"], out["share"]
    model.save("room.safetensors")

The names in state_dict() are the names of the tensors in the file, so PyTorch's own tools fit. E0 to E7 are the
steps of the mechanism in order: normalise, project, contextualise, align, score, gate, fuse, head.
"""

import json

import torch
from safetensors import safe_open
from safetensors.torch import save_file
from torch import nn
from torch.nn import functional as F

from align import make_alignment
from attention import Block, allowed_pairs, masked_softmax

DEFAULTS = {
    "projection": "linear", "layers": 0, "heads": 1, "activation": "relu", "norm": False, "score": "dot",
    "one_way": False, "anchor": "", "slots": 0, "gate": "shared", "gates": 1, "pool": "sum",
}


def complete(config):
    """The config with all keys that may be left out."""
    config = {**DEFAULTS, "ffn": 2 * config["width"], **config}
    config["head"] = {"hidden": 0, **config["head"]}
    return config


class Normalise(nn.Module):
    """E0: the mean and the deviation of every feature, which are not trained."""

    def __init__(self, features):
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("std", torch.ones(features))

    def forward(self, x):
        return (x - self.mean) / self.std


class RegionGate(nn.Module):
    """config is the JSON object "config" of a model file, and features the text of its feature definitions, if any.

    optional holds names of tensors that a model may have or not: input.M.mean (and .std with it), modality.M,
    position.M, align.query.weight, align.key.weight, with M the name of a modality.
    """

    def __init__(self, config, features="", optional=()):
        super().__init__()
        self.config, self.features = complete(config), features
        c, width, head = self.config, self.config["width"], self.config["head"]
        self.modalities = {m["name"]: m for m in c["modalities"]}
        sizes = {name: m["features"] for name, m in self.modalities.items()}
        self.anchor = list(sizes).index(c["anchor"]) if c["anchor"] else None

        self.input = nn.ModuleDict({m: Normalise(n) for m, n in sizes.items() if f"input.{m}.mean" in optional})
        linear = c["projection"] == "linear"
        self.project = nn.ModuleDict({m: nn.Linear(n, width) for m, n in sizes.items() if linear})
        self.modality = nn.ParameterDict({m: 0.02 * torch.randn(width) for m in sizes if f"modality.{m}" in optional})
        self.position = nn.ParameterDict({
            name: 0.02 * torch.randn(m["regions"], width)
            for name, m in self.modalities.items() if f"position.{name}" in optional})

        cross = "one_way" if c["one_way"] else "cross"
        kinds = {"gate": [], "self": ["self"], "co": [cross], "hybrid": ["intra", cross]}[c["strategy"]]
        self.block = nn.ModuleList(Block(c, kind) for kind in kinds * c["layers"])
        self.norm = nn.LayerNorm(width) if c["norm"] else nn.Identity()
        self.align = make_alignment(c, optional)

        M = len(sizes)
        self.gates = width if c["gate"] == "feature" else c["gates"]
        self.gate = nn.Linear(M * width, M * self.gates)
        with torch.no_grad():
            self.gate.weight *= 0.1  # every modality counts about the same to begin with
        rows = 1 if c["gate"] == "feature" else c["gates"]  # of Z
        if c["pool"] == "attention":
            self.pool = nn.Linear(width, rows, bias=False)
        self.head = nn.ModuleList()
        if head["task"] != "embed":
            inputs = width * (c["slots"] if c["pool"] == "none" else rows)
            layers = [inputs, head["hidden"], head["outputs"]] if head["hidden"] else [inputs, head["outputs"]]
            self.head.extend(nn.Linear(i, o) for i, o in zip(layers, layers[1:]))

    def forward(self, regions, lengths):
        """regions: [B, n, features] by modality, lengths: [B] int64, how many of the n rows count, 0: absent.

        A modality left out of regions is absent; one left out of lengths has all its rows. What is in rows that do
        not count does not matter. Every example must have something, under anchor alignment something of the anchor.
        Returns z, attention, region, share and, by the head, logits and probabilities, each with a leading B. Slots
        that an example does not have are 0.
        """
        rows, masks = self.enter(regions, lengths)
        sizes = [x.shape[1] for x in rows]
        H, valid = torch.cat(rows, 1), torch.cat(masks, 1)
        owner = torch.arange(len(sizes)).repeat_interleave(torch.tensor(sizes)).to(H.device)
        for block in self.block:  # E2
            H = block(H, allowed_pairs(block.kind, owner, self.anchor) & valid[:, None])
        U, valid = self.align(self.norm(H).split(sizes, 1), masks)  # E3
        L = self.gate(U.flatten(2)).unflatten(2, (len(sizes), self.gates))  # E4 [B, R, M, G]
        A = masked_softmax(L.mT, valid[:, :, None]).mT  # E5, over the modalities
        Z, region = self.fuse(A, U, valid.any(2)[..., None])
        weight = region / region.sum(1, keepdim=True)
        out = {"z": Z, "attention": A, "region": region, "share": (weight[:, :, None] * A).sum(1).mean(2)}
        if self.head:  # E7
            y = self.head[0](Z.flatten(1))
            out["logits"] = self.head[1](F.relu(y)) if len(self.head) > 1 else y
        if self.config["head"]["task"] == "classify":
            out["probabilities"] = torch.softmax(out["logits"], 1)
        return out

    def enter(self, regions, lengths):
        """E0 and E1: what every modality brings, [B, n, d], and which rows of it count, [B, n]."""
        some = next(iter(regions.values()))
        rows, masks = [], []
        for name, m in self.modalities.items():
            x = regions[name] if name in regions else some.new_zeros(len(some), 0, m["features"])
            place = torch.arange(x.shape[1], device=x.device)
            n = lengths[name] if name in lengths else torch.full((len(x),), x.shape[1], device=x.device)
            mask = place < n[:, None]
            x = torch.where(mask[..., None], x, 0)  # there may be NaN in the others, and NaN · 0 is NaN
            x = self.input[name](x) if name in self.input else x
            x = self.project[name](x) if name in self.project else x
            x = x + self.modality[name] if name in self.modality else x
            if name in self.position:
                x = x + self.position[name][place.clamp(max=m["regions"] - 1)]
            rows.append(x)
            masks.append(mask)
        return rows, masks

    def fuse(self, A, U, counts):
        """E6: A [B, R, M, G], U [B, R, M, d], counts [B, R, 1] -> Z and the weight of every slot [B, R, S]."""
        c = self.config
        Y = (A * U).sum(2, keepdim=True) if c["gate"] == "feature" else A.mT @ U  # [B, R, S, d]
        region = counts.to(Y.dtype).expand(-1, -1, Y.shape[2])
        if c["pool"] == "none":
            return Y[:, :, 0], region
        if c["pool"] == "mean":
            region = region / region.sum(1, keepdim=True)
        elif c["pool"] == "attention":
            scores = (self.pool.weight * torch.tanh(Y)).sum(3)  # [B, R, S]
            region = masked_softmax(scores.mT, counts.mT).mT
        return (region[..., None] * Y).sum(1), region

    @classmethod
    def load(cls, path):
        """Reads a model file. Weights of lower precision become float32."""
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if about.get("ragedge") != "1":
            raise ValueError(f"{path} is no model file of ragedge: its metadata do not say ragedge 1")
        for name in [n for n, t in tensors.items() if t.dtype == torch.int8]:
            tensors[name] = tensors[name].float() * tensors.pop(f"{name}.scale")[:, None]
        model = cls(json.loads(about["config"]), about.get("features", ""), tensors)
        model.load_state_dict(tensors)  # refuses a name or shape that does not fit
        return model

    def save(self, path):
        """Writes a model file that `ragedge inspect`, `fuse` and `deploy` take."""
        tensors = {name: t.detach().float().cpu().contiguous() for name, t in self.state_dict().items()}
        about = {"ragedge": "1", "config": json.dumps(self.config)}
        if self.features:
            about["features"] = self.features
        save_file(tensors, path, about)
