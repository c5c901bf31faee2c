"""Train a model with Keras on what `ragedge features` wrote, and write the model file.

    KERAS_BACKEND=torch python3 train.py room-data.safetensors room.safetensors --config '{"strategy":"self","layers":1}'
"""

import argparse
import json
import pathlib

import keras
import numpy as np
from safetensors import safe_open

from regiongate import RegionGate

CONFIG = {"width": 32, "heads": 4, "strategy": "gate", "align": "identity", "norm": True, "pool": "mean"}


def read(path):
    """The tensors and the metadata of the file."""
    with safe_open(path, "numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()


def divide(tensors, regions):
    """Numbers of the examples to train on, and of those to validate with.

    Where the file says what examples are for, that holds. Otherwise blocks of time are for the validation: windows
    overlap, so the moments beside a block see part of what is in it and are left out.
    """
    usable = np.any([tensors[f"{n}.length"] > 0 for n in regions], axis=0) & (tensors["label"] >= 0)
    if (split := tensors.get("split")) is not None:
        validation, usable = np.flatnonzero(usable & (split == 1)), usable & (split == 0)
        if len(validation):
            return np.flatnonzero(usable), validation
    usable = np.flatnonzero(usable)
    if not len(usable):
        return usable, usable
    k = np.arange(len(usable)) * 20 / len(usable) % 5
    gap = max(t.shape[1] for t in regions.values()) * 20 / len(usable)
    return usable[(k < 2 - gap) | (k >= 3 + gap)], usable[(k >= 2) & (k < 3)]


def make_model(tensors, regions, examples, about, name, keys):
    """A model for this file, with mean and deviation of the examples that are trained on."""
    labels = json.loads(about["labels"])
    config = {
        "name": name, **CONFIG, "head": {"task": "classify", "outputs": len(labels), "labels": labels},
        "modalities": [{"name": n, "regions": t.shape[1], "features": t.shape[2]} for n, t in regions.items()], **keys,
    }
    model = RegionGate(config, about.get("features", ""), [f"{kind}.{n}" for kind in ("modality", "position") for n in regions])
    for n, t in regions.items():
        counts = np.arange(t.shape[1]) < tensors[f"{n}.length"][examples, None]
        rows = t[examples][counts].astype(float)
        if len(rows):
            std = rows.std(0)
            model.w[f"input.{n}.mean"].assign(rows.mean(0))
            model.w[f"input.{n}.std"].assign(np.where(std > 1e-6 * abs(rows.mean(0)) + 1e-12, std, 1))
    return model


def part(model, tensors, examples):
    """The inputs of some examples."""
    return {n: tensors[n][examples] for m in model.modalities for n in (m, f"{m}.length")}


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="the file that ragedge features wrote")
    parser.add_argument("model", type=pathlib.Path, help="the model file to write")
    parser.add_argument("--config", type=json.loads, default={}, help="keys of the model's config, as JSON")
    parser.add_argument("--epochs", type=int, default=20)
    arguments = parser.parse_args()

    keras.utils.set_random_seed(1)
    tensors, about = read(arguments.data)
    regions = {n: t for n, t in sorted(tensors.items()) if t.ndim == 3}
    train, validation = divide(tensors, regions)
    if not len(train) or not len(validation):
        parser.error(f"{arguments.data}: {len(train)} examples to train on, {len(validation)} for the validation: record and label more")
    model = make_model(tensors, regions, train, about, arguments.model.stem, arguments.config)
    model.compile(
        keras.optimizers.AdamW(3e-3, weight_decay=0.01, clipnorm=1.0),
        keras.losses.SparseCategoricalCrossentropy(from_logits=True), metrics=["accuracy"])
    model.fit(
        part(model, tensors, train), tensors["label"][train], batch_size=32, epochs=arguments.epochs, verbose=2,
        validation_data=(part(model, tensors, validation), tensors["label"][validation]))
    model.save_model(arguments.model)


if __name__ == "__main__":
    main()
