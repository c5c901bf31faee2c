"""What PyTorch makes of model files: for every folder given, with model.safetensors and input.safetensors as
`ragedge fuse` takes it, writes OUT/FOLDER.safetensors with the outputs, and with the gradients of what the tensor
"cotangent" of grad.safetensors asks for, if there is one.

    python3 torch_fuse.py EXAMPLE OUT FOLDER...
"""

import pathlib
import sys

sys.path.insert(0, sys.argv[1])

import torch
from safetensors.torch import load_file, save_file

from regiongate import RegionGate

torch.set_num_threads(1)


def cut(got, shape, single):
    """Takes away the batch of one, and the slots that no example has, which must be 0."""
    if single:
        got = got[0]
    kept = got[tuple(slice(n) for n in shape)]
    assert got.count_nonzero() == kept.count_nonzero(), "what no example has is not 0"
    return kept.detach().contiguous()


for folder in map(pathlib.Path, sys.argv[3:]):
    model = RegionGate.load(folder / "model.safetensors")
    tensors = load_file(folder / "input.safetensors")
    regions = {n: t for n, t in tensors.items() if not n.endswith(".length")}
    lengths = {n.removesuffix(".length"): t for n, t in tensors.items() if n.endswith(".length")}
    single = next(iter(regions.values())).ndim == 2
    if single:
        regions = {n: t[None] for n, t in regions.items()}
    out = model(regions, lengths)
    result = out
    if (folder / "output.safetensors").exists():
        want = load_file(folder / "output.safetensors")
        assert out.keys() == want.keys(), (out.keys(), want.keys())
        result = {n: cut(out[n], t.shape, single) for n, t in want.items()}
    if (folder / "grad.safetensors").exists():
        cotangent = load_file(folder / "grad.safetensors")["cotangent"]
        got = out["logits" if "logits" in out else "z"]
        got = got[0] if single else got
        (got[tuple(slice(n) for n in cotangent.shape)] * cotangent).sum().backward()
        for name, p in model.named_parameters():
            result[f"grad.{name}"] = torch.zeros_like(p) if p.grad is None else p.grad
    save_file({n: t.detach().contiguous() for n, t in result.items()}, f"{sys.argv[2]}/{folder.name}.safetensors")
