"""What Keras makes of model files: as torch_fuse.py does, without gradients. A folder whose model is of another part
of the mechanism than the example has is left out.

    python3 keras_fuse.py EXAMPLE OUT FOLDER...
"""

import pathlib
import sys

sys.path.insert(0, sys.argv[1])

import numpy as np
from keras import ops
from safetensors.numpy import load_file, save_file

from regiongate import RegionGate

for folder in map(pathlib.Path, sys.argv[3:]):
    try:
        model = RegionGate.load_model(folder / "model.safetensors")
    except ValueError as error:
        assert "this example" in str(error), error
        continue
    tensors = load_file(folder / "input.safetensors")
    single = next(t for n, t in tensors.items() if not n.endswith(".length")).ndim == 2
    if single:
        tensors = {n: t[None] for n, t in tensors.items()}
    size = len(next(iter(tensors.values())))
    inputs = {}
    for name, (_, features) in model.modalities.items():
        inputs[name] = x = tensors.get(name, np.zeros((size, 1, features), "float32"))
        inputs[f"{name}.length"] = tensors.get(f"{name}.length", np.full(size, x.shape[1] if name in tensors else 0))
    out = {n: ops.convert_to_numpy(t) for n, t in model.explain(inputs).items()}
    if (folder / "output.safetensors").exists():
        for n, want in load_file(folder / "output.safetensors").items():
            got = out[n][0] if single else out[n]
            kept = got[tuple(slice(k) for k in want.shape)]
            assert np.count_nonzero(got) == np.count_nonzero(kept), "what no example has is not 0"
            out[n] = kept
    save_file({n: np.ascontiguousarray(t) for n, t in out.items()}, f"{sys.argv[2]}/{folder.name}.safetensors")
