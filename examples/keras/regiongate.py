"""Region-based attention gating in Keras 3, on any backend, saved as a model file of ragedge.

A part of the mechanism: strategy gate or self; align identity, resample or slots; pool sum, mean or attention; any
gate and any head. ../pytorch has all of it.

Inputs are a dict: regions [B, n, features] by modality, and "NAME.length" [B], how many of the n rows count, 0: absent.
The weights are a dict by the names of the tensors in the file, so load and save are one line each.
"""

import json
import math

import keras
import numpy as np
from keras import ops
from safetensors import safe_open
from safetensors.numpy import save_file

DEFAULTS = {
    "projection": "linear", "layers": 0, "heads": 1, "activation": "relu", "norm": False, "slots": 0,
    "gate": "shared", "gates": 1, "pool": "sum",
}
TAKES = {
    "projection": ["linear"], "strategy": ["gate", "self"], "align": ["identity", "resample", "slots"],
    "pool": ["sum", "mean", "attention"],
}


def masked_softmax(scores, allowed):
    """Softmax over the last axis of what is allowed. The rest is 0, also where nothing is allowed."""
    weights = ops.softmax(ops.where(allowed, scores, -1e30), axis=-1)
    return ops.where(allowed, weights, 0.0)


def interpolation(most, slots):
    """P [most + 1, slots, most]: P[n] takes n rows to the slots, slot r from position r (n − 1) / (slots − 1)."""
    P = np.zeros((most + 1, slots, most), "float32")
    for n in range(1, most + 1):
        for r in range(slots):
            row, part = divmod(r * (n - 1), max(slots - 1, 1))
            P[n, r, row] = 1 - part / max(slots - 1, 1)
            if part:
                P[n, r, row + 1] = part / (slots - 1)
    return P


