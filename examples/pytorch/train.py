"""Train a model on what `ragedge features` wrote, and write the model file.

    python3 train.py room-data.safetensors room.safetensors --config '{"strategy":"self","layers":1}'

--config takes the keys of the config of a model file; what it leaves out is as in CONFIG below.
"""

import argparse
import json
import pathlib

import torch
from torch.nn import functional as F
from torch.utils.data import BatchSampler, DataLoader, SubsetRandomSampler

from moments import Moments
from regiongate import RegionGate

CONFIG = {"width": 32, "heads": 4, "strategy": "gate", "align": "identity", "norm": True, "pool": "mean"}


def make_model(moments, examples, name, keys):
    """A model for these moments, with the statistics of the examples that are trained on."""
    head = {"task": "classify", "outputs": len(moments.labels), "labels": moments.labels}
    config = {"name": name, "modalities": moments.modalities(), **CONFIG, "head": head, **keys}
    statistics = moments.statistics(examples)
    embeddings = [f"{kind}.{m}" for kind in ("modality", "position") for m in moments.regions]
    model = RegionGate(config, moments.features, [*statistics, *embeddings])
    model.load_state_dict(statistics, strict=False)
    return model


def leave_out(lengths, probability, anchor):
    """Modality dropout: shows examples without some of their modalities. One of each stays, and the anchor."""
    n = torch.stack(list(lengths.values()))  # [M, B]
    out = torch.rand(n.shape) < probability
    stays = (torch.rand(n.shape) * (n > 0)).argmax(0)
    out[stays, torch.arange(n.shape[1])] = False
    if anchor is not None:
        out[anchor] = False
    return dict(zip(lengths, n.masked_fill(out, 0)))


@torch.inference_mode()
def accuracy(model, loader):
    """The part of the answers that are right."""
    right = [model(regions, lengths)["logits"].argmax(1) == label for regions, lengths, label, _ in loader]
    return torch.cat(right).float().mean().item()


def make_optimizer(model):
    """AdamW; matrices decay, but not biases, norms and embeddings."""
    decays, others = [], []
    for name, p in model.named_parameters():
        (decays if name.endswith(".weight") and p.ndim == 2 else others).append(p)
    return torch.optim.AdamW([{"params": decays}, {"params": others, "weight_decay": 0}], weight_decay=0.01)


def fit(model, moments, train, validation, epochs, batch=32, rate=3e-3, dropout=0.1):
    """Trains; the model has the weights of the best epoch afterwards. Returns its accuracy in the validation."""
    # The samplers give lists of numbers, so that a batch is read at once.
    loader = DataLoader(moments, sampler=BatchSampler(SubsetRandomSampler(train), batch, drop_last=False), batch_size=None)
    held = DataLoader(moments, sampler=BatchSampler(validation, 256, drop_last=False), batch_size=None)
    optimizer = make_optimizer(model)
    schedule = torch.optim.lr_scheduler.OneCycleLR(optimizer, rate, epochs * len(loader), cycle_momentum=False)
    best, weights = -1, None
    for epoch in range(1, epochs + 1):
        total = 0
        for regions, lengths, label, _ in loader:
            out = model(regions, leave_out(lengths, dropout, model.anchor))
            loss = F.cross_entropy(out["logits"], label)
            optimizer.zero_grad()
            loss.backward()
            torch.nn.utils.clip_grad_norm_(model.parameters(), 1)
            optimizer.step()
            schedule.step()
            total += loss.item() * len(label)
        score = accuracy(model, held)
        print(f"epoch {epoch}: loss {total / len(train):.3f}, validation accuracy {score:.3f}", flush=True)
        if score > best:
            best, weights = score, {n: t.clone() for n, t in model.state_dict().items()}
    model.load_state_dict(weights)
    return best


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("data", help="the file that ragedge features wrote")
    parser.add_argument("model", type=pathlib.Path, help="the model file to write")
    parser.add_argument("--config", type=json.loads, default={}, help="keys of the model's config, as JSON")
    parser.add_argument("--epochs", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    arguments = parser.parse_args()

    torch.manual_seed(arguments.seed)
    torch.set_num_threads(1)  # tensors this small only wait for each other on more
    moments = Moments(arguments.data)
    train, validation = moments.divide(arguments.config.get("anchor", ""))
    if not train or not validation:
        parser.error(f"{arguments.data}: {len(train)} examples to train on and {len(validation)} for the validation: record and label more")
    print(f"{len(train)} examples to train on, {len(validation)} for the validation")
    model = make_model(moments, train, arguments.model.stem, arguments.config)
    best = fit(model, moments, train, validation, arguments.epochs)
    model.save(arguments.model)
    print(f"{arguments.model}: validation accuracy {best:.3f}")


if __name__ == "__main__":
    main()
