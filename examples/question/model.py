"""Write a model file for question.py --random, with random weights: it answers nonsense, in the right form.

    python3 model.py question.safetensors

Two modalities, the token states of a text and the patch states of a picture. The tokens attend to the patches (co-attention,
one way, so that a picture is prepared once for all questions about it), the picture is aligned on the tokens,
and a gate weighs the two.
"""

import json
import sys

import numpy as np
from safetensors.numpy import save_file

from question import MOST_TOKENS, PATCH, SIDE, SMALL

WIDTH, HEADS, FFN = 32, 2, 64
LABELS = ["yes", "no"]
IN = SMALL["hidden_size"]
PATCHES = (SIDE // PATCH) ** 2

config = {
    "name": "question",
    "modalities": [
        {"name": "text", "regions": MOST_TOKENS, "features": IN},
        {"name": "image", "regions": PATCHES, "features": IN},
    ],
    "width": WIDTH, "strategy": "co", "layers": 1, "heads": HEADS, "ffn": FFN, "activation": "gelu", "norm": True,
    "one_way": True, "align": "anchor", "anchor": "text", "gate": "shared", "gates": 1, "pool": "attention",
    "head": {"task": "classify", "hidden": 0, "outputs": len(LABELS), "labels": LABELS},
}
features = {"modalities": {
    "text": {"encoder": "push", "regions": MOST_TOKENS},
    "image": {"encoder": "push", "regions": PATCHES},
}}


def main(path):
    rng = np.random.default_rng(108)

    def linear(name, outputs, inputs):
        tensors[f"{name}.weight"] = rng.normal(0, inputs ** -0.5, (outputs, inputs)).astype(np.float32)
        tensors[f"{name}.bias"] = np.zeros(outputs, np.float32)

    def norm(name):
        tensors[f"{name}.weight"], tensors[f"{name}.bias"] = np.ones(WIDTH, np.float32), np.zeros(WIDTH, np.float32)

    tensors = {}
    for modality in ("text", "image"):
        linear(f"project.{modality}", WIDTH, IN)
    norm("block.0.norm1")
    for part in ("query", "key", "value", "output"):
        linear(f"block.0.attention.{part}", WIDTH, WIDTH)
    norm("block.0.norm2")
    linear("block.0.ffn.0", FFN, WIDTH)
    linear("block.0.ffn.1", WIDTH, FFN)
    norm("norm")
    linear("gate", 2, 2 * WIDTH)
    tensors["pool.weight"] = rng.normal(0, WIDTH ** -0.5, (1, WIDTH)).astype(np.float32)
    linear("head.0", len(LABELS), WIDTH)
    save_file(tensors, path, {"ragedge": "1", "config": json.dumps(config), "features": json.dumps(features)})


if __name__ == "__main__":
    main(sys.argv[1])
