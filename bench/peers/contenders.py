"""Who takes part: the command and the environment of each worker."""

import dataclasses

import workloads
from folders import HERE

BLOCKS = [name for name, (_, config) in workloads.MODELS.items() if config["strategy"] == "self"]
KERNELS = list(workloads.KERNELS)

# What keeps torch, and oneDNN and MKL within it, to AVX2.
AVX2 = {"ATEN_CPU_CAPABILITY": "avx2", "ONEDNN_MAX_CPU_ISA": "AVX2", "MKL_ENABLE_INSTRUCTIONS": "AVX2"}


@dataclasses.dataclass
class Contender:
    name: str
    command: list
    environment: dict
    workloads: list


def contenders(folders):
    """Returns all of them, ragedge first."""
    models, environment = list(workloads.MODELS), folders.environment()

    def python(name, engine, names, more={}):
        return Contender(name, [folders.python, f"{HERE}/worker.py", engine, folders.files], environment | more, names)

    go = [f"{folders.bin}/ortgo", folders.onnxruntime_library(), folders.files]
    worker, ours = f"{folders.bin}/worker", models + KERNELS + ["fma"]
    everyone = [
        Contender("ragedge", [worker, folders.files], environment, ours),
        Contender("ragedge-avx2", [worker, "-cpu", "avx2", folders.files], environment, ours),
        python("onnxruntime", "onnxruntime", models),
        python("onnxruntime-fused", "onnxruntime-fused", BLOCKS),
        Contender("onnxruntime-go", go, environment, models),
        python("litert", "litert", models),
        python("openvino", "openvino", models),
    ]
    for how in ("eager", "script", "compile"):
        names = models + KERNELS if how == "eager" else models
        everyone.append(python(f"torch-{how}", f"torch-{how}", names))
        everyone.append(python(f"torch-{how}-avx2", f"torch-{how}", names, AVX2))
    return everyone
