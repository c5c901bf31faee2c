"""The engines: ENGINES[name]() imports one and returns its load function.

load(folder, workload, xs, shape) returns run and output: run() computes once, on one
thread, in float32, on inputs that are in place already, as a program calls it in a
loop; output() returns what the last run computed, of the given shape.

Nothing but the engine and numpy is imported, since a cold start counts imports.
"""

import numpy as np


def onnxruntime(kind):
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = options.inter_op_num_threads = 1

    def load(folder, workload, xs, shape):
        session = ort.InferenceSession(f"{folder}/{workload}.{kind}", options, ["CPUExecutionProvider"])
        binding = session.io_binding()
        for i, x in enumerate(xs):
            binding.bind_ortvalue_input(f"x{i}", ort.OrtValue.ortvalue_from_numpy(x))
        y = ort.OrtValue.ortvalue_from_numpy(np.zeros(shape, np.float32))
        binding.bind_ortvalue_output("y", y)
        return lambda: session.run_with_iobinding(binding), y.numpy

    return load


def litert():
    from ai_edge_litert.interpreter import Interpreter

    def load(folder, workload, xs, shape):
        interpreter = Interpreter(f"{folder}/{workload}.tflite", num_threads=1)
        interpreter.allocate_tensors()
        places = {detail["name"]: detail["index"] for detail in interpreter.get_input_details()}
        for i, x in enumerate(xs):
            (place,) = (index for name, index in places.items() if f"x{i}" in name)
            interpreter.set_tensor(place, x)
        y = interpreter.get_output_details()[0]["index"]
        return interpreter.invoke, lambda: interpreter.get_tensor(y)

    return load


def openvino():
    import openvino as ov

    core = ov.Core()
    options = {
        "INFERENCE_NUM_THREADS": 1, "NUM_STREAMS": 1, "PERFORMANCE_HINT": "LATENCY",
        "INFERENCE_PRECISION_HINT": "f32",  # on some CPUs it would take bf16
    }

    def load(folder, workload, xs, shape):
        request = core.compile_model(f"{folder}/{workload}.onnx", "CPU", options).create_infer_request()
        for i, x in enumerate(xs):
            request.set_tensor(f"x{i}", ov.Tensor(x))
        return request.infer, lambda: request.get_output_tensor(0).data.copy()

    return load


def torch(how):
    import torch_form

    return torch_form.loader(how)


ENGINES = {
    "onnxruntime": lambda: onnxruntime("onnx"),
    "onnxruntime-fused": lambda: onnxruntime("fused.onnx"),
    "litert": litert,
    "openvino": openvino,
    "torch-eager": lambda: torch("eager"),
    "torch-script": lambda: torch("script"),
    "torch-compile": lambda: torch("compile"),
}


def inputs(folder, workload, entry):
    """Returns the inputs of a workload, given its entry in workloads.json."""
    return [np.fromfile(f"{folder}/{workload}.{i}.f32", np.float32).reshape(shape) for i, shape in enumerate(entry["inputs"])]
