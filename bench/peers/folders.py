"""Where everything is. It needs no package, so that the step setup can use it."""

import dataclasses
import glob
import os

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))  # of the module

# One thread for every library, whichever it heeds.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "GOMAXPROCS": "1",
    "OPENVINO_TELEMETRY": "0", "TF_CPP_MIN_LOG_LEVEL": "3",
}

@dataclasses.dataclass
class Folders:
    """The folder that the user names, and what is in it."""

    top: str

    def __post_init__(self):
        self.files, self.bin, self.runs = f"{self.top}/files", f"{self.top}/bin", f"{self.top}/runs"
        self.venv, self.venv_tensorflow = f"{self.top}/venv", f"{self.top}/venv-tensorflow"
        self.python, self.python_tensorflow = f"{self.venv}/bin/python", f"{self.venv_tensorflow}/bin/python"

    def environment(self):
        """Returns the environment of everything that is measured."""
        return os.environ | ONE_THREAD | {"TORCHINDUCTOR_CACHE_DIR": f"{self.top}/inductor", "TORCHINDUCTOR_COMPILE_THREADS": "1"}

    def packages(self):
        return glob.glob(f"{self.venv}/lib/python3*/site-packages")[0]

    def onnxruntime_library(self):
        return glob.glob(f"{self.packages()}/onnxruntime/capi/libonnxruntime.so.*")[0]