class RegionGate(keras.Model):
    """config is the JSON object "config" of a model file, and features the text of its feature definitions, if any.

    optional holds names of tensors that a model may have or not: modality.M, position.M, align.key.weight, with M
    the name of a modality.
    """

    def __init__(self, config, features="", optional=()):
        super().__init__()
        self.settings, self.features = {**DEFAULTS, "ffn": 2 * config["width"], **config}, features
        for key, values in TAKES.items():
            if self.settings[key] not in values:
                raise ValueError(f"{key} {self.settings[key]!r}: this example takes {', '.join(values)}")
        self.modalities = {m["name"]: (m["regions"], m["features"]) for m in self.settings["modalities"]}
        self.rows = 1 if self.settings["gate"] == "feature" else self.settings["gates"]  # of Z
        self.w = {}
        self.make_weights(optional)

    # Weights ------------------------------------------------------------------

    def add(self, name, shape, initializer="zeros", trainable=True):
        self.w[name] = self.add_weight(shape=shape, initializer=initializer, trainable=trainable, name=name.replace(".", "_"))

    def add_linear(self, name, outputs, inputs):
        self.add(f"{name}.weight", (outputs, inputs), "glorot_uniform")
        self.add(f"{name}.bias", (outputs,))

    def add_norm(self, name):
        self.add(f"{name}.weight", (self.settings["width"],), "ones")
        self.add(f"{name}.bias", (self.settings["width"],))

    def make_weights(self, optional):
        c, d, M = self.settings, self.settings["width"], len(self.modalities)
        for name, (regions, features) in self.modalities.items():
            self.add(f"input.{name}.mean", (features,), trainable=False)
            self.add(f"input.{name}.std", (features,), "ones", trainable=False)
            self.add_linear(f"project.{name}", d, features)
            if f"modality.{name}" in optional:
                self.add(f"modality.{name}", (d,), keras.initializers.RandomNormal(stddev=0.02))
            if f"position.{name}" in optional:
                self.add(f"position.{name}", (regions, d), keras.initializers.RandomNormal(stddev=0.02))
        for i in range(c["layers"]):
            self.add_norm(f"block.{i}.norm1")
            for part in ("query", "key", "value", "output"):
                self.add_linear(f"block.{i}.attention.{part}", d, d)
            self.add_norm(f"block.{i}.norm2")
            self.add_linear(f"block.{i}.ffn.0", c["ffn"], d)
            self.add_linear(f"block.{i}.ffn.1", d, c["ffn"])
        if c["norm"]:
            self.add_norm("norm")
        if c["align"] == "slots":
            self.add("align.slots", (c["slots"], d), keras.initializers.RandomNormal(stddev=1))
            if "align.key.weight" in optional:
                self.add("align.key.weight", (d, d), "glorot_uniform")
        gates = d if c["gate"] == "feature" else c["gates"]
        self.add_linear("gate", M * gates, M * d)
        if c["pool"] == "attention":
            self.add("pool.weight", (self.rows, d), "glorot_uniform")
        sizes = [self.rows * d, c["head"].get("hidden", 0), c["head"].get("outputs", 0)]
        sizes = [n for n in sizes if n]
        for i, (inputs, outputs) in enumerate(zip(sizes, sizes[1:])):
            self.add_linear(f"head.{i}", outputs, inputs)

    def save_model(self, path):
        """Writes a model file that `ragedge inspect`, `fuse` and `deploy` take."""
        about = {"ragedge": "1", "config": json.dumps(self.settings)}
        if self.features:
            about["features"] = self.features
        tensors = {name: ops.convert_to_numpy(v) for name, v in self.w.items()}
        save_file({name: np.ascontiguousarray(t, "float32") for name, t in tensors.items()}, path, about)

    @classmethod
    def load_model(cls, path):
        """Reads a model file that save_model wrote, or another of the same part of the mechanism."""
        with safe_open(path, "numpy") as file:
            about, tensors = file.metadata(), {name: file.get_tensor(name) for name in file.keys()}
        model = cls(json.loads(about["config"]), about.get("features", ""), tensors)
        missing = [n for n in model.w if n not in tensors and not n.startswith("input.")]
        if extra := sorted(tensors.keys() - model.w.keys()) + missing:
            raise ValueError(f"{path}: this example has no place, or no value, for {', '.join(extra)}")
        for name, t in tensors.items():
            model.w[name].assign(t)
        return model

    # The mechanism ------------------------------------------------------------

    def linear(self, name, x):
        return ops.matmul(x, ops.transpose(self.w[f"{name}.weight"])) + self.w[f"{name}.bias"]

    def normal(self, name, x):
        centred = x - ops.mean(x, axis=-1, keepdims=True)
        deviation = ops.sqrt(ops.mean(centred * centred, axis=-1, keepdims=True) + 1e-5)
        return centred / deviation * self.w[f"{name}.weight"] + self.w[f"{name}.bias"]

    def block(self, name, x, valid):
        """E2: x [B, n, d], valid [B, n]."""
        c = self.settings

        def by_head(t):  # [B, n, d] -> [B, h, n, d/h]
            return ops.swapaxes(ops.reshape(t, (-1, t.shape[1], c["heads"], c["width"] // c["heads"])), 1, 2)

        y = self.normal(f"{name}.norm1", x)
        query, key, value = (by_head(self.linear(f"{name}.attention.{part}", y)) for part in ("query", "key", "value"))
        scores = ops.matmul(query, ops.swapaxes(key, 2, 3)) / math.sqrt(c["width"] // c["heads"])
        mixed = ops.matmul(masked_softmax(scores, valid[:, None, None]), value)
        x = x + self.linear(f"{name}.attention.output", ops.reshape(ops.swapaxes(mixed, 1, 2), (-1, *x.shape[1:])))
        y = self.linear(f"{name}.ffn.0", self.normal(f"{name}.norm2", x))
        y = ops.relu(y) if c["activation"] == "relu" else ops.gelu(y, approximate=False)
        return x + self.linear(f"{name}.ffn.1", y)

    def align(self, x, valid):
        """E3 of one modality: x [B, n, d], valid [B, n] -> U [B, R, d] and which of the R slots count."""
        c = self.settings
        if c["align"] == "identity":
            most = max(regions for regions, _ in self.modalities.values())
            return ops.pad(x, ((0, 0), (0, most - x.shape[1]), (0, 0))), ops.pad(valid, ((0, 0), (0, most - x.shape[1])))
        if c["align"] == "resample":
            lengths = ops.sum(ops.cast(valid, "int32"), axis=1)
            P = ops.take(ops.convert_to_tensor(interpolation(x.shape[1], c["slots"])), lengths, axis=0)
        else:
            key = ops.matmul(x, ops.transpose(self.w["align.key.weight"])) if "align.key.weight" in self.w else x
            P = ops.matmul(self.w["align.slots"], ops.swapaxes(key, 1, 2)) / math.sqrt(c["width"])
            P = masked_softmax(P, valid[:, None])
        present = ops.any(valid, axis=1, keepdims=True)
        return ops.matmul(P, x), ops.repeat(present, c["slots"], axis=1)

    def explain(self, inputs):
        """Everything that `ragedge fuse` gives, of a batch: every tensor has a leading B."""
        c, M = self.settings, len(self.modalities)
        rows, masks = [], []
        for name in self.modalities:
            x = inputs[name]
            mask = ops.arange(x.shape[1]) < ops.cast(inputs[f"{name}.length"], "int32")[:, None]
            x = ops.where(mask[..., None], x, 0.0)  # there may be NaN in the others, and NaN · 0 is NaN
            x = (x - self.w[f"input.{name}.mean"]) / self.w[f"input.{name}.std"]  # E0
            x = self.linear(f"project.{name}", x)  # E1
            x = x + self.w[f"modality.{name}"] if f"modality.{name}" in self.w else x
            x = x + self.w[f"position.{name}"][:x.shape[1]] if f"position.{name}" in self.w else x
            rows.append(x)
            masks.append(mask)
        H, valid = ops.concatenate(rows, axis=1), ops.concatenate(masks, axis=1)
        for i in range(c["layers"]):
            H = self.block(f"block.{i}", H, valid)
        H = self.normal("norm", H) if c["norm"] else H
        ends = np.cumsum([x.shape[1] for x in rows]).tolist()
        aligned = [self.align(H[:, end - x.shape[1]:end], mask) for x, end, mask in zip(rows, ends, masks)]
        valid = ops.stack([v for _, v in aligned], axis=2)  # [B, R, M]
        U = ops.where(valid[..., None], ops.stack([u for u, _ in aligned], axis=2), 0.0)  # [B, R, M, d]
        R, d = U.shape[1], U.shape[3]

        L = ops.reshape(self.linear("gate", ops.reshape(U, (-1, R, M * d))), (-1, R, M, self.w["gate.bias"].shape[0] // M))  # E4
        A = ops.swapaxes(masked_softmax(ops.swapaxes(L, 2, 3), valid[:, :, None]), 2, 3)  # E5
        if c["gate"] == "feature":  # E6
            Y = ops.sum(A * U, axis=2, keepdims=True)
        else:
            Y = ops.matmul(ops.swapaxes(A, 2, 3), U)  # [B, R, S, d]
        counts = ops.any(valid, axis=2)[..., None]
        region = ops.repeat(ops.cast(counts, Y.dtype), self.rows, axis=2)
        if c["pool"] == "mean":
            region = region / ops.sum(region, axis=1, keepdims=True)
        elif c["pool"] == "attention":
            scores = ops.sum(self.w["pool.weight"] * ops.tanh(Y), axis=3)
            region = ops.swapaxes(masked_softmax(ops.swapaxes(scores, 1, 2), ops.swapaxes(counts, 1, 2)), 1, 2)
        Z = ops.sum(region[..., None] * Y, axis=1)
        weight = region / ops.sum(region, axis=1, keepdims=True)
        share = ops.mean(ops.sum(weight[:, :, None] * A, axis=1), axis=2)

        out = {"z": Z, "attention": A, "region": region, "share": share}
        if c["head"]["task"] != "embed":  # E7
            y = self.linear("head.0", ops.reshape(Z, (-1, self.rows * d)))
            out["logits"] = self.linear("head.1", ops.relu(y)) if "head.1.weight" in self.w else y
        if c["head"]["task"] == "classify":
            out["probabilities"] = ops.softmax(out["logits"], axis=-1)
        return out

    def call(self, inputs):
        """The logits, or z of a model without a head."""
        out = self.explain(inputs)
        return out["logits"] if "logits" in out else out["z"]
