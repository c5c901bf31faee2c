"""export_tflite.py FOLDER writes W.tflite for every model file W.safetensors there.
It runs in the environment with TensorFlow, which only converts."""

import glob
import json
import math
import sys

import tensorflow as tf
from safetensors import safe_open

import graph
import workloads


class TensorFlow:
    """The operations."""

    def __init__(self, weights):
        self.weights = weights

    def dense(self, x, weight, bias):
        return tf.nn.bias_add(tf.matmul(x, tf.constant(weight.T)), bias)

    def linear(self, x, name):
        return self.dense(x, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def matmul(self, a, b):
        return tf.matmul(a, b)

    def attend(self, q, k, v, depth):
        return tf.matmul(tf.nn.softmax(tf.matmul(q, k, transpose_b=True) / math.sqrt(depth)), v)

    def attention(self, x, name, config):
        rows, d, heads = config["modalities"][0]["regions"], config["width"], config["heads"]
        y = tf.reshape(self.dense(x, *graph.joined(self.weights, name)), (rows, 3, heads, d // heads))
        q, k, v = tf.unstack(tf.transpose(y, (1, 2, 0, 3)))
        return tf.reshape(tf.transpose(self.attend(q, k, v, d // heads), (1, 0, 2)), (rows, d))

    def softmax(self, x, axis):
        """LiteRT has it over the last axis only. A last axis of 1 needs no
        transposition, which the converter would keep."""
        if x.shape[-1] == 1:
            return tf.reshape(tf.nn.softmax(tf.reshape(x, x.shape[:-1])), x.shape)
        axes = list(range(len(x.shape)))
        axes[axis], axes[-1] = axes[-1], axes[axis]
        return tf.transpose(tf.nn.softmax(tf.transpose(x, axes)), axes)

    def add(self, a, b):
        return a + b

    def concat(self, xs, axis):
        return tf.concat(xs, axis)

    def reshape(self, x, shape):
        return tf.reshape(x, shape)

    def transpose(self, x, axes):
        return tf.transpose(x, axes)

    def layernorm(self, x, name):
        x = x - tf.reduce_mean(x, -1, keepdims=True)
        x = x * tf.math.rsqrt(tf.reduce_mean(x * x, -1, keepdims=True) + 1e-5)
        return x * self.weights[name + ".weight"] + self.weights[name + ".bias"]

    def relu(self, x):
        return tf.nn.relu(x)

    def gelu(self, x):
        return tf.nn.gelu(x, approximate=False)


def convert(path):
    with safe_open(path, "numpy") as file:
        config = json.loads(file.metadata()["config"])
        ops = TensorFlow({name: file.get_tensor(name) for name in file.keys()})
    signature = [tf.TensorSpec(shape, tf.float32, f"x{i}") for i, shape in enumerate(workloads.shapes(config))]
    function = tf.function(lambda *xs: graph.forward(config, ops, list(xs)), signature)
    return tf.lite.TFLiteConverter.from_concrete_functions([function.get_concrete_function()]).convert()


if __name__ == "__main__":
    for path in sorted(glob.glob(sys.argv[1] + "/*.safetensors")):
        with open(path.removesuffix(".safetensors") + ".tflite", "wb") as file:
            file.write(convert(path))
