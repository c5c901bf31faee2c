"""The models as a graph over a few operations, so that every peer runs the same.

An object of operations has linear, matmul, attend, attention, softmax, add, concat,
reshape, transpose, layernorm, relu and gelu. The operations with weights take the
name of their layer in the model file. Numpy, here, is the reference: the same graph
in float64.
"""

import math

import numpy as np


def forward(config, ops, xs):
    """Returns the output of a model for one input [regions, features] per modality:
    the logits [1, outputs] of a gate, the rows [regions, width] of a stack of blocks.

    What ragedge computes besides is left out, to the advantage of the others: the
    gate of a single modality, which is 1, and the probabilities of a classifier.
    """
    d, gates = config["width"], config["gates"]
    if config["projection"] == "linear":
        xs = [ops.linear(x, f"project.m{i}") for i, x in enumerate(xs)]
    if config["strategy"] == "self":
        x, act = xs[0], getattr(ops, config["activation"])
        for i in range(config["layers"]):
            block = f"block.{i}."
            y = ops.attention(ops.layernorm(x, block + "norm1"), block + "attention", config)
            x = ops.add(x, ops.linear(y, block + "attention.output"))
            y = act(ops.linear(ops.layernorm(x, block + "norm2"), block + "ffn.0"))
            x = ops.add(x, ops.linear(y, block + "ffn.1"))
        return ops.layernorm(x, "norm") if config["norm"] else x

    if config["align"] == "anchor":
        xs = [xs[0]] + [ops.attend(xs[0], x, x, d) for x in xs[1:]]
    many, slots = len(xs), config["modalities"][0]["regions"]
    scores = ops.reshape(ops.linear(ops.concat(xs, 1), "gate"), (slots, many, gates))
    gate = ops.transpose(ops.softmax(scores, 1), (2, 1, 0))
    fused = ops.matmul(ops.reshape(gate, (gates, many * slots)), ops.concat(xs, 0))
    return ops.linear(ops.reshape(fused, (1, gates * d)), "head.0")


def joined(weights, name):
    """Returns the query, key and value layers of an attention as one: [3d, d], [3d]."""
    parts = [f"{name}.{part}" for part in ("query", "key", "value")]
    return [np.concatenate([weights[f"{part}.{kind}"] for part in parts]) for kind in ("weight", "bias")]


class Numpy:
    """The operations in float64."""

    def __init__(self, weights):
        self.weights = {name: value.astype(np.float64) for name, value in weights.items()}

    def linear(self, x, name):
        return x @ self.weights[name + ".weight"].T + self.weights[name + ".bias"]

    def matmul(self, a, b):
        return a @ b

    def attend(self, q, k, v, depth):
        return self.softmax(q @ np.swapaxes(k, -1, -2) / math.sqrt(depth), -1) @ v

    def attention(self, x, name, config):
        heads = config["heads"]

        def split(part):
            return self.linear(x, f"{name}.{part}").reshape(len(x), heads, -1).swapaxes(0, 1)

        y = self.attend(split("query"), split("key"), split("value"), config["width"] // heads)
        return y.swapaxes(0, 1).reshape(x.shape)

    def softmax(self, x, axis):
        e = np.exp(x - x.max(axis, keepdims=True))
        return e / e.sum(axis, keepdims=True)

    def add(self, a, b):
        return a + b

    def concat(self, xs, axis):
        return np.concatenate(xs, axis)

    def reshape(self, x, shape):
        return x.reshape(shape)

    def transpose(self, x, axes):
        return x.transpose(axes)

    def layernorm(self, x, name):
        x = x - x.mean(-1, keepdims=True)
        x = x / np.sqrt((x * x).mean(-1, keepdims=True) + 1e-5)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def relu(self, x):
        return np.maximum(x, 0)

    def gelu(self, x):
        return 0.5 * x * (1 + np.vectorize(math.erf)(x / math.sqrt(2)))


def reference(config, weights, xs):
    """Returns the output in float64."""
    return forward(config, Numpy(weights), [x.astype(np.float64) for x in xs])
