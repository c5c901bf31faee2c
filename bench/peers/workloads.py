"""The eight models that are compared, and three kernels.

Each model is the configuration of a ragedge model file, with random weights under
the names that such a file gives them. They are those of workloads.go in the folder
above, which has its own random numbers. All other forms of a model are made from
this one.
"""

import math

import numpy as np


def gated(regions, features, width, gates, outputs):
    """The gate alone: identity alignment when all modalities have as many regions,
    else the first is the anchor."""
    anchor = len(set(regions)) > 1
    return {
        "name": "gate",
        "modalities": [{"name": f"m{i}", "regions": n, "features": k} for i, (n, k) in enumerate(zip(regions, features))],
        "width": width, "projection": "linear", "strategy": "gate", "layers": 0, "norm": False,
        "align": "anchor" if anchor else "identity", "anchor": "m0" if anchor else "",
        "gate": "shared", "gates": gates, "pool": "sum", "head": {"task": "classify", "outputs": outputs},
    }


def blocks(layers, regions, width, heads, ffn, activation, norm):
    """A stack of pre-norm attention blocks over one modality, given out row by row."""
    return {
        "name": "blocks", "modalities": [{"name": "m0", "regions": regions, "features": width}],
        "width": width, "projection": "none", "strategy": "self", "layers": layers, "heads": heads, "ffn": ffn,
        "activation": activation, "norm": norm, "align": "identity",
        "gate": "shared", "gates": 1, "pool": "none", "head": {"task": "embed"},
    }


MODELS = {
    "W1": ("sensors", gated([8] * 5, [4, 4, 4, 2, 2], 32, 1, 4)),
    "W2": ("sound + picture, small", gated([32, 48], [12, 40], 64, 4, 10)),
    "W3": ("text + image", gated([128, 197], [768, 768], 256, 1, 16)),
    "W4": ("text + image, d 768", gated([128, 197], [768, 768], 768, 1, 16)),
    "W5": ("block", blocks(1, 51, 32, 4, 64, "relu", False)),
    "W6": ("block, wide", blocks(1, 325, 256, 4, 512, "relu", False)),
    "W7": ("6 blocks", blocks(6, 128, 384, 12, 1536, "gelu", False)),
    "W8": ("12 blocks", blocks(12, 197, 192, 3, 768, "gelu", True)),
}

# The shapes of the inputs of each kernel. "empty" does nothing: it shows what timing
# a call costs.
KERNELS = {
    "softmax": ("softmax of 128x197 by rows", [(128, 197)]),
    "matmul": ("matrix product 128x256x768", [(128, 768), (256, 768)]),  # x and W of x Wᵀ
    "empty": ("a call that does nothing", []),
}


def weights(config):
    """Returns the tensors of the model file: matrices [out, in] of variance 1/in,
    which keep values near 1."""
    random, tensors = np.random.default_rng(1), {}

    def linear(name, out, into):
        tensors[name + ".weight"] = random.standard_normal((out, into)) / math.sqrt(into)
        tensors[name + ".bias"] = 0.1 * random.standard_normal(out)

    def norm(name):
        tensors[name + ".weight"] = 1 + 0.1 * random.standard_normal(d)
        tensors[name + ".bias"] = 0.1 * random.standard_normal(d)

    d, modalities, gates = config["width"], config["modalities"], config["gates"]
    if config["projection"] == "linear":
        for m in modalities:
            linear("project." + m["name"], d, m["features"])
    for i in range(config["layers"]):
        block = f"block.{i}."
        norm(block + "norm1")
        for part in ("query", "key", "value", "output"):
            linear(block + "attention." + part, d, d)
        norm(block + "norm2")
        linear(block + "ffn.0", config["ffn"], d)
        linear(block + "ffn.1", d, config["ffn"])
    if config["norm"]:
        norm("norm")
    linear("gate", len(modalities) * gates, len(modalities) * d)
    if config["head"]["task"] != "embed":
        linear("head.0", config["head"]["outputs"], gates * d)
    return {name: value.astype(np.float32) for name, value in tensors.items()}


def inputs(shapes):
    """Returns random values of the given shapes, always the same."""
    random = np.random.default_rng(2)
    return [random.standard_normal(shape, np.float32) for shape in shapes]


def shapes(config):
    """Returns the shape of the input of every modality."""
    return [(m["regions"], m["features"]) for m in config["modalities"]]


def flop(config):
    """Returns the operations in the matrix products of one inference, a multiply-add
    as two; Flops in flops.go of the folder above says which."""
    d, modalities, gates = config["width"], config["modalities"], config["gates"]
    rows = [m["regions"] for m in modalities]
    slots, total = rows[0], sum(rows)
    adds = 0
    if config["projection"] == "linear":
        adds += sum(m["regions"] * m["features"] * d for m in modalities)
    adds += config["layers"] * (total * (4 * d * d + 2 * d * config.get("ffn", 0)) + 2 * total * total * d)
    if config["align"] == "anchor":
        adds += sum(2 * slots * n * d for n in rows[1:])
    adds += slots * len(rows) * d * len(rows) * gates  # the scores of the gate
    adds += gates * slots * len(rows) * d  # the gated sum
    if config["head"]["task"] != "embed":
        adds += gates * d * config["head"]["outputs"]
    return 2 * adds


def kernel_flop(name):
    """Returns the operations of a kernel, None where counting them says nothing."""
    return 2 * 128 * 256 * 768 if name == "matmul" else None
