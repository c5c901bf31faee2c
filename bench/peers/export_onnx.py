"""The models as ONNX."""

import math

import numpy as np
import onnx
from onnx import TensorProto, helper, numpy_helper

import graph
import workloads

CONTRIB = "com.microsoft"  # ONNX Runtime's own operators


class Onnx:
    """The operations, each added as a node; values are names. Fused writes an
    attention as the one operator that ONNX Runtime has for it."""

    def __init__(self, weights, fused):
        self.weights, self.fused = weights, fused
        self.nodes, self.constants = [], {}

    def node(self, kind, *values, outputs=1, **attributes):
        names = [f"v{len(self.nodes)}_{i}" for i in range(outputs)]
        self.nodes.append(helper.make_node(kind, values, names, name=f"n{len(self.nodes)}", **attributes))
        return names[0] if outputs == 1 else names

    def constant(self, name, value):
        self.constants[name] = np.asarray(value)
        return name

    def dense(self, x, name, weight, bias):
        y = self.node("MatMul", x, self.constant(name + ".weight", np.ascontiguousarray(weight.T)))
        return self.node("Add", y, self.constant(name + ".bias", bias))

    def linear(self, x, name):
        return self.dense(x, name, self.weights[name + ".weight"], self.weights[name + ".bias"])

    def matmul(self, a, b):
        return self.node("MatMul", a, b)

    def attend(self, q, k, v, depth, axes=(1, 0)):
        scale = self.constant(f"scale{depth}", np.float32(1 / math.sqrt(depth)))
        scores = self.node("Mul", self.matmul(q, self.transpose(k, axes)), scale)
        return self.matmul(self.softmax(scores, -1), v)

    def attention(self, x, name, config):
        rows, d, heads = config["modalities"][0]["regions"], config["width"], config["heads"]
        weight, bias = graph.joined(self.weights, name)
        if self.fused:
            values = self.constant(name + ".weight", np.ascontiguousarray(weight.T)), self.constant(name + ".bias", bias)
            y = self.node("Attention", self.reshape(x, (1, rows, d)), *values, num_heads=heads, domain=CONTRIB)
            return self.reshape(y, (rows, d))
        y = self.reshape(self.dense(x, name, weight, bias), (rows, 3, heads, d // heads))
        y = self.transpose(y, (1, 2, 0, 3))
        q, k, v = self.node("Split", y, outputs=3, axis=0, num_outputs=3)
        y = self.attend(q, k, v, d // heads, (0, 1, 3, 2))
        return self.reshape(self.transpose(y, (0, 2, 1, 3)), (rows, d))

    def softmax(self, x, axis):
        return self.node("Softmax", x, axis=axis)

    def add(self, a, b):
        return self.node("Add", a, b)

    def concat(self, xs, axis):
        return self.node("Concat", *xs, axis=axis)

    def reshape(self, x, shape):
        return self.node("Reshape", x, self.constant("shape" + "x".join(map(str, shape)), np.array(shape, np.int64)))

    def transpose(self, x, axes):
        return self.node("Transpose", x, perm=axes)

    def layernorm(self, x, name):
        scale = self.constant(name + ".weight", self.weights[name + ".weight"])
        return self.node("LayerNormalization", x, scale, self.constant(name + ".bias", self.weights[name + ".bias"]), epsilon=1e-5)

    def relu(self, x):
        return self.node("Relu", x)

    def gelu(self, x):
        return self.node("Gelu", x)


def save(path, config, weights, output, fused=False):
    """Writes the model with inputs x0, x1, … and the output y."""
    ops = Onnx(weights, fused)
    shapes = workloads.shapes(config)
    graph.forward(config, ops, [f"x{i}" for i in range(len(shapes))])
    ops.nodes[-1].output[0] = "y"

    def value(name, shape):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, shape)

    main = helper.make_graph(
        ops.nodes, config["name"], [value(f"x{i}", shape) for i, shape in enumerate(shapes)], [value("y", output)],
        [numpy_helper.from_array(constant, name) for name, constant in ops.constants.items()])
    domains = [helper.make_opsetid("", 20)] + [helper.make_opsetid(CONTRIB, 1)] * fused
    onnx.save(helper.make_model(main, opset_imports=domains, ir_version=9), path)
