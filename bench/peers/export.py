"""export.py FOLDER writes what all peers start from: for each workload W

    W.safetensors   the model file of ragedge; also read by torch and the converters
    W.I.f32         input I, W.out.f32 the output in float64 rounded to float32:
                    bare little-endian float32 values
    workloads.json  by name: title, inputs and output (shapes), flop, model (or a kernel)

and W.onnx, W.fused.onnx for ONNX Runtime and OpenVINO.
"""

import json
import os
import sys

import numpy as np
from safetensors.numpy import save_file

import export_onnx
import graph
import workloads


def main(folder):
    os.makedirs(folder, exist_ok=True)
    index = {}

    def describe(name, title, xs, out, flop, model):
        for i, x in enumerate(xs):
            x.tofile(f"{folder}/{name}.{i}.f32")
        out.astype(np.float32).tofile(f"{folder}/{name}.out.f32")
        index[name] = {"title": title, "inputs": [x.shape for x in xs], "output": out.shape, "flop": flop, "model": model}

    for name, (title, config) in workloads.MODELS.items():
        weights, xs = workloads.weights(config), workloads.inputs(workloads.shapes(config))
        save_file(weights, f"{folder}/{name}.safetensors", {"ragedge": "1", "config": json.dumps(config)})
        out = graph.reference(config, weights, xs)
        describe(name, title, xs, out, workloads.flop(config), True)
        export_onnx.save(f"{folder}/{name}.onnx", config, weights, out.shape)
        if config["strategy"] == "self":
            export_onnx.save(f"{folder}/{name}.fused.onnx", config, weights, out.shape, fused=True)

    for name, (title, shapes) in workloads.KERNELS.items():
        xs = workloads.inputs(shapes)
        wide = [x.astype(np.float64) for x in xs]
        out = {"softmax": lambda x: graph.Numpy({}).softmax(x, 1), "matmul": lambda x, w: x @ w.T, "empty": lambda: np.zeros(0)}[name](*wide)
        describe(name, title, xs, out, workloads.kernel_flop(name), False)

    with open(f"{folder}/workloads.json", "w") as file:
        json.dump(index, file, indent=1)


if __name__ == "__main__":
    main(sys.argv[1])
