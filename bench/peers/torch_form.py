"""The models in PyTorch, as its users write them, and the kernels."""

import json

import torch
import torch.nn.functional as F
from safetensors import safe_open

import graph


class Torch:
    """The operations, on the tensors of a model file."""

    def __init__(self, tensors):
        self.tensors = tensors

    def linear(self, x, name):
        return F.linear(x, self.tensors[name + ".weight"], self.tensors[name + ".bias"])

    def matmul(self, a, b):
        return a @ b

    def attend(self, q, k, v, depth):
        return torch.softmax(q @ k.mT * depth**-0.5, -1) @ v

    def attention(self, x, name, config):
        y = self.linear(x, name).view(1, len(x), 3, config["heads"], -1)
        q, k, v = y.permute(2, 0, 3, 1, 4).unbind(0)
        return F.scaled_dot_product_attention(q, k, v).transpose(1, 2).reshape(x.shape)

    def softmax(self, x, axis):
        return torch.softmax(x, axis)

    def add(self, a, b):
        return a + b

    def concat(self, xs, axis):
        return torch.cat(xs, axis)

    def reshape(self, x, shape):
        return x.reshape(shape)

    def transpose(self, x, axes):
        return x.permute(axes)

    def layernorm(self, x, name):
        weight = self.tensors[name + ".weight"]
        return F.layer_norm(x, weight.shape, weight, self.tensors[name + ".bias"], 1e-5)

    def relu(self, x):
        return F.relu(x)

    def gelu(self, x):
        return F.gelu(x)


class Module(torch.nn.Module):
    """A model file as a module, with query, key and value as one layer."""

    def __init__(self, path):
        super().__init__()
        with safe_open(path, "numpy") as file:
            self.config = json.loads(file.metadata()["config"])
            weights = {name: file.get_tensor(name) for name in file.keys()}
        for i in range(self.config["layers"]):
            name = f"block.{i}.attention"
            weights[name + ".weight"], weights[name + ".bias"] = graph.joined(weights, name)
        self.names = {name: name.replace(".", "_") for name in weights}
        for name, value in weights.items():
            parameter = torch.nn.Parameter(torch.from_numpy(value), requires_grad=False)
            self.register_parameter(self.names[name], parameter)

    def forward(self, *xs):
        tensors = {name: getattr(self, attribute) for name, attribute in self.names.items()}
        return graph.forward(self.config, Torch(tensors), list(xs))


def eager(path):
    """Returns the model as a function that calls one operation after the other,
    without looking up parameters in a module each time."""
    module = Module(path)
    ops = Torch({name: getattr(module, attribute).detach() for name, attribute in module.names.items()})
    return lambda *xs: graph.forward(module.config, ops, list(xs))


def script(path, xs):
    """Returns the model traced, with constant weights and merged operations."""
    traced = torch.jit.trace(Module(path).eval(), xs)
    return torch.jit.optimize_for_inference(torch.jit.freeze(traced.eval()))


def compiled(path):
    """Returns the model compiled to C++ for constant weights and shapes."""
    import torch._dynamo.config
    import torch._inductor.config

    torch._inductor.config.freezing = True
    torch._dynamo.config.recompile_limit = 64  # all models share the code of forward
    return torch.compile(Module(path).eval(), dynamic=False)


def kernel(workload, xs, y):
    """Returns a function that runs one kernel into y."""
    if workload == "softmax":
        return lambda x: torch.softmax(x, 1, out=y)
    if workload == "matmul":
        weight = xs[1].T.contiguous()
        return lambda x, _: torch.mm(x, weight, out=y)
    return lambda: y


def loader(how):
    """Returns the load function of engines.py for one way to run a model; kernels
    run the same in all."""
    torch.set_num_threads(1)
    torch.set_grad_enabled(False)
    if how == "eager":
        torch.inference_mode().__enter__()  # for as long as the process runs

    def load(folder, workload, xs, shape):
        xs = tuple(torch.from_numpy(x) for x in xs)
        path = f"{folder}/{workload}.safetensors"
        if not workload.startswith("W"):
            run = kernel(workload, xs, torch.zeros(shape))
        elif how == "eager":
            run = eager(path)
        elif how == "script":
            run = script(path, xs)
        else:
            run = compiled(path)
        last = [None]

        def call():
            last[0] = run(*xs)

        return call, lambda: last[0].numpy()

    return load
