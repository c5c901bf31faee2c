"""The file that `ragedge features` writes, as a data set of PyTorch."""

import json

import torch
from safetensors import safe_open
from torch.utils.data import Dataset

TRAIN, VALIDATION = 0, 1  # in the tensor split, as the metadata "splits" names them


class Moments(Dataset):
    """What a model sees at every decision. An item is (regions by modality, lengths by modality, label, group) of one
    moment or, for a list of numbers, of a batch."""

    def __init__(self, path):
        with safe_open(path, "pt") as file:
            about = file.metadata() or {}
            tensors = {name: file.get_tensor(name) for name in file.keys()}
        if "label" not in tensors or not json.loads(about.get("labels", "[]")):
            raise ValueError(f"{path} has no labels: label the recordings, or name the column with the key label")
        self.labels, self.features = json.loads(about["labels"]), about.get("features", "")
        self.regions = {n: t for n, t in sorted(tensors.items()) if t.ndim == 3}
        self.lengths = {n: tensors[f"{n}.length"] for n in self.regions}
        self.label = tensors["label"]
        self.group = tensors.get("group", torch.zeros_like(self.label))
        self.time = tensors.get("time_ns", torch.arange(len(self.label)))
        self.split = tensors.get("split")

    def __len__(self):
        return len(self.label)

    def __getitem__(self, i):
        return ({n: t[i] for n, t in self.regions.items()}, {n: t[i] for n, t in self.lengths.items()},
                self.label[i], self.group[i])

    def modalities(self):
        """As the config of a model has them."""
        return [{"name": n, "regions": t.shape[1], "features": t.shape[2]} for n, t in self.regions.items()]

    def statistics(self, examples):
        """Mean and deviation of every feature over the rows that count, as the tensors input.M.mean and .std."""
        result = {}
        for name, x in self.regions.items():
            counts = torch.arange(x.shape[1]) < self.lengths[name][examples, None]
            if not counts.any():
                continue
            std, mean = torch.std_mean(x[examples][counts].double(), 0, correction=0)
            result[f"input.{name}.mean"] = mean.float()
            result[f"input.{name}.std"] = torch.where(std > 1e-6 * mean.abs() + 1e-12, std, 1).float()
        return result

    def divide(self, anchor=""):
        """Numbers of the examples to train on, and of those to validate with.

        Examples without a label, or with nothing to see, are in neither. Where the file says what examples are for,
        that holds. Otherwise whole groups are for the validation if there are four or more, and else blocks of time:
        windows overlap, so the moments beside a block see part of what is in it and are left out.
        """
        seen = torch.stack(list(self.lengths.values())).any(0)
        if anchor:
            seen &= self.lengths[anchor] > 0
        usable = [i for i in range(len(self)) if seen[i] and self.label[i] >= 0]
        if self.split is not None:
            held = [i for i in usable if self.split[i] == VALIDATION]
            usable = [i for i in usable if self.split[i] == TRAIN]
            if held:
                return usable, held
        groups = {}
        for i in sorted(usable, key=lambda i: (self.group[i].item(), self.time[i].item())):
            groups.setdefault(self.group[i].item(), []).append(i)
        if len(groups) >= 4:
            train, validation = [], []
            for k, group in enumerate(groups.values()):
                (validation if k % 5 == 2 else train).extend(group)
            return train, validation
        gap = max(t.shape[1] for t in self.regions.values())
        parts = [blocks(group, gap) for group in groups.values()]
        return [i for train, _ in parts for i in train], [i for _, validation in parts for i in validation]


def blocks(group, gap, count=20):
    """Cuts a group into blocks, and takes every fifth for the validation."""
    held = [k for k in range(len(group)) if k * count // len(group) % 5 == 2]
    near = {k + step for k in held for step in range(-gap, gap + 1)}
    return [i for k, i in enumerate(group) if k not in near], [group[k] for k in held]
